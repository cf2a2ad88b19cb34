"""What the pages of a wallet presentation hold between their text and their ways: QR code, form, digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final

from cyberid_client.integrations.languages import choose_language
from cyberid_client.integrations.pages import load_texts
from cyberid_client.models import PresentationRequest

__all__ = ["DigitsForm", "code_part", "scan_part"]

TRIES: Final = 3
DIGITS: Final = 6
_GROUP: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsForm:
    """The form for the six digits; it works without scripts.

    Attributes:
        target: where it posts to.
        status_handle: which presentation it is; maybe untrusted.
        wrong: how many wrong tries this page has seen. For the words only: the client counts by itself.
    """

    target: str
    status_handle: str = field(repr=False)
    wrong: int = 0

    @staticmethod
    def count_wrong(posted: Mapping[str, str]) -> int:
        """Return how many wrong tries there were with the posted one; 0 when it was none.

        Args:
            posted: the fields of the form, untrusted. What is not six digits counts as no try.
        """
        before = int(posted["wrong"]) if posted.get("wrong") in {"1", "2"} else 0
        digits = sum(each.isdecimal() for each in posted.get("typed_code", ""))
        return min(before + (digits == DIGITS), TRIES - 1)

    def html(self, accept_language: str | None) -> str:
        """Return the form, and above it how many tries are left when one was wrong."""
        words = load_texts(choose_language(accept_language)).wallet
        left = TRIES - self.wrong
        told = words.get(f"tries_{left}", "") if self.wrong else ""
        above = f'<p role="alert">{escape(told)}</p>\n' if told else ""
        hidden = {"status_handle": self.status_handle, **({"wrong": str(self.wrong)} if self.wrong else {})}
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items()
        )
        return (
            f'{above}<form class="digits" method="post" action="{escape(self.target)}">{fields}'
            f'<label for="digits">{escape(words["digits"])}</label>'
            '<input id="digits" name="typed_code" inputmode="numeric" autocomplete="off" '
            'pattern="[0-9 ]{6,13}" maxlength="13" required>'
            f"<button>{escape(words['log_in'])}</button></form>"
        )


def scan_part(
    started: PresentationRequest, form: DigitsForm, accept_language: str | None, *, status_place: str
) -> str:
    """Return QR code, state and form of the page that waits.

    Args:
        started: with a status handle.
        form: of the same presentation.
        accept_language: the header, untrusted.
        status_place: where the state is asked for.

    Raises:
        ConfigurationError: ``config.missing_extra``, or ``presentation.qr_too_long``.
    """
    words = load_texts(choose_language(accept_language)).wallet
    told = "".join(f' data-{state}="{escape(words[state])}"' for state in ("answered", "over"))
    place = escape(f"{status_place}?status_handle={form.status_handle}")
    return "\n".join(
        (
            f'<div class="scan">{started.qr_svg(title=words["qr"])}</div>',
            f'<p id="state" role="status" data-place="{place}"{told}>{escape(words["waiting"])}</p>',
            form.html(accept_language),
        )
    )


def code_part(digits: str) -> str:
    """Return the digits, apart, so that a screen reader reads them one by one."""
    groups = (" ".join(digits[start : start + _GROUP]) for start in range(0, len(digits), _GROUP))
    return '<p class="code">' + " ".join(f"<span>{escape(each)}</span>" for each in groups) + "</p>"
