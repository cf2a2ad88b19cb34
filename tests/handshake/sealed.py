"""Sign authorization responses and encrypt assertions, honest and broken, and tell which check refuses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cyberid_client import ClientKeys, CyberIDError, DecryptionKey, RelyingParty
from cyberid_client.handshake.authorization_response import believe_callback, judge_jarm
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.encryption import open_sealed
from cyberid_client.handshake.flow import Flow, KeysWanted, ListsWanted
from cyberid_client.models import PendingLogin
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.encryption import EncryptedDraft
from cyberid_client.testing.keyring import Signer, x5c_of
from cyberid_client.trust import KeySet, RevocationLists

from .conftest import ISSUER, NOW, SECONDS, Bench, ResponseBench, Verdict, members, verdict_of

JARM = {"response": "jarm"}
INSIDE = b"header.payload.signature"


class Env:
    """Time that stands still, and no randomness at all."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def token(self, nbytes: int) -> bytes:
        raise AssertionError(nbytes)


@dataclass(frozen=True)
class JARMBench(Bench):
    """Sign authorization responses and judge them."""

    def token(
        self,
        *,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        edit: Callable[[SignedDraft], None] = lambda draft: None,
        **claims: object,
    ) -> str:
        """Sign an honest response with changes to header and claims."""
        chosen = signer or self.keyring.signer("assertion")
        honest = {"alg": chosen.algorithm.name, "kid": chosen.kid, "x5c": x5c_of(chosen.chain)}
        says = {
            "iss": ISSUER,
            "aud": "shop",
            "exp": SECONDS + 60,
            "state": "made-up-state",
            "code": "made-up-code",
        }
        draft = SignedDraft(
            header=members(honest, header or {}),
            claims=members(says, claims),
            signer=chosen,
            keyring=self.keyring,
            now=NOW,
        )
        edit(draft)
        return draft.encode()

    def pending(self, **changes: object) -> PendingLogin:
        """Return a pending login that started ten seconds ago."""
        return ResponseBench(self.keyring, self.rp, self.keys, self.crls).pending(**changes)

    def flow(
        self,
        *,
        response: object,
        checklists: Checklists = COMPLETE,
        settings: Mapping[str, object] | None = None,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
        now: datetime = NOW,
        pending: Mapping[str, object] | None = None,
        kind: str = "redirect",
        **parameters: object,
    ) -> Flow[str]:
        """Begin to judge a callback with this response in it."""
        rp = replace(self.rp, **{**JARM, **(settings or {})})
        login = self.pending(**(pending or {}))
        query = {
            name: value for name, value in {"response": response, **parameters}.items() if value is not ...
        }
        return believe_callback(
            urlencode(query),
            login,
            kind=kind,
            rp=rp,
            expected=rp.expect(nonce=login.nonce, started_at=login.started_at),
            keys=self.keys if keys is None else keys,
            env=Env(now),
            cache=None,
            crls=self.crls if crls is None else crls,
            checklists=checklists,
        )

    def verdict(
        self,
        *,
        response: object = None,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        edit: Callable[[SignedDraft], None] = lambda draft: None,
        settings: Mapping[str, object] | None = None,
        keys: KeySet | None = None,
        crls: RevocationLists | None = None,
        now: datetime = NOW,
        without: str = "",
        **claims: object,
    ) -> Verdict:
        """Return the verdict on what is signed, with all checks but ``without``."""
        token = (
            self.token(header=header, signer=signer, edit=edit, **claims) if response is None else response
        )
        rp = replace(self.rp, **{**JARM, **(settings or {})})
        pending = self.pending()
        expected = rp.expect(nonce=pending.nonce, started_at=pending.started_at)
        return verdict_of(
            "jarm",
            tuple(each for each in COMPLETE.for_jarm(expected) if each.name != without),
            lambda watched: judge_jarm(
                str(token),
                pending=pending,
                expected=expected,
                keys=self.keys if keys is None else keys,
                now=now,
                cache=None,
                crls=self.crls if crls is None else crls,
                checks=watched,
            ),
        )

    def around(
        self,
        *,
        response: object = None,
        pending: Mapping[str, object] | None = None,
        kind: str = "redirect",
        now: datetime = NOW,
        settings: Mapping[str, object] | None = None,
        without: str = "",
        **parameters: object,
    ) -> Verdict:
        """Return the verdict on what stands around an honest response."""
        token = self.token() if response is None else response

        def judge(watched: tuple[Check, ...]) -> None:
            lists = replace(COMPLETE, signed_response=watched, jarm=())
            stubborn(
                self.flow(
                    response=token,
                    checklists=lists,
                    pending=pending,
                    kind=kind,
                    now=now,
                    settings=settings,
                    **parameters,
                )
            )

        checks = tuple(each for each in COMPLETE.signed_response if each.name != without)
        return verdict_of("callback", checks, judge)


