"""Closed under any input: whatever arrives, what comes out is a result or ``CyberIDError``."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client import (
    Assurance,
    ClientKey,
    CyberIDError,
    HTTPLimits,
    Login,
    PseudonymDigest,
    PseudonymKeys,
    PurposeTable,
    RelyingParty,
    TrustStore,
)
from cyberid_client.handshake import verify_assertion
from cyberid_client.handshake.pending import Handle, unseal
from cyberid_client.ports import HTTPResponse
from cyberid_client.stores import MemoryPendingStore, SealedCookieStore
from cyberid_client.testing.jose import json_bytes
from cyberid_client.trust import ChainCache, ChainProfile, KeySet, Purpose, verify_chain, verify_signature
from cyberid_client.wire.jwks import parse_jwks

from .bench import JSON, NOW, bench, closed, json_response, with_rp
from .strategies import any_bytes, any_text, changed, json_values, mutated, mutated_text, scalars

BENCH = bench()
PARAMETERS = ("state", "iss", "code", "error", "error_description", "response", "x")
CONTENT_TYPES = ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/html", "")

pieces = st.sampled_from(["%", "%zz", "%00", "%ff", "+", "&", "=", "#", "?", "%F0%9F%98%80", "\x00", "é"])
queries = st.lists(st.tuples(st.sampled_from(PARAMETERS), st.text(max_size=20) | pieces), max_size=6).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
callbacks = st.one_of(
    any_text,
    queries,
    queries.map(lambda query: f"https://shop.example/callback?{query}"),
    mutated_text(BENCH.callback),
)
handles = st.one_of(any_text, mutated_text(BENCH.request.handle))
headers = st.one_of(
    st.dictionaries(st.text(max_size=20), any_text, max_size=3),
    st.sampled_from(CONTENT_TYPES).map(lambda text: {"content-type": text}),
)
statuses = st.integers(-1, 700) | st.sampled_from([200, 201, 400, 401, 429, 500])


def responses(document, *, status=200):
    """Answers of any kind, and the honest one with something done to it."""
    body = json_bytes(document)
    bodies = st.one_of(
        any_bytes, mutated(body), changed(document).map(json_bytes), json_values.map(json_bytes)
    )
    free = st.builds(HTTPResponse, status=statuses, headers=headers, body=bodies, url=st.just("https://x/"))
    served = bodies.map(lambda body: HTTPResponse(status=status, headers=JSON, body=body, url="https://x/"))
    failed = st.builds(
        HTTPResponse,
        status=st.just(0),
        url=st.just(""),
        error=st.text(max_size=20) | st.just("transport.tls"),
    )
    return st.one_of(served, served, free, failed)


class TestClient:
    @given(callback=callbacks)
    def test_any_callback(self, callback):
        """No callback brings out anything but a login or our own error."""
        closed(lambda: BENCH.finish(callback=callback))

    @given(handle=handles)
    def test_any_handle(self, handle):
        """No cookie brings out anything but a login or our own error; a changed one is no login."""
        result = closed(lambda: BENCH.finish(handle=handle))
        assert isinstance(result, Login) == (handle == BENCH.request.handle)

    @given(callback=callbacks)
    def test_cookie_names_of_any_callback(self, callback):
        """A cookie's name and its removal are asked for before anything was judged, and never fail."""
        name = BENCH.client.cookie_name_for(callback)
        header = BENCH.client.clear_cookie(callback)
        assert (name is None) == (header == "")
        assert header.isascii()
        assert header.isprintable()

    @given(answer=responses(BENCH.token_document))
    def test_any_token_response(self, answer):
        """No answer to the exchange brings out anything but a login or our own error."""
        closed(lambda: BENCH.finish(token=answer))

    @given(answer=responses(BENCH.par, status=201))
    def test_any_answer_to_the_pushed_request(self, answer):
        """No answer to the pushed request brings out anything but a URL or our own error."""
        closed(lambda: BENCH.learn(par=answer))

    @given(answer=responses(BENCH.discovery))
    def test_any_discovery_page(self, answer):
        """No discovery page brings out anything but a started login or our own error."""
        closed(lambda: BENCH.learn(discovery=answer))

    @given(answer=responses(BENCH.jwks))
    def test_any_key_set(self, answer):
        """No key set brings out anything but a started login or our own error."""
        closed(lambda: BENCH.learn(jwks=answer))

    @given(entries=st.lists(changed(BENCH.jwks["keys"][0]), max_size=3))
    def test_any_entry_of_a_key_set(self, entries):
        """A key of any shape is skipped or refused, and the login with it is judged all the same."""
        keys = closed(lambda: KeySet.from_jwks(parse_jwks(json_response({"keys": entries}))))
        if isinstance(keys, KeySet):
            token = BENCH.token_document["id_token"]
            closed(lambda: verify_assertion(token, expected=expected(), keys=keys, now=NOW))

    @given(claims=changed(BENCH.metadata_claims), header=changed(BENCH.metadata_header))
    def test_any_signed_metadata(self, claims, header):
        """Metadata that the issuer really signed may say anything."""
        for parts in ((BENCH.metadata_header, claims), (header, BENCH.metadata_claims)):
            page = BENCH.discovery_with(BENCH.sign(*parts, purpose="metadata"))
            closed(lambda page=page: BENCH.learn(discovery=page))

    @given(place=any_text, prompt=any_text | st.none())
    def test_any_place_to_return_to(self, place, prompt):
        """A place that the browser named is a path of this origin or refused."""
        closed(lambda: BENCH.client.start_login(return_to=place, prompt=prompt))


