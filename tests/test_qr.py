"""A QR code is one accessible SVG element, small enough for a phone's camera."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from cyberid_client.errors import ConfigurationError
from cyberid_client.models import PresentationRequest
from cyberid_client.models.qr import TEXT_MAX, draw_qr_svg

AT = datetime(2026, 11, 22, tzinfo=UTC)
URI = (
    "openid4vp://authorize?client_id=x509_hash%3A" + "a" * 43 + "&request_uri=https%3A%2F%2Fshop.example%2Fr"
)


def modules(svg):
    """Return the dark modules that the path draws, as (column, row) without the quiet zone, and the size."""
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    width = int(root.attrib["viewBox"].split()[2])
    x = y = 0.0
    dark = set()
    for command, arguments in re.findall(r"([MmhHvV])([^MmhHvVz]*)", root[2].attrib["d"]):
        numbers = [float(n) for n in re.findall(r"-?[0-9]*\.?[0-9]+", arguments)]
        if command == "h":
            dark |= {(int(x) + i, int(y)) for i in range(int(numbers[0]))}
            x += numbers[0]
        elif command in "Mm":
            x, y = numbers if command == "M" else [x + numbers[0], y + numbers[1]]
    return {(c - 4, r - 4) for c, r in dark}, width - 8


def test_it_is_an_image_with_a_name():
    """A screen reader says the title in the place of the picture, whatever characters are in it."""
    request = PresentationRequest(uri=URI, handle="h", cookie_name="c", set_cookie="s", expires_at=AT)
    root = ET.fromstring(request.qr_svg(title='扫码 <登录> & "more"'))  # noqa: S314 - our own text
    assert "img" == root.attrib["role"]
    assert "title" == root[0].tag.rpartition("}")[2]
    assert '扫码 <登录> & "more"' == root[0].text


def test_it_holds_nothing_that_runs_or_loads():
    """No script, no style, no reference: a page with a strict policy may hold it."""
    svg = draw_qr_svg(URI, title="t")
    assert {"svg", "title", "path"} == {each.tag.rpartition("}")[2] for each in ET.fromstring(svg).iter()}  # noqa: S314 - our own text
    assert not re.search(r"href|style=|url\(|<script| on[a-z]+=", svg)


def test_it_has_the_marks_and_the_quiet_zone_that_a_camera_looks_for():
    """Three finder patterns stand in the corners, four light modules around (ISO/IEC 18004 §6.3.3, §6.3.8)."""
    dark, size = modules(draw_qr_svg(URI, title="t"))
    ring = {(c, r) for c in range(7) for r in range(7) if c in (0, 6) or r in (0, 6)}
    core = {(c, r) for c in range(2, 5) for r in range(2, 5)}
    for left, top in ((0, 0), (size - 7, 0), (0, size - 7)):
        square = {(c - left, r - top) for c, r in dark if 0 <= c - left < 7 and 0 <= r - top < 7}
        assert ring | core == square
    assert dark <= {(c, r) for c in range(size) for r in range(size)}


def test_what_is_too_long_for_a_camera_is_refused():
    """512 characters are drawn, one more is not."""
    assert draw_qr_svg("x" * TEXT_MAX, title="t")
    with pytest.raises(ConfigurationError) as refused:
        draw_qr_svg("x" * (TEXT_MAX + 1), title="t")
    assert "presentation.qr_too_long" == refused.value.code
