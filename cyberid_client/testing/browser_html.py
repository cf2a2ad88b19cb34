"""Read an HTML response into a :class:`Page`: as much HTML as login pages are made of."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Final

from cyberid_client.testing.browser_http import resolve
from cyberid_client.testing.browser_pages import Button, Field, Form, Link, Page

__all__ = ["read_page"]

_Attributes = dict[str, str]

_TICKS: Final = frozenset({"checkbox", "radio"})
_PRESSED: Final = frozenset({"submit", "image"})
_NEVER_SENT: Final = frozenset({"button", "reset", "file"})
_UNSEEN: Final = frozenset({"script", "style", "template", "title", "textarea", "option"})
# Words on both sides of these are one word; all other elements stand apart for a reader.
_INLINE: Final = frozenset(
    {"a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "sub", "sup", "u"}
)


def read_page(*, url: str, status: int, headers: Mapping[str, str], body: bytes) -> Page:
    """Return the page of a response; a body that is not HTML keeps only its text.

    Args:
        url: the absolute URL that answered.
        status: its HTTP status.
        headers: names in lower case.
        body: untrusted; bytes that are not UTF-8 are replaced.
    """
    text = body.decode("utf-8", "replace")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "text/html":
        return Page(url=url, status=status, headers=headers, body=body, text=text)
    reader = _Reader(url)
    reader.feed(text)
    reader.close()
    return Page(
        url=url,
        status=status,
        headers=headers,
        body=body,
        title=_collapse(reader.title),
        text=_collapse(reader.words),
        forms=tuple(one.build() for one in reader.forms),
        links=tuple(reader.links),
    )


def _collapse(words: list[str]) -> str:
    return " ".join("".join(words).split())


class _OpenForm:
    """A form while its elements still come in."""

    def __init__(self, attributes: _Attributes, *, url: str) -> None:
        self.id = attributes.get("id", "")
        self.method = "POST" if attributes.get("method", "").lower() == "post" else "GET"
        self.action = resolve(url, attributes.get("action") or url)
        self.fields: list[Field] = []
        self.buttons: list[Button] = []

    def build(self) -> Form:
        return Form(
            id=self.id,
            method=self.method,
            action=self.action,
            fields=tuple(self.fields),
            buttons=tuple(self.buttons),
        )


class _Reader(HTMLParser):
    """Collect words, links and forms in one pass."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self._url = url
        self.title: list[str] = []
        self.words: list[str] = []
        self.links: list[Link] = []
        self.forms: list[_OpenForm] = []
        self._form: _OpenForm | None = None
        self._unseen: list[str] = []
        self._inner: list[str] = []  # the words inside the innermost link, button, option or textarea
        self._link: str | None = None
        self._button: _Attributes | None = None
        self._textarea: str | None = None
        self._select: str | None = None
        self._options: list[tuple[str | None, bool, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag not in _INLINE:
            self.words.append(" ")
        if tag in _UNSEEN:
            self._unseen.append(tag)
        match tag:
            case "form":
                self._form = _OpenForm(attributes, url=self._url)
                self.forms.append(self._form)
            case "a" if "href" in attributes:
                self._link, self._inner = resolve(self._url, attributes["href"]), []
            case "button" if "disabled" not in attributes:
                self._button, self._inner = attributes, []
            case "textarea":
                self._textarea, self._inner = attributes.get("name", ""), []
            case "select":
                self._select, self._options = attributes.get("name", ""), []
            case "option":
                self._inner = []
                self._options.append((attributes.get("value"), "selected" in attributes, self._inner))
            case "input" if "disabled" not in attributes:
                self._read_input(attributes)
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.words.append(" ")
        if self._unseen and tag == self._unseen[-1]:
            self._unseen.pop()
        match tag:
            case "form":
                self._form = None
            case "a" if self._link is not None:
                self.links.append(Link(text=_collapse(self._inner), url=self._link))
                self._link = None
            case "button" if self._button is not None:
                self._read_button(self._button, text=_collapse(self._inner))
                self._button = None
            case "textarea" if self._textarea is not None:
                self._add(self._textarea, "textarea", "".join(self._inner).removeprefix("\n"), sent=True)
                self._textarea = None
            case "select" if self._select is not None:
                self._read_select(self._select)
                self._select = None
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self._unseen and self._unseen[-1] == "title":
            self.title.append(data)
        if not self._unseen:
            self.words.append(data)
        self._inner.append(data)

    def _read_input(self, attributes: _Attributes) -> None:
        kind = attributes.get("type", "text").lower() or "text"
        name = attributes.get("name", "")
        if kind in _PRESSED:
            self._add_button(attributes, text=attributes.get("value", "Submit"))
        elif kind not in _NEVER_SENT:
            ticked = kind not in _TICKS or "checked" in attributes
            default = "on" if kind in _TICKS else ""
            self._add(name, kind, attributes.get("value", default), sent=ticked)

    def _read_button(self, attributes: _Attributes, *, text: str) -> None:
        if attributes.get("type", "submit").lower() == "submit":
            self._add_button(attributes, text=text)

    def _add_button(self, attributes: _Attributes, *, text: str) -> None:
        if self._form is not None:
            action = attributes.get("formaction")
            button = Button(
                name=attributes.get("name", ""),
                value=attributes.get("value", ""),
                text=text,
                action=resolve(self._url, action) if action else None,
            )
            self._form.buttons.append(button)

    def _read_select(self, name: str) -> None:
        """Add one field per option; where none is selected a browser sends the first."""
        none_selected = not any(selected for _, selected, _ in self._options)
        for place, (value, selected, inner) in enumerate(self._options):
            text = _collapse(inner) if value is None else value
            self._add(name, "select", text, sent=selected or (none_selected and place == 0))

    def _add(self, name: str, kind: str, value: str, *, sent: bool) -> None:
        if self._form is not None and name:
            self._form.fields.append(Field(name=name, kind=kind, value=value, sent=sent))
