"""No secret of a login in any log record, any representation, any pickle, any traceback with locals."""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import json
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cyberid_client import (
    Client,
    ClientCertificate,
    ClientKey,
    ClientKeys,
    ConfigurationError,
    CyberIDError,
    DecryptionKey,
    HTTPLimits,
    LoginRequest,
    Pseudonym,
    PseudonymKeys,
    PurposeTable,
    RelyingParty,
    StoreError,
    TrustStore,
    VerificationError,
)
from cyberid_client.async_transport import HTTPXTransport
from cyberid_client.handshake import verify_assertion
from cyberid_client.handshake.pending import Handle
from cyberid_client.models import PendingLogin, Secret
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.stores import MemoryPendingStore, SealedCookieStore
from cyberid_client.testing import FAULTS, ManualClock, MockIssuer, RegisteredClient
from cyberid_client.transport import RequestsTransport
from cyberid_client.trust import TEST_MARK_POLICY, Purpose

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PUSHED_SECRETS = ("state", "nonce", "code_verifier", "client_assertion", "code", "request")
SHORTEST = 12
STORE_KEY = b"the key of a store that is nobody's"
PSEUDONYM_KEY = b"the key of pseudonyms of nobodies"
DEMANDING = PurposeTable(
    rules={
        **PurposeTable.builtin().rules,
        Purpose.ASSERTION: replace(
            PurposeTable.builtin().rules[Purpose.ASSERTION], policies=frozenset({TEST_MARK_POLICY})
        ),
    }
)
# What is registered and configured for the word that a fault needs.
PROTECTIONS = {
    "dpop": {"sender_constraint": "dpop"},
    "dpop_nonce": {"sender_constraint": "dpop"},
    "mtls": {"sender_constraint": "mtls"},
    "tls_client_auth": {"sender_constraint": "mtls", "client_authentication": "tls_client_auth"},
    "jarm": {"response": "jarm"},
    "jwe": {"id_token": "jwe"},
    "jwe_rsa": {"id_token": "jwe", "key_encryption": "RSA-OAEP-256"},
    "request_object": {"request_object": "signed"},
}
# One fault of every stage goes over real HTTP too; loopback speaks no TLS.
STAGES = sorted({fault.stage: name for name, fault in FAULTS.items() if fault.needs is None}.values())


class Eavesdropper:
    """Pass requests on, and learn every secret that crosses."""

    def __init__(self, inner: Transport, keys: ClientKeys) -> None:
        self._inner = inner
        self._keys = keys
        self.learned: set[str] = set()

    def __repr__(self) -> str:
        return "Eavesdropper"

    def send(self, request: HTTPRequest) -> HTTPResponse:
        form = parse_qs(request.body.decode())
        self.learned |= {value for name in PUSHED_SECRETS for value in form.get(name, ())}
        response = self._inner.send(request)
        if request.purpose == "token":
            self.learned |= set(_texts_of(response.body, self._keys))
        return response

    def close(self) -> None:
        self._inner.close()


def _texts_of(body: bytes, keys: ClientKeys) -> Iterator[str]:
    """Yield tokens, their parts, and the personal claims inside, as far as the answer can be read."""
    try:
        members = json.loads(body)
    except ValueError:
        return
    for name in ("access_token", "id_token"):
        token = members.get(name) if isinstance(members, dict) else None
        if isinstance(token, str):
            yield from _parts_of(token)
            yield from _parts_of(_opened(token, keys))


def _parts_of(token: str) -> Iterator[str]:
    yield token
    # The first part is the header: public, and the same in every token.
    parts = token.split(".")[1:]
    yield from parts
    for part in parts[:1]:
        yield from _claims_of(part)


def _opened(token: str, keys: ClientKeys) -> str:
    """Return what is inside an encrypted token, as far as it can be opened."""
    for key in keys.decryption:
        private_key = key.private_key
        kind = RSAKey if key.algorithm.startswith("RSA") else ECKey
        algorithms = [key.algorithm, "A256GCM"]
        with contextlib.suppress(ValueError, JoseError, TypeError, KeyError):
            opened = jwe.decrypt_compact(token, kind.import_key(private_key), algorithms=algorithms)
            return (opened.plaintext or b"").decode("latin-1")
    return ""


def _claims_of(payload: str) -> Iterator[str]:
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    except ValueError:
        return
    if isinstance(claims, dict):
        names = ("sub", "sid", "nonce", "state", "code", "code_verifier")
        yield from (claims[name] for name in names if isinstance(claims.get(name), str))


