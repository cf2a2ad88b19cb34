"""The language of a page follows the browser's wish, within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.integrations.languages import LANGUAGES, choose_language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("ZH-hant-TW", "zh"),
        ("en-GB, zh;q=0.9", "en"),
        ("de-DE,de;q=0.9,zh;q=0.5,en;q=0.4", "zh"),
        ("de", "en"),
        ("en;q=0, zh;q=0.001", "zh"),
        ("en;q=0, zh;q=0", "en"),
        ("zh;q=0, *", "en"),
        ("en;q=0.3, *;q=0.4", "zh"),
        ("zh;q=0.5, en;q=0.5", "zh"),
        ("*", "en"),
        ("zh;q=1.1", "en"),
        ("zh;q=0.1234", "en"),
        ("zh;level=1", "en"),
        ("zh_CN", "en"),
        ("zh,", "en"),
        ("网", "en"),
        ("zh" + ",de" * 31, "zh"),
        ("zh" + ",de" * 32, "en"),
        ("zh," + "-".join(["abcdefgh"] * 6), "en"),
        (",".join(["zh-" + "a" * 8] * 30) + " " * 600, "en"),
    ],
)
def test_choice(header, language):
    """The language with the highest weight is chosen; a header that is malformed or too long counts as none."""
    assert language == choose_language(header)


@given(st.text(max_size=600))
def test_whatever_arrives_gives_a_language(header):
    """Whatever a browser sends, there is a page in some language."""
    assert choose_language(header) in LANGUAGES
