"""What an assertion says about the person: a pseudonym, and nothing that identifies.

Identity numbers here have birth years in the 1800s: they belong to nobody alive.
"""

from __future__ import annotations

import pytest

from cyberid_client import AgeBand, Persistence

SUBJECT = ("check_subject", "id_token.subject")
NUMBER = ("check_no_identity_number", "id_token.identity_number")
SESSION = ("check_session_id", "id_token.session_id")
SECTOR = ("check_sector", "id_token.sector")
PERSISTENCE = ("check_persistence", "id_token.persistence")
AGE = ("check_age_band", "id_token.age_band")
WRONG_TYPE = ("parsing", "id_token.claim_type")

# Region 11, born on the first of January 1890; the check character is worked out from ISO 7064.
RESIDENT = "110101189001010075"
SHAPES = [
    "A" * 21,
    "A" * 129,
    "A" * 21 + "+",
    "A" * 21 + "=",
    "A" * 21 + " ",
    "A" * 21 + ".",
    "A" * 21 + "\n",
    "A" * 22 + "\n",
    "A" * 21 + "é",
    "A" * 21 + "\u0661",
    "A" * 21 + "网",
]


class TestSubject:
    @pytest.mark.parametrize("subject", ["A" * 22, "A" * 128, "_" * 22, "-" * 128, "azAZ09_-" * 3])
    def test_it_has_22_to_128_url_safe_characters(self, assertion, subject):
        """The shortest and the longest pseudonym are believed, and so is every character."""
        assert None is assertion.verdict(sub=subject)

    @pytest.mark.parametrize("subject", SHAPES)
    def test_another_shape_is_no_pseudonym(self, assertion, subject):
        """One character less or more, or one outside the alphabet, is refused."""
        assert SUBJECT == assertion.verdict(sub=subject)

    @pytest.mark.parametrize(
        ("subject", "code"), [(..., "claim_missing"), ("", "claim_type"), (1, "claim_type")]
    )
    def test_it_is_a_text(self, assertion, subject, code):
        """An assertion about nobody is refused unread."""
        assert ("parsing", f"id_token.{code}") == assertion.verdict(sub=subject)

    def test_it_becomes_the_pseudonym_and_nothing_else(self, assertion):
        """The login's pseudonym is the subject as it was signed."""
        assert "b" * 22 == assertion.judge(assertion.token(sub="b" * 22)).pseudonym.value


class TestIdentityNumber:
    @pytest.mark.parametrize("form", ["user_{}", "{}_user", "CN-{}-01", "_{}_____", "{0}-{0}", "abcd_{}"])
    def test_a_whole_part_that_is_a_number_is_refused(self, assertion, form):
        """A number between separators is an identity number, wherever it stands."""
        assert NUMBER == assertion.verdict(sub=form.format(RESIDENT))

    def test_a_number_inside_a_longer_part_is_chance(self, assertion):
        """Only whole parts count: the same digits inside random text are believed."""
        assert None is assertion.verdict(sub=f"abcd{RESIDENT}")
        assert None is assertion.verdict(sub=f"{RESIDENT}0000")

    def test_a_wrong_check_character_is_chance(self, assertion):
        """A part that looks like a number and is none is believed."""
        assert None is assertion.verdict(sub=f"user_{RESIDENT[:-1]}6")

    def test_a_bare_number_is_too_short_for_a_pseudonym(self, assertion):
        """A number alone is refused for its shape already, and for itself without that check."""
        assert SUBJECT == assertion.verdict(sub=RESIDENT)
        assert NUMBER == assertion.verdict(sub=RESIDENT, without="check_subject")


class TestSessionID:
    @pytest.mark.parametrize("session", [..., "A" * 22, "-" * 128])
    def test_it_is_absent_or_shaped_like_a_pseudonym(self, assertion, session):
        """A session id is optional, and otherwise has 22 to 128 url-safe characters."""
        assert None is assertion.verdict(sid=session)

    @pytest.mark.parametrize("session", SHAPES)
    def test_another_shape_is_refused(self, assertion, session):
        """What cannot be a session id is not handed to the app."""
        assert SESSION == assertion.verdict(sid=session)

    @pytest.mark.parametrize("session", ["", None, 1])
    def test_it_is_a_text(self, assertion, session):
        """A session id that is empty or no text is refused unread."""
        assert WRONG_TYPE == assertion.verdict(sid=session)


class TestSector:
    @pytest.mark.parametrize(
        "sector",
        [
            ...,
            "https://other.example",
            "https://shop.example/",
            "https://SHOP.example",
            "http://shop.example",
        ],
    )
    def test_absent_and_different_are_refused_alike(self, assertion, sector):
        """A pseudonym of another sector is refused, and the sector cannot be left out."""
        assert SECTOR == assertion.verdict(sector=sector)

    def test_it_is_the_configured_one(self, assertion):
        """The sector is the configured one, else the origin of the redirect URI."""
        settings = {"sector": "https://group.example/sector.json"}
        assert None is assertion.verdict(sector="https://shop.example")
        assert None is assertion.verdict(sector=settings["sector"], settings=settings)
        assert SECTOR == assertion.verdict(sector="https://shop.example", settings=settings)


class TestPersistence:
    @pytest.mark.parametrize(
        ("value", "meaning"),
        [("A", Persistence.LIFE), ("B", Persistence.RECORD), ("C", Persistence.SESSION)],
    )
    def test_it_is_one_of_three(self, assertion, value, meaning):
        """The login says how long its pseudonym stays the same."""
        assert meaning is assertion.judge(assertion.token(persistence=value)).persistence

    @pytest.mark.parametrize("value", [..., "D", "a", "A ", "AB"])
    def test_absent_and_unknown_are_refused_alike(self, assertion, value):
        """A pseudonym of unknown life is refused."""
        assert PERSISTENCE == assertion.verdict(persistence=value)


class TestAgeBand:
    @pytest.mark.parametrize("band", AgeBand)
    def test_it_comes_only_when_it_was_asked_for(self, assertion, band):
        """An age band is told when it was asked for and refused when nobody asked."""
        token = assertion.token(age_band=band.value)
        assert band is assertion.judge(token, settings={"age_band": True}).age_band
        assert AGE == assertion.verdict(age_band=band.value)

    @pytest.mark.parametrize("band", ["17", "Adult", "18_plus", "adult "])
    def test_an_unknown_one_is_refused(self, assertion, band):
        """A band that is not one of three is refused, asked for or not."""
        assert AGE == assertion.verdict(age_band=band, settings={"age_band": True})
        assert AGE == assertion.verdict(age_band=band)

    def test_it_may_be_absent_though_asked_for(self, assertion):
        """The person may keep it back."""
        assert None is assertion.judge(assertion.token(), settings={"age_band": True}).age_band

    def test_it_is_a_text(self, assertion):
        """Null is not absence."""
        assert WRONG_TYPE == assertion.verdict(age_band=None, settings={"age_band": True})
