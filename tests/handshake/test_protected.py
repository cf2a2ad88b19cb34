"""Logins under every protection of a request, at an issuer that judges each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from cyberid_client import ClientKey, ClientKeys, CyberIDError
from cyberid_client.config import ClientCertificate
from cyberid_client.handshake.flow import SignatureWanted
from cyberid_client.handshake.pending import Handle, seal, unseal
from cyberid_client.handshake.redirect import RedirectAsk, start_redirect
from cyberid_client.ports import HTTPResponse
from cyberid_client.testing.tls import make_client_certificate

from .strict_issuer import ISSUER, Env, StrictIssuer, form_of, json_answer, pushed, wants_nonce


def code_of(function, *arguments: object, **named: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments, **named)
    return caught.value.code


@pytest.fixture
def plain(assertion) -> StrictIssuer:
    """A client without any protection beyond its own authentication."""
    return StrictIssuer(assertion, assertion.rp, Env(assertion.now))


@pytest.fixture
def bound(plain) -> StrictIssuer:
    """A client whose logins are bound to a key."""
    return plain.other(sender_constraint="dpop")


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    made = make_client_certificate("shop")
    return ClientCertificate(certificate_pem=made.certificate_pem, key_pem=made.key_pem)


@pytest.fixture
def certified(plain, certificate):
    """Make a client with a certificate."""

    def make(**settings: object) -> StrictIssuer:
        keys = ClientKeys(signing=plain.rp.client_keys.signing, tls=certificate)
        return plain.other(key=None, keys=keys, **settings)

    return make


class Held:
    """A signer in this process, with the key of somebody else's configuration."""

    def __init__(self, key: ClientKey) -> None:
        self.algorithm = key.algorithm
        self.public_key_info = key.public_key_info
        self._key = key

    def sign(self, message: bytes) -> bytes:
        return jwt.get_algorithm_by_name(self.algorithm).sign(message, self._key.private_key)


class TestWithoutProtection:
    def test_nothing_is_added(self, plain):
        """A login that is not bound has neither key nor proof, and shows no certificate."""
        started = plain.start()
        plain.finish(started)
        assert None is started.pending.dpop_key
        assert "dpop_jkt" not in form_of(plain.requests[0])
        assert [(False, False)] * 2 == [
            ("dpop" in each.headers, each.shows_certificate) for each in plain.requests
        ]

    def test_what_is_configured_is_quoted(self, plain):
        """A redirect URI with a query is one field of the form, in both requests."""
        redirect_uri = "https://shop.example/callback?a=1&state=x+y"
        issuer = plain.other(redirect_uri=redirect_uri, sector="https://shop.example", age_band=True)
        issuer.finish(issuer.start())
        assert [redirect_uri] * 2 == [form_of(each)["redirect_uri"] for each in issuer.requests]
        assert "openid age_band" == form_of(issuer.requests[0])["scope"]

    def test_a_nonce_that_nobody_needs_is_an_error_like_any_other(self, plain):
        """Without a key there is no proof to try again with."""
        started = plain.start()
        assert "token.status" == code_of(plain.finish, started, wants_nonce(dpop_nonce="made-up"))
        assert 2 == len(plain.requests)


