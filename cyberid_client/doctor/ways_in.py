"""What can be said of the two other ways in: launching the ID app, and wallet presentations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from cyberid_client.client import Client
from cyberid_client.config import RelyingParty, WalletIdentity, WalletSettings
from cyberid_client.doctor.findings import Finding, bad, good, of_error, warning
from cyberid_client.errors import CyberIDError
from cyberid_client.health import WARN_BEFORE_WALLET_CERTIFICATE_EXPIRES, Health
from cyberid_client.models import Assurance
from cyberid_client.models.qr import draw_qr_svg
from cyberid_client.trust import ChainProfile, verify_chain
from cyberid_client.wire.urls import parse_web_url

__all__ = ["look_at_issuer_of_ways_in", "look_at_ways_in"]

FACE: Final = frozenset({Assurance.R03, Assurance.R04})


def look_at_ways_in(rp: RelyingParty, *, now: datetime) -> Iterator[Finding]:
    """Look at what is configured, and ask nobody.

    Args:
        rp: the configuration.
        now: this machine's time.
    """
    if rp.app_launch is not None:
        platforms = ", ".join(sorted(rp.app_launch.app_ids))
        yield good("app launch", f"It is configured for {platforms}, institution {rp.app_launch.org_id}.")
        if rp.app_launch.app_caller == "unverified":
            yield warning(
                "app caller",
                "Receipts are accepted that do not say which app got the answer: any app on the phone can relay a login.",
                "Set app_caller to verified as soon as the platform says it.",
            )
    identity = rp.client_keys.wallet
    if rp.wallet is not None and identity is not None:
        yield _endpoint(rp.wallet)
        yield _certificate(rp, rp.wallet, identity, now)
        yield _devices(rp.wallet)
        yield from _extras(rp.wallet)
        if rp.assurance in FACE:
            yield warning(
                "wallet mode",
                f"Logins ask for {rp.assurance.name} unless they say otherwise, and no wallet reaches it.",
                "Say assurance=Assurance.R01 or R02 where a presentation starts.",
            )


def _endpoint(wallet: WalletSettings) -> Finding:
    url = parse_web_url(wallet.endpoint)
    if url is None or url.scheme != "https":
        return warning(
            "wallet endpoint",
            "It is plain http on this machine.",
            "Use https wherever people log in: no wallet asks anything else.",
        )
    return good("wallet endpoint", f"Wallets answer at {url.host}.")


def _certificate(
    rp: RelyingParty, wallet: WalletSettings, identity: WalletIdentity, now: datetime
) -> Finding:
    """Judge the app's own certificate as every wallet does."""
    leaf, *intermediates = identity.chain
    try:
        if rp.trust is None:  # No configuration with a wallet is without.
            return bad("wallet certificate", "No roots are pinned.", "Pin the platform's roots.")
        profile = ChainProfile.relying_party(
            rp.sector_identifier, response_uri=wallet.response_uri, purposes=rp.purposes
        )
        chain = verify_chain(leaf, intermediates, trust=rp.trust, profile=profile, now=now)
    except CyberIDError as error:
        return of_error("wallet certificate", error)
    days = (chain.not_after - now).days
    says = f"It names the sector and the host, its chain holds, and it ends in {days} days, on {chain.not_after:%Y-%m-%d}."
    if now >= chain.not_after - WARN_BEFORE_WALLET_CERTIFICATE_EXPIRES:
        return warning(
            "wallet certificate", says, "Ask the platform for the next one: wallets refuse this one then."
        )
    return good("wallet certificate", says)


def _devices(wallet: WalletSettings) -> Finding:
    if wallet.cross_device == "allowed":
        return warning(
            "wallet devices",
            "A wallet on another device may answer: cross_device=allowed.",
            "Keep it where people stand at another screen only, and refuse the channel wallet_other for what costs money.",
        )
    return good("wallet devices", "Only a wallet on the same device may answer.")


def _extras(wallet: WalletSettings) -> Iterator[Finding]:
    if wallet.cross_device == "allowed":
        try:
            draw_qr_svg("a code", title="a code")
        except CyberIDError:
            yield bad("wallet extras", "Nothing is installed that draws a QR code.", _install("qr"))


def _install(extra: str) -> str:
    return f'Install it: pip install "cyberid_client[{extra}]".'


def look_at_issuer_of_ways_in(
    rp: RelyingParty, client: Client, health: Health, *, now: datetime
) -> Iterator[Finding]:
    """Look whether the issuer offers what the ways in need, after its metadata came.

    Args:
        rp: the configuration.
        client: of this configuration.
        health: of this client.
        now: this machine's time.
    """
    if rp.app_launch is not None:
        yield _pictures(rp, takes_pictures=health.app_launch_face)
    if rp.wallet is not None:
        yield _epochs(health)
        yield _status_lists(client, now)


def _pictures(rp: RelyingParty, *, takes_pictures: bool) -> Finding:
    if takes_pictures:
        return good("app launch modes", "The issuer verifies app launches in all four modes.")
    says = "The issuer verifies app launches without a face: R01 and R02 only."
    if rp.assurance in FACE:
        return bad(
            "app launch modes", says, f"Ask for R01 or R02: {rp.assurance.name} is asked for by default."
        )
    return good("app launch modes", says)


def _epochs(health: Health) -> Finding:
    if health.credential_epoch_length is None:
        return bad("credentials", "The issuer names no length of an epoch.", "Tell the issuer.")
    days, rest = divmod(health.credential_epoch_length, 86_400)
    length = f"{health.credential_epoch_length} s" if rest else f"{days} days"
    return good("credentials", f"They are good for two epochs of {length} each.")


def _status_lists(client: Client, now: datetime) -> Finding:
    known = [one for one in client.status_lists.lists.by_uri.values() if now < one.holds_until]
    if not known:
        return bad(
            "status lists",
            "The issuer names none, so that no credential is believed.",
            "Tell the issuer; it may list them per sector: compare the sector.",
        )
    return good("status lists", f"{len(known)} known, and no login waits for one.")
