"""What an issuer's credential must be: accepted, refused, and exactly where one becomes the other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cyberid_client import AgeBand, Assurance, Persistence
from cyberid_client.error_codes import CATALOGUE
from cyberid_client.handshake import checklists
from cyberid_client.testing.jose import ALGORITHMS, jwk_of
from cyberid_client.trust import RevocationLists, StatusLists, find_algorithm

from .conftest import NOW, SECONDS
from .presented import (
    ACR,
    AGE_BAND,
    BEGINS,
    EPOCH,
    LIST,
    SECTOR,
    PresentationBench,
    digest,
    disclosure,
    statuses,
)

OTHER = "https://other.example"
R = {number: f"urn:cyberid:mode:r0{number}" for number in (1, 2, 3, 4)}
# Region 11, born on the first of January 1890; the check character is worked out from ISO 7064.
RESIDENT = "110101189001010075"
TYPE = ("check_type", "credential.type")
EPOCHS = ("check_epoch", "credential.epoch")
HOLDER = ("check_holder_key", "credential.holder_key")
STATUS = "check_status"


@pytest.fixture(scope="module")
def presented(parts):
    return PresentationBench.of(parts)


class TestHeader:
    @pytest.mark.parametrize("typ", ["dc+sd-jwt", "DC+SD-JWT", "application/dc+sd-jwt"])
    def test_its_kind(self, presented, typ):
        """There is one kind, spelled as media types are."""
        assert None is presented.verdict(header={"typ": typ})

    @pytest.mark.parametrize("typ", ["vc+sd-jwt", "sd-jwt", "JWT", "kb+jwt", "dc+sd-jwt2", ...])
    def test_another_kind_is_refused(self, presented, typ):
        """Also the one that drafts had, and none at all."""
        assert TYPE == presented.verdict(header={"typ": typ})

    @pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5t", "iat", "cty", "iss", "vctm"])
    def test_no_member_that_could_be_a_persons_number(self, presented, name):
        """What is signed and the same for nobody else leads from one sector to another."""
        assert ("check_header_members", "credential.header") == presented.verdict(header={name: "x"})

    def test_fewer_members_are_no_more(self, presented):
        """The key set has the chain too, and one key needs no name."""
        assert None is presented.verdict(header={"x5c": ...})
        assert None is presented.verdict(header={"kid": ...})

    @pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "es256"])
    def test_the_algorithm_is_the_configured_one(self, presented, alg):
        """The header chooses nothing."""
        assert ("check_algorithm", "credential.algorithm") == presented.verdict(header={"alg": alg})


class TestSigner:
    @pytest.mark.parametrize("purpose", ["assertion", "metadata", "status"])
    def test_a_signer_of_another_purpose_signs_no_credential(self, presented, purpose):
        """A published key is not enough: its certificate says what for."""
        signer = presented.keyring.signer(purpose)
        known = {"keys": presented.published(signer)}
        assert ("check_chain", "chain.purpose") == presented.verdict(signer=signer, known=known)

    def test_a_key_that_was_taken_out_signs_no_more(self, presented):
        """Taking a key out of the set is the issuer's emergency stop."""
        stranger = presented.keyring.make_signer("credential", NOW)
        known = {"keys": presented.published(stranger)}
        assert ("check_key_is_published", "credential.key_unpublished") == presented.verdict(known=known)

    def test_a_key_that_signs_no_more_is_good_while_it_is_published(self, presented):
        """A credential lives for two epochs, and so does the key in the set."""
        stranger = presented.keyring.make_signer("credential", NOW)
        known = {"keys": presented.published(stranger, presented.signer)}
        assert None is presented.verdict(known=known)
        assert None is presented.verdict(known=known, signer=stranger)

    @pytest.mark.parametrize("at", [0, 31, 32, 63])
    def test_one_bit_of_the_signature(self, presented, at):
        """A signature holds or does not."""

        def flip(draft):
            draft.edit_signature = lambda raw: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]

        assert ("check_signature", "credential.signature") == presented.verdict(edit=flip)

    def test_a_forgery_is_refused_before_a_claim_is_compared(self, presented):
        """With everything wrong at once the signature is what is told."""
        forged = {"iss": OTHER, "aud": OTHER, "vct": "x", "iat": 1, "sub": "x", "edit": no_signature}
        assert ("check_signature", "credential.signature") == presented.verdict(**forged)


def no_signature(draft):
    draft.edit_signature = lambda _: bytes(64)


