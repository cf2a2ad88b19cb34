"""The wallet simulator, against an app of a few lines that shares no code with the library."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc import jwe
from joserfc.jwk import ECKey

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.testing import ManualClock, MockIssuer, Wallet, WalletServer
from cyberid_client.testing.directory import BUCKETS, bucket_of
from cyberid_client.testing.jose import ALGORITHMS, jwk_of, public_key_of
from cyberid_client.testing.pki import PURPOSES, der, relying_party_authority_form, relying_party_form
from cyberid_client.testing.service import Call
from cyberid_client.testing.wallet.line import send_over_http

from .conftest import b64, parts_of

SECTOR, ENDPOINT = "https://shop.example", "https://shop.example/wallet"
WEEK = 7 * 86_400
QUERY = {
    "id": "one",
    "format": "dc+sd-jwt",
    "meta": {"vct_values": ["urn:cyberid:pairwise:1"]},
    "claims": [{"path": ["acr"], "values": ["urn:cyberid:mode:r02"]}, {"path": ["age_band"]}],
}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class App:
    """An app that asks as the standard says, and wrongly where a test wants it."""

    clock: ManualClock
    certificate_pem: bytes
    key_pem: bytes
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    header: dict = field(default_factory=dict)
    claims: dict = field(default_factory=dict)
    drop: tuple = ()
    edit: object = staticmethod(lambda token: token)
    content_type: str = "application/oauth-authz-req+jwt"
    reply: tuple = (200, {"redirect_uri": f"{ENDPOINT}/return?response_code=x"})
    asked: list = field(default_factory=list)
    posted: list = field(default_factory=list)

    @property
    def chain(self):
        return [der(each) for each in x509.load_pem_x509_certificates(self.certificate_pem)]

    @property
    def client_id(self):
        return f"x509_hash:{b64(hashlib.sha256(self.chain[0]).digest())}"

    @property
    def uri(self):
        return self.link()

    def link(self, **changes):
        query = {"client_id": self.client_id, "request_uri": f"{ENDPOINT}/request/1", **changes}
        return f"openid4vp://authorize?{urlencode(query)}"

    def request_object(self, **posted):
        now = int(self.clock().timestamp())
        x5c = [base64.b64encode(each).decode() for each in self.chain]
        header = {"alg": "ES256", "typ": "oauth-authz-req+jwt", "x5c": x5c, **self.header}
        encryption = {**jwk_of(self.key.public_key()), "kid": "k", "use": "enc", "alg": "ECDH-ES"}
        claims = {
            "aud": "https://self-issued.me/v2",
            "client_id": self.client_id,
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt",
            "response_uri": f"{ENDPOINT}/response",
            "nonce": "n" * 43,
            "state": "s" * 43,
            "iat": now,
            "exp": now + 300,
            "dcql_query": {"credentials": [QUERY]},
            "client_metadata": {
                "jwks": {"keys": [encryption]},
                "encrypted_response_enc_values_supported": ["A256GCM"],
            },
            **posted,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if name not in self.drop}
        message = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        signature = ALGORITHMS["ES256"].sign(load_pem_private_key(self.key_pem, None), message.encode())
        return self.edit(f"{message}.{b64(signature)}")

    def send(self, request):
        if request.url.startswith(f"{ENDPOINT}/request/"):
            form = dict(parse_qsl(request.body.decode()))
            self.asked.append((request.method, form))
            nonce = {name: form[name] for name in ("wallet_nonce",) if name in form}
            headers = {"content-type": self.content_type}
            body = self.request_object(**nonce).encode()
            return HTTPResponse(status=200, headers=headers, body=body, url=request.url)
        self.posted.append((request.url, dict(request.headers), parse_qsl(request.body.decode())))
        status, body = self.reply
        return HTTPResponse(status=status, body=json.dumps(body).encode(), url=request.url)

    def opened(self):
        """Open the last answer with another library than the mock's own."""
        [(name, token)] = self.posted[-1][2]
        assert "response" == name
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        found = jwe.decrypt_compact(token, ECKey.import_key(pem), algorithms=["ECDH-ES", "A256GCM"])
        return found.protected, json.loads(found.plaintext)


