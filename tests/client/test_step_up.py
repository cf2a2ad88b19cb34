"""Step-up: the same person, more strictly, or nothing changes."""

from __future__ import annotations

import pytest

from cyberid_client import (
    Assurance,
    CyberIDError,
    Pseudonym,
    PseudonymDigest,
    PseudonymKeys,
    VerificationError,
)
from cyberid_client.handshake.pending import Handle, unseal
from cyberid_client.stores import SealedCookieStore

KEYS = PseudonymKeys({"new": bytes(range(32)), "old": bytes(range(32, 64))})
OLD = PseudonymKeys({"old": bytes(range(32, 64))})


@pytest.fixture
def digesting(make):
    """A shop that holds digests."""
    return make(pseudonym_keys=KEYS)


def step_up(shop, person, *, who="adult", **asked):
    """Ask for a step-up, and let somebody answer it."""
    request = shop.client.start_step_up(person, **asked)
    return shop.client.finish_login(shop.issuer.authorize(request.url, person=who), handle=request.handle)


def code_of(call):
    with pytest.raises(CyberIDError) as refused:
        call()
    return refused.value.code


def pending_of(shop, person):
    """Return the record of a step-up that was just started, opened with its handle."""
    request = shop.client.start_step_up(person)
    handle = Handle.parse(request.handle)
    return unseal(shop.store.take(handle.key, carried=handle.carried, now=shop.clock()), handle)


class TestWhatIsAsked:
    def test_all_factors_and_now_unless_the_app_says_otherwise(self, shop):
        """A step-up is as strict as can be by default."""
        shop.client.start_step_up(shop.log_in().pseudonym)
        assert ("urn:cyberid:mode:r04", "0") == (
            shop.issuer.asked["acr_values"],
            shop.issuer.asked["max_age"],
        )

    def test_the_app_may_ask_for_less(self, shop):
        """Mode, age, place and language are the app's to choose."""
        person = shop.log_in().pseudonym
        login = step_up(
            shop, person, assurance=Assurance.R02, max_age=300, return_to="/pay", ui_locales="zh-CN"
        )
        assert ("urn:cyberid:mode:r02", "300", "zh-CN", "/pay") == (
            shop.issuer.asked["acr_values"],
            shop.issuer.asked["max_age"],
            shop.issuer.asked["ui_locales"],
            login.return_to,
        )

    def test_a_pseudonym_is_sent_inside_the_pushed_request_only(self, shop):
        """The issuer learns whom the app means, and the browser's address bar does not."""
        person = shop.log_in().pseudonym
        request = shop.client.start_step_up(person)
        assert person.value == shop.issuer.asked["login_hint"]
        assert person.value not in request.url

    def test_of_a_digest_nothing_is_sent(self, digesting):
        """Only the app's own keys can tell whom it means."""
        digest = digesting.log_in().pseudonym.digest(KEYS)
        request = digesting.client.start_step_up(digest)
        assert "login_hint" not in digesting.issuer.asked
        assert digest.mac not in request.url + repr(digesting.issuer.asked)

    def test_an_ordinary_login_names_nobody(self, shop):
        """Only a step-up has a hint."""
        shop.log_in()
        assert "login_hint" not in shop.issuer.asked


class TestWhatIsKept:
    def test_of_a_pseudonym_a_digest_under_a_key_of_its_own(self, shop):
        """Two step-ups of one person have nothing in common, and neither holds the pseudonym."""
        person = shop.log_in().pseudonym
        first, second = pending_of(shop, person), pending_of(shop, person)
        assert first.person != second.person
        assert first.person_key != second.person_key
        assert person.value not in str(first.person) + str(first.person_key)
        assert str(first.person) not in repr(first)

    def test_of_a_digest_the_digest_itself(self, digesting):
        """The key that made it stays in the configuration."""
        digest = digesting.log_in().pseudonym.digest(KEYS)
        pending = pending_of(digesting, digest)
        assert (str(digest), None) == (str(pending.person), pending.person_key)


