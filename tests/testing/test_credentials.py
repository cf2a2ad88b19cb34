"""The credentials that the mock issuer puts into wallets, read by hand."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import ConfigurationError
from cyberid_client.testing import (
    CREDENTIAL_FAULTS,
    CREDENTIAL_ODDITIES,
    FAULTS,
    ODDITIES,
    WALLET_FAULTS,
    WALLET_ODDITIES,
    ManualClock,
    MockIssuer,
    Wallet,
)
from cyberid_client.testing.arming import Fault
from cyberid_client.testing.directory import BUCKET_SIZE, BUCKETS, bucket_of
from cyberid_client.testing.jose import ALGORITHMS, jwk_of
from cyberid_client.testing.permutation import permute
from cyberid_client.testing.pki import PURPOSES

from .conftest import b64, make_in_process, parts_of, unb64

SECTOR, ENDPOINT = "https://shop.example", "https://shop.example/wallet"
WEEK = 7 * 86_400


@pytest.fixture(scope="module")
def clock():
    return ManualClock()


@pytest.fixture(scope="module")
def issuer(clock):
    """One issuer for tests that change nothing of it but enrol."""
    issuer = MockIssuer(clock)
    issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
    return issuer


@pytest.fixture
def raw(issuer, clock):
    registered = issuer.register(client_id="shop", redirect_uri=f"{SECTOR}/callback")
    return make_in_process(issuer, registered, clock)


@pytest.fixture
def enrol(raw):
    """Enrol a person, and return the secret."""

    def enrol(person="adult", acr="urn:cyberid:mode:r02"):
        return raw.post("/wallet/enrol", {"person": person, "acr": acr}).json()["enrolment"]

    return enrol


@pytest.fixture(scope="module")
def holders():
    """A key for every sector of the shop's bucket."""
    return {}


@pytest.fixture
def fetch(raw, enrol, holders):
    """Fetch the shop's whole bucket, and return answer and keys."""

    def fetch(secret=None, bucket=None, **changes):
        number = bucket_of(SECTOR) if bucket is None else bucket
        for sector in raw.get(f"/wallet/directory/{number}").json()["sectors"]:
            holders.setdefault(sector, jwk_of(ALGORITHMS["ES256"].generate().public_key()))
        body = {"enrolment": secret or enrol(), "keys": holders, **changes}
        headers = {"content-type": "application/json"}
        return raw.post(f"/wallet/credentials/{number}", json.dumps(body).encode(), headers)

    return fetch


def opened(credential):
    """Return header, claims and disclosures."""
    jwt, *disclosures, end = credential.split("~")
    assert end == ""
    return *parts_of(jwt), disclosures


def test_a_credential_says_what_the_profile_says_and_nothing_else(issuer, clock, fetch, holders):
    """Claims, header and the one digest are those of the profile; the pseudonym is that of every handshake."""
    header, claims, disclosures = opened(fetch().json()["credentials"][SECTOR])
    assert {"alg", "kid", "typ", "x5c"} == header.keys()
    assert ("ES256", "dc+sd-jwt") == (header["alg"], header["typ"])
    epoch = int(clock().timestamp()) // WEEK
    idx = claims["status"]["status_list"].pop("idx")
    assert 0 <= idx < 131_072
    assert claims.pop("status") == {"status_list": {"uri": issuer.status_lists.uris[1]}}
    assert claims == {
        "iss": issuer.issuer,
        "sub": issuer.pseudonym("adult", sector=SECTOR),
        "aud": SECTOR,
        "iat": epoch * WEEK,
        "exp": (epoch + 2) * WEEK,
        "vct": "urn:cyberid:pairwise:1",
        "cnf": {"jwk": holders[SECTOR]},
        "acr": "urn:cyberid:mode:r02",
        "persistence": "A",
        "_sd": [b64(hashlib.sha256(disclosures[0].encode()).digest())],
    }
    salt, name, value = json.loads(unb64(disclosures[0]))
    assert (1, 16, "age_band", "adult") == (len(disclosures), len(unb64(salt)), name, value)


def test_the_signature_is_that_of_a_signer_of_its_own_in_the_key_set(issuer, raw, fetch):
    """Credentials have a key, a chain and a purpose of their own."""
    jwt = fetch().json()["credentials"][SECTOR].split("~")[0]
    header, _ = parts_of(jwt)
    [published] = [key for key in raw.get("/jwks.json").json()["keys"] if key["kid"] == header["kid"]]
    assert header["x5c"] == published["x5c"]
    leaf = issuer._service.keyring.signer("credential").chain[0]
    assert [PURPOSES["credential"]] == [
        each.dotted_string for each in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    ]
    message, _, signature = jwt.rpartition(".")
    ALGORITHMS["ES256"].verify(leaf.public_key(), unb64(signature), message.encode())