@pytest.fixture(scope="module")
def clock():
    return ManualClock()


@pytest.fixture(scope="module")
def issuer(clock):
    return MockIssuer(clock)


@pytest.fixture(scope="module")
def certified(issuer):
    return issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)


@pytest.fixture
def app(clock, certified):
    return App(clock, *certified)


@pytest.fixture(scope="module")
def lines():
    """Where the wallet of this page sends what it sends: the app of the test."""
    return []


def _to_last(lines):
    def send(request):
        return lines[-1].send(request)

    return send


@pytest.fixture(scope="module")
def owned(issuer, certified, lines):
    """One wallet that has fetched ahead."""
    wallet = Wallet(issuer, send=_to_last(lines)).enrol()
    wallet.prefetch(SECTOR)
    return wallet


@pytest.fixture
def wallet(owned, app, lines):
    lines.append(app)
    return owned


def test_an_answer_is_what_the_standards_say(wallet, app, clock):
    """Encrypted for the request's key; one presentation; bound to nonce, client id and to what is shown."""
    answer = wallet.answer(app.uri)
    assert (None, 200, True) == (answer.refused, answer.status, answer.accepted)
    assert f"{ENDPOINT}/return?response_code=x" == answer.redirect_uri
    url, headers, _ = app.posted[-1]
    assert (f"{ENDPOINT}/response", FORM["content-type"]) == (url, headers["content-type"])
    protected, members = app.opened()
    assert ("ECDH-ES", "A256GCM", "k") == tuple(protected[name] for name in ("alg", "enc", "kid"))
    assert {"vp_token", "state"} == members.keys()
    assert "s" * 43 == members["state"]
    [(query_id, [presentation])] = members["vp_token"].items()
    assert "one" == query_id
    shown, _, binding = presentation.rpartition("~")
    header, claims = parts_of(binding)
    assert {"alg": "ES256", "typ": "kb+jwt"} == header
    assert claims == {
        "iat": int(clock().timestamp()),
        "aud": app.client_id,
        "nonce": "n" * 43,
        "sd_hash": b64(hashlib.sha256(f"{shown}~".encode()).digest()),
    }
    _, credential = parts_of(shown.split("~")[0])
    message, _, signature = binding.rpartition(".")
    key = public_key_of(credential["cnf"]["jwk"])
    ALGORITHMS["ES256"].verify(key, base64.urlsafe_b64decode(signature + "=="), message.encode())
    assert SECTOR == credential["aud"]


def test_a_request_is_fetched_by_post_where_the_link_says_so(wallet, app):
    """By POST the wallet says what it can and brings a nonce, which the request must repeat."""
    assert wallet.answer(app.link(request_uri_method="post")).accepted
    [(method, form)] = app.asked
    assert ("POST", {"wallet_metadata", "wallet_nonce"}) == (method, form.keys())
    assert wallet.answer(app.uri).accepted
    assert ("GET", {}) == app.asked[-1]
    app.drop = ("wallet_nonce",)
    assert "wallet_nonce" == wallet.answer(app.link(request_uri_method="post")).refused


def test_a_request_may_be_fetched_twice(wallet, app):
    """An oddity fetches once more, and answers the last."""
    wallet.arm("wallet.fetched_twice")
    assert {"wallet.fetched_twice": 1} == wallet.armed
    assert wallet.answer(app.uri).accepted
    assert (2, {}) == (len(app.asked), wallet.armed)


def certificate(**names):
    """Make certificates that another mock, or another purpose, would have."""

    def change(issuer, _app):
        return issuer.certify_relying_party(**{"sector": SECTOR, "endpoint": ENDPOINT, **names})

    return change


def of_another_root(issuer, _app):
    return certificate()(MockIssuer(issuer.clock), _app)


def without_authority(_issuer, app):
    return app.certificate_pem.split(b"-----END CERTIFICATE-----\n")[0] + b"-----END CERTIFICATE-----\n", (
        app.key_pem
    )