class TestDPoP:
    def test_the_pushed_request_names_the_key_that_the_code_is_exchanged_with(self, bound):
        """RFC 9449 §10: dpop_jkt at PAR is the thumbprint of the proof's key at the token endpoint."""
        started = bound.start()
        bound.finish(started)
        par, token = bound.requests
        assert "dpop" not in par.headers
        _, thumbprint = bound.proof_of(token)
        assert thumbprint == form_of(par)["dpop_jkt"]

    def test_the_key_survives_the_store(self, bound):
        """What was sealed between the legs is the same key."""
        started, handle = bound.start(), Handle(bytes(32))
        again = unseal(seal(started.pending, handle, bound.env), handle)
        bound.finish(replace(started, pending=again))
        assert bound.proof_of(bound.requests[1])[1] == form_of(bound.requests[0])["dpop_jkt"]

    def test_each_login_has_a_key_of_its_own(self, bound):
        """Nothing ties two logins of one client together."""
        assert bound.start().pending.dpop_key != bound.start().pending.dpop_key
        assert 2 == len({form_of(each)["dpop_jkt"] for each in bound.requests})

    def test_the_key_is_not_shown(self, bound):
        """A pending login prints without it."""
        started = bound.start()
        assert started.pending.dpop_key not in repr(started) + repr(started.pending)

    def test_two_calls_are_enough_where_no_nonce_is_asked_for(self, bound):
        """An issuer without nonces gets a proof without one, and a login costs two calls."""
        bound.finish(bound.start())
        assert "nonce" not in bound.proof_of(bound.requests[1])[0]
        assert 2 == len(bound.requests)

    @pytest.mark.parametrize(
        "demand",
        [
            wants_nonce(dpop_nonce="made-up"),
            HTTPResponse(
                status=401,
                headers={
                    "dpop-nonce": "made-up",
                    "www-authenticate": 'Basic realm="x", dPoP error="use_dpop_nonce"',
                },
                url=ISSUER,
            ),
        ],
    )
    def test_a_nonce_that_is_asked_for_is_shown(self, bound, demand):
        """One more attempt, with the nonce of that answer, a fresh proof and a fresh client assertion."""
        started = bound.start()
        bound.finish(started, demand, bound.tokens(started))
        _, first, second = bound.requests
        assert [None, "made-up"] == [bound.proof_of(each)[0].get("nonce") for each in (first, second)]
        assert form_of(first)["code"] == form_of(second)["code"]

    def test_every_attempt_has_its_own_time(self, bound):
        """The clock is asked anew: an attempt after a slow answer is not dated back."""
        started = bound.start()
        begun = bound.env.time

        def slowly() -> HTTPResponse:
            assert int(begun.timestamp()) == bound.proof_of(bound.requests[-1])[0]["iat"]
            bound.env.time += timedelta(seconds=7)
            return wants_nonce(dpop_nonce="made-up")

        bound.finish(started, slowly, bound.tokens(started))
        assert int(begun.timestamp()) + 7 == bound.proof_of(bound.requests[-1])[0]["iat"]

    def test_the_nonce_of_the_pushed_request_is_used(self, bound):
        """An answer with 201 teaches too, so that a login costs two calls all the same."""
        started = bound.start(pushed(dpop_nonce="from-par"))
        bound.finish(started)
        assert "from-par" == bound.proof_of(bound.requests[1])[0]["nonce"]

    def test_the_nonce_of_a_success_is_used_by_the_next_login(self, bound):
        """An issuer that gives a new nonce with every success never has to ask (RFC 9449 §8.2)."""
        for number in range(3):
            started = bound.start()
            bound.finish(started, bound.tokens(started, dpop_nonce=f"nonce-{number}"))
        tokens = [each for each in bound.requests if each.purpose == "token"]
        assert [None, "nonce-0", "nonce-1"] == [bound.proof_of(each)[0].get("nonce") for each in tokens]

    def test_an_old_nonce_is_replaced(self, bound):
        """A nonce that is known and too old costs one more attempt, and no login."""
        started = bound.start(pushed(dpop_nonce="old"))
        bound.finish(started, wants_nonce(dpop_nonce="new"), bound.tokens(started))
        assert ["old", "new"] == [bound.proof_of(each)[0]["nonce"] for each in bound.requests[1:]]

    def test_another_logins_nonce_does_not_get_between(self, bound):
        """The second attempt shows the nonce of the answer to the first, whatever others learn meanwhile."""
        held = bound.rp.client_keys.signing
        signer = Held(held)

        def meanwhile(wanted: SignatureWanted) -> bytes:
            bound.nonces.learn(f"{ISSUER}/token", pushed(dpop_nonce="nonce-of-another"))
            return wanted.signer.sign(wanted.message)

        issuer = replace(bound.other(key=ClientKey.from_signer(signer)), sign=meanwhile)
        started = issuer.start()
        issuer.finish(started, wants_nonce(dpop_nonce="mine"), issuer.tokens(started))
        shown = [issuer.proof_of(each)[0]["nonce"] for each in issuer.requests[1:]]
        assert ["nonce-of-another", "mine"] == shown

    @pytest.mark.parametrize(
        "second", [wants_nonce(dpop_nonce="another"), wants_nonce(dpop_nonce="made-up"), wants_nonce()]
    )
    def test_a_second_demand_ends_the_login(self, bound, second):
        """There is one more attempt and no other: a stubborn issuer is named, not asked for ever."""
        started = bound.start()
        assert "issuer.dpop_nonce" == code_of(
            bound.finish, started, wants_nonce(dpop_nonce="made-up"), second
        )
        assert 3 == len(bound.requests)

    @pytest.mark.parametrize("headers", [{}, {"dpop_nonce": "a b"}, {"dpop_nonce": "known"}])
    def test_a_demand_without_a_new_nonce_ends_the_login(self, bound, headers):
        """Without a nonce, or with the one that was just shown, another attempt could only fail."""
        started = bound.start(pushed(dpop_nonce="known"))
        assert "issuer.dpop_nonce" == code_of(bound.finish, started, wants_nonce(**headers))
        assert 2 == len(bound.requests)

    def test_a_nonce_of_a_refusal_is_learned(self, bound):
        """Also an answer that ends a login teaches."""
        started = bound.start()
        refusal = json_answer(400, {"error": "invalid_grant"}, dpop_nonce="made-up")
        assert "login.code_refused" == code_of(bound.finish, started, refusal)
        assert "made-up" == bound.nonces.known_for(f"{ISSUER}/par")

    @pytest.mark.parametrize("token_type", ["DPoP", "dpop", "DPOP", "dpOP"])
    def test_the_type_has_no_case(self, bound, token_type):
        """RFC 6749 §5.1."""
        started = bound.start()
        bound.finish(started, bound.tokens(started, token_type=token_type))

    @pytest.mark.parametrize("token_type", ["Bearer", "bearer", "DPoP ", "", "mac", "N_A"])
    def test_less_than_was_asked_for_is_refused(self, bound, token_type):
        """RFC 9449 §5: a token of another type is a downgrade, and there is no login."""
        started = bound.start()
        answer = bound.tokens(started, token_type=token_type)
        assert "token.token_type" == code_of(bound.finish, started, answer)

    def test_more_than_was_asked_for_is_refused(self, plain):
        """A bound token for a client that shows no proof is not what was asked for."""
        started = plain.start()
        answer = plain.tokens(started, token_type="DPoP")
        assert "token.token_type" == code_of(plain.finish, started, answer)

    def test_a_refused_proof_is_the_operators_business(self, bound):
        """A clock that is wrong makes every proof one that the issuer does not take."""
        started = bound.start()
        refusal = json_answer(400, {"error": "invalid_dpop_proof"})
        assert "token.proof_refused" == code_of(bound.finish, started, refusal)
        assert 2 == len(bound.requests)

    @pytest.mark.parametrize(("before", "after"), [("dpop", "none"), ("none", "dpop")])
    def test_a_login_ends_as_it_was_started(self, plain, before, after):
        """A login that was started under another configuration starts again, before its code is sent."""
        issuer = plain.other(sender_constraint=before)
        started = issuer.start()
        other = replace(plain.rp, sender_constraint=after)
        assert "login.other_settings" == code_of(issuer.finish, started, rp=other)
        assert 1 == len(issuer.requests)

    def test_the_nonce_belongs_to_the_endpoints_origin(self, bound):
        """A token endpoint on another origin is not shown the nonce of the first."""
        issuer = replace(
            bound, metadata=replace(bound.metadata, token_endpoint="https://token.example/token?tenant=1")
        )
        started = issuer.start(pushed(dpop_nonce="made-up"))
        issuer.finish(started)
        claims, _ = issuer.proof_of(issuer.requests[1])
        assert "nonce" not in claims
        assert "https://token.example/token" == claims["htu"]

    def test_a_flow_without_a_memory_has_one_of_its_own(self, bound):
        """Nothing must be handed in for a single login."""
        flow = start_redirect(bound.rp, RedirectAsk(), bound.metadata, bound.env)
        next(flow)
        with pytest.raises(StopIteration):
            flow.send(pushed())