def test_nothing_that_two_credentials_share_leads_from_one_to_the_other(fetch):
    """Pseudonym, key, index, salt and digest differ from sector to sector; the rest is the same for everybody."""
    credentials = fetch().json()["credentials"]
    read = [opened(credential) for credential in credentials.values()]
    for varying in (
        lambda claims: claims["sub"],
        lambda claims: json.dumps(claims["cnf"]),
        lambda claims: claims["_sd"][0],
        lambda claims: claims["status"]["status_list"]["uri"],
    ):
        assert len(read) == len({varying(claims) for _, claims, _ in read})
    assert len(read) == len({json.loads(unb64(found))[0] for _, _, [found] in read})
    same = ("iss", "iat", "exp", "vct", "acr", "persistence")
    assert 1 == len({json.dumps([claims[name] for name in same]) for _, claims, _ in read})
    assert len(read) - 3 < len({claims["status"]["status_list"]["idx"] for _, claims, _ in read})


def test_a_credential_that_is_fetched_again_differs_in_its_salt_alone(enrol, fetch):
    """The same wallet gets the same credential again, under a fresh salt."""
    secret = enrol()
    one, two = (opened(fetch(secret).json()["credentials"][SECTOR])[1] for _ in range(2))
    assert one.pop("_sd") != two.pop("_sd")
    assert one == two


def test_two_people_have_two_indexes_in_every_list(enrol, fetch):
    """In each list an index is one wallet's, and in another list it is another."""
    people = [fetch(enrol(f"crowd-{number}")).json()["credentials"] for number in range(4)]
    indexes = [
        [opened(each[sector])[1]["status"]["status_list"]["idx"] for each in people] for sector in people[0]
    ]
    assert {4} == {len(set(each)) for each in indexes}
    assert len(indexes) - 3 < len({each[0] for each in indexes})


@pytest.mark.parametrize("size", [100_000, 131_072, 262_144])
def test_the_permutation_is_one(size):
    """Under one key no two numbers meet, and another key draws another order."""
    numbers = range(500)
    drawn = [[permute(number, key=key, size=size) for number in numbers] for key in (b"a", b"b")]
    assert all(len(numbers) == len(set(each)) and max(each) < size for each in drawn)
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(("number", "size"), [(-1, 10), (10, 10), (0, 262_145)])
def test_what_is_outside_of_the_permutation_is_refused(number, size):
    """A number that is not there goes nowhere."""
    with pytest.raises(ValueError, match="no such number"):
        permute(number, key=b"a", size=size)


def test_the_directory_has_whole_buckets(raw):
    """Every bucket has at least 64 sectors, each in the one that its name says, and the shop is in one."""
    index = raw.get("/wallet/directory").json()
    assert (WEEK, BUCKETS) == (index["epoch_length"], len(index["buckets"]))
    buckets = [raw.get(f"/wallet/directory/{number}").json()["sectors"] for number in range(BUCKETS)]
    assert [len(sectors) for sectors in buckets] == [each["sectors"] for each in index["buckets"]]
    assert BUCKET_SIZE <= min(map(len, buckets))
    assert all(bucket_of(each) == number for number, sectors in enumerate(buckets) for each in sectors)
    assert buckets == [sorted(sectors) for sectors in buckets]
    assert 1 == Counter(sector for sectors in buckets for sector in sectors)[SECTOR]


def test_the_log_knows_buckets_and_nothing_else(issuer, enrol, fetch):
    """Of what a wallet fetched, the log has a number: no sector, no person, no secret."""
    before = len(issuer.log)
    fetch(enrol("teenager"))
    number = bucket_of(SECTOR)
    assert [
        ("POST", "/wallet/enrol", 200),
        ("GET", f"/wallet/directory/{number}", 200),
        ("POST", f"/wallet/credentials/{number}", 200),
    ] == [(each.method, each.path, each.status) for each in issuer.log[before:]]
    assert {None} == {each.client_id for each in issuer.log[before:]}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"enrolment": "somebody"}, 401),
        ({"enrolment": None}, 401),
        ({"keys": {}}, 400),
        ({"keys": []}, 400),
        ({"keys": {SECTOR: {"kty": "EC"}}}, 400),
    ],
)
def test_who_asks_wrongly_gets_nothing(enrol, fetch, changes, status):
    """A wallet proves its person, and brings one key for each sector of the bucket."""
    assert status == fetch(enrol(), **changes).status


