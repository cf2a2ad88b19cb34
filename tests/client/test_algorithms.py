"""Whole logins in every algorithm of the table, and nothing in any other than the configured one."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from datetime import timedelta

import pytest
from cryptography import x509

from cyberid_client import ClientKey, ConfigurationError, CyberIDError, HTTPLimits, RelyingParty, TrustStore
from cyberid_client.ports import HTTPResponse
from cyberid_client.testing import FAULTS, ODDITIES, ManualClock, MockIssuer
from cyberid_client.testing.documents import draft_metadata, unsigned_page
from cyberid_client.testing.jose import ALGORITHMS as SPOKEN
from cyberid_client.testing.jose import json_bytes
from cyberid_client.testing.keyring import Keyring
from cyberid_client.transport import RequestsTransport
from cyberid_client.trust import ALGORITHMS, KeySet
from cyberid_client.wire import ASSERTION_MAX_BYTES, DISCOVERY_MAX_BYTES, METADATA_MAX_BYTES, parse_jwks

from .conftest import PROTECTIONS, START, make_shop
from .playing import arm, attempt, settings_of

NAMES = [row.name for row in ALGORITHMS.values() if row.is_available]
PAIRS = list(itertools.permutations(NAMES, 2))
HASHES = {
    "ES256": "sha256",
    "ES384": "sha384",
    "PS256": "sha256",
    "EdDSA": "sha512",
    "ML-DSA-44": "sha512",
    "ML-DSA-65": "sha512",
    "ML-DSA-87": "sha512",
}
# The faults of revocation lists are about their contents, and one of them is for good.
SIGNED = ("id_token.", "metadata.", "chain.", "jwks.")
# What protects a login beside its signatures has the same code in front of every algorithm.
SIGNED_FAULTS = [
    fault for name, fault in FAULTS.items() if name.startswith(SIGNED) and fault.needs not in PROTECTIONS
]
SIGNED_ODDITIES = [
    oddity for name, oddity in ODDITIES.items() if name.startswith(SIGNED) and oddity.needs not in PROTECTIONS
]


class Recorder:
    """Pass requests on and keep the answers by purpose."""

    def __init__(self, inner):
        self._inner = inner
        self.answers = {}

    def send(self, request):
        answer = self._inner.send(request)
        self.answers[request.purpose] = answer
        return answer

    def close(self):
        self._inner.close()


@pytest.fixture(scope="module")
def issuers():
    """One issuer for each algorithm, all with one clock: RSA keys take their time."""
    clock = ManualClock(START)
    return {name: MockIssuer(clock, algorithm=name) for name in NAMES}, clock


@pytest.fixture
def shop_of(issuers):
    """Give a function that opens a shop at the issuer of an algorithm, and put the issuers in order again."""
    by_name, clock = issuers

    def make(name, *, algorithm=None, transport=None):
        issuer = by_name[name]
        return make_shop(issuer, clock, transport or issuer.transport(), algorithm=algorithm or name)

    yield make
    for name, issuer in by_name.items():
        issuer.disarm()
        issuer.rotate_signing_key(algorithm=name)


def assertion_of(answers):
    """Return header and claims of the assertion in the recorded token response, and the access token."""
    members = json.loads(answers["token"].body)
    head, payload, _ = members["id_token"].split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, payload))
    return header, claims, members["access_token"]


def refusal(shop, step):
    with pytest.raises(CyberIDError) as refused:
        step(shop)
    return refused.value.code


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_login(shop_of, issuers, name):
    """Metadata, lists, keys and assertion of one algorithm are believed, and the evidence names it."""
    recorder = Recorder(issuers[0][name].transport())
    login = shop_of(name, transport=recorder).log_in(return_to="/cart")
    assert (login.evidence.algorithm, login.return_to) == (name, "/cart")
    header, claims, access_token = assertion_of(recorder.answers)
    assert header["alg"] == name
    digest = hashlib.new(HASHES[name], access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    assert claims["at_hash"] == half
    # Certificates are of the same kind, except above Ed25519 signers.
    above = ALGORITHMS["ES256" if name == "EdDSA" else name]
    for text in header["x5c"]:
        certificate = x509.load_der_x509_certificate(base64.b64decode(text))
        assert certificate.signature_algorithm_oid.dotted_string in above.certificate_oids
    assert ALGORITHMS[name].accepts(
        x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0])).public_key()
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_login_over_http(shop_of, issuers, name):
    """What is believed in process is believed over loopback."""
    with issuers[0][name].serve():
        shop = shop_of(name, transport=RequestsTransport(HTTPLimits()))
        with shop.client:
            assert shop.log_in().evidence.algorithm == name


@pytest.mark.parametrize("name", NAMES)
def test_a_half_hash_of_another_length_is_refused(shop_of, name):
    """at_hash is made with the algorithm's own hash: one made with another is none."""
    shop = shop_of(name)
    for fault in sorted(each for each in FAULTS if "at_hash" in each):
        shop.issuer.arm(fault)
        assert refusal(shop, lambda shop: shop.log_in()) == FAULTS[fault].expected_code


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_rotates_between_the_legs(shop_of, name):
    """An honest rotation is believed at once, announced or not."""
    shop = shop_of(name)
    shop.log_in()
    for announced in (True, False):
        if announced:
            shop.issuer.publish_next_signing_key()
        request = shop.client.start_login()
        shop.issuer.rotate_signing_key()
        login = shop.client.finish_login(shop.issuer.authorize(request.url), handle=request.handle)
        assert login.evidence.algorithm == name


