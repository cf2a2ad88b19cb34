"""Answer wallet presentations, honest and broken, and tell which check refuses what."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client import Assurance, RelyingParty, WalletIdentity, WalletSettings
from cyberid_client.config import ClientKeys
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.presentation import believe_response, open_response
from cyberid_client.handshake.presentation_ids import PresentationHandle, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord, Stage
from cyberid_client.handshake.presentation_request import PresentationAsk, decryption_key_of, new_record
from cyberid_client.handshake.presentation_subjects import PendingPresentationSubject, ProvedAnswerSubject
from cyberid_client.models import AgeBand
from cyberid_client.testing.encryption import EncryptedDraft
from cyberid_client.testing.pki import key_pem, pem
from cyberid_client.wire.base64url import encode_base64url
from cyberid_client.wire.jwe import parse_jwe

from .conftest import NOW, Bench, Verdict, code_of, members, verdict_of
from .presented import PresentationBench

ENDPOINT = "https://shop.example/wallet"
SECTOR = "https://shop.example"
SECRET = bytes(range(32))
DOCUMENTS = dict.fromkeys(
    ("PENDING_PRESENTATION", "PRESENTATION_ENVELOPE", "PRESENTATION_RESPONSE", "PRESENTATION_QUERY"),
    "presentation",
)


class Env:
    """Time that stands still, and chance that the test knows."""

    def __init__(self, now: datetime = NOW) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def token(self, nbytes: int) -> bytes:
        return b"n" * nbytes


@dataclass(frozen=True)
class AnswerBench(Bench):
    """A relying party that wallets know, one request of it, and answers to it."""

    presented: PresentationBench = None
    record: PresentationRecord = None
    handle: PresentationHandle = field(default_factory=lambda: PresentationHandle(SECRET))

    @classmethod
    def of(cls, parts: Mapping[str, object]) -> AnswerBench:
        """Make a bench whose relying party has a certificate for wallets."""
        bench = cls(**parts, presented=PresentationBench.of(parts))
        rp = wallet_party(bench)
        record = new_record(rp, PresentationAsk(return_to="/cart"), bench.handle, Env())
        return replace(bench, rp=rp, record=record)

    @property
    def request_id(self) -> RequestId:
        return self.handle.request_id

    def presentation(self, **made: object) -> str:
        """Show a credential to this very request."""
        kb = {"aud": self.record.client_id, "nonce": encode_base64url(self.record.nonce)}
        return self.presented.presentation(kb=kb, **made)

    def response(self, **changes: object) -> dict[str, object]:
        """Return what an honest wallet encrypts."""
        vp_token = {"sd-jwt": [self.presentation()]} if "vp_token" not in changes else ...
        return members({"state": self.request_id.text, "vp_token": vp_token}, changes)

    def encrypt(
        self,
        content: object = b"{}",
        *,
        header: Mapping[str, object] | None = None,
        edit: Callable[[EncryptedDraft], None] = lambda draft: None,
        recipient: ec.EllipticCurvePublicKey | None = None,
    ) -> str:
        """Encrypt for the key of this request, with changes to the header."""
        honest = {"alg": "ECDH-ES", "enc": "A128GCM", "kid": self.request_id.text}
        draft = EncryptedDraft(
            header=members(honest, header or {}),
            content=content if isinstance(content, bytes) else json.dumps(content).encode(),
            recipient=recipient or self.public_key,
        )
        edit(draft)
        return draft.encode()

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that the request tells wallets to encrypt for."""
        return decryption_key_of(self.record, self.request_id).private_key.public_key()

    def open(self, token: str, *, checklists: Checklists = COMPLETE) -> bytes:
        """Open an answer as the client does."""
        jwe = parse_jwe(token, document="presentation")
        return open_response(jwe, self.record, self.request_id, checklists=checklists)

    def believe(
        self,
        response: object,
        *,
        checklists: Checklists = COMPLETE,
        now: datetime = NOW,
        **changes: object,
    ) -> object:
        """Believe what was inside an answer, as the client does."""
        return believe_response(
            response if isinstance(response, bytes) else json.dumps(response).encode(),
            replace(self.record, **changes),
            self.request_id,
            rp=self.rp,
            known=self.presented.known(),
            epoch_length=7 * 86_400,
            now=now,
            checklists=checklists,
        )

    def verdict(self, checklist: str, *, without: str = "", **asked: object) -> Verdict:
        """Return the verdict of one checklist with all its checks but ``without``."""
        checks = tuple(each for each in getattr(COMPLETE, checklist.lower()) if each.name != without)
        made = getattr(self, f"_{checklist.lower()}")(**asked)
        failed: list[str] = []

        def judge(watched: tuple[object, ...]) -> None:
            code = code_of(lambda: made(replace(COMPLETE, **{checklist.lower(): watched})))
            if code == "presentation.decryption" or (code or "").startswith(("credential.", "key_binding.")):
                failed.append(code)
            elif code is not None:
                made(replace(COMPLETE, **{checklist.lower(): watched}))

        verdict = verdict_of("presentation", checks, judge)
        return ("later", failed[0]) if failed else verdict

    def _pending_presentation(
        self, *, now: datetime = NOW, **changes: object
    ) -> Callable[[Checklists], object]:
        subject = PendingPresentationSubject(record=replace(self.record, **changes), rp=self.rp, now=now)
        return lambda bundle: run_checks(bundle.pending_presentation, subject)

    def _presentation_envelope(self, **made: object) -> Callable[[Checklists], object]:
        token = self.encrypt(**made)
        return lambda bundle: self.open(token, checklists=bundle)

    def _presentation_response(self, **changes: object) -> Callable[[Checklists], object]:
        response = self.response(**changes)
        return lambda bundle: self.believe(response, checklists=bundle)

    def _presentation_query(
        self, *, assurance: Assurance = Assurance.R02, age_band: AgeBand | None = None
    ) -> Callable[[Checklists], object]:
        subject = ProvedAnswerSubject(assurance=assurance, age_band=age_band, record=self.record)
        return lambda bundle: run_checks(bundle.presentation_query, subject)


