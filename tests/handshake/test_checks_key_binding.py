"""The holder's word: accepted, refused, and exactly where one becomes the other."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest

from cyberid_client import VerificationError
from cyberid_client.error_codes import CATALOGUE
from cyberid_client.handshake import checklists
from cyberid_client.testing.jose import ALGORITHMS

from .conftest import NOW, SECONDS
from .presented import AGE_BAND, CLIENT_ID, PresentationBench, digest

SIGNATURE = ("check_signature", "key_binding.signature")
SD_HASH = ("check_binding_sd_hash", "key_binding.sd_hash")
AUDIENCE = ("check_binding_audience", "key_binding.audience")
NONCE = ("check_binding_nonce", "key_binding.nonce")
AGE = {"age_band": True}


@pytest.fixture(scope="module")
def presented(parts):
    return PresentationBench.of(parts)


class TestPresence:
    def test_a_credential_alone_proves_nothing(self, presented):
        """Whoever copied it has it too."""
        refused = ("check_key_binding_is_there", "key_binding.missing")
        assert refused == presented.verdict(bare=True)

    def test_what_is_no_key_binding_is_refused(self, presented):
        """The last part is one, or there is none."""
        text = presented.presentation(bare=True)
        for last in ("x", "a.b.c", AGE_BAND):
            assert ("parsing", "key_binding.malformed") == presented.verdict(
                edit_text=lambda _, last=last: text + last
            )


class TestSignature:
    def test_the_key_is_the_credentials(self, presented):
        """A stranger's key signs for the stranger only."""
        assert SIGNATURE == presented.verdict(kb={"holder": ALGORITHMS["ES256"].generate()})

    @pytest.mark.parametrize("at", [0, 31, 32, 63])
    def test_one_bit(self, presented, at):
        """A signature holds or does not."""
        assert SIGNATURE == presented.verdict(
            kb={"edit": lambda raw: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]}
        )

    def test_a_signature_of_another_form(self, presented):
        """Zeros, half of it, and one that is empty are none."""
        for edit in (lambda _: bytes(64), lambda raw: raw[:32], lambda _: b"", lambda raw: raw + b"\0"):
            assert SIGNATURE == presented.verdict(kb={"edit": edit})

    @pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "EdDSA", ...])
    def test_the_algorithm_is_the_configured_one(self, presented, alg):
        """Neither the header nor the key in the credential chooses it."""
        verdict = presented.verdict(kb={"header": {"alg": alg}})
        expected = ("check_algorithm", "key_binding.algorithm")
        assert (("parsing", "key_binding.malformed") if alg is ... else expected) == verdict

    @pytest.mark.parametrize("typ", ["JWT", "dc+sd-jwt", "kb+jwt2", "openid4vp-proof+jwt", ...])
    def test_another_kind_is_refused(self, presented, typ):
        """What the phone signed for another purpose is none."""
        assert ("check_type", "key_binding.type") == presented.verdict(kb={"header": {"typ": typ}})

    @pytest.mark.parametrize("typ", ["kb+jwt", "KB+JWT", "application/kb+jwt"])
    def test_its_kind(self, presented, typ):
        """There is one kind, spelled as media types are."""
        assert None is presented.verdict(kb={"header": {"typ": typ}})

    def test_an_extension_that_nobody_understands(self, presented):
        """What is critical and unknown is refused."""
        refused = ("check_critical", "key_binding.critical")
        assert refused == presented.verdict(kb={"header": {"crit": ["exp"], "exp": 1}})

    def test_other_members_of_its_header_are_ignored(self, presented):
        """A wallet may name its key; the credential's is tried."""
        other = ALGORITHMS["ES256"].generate()
        assert None is presented.verdict(kb={"header": {"kid": "x", "jwk": {"kty": "EC"}}})
        assert SIGNATURE == presented.verdict(kb={"header": {"kid": "x"}, "holder": other})


