"""Credentials, requests and encrypted answers across libraries: the OpenWallet Foundation's, jwcrypto and npm's jose."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from cyberid_client import (
    AgeBand,
    Assurance,
    Channel,
    Client,
    ClientKey,
    ClientKeys,
    RelyingParty,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.testing import MockIssuer, Wallet
from cyberid_client.testing.wallet.presenting import draft_presentation
from cyberid_client.testing.wallet.query import choose

from . import foreign_credentials as foreign
from .wallet_line import ENDPOINT, App

SECTOR = "https://shop.example"


class Shop:
    """An app, its issuer, and what the issuer put into one wallet."""

    def __init__(self, *, age_band: bool) -> None:
        self.asks = age_band
        self.issuer = MockIssuer()
        registered = self.issuer.register(client_id="shop", redirect_uri=f"{SECTOR}/callback")
        certificate, key = self.issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
        identity = WalletIdentity.from_pem(certificate, key)
        rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id="shop",
            redirect_uri=registered.redirect_uri,
            keys=ClientKeys(signing=ClientKey.from_pem(registered.key_pem), wallet=identity),
            trust=TrustStore.for_tests(self.issuer.root_pem),
            wallet=WalletSettings(endpoint=ENDPOINT),
            age_band=age_band,
        )
        self.client = Client(rp, transport=self.issuer.transport(), background=False)
        self.app = App(self.client)
        self.wallet = Wallet(self.issuer, send=self.app.send).enrol("adult")
        self.wallet.prefetch(SECTOR)
        self.holding = self.wallet.holding(SECTOR)
        self.holder = foreign.jwk_of(self.holding.key)
        (self.disclosure,) = self.holding.disclosures

    @property
    def own_credential(self) -> str:
        return f"{self.holding.jwt}~{self.disclosure.text}~"

    def foreign_credential(self) -> str:
        signer = self.issuer._service.keyring.signer("credential")
        return foreign.issue(
            self.holding.claims, age_band=self.disclosure.value, signer=signer, holder=self.holder
        )

    def order(self, started, *, source: str):
        """Return what the foreign wallet needs: its credential, its key, its root and the link."""
        credential = self.own_credential if source == "own" else self.foreign_credential()
        root = self.issuer.root_pem.decode()
        holder = json.loads(self.holder.export())
        return {"uri": started.uri, "root": root, "credential": credential, "holder": holder}

    def post(self, presentations, request) -> str:
        """Encrypt an answer with another library, post it, and return where the browser goes."""
        response = encrypt({"vp_token": presentations, "state": request["state"]}, request)
        form = urlencode({"response": response}).encode()
        status, _, reply = self.app.answer(request["response_uri"], form)
        assert 200 == status, reply
        return json.loads(reply)["redirect_uri"]

    def fetch(self, uri):
        """Return what a request asks, unverified."""
        _, _, body = self.app.answer(parse_qs(urlsplit(uri).query)["request_uri"][0])
        return json.loads(foreign.SDJWTHolder._base64url_decode(body.decode().split(".")[1]))

    def finish(self, started, redirect_uri):
        code = parse_qs(urlsplit(redirect_uri).query)["response_code"][0]
        return self.client.finish_presentation(handle=started.handle, response_code=code)


@pytest.fixture(scope="module", params=[True, False], ids=["age band", "no age band"])
def shop(request):
    shop = Shop(age_band=request.param)
    with shop.client:
        yield shop


def encrypt(answer, request, enc="A256GCM"):
    """Encrypt an answer for a request with joserfc."""
    (key,) = request["client_metadata"]["jwks"]["keys"]
    header = {"alg": key["alg"], "enc": enc, "kid": key["kid"]}
    return jwe.encrypt_compact(
        header, json.dumps(answer), ECKey.import_key(key), algorithms=[key["alg"], enc]
    )


def expect_login(shop, login):
    """See that it is the person whom the wallet was issued to, by the same pseudonym as everywhere."""
    assert (Channel.WALLET_SAME, Assurance.R02) == (login.channel, login.assurance)
    assert shop.holding.claims["sub"] == login.pseudonym.value
    assert (AgeBand(shop.disclosure.value) if shop.asks else None) == login.age_band


@pytest.mark.parametrize("source", ["own", "foreign"])
def test_a_presentation_of_another_library_verifies_here(shop, source):
    """Salts, digests, key binding and the credential's own signature by another library: believed."""
    credential = shop.own_credential if source == "own" else shop.foreign_credential()
    started = shop.client.start_presentation()
    request = shop.fetch(started.uri)
    (query,) = request["dcql_query"]["credentials"]
    asked = [claim["path"][0] for claim in query["claims"]]
    shown = foreign.present(
        credential, request, holder=shop.holder, shows=[name for name in asked if name == "age_band"]
    )
    expect_login(shop, shop.finish(started, shop.post({query["id"]: [shown]}, request)))


