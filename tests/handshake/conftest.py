"""Sign whatever a test wants said, and tell which check refuses it.

A verdict is ``None`` when everything was believed, or the name of the check that refused and its code;
the name is ``"parsing"`` when no check had begun. A claim or parameter of ``...`` is left out.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import Assurance, ClientKey, CyberIDError, Login, RelyingParty, TrustStore
from cyberid_client.config import Expected
from cyberid_client.handshake.assertion import checklist_for, judge_assertion
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.checklists import (
    AUTHORIZATION_RESPONSE,
    DISCOVERY,
    METADATA,
    PAR_RESPONSE,
    STATUS_AGGREGATION,
    STATUS_LIST,
    STEP_UP,
    TOKEN_RESPONSE,
    UNSIGNED_METADATA,
)
from cyberid_client.handshake.events import judge_event
from cyberid_client.handshake.logout import judge_logout
from cyberid_client.handshake.metadata import IssuerMetadata, judge_metadata
from cyberid_client.handshake.status_list import judge_status_list, resolve_status_list
from cyberid_client.handshake.subjects import (
    CallbackSubject,
    DiscoverySubject,
    PARSubject,
    StatusAggregationSubject,
    StepUpSubject,
    TokenSubject,
    UnsignedMetadataSubject,
)
from cyberid_client.models import Channel, PendingLogin, Persistence, Pseudonym, PseudonymKeys
from cyberid_client.ports import HTTPResponse
from cyberid_client.testing.documents import metadata_claims
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.jose import ALGORITHMS, b64url, json_bytes
from cyberid_client.testing.keyring import Keyring, Signer, x5c_of
from cyberid_client.testing.pki import der, pem
from cyberid_client.testing.status_lists import pack_statuses
from cyberid_client.trust import KeySet, RevocationLists, StatusList, load_crl
from cyberid_client.wire.callback import parse_callback
from cyberid_client.wire.jwks import parse_jwks
from cyberid_client.wire.metadata import parse_unsigned_metadata
from cyberid_client.wire.responses import parse_discovery, parse_par, parse_token
from cyberid_client.wire.status_list import parse_status_aggregation, parse_status_list

ISSUER = "https://issuer.example"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ACCESS_TOKEN = "made-up-access-token"
MODES = MappingProxyType({mode.value: mode for mode in Assurance})
TLS = MappingProxyType({"metadata_trust": "tls", "assurance_values": MODES})

Verdict = tuple[str, str] | None


def json_response(document: object, status: int = 200) -> HTTPResponse:
    return HTTPResponse(
        status=status,
        headers={"content-type": "application/json"},
        body=json_bytes(document),
        url=f"{ISSUER}/",
    )


def members(honest: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**honest, **changes}.items() if value is not ...}


def lists(each: Check, document: str, code: str) -> bool:
    """Tell whether the check lists this code for a document."""
    patterns = {f"{document}{pattern[1:]}" if pattern.startswith("*") else pattern for pattern in each.codes}
    return code in patterns or f"{code.partition('.')[0]}.*" in patterns


def verdict_of(
    document: str, checks: tuple[Check, ...], judge: Callable[[tuple[Check, ...]], object]
) -> Verdict:
    """Judge with the checks, each of which says that it has begun."""
    begun: list[Check] = []

    def watch(each: Check) -> Check:
        def function(subject: object) -> None:
            begun.append(each)
            each(subject)

        return replace(each, function=function)

    code = code_of(lambda: judge(tuple(map(watch, checks))))
    if code is None or not begun:
        return None if code is None else ("parsing", code)
    assert lists(begun[-1], document, code)
    return begun[-1].name, code


def code_of(call: Callable[[], object]) -> str | None:
    try:
        call()
    except CyberIDError as error:
        return error.code
    return None


@dataclass(frozen=True)
class Bench:
    """An issuer's keys, a relying party, and a key set, all honest and of one moment."""

    keyring: Keyring
    rp: RelyingParty
    keys: KeySet
    crls: RevocationLists
    now: datetime = NOW
    seconds: int = SECONDS
    issuer: str = ISSUER
    access_token: str = ACCESS_TOKEN

    def lists_of(self, keyring: Keyring, now: datetime = NOW) -> RevocationLists:
        """Return the lists of root and authority, on which nobody stands."""
        return honest_lists(keyring, now)


