"""The issuer's endpoints, written once: the in-process transport and the HTTP server both end here."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from cyberid_client.ports import Clock
from cyberid_client.testing.app_launch import AppDesk
from cyberid_client.testing.arming import Arming
from cyberid_client.testing.clients import ClientDesk, Refusal
from cyberid_client.testing.credential_endpoints import CredentialEndpoints, wallet_path
from cyberid_client.testing.credentials import EPOCH_LENGTH, CredentialDesk
from cyberid_client.testing.crls import CRLS_PATH
from cyberid_client.testing.delivery import Posting
from cyberid_client.testing.documents import (
    ALIASES,
    PATHS,
    Grant,
    draft_assertion,
    draft_encrypted,
    draft_metadata,
    draft_response,
    unsigned_page,
)
from cyberid_client.testing.dpop import DPoPDesk, NonceDraft, Proof
from cyberid_client.testing.drafts import CallbackDraft, Page, Reply, Sizes
from cyberid_client.testing.end_session import EndSessionDesk
from cyberid_client.testing.events import EventDesk
from cyberid_client.testing.jose import b64url
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.logout import Courier, LogoutDesk
from cyberid_client.testing.pages import error_page, page_headers, people_page
from cyberid_client.testing.people import FACTORS_OF_MODE, PEOPLE, Person, pseudonym_of
from cyberid_client.testing.phone_desk import PhoneDesk
from cyberid_client.testing.pushed import PushedRequest, read_form, read_pushed_request
from cyberid_client.testing.registration import RegisteredClient
from cyberid_client.testing.request_objects import open_request
from cyberid_client.testing.status_lists import STATUS_LISTS_PATH, StatusPublisher, draft_status_list
from cyberid_client.testing.tls import TLSDesk

__all__ = ["Call", "IssuerService", "RequestRecord"]

_PUSHED_LIFE: Final = 90
_INTERACTION_LIFE: Final = 600
_CODE_LIFE: Final = 60
_MAX_WAITING: Final = 10_000
_FORGET_SLACK: Final = 64
_REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it reaches an endpoint. There is no place for a cookie in it.

    Attributes:
        method: the HTTP method.
        path: without the query.
        query: as it stands in the URL.
        headers: the few that the endpoints read, names in lower case.
        body: the bytes.
        certificate: the SHA-256 of the client certificate that TLS proved, in hex; ``None``: none was shown.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    certificate: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One line of the issuer's log: no query, no body, no header, no cookie.

    Attributes:
        method: the HTTP method.
        path: one of the issuer's own paths, or ``other``.
        client_id: the registered client, when one was recognised.
        status: the HTTP status of the answer.
        error: the OAuth error of the answer, such as ``use_dpop_nonce``; ``None``: it was none.
        at: the issuer's time.
    """

    method: str
    path: str
    client_id: str | None
    status: int
    error: str | None = None
    at: datetime


@dataclass(slots=True, kw_only=True)
class _Interaction:
    request: PushedRequest
    expires_at: float