class TestClaims:
    @pytest.mark.parametrize(
        "vct", ["urn:cyberid:pairwise:2", "urn:cyberid:pairwise:1 ", "URN:CYBERID:PAIRWISE:1"]
    )
    def test_its_type(self, presented, vct):
        """A type is compared byte for byte."""
        assert ("check_credential_type", "credential.vct") == presented.verdict(vct=vct)

    @pytest.mark.parametrize(
        "claims",
        [
            {"nbf": BEGINS},
            {"jti": "x"},
            {"nonce": "x"},
            {"aka_vcts": ["urn:cyberid:pairwise:1"]},
            {"vct#integrity": "x"},
            {"sector": SECTOR},
            {"age_band": "adult"},
            {"name": "nobody"},
            {"status": {"status_list": {"uri": LIST, "idx": 77, "x": 1}}},
            {"status": {"status_list": {"uri": LIST, "idx": 77}, "x": 1}},
        ],
    )
    def test_no_claim_that_the_profile_does_not_have(self, presented, claims):
        """Each could vary per person, an age band in the open most of all."""
        assert ("check_known_claims", "credential.unknown_claim") == presented.verdict(**claims)

    @pytest.mark.parametrize("sector", [OTHER, f"{SECTOR}/", "shop", f"{SECTOR} "])
    def test_it_is_for_our_sector(self, presented, sector):
        """A credential of another sector of the same person is none of ours, nor is our client id a sector."""
        assert ("check_audience", "credential.audience") == presented.verdict(aud=sector)

    def test_it_is_for_one_sector(self, presented):
        """A list is refused before it is compared."""
        assert ("parsing", "credential.claim_type") == presented.verdict(aud=[SECTOR])

    def test_its_issuer(self, presented):
        """The issuer is compared byte for byte."""
        issuer = presented.expected().issuer
        assert ("check_assertion_issuer", "credential.issuer") == presented.verdict(iss=f"{issuer}/")

    @pytest.mark.parametrize("sub", ["A" * 21, "A" * 129, "A" * 22 + "=", "A" * 21 + "é"])
    def test_its_subject(self, presented, sub):
        """It has the shape of every other pseudonym."""
        assert ("check_subject", "credential.subject") == presented.verdict(sub=sub)

    def test_its_subject_holds_no_identity_number(self, presented):
        """A whole part that is a resident's number is refused; a part of a part is chance."""
        code = ("check_no_identity_number", "credential.identity_number")
        assert code == presented.verdict(sub=f"user_{RESIDENT}")
        assert None is presented.verdict(sub=f"user{RESIDENT}")

    @pytest.mark.parametrize(("letter", "persistence"), [("A", Persistence.LIFE), ("B", Persistence.RECORD)])
    def test_how_long_its_pseudonym_lasts(self, presented, letter, persistence):
        """For life, or until the person's record changes."""
        shown = presented.verify(presented.presentation(persistence=letter))
        assert persistence is shown.persistence

    def test_a_pseudonym_for_one_session_has_no_credential(self, presented):
        """The same one would be shown for two epochs."""
        assert ("check_lasting_credential", "credential.session_only") == presented.verdict(persistence="C")

    @pytest.mark.parametrize("letter", ["D", "a", "A "])
    def test_another_word_says_nothing(self, presented, letter):
        """There are three."""
        assert ("check_persistence", "credential.persistence") == presented.verdict(persistence=letter)


class TestAssurance:
    @pytest.mark.parametrize(
        ("asked", "reached", "is_enough"), [(1, 1, True), (1, 2, True), (2, 2, True), (2, 1, False)]
    )
    def test_what_was_asked_for_is_reached(self, presented, asked, reached, is_enough):
        """A key that needs the password for each signature is also a device-bound one."""
        asks = {"assurance": Assurance[f"R0{asked}"]}
        refused = None if is_enough else ("check_assurance", "credential.assurance")
        assert refused == presented.verdict(asked=asks, acr=R[reached])

    @pytest.mark.parametrize("acr", [R[3], R[4], "urn:cyberid:mode:r05", "r01", f"{R[1]} "])
    def test_no_face_and_no_other_word(self, presented, acr):
        """No credential says that a face was seen: nobody saw one when it is shown."""
        assert ("check_assurance", "credential.assurance") == presented.verdict(acr=acr)

    def test_nothing_in_the_key_binding_raises_it(self, presented):
        """The phone's own word about what it did is no assurance."""
        asked = {"assurance": Assurance.R02}
        kb = {"acr": R[2], "amr": ["certificate", "password"]}
        assert ("check_assurance", "credential.assurance") == presented.verdict(asked=asked, acr=R[1], kb=kb)
        assert Assurance.R01 is presented.verify(presented.presentation(acr=R[1], kb=kb)).assurance


