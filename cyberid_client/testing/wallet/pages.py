"""The pages that play a wallet: who asks, what is asked, agree or not; for a phone's width, in two languages."""

from __future__ import annotations

from html import escape
from typing import Final

from cyberid_client.testing.pages import document, person_choice
from cyberid_client.testing.people import PEOPLE
from cyberid_client.testing.wallet.asked import Asked
from cyberid_client.testing.wallet.query import names_of

__all__ = ["asking_page", "refused_page", "told_page"]

_MARK: Final = ("模拟钱包 · 人物均为虚构", "Mock wallet: everybody here is made up")

_LEARNS: Final = (
    "对方得到仅限本应用的标识。不含姓名和证件号码。",
    "It learns a pseudonym that only this app gets, and no name and no number.",
)
_UNSEEN: Final = ("签发方不知道这次登录。", "The issuer does not learn of this login.")


def asking_page(*, asked: Asked, interaction: str, chosen: str, action: str) -> bytes:
    """Return the page on which one chooses a made-up person, and agrees or not.

    Who asks is what the certificate says, and nothing that the request says about itself. The form posts
    ``interaction``, ``person``, ``age_band`` (``yes``) where that was asked for and is granted, and
    ``decision`` (``allow`` or ``deny``).

    Args:
        asked: the request, judged.
        interaction: a one-time reference.
        chosen: who is chosen beforehand.
        action: where the form goes.
    """
    people = "".join(person_choice(person, checked=key == chosen) for key, person in PEOPLE.items())
    age_band = ""
    if "age_band" in names_of(asked.query):
        age_band = (
            '<label><input type="checkbox" name="age_band" value="yes" checked>'
            f"<span>{_both('同时出示年龄段', 'Show the age band, too')}</span></label>"
        )
    return document(
        "出示网络身份 · Show your network identity",
        f"""<p class="mark">{_both(*_MARK)}</p>
<h1>{_both("出示网络身份", "Show your network identity")}</h1>
<p>{_both("按其证书的请求方", "Who asks, by the certificate:")}<br>
<code>{escape(asked.asker.sector)}</code><br><code>{escape(asked.asker.host)}</code></p>
<p>{_both(*_LEARNS)} {_both(*_UNSEEN)}</p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="interaction" value="{escape(interaction)}">
<fieldset><legend>{_both("谁的钱包", "Whose wallet is this?")}</legend>{people}{age_band}</fieldset>
<div class="do"><button name="decision" value="allow">{_both("同意", "Agree")}</button>
<button name="decision" value="deny">{_both("拒绝", "Decline")}</button></div>
</form>""",
    )


def refused_page(rule: str) -> bytes:
    """Return the page that says that the wallet does not answer, and which rule the request breaks."""
    return document(
        "无法答复此请求 · This request is not answered",
        f"""<p class="mark">{_both(*_MARK)}</p>
<h1>{_both("无法答复此请求", "This request is not answered")}</h1>
<p><code>{escape(rule)}</code></p>
<p>{_both("没有发送任何信息。请回到应用重新开始。", "Nothing was sent. Go back to the app and start again.")}</p>""",
    )


def told_page(*, agreed: bool, accepted: bool) -> bytes:
    """Return the page for when the app sends the browser nowhere."""
    if not agreed:
        said = _both("已拒绝。对方已得知。", "You declined, and the app was told.")
    elif accepted:
        said = _both("已出示。请回到应用。", "It was shown. Go back to the app.")
    else:
        said = _both("应用没有接受。请重新开始。", "The app did not accept it. Start again there.")
    return document(
        "模拟钱包 · Mock wallet",
        f"""<p class="mark">{_both(*_MARK)}</p><h1>{said}</h1>""",
    )


def _both(chinese: str, english: str) -> str:
    """Say it in both languages, each marked for screen readers."""
    return f'<span lang="zh-CN">{escape(chinese)}</span> {escape(english)}'