def of_another_purpose(issuer, _app):
    signer = issuer._service.keyring.signer("assertion")
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in signer.chain)
    return pem, signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def crafted(leaf=None, authority=None):
    """Make a certificate under the pinned root with other contents."""

    def change(issuer, _app):
        now, root = issuer.clock(), issuer._service.keyring.root
        above = root.found_authority(replace(relying_party_authority_form(now), **(authority or {})))
        key = ec.generate_private_key(ec.SECP256R1())
        form = replace(relying_party_form(now, SECTOR, ENDPOINT), **(leaf or {}))
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in above.issue_chain(form, key.public_key()))
        return pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    return change


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (crafted({"not_before": LONG_AGO, "not_after": LONG_AGO + timedelta(days=1)}), "chain"),
        (crafted(authority={"not_before": LONG_AGO, "not_after": LONG_AGO + timedelta(days=1)}), "chain"),
        (crafted(authority={"ca": False, "path_length": None, "digital_signature": True}), "chain"),
        (crafted(authority={"purposes": (PURPOSES["assertion"],)}), "purpose"),
        (crafted({"purposes": None}), "purpose"),
        (crafted({"purposes": (PURPOSES["relying_party"], PURPOSES["assertion"])}), "purpose"),
        (crafted({"uris": (), "hosts": ()}), "name"),
        (crafted({"uris": (SECTOR, "https://other.example")}), "name"),
        (crafted({"hosts": ("shop.example", "other.example")}), "name"),
        (of_another_root, "chain"),
        (without_authority, "chain"),
        (of_another_purpose, "purpose"),
        (certificate(endpoint="https://other.example/wallet"), "response_uri"),
        (certificate(sector="https://other.example"), "credential"),
    ],
)
def test_another_app_is_refused_by_its_certificate(issuer, wallet, app, make, rule):
    """Who asks is what the certificate says: another root, purpose, host or sector gets nothing."""
    app.certificate_pem, app.key_pem = make(issuer, app)
    assert rule == wallet.answer(app.uri).refused
    assert [] == app.posted


def test_the_request_cannot_choose_the_credential(issuer, owned, wallet, app):
    """An app of another sector gets its own pseudonym, whatever its request says."""
    other = "https://made-up-0.example"
    if bucket_of(other) not in wallet.buckets:
        owned.prefetch(other)
    app.certificate_pem, app.key_pem = certificate(sector=other)(issuer, app)
    app.claims = {"sector": SECTOR, "dcql_query": {"credentials": [{**QUERY, "sector": SECTOR}]}}
    assert wallet.answer(app.uri).accepted
    presentation = app.opened()[1]["vp_token"]["one"][0]
    claims = parts_of(presentation.split("~")[0])[1]
    assert (other, issuer.pseudonym("adult", sector=other)) == (claims["aud"], claims["sub"])


@pytest.mark.parametrize(
    ("link", "rule"),
    [
        ({"client_id": "x509_hash:another"}, "client_id"),
        ({"request_uri": "http://shop.example/wallet/request/1"}, "plain_http"),
        ({"request_uri": "shop"}, "plain_http"),
        ({"request": "x"}, "invitation"),
        ({"request_uri_method": "put"}, "invitation"),
        ({"padding": "x" * 5_000}, "invitation"),
    ],
)
def test_a_link_that_leads_astray_is_refused(wallet, app, link, rule):
    """The link names the client of the certificate, and an address that TLS protects."""
    assert rule == wallet.answer(app.link(**link)).refused


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "openid4vp://",
        "openid4vp://authorize?client_id=x",
        "http://[",
        "openid4vp://authorize?a=b&client_id",
    ],
)
def test_a_link_without_what_it_needs_is_refused(wallet, uri):
    """Whatever is scanned, the wallet says no and nothing worse."""
    assert "invitation" == wallet.answer(uri).refused


def test_a_parameter_that_stands_there_twice_is_refused(wallet, app):
    """A link says everything once."""
    assert "invitation" == wallet.answer(f"{app.uri}&client_id=x").refused


METADATA = "client_metadata"