class TestDisclosures:
    @pytest.mark.parametrize("band", ["under_14", "14_17", "adult"])
    def test_an_age_band_that_was_asked_for(self, presented, band):
        """It is one of three."""
        text = disclosure("c2FsdA", "age_band", band)
        made = presented.presentation(_sd=[digest(text)], disclosures=(text,))
        assert AgeBand(band) is presented.verify(made, asked={"age_band": True}).age_band

    def test_an_age_band_that_is_not_granted(self, presented):
        """The person may keep it; then nothing is known."""
        assert None is presented.verify(presented.presentation(), asked={"age_band": True}).age_band

    def test_an_age_band_that_was_not_asked_for(self, presented):
        """Who did not ask does not get to know."""
        refused = ("check_age_band", "credential.age_band")
        assert refused == presented.verdict(disclosures=(AGE_BAND,))

    def test_an_unknown_age_band(self, presented):
        """A fourth one is no age band."""
        text = disclosure("c2FsdA", "age_band", "over_65")
        asked = {"age_band": True}
        refused = ("check_age_band", "credential.age_band")
        assert refused == presented.verdict(asked=asked, _sd=[digest(text)], disclosures=(text,))

    def test_an_age_band_that_nobody_signed(self, presented):
        """Without its digest a disclosure is anybody's word."""
        text = disclosure("c2FsdA", "age_band", "under_14")
        asked = {"age_band": True}
        refused = ("parsing", "credential.disclosure_unreferenced")
        assert refused == presented.verdict(asked=asked, disclosures=(text,))

    @pytest.mark.parametrize(
        "digests",
        [
            [],
            ...,
            [digest(AGE_BAND), digest("x")],
            [digest(AGE_BAND), digest("x"), digest("y")],
        ],
    )
    def test_there_is_one_digest(self, presented, digests):
        """Fewer would say that there is no age band, more would be a number to count by."""
        refused = ("check_digests", "credential.digest_count")
        assert refused == presented.verdict(_sd=digests)

    def test_the_digest_is_at_the_top(self, presented):
        """Elsewhere it would hide or show what must be the same for everybody."""
        status = {"status_list": {"uri": LIST, "idx": 77}, "_sd": [digest(AGE_BAND)]}
        refused = ("check_digests", "credential.digest_count")
        assert refused == presented.verdict(_sd=..., status=status)

    @pytest.mark.parametrize(
        "name", ["iss", "sub", "aud", "iat", "exp", "vct", "cnf", "status", "acr", "persistence"]
    )
    def test_no_other_claim_may_be_withheld(self, presented, name):
        """The holder would choose whether to show what the credential is worth."""
        text = disclosure("c2FsdA", name, presented.claims()[name])
        made = {"_sd": [digest(text)], name: ..., "disclosures": (text,)}
        assert ("check_disclosures", "credential.disclosed_claim") == presented.verdict(**made)
        # Withheld, it is missing.
        assert ("parsing", "credential.claim_missing") == presented.verdict(**{**made, "disclosures": ()})

    @pytest.mark.parametrize("name", ["nbf", "vct#integrity", "aka_vcts", "nickname"])
    def test_nor_a_claim_that_the_profile_does_not_have(self, presented, name):
        """It is refused for where it comes from."""
        text = disclosure("c2FsdA", name, "x")
        refused = ("check_disclosures", "credential.disclosed_claim")
        assert refused == presented.verdict(_sd=[digest(text)], disclosures=(text,))

    def test_nor_a_part_of_a_claim(self, presented):
        """Also with the one digest that there is."""
        text = disclosure("c2FsdA", "y", presented.claims()["cnf"]["jwk"]["y"])
        jwk = {name: value for name, value in presented.claims()["cnf"]["jwk"].items() if name != "y"}
        made = {"_sd": ..., "cnf": {"jwk": {**jwk, "_sd": [digest(text)]}}, "disclosures": (text,)}
        assert ("check_digests", "credential.digest_count") == presented.verdict(**made)
        assert ("check_disclosures", "credential.disclosed_claim") == presented.verdict(
            **made, without="check_digests"
        )

    def test_the_mode_is_the_issuers(self, presented):
        """Two disclosures of one mode would let the holder choose; one is refused already."""
        refused = ("check_disclosures", "credential.disclosed_claim")
        assert refused == presented.verdict(_sd=[digest(ACR)], acr=..., disclosures=(ACR,))


