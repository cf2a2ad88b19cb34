"""Bind the tokens of one login to a key of this login alone: DPoP (RFC 9449).

The access token is dropped unused, so there is no resource server here, and no ``ath``. What the binding
gives a login is that a code which somebody else caught is worth nothing: the pushed request names the key
(``dpop_jkt``, §10), and the token request proves that it is here.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, Never, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from cyberid_client.errors import LoginRestartError
from cyberid_client.handshake.signing import encode_part, sign_es256
from cyberid_client.ports import FlowEnv, HTTPResponse
from cyberid_client.wire.base64url import WireError, decode_base64url, encode_base64url
from cyberid_client.wire.challenges import parse_challenges
from cyberid_client.wire.responses import parse_oauth_error

__all__ = ["ALGORITHM", "DPoPKey", "NonceMemory", "nonce_asked_for", "nonce_of"]

ALGORITHM: Final = "ES256"
JTI_BYTES: Final = 16
NONCE_MAX: Final = 512
ORIGINS_KEPT: Final = 16

_CURVE: Final = ec.SECP256R1()
_COORDINATE: Final = 32
# RFC 9449 §8.1: 1*NQCHAR.
_NONCE: Final = re.compile(rf"[!#-\[\]-~]{{1,{NONCE_MAX}}}", re.ASCII)


class DPoPKey:
    """The key of one login: P-256, made when it starts and forgotten when it ends.

    It prints nothing and refuses to be pickled; :meth:`text` is the only way out.
    """

    __slots__ = ("_jwk", "_private_key")

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        point = private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        x, y = (encode_base64url(point[at : at + _COORDINATE]) for at in (1, 1 + _COORDINATE))
        # As RFC 7638 §3 wants it: the required members, sorted, without white space. Nothing needs an escape.
        self._jwk = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'

    @classmethod
    def generate(cls) -> Self:
        """Make a new key, from the random source of the cryptographic library."""
        return cls(ec.generate_private_key(_CURVE))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what :meth:`text` wrote.

        Args:
            text: out of the sealed record of a pending login.

        Raises:
            LoginRestartError: it is no such key; another version made the record.
        """
        try:
            private_key = load_der_private_key(decode_base64url(text), None)
        except (WireError, TypeError, ValueError):
            raise LoginRestartError("login.unknown") from None
        if not isinstance(private_key, ec.EllipticCurvePrivateKey) or private_key.curve.name != _CURVE.name:
            raise LoginRestartError("login.unknown")
        return cls(private_key)

    def text(self) -> str:
        """Return the private key for the sealed record: PKCS#8 DER in base64url."""
        der = self._private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return encode_base64url(der)

    @property
    def thumbprint(self) -> str:
        """What ``dpop_jkt`` says: the RFC 7638 thumbprint, SHA-256, base64url."""
        return encode_base64url(hashlib.sha256(self._jwk.encode()).digest())

    def proof(self, *, method: str, url: str, nonce: str | None, env: FlowEnv) -> str:
        """Return a proof for one attempt at one request (RFC 9449 §4.2): fresh ``jti``, time of now.

        Args:
            method: of the request.
            url: to which it is sent; query and fragment are left out.
            nonce: the issuer's newest for this origin, or ``None``.
            env: clock and randomness.
        """
        claims: dict[str, object] = {
            "jti": encode_base64url(env.token(JTI_BYTES)),
            "htm": method,
            "htu": url.partition("#")[0].partition("?")[0],
            "iat": int(env.now().timestamp()),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        header = f'{{"typ":"dpop+jwt","alg":"{ALGORITHM}","jwk":{self._jwk}}}'
        message = f"{encode_base64url(header.encode())}.{encode_part(claims)}"
        return f"{message}.{encode_base64url(sign_es256(message.encode(), self._private_key))}"

    def __repr__(self) -> str:
        return "DPoPKey(redacted)"

    def __reduce__(self) -> Never:
        message = "DPoPKey is not written out; its text is, sealed"
        raise TypeError(message)


class NonceMemory:
    """The newest nonce of each origin (RFC 9449 §8.2), for all logins of one client.

    All threads share it without a lock: it reads, sets and replaces one dictionary, each in one step. Two
    logins at once may learn in either order; who then shows the older nonce is told the newer one and tries
    again. It is bounded: an issuer has a few origins, and past :data:`ORIGINS_KEPT` it begins anew.
    """

    __slots__ = ("_nonces",)

    def __init__(self) -> None:
        self._nonces: dict[str, str] = {}

    def learn(self, url: str, response: HTTPResponse) -> None:
        """Remember the nonce of any response, one with 2xx too; without a usable one the old one stays.

        Args:
            url: to which the request was sent.
            response: untrusted.
        """
        nonce = nonce_of(response)
        if nonce is None:
            return
        origin = _origin_of(url)
        if len(self._nonces) >= ORIGINS_KEPT and origin not in self._nonces:
            self._nonces = {}
        self._nonces[origin] = nonce

    def known_for(self, url: str) -> str | None:
        """Return the newest nonce of this URL's origin."""
        return self._nonces.get(_origin_of(url))

    def __repr__(self) -> str:
        return f"NonceMemory({len(self._nonces)} origins)"


def nonce_of(response: HTTPResponse) -> str | None:
    """Return the nonce of the ``DPoP-Nonce`` header; ``None`` when there is none that can be used.

    Args:
        response: untrusted. A header that came twice holds a space after joining, and so no nonce.
    """
    nonce = response.headers.get("dpop-nonce")
    return nonce if isinstance(nonce, str) and _NONCE.fullmatch(nonce) else None


def nonce_asked_for(response: HTTPResponse) -> bool:
    """Tell whether an answer asks for a proof with a nonce, or with a newer one (RFC 9449 §8, §9).

    Args:
        response: untrusted: 400 with ``use_dpop_nonce`` as the error of its JSON, or 401 with a challenge
            of the scheme DPoP that says so; nothing else asks.
    """
    if response.status == 400:  # noqa: PLR2004 - the number of the clause
        media_type = response.headers.get("content-type", "").partition(";")[0].strip(" \t").lower()
        return media_type == "application/json" and parse_oauth_error(response) == "use_dpop_nonce"
    if response.status == 401:  # noqa: PLR2004 - as above
        challenges = parse_challenges(response.headers.get("www-authenticate"))
        return any(
            each.scheme == "dpop" and each.parameters.get("error") == "use_dpop_nonce" for each in challenges
        )
    return False


def _origin_of(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
