"""Log in at a certified OpenID Provider that none of us wrote, by the two named exceptions."""

from __future__ import annotations

import logging
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client import (
    Assurance,
    Client,
    ClientKey,
    ConfigurationError,
    HTTPLimits,
    LoginDeclinedError,
    LoginRestartError,
    Persistence,
    RelyingParty,
    TrustStore,
    UnavailableError,
    VerificationError,
)
from cyberid_client.testing import MockIssuer

from .conftest import BASIC, REDIRECT_URI, STRONG

logger = logging.getLogger("interop")


def relying_party(peer, **changes):
    settings = {
        "issuer": peer.issuer,
        "client_id": "shop",
        "redirect_uri": REDIRECT_URI,
        "key": ClientKey.from_pem(peer.key_pem),
        "trust": None,
        "metadata_trust": "tls",
        "assertion_chain": "absent",
        "assurance": Assurance.R01,
        "assurance_values": {BASIC: Assurance.R01, STRONG: Assurance.R02},
        "persistence": Persistence.LIFE,
        "http": HTTPLimits(ca_pem=peer.ca_pem),
    }
    return RelyingParty(**{**settings, **changes})


class Person:
    """A browser at the provider, and who sits in front of it."""

    def __init__(self, peer, tmp_path, account="made-up-person"):
        self._session = requests.Session()
        self._session.trust_env = False
        ca_file = tmp_path / "ca.pem"
        ca_file.write_bytes(peer.ca_pem)
        self._session.verify = str(ca_file)
        self._account = account
        self.asked = 0

    def answer(self, url, *, deny=False):
        """Follow the provider's redirects and fill in its form until it sends us back to the app."""
        for _ in range(10):
            response = self._session.get(url, allow_redirects=False, timeout=10)
            if response.status_code == 200:
                self.asked += 1
                form = {"deny": "1"} if deny else {"account": self._account}
                response = self._session.post(url, data=form, allow_redirects=False, timeout=10)
            url = urljoin(url, response.headers["location"])
            if urlsplit(url).hostname in {"shop.example", "other.example"}:
                self._session.close()
                return url
        pytest.fail("the provider never sent the browser back")


@pytest.fixture
def client(peer):
    with Client(relying_party(peer)) as client:
        yield client


def log_in(client, person, **asked):
    request = client.start_login(**asked)
    return client.finish_login(person.answer(request.url), handle=request.handle)


def test_a_login_at_a_foreign_provider(client, peer, tmp_path):
    """Discovery, pushed request, PKCE, private_key_jwt and a pairwise subject, with nothing of ours there."""
    login = log_in(client, Person(peer, tmp_path), return_to="/cart")
    assert login.assurance is Assurance.R01
    assert login.persistence is Persistence.LIFE
    assert login.sector == "https://shop.example"
    assert login.return_to == "/cart"
    assert login.evidence.signer_sha256 is None
    lines = peer.lines()
    logger.info("transcript of the peer: %s", lines)
    assert any(line.startswith("oidc-provider 9.") and line.endswith("listens") for line in lines)
    assert "POST /request" in lines
    assert "POST /token" in lines


def test_the_pseudonym_is_stable_here_and_another_one_elsewhere(client, peer, tmp_path):
    """Pairwise subjects: equal for one sector, different for another, different for another person."""
    first, again = (log_in(client, Person(peer, tmp_path)) for _ in range(2))
    stranger = log_in(client, Person(peer, tmp_path, account="another-made-up-person"))
    other_rp = relying_party(peer, client_id="other", redirect_uri="https://other.example/callback")
    with Client(other_rp) as other:
        elsewhere = log_in(other, Person(peer, tmp_path))
    assert first.pseudonym == again.pseudonym
    assert len({first.pseudonym.value, stranger.pseudonym.value, elsewhere.pseudonym.value}) == 3


def test_a_stricter_mode_asks_the_person_again(client, peer, tmp_path):
    """A session opened with less does not answer a request for more."""
    person = Person(peer, tmp_path)
    assert log_in(client, person).assurance is Assurance.R01
    assert log_in(client, person).assurance is Assurance.R01
    assert person.asked == 1
    assert log_in(client, person, assurance=Assurance.R02).assurance is Assurance.R02
    assert person.asked == 2


def test_max_age_zero_asks_the_person_again(client, peer, tmp_path):
    """The provider authenticates anew and says so in auth_time."""
    person = Person(peer, tmp_path)
    log_in(client, person)
    log_in(client, person, max_age=0)
    assert person.asked == 2


def test_a_mode_without_a_word_at_this_provider_cannot_be_asked_for(client):
    """A face is nothing that this provider knows."""
    with pytest.raises(ConfigurationError) as unknown:
        client.start_login(assurance=Assurance.R03)
    assert unknown.value.code == "config.assurance"


def test_a_person_who_says_no_has_declined(client, peer, tmp_path):
    """The provider's error comes back with state and issuer, and is told from an attack."""
    request = client.start_login()
    with pytest.raises(LoginDeclinedError) as declined:
        client.finish_login(Person(peer, tmp_path).answer(request.url, deny=True), handle=request.handle)
    assert declined.value.code == "declined.access_denied"


def test_a_replayed_callback_is_stopped_by_us_and_a_used_code_by_the_provider(client, peer, tmp_path):
    """The pending login is gone; and a code that was used does not work for a new login either."""
    request = client.start_login()
    callback = Person(peer, tmp_path).answer(request.url)
    client.finish_login(callback, handle=request.handle)
    with pytest.raises(LoginRestartError):
        client.finish_login(callback, handle=request.handle)
    used_code = dict(pair.split("=") for pair in urlsplit(callback).query.split("&"))["code"]
    second = client.start_login()
    fresh = Person(peer, tmp_path).answer(second.url)
    fresh_code = dict(pair.split("=") for pair in urlsplit(fresh).query.split("&"))["code"]
    with pytest.raises(LoginRestartError) as refused:
        client.finish_login(fresh.replace(fresh_code, used_code), handle=second.handle)
    assert refused.value.code == "login.code_refused"


def test_a_client_with_another_key_is_refused_as_misconfigured(peer, tmp_path):
    """The provider does not know the key: the operator must act, and nothing is tried again."""
    rp = relying_party(peer, key=ClientKey(ec.generate_private_key(ec.SECP256R1())))
    with Client(rp) as client, pytest.raises(ConfigurationError) as refused:
        client.start_login()
    assert refused.value.code == "par.client_refused"


def test_the_full_profile_refuses_this_provider(peer):
    """Without the exceptions an unsigned discovery page is no metadata."""
    trust = TrustStore.for_tests(MockIssuer().root_pem)
    rp = relying_party(
        peer, trust=trust, metadata_trust="signed", assertion_chain="required",
        assurance_values={}, persistence=None,
    )  # fmt: skip
    with Client(rp) as client, pytest.raises(VerificationError) as refused:
        client.start_login()
    assert refused.value.code == "discovery.signed_metadata_missing"


def test_a_provider_behind_an_unknown_authority_is_not_asked(peer):
    """TLS is verified against the authority that was handed in, and nothing else."""
    with Client(relying_party(peer, http=HTTPLimits())) as client, pytest.raises(UnavailableError) as refused:
        client.start_login()
    assert refused.value.code == "transport.tls"