MTLS = {"mtls_par_endpoint": f"{ISSUER}:8443/par", "mtls_token_endpoint": f"{ISSUER}:8443/token"}


class TestCertificates:
    @pytest.mark.parametrize(
        "settings",
        [
            {"sender_constraint": "mtls"},
            {"client_authentication": "tls_client_auth"},
            {"client_authentication": "self_signed_tls_client_auth"},
            {"client_authentication": "tls_client_auth", "sender_constraint": "mtls"},
            {"client_authentication": "tls_client_auth", "sender_constraint": "dpop"},
        ],
    )
    def test_it_is_shown_at_the_addresses_for_certificates(self, certified, settings):
        """RFC 8705 §5: both requests of a login go to the aliases, and only they show it."""
        issuer = certified(**settings)
        issuer = replace(issuer, metadata=replace(issuer.metadata, **MTLS))
        issuer.finish(issuer.start())
        assert [(url, True) for url in MTLS.values()] == [
            (each.url, each.shows_certificate) for each in issuer.requests
        ]

    def test_without_aliases_it_is_shown_at_the_ordinary_addresses(self, certified):
        """RFC 8705 §5: an issuer without aliases takes certificates everywhere."""
        issuer = certified(sender_constraint="mtls")
        issuer.finish(issuer.start())
        assert [(f"{ISSUER}/par", True), (f"{ISSUER}/token", True)] == [
            (each.url, each.shows_certificate) for each in issuer.requests
        ]

    def test_a_certificate_that_is_not_configured_to_be_shown_is_not(self, certified):
        """Having one is no reason to show it, and the aliases are for who does."""
        issuer = certified()
        issuer = replace(issuer, metadata=replace(issuer.metadata, **MTLS))
        issuer.finish(issuer.start())
        assert [(f"{ISSUER}/par", False), (f"{ISSUER}/token", False)] == [
            (each.url, each.shows_certificate) for each in issuer.requests
        ]

    @pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
    def test_tls_authenticates_in_the_place_of_an_assertion(self, certified, method):
        """RFC 8705 §2: the client id says whose the certificate is, and nothing else is sent."""
        issuer = certified(client_authentication=method)
        issuer.finish(issuer.start())
        assert {"grant_type", "code", "redirect_uri", "code_verifier", "client_id"} == set(
            form_of(issuer.requests[1])
        )

    def test_a_token_that_is_bound_to_a_certificate_is_called_bearer(self, certified):
        """RFC 8705 §3 has no type of its own; DPoP is not what was asked for."""
        issuer = certified(sender_constraint="mtls")
        started = issuer.start()
        answer = issuer.tokens(started, token_type="DPoP")
        assert "token.token_type" == code_of(issuer.finish, started, answer)
        started = issuer.start()
        issuer.finish(started, issuer.tokens(started, token_type="bearer"))

    def test_binding_to_a_certificate_keeps_the_assertion(self, certified):
        """Sender constraint and client authentication are two settings."""
        issuer = certified(sender_constraint="mtls")
        issuer.finish(issuer.start())
        assert ["client_assertion" in form_of(each) for each in issuer.requests] == [True, True]
