"""The flows, driven by hand: what they ask for, and what they make of the answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from cyberid_client import Assurance, CyberIDError, Persistence, TransportError
from cyberid_client.error_codes import CATALOGUE
from cyberid_client.handshake import verify_assertion
from cyberid_client.handshake.client_authentication import client_assertion
from cyberid_client.handshake.flow import expect_available, expect_response, expect_status, fetch
from cyberid_client.handshake.metadata import fetch_key_set, fetch_metadata
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.testing.documents import metadata_claims, unsigned_page
from cyberid_client.testing.jose import json_bytes
from cyberid_client.trust import KeySet

URL = "https://issuer.example/x"


class Env:
    """Time that stands still, and randomness that never repeats."""

    def __init__(self, now):
        self._now = now
        self._calls = 0

    def now(self):
        return self._now

    def token(self, nbytes):
        self._calls += 1
        return self._calls.to_bytes(nbytes, "big")


def answer(body: object = None, status: int = 200, error: str | None = None) -> HTTPResponse:
    headers = {"content-type": "application/json"}
    return HTTPResponse(status=status, headers=headers, body=json_bytes(body), url=URL, error=error)


def drive(flow, *answers: object):
    """Answer what a flow asks for; return the requests and what it returns."""
    requests = []
    for each in (None, *answers):
        try:
            requests.append(flow.send(each))
        except StopIteration as end:
            return requests, end.value
    message = "the flow wants more"
    raise AssertionError(message)


def code_of(function, *arguments: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments)
    return caught.value.code


class TestAnswers:
    def test_an_answer_is_passed_on(self):
        """A complete answer is the result, whatever its status."""
        request = HTTPRequest(method="GET", url=URL, max_bytes=1, purpose="jwks")
        came = answer(status=418)
        assert ([request], came) == drive(fetch(request), came)

    @pytest.mark.parametrize(
        "code", [code for code, entry in CATALOGUE.items() if entry.family == TransportError.__name__]
    )
    def test_a_failure_keeps_its_code(self, code):
        """What kept an answer from coming is told by its own code."""
        assert code == code_of(expect_response, answer(status=0, error=code))

    @pytest.mark.parametrize(
        "error", ["", "unknown", "transport.unknown", "id_token.expired", "issuer.unavailable"]
    )
    def test_a_failure_of_another_name_is_a_failure(self, error):
        """A transport that speaks in other codes has failed all the same."""
        assert "transport.failed" == code_of(expect_response, answer(error=error))

    def test_something_else_than_an_answer_is_a_failure(self):
        """A key set is no answer to a request."""
        assert "transport.failed" == code_of(expect_response, KeySet())

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (200, None),
            (404, None),
            (428, None),
            (429, "issuer.unavailable"),
            (430, None),
            (499, None),
            (500, "issuer.unavailable"),
            (503, "issuer.unavailable"),
            (599, "issuer.unavailable"),
        ],
    )
    def test_an_issuer_in_trouble_is_unavailable(self, status, code):
        """Too many requests, and everything from 500 up, says nothing about this login."""
        response = answer(status=status)
        if code is None:
            assert response is expect_available(response)
        else:
            assert code == code_of(expect_available, response)

    def test_a_status_is_demanded_exactly(self):
        """Another status is no answer, and trouble is told before that."""
        assert 200 == expect_status(answer(), 200).status
        assert "issuer.status" == code_of(expect_status, answer(status=201), 200)
        assert "issuer.unavailable" == code_of(expect_status, answer(status=503), 200)


class TestMetadata:
    def test_the_page_is_fetched_and_only_its_signed_part_believed(self, metadata):
        """One GET of the discovery page; every unsigned value in it is deliberately wrong."""
        page = unsigned_page(metadata.issuer, metadata.token())
        flow = fetch_metadata(metadata.rp, Env(metadata.now), newest_iat=None, cache=None, crls=metadata.crls)
        [request], _ = drive(flow, answer(page))
        assert ("GET", metadata.rp.discovery_url, b"", "discovery") == (
            request.method,
            request.url,
            request.body,
            request.purpose,
        )
        unsigned = unsigned_page(metadata.issuer, metadata.token(token_endpoint="https://other.example"))
        flow = fetch_metadata(metadata.rp, Env(metadata.now), newest_iat=None, cache=None, crls=metadata.crls)
        assert "metadata.endpoint" == code_of(drive, flow, answer(unsigned))

    @pytest.mark.parametrize(
        ("status", "code"),
        [(201, "issuer.status"), (302, "issuer.status"), (404, "issuer.status"), (500, "issuer.unavailable")],
    )
    def test_another_status_is_no_page(self, metadata, status, code):
        """A page that does not come leaves everything as it was."""
        page = unsigned_page(metadata.issuer, metadata.token())
        flow = fetch_metadata(metadata.rp, Env(metadata.now), newest_iat=None, cache=None, crls=metadata.crls)
        assert code == code_of(drive, flow, answer(page, status=status))

    def test_a_page_of_another_issuer_is_refused_before_its_signature(self, metadata):
        """The page's issuer is compared first."""
        page = {"issuer": "https://other.example", "signed_metadata": "rubbish"}
        flow = fetch_metadata(metadata.rp, Env(metadata.now), newest_iat=None, cache=None, crls=metadata.crls)
        assert "discovery.issuer" == code_of(drive, flow, answer(page))

    def test_the_clock_is_asked_when_the_page_has_come(self, metadata):
        """Metadata are judged at the time of the flow, and against the newest that were accepted."""
        page = answer(unsigned_page(metadata.issuer, metadata.token()))
        late = Env(metadata.now + timedelta(days=2))
        assert "metadata.expired" == code_of(
            drive, fetch_metadata(metadata.rp, late, newest_iat=None, cache=None, crls=metadata.crls), page
        )
        newest = metadata.seconds + 1
        flow = fetch_metadata(metadata.rp, Env(metadata.now), newest_iat=newest, cache=None)
        assert "metadata.rolled_back" == code_of(drive, flow, page)

    def test_by_tls_the_page_itself_is_believed(self, metadata):
        """With the named exception nobody signs, so that there is no age and no end."""
        rp = replace(
            metadata.rp,
            metadata_trust="tls",
            assurance_values={mode.value: mode for mode in Assurance},
            persistence=Persistence.LIFE,
        )
        page = metadata_claims(metadata.issuer, "ES256")
        flow = fetch_metadata(rp, Env(metadata.now + timedelta(days=999)), newest_iat=None, cache=None)
        assert 1 == len(drive(flow, answer(page))[0])
        other = {**page, "issuer": "https://other.example"}
        flow = fetch_metadata(rp, Env(metadata.now), newest_iat=None, cache=None)
        assert "discovery.issuer" == code_of(drive, flow, answer(other))