def test_a_private_key_is_not_taken(enrol, fetch, holders):
    """A wallet that sends a private key is told, and gets nothing."""
    changed = {sector: {**key, "d": "AA"} for sector, key in holders.items()}
    assert 400 == fetch(enrol(), keys=changed).status


def test_only_the_required_members_of_a_key_are_certified(enrol, fetch, holders):
    """What else stands in a JWK does not get into the credential."""
    secret = enrol()
    fetch(secret)
    changed = {sector: {**key, "kid": "mine", "alg": "ES256"} for sector, key in holders.items()}
    assert (
        holders[SECTOR] == opened(fetch(secret, keys=changed).json()["credentials"][SECTOR])[1]["cnf"]["jwk"]
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/wallet/enrol", 405),
        ("POST", "/wallet/directory", 405),
        ("GET", "/wallet/credentials/0", 405),
        ("GET", "/wallet/directory/8", 404),
        ("GET", "/wallet/directory/01", 404),
        ("GET", "/wallet/directory/-1", 404),
        ("POST", "/wallet/credentials/x", 404),
        ("POST", "/wallet/credentials", 404),
    ],
)
def test_what_is_not_there_is_not_there(raw, method, path, status):
    """There are so many buckets, written in one way, and each endpoint has one method."""
    assert status == raw.send(method, raw.issuer.issuer + path, b"", {}).status


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 5_000])
def test_a_body_that_is_no_object_is_refused(raw, body):
    """Whatever is posted, the answer is an error and nothing else."""
    headers = {"content-type": "application/json"}
    assert 400 == raw.post("/wallet/credentials/0", body, headers).status


@pytest.mark.parametrize(
    "form",
    [{"person": "nobody", "acr": "urn:cyberid:mode:r01"}, {"person": "adult", "acr": "urn:cyberid:mode:r03"}],
)
def test_who_does_not_exist_is_not_enrolled(raw, form):
    """There is no wallet of nobody, and none with a face."""
    assert 400 == raw.post("/wallet/enrol", urlencode(form).encode()).status


