"""At every moment of a login the issuer may change keys, authority, metadata signer and root honestly."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cyberid_client import ConfigurationError, TrustStore, VerificationError

from .conftest import CountingTransport

MOMENTS = (
    "before_start",
    "before_par",
    "before_the_person",
    "before_callback",
    "before_token",
    "before_keys",
)


class Happening(CountingTransport):
    """Let something happen at the issuer just before a request of one purpose reaches it."""

    def __init__(self, inner):
        super().__init__(inner)
        self.at = {}

    def send(self, request):
        self.at.pop(request.purpose, lambda: None)()
        return super().send(request)


def key(shop):
    shop.issuer.rotate_signing_key()


def key_announced(shop):
    shop.issuer.publish_next_signing_key()
    shop.issuer.rotate_signing_key()


def authority(shop):
    shop.issuer.renew_authority()


def authority_and_key(shop):
    shop.issuer.renew_authority()
    shop.issuer.rotate_signing_key()


def metadata_signer(shop):
    shop.issuer.renew_metadata_signer()


def root(shop):
    shop.issuer.renew_root()


CHANGES = (key, key_announced, authority, authority_and_key, metadata_signer, root)


@pytest.fixture
def changing(issuer, clock, make):
    """A shop whose roots hold the present one and the one that is coming."""
    shop = make()
    transport = Happening(issuer.transport())
    client = shop.new_client(shop.rp, transport=transport, clock=clock, background=False)
    shop.client, shop.transport = client, transport
    return shop


def log_in_while(shop, moment, change):
    """Walk a login and let the change happen at one moment of it."""

    def happens_at(this):
        if this == moment:
            change(shop)

    happens_at("before_start")
    if moment in {"before_par", "before_token", "before_keys"}:
        purpose = {"before_par": "par", "before_token": "token", "before_keys": "jwks"}[moment]
        shop.transport.at[purpose] = lambda: change(shop)
    request = shop.client.start_login()
    happens_at("before_the_person")
    callback = shop.issuer.authorize(request.url)
    happens_at("before_callback")
    return shop.client.finish_login(callback, handle=request.handle)


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_honest_change_fails_no_login(changing, change, moment, warm):
    """Whatever changes, and whenever, the login that is under way and the next one succeed."""
    if change is root:
        change = _with_both_roots(changing)
    if warm:
        changing.client.refresh()
    assert log_in_while(changing, moment, change).return_to == "/"
    request = changing.client.start_login()
    callback = changing.issuer.authorize(request.url)
    assert changing.client.finish_login(callback, handle=request.handle).return_to == "/"


def _with_both_roots(shop):
    """Pin the coming root beside the present one, as an operator does before the issuer cuts over."""
    keyring = shop.issuer._service.keyring
    present, at = keyring.root, shop.clock()
    old_pem = shop.issuer.root_pem
    keyring.renew_root(at)
    coming, new_pem = keyring.root, shop.issuer.root_pem
    keyring.root = present
    keyring.renew_authority(at)
    shop.client.replace_trust(TrustStore.for_tests(old_pem + new_pem))

    def cut_over(_):
        keyring.root = coming
        keyring.renew_authority(at)

    return cut_over


def test_a_root_that_was_retired_is_believed_no_more(changing):
    """Add before remove: with the new root alone, what the old one signed is refused."""
    cut_over = _with_both_roots(changing)
    both = changing.client._legs.rp.trust
    old_chain_request = changing.client.start_login()
    callback_signed_under_old = changing.issuer.authorize(old_chain_request.url)
    keyring = changing.issuer._service.keyring
    old_root = keyring.root
    cut_over(changing)
    changing.client.replace_trust(TrustStore.for_tests(changing.issuer.root_pem))
    assert changing.client._legs.rp.trust.fingerprint != both.fingerprint
    keyring.root = old_root
    keyring.renew_authority(changing.clock())
    with pytest.raises(VerificationError) as refused:
        changing.client.finish_login(callback_signed_under_old, handle=old_chain_request.handle)
    assert refused.value.code == "chain.untrusted"


def test_a_store_without_any_present_root_does_not_take_their_place(shop):
    """To replace all roots at once would end every login that is under way."""
    stranger = type(shop.issuer)(shop.clock)
    with pytest.raises(ConfigurationError) as refused:
        shop.client.replace_trust(TrustStore.for_tests(stranger.root_pem))
    assert refused.value.code == "trust.disjoint"
    assert shop.log_in().return_to == "/"


def _bundle(version, expires, roots=()):
    return json.dumps({"version": version, "expires": expires, "roots": list(roots)}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        _bundle(0, "2027-01-01T00:00:00Z"),
        _bundle("1", "2027-01-01T00:00:00Z"),
        _bundle(True, "2027-01-01T00:00:00Z"),
        _bundle(1, "2027-01-01T00:00:00"),
        _bundle(1, "soonZ"),
        _bundle(1, 1),
        b'{"version":1,"expires":"2027-01-01T00:00:00Z","roots":[1]}',
        b'{"version":1,"expires":"2027-01-01T00:00:00Z","roots":"x"}',
        b'{"version":1,"version":2,"expires":"2027-01-01T00:00:00Z","roots":[]}',
        b'{"version":1,"expires":"2027-01-01T00:00:00Z","roots":[],"more":1}',
    ],
)
def test_a_bundle_of_another_form_is_refused(data):
    """Version, expiry and roots, and nothing else."""
    with pytest.raises(ConfigurationError) as refused:
        TrustStore.from_bundle(data)
    assert refused.value.code == "trust.bundle"


def test_an_empty_bundle_pins_nothing():
    """A bundle without roots is no trust store."""
    with pytest.raises(ConfigurationError) as refused:
        TrustStore.from_bundle(_bundle(1, "2027-01-01T00:00:00Z"))
    assert refused.value.code == "trust.empty"


def test_a_mock_root_in_a_bundle_is_refused(issuer):
    """A bundle is for production."""
    with pytest.raises(ConfigurationError) as refused:
        TrustStore.from_bundle(_bundle(1, "2027-01-01T00:00:00Z", [issuer.root_pem.decode()]))
    assert refused.value.code == "trust.test_root"


def test_health_says_what_is_known_and_what_will_expire(make, clock):
    """Nothing fetched at first; all well after a login; warnings before an anchor expires."""
    shop = make()
    before = shop.client.health()
    assert (before.ok, before.warnings, before.metadata_at) == (False, ("nothing_fetched",), None)
    shop.log_in()
    after = shop.client.health()
    assert (after.ok, after.warnings, after.metadata_at) == (True, (), clock())
    [anchor] = after.anchors
    clock.advance((anchor.expires_at - clock() - timedelta(days=90)).total_seconds())
    assert "anchor_expires_soon" not in shop.client.health().warnings
    clock.advance(1)
    assert "anchor_expires_soon" in shop.client.health().warnings
    clock.advance(90 * 86400)
    assert "anchor_expired" in shop.client.health().warnings


def test_health_counts_failed_refreshes(shop):
    """An operator sees that refreshing fails before people do."""
    shop.log_in()
    shop.issuer.arm("metadata.expired")
    with pytest.raises(VerificationError):
        shop.client.refresh()
    health = shop.client.health()
    assert (health.ok, health.failures, health.failure) == (True, 1, "metadata.expired")
    assert health.warnings == ("refresh_failing",)