class IssuerService:
    """Answer calls.

    Args:
        keyring: the keys; its issuer identifier is the service's.
        clock: aware, UTC.
        arming: the faults.
        epoch_length: of credentials, seconds.

    Attributes:
        dpop: judges proofs and hands out nonces.
        tls: the certificates of both sides.
        demands_signed_requests: whether nothing but signed request objects is taken.
        courier: carries messages to apps.
        logout: the sessions, and the tokens that end them.
        events: what apps are told about accounts.
        apps: the ID app's platform.
        credentials: what wallets get.
    """

    def __init__(
        self, *, keyring: Keyring, clock: Clock, arming: Arming, epoch_length: int = EPOCH_LENGTH
    ) -> None:
        self.keyring = keyring
        self.clients = ClientDesk()
        self.dpop = DPoPDesk()
        self.tls = TLSDesk()
        self.demands_signed_requests = False
        self.status_lists = StatusPublisher(clock=clock, issuer=lambda: self.keyring.issuer)
        self.automatic: str | None = None
        self.asked: dict[str, str] = {}
        self.signed: dict[str, object] = {}
        self.sizes: Sizes | None = None
        self.log: deque[RequestRecord] = deque(maxlen=1_000)
        self._clock = clock
        self._arming = arming
        self._lock = threading.RLock()
        self._metadata_issued_at = 0
        self._has_aliases = True
        self._forget_at = _FORGET_SLACK
        self._pushed: dict[str, PushedRequest] = {}
        self._interactions: dict[str, _Interaction] = {}
        self._codes: dict[str, Grant] = {}
        self._client_id: str | None = None
        self._error: str | None = None
        self._postings: tuple[Posting, ...] = ()
        self.courier = Courier()
        self.logout = LogoutDesk(
            keyring=keyring,
            clients=self.clients,
            clock=clock,
            arming=arming,
            lock=self._lock,
            seal=self._encrypted,
        )
        self.events = EventDesk(
            keyring=keyring,
            clients=self.clients,
            clock=clock,
            arming=arming,
            lock=self._lock,
            courier=self.courier,
        )
        self._end_sessions = EndSessionDesk(
            keyring=keyring,
            clients=self.clients,
            logout=self.logout,
            arming=arming,
            asks=lambda: self.automatic is None,
            action=PATHS["end_session"],
        )
        self.credentials = CredentialDesk(
            keyring=keyring, arming=arming, statuses=self.status_lists, epoch_length=epoch_length
        )
        self._wallets = CredentialEndpoints(self.credentials)
        self.apps = AppDesk(keyring=keyring, clients=self.clients, logout=self.logout, arming=arming)
        self._phones = PhoneDesk(
            clients=self.clients,
            apps=self.apps,
            action=PATHS["phone"],
            origin=lambda: self.keyring.issuer,
        )
        self._routes: dict[tuple[str, str], Callable[[Call, datetime], Reply]] = {
            ("GET", PATHS["discovery"]): self._discovery,
            ("GET", PATHS["jwks"]): self._jwks,
            ("POST", PATHS["par"]): self._par,
            ("GET", PATHS["authorize"]): self._authorize,
            ("POST", PATHS["authorize"]): self._decide,
            ("POST", PATHS["token"]): self._token,
            ("POST", PATHS["mtls_par"]): self._par,
            ("POST", PATHS["mtls_token"]): self._token,
            ("GET", PATHS["status_lists"]): self._status_aggregation,
            ("GET", PATHS["end_session"]): self._end_session,
            ("POST", PATHS["end_session"]): self._end_session,
            ("POST", PATHS["app_verification"]): self._app_verification,
            ("GET", PATHS["phone"]): lambda call, _now: self._phones.show(call.query),
            ("POST", PATHS["phone"]): lambda call, now: self._phones.decide(call.body, call.headers, now),
            ("POST", PATHS["phone_launch"]): lambda call, now: self._phones.launch(
                call.body, call.headers, now
            ),
        }

    def handle(self, call: Call) -> Reply:
        """Answer one call, whatever it holds."""
        with self._lock:
            now = self._clock()
            self._client_id = self._error = None
            reply = self._answer(call, now)
            postings, self._postings = self._postings, ()
            path = _known_path(call.path) or "other"
            method = call.method if call.method in {"GET", "POST"} else "other"
            self.log.append(
                RequestRecord(
                    method=method,
                    path=path,
                    client_id=self._client_id,
                    status=reply.status,
                    error=self._error,
                    at=now,
                )
            )
        # An app asks for keys before it answers, so the lock is free by now; the browser goes on after that.
        for posting in postings:
            self.courier.carry(posting)
        return reply

    def move(self, issuer: str) -> None:
        """Become another issuer identifier: signers are issued anew, waiting logins are dropped."""
        with self._lock:
            self.keyring.settle(issuer, self._clock())
            self._arming.prepare_again(self.keyring)
            self._pushed.clear()
            self._interactions.clear()
            self._codes.clear()
            self.logout.forget_all()
            self._end_sessions.forget_all()
            self.apps.forget_all()

    def _answer(self, call: Call, now: datetime) -> Reply:
        route = self._routes.get((call.method, call.path))
        if route is None and call.method == "GET" and _is_list(call.path):
            route = self._status_list
        if route is None and call.method == "GET" and _is_crl(call.path):
            route = self._crl
        if route is None and wallet_path(call.path) is not None:
            route = self._wallet
        if route is None:
            return _html(error_page("no such endpoint"), 405 if _known_path(call.path) else 404)
        try:
            return route(call, now)
        except Refusal as refusal:
            answer: dict[str, object] = {"error": refusal.error, "error_description": refusal.reason}
            page = Page(document=answer, keyring=self.keyring, now=now, status=refusal.status)
            page.headers.update(refusal.headers)
            return self._send(page)

    def _publish(self, stage: str, page: Page) -> Reply:
        self._arming.apply(stage, page)
        return self._send(page)

    def _send(self, page: Page) -> Reply:
        error = page.document.get("error")
        self._error = error if isinstance(error, str) else None
        return page.to_reply()

    def _discovery(self, _call: Call, now: datetime) -> Reply:
        # The iat of the metadata never goes back, not even when the clock does.
        self._metadata_issued_at = max(self._metadata_issued_at, int(now.timestamp()))
        draft = draft_metadata(
            self.keyring,
            issued_at=self._metadata_issued_at,
            now=now,
            requires_signed_requests=self.demands_signed_requests,
            epoch_length=self.credentials.epoch_length,
            takes_faces=self.apps.takes_faces,
        )
        self._arming.apply("metadata", draft)
        self._has_aliases = "mtls_endpoint_aliases" in draft.claims
        document = unsigned_page(self.keyring.issuer, draft.encode())
        page = Page(document=document, keyring=self.keyring, now=now)
        page.headers["cache-control"] = "public, max-age=3600"
        return self._publish("discovery", page)

    def _jwks(self, _call: Call, now: datetime) -> Reply:
        page = Page(document=self.keyring.jwks(now), keyring=self.keyring, now=now)
        page.headers["cache-control"] = "public, max-age=600"
        return self._publish("jwks", page)

    def _par(self, call: Call, now: datetime) -> Reply:
        form = read_form(call.body, call.headers)
        client, proof = self._authenticate(call, form, now, endpoint="par")
        seconds = now.timestamp()
        if proof is not None and self.dpop.wants_other(proof.nonce, seconds):
            fresh = {"dpop-nonce": self.dpop.fresh_nonce(seconds)}
            raise Refusal("use_dpop_nonce", "the proof needs the nonce of this answer", headers=fresh)
        form = open_request(
            form,
            client,
            issuer=self.keyring.issuer,
            seconds=seconds,
            is_demanded=self.demands_signed_requests,
        )
        request = read_pushed_request(
            form,
            client,
            expires_at=seconds + _PUSHED_LIFE,
            proof_thumbprint=None if proof is None else proof.thumbprint,
        )
        self.asked = dict(form)
        self._forget_old(seconds)
        reference = _REQUEST_URI + secrets.token_urlsafe(32)
        self._pushed[reference] = replace(request, reference=reference)
        document: dict[str, object] = {"request_uri": reference, "expires_in": _PUSHED_LIFE}
        page = Page(document=document, keyring=self.keyring, now=now, status=201)
        self._renew_nonce(client, proof, page)
        return self._publish("par", page)

    def _authenticate(
        self, call: Call, form: Mapping[str, str], now: datetime, *, endpoint: str
    ) -> tuple[RegisteredClient, Proof | None]:
        """Return the client that asks, and what its DPoP proof proves."""
        client = self.clients.authenticate(
            form,
            issuer=self.keyring.issuer,
            now=now,
            endpoint=endpoint,
            # Where no aliases are published, certificates go to the endpoints themselves.
            at_alias=call.path in ALIASES or (not self._has_aliases and call.certificate is not None),
            certificate=call.certificate,
        )
        self._client_id = client.client_id
        token = call.headers.get("dpop")
        if token is None:
            return client, None
        if client.sender_constraint != "dpop":
            raise Refusal("invalid_request", "this client did not register for DPoP")
        url = self.keyring.issuer + call.path
        return client, self.dpop.judge(token, method=call.method, url=url, seconds=now.timestamp())

    def _renew_nonce(self, client: RegisteredClient, proof: Proof | None, page: Page) -> None:
        """Hand out the next nonce with a success, and take the one that served out of use: RFC 9449 §8.2."""
        if client.sender_constraint == "dpop" and self.dpop.demands_nonce:
            self.dpop.use_up(None if proof is None else proof.nonce)
            page.headers["dpop-nonce"] = self.dpop.fresh_nonce(page.now.timestamp())

    def _challenge(self, proof: Proof, now: datetime) -> Reply | None:
        """Return the refusal of a proof whose nonce is absent, used or unknown: RFC 9449 §8."""
        seconds = now.timestamp()
        draft = NonceDraft(
            presented=proof.nonce,
            demands=self.dpop.wants_other(proof.nonce, seconds),
            desk=self.dpop,
            headers={"dpop-nonce": self.dpop.fresh_nonce(seconds)},
        )
        self._arming.apply("dpop", draft)
        if not draft.demands:
            return None
        page = Page(document=draft.document, keyring=self.keyring, now=now, status=draft.status)
        page.headers.update(draft.headers)
        return self._send(page)

    def _authorize(self, call: Call, now: datetime) -> Reply:
        request = self._request_of(call.query, now.timestamp())
        if isinstance(request, str):
            return _html(error_page(request), 400)
        self._client_id = request.client.client_id
        if "none" in request.prompt:
            return self._go_back(request, {"error": "login_required"}, now)
        if self.automatic is not None:
            person = PEOPLE[self.automatic]
            return self._grant(request, person, FACTORS_OF_MODE[request.mode], now)
        interaction = self._interaction_of(request, now.timestamp())
        page = people_page(
            request=request,
            interaction=interaction,
            people=PEOPLE,
            chosen=_hinted(request),
            action=PATHS["authorize"],
        )
        return Reply(status=200, headers=page_headers(request.redirect_uri), body=page)

    def _interaction_of(self, request: PushedRequest, seconds: float) -> str:
        """Return the page's one-time reference: a reload gets the same, so that a request is answered once."""
        for known, interaction in self._interactions.items():
            if interaction.request is request:
                return known
        fresh = secrets.token_urlsafe(32)
        self._interactions[fresh] = _Interaction(request=request, expires_at=seconds + _INTERACTION_LIFE)
        return fresh

    def _request_of(self, query: str, seconds: float) -> PushedRequest | str:
        """Return the pushed request of an authorization URL, or why there is none."""
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=10)
        except ValueError:
            return "the query is malformed"
        if sorted(name for name, _ in pairs) != ["client_id", "request_uri"]:
            return "an authorization URL carries client_id and request_uri, once each and nothing else"
        parameters = dict(pairs)
        request = self._pushed.get(parameters["request_uri"])
        if request is None or request.expires_at <= seconds:
            return "request_uri is unknown, used or expired"
        if request.client.client_id != parameters["client_id"]:
            return "request_uri was pushed by another client"
        return request

    def _decide(self, call: Call, now: datetime) -> Reply:
        try:
            form = read_form(call.body, call.headers)
        except Refusal as refusal:
            return _html(error_page(refusal.reason), 400)
        interaction = self._interactions.pop(form.get("interaction", ""), None)
        person = PEOPLE.get(form.get("person", ""))
        if interaction is None or interaction.expires_at <= now.timestamp():
            return _html(error_page("this page was used before or stood open for too long"), 400)
        self._client_id = interaction.request.client.client_id
        if form.get("decision") != "allow":
            return self._go_back(interaction.request, {"error": "access_denied"}, now)
        if person is None:
            return _html(error_page("nobody was chosen"), 400)
        shown = {name for name in ("password", "face") if form.get(name) == "yes"}
        return self._grant(interaction.request, person, frozenset({"certificate", *shown}), now)

    def _grant(self, request: PushedRequest, person: Person, factors: frozenset[str], now: datetime) -> Reply:
        if not factors >= FACTORS_OF_MODE[request.mode]:
            # OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
            return self._go_back(request, {"error": "unmet_authentication_requirements"}, now)
        seconds = now.timestamp()
        code = secrets.token_urlsafe(32)
        self._codes[code] = Grant(
            request=request,
            person=person,
            factors=factors,
            auth_time=int(seconds),
            expires_at=seconds + _CODE_LIFE,
        )
        return self._go_back(request, {"code": code}, now)

    def _go_back(self, request: PushedRequest, outcome: dict[str, str], now: datetime) -> Reply:
        """Redirect to the app; the pushed request is used up. 303, so that a form is not posted on."""
        self._pushed.pop(request.reference, None)
        parameters = {**outcome, "state": request.state, "iss": self.keyring.issuer}
        if request.client.response == "jarm":
            del parameters["iss"]
            response = draft_response(self.keyring, request.client.client_id, parameters, now=now)
            self._arming.apply("jarm", response)
            parameters = {"response": response.encode()}
        draft = CallbackDraft(
            redirect_uri=request.redirect_uri,
            parameters=list(parameters.items()),
            keyring=self.keyring,
            now=now,
        )
        self._arming.apply("callback", draft)
        headers = {"location": draft.encode(), "cache-control": "no-store", "referrer-policy": "no-referrer"}
        return Reply(status=303, headers=headers)

    def _token(self, call: Call, now: datetime) -> Reply:
        form = read_form(call.body, call.headers)
        client, proof = self._authenticate(call, form, now, endpoint="token")
        if client.sender_constraint == "dpop" and proof is None:
            raise Refusal("invalid_dpop_proof", "DPoP: there is no proof")
        challenge = None if proof is None else self._challenge(proof, now)
        if challenge is not None:
            return challenge
        if form.get("grant_type") != "authorization_code":
            raise Refusal("unsupported_grant_type", "grant_type must be authorization_code")
        # A code is gone whatever comes of the attempt: RFC 6749 §4.1.2.
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.expires_at <= now.timestamp():
            raise Refusal("invalid_grant", "the code is unknown, used or expired")
        _check_grant(grant, form, client.client_id, proof)
        access_token = secrets.token_urlsafe(32)
        draft = draft_assertion(self.keyring, grant, access_token=access_token, now=now)
        self._arming.apply("id_token", draft)
        id_token = self._encrypted(client, draft.encode())
        self.logout.remember(grant.session_id, person=grant.person.key, client_id=client.client_id, now=now)
        self.signed = dict(draft.claims)
        self.sizes = draft.sizes
        document: dict[str, object] = {
            "access_token": access_token,
            "token_type": "DPoP" if client.sender_constraint == "dpop" else "Bearer",
            "expires_in": 300,
            "scope": " ".join(sorted(grant.request.scopes, key=lambda scope: (scope != "openid", scope))),
            "id_token": id_token,
        }
        page = Page(document=document, keyring=self.keyring, now=now)
        self._renew_nonce(client, proof, page)
        return self._publish("token", page)

    def _encrypted(self, client: RegisteredClient, id_token: str) -> str:
        """Return the ID token as this client gets it."""
        draft = draft_encrypted(client, id_token, keyring=self.keyring)
        if draft is None:
            return id_token
        self._arming.apply("jwe", draft)
        return draft.encode()

    def _app_verification(self, call: Call, now: datetime) -> Reply:
        request = self.apps.open(call.body, call.headers, now, certificate=call.certificate)
        self._client_id = request.client.client_id
        receipt = self.apps.verify(request, now)
        if receipt.draft is not None:
            self.signed, self.sizes = dict(receipt.draft.claims), receipt.draft.sizes
        page = Page(document={}, keyring=self.keyring, now=now, body=receipt.token.encode())
        page.headers["content-type"] = "application/jwt"
        return self._publish("receipt_answer", page)

    def _end_session(self, call: Call, now: datetime) -> Reply:
        try:
            form = read_form(call.body, call.headers) if call.method == "POST" else _query_of(call)
        except (Refusal, ValueError):
            return _html(error_page("the request is malformed, or says something twice"), 400)
        ending = self._end_sessions.answer(form, now)
        self._client_id, self._postings = ending.client_id, ending.postings
        return ending.reply

    def _wallet(self, call: Call, now: datetime) -> Reply:
        document = self._wallets.answer(call, now)
        if document is None:
            return _html(error_page("no such endpoint"), 405)
        return self._publish("wallet", Page(document=document, keyring=self.keyring, now=now))

    def _status_aggregation(self, _call: Call, now: datetime) -> Reply:
        self.credentials.announce(now)
        document: dict[str, object] = {"status_lists": list(self.status_lists.uris)}
        return self._publish("status_aggregation", Page(document=document, keyring=self.keyring, now=now))

    def _status_list(self, call: Call, now: datetime) -> Reply:
        published = self.status_lists.published(call.path, now)
        if published is None:
            return _html(error_page("no such status list"), 404)
        bits, packed = published
        draft = draft_status_list(self.keyring, self.keyring.issuer + call.path, bits, packed, now=now)
        self._arming.apply("status_list", draft)
        page = Page(document={}, keyring=self.keyring, now=now, body=draft.encode().encode())
        # The headers of the answer say less than the list itself, and must not count (draft, §8.2).
        page.headers["content-type"] = "application/statuslist+jwt"
        return self._publish("status_list_answer", page)

    def _crl(self, call: Call, now: datetime) -> Reply:
        draft = self.keyring.revocations.draft(call.path, self.keyring, now)
        if draft is None:
            return _html(error_page("no such revocation list"), 404)
        self._arming.apply("crl", draft)
        # Faults of one of the two honest lists wait for that one.
        self._arming.apply(f"crl_{call.path.rpartition('/')[2].removesuffix('.der')}", draft)
        headers = {"content-type": "application/pkix-crl", "cache-control": "public, max-age=3600"}
        return Reply(status=draft.status, headers=headers, body=draft.encode(), quirk=draft.quirk)

    @property
    def _waiting(self) -> int:
        return len(self._pushed) + len(self._interactions) + len(self._codes)

    def _forget_old(self, seconds: float) -> None:
        """Drop what has expired; when still too much waits, refuse rather than forget a live login.

        What is used is looked at by its own time, so that it is enough to tidy up now and then.
        """
        if self._waiting < self._forget_at:
            return
        self._pushed = {key: kept for key, kept in self._pushed.items() if kept.expires_at > seconds}
        self._interactions = {
            key: kept for key, kept in self._interactions.items() if kept.expires_at > seconds
        }
        self._codes = {key: kept for key, kept in self._codes.items() if kept.expires_at > seconds}
        self._forget_at = min(2 * self._waiting + _FORGET_SLACK, _MAX_WAITING)
        if self._waiting >= _MAX_WAITING:
            raise Refusal("temporarily_unavailable", "too many logins are waiting", 503)


