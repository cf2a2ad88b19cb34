"""What an app's backend asks about a launch: one signed request, read strictly (profile §4)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.testing.clients import ClientDesk
from cyberid_client.testing.compact import Members, number_of, open_jws
from cyberid_client.testing.jose import b64url, decode_part
from cyberid_client.testing.people import FACTORS_OF_MODE
from cyberid_client.testing.pushed import SCOPES
from cyberid_client.testing.refusal import Refusal, invalid_client, invalid_request
from cyberid_client.testing.registration import RegisteredApp, RegisteredClient, key_for

__all__ = ["BIZ_SEQ", "VerificationRequest", "hash_blobs", "open_verification"]

BIZ_SEQ: Final = re.compile("[A-Za-z0-9]{32}", re.ASCII)
_TYPE: Final = frozenset({"cyberid-app-verify+jwt"})
_CONTENT_TYPE: Final = "application/jwt"
_REQUEST_LIFE: Final = 60
_CLOCK_LEEWAY: Final = 10
_MIN_JTI: Final = 16
_KNOWN: Final = frozenset(
    {
        *("iss", "aud", "iat", "nbf", "exp", "jti", "client_id", "orgID", "appID", "bizSeq", "mode", "scope"),
        *("idCardAuthData", "certPwdData"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRequest:
    """A verification request that passed every rule.

    Attributes:
        client: who asks.
        app: the app on the phone, by its ``appID``.
        biz_seq: of the launch.
        mode: the ``acr`` that is asked for.
        scopes: what is asked for.
        blobs_hash: of what the ID app is said to have given.
    """

    client: RegisteredClient
    app: RegisteredApp
    biz_seq: str = field(repr=False)
    mode: str
    scopes: frozenset[str]
    blobs_hash: str = field(repr=False)


def hash_blobs(id_card_auth_data: str, cert_pwd_data: str | None) -> str:
    """Return the SHA-256 of both, each after its length in four bytes; what is absent counts as empty."""
    digest = hashlib.sha256()
    for blob in (id_card_auth_data.encode(), (cert_pwd_data or "").encode()):
        digest.update(len(blob).to_bytes(4, "big") + blob)
    return b64url(digest.digest())


def open_verification(
    body: bytes,
    headers: Mapping[str, str],
    *,
    certificate: str | None,
    clients: ClientDesk,
    issuer: str,
    seconds: float,
) -> VerificationRequest:
    """Open a signed request, believe its client, and read what it asks.

    Args:
        body: untrusted.
        headers: names in lower case.
        certificate: the SHA-256 of the certificate that TLS proved, in hex; there is no alias for it here.
        clients: who may ask.
        issuer: what ``aud`` must equal, as one plain string.
        seconds: the issuer's time.

    Raises:
        Refusal: ``invalid_client`` or ``invalid_request``, with the broken rule.
    """
    if headers.get("content-type", "").split(";")[0].strip().lower() != _CONTENT_TYPE:
        raise invalid_request("the body must be application/jwt")
    try:
        token = body.decode("ascii")
    except UnicodeDecodeError:
        raise invalid_client("this is not a compact JWS") from None
    client = clients.find(_unverified_client_id(token))
    if client is None:
        raise invalid_client("client_id is absent or not registered")
    claims = open_jws(
        token,
        types=_TYPE,
        key_of=lambda header: key_for(client, header, invalid_client),
        refuse=invalid_client,
    )
    if certificate != client.certificate_sha256:
        raise invalid_client("not the certificate that the client registered")
    _check_envelope(claims, client.client_id, issuer, seconds)
    clients.use_once(str(claims["jti"]), float(str(claims["exp"])), seconds)
    return _read(claims, client)


def _unverified_client_id(token: str) -> str | None:
    """Return who says to ask; the signature shows whether it is so."""
    try:
        claims = json.loads(decode_part(token.split(".")[1]))
        name = claims["client_id"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return name if isinstance(name, str) else None


def _check_envelope(claims: Members, client_id: str, issuer: str, seconds: float) -> None:
    issued, expires = number_of(claims.get("iat")), number_of(claims.get("exp"))
    jti = claims.get("jti")
    if claims.get("iss") != client_id or claims.get("client_id") != client_id:
        raise invalid_client("iss and client_id must both be the client's name")
    if claims.get("aud") != issuer:
        raise invalid_client("aud must be the issuer identifier as one plain string")
    if issued is None or not seconds - _REQUEST_LIFE <= issued <= seconds + _CLOCK_LEEWAY:
        raise invalid_client("iat must be a number and now")
    if expires is None or not seconds < expires <= issued + _REQUEST_LIFE:
        raise invalid_client("exp must be a number, in the future and at most 60 seconds after iat")
    if not isinstance(jti, str) or len(jti) < _MIN_JTI:
        raise invalid_client("jti must be a string of at least 16 characters")
    # A client assertion has a sub; a request without one can never be taken for it.
    if "sub" in claims:
        raise invalid_client("sub must not stand there")


def _read(claims: Members, client: RegisteredClient) -> VerificationRequest:
    biz_seq, mode, scope = claims.get("bizSeq"), claims.get("mode"), claims.get("scope")
    card, password = claims.get("idCardAuthData"), claims.get("certPwdData")
    app = next((app for app in client.apps.values() if app.app_id == claims.get("appID")), None)
    if set(claims) - _KNOWN:
        raise invalid_request("there is a claim that does not belong there")
    if client.org_id is None or claims.get("orgID") != client.org_id or app is None:
        raise invalid_request("orgID and appID are not those that the client registered")
    if not isinstance(biz_seq, str) or BIZ_SEQ.fullmatch(biz_seq) is None:
        raise invalid_request("bizSeq must be 32 letters and digits")
    if not isinstance(mode, str) or mode not in FACTORS_OF_MODE:
        raise invalid_request("mode is none of the four")
    scopes = frozenset(scope.split(" ")) if isinstance(scope, str) else frozenset()
    if "openid" not in scopes or not scopes <= set(SCOPES):
        raise Refusal("invalid_scope", "scope must name openid, and nothing that is not offered")
    if (
        not isinstance(card, str)
        or not card
        or not (password is None or (isinstance(password, str) and password))
    ):
        raise invalid_request("idCardAuthData must be a text, and certPwdData one or absent")
    return VerificationRequest(
        client=client,
        app=app,
        biz_seq=biz_seq,
        mode=mode,
        scopes=scopes,
        blobs_hash=hash_blobs(card, password if isinstance(password, str) else None),
    )