class TestEpoch:
    @pytest.mark.parametrize("epochs", [0, -1])
    def test_this_epoch_and_the_one_before(self, presented, epochs):
        """A credential is good in its own epoch and in the next."""
        begins = BEGINS + epochs * EPOCH
        assert None is presented.verdict(iat=begins, exp=begins + 2 * EPOCH)

    @pytest.mark.parametrize("offset", [1, -1, EPOCH // 2, 0.5])
    def test_it_begins_with_an_epoch(self, presented, offset):
        """A moment of its own would be a person's number."""
        begins = BEGINS - EPOCH + offset
        assert EPOCHS == presented.verdict(iat=begins, exp=begins + 2 * EPOCH)

    @pytest.mark.parametrize("offset", [1, -1, EPOCH, -EPOCH, 0.5])
    def test_it_is_good_for_two(self, presented, offset):
        """Neither longer nor shorter, by a second or an epoch."""
        assert EPOCHS == presented.verdict(exp=BEGINS + 2 * EPOCH + offset)

    def test_the_length_is_the_issuers(self, presented):
        """With epochs of another length the same dates are none."""
        assert EPOCHS == presented.verdict(asked={"epoch_length": EPOCH + 1})
        assert EPOCHS == presented.verdict(asked={"epoch_length": 0})
        half = {"exp": BEGINS + EPOCH, "asked": {"epoch_length": EPOCH // 2}}
        assert None is presented.verdict(**half)

    def test_its_first_second_and_the_leeway(self, presented):
        """A phone may be ahead of our clock by ten seconds, and no more."""
        made = {"iat": BEGINS + EPOCH, "exp": BEGINS + 3 * EPOCH}
        first = NOW + timedelta(seconds=BEGINS + EPOCH - SECONDS)
        lists = {"statuses": statuses(now=first), "crls": presented.lists_of(presented.keyring, first)}
        asked = {"leeway": 10}
        for offset, refused in (
            (0, None),
            (-10, None),
            (-11, ("check_epoch_has_begun", "credential.not_yet_valid")),
        ):
            now = first + timedelta(seconds=offset)
            kb = {"iat": int(now.timestamp())}
            assert refused == presented.verdict(**made, now=now, known=lists, asked=asked, kb=kb)
        now = first - timedelta(seconds=1)
        strict = presented.verdict(**made, now=now, known=lists, asked={"leeway": 0})
        assert ("check_epoch_has_begun", "credential.not_yet_valid") == strict

    def test_its_last_second(self, presented):
        """It is refused from the very second of its end."""
        end = NOW + timedelta(seconds=BEGINS + 2 * EPOCH - SECONDS)
        lists = {"statuses": statuses(now=end), "crls": presented.lists_of(presented.keyring, end)}
        kb = {"iat": int(end.timestamp())}
        assert ("check_expiry", "credential.expired") == presented.verdict(now=end, known=lists, kb=kb)
        assert None is presented.verdict(now=end - timedelta(microseconds=1), known=lists, kb=kb)


class TestHolderKey:
    @pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA"])
    def test_each_algorithm_of_phones(self, presented, algorithm):
        """The key is of the kind that is configured, with the least members that such a key has."""
        key = ALGORITHMS[algorithm].generate()
        asked = {"holder_algorithm": find_algorithm(algorithm)}
        kb = {"holder": key, "algorithm": algorithm}
        assert None is presented.verdict(asked=asked, cnf={"jwk": jwk_of(key.public_key())}, kb=kb)

    @pytest.mark.parametrize("algorithm", ["ES384", "EdDSA"])
    def test_a_key_of_another_kind(self, presented, algorithm):
        """The credential does not choose how its holder proves himself."""
        key = ALGORITHMS[algorithm].generate()
        assert HOLDER == presented.verdict(
            cnf={"jwk": jwk_of(key.public_key())}, kb={"holder": key, "algorithm": algorithm}
        )

    @pytest.mark.parametrize("name", ["d", "k", "kid", "use", "alg", "key_ops", "x5c"])
    def test_a_member_beside_the_key(self, presented, name):
        """A private one is an alarm, and a name of the key is one of the person."""
        jwk = presented.claims()["cnf"]["jwk"]
        assert HOLDER == presented.verdict(cnf={"jwk": {**jwk, name: "AA"}})

    @pytest.mark.parametrize(
        "change",
        [{"x": "AA"}, {"y": "A" * 43}, {"y": ...}, {"kty": "OKP"}, {"crv": "P-384"}, {"crv": "secp256k1"}],
    )
    def test_what_is_no_key(self, presented, change):
        """A point that is not on the curve, or that lacks a half, is bound to nobody."""
        jwk = {**presented.claims()["cnf"]["jwk"], **change}
        assert HOLDER == presented.verdict(cnf={"jwk": {k: v for k, v in jwk.items() if v is not ...}})

    def test_a_second_coordinate_is_for_points(self, presented):
        """An Ed25519 key has one; another would be room for a number."""
        key = ALGORITHMS["EdDSA"].generate()
        asked = {"holder_algorithm": find_algorithm("EdDSA")}
        jwk = {**jwk_of(key.public_key()), "y": "AA"}
        assert HOLDER == presented.verdict(
            asked=asked, cnf={"jwk": jwk}, kb={"holder": key, "algorithm": "EdDSA"}
        )

    def test_a_name_in_place_of_the_key(self, presented):
        """The key itself stands there, not where to find it."""
        assert ("parsing", "credential.claim_missing") == presented.verdict(cnf={"kid": "x"})


class TestStatus:
    @pytest.mark.parametrize(("value", "code"), [(1, "invalid"), (2, "suspended"), (3, "value")])
    def test_it_is_refused_when_its_bit_is_set(self, presented, value, code):
        """Neighbours of the entry say nothing about it."""
        known = {"statuses": statuses({77: value})}
        assert (STATUS, f"status.{code}") == presented.verdict("CREDENTIAL_STATUS", known=known)
        assert None is presented.verdict(known={"statuses": statuses({76: value, 78: value})})

    def test_a_list_that_is_not_known(self, presented):
        """It is refused, and nothing is fetched: who could be asked would learn of the login."""
        known = {"statuses": statuses(uri=f"{LIST}-other")}
        assert (STATUS, "status.list_unknown") == presented.verdict(known=known)
        assert (STATUS, "status.list_unknown") == presented.verdict(known={"statuses": StatusLists()})

    def test_a_list_whose_time_is_over(self, presented):
        """What it said an hour ago is no answer."""
        known = {"statuses": statuses(now=NOW - timedelta(hours=1))}
        assert (STATUS, "status.list_stale") == presented.verdict(known=known)

    @pytest.mark.parametrize(
        ("idx", "code"), [(0, None), (127, None), (128, "status.index"), (-1, "status.index")]
    )
    def test_a_place_in_the_list(self, presented, idx, code):
        """The first and the last are there; one more is not, nor one from the end."""
        verdict = presented.verdict(status={"status_list": {"uri": LIST, "idx": idx}})
        assert (None if code is None else (STATUS, code)) == verdict

    def test_a_credential_names_its_status(self, presented):
        """One that could not be taken back is refused."""
        assert ("parsing", "credential.claim_missing") == presented.verdict(status=...)

    def test_it_is_looked_up_last(self, presented):
        """Whatever else is wrong is told first, so that nothing is learnt about a credential of others."""
        names = [each.name for each in checklists.CREDENTIAL_STATUS]
        assert ["check_revocation", "check_status"] == names
        known = {"statuses": StatusLists(), "crls": RevocationLists()}
        assert ("check_revocation", "revocation.unknown") == presented.verdict(known=known)
        nonce = presented.verdict(known=known, kb={"nonce": "another"})
        assert ("check_binding_nonce", "key_binding.nonce") == nonce

    def test_nothing_of_it_is_kept(self, presented):
        """Neither address nor index is in the evidence, or in anything else that comes out."""
        shown = presented.verify(presented.presentation())
        assert LIST not in repr(shown)
        assert "77" not in repr(shown.evidence.checks)


def test_an_error_holds_nothing_that_was_received(presented):
    """What is refused is told by a fixed sentence."""
    made = presented.presentation(iss="https://made-up.example")
    with pytest.raises(Exception, match="issuer") as caught:
        presented.verify(made)
    assert CATALOGUE["credential.issuer"].sentence == str(caught.value)
    assert "made-up" not in repr(caught.value)


def test_structure_goes_first_then_the_signature_then_the_claims():
    """What costs nothing is asked first, and no claim is compared before signature and chain hold."""
    names = [each.name for each in checklists.CREDENTIAL]
    assert [
        "check_algorithm",
        "check_critical",
        "check_type",
        "check_header_members",
        "check_key_binding_is_there",
        "check_key",
        "check_signature",
        "check_chain",
        "check_key_is_published",
    ] == names[:9]


def test_it_shares_the_checks_of_an_assertion():
    """Chain, issuer, recipient, mode and person are judged by the very same checks."""
    shared = {each.name for each in checklists.CREDENTIAL if each in checklists.ID_TOKEN}
    assert {
        "check_algorithm",
        "check_critical",
        "check_type",
        "check_key",
        "check_signature",
        "check_chain",
        "check_key_is_published",
        "check_assertion_issuer",
        "check_audience",
        "check_expiry",
        "check_assurance",
        "check_subject",
        "check_no_identity_number",
        "check_persistence",
        "check_age_band",
    } == shared