@dataclass(frozen=True)
class AssertionBench(Bench):
    """Sign assertions and judge them."""

    def claims(self) -> dict[str, object]:
        """Return what an honest assertion says."""
        return {
            "iss": ISSUER,
            "sub": "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA",
            "aud": "shop",
            "exp": SECONDS + 300,
            "iat": SECONDS,
            "auth_time": SECONDS - 5,
            "nonce": "made-up-nonce",
            "acr": "urn:cyberid:mode:r02",
            "amr": ["certificate", "password"],
            "at_hash": self.keyring.algorithm.half_hash(ACCESS_TOKEN),
            "sector": "https://shop.example",
            "persistence": "A",
            "sid": "b7VQ2mXk9sLdPz4RtYwNcE",
        }

    def token(
        self,
        *,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        edit: Callable[[SignedDraft], None] = lambda draft: None,
        **claims: object,
    ) -> str:
        """Sign an honest assertion with changes to header and claims."""
        chosen = signer or self.keyring.signer("assertion")
        honest = {"alg": chosen.algorithm.name, "kid": chosen.kid, "typ": "JWT", "x5c": x5c_of(chosen.chain)}
        draft = SignedDraft(
            header=members(honest, header or {}),
            claims=members(self.claims(), claims),
            signer=chosen,
            keyring=self.keyring,
            now=NOW,
        )
        edit(draft)
        return draft.encode()

    def expected(
        self, asked: Mapping[str, object] | None = None, settings: Mapping[str, object] | None = None
    ) -> Expected:
        """Return what a login that started ten seconds ago expects."""
        honest = {
            "nonce": "made-up-nonce",
            "access_token": ACCESS_TOKEN,
            "started_at": NOW - timedelta(seconds=10),
        }
        return replace(self.rp, **(settings or {})).expect(**{**honest, **(asked or {})})

    def judge(
        self,
        token: str,
        *,
        checks: tuple[Check, ...] | None = None,
        asked: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
        now: datetime = NOW,
    ) -> Login:
        """Judge a token by the configured checklist, or by ``checks``."""
        expected = self.expected(asked, settings)
        return judge_assertion(
            token,
            expected=expected,
            keys=self.keys if keys is None else keys,
            now=now,
            cache=None,
            checks=checklist_for(expected) if checks is None else checks,
            return_to="/",
            crls=self.crls if crls is None else crls,
        )

    def verdict(
        self,
        *,
        asked: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
        now: datetime = NOW,
        without: str = "",
        **token: object,
    ) -> Verdict:
        """Return the verdict on a token made of ``token``, with all checks but ``without``."""
        made, checklist = self.token(**token), checklist_for(self.expected(asked, settings))
        return verdict_of(
            "id_token",
            tuple(each for each in checklist if each.name != without),
            lambda watched: self.judge(
                made, checks=watched, asked=asked, settings=settings, keys=keys, crls=crls, now=now
            ),
        )

    def key_set(self, *entries: Mapping[str, object]) -> KeySet:
        """Return a key set of these entries and no others."""
        return KeySet.from_jwks(parse_jwks(json_response({"keys": [dict(entry) for entry in entries]})))


@dataclass(frozen=True)
class MetadataBench(Bench):
    """Sign metadata and judge them."""

    def token(
        self,
        *,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        edit: Callable[[SignedDraft], None] = lambda draft: None,
        **claims: object,
    ) -> str:
        """Sign honest metadata with changes to header and claims."""
        chosen = signer or self.keyring.signer("metadata")
        honest_header = {
            "alg": chosen.algorithm.name,
            "kid": chosen.kid,
            "typ": "cyberid-metadata+jwt",
            "x5c": x5c_of(chosen.chain),
        }
        honest = {
            "iss": ISSUER,
            "sub": ISSUER,
            "iat": SECONDS,
            "exp": SECONDS + 86_400,
            **metadata_claims(ISSUER, "ES256"),
        }
        draft = SignedDraft(
            header=members(honest_header, header or {}),
            claims=members(honest, claims),
            signer=chosen,
            keyring=self.keyring,
            now=NOW,
        )
        edit(draft)
        return draft.encode()

    def judge(
        self,
        token: str,
        *,
        checks: tuple[Check, ...] = METADATA,
        settings: Mapping[str, object] | None = None,
        newest_iat: float | None = None,
        now: datetime = NOW,
    ) -> IssuerMetadata:
        return judge_metadata(
            token,
            rp=replace(self.rp, **(settings or {})),
            now=now,
            newest_iat=newest_iat,
            cache=None,
            checks=checks,
            crls=self.crls,
        )

    def verdict(
        self,
        *,
        settings: Mapping[str, object] | None = None,
        newest_iat: float | None = None,
        now: datetime = NOW,
        without: str = "",
        **token: object,
    ) -> Verdict:
        """Return the verdict on metadata made of ``token``, with all checks but ``without``."""
        made = self.token(**token)
        checks = tuple(each for each in METADATA if each.name != without)
        return verdict_of(
            "metadata",
            checks,
            lambda watched: self.judge(
                made, checks=watched, settings=settings, newest_iat=newest_iat, now=now
            ),
        )


