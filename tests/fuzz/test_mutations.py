"""One thing changed in a good message: refused with exactly the code of the rule that it breaks.

Each row says what is changed, from which values, and the code. The named faults of the mock issuer are
single examples of the same rules; here the values are drawn.
"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cyberid_client import Assurance, Login
from cyberid_client.testing.jose import b64url

from .bench import SECONDS, bench, code_of, json_response
from .strategies import mild_values

BENCH = bench()
# There are more than a hundred rows: a quarter of the usual examples for each is still many.
a_quarter = settings(max_examples=max(settings.default.max_examples // 4, 5))
ISSUER = BENCH.issuer.issuer
ABSENT = object()
LEEWAY, OLDEST, LAST_DATE = 10, 600, 253_370_764_800
DAY = 86_400

texts = st.text(min_size=1, max_size=40)
no_texts = mild_values.filter(lambda value: not isinstance(value, str) or not value)
no_dates = mild_values.filter(
    lambda value: isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LAST_DATE
)
absent = st.just(ABSENT)


def but(*honest):
    """Return texts other than the honest ones."""
    return st.one_of(texts, *(others_of(one) for one in honest)).filter(lambda text: text not in honest)


def others_of(text):
    """Return texts that look like this one: with more, less, other letters."""
    return st.one_of(
        texts.map(lambda more: text + more),
        texts.map(lambda more: more + text),
        st.integers(0, max(len(text) - 2, 0)).map(lambda end: text[: end + 1]),
        st.just(text.swapcase()),
        st.just(text + "/"),
    ).filter(lambda other: other not in {text, ""})


def between(low, high):
    return st.integers(low, high) | st.floats(low, high)


def shaped(alphabet, low, high):
    return st.text(alphabet, min_size=low, max_size=high)


URL_SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
misshapen = st.one_of(
    shaped(URL_SAFE, 1, 21),
    shaped(URL_SAFE, 129, 200),
    st.tuples(shaped(URL_SAFE, 22, 60), st.sampled_from(".@ +/=~é\n中"), shaped(URL_SAFE, 22, 60)).map(
        "".join
    ),
)
modes = [mode.value for mode in Assurance]
TOKEN_CLAIMS = {
    "iss": [("issuer", but(ISSUER)), ("claim_missing", absent), ("claim_type", no_texts)],
    "aud": [
        ("audience", but("shop")),
        (
            "audience",
            st.lists(texts, min_size=1, max_size=4, unique=True).filter(lambda aud: aud != ["shop"]),
        ),
        ("claim_missing", absent),
        ("claim_type", no_texts.filter(lambda aud: not isinstance(aud, list)) | st.just([])),
        ("claim_type", st.lists(texts, min_size=1, max_size=3).map(lambda aud: [*aud, aud[0]])),
    ],
    "azp": [("authorized_party", but("shop")), ("claim_type", no_texts)],
    "exp": [("expired", between(0, SECONDS)), ("claim_missing", absent), ("claim_type", no_dates)],
    "iat": [
        ("issued_in_future", between(SECONDS + LEEWAY + 1, LAST_DATE)),
        ("issued_too_long_ago", between(0, SECONDS - OLDEST - 1)),
        ("claim_missing", absent),
        ("claim_type", no_dates),
    ],
    "nbf": [("not_yet_valid", between(SECONDS + LEEWAY + 1, LAST_DATE)), ("claim_type", no_dates)],
    "auth_time": [
        ("auth_time_missing", absent),
        ("auth_time_in_future", between(SECONDS + LEEWAY + 1, LAST_DATE)),
        ("claim_type", no_dates),
    ],
    "nonce": [("nonce", absent), ("nonce", but(BENCH.claims["nonce"])), ("claim_type", no_texts)],
    "at_hash": [("access_token_hash", but(BENCH.claims["at_hash"])), ("claim_type", no_texts)],
    "acr": [
        ("assurance", absent),
        ("assurance", but(*modes)),
        ("assurance", st.sampled_from([Assurance.R01.value, Assurance.R03.value])),
        ("claim_type", no_texts),
    ],
    "amr": [
        ("factors", absent),
        ("factors", st.lists(but("certificate", "password"), max_size=4)),
        ("factors", st.lists(st.sampled_from(["certificate", "face", "x"]), max_size=4)),
        ("claim_type", no_texts.filter(lambda amr: not isinstance(amr, list)) | texts),
    ],
    "sub": [("subject", misshapen), ("claim_missing", absent), ("claim_type", no_texts)],
    "sid": [("session_id", misshapen), ("claim_type", no_texts)],
    "sector": [("sector", absent), ("sector", but("https://shop.example")), ("claim_type", no_texts)],
    "persistence": [("persistence", absent), ("persistence", but("A", "B", "C")), ("claim_type", no_texts)],
    "age_band": [("age_band", texts), ("claim_type", no_texts)],
    **{name: [("kind", mild_values)] for name in ("events", "bizSeq", "sub_id", "code", "state", "error")},
}
OTHER_TYPES = but("JWT", "jwt", "application/jwt", "application/JWT").filter(
    lambda typ: typ.lower().removeprefix("application/") != "jwt"
)
TOKEN_HEADER = {
    "alg": [("algorithm", but("ES256")), ("malformed", absent), ("malformed", no_texts)],
    "typ": [("type", OTHER_TYPES), ("malformed", no_texts)],
    "crit": [("critical", mild_values)],
    "b64": [("critical", mild_values)],
    "kid": [("malformed", no_texts)],
    "x5c": [("malformed", texts | st.integers() | st.none() | st.just([]) | st.just([1]))],
}
METADATA_CLAIMS = {
    **{name: [("issuer", but(ISSUER)), ("claim_missing", absent), ("claim_type", no_texts)] for name in ("iss", "sub", "issuer")},
    "iat": [
        ("issued_in_future", between(SECONDS + LEEWAY + 1, SECONDS + DAY - 1)),
        ("lifetime", between(0, SECONDS - 6 * DAY - 1)),
        ("claim_missing", absent),
        ("claim_type", no_dates),
    ],
    "exp": [
        ("expired", between(0, SECONDS)),
        ("lifetime", between(SECONDS + 7 * DAY + 1, LAST_DATE)),
        ("claim_missing", absent),
        ("claim_type", no_dates),
    ],
    **{
        name: [
            ("endpoint", st.sampled_from(["http://issuer.example/x", "https://other.example/x", "ftp://issuer.example/"])),
            ("endpoint", others_of(ISSUER).map(lambda text: f"https://x.{text}")),
            ("claim_missing", absent),
            ("claim_type", no_texts),
        ]
        for name in ("authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint", "jwks_uri")
    },
    **{
        name: [("capability", absent), ("capability", st.lists(but(value), max_size=3))]
        for name, value in (
            ("response_types_supported", "code"),
            ("code_challenge_methods_supported", "S256"),
            ("token_endpoint_auth_methods_supported", "private_key_jwt"),
            ("token_endpoint_auth_signing_alg_values_supported", "ES256"),
            ("id_token_signing_alg_values_supported", "ES256"),
            ("acr_values_supported", Assurance.R02.value),
            ("subject_types_supported", "pairwise"),
        )
    },
    "authorization_response_iss_parameter_supported": [
        ("capability", absent),
        ("capability", st.just(False)),
        ("claim_type", mild_values.filter(lambda value: not isinstance(value, bool))),
    ],
}  # fmt: skip
TOKEN_RESPONSE = {
    "access_token": [
        ("token.access_token", absent),
        ("token.access_token", st.text(" \té中", min_size=1, max_size=9)),
        ("token.access_token", no_texts),
        ("id_token.access_token_hash", shaped(URL_SAFE, 1, 60)),
    ],
    "token_type": [
        ("token.token_type", absent),
        ("token.token_type", but("Bearer").filter(lambda kind: kind.lower() != "bearer")),
        ("token.token_type", no_texts),
    ],
    "expires_in": [
        ("token.expires_in", st.integers(-(10**15), -1)),
        ("token.expires_in", mild_values.filter(lambda value: isinstance(value, bool) or not isinstance(value, int | float))),
    ],
    "scope": [
        ("token.scope", texts.filter(lambda scope: "openid" not in scope.split(" "))),
        ("token.scope", no_texts),
    ],
    "id_token": [("token.id_token_missing", absent), ("token.id_token_missing", no_texts)],
}  # fmt: skip
PAR = {
    "request_uri": [
        ("par.request_uri", absent),
        ("par.request_uri", no_texts),
        ("par.request_uri", st.text(" \té中", min_size=1, max_size=9)),
        ("par.request_uri", st.integers(2049, 4000).map(lambda size: "x" * size)),
    ],
    "expires_in": [
        ("par.expires_in", absent),
        ("par.expires_in", st.integers(-(10**15), 0)),
        ("par.expires_in", mild_values.filter(lambda value: isinstance(value, bool) or not isinstance(value, int | float))),
    ],
}  # fmt: skip


def is_plain(text):
    return text.isascii() and text.isprintable()


def rows(table):
    return [
        pytest.param(name, code, values, id=f"{name}-{code}-{position}")
        for name, mutators in table.items()
        for position, (code, values) in enumerate(mutators)
    ]


def change(document, name, value):
    changed = {**document, name: value}
    return {key: one for key, one in changed.items() if one is not ABSENT}


def test_nothing_changed_is_a_login():
    """The message in which one thing is changed is good."""
    assert isinstance(BENCH.finish(), Login)
    assert isinstance(BENCH.finish_with(BENCH.sign(BENCH.header, BENCH.claims)), Login)
    metadata = BENCH.sign(BENCH.metadata_header, BENCH.metadata_claims, purpose="metadata")
    assert BENCH.learn(discovery=BENCH.discovery_with(metadata)).handle


class TestAssertion:
    @pytest.mark.parametrize(("name", "code", "values"), rows(TOKEN_CLAIMS))
    @a_quarter
    @given(data=st.data())
    def test_one_claim(self, name, code, values, data):
        """A claim that breaks its rule is refused with that rule's code."""
        token = BENCH.sign(BENCH.header, change(BENCH.claims, name, data.draw(values)))
        assert f"id_token.{code}" == code_of(lambda: BENCH.finish_with(token))

    @pytest.mark.parametrize(("name", "code", "values"), rows(TOKEN_HEADER))
    @a_quarter
    @given(data=st.data())
    def test_one_member_of_the_header(self, name, code, values, data):
        """A member of the header that breaks its rule is refused with that rule's code."""
        token = BENCH.sign(change(BENCH.header, name, data.draw(values)), BENCH.claims)
        assert f"id_token.{code}" == code_of(lambda: BENCH.finish_with(token))

    @given(data=st.data())
    def test_one_bit_of_what_is_signed(self, data):
        """A change of a payload under the old signature is refused as a signature, or as no JSON."""
        head, payload, signature = BENCH.token_document["id_token"].split(".")
        at = data.draw(st.integers(0, len(payload) - 1))
        other = data.draw(st.sampled_from(URL_SAFE))
        assume(other != payload[at])
        token = f"{head}.{payload[:at]}{other}{payload[at + 1 :]}.{signature}"
        unreadable = {"id_token.malformed", "id_token.claim_type", "id_token.claim_missing"}
        assert code_of(lambda: BENCH.finish_with(token)) in {"id_token.signature", *unreadable}

    @given(data=st.data())
    def test_one_byte_of_the_signature(self, data):
        """A signature with one byte changed is refused as a signature."""
        message, _, _ = BENCH.token_document["id_token"].rpartition(".")
        at, by = data.draw(st.integers(0, 63)), data.draw(st.integers(1, 255))
        draft_signature = BENCH.keyring.signer("assertion").sign(message.encode())
        broken = draft_signature[:at] + bytes([draft_signature[at] ^ by]) + draft_signature[at + 1 :]
        token = f"{message}.{b64url(broken)}"
        assert "id_token.signature" == code_of(lambda: BENCH.finish_with(token))


