"""A wallet presentation as the person sees it: the way to the wallet, the way back, and the six digits."""

from __future__ import annotations

from typing import Final, Literal

from cyberid_client.errors import CyberIDError, LoginRestartError, UnavailableError
from cyberid_client.handshake import cookies
from cyberid_client.integrations.desk import Desk
from cyberid_client.integrations.login_cookies import LoginCookie, drop_oldest, write_login_cookie
from cyberid_client.integrations.messages import WebReply, WebRequest, WebSession, redirect
from cyberid_client.integrations.sessions import Finished
from cyberid_client.integrations.site import RETURN_TO_MAX
from cyberid_client.integrations.steps import Steps, ask
from cyberid_client.integrations.wallet_pages import DigitsForm, code_part, scan_part
from cyberid_client.models import Login, PresentationRequest

__all__ = ["answer_wallet_code", "answer_wallet_finish", "answer_wallet_return", "answer_wallet_start"]

# After these the same presentation goes on, and so does the page.
_GOES_ON: Final = {
    "presentation.digits_wrong": "digits_wrong",
    "presentation.not_answered": "not_answered",
}


def answer_wallet_start(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Open the wallet of this device, or show a QR code for another one's."""
    del session
    fields = request.form
    asked = fields.get("return_to")
    if not desk.site.is_own(request):
        # A page of somebody else may lead here, but the person decides.
        return desk.site.start_page(request, desk.site.place(request, asked))
    device: Literal["same", "other"] = "other" if fields.get("device") == "other" else "same"
    try:
        started: PresentationRequest = yield ask(
            desk.client.start_presentation,
            device=device,
            # A short one is judged by the client, which refuses what leads away.
            return_to=asked if asked and len(asked) <= RETURN_TO_MAX else desk.site.place(request, None),
        )
        reply = _scan_page(desk, request, started) if device == "other" else redirect(started.uri)
    except CyberIDError as error:
        return desk.failed(error, request)
    fresh = write_login_cookie(started.set_cookie, now=desk.clock())
    return reply.with_cookies((*drop_oldest(request.cookies), fresh))


def answer_wallet_return(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Finish on the same device what the wallet answered; a page that is loaded again goes on."""
    code = request.parameters.get("response_code")
    if code is None:
        # A wallet that says no in the open has no code to send the browser back with.
        return desk.site.page("declined", request)
    return (yield from _finish(desk, request, session, code=code, answer={"response_code": code}))


def answer_wallet_finish(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Finish with the six digits what a wallet on another device answered."""
    if not desk.site.is_own(request):
        return desk.site.page("foreign_form", request)
    code, typed = request.form.get("status_handle", ""), request.form.get("typed_code", "")
    return (yield from _finish(desk, request, session, code=code, answer={"typed_code": typed}))


def answer_wallet_code(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Show the six digits on the wallet's device, which reads no cookie and begins no session."""
    del session
    code = request.parameters.get("response_code")
    if code is None:
        return desk.site.page("code_declined", request)
    try:
        digits: str = yield ask(desk.client.presentation_digits, code)
    except LoginRestartError as error:
        desk.note("code_over", error)
        return desk.site.page("code_over", request, reference=error.reference)
    except CyberIDError as error:
        return desk.failed(error, request)
    return desk.site.page("code", request, inside=code_part(digits))


def _finish(
    desk: Desk, request: WebRequest, session: WebSession, *, code: str, answer: dict[str, str]
) -> Steps[WebReply]:
    name = desk.client.presentation_cookie_name(code) or ""
    gone_on = Finished.of(session).place(name)
    if gone_on is not None:
        return redirect(gone_on)
    cookie = LoginCookie.read(request.cookies.get(name))
    try:
        login: Login = yield ask(desk.client.finish_presentation, handle=cookie.handle, **answer)
        yield from desk.admit(login, session, name=name)
    except CyberIDError as error:
        if error.code in _GOES_ON:
            return _digits_page(desk, request, error, status_handle=code)
        reply = desk.failed(error, request)
        # A store that cannot be reached gave nothing out: the same page, loaded again, may yet succeed.
        was_taken = name != "" and not isinstance(error, UnavailableError)
    else:
        reply, was_taken = redirect(login.return_to), name != ""
    return reply.with_cookies((cookies.clear_cookie(name),)) if was_taken else reply


def _scan_page(desk: Desk, request: WebRequest, started: PresentationRequest) -> WebReply:
    language = request.headers.get("accept-language")
    form = DigitsForm(
        target=desk.site.endpoint(request, "wallet_finish"), status_handle=started.status_handle or ""
    )
    status_place = desk.site.endpoint(request, "wallet_status")
    inside = scan_part(started, form, language, status_place=status_place)
    script = desk.site.endpoint(request, "wallet_script")
    return desk.site.page("scan", request, inside=inside, script=script)


def _digits_page(desk: Desk, request: WebRequest, error: CyberIDError, *, status_handle: str) -> WebReply:
    kind = _GOES_ON[error.code]
    desk.note(kind, error)
    form = DigitsForm(
        target=desk.site.endpoint(request, "wallet_finish"),
        status_handle=status_handle,
        wrong=DigitsForm.count_wrong(request.form) if kind == "digits_wrong" else 0,
    )
    inside = form.html(request.headers.get("accept-language"))
    return desk.site.page(kind, request, inside=inside, reference=error.reference)
