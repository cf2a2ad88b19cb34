"""Log in or take a notice, in process, by checklists of which some checks are left out; tell what stopped it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cyberid_client import (
    Assurance,
    ClientCertificate,
    ClientKey,
    ClientKeys,
    CyberIDError,
    DecryptionKey,
    LoginDeclinedError,
    Pseudonym,
    RelyingParty,
    TrustStore,
)
from cyberid_client.handshake.app_launch import (
    LIFETIME,
    AppAsk,
    launch_type,
    read_app_result,
    start_app_launch,
    verify_app_result,
)
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.dpop import NonceMemory
from cyberid_client.handshake.events import believe_event, open_event_request
from cyberid_client.handshake.flow import Flow, KeysWanted, ListsWanted
from cyberid_client.handshake.logout import believe_logout, open_logout_request
from cyberid_client.handshake.metadata import fetch_key_set, fetch_metadata
from cyberid_client.handshake.redirect import RedirectAsk, finish_redirect, start_redirect
from cyberid_client.handshake.revocation import fetch_lists
from cyberid_client.link import Environment
from cyberid_client.models import PendingLogin
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.stores import MemoryReplayStore
from cyberid_client.testing import (
    FAULTS,
    ManualClock,
    MockIssuer,
    Phone,
    RegisteredClient,
)
from cyberid_client.testing.documents import metadata_claims
from cyberid_client.testing.drafts import Page, SignedDraft
from cyberid_client.testing.jose import json_bytes
from cyberid_client.trust import ChainCache, RevocationLists

from .cases import (
    NAMED,
    NOTHING_TO_BUILD,
    PARSING,
    PENDING_SECONDS,
    PHONE_APP,
    STEP_UPS,
    Case,
    Outcome,
    Verdict,
    settings_of,
)

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

Removed = frozenset[tuple[str, str]]


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


class UnsignedPages:
    """Serve the issuer's honest words unsigned, as an ordinary OpenID Provider does, with one fault in them."""

    def __init__(self, inner: Transport, issuer: MockIssuer, fault: str) -> None:
        self._inner, self._issuer, self._fault = inner, issuer, fault

    def send(self, request: HTTPRequest) -> HTTPResponse:
        if request.purpose != "discovery":
            return self._inner.send(request)
        service = self._issuer._service
        claims = metadata_claims(self._issuer.issuer, "ES256")
        stage = FAULTS[self._fault].stage if self._fault in FAULTS else ""
        if stage == "metadata":
            signer = service.keyring.signer("metadata")
            draft = SignedDraft(header={}, claims=claims, signer=signer, keyring=service.keyring, now=START)
            FAULTS[self._fault].change(draft)
        page = Page(document=claims, keyring=service.keyring, now=START)
        if stage == "discovery":
            FAULTS[self._fault].change(page)
        headers = {"content-type": "application/json"}
        return HTTPResponse(
            status=200, headers=headers, body=json_bytes(page.document), url=f"{self._issuer.issuer}/"
        )

    def close(self) -> None:
        """Do nothing."""


