"""The words of the demo: what was asked, signed, checked and stored, for a newcomer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import click

from cyberid_client.handshake import checklists
from cyberid_client.testing.drafts import Sizes

__all__ = [
    "DOCUMENTS",
    "say",
    "say_checks",
    "say_claims",
    "say_pairs",
    "say_request",
    "say_sizes",
    "say_step",
]

_WIDTH: Final = 96
_SHOWN: Final = 6

# Name → what it is for. What is secret or personal is printed shortened.
_ASKED: Final[Mapping[str, str]] = {
    "client_id": "who asks",
    "response_type": "a one-time code comes back",
    "redirect_uri": "where the browser comes back to",
    "scope": "a login, and nothing about the person",
    "acr_values": "asks for network certificate and password (R02)",
    "max_age": "how fresh the proof must be, in seconds",
    "state": "ties the answer to this browser",
    "nonce": "ties the signed statement to this login",
    "code_challenge": "makes a stolen code worthless",
    "code_challenge_method": "SHA-256",
    "client_assertion": "proves who asks, with the app's own key",
    "client_assertion_type": "a signed JWT, no shared password",
}
_SIGNED: Final[Mapping[str, str]] = {
    "iss": "who vouches",
    "sub": "the pseudonym: this person, in this sector only",
    "aud": "for whom the statement is",
    "exp": "good until",
    "iat": "issued at",
    "auth_time": "when the person proved it",
    "nonce": "the one that was asked with",
    "acr": "the mode that was reached",
    "amr": "the factors that passed",
    "at_hash": "ties the statement to the access token beside it",
    "sector": "the pseudonym's sector",
    "persistence": "A: the pseudonym stays for life",
    "sid": "the issuer's name for this session",
    "age_band": "only if asked for",
}
_SECRET: Final = frozenset({"state", "nonce", "code_challenge", "client_assertion", "sub", "sid", "at_hash"})
_TIMES: Final = frozenset({"exp", "iat", "auth_time"})

DOCUMENTS: Final = (
    ("Discovery page", checklists.DISCOVERY),
    ("Signed metadata", checklists.METADATA),
    ("Answer to the request", checklists.PAR_RESPONSE),
    ("What the browser brought back", checklists.AUTHORIZATION_RESPONSE),
    ("Token response", checklists.TOKEN_RESPONSE),
    ("Signed statement (ID token)", checklists.ID_TOKEN),
)


def say(text: str) -> None:
    """Print one paragraph."""
    indent = "  "
    click.echo(
        textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    )


def say_step(number: int, title: str) -> None:
    """Print the heading of a step."""
    click.echo()
    click.echo(click.style(f"{number}. {title}", bold=True))


def say_pairs(pairs: Iterable[tuple[str, str, str]]) -> None:
    """Print rows of name, value and meaning in columns."""
    rows = list(pairs)
    name_width = max((len(name) for name, _, _ in rows), default=0)
    value_width = max((len(value) for _, value, _ in rows), default=0)
    for name, value, meaning in rows:
        shown = click.style(name.ljust(name_width), fg="cyan")
        click.echo(f"    {shown}  {value.ljust(value_width)}  {meaning}".rstrip())


def say_request(asked: Mapping[str, str]) -> None:
    """Print the fields of a pushed request."""
    known = [name for name in _ASKED if name in asked]
    others = sorted(asked.keys() - _ASKED.keys())
    say_pairs((name, _shown(name, asked[name]), _ASKED.get(name, "")) for name in (*known, *others))


def say_claims(claims: Mapping[str, object]) -> None:
    """Print the claims of a signed statement."""
    say_pairs((name, _shown(name, value), _SIGNED.get(name, "")) for name, value in claims.items())


def say_sizes(sizes: Sizes) -> None:
    """Say what a signed statement was signed with, and how large that makes it."""
    say(
        f"Signed with {sizes.algorithm}: the signature has {sizes.signature:,} bytes, the {sizes.certificates} "
        f"certificates that lead to the root {sizes.chain:,}, the whole statement {sizes.token:,} characters."
    )


def say_checks() -> int:
    """Print every check of every document of this handshake; return how many there are."""
    for document, checks in DOCUMENTS:
        click.echo()
        click.echo(f"    {document}")
        for one in checks:
            indent = " " * 14
            law = textwrap.fill(one.law, _WIDTH, initial_indent="", subsequent_indent=indent)
            click.echo(f"      {click.style(one.number.ljust(6), fg='green')}  {law}")
    return sum(len(checks) for _, checks in DOCUMENTS)


def _shown(name: str, value: object) -> str:
    if name in _TIMES and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%H:%M:%S UTC")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if name in _SECRET:
        return f"{str(value)[:_SHOWN]}… ({len(str(value))} characters)"
    return str(value).removeprefix("urn:ietf:params:oauth:client-assertion-type:")
