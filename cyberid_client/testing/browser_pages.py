"""What the scripted browser holds of a page: its words, links and forms, as frozen values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.errors import ConfigurationError

__all__ = ["Button", "Field", "FieldValue", "Form", "Link", "Page"]

FieldValue = str | bool | Collection[str]

_CHOICES: Final = frozenset({"checkbox", "radio", "select"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link: its words and the absolute URL."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button that sends its form.

    Attributes:
        name: under which name it is sent, or ``""``.
        value: what is sent with the name.
        text: what a person reads on it.
        action: where it sends the form instead of the form's own action, absolute; or ``None``.
    """

    name: str
    value: str
    text: str
    action: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form as the page came.

    Attributes:
        name: under which name it is sent.
        kind: the ``type`` of an input (``text``, ``hidden``, ``checkbox`` …), ``select`` or ``textarea``.
        value: what is sent when nobody changes it; may hold a secret.
        sent: whether it is sent as the page came: an unticked box is not.
    """

    name: str
    kind: str
    value: str = field(repr=False)
    sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of a page.

    Attributes:
        id: the ``id`` attribute, or ``""``.
        method: ``GET`` or ``POST``.
        action: the absolute URL that it is sent to.
        fields: in the order of the page; an option of a ``select`` is a field of its own.
        buttons: those that send the form.
    """

    id: str
    method: str
    action: str
    fields: tuple[Field, ...]
    buttons: tuple[Button, ...]

    def fill(
        self, values: Mapping[str, FieldValue], *, button: str | None = None
    ) -> tuple[tuple[str, str], ...]:
        """Return the pairs that a browser sends after a person filled the form in.

        Args:
            values: field name to text; for ticks and choices the value to choose, a collection of
                them, or ``True`` or ``False`` for all. Hidden fields may be changed too, as an attacker
                would.
            button: words, name or value of the button to press; the first one by default.

        Raises:
            ConfigurationError: the form has no such field, choice or button.
        """
        for name, value in values.items():
            self._refuse_unknown(name, value)
        pairs = [(one.name, text) for one in self.fields for text in _text_of(one, values)]
        pressed = self._press(button)
        if pressed is not None and pressed.name:
            pairs.append((pressed.name, pressed.value))
        return tuple(pairs)

    def target(self, *, button: str | None = None) -> str:
        """Return the absolute URL to which the form goes when this button is pressed.

        Raises:
            ConfigurationError: the form has no such button.
        """
        pressed = self._press(button)
        return self.action if pressed is None or pressed.action is None else pressed.action

    def find_button(self, words: str) -> Button | None:
        """Return the button with these words, name or value; ``None`` when there is none."""
        return next((one for one in self.buttons if words and words in (one.text, one.name, one.value)), None)

    def _press(self, words: str | None) -> Button | None:
        if words is None:
            return self.buttons[0] if self.buttons else None
        found = self.find_button(words)
        if found is None:
            raise ConfigurationError("testing.no_button")
        return found

    def _refuse_unknown(self, name: str, value: FieldValue) -> None:
        """Refuse what no person could do with the page: a typing error in a test must not pass."""
        named = [one for one in self.fields if one.name == name]
        choices = {one.value for one in named if one.kind in _CHOICES}
        texts = [one for one in named if one.kind not in _CHOICES]
        fits_choices = isinstance(value, bool) or _as_set(value) <= choices
        if (
            not named
            or (texts and not isinstance(value, str))
            or (choices and not texts and not fits_choices)
        ):
            raise ConfigurationError("testing.no_field")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a navigation ended with; a frozen value, so that two tabs are two pages.

    Attributes:
        url: where the browser ended up; may hold secrets in its query.
        status: the HTTP status of that response.
        headers: names in lower case; a header that came twice is joined with ``", "``.
        body: the bytes of the response.
        title: the words of ``<title>``.
        text: the words of the page as a person reads them, white space collapsed.
        forms: in the order of the page.
        links: in the order of the page.
    """

    url: str = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    title: str = ""
    text: str = field(default="", repr=False)
    forms: tuple[Form, ...] = field(default=(), repr=False)
    links: tuple[Link, ...] = field(default=(), repr=False)

    def form(self, which: int | str = 0) -> Form:
        """Return a form by its place, counted from 0, or by its ``id``.

        Raises:
            ConfigurationError: the page has no such form.
        """
        for place, one in enumerate(self.forms):
            if which == (place if isinstance(which, int) else one.id):
                return one
        raise ConfigurationError("testing.no_form")


def _text_of(one: Field, values: Mapping[str, FieldValue]) -> tuple[str, ...]:
    """Return what one field sends: nothing or one text."""
    if one.name not in values:
        return (one.value,) if one.sent else ()
    value = values[one.name]
    if one.kind not in _CHOICES:
        return (value,) if isinstance(value, str) else ()
    chosen = value if isinstance(value, bool) else one.value in _as_set(value)
    return (one.value,) if chosen else ()


def _as_set(value: Collection[str]) -> set[str]:
    return {value} if isinstance(value, str) else set(value)