@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({"client_id": "x509_hash:another"}, "client_id"),
        ({"iss": "https://other.example"}, "client_id"),
        ({"aud": "https://wallet.example"}, "audience"),
        ({"response_type": "code"}, "response_type"),
        ({"response_mode": "direct_post"}, "response_mode"),
        ({"redirect_uri": ENDPOINT}, "response_mode"),
        ({"wallet_nonce": "unasked"}, "wallet_nonce"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": True}, "expired"),
        ({"nonce": "short"}, "nonce"),
        ({"nonce": 1}, "nonce"),
        ({"state": 1}, "state"),
        ({"response_uri": "http://shop.example/wallet/response"}, "plain_http"),
        ({"response_uri": None}, "plain_http"),
        ({"response_uri": "https://other.example/wallet/response"}, "response_uri"),
        ({"response_uri": "https://shop.example.other.example/"}, "response_uri"),
        ({"response_uri": "https://shop.example@other.example/"}, "response_uri"),
        ({"dcql_query": "x"}, "query"),
        ({"dcql_query": {}}, "query"),
        ({"dcql_query": {"credentials": [QUERY, QUERY]}}, "query"),
        ({"dcql_query": {"credentials": [{**QUERY, "format": "mso_mdoc"}]}}, "query"),
        ({"dcql_query": {"credentials": [{**QUERY, "meta": {"vct_values": ["other"]}}]}}, "query"),
        ({"dcql_query": {"credentials": [{**QUERY, "claims": [{"path": ["name"]}]}]}}, "query"),
        (
            {"dcql_query": {"credentials": [{**QUERY, "claims": [{"path": ["acr"], "values": ["x"]}]}]}},
            "query",
        ),
        ({"dcql_query": {"credentials": [{**QUERY, "claims": [{"path": ["cnf", "jwk"]}]}]}}, "query"),
        ({"dcql_query": {"credentials": [{**QUERY, "claims": "all"}]}}, "query"),
        ({"dcql_query": {"credentials": [{**QUERY, "claim_sets": "all"}]}}, "query"),
        ({METADATA: None}, "encryption"),
        ({METADATA: {"jwks": {"keys": []}}}, "encryption"),
        ({METADATA: {"jwks": {"keys": [{"kid": "k", "alg": "ECDH-ES", "kty": "EC"}]}}}, "encryption"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_by_its_name(wallet, app, claims, rule):
    """Nothing is sent to who asks wrongly, however well it is signed."""
    app.claims = claims
    assert rule == wallet.answer(app.uri).refused
    assert [] == app.posted


@pytest.mark.parametrize(
    ("header", "edit", "rule"),
    [
        ({"typ": "JWT"}, None, "type"),
        ({"crit": ["x"]}, None, "type"),
        ({"alg": "none"}, None, "algorithm"),
        ({"alg": "RS256"}, None, "algorithm"),
        ({"alg": "ES384"}, None, "signature"),
        ({"x5c": None}, None, "chain"),
        ({"x5c": []}, None, "chain"),
        ({"x5c": ["!"]}, None, "chain"),
        ({"x5c": "MII"}, None, "chain"),
        ({}, lambda token: token[:-4] + "AAAA", "signature"),
        ({}, lambda token: token.rpartition(".")[0], "malformed"),
        ({}, lambda _: "W10.W10.AA", "malformed"),
        ({}, lambda _: "", "malformed"),
    ],
)
def test_a_request_that_is_not_signed_by_who_asks_is_refused(wallet, app, header, edit, rule):
    """Type, chain and signature come before anything that is said."""
    app.header = header
    app.edit = edit or app.edit
    assert rule == wallet.answer(app.uri).refused


def test_what_is_no_request_object_is_not_read(wallet, app):
    """The media type says what it is."""
    app.content_type = "text/html"
    assert "fetch" == wallet.answer(app.uri).refused


def test_a_request_ends_with_its_very_second(wallet, app, clock):
    """At exp it is too late, and a second before it is not."""
    now = int(clock().timestamp())
    app.claims = {"exp": now + 1}
    assert wallet.answer(app.uri).accepted
    app.claims = {"exp": now}
    assert "expired" == wallet.answer(app.uri).refused


@pytest.mark.parametrize(
    ("sets", "withhold", "shown"),
    [
        (None, (), ["age_band"]),
        ([["a", "b"], ["a"]], (), ["age_band"]),
        ([["a", "b"], ["a"]], ("age_band",), []),
        ([["a"]], (), []),
    ],
)
def test_what_is_shown_is_what_was_asked_and_is_not_withheld(wallet, app, sets, withhold, shown):
    """The first set of claims that can be answered is; nothing else is disclosed."""
    claims = [{"id": "a", "path": ["acr"]}, {"id": "b", "path": ["age_band"]}]
    query = {**QUERY, "claims": claims, **({} if sets is None else {"claim_sets": sets})}
    app.claims = {"dcql_query": {"credentials": [query]}}
    assert wallet.answer(app.uri, withhold=withhold).accepted
    disclosures = app.opened()[1]["vp_token"]["one"][0].split("~")[1:-1]
    assert len(shown) == len(disclosures)


def test_what_cannot_be_withheld_ends_it(wallet, app):
    """An app that must have the age band gets no answer without it."""
    assert "query" == wallet.answer(app.uri, withhold=("age_band",)).refused


def test_a_person_may_decline(wallet, app):
    """Who asks is told in the form, and learns nothing but that."""
    app.reply = (200, {"redirect_uri": f"{ENDPOINT}/return"})
    answer = wallet.decline(app.uri)
    assert (True, f"{ENDPOINT}/return") == (answer.accepted, answer.redirect_uri)
    assert [("error", "access_denied"), ("state", "s" * 43)] == app.posted[-1][2]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"redirect_uri": 1},
        {"redirect_uri": "javascript:x"},
        {"redirect_uri": "http://shop.example"},
        {"redirect_uri": "https://shop.example/\r\nSet-Cookie: a=b"},
        {"redirect_uri": "https://shop.example/ x"},
        {"redirect_uri": "https://shop.example/\N{SNOWMAN}"},
    ],
)
def test_a_browser_is_sent_to_web_addresses_only(wallet, app, body):
    """What the app answers is not followed anywhere."""
    app.reply = (200, body)
    assert wallet.answer(app.uri).redirect_uri is None


