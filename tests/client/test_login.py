"""A whole login through the client, in process."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from cyberid_client import (
    AgeBand,
    Assurance,
    Channel,
    ConfigurationError,
    Factor,
    LoginDeclinedError,
    LoginRestartError,
    Persistence,
    StoreError,
    TransportError,
    VerificationError,
)
from cyberid_client.ports import HTTPResponse


def test_an_honest_login_gives_the_pseudonym_of_this_sector_and_nothing_plain(shop):
    """A login holds the pseudonym, the mode and where to go; nothing else about the person."""
    login = shop.log_in(return_to="/cart?item=1")
    assert login.pseudonym.value == shop.issuer.pseudonym("adult", sector="https://shop.example")
    assert login.assurance is Assurance.R02
    assert login.factors == {Factor.CERTIFICATE, Factor.PASSWORD}
    assert login.channel is Channel.REDIRECT
    assert login.persistence is Persistence.LIFE
    assert login.return_to == "/cart?item=1"
    assert login.issuer == shop.issuer.issuer
    assert login.sector == "https://shop.example"
    assert login.age_band is None
    assert shop.clock() - login.authenticated_at <= timedelta(seconds=1)


def test_the_first_login_makes_six_calls_and_a_warm_one_two(shop):
    """Metadata, revocation lists and keys are fetched once; after that a login costs the pushed request and the exchange."""
    shop.log_in()
    assert shop.transport.purposes == ["discovery", "crl", "crl", "jwks", "par", "token"]
    shop.transport.purposes.clear()
    shop.log_in()
    assert shop.transport.purposes == ["par", "token"]


def test_the_authorization_url_carries_client_id_and_request_uri_only(shop):
    """Whatever is asked for travels by the back channel."""
    request = shop.client.start_login(return_to="/cart")
    assert set(parse_qs(urlsplit(request.url).query)) == {"client_id", "request_uri"}


def test_the_pushed_request_says_what_was_asked_for(shop):
    """Every parameter of the request is in the pushed form, and no request_uri."""
    shop.client.start_login(max_age=0, assurance=Assurance.R04, prompt="login", ui_locales="zh-CN en")
    pushed = parse_qs(shop.transport.requests[-1].body.decode())
    assert set(pushed) == {
        "client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method", "acr_values", "max_age", "prompt", "ui_locales",
        "client_assertion", "client_assertion_type",
    }  # fmt: skip
    assert pushed["max_age"] == ["0"]
    assert pushed["acr_values"] == ["urn:cyberid:mode:r04"]
    assert pushed["scope"] == ["openid"]
    assert pushed["code_challenge_method"] == ["S256"]


def test_every_attempt_has_its_own_assertion_state_nonce_and_verifier(shop):
    """Nothing of one request is used for another."""
    for _ in range(2):
        shop.client.start_login()
    first, second = (parse_qs(each.body.decode()) for each in shop.transport.requests[-2:])
    for name in ("state", "nonce", "code_challenge", "client_assertion"):
        assert first[name] != second[name]


def test_evidence_names_the_checks_that_ran_and_the_root_that_was_believed(shop):
    """Evidence is made from the chain; it names no token."""
    evidence = shop.log_in().evidence
    assert evidence.checks[:3] == ("E3.3", "E3.4", "E3.7")
    assert len(evidence.checks) == 26
    assert evidence.algorithm == "ES256"
    assert evidence.trust_fingerprint == shop.rp.trust.fingerprint
    assert evidence.verified_at == shop.clock()


@pytest.mark.parametrize(
    ("asked", "person_shows", "reached"),
    [
        (Assurance.R01, ["certificate", "password"], Assurance.R02),
        (Assurance.R02, ["certificate", "password"], Assurance.R02),
        (Assurance.R02, ["certificate", "password", "face"], Assurance.R04),
        (Assurance.R03, ["certificate", "face"], Assurance.R03),
    ],
)
def test_more_factors_than_asked_for_are_welcome(shop, asked, person_shows, reached):
    """The achieved mode includes every factor that was asked for."""
    request = shop.client.start_login(assurance=asked)
    callback = shop.issuer.authorize(request.url, factors=person_shows)
    assert shop.client.finish_login(callback, handle=request.handle).assurance is reached


def test_max_age_zero_works(shop):
    """A login that demands authentication now succeeds when the person authenticates now."""
    assert shop.log_in(max_age=0).authenticated_at <= shop.clock()


def test_an_age_band_comes_when_it_was_asked_for(make):
    """The band is asked for by the configuration and comes typed."""
    assert make(age_band=True).log_in(person="adult").age_band is AgeBand.ADULT


def test_two_tabs_both_end_logged_in(shop):
    """Two logins of one browser have cookies of their own and do not disturb each other."""
    (first, first_back), (second, second_back) = shop.start(return_to="/a"), shop.start(return_to="/b")
    cookies = {request.cookie_name: request.handle for request in (first, second)}
    assert len(cookies) == 2
    assert shop.client.cookie_name_for(second_back) == second.cookie_name
    for callback, place in ((second_back, "/b"), (first_back, "/a")):
        handle = cookies[shop.client.cookie_name_for(callback)]
        assert shop.client.finish_login(callback, handle=handle).return_to == place


def test_the_callback_may_be_a_whole_url_or_a_raw_query(shop):
    """Only the query is read."""
    request, callback = shop.start()
    assert shop.client.finish_login(urlsplit(callback).query, handle=request.handle).return_to == "/"


def test_the_cookie_has_a_name_of_its_own_and_all_attributes(shop):
    """The handle travels in a host-only, secure, HTTP-only, lax cookie of ten minutes."""
    request, callback = shop.start()
    name = request.cookie_name
    assert request.set_cookie == (
        f"{name}={request.handle}; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"
    )
    assert shop.client.clear_cookie(callback) == f"{name}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"


def test_a_callback_without_state_names_no_cookie(shop):
    """There is nothing to look up and nothing to clear."""
    assert shop.client.cookie_name_for("https://shop.example/callback?code=x") is None
    assert shop.client.clear_cookie("code=x") == ""


def test_a_second_callback_is_a_restart_and_a_first_failure_uses_the_login_up(shop):
    """A login is taken once, whatever comes of it."""
    request, callback = shop.start()
    shop.client.finish_login(callback, handle=request.handle)
    with pytest.raises(LoginRestartError) as used:
        shop.client.finish_login(callback, handle=request.handle)
    assert used.value.code == "login.unknown"

    request, callback = shop.start()
    with pytest.raises(VerificationError) as forged:
        shop.client.finish_login(callback + "&state=x", handle=request.handle)
    assert forged.value.code == "callback.parameter_repeated"
    with pytest.raises(LoginRestartError):
        shop.client.finish_login(callback, handle=request.handle)
    assert len(shop.store) == 0


@pytest.mark.parametrize(
    ("handle", "code"),
    [
        (None, "login.handle_missing"),
        ("", "login.handle_missing"),
        ("short", "login.handle_malformed"),
        ("A" * 43, "login.unknown"),
        ("Ä" * 43, "login.handle_malformed"),
        ("A" * 5000, "login.handle_malformed"),
    ],
)
def test_a_browser_without_the_cookie_cannot_finish_and_uses_nothing_up(shop, handle, code):
    """Whoever does not hold the handle gets a restart, and the login stays for the one who does."""
    request, callback = shop.start()
    with pytest.raises(LoginRestartError) as refused:
        shop.client.finish_login(callback, handle=handle)
    assert refused.value.code == code
    assert shop.client.finish_login(callback, handle=request.handle).return_to == "/"


def test_a_callback_of_another_login_does_not_finish_this_one(shop):
    """The state is bound to the browser by the handle."""
    (_, stolen), (mine, _) = shop.start(), shop.start()
    with pytest.raises(VerificationError) as refused:
        shop.client.finish_login(stolen, handle=mine.handle)
    assert refused.value.code == "callback.state"
    assert "token" not in shop.transport.purposes


def test_a_login_lives_until_the_last_moment_and_not_to_the_second_of_its_end(make):
    """A minute is a minute: a millisecond before is in time, the very second is late."""
    shop = make(pending_lifetime=60)
    request, callback = shop.start()
    shop.clock.advance(59.999)
    assert shop.client.finish_login(callback, handle=request.handle).return_to == "/"

    request, callback = shop.start()
    shop.clock.advance(60)
    with pytest.raises(LoginRestartError) as late:
        shop.client.finish_login(callback, handle=request.handle)
    assert late.value.code == "login.expired"
    assert len(shop.store) == 0


def test_declining_is_told_from_failing(shop):
    """A person who says no gets a message, not a security error."""
    request = shop.client.start_login()
    callback = shop.issuer.authorize(request.url, deny=True)
    with pytest.raises(LoginDeclinedError) as declined:
        shop.client.finish_login(callback, handle=request.handle)
    assert declined.value.code == "declined.access_denied"
    assert "token" not in shop.transport.purposes


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "/.//evil.example",
        "/..//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "cart",
        "",
        "/a\nb",
    ],
)
def test_return_to_never_leaves_this_origin(shop, place):
    """A place that a browser could resolve to another origin is refused before anything is sent."""
    with pytest.raises(VerificationError) as refused:
        shop.client.start_login(return_to=place)
    assert refused.value.code == "return_to.refused"
    assert "par" not in shop.transport.purposes


def test_a_login_may_come_back_to_another_configured_place(make):
    """One of the configured redirect URIs may be named, and no other."""
    shop = make(other_redirect_uris=("https://shop.example/second",))
    with pytest.raises(ConfigurationError) as unknown:
        shop.client.start_login(redirect_uri="https://shop.example/third")
    assert unknown.value.code == "config.redirect_uri_unknown"
    shop.issuer.register(
        client_id="other", redirect_uri="https://shop.example/callback",
        more_redirect_uris=("https://shop.example/second",),
    )  # fmt: skip
    with pytest.raises(ConfigurationError) as refused:
        shop.client.start_login(redirect_uri="https://shop.example/second")
    assert refused.value.code == "par.request_refused"


def test_a_closed_client_says_so(shop):
    """After close nothing is sent; closing twice is harmless."""
    with shop.client as client:
        assert "shop" in repr(client)
    shop.client.close()
    with pytest.raises(ConfigurationError) as closed:
        shop.client.start_login()
    assert closed.value.code == "client.closed"
    assert shop.transport.purposes == []


@pytest.mark.parametrize("name", ["prompt", "ui_locales"])
@pytest.mark.parametrize(
    "value", ["", " ", "a  b", "a ", "a\r\nb", "\ud800", "ü", b"login", ["login"], 1, "x" * 256]
)
def test_words_for_the_issuer_are_words(shop, name, value):
    """What goes into the request is visible ASCII with single spaces between; nothing else is sent."""
    with pytest.raises(ConfigurationError) as refused:
        shop.client.start_login(**{name: value})
    assert (refused.value.code, refused.value.setting) == ("config.value", name)
    assert "par" not in shop.transport.purposes


@pytest.mark.parametrize("carried", ["a;b", "a\r\nSet-Cookie: x=1", "ü", "a b", None, b"a"])
def test_a_store_cannot_write_into_the_cookie(shop, carried):
    """What a foreign store lets the browser carry becomes part of a header, so it is looked at."""

    class Careless:
        single_use = shared = durable = True

        def put(self, key, record, *, expires_at, now):
            return carried

    client = shop.new_client(
        shop.rp, transport=shop.transport, pending=Careless(), clock=shop.clock, background=False
    )
    with pytest.raises(StoreError) as refused:
        client.start_login()
    assert refused.value.code == "store.failed"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        HTTPResponse(status=200, url="", headers=None),
        HTTPResponse(status=200, url="", body="text"),
        HTTPResponse(status="200", url=""),
        HTTPResponse(status=200, url="", headers={"content-type": None}),
        HTTPResponse(status=200, url="", headers={"content-type": b"application/json"}),
        HTTPResponse(status=200, url="", headers={b"content-type": "application/json"}),
    ],
    ids=[
        "nothing",
        "text",
        "no headers",
        "text body",
        "text status",
        "no header text",
        "bytes for text",
        "bytes for a name",
    ],
)
def test_a_transport_that_breaks_its_port_has_failed(shop, answer):
    """What a foreign transport brings is looked at before it is read."""

    class Careless:
        def send(self, request):
            return answer

        def close(self):
            pass

    client = shop.new_client(shop.rp, transport=Careless(), clock=shop.clock, background=False)
    with pytest.raises(TransportError) as failed:
        client.start_login()
    assert failed.value.code == "transport.failed"
