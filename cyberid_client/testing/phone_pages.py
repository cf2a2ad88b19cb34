"""The pages that play the ID app on a phone: choose what happens, and carry the answer back to the app."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from cyberid_client.testing.pages import document, person_choice
from cyberid_client.testing.people import PEOPLE

__all__ = ["launch_page", "result_page"]

# A code for more than this has modules too small for a phone's camera and a screen.
_QR_TEXT_MAX: Final = 512
# Outcome, in Chinese, in English; cancelling is a button.
_HAPPENINGS: Final = (
    ("success", "一切顺利", "All goes well"),
    ("factor_failed", "口令错误", "The password is wrong"),
    ("timed_out", "操作超时", "It takes too long"),
    ("busy", "系统繁忙", "The platform is busy"),
    ("frozen", "网证已冻结", "The credential is frozen"),
    ("expired", "网证已过期", "The credential has expired"),
    ("cancelled_id", "网号已注销", "The network number was cancelled"),
    ("device_changed", "设备已更换", "The credential is on another device"),
    ("not_installed", "未安装认证应用", "The ID app is not installed"),
)


def launch_page(*, fields: Mapping[str, str], app_name: str, link: str, action: str) -> bytes:
    """Return the page on which one chooses a made-up person, and what happens on the phone.

    The form posts ``fields``, ``person``, ``outcome`` and ``decision`` (``allow`` or ``deny``).

    Args:
        fields: what the link to the page says, untrusted.
        app_name: the package of the app.
        link: the address of the page itself, for the QR code on a wide screen.
        action: where the form goes.
    """
    hidden = "".join(_hidden(name, value) for name, value in fields.items())
    people = "".join(person_choice(person, checked=key == "adult") for key, person in PEOPLE.items())
    happenings = "".join(_happening(*row) for row in _HAPPENINGS)
    password = _both("出示网证和口令", "Shows the certificate and the password")
    alone = _both("出示网证", "Shows the certificate")
    return document(
        "网络身份认证 · Network identity",
        f"""<p class="mark">{_both("模拟手机 · 人物均为虚构", "Mock phone: everybody here is made up")}</p>
<h1>{_both("网络身份认证", "Network identity")}</h1>
<p><code>{escape(app_name)}</code>: {password if fields.get("type") == "1" else alone}.
{_both("不提供姓名和证件号码。", "The app learns no name and no number.")}</p>
<form method="post" action="{escape(action)}">{hidden}
<fieldset><legend>{_both("谁的手机", "Whose phone is this?")}</legend>{people}</fieldset>
<fieldset><legend>{_both("发生什么", "What happens?")}</legend>{happenings}</fieldset>
<div class="do"><button name="decision" value="allow">{_both("同意", "Agree")}</button>
<button name="decision" value="deny">{_both("取消", "Cancel")}</button></div>
</form>{_qr_code(link)}""",
    )


def result_page(*, result: Mapping[str, str | None], return_url: str) -> bytes:
    """Return the page that carries the ID app's answer back: one button, and the answer in hidden fields."""
    hidden = "".join(_hidden(name, value) for name, value in result.items() if value is not None)
    return document(
        "回到应用 · Back to the app",
        f"""<p class="mark">{_both("模拟手机", "Mock phone")}</p>
<h1>{_both("认证应用已答复", "The ID app has answered")}</h1>
<p><code>{escape(result["resultCode"] or "")}</code> {escape(result["resultDesc"] or "")}</p>
<form method="post" action="{escape(return_url)}">{hidden}
<div class="do"><button name="back" value="yes">{_both("回到应用", "Back to the app")}</button></div>
</form>""",
    )


def _happening(outcome: str, chinese: str, english: str) -> str:
    checked = " checked" if outcome == "success" else ""
    return (
        f'<label><input type="radio" name="outcome" value="{outcome}" required{checked}>'
        f"<span>{_both(chinese, english)}</span></label>"
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _both(chinese: str, english: str) -> str:
    """Say it in both languages, each marked for screen readers."""
    return f'<span lang="zh-CN">{escape(chinese)}</span> {escape(english)}'


def _qr_code(link: str) -> str:
    """Return the QR code of the page, shown on wide screens; nothing where no library draws one."""
    if len(link) > _QR_TEXT_MAX:
        return ""
    try:
        import segno  # noqa: PLC0415 - an extra: only who draws pays for the import
    except ImportError:
        return ""
    drawn = segno.make_qr(link, error="m", boost_error=False).svg_inline(
        border=4, dark="#000", light="#fff", title="QR code", omitsize=True, svgclass="qr", lineclass=None
    )
    svg = drawn.replace("<svg ", '<svg role="img" ', 1)
    return f'<div class="desk"><p>{_both("或用手机扫码", "Or open this page on a phone")}</p>{svg}</div>'
