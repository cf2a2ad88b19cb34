"""Play phone and issuer of an app launch: answers, receipts and refusals, honest and broken, and who refuses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cyberid_client import AppLaunchSettings, Assurance, Login, LoginDeclinedError, RelyingParty
from cyberid_client.handshake.app_launch import judge_receipt, read_app_result, verify_app_result
from cyberid_client.handshake.app_subjects import LaunchDemands
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.flow import Flow, KeysWanted, ListsWanted, SignatureWanted, Signed
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.models import PendingAppLogin
from cyberid_client.ports import FlowEnv, HTTPRequest, HTTPResponse
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.keyring import Signer, x5c_of
from cyberid_client.trust import KeySet, RevocationLists
from cyberid_client.wire.app_result import hash_blobs, parse_app_result
from cyberid_client.wire.receipt import parse_receipt

from .conftest import ISSUER, NOW, SECONDS, Bench, Verdict, members, verdict_of
from .strict_issuer import METADATA as BARE_METADATA

ENDPOINT = f"{ISSUER}/app-verification"
METADATA = replace(BARE_METADATA, app_verification_endpoint=ENDPOINT)
SETTINGS = AppLaunchSettings(org_id="org-1", app_ids={"android": "app-android", "ios": "app-ios"})
BIZ_SEQ = "MadeUpSequence0123456789abcdefgh"
BLOB, PASSWORD_BLOB = "made-up-card-data", "made-up-password-data"
HONEST_RESULT = {
    "resultCode": "C0000000",
    "resultDesc": "success",
    "idCardAuthData": BLOB,
    "certPwdData": PASSWORD_BLOB,
}
OF_SUCCESS = ("caller", "acr", "factors", "auth_time", "sub", "sector", "persistence", "sid")
LAUNCH = LaunchDemands(
    biz_seq=BIZ_SEQ, app_id="app-android", blobs_hash=hash_blobs(BLOB, PASSWORD_BLOB), any_caller=False
)


def pending_launch(**changes: object) -> PendingAppLogin:
    """Return a launch that was made ten seconds ago."""
    honest = {
        "kind": "app",
        "issuer": ISSUER,
        "client_id": "shop",
        "app_id": "app-android",
        "biz_seq": BIZ_SEQ,
        "assurance": Assurance.R02,
        "return_to": "/cart",
        "started_at": NOW - timedelta(seconds=10),
        "expires_at": NOW + timedelta(seconds=180),
    }
    return PendingAppLogin(**{**honest, **changes})


def receipt_answer(
    token: str | bytes, status: int = 200, content_type: str = "application/jwt"
) -> HTTPResponse:
    body = token.encode() if isinstance(token, str) else token
    return HTTPResponse(status=status, headers={"content-type": content_type}, body=body, url=ENDPOINT)


def lost(code: str = "transport.timeout") -> HTTPResponse:
    return HTTPResponse(status=0, url=ENDPOINT, error=code)


@dataclass(frozen=True)
class ReceiptBench(Bench):
    """Sign receipts and judge them."""

    @property
    def launching(self) -> RelyingParty:
        """The relying party, configured for app launches."""
        return replace(self.rp, app_launch=SETTINGS)

    def claims(self) -> dict[str, object]:
        """Return what an honest receipt says."""
        return {
            "iss": ISSUER,
            "aud": "shop",
            "exp": SECONDS + 300,
            "iat": SECONDS,
            "bizSeq": BIZ_SEQ,
            "appID": "app-android",
            "blobs_hash": LAUNCH.blobs_hash,
            "caller": "verified",
            "outcome": "success",
            "acr": "urn:cyberid:mode:r02",
            "factors": {"certificate": "passed", "password": "passed", "face": "not_executed"},
            "auth_time": SECONDS - 5,
            "sub": "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA",
            "sector": "https://shop.example",
            "persistence": "A",
            "sid": "b7VQ2mXk9sLdPz4RtYwNcE",
        }

    def draft(
        self,
        *,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        **claims: object,
    ) -> SignedDraft:
        """Return an honest receipt with changes to header and claims; a refusal says nothing of a login."""
        chosen = signer or self.keyring.signer("assertion")
        honest = {
            "alg": chosen.algorithm.name,
            "kid": chosen.kid,
            "typ": "cyberid-receipt+jwt",
            "x5c": x5c_of(chosen.chain),
        }
        says = self.claims()
        if claims.get("outcome", "success") != "success":
            says = {name: value for name, value in says.items() if name not in OF_SUCCESS}
        return SignedDraft(
            header=members(honest, header or {}),
            claims=members(says, claims),
            signer=chosen,
            keyring=self.keyring,
            now=NOW,
        )

    def token(self, *, edit: Callable[[SignedDraft], None] = lambda draft: None, **asked: object) -> str:
        draft = self.draft(**asked)
        edit(draft)
        return draft.encode()

    def judge(
        self,
        token: str,
        *,
        checklists: Checklists = COMPLETE,
        launch: Mapping[str, object] | None = None,
        pending: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
        now: datetime = NOW,
    ) -> Login:
        """Judge a receipt for this launch."""
        launched = pending_launch(**(pending or {}))
        rp = replace(self.launching, **(settings or {}))
        return judge_receipt(
            parse_receipt(token),
            expected=rp.expect(
                nonce=launched.biz_seq,
                assurance=launched.assurance,
                max_age=0,
                started_at=launched.started_at,
            ),
            launch=replace(LAUNCH, **(launch or {})),
            keys=self.keys if keys is None else keys,
            now=now,
            crls=self.crls if crls is None else crls,
            cache=None,
            return_to=launched.return_to,
            checklists=checklists,
        )

    def verdict(
        self,
        *,
        edit: Callable[[SignedDraft], None] = lambda draft: None,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        without: str = "",
        launch: Mapping[str, object] | None = None,
        pending: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
        now: datetime = NOW,
        **claims: object,
    ) -> Verdict:
        """Return the verdict on a receipt; of a refusal, whether the person is told what it says."""
        token = self.token(edit=edit, header=header, signer=signer, **claims)
        name = "receipt" if claims.get("outcome", "success") == "success" else "receipt_refusal"

        def judge(watched: tuple[Check, ...]) -> None:
            try:
                self.judge(
                    token,
                    checklists=replace(COMPLETE, **{name: watched}),
                    launch=launch,
                    pending=pending,
                    settings=settings,
                    keys=keys,
                    crls=crls,
                    now=now,
                )
            except LoginDeclinedError:
                # What a refusal is believed for is to say so; a receipt has nothing to decline.
                if name == "receipt":
                    raise

        checks = tuple(each for each in getattr(COMPLETE, name) if each.name != without)
        return verdict_of("receipt", checks, judge)

    def refusal(self, *, outcome: str = "frozen", **asked: object) -> Verdict:
        """Return the verdict on a receipt that says why nobody logged in."""
        return self.verdict(outcome=outcome, **asked)

    def result(
        self,
        *,
        pending: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
        now: datetime = NOW,
        without: str = "",
        **answer: object,
    ) -> Verdict:
        """Return the verdict on what the phone answered."""
        checks = tuple(each for each in COMPLETE.app_result if each.name != without)
        rp = replace(self.launching, **(settings or {}))
        return verdict_of(
            "app_result",
            checks,
            lambda watched: read_app_result(
                rp,
                members(HONEST_RESULT, answer),
                pending_launch(**(pending or {})),
                now=now,
                checklists=replace(COMPLETE, app_result=watched),
            ),
        )

    def flow(
        self,
        env: FlowEnv,
        *,
        rp: RelyingParty | None = None,
        result: Mapping[str, object] | None = None,
        pending: PendingAppLogin | None = None,
        metadata: IssuerMetadata = METADATA,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
    ) -> Flow[Login]:
        """Begin to ask the issuer about what the phone answered."""
        return verify_app_result(
            self.launching if rp is None else rp,
            parse_app_result(HONEST_RESULT if result is None else result),
            pending_launch() if pending is None else pending,
            metadata=metadata,
            keys=self.keys if keys is None else keys,
            env=env,
            cache=None,
            crls=self.crls if crls is None else crls,
        )


def drive(flow: Flow[Login], *answers: HTTPResponse) -> tuple[list[HTTPRequest], Login]:
    """Answer every request with the next answer; return the requests and the login."""
    waiting, requests = iter(answers), []
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, SignatureWanted):
                effect = flow.send(Signed(effect.signer.sign(effect.message)))
            elif isinstance(effect, KeysWanted | ListsWanted):
                effect = flow.send(effect.tried)
            else:
                requests.append(effect)
                effect = flow.send(next(waiting))
    except StopIteration as stop:
        assert None is next(waiting, None)
        return requests, stop.value