def test_an_app_that_cannot_be_reached_is_an_answer(wallet, app):
    """A failure on the way has a code of its own."""
    app.claims = {"response_uri": "https://shop.example/nowhere"}
    reach = app.send
    app.send = lambda request: (
        HTTPResponse(status=0, url=request.url, error="transport.timeout")
        if request.url.endswith("/nowhere")
        else reach(request)
    )
    answer = wallet.answer(app.uri)
    assert ("transport.timeout", None, False) == (answer.error, answer.status, answer.accepted)


def test_whole_buckets_are_fetched_and_one_at_least_by_chance(issuer, certified):
    """What is fetched holds the needed bucket and another; later the same ones, and no fewer."""
    drawn = set()
    for _ in range(12):
        wallet = Wallet(issuer).enrol()
        assert wallet.prefetch(SECTOR)
        assert bucket_of(SECTOR) in wallet.buckets
        assert 2 == len(wallet.buckets)
        drawn |= wallet.buckets
        assert not wallet.prefetch(SECTOR)
    assert 2 < len(drawn)


def test_a_wallet_that_needs_nothing_yet_fetches_a_bucket_by_chance(issuer, certified):
    """Even then there is something to fetch, so that having fetched says nothing."""
    wallet = Wallet(issuer).enrol()
    assert wallet.prefetch()
    assert 1 == len(wallet.buckets)


def test_everything_can_be_fetched(issuer, certified):
    """With all buckets the issuer learns nothing from which."""
    wallet = Wallet(issuer).enrol()
    assert wallet.prefetch(everything=True)
    assert set(range(BUCKETS)) == wallet.buckets