class TestKeySet:
    def test_it_is_fetched_from_where_the_metadata_say(self, metadata):
        """One GET of the signed jwks_uri."""
        believed = metadata.judge(metadata.token())
        [request], _ = drive(fetch_key_set(believed), answer(metadata.keyring.jwks()))
        assert ("GET", believed.jwks_uri, "jwks") == (request.method, request.url, request.purpose)

    @pytest.mark.parametrize("status", [204, 304, 404])
    def test_another_status_is_no_key_set(self, metadata, status):
        """An empty or missing answer never becomes an empty key set."""
        flow = fetch_key_set(metadata.judge(metadata.token()))
        assert "issuer.status" == code_of(drive, flow, answer({"keys": []}, status=status))


class TestClientAuthentication:
    def test_the_assertion_says_who_asks_whom_for_a_minute(self, metadata):
        """Issuer and subject are the client, the audience is the issuer as a plain string (RFC 7523 §3)."""
        _, fields = drive(client_assertion(metadata.rp, Env(metadata.now)))
        assert "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" == fields["client_assertion_type"]
        token = fields["client_assertion"]
        key = metadata.rp.key
        claims = jwt.decode(
            token,
            jwt.PyJWK(key.public_jwk),
            algorithms=["ES256"],
            audience=metadata.issuer,
            options={"verify_exp": False, "verify_iat": False},
        )
        assert {
            "iss": "shop",
            "sub": "shop",
            "aud": metadata.issuer,
            "iat": metadata.seconds,
            "exp": metadata.seconds + 60,
            "jti": "AAAAAAAAAAAAAAAAAAAAAQ",
        } == claims
        assert {
            "alg": "ES256",
            "kid": key.kid,
            "typ": "client-authentication+jwt",
        } == jwt.get_unverified_header(token)

    def test_it_is_fresh_for_every_attempt(self, metadata):
        """Two requests never carry the same assertion."""
        env = Env(metadata.now)
        assert client_assertion(metadata.rp, env) != client_assertion(metadata.rp, env)


class TestVerifyAssertion:
    def test_it_runs_every_check_and_takes_none(self, assertion):
        """The public function believes what is honest and takes no list of checks."""
        login = verify_assertion(
            assertion.token(),
            expected=assertion.expected(),
            keys=assertion.keys,
            now=assertion.now,
            crls=assertion.crls,
        )
        assert ("/", assertion.claims()["sub"]) == (login.return_to, login.pseudonym.value)
        with pytest.raises(TypeError):
            verify_assertion(
                assertion.token(),
                expected=assertion.expected(),
                keys=assertion.keys,
                now=assertion.now,
                checks=(),
            )

    @pytest.mark.parametrize(
        "token", ["", "a.b", "a.b.c", "a.b.c.d", "....", "\ud800", b"\xff", b"", None, 1, "x" * 100_000]
    )
    def test_rubbish_is_refused_inside_the_error_tree(self, assertion, token):
        """Whatever arrives, nothing but our own error comes out."""
        with pytest.raises(CyberIDError) as caught:
            verify_assertion(token, expected=assertion.expected(), keys=assertion.keys, now=assertion.now)
        assert caught.value.code in {"id_token.malformed", "id_token.too_large"}

    def test_bytes_are_as_good_as_text(self, assertion):
        """A token may come as it was read from the wire."""
        made = assertion.token().encode()
        login = verify_assertion(
            made,
            expected=assertion.expected(),
            keys=assertion.keys,
            now=assertion.now,
            crls=assertion.crls,
        )
        assert Assurance.R02 is login.assurance
