"""The clients, and how strictly their authentication is judged (RFC 7523, RFC 8705, FAPI 2.0 §5.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from cyberid_client.testing.compact import number_of, open_jws
from cyberid_client.testing.refusal import Refusal, invalid_client
from cyberid_client.testing.registration import (
    RegisteredApp,
    RegisteredClient,
    is_web_origin,
    is_web_url,
    key_for,
    make_client,
    origin_of,
)
from cyberid_client.testing.tls import judge_certificate

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
_MIN_JTI: Final = 16
# So many identifiers more than are valid are remembered before the old ones are looked for.
_SEEN_SLACK: Final = 64
_ASSERTION_TYPES: Final = frozenset({"", "JWT", "client-authentication+jwt"})


class ClientDesk:
    """Know the clients, and authenticate them as they registered, with no leniency."""

    def __init__(self) -> None:
        self._clients: dict[str, RegisteredClient] = {}
        self._seen: dict[str, float] = {}
        self._forget_at = _SEEN_SLACK

    def add(self, client: RegisteredClient) -> None:
        """Register a client, in place of one with the same name."""
        self._clients[client.client_id] = client

    def find(self, client_id: str | None) -> RegisteredClient | None:
        """Return the client of this name, if there is one."""
        return None if client_id is None else self._clients.get(client_id)

    def find_app(self, org_id: object, app_id: object) -> tuple[RegisteredClient, RegisteredApp] | None:
        """Return the app that an institution registered under this id, and whose it is."""
        for client in self._clients.values():
            for app in client.apps.values():
                if (client.org_id, app.app_id) == (org_id, app_id):
                    return client, app
        return None

    def authenticate(
        self,
        form: Mapping[str, str],
        *,
        issuer: str,
        now: datetime,
        endpoint: str = "par",
        at_alias: bool = False,
        certificate: str | None = None,
    ) -> RegisteredClient:
        """Return the client that asks.

        Args:
            form: the parameters, untrusted.
            issuer: what ``aud`` must equal, as one plain string.
            now: the issuer's time.
            endpoint: ``par`` or ``token``.
            at_alias: whether the request came to the endpoint's alias for certificates.
            certificate: the SHA-256 of the certificate that TLS proved, in hex.

        Raises:
            Refusal: ``invalid_client`` or ``invalid_request``, with the broken rule.
        """
        client = self.find(form.get("client_id"))
        if client is None:
            raise invalid_client("client_id is absent or not registered")
        if "client_secret" in form:
            raise invalid_client("client secrets are not used here")
        if client.client_authentication == "private_key_jwt":
            self._check_assertion(form, client, issuer, now.timestamp())
        elif "client_assertion" in form or "client_assertion_type" in form:
            raise invalid_client("a client that shows a certificate sends no assertion")
        judge_certificate(client, certificate, endpoint=endpoint, at_alias=at_alias)
        return client

    def _check_assertion(
        self, form: Mapping[str, str], client: RegisteredClient, issuer: str, seconds: float
    ) -> None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise invalid_client("client_assertion_type must be jwt-bearer")
        claims = open_jws(
            form.get("client_assertion", ""),
            types=_ASSERTION_TYPES,
            key_of=lambda header: key_for(client, header, invalid_client),
            refuse=invalid_client,
        )
        for rule, reason in _RULES:
            if not rule(claims, client.client_id, issuer, seconds):
                raise invalid_client(reason)
        self.use_once(str(claims["jti"]), float(str(claims["exp"])), seconds)

    def use_once(self, jti: str, expires: float, seconds: float) -> None:
        """Use up the identifier of a message that a client signed.

        Raises:
            Refusal: ``invalid_client``: it was used before.
        """
        if self._seen.get(jti, seconds) > seconds:
            raise invalid_client("jti was used before")
        self._seen[jti] = expires
        if len(self._seen) > self._forget_at:
            self._seen = {old: end for old, end in self._seen.items() if end > seconds}
            self._forget_at = 2 * len(self._seen) + _SEEN_SLACK


def _names_the_client(claims: dict[str, object], client_id: str, _issuer: str, _now: float) -> bool:
    return claims.get("iss") == client_id and claims.get("sub") == client_id


def _names_the_issuer(claims: dict[str, object], _client_id: str, issuer: str, _now: float) -> bool:
    return claims.get("aud") == issuer


def _issued_now(claims: dict[str, object], _client_id: str, _issuer: str, now: float) -> bool:
    issued = number_of(claims.get("iat"))
    return issued is not None and now - _ASSERTION_LIFE <= issued <= now + _CLOCK_LEEWAY


def _short_lived(claims: dict[str, object], _client_id: str, _issuer: str, now: float) -> bool:
    issued, expires = number_of(claims.get("iat")), number_of(claims.get("exp"))
    return issued is not None and expires is not None and now < expires <= issued + _ASSERTION_LIFE


def _valid_already(claims: dict[str, object], _client_id: str, _issuer: str, now: float) -> bool:
    start = number_of(claims.get("nbf", 0))
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
