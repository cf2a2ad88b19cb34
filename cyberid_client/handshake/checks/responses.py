"""The issuer's answers on the back channel: discovery page, pushed request, token response."""

from __future__ import annotations

import re
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import PageSubject, PARSubject, TokenSubject

__all__ = [
    "check_access_token",
    "check_discovery_issuer",
    "check_expires_in",
    "check_granted_scope",
    "check_id_token_present",
    "check_par_status",
    "check_request_uri",
    "check_request_uri_lifetime",
    "check_token_status",
    "check_token_type",
]

_VISIBLE: Final = re.compile(r"[!-~]+", re.ASCII)
MAX_REQUEST_URI: Final = 2048


@check(
    "A2",
    "The discovery page is that of the configured issuer.",
    clause="OIDC Discovery 1.0 §4.3; RFC 8414 §3.3",
    codes=["discovery.issuer"],
)
def check_discovery_issuer(subject: PageSubject) -> None:
    """Compare the page's ``issuer``; beside it only the signed metadata are read, if they are to be signed."""
    if subject.issuer != subject.rp.issuer:
        raise VerificationError("discovery.issuer")


@check(
    "E2.1a",
    "A pushed request was accepted with 201.",
    clause="RFC 9126 §2.2",
    codes=["par.status"],
)
def check_par_status(subject: PARSubject) -> None:
    """Compare the status."""
    if subject.status != 201:  # noqa: PLR2004 - the number of the clause
        raise VerificationError("par.status")


@check(
    "E2.1b",
    "The pushed request has a reference that can stand in a URL.",
    clause="RFC 9126 §2.2",
    codes=["par.request_uri"],
)
def check_request_uri(subject: PARSubject) -> None:
    """Refuse a ``request_uri`` that is absent, too long, or not of visible ASCII characters."""
    request_uri = subject.par.request_uri or ""
    if len(request_uri) > MAX_REQUEST_URI or not _VISIBLE.fullmatch(request_uri):
        raise VerificationError("par.request_uri")


@check(
    "E2.1c",
    "The reference lives for some time.",
    clause="RFC 9126 §2.2",
    codes=["par.expires_in"],
)
def check_request_uri_lifetime(subject: PARSubject) -> None:
    """Refuse an ``expires_in`` that is absent or not above zero."""
    expires_in = subject.par.expires_in
    if expires_in is None or expires_in <= 0:
        raise VerificationError("par.expires_in")


@check(
    "E2.3",
    "A token response that counts has status 200.",
    clause="RFC 6749 §5.1",
    codes=["token.status"],
)
def check_token_status(subject: TokenSubject) -> None:
    """Compare the status."""
    if subject.status != 200:  # noqa: PLR2004 - the number of the clause
        raise VerificationError("token.status")


@check(
    "E2.4a",
    "The token response has an access token, to which the assertion's hash refers.",
    clause="RFC 6749 §5.1, appendix A.12",
    codes=["token.access_token"],
)
def check_access_token(subject: TokenSubject) -> None:
    """Refuse an absent or empty ``access_token``, and one with characters outside visible ASCII."""
    access_token = subject.token.access_token
    if access_token is None or not _VISIBLE.fullmatch(access_token):
        raise VerificationError("token.access_token")


@check(
    "E2.4b",
    "The token is of the type that was asked for, in any case of letters.",
    clause="RFC 6749 §5.1; RFC 9449 §5; RFC 8705 §3",
    codes=["token.token_type"],
)
def check_token_type(subject: TokenSubject) -> None:
    """Compare ``token_type``: ``DPoP`` if that was asked for; bound to a certificate it is ``Bearer`` too."""
    asked = "dpop" if subject.rp.sender_constraint == "dpop" else "bearer"
    token_type = subject.token.token_type
    if token_type is None or token_type.lower() != asked:
        raise VerificationError("token.token_type")


@check(
    "E2.5",
    "The lifetime may be absent; if it is there, it is a number from 0 up.",
    clause="RFC 6749 §5.1",
    codes=["token.expires_in"],
)
def check_expires_in(subject: TokenSubject) -> None:
    """Compare ``expires_in``, of which nothing else depends."""
    expires_in = subject.token.expires_in
    if expires_in is not None and expires_in < 0:
        raise VerificationError("token.expires_in")


@check(
    "E2.7",
    "A scope that the issuer reduced still covers a login.",
    clause="RFC 6749 §3.3, §5.1",
    codes=["token.scope"],
)
def check_granted_scope(subject: TokenSubject) -> None:
    """Compare ``scope``: absent means as asked; ``openid`` must be in it."""
    scope = subject.token.scope
    if scope is not None and "openid" not in scope.split(" "):
        raise VerificationError("token.scope")


@check(
    "E2.6",
    "The token response carries an assertion.",
    clause="OIDC Core §3.1.3.3",
    codes=["token.id_token_missing"],
)
def check_id_token_present(subject: TokenSubject) -> None:
    """Refuse a response without ``id_token``."""
    if not subject.token.id_token:
        raise VerificationError("token.id_token_missing")
