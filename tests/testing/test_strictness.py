"""The mock is as strict as a certified server: a sloppy client learns it here."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.errors import ConfigurationError

PUSH_FAULTS = {
    "request_uri inside": ({"request_uri": "urn:x"}, (), "invalid_request"),
    "request object": ({"request": "e30"}, (), "request_not_supported"),
    "id_token_hint": ({"id_token_hint": "x"}, (), "invalid_request"),
    "client secret beside": ({"client_secret": "x"}, (), "invalid_client"),
    "unheard-of parameter": ({"display": "page"}, (), "invalid_request"),
    "response type token": ({"response_type": "token"}, (), "unsupported_response_type"),
    "no response type": ({}, ("response_type",), "unsupported_response_type"),
    "form_post": ({"response_mode": "form_post"}, (), "invalid_request"),
    "other redirect": ({"redirect_uri": "https://shop.example/callback/"}, (), "invalid_request"),
    "no redirect": ({}, ("redirect_uri",), "invalid_request"),
    "no openid": ({"scope": "age_band"}, (), "invalid_scope"),
    "unknown scope": ({"scope": "openid profile"}, (), "invalid_scope"),
    "scope twice": ({"scope": "openid openid"}, (), "invalid_scope"),
    "short state": ({"state": "s" * 21}, (), "invalid_request"),
    "no state": ({}, ("state",), "invalid_request"),
    "short nonce": ({"nonce": "n" * 21}, (), "invalid_request"),
    "no nonce": ({}, ("nonce",), "invalid_request"),
    "plain challenge": ({"code_challenge_method": "plain"}, (), "invalid_request"),
    "no challenge": ({}, ("code_challenge",), "invalid_request"),
    "short challenge": ({"code_challenge": "x" * 42}, (), "invalid_request"),
    "no mode": ({}, ("acr_values",), "invalid_request"),
    "two modes": ({"acr_values": "urn:cyberid:mode:r01 urn:cyberid:mode:r02"}, (), "invalid_request"),
    "negative age": ({"max_age": "-1"}, (), "invalid_request"),
    "age no number": ({"max_age": "1.5"}, (), "invalid_request"),
    "unknown prompt": ({"prompt": "create"}, (), "invalid_request"),
    "prompt none and more": ({"prompt": "none login"}, (), "invalid_request"),
    "no assertion": ({}, ("client_assertion",), "invalid_client"),
    "no assertion type": ({}, ("client_assertion_type",), "invalid_client"),
    "unknown client": ({"client_id": "another"}, (), "invalid_client"),
    "no client": ({}, ("client_id",), "invalid_client"),
}

ASSERTION_FAULTS = {
    "iss": {"iss": "another"},
    "sub": {"sub": "another"},
    "aud endpoint": {"aud": "https://issuer.example/par"},
    "aud slash": {"aud": "https://issuer.example/"},
    "aud array": {"aud": ["https://issuer.example"]},
    "no aud": {"drop": ("aud",)},
    "no iat": {"drop": ("iat",)},
    "no exp": {"drop": ("exp",)},
    "no jti": {"drop": ("jti",)},
    "short jti": {"jti": "x" * 15},
    "jti no text": {"jti": 1},
    "iat text": {"iat": "1"},
    "exp boolean": {"exp": True},
    "other alg": {"header": {"alg": "ES384"}},
    "alg none": {"header": {"alg": "none"}},
    "other kid": {"header": {"kid": "another"}},
    "other typ": {"header": {"typ": "at+jwt"}},
    "crit": {"header": {"crit": ["x"]}},
    "other key": {"key": ec.generate_private_key(ec.SECP256R1())},
}


@pytest.mark.parametrize("name", PUSH_FAULTS)
def test_pushed_request(raw, name):
    """Each sloppiness in a pushed request is refused with its OAuth error."""
    changes, drop, error = PUSH_FAULTS[name]
    answer = raw.push(drop=drop, **changes)
    status = 401 if error == "invalid_client" else 400
    assert (answer.status, answer.json()["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ASSERTION_FAULTS)
def test_client_assertion(raw, name):
    """A client assertion with one wrong detail is refused at both endpoints."""
    answers = [
        raw.push(client_assertion=raw.assertion(**ASSERTION_FAULTS[name])),
        raw.exchange("x", client_assertion=raw.assertion(**ASSERTION_FAULTS[name])),
    ]
    assert [(answer.status, answer.json()["error"]) for answer in answers] == [(401, "invalid_client")] * 2


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ({"iat": 0, "exp": 60}, 201),
        ({"iat": 0, "exp": 61}, 401),
        ({"iat": -59, "exp": 1}, 201),
        ({"iat": -60, "exp": 0}, 401),
        ({"iat": 10, "exp": 70}, 201),
        ({"iat": 11, "exp": 70}, 401),
        ({"iat": 0, "exp": 60, "nbf": 10}, 201),
        ({"iat": 0, "exp": 60, "nbf": 11}, 401),
    ],
)
def test_client_assertion_times(raw, times, status):
    """An assertion lives for sixty seconds and dies in the very second of exp."""
    now = int(raw.clock().timestamp())
    moved = {name: now + offset for name, offset in times.items()}
    assert raw.push(client_assertion=raw.assertion(**moved)).status == status


def test_client_assertion_is_used_once(raw):
    """A jti that was seen is refused, also at the other endpoint, and is free again after exp."""
    assertion = raw.assertion()
    assert raw.push(client_assertion=assertion).status == 201
    assert raw.push(client_assertion=assertion).json()["error_description"] == "jti was used before"
    assert raw.exchange("x", client_assertion=assertion).json()["error"] == "invalid_client"
    raw.clock.advance(60)
    assert raw.push(client_assertion=raw.assertion()).status == 201


@pytest.mark.parametrize(
    "garbage",
    ["", "a.b", "a.b.c.d", "!.!.!", "W10.W10.AA", "e30.e30.", "é.é.é", "x" * 20_000, "[" * 9 + ".."],
)
def test_garbage_for_an_assertion(raw, garbage):
    """Whatever stands in the assertion's place is refused and breaks nothing."""
    assert raw.push(client_assertion=garbage).json()["error"] == "invalid_client"


