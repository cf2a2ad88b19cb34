"""One login at a mock issuer with everything kept that was sent, and keys to sign anything else with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from cyberid_client import Assurance, Client, ClientKey, CyberIDError, Login, RelyingParty, TrustStore
from cyberid_client.inspection import Explanation, InspectionSettings, Step, inspect_document
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.jose import ALGORITHMS
from cyberid_client.testing.keyring import Keyring, x5c_of
from cyberid_client.testing.pki import pem
from cyberid_client.wire import parse_json_object

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://issuer.example"
SECTOR = "https://shop.example"
PSEUDONYM = "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA"
NONCE = "made-up-nonce-of-one-login"


class Keeping:
    """A transport that keeps every answer by what it was asked for."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.answers: dict[str, bytes] = {}
        self.lists: dict[str, bytes] = {}

    def send(self, request: HTTPRequest) -> HTTPResponse:
        response = self.inner.send(request)
        if request.purpose == "crl":
            self.lists[request.url] = response.body
        else:
            self.answers[request.purpose] = response.body
        return response

    def close(self) -> None:
        self.inner.close()


@dataclass
class Shop:
    """An app at a mock issuer, and what its last login left."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))

    def __post_init__(self) -> None:
        self.issuer = MockIssuer(self.clock)
        client = self.issuer.register(client_id="shop", redirect_uri=f"{SECTOR}/callback")
        self.rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id="shop",
            redirect_uri=client.redirect_uri,
            key=ClientKey.from_pem(client.key_pem),
            trust=TrustStore.for_tests(self.issuer.root_pem),
        )
        self.kept = Keeping(self.issuer.transport())

    def log_in(self, *, max_age: int | None = None) -> Login | str:
        """Log the adult in with a client that knows nothing; return the login, or the code of the refusal."""
        client = Client(self.rp, transport=self.kept, clock=self.clock, background=False)
        try:
            request = client.start_login(max_age=max_age)
            return client.finish_login(self.issuer.authorize(request.url), handle=request.handle)
        except CyberIDError as error:
            return error.code

    def settings(self, **changes: object) -> InspectionSettings:
        """Return all that the app knows of its last login."""
        token = self.token_response()
        known = {
            "now": self.clock(),
            "trust": self.rp.trust,
            "issuer": self.issuer.issuer,
            "client_id": "shop",
            "sector": SECTOR,
            "jwks": self.kept.answers.get("jwks"),
            "nonce": self.issuer.asked.get("nonce"),
            "assurance": Assurance.R02,
            "access_token": token.get("access_token"),
            "age_band": False,
            "started_at": self.clock(),
            "crls": tuple(self.kept.lists.values()) or None,
            "hash_key": b"made-up key of the hashes",
        }
        return InspectionSettings(**{**known, **changes})

    def token_response(self) -> dict[str, object]:
        try:
            return parse_json_object(self.kept.answers["token"], document="token", max_bytes=2**20)
        except (CyberIDError, KeyError):
            return {}

    @property
    def id_token(self) -> bytes:
        return str(self.token_response()["id_token"]).encode()


@dataclass(frozen=True)
class Desk:
    """Keys of an issuer, to sign whatever a test wants said."""

    keyring: Keyring

    def settings(self, **changes: object) -> InspectionSettings:
        """Return only what every inspection has, and the changes."""
        return InspectionSettings(**{"now": NOW, "hash_key": b"made-up key of the hashes", **changes})

    def trusting(self, **changes: object) -> InspectionSettings:
        """Return settings with the root and the issuer."""
        return self.settings(**{"trust": self.trust, "issuer": ISSUER, **changes})

    @property
    def trust(self) -> TrustStore:
        return TrustStore.for_tests(pem(self.keyring.root.certificate))

    def token(
        self, purpose: str = "assertion", *, header: dict[str, object] | None = None, **claims: object
    ) -> bytes:
        """Sign a token of the honest claims and others; a claim of ``...`` is left out."""
        signer = self.keyring.signer(purpose)
        honest = {
            "iss": ISSUER,
            "sub": PSEUDONYM,
            "aud": "shop",
            "exp": SECONDS + 300,
            "iat": SECONDS,
            "auth_time": SECONDS - 5,
            "nonce": NONCE,
            "acr": "urn:cyberid:mode:r02",
            "amr": ["certificate", "password"],
            "sector": SECTOR,
            "persistence": "A",
        }
        names = {"alg": "ES256", "kid": signer.kid, "typ": "JWT", "x5c": x5c_of(signer.chain)}
        draft = SignedDraft(
            header=_without_gaps({**names, **(header or {})}),
            claims=_without_gaps({**honest, **claims}),
            signer=signer,
            keyring=self.keyring,
            now=NOW,
        )
        return draft.encode().encode()


def _without_gaps(members: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not ...}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk(Keyring(issuer=ISSUER, algorithm=ALGORITHMS["ES256"], now=NOW))


def every_step(explanation: Explanation) -> Iterator[Step]:
    """Yield all steps of the tree, parents first."""

    def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
        for step in steps:
            yield step
            yield from walk(step.children)

    return walk(explanation.steps)


def step_of(explanation: Explanation, number: str) -> Step:
    """Return the step of a check."""
    return next(step for step in every_step(explanation) if step.number == number)


def note_of(explanation: Explanation, title: str) -> str:
    """Return what stands behind a title."""
    return next(step.detail for step in every_step(explanation) if step.title == title)


def text_of(explanation: Explanation) -> str:
    """Return all words of the tree."""
    return "\n".join(f"{step.title}: {step.detail}" for step in every_step(explanation))


def explain(data: bytes, settings: InspectionSettings) -> Explanation:
    return inspect_document(data, settings=settings)