def test_our_presentation_verifies_there(shop):
    """What the mock issuer signs and its wallet shows, another library believes, audience and nonce included."""
    started = shop.client.start_presentation()
    asked, request = shop.wallet.read(started.uri), shop.fetch(started.uri)
    choice = choose(asked.query, shop.holding)
    shown = draft_presentation(
        shop.holding, choice, asked, algorithm="ES256", now=shop.issuer.clock(), wallet=shop.wallet
    ).encode()
    claims = foreign.verify(shown, audience=request["client_id"], nonce=request["nonce"])
    expected = {name: value for name, value in shop.holding.claims.items() if name not in {"_sd", "_sd_alg"}}
    if shop.asks:
        expected["age_band"] = shop.disclosure.value
    assert expected == claims
    shop.finish(started, shop.post({choice.query_id: [shown]}, request))


@pytest.mark.parametrize("wrong", [{"audience": "x509_hash:another"}, {"nonce": "another"}])
def test_our_presentation_is_for_one_request(shop, wrong):
    """The other library refuses what our wallet made for another app or another request."""
    started = shop.client.start_presentation()
    asked, request = shop.wallet.read(started.uri), shop.fetch(started.uri)
    shown = draft_presentation(
        shop.holding,
        choose(asked.query, shop.holding),
        asked,
        algorithm="ES256",
        now=shop.issuer.clock(),
        wallet=shop.wallet,
    ).encode()
    expected = {"audience": request["client_id"], "nonce": request["nonce"]}
    with pytest.raises(ValueError, match="KB-JWT"):
        foreign.verify(shown, **{**expected, **wrong})


@pytest.mark.parametrize("enc", ["A256GCM", "A128GCM"])
@pytest.mark.parametrize("source", ["own", "foreign"])
def test_a_login_with_a_foreign_wallet(shop, foreign_wallet, source, enc):
    """Request object, x5c, x509_hash, key binding and encryption by npm's jose and Node's X.509: a whole login."""
    started = shop.client.start_presentation(return_to="/seats")
    order = shop.order(started, source=source)
    said = foreign_wallet.answer(shop.app, **order, enc=enc, parties=source == "own")
    assert "done" in said, said
    done = said["done"]
    assert "oauth-authz-req+jwt" == done["header"]["typ"]
    assert "DNS:shop.example" in done["names"]
    assert f"URI:{SECTOR}" in done["names"]
    assert 200 == done["reply"]["status"]
    login = shop.finish(started, json.loads(done["reply"]["body"])["redirect_uri"])
    expect_login(shop, login)
    assert "/seats" == login.return_to


def test_a_foreign_wallet_sees_who_asks(shop, foreign_wallet):
    """The name in the link is the hash of the certificate in the request, which leads to the wallet's root."""
    started = shop.client.start_presentation()
    order = {**shop.order(started, source="own"), "enc": "A256GCM"}
    renamed = order["uri"].replace("x509_hash%3A", "x509_hash%3AA")
    assert renamed != order["uri"]
    said = foreign_wallet.answer(shop.app, **{**order, "uri": renamed})
    assert {"refused": "the name is not the hash of the leaf"} == said
    stranger = MockIssuer().root_pem.decode()
    said = foreign_wallet.answer(shop.app, **{**order, "root": stranger})
    assert {"refused": "a certificate is not by the next one"} == said
    # Nothing came of it: the request is still there, and the next wallet answers it.
    assert "done" in foreign_wallet.answer(shop.app, **order)


def test_what_a_foreign_wallet_made_for_another_request_is_refused(shop, foreign_wallet):
    """An answer that was encrypted and bound for one request proves nothing for the next."""
    first, second = (shop.client.start_presentation() for _ in range(2))
    said = foreign_wallet.answer(shop.app, **shop.order(first, source="own"), enc="A256GCM")
    request = shop.fetch(second.uri)
    status, _, _ = shop.app.answer(
        request["response_uri"],
        urlencode(
            {"response": encrypt({"vp_token": said["done"]["vp_token"], "state": request["state"]}, request)}
        ).encode(),
    )
    assert 400 == status
