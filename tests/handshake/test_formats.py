"""A format of credentials is an entry of a registry: a question, abilities, and a verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client import (
    AgeBand,
    Assurance,
    Channel,
    ConfigurationError,
    CyberIDError,
    Evidence,
    Persistence,
    VerificationError,
)
from cyberid_client.config import ExpectedPresentation
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import check
from cyberid_client.handshake.formats import FORMATS, CredentialFormat, KnownAhead, VerifiedPresentation
from cyberid_client.handshake.presentation import ProvedAnswer, believe_response, login_of
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.handshake.presentation_request import (
    PresentationAsk,
    new_record,
    request_object,
    require_wallet,
)
from cyberid_client.testing.jose import decode_part
from cyberid_client.trust import ChainCache, KeySet
from cyberid_client.wire.base64url import encode_base64url

from .answers import AnswerBench, Env
from .conftest import NOW
from .presented import AGE_BAND, CLIENT_ID, EPOCH, LIST, SUBJECT, PresentationBench

R1, R2 = "urn:cyberid:mode:r01", "urn:cyberid:mode:r02"


@pytest.fixture(scope="module")
def presented(parts):
    return PresentationBench.of(parts)


class TestRegistry:
    def test_there_is_one_format(self):
        """A second one is a second entry."""
        assert ["sd-jwt"] == list(FORMATS)
        assert [("sd-jwt", "dc+sd-jwt")] == [(name, each.identifier) for name, each in FORMATS.items()]

    def test_an_entry_stands_under_its_own_name(self):
        """Settings and records know a format by its name only."""
        assert all(name == each.name for name, each in FORMATS.items())

    def test_nobody_adds_an_entry_at_run_time(self):
        """What is believed is decided by who ships the library, not by who imports it."""
        assert isinstance(FORMATS, MappingProxyType)

    def test_it_says_what_it_hides_from_whom(self):
        """For the documentation: whole words, no names of members."""
        for each in FORMATS.values():
            assert each.hides
            assert all(what and from_whom for what, from_whom in each.hides.items())

    def test_a_result_has_room_for_nothing_of_a_format(self):
        """What comes out is what every format can say."""
        names = {each.name for each in fields(VerifiedPresentation)}
        assert {"pseudonym", "assurance", "persistence", "age_band", "evidence"} == names


class TestQuestion:
    def test_without_an_age_band(self):
        """One type, and the mode that will do; nothing that may be withheld (OpenID4VP 1.0 §6)."""
        assert {
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:cyberid:pairwise:1"]},
            "claims": [{"id": "acr", "path": ["acr"], "values": [R1, R2]}],
        } == FORMATS["sd-jwt"].query(acr_values=(R1, R2), age_band=False)

    def test_with_an_age_band(self):
        """It is wanted and not needed: the second set is without it (§6.4.1)."""
        query = FORMATS["sd-jwt"].query(acr_values=(R2,), age_band=True)
        assert [
            {"id": "acr", "path": ["acr"], "values": [R2]},
            {"id": "age_band", "path": ["age_band"]},
        ] == query["claims"]
        assert [["acr", "age_band"], ["acr"]] == query["claim_sets"]

    def test_it_is_json(self):
        """It goes into a request as it is."""
        query = FORMATS["sd-jwt"].query(acr_values=(R1,), age_band=True)
        assert query == json.loads(json.dumps(query))

    def test_abilities(self):
        """The one algorithm of each signature (Appendix B.3.4)."""
        assert {"sd-jwt_alg_values": ["ES384"], "kb-jwt_alg_values": ["EdDSA"]} == FORMATS[
            "sd-jwt"
        ].abilities(algorithm="ES384", holder_algorithm="EdDSA")


class TestVerdict:
    def test_what_a_presentation_proves(self, presented):
        """Pseudonym, mode, how long it lasts, and the age band if it was asked for."""
        made = presented.presentation(disclosures=(AGE_BAND,))
        shown = presented.verify(made, asked={"age_band": True})
        assert (SUBJECT, Assurance.R02, Persistence.LIFE, AgeBand.ADULT) == (
            shown.pseudonym,
            shown.assurance,
            shown.persistence,
            shown.age_band,
        )

    def test_why_it_is_believed(self, presented):
        """The evidence names every check that ran, the signer and the root, and nobody."""
        evidence = presented.verify(presented.presentation()).evidence
        run = (*COMPLETE.credential, *COMPLETE.key_binding, *COMPLETE.credential_status)
        chain = presented.signer.chain
        assert tuple(each.number for each in run) == evidence.checks
        assert ("ES256", NOW) == (evidence.algorithm, evidence.verified_at)
        assert min(each.not_valid_after_utc for each in chain) == evidence.chain_expires_at
        assert presented.rp.trust.fingerprint == evidence.trust_fingerprint
        assert None not in {evidence.signer_sha256, evidence.anchor_sha256}

    def test_it_tells_nobody_who_was_shown(self, presented):
        """What is printed has neither pseudonym nor nonce nor status."""
        made = presented.presentation(disclosures=(AGE_BAND,))
        shown = presented.verify(made, asked={"age_band": True})
        for secret in (SUBJECT, "made-up-nonce", LIST, CLIENT_ID, AGE_BAND):
            assert secret not in repr(shown)

    def test_a_chain_is_verified_once(self, presented):
        """The next person's credential finds the verdict on its signer."""
        cache = ChainCache()
        for _ in range(2):
            presented.verify(presented.presentation(), known={"cache": cache})
            assert 1 == len(cache)

    def test_a_time_without_a_zone_is_no_time(self, presented):
        """It is a mistake of the caller and no verdict."""
        with pytest.raises(ConfigurationError) as caught:
            presented.verify(presented.presentation(), now=NOW.replace(tzinfo=None))
        assert "time.naive" == caught.value.code

    @pytest.mark.parametrize("change", ["flip", "cut", "double"])
    def test_a_changed_presentation_is_refused(self, presented, change):
        """At whatever place something is done to it, it is refused by an error of ours."""
        made = presented.presentation(disclosures=(AGE_BAND,))
        for at in range(0, len(made), 37):
            other = "B" if made[at] == "A" else "A"
            changed = {
                "flip": made[:at] + other + made[at + 1 :],
                "cut": made[:at] + made[at + 1 :],
                "double": made[:at] + made[at] * 2 + made[at + 1 :],
            }[change]
            with pytest.raises(CyberIDError):
                presented.verify(changed, asked={"age_band": True})

    @given(text=st.text(st.characters(exclude_categories=()), max_size=60), at=st.integers(0, 4000))
    def test_any_text_is_believed_or_refused(self, presented, text, at):
        """Nothing but an error of ours comes out, whatever is put where."""
        made = PRESENTED.setdefault("made", presented.presentation())
        for each in (text, made[:at] + text + made[at:], made[:at] + text):
            try:
                shown = presented.verify(each)
            except CyberIDError:
                continue
            assert SUBJECT == shown.pseudonym


