"""Faults of the back channel: key set, answer to PAR, token response, and the way there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import Page
from cyberid_client.testing.faults.making import Change, fault, put_member

__all__ = ["JWKS_FAULTS", "PAR_FAULTS", "TOKEN_FAULTS", "TRANSPORT_FAULTS"]

_ENDPOINTS: Final = ("discovery", "jwks", "par", "token")


def _text(page: Page) -> None:
    page.headers["content-type"] = "text/plain"


def _first_member_twice(page: Page) -> None:
    first = next(iter(page.document))
    page.body = f'{{"{first}":"",'.encode() + page.encode()[1:]


def _trailing(page: Page) -> None:
    page.body = page.encode() + b"{}"


def _without(name: str) -> Change:
    def change(page: Page) -> None:
        del page.document[name]

    return change


def _status(status: int) -> Change:
    def change(page: Page) -> None:
        page.status = status

    return change


def _error(status: int, error: str) -> Change:
    """Answer with an OAuth error instead."""

    def change(page: Page) -> None:
        page.status, page.document = status, {"error": error}

    return change


def _list_of_keys_first(*entries: Mapping[str, object]) -> Change:
    """Put entries in front of the honest ones."""

    def change(page: Page) -> None:
        honest = page.document["keys"]
        page.document["keys"] = [*entries, *(honest if isinstance(honest, list) else ())]

    return change


def _make(stage: str) -> tuple[Fault, ...]:
    """Return the faults that every JSON answer can have."""
    return (
        fault(
            f"{stage}.content_type",
            "E2.3",
            "An answer that is not served as JSON is refused.",
            stage=stage,
            code=f"{stage}.content_type",
            change=_text,
        ),
        fault(
            f"{stage}.member_twice",
            "E2.3",
            "An answer with a duplicate member is refused.",
            stage=stage,
            code=f"{stage}.malformed",
            change=_first_member_twice,
        ),
        fault(
            f"{stage}.trailing_data",
            "E2.3",
            "An answer with something behind it is refused.",
            stage=stage,
            code=f"{stage}.malformed",
            change=_trailing,
        ),
    )


def _jwks(name: str, number: str, law: str, code: str, change: Change) -> Fault:
    return fault(f"jwks.{name}", number, law, stage="jwks", code=code, change=change)


JWKS_FAULTS: Final = (
    *_make("jwks"),
    _jwks(
        "too_large",
        "E2.3",
        "A key set above 256 KiB is refused.",
        "jwks.too_large",
        put_member("padding", "x" * 270_000),
    ),
    _jwks("keys_no_list", "E2.3", "Keys are a list.", "jwks.malformed", put_member("keys", {})),
    _jwks(
        "too_many_keys",
        "E4.1",
        "A key set of more than a hundred keys is refused.",
        "jwks.too_many_keys",
        _list_of_keys_first(*[{"kty": "unheard-of"}] * 100),
    ),
    _jwks(
        "private_key",
        "E4.2",
        "A key set that publishes a private key is refused whole.",
        "jwks.private_key",
        _list_of_keys_first({"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "d": "A" * 43}),
    ),
)


def _par(name: str, number: str, law: str, code: str, change: Change) -> Fault:
    return fault(f"par.{name}", number, law, stage="par", code=code, change=change)


PAR_FAULTS: Final = (
    *_make("par"),
    _par(
        "too_large",
        "E2.3",
        "An answer above 16 KiB is refused.",
        "par.too_large",
        put_member("padding", "x" * 20_000),
    ),
    _par("status_200", "E2.1a", "A pushed request is answered with 201.", "par.status", _status(200)),
    _par(
        "request_uri_missing",
        "E2.1b",
        "An answer without request_uri is refused.",
        "par.request_uri",
        _without("request_uri"),
    ),
    _par(
        "request_uri_empty",
        "E2.1b",
        "An empty request_uri is none.",
        "par.request_uri",
        put_member("request_uri", ""),
    ),
    _par(
        "request_uri_no_text",
        "E2.1b",
        "A request_uri is a text.",
        "par.request_uri",
        put_member("request_uri", ["urn:example:1"]),
    ),
    _par(
        "expires_in_missing",
        "E2.1c",
        "A reference without lifetime is refused.",
        "par.expires_in",
        _without("expires_in"),
    ),
    _par(
        "expires_in_zero",
        "E2.1c",
        "A reference that lives for no time is refused.",
        "par.expires_in",
        put_member("expires_in", 0),
    ),
    _par(
        "expires_in_text",
        "E2.1c",
        "A lifetime is a number.",
        "par.expires_in",
        put_member("expires_in", "90"),
    ),
    _par(
        "client_refused",
        "E2.8",
        "A client that is not believed is the operator's to fix, and is not tried again.",
        "par.client_refused",
        _error(401, "invalid_client"),
    ),
    _par(
        "request_refused",
        "E2.8",
        "A request that the issuer refuses is the operator's to fix.",
        "par.request_refused",
        _error(400, "invalid_request"),
    ),
)


def _token(name: str, number: str, law: str, code: str, change: Change) -> Fault:
    return fault(name, number, law, stage="token", code=code, change=change)


TOKEN_FAULTS: Final = (
    *_make("token"),
    _token(
        "token.too_large",
        "E2.3",
        "A token response above 128 KiB is refused.",
        "token.too_large",
        put_member("padding", "x" * 140_000),
    ),
    _token("token.status_201", "E2.3", "A token response has status 200.", "token.status", _status(201)),
    _token(
        "token.access_token_missing",
        "E2.4a",
        "A response without access token is refused.",
        "token.access_token",
        _without("access_token"),
    ),
    _token(
        "token.access_token_empty",
        "E2.4a",
        "An empty access token is none.",
        "token.access_token",
        put_member("access_token", ""),
    ),
    _token(
        "token.token_type_missing",
        "E2.4b",
        "A response without token type is refused.",
        "token.token_type",
        _without("token_type"),
    ),
    _token(
        "token.token_type_other",
        "E2.4b",
        "A token of another type than asked for is refused.",
        "token.token_type",
        put_member("token_type", "DPoP"),
    ),
    _token(
        "token.expires_in_text",
        "E2.5",
        "A lifetime is a number, never a text.",
        "token.expires_in",
        put_member("expires_in", "300"),
    ),
    _token(
        "token.expires_in_negative",
        "E2.5",
        "A lifetime is not below zero.",
        "token.expires_in",
        put_member("expires_in", -1),
    ),
    _token(
        "token.scope_without_openid",
        "E2.7",
        "A grant that is no login is refused.",
        "token.scope",
        put_member("scope", "age_band"),
    ),
    _token(
        "token.id_token_missing",
        "E2.6",
        "A response without assertion is refused.",
        "token.id_token_missing",
        _without("id_token"),
    ),
    _token(
        "token.client_refused",
        "E2.8",
        "A client that is not believed is the operator's to fix, and is not tried again.",
        "token.client_refused",
        _error(401, "invalid_client"),
    ),
    _token(
        "login.code_refused",
        "E2.8",
        "A code that the issuer does not take any more means: start again.",
        "login.code_refused",
        _error(400, "invalid_grant"),
    ),
)


def _quirk(name: str) -> Change:
    def change(page: Page) -> None:
        page.quirk = name

    return change


def _redirect(page: Page) -> None:
    page.status = 307
    page.headers["location"] = f"{page.keyring.issuer}/unsigned/elsewhere"


def _foreign_coding(page: Page) -> None:
    page.headers["content-encoding"] = "x-unheard-of"


def _transport(stage: str) -> tuple[Fault, ...]:
    rows: tuple[tuple[str, str, str, Change, str | None], ...] = (
        ("redirect", "A redirect is never followed.", "transport.redirect", _redirect, None),
        (
            "too_large",
            "An endless answer is cut off.",
            "transport.too_large",
            put_member("padding", "x" * 400_000),
            None,
        ),
        ("slow", "An answer that does not come is given up.", "transport.timeout", _quirk("slow"), None),
        ("drip", "An answer that drips is given up.", "transport.timeout", _quirk("drip"), None),
        ("cut", "Half an answer is none.", "transport.connection", _quirk("cut"), None),
        ("coding", "A coding not asked for is refused.", "transport.content_coding", _foreign_coding, None),
        ("tls", "A server that cannot be proved is not asked.", "transport.tls", _quirk("tls"), "in_process"),
    )
    return tuple(
        fault(f"transport.{name}_{stage}", "E2.2", law, stage=stage, code=code, change=change, needs=needs)
        for name, law, code, change, needs in rows
    )


def _unavailable(stage: str) -> tuple[Fault, ...]:
    law = "An issuer that cannot answer now is unavailable; never a login."
    return tuple(
        fault(
            f"issuer.{name}_{stage}",
            "E2.8",
            law,
            stage=stage,
            code="issuer.unavailable",
            change=_error(status, error),
        )
        for name, status, error in (
            ("unavailable", 503, "temporarily_unavailable"),
            ("overloaded", 429, "slow_down"),
        )
    )


TRANSPORT_FAULTS: Final = (
    *(each for stage in _ENDPOINTS for each in (*_transport(stage), *_unavailable(stage))),
    *(
        fault(
            f"issuer.not_found_{stage}",
            "E2.8",
            "A status that says nothing about the login is no answer.",
            stage=stage,
            code="issuer.status",
            change=_error(404, "not_found"),
        )
        for stage in ("discovery", "jwks")
    ),
)