@cache
def expected():
    return BENCH.rp.expect(
        nonce=BENCH.claims["nonce"], started_at=NOW, access_token=BENCH.token_document["access_token"]
    )


@cache
def key_set():
    return KeySet.from_jwks(parse_jwks(json_response(BENCH.jwks)))


class TestAssertion:
    @given(
        token=st.one_of(
            any_text,
            any_bytes,
            mutated_text(BENCH.token_document["id_token"]),
            mutated(BENCH.token_document["id_token"].encode()),
        )
    )
    def test_any_text_or_bytes(self, token):
        """Whatever is handed over as an assertion, it is refused or it is the honest one."""
        closed(lambda: verify_assertion(token, expected=expected(), keys=key_set(), now=NOW))

    @given(header=changed(BENCH.header))
    def test_any_header(self, header):
        """A header that the issuer really signed may hold anything."""
        closed(lambda: BENCH.finish_with(BENCH.sign(header, BENCH.claims)))

    @given(certificates=st.lists(st.text(max_size=30) | mutated_text(BENCH.header["x5c"][0]), max_size=3))
    def test_any_chain_in_the_header(self, certificates):
        """The certificates of a header may be anything."""
        header = {**BENCH.header, "x5c": certificates}
        closed(lambda: BENCH.finish_with(BENCH.sign(header, BENCH.claims)))

    @given(payload=any_bytes | mutated(json_bytes(BENCH.claims)))
    def test_any_payload(self, payload):
        """A payload that the issuer really signed may be any bytes."""
        closed(lambda: BENCH.finish_with(BENCH.sign(BENCH.header, {}, payload=payload)))


CHAIN = [each.public_bytes(Encoding.DER) for each in BENCH.keyring.signer("assertion").chain]
ROOT = BENCH.keyring.root.certificate.public_bytes(Encoding.DER)
SPKI = BENCH.rp.key.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
certificates = st.one_of(
    any_bytes, mutated(CHAIN[0]), mutated(CHAIN[1]), mutated(ROOT), st.sampled_from(CHAIN)
)


class TestTrust:
    @given(leaf=certificates, others=st.lists(certificates, max_size=4))
    def test_any_chain(self, leaf, others):
        """Bytes of any kind are a chain or refused; only the honest leaf is believed."""
        profile = ChainProfile.assertion(BENCH.issuer.issuer)
        chain = closed(
            lambda: verify_chain(
                leaf, others, trust=BENCH.rp.trust, profile=profile, now=NOW, cache=ChainCache()
            )
        )
        assert isinstance(chain, CyberIDError) or leaf == CHAIN[0]

    @given(
        message=any_bytes,
        signature=any_bytes,
        algorithm=any_text | st.sampled_from(["ES256", "ES384", "EdDSA", "PS256", "ML-DSA-44", "SM2-SM3"]),
        key=any_bytes | mutated(SPKI),
    )
    def test_any_signature(self, message, signature, algorithm, key):
        """No bytes that nobody signed are taken for signed."""
        result = closed(
            lambda: verify_signature(message, signature, algorithm=algorithm, public_key_info=key)
        )
        assert isinstance(result, CyberIDError)

    @given(pem=any_bytes | mutated(BENCH.issuer.root_pem))
    def test_any_roots_as_pem(self, pem):
        """A file of roots is pinned whole or refused."""
        for make in (TrustStore.from_pem, TrustStore.for_tests):
            closed(lambda make=make: make(pem))

    @given(der=st.lists(certificates, max_size=3))
    def test_any_roots_as_der(self, der):
        """Roots in DER are pinned whole or refused."""
        closed(lambda: TrustStore.from_der(der))

    @given(pem=any_bytes | mutated(BENCH.key_pem), password=st.none() | st.binary(max_size=8))
    def test_any_client_key(self, pem, password):
        """A file is a key that this library signs with, or refused."""
        closed(lambda: ClientKey.from_pem(pem, password=password))


