"""The app-launch handshake: the ID app on the phone answers, and the issuer vouches for the answer (profile §4).

``start_app_launch`` makes what the app launches the ID app with. ``read_app_result`` judges what the phone brought
back, and ``verify_app_result`` asks the issuer about it and believes the receipt, or raises.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from cyberid_client.config import Expected, RelyingParty
from cyberid_client.errors import ConfigurationError, VerificationError
from cyberid_client.handshake.app_subjects import AppResultSubject, LaunchDemands, ReceiptSubject
from cyberid_client.handshake.app_verification import ask_issuer, launch_settings
from cyberid_client.handshake.assertion import build_login
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.checks.app_launch import decline_of, executed_factors
from cyberid_client.handshake.evidence import SignedMessage, believe_with_newer_evidence, choose_key
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.handshake.pending import APP
from cyberid_client.handshake.subjects import NO_LISTS, ChainOnDemand
from cyberid_client.models import AppOutcome, Assurance, Channel, Factor, Login, PendingAppLogin
from cyberid_client.ports import FlowEnv
from cyberid_client.trust import ChainCache, KeySet, RevocationLists
from cyberid_client.wire.app_result import UnverifiedAppResult, hash_blobs, parse_app_result
from cyberid_client.wire.app_verification import UnverifiedReceipt
from cyberid_client.wire.receipt import SUCCESS
from cyberid_client.wire.urls import is_local_path

__all__ = [
    "AppAsk",
    "judge_receipt",
    "launch_type",
    "read_app_result",
    "start_app_launch",
    "verify_app_result",
]

# Seconds that the ID app waits for the person, and that its answer has to come here.
LIFETIME: Final = 130 + 60
BIZ_SEQ_LENGTH: Final = 32

_ALPHABET: Final = string.ascii_letters + string.digits
# Bytes from here on would make the first letters more frequent than the others.
_FAIR: Final = 256 - 256 % len(_ALPHABET)
_OUTCOMES: Final = {outcome.value: outcome for outcome in AppOutcome}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAsk:
    """What the app asks for in one launch; ``None`` stands for the configured value."""

    platform: str
    return_to: str = "/"
    assurance: Assurance | None = None


def launch_type(assurance: Assurance) -> Literal[0, 1]:
    """Return what the ID app shall ask for: 1 with the password, 0 without."""
    return 1 if Factor.PASSWORD in assurance.factors else 0


def start_app_launch(
    rp: RelyingParty, ask: AppAsk, metadata: IssuerMetadata, env: FlowEnv
) -> PendingAppLogin:
    """Make a launch and keep what its answer is compared with; nobody is asked.

    Raises:
        VerificationError: ``return_to`` is not a path of this origin.
        ConfigurationError: this configuration, or this issuer, can never serve this launch.
    """
    settings = launch_settings(rp)
    if not is_local_path(ask.return_to):
        raise VerificationError("return_to.refused")
    app_id = next((app_id for name, app_id in settings.app_ids.items() if name == ask.platform), None)
    if app_id is None:
        raise ConfigurationError("config.platform_unknown", "platform")
    assurance = rp.assurance if ask.assurance is None else ask.assurance
    if not isinstance(assurance, Assurance):
        raise ConfigurationError("config.assurance", "assurance")
    if Factor.FACE in assurance.factors and not metadata.app_launch_face:
        raise ConfigurationError("config.app_launch_face", "assurance")
    now = env.now()
    return PendingAppLogin(
        kind=APP,
        issuer=rp.issuer,
        client_id=rp.client_id,
        app_id=app_id,
        biz_seq=_new_biz_seq(env),
        assurance=assurance,
        return_to=ask.return_to,
        started_at=now,
        expires_at=now + timedelta(seconds=LIFETIME),
    )


def _new_biz_seq(env: FlowEnv) -> str:
    """Return 32 random letters and digits, each as likely as any other."""
    characters = ""
    while len(characters) < BIZ_SEQ_LENGTH:
        fair = [byte for byte in env.token(2 * BIZ_SEQ_LENGTH) if byte < _FAIR]
        characters += "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in fair)
    return characters[:BIZ_SEQ_LENGTH]


def read_app_result(
    rp: RelyingParty,
    result: object,
    pending: PendingAppLogin,
    *,
    now: datetime,
    checklists: Checklists = COMPLETE,
) -> UnverifiedAppResult:
    """Judge what the phone brought back, as far as that is possible without the issuer.

    The pending launch was removed from its store before this is called.

    Args:
        rp: says what the codes of the ID app mean.
        result: untrusted.
        pending: the launch that it should answer.
        now: aware.
        checklists: what must hold.

    Returns:
        An answer that claims success, and proves nothing.

    Raises:
        LoginDeclinedError: the ID app says no.
        LoginRestartError: the launch is too old, or another client's.
        VerificationError: it is no answer of an ID app.
    """
    settings = launch_settings(rp)
    answer = parse_app_result(result)
    subject = AppResultSubject(result=answer, pending=pending, kind=APP, rp=rp, settings=settings, now=now)
    run_checks(checklists.app_result, subject)
    return answer


def verify_app_result(  # noqa: PLR0913 - what is known comes from four places
    rp: RelyingParty,
    answer: UnverifiedAppResult,
    pending: PendingAppLogin,
    *,
    metadata: IssuerMetadata,
    keys: KeySet,
    env: FlowEnv,
    cache: ChainCache | None,
    crls: RevocationLists = NO_LISTS,
    checklists: Checklists = COMPLETE,
) -> Flow[Login]:
    """Ask the issuer about the phone's answer, and believe its receipt.

    Raises:
        LoginDeclinedError: the issuer says why nobody logs in.
        LoginRestartError: the issuer knows this launch with another answer.
        ConfigurationError: the issuer does not know this client, or refuses its request.
        VerificationError: the receipt is not to be believed.
        UnavailableError: the issuer did not answer, also when it was asked again.
    """
    receipt = yield from ask_issuer(rp, answer, pending, metadata, env)
    expected = rp.expect(
        nonce=pending.biz_seq, assurance=pending.assurance, max_age=0, started_at=pending.started_at
    )
    launch = LaunchDemands(
        biz_seq=pending.biz_seq,
        app_id=pending.app_id,
        blobs_hash=hash_blobs(answer.id_card_auth_data or "", answer.cert_pwd_data),
        any_caller=launch_settings(rp).app_caller == "unverified",
    )

    def believe(keys: KeySet, crls: RevocationLists) -> Login:
        return judge_receipt(
            receipt,
            expected=expected,
            launch=launch,
            keys=keys,
            now=env.now(),
            crls=crls,
            cache=cache,
            return_to=pending.return_to,
            checklists=checklists,
        )

    message = SignedMessage(
        token=receipt.jws, document="receipt", entry="app", expected=expected, judge=believe
    )
    return (yield from believe_with_newer_evidence(message, keys=keys, crls=crls, env=env, cache=cache))


def judge_receipt(  # noqa: PLR0913 - what is known comes from four places
    receipt: UnverifiedReceipt,
    *,
    expected: Expected,
    launch: LaunchDemands,
    keys: KeySet,
    now: datetime,
    crls: RevocationLists,
    cache: ChainCache | None,
    return_to: str,
    checklists: Checklists = COMPLETE,
) -> Login:
    """Resolve, check and build; or believe the refusal that it is. Private, because it takes the checks.

    Raises:
        LoginDeclinedError: the issuer's word that nobody logged in, believed.
        VerificationError: it is not to be believed.
    """
    key, certificates = choose_key(receipt.jws.header, keys, expected)
    chain = ChainOnDemand(certificates, trust=expected.trust, profile=expected.profile, now=now, cache=cache)
    subject = ReceiptSubject(
        jws=receipt.jws,
        claims=receipt,
        key=key,
        chain=chain,
        expected=expected,
        launch=launch,
        now=now.timestamp(),
        crls=crls,
    )
    if receipt.outcome != SUCCESS:
        run_checks(checklists.receipt_refusal, subject)
        raise decline_of(_OUTCOMES.get(receipt.outcome))
    run_checks(checklists.receipt, subject)
    return build_login(
        subject,
        channel=Channel.APP,
        factors=executed_factors(subject),
        now=now,
        checks=checklists.receipt,
        return_to=return_to,
    )