class Records(logging.Handler):
    """Keep everything that any logger says, with all its fields."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.getMessage()} {record.__dict__!r}")


@pytest.fixture(autouse=True)
def records() -> Iterator[Records]:
    handler, root = Records(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@dataclass
class Shop:
    """An app, the issuer, and whoever listens between them."""

    issuer: MockIssuer
    clock: ManualClock
    rp: RelyingParty
    client: Client
    ear: Eavesdropper
    key_pem: bytes = dataclasses.field(repr=False)

    @property
    def secrets(self) -> set[str]:
        key = load_pem_private_key(self.key_pem, None).private_numbers().private_value
        of_the_key = {str(key), f"{key:x}", *self.key_pem.decode().splitlines()[1:-1]}
        of_the_store = {STORE_KEY.decode(), PSEUDONYM_KEY.decode()}
        return {each for each in self.ear.learned | of_the_key | of_the_store if len(each) >= SHORTEST}


def keys_of(registered: RegisteredClient) -> ClientKeys:
    """Return the keys that the mock made for a client."""
    tls, decryption = None, ()
    if registered.certificate_pem:
        tls = ClientCertificate(
            certificate_pem=registered.certificate_pem, key_pem=registered.certificate_key_pem
        )
    if registered.encryption_key is not None:
        algorithm = registered.encryption_key.algorithm
        decryption = (DecryptionKey.from_pem(registered.decryption_key_pem, algorithm=algorithm),)
    return ClientKeys(signing=ClientKey.from_pem(registered.key_pem), decryption=decryption, tls=tls)


def make_shop(
    issuer: MockIssuer,
    clock: ManualClock,
    transport: Transport | None = None,
    *,
    protection: dict[str, str] | None = None,
    **settings: object,
) -> Shop:
    chosen = protection or {}
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback", **chosen)
    keys = keys_of(registered)
    if transport is None:
        transport = issuer.transport(certificate_pem=registered.certificate_pem or None)
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=registered.redirect_uri,
        keys=keys,
        trust=TrustStore.for_tests(issuer.root_pem),
        pseudonym_keys=PseudonymKeys({"k1": PSEUDONYM_KEY}),
        **{name: value for name, value in chosen.items() if name != "key_encryption"},
        **settings,
    )
    ear = Eavesdropper(transport, keys)
    store = SealedCookieStore({"k1": STORE_KEY})
    client = Client(rp, transport=ear, pending=store, clock=clock, background=False)
    return Shop(issuer, clock, rp, client, ear, registered.key_pem)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def issuer(clock: ManualClock) -> MockIssuer:
    return MockIssuer(clock)


@pytest.fixture
def shop(issuer: MockIssuer, clock: ManualClock) -> Iterator[Shop]:
    shop = make_shop(issuer, clock, issuer.transport())
    with shop.client:
        yield shop


def assert_clean(shop: Shop, *texts: str) -> None:
    """Compare texts with every secret that crossed, the handle included."""
    assert shop.secrets, "nothing was learned, so nothing would be found"
    for text in texts:
        leaked = [secret for secret in shop.secrets if secret in text]
        assert [] == [text[max(0, text.index(each) - 80) :][:200] for each in leaked]


def shown_with_locals(error: BaseException) -> str:
    """Return what an error tracker shows: all frames, ours and the app's, with their local variables."""
    everything = [error]
    for each in everything:
        # Also what `from None` hides: a tracker may look there.
        everything += [
            other for other in (each.__cause__, each.__context__) if other and other not in everything
        ]
    return "".join(
        "".join(traceback.TracebackException.from_exception(each, capture_locals=True).format())
        for each in everything
    )


def representations(value: object) -> Iterator[str]:
    """Yield every text that a value can be made to without asking for a secret by name."""
    yield repr(value)
    yield str(value)
    yield f"{value}"
    yield repr([value])
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield from _unless_refused(lambda protocol=protocol: pickle.dumps(value, protocol))
    yield from _unless_refused(lambda: copy.deepcopy(value).__dict__)
    if dataclasses.is_dataclass(value):
        yield from _unless_refused(lambda: dataclasses.asdict(value))
        yield from _unless_refused(lambda: dataclasses.astuple(value))