def test_an_app_is_certified_for_one_sector_and_one_host(issuer):
    """The certificate names both, for its one purpose, and its key is the one that comes along."""
    chain_pem, key_pem = issuer.certify_relying_party(sector=SECTOR, endpoint="http://127.0.0.1:5000/wallet")
    leaf, authority = x509.load_pem_x509_certificates(chain_pem)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [SECTOR] == names.get_values_for_type(x509.UniformResourceIdentifier)
    assert ["127.0.0.1"] == [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    leaf.verify_directly_issued_by(authority)
    assert leaf.public_key() == load_pem_private_key(key_pem, None).public_key()
    for each in (leaf, authority):
        found = each.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert [PURPOSES["relying_party"]] == [purpose.dotted_string for purpose in found]


@pytest.mark.parametrize(
    ("sector", "endpoint", "code"),
    [("shop", ENDPOINT, "config.sector"), (SECTOR, "shop.example", "config.wallet")],
)
def test_what_is_no_address_is_not_certified(issuer, sector, endpoint, code):
    """Sector and endpoint are web addresses."""
    with pytest.raises(ConfigurationError) as refused:
        issuer.certify_relying_party(sector=sector, endpoint=endpoint)
    assert code == refused.value.code


def test_an_issuer_that_issues_none_publishes_no_key_for_them(clock):
    """Without an app that takes presentations the key set is as it was."""
    assert 1 == len(MockIssuer(clock)._service.keyring.jwks()["keys"])


@pytest.mark.parametrize("length", [59, 0, -1])
def test_an_epoch_has_a_length(clock, length):
    """An epoch that is shorter than a minute is refused."""
    with pytest.raises(ConfigurationError) as refused:
        MockIssuer(clock, credential_epoch_length=length)
    assert "config.value" == refused.value.code
    assert MockIssuer(clock, credential_epoch_length=60)._service.credentials.epoch_length == 60


def test_a_key_that_signs_no_more_stays_until_its_last_credential_ends():
    """A rotation fails nobody, and an emergency stop everybody at once."""
    clock = ManualClock()
    issuer = MockIssuer(clock, credential_epoch_length=60)
    issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
    registered = issuer.register(client_id="shop", redirect_uri=f"{SECTOR}/callback")
    raw = make_in_process(issuer, registered, clock)

    def kids():
        return [key["kid"] for key in raw.get("/jwks.json").json()["keys"]][1:]

    [old] = kids()
    issuer.rotate_credential_key()
    assert [old] == kids()[1:]
    last = (int(clock().timestamp()) // 60 + 2) * 60
    clock.advance(last - clock().timestamp() - 1)
    assert old in kids()
    clock.advance(1)
    assert old not in kids()
    assert 1 == len(kids())
    issuer.withdraw_credential_keys()
    assert [] == kids()
    issuer.disarm()
    assert 1 == len(kids())


def test_lists_are_announced_before_the_first_credential_names_them():
    """An app that looks now knows the lists of this epoch, of the one before, and of the next."""
    clock = ManualClock()
    issuer = MockIssuer(clock, credential_epoch_length=86_400)
    issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
    registered = issuer.register(client_id="shop", redirect_uri=f"{SECTOR}/callback")
    raw = make_in_process(issuer, registered, clock)
    before = raw.get("/status-lists").json()["status_lists"]
    clock.advance(86_400)
    wallet = Wallet(issuer).enrol()
    wallet.prefetch(SECTOR)
    assert wallet.holding(SECTOR).claims["status"]["status_list"]["uri"] == before[2]
    after = raw.get("/status-lists").json()["status_lists"]
    assert (3, before[1:]) == (len(after), after[:2])


def test_who_is_revoked_is_revoked_in_both_epochs_from_the_next_tick_on():
    """A revocation sets the person's own entry of each list, and no other."""
    clock = ManualClock()
    issuer = MockIssuer(clock)
    issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
    wallet = Wallet(issuer).enrol("teenager")
    wallet.prefetch(SECTOR)
    reference = wallet.holding(SECTOR).claims["status"]["status_list"]
    issuer.revoke_credentials("teenager", sector=SECTOR)
    path = reference["uri"].removeprefix(issuer.issuer)
    assert not any(issuer.status_lists.published(path, clock())[1])
    clock.advance(300)
    _, packed = issuer.status_lists.published(path, clock())
    assert [reference["idx"]] == [
        byte * 8 + bit for byte, value in enumerate(packed) if value for bit in range(8) if value >> bit & 1
    ]
    with pytest.raises(ConfigurationError) as refused:
        issuer.revoke_credentials("nobody", sector=SECTOR)
    assert "testing.unknown_person" == refused.value.code


EVERY = {**CREDENTIAL_FAULTS, **CREDENTIAL_ODDITIES, **WALLET_FAULTS, **WALLET_ODDITIES}


def test_names_are_unique():
    """No fault of wallets has the name of another, or of a fault of a login."""
    tables = (CREDENTIAL_FAULTS, CREDENTIAL_ODDITIES, WALLET_FAULTS, WALLET_ODDITIES, FAULTS, ODDITIES)
    assert sum(map(len, tables)) == len({name for table in tables for name in table})


def test_everything_is_told():
    """A fault says which rule it breaks and what must stop it; an oddity, which rule lets it pass."""
    for name, each in EVERY.items():
        assert each.name == name
        assert each.numbers
        assert each.law.endswith(".")
        assert not isinstance(each, Fault) or each.expected_code in CATALOGUE


@pytest.mark.parametrize("name", sorted({**CREDENTIAL_FAULTS, **CREDENTIAL_ODDITIES}))
def test_one_credential_changes_and_the_next_is_honest(issuer, clock, name):
    """What is armed changes the next credential that somebody will look at, once."""
    desk = issuer._service.credentials
    enrolment = desk._enrolments[desk.enrol({"person": "adult", "acr": "urn:cyberid:mode:r02"})]
    key = jwk_of(ALGORITHMS["ES256"].generate().public_key())

    def issue():
        jwt, *disclosures, _ = desk._issue_one(enrolment, SECTOR, key, clock()).split("~")
        try:
            header, claims = parts_of(jwt)
        except (ValueError, KeyError):
            return jwt
        # Salts are fresh, and digests with them.
        digests = claims.pop("_sd", None)
        shown = [json.loads(unb64(each))[1:] for each in disclosures]
        return header, claims, isinstance(digests, list) and len(digests), shown

    honest = issue()
    issuer.arm(name)
    changed = issue()
    assert {} == dict(issuer.armed)
    assert changed != honest or name in SEEN_IN_NOTHING_ELSE
    assert honest == issue()


# A forged signature is all that differs, or the salt.
SEEN_IN_NOTHING_ELSE = {
    "credential.signature_bit_flipped",
    "credential.signature_of_stranger",
    "credential.disclosure_salt_no_text",
    "credential.header_twice",
    "credential.claim_twice",
}


@pytest.mark.parametrize("stage", ["choice", "presentation", "answer", "answer_jwe", "post", "fetch"])
def test_every_stage_of_a_wallet_has_something(stage):
    """A wallet can be dishonest, or odd, wherever it does something."""
    assert stage in {each.stage for each in (*WALLET_FAULTS.values(), *WALLET_ODDITIES.values())}