def test_the_next_epoch_is_fetched_at_a_random_moment_of_it():
    """In its first epoch a wallet fetches at once, and in the next at a moment that it drew before."""
    clock = ManualClock()
    issuer = MockIssuer(clock)
    issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
    wallets = [Wallet(issuer).enrol() for _ in range(3)]
    epoch = int(clock().timestamp()) // WEEK
    for wallet in wallets:
        wallet.prefetch(SECTOR)
        assert epoch + 1 <= wallet.renews_at.timestamp() / WEEK < epoch + 2
    assert 3 == len({wallet.renews_at for wallet in wallets})
    wallet, buckets = wallets[0], wallets[0].buckets
    moment = wallet.renews_at
    clock.advance(moment.timestamp() - clock().timestamp() - 1)
    assert not wallet.prefetch()
    clock.advance(1)
    assert wallet.prefetch()
    assert buckets == wallet.buckets
    assert epoch + 2 <= wallet.renews_at.timestamp() / WEEK < epoch + 3


def test_a_credential_serves_until_its_second_epoch_ends():
    """What was fetched in one epoch is shown in that and the next, by everybody, and then no more."""
    clock = ManualClock()
    issuer = MockIssuer(clock)
    issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
    wallet = Wallet(issuer).enrol()
    wallet.prefetch(SECTOR)
    first = wallet.holding(SECTOR)
    clock.set(wallet.renews_at)
    wallet.prefetch()
    assert first.claims == wallet.holding(SECTOR).claims
    end = datetime.fromtimestamp(first.exp, UTC)
    clock.set(end - timedelta(seconds=1))
    assert first.claims == wallet.holding(SECTOR).claims
    clock.set(end)
    assert first.exp == wallet.holding(SECTOR).iat + WEEK
    clock.advance(WEEK)
    assert wallet.holding(SECTOR) is None


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA"])
def test_a_wallet_has_keys_of_its_algorithm(issuer, app, algorithm, certified):
    """The holder's keys may be of three kinds."""
    wallet = Wallet(issuer, send=app.send, algorithm=algorithm).enrol()
    wallet.prefetch(SECTOR)
    assert wallet.answer(app.uri).accepted
    binding = app.opened()[1]["vp_token"]["one"][0].rpartition("~")[2]
    assert algorithm == parts_of(binding)[0]["alg"]


def test_what_a_wallet_cannot_be_is_said(issuer):
    """Misuse has codes, and a wallet of nobody fetches nothing."""
    for make, code in (
        (lambda: Wallet(issuer, algorithm="RS256"), "config.no_algorithm"),
        (lambda: Wallet("http://127.0.0.1:1"), "trust.malformed"),
        (lambda: Wallet(issuer).enrol("nobody"), "testing.unknown_person"),
        (lambda: Wallet(issuer).enrol(acr="x"), "testing.wallet_line"),
        (lambda: Wallet(issuer).prefetch(), "testing.wallet_line"),
        (lambda: Wallet(issuer).arm("unheard-of"), "testing.unknown_fault"),
        (lambda: Wallet(issuer).arm("wallet.nonce_other", 0), "config.value"),
        (lambda: Wallet("http://127.0.0.1:1", root_pem=issuer.root_pem).enrol(), "testing.wallet_line"),
    ):
        with pytest.raises(ConfigurationError) as refused:
            make()
        assert code == refused.value.code


def test_an_honest_wallet_again(wallet, app):
    """Disarmed, a wallet is honest."""
    wallet.arm("wallet.unencrypted")
    wallet.disarm()
    assert wallet.answer(app.uri).accepted
    assert "Wallet('adult')" == repr(wallet)


@pytest.fixture(scope="module")
def server(issuer, certified, lines):
    """The page that plays wallets, enrolled, listening nowhere."""
    server = WalletServer(issuer, send=_to_last(lines), sectors=[SECTOR])
    for key in ("adult", "teenager"):
        server.wallets[key].enrol(key).prefetch(SECTOR)
    return server


@pytest.fixture
def browser(server, app, lines):
    """Open the page, and post its form."""
    lines.append(app)

    class Browser:
        def open(self):
            query = app.uri.partition("?")[2]
            return server.handle(Call(method="GET", path="/authorize", query=query))

        def post(self, page, **form):
            mark = b'name="interaction" value="'
            interaction = page.body.partition(mark)[2].partition(b'"')[0].decode()
            body = urlencode({"interaction": interaction, "decision": "allow", **form}).encode()
            return server.handle(Call(method="POST", path="/authorize", headers=FORM, body=body))

    return Browser()


