"""What is not known is not judged, never passed, and said by name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cyberid_client.errors import ConfigurationError
from cyberid_client.handshake import checklists
from cyberid_client.inspection import InspectionSettings, Verdict
from cyberid_client.trust import Purpose

from .conftest import ISSUER, NOW, SECONDS, every_step, explain, step_of

NEEDED = {
    "trust": {"E3.6c", "E3.6e"},
    "issuer": {"E3.6c", "E3.6e", "E3.8"},
    "crls": {"E3.6e"},
    "jwks": {"E3.6a", "E3.6d"},
    "client_id": {"E3.9"},
    "nonce": {"E3.14"},
    "access_token": {"E3.17"},
    "assurance": {"E3.15"},
    "sector": {"P6.2"},
}


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_one_missing_setting_leaves_its_checks_open(shop, name):
    """Without one setting just its checks are open, the whole is no pass, and there is no evidence."""
    shop.log_in()
    explanation = explain(shop.id_token, shop.settings(**{name: None}))
    judged = [step for step in every_step(explanation) if step.number]
    assert NEEDED[name] == {step.number for step in judged if step.verdict is Verdict.NOT_JUDGED}
    assert (Verdict.NOT_JUDGED, None, (name,)) == (
        explanation.verdict,
        explanation.evidence,
        explanation.needs,
    )


def test_nothing_known(desk):
    """With the token alone, structure, signature and times are judged, and the rest is named."""
    explanation = explain(desk.token(), desk.settings())
    assert Verdict.NOT_JUDGED is explanation.verdict
    assert Verdict.PASSES is step_of(explanation, "E3.6b").verdict
    expected = {"trust", "issuer", "jwks", "client_id", "nonce", "assurance", "sector", "crls"}
    assert expected == set(explanation.needs)


def test_no_key_to_try(desk):
    """A token without a certificate is judged for its signature only with the key set."""
    explanation = explain(desk.token(header={"x5c": ...}), desk.settings())
    assert Verdict.NOT_JUDGED is step_of(explanation, "E3.6b").verdict
    assert ("jwks",) == step_of(explanation, "E3.6b").needs


def test_the_explanation_goes_on_after_a_failure(desk):
    """Each broken rule is found, not the first alone."""
    token = desk.token(exp=SECONDS, iss="https://other.example", acr="none", typ="x")
    explanation = explain(token, desk.trusting())
    failed = [step.code for step in every_step(explanation) if step.verdict is Verdict.FAILS]
    assert ["id_token.issuer", "id_token.expired"] == failed


@pytest.mark.parametrize(("seconds", "verdict"), [(299, Verdict.PASSES), (300, Verdict.FAILS)])
def test_the_time_is_the_one_given(desk, seconds, verdict):
    """An assertion is judged at the given time, and refused from the very second of its expiry."""
    settings = desk.settings(now=NOW + timedelta(seconds=seconds))
    assert verdict is step_of(explain(desk.token(), settings), "E3.11").verdict


@pytest.mark.parametrize(
    ("started_at", "verdict"),
    [(None, Verdict.NOT_JUDGED), (NOW, Verdict.PASSES), (NOW + timedelta(hours=1), Verdict.FAILS)],
)
def test_a_maximum_age_needs_the_start(desk, started_at, verdict):
    """With a maximum age, the time of authentication is compared with the start of the login."""
    settings = desk.settings(max_age=60, started_at=started_at)
    assert verdict is step_of(explain(desk.token(), settings), "E3.16").verdict


@pytest.mark.parametrize(
    ("asked", "verdict"), [(None, Verdict.NOT_JUDGED), (True, Verdict.PASSES), (False, Verdict.FAILS)]
)
def test_an_age_band_needs_to_know_whether_it_was_asked_for(desk, asked, verdict):
    """An age band that nobody asked for is refused, and one of unknown reason is open."""
    explanation = explain(desk.token(age_band="adult"), desk.settings(age_band=asked))
    assert verdict is step_of(explanation, "P6.4").verdict


def test_an_unreadable_token_lists_its_checks(desk):
    """A token that cannot be read fails with its code, and every check says that it could not be judged."""
    explanation = explain(desk.token(sub=...), desk.trusting())
    judged = [step for step in every_step(explanation) if step.number]
    assert "id_token.claim_missing" == explanation.code
    assert {Verdict.NOT_JUDGED} == {step.verdict for step in judged}
    assert len(checklists.ID_TOKEN) == len(judged)


def test_an_unreadable_certificate_leaves_the_key_open(desk):
    """Without a readable certificate there is no key; all else is judged all the same."""
    explanation = explain(desk.token(header={"x5c": ["AAAA"]}), desk.trusting(jwks=b'{"keys":[]}'))
    assert "chain.malformed" == explanation.code
    numbers = ("E3.6a", "E3.6b", "E3.6c", "E3.6d", "E3.8")
    verdicts = [step_of(explanation, number).verdict for number in numbers]
    assert [Verdict.NOT_JUDGED] * 4 + [Verdict.PASSES] == verdicts


def test_a_damaged_key_set_beside_a_token_is_a_failure(desk):
    """A key set that cannot be read is refused with its own code."""
    assert "jwks.malformed" == explain(desk.token(), desk.settings(jwks=b"{}")).code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"now": NOW.replace(tzinfo=None)}, "time.naive"),
        ({"started_at": NOW.replace(tzinfo=None)}, "config.value"),
        ({"issuer": "http://127.0.0.1:1"}, "config.insecure_http"),
        ({"issuer": "issuer"}, "config.issuer"),
        ({"algorithm": "none"}, "config.no_algorithm"),
        ({"algorithm": "SM2-SM3"}, "config.algorithm_unavailable"),
        ({"max_age": -1}, "config.max_age"),
        ({"nonce": ""}, "config.value"),
        ({"purpose": Purpose.CREDENTIAL}, "config.value"),
    ],
)
def test_settings_that_cannot_be_used(changes, code):
    """What cannot be compared with is refused when the settings are made."""
    with pytest.raises(ConfigurationError) as refused:
        InspectionSettings(**{"now": NOW, "issuer": ISSUER, **changes})
    assert code == refused.value.code


def test_secrets_do_not_print():
    """Nonce, access token, key set and hash key are not in the settings' repr."""
    settings = InspectionSettings(
        now=NOW, nonce="n-secret", access_token="a-secret", jwks=b"j-secret", hash_key=b"k-secret"
    )
    assert "secret" not in repr(settings)