@dataclass
class App:
    """One app at one issuer, with checklists of its own."""

    case: Case
    checklists: Checklists = COMPLETE
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    cache: ChainCache = field(default_factory=ChainCache)

    def __post_init__(self) -> None:
        self.issuer = MockIssuer(self.clock)
        registered = self.issuer.register(
            client_id="shop",
            redirect_uri="https://shop.example/callback",
            org_id="shop-org",
            apps={"android": PHONE_APP},
            **self.case.protection,
        )
        self.rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id=registered.client_id,
            redirect_uri=registered.redirect_uri,
            keys=keys_of(registered),
            trust=TrustStore.for_tests(self.issuer.root_pem),
            **settings_of(self.case),
        )
        self.transport = self.issuer.transport(certificate_pem=registered.certificate_pem or None)
        self.nonces = NonceMemory()
        if self.case.setting == "unsigned":
            self.transport = UnsignedPages(self.transport, self.issuer, self.case.fault)
        self.env = Environment(self.clock)
        self.newest_iat: float | None = None
        self.crls = RevocationLists()

    def drive(self, flow: Flow[Any], newer: Callable[[], Any] | None = None) -> Any:
        """Answer what a flow yields."""
        try:
            effect = next(flow)
            while True:
                if isinstance(effect, KeysWanted):
                    effect = flow.send(newer())
                elif isinstance(effect, ListsWanted):
                    effect = flow.send(self.learn_lists(effect))
                else:
                    effect = flow.send(self.transport.send(effect))
        except StopIteration as stop:
            return stop.value

    def learn_lists(self, wanted: ListsWanted) -> RevocationLists:
        """Fetch the revocation lists that are asked for."""
        fetched = self.drive(fetch_lists(self.rp, self.env, wanted.certificates, self.crls))
        self.crls = fetched.crls
        if fetched.problem is not None:
            raise fetched.problem
        return self.crls

    def learn_metadata(self) -> Any:
        """Fetch discovery page and metadata, and remember how new they are."""
        flow = fetch_metadata(
            self.rp,
            self.env,
            newest_iat=self.newest_iat,
            cache=self.cache,
            crls=self.crls,
            checklists=self.checklists,
        )
        metadata = self.drive(flow).metadata
        self.newest_iat = metadata.issued_at
        return metadata

    def learn(self) -> tuple[Any, Any]:
        """Fetch metadata and key set."""
        metadata = self.learn_metadata()
        return metadata, self.drive(fetch_key_set(metadata)).keys

    def start(self, metadata: Any) -> Any:
        fault = FAULTS.get(self.case.fault)
        ask = RedirectAsk(max_age=60 if fault is not None and fault.needs == "max_age" else None)
        if self.case.fault in STEP_UPS:
            here = {"issuer": self.rp.issuer, "sector": self.rp.sector_identifier}
            person = Pseudonym(self.issuer.pseudonym("adult", sector=here["sector"]), **here)
            ask = RedirectAsk(assurance=Assurance.R04, max_age=0, person=person)
        flow = start_redirect(
            self.rp, ask, metadata, self.env, nonces=self.nonces, checklists=self.checklists
        )
        return self.drive(flow)

    def finish(self, callback: str, pending: PendingLogin, metadata: Any, keys: Any) -> Any:
        flow = finish_redirect(
            self.rp,
            callback,
            pending,
            metadata=metadata,
            keys=keys,
            env=self.env,
            cache=self.cache,
            crls=self.crls,
            nonces=self.nonces,
            checklists=self.checklists,
        )
        return self.drive(flow, lambda: self.learn()[1])

    def arm(self) -> None:
        """Let the issuer be faulty, after an honest look at it where the fault needs one."""
        if self.case.fault == "browser.steps_up_for_one_session":
            self.issuer.arm("id_token.persistence_c")
        fault = NAMED.get(self.case.fault)
        if fault is None:
            return
        if fault.needs == "earlier_login":
            self.learn()
            self.clock.advance(3600)
        if fault.needs == "dpop_nonce":
            self.issuer.demand_dpop_nonce()
        if not (self.case.setting == "unsigned" and fault.stage in {"discovery", "metadata"}):
            self.issuer.arm(fault.name)

    def touch(self, pending: Any) -> Any:
        """Do what the browser or the neighbour does."""
        changes = {
            "browser.login_of_other_client": {"client_id": "another-client"},
            "browser.login_of_other_handshake": {"kind": "presentation"},
        }
        if self.case.fault == "browser.comes_late":
            self.clock.set(pending.expires_at)
        return replace(pending, **changes.get(self.case.fault, {}))

    def log_in(self, reached: list[str]) -> None:
        """Go through a whole login and say what was accepted on the way."""
        self.arm()
        metadata = self.learn_metadata()
        reached.append("metadata")
        keys = self.drive(fetch_key_set(metadata)).keys
        started = self.start(metadata)
        reached.append("pushed request")
        if self.case.fault == "browser.comes_late":
            self.clock.advance(PENDING_SECONDS - 1)
        stranger = self.case.fault == "browser.stranger_steps_up"
        callback = self.issuer.authorize(started.url, person="teenager" if stranger else "adult")
        self.finish(callback, self.touch(started.pending), metadata, keys)
        reached.append("login")

    def log_in_by_app(self, reached: list[str]) -> None:
        """Go through a whole login by the ID app, which the issuer may refuse."""
        self.arm()
        metadata = self.learn_metadata()
        reached.append("metadata")
        keys = self.drive(fetch_key_set(metadata)).keys
        pending = start_app_launch(self.rp, AppAsk(platform="android"), metadata, self.env)
        if self.case.fault == "browser.comes_late":
            self.clock.advance(LIFETIME - 1)
        answer = read_app_result(
            self.rp,
            self.answer_of_phone(pending),
            self.touch(pending),
            now=self.env.now(),
            checklists=self.checklists,
        )
        flow = verify_app_result(
            self.rp,
            answer,
            pending,
            metadata=metadata,
            keys=keys,
            env=self.env,
            cache=self.cache,
            crls=self.crls,
            checklists=self.checklists,
        )
        try:
            self.drive(flow, lambda: self.learn()[1])
        except LoginDeclinedError as declined:
            if self.case.setting != "app_refusal" or declined.code != "app.frozen":
                raise
            reached.append("refusal")
            return
        reached.append("login")

    def answer_of_phone(self, pending: Any) -> dict[str, str | None]:
        """Let the ID app answer, and the phone do with it what it does."""
        launch = {
            "orgID": "shop-org",
            "appID": pending.app_id,
            "bizSeq": str(pending.biz_seq),
            "type": launch_type(pending.assurance),
        }
        frozen = {"outcome": "frozen", "decided_by": "issuer"}
        script = frozen if self.case.setting == "app_refusal" else {}
        result = Phone(self.issuer).launch(launch, package=PHONE_APP.package, **script)
        if self.case.fault == "phone.code_unlisted":
            return {**result, "resultCode": "C9999999"}
        if self.case.fault == "phone.brings_nothing":
            return {**result, "idCardAuthData": None, "certPwdData": None}
        return result

    def take_notice(self, reached: list[str]) -> None:
        """Take a logout token or a security event, and note when the app was told."""
        self.arm()
        keys = self.learn()[1]
        known = {"env": self.env, "cache": self.cache, "crls": self.crls, "checklists": self.checklists}
        if self.case.notice == "logout":
            posting = self.issuer.log_out("adult", client_id="shop", sid="s" * 22, deliver=False)
            token = open_logout_request(
                self.rp, posting.body, posting.content_type, checklists=self.checklists
            )
            flow: Flow[Any] = believe_logout(self.rp, token, keys=keys, **known)
        else:
            posting = self.issuer.send_event("adult", client_id="shop", deliver=False)
            token = open_event_request(posting.body, posting.content_type)
            flow = believe_event(self.rp, token, keys=keys, **known)
        believed = self.drive(flow, lambda: self.learn()[1])
        MemoryReplayStore().once(
            believed.key,
            lambda _: reached.append(NOTICED[str(self.case.notice)]),
            expires_at=believed.expires_at,
            now=self.env.now(),
        )