class TestWhatItIsAbout:
    @pytest.mark.parametrize(
        "audience",
        [
            CLIENT_ID.removeprefix("x509_hash:"),
            CLIENT_ID + "x",
            CLIENT_ID.upper(),
            "x509_san_dns:shop.example",
            "https://shop.example",
            "shop",
            "origin:https://shop.example",
        ],
    )
    def test_it_is_for_the_client_id_of_the_request(self, presented, audience):
        """Neither sector nor OAuth client id, and the prefix belongs to it."""
        assert AUDIENCE == presented.verdict(kb={"aud": audience})

    def test_a_list_of_one_is_refused(self, presented):
        """It is one text."""
        assert ("parsing", "key_binding.claim_type") == presented.verdict(kb={"aud": [CLIENT_ID]})

    @pytest.mark.parametrize("nonce", ["", "made-up-nonc", "made-up-noncee", "MADE-UP-NONCE", "é"])
    def test_it_answers_this_request(self, presented, nonce):
        """What was shown for another request is not shown again."""
        refused = NONCE if nonce else ("parsing", "key_binding.claim_type")
        assert refused == presented.verdict(kb={"nonce": nonce})

    def test_a_disclosure_that_was_taken_out(self, presented):
        """What the holder showed cannot be hidden again by whoever passes it on."""
        shown = presented.presentation(disclosures=(AGE_BAND,))
        taken = shown.replace(f"{AGE_BAND}~", "")
        assert None is presented.verdict(asked=AGE, edit_text=lambda _: shown)
        assert SD_HASH == presented.verdict(asked=AGE, edit_text=lambda _: taken)

    def test_a_disclosure_that_was_put_in(self, presented):
        """What the holder withheld cannot be added by whoever knows it."""
        jwt, _, binding = presented.presentation().partition("~")
        assert SD_HASH == presented.verdict(asked=AGE, edit_text=lambda _: f"{jwt}~{AGE_BAND}~{binding}")

    def test_another_credential_for_the_same_key(self, presented):
        """A key binding belongs to one credential, also where two have one key."""
        binding = presented.presentation(acr="urn:cyberid:mode:r01").rpartition("~")[2]
        bare = presented.presentation(bare=True)
        assert SD_HASH == presented.verdict(edit_text=lambda _: bare + binding)

    def test_the_hash_is_over_what_was_received(self, presented):
        """Neither the JWT alone nor all without its last tilde is what was shown."""
        bare = presented.presentation(bare=True)
        for wrong in (bare[:-1], bare + "~", "", bare.partition("~")[0]):
            binding = presented.binding(bare, sd_hash=digest(wrong))
            assert SD_HASH == presented.verdict(edit_text=lambda _, binding=binding: bare + binding)


class TestTime:
    @pytest.mark.parametrize("offset", [0, 900, -900, 899.5, -899.5])
    def test_the_clock_of_a_phone(self, presented, offset):
        """A quarter of an hour either way is forgiven."""
        assert None is presented.verdict(kb={"iat": SECONDS + offset})

    @pytest.mark.parametrize(
        ("offset", "code"),
        [
            (900.5, "issued_in_future"),
            (901, "issued_in_future"),
            (31_536_000, "issued_in_future"),
            (-900.5, "issued_too_long_ago"),
            (-901, "issued_too_long_ago"),
            (-31_536_000, "issued_too_long_ago"),
        ],
    )
    def test_a_clock_that_is_further_off(self, presented, offset, code):
        """It is refused, and the error says by how much, so that the person can be told to set the clock."""
        refused = ("check_binding_issued_at", f"key_binding.{code}")
        assert refused == presented.verdict(kb={"iat": SECONDS + offset})
        with pytest.raises(VerificationError) as caught:
            presented.verify(presented.presentation(kb={"iat": SECONDS + offset}))
        error = caught.value
        assert round(offset) == error.clock_offset
        assert f"{CATALOGUE[error.code].sentence} Offset: {round(offset)} s." == str(error)
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made a moment ago
        assert (error.code, error.clock_offset, str(error)) == (copy.code, copy.clock_offset, str(copy))

    def test_other_errors_have_no_offset(self, presented):
        """It is told where a clock is what is wrong."""
        with pytest.raises(VerificationError) as caught:
            presented.verify(presented.presentation(kb={"nonce": "another"}))
        assert None is caught.value.clock_offset
        assert CATALOGUE["key_binding.nonce"].sentence == str(caught.value)

    @pytest.mark.parametrize(
        ("dates", "code"),
        [
            ({"nbf": SECONDS + 900}, None),
            ({"nbf": SECONDS + 900.5}, "not_yet_valid"),
            ({"exp": SECONDS + 0.5}, None),
            ({"exp": SECONDS}, "expired"),
            ({"exp": SECONDS - 1}, "expired"),
        ],
    )
    def test_further_dates_hold(self, presented, dates, code):
        """A wallet need not say them; what it says counts, and for an end nothing is forgiven."""
        refused = None if code is None else ("check_binding_dates", f"key_binding.{code}")
        assert refused == presented.verdict(kb=dates)

    def test_now_is_what_the_caller_says(self, presented):
        """The same presentation is fresh at one moment and old at another."""
        made, late = presented.presentation(), NOW + timedelta(seconds=901)
        assert presented.verify(made).pseudonym
        with pytest.raises(VerificationError) as caught:
            presented.verify(made, now=late)
        assert ("key_binding.issued_too_long_ago", -901) == (caught.value.code, caught.value.clock_offset)


def test_the_signature_goes_before_what_was_signed():
    """Structure, signature, then claims."""
    names = [each.name for each in checklists.KEY_BINDING]
    assert ["check_algorithm", "check_critical", "check_type", "check_signature"] == names[:4]


def test_the_issuers_word_goes_before_the_holders(presented):
    """Nothing that the holder signed is looked at while it is not known whose key it is."""
    both = {"iss": "https://other.example", "kb": {"nonce": "another"}}
    assert ("check_assertion_issuer", "credential.issuer") == presented.verdict(**both)
