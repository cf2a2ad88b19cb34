import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import parse_json_object

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=9,
)
FRAGMENTS = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", '"', "\\", ",", ":", "1e999", "NaN", '"a"', "\\ud800", "\ufeff", " ", "0", "-"]
    ),
    max_size=30,
).map("".join)


def _parse(data, *, max_bytes=1024, max_depth=16):
    return parse_json_object(data, document="token", max_bytes=max_bytes, max_depth=max_depth)


def _refused(data, **limits):
    with pytest.raises(VerificationError) as caught:
        _parse(data, **limits)
    return caught.value.code


@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.booleans())
def test_agrees_with_json(value, ascii_only):
    """What is strict JSON within the limits means what it always meant."""
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert value == _parse(data, max_bytes=10**6, max_depth=30)


@given(st.binary(max_size=60) | FRAGMENTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(data):
    """Whatever bytes arrive, an object or our own error comes out."""
    try:
        value = _parse(data)
    except CyberIDError:
        return
    assert type(value) is dict
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"null",
        b'"text"',
        b"1",
        b"[]",
        b'[{"a":1}]',
        b"{",
        b"{}{}",
        b"{} x",
        b"{}\x00",
        b"{},",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":1.}',
        b'{"a":.5}',
        b'{"a":"\n"}',
        b'{"a":"\\x"}',
        b"{/**/}",
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b'{"a":"\xc0\xaf"}',
        "{}".encode("utf-16"),
        "{}".encode("utf-16-le"),
        "{}".encode("utf-32"),
    ],
)
def test_not_one_object(data):
    """Anything but one JSON object in UTF-8 without byte order mark is malformed."""
    assert _refused(data) == "token.malformed"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":[[{"":1,"":2}]]}',
    ],
)
def test_duplicate_member(data):
    """A member that stands twice in one object, at any level and however spelt, is refused."""
    assert _refused(data) == "token.malformed"


def test_same_name_in_two_objects():
    """The same name in two objects is no duplicate."""
    assert _parse(b'{"a":{"a":1},"b":[{"a":1},{"a":2}]}') == {"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e309"])
def test_not_a_number(literal):
    """A number is finite."""
    assert _refused(f'{{"a":[{literal}]}}'.encode()) == "token.malformed"


def test_integer_size():
    """An integer has at most twenty characters."""
    assert _parse(b'{"a":1' + b"0" * 19 + b"}") == {"a": 10**19}
    assert _refused(b'{"a":1' + b"0" * 20 + b"}") == "token.malformed"
    assert _refused(b'{"a":1' + b"0" * 100_000 + b"}", max_bytes=200_000) == "token.malformed"


def test_float_size():
    """A fraction has at most sixty-four characters."""
    assert _parse(b'{"a":0.' + b"0" * 62 + b"}") == {"a": 0.0}
    assert _refused(b'{"a":0.' + b"0" * 63 + b"}") == "token.malformed"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"\\ud800"}',
        b'{"a":"\\uDfff"}',
        b'{"\\udc00\\ud800":1}',
        b'{"a":[{"b":"x\\ud83d\\u0041"}]}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xed\xa0\xbd\xed\xb8\x80"}',
    ],
)
def test_lone_surrogate(data):
    """A lone surrogate, escaped or raw, is refused; nor is a raw pair of them UTF-8."""
    assert _refused(data) == "token.malformed"


def test_surrogate_pair():
    """An escaped pair is one character, and an escaped backslash before u escapes nothing."""
    assert _parse(b'{"a":"\\ud83d\\ude00","b":"\\\\ud800"}') == {"a": "\U0001f600", "b": "\\ud800"}


def test_size():
    """The limit itself is allowed, one byte more is not read."""
    data = b'{"a":1}'
    assert _parse(data, max_bytes=len(data)) == {"a": 1}
    assert _refused(data, max_bytes=len(data) - 1) == "token.too_large"


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_depth(opening, closing):
    """The limit itself is allowed, one level more is not."""
    nested = opening * 15 + "1" + closing * 15
    deeper = opening * 16 + "1" + closing * 16
    assert len(_parse(f'{{"z":{nested}}}'.encode())) == 1
    assert _refused(f'{{"z":{deeper}}}'.encode()) == "token.malformed"


def test_width_is_not_depth():
    """Many brackets side by side, or inside of texts, are not deep."""
    value = {"a": [[], {}] * 100, "b": '[{"\\' * 100, "c": ["\\", '"[', "]"]}
    assert value == _parse(json.dumps(value).encode(), max_bytes=10_000)


@pytest.mark.parametrize(
    "bomb",
    [
        b'{"a":' * 50_000,
        b"[" * 250_000,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":"' + b'\\"' * 120_000,
        b"[" * 20 + b'"' + b'\\"' * 120_000,
        b'"' * 250_000,
        b'{"a":"' + b"[" * 240_000,
        b"[]" * 120_000,
    ],
)
def test_bomb(bomb):
    """A bomb of nesting or quotes is refused also where the interpreter would recurse for ever."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        assert _refused(bomb, max_bytes=256 * 1024) == "token.malformed"
    finally:
        sys.setrecursionlimit(limit)


def test_error_keeps_nothing():
    """The error holds no other error that would keep the document."""
    with pytest.raises(VerificationError) as caught:
        _parse(b'{"secret":')
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
