"""Messages before they leave the issuer: complete and honest, and open to one change by an armed fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography import x509

from cyberid_client.testing.jose import b64url, json_bytes
from cyberid_client.testing.keyring import Keyring, Signer, x5c_of
from cyberid_client.testing.pki import der

__all__ = ["CallbackDraft", "Page", "Reply", "SignedDraft", "Sizes"]


@dataclass(slots=True, kw_only=True)
class Reply:
    """What goes back to whoever asked.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
        body: the bytes.
        quirk: ``None``, or how the connection misbehaves: ``slow``, ``drip``, ``cut`` or ``tls``.
    """

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    quirk: str | None = None


@dataclass(slots=True, kw_only=True)
class Page:
    """A JSON document on its way out: discovery page, key set, answer to PAR, token response.

    Attributes:
        document: the members.
        status: the HTTP status.
        headers: names in lower case.
        body: bytes that replace the encoded document; ``None`` to encode it.
        quirk: as for :class:`Reply`.
        keyring: the issuer's keys.
        now: the issuer's time.
    """

    document: dict[str, object] = field(repr=False)
    keyring: Keyring = field(repr=False)
    now: datetime
    status: int = 200
    headers: dict[str, str] = field(
        default_factory=lambda: {"content-type": "application/json", "cache-control": "no-store"}
    )
    body: bytes | None = field(default=None, repr=False)
    quirk: str | None = None

    def encode(self) -> bytes:
        """Return the body as it would leave now."""
        return json_bytes(self.document) if self.body is None else self.body

    def to_reply(self) -> Reply:
        """Return the finished answer."""
        return Reply(status=self.status, headers=self.headers, body=self.encode(), quirk=self.quirk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large a signed document is, and what makes it so.

    Attributes:
        algorithm: the JWS name.
        certificates: how many came along; the root is none of them.
        chain: bytes of these certificates, DER.
        signature: bytes of the raw signature.
        token: characters of the compact JWS.
    """

    algorithm: str
    certificates: int
    chain: int
    signature: int
    token: int


@dataclass(slots=True, kw_only=True)
class SignedDraft:
    """A compact JWS before it is signed.

    Attributes:
        header: the protected header.
        claims: the payload's members.
        signer: who signs.
        keyring: the issuer's keys.
        now: the issuer's time.
        header_bytes: bytes that replace the encoded header.
        payload_bytes: bytes that replace the encoded claims.
        edit_signature: the last change to the raw signature.
        edit_token: the last change to the compact form.
        sizes: of what was encoded last.
    """

    header: dict[str, object]
    claims: dict[str, object] = field(repr=False)
    signer: Signer
    keyring: Keyring = field(repr=False)
    now: datetime
    header_bytes: bytes | None = field(default=None, repr=False)
    payload_bytes: bytes | None = field(default=None, repr=False)
    edit_signature: Callable[[bytes], bytes] = field(default=lambda signature: signature, repr=False)
    edit_token: Callable[[str], str] = field(default=lambda token: token, repr=False)
    sizes: Sizes | None = field(default=None, init=False)

    @property
    def seconds(self) -> int:
        """The issuer's time as a NumericDate."""
        return int(self.now.timestamp())

    def use_signer(self, signer: Signer) -> None:
        """Let another key sign, with everything in the header that goes with it."""
        self.signer = signer
        self.header.update(alg=signer.algorithm.name, kid=signer.kid, x5c=x5c_of(signer.chain))

    def use_chain(self, chain: tuple[x509.Certificate, ...]) -> None:
        """Send another chain with the same key."""
        self.header["x5c"] = x5c_of(chain)

    def signing_input(self) -> bytes:
        """Return what is signed: RFC 7515 §5.1."""
        header = json_bytes(self.header) if self.header_bytes is None else self.header_bytes
        payload = json_bytes(self.claims) if self.payload_bytes is None else self.payload_bytes
        return f"{b64url(header)}.{b64url(payload)}".encode()

    def encode(self) -> str:
        """Return the compact JWS."""
        message = self.signing_input()
        signature = self.edit_signature(self.signer.sign(message))
        token = self.edit_token(f"{message.decode()}.{b64url(signature)}")
        self.sizes = Sizes(
            algorithm=self.signer.algorithm.name,
            certificates=len(self.signer.chain),
            chain=sum(len(der(certificate)) for certificate in self.signer.chain),
            signature=len(signature),
            token=len(token),
        )
        return token


@dataclass(slots=True, kw_only=True)
class CallbackDraft:
    """The redirect back to the app before it is written down.

    Attributes:
        redirect_uri: where it goes.
        parameters: names and values, in order.
        raw_suffix: text that is appended to the query as it stands.
        keyring: the issuer's keys.
        now: the issuer's time.
    """

    redirect_uri: str
    parameters: list[tuple[str, str]] = field(repr=False)
    keyring: Keyring = field(repr=False)
    now: datetime
    raw_suffix: str = field(default="", repr=False)

    def drop(self, name: str) -> None:
        """Take a parameter out."""
        self.parameters = [pair for pair in self.parameters if pair[0] != name]

    def put(self, name: str, value: str) -> None:
        """Set a parameter, in its old place when it has one."""
        names = [pair[0] for pair in self.parameters]
        if name in names:
            self.parameters[names.index(name)] = (name, value)
        else:
            self.parameters.append((name, value))

    def get(self, name: str) -> str:
        """Return the first value of a parameter, ``""`` when it is not there."""
        return next((value for key, value in self.parameters if key == name), "")

    def encode(self) -> str:
        """Return the whole URL."""
        mark = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{mark}{urlencode(self.parameters, quote_via=quote)}{self.raw_suffix}"