@pytest.mark.parametrize("change", ["a fourth part", "too long"])
def test_assertion_has_its_measure(raw, change):
    """A good assertion with something behind it, or with far too much in it, is none."""
    assertion = f"{raw.assertion()}.AA" if change == "a fourth part" else raw.assertion(note="x" * 16_384)
    assert raw.push(client_assertion=assertion).json()["error_description"] == "this is not a compact JWS"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"client_id=shop&client_id=shop", {}),
        (b"\xff\xfe", {}),
        (b"%ff=%ff", {}),
        (b"client_id", {}),
        (b"a=b&" * 60, {}),
        (b'{"client_id":"shop"}', {"content-type": "application/json"}),
        (b"client_id=shop", {"content-type": "text/plain"}),
        (b"client_id=shop", {"authorization": "Basic c2hvcDp4"}),
    ],
)
def test_bodies_that_are_no_forms(raw, body, headers):
    """A body that is no form, or says something twice, is refused at both endpoints."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    answers = [raw.post(path, body, form | headers) for path in ("/par", "/token")]
    assert [(a.status, a.json()["error"]) for a in answers] == [(400, "invalid_request")] * 2


@pytest.mark.parametrize(
    ("changes", "drop", "error"),
    [
        ({"grant_type": "client_credentials"}, (), "unsupported_grant_type"),
        ({}, ("grant_type",), "unsupported_grant_type"),
        ({"redirect_uri": "https://shop.example/callback?x"}, (), "invalid_grant"),
        ({}, ("redirect_uri",), "invalid_grant"),
        ({"code_verifier": "y" * 43}, (), "invalid_grant"),
        ({}, ("code_verifier",), "invalid_grant"),
        ({"code": "another"}, (), "invalid_grant"),
        ({}, ("code",), "invalid_grant"),
    ],
)
def test_token_request(raw, changes, drop, error):
    """A code is bound to its redirect URI and its verifier."""
    answer = raw.exchange(raw.authorize()["code"], drop=drop, **changes)
    assert (answer.status, answer.json()["error"]) == (400, error)


def test_code_is_used_once(raw):
    """A code that was exchanged is gone, and so is one after a failed attempt."""
    code = raw.authorize()["code"]
    assert [raw.exchange(code).status, raw.exchange(code).status] == [200, 400]
    code = raw.authorize()["code"]
    assert [raw.exchange(code, code_verifier="y" * 43).status, raw.exchange(code).status] == [400, 400]


def test_code_is_bound_to_its_client(raw, new_client):
    """Another registered client gets nothing for a code."""
    other = raw.issuer.register(client_id="rail", redirect_uri="https://shop.example/callback")
    thief = new_client(raw.issuer, other, raw.clock)
    assert thief.exchange(raw.authorize()["code"]).json()["error"] == "invalid_grant"


def test_code_expires(raw):
    """A code is good for sixty seconds, and not in the sixtieth."""
    code = raw.authorize()["code"]
    raw.clock.advance(59)
    assert raw.exchange(code).status == 200
    code = raw.authorize()["code"]
    raw.clock.advance(60)
    assert raw.exchange(code).json()["error"] == "invalid_grant"


def test_request_uri_is_used_once_and_expires(raw):
    """A pushed request is answered once, and is gone in the second of its expiry."""
    url = raw.url_for(raw.push())
    raw.issuer.authorize(url)
    with pytest.raises(ConfigurationError):
        raw.issuer.authorize(url)
    late = raw.url_for(raw.push())
    raw.clock.advance(90)
    with pytest.raises(ConfigurationError):
        raw.issuer.authorize(late)


def test_a_reload_is_the_same_page(raw):
    """A reloaded page is answered once, however many tabs show it."""
    path = raw.url_for(raw.push()).removeprefix(raw.issuer.issuer)
    assert raw.get(path).body == raw.get(path).body


def test_two_pages_wait_side_by_side(raw):
    """Two logins of one person are answered independently."""
    first, second = raw.url_for(raw.push()), raw.url_for(raw.push())
    assert "code=" in raw.issuer.authorize(second)
    assert "code=" in raw.issuer.authorize(first)


@pytest.mark.parametrize(
    "query",
    [
        {"client_id": "shop"},
        {"client_id": "shop", "request_uri": "urn:ietf:params:oauth:request_uri:unknown"},
        {"client_id": "shop", "request_uri": "{}", "state": "x"},
        {"client_id": "shop", "request_uri": "{}", "redirect_uri": "https://evil.example"},
        {"client_id": "another", "request_uri": "{}"},
    ],
)
def test_authorization_url(raw, query):
    """The authorization URL carries client_id and request_uri and nothing else; errors stay on the page."""
    reference = raw.push().json()["request_uri"]
    filled = urlencode({name: value.format(reference) for name, value in query.items()})
    answer = raw.get(f"/authorize?{filled}")
    assert (answer.status, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert b"evil.example" not in answer.body


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"interaction": "unknown", "person": "adult", "decision": "allow"},
        {"interaction": "{}", "person": "nobody", "decision": "allow"},
        {"interaction": "{}", "decision": "allow"},
    ],
)
def test_decisions_that_are_none(raw, form):
    """A decision without page or person ends on an error page."""
    page = raw.send("GET", raw.url_for(raw.push()), b"", {}).body.decode()
    interaction = page.split('name="interaction" value="')[1].split('"')[0]
    answer = raw.post("/authorize", {name: value.format(interaction) for name, value in form.items()})
    assert answer.status == 400


def test_methods_and_paths(raw):
    """An unknown path is 404, a known one with another method 405."""
    assert [raw.get("/nowhere").status, raw.get("/token").status, raw.post("/jwks.json", {}).status] == [
        404,
        405,
        405,
    ]
    assert {record.path for record in raw.issuer.log} == {"other", "/token", "/jwks.json"}


def test_error_description_names_the_rule(raw):
    """A refusal says which rule was broken, and repeats no value."""
    body = json.loads(raw.push(acr_values="something of mine").body)
    assert body == {
        "error": "invalid_request",
        "error_description": "acr_values must be exactly one known mode",
    }