def _unless_refused(make) -> Iterator[str]:
    try:
        made = make()
    except (TypeError, AttributeError, pickle.PicklingError) as refusal:
        yield str(refusal)
    else:
        yield made.decode("latin-1") if isinstance(made, bytes) else repr(made)


def start(shop: Shop, **asked: object) -> LoginRequest:
    request = shop.client.start_login(**asked)
    # The handle is 43 characters and what the store made it carry; each part is secret.
    shop.ear.learned |= {str(request.handle), *request.handle.split(".")}
    return request


def log_in(shop: Shop, **asked: object):
    # As an app would: the request is a local variable, the callback is not kept.
    request = start(shop, **asked)
    return shop.client.finish_login(answer(shop, request), handle=request.handle)


def answer(shop: Shop, request: LoginRequest) -> str:
    callback = shop.issuer.authorize(request.url)
    query = parse_qs(urlsplit(callback).query)
    shop.ear.learned |= {value for name in ("code", "state") for value in query.get(name, ())}
    for response in query.get("response", ()):
        shop.ear.learned |= set(_parts_of(response))
    return callback


def test_what_is_looked_for_is_known(shop):
    """The listener between the two learns every kind of secret there is."""
    login = log_in(shop)
    form = shop.issuer.asked
    for secret in (form["state"], form["nonce"], login.pseudonym.value, login.session_id):
        assert secret in shop.secrets
    assert len(shop.secrets) >= 15


def test_an_honest_login_leaves_no_secret_in_any_log(shop, records):
    """Every logger there is, at DEBUG, with every field of every record."""
    log_in(shop)
    assert any("finish_login: ok" in each for each in records.seen)
    assert_clean(shop, *records.seen)


@pytest.mark.parametrize("name", PROTECTIONS)
def test_a_protected_login_leaves_no_secret_in_any_log(issuer, clock, records, name):
    """What a protection adds, and what it hides, stays out of every record: the opened assertion too."""
    shop = make_shop(issuer, clock, protection=PROTECTIONS[name])
    login = log_in(shop)
    assert {login.pseudonym.value, login.session_id} <= shop.secrets
    assert_clean(shop, *records.seen, *representations(shop.rp))


def _attempt_fault(shop, fault):
    if fault.needs == "earlier_login":
        log_in(shop)
        shop.clock.advance(3600)
    shop.issuer.arm(fault.name)
    asked = {"max_age": 60} if fault.needs == "max_age" else {}
    with pytest.raises(CyberIDError) as refused:
        # Logins go on with metadata that are known; it is the refresh that is refused.
        shop.client.refresh() if fault.needs == "earlier_login" else log_in(shop, **asked)
    assert refused.value.code == fault.expected_code
    return refused.value


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_leaves_no_secret_in_log_error_or_traceback(issuer, clock, records, name):
    """Whatever goes wrong: log, error and the locals of every frame are clean, the app's frames included."""
    fault = FAULTS[name]
    settings = {"purposes": DEMANDING} if fault.needs == "policy" else {}
    shop = make_shop(issuer, clock, protection=PROTECTIONS.get(fault.needs), **settings)
    if fault.needs == "dpop_nonce":
        issuer.demand_dpop_nonce()
    error = _attempt_fault(shop, fault)
    assert_clean(shop, shown_with_locals(error), *representations(error), repr(vars(error)), *records.seen)


@pytest.fixture(params=["urllib3", "httpcore2"])
def over(request):
    """Make a transport over the library that logs under this name, used as if it blocked."""
    if request.param == "urllib3":
        return request.param, RequestsTransport
    awaited = request.getfixturevalue("awaited")
    return request.param, lambda limits: awaited(lambda: HTTPXTransport(limits))


@pytest.mark.parametrize("name", [None, *STAGES])
def test_real_http_leaves_no_secret_in_any_log(issuer, clock, records, name, over):
    """What the libraries for HTTP log about a login, good or refused, holds none either."""
    logs, make_transport = over
    limits = HTTPLimits(connect_timeout=1.0, read_timeout=0.4, total_timeout=0.8)
    with issuer.serve(slow_seconds=1.5):
        shop = make_shop(issuer, clock, make_transport(limits))
        with shop.client:
            shown = "" if name is None else shown_with_locals(_attempt_fault(shop, FAULTS[name]))
            if name is None:
                log_in(shop)
    assert any(logs in each for each in records.seen)
    assert_clean(shop, shown, *records.seen)