HANDLE = Handle.parse(BENCH.request.handle)
MEMBERS = {
    "kind": "redirect", "issuer": "i", "client_id": "c", "redirect_uri": "r", "state": "s", "nonce": "n",
    "code_verifier": "v", "assurance": Assurance.R02.value, "max_age": None, "return_to": "/",
    "started_at": 1.0, "expires_at": 2.0,
}  # fmt: skip


class TestStores:
    @given(record=any_bytes)
    def test_any_record(self, record):
        """A record that was not made for a handle is unknown."""
        result = closed(lambda: unseal(record, HANDLE))
        assert "login.unknown" == result.code

    @given(plain=any_bytes | changed(MEMBERS).map(json_bytes) | json_values.map(json_bytes))
    def test_any_plain_text_in_a_record(self, plain):
        """A record of another version of this library, rightly sealed, is read or unknown."""
        record = bytes(12) + HANDLE.cipher.encrypt(bytes(12), plain, HANDLE.key.encode())
        closed(lambda: unseal(record, HANDLE))

    @given(key=any_text, carried=any_text | mutated_text(HANDLE.carried))
    def test_anything_that_a_browser_carries(self, key, carried):
        """What a browser brings back opens only as it was sealed, and only for its key."""
        for wanted in (key, HANDLE.key):
            record = BENCH.store.take(wanted, carried=carried, now=NOW)
            assert (record is not None) == ((wanted, carried) == (HANDLE.key, HANDLE.carried))

    @given(record=st.binary(max_size=4096), seconds=st.integers(-(10**9), 10**9))
    def test_any_record_through_the_sealed_store(self, record, seconds):
        """What is sealed opens again as it was, or was refused when it was put."""
        end = NOW + timedelta(seconds=seconds)
        carried = closed(lambda: BENCH.store.put("a" * 64, record, expires_at=end, now=NOW))
        if isinstance(carried, str):
            opened = BENCH.store.take("a" * 64, carried=carried, now=NOW)
            assert opened == (record if seconds > 0 else None)

    @given(text=any_text)
    def test_any_digest(self, text):
        """A digest that is read is written as it was."""
        digest = closed(lambda: PseudonymDigest.parse(text))
        if isinstance(digest, PseudonymDigest):
            assert text == str(digest)


things = st.one_of(
    json_values,
    any_bytes,
    st.sets(st.text(max_size=5) | st.integers(), max_size=3).map(frozenset),
    st.lists(scalars, max_size=3).map(tuple),
    st.sampled_from([
        Assurance.R01, *Assurance, object(), NOW, "https://a.example", "https://a.example/#f", "http://a.example",
        "http://127.0.0.1:1", "ES256", "RS256", "ML-DSA-44", "SM2-SM3", "tls", "absent", "dpop", b"", float("nan"),
    ]),
    st.dictionaries(st.text(max_size=5) | st.integers(), st.sampled_from(list(Assurance)) | scalars, max_size=3),
)  # fmt: skip
SETTINGS = tuple(name for name in RelyingParty.__slots__ if not name.startswith("_"))

ASKED = ("return_to", "max_age", "assurance", "redirect_uri", "prompt", "ui_locales")


class TestConfiguration:
    @pytest.mark.parametrize("name", SETTINGS)
    @given(data=st.data())
    def test_any_value_of_a_setting(self, name, data):
        """A setting of any type and value is taken or refused with the name of a setting."""
        closed(lambda: with_rp(**{name: data.draw(things)}))

    @given(changes=st.dictionaries(st.sampled_from(SETTINGS), things, max_size=5))
    def test_any_values_of_some_settings(self, changes):
        """Settings together are taken or refused, whatever they are."""
        closed(lambda: with_rp(**changes))

    @given(thing=things)
    def test_any_value_for_what_an_app_makes_itself(self, thing):
        """Stores, keys, limits and tables are made or refused."""
        closed(lambda: SealedCookieStore(thing))
        closed(lambda: MemoryPendingStore(thing))
        closed(lambda: PseudonymKeys(thing))
        closed(lambda: PurposeTable(rules=thing))
        closed(lambda: PurposeTable(rules=dict.fromkeys(Purpose, thing)))
        for name in HTTPLimits.__slots__:
            closed(lambda name=name: HTTPLimits(**{name: thing}))
        for name in ChainProfile.__slots__:
            closed(lambda name=name: ChainProfile(**{name: thing}))

    @given(asked=st.fixed_dictionaries({}, optional=dict.fromkeys(ASKED, things)))
    def test_any_value_that_a_login_asks_for(self, asked):
        """A login with any wish is started or refused."""
        closed(lambda: BENCH.client.start_login(**asked))