class TestSamePerson:
    def test_the_person_who_is_logged_in_may_do_more(self, shop):
        """The result is a login like any other, of this moment and with all factors."""
        before = shop.log_in()
        shop.clock.advance(600)
        after = step_up(shop, before.pseudonym)
        assert (before.pseudonym, Assurance.R04, shop.clock()) == (
            after.pseudonym,
            after.assurance,
            after.authenticated_at,
        )

    @pytest.mark.parametrize("key_id", ["new", "old"])
    def test_a_digest_of_any_key_that_is_held_will_do(self, digesting, key_id):
        """A record from before a rotation is compared under its own key."""
        person = digesting.log_in().pseudonym
        digest = PseudonymDigest.parse(str(person.digest(KEYS, key_id=key_id)))
        assert person == step_up(digesting, digest).pseudonym

    @pytest.mark.parametrize("held", ["pseudonym", "digest"])
    def test_another_person_is_refused_and_uses_the_step_up_up(self, digesting, held):
        """Whoever else authenticates gets nothing, and cannot try again with the same handle."""
        person = digesting.log_in().pseudonym
        asked = person if held == "pseudonym" else person.digest(KEYS)
        request = digesting.client.start_step_up(asked)
        callback = digesting.issuer.authorize(request.url, person="teenager")
        for code in ("step_up.other_person", "login.unknown"):
            assert code == code_of(lambda: digesting.client.finish_login(callback, handle=request.handle))
        assert 0 == len(digesting.store)

    @pytest.mark.parametrize("elsewhere", ["issuer", "sector"])
    def test_the_same_text_elsewhere_is_another_person(self, shop, elsewhere):
        """A pseudonym of another issuer or sector is nobody here, and this issuer never learns it."""
        value = shop.log_in().pseudonym.value
        here = {"issuer": shop.rp.issuer, "sector": shop.rp.sector_identifier}
        other = Pseudonym(value, **{**here, elsewhere: "https://other.example"})
        before = shop.transport.purposes.copy()
        assert "config.value" == code_of(lambda: shop.client.start_step_up(other))
        assert before == shop.transport.purposes

    @pytest.mark.parametrize("value", ["", "a b", "\ud800" * 22, "张" * 22, "a" * 256, None, 7])
    def test_what_is_no_pseudonym_is_nobody(self, shop, value):
        """A text that no issuer gives to anybody is refused before it is sent."""
        other = Pseudonym(value, issuer=shop.rp.issuer, sector=shop.rp.sector_identifier)
        assert "config.value" == code_of(lambda: shop.client.start_step_up(other))

    def test_a_damaged_digest_is_refused_at_the_start(self, digesting):
        """What can be equal to no digest is not taken along to the end."""
        for mac in ("\ud800" * 43, "+" * 43, "a" * 42, None):
            damaged = PseudonymDigest("new", mac)
            assert "config.value" == code_of(lambda: digesting.client.start_step_up(damaged))  # noqa: B023 - called in this round

    def test_the_refusal_says_what_to_do(self, shop):
        """It is a VerificationError that the person can mend; it holds neither pseudonym."""
        person = shop.log_in().pseudonym
        with pytest.raises(VerificationError) as refused:
            step_up(shop, person, who="teenager")
        assert ("step_up.other_person", "user") == (refused.value.code, refused.value.fixed_by)
        assert person.value not in str(refused.value)

    def test_a_pseudonym_for_one_session_is_refused(self, shop):
        """Nobody could be recognised by it."""
        person = shop.log_in().pseudonym
        shop.issuer.arm("id_token.persistence_c")
        assert "step_up.session_only" == code_of(lambda: step_up(shop, person))

    def test_a_login_for_one_session_is_none_of_its_business(self, shop):
        """Without a step-up such a pseudonym is good."""
        shop.issuer.arm("id_token.persistence_c")
        assert "C" == shop.log_in().persistence

    def test_fewer_factors_than_asked_for_are_refused(self, shop):
        """A step-up does not end below what it was for."""
        person = shop.log_in().pseudonym
        request = shop.client.start_step_up(person)
        callback = shop.issuer.authorize(request.url, factors=("certificate", "password"))
        code = code_of(lambda: shop.client.finish_login(callback, handle=request.handle))
        assert code in {"id_token.assurance", "declined.assurance_unmet"}

    def test_an_authentication_of_before_is_refused(self, shop):
        """With max_age 0 the person authenticated after the step-up began."""
        person = shop.log_in().pseudonym
        shop.issuer.arm("id_token.auth_time_stale")
        assert "id_token.auth_time_stale" == code_of(lambda: step_up(shop, person))


class TestConfiguration:
    def test_a_store_that_gives_a_record_out_twice_is_refused(self, shop):
        """Nothing but the store keeps a recorded step-up from being used again."""
        person = shop.log_in().pseudonym
        shop.store = SealedCookieStore({"a": bytes(32)})
        client = shop.another_client()
        assert "store.not_single_use" == code_of(lambda: client.start_step_up(person))

    def test_without_keys_no_digest_can_be_compared(self, shop):
        """It is an error at the start, before anybody is sent away."""
        digest = shop.log_in().pseudonym.digest(KEYS)
        assert "config.pseudonym_key" == code_of(lambda: shop.client.start_step_up(digest))

    def test_a_key_that_is_not_held_is_an_error_too(self, make):
        """A digest by a key that was taken out belongs to nobody any more."""
        shop = make(pseudonym_keys=OLD)
        digest = shop.log_in().pseudonym.digest(KEYS)
        assert "config.pseudonym_key" == code_of(lambda: shop.client.start_step_up(digest))

    @pytest.mark.parametrize("keys", [None, OLD])
    def test_keys_that_go_away_in_between_are_an_error_of_the_deployment(self, digesting, keys):
        """Nobody is taken for anybody."""
        digest = digesting.log_in().pseudonym.digest(KEYS)
        request = digesting.client.start_step_up(digest)
        callback = digesting.issuer.authorize(request.url)
        client = digesting.another_client(pseudonym_keys=keys)
        code = code_of(lambda: client.finish_login(callback, handle=request.handle))
        assert "config.pseudonym_key" == code

    @pytest.mark.parametrize("person", [None, "Zq3vT8wLx0aPf5RkYd2mNb", b"x", 1])
    def test_nothing_else_is_a_person(self, shop, person):
        """A text is no pseudonym: nobody knows of which sector it is."""
        assert "config.value" == code_of(lambda: shop.client.start_step_up(person))

    def test_a_digest_that_is_none_is_refused(self, digesting):
        """What is not 43 characters was made by no key."""
        digest = PseudonymDigest("new", "short")
        assert "config.value" == code_of(lambda: digesting.client.start_step_up(digest))
