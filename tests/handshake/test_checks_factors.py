"""How the person authenticated: a set of factors, only partly ordered."""

from __future__ import annotations

import pytest

from cyberid_client import Assurance, Factor

ASSURANCE = ("check_assurance", "id_token.assurance")
FACTORS = ("check_factors", "id_token.factors")
AMR = {
    Assurance.R01: ["certificate"],
    Assurance.R02: ["certificate", "password"],
    Assurance.R03: ["certificate", "face"],
    Assurance.R04: ["certificate", "password", "face"],
}
SATISFIED = {
    Assurance.R01: {Assurance.R01, Assurance.R02, Assurance.R03, Assurance.R04},
    Assurance.R02: {Assurance.R02, Assurance.R04},
    Assurance.R03: {Assurance.R03, Assurance.R04},
    Assurance.R04: {Assurance.R04},
}


class TestAssurance:
    @pytest.mark.parametrize("asked", Assurance)
    @pytest.mark.parametrize("reached", Assurance)
    def test_what_was_reached_has_every_factor_that_was_asked_for(self, assertion, asked, reached):
        """All sixteen pairs of modes: a mode is reached by those that include its factors."""
        verdict = assertion.verdict(acr=reached.value, amr=AMR[reached], asked={"assurance": asked})
        assert (None if reached in SATISFIED[asked] else ASSURANCE) == verdict

    @pytest.mark.parametrize(
        "acr",
        [
            ...,
            "urn:cyberid:mode:r05",
            "urn:cyberid:mode:R02",
            "r02",
            "R02",
            "urn:cyberid:mode:r02 urn:cyberid:mode:r04",
            "0",
        ],
    )
    def test_an_absent_or_unknown_mode_is_refused(self, assertion, acr):
        """A mode that is not one of the four reaches nothing, not even R01."""
        assert ASSURANCE == assertion.verdict(acr=acr, asked={"assurance": Assurance.R01})

    @pytest.mark.parametrize("acr", ["", None, ["urn:cyberid:mode:r02"], 2])
    def test_a_mode_is_a_text(self, assertion, acr):
        """A mode that is empty or no text is refused unread."""
        assert ("parsing", "id_token.claim_type") == assertion.verdict(acr=acr)

    def test_the_login_tells_the_mode_that_was_reached(self, assertion):
        """A person who showed more than was asked for has shown more."""
        login = assertion.judge(assertion.token(acr=Assurance.R04.value, amr=AMR[Assurance.R04]))
        assert (Assurance.R04, frozenset(Factor)) == (login.assurance, login.factors)

    def test_the_configured_mode_is_asked_for_by_default(self, assertion):
        """Without a word a login asks for what is configured."""
        low = {"acr": Assurance.R01.value, "amr": AMR[Assurance.R01]}
        assert ASSURANCE == assertion.verdict(**low)
        assert None is assertion.verdict(**low, settings={"assurance": Assurance.R01})


class TestFactors:
    @pytest.mark.parametrize("mode", Assurance)
    def test_every_factor_of_the_mode_must_have_passed(self, assertion, mode):
        """One factor of the mode less is refused, whichever it is."""
        asked = {"assurance": Assurance.R01}
        for missing in AMR[mode]:
            left = [factor for factor in AMR[mode] if factor != missing]
            assert FACTORS == assertion.verdict(acr=mode.value, amr=left, asked=asked)
        assert None is assertion.verdict(acr=mode.value, amr=AMR[mode], asked=asked)

    @pytest.mark.parametrize(
        "amr", [..., [], ["pwd"], ["Certificate", "Password"], ["certificate not executed", "password"]]
    )
    def test_what_is_no_factor_counts_for_nothing(self, assertion, amr):
        """Absent, empty and unknown values never carry a mode."""
        assert FACTORS == assertion.verdict(amr=amr)

    def test_more_factors_and_unknown_ones_are_no_harm(self, assertion):
        """A factor beyond the mode is told to the app, an unknown value is dropped."""
        token = assertion.token(amr=["mfa", "face", "password", "certificate", "certificate"])
        login = assertion.judge(token)
        assert (Assurance.R02, frozenset(Factor)) == (login.assurance, login.factors)

    @pytest.mark.parametrize(
        "amr", ["certificate password", None, [1], [["certificate"]], [""], {"certificate": True}]
    )
    def test_the_factors_are_a_list_of_texts(self, assertion, amr):
        """Another shape is refused unread."""
        assert ("parsing", "id_token.claim_type") == assertion.verdict(amr=amr)