def test_the_page_says_who_asks_by_the_certificate(browser, app):
    """Sector and host of the certificate, in two languages, with nothing from elsewhere."""
    page = browser.open()
    text = page.body.decode()
    assert 200 == page.status
    assert f"<code>{SECTOR}</code>" in text
    assert "<code>shop.example</code>" in text
    assert 'lang="zh-CN"' in text
    assert "width=device-width" in text
    assert not any(word in text for word in ("<script", "<img", "<link", " src="))
    assert "form-action 'self' https://shop.example;" in page.headers["content-security-policy"]


@pytest.mark.parametrize(("ticked", "shown"), [({"age_band": "yes"}, 1), ({}, 0)])
def test_who_agrees_is_sent_back_to_the_app(browser, app, ticked, shown):
    """The chosen person's wallet answers, with the age band only if it was left ticked."""
    claims = [{"id": "a", "path": ["acr"]}, {"id": "b", "path": ["age_band"]}]
    query = {**QUERY, "claims": claims, "claim_sets": [["a", "b"], ["a"]]}
    app.claims = {"dcql_query": {"credentials": [query]}}
    reply = browser.post(browser.open(), person="teenager", **ticked)
    assert (303, f"{ENDPOINT}/return?response_code=x") == (reply.status, reply.headers["location"])
    disclosures = app.opened()[1]["vp_token"]["one"][0].split("~")[1:-1]
    assert shown == len(disclosures)


def test_who_declines_is_sent_back_too(browser, app):
    """The app is told no, and says where the browser goes."""
    app.reply = (200, {"redirect_uri": f"{ENDPOINT}/return"})
    reply = browser.post(browser.open(), person="adult", decision="deny")
    assert (303, f"{ENDPOINT}/return") == (reply.status, reply.headers["location"])
    assert ("error", "access_denied") == app.posted[-1][2][0]


@pytest.mark.parametrize(
    ("status", "decision", "shown"), [(400, "allow", 502), (200, "allow", 200), (200, "deny", 200)]
)
def test_an_app_that_sends_the_browser_nowhere(browser, app, status, decision, shown):
    """The page says what became of it."""
    app.reply = (status, {})
    assert shown == browser.post(browser.open(), person="adult", age_band="yes", decision=decision).status


def test_a_page_answers_once(browser, app):
    """A form that comes again, or from elsewhere, sends nothing."""
    page = browser.open()
    browser.post(page, person="adult", age_band="yes")
    assert (400, 1) == (browser.post(page, person="adult", age_band="yes").status, len(app.posted))
    assert 400 == browser.post(page, person="nobody").status


def test_the_page_refuses_what_the_wallet_refuses(browser, app):
    """Who asks wrongly gets no page to agree on."""
    app.claims = {"response_uri": "https://other.example/"}
    page = browser.open()
    assert 400 == page.status
    assert b"<code>response_uri</code>" in page.body
    assert b"<form" not in page.body


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [("GET", "/", {}, 404), ("POST", "/authorize", {}, 400), ("GET", "/authorize", {}, 400)],
)
def test_the_page_answers_whatever_comes(server, method, path, headers, status):
    """There is one page."""
    assert status == server.handle(Call(method=method, path=path, headers=headers, body=b"x")).status


@pytest.mark.slow
def test_the_page_over_real_http():
    """Served on a port of its own, everybody has a wallet that fetched before anybody came."""
    issuer = MockIssuer()
    issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
    with issuer.serve() as origin:
        server = WalletServer(origin, root_pem=issuer.root_pem, sectors=[SECTOR])
        with server.serve() as address:
            before = len(issuer.log)
            assert address.startswith("http://127.0.0.1:")
            assert address.endswith("/authorize")
            assert all(wallet.holding(SECTOR) for wallet in server.wallets.values())
            url = f"{address}?client_id=x"
            request = HTTPRequest(method="GET", url=url, max_bytes=100_000, purpose="test")
            assert 400 == send_over_http(request).status
            assert before == len(issuer.log)