@dataclass(frozen=True)
class ResponseBench(Bench):
    """Judge what comes back by browser and back channel."""

    def pending(self, **changes: object) -> PendingLogin:
        """Return a pending login that started ten seconds ago."""
        honest = {
            "kind": "redirect",
            "issuer": ISSUER,
            "client_id": "shop",
            "redirect_uri": "https://shop.example/callback",
            "state": "made-up-state",
            "nonce": "made-up-nonce",
            "code_verifier": "made-up-verifier",
            "assurance": Assurance.R02,
            "max_age": None,
            "return_to": "/cart",
            "started_at": NOW - timedelta(seconds=10),
            "expires_at": NOW + timedelta(seconds=590),
        }
        return PendingLogin(**{**honest, **changes})

    def callback(
        self,
        *,
        pending: Mapping[str, object] | None = None,
        kind: str = "redirect",
        now: datetime = NOW,
        without: str = "",
        **parameters: object,
    ) -> Verdict:
        """Return the verdict on a callback of these parameters."""
        honest = {"state": "made-up-state", "iss": ISSUER, "code": "made-up-code"}
        query = urlencode(members(honest, parameters))
        checks = tuple(each for each in AUTHORIZATION_RESPONSE if each.name != without)

        def judge(watched: tuple[Check, ...]) -> None:
            subject = CallbackSubject(
                callback=parse_callback(query),
                pending=self.pending(**(pending or {})),
                kind=kind,
                rp=self.rp,
                now=now,
            )
            run_checks(watched, subject)

        return verdict_of("callback", checks, judge)

    def par(self, *, status: int = 201, without: str = "", **answer: object) -> Verdict:
        """Return the verdict on an answer to a pushed request."""
        honest = {"request_uri": "urn:ietf:params:oauth:request_uri:made-up", "expires_in": 60}
        response = json_response(members(honest, answer), status)
        checks = tuple(each for each in PAR_RESPONSE if each.name != without)
        return verdict_of(
            "par",
            checks,
            lambda watched: run_checks(watched, PARSubject(status=status, par=parse_par(response))),
        )

    def token(self, *, status: int = 200, without: str = "", **answer: object) -> Verdict:
        """Return the verdict on a token response."""
        honest = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": "a.b.c"}
        response = json_response(members(honest, answer), status)
        checks = tuple(each for each in TOKEN_RESPONSE if each.name != without)
        return verdict_of(
            "token",
            checks,
            lambda watched: run_checks(
                watched, TokenSubject(status=status, token=parse_token(response), rp=self.rp)
            ),
        )

    def discovery(self, *, without: str = "", **page: object) -> Verdict:
        """Return the verdict on a discovery page."""
        response = json_response(members({"issuer": ISSUER, "signed_metadata": "a.b.c"}, page))
        checks = tuple(each for each in DISCOVERY if each.name != without)
        return verdict_of(
            "discovery",
            checks,
            lambda watched: run_checks(
                watched, DiscoverySubject(discovery=parse_discovery(response), rp=self.rp)
            ),
        )

    def unsigned(
        self, *, settings: Mapping[str, object] | None = None, without: str = "", **page: object
    ) -> Verdict:
        """Return the verdict on the discovery page of an ordinary OpenID Provider."""
        response = json_response(members(metadata_claims(ISSUER, "ES256"), page))
        rp = replace(self.rp, **{**TLS, **(settings or {})})
        checks = tuple(each for each in UNSIGNED_METADATA if each.name != without)
        return verdict_of(
            "metadata",
            checks,
            lambda watched: run_checks(
                watched, UnsignedMetadataSubject(server=parse_unsigned_metadata(response), rp=rp)
            ),
        )


LIST_URI = f"{ISSUER}/status-lists/1"


def status_response(token: str | bytes, content_type: str = "application/statuslist+jwt") -> HTTPResponse:
    body = token.encode() if isinstance(token, str) else token
    return HTTPResponse(status=200, headers={"content-type": content_type}, body=body, url=LIST_URI)