class TestMetadata:
    @pytest.mark.parametrize(("name", "code", "values"), rows(METADATA_CLAIMS))
    @a_quarter
    @given(data=st.data())
    def test_one_claim(self, name, code, values, data):
        """A claim of the metadata that breaks its rule is refused with that rule's code."""
        claims = change(BENCH.metadata_claims, name, data.draw(values))
        page = BENCH.discovery_with(BENCH.sign(BENCH.metadata_header, claims, purpose="metadata"))
        assert f"metadata.{code}" == code_of(lambda: BENCH.learn(discovery=page))


class TestAnswers:
    @pytest.mark.parametrize(("name", "code", "values"), rows(TOKEN_RESPONSE))
    @a_quarter
    @given(data=st.data())
    def test_one_member_of_the_token_response(self, name, code, values, data):
        """A member of the token response that breaks its rule is refused with that rule's code."""
        document = change(BENCH.token_document, name, data.draw(values))
        assert code == code_of(lambda: BENCH.finish(token=json_response(document)))

    @pytest.mark.parametrize(("name", "code", "values"), rows(PAR))
    @a_quarter
    @given(data=st.data())
    def test_one_member_of_the_answer_to_the_pushed_request(self, name, code, values, data):
        """A member of that answer that breaks its rule is refused with that rule's code."""
        document = change(BENCH.par, name, data.draw(values))
        assert code == code_of(lambda: BENCH.learn(par=json_response(document, 201)))


