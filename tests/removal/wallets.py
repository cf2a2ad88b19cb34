"""Answers of wallets, honest and not: made once, judged by checklists of which some checks are left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import parse_qsl

from cyberid_client import (
    Client,
    ClientKey,
    ClientKeys,
    CyberIDError,
    LoginRestartError,
    RelyingParty,
    TrustStore,
    VerificationError,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.handshake import checklists
from cyberid_client.handshake.bundle import Checklists
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.formats import KnownAhead
from cyberid_client.handshake.presentation import ProvedAnswer, believe_response, login_of, open_response
from cyberid_client.handshake.presentation_ids import PresentationHandle, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord, Stage
from cyberid_client.handshake.presentation_request import (
    PresentationAsk,
    new_record,
    request_object,
    wallet_uri,
)
from cyberid_client.handshake.presentation_subjects import PendingPresentationSubject
from cyberid_client.link import Environment
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.testing import CREDENTIAL_FAULTS, WALLET_FAULTS, ManualClock, MockIssuer, Wallet
from cyberid_client.trust import RevocationLists
from cyberid_client.wire.jwe import parse_jwe
from cyberid_client.wire.presentation import read_presentation_form

from .cases import NOTHING_TO_BUILD, PARSING, Outcome, Verdict
from .runner import START, Removed, without

SECTOR, ENDPOINT = "https://shop.example", "https://shop.example/wallet"
EPOCH = 7 * 86_400
# What no wallet and no issuer does wrong: when an answer comes, to whom, and what is known by then.
OTHERS: dict[str, tuple[str, str]] = {
    "answer.of_other_client": (
        "An answer to a request of another issuer is none of ours.",
        "login.other_settings",
    ),
    "answer.comes_late": ("An answer that comes when the time is up is none.", "login.expired"),
    "answer.comes_again": ("A request that was answered is not answered again.", "presentation.over"),
    "answer.without_lists": (
        "A signer for whom no revocation list answers is not believed.",
        "revocation.unknown",
    ),
}
FAULTS = {**CREDENTIAL_FAULTS, **WALLET_FAULTS}
TITLES = {
    "PENDING_PRESENTATION": "Request that waits for a wallet",
    "PRESENTATION_ENVELOPE": "Around the answer of a wallet",
    "PRESENTATION_RESPONSE": "Answer of a wallet",
    "CREDENTIAL": "Credential",
    "KEY_BINDING": "Key binding",
    "CREDENTIAL_STATUS": "What is looked up about a credential",
    "PRESENTATION_QUERY": "Whether the answer is what was asked for",
}
EXPECTED = {
    **{name: fault.expected_code for name, fault in FAULTS.items()},
    **{name: code for name, (_, code) in OTHERS.items()},
}


@dataclass(frozen=True)
class Answer:
    """One answer as it came, and what it is judged with."""

    body: bytes
    content_type: str | None
    record: PresentationRecord
    request_id: RequestId
    known: KnownAhead
    rp: RelyingParty


class Desk:
    """One app, its issuer and a wallet, for all answers that are made."""

    def __init__(self, *, age_band: bool) -> None:
        self.clock = ManualClock(START)
        self.issuer = MockIssuer(self.clock)
        certificate_pem, key_pem = self.issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
        self.rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id="shop",
            redirect_uri=f"{SECTOR}/callback",
            sector=SECTOR,
            keys=ClientKeys(
                signing=ClientKey.from_pem(key_pem), wallet=WalletIdentity.from_pem(certificate_pem, key_pem)
            ),
            trust=TrustStore.for_tests(self.issuer.root_pem),
            wallet=WalletSettings(endpoint=ENDPOINT),
            age_band=age_band,
        )
        self.env = Environment(self.clock)
        self.wallet = Wallet(self.issuer, send=self._send).enrol()
        self.wallet.prefetch(SECTOR)
        self._kept = self.wallet._holdings._held[SECTOR]
        self._honest = self._learn()

    def _learn(self) -> KnownAhead:
        with Client(self.rp, transport=self.issuer.transport(), clock=self.clock, background=False) as client:
            client.refresh()
            snapshot, legs = client._legs.known_snapshot(), client._legs
            return KnownAhead(
                keys=snapshot.keys, crls=snapshot.crls, statuses=legs.status.lists, cache=legs.cache
            )

    def make(self, name: str) -> Answer:
        """Let a wallet answer a new request, with one thing wrong."""
        self.handle = PresentationHandle(self.env.token(32))
        self.record = new_record(self.rp, PresentationAsk(), self.handle, self.env)
        self.posted: HTTPRequest | None = None
        known = self._arm(name)
        try:
            self.wallet.answer(wallet_uri(self.rp, self.record, self.handle.request_id))
        finally:
            self.wallet.disarm()
            self.issuer.disarm()
            self.wallet._holdings._held[SECTOR] = self._kept
        assert self.posted is not None
        answer = Answer(
            body=self.posted.body,
            content_type=self.posted.headers.get("content-type"),
            record=self.record,
            request_id=self.handle.request_id,
            known=known,
            rp=self.rp,
        )
        return self._touch(name, answer)

    def _arm(self, name: str) -> KnownAhead:
        """Let issuer or wallet be wrong, and return what the app knows by then."""
        if name in WALLET_FAULTS:
            self.wallet.arm(name)
        if name not in CREDENTIAL_FAULTS:
            return self._honest
        self.issuer.arm(name)
        desk = self.issuer._service.credentials
        key = self.wallet._holdings.public_jwk(SECTOR)
        enrolment = desk._enrolments[self.wallet._enrolment]
        self.wallet._holdings._held[SECTOR] = [desk._issue_one(enrolment, SECTOR, key, self.clock())]
        if CREDENTIAL_FAULTS[name].needs == "wallet_careless":
            self.wallet.arm("wallet.extra_disclosure")
        return self._honest

    def _touch(self, name: str, answer: Answer) -> Answer:
        """Do what neither wallet nor issuer does."""
        record = answer.record
        if name == "answer.of_other_client":
            return replace(answer, record=replace(record, issuer="https://other.example"))
        if name == "answer.comes_late":
            return replace(answer, record=replace(record, expires_at=self.env.now()))
        if name == "answer.comes_again":
            return replace(answer, record=replace(record, stage=Stage.SPENT))
        if name == "answer.without_lists":
            return replace(answer, known=replace(answer.known, crls=RevocationLists()))
        return answer

    def _send(self, request: HTTPRequest) -> HTTPResponse:
        if request.url.startswith(f"{ENDPOINT}/request/"):
            nonce = dict(parse_qsl(request.body.decode())).get("wallet_nonce")
            flow = request_object(
                self.rp, self.record, self.handle.request_id, wallet_nonce=nonce, now=self.env.now()
            )
            headers = {"content-type": "application/oauth-authz-req+jwt"}
            return HTTPResponse(status=200, headers=headers, body=_returned(flow).encode(), url=request.url)
        self.posted = request
        body = json.dumps({"redirect_uri": f"{ENDPOINT}/return"}).encode()
        return HTTPResponse(
            status=200, headers={"content-type": "application/json"}, body=body, url=request.url
        )


def _returned(flow: Iterator[object]) -> str:
    try:
        next(flow)
    except StopIteration as stop:
        return str(stop.value)
    raise AssertionError


@cache
def desk(*, age_band: bool) -> Desk:
    """Return the app that the answer is for: one that asks for the age band, or one that does not."""
    return Desk(age_band=age_band)


@cache
def answer_of(name: str) -> Answer:
    """Return the answer of a fault, or an honest one."""
    needs = FAULTS[name].needs if name in FAULTS else None
    # A careless wallet shows what it has; whoever asked for the age band is not told too much by it.
    return desk(age_band=needs in {"wallet_age_band", "wallet_careless"}).make(name)


def log_in(answer: Answer, bundle: Checklists) -> None:
    """Judge an answer from the form that the wallet posted to the login that comes of it."""
    now = START
    pending = PendingPresentationSubject(record=answer.record, rp=answer.rp, now=now)
    run_checks(bundle.pending_presentation, pending)
    form = read_presentation_form(answer.body, answer.content_type)
    if form.unencrypted:
        raise VerificationError("presentation.unencrypted")
    jwe = parse_jwe(form.response or "", document="presentation")
    if RequestId.parse(jwe.kid) != answer.request_id:
        raise LoginRestartError("login.unknown")
    payload = open_response(jwe, answer.record, answer.request_id, checklists=bundle)
    verified = believe_response(
        payload,
        answer.record,
        answer.request_id,
        rp=answer.rp,
        known=answer.known,
        epoch_length=EPOCH,
        now=now,
        checklists=bundle,
    )
    assert verified is not None
    login_of(ProvedAnswer(verified=verified, received_at=now, digits=None), answer.record)


def attempt(name: str, removed: Removed = frozenset()) -> Outcome:
    """Judge the answer of a fault without some checks."""
    try:
        log_in(answer_of(name), without(removed))
    except CyberIDError as error:
        by: tuple[str, str] | None = vars(error).get("stopped_by")
        return Outcome(by or ("", PARSING), error.code)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        # Whoever leaves a check out must not build on what it promised.
        return Outcome(vars(error).get("stopped_by") or ("", NOTHING_TO_BUILD))
    return Outcome(None, accepted="login")


@cache
def judge(name: str) -> Verdict:
    """Take away every check that stops the fault, one after the other, until something else decides."""
    first = last = attempt(name)
    stops: list[tuple[str, str]] = []
    while last.by is not None and last.by[0]:
        stops.append(last.by)
        last = attempt(name, frozenset(stops))
    return Verdict(first, tuple(stops), last)


@cache
def verdicts() -> dict[str, Verdict]:
    """Return for every fault what stops it."""
    return {name: judge(name) for name in EXPECTED}


def best(document: str) -> dict[str, str]:
    """Return for every check of a document the fault that needs it most: that few others, or none, stop."""
    found = {}
    for each in getattr(checklists, document):
        candidates = [
            (verdict.last.by is not None, len(verdict.stops), position, name)
            for position, (name, verdict) in enumerate(verdicts().items())
            if (document, each.name) in verdict.stops
        ]
        if candidates:
            found[each.name] = min(candidates)[-1]
    return found


def others(check: str, fault: str) -> tuple[str, ...]:
    """Return the names of what else stops a fault."""
    verdict = verdicts()[fault]
    names = tuple(name for _, name in verdict.stops if name != check)
    return names if verdict.last.by is None else (*names, verdict.last.by[1])