PRESENTED: dict[str, str] = {}


@check("T1", "The word is the one of this request.", clause="none", codes=["credential.malformed"])
def check_word(subject):
    if subject[0] != subject[1]:
        raise VerificationError("credential.malformed")


class WordFormat:
    """A second format: a word that both know, and nothing of SD-JWT anywhere."""

    name: str = "word/1"
    identifier: str = "word"
    max_bytes: int = 100
    hides: Mapping[str, str] = MappingProxyType({"everything": "the issuer"})

    def query(self, *, acr_values: tuple[str, ...], age_band: bool) -> Mapping[str, object]:
        return {"format": self.identifier, "meta": {"modes": list(acr_values), "age": age_band}}

    def abilities(self, *, algorithm: str, holder_algorithm: str) -> Mapping[str, object]:
        return {"words": [algorithm, holder_algorithm]}

    def verify(
        self,
        presentation: str,
        *,
        expected: ExpectedPresentation,
        known: KnownAhead,
        now: datetime,
        checklists: Checklists,
    ) -> VerifiedPresentation:
        check_word((presentation, f"a word for {expected.nonce}"))
        assert (known.keys, checklists) == (KeySet(), COMPLETE)
        return VerifiedPresentation(
            pseudonym=SUBJECT,
            assurance=Assurance.R02,
            persistence=Persistence.RECORD,
            age_band=None,
            evidence=Evidence(
                checks=(check_word.number,),
                algorithm="word",
                signer_sha256=None,
                anchor_sha256=None,
                chain_expires_at=None,
                trust_fingerprint=None,
                verified_at=now,
            ),
        )