@pytest.mark.parametrize("name", NAMES)
def test_authority_root_and_metadata_signer_change(shop_of, issuers, name):
    """New signers and authorities under a pinned root are believed."""
    shop = shop_of(name)
    shop.log_in()
    shop.issuer.renew_authority()
    shop.issuer.renew_metadata_signer()
    issuers[1].advance(timedelta(hours=1).total_seconds())
    assert shop.log_in().evidence.algorithm == name


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "ES256"])
def test_every_named_fault_and_oddity_of_what_is_signed(issuers, name):
    """The verdict on every fault and oddity is that of ES256: nothing is laxer in another algorithm."""
    by_name, clock = issuers
    issuer, found = by_name[name], {}
    for each in (*SIGNED_FAULTS, *SIGNED_ODDITIES):
        shop = make_shop(issuer, clock, issuer.transport(), algorithm=name, **settings_of(each))
        try:
            arm(shop, each)
            attempt(shop, each)
        except CyberIDError as error:
            found[each.name] = error.code
        issuer.disarm()
    assert found == {fault.name: fault.expected_code for fault in SIGNED_FAULTS}


@pytest.mark.parametrize("name", NAMES)
def test_a_signer_that_was_taken_back(shop_of, name):
    """Revocation lists in every algorithm are believed: who stands on one is refused, the next signer is not."""
    shop = shop_of(name)
    shop.issuer.revoke_signer("assertion")
    assert refusal(shop, lambda shop: shop.log_in()) == "revocation.revoked"
    shop.issuer.rotate_signing_key()
    assert shop.log_in().evidence.algorithm == name


@pytest.mark.slow
@pytest.mark.parametrize(("configured", "signed"), PAIRS)
def test_a_signer_of_another_algorithm_is_refused(shop_of, configured, signed):
    """A published key with a good chain is worth nothing when it signs in another algorithm than configured."""
    shop = shop_of(configured)
    shop.log_in()
    shop.issuer.rotate_signing_key(algorithm=signed)
    assert refusal(shop, lambda shop: shop.log_in()) == "id_token.algorithm"


@pytest.mark.slow
@pytest.mark.parametrize(("configured", "signed"), PAIRS)
def test_a_header_that_lies_about_the_algorithm_is_refused(shop_of, issuers, configured, signed):
    """Naming the configured algorithm does not help a key of another kind, published and certified or not."""
    shop = shop_of(configured)
    shop.log_in()
    shop.issuer.rotate_signing_key(algorithm=signed)
    transport = Renaming(issuers[0][configured].transport(), signed, configured)
    client = make_shop(shop.issuer, shop.clock, transport, algorithm=configured)
    assert refusal(client, lambda shop: shop.log_in()) in {"id_token.key_unknown", "id_token.signature"}


class Renaming(Recorder):
    """Change ``alg`` in the header of every assertion that goes by."""

    def __init__(self, inner, old, new):
        super().__init__(inner)
        self._names = old, new

    def send(self, request):
        answer = super().send(request)
        if request.purpose != "token":
            return answer
        members = json.loads(answer.body)
        head, _, rest = members["id_token"].partition(".")
        header = json.loads(base64.urlsafe_b64decode(head + "=="))
        assert header["alg"] == self._names[0]
        header["alg"] = self._names[1]
        head = base64.urlsafe_b64encode(json_bytes(header)).rstrip(b"=").decode()
        body = json_bytes({**members, "id_token": f"{head}.{rest}"})
        return HTTPResponse(status=answer.status, headers=answer.headers, body=body, url=answer.url)


