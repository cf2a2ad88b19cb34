"""``cyberid doctor``: its options; what it does is imported when it runs, so that help is quick."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from cyberid_client.config import RelyingParty
    from cyberid_client.doctor import Finding

__all__ = ["doctor"]

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_FAILED: Final = 1
_SIGNS: Final = {"ok": "ok  ", "warning": "warn", "failed": "FAIL"}
_COLOURS: Final = {"ok": "green", "warning": "yellow", "failed": "red"}


@click.command()
@click.option(
    "--config", metavar="FILE", type=_FILE, help="TOML; without it the variables CYBERID_… are read."
)
@click.option("--store", metavar="URL", help="Of the store; without it CYBERID_STORE is read.")
@click.option(
    "--test-roots", metavar="FILE", type=_FILE, help="Roots of a mock issuer, in the place of the configured."
)
@click.option("--handshake/--no-handshake", default=True, help="Push one request that nobody follows.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def doctor(
    *, config: Path | None, store: str | None, test_roots: Path | None, handshake: bool, as_json: bool
) -> None:
    """Look a deployment over: configuration, clock, issuer, chains, ends, store.

    Each line says how one thing is, and what to do about it. The exit code is 0 when nothing failed,
    warnings included, and 1 when logins would fail.
    """
    findings = list(_examine(config, store, test_roots, handshake=handshake))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    sys.exit(_FAILED if any(finding.verdict == "failed" for finding in findings) else 0)


def _examine(
    config: Path | None, store: str | None, test_roots: Path | None, *, handshake: bool
) -> Iterable[Finding]:
    from cyberid_client.doctor import examine_deployment  # noqa: PLC0415 - keeps --help quick
    from cyberid_client.doctor.findings import of_error  # noqa: PLC0415 - as above
    from cyberid_client.errors import CyberIDError  # noqa: PLC0415 - as above
    from cyberid_client.loading import store_url  # noqa: PLC0415 - as above

    try:
        rp = _configuration(config, test_roots)
        place = store_url() if store is None else store
    except CyberIDError as error:
        setting: object = getattr(error, "setting", None)
        return [of_error("configuration" if setting is None else f"configuration: {setting}", error)]
    return examine_deployment(rp, environ=os.environ, store=place, handshake=handshake)


def _configuration(config: Path | None, test_roots: Path | None) -> RelyingParty:
    from cyberid_client.config import RelyingParty  # noqa: PLC0415 - keeps --help quick
    from cyberid_client.trust import TrustStore  # noqa: PLC0415 - as above

    trust = None if test_roots is None else TrustStore.for_tests(test_roots.read_bytes())
    return (
        RelyingParty.from_env(trust=trust) if config is None else RelyingParty.from_toml(config, trust=trust)
    )


def _print(findings: Iterable[Finding]) -> None:
    for finding in findings:
        sign = click.style(_SIGNS[finding.verdict], fg=_COLOURS[finding.verdict])
        code = "" if finding.code is None else f" ({finding.code})"
        click.echo(f"{sign}  {finding.subject}: {finding.says}{code}")
        if finding.advice:
            click.echo(f"      → {finding.advice}")
