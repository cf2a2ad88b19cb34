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
from cyberid_client.testing.documents import Grant, draft_assertion, draft_metadata, unsigned_page
from cyberid_client.testing.drafts import CallbackDraft, Page
from cyberid_client.testing.jose import ALGORITHMS, decode_part
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.people import PEOPLE
from cyberid_client.testing.pushed import PushedRequest

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
}
RANDOM = ("request_uri", "access_token", "id_token", "signed_metadata")


class Messages:
    """Fetch one message of a kind and return what can be compared of it."""

    def __init__(self, raw):
        self.raw = raw

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
            return [answer.status, answer.headers, document, duplicate]
        return [answer.status, answer.headers, document]

    def signed(self, token):
        try:
            header, claims = self.raw_parts(token)
        except ValueError:
            return token
        claims = {name: len(value) if name == "sid" else value for name, value in claims.items()}
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
        return [
            url.partition("?")[0],
            [(name, len(value) if name == "code" else value) for name, value in pairs],
        ]

    def token(self):
        return self.page(self.raw.log_in())

    def id_token(self):
        return self.signed(self.raw.log_in().json()["id_token"])


def neighbours(stage):
    """Return the kinds whose messages come without one of this kind, so that the fault stays armed."""
    before = {"discovery": (), "metadata": (), "jwks": ("discovery", "metadata")}
    return before.get(stage, tuple(each for each in STAGES[:5] if each != stage))


@pytest.mark.parametrize("name", EVERYTHING)
def test_one_message_is_changed(raw, name):
    """The next message of the kind is changed; those before, beside and after it are honest."""
    each, messages = EVERYTHING[name], Messages(raw)
    published = each.prepare is not None or name == "id_token.rotation_just_before_signing"
    honest = {stage: messages.of(stage) for stage in STAGES}
    assert {stage: messages.of(stage) for stage in STAGES} == honest
    raw.issuer.arm(name)
    for stage in neighbours(each.stage):
        assert published or messages.of(stage) == honest[stage], stage
    assert dict(raw.issuer.armed) == {name: 1}
    changed = messages.of(each.stage)
    assert changed != honest[each.stage]
    assert dict(raw.issuer.armed) == {}
    raw.issuer.disarm()
    if name != "id_token.rotation_just_before_signing":
        assert {stage: messages.of(stage) for stage in STAGES} == honest


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
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "openid",
            "id_token": "x",
        },
    }
    if stage in documents:
        status = 201 if stage == "par" else 200
        return Page(document=documents[stage], keyring=keyring, now=now, status=status)
    if stage == "metadata":
        return draft_metadata(keyring, issued_at=int(seconds), now=now)
    if stage.startswith("crl_"):
        return keyring.revocations.draft(f"/crl/{stage.removeprefix('crl_')}.der", keyring, now)
    if stage == "id_token":
        return draft_assertion(keyring, grant, access_token="a", now=now)
    pairs = [("code", "c"), ("state", "s"), ("iss", keyring.issuer)]
    return CallbackDraft(redirect_uri=registered.redirect_uri, parameters=pairs, keyring=keyring, now=now)


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
        elif name not in {"keyring", "now"}:
            found[name] = repr(value)
    return found


@pytest.mark.parametrize("name", EVERYTHING)
def test_one_respect_is_changed(registered, clock, name):
    """A fault changes one respect of a message: a claim, the key, the signature, the encoding."""
    each = EVERYTHING[name]
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
    sections |= {"declined", "issuer", "transport", "revocation"}
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
    assert fault.needs in {None, "max_age", "earlier_login", "policy", "manual_clock", "in_process"}


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