def wallet_party(bench: Bench, *, endpoint: str = ENDPOINT, **settings: object) -> RelyingParty:
    """Return the relying party with a certificate for wallets, and with these settings."""
    key = ec.generate_private_key(ec.SECP256R1())
    chain = bench.keyring.certify_relying_party(SECTOR, ENDPOINT, key.public_key(), NOW - timedelta(days=1))
    identity = WalletIdentity.from_pem(b"".join(map(pem, chain)), key_pem(key))
    return replace(
        bench.rp,
        key=None,
        keys=ClientKeys(signing=bench.rp.client_keys.signing, wallet=identity),
        wallet=WalletSettings(endpoint=endpoint, cross_device="allowed", **settings),
    )


# One way to break each rule and no other, as in test_checklists.
BROKEN = [
    ("PENDING_PRESENTATION", "check_same_client", "login.other_settings", {"issuer": "https://x.example"}),
    (
        "PENDING_PRESENTATION",
        "check_presentation_lifetime",
        "login.expired",
        {"now": NOW + timedelta(seconds=300)},
    ),
    ("PENDING_PRESENTATION", "check_presentation_waits", "presentation.over", {"stage": Stage.SPENT}),
    (
        "PRESENTATION_ENVELOPE",
        "check_key_encryption",
        "presentation.key_encryption",
        {"header": {"alg": "ECDH-ES+A128KW"}},
    ),
    (
        "PRESENTATION_ENVELOPE",
        "check_offered_encryption",
        "presentation.content_encryption",
        {"header": {"enc": "A128CBC-HS256"}},
    ),
    (
        "PRESENTATION_ENVELOPE",
        "check_uncompressed",
        "presentation.compressed",
        {"header": {"zip": "DEF"}},
    ),
    (
        "PRESENTATION_ENVELOPE",
        "check_encrypted_critical",
        "presentation.critical",
        {"header": {"crit": ["x"]}},
    ),
    ("PRESENTATION_RESPONSE", "check_response_state", "presentation.state", {"state": "another"}),
    (
        "PRESENTATION_QUERY",
        "check_query_answered",
        "presentation.query",
        {"assurance": Assurance.R03},
    ),
]
# Without the check of how it is encrypted, it is found out when it is tried.
FOLLOWS = {
    ("PRESENTATION_ENVELOPE", "presentation.key_encryption"): ("later", "presentation.decryption"),
    ("PRESENTATION_ENVELOPE", "presentation.content_encryption"): ("later", "presentation.decryption"),
}


def broken_answers(bench: AnswerBench) -> list[tuple[str, str, str, dict[str, object]]]:
    """Return all of them, those included that need a credential."""
    two = {"sd-jwt": [bench.presentation(), bench.presentation()]}
    return [
        *BROKEN,
        ("PRESENTATION_RESPONSE", "check_asked_credential", "presentation.credentials", {"vp_token": two}),
    ]
