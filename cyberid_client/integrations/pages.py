"""The pages that a person sees when a login does not go straight through: plain HTML that needs no script.

Words and style are package data. One page has a script of this origin, which saves the person a look: it asks
whether the wallet has answered. A page says what kind of thing happened, what one can do now, and the
reference that also stands in the log; it never says more about the reason, and nothing that arrived from
outside is shown.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from cyberid_client.integrations.languages import choose_language
from cyberid_client.integrations.messages import WebReply

__all__ = ["PAGES", "Texts", "Way", "load_texts", "page", "words_of"]

# Kind of page → HTTP status.
PAGES: Final[Mapping[str, int]] = {
    "start": 200,
    "declined": 403,
    "restart": 400,
    "in_app": 400,
    "refused": 403,
    "unavailable": 503,
    "setup": 500,
    "step_up": 403,
    "foreign_form": 403,
    # A wallet.
    "start_ways": 200,
    "scan": 200,
    "digits_wrong": 403,
    "not_answered": 409,
    "digits_used_up": 400,
    "code": 200,
    "code_over": 400,
    "code_declined": 403,
    # How an app launch ended; the app on the phone shows the words.
    "not_installed": 403,
    "cancelled": 403,
    "timed_out": 403,
    "factor_failed": 403,
    "frozen": 403,
    "cancelled_id": 403,
    "expired": 403,
    "device_changed": 403,
    "busy": 503,
}
# Pages with forms, whose own address has nothing to hide: older browsers say only so where a form comes from.
_SAYS_WHERE: Final = frozenset({"start", "start_ways", "scan", "digits_wrong", "not_answered"})
_PACKAGE: Final = "cyberid_client.integrations.texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The words of one language.

    Attributes:
        language: for the ``lang`` attribute.
        reference: what stands before the reference.
        note: what the reference is good for.
        ways: the words of links and buttons.
        wallet: the words around QR code and digits.
        pages: title and text of each kind of page.
    """

    language: str
    reference: str
    note: str
    ways: Mapping[str, str]
    wallet: Mapping[str, str]
    pages: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way on: a link, or a button of a form when there are fields to post.

    Attributes:
        words: a key of ``Texts.ways``.
        target: a path of this origin.
        fields: what is posted; ``None`` for a link.
    """

    words: str
    target: str
    fields: Mapping[str, str] | None = None


@cache
def load_texts(language: str) -> Texts:
    """Return the words of a language of ``languages.LANGUAGES``."""
    with files(_PACKAGE).joinpath(f"{language}.toml").open("rb") as file:
        return Texts(**tomllib.load(file))


def words_of(kind: str, accept_language: str | None) -> Mapping[str, str]:
    """Return ``title`` and ``text`` of a kind of page, for a program that shows them itself."""
    return load_texts(choose_language(accept_language)).pages[kind]


def page(
    kind: str,
    *,
    accept_language: str | None,
    ways: tuple[Way, ...],
    app_name: str = "",
    reference: str | None = None,
    inside: str = "",
    script: str | None = None,
) -> WebReply:
    """Return a page.

    Args:
        kind: a key of :data:`PAGES`.
        accept_language: the header, untrusted.
        ways: where one can go from here, the best one first.
        app_name: stands above the title.
        reference: of the error that led here.
        inside: HTML that stands below the text.
        script: the path of this origin of what the page runs; ``None``: nothing.
    """
    texts = load_texts(choose_language(accept_language))
    parts = _parts(texts, kind, ways=ways, reference=reference, inside=inside)
    body = _document(texts, kind, parts, app_name=app_name, script=script)
    headers = _headers(kind, texts.language, runs=script is not None)
    return WebReply(status=PAGES[kind], headers=headers, body=body)


@cache
def _style() -> tuple[str, str]:
    """Return the style and the source expression that allows it and no other."""
    with files(_PACKAGE).joinpath("page.css").open("rb") as file:
        style = file.read()
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    return style.decode(), f"'sha256-{digest}'"


def _headers(kind: str, language: str, *, runs: bool) -> tuple[tuple[str, str], ...]:
    # No form-action: browsers apply it to the redirect that follows the form as well, and the issuer's
    # page may stand on any host. A page at the callback's URL must not send that URL on; the page
    # with the button has nothing to hide, and older browsers say only so where the form comes from.
    policy = f"default-src 'none'; style-src {_style()[1]}; base-uri 'none'; frame-ancestors 'none'"
    if runs:
        policy += "; script-src 'self'; connect-src 'self'"
    return (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Language", language),
        ("Content-Security-Policy", policy),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "same-origin" if kind in _SAYS_WHERE else "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    )


def _parts(
    texts: Texts, kind: str, *, ways: tuple[Way, ...], reference: str | None, inside: str
) -> list[str]:
    words = texts.pages[kind]
    parts = [f"<h1>{escape(words['title'])}</h1>\n<p>{escape(words['text'])}</p>"]
    if inside:
        parts.append(inside)
    if ways:
        # What stands above may have a button of its own, which is the way on.
        on = "\n".join(_way(way, texts, is_first=way is ways[0] and not inside) for way in ways)
        parts.append(f'<div class="ways">\n{on}\n</div>')
    if reference is not None:
        code = f"<code>{escape(reference)}</code>"
        parts.append(f'<p class="reference">{texts.reference}{code}<br>{texts.note}</p>')
    return parts


def _document(texts: Texts, kind: str, parts: list[str], *, app_name: str, script: str | None) -> bytes:
    name = escape(app_name)
    above = f'<p class="app">{name}</p>\n' if name else ""
    title = escape(texts.pages[kind]["title"]) + (f" · {name}" if name else "")
    runs = "" if script is None else f'<script src="{escape(script)}" defer></script>\n'
    body = above + "\n".join(parts)
    return f"""<!doctype html>
<html lang="{texts.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_style()[0]}</style>
{runs}</head>
<body>
<main>
{body}
</main>
</body>
</html>
""".encode()


def _way(way: Way, texts: Texts, *, is_first: bool) -> str:
    words, target = escape(texts.ways[way.words]), escape(way.target)
    if way.fields is None:
        return f'<a{" class=button" if is_first else ""} href="{target}">{words}</a>'
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in way.fields.items()
    )
    return f'<form method="post" action="{target}">{fields}<button>{words}</button></form>'