SCRIPT = """
import http.client, json, logging, sys
http.client.HTTPConnection.debuglevel = 1
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
from cyberid_client import Client, ClientKey, RelyingParty, TrustStore
from cyberid_client.testing import MockIssuer

issuer = MockIssuer()
with issuer.serve():
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    rp = RelyingParty(
        issuer=issuer.issuer, client_id="shop", redirect_uri=registered.redirect_uri,
        key=ClientKey.from_pem(registered.key_pem), trust=TrustStore.for_tests(issuer.root_pem),
    )
    with Client(rp) as client:
        request = client.start_login()
        callback = issuer.authorize(request.url)
        login = client.finish_login(callback, handle=request.handle)
asked = issuer.asked
code = callback.partition("code=")[2].partition("&")[0]
secrets = [asked["state"], asked["nonce"], code, request.handle, login.pseudonym.value, login.session_id]
print(json.dumps(secrets), file=open(sys.argv[1], "w"))
"""


def test_printing_by_http_client_is_not_switched_on_for_us(tmp_path):
    """``http.client.HTTPConnection.debuglevel = 1``, a popular recipe, does not print our request bodies."""
    learned = tmp_path / "secrets.json"
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT, str(learned)], check=True, capture_output=True, text=True
    )
    secrets = json.loads(learned.read_text(encoding="utf-8"))
    assert "finish_login: ok" in done.stdout
    assert len(secrets) == 6
    assert [] == [each for each in secrets if each in done.stdout + done.stderr]


def _held(shop: Shop) -> dict[str, object]:
    request = start(shop)
    callback = answer(shop, request)
    login = shop.client.finish_login(callback, handle=request.handle)
    started = shop.clock()
    texts = {name: f"{name} of nobody, {'x' * 20}" for name in ("state", "nonce", "code_verifier", "token")}
    shop.ear.learned |= set(texts.values())
    pending = PendingLogin(
        kind="redirect", issuer=shop.issuer.issuer, client_id="shop", redirect_uri="https://shop.example/callback",
        state=texts["state"], nonce=texts["nonce"], code_verifier=texts["code_verifier"],
        assurance=login.assurance, max_age=None, return_to="/", started_at=started, expires_at=started,
    )  # fmt: skip
    return {
        "LoginRequest": request,
        "its handle, in a list": [request.handle],
        "its cookie, in a list": [request.set_cookie],
        "Login": login,
        "its session id, in a list": [login.session_id],
        "Pseudonym": login.pseudonym,
        "PseudonymKeys": shop.rp.pseudonym_keys,
        "Evidence": login.evidence,
        "session": login.to_session(shop.rp.pseudonym_keys),
        "Client": shop.client,
        "RelyingParty": shop.rp,
        "ClientKey": shop.rp.key,
        "Expected": shop.rp.expect(nonce=texts["nonce"], started_at=started, access_token=texts["token"]),
        "PendingLogin": pending,
        "Handle": Handle.parse(request.handle),
        "SealedCookieStore": SealedCookieStore({"k1": STORE_KEY}),
        "MemoryPendingStore": MemoryPendingStore(),
        "HTTPRequest": HTTPRequest(
            method="POST", url="https://issuer.example/token", max_bytes=1, purpose="token", body=texts["token"].encode()
        ),
        "HTTPResponse": HTTPResponse(status=200, url="https://issuer.example/token", body=texts["token"].encode()),
    }  # fmt: skip


# A transport must read the body of a request to send it; what it does with it is its own affair.
CARRIES = {"HTTPRequest", "HTTPResponse"}


def test_no_value_that_users_hold_shows_a_secret(shop):
    """Printed, formatted, pickled or taken apart by dataclasses: redacted, or refused."""
    held = _held(shop)
    # It holds its id on purpose, for logout; it is the app's own store.
    held["session"] = held["session"].replace(held["Login"].session_id, "")
    for name, value in held.items():
        shown = [repr(value), str(value)] if name in CARRIES else representations(value)
        assert_clean(shop, *shown)


@pytest.mark.parametrize("name", ["LoginRequest", "Login", "Expected", "PendingLogin", "RelyingParty"])
def test_dataclasses_that_hold_secrets_refuse_to_be_taken_apart(shop, name):
    """``asdict`` and pickle would make plain texts of them."""
    value = _held(shop)[name]
    with pytest.raises((TypeError, AttributeError)):
        dataclasses.asdict(value)
    with pytest.raises((TypeError, AttributeError)):
        pickle.dumps(value)