SENT = dict(pair.split("=", 1) for pair in BENCH.callback.partition("?")[2].split("&"))
HONEST = {"code": SENT["code"], "state": SENT["state"], "iss": ISSUER}
plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)
CALLBACK = {
    "state": [("callback.state", absent), ("callback.state", plain | others_of(HONEST["state"]))],
    "iss": [("callback.issuer_missing", absent), ("callback.issuer", plain | others_of(ISSUER))],
    "code": [("callback.code_or_error", absent), ("callback.code_or_error", st.just(""))],
    "error": [("callback.code_or_error", plain)],
    "response": [("callback.response_mode", plain)],
}


class TestCallback:
    @pytest.mark.parametrize(("name", "code", "values"), rows(CALLBACK))
    @a_quarter
    @given(data=st.data())
    def test_one_parameter(self, name, code, values, data):
        """A parameter of the callback that breaks its rule is refused with that rule's code."""
        value = data.draw(values)
        assume(not isinstance(value, str) or is_plain(value))
        query = urlencode(change(HONEST, name, value))
        assert code == code_of(lambda: BENCH.finish(callback=query))

    @given(name=st.sampled_from(sorted(HONEST)) | plain, value=plain)
    def test_a_parameter_twice(self, name, value):
        """A parameter that stands there twice is refused, whichever it is."""
        pairs = [*HONEST.items(), (name, value), (name, HONEST.get(name, value))]
        assert "callback.parameter_repeated" == code_of(lambda: BENCH.finish(callback=urlencode(pairs)))
