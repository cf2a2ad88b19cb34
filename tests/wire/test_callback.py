import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import CALLBACK_MAX_BYTES, UnverifiedCallback, callback_state, parse_callback

NAMES = ["state", "iss", "code", "error", "response"]
PIECES = st.lists(
    st.sampled_from(
        [
            "state=",
            "code=",
            "st%61te=",
            "&",
            "=",
            "%",
            "%00",
            "%ff",
            "%C3%A9",
            "?",
            "#",
            "/",
            "https://a",
            "+",
            "x",
            ";",
        ]
    ),
    max_size=12,
).map("".join)


def _refused(callback):
    with pytest.raises(VerificationError) as caught:
        parse_callback(callback)
    return caught.value.code


def _callback(**values):
    return UnverifiedCallback(**{name: values.get(name) for name in NAMES})


@pytest.mark.parametrize(
    "callback",
    [
        "https://shop.example/callback?code=c&state=s",
        "http://127.0.0.1:8000/callback?code=c&state=s",
        "com.example.shop://callback?code=c&state=s",
        "https://shop.example?code=c&state=s#_=_",
        "/callback?code=c&state=s",
        "?code=c&state=s",
        "code=c&state=s",
        "&code=c&&state=s&",
        "code=c&state=s#fragment",
        "code=c&state=s&code_id=x&utm=y&flag&=&session_state=z",
        "c%6fde=%63&st%61te=s",
    ],
)
def test_forms(callback):
    """A URL, a path and a raw query say the same; unknown parameters and the fragment are ignored."""
    assert _callback(code="c", state="s") == parse_callback(callback)


def test_raw_query_with_urls():
    """An issuer that stands unescaped in a raw query does not make it a URL."""
    expected = _callback(iss="https://issuer.example/a?b", state="s")
    assert expected == parse_callback("iss=https://issuer.example/a?b&state=s")
    assert expected == parse_callback("state=s&iss=https://issuer.example/a?b")


@pytest.mark.parametrize(
    "callback", ["", "?", "#", "/", "https://shop.example/", "/#?state=s", "https://a/#?state=s"]
)
def test_nothing(callback):
    """Where there is no query there is no parameter; a fragment is no query."""
    assert _callback() == parse_callback(callback)


@pytest.mark.parametrize("name", NAMES)
def test_known(name):
    """Each parameter comes out under its own name, with escapes and plus signs decoded once."""
    assert _callback(**{name: "a b%41/?:~"}) == parse_callback(f"{name}=a+b%2541/?:%7E")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["{}=", "{}", "{}=&x=y"])
def test_without_value(name, form):
    """A parameter without a value counts as absent."""
    assert _callback() == parse_callback(form.format(name))


@pytest.mark.parametrize(
    "callback",
    [
        "state=a&state=a",
        "state=a&state=b",
        "code=&code=c",
        "st%61te=a&state=b",
        "x=1&x=2",
        "x&x",
        "=&=",
        "a+b=1&a%20b=2",
    ],
)
def test_repeated(callback):
    """A parameter stands there once, known or not and however spelt."""
    assert _refused(callback) == "callback.parameter_repeated"


@pytest.mark.parametrize(
    "query",
    [
        "state=%",
        "state=%4",
        "state=%4g",
        "state=%%41",
        "state=a b",
        "state=a\n",
        "\tstate=a",
        "state=%00",
        "state=%0A",
        "x=%0d",
        "x=%7F",
        "x=%C2%85",
        "%1f=x",
        "x=%ff",
        "x=%c0%af",
        "x=%ed%a0%80",
        "x=\ud800",
        "%e4=x",
        "x=%u0041",
    ],
)
def test_malformed(query):
    """A broken escape, a control character and what is not UTF-8 are refused in every parameter."""
    assert _refused(query) == "callback.malformed"
    assert _refused(f"https://shop.example/callback?{query}") == "callback.malformed"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["%C3%A9", "é", "%F0%9F%98%80", "%EF%BB%BFa"])
def test_not_ascii(name, value):
    """What is compared or sent on is visible ASCII; any other parameter may be any text."""
    assert _refused(f"{name}={value}") == "callback.malformed"
    assert _callback() == parse_callback(f"{name}_description={value}")


@pytest.mark.parametrize("callback", [None, b"state=a", 1, {"state": "a"}, ["state=a"]])
def test_no_text(callback):
    """What is no text is malformed, and has no state."""
    assert _refused(callback) == "callback.malformed"
    assert callback_state(callback) is None


def test_subclass_of_text():
    """A subclass of text is the text that it holds, whatever methods it has."""

    class Text(str):
        __slots__ = ()

        def __len__(self):
            return 0

        def encode(self, *_args):
            return b"state=other"

        def __str__(self):
            return "state=other"

    assert _callback(state="a") == parse_callback(Text("state=a"))


def test_size():
    """The limit itself is allowed, one byte more is not read."""
    largest = "state=s&x=".ljust(CALLBACK_MAX_BYTES, "x")
    assert _callback(state="s") == parse_callback(largest)
    assert _refused(largest + "x") == "callback.too_large"
    assert _refused(largest[:-1] + "é") == "callback.too_large"
    assert callback_state(largest + "x") is None


@pytest.mark.parametrize(
    ("callback", "state"),
    [
        ("https://shop.example/callback?code=c&state=s#x", "s"),
        ("st%61te=a+b", "a b"),
        ("state=s&code=a&code=b", "s"),
        ("state=s&x=%", "s"),
        ("state=s&%ff=x", "s"),
        ("state=s&state=s", None),
        ("state=s&state=%ff", None),
        ("state=s&state=", None),
        ("state=", None),
        ("state", None),
        ("state=%00", None),
        ("state=é", None),
        ("code=c", None),
        ("", None),
    ],
)
def test_state(callback, state):
    """The state is found where it stands once and well formed, whatever else is wrong."""
    assert state == callback_state(callback)


@given(st.text(max_size=60) | PIECES)
def test_any_text(callback):
    """Whatever arrives, a value or our own error comes out, and both readers agree on the state."""
    state = callback_state(callback)
    try:
        value = parse_callback(callback)
    except CyberIDError:
        return
    assert state == value.state


def test_repr():
    """No parameter is shown."""
    assert repr(parse_callback("state=s&code=c&iss=i&error=e&response=r")) == "UnverifiedCallback()"
