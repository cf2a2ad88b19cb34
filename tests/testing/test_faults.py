"""Every fault changes one message of its kind, in one respect, and nothing else."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography import x509

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import ConfigurationError
from cyberid_client.testing import FAULTS, ODDITIES
from cyberid_client.testing.documents import (
    Grant,
    draft_assertion,
    draft_encrypted,
    draft_metadata,
    draft_response,
    unsigned_page,
)
from cyberid_client.testing.dpop import DPoPDesk, NonceDraft
from cyberid_client.testing.drafts import CallbackDraft, Page
from cyberid_client.testing.jose import ALGORITHMS, decode_part
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.people import PEOPLE
from cyberid_client.testing.pushed import PushedRequest

from .conftest import PROTECTIONS, decrypt, parts_of

# Every day each fault is played against a client, in tests/client/test_faults.py; here another reader looks at it.
pytestmark = pytest.mark.slow

EVERYTHING = {**FAULTS, **ODDITIES}
STAGES = (
    "discovery",
    "metadata",
    "crl_authority",
    "crl_root",
    "jwks",
    "par",
    "callback",
    "token",
    "id_token",
)
# No issuer that carries the test mark and signs its metadata can provoke these; the module of the
# faults says why.
OUT_OF_REACH = {
    "chain.test_mark",
    "chain.certificate_too_large",
    "transport.request",
    "transport.failed",
    "discovery.claim_missing",
    "discovery.claim_type",
    "jarm.too_large",
    "declined.app",
    "metadata.epoch_length",
}
RANDOM = ("request_uri", "access_token", "id_token", "signed_metadata")


class Messages:
    """Fetch one message of a kind and return what can be compared of it."""

    def __init__(self, raw):
        self.raw = raw
        self.shown = None

    @property
    def stages(self):
        """The kinds of messages that this client gets."""
        more = {
            "jarm": self.raw.registered.response == "jarm",
            "dpop": self.raw.registered.sender_constraint == "dpop",
            "jwe": self.raw.registered.encryption_key is not None,
        }
        return (*STAGES, *(stage for stage, is_there in more.items() if is_there))

    def of(self, stage):
        message = getattr(self, stage)()
        return json.dumps(message, sort_keys=True, default=str)

    def page(self, answer):
        if answer.error is not None:
            return answer.error
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            document = hashlib.sha256(answer.body).hexdigest()
        if isinstance(document, dict):
            duplicate = (
                json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() != answer.body
            )
            document = {
                name: bool(value) and type(value).__name__ if name in RANDOM else value
                for name, value in document.items()
            }
            return [answer.status, self.headers(answer), document, duplicate]
        return [answer.status, self.headers(answer), document]

    def headers(self, answer):
        """Return the headers, of a fresh nonce no more than that it is one."""
        nonce = answer.headers.get("dpop-nonce", "")
        fresh = len(nonce) == 32 and nonce != self.shown
        return {**answer.headers, "dpop-nonce": "fresh" if fresh else nonce}

    def signed(self, token):
        try:
            header, claims = self.raw_parts(token)
        except ValueError:
            return token
        fresh = {"sid", "code"}
        claims = {name: len(str(value)) if name in fresh else value for name, value in claims.items()}
        claims["at_hash"] = claims.get("at_hash") not in {None, "A" * 22}
        return [header, claims, self.holds(token)]

    def raw_parts(self, token):
        header, claims, signature = token.split(".")
        if not claims.startswith("ey"):
            raise ValueError
        decoded = [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (header, claims)]
        if "=" in signature:
            raise ValueError
        values = [json.loads(part) for part in decoded]
        if [
            json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() for value in values
        ] != decoded:
            raise ValueError
        return values

    def holds(self, token):
        """Tell whether the honest key of that kind signed the token, as strictly as need be."""
        keyring = self.raw.issuer._service.keyring
        message, _, signature = token.rpartition(".")
        for purpose in ("assertion", "metadata"):
            signer = keyring.signer(purpose)
            try:
                signer.algorithm.verify(signer.key.public_key(), decode_part(signature), message.encode())
            except Exception:  # noqa: BLE001, S112 - any failure means that it does not hold
                continue
            return purpose
        return None

    def discovery(self):
        return self.page(self.raw.get("/.well-known/openid-configuration"))

    def metadata(self):
        answer = self.raw.get("/.well-known/openid-configuration")
        return self.signed(answer.json()["signed_metadata"])

    def crl_authority(self):
        return self.crl("authority")

    def crl_root(self):
        return self.crl("root")

    def crl(self, name):
        answer = self.raw.get(f"/crl/{name}.der")
        try:
            parsed = x509.load_der_x509_crl(answer.body)
        except ValueError:
            return [answer.status, answer.error, len(answer.body)]
        key = getattr(self.raw.issuer._service.keyring, name).key.public_key()
        return [
            answer.status,
            answer.headers,
            parsed.issuer.rfc4514_string(),
            parsed.last_update_utc,
            parsed.next_update_utc,
            [repr(extension) for extension in parsed.extensions],
            [(entry.serial_number, repr(list(entry.extensions))) for entry in parsed],
            parsed.signature_algorithm_oid.dotted_string,
            parsed.is_signature_valid(key),
        ]

    def jwks(self):
        return self.page(self.raw.get("/jwks.json"))

    def par(self):
        return self.page(self.raw.push())

    def callback(self):
        url = self.raw.issuer.authorize(self.raw.url_for(self.raw.push()))
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, errors="replace")
        fresh = {"code", "response"}
        return [
            url.partition("?")[0],
            [(name, len(value) if name in fresh else value) for name, value in pairs],
        ]

    def jarm(self):
        url = self.raw.issuer.authorize(self.raw.url_for(self.raw.push()))
        [(_, token)] = parse_qsl(urlsplit(url).query)
        return self.signed(token)

    def dpop(self):
        code = self.raw.authorize()["code"]
        self.shown = self.raw.nonce
        return self.page(self.raw.exchange(code))

    def token(self):
        return self.page(self.raw.log_in())

    def id_token(self):
        token = self.raw.log_in().json()["id_token"]
        return self.signed(token if self.raw.registered.encryption_key is None else self.opened(token))

    def opened(self, token):
        header = json.loads(decode_part(token.partition(".")[0]))
        return decrypt(token, self.raw.registered, header["alg"], header["enc"])

    def jwe(self):
        token = self.raw.log_in().json()["id_token"]
        parts = token.split(".")
        try:
            raw_header = decode_part(parts[0])
            header = json.loads(raw_header)
        except ValueError:
            return token
        tidy = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode() == raw_header
        header["epk"] = {
            name: len(value) if name in {"x", "y"} else value for name, value in header.get("epk", {}).items()
        }
        try:
            inside = [len(parts), *parts_of(self.opened(token))[0]]
        except Exception as error:  # noqa: BLE001 - any failure means that nobody can open it
            inside = type(error).__name__
        return [header, tidy, [len(part) for part in parts], inside]


def neighbours(stage):
    """Return the kinds whose messages come without one of this kind, so that the fault stays armed."""
    before = {"discovery": (), "metadata": (), "jwks": ("discovery", "metadata")}
    return before.get(stage, tuple(each for each in STAGES[:5] if each != stage))


@pytest.fixture
def raw_for(protected):
    """Make a hand-written client that registered what a fault needs, at an issuer that demands it."""

    def make(each):
        raw = protected(each.needs)
        raw.issuer.demand_dpop_nonce(each.needs == "dpop_nonce")
        return raw

    return make


@pytest.mark.parametrize("name", EVERYTHING)
def test_one_message_is_changed(raw_for, name):
    """The next message of the kind is changed; those before, beside and after it are honest."""
    each = EVERYTHING[name]
    messages = Messages(raw_for(each))
    issuer = messages.raw.issuer
    rotates = name.endswith("rotation_just_before_signing")
    published = each.prepare is not None or rotates
    honest = {stage: messages.of(stage) for stage in messages.stages}
    assert {stage: messages.of(stage) for stage in messages.stages} == honest
    issuer.arm(name)
    for stage in neighbours(each.stage):
        assert published or messages.of(stage) == honest[stage], stage
    assert dict(issuer.armed) == {name: 1}
    changed = messages.of(each.stage)
    assert changed != honest[each.stage]
    assert dict(issuer.armed) == {}
    issuer.disarm()
    if not rotates:
        assert {stage: messages.of(stage) for stage in messages.stages} == honest


_MEMBERS = {"access_token", "token_type", "expires_in", "scope", "id_token", "request_uri", "keys"}
_MEMBERS |= set(unsigned_page("https://issuer.example", "e30.e30.AA"))
# Which parts of a draft may change together. Everything else is one respect by itself.
_KEY = {"header.alg", "header.kid", "header.x5c", "signer"}
_TOGETHER = (
    _KEY,
    {"header.x5c"},
    {"header.alg", "edit_signature"},  # another algorithm, and what it signs
    _KEY | {"edit_signature"},  # a foreign key, and a forgery on top: the order of the checks
    {"header.crit", "header.b64"},
    {"header.crit", "header.urn:example:unknown"},
    {"header.jku", "header.jwk", "header.x5u"},
    {"claims.acr", "claims.amr"},
    {"claims.aud", "claims.azp"},
    {"claims.iat", "claims.exp"},
    {"claims.locale", "claims.status", "claims.https://issuer.example/note"},
    {"status", "document.error"} | {f"document.{name}" for name in _MEMBERS},
    {"status", "headers.location"},
    {"this_update", "next_update"},
    {"claims.code", "claims.error"},
    {"claims.response_modes_supported", "claims.authorization_response_iss_parameter_supported"},
    {"claims.code", "claims.error", "claims.state"},  # an error of another login
    {"header.alg", "header.p2c", "header.p2s"},
    {"header.apu", "header.apv"},
    {"header.zip", "content"},
    {"demands", "status", "document.error", "document.error_description"},
    {"demands", "status", "headers.www-authenticate"},
    {"demands", "headers.dpop-nonce"},
    {"demands", "headers.dpop-nonce", "document.error", "document.error_description"},
    {"demands", "status"},
    set(),  # what is published beside it is the whole fault
)


def honest_draft(stage, keyring, registered, now):
    """Return a message of this kind as it stands before any fault."""
    seconds = now.timestamp()
    request = PushedRequest(
        client=registered,
        redirect_uri=registered.redirect_uri,
        scopes=frozenset({"openid"}),
        state="s" * 43,
        nonce="n" * 43,
        code_challenge="c" * 43,
        mode="urn:cyberid:mode:r02",
        max_age=None,
        prompt=frozenset(),
        login_hint=None,
        expires_at=seconds + 90,
    )
    grant = Grant(
        request=request,
        person=PEOPLE["adult"],
        factors=frozenset({"certificate", "password"}),
        auth_time=int(seconds),
        expires_at=seconds + 60,
    )
    documents = {
        "discovery": unsigned_page(keyring.issuer, "e30.e30.AA"),
        "jwks": keyring.jwks(),
        "par": {"request_uri": "urn:example:1", "expires_in": 90},
        "token": {
            "access_token": "a",
            "token_type": "DPoP" if registered.sender_constraint == "dpop" else "Bearer",
            "expires_in": 300,
            "scope": "openid",
            "id_token": "x",
        },
    }
    if stage in documents:
        status = 201 if stage == "par" else 200
        return Page(document=documents[stage], keyring=keyring, now=now, status=status)
    if stage.startswith("crl_"):
        return keyring.revocations.draft(f"/crl/{stage.removeprefix('crl_')}.der", keyring, now)
    parameters = {"code": "c" * 43, "state": "s" * 43}
    pairs = [*parameters.items(), ("iss", keyring.issuer)]
    fresh = {"dpop-nonce": "fresh"}
    drafts = {
        "metadata": lambda: draft_metadata(keyring, issued_at=int(seconds), now=now),
        "jarm": lambda: draft_response(keyring, registered.client_id, parameters, now=now),
        "jwe": lambda: draft_encrypted(registered, "e30.e30.AA", keyring=keyring),
        "dpop": lambda: NonceDraft(presented="shown", demands=False, desk=DPoPDesk(), headers=fresh),
        "id_token": lambda: draft_assertion(keyring, grant, access_token="a", now=now),
        "callback": lambda: CallbackDraft(
            redirect_uri=registered.redirect_uri, parameters=pairs, keyring=keyring, now=now
        ),
    }
    return drafts[stage]()


def parts_of_draft(draft):
    """Return everything that can differ between two drafts, by name."""
    found = {}
    for name in draft.__slots__:
        value = getattr(draft, name)
        if name in {"header", "claims", "headers", "document"}:
            found |= {f"{name}.{key}": repr(inner) for key, inner in value.items()}
        elif name == "signer":
            found[name] = repr(value.key.public_key().public_numbers())
        elif name == "authority":
            found["signer"] = repr((value.list_url, value.key.public_key().public_numbers()))
        elif name not in {"keyring", "now", "desk"}:
            found[name] = repr(value)
    return found


@pytest.mark.parametrize("name", EVERYTHING)
def test_one_respect_is_changed(protected, clock, name):
    """A fault changes one respect of a message: a claim, the key, the signature, the encoding."""
    each = EVERYTHING[name]
    registered = protected(each.needs).registered
    keyring = Keyring(issuer="https://issuer.example", algorithm=ALGORITHMS["ES256"], now=clock())
    draft = honest_draft(each.stage, keyring, registered, clock())
    before, published = parts_of_draft(draft), keyring.jwks()
    if each.prepare is not None:
        each.prepare(keyring)
    each.change(draft)
    after = parts_of_draft(draft)
    changed = {part for part in before.keys() | after.keys() if before.get(part) != after.get(part)}
    assert len(changed) == 1 or any(changed <= together for together in _TOGETHER), changed
    assert changed or keyring.jwks() != published


def test_every_code_has_a_fault():
    """Every code that an issuer can cause is caused by a fault."""
    sections = {"callback", "discovery", "metadata", "jwks", "par", "token", "id_token", "chain"}
    sections |= {"declined", "issuer", "transport", "revocation", "jarm"}
    wanted = {code for code in CATALOGUE if code.partition(".")[0] in sections} | {"login.code_refused"}
    covered = {fault.expected_code for fault in FAULTS.values()}
    assert wanted - OUT_OF_REACH - covered == set()


@pytest.mark.parametrize("name", FAULTS)
def test_rows_are_complete(name):
    """A fault names check, law, and an error that the catalogue has for this class."""
    fault = FAULTS[name]
    assert CATALOGUE[fault.expected_code].family == fault.expected_error
    assert fault.name == name
    assert fault.numbers
    assert fault.law.endswith(".")
    needs = {None, "max_age", "earlier_login", "policy", "manual_clock", "in_process", *PROTECTIONS}
    assert fault.needs in needs


def test_names_are_unique():
    """No oddity has the name of a fault."""
    assert FAULTS.keys() & ODDITIES.keys() == set()


def test_count_and_disarm(raw):
    """A fault changes as many messages as it was armed for; disarm ends it at once."""
    raw.issuer.arm("par.status_200", 3)
    assert [raw.push().status, dict(raw.issuer.armed)] == [200, {"par.status_200": 2}]
    raw.issuer.disarm()
    assert [raw.push().status, dict(raw.issuer.armed)] == [201, {}]


def test_faults_combine(raw):
    """Several faults of one kind are applied to the same message."""
    raw.issuer.arm("callback.iss_missing")
    raw.issuer.arm("callback.state_missing")
    assert sorted(raw.authorize()) == ["code"]


def test_armed_faults_survive_serving(raw):
    """What was published beside a fault is published again when the issuer moves to loopback."""
    raw.issuer.arm("id_token.algorithm_rs256_published")
    with raw.issuer.serve():
        assert len(raw.issuer._service.keyring.jwks()["keys"]) == 2


def test_refusals_spend_no_fault(raw):
    """A request that the issuer refuses anyway does not use an armed fault up."""
    raw.issuer.arm("par.status_200")
    assert raw.push(scope="profile").status == 400
    assert dict(raw.issuer.armed) == {"par.status_200": 1}
    with pytest.raises(ConfigurationError):
        raw.issuer.authorize(f"{raw.issuer.issuer}/authorize?client_id=shop&request_uri=x")