@dataclass(frozen=True)
class StatusListBench(Bench):
    """Sign status lists and judge them."""

    uri: str = LIST_URI

    def entries(self, packed: bytes = b"", *, bits: int = 1) -> dict[str, object]:
        """Return the claim that holds the entries."""
        return {
            "bits": bits,
            "lst": b64url(zlib.compress(packed or pack_statuses({5: 1}, bits=1, entries=16))),
        }

    def token(
        self,
        *,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        edit: Callable[[SignedDraft], None] = lambda draft: None,
        **claims: object,
    ) -> str:
        """Sign an honest list of 16 entries, the sixth of them 1, with changes to header and claims."""
        chosen = signer or self.keyring.signer("status")
        honest_header = {
            "alg": chosen.algorithm.name,
            "kid": chosen.kid,
            "typ": "statuslist+jwt",
            "x5c": x5c_of(chosen.chain),
        }
        honest = {
            "sub": LIST_URI,
            "iat": SECONDS,
            "exp": SECONDS + 3600,
            "ttl": 300,
            "status_list": self.entries(),
        }
        draft = SignedDraft(
            header=members(honest_header, header or {}),
            claims=members(honest, claims),
            signer=chosen,
            keyring=self.keyring,
            now=NOW,
        )
        edit(draft)
        return draft.encode()

    def judge(
        self,
        token: str,
        *,
        settings: Mapping[str, object] | None = None,
        newest_iat: float | None = None,
        uri: str = LIST_URI,
        now: datetime = NOW,
    ) -> StatusList:
        return judge_status_list(
            status_response(token),
            uri=uri,
            rp=replace(self.rp, **(settings or {})),
            now=now,
            newest_iat=newest_iat,
            cache=None,
            checks=STATUS_LIST,
        )

    def verdict(
        self,
        *,
        settings: Mapping[str, object] | None = None,
        newest_iat: float | None = None,
        uri: str = LIST_URI,
        now: datetime = NOW,
        without: str = "",
        **token: object,
    ) -> Verdict:
        """Return the verdict on a list made of ``token``, with all checks but ``without``."""
        made = self.token(**token)
        rp = replace(self.rp, **(settings or {}))
        checks = tuple(each for each in STATUS_LIST if each.name != without)

        def judge(watched: tuple[Check, ...]) -> None:
            claims = parse_status_list(status_response(made))
            subject = resolve_status_list(claims, uri=uri, rp=rp, now=now, newest_iat=newest_iat, cache=None)
            run_checks(watched, subject)

        return verdict_of("status_list", checks, judge)

    def aggregation(
        self, *, settings: Mapping[str, object] | None = None, without: str = "", **page: object
    ) -> Verdict:
        """Return the verdict on the page that names the lists."""
        response = json_response(members({"status_lists": [LIST_URI]}, page))
        rp = replace(self.rp, **(settings or {}))
        checks = tuple(each for each in STATUS_AGGREGATION if each.name != without)
        return verdict_of(
            "status_aggregation",
            checks,
            lambda watched: run_checks(
                watched, StatusAggregationSubject(parse_status_aggregation(response), rp)
            ),
        )


@dataclass(frozen=True)
class NoticeBench(Bench):
    """Sign logout tokens or security events and judge them."""

    document: str = ""
    typ: str = ""
    honest: Mapping[str, object] = field(default_factory=dict)
    judging: Callable[..., object] = judge_logout
    checklist_of: Callable[[Checklists, RelyingParty], tuple[Check, ...]] = Checklists.for_logout_token

    def token(
        self,
        *,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        edit: Callable[[SignedDraft], None] = lambda draft: None,
        **claims: object,
    ) -> str:
        """Sign an honest notice with changes to header and claims."""
        chosen = signer or self.keyring.signer("assertion")
        honest = {
            "alg": chosen.algorithm.name,
            "kid": chosen.kid,
            "typ": self.typ,
            "x5c": x5c_of(chosen.chain),
        }
        draft = SignedDraft(
            header=members(honest, header or {}),
            claims=members(self.honest, claims),
            signer=chosen,
            keyring=self.keyring,
            now=NOW,
        )
        edit(draft)
        return draft.encode()

    def judge(
        self,
        token: str | bytes,
        *,
        checks: tuple[Check, ...] | None = None,
        settings: Mapping[str, object] | None = None,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
        now: datetime = NOW,
    ) -> object:
        """Judge a token by the configured checklist, or by ``checks``."""
        rp = replace(self.rp, **(settings or {}))
        return self.judging(
            token,
            rp=rp,
            keys=self.keys if keys is None else keys,
            crls=self.crls if crls is None else crls,
            now=now,
            cache=None,
            checks=self.checklist_of(COMPLETE, rp) if checks is None else checks,
        )

    def verdict(
        self,
        *,
        settings: Mapping[str, object] | None = None,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
        now: datetime = NOW,
        without: str = "",
        **token: object,
    ) -> Verdict:
        """Return the verdict on a token made of ``token``, with all checks but ``without``."""
        made, checklist = (
            self.token(**token),
            self.checklist_of(COMPLETE, replace(self.rp, **(settings or {}))),
        )
        return verdict_of(
            self.document,
            tuple(each for each in checklist if each.name != without),
            lambda watched: self.judge(
                made, checks=watched, settings=settings, keys=keys, crls=crls, now=now
            ),
        )