def _query_of(call: Call) -> dict[str, str]:
    """Return the parameters of a query; one that stands there twice is a ``ValueError``."""
    pairs = parse_qsl(call.query, keep_blank_values=True, strict_parsing=bool(call.query), max_num_fields=10)
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _is_list(path: str) -> bool:
    return path.startswith(f"{STATUS_LISTS_PATH}/")


def _is_crl(path: str) -> bool:
    return path.startswith(f"{CRLS_PATH}/")


def _known_path(path: str) -> str | None:
    """Return the path of the endpoint; all status lists count as one, and so do all revocation lists.

    Of what a wallet asked for, the number of the bucket is kept.
    """
    if _is_list(path):
        return STATUS_LISTS_PATH
    if _is_crl(path):
        return CRLS_PATH
    return path if path in PATHS.values() else wallet_path(path)


def _check_grant(grant: Grant, form: Mapping[str, str], client_id: str, proof: Proof | None) -> None:
    """Compare client, redirect URI, DPoP key and PKCE verifier with what the code was issued for."""
    if grant.request.client.client_id != client_id:
        raise Refusal("invalid_grant", "the code belongs to another client")
    if form.get("redirect_uri") != grant.request.redirect_uri:
        raise Refusal("invalid_grant", "redirect_uri differs from the pushed one")
    if grant.request.dpop_jkt != (None if proof is None else proof.thumbprint):
        raise Refusal("invalid_grant", "the code is bound to another DPoP key")
    verifier = form.get("code_verifier", "")
    if b64url(hashlib.sha256(verifier.encode()).digest()) != grant.request.code_challenge:
        raise Refusal("invalid_grant", "code_verifier does not fit the challenge")


def _hinted(request: PushedRequest) -> str:
    """Return whom the page chooses beforehand: the person of ``login_hint``, else the first."""
    for person in PEOPLE.values():
        if request.login_hint == pseudonym_of(person, request.client.sector):
            return person.key
    return next(iter(PEOPLE))


def _html(page: bytes, status: int) -> Reply:
    return Reply(status=status, headers=page_headers(), body=page)
