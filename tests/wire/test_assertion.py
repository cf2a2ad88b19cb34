import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import ASSERTION_MAX_BYTES, UnverifiedAssertion, parse_assertion, parse_jws

TEXTS = ["nonce", "azp", "acr", "at_hash", "sector", "persistence", "sid", "age_band"]
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
# The last second before the last year that a datetime can hold.
LAST_DATE = 253_370_764_800


def _refused(token):
    with pytest.raises(VerificationError) as caught:
        parse_assertion(token)
    return caught.value.code


def test_least(make_token, claims):
    """Five claims are enough; what is absent is None, and a single audience is a tuple of one."""
    token = make_token(claims)
    assert parse_assertion(token) == UnverifiedAssertion(
        jws=parse_jws(token, document="id_token", max_bytes=10_000),
        iss="https://issuer.example",
        sub="Zq3vT8wLx0aPf5RkYd2mNb",
        aud=("shop",),
        exp=1_800_000_300.0,
        iat=1_800_000_000.0,
        nbf=None,
        auth_time=None,
        nonce=None,
        azp=None,
        acr=None,
        at_hash=None,
        sector=None,
        persistence=None,
        sid=None,
        age_band=None,
        amr=None,
        foreign=frozenset(),
    )


def test_all(make_token, claims):
    """Every claim of the profile comes out under its own name, and no other claim does."""
    more = {name: f"value of {name}" for name in TEXTS}
    dates = {"nbf": 1.5, "auth_time": 0}
    others = {"status": {"status_list": {"idx": 1, "uri": "x"}}, "name": "nobody", "jti": "x"}
    value = parse_assertion(make_token({**claims, **more, **dates, **others, "amr": ["certificate", "face"]}))
    assert more == {name: getattr(value, name) for name in TEXTS}
    assert (value.nbf, value.auth_time, value.amr) == (1.5, 0.0, ("certificate", "face"))


@pytest.mark.parametrize("name", REQUIRED)
def test_missing(make_token, claims, name):
    """Each required claim is missed by its absence."""
    rest = {key: value for key, value in claims.items() if key != name}
    assert _refused(make_token(rest)) == "id_token.claim_missing"


@pytest.mark.parametrize("name", [*REQUIRED, *TEXTS, "nbf", "auth_time", "amr"])
@pytest.mark.parametrize("value", [None, True, False, {}, [1], [None], [""], [[]], ""])
def test_wrong_type(make_token, claims, name, value):
    """A claim that is there with another type, null included, is of a wrong type."""
    assert _refused(make_token({**claims, name: value})) == "id_token.claim_type"


@pytest.mark.parametrize("name", ["iss", "sub", "aud", *TEXTS, "amr"])
@pytest.mark.parametrize("value", [0, 1.5])
def test_number_is_no_text(make_token, claims, name, value):
    """A number is neither a text nor a list."""
    assert _refused(make_token({**claims, name: value})) == "id_token.claim_type"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", ["1800000000", -1, -0.5, LAST_DATE + 1, 1e300, 10**19, []])
def test_no_date(make_token, claims, name, value):
    """A date is a number between 1970 and the year 9999, never a text."""
    assert _refused(make_token({**claims, name: value})) == "id_token.claim_type"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", [0, 0.25, 2**31, 2**32 + 1, 1_800_000_000.75, LAST_DATE])
def test_date(make_token, claims, name, value):
    """A date may be fractional, and lie after 2038 and 2106."""
    read = getattr(parse_assertion(make_token({**claims, name: value})), name)
    assert (float, value) == (type(read), read)


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"1e999"])
def test_date_is_finite(make_token, literal):
    """A date that is no finite number makes the whole document malformed."""
    payload = b'{"iss":"i","sub":"s","aud":"a","exp":' + literal + b',"iat":1}'
    assert _refused(make_token(payload)) == "id_token.malformed"


@pytest.mark.parametrize("aud", [["shop"], ["shop", "other"], ["a", "b", "c"]])
def test_audience(make_token, claims, aud):
    """A list of audiences keeps its order."""
    assert tuple(aud) == parse_assertion(make_token({**claims, "aud": aud})).aud


@pytest.mark.parametrize("aud", [[], ["shop", "shop"], ["shop", 1], ["shop", ""], {"shop": 1}])
def test_no_audience(make_token, claims, aud):
    """A list of audiences holds at least one text, each once."""
    assert _refused(make_token({**claims, "aud": aud})) == "id_token.claim_type"


def test_no_factor(make_token, claims):
    """An empty list of factors is a list."""
    assert parse_assertion(make_token({**claims, "amr": []})).amr == ()


@pytest.mark.parametrize("name", ["events", "bizSeq", "sub_id", "code", "state", "error"])
@pytest.mark.parametrize("value", [None, {}, "x"])
def test_foreign(make_token, claims, name, value):
    """A claim of another kind of document is named, whatever it holds."""
    assert frozenset({name}) == parse_assertion(make_token({**claims, name: value})).foreign


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"{", b'{"iss":"a","iss":"b"}', b'{"iss":"\\ud800"}']
)
def test_malformed(make_token, payload):
    """The payload is one strict JSON object."""
    assert _refused(make_token(payload)) == "id_token.malformed"


def test_size(make_token, claims):
    """The limit itself is allowed, one character more is not read."""
    tokens = [make_token({**claims, "x": "x" * more}, signature=b"") for more in range(4)]
    # One of them leaves room for a whole number of quanta, which has no loose bits.
    token, room = next((one, room) for one in tokens if (room := ASSERTION_MAX_BYTES - len(one)) % 4 == 0)
    assert parse_assertion(token + "A" * room).aud == ("shop",)
    assert _refused(token + "A" * (room + 1)) == "id_token.too_large"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*REQUIRED, *TEXTS, "nbf", "auth_time", "amr", "code"]), JSON))
def test_any_claims(make_token, claims, changes):
    """Whatever the claims hold, a value of the promised types or our own error comes out."""
    try:
        value = parse_assertion(make_token({**claims, **changes}))
    except CyberIDError:
        return
    assert all(type(text) is str and text for text in (value.iss, value.sub, *value.aud))
    assert all(type(date) is float and math.isfinite(date) for date in (value.exp, value.iat))


@given(st.text() | st.binary())
def test_any_input(token):
    """Whatever arrives, our own error comes out."""
    with pytest.raises(CyberIDError):
        parse_assertion(token)


def test_repr(make_token, claims):
    """Nothing about the person and no secret is shown."""
    secrets = {
        name: f"secret of {name}" for name in ("nonce", "acr", "at_hash", "sid", "age_band", "persistence")
    }
    shown = repr(
        parse_assertion(make_token({**claims, **secrets, "amr": ["secret"], "auth_time": 1_799_999_999}))
    )
    assert [part for part in ("secret", claims["sub"], "1799999999") if part in shown] == []
