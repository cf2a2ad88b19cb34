"""The pages: the same words in both languages, nothing that runs, nothing that arrived from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from string import Formatter

import pytest

from cyberid_client.integrations.languages import LANGUAGES
from cyberid_client.integrations.pages import PAGES, Way, load_texts, page
from cyberid_client.testing.browser_html import read_page

WAYS = (
    Way(words="start_again", target="/a/b?x=1&y=2", fields={"return_to": '/"><script>'}),
    Way(words="home", target='/"onclick='),
)


def show(kind="restart", *, language="en", **more):
    """Return a page."""
    return page(kind, accept_language=language, ways=WAYS, **more)


def test_languages_have_the_same_words():
    """Every language says everything, in words of its own."""
    english, others = load_texts("en"), [load_texts(name) for name in LANGUAGES if name != "en"]
    assert set(PAGES) == set(english.pages)
    for other in others:
        assert set(english.ways) == set(other.ways)
        assert set(english.wallet) == set(other.wallet)
        assert set(english.pages) == set(other.pages)
        for kind, words in other.pages.items():
            assert {"title", "text"} == set(words) == set(english.pages[kind])
            assert english.pages[kind] != words
    for texts in (english, *others):
        words = [texts.reference, texts.note, *texts.ways.values(), *texts.wallet.values()]
        words += [each for kind in texts.pages.values() for each in kind.values()]
        assert all(each.strip() and not list(Formatter().parse(each))[1:] for each in words)


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh-CN", "zh-CN")])
def test_headers(kind, language, tag):
    """A page runs nothing, stands in no frame, is not kept, says its language and sends no address on."""
    reply = show(kind, language=language)
    headers = dict(reply.headers)
    style = re.search("<style>(.*?)</style>", reply.body.decode(), re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert PAGES[kind] == reply.status
    assert f"style-src 'sha256-{digest}';" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert ("no-store", "nosniff") == (headers["Cache-Control"], headers["X-Content-Type-Options"])
    own_forms = {"start", "start_ways", "scan", "digits_wrong", "not_answered"}
    assert ("same-origin" if kind in own_forms else "no-referrer") == headers["Referrer-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]
    assert tag == headers["Content-Language"]
    assert f'<html lang="{tag}">' in reply.body.decode()


def test_nothing_gets_out_of_its_place():
    """Names, fields and targets are text, whatever they hold."""
    reply = show(app_name="<b>Tea</b> & more", reference="<i>")
    html = reply.body.decode()
    assert not re.search(r"<(script|b|i)>", html)
    read = read_page(
        url="https://shop.example/x", status=400, headers={"content-type": "text/html"}, body=reply.body
    )
    (form,) = read.forms
    assert (("return_to", '/"><script>'),) == form.fill({})
    assert "https://shop.example/a/b?x=1&y=2" == form.action
    assert "<b>Tea</b> & more" in read.text


def test_a_page_may_lead_nowhere():
    """Without ways there is no empty row for them."""
    assert b"class=ways" not in page("refused", accept_language=None, ways=()).body.replace(b'"', b"")


def test_reference_is_there_only_when_there_is_one():
    """A page without an error has no reference."""
    assert b"0123ABCD" in show(reference="0123ABCD").body
    assert b"Reference" not in show().body
