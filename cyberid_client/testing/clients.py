"""The registered clients, and how strictly their authentication is judged (RFC 7523, FAPI 2.0 §5.3.2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from cyberid_client.testing.jose import ALGORITHMS, PrivateKey, PublicKey, decode_part, thumbprint

__all__ = [
    "ASSERTION_TYPE",
    "ClientDesk",
    "Refusal",
    "RegisteredClient",
    "is_web_origin",
    "is_web_url",
    "make_client",
    "origin_of",
]

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE: Final = 60
_CLOCK_LEEWAY: Final = 10
_MAX_ASSERTION: Final = 16_384
_MIN_JTI: Final = 16
_JWS_PARTS: Final = 3


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not an error of the program
    """An OAuth error answer on its way to the client.

    Args:
        error: the value of ``error``.
        reason: the value of ``error_description``: a fixed sentence for the developer.
        status: the HTTP status.
    """

    def __init__(self, error: str, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A client as the issuer knows it.

    Attributes:
        client_id: its OAuth name.
        redirect_uri: the first of its redirect URIs.
        redirect_uris: all of them; compared byte by byte.
        sector: its sector identifier.
        algorithm: the JWS algorithm of its assertions.
        kid: the RFC 7638 thumbprint of its key.
        key_pem: the private key that the mock made for it, PKCS #8.
    """

    client_id: str
    redirect_uri: str
    redirect_uris: tuple[str, ...] = field(repr=False)
    sector: str
    algorithm: str
    kid: str
    key_pem: bytes = field(repr=False)
    public_key: PublicKey = field(repr=False)


def make_client(
    *, client_id: str, redirect_uris: tuple[str, ...], sector: str | None, algorithm: str
) -> RegisteredClient:
    """Make a client with a fresh key."""
    key: PrivateKey = ALGORITHMS[algorithm].generate()
    return RegisteredClient(
        client_id=client_id,
        redirect_uri=redirect_uris[0],
        redirect_uris=redirect_uris,
        sector=origin_of(redirect_uris[0]) if sector is None else sector,
        algorithm=algorithm,
        kid=thumbprint(key.public_key()),
        key_pem=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        public_key=key.public_key(),
    )


def origin_of(url: str) -> str:
    """Return scheme and authority of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_web_url(url: str) -> bool:
    """Tell whether this is an absolute http or https URL without fragment."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and "#" not in url
    except ValueError:
        return False


def is_web_origin(url: str) -> bool:
    """Tell whether this is an http or https URL with a host and nothing behind it."""
    return is_web_url(url) and url == origin_of(url)


class ClientDesk:
    """Know the clients, and authenticate them by ``private_key_jwt`` with no leniency."""

    def __init__(self) -> None:
        self._clients: dict[str, RegisteredClient] = {}
        self._seen: dict[str, float] = {}

    def add(self, client: RegisteredClient) -> None:
        """Register a client, in place of one with the same name."""
        self._clients[client.client_id] = client

    def find(self, client_id: str | None) -> RegisteredClient | None:
        """Return the client of this name, if there is one."""
        return None if client_id is None else self._clients.get(client_id)

    def authenticate(self, form: Mapping[str, str], *, issuer: str, now: datetime) -> RegisteredClient:
        """Return the client whose assertion is in the form.

        Args:
            form: the parameters, untrusted.
            issuer: what ``aud`` must equal, as one plain string.
            now: the issuer's time.

        Raises:
            Refusal: ``invalid_client``, with the broken rule.
        """
        client = self.find(form.get("client_id"))
        if client is None:
            raise _invalid_client("client_id is absent or not registered")
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise _invalid_client("client_assertion_type must be jwt-bearer")
        if "client_secret" in form:
            raise _invalid_client("client secrets are not used here")
        claims = _open_assertion(form.get("client_assertion", ""), client)
        seconds = now.timestamp()
        for rule, reason in _RULES:
            if not rule(claims, client.client_id, issuer, seconds):
                raise _invalid_client(reason)
        self._remember(str(claims["jti"]), float(str(claims["exp"])), seconds)
        return client

    def _remember(self, jti: str, expires: float, seconds: float) -> None:
        self._seen = {old: end for old, end in self._seen.items() if end > seconds}
        if jti in self._seen:
            raise _invalid_client("jti was used before")
        self._seen[jti] = expires


def _invalid_client(reason: str) -> Refusal:
    return Refusal("invalid_client", reason, 401)


def _open_assertion(assertion: str, client: RegisteredClient) -> dict[str, object]:
    """Return the claims of an assertion whose header and signature are the client's."""
    parts = assertion.split(".")
    if len(parts) != _JWS_PARTS or len(assertion) > _MAX_ASSERTION:
        raise _invalid_client("client_assertion is not a compact JWS")
    try:
        header, claims = (json.loads(decode_part(part)) for part in parts[:2])
        signature = decode_part(parts[2])
    except (ValueError, RecursionError):
        raise _invalid_client("client_assertion is not a compact JWS") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _invalid_client("client_assertion holds no JSON objects")
    if header.get("alg") != client.algorithm:
        raise _invalid_client("alg is not the registered algorithm")
    if header.get("kid") != client.kid:
        raise _invalid_client("kid is not the thumbprint of the registered key")
    if header.get("typ", "JWT") not in {"JWT", "client-authentication+jwt"} or "crit" in header:
        raise _invalid_client("typ or crit of the assertion is not understood")
    try:
        message = f"{parts[0]}.{parts[1]}".encode()
        ALGORITHMS[client.algorithm].verify(client.public_key, signature, message)
    except (InvalidSignature, ValueError):
        raise _invalid_client("the signature does not verify") from None
    return claims


def _number(value: object) -> float | None:
    """Return a NumericDate; a boolean is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _names_the_client(claims: dict[str, object], client_id: str, _issuer: str, _now: float) -> bool:
    return claims.get("iss") == client_id and claims.get("sub") == client_id


def _names_the_issuer(claims: dict[str, object], _client_id: str, issuer: str, _now: float) -> bool:
    return claims.get("aud") == issuer


def _issued_now(claims: dict[str, object], _client_id: str, _issuer: str, now: float) -> bool:
    issued = _number(claims.get("iat"))
    return issued is not None and now - _ASSERTION_LIFE <= issued <= now + _CLOCK_LEEWAY


def _short_lived(claims: dict[str, object], _client_id: str, _issuer: str, now: float) -> bool:
    issued, expires = _number(claims.get("iat")), _number(claims.get("exp"))
    return issued is not None and expires is not None and now < expires <= issued + _ASSERTION_LIFE


def _valid_already(claims: dict[str, object], _client_id: str, _issuer: str, now: float) -> bool:
    start = _number(claims.get("nbf", 0))
    return start is not None and start <= now + _CLOCK_LEEWAY


def _has_identifier(claims: dict[str, object], _client_id: str, _issuer: str, _now: float) -> bool:
    jti = claims.get("jti")
    return isinstance(jti, str) and len(jti) >= _MIN_JTI


_RULES: Final[tuple[tuple[Callable[[dict[str, object], str, str, float], bool], str], ...]] = (
    (_names_the_client, "iss and sub must both be the client_id"),
    (_names_the_issuer, "aud must be the issuer identifier as one plain string"),
    (_issued_now, "iat must be a number and now"),
    (_short_lived, "exp must be a number, in the future and at most 60 seconds after iat"),
    (_valid_already, "nbf lies in the future"),
    (_has_identifier, "jti must be a string of at least 16 characters"),
)