def test_a_redacted_text_is_the_text_wherever_it_is_used(shop):
    """Headers, JSON, comparisons and formatting get the value; only a ``repr`` does not."""
    handle = start(shop).handle
    plain = str(handle)
    assert type(plain) is str
    assert (plain, f"{handle}", json.loads(json.dumps(handle))) == (handle,) * 3
    assert hash(plain) == hash(handle)
    assert "Secret(redacted)" == repr(handle)


class BrokenStore:
    """A store of somebody else that fails with what it was given among its locals."""

    single_use = shared = durable = True

    def put(self, key, record, *, expires_at, now):
        raise OSError

    def take(self, key, *, carried, now):
        raise OSError


def test_a_store_that_raises_is_shown_as_the_cause_and_shows_no_secret(shop, records):
    """An operator needs the store's own error; what the store was given is sealed."""
    client = Client(shop.rp, transport=shop.ear, pending=BrokenStore(), clock=shop.clock)
    with pytest.raises(StoreError) as put:
        client.start_login()
    handle = Secret(start(shop).handle.partition(".")[0])
    with pytest.raises(StoreError) as take:
        client.finish_login("state=x", handle=handle)
    assert "in put" in shown_with_locals(put.value)
    assert "in take" in shown_with_locals(take.value)
    for failed in (put.value, take.value):
        assert isinstance(failed.__cause__, OSError)
        assert_clean(shop, shown_with_locals(failed), *records.seen)


def test_where_an_error_was_raised_is_in_the_debug_log(shop, records):
    """Module, function and line, with the error's reference: what the traceback no longer says."""
    shop.issuer.arm("id_token.other_issuer")
    with pytest.raises(CyberIDError) as refused:
        log_in(shop)
    (line,) = [each for each in records.seen if "raised in" in each]
    assert "raised in cyberid_client.handshake.checks." in line
    assert f"reference={refused.value.reference} " in line


# Constants, because a traceback shows lines of source too.
NO_KEY = b"no key of anybody's" * 3
NO_PASSWORD = b"no password of anybody's"
NO_PSEUDONYM = "no-pseudonym-of-anybody"
NO_NONCE = "no nonce of anybody's"
NO_TOKEN = b"no token of anybody's"
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused


def _no_key(_shop):
    ClientKey.from_pem(NO_KEY)


def _encrypted_key(shop):
    ClientKey.from_pem(shop.key_pem, password=NO_PASSWORD)


def _short_pseudonym_key(_shop):
    PseudonymKeys({"k1": PSEUDONYM_KEY, "k2": b"short"})


def _unknown_pseudonym_key(shop):
    Pseudonym(NO_PSEUDONYM, issuer="i", sector="s").digest(shop.rp.pseudonym_keys, key_id="k9")


def _short_store_key(_shop):
    SealedCookieStore({"k1": STORE_KEY, "k2": b"short"})


def _naive_expectation(shop):
    shop.rp.expect(nonce=NO_NONCE, started_at=NAIVE)


def _malformed_assertion(shop):
    expected = shop.rp.expect(nonce=NO_NONCE, started_at=shop.clock())
    verify_assertion(b".".join([NO_TOKEN] * 3), expected=expected, keys=None, now=shop.clock())


@pytest.mark.parametrize(
    "call",
    [
        _no_key,
        _encrypted_key,
        _short_pseudonym_key,
        _unknown_pseudonym_key,
        _short_store_key,
        _naive_expectation,
        _malformed_assertion,
    ],
)
def test_a_refused_argument_is_not_in_our_frames(shop, call):
    """A key or token that is refused is not among the locals of the function that refuses it."""
    log_in(shop)
    shop.ear.learned |= {each.decode() for each in (NO_KEY[:19], NO_PASSWORD, NO_TOKEN)} | {
        NO_PSEUDONYM,
        NO_NONCE,
    }
    with pytest.raises((ConfigurationError, VerificationError)) as refused:
        call(shop)
    assert_clean(shop, shown_with_locals(refused.value))


def test_the_library_logs_under_its_own_name_only(shop, records):
    """One logger to set a level or a filter on."""
    log_in(shop)
    ours = [each for each in records.seen if "cyberid_client" in each.partition("'msg'")[0]]
    assert ours
    assert all("'name': 'cyberid_client'" in each for each in ours)
    assert [] == list(Path(sys.modules["cyberid_client"].__file__).parent.rglob("*.log"))
