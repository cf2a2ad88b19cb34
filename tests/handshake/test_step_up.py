"""Who must answer a step-up, and what is kept of that."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from cyberid_client import ConfigurationError, Persistence, Pseudonym, PseudonymDigest, PseudonymKeys
from cyberid_client.handshake.checklists import STEP_UP
from cyberid_client.handshake.step_up import KEY_BYTES, StepUpPerson, require_same_person

from .conftest import ISSUER

VALUE = "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA"
KEYS = PseudonymKeys({"new": bytes(range(32)), "old": bytes(range(32, 64))})
OTHER_PERSON = ("check_same_person", "step_up.other_person")
SESSION_ONLY = ("check_lasting_pseudonym", "step_up.session_only")


class Env:
    """Randomness that a test can tell apart."""

    def __init__(self):
        self.drawn = []

    def token(self, nbytes):
        self.drawn.append(bytes([len(self.drawn)]) * nbytes)
        return self.drawn[-1]


@pytest.fixture
def rp(step_up):
    return replace(step_up.rp, pseudonym_keys=KEYS)


@pytest.fixture
def person():
    return Pseudonym(VALUE, issuer=ISSUER, sector="https://shop.example")


class TestSamePerson:
    @pytest.mark.parametrize("key_id", [None, "new", "old"])
    def test_the_same_person_under_any_key(self, step_up, key_id):
        """Digests are compared under the key that made the first."""
        assert None is step_up.verdict(key_id=key_id)

    @pytest.mark.parametrize(
        "other",
        [
            {"sub": VALUE[:-1] + "B"},
            {"sub": VALUE + "A"},
            {"sub": VALUE.swapcase()},
            {"sector": "https://other.example"},
            {"issuer": "https://other.example"},
        ],
    )
    @pytest.mark.parametrize("key_id", ["new", "old"])
    def test_everybody_else_is_refused(self, step_up, other, key_id):
        """One character, another sector or another issuer is another person."""
        assert OTHER_PERSON == step_up.verdict(key_id=key_id, **other)

    @pytest.mark.parametrize("persistence", [Persistence.LIFE, Persistence.RECORD])
    def test_a_pseudonym_that_lasts_can_be_compared(self, step_up, persistence):
        """For life, and until the record changes."""
        assert None is step_up.verdict(persistence=persistence)

    def test_a_pseudonym_for_one_session_is_refused_before_it_is_compared(self, step_up):
        """The code says why nobody could be recognised."""
        assert SESSION_ONLY == step_up.verdict(persistence=Persistence.SESSION)
        assert SESSION_ONLY == step_up.verdict(persistence=Persistence.SESSION, sub="x" * 22)


class TestPerson:
    def test_a_pseudonym_is_digested_under_a_fresh_key(self, rp, person):
        """The app's own keys are not asked for, and the hint is the pseudonym."""
        env = Env()
        made = StepUpPerson.of(person, replace(rp, pseudonym_keys=None), env)
        assert [KEY_BYTES] == [len(key) for key in env.drawn]
        expected = person.digest(PseudonymKeys({"once": env.drawn[0]}))
        assert (str(expected), VALUE) == (str(made.person), made.login_hint)
        assert VALUE not in repr(made)

    def test_a_digest_is_taken_as_it_is(self, rp, person):
        """Nothing is drawn, and nothing is hinted."""
        env, digest = Env(), person.digest(KEYS, key_id="old")
        made = StepUpPerson.of(digest, rp, env)
        assert (str(digest), None, None, []) == (
            str(made.person),
            made.person_key,
            made.login_hint,
            env.drawn,
        )

    @pytest.mark.parametrize("keys", [None, PseudonymKeys({"other": bytes(32)})])
    def test_its_key_must_be_held(self, rp, person, keys):
        """A digest that nothing can be compared with is an error at once."""
        with pytest.raises(ConfigurationError) as refused:
            StepUpPerson.of(person.digest(KEYS), replace(rp, pseudonym_keys=keys), Env())
        assert ("config.pseudonym_key", "pseudonym_keys") == (refused.value.code, refused.value.setting)

    @pytest.mark.parametrize("mac", ["", "a" * 42, "a" * 44])
    def test_a_digest_has_its_length(self, rp, mac):
        """What is not 43 characters was made by no key."""
        with pytest.raises(ConfigurationError) as refused:
            StepUpPerson.of(PseudonymDigest("new", mac), rp, Env())
        assert "config.value" == refused.value.code


class TestRequire:
    def test_of_an_ordinary_login_nothing_is_required(self, rp):
        """Without a person nobody is compared."""
        pending = SimpleNamespace(person=None, person_key=None)
        require_same_person(None, pending, rp, STEP_UP)

    @pytest.mark.parametrize("keys", [None, PseudonymKeys({"other": bytes(32)})])
    def test_a_key_that_is_gone_is_an_error_of_the_deployment(self, rp, person, keys):
        """Nobody is taken for anybody."""
        pending = SimpleNamespace(person=str(person.digest(KEYS)), person_key=None)
        login = SimpleNamespace(pseudonym=person, persistence=Persistence.LIFE)
        with pytest.raises(ConfigurationError) as refused:
            require_same_person(login, pending, replace(rp, pseudonym_keys=keys), STEP_UP)
        assert "config.pseudonym_key" == refused.value.code
