"""The signed authorization response: who may say it, to whom, in answer to what, and how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client import CyberIDError, LoginDeclinedError
from cyberid_client.handshake.flow import KeysWanted, ListsWanted
from cyberid_client.trust import KeySet, RevocationLists
from cyberid_client.wire.jarm import JARM_MAX_BYTES
from cyberid_client.wire.jwks import parse_jwks

from .conftest import json_response
from .sealed import JARMBench, stubborn

MODE = ("check_response_mode", "callback.response_mode")
STATE = ("check_state", "jarm.state")
BOTH = ("check_code_or_error", "jarm.code_or_error")
ISSUER = ("check_assertion_issuer", "jarm.issuer")
AUDIENCE = ("check_audience", "jarm.audience")
EXPIRED = ("check_expiry", "jarm.expired")
LIFETIME = ("check_response_lifetime", "jarm.lifetime")
KIND = ("check_kind", "jarm.kind")
BARE = {"assertion_chain": "absent"}


@pytest.fixture(scope="session")
def jarm(parts) -> JARMBench:
    return JARMBench(**parts)


def parse(*entries):
    """Return the keys of a key set with these entries."""
    return parse_jwks(json_response({"keys": list(entries)}))


def no_signature(draft):
    draft.edit_signature = lambda _: bytes(64)


class TestAround:
    def test_an_honest_response_gives_its_code(self, jarm):
        """What is inside comes out, and nothing is asked for."""
        with pytest.raises(StopIteration) as stop:
            next(jarm.flow(response=jarm.token()))
        assert stop.value.value == "made-up-code"

    @pytest.mark.parametrize("name", ["state", "iss", "code", "error"])
    def test_nothing_plain_stands_beside_a_signed_response(self, jarm, name):
        """A plain parameter is refused, also one that says the same, and iss too."""
        honest = {
            "state": "made-up-state",
            "iss": jarm.issuer,
            "code": "made-up-code",
            "error": "access_denied",
        }
        assert MODE == jarm.around(**{name: honest[name]})

    @pytest.mark.parametrize("plain", [{}, {"state": "made-up-state", "code": "made-up-code"}])
    def test_a_plain_answer_is_refused_where_a_signed_one_is_configured(self, jarm, plain):
        """A protection that is configured cannot be left out, whoever left it out."""
        assert MODE == jarm.around(response=..., **plain)
        assert MODE == jarm.around(response="", **plain)

    def test_a_signed_answer_is_refused_where_a_plain_one_is_configured(self, jarm, responses):
        """The other way round it is refused too, alone and beside a plain one."""
        assert MODE == responses.callback(response=jarm.token())
        assert MODE == responses.callback(response=jarm.token(), state=..., iss=..., code=...)

    def test_unknown_parameters_are_ignored(self, jarm):
        """A response may carry more than is read."""
        assert None is jarm.around(session_state="x", error="")

    def test_it_finishes_as_what_it_started(self, jarm):
        """Kind, issuer and client of the pending login are compared before anything is parsed."""
        for asked in ({"kind": "wallet"}, {"pending": {"issuer": "https://other.example"}}):
            assert ("check_same_handshake", "login.other_kind") == jarm.around(**asked, response="x")

    @pytest.mark.parametrize(("late", "code"), [(-0.001, None), (0, "login.expired")])
    def test_it_is_gone_from_the_very_second_of_its_end(self, jarm, late, code):
        """The time of the pending login is up before anything is parsed."""
        verdict = jarm.around(now=jarm.now + timedelta(seconds=590 + late))
        assert (None if code is None else ("check_lifetime", code)) == verdict


class TestForm:
    @pytest.mark.parametrize("response", ["x", "a.b", "e30.e30.", "e30.e30.AAAA", "null", "..", "é.e.e"])
    def test_it_is_a_compact_token(self, jarm, response):
        """Anything else is malformed, and is so before a key is looked for."""
        assert ("parsing", "jarm.malformed") == jarm.verdict(response=response)

    def test_an_encrypted_one_is_refused(self, jarm):
        """Encrypted responses are never asked for."""
        assert ("parsing", "jarm.encrypted") == jarm.verdict(response="a.b.c.d.e")

    def test_it_is_as_long_as_a_callback_may_be(self, jarm):
        """A response is refused unread when it could not come in a callback."""
        with pytest.raises(CyberIDError) as caught:
            stubborn(jarm.flow(response="a" * JARM_MAX_BYTES))
        assert caught.value.code == "callback.too_large"

    @pytest.mark.parametrize("claim", ["iss", "aud", "exp"])
    def test_the_required_claims_are_there(self, jarm, claim):
        """Issuer, audience and end are required (JARM §2.1)."""
        assert ("parsing", "jarm.claim_missing") == jarm.verdict(**{claim: ...})

    @pytest.mark.parametrize("claim", ["iss", "aud", "exp", "state", "code", "nbf"])
    @pytest.mark.parametrize("value", [None, True, {}, [], "", [1]])
    def test_every_claim_has_its_type(self, jarm, claim, value):
        """A claim of another type is refused, an empty text included."""
        assert ("parsing", "jarm.claim_type") == jarm.verdict(**{claim: value})

    @pytest.mark.parametrize("claim", ["state", "code"])
    def test_texts_are_visible(self, jarm, claim):
        """Control characters and letters beyond ASCII are in no state and in no code."""
        for value in ("a\nb", "é", "a\x7f"):
            assert ("parsing", "jarm.claim_type") == jarm.verdict(**{claim: value})


class TestSigner:
    @pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "es256", "PS256"])
    def test_the_algorithm_is_the_configured_one(self, jarm, alg):
        """What the header says decides nothing."""
        assert ("check_algorithm", "jarm.algorithm") == jarm.verdict(header={"alg": alg})

    def test_a_critical_extension_is_refused(self, jarm):
        """None is understood."""
        assert ("check_critical", "jarm.critical") == jarm.verdict(header={"crit": ["exp"]})

    @pytest.mark.parametrize("typ", [..., "JWT", "jwt", "application/jwt"])
    def test_its_type_is_absent_or_jwt(self, jarm, typ):
        """Both are honest."""
        assert None is jarm.verdict(header={"typ": typ})

    @pytest.mark.parametrize(
        "typ", ["logout+jwt", "cyberid-receipt+jwt", "secevent+jwt", "oauth-authz-req+jwt"]
    )
    def test_another_type_is_refused(self, jarm, typ):
        """A document of another kind is no response."""
        assert ("check_type", "jarm.type") == jarm.verdict(header={"typ": typ})

    def test_the_signature_holds(self, jarm):
        """A signature of zeros is refused."""
        assert ("check_signature", "jarm.signature") == jarm.verdict(edit=no_signature)

    def test_the_purpose_is_that_of_assertions(self, jarm):
        """A key of another purpose signs no response, whoever certified it."""
        signer = jarm.keyring.signer("metadata")
        assert ("check_chain", "chain.purpose") == jarm.verdict(signer=signer)

    def test_a_chain_leads_to_a_pinned_root(self, jarm):
        """Neither header nor key set with a chain: refused, unless that is the named exception."""
        own = jarm.keyring.signer("assertion")
        entry = {name: value for name, value in own.to_jwk().items() if name != "x5c"}
        bare = KeySet.from_jwks(parse(entry))
        missing = ("check_chain", "jarm.chain_missing")
        assert missing == jarm.verdict(header={"x5c": ...}, keys=bare)
        assert None is jarm.verdict(header={"x5c": ...}, keys=bare, settings=BARE)
        assert None is jarm.verdict(header={"x5c": ...})

    def test_a_certificate_of_another_key_is_refused(self, jarm):
        """The signing key is that of the certificate."""
        stranger = jarm.keyring.make_signer("assertion", jarm.now)
        header = {"x5c": stranger.to_jwk()["x5c"]}
        assert ("check_chain", "jarm.key_mismatch") == jarm.verdict(header=header)

    def test_a_certified_key_must_be_published(self, jarm):
        """Without a chain it would be unknown."""
        stranger = jarm.keyring.make_signer("assertion", jarm.now)
        assert ("check_key_is_published", "jarm.key_unpublished") == jarm.verdict(signer=stranger)
        assert ("check_key", "jarm.key_unknown") == jarm.verdict(signer=stranger, settings=BARE)

    def test_two_keys_of_one_name_are_no_choice(self, jarm):
        """There is exactly one key to try."""
        own, stranger = jarm.keyring.signer("assertion"), jarm.keyring.make_signer("assertion", jarm.now)
        two = KeySet.from_jwks(parse({**stranger.to_jwk(), "kid": own.kid}, own.to_jwk()))
        assert ("check_key", "jarm.key_ambiguous") == jarm.verdict(keys=two)

    def test_revocation_lists_answer_for_it(self, jarm):
        """Without lists nobody knows whether the signer is still one."""
        assert ("check_revocation", "revocation.unknown") == jarm.verdict(crls=RevocationLists())
        assert None is jarm.verdict(crls=RevocationLists(), settings=BARE)


class TestClaims:
    @pytest.mark.parametrize("claim", ["sub", "nonce", "events", "bizSeq", "sub_id"])
    @pytest.mark.parametrize("value", ["x", None, 1, {}])
    def test_claims_of_other_documents_are_refused(self, jarm, claim, value):
        """Neither sub nor nonce stands in a response, nor what belongs to events and receipts."""
        assert KIND == jarm.verdict(**{claim: value})

    def test_an_assertion_is_no_response(self, jarm, assertion):
        """An ID token in the response's place is refused by its kind, and a response in its place by its."""
        assert KIND == jarm.verdict(response=assertion.token())
        code = {"state": "made-up-state", "code": "made-up-code"}
        assert ("check_kind", "id_token.kind") == assertion.verdict(**code)

    @pytest.mark.parametrize(
        "issuer", ["https://issuer.example1", "https://issuer.example/", "issuer.example"]
    )
    def test_the_issuer_is_compared_byte_for_byte(self, jarm, issuer):
        """Another issuer answers another login."""
        assert ISSUER == jarm.verdict(iss=issuer)

    @pytest.mark.parametrize("audience", ["shop1", ["shop", "other"], ["other"], "SHOP"])
    def test_the_audience_is_this_client_alone(self, jarm, audience):
        """What is for another client too is for another client."""
        assert AUDIENCE == jarm.verdict(aud=audience)

    def test_an_audience_may_be_a_list_of_one(self, jarm):
        """One audience in a list is one audience."""
        assert None is jarm.verdict(aud=["shop"])

    @pytest.mark.parametrize(
        ("ahead", "verdict"),
        [(-360, EXPIRED), (0, EXPIRED), (0.001, None), (600, None), (610, None), (610.001, LIFETIME)],
    )
    def test_it_ends_soon_and_not_yet(self, jarm, ahead, verdict):
        """Its end has no leeway; ten minutes from now is the latest, and our clock may be behind."""
        assert verdict == jarm.verdict(exp=jarm.seconds + ahead)

    @pytest.mark.parametrize(("ahead", "code"), [(-1, None), (10, None), (10.001, "jarm.not_yet_valid")])
    def test_a_beginning_is_kept(self, jarm, ahead, code):
        """A response is not used before its time, where it says so."""
        verdict = jarm.verdict(nbf=jarm.seconds + ahead)
        assert (None if code is None else ("check_not_before", code)) == verdict

    @pytest.mark.parametrize("state", [..., "made-up-state1", "made-up-stat", "Made-up-state"])
    def test_the_state_is_that_of_the_login(self, jarm, state):
        """Absent and different states are refused alike."""
        assert STATE == jarm.verdict(state=state)

    @pytest.mark.parametrize("claims", [{"error": "access_denied"}, {"code": ...}])
    def test_there_is_exactly_one_of_code_and_error(self, jarm, claims):
        """Both and neither are refused."""
        assert BOTH == jarm.verdict(**claims)

    def test_unknown_claims_are_dropped(self, jarm):
        """A response may say more than is read."""
        assert None is jarm.verdict(iat=jarm.seconds, s_hash="x", session_state=1, error_description=2)


