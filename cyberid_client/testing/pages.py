"""The issuer's two pages for people: choose somebody and agree, or read why it goes no further."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final

from cyberid_client.testing.clients import origin_of
from cyberid_client.testing.people import FACTORS_OF_MODE, Person
from cyberid_client.testing.pushed import PushedRequest

__all__ = [
    "document",
    "end_session_page",
    "error_page",
    "page_headers",
    "people_page",
    "person_choice",
    "session_ended_page",
    "session_kept_page",
]

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#17212b;--paper:#f4f6f8;--card:#fff;--line:#c9d2da;--key:#0b5c8a;--soft:#52606d}
@media(prefers-color-scheme:dark){:root{--ink:#eef2f5;--paper:#10161c;--card:#1a232c;--line:#3b4a57;--key:#7cc4ee;--soft:#a9b7c3}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif}
main{max-width:34rem;margin:0 auto;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem}
h1{font-size:1.375rem;margin:0 0 .5rem}
p{margin:.5rem 0}
.mark{display:inline-block;border:1px solid var(--line);border-radius:1rem;padding:0 .6rem;font-size:.875rem;color:var(--soft)}
fieldset{border:0;padding:0;margin:1.25rem 0 0}
legend{font-weight:600;padding:0;margin-bottom:.25rem}
label{display:flex;gap:.75rem;align-items:center;min-height:3rem;padding:.4rem .6rem;border:1px solid var(--line);border-radius:.5rem;margin:.4rem 0;cursor:pointer}
label:focus-within{outline:3px solid var(--key);outline-offset:1px}
input{width:1.25rem;height:1.25rem;flex:none;accent-color:var(--key)}
small{display:block;color:var(--soft)}
.do{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.25rem}
button{flex:1 1 9rem;min-height:3rem;border-radius:.5rem;border:2px solid var(--key);font:inherit;font-weight:600;cursor:pointer;background:var(--card);color:var(--key)}
button[value=allow],button[value=end]{background:var(--key);color:var(--card)}
button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
code{overflow-wrap:anywhere}
.desk{display:none;margin-top:1.5rem;border-top:1px solid var(--line)}
.qr{display:block;width:12rem;height:auto}
@media(min-width:48rem){.desk{display:block}}
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_FACTOR_TEXTS: Final = (
    ("password", "Password", "the eight digits"),
    ("face", "Face", "a look at the camera"),
)
_AGES: Final = {"under_14": "under 14", "14_17": "14 to 17", "adult": "adult"}


def page_headers(redirect_uri: str | None = None) -> dict[str, str]:
    """Return the headers of a page; the form may lead to the issuer and on to ``redirect_uri``.

    Browsers apply ``form-action`` to the redirect after a form as well, hence the app's origin in it.
    """
    targets = "'self'" if redirect_uri is None else f"'self' {origin_of(redirect_uri)}"
    return {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "content-security-policy": (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {targets};"
            " base-uri 'none'; frame-ancestors 'none'"
        ),
    }


def people_page(
    *, request: PushedRequest, interaction: str, people: Mapping[str, Person], chosen: str, action: str
) -> bytes:
    """Return the page on which one chooses a made-up person, ticks factors, and agrees or not.

    The form posts ``interaction``, ``person``, optionally ``password`` and ``face`` (``yes``), and
    ``decision`` (``allow`` or ``deny``).
    """
    asked = FACTORS_OF_MODE[request.mode]
    learns = "a pseudonym that only this app gets, and which factors you showed"
    if "age_band" in request.scopes:
        learns = "a pseudonym that only this app gets, which factors you showed, and your age band"
    persons = "".join(person_choice(person, checked=person.key == chosen) for person in people.values())
    factors = "".join(_tick(name, title, note, checked=name in asked) for name, title, note in _FACTOR_TEXTS)
    return document(
        "Log in with your network identity",
        f"""<p class="mark">Mock issuer: everybody here is made up</p>
<h1>Log in to {escape(request.client.client_id)}</h1>
<p>The app learns {learns}. It learns no name and no number.</p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="interaction" value="{escape(interaction)}">
<fieldset><legend>Who are you today?</legend>{persons}</fieldset>
<fieldset><legend>What do you show, beside the network certificate?</legend>{factors}</fieldset>
<div class="do"><button name="decision" value="allow">Agree and go on</button>
<button name="decision" value="deny">No, go back</button></div>
</form>""",
    )


def error_page(reason: str) -> bytes:
    """Return a page that says why it goes no further; nothing is redirected from here."""
    return document(
        "This request cannot be answered",
        f"""<p class="mark">Mock issuer</p><h1>This request cannot be answered</h1>
<p><code>{escape(reason)}</code></p><p>Go back to the app and start the login again.</p>""",
    )


def end_session_page(*, client_id: str, interaction: str, action: str) -> bytes:
    """Return the page that asks whether to log out everywhere.

    The form posts ``interaction`` and ``decision`` (``end`` or ``keep``).
    """
    return document(
        "Log out of your network identity",
        f"""<p class="mark">Mock issuer: everybody here is made up</p>
<h1>Log out?</h1>
<p><code>{escape(client_id)}</code> asks whether you want to log out here too. Every app in which you logged in
with this browser is told.</p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="interaction" value="{escape(interaction)}">
<div class="do"><button name="decision" value="end">Log out everywhere</button>
<button name="decision" value="keep">Stay logged in</button></div>
</form>""",
    )


def session_ended_page() -> bytes:
    """Return the page that says that the person is logged out."""
    return document(
        "You are logged out",
        """<p class="mark">Mock issuer</p><h1>You are logged out</h1><p>You may close this page.</p>""",
    )


def session_kept_page() -> bytes:
    """Return the page that says that nothing has changed."""
    return document(
        "You are still logged in",
        """<p class="mark">Mock issuer</p><h1>You are still logged in</h1><p>Go back to the app.</p>""",
    )


def document(title: str, body: str) -> bytes:
    """Return a whole page in the style that the policy of :func:`page_headers` allows; ``body`` is HTML."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body><main>{body}</main></body></html>
""".encode()


def person_choice(person: Person, *, checked: bool) -> str:
    """Return the line by which one chooses somebody."""
    note = f"{_AGES[person.age_band]}, enrolled with a {person.document}"
    if person.guardian is not None:
        note += f"; {person.guardian}, guardian, agrees for the child"
    return (
        f'<label><input type="radio" name="person" value="{escape(person.key)}" required{_checked(checked)}>'
        f"<span>{escape(person.name)} <small>{escape(note)}</small></span></label>"
    )


def _tick(name: str, title: str, note: str, *, checked: bool) -> str:
    return (
        f'<label><input type="checkbox" name="{name}" value="yes"{_checked(checked)}>'
        f"<span>{escape(title)} <small>{escape(note)}</small></span></label>"
    )


def _checked(checked: bool) -> str:  # noqa: FBT001 - one word of HTML
    return " checked" if checked else ""