@pytest.fixture(scope="module")
def bench(parts):
    honest = AnswerBench.of(parts)
    rp = replace(honest.rp, wallet=replace(honest.rp.wallet, credential_format="word/1"))
    return replace(
        honest, rp=rp, record=new_record(rp, PresentationAsk(return_to="/cart"), honest.handle, Env())
    )


class TestSecondFormat:
    """Request, record, answer and login of another format; nothing but the argument is different."""

    formats: Mapping[str, CredentialFormat] = MappingProxyType({**FORMATS, "word/1": WordFormat()})

    def believe(self, bench, word):
        answer = {"state": bench.request_id.text, "vp_token": {"word-1": [word]}}
        return believe_response(
            json.dumps(answer).encode(),
            bench.record,
            bench.request_id,
            rp=bench.rp,
            known=bench.presented.known(keys=KeySet()),
            epoch_length=EPOCH,
            now=NOW,
            formats=self.formats,
        )

    def test_its_request(self, bench):
        """Query and abilities are the format's own, under its own identifier."""
        require_wallet(bench.rp, NOW, formats=self.formats)
        flow = request_object(
            bench.rp, bench.record, bench.request_id, wallet_nonce=None, now=NOW, formats=self.formats
        )
        with pytest.raises(StopIteration) as stop:
            next(flow)
        claims = json.loads(decode_part(stop.value.value.split(".")[1]))
        [credential] = claims["dcql_query"]["credentials"]
        assert ("word-1", "word") == (credential["id"], credential["format"])
        assert {"word": {"words": ["ES256", "ES256"]}} == claims["client_metadata"]["vp_formats_supported"]

    def test_its_record(self, bench):
        """What is kept while the person answers has the format's name, and comes back as it was."""
        sealed = bench.record.seal(bench.request_id, Env())
        assert bench.record == PresentationRecord.unseal(sealed, bench.request_id)
        assert "word/1" == bench.record.format

    def test_its_answer_becomes_a_login(self, bench):
        """The same login, by the same channel, with the evidence of this format."""
        verified = self.believe(bench, f"a word for {encode_base64url(bench.record.nonce)}")
        login = login_of(ProvedAnswer(verified=verified, received_at=NOW, digits=None), bench.record)
        assert (SUBJECT, Assurance.R02, Channel.WALLET_SAME, "/cart") == (
            login.pseudonym.value,
            login.assurance,
            login.channel,
            login.return_to,
        )
        assert "T1" == login.evidence.checks[-1]

    def test_its_refusal(self, bench):
        """What the format does not believe is no login, and neither is what is too long for it."""
        for word, code in (
            ("a word for another", "credential.malformed"),
            ("x" * 101, "presentation.too_large"),
        ):
            with pytest.raises(VerificationError) as caught:
                self.believe(bench, word)
            assert code == caught.value.code

    def test_without_the_argument_there_is_no_such_format(self, bench):
        """A setting that names it is refused before anybody is asked."""
        with pytest.raises(ConfigurationError) as caught:
            require_wallet(bench.rp, NOW)
        assert ("config.wallet", "wallet.credential_format") == (caught.value.code, caught.value.setting)
