"""The signed request object, fetched and judged (OpenID4VP 1.0 §5)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.testing.encryption import CONTENT_ENCRYPTIONS, KEY_ENCRYPTIONS
from cyberid_client.testing.jose import ALGORITHMS, PublicKey, decode_part, json_bytes, public_key_of
from cyberid_client.testing.wallet.certificates import Asker, recognise
from cyberid_client.testing.wallet.invitation import Invitation, is_safe_url
from cyberid_client.testing.wallet.refusal import WalletRefusal

__all__ = ["Asked", "ResponseKey", "fetch_request", "judge_request"]

_MEDIA_TYPE: Final = "application/oauth-authz-req+jwt"
# Who answers is a wallet that the app knows nothing about: OpenID4VP 1.0 §5.8.
_AUDIENCE: Final = "https://self-issued.me/v2"
_REQUEST_MAX: Final = 65_536
_NONCE_MIN: Final = 22
_ALGORITHMS: Final = frozenset({"ES256", "ES384", "PS256", "EdDSA"})
_OK: Final = 200
_ABILITIES: Final = {"vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"]}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseKey:
    """For whom the answer is encrypted, and how.

    Attributes:
        kid: its name.
        algorithm: the ``alg`` of the JWE.
        encryption: the ``enc`` of the JWE.
        public_key: the key.
    """

    kid: str
    algorithm: str
    encryption: str
    public_key: PublicKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that is believed.

    Attributes:
        asker: who asks, by the certificate.
        nonce: to be signed.
        state: to be sent back; ``None``: there is none.
        response_uri: where the answer goes.
        query: the DCQL query.
        response_key: for whom the answer is encrypted.
    """

    asker: Asker
    nonce: str = field(repr=False)
    state: str | None = field(repr=False)
    response_uri: str
    query: dict[str, object] = field(repr=False)
    response_key: ResponseKey


def fetch_request(
    invitation: Invitation, send: Callable[[HTTPRequest], HTTPResponse]
) -> tuple[str, str | None]:
    """Return the request object and, when it was asked for by POST, the nonce that it must repeat.

    Raises:
        WalletRefusal: ``fetch``: there is none.
    """
    nonce = secrets.token_urlsafe(24) if invitation.method == "POST" else None
    headers, body = {"accept": _MEDIA_TYPE}, b""
    if nonce is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
        metadata = json_bytes(_ABILITIES).decode()
        body = urlencode({"wallet_metadata": metadata, "wallet_nonce": nonce}).encode()
    response = send(
        HTTPRequest(
            method=invitation.method,
            url=invitation.request_uri,
            headers=headers,
            body=body,
            max_bytes=_REQUEST_MAX,
            purpose="request_object",
        )
    )
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.error is not None or response.status != _OK or media_type != _MEDIA_TYPE:
        raise WalletRefusal("fetch")
    return response.body.decode("ascii", "replace"), nonce


def judge_request(
    token: str,
    *,
    invitation: Invitation,
    wallet_nonce: str | None,
    root: x509.Certificate,
    now: datetime,
) -> Asked:
    """Return the request if every rule holds; the certificate first, which says who asks.

    Args:
        token: untrusted compact JWS.
        invitation: what led to it.
        wallet_nonce: that it must repeat.
        root: pinned.
        now: aware.

    Raises:
        WalletRefusal: its rule is the one that does not hold.
    """
    header, claims, message, signature = _take_apart(token)
    _demand(header.get("typ") == "oauth-authz-req+jwt" and "crit" not in header, "type")
    asker = recognise(header.get("x5c"), root=root, now=now)
    _check_signature(header, asker.public_key, message, signature)
    named = {claims.get("client_id"), invitation.client_id}
    _demand(named == {asker.client_id}, "client_id")
    _demand(claims.get("iss", asker.client_id) == asker.client_id, "client_id")
    _demand(claims.get("aud") == _AUDIENCE, "audience")
    _demand(claims.get("response_type") == "vp_token", "response_type")
    _demand(claims.get("response_mode") == "direct_post.jwt", "response_mode")
    _demand("redirect_uri" not in claims, "response_mode")
    _demand(claims.get("wallet_nonce") == wallet_nonce, "wallet_nonce")
    _check_times(claims, now.timestamp())
    nonce, state, response_uri = claims.get("nonce"), claims.get("state"), claims.get("response_uri")
    _demand(isinstance(nonce, str) and len(nonce) >= _NONCE_MIN and nonce.isascii(), "nonce")
    _demand(state is None or isinstance(state, str), "state")
    _demand(is_safe_url(response_uri), "plain_http")
    _demand(urlsplit(str(response_uri)).hostname == asker.host, "response_uri")
    query = claims.get("dcql_query")
    if not isinstance(query, dict):
        raise WalletRefusal("query")
    return Asked(
        asker=asker,
        nonce=str(nonce),
        state=None if state is None else str(state),
        response_uri=str(response_uri),
        query=query,
        response_key=_response_key(claims.get("client_metadata")),
    )


def _demand(holds: bool, rule: str) -> None:  # noqa: FBT001 - what is demanded
    if not holds:
        raise WalletRefusal(rule)


def _take_apart(token: str) -> tuple[dict[str, object], dict[str, object], bytes, bytes]:
    try:
        first, second, third = token.split(".")
        header, claims = (json.loads(decode_part(part)) for part in (first, second))
        signature = decode_part(third)
    except (ValueError, RecursionError):
        raise WalletRefusal("malformed") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise WalletRefusal("malformed")
    return header, claims, f"{first}.{second}".encode(), signature


def _check_signature(header: dict[str, object], key: PublicKey, message: bytes, signature: bytes) -> None:
    algorithm = header.get("alg")
    _demand(algorithm in _ALGORITHMS, "algorithm")
    try:
        ALGORITHMS[str(algorithm)].verify(key, signature, message)
    except (InvalidSignature, TypeError, ValueError):
        raise WalletRefusal("signature") from None


def _check_times(claims: dict[str, object], seconds: float) -> None:
    exp = claims.get("exp")
    _demand(isinstance(exp, int | float) and not isinstance(exp, bool) and seconds < exp, "expired")


def _response_key(metadata: object) -> ResponseKey:
    """Return the first key that the wallet can encrypt for (OpenID4VP 1.0 §8.3)."""
    members = metadata if isinstance(metadata, dict) else {}
    offered = members.get("encrypted_response_enc_values_supported", ["A128GCM"])
    possible = [each for each in offered if each in CONTENT_ENCRYPTIONS] if isinstance(offered, list) else []
    jwks = members.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for jwk in keys if isinstance(keys, list) else []:
        fits = isinstance(jwk, dict) and jwk.get("alg") in KEY_ENCRYPTIONS and isinstance(jwk.get("kid"), str)
        if fits and jwk.get("use", "enc") == "enc" and possible:
            try:
                key = public_key_of(jwk)
            except ValueError:
                continue
            return ResponseKey(kid=jwk["kid"], algorithm=jwk["alg"], encryption=possible[0], public_key=key)
    raise WalletRefusal("encryption")
