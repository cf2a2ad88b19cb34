"""The issuer's pages: plain, accessible, escaping everything."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from cyberid_client.testing.pages import error_page


class Inputs(HTMLParser):
    """Collect the form's controls."""

    def __init__(self):
        super().__init__()
        self.controls, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag in {"input", "button"}:
            self.controls.append(dict(attributes))


def page_of(raw, **push):
    return raw.send("GET", raw.url_for(raw.push(**push)), b"", {})


def ticked(page):
    parser = Inputs()
    parser.feed(page.body.decode())
    return {each["name"] for each in parser.controls if each.get("type") == "checkbox" and "checked" in each}


@pytest.mark.parametrize(
    ("mode", "ticks"),
    [("r01", set()), ("r02", {"password"}), ("r03", {"face"}), ("r04", {"password", "face"})],
)
def test_ticks_are_preset_by_what_was_asked(raw, mode, ticks):
    """Password and face are ticked when the app asked for them."""
    assert ticked(page_of(raw, acr_values=f"urn:cyberid:mode:{mode}")) == ticks


def test_everybody_is_on_the_page(raw):
    """All people can be chosen, each with the document they enrolled with; one is chosen beforehand."""
    page = page_of(raw)
    parser = Inputs()
    parser.feed(page.body.decode())
    people = [each for each in parser.controls if each.get("name") == "person"]
    assert [each["value"] for each in people] == list(raw.issuer.people)
    assert ["checked" in each for each in people] == [True] + [False] * 6
    text = page.body.decode()
    assert [p.document for p in raw.issuer.people.values() if p.document not in text] == []
    assert "Chen Yunzhou, guardian" in text


def test_controls_have_labels_and_no_scripts(raw):
    """Every visible control sits in a label; there is no script, and the page has language and viewport."""
    page = page_of(raw)
    parser = Inputs()
    parser.feed(page.body.decode())
    visible = [each for each in parser.controls if each.get("type") in {"radio", "checkbox"}]
    assert parser.tags.count("label") == len(visible)
    assert "script" not in parser.tags
    assert b'<html lang="en">' in page.body
    assert b"width=device-width" in page.body


def test_page_headers(raw):
    """The page loads nothing, is framed by nobody, and its form leads to the issuer and the app only."""
    policy = page_of(raw).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://shop.example;" in policy
    assert page_of(raw).headers["cache-control"] == "no-store"


def test_names_are_escaped(issuer, clock, new_client):
    """A client's name is text on the page, whatever it holds."""
    name = '"><script>alert(1)</script>'
    raw = new_client(issuer, issuer.register(client_id=name, redirect_uri="https://s.example/cb"), clock)
    body = page_of(raw).body
    assert b"<script>" not in body
    assert b"&lt;script&gt;" in body


def test_age_band_is_announced(raw):
    """The page says that the age band is told, when it is."""
    assert b"age band" not in page_of(raw).body
    assert b"age band" in page_of(raw, scope="openid age_band").body


def test_error_page_escapes():
    """A reason is text."""
    assert b"<b>" not in error_page("<b>")
