import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import JARM_MAX_BYTES, callback_state, jarm_state, parse_jarm

LEAST = {"iss": "https://issuer.example", "aud": "shop", "exp": 1_800_000_300}
# The payload of the example in JARM §2.1.1.
EXAMPLE = {
    "iss": "https://accounts.example.com",
    "aud": "s6BhdRkqt3",
    "exp": 1311281970,
    "code": "PyyFaux2o7Q0YfXBU32jhw.5FXSQpvr8akv9CeRDSd0QA",
    "state": "S8NJ7uqk5fY4EjNvP_G_FtyJu6pUsvH9jsYni9dMAJw",
}


def _refused(token):
    with pytest.raises(VerificationError) as caught:
        parse_jarm(token)
    return caught.value.code


def test_the_example_of_the_standard(make_token):
    """The example's members come out under their own names."""
    value = parse_jarm(make_token(EXAMPLE))
    assert EXAMPLE == {
        "iss": value.iss,
        "aud": value.aud[0],
        "exp": value.exp,
        "code": value.code,
        "state": value.state,
    }
    assert (None, None, frozenset()) == (value.error, value.nbf, value.foreign)


def test_least(make_token):
    """State, code and error may be absent here: which of them must be there is judged later."""
    value = parse_jarm(make_token(LEAST))
    assert (None, None, None) == (value.state, value.code, value.error)


@pytest.mark.parametrize("name", ["sub", "nonce", "events", "bizSeq", "sub_id"])
@pytest.mark.parametrize("value", [None, 1, "x", {}])
def test_foreign_claims_are_told_of(make_token, name, value):
    """Claims of other documents are noticed whatever they hold."""
    assert frozenset({name}) == parse_jarm(make_token({**LEAST, name: value})).foreign


@pytest.mark.parametrize("name", LEAST)
def test_missing(make_token, name):
    """Each required claim is missed by its absence."""
    rest = {key: value for key, value in LEAST.items() if key != name}
    assert _refused(make_token(rest)) == "jarm.claim_missing"


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "nbf", "state", "code", "error"])
@pytest.mark.parametrize("value", [None, True, "", {}, [], [1], -1])
def test_wrong_type(make_token, name, value):
    """A claim that is there with another type, null included, is of a wrong type."""
    assert _refused(make_token({**LEAST, name: value})) == "jarm.claim_type"


@pytest.mark.parametrize("name", ["state", "code", "error"])
@pytest.mark.parametrize("value", ["a\n", "\x00", "\x7f", "é", "网"])
def test_texts_are_visible_ascii(make_token, name, value):
    """What no parameter of a callback could hold is in no claim either (RFC 6749 appendix A)."""
    assert _refused(make_token({**LEAST, name: value})) == "jarm.claim_type"
    assert getattr(parse_jarm(make_token({**LEAST, name: " ~"})), name) == " ~"


@pytest.mark.parametrize("token", ["", "a.b", "e30.e30.", "e30.e30.AAAA", "null", b"", None, 1])
def test_malformed(token):
    """A signed response is a compact JWS."""
    assert _refused(token) == "jarm.malformed"


@pytest.mark.parametrize("token", ["....", "a.b.c.d.e", b"a.b.c.d.e"])
def test_encrypted(token):
    """Five parts are an encrypted response, whatever is in them."""
    assert _refused(token) == "jarm.encrypted"


def test_size(make_token):
    """The limit itself is allowed, four characters more are not read."""
    token = make_token(LEAST, signature=b"")
    room = JARM_MAX_BYTES - len(token)
    largest = token + "A" * (room - (room % 4 == 1))
    assert parse_jarm(largest).iss == LEAST["iss"]
    assert _refused(largest + "AAAA") == "jarm.too_large"


class TestState:
    """What chooses the cookie is inside, and is believed by nobody yet."""

    def test_it_is_found_in_a_callback(self, make_token):
        """The state of a signed response is found where that of a plain one would be."""
        token = make_token({**LEAST, "state": "made-up"})
        for callback in (f"response={token}", f"https://shop.example/callback?x=1&response={token}#f"):
            assert callback_state(callback) == "made-up"

    def test_it_is_found_in_what_is_refused(self, make_token):
        """So that a login can be used up by an answer that is not believed."""
        assert jarm_state(make_token({"state": "made-up"})) == "made-up"
        assert jarm_state(make_token({"state": "made-up", "iss": 1, "sub": "x"})) == "made-up"

    @pytest.mark.parametrize("payload", [{}, {"state": None}, {"state": 1}, {"state": ""}, [], b"x"])
    def test_there_is_none(self, make_token, payload):
        """Without a state inside there is none."""
        token = make_token(payload)
        assert jarm_state(token) is None
        assert callback_state(f"response={token}") is None

    def test_an_invisible_one_is_none(self, make_token):
        """A state of other characters names no cookie."""
        token = make_token({"state": "made\nup"})
        assert callback_state(f"response={token}") is None

    @pytest.mark.parametrize(
        "callback", ["response={0}&response={0}", "response=%zz", "response=", "response={0}.x"]
    )
    def test_an_odd_response_has_none(self, make_token, callback):
        """Two responses, a broken one and an empty one say nothing."""
        assert callback_state(callback.format(make_token({"state": "made-up"}))) is None

    def test_a_plain_state_goes_first(self, make_token):
        """Beside a plain state, even an empty one, the response is not read."""
        token = make_token({"state": "made-up"})
        assert callback_state(f"state=plain&response={token}") == "plain"
        assert callback_state(f"state=&response={token}") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*LEAST, "nbf", "state", "code", "error", "sub"]), JSON))
def test_any_claims(make_token, changes):
    """Whatever the claims hold, a value or our own error comes out, and the state never raises."""
    token = make_token({**LEAST, **changes})
    assert jarm_state(token) is None or type(jarm_state(token)) is str
    try:
        value = parse_jarm(token)
    except CyberIDError:
        return
    assert type(value.iss) is str


@given(st.text() | st.binary())
def test_any_input(token):
    """Whatever arrives, our own error comes out, and no state."""
    assert jarm_state(token) is None
    with pytest.raises(CyberIDError):
        parse_jarm(token)


@given(st.binary(max_size=64))
def test_any_payload(make_token, payload):
    """Whatever bytes are inside, our own error comes out."""
    with pytest.raises(CyberIDError):
        parse_jarm(make_token(payload))