@pytest.mark.slow
@pytest.mark.parametrize(("configured", "offered"), PAIRS)
def test_an_issuer_of_another_algorithm_is_refused(shop_of, configured, offered):
    """An algorithm is configured, never negotiated: metadata in another one end it before anything is asked."""
    shop = shop_of(offered, algorithm=configured)
    assert refusal(shop, lambda shop: shop.client.start_login()) == "metadata.algorithm"
    assert "par" not in shop.transport.purposes


@pytest.mark.parametrize("name", NAMES)
def test_the_key_set_names_kind_and_algorithm(shop_of, issuers, name):
    """A published key is read as what it is; AKP keys carry their algorithm and nothing but the key."""
    recorder = Recorder(issuers[0][name].transport())
    shop_of(name, transport=recorder).log_in()
    entry = json.loads(recorder.answers["jwks"].body)["keys"][0]
    assert (entry["kty"], entry.get("crv"), entry["alg"]) == (
        ALGORITHMS[name].kty,
        ALGORITHMS[name].crv,
        name,
    )
    if name.startswith("ML-DSA"):
        assert sorted(entry) == ["alg", "kid", "kty", "pub", "use", "x5c"]
    keys = KeySet.from_jwks(parse_jwks(recorder.answers["jwks"]))
    assert [name] == [key.algorithm.name for key in keys.keys]


def test_the_longest_chain_in_the_largest_algorithm_fits(shop_of, issuers):
    """Four ML-DSA-87 certificates under the root are inside every limit, in process and over HTTP."""
    issuer = issuers[0]["ML-DSA-87"]
    recorder = Recorder(issuer.transport())
    shop = shop_of("ML-DSA-87", transport=recorder)
    issuer.arm("chain.longest")
    assert shop.log_in().evidence.algorithm == "ML-DSA-87"
    token = json.loads(recorder.answers["token"].body)["id_token"]
    header, _, _ = assertion_of(recorder.answers)
    assert len(header["x5c"]) == 4
    assert 60_000 < len(token) <= ASSERTION_MAX_BYTES
    with issuer.serve():
        served = shop_of("ML-DSA-87", transport=RequestsTransport(HTTPLimits()))
        issuer.arm("chain.longest")
        with served.client:
            assert served.log_in().evidence.algorithm == "ML-DSA-87"


def test_an_announced_key_in_the_largest_algorithm_fits(shop_of, issuers):
    """A key set with ten ML-DSA-87 keys and their chains is inside its limit."""
    shop = shop_of("ML-DSA-87")
    for _ in range(9):
        shop.issuer.publish_next_signing_key()
    assert shop.log_in().evidence.algorithm == "ML-DSA-87"


def test_sm2_is_refused_at_configuration(issuers):
    """SM2-SM3 is known and not available: that is said when the app starts, not when somebody logs in."""
    issuer = issuers[0]["ES256"]
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    with pytest.raises(ConfigurationError) as refused:
        RelyingParty(
            issuer=issuer.issuer,
            client_id="shop",
            redirect_uri=registered.redirect_uri,
            key=ClientKey.from_pem(registered.key_pem),
            trust=TrustStore.for_tests(issuer.root_pem),
            algorithm="SM2-SM3",
        )
    assert refused.value.code == "config.algorithm_unavailable"


@pytest.mark.parametrize("name", ["SM2-SM3", "RS256", "none", "es256", "Ed25519", ""])
def test_the_mock_signs_in_nothing_outside_the_table(issuers, name):
    """An issuer of an algorithm that it does not speak cannot be made, and none can turn to it."""
    for step in (
        lambda: MockIssuer(algorithm=name),
        lambda: issuers[0]["ES256"].rotate_signing_key(algorithm=name),
    ):
        with pytest.raises(ConfigurationError) as refused:
            step()
        assert refused.value.code == "config.no_algorithm"


def test_the_longest_metadata_chain_in_the_largest_algorithm_fits():
    """The discovery page of an issuer with four ML-DSA-87 certificates under the root is inside its limits."""
    keyring = Keyring(issuer="https://issuer.example", algorithm=SPOKEN["ML-DSA-87"], now=START)
    draft = draft_metadata(keyring, issued_at=int(START.timestamp()), now=START)
    draft.use_chain((*draft.signer.chain, *draft.signer.chain[1:] * 2))
    token = draft.encode()
    assert len(draft.header["x5c"]) == 4
    assert 60_000 < len(token) <= METADATA_MAX_BYTES
    assert len(json_bytes(unsigned_page(keyring.issuer, token))) <= DISCOVERY_MAX_BYTES