NOTICED = {"logout": "logout", "event": "account state"}
# At which accepted value a fault of a stage has got through, when nothing judges it any more.
GOAL = {"discovery": "metadata", "metadata": "metadata", "par": "pushed request"}


@cache
def watched() -> dict[str, tuple[tuple[tuple[str, str], Check[Any]], ...]]:
    """Return the complete checklists; a check that refuses writes its name on the error."""

    def watch(key: tuple[str, str], each: Check[Any]) -> Check[Any]:
        def function(subject: object) -> None:
            try:
                each(subject)
            except (CyberIDError, IndexError) as error:
                # A check may take for granted what an earlier one made sure of; then it is what stops.
                vars(error).setdefault("stopped_by", key)
                raise

        return replace(each, function=function)

    return {
        one.name: tuple(
            (key, watch(key, each))
            for each in getattr(COMPLETE, one.name)
            for key in [(one.name.upper(), each.name)]
        )
        for one in fields(Checklists)
    }


def without(removed: Removed) -> Checklists:
    """Return the checklists without some checks."""
    return Checklists(
        **{name: tuple(each for key, each in one if key not in removed) for name, one in watched().items()}
    )


def attempt(case: Case, removed: Removed = frozenset()) -> Outcome:
    """Log in once, at an issuer and with an app of this attempt alone."""
    reached: list[str] = []
    app = App(case, without(removed))
    try:
        play = app.log_in if case.notice is None else app.take_notice
        (app.log_in_by_app if case.setting.startswith("app") else play)(reached)
    except CyberIDError as error:
        if (by := _raiser(error)) is not None:
            return Outcome(by, error.code)
        if goal_of(case) in reached:
            return Outcome(None, accepted=goal_of(case))
        return Outcome(("", PARSING), error.code)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        # Whoever leaves a check out must not build on what it promised.
        return Outcome(_raiser(error) or ("", NOTHING_TO_BUILD))
    return Outcome(None, accepted=reached[-1])


def _raiser(error: Exception) -> tuple[str, str] | None:
    """Return the check whose very error this is; one that a flow mended on its way is not."""
    by: tuple[str, str] | None = vars(error).get("stopped_by")
    return by


def goal_of(case: Case) -> str:
    if case.notice is not None:
        return NOTICED[case.notice]
    honest = "refusal" if case.setting == "app_refusal" else "login"
    return GOAL.get(NAMED[case.fault].stage, honest) if case.fault in NAMED else honest


@cache
def judge(case: Case) -> Verdict:
    """Take away every check that stops the fault, one after the other, until something else decides."""
    first = last = attempt(case)
    stops: list[tuple[str, str]] = []
    while last.by is not None and last.by[0]:
        stops.append(last.by)
        last = attempt(case, frozenset(stops))
    return Verdict(first, tuple(stops), last)