class TestDeclined:
    def test_an_error_declines_the_login(self, jarm):
        """The issuer's no is believed like its yes."""
        with pytest.raises(LoginDeclinedError) as caught:
            stubborn(jarm.flow(response=jarm.token(code=..., error="access_denied")))
        assert caught.value.code == "declined.access_denied"

    def test_an_issuer_in_trouble_has_declined_nothing(self, jarm):
        """Trouble at the issuer is no answer of the person."""
        assert ("check_declined", "issuer.unavailable") == jarm.verdict(code=..., error="server_error")

    @pytest.mark.parametrize(
        ("change", "verdict"),
        [
            ({"state": "x"}, STATE),
            ({"iss": "https://other.example"}, ISSUER),
            ({"edit": no_signature}, ("check_signature", "jarm.signature")),
            ({"crls": RevocationLists()}, ("check_revocation", "revocation.unknown")),
        ],
    )
    def test_a_strangers_no_ends_nothing(self, jarm, change, verdict):
        """An error is looked at when all else is believed."""
        assert verdict == jarm.verdict(code=..., error="access_denied", **change)


class TestFetching:
    """What a response makes the client fetch: nothing, unless its signer is proven or its door is open."""

    @pytest.mark.parametrize(
        "broken",
        [
            {"edit": no_signature},
            {"header": {"alg": "none"}},
            {"header": {"kid": "x"}, "edit": no_signature},
            {"state": "x"},
            {"aud": "other"},
            {"exp": 1},
        ],
    )
    def test_a_forgery_fetches_nothing(self, jarm, broken):
        """What cannot be believed with newer keys asks for none."""
        with pytest.raises(CyberIDError):
            next(jarm.flow(response=jarm.token(**broken)))

    def test_a_new_certified_key_is_proven(self, jarm):
        """After chain and signature hold, the key set is asked for that very key."""
        new = jarm.keyring.make_signer("assertion", jarm.now)
        flow = jarm.flow(response=jarm.token(signer=new))
        wanted = next(flow)
        assert isinstance(wanted, KeysWanted)
        newer = KeySet.from_jwks(parse(new.to_jwk()))
        assert (jarm.keys, "callback", newer.keys[0].public_key_info) == (
            wanted.tried,
            wanted.entry,
            wanted.proven_key,
        )
        with pytest.raises(StopIteration) as stop:
            flow.send(newer)
        assert stop.value.value == "made-up-code"

    def test_a_name_alone_proves_nothing(self, jarm):
        """Without a chain the request goes through the bucket of callbacks."""
        wanted = next(jarm.flow(response=jarm.token(header={"kid": "x", "x5c": ...})))
        assert ("callback", b"") == (wanted.entry, wanted.proven_key)

    def test_keys_are_asked_for_once(self, jarm):
        """A key that the newer set does not hold either is refused."""
        new = jarm.keyring.make_signer("assertion", jarm.now)
        with pytest.raises(CyberIDError) as caught:
            stubborn(jarm.flow(response=jarm.token(signer=new)))
        assert caught.value.code == "jarm.key_unpublished"

    def test_lists_are_asked_for_when_all_else_holds(self, jarm):
        """Only then is a list worth a fetch, and with it the response is believed."""
        flow = jarm.flow(response=jarm.token(), crls=RevocationLists())
        wanted = next(flow)
        assert isinstance(wanted, ListsWanted)
        assert wanted.certificates
        with pytest.raises(StopIteration) as stop:
            flow.send(jarm.crls)
        assert stop.value.value == "made-up-code"
        with pytest.raises(CyberIDError) as caught:
            next(jarm.flow(response=jarm.token(state="x"), crls=RevocationLists()))
        assert caught.value.code == "jarm.state"


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_response_is_our_own_error(jarm, response):
    """Whatever the browser brings, our own error comes out."""
    with pytest.raises(CyberIDError):
        stubborn(jarm.flow(response=response))


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_any_changed_character_is_our_own_error(jarm, place, octet):
    """A response in which one character was replaced is refused, or was not changed."""
    token = jarm.token()
    place %= len(token)
    changed = token[:place] + chr(octet) + token[place + 1 :]
    if changed == token:
        return
    with pytest.raises(CyberIDError):
        stubborn(jarm.flow(response=changed))