LOGOUT_CLAIMS = {
    "iss": ISSUER,
    "aud": "shop",
    "iat": SECONDS,
    "exp": SECONDS + 120,
    "jti": "made-up-logout-token",
    "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    "sub": "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA",
    "sid": "b7VQ2mXk9sLdPz4RtYwNcE",
}
EVENT_CLAIMS = {
    "iss": ISSUER,
    "aud": "shop",
    "iat": SECONDS,
    "jti": "made-up-event",
    "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA"},
    "events": {"urn:cyberid:event:account-state": {"state": "frozen", "reason": "reported-lost", "seq": 7}},
}


@dataclass(frozen=True)
class StepUpBench(Bench):
    """Judge whether a login is of the person who was asked."""

    def verdict(
        self,
        *,
        sub: str = "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA",
        issuer: str = ISSUER,
        sector: str = "https://shop.example",
        persistence: Persistence = Persistence.LIFE,
        key_id: str | None = None,
        without: str = "",
    ) -> Verdict:
        """Return the verdict on a login of this person, where the honest one was asked."""
        asked = Pseudonym(
            "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA", issuer=ISSUER, sector="https://shop.example"
        )
        keys = PseudonymKeys({"new": bytes(range(32)), "old": bytes(range(32, 64))})
        login = Login(
            pseudonym=Pseudonym(sub, issuer=issuer, sector=sector),
            assurance=Assurance.R04,
            factors=Assurance.R04.factors,
            channel=Channel.REDIRECT,
            authenticated_at=NOW,
            issuer=issuer,
            sector=sector,
            persistence=persistence,
            _make_evidence=lambda: pytest.fail("nobody asked for evidence"),
        )
        subject = StepUpSubject(login=login, person=asked.digest(keys, key_id=key_id), keys=keys)
        checks = tuple(each for each in STEP_UP if each.name != without)
        return verdict_of("step_up", checks, lambda watched: run_checks(watched, subject))


@pytest.fixture(scope="session")
def logout_token(parts: dict[str, object]) -> NoticeBench:
    return NoticeBench(**parts, document="logout_token", typ="logout+jwt", honest=LOGOUT_CLAIMS)


@pytest.fixture(scope="session")
def security_event(parts: dict[str, object]) -> NoticeBench:
    return NoticeBench(
        **parts,
        document="security_event",
        typ="secevent+jwt",
        honest=EVENT_CLAIMS,
        judging=judge_event,
        checklist_of=Checklists.for_security_event,
    )


@pytest.fixture(scope="session")
def step_up(parts: dict[str, object]) -> StepUpBench:
    return StepUpBench(**parts)


@pytest.fixture(scope="session")
def parts() -> dict[str, object]:
    """Make one honest issuer and one relying party for all tests; nothing changes them."""
    keyring = Keyring(issuer=ISSUER, algorithm=ALGORITHMS["ES256"], now=NOW)
    key = ec.generate_private_key(ec.SECP256R1())
    rp = RelyingParty(
        issuer=ISSUER,
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        key=ClientKey.from_pem(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
        trust=TrustStore.for_tests(pem(keyring.root.certificate)),
    )
    keys = KeySet.from_jwks(parse_jwks(json_response(keyring.jwks())))
    return {"keyring": keyring, "rp": rp, "keys": keys, "crls": honest_lists(keyring)}


def honest_lists(keyring: Keyring, now: datetime = NOW) -> RevocationLists:
    lists = RevocationLists()
    for authority in (keyring.root, keyring.authority):
        path = authority.list_url.removeprefix(keyring.issuer)
        data = keyring.revocations.draft(path, keyring, now).encode()
        lists = lists.with_list(load_crl(data, issuer=der(authority.certificate), now=now))
    return lists


@pytest.fixture(scope="session")
def assertion(parts: dict[str, object]) -> AssertionBench:
    return AssertionBench(**parts)


@pytest.fixture(scope="session")
def metadata(parts: dict[str, object]) -> MetadataBench:
    return MetadataBench(**parts)


@pytest.fixture(scope="session")
def responses(parts: dict[str, object]) -> ResponseBench:
    return ResponseBench(**parts)


@pytest.fixture(scope="session")
def status_list(parts: dict[str, object]) -> StatusListBench:
    return StatusListBench(**parts)
