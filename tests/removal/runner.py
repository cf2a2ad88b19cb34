"""Log in, in process, by checklists of which some checks are left out, and tell what stopped the login."""

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
    PurposeTable,
    RelyingParty,
    TrustStore,
)
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.dpop import NonceMemory
from cyberid_client.handshake.flow import Flow, KeysWanted, ListsWanted
from cyberid_client.handshake.metadata import fetch_key_set, fetch_metadata
from cyberid_client.handshake.redirect import RedirectAsk, finish_redirect, start_redirect
from cyberid_client.handshake.revocation import fetch_lists
from cyberid_client.link import Environment
from cyberid_client.models import PendingLogin
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.testing import FAULTS, ManualClock, MockIssuer, RegisteredClient
from cyberid_client.testing.documents import metadata_claims
from cyberid_client.testing.drafts import Page, SignedDraft
from cyberid_client.testing.jose import json_bytes
from cyberid_client.trust import TEST_MARK_POLICY, ChainCache, Purpose, RevocationLists

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PENDING_SECONDS = 60
PARSING, NOTHING_TO_BUILD = "parsing", "nothing to build"
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

Removed = frozenset[tuple[str, str]]
Raised = tuple[tuple[str, str], Exception]


@dataclass(frozen=True)
class Case:
    """One named fault and the configuration that meets it.

    A fault is one of the mock issuer's, or one of those in ``BROWSERS``, which no issuer makes.
    """

    fault: str
    setting: str = "signed"

    @property
    def protection(self) -> dict[str, str]:
        """What is registered and configured beside the defaults."""
        if self.setting == "jarm":
            return PROTECTIONS["jarm"]
        needs = FAULTS[self.fault].needs if self.fault in FAULTS else None
        return PROTECTIONS.get(needs or "", {})

    @property
    def code(self) -> str:
        return BROWSERS[self.fault][1] if self.fault in BROWSERS else FAULTS[self.fault].expected_code


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: ``by`` is the check, ``("", PARSING)``, or ``None`` when something was accepted."""

    by: tuple[str, str] | None
    code: str | None = None
    accepted: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What stopped a fault, in the order in which the checks were taken away, and what is left in the end."""

    first: Outcome
    stops: tuple[tuple[str, str], ...]
    last: Outcome


# What a browser or a neighbour of the app can do without any issuer: who is late, whose login it is.
BROWSERS: dict[str, tuple[str, str]] = {
    "browser.comes_late": ("A person who comes back when the time is up starts again.", "login.expired"),
    "browser.login_of_other_client": (
        "A pending login of another client in the same store is none of ours.",
        "login.other_kind",
    ),
    "browser.login_of_other_handshake": (
        "A pending login that another handshake started is none of this one.",
        "login.other_kind",
    ),
}


def settings_of(case: Case) -> dict[str, object]:
    """Return what is configured beside the defaults."""
    settings: dict[str, object] = {"pending_lifetime": PENDING_SECONDS}
    settings |= {name: value for name, value in case.protection.items() if name != "key_encryption"}
    if case.setting == "without_chain":
        settings["assertion_chain"] = "absent"
    if case.setting == "unsigned":
        modes = {mode.value: mode for mode in Assurance}
        settings |= {"metadata_trust": "tls", "assurance_values": modes}
    if case.fault in FAULTS and FAULTS[case.fault].needs == "policy":
        builtin = PurposeTable.builtin()
        rule = replace(builtin.rules[Purpose.ASSERTION], policies=frozenset({TEST_MARK_POLICY}))
        settings["purposes"] = PurposeTable(rules={**builtin.rules, Purpose.ASSERTION: rule})
    return settings


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
            client_id="shop", redirect_uri="https://shop.example/callback", **self.case.protection
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
        fault = FAULTS.get(self.case.fault)
        if fault is None:
            return
        if fault.needs == "earlier_login":
            self.learn()
            self.clock.advance(3600)
        if fault.needs == "dpop_nonce":
            self.issuer.demand_dpop_nonce()
        if not (self.case.setting == "unsigned" and fault.stage in {"discovery", "metadata"}):
            self.issuer.arm(fault.name)

    def touch(self, pending: PendingLogin) -> PendingLogin:
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
        callback = self.issuer.authorize(started.url)
        self.finish(callback, self.touch(started.pending), metadata, keys)
        reached.append("login")


# At which accepted value a fault of a stage has got through, when nothing judges it any more.
GOAL = {"discovery": "metadata", "metadata": "metadata", "par": "pushed request"}


def without(removed: Removed, raised: list[Raised]) -> Checklists:
    """Return the checklists without some checks; those that refuse note name and error in ``raised``."""

    def watch(document: str, each: Check[Any]) -> Check[Any]:
        def function(subject: object) -> None:
            try:
                each(subject)
            except (CyberIDError, IndexError) as error:
                # A check may take for granted what an earlier one made sure of; then it is what stops.
                raised.append(((document, each.name), error))
                raise

        return replace(each, function=function)

    return Checklists(
        **{
            one.name: tuple(
                watch(one.name.upper(), each)
                for each in getattr(COMPLETE, one.name)
                if (one.name.upper(), each.name) not in removed
            )
            for one in fields(Checklists)
        }
    )


def attempt(case: Case, removed: Removed = frozenset()) -> Outcome:
    """Log in once, at an issuer and with an app of this attempt alone."""
    raised: list[Raised] = []
    reached: list[str] = []
    app = App(case, without(removed, raised))
    try:
        app.log_in(reached)
    except CyberIDError as error:
        if (by := _raiser(error, raised)) is not None:
            return Outcome(by, error.code)
        if goal_of(case) in reached:
            return Outcome(None, accepted=goal_of(case))
        return Outcome(("", PARSING), error.code)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        # Whoever leaves a check out must not build on what it promised.
        return Outcome(_raiser(error, raised) or ("", NOTHING_TO_BUILD))
    return Outcome(None, accepted="login")


def _raiser(error: Exception, raised: list[Raised]) -> tuple[str, str] | None:
    """Return the check whose very error this is; one that a flow mended on its way is not."""
    return next((by for by, noted in raised if noted is error), None)


def goal_of(case: Case) -> str:
    return GOAL.get(FAULTS[case.fault].stage, "login") if case.fault in FAULTS else "login"


@cache
def judge(case: Case) -> Verdict:
    """Take away every check that stops the fault, one after the other, until something else decides."""
    first = last = attempt(case)
    stops: list[tuple[str, str]] = []
    while last.by is not None and last.by[0]:
        stops.append(last.by)
        last = attempt(case, frozenset(stops))
    return Verdict(first, tuple(stops), last)