def stubborn(flow: Flow[str]) -> str:
    """Answer a flow that asks for newer evidence with what it has."""
    try:
        effect = next(flow)
        while True:
            assert isinstance(effect, KeysWanted | ListsWanted)
            effect = flow.send(effect.tried)
    except StopIteration as stop:
        return str(stop.value)


def decryption_key(
    algorithm: str, kid: str | None = None, *, curve: ec.EllipticCurve | None = None
) -> DecryptionKey:
    """Return a fresh key for an algorithm."""
    if algorithm.startswith("RSA"):
        return DecryptionKey(rsa.generate_private_key(65537, 2048), algorithm=algorithm, kid=kid)
    return DecryptionKey(ec.generate_private_key(curve or ec.SECP256R1()), algorithm=algorithm, kid=kid)


@dataclass(frozen=True)
class SealBench(Bench):
    """Encrypt for a client and let it open what comes."""

    decryption: tuple[DecryptionKey, ...] = ()

    @property
    def client(self) -> RelyingParty:
        """A client whose assertions are encrypted."""
        keys = ClientKeys(signing=self.rp.client_keys.signing, decryption=self.decryption)
        return replace(self.rp, key=None, keys=keys, id_token="jwe")

    def token(
        self,
        *,
        header: Mapping[str, object] | None = None,
        recipient: DecryptionKey | None = None,
        edit: Callable[[EncryptedDraft], None] = lambda draft: None,
        content: bytes = INSIDE,
        enc: str = "A256GCM",
    ) -> str:
        """Encrypt for a key of the client, with changes to the header."""
        key = self.decryption[0] if recipient is None else recipient
        honest = {"alg": key.algorithm, "enc": enc, "kid": key.kid, "cty": "JWT"}
        draft = EncryptedDraft(
            header=members(honest, header or {}),
            content=content,
            recipient=key.private_key.public_key(),
            keyring=self.keyring,
        )
        edit(draft)
        return draft.encode()

    def open(
        self, token: str | bytes, *, checklists: Checklists = COMPLETE, **settings: object
    ) -> str | bytes:
        """Open a token as the client does."""
        return open_sealed(token, rp=replace(self.client, **settings), checklists=checklists)

    def code(self, token: str | bytes, **settings: object) -> str | None:
        """Return the code with which a token is refused, or ``None``."""
        try:
            self.open(token, **settings)
        except CyberIDError as error:
            return error.code
        return None

    def verdict(
        self, *, without: str = "", settings: Mapping[str, object] | None = None, **asked: object
    ) -> Verdict:
        """Return the verdict of the checklist on an encrypted token."""
        made = self.token(**asked)
        checks = tuple(each for each in COMPLETE.encrypted_token if each.name != without)
        failed: list[CyberIDError] = []

        def judge(watched: tuple[Check, ...]) -> None:
            try:
                self.open(made, checklists=replace(COMPLETE, encrypted_token=watched), **(settings or {}))
            except CyberIDError as error:
                if error.code != "id_token.decryption":
                    raise
                failed.append(error)

        verdict = verdict_of("id_token", checks, judge)
        return ("decryption", failed[0].code) if failed else verdict

    def seal(self, *, token: str | None = None, without: str = "", **settings: object) -> Verdict:
        """Return the verdict on the form of a token."""
        made = self.token() if token is None else token
        checks = tuple(each for each in COMPLETE.seal if each.name != without)
        return verdict_of(
            "id_token",
            checks,
            lambda watched: self.open(made, checklists=replace(COMPLETE, seal=watched), **settings),
        )
