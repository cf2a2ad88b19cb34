"""One scripted login against the mock issuer, with or without an app, told step by step."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from cyberid_client import (
    Client,
    ClientKey,
    CyberIDError,
    Login,
    PseudonymKeys,
    RelyingParty,
    TrustStore,
)
from cyberid_client.cli.app_process import AppProcess, free_port, run_app
from cyberid_client.cli.stored import Table, find_traces, read_tables
from cyberid_client.cli.story import (
    say,
    say_checks,
    say_claims,
    say_pairs,
    say_request,
    say_sizes,
    say_step,
)
from cyberid_client.testing import Browser, MockIssuer
from cyberid_client.testing.browser_pages import Page
from cyberid_client.trust import ALGORITHMS

__all__ = ["require_algorithm", "walk_alone", "walk_with_app"]

_CLIENT_ID: Final = "shop"
_PERSON: Final = "adult"
_LOGIN_FORM: Final = "id-login"
_ORDER_FORM: Final = "order"
_CHECKOUT: Final = "/checkout"
_CALLBACK: Final = "/id/callback"
_CELL: Final = 28
_WATCH_SECONDS: Final = 0.5


def require_algorithm(name: str) -> None:
    """Refuse an algorithm that nothing can be signed with here.

    Raises:
        ClickException: with the list of those that there are.
    """
    known = [row.name for row in ALGORITHMS.values() if row.is_available]
    if name not in known:
        problem = "is not available in this installation" if name in ALGORITHMS else "is no known algorithm"
        message = f"{name!r} {problem}; choose one of {', '.join(known)}."
        raise click.ClickException(message)


def walk_with_app(app: Path, *, serve: bool, algorithm: str = "ES256") -> None:
    """Start issuer and app, walk a login through both, and serve until Ctrl-C if asked to.

    Args:
        app: a folder with ``demo.py``.
        serve: keep both running after the walk.
        algorithm: what the issuer signs with.

    Raises:
        ClickException: something did not go as it must; with a sentence.
    """
    with (
        _one_sentence(),
        _ended_by_terminate(),
        tempfile.TemporaryDirectory(prefix="cyberid-demo-") as temporary,
        _issuer(algorithm) as issuer,
    ):
        port = free_port()
        callback = f"http://127.0.0.1:{port}{_CALLBACK}"
        client = issuer.register(
            client_id=_CLIENT_ID,
            redirect_uri=callback,
            post_logout_redirect_uris=(f"http://127.0.0.1:{port}/",),
        )
        with run_app(
            app,
            issuer=issuer,
            client=client,
            port=port,
            folder=Path(temporary),
        ) as running:
            _say_hello(issuer, app_url=running.url)
            _walk(issuer, running, sector=client.sector)
            if serve:
                _serve(running)


def walk_alone(*, algorithm: str = "ES256") -> None:
    """Walk a login with a client in this process and an issuer in this process; nothing listens.

    Args:
        algorithm: what the issuer signs with.

    Raises:
        ClickException: something did not go as it must; with a sentence.
    """
    with _one_sentence():
        issuer = MockIssuer(algorithm=algorithm)
        registered = issuer.register(client_id=_CLIENT_ID, redirect_uri="https://shop.example/callback")
        party = RelyingParty(
            issuer=issuer.issuer,
            client_id=registered.client_id,
            redirect_uri=registered.redirect_uri,
            key=ClientKey.from_pem(registered.key_pem),
            trust=TrustStore.for_tests(issuer.root_pem),
            algorithm=algorithm,
        )
        with Client(party, transport=issuer.transport()) as client:
            _say_hello(issuer, app_url=None)
            request = client.start_login(return_to="/orders")
            _say_asked(issuer, cookie=request.cookie_name)
            callback = issuer.authorize(request.url, person=_PERSON)
            _say_agreed(issuer)
            login = client.finish_login(callback, handle=request.handle)
        _say_signed(issuer)
        _say_checked()
        _say_login(login)
        say_step(6, "What the app never saw")
        _say_unseen(issuer)
        click.echo()


def _walk(issuer: MockIssuer, app: AppProcess, *, sector: str) -> None:
    browser = Browser()
    page = browser.submit(browser.open(f"{app.url}/login"), form=_LOGIN_FORM)
    _must_be_at(page, issuer.issuer)
    cookies = [
        name for hop in browser.history for name in hop.set_cookies if name.startswith("__Host-cyberid-")
    ]
    _say_asked(issuer, cookie=cookies[0] if cookies else None)
    page = browser.submit(page, {"person": _PERSON}, button="allow")
    _must_be_at(page, app.url)
    _say_agreed(issuer)
    _say_signed(issuer)
    _say_checked()
    say_step(5, "What the shop stored")
    say("All rows of its database, the person's account being one random id:")
    for table in read_tables(app.data):
        _say_table(table)
    say_step(6, "What the shop never saw")
    _say_unseen(issuer)
    _say_searched(issuer, app, browser, sector=sector)
    if any(form.id == _ORDER_FORM for form in page.forms):
        _walk_checkout(issuer, app, browser, page)


def _walk_checkout(issuer: MockIssuer, app: AppProcess, browser: Browser, page: Page) -> None:
    """Order something and pay: the app asks the person who is logged in to prove it again."""
    browser.submit(page, form=_ORDER_FORM)
    page = browser.open(f"{app.url}{_CHECKOUT}")
    _must_be_at(page, issuer.issuer)
    asked = issuer.asked
    page = browser.submit(page, {"person": _PERSON}, button="allow")
    _must_be_at(page, app.url)
    say_step(7, "What paying asked on top")
    say("A login that is good for looking around need not be good for paying. The checkout asked again:")
    say_pairs(
        (
            ("acr_values", asked["acr_values"], "certificate, password and face (R04)"),
            ("max_age", asked["max_age"], "proved now, not earlier"),
        )
    )
    say(
        "The same person agreed, and the session went on under a new id. Had it been somebody else, or had"
        " the person said no, the session would have stayed as it was, and nothing would have been paid."
    )
    click.echo()


def _must_be_at(page: Page, origin: str) -> None:
    """Refuse to go on with a story that did not happen."""
    if page.status != 200 or not page.url.startswith(f"{origin}/"):  # noqa: PLR2004 - HTTP's word for "fine"
        message = f"The walk ended at a page that says: {page.text[:200]}"
        raise click.ClickException(message)


def _say_hello(issuer: MockIssuer, *, app_url: str | None) -> None:
    click.echo(click.style("A login with a network identity, step by step", bold=True))
    say("Issuer and people are made up; keys, certificates and checks are real.")
    say(f"The issuer signs with {issuer.algorithm}, and the app believes no other algorithm.")
    if app_url is not None:
        click.echo()
        say_pairs((("Issuer", issuer.issuer, ""), ("Shop", app_url, "open this in a browser")))


def _say_asked(issuer: MockIssuer, *, cookie: str | None) -> None:
    say_step(1, "What the shop asked")
    say("Its backend asks the issuer directly, before the browser leaves (a pushed request, RFC 9126):")
    say_request(issuer.asked)
    say("The browser is sent to the issuer with the client id and a one-time reference, and nothing else.")
    if cookie is not None:
        say(f"It keeps the secret of this one login in a cookie of its own, {cookie[:20]}…")


def _say_agreed(issuer: MockIssuer) -> None:
    person = issuer.people[_PERSON]
    say_step(2, "What the person did")
    say(f"{person.name} (made up, enrolled with a {person.document}) chose to agree on the issuer's page.")
    say("The browser came back with a one-time code, which the backend changed for a signed statement.")


def _say_signed(issuer: MockIssuer) -> None:
    say_step(3, "What the issuer signed")
    say_claims(issuer.signed)
    sizes = issuer.signed_sizes
    if sizes is not None:
        say_sizes(sizes)


def _say_checked() -> None:
    say_step(4, "Which checks were made")
    say("A login exists only after the last of them; the first that fails ends it.")
    count = say_checks()
    click.echo()
    say(f"{count} checks; docs/checklist.md lists each with the clause that it comes from.")


def _say_login(login: Login) -> None:
    keys = PseudonymKeys({"k1": bytes(32)})
    say_step(5, "What the app gets, and may store")
    say_pairs(
        (
            ("pseudonym", repr(login.pseudonym), "never printed; ask for .digest(keys)"),
            ("digest", f"{str(login.pseudonym.digest(keys))[:12]}…", "a keyed hash: this is what you store"),
            ("assurance", login.assurance.name, "what the person proved"),
            ("factors", ", ".join(sorted(login.factors)), ""),
            ("authenticated_at", login.authenticated_at.strftime("%H:%M:%S UTC"), ""),
            ("return_to", login.return_to, "where the app wanted to go on"),
        )
    )


def _say_table(table: Table) -> None:
    click.echo()
    click.echo(f"    {click.style(table.name, fg='cyan')} ({', '.join(table.columns)})")
    for row in table.rows:
        cells = (cell if len(cell) <= _CELL else f"{cell[: _CELL - 1]}…" for cell in row)
        click.echo(f"      {'  '.join(cells)}")
    if not table.rows:
        click.echo("      no rows")


def _say_unseen(issuer: MockIssuer) -> None:
    person = issuer.people[_PERSON]
    say(f"The name ({person.name}), the document and its number, the birth date, the password, the face.")
    say("No claim carries them, and the login that the app gets has no place for them.")
    say("What the issuer saw: who logged in where and when. This handshake cannot hide that from it.")


def _say_searched(issuer: MockIssuer, app: AppProcess, browser: Browser, *, sector: str) -> None:
    """Look for what must not be there, in every file that the app wrote and in its log."""
    codes = [hop.url.partition("code=")[2] for hop in browser.history]
    values = {
        "the name": issuer.people[_PERSON].name,
        "the pseudonym": issuer.pseudonym(_PERSON, sector=sector),
        "the one-time code": next(code for code in codes if code).partition("&")[0],
    }
    found = find_traces(app.data.parent, values)
    if found:
        message = f"The app wrote down what it must not keep: {', '.join(found)}."
        raise click.ClickException(message)
    say(f"Looked for {', '.join(values)} in everything that the shop wrote, its log included: not there.")
    click.echo()


def _serve(app: AppProcess) -> None:
    try:
        click.echo(click.style(f"Now open {app.url} in a browser; Ctrl-C ends it.", bold=True))
        say(f"The shop's log: {app.log}")
        while app.process.poll() is None:
            time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        click.echo()
        return
    message = f"The app has ended by itself; its log is gone with it. Exit code: {app.process.returncode}"
    raise click.ClickException(message)


@contextmanager
def _issuer(algorithm: str) -> Iterator[MockIssuer]:
    issuer = MockIssuer(algorithm=algorithm)
    with issuer.serve():
        yield issuer


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Turn what may go wrong into a sentence and an exit code."""
    try:
        yield
    except CyberIDError as error:
        message = f"{error} (code {error.code})"
        raise click.ClickException(message) from None
    except OSError as error:
        message = f"The demo could not go on: {error.strerror or error}"
        raise click.ClickException(message) from None


@contextmanager
def _ended_by_terminate() -> Iterator[None]:
    """Let SIGTERM end the demo in order: the app is ended and the temporary folder removed."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
