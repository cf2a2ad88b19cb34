"""Signed request objects: RFC 9101, RFC 9126 §3 and FAPI 2.0 Message Signing §5.3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cyberid_client.testing.compact import Members, number_of, open_jws
from cyberid_client.testing.refusal import Refusal, invalid_request
from cyberid_client.testing.registration import RegisteredClient, key_for

__all__ = ["open_request"]

_LIFE: Final = 3_600
_CLOCK_LEEWAY: Final = 10
_AUTHENTICATION: Final = frozenset({"client_id", "client_assertion", "client_assertion_type"})
# What belongs to the object itself and is no parameter of the request.
_ENVELOPE: Final = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})


def open_request(
    form: Mapping[str, str], client: RegisteredClient, *, issuer: str, seconds: float, is_demanded: bool
) -> dict[str, str]:
    """Return the parameters of a pushed request, whether they stand in the body or in a signed object.

    Args:
        form: the body, untrusted.
        client: who authenticated.
        issuer: what ``aud`` must equal, as one plain string.
        seconds: the issuer's time.
        is_demanded: whether this issuer takes nothing but signed objects.

    Raises:
        Refusal: with the broken rule.
    """
    is_expected = is_demanded or client.request_object == "signed"
    if "request" not in form:
        if is_expected:
            raise invalid_request("the request must be a signed object")
        return dict(form)
    if not is_expected:
        raise Refusal("request_not_supported", "this client did not register for request objects")
    if set(form) - _AUTHENTICATION - {"request"}:
        raise invalid_request("beside a request object stands the client's authentication and nothing else")
    claims = open_jws(
        form["request"],
        types=frozenset({"oauth-authz-req+jwt"}),
        key_of=lambda header: key_for(client, header, _refuse),
        refuse=_refuse,
    )
    _check_envelope(claims, client.client_id, issuer, seconds)
    inside = {name: value for name, value in claims.items() if name not in _ENVELOPE}
    if not all(isinstance(value, str) or type(value) is int for value in inside.values()):
        raise _refuse("a parameter is neither a text nor a whole number")
    authentication = {name: value for name, value in form.items() if name in _AUTHENTICATION}
    return {**authentication, **{name: str(value) for name, value in inside.items()}}


def _refuse(reason: str) -> Refusal:
    return Refusal("invalid_request_object", f"request object: {reason}")


def _check_envelope(claims: Members, client_id: str, issuer: str, seconds: float) -> None:
    begins, ends = number_of(claims.get("nbf")), number_of(claims.get("exp"))
    if claims.get("iss") != client_id or claims.get("client_id") != client_id:
        raise _refuse("iss and client_id must both be the client's name")
    if claims.get("aud") != issuer:
        raise _refuse("aud must be the issuer identifier as one plain string")
    if begins is None or not seconds - _LIFE <= begins <= seconds + _CLOCK_LEEWAY:
        raise _refuse("nbf must be a number, past, and less than an hour ago")
    if ends is None or not seconds < ends <= begins + _LIFE:
        raise _refuse("exp must be a number, in the future and at most an hour after nbf")
    # A client assertion has a sub; an object without one can never be taken for it (RFC 9101 §10.8).
    if "sub" in claims:
        raise _refuse("sub must not stand there")
    if "request" in claims or "request_uri" in claims:
        raise _refuse("request and request_uri must not stand inside")
