"""Many people who log in to two apps with their wallets, and all that the two apps receive of them."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import ECKey

from cyberid_client import (
    Assurance,
    Client,
    ClientKey,
    ClientKeys,
    RelyingParty,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.handshake.presentation_ids import RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.stores import MemoryPendingStore
from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.wallet import Wallet

from .joins import Received, flatten

EPOCH = timedelta(days=7)
# The beginning of an epoch: a Thursday, as day 0 of 1970 was.
EPOCH_BEGINS = datetime(2026, 11, 19, tzinfo=UTC)
# What an app is told about everybody, and so may tell people apart by.
TOLD = (".credential.payload.acr", ".credential.payload.persistence", ".disclosures[0][2]")


@dataclass
class App:
    """One app of one sector, which keeps whatever reaches it."""

    sector: str
    issuer: MockIssuer
    clock: ManualClock
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        endpoint = f"{self.sector}/wallet"
        certificate, key = self.issuer.certify_relying_party(sector=self.sector, endpoint=endpoint)
        registered = self.issuer.register(
            client_id=urlsplit(self.sector).netloc, redirect_uri=f"{self.sector}/back"
        )
        rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id=registered.client_id,
            redirect_uri=registered.redirect_uri,
            keys=ClientKeys(
                signing=ClientKey.from_pem(registered.key_pem),
                wallet=WalletIdentity.from_pem(certificate, key),
            ),
            trust=TrustStore.for_tests(self.issuer.root_pem),
            wallet=WalletSettings(endpoint=endpoint),
            age_band=True,
        )
        self._endpoint = endpoint
        self._store = MemoryPendingStore()
        self.client = Client(
            rp, transport=self.issuer.transport(), pending=self._store, clock=self.clock, background=False
        )

    def log_in(self, wallet: Wallet) -> None:
        """Let somebody log in, and keep everything that came."""
        ask = self.client.start_presentation(assurance=Assurance.R01)
        answer = wallet.answer(ask.uri)
        assert answer.accepted, answer
        (code,) = parse_qs(urlsplit(answer.redirect_uri or "").query)["response_code"]
        login = self.client.finish_presentation(handle=ask.handle, response_code=code)
        columns = {**self._last, "._order": float(len(self.received)), "._at": self.clock().timestamp()}
        group = tuple(columns.pop(name) for name in TOLD)
        columns |= flatten(login.pseudonym.value, ".pseudonym")
        self.received.append(Received(person=wallet.person or "", group=group, columns=columns))

    def answer(self, request: HTTPRequest) -> HTTPResponse:
        """Answer a wallet, as the app's endpoints do."""
        path = request.url.removeprefix(self._endpoint)
        if path.startswith("/request/"):
            form = dict(parse_qsl(request.body.decode()))
            token = self.client.presentation_request_object(
                path.removeprefix("/request/"), wallet_nonce=form.get("wallet_nonce")
            )
            headers = {"content-type": "application/oauth-authz-req+jwt"}
            return HTTPResponse(status=200, headers=headers, body=token.encode(), url=request.url)
        self._last = self._read(request)
        reply = self.client.receive_presentation(request.body)
        return HTTPResponse(status=reply.status, headers=reply.headers, body=reply.body, url=request.url)

    def _read(self, request: HTTPRequest) -> dict[str, str | float]:
        """Open the answer with the request's own key, and take all of it apart."""
        (token,) = parse_qs(request.body.decode())["response"]
        header = _json(token.split(".")[0])
        request_id = RequestId.parse(header["kid"])
        record = self._store.peek(request_id.key, now=self.clock())
        assert record is not None
        number = PresentationRecord.unseal(record, request_id).decryption_key
        key = ECKey.import_key(ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1()))
        registry = jwe.JWERegistry(strict_check_header=False)
        registry.max_ciphertext_length = 1 << 16
        opened = jwe.decrypt_compact(
            token, key, algorithms=["ECDH-ES", "A128GCM", "A256GCM"], registry=registry
        )
        document = json.loads(opened.plaintext)
        (presentation,) = next(iter(document["vp_token"].values()))
        credential, *disclosures, binding = presentation.split("~")
        return flatten(
            {
                "jwe": {"header": header, "size": len(token)},
                "http": {"headers": dict(request.headers)},
                "credential": _taken_apart(credential),
                "disclosures": [_json(each) for each in disclosures],
                "digests": list(disclosures),
                "binding": _taken_apart(binding),
                "state": document.get("state", ""),
            }
        )


@dataclass(frozen=True)
class Crowd:
    """What two apps received of the same people."""

    first: list[Received]
    second: list[Received]


def gather(number: int, *, seed: int) -> Crowd:
    """Let so many people enrol, and log in to two apps on two days, in two orders, between renewals.

    On the first of these days some wallets have fetched the credentials of the new epoch already, on the
    second more of them have.
    """
    chance = random.Random(seed)  # noqa: S311 - who comes when, the same in every run
    clock = ManualClock(EPOCH_BEGINS + timedelta(days=1))
    issuer = MockIssuer(clock)
    apps = (
        App(sector="https://tickets.example", issuer=issuer, clock=clock),
        App(sector="https://bank.example", issuer=issuer, clock=clock),
    )

    def send(request: HTTPRequest) -> HTTPResponse:
        return next(app for app in apps if request.url.startswith(app.sector)).answer(request)

    wallets = []
    for person in chance.sample(range(number), number):
        acr = f"urn:cyberid:mode:r0{1 + person // 4 % 2}"
        wallet = Wallet(issuer, send=send).enrol(f"crowd-{person}", acr=acr)
        wallet.prefetch(*(app.sector for app in apps))
        wallet.slim_down()
        wallets.append(wallet)
        clock.advance(60)
    for app, days in zip(apps, (9, 12), strict=True):
        clock.set(EPOCH_BEGINS + timedelta(days=days))
        app.client.refresh()
        for wallet in chance.sample(wallets, number):
            wallet.prefetch()
            wallet.slim_down()
            app.log_in(wallet)
            # Within the hours for which a status list holds: nobody fetches one because of a login.
            clock.advance(5)
        app.client.close()
    return Crowd(first=apps[0].received, second=apps[1].received)


def _taken_apart(token: str) -> dict[str, object]:
    header, payload, signature = token.split(".")
    return {"header": _json(header), "payload": _json(payload), "signature": signature, "text": token}


def _json(part: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
