"""Play every fault of the mock issuer against a real client, and print what became of each.

Run ``python benchmarks/fault_table.py [NAME ...]`` in the repository; without names all of them are played.
Each is played once, in process, at an issuer and with a client of its own, which is configured as the fault
needs it. ``par`` and ``token`` count the requests after the fault was armed. The exit status is 1 when one of
them had an effect or another code than its own.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import create_engine

from cyberid_client import CyberIDError
from cyberid_client.stores.sql import SQLReplayStore
from cyberid_client.testing import EVENT_FAULTS, FAULTS, LOGOUT_FAULTS, ManualClock, MockIssuer
from cyberid_client.testing.arming import Fault

# At the end, so that the installed package goes before the folder of the same name.
sys.path.append(str(Path(__file__).parents[1]))

from tests.client.conftest import START, make_shop
from tests.client.notices import CLIENT_ID, App, connect
from tests.client.playing import arm, attempt, settings_of

EFFECT = "had its effect"


@dataclass(frozen=True, kw_only=True)
class Played:
    """What became of one fault.

    Attributes:
        fault: its name.
        expected: class and code, for an event also what the issuer is told.
        got: the same, or that it had its effect.
        par: pushed requests after it was armed.
        token: exchanged codes after it was armed.
    """

    fault: str
    expected: str
    got: str
    par: int
    token: int


def play_login(fault: Fault) -> Played:
    """Log in, or refresh where the fault is one of newer documents."""
    clock = ManualClock(START)
    shop = make_shop(MockIssuer(clock), clock, **settings_of(fault))
    with shop.client:
        arm(shop, fault)
        before = dict(shop.client.outbound)
        try:
            attempt(shop, fault)
            got = EFFECT
        except CyberIDError as error:
            got = f"{type(error).__name__} {error.code}"
        expected = f"{fault.expected_error} {fault.expected_code}"
        return _played(fault, expected, got, _calls(before, shop.client.outbound))


def play_notice(fault: Fault, replay: SQLReplayStore) -> Played:
    """Let the issuer write to the app, whose handlers must not hear of it."""
    clock = ManualClock(START)
    issuer, app = MockIssuer(clock), App(uri="https://shop.example")
    with connect(app, issuer, clock, replay=replay) as client:
        issuer.arm(fault.name)
        if fault.name in EVENT_FAULTS:
            path, good = "/events", 202
            posting = issuer.send_event("adult", client_id=CLIENT_ID, deliver=False)
        else:
            path, good = "/logout", 200
            posting = issuer.log_out("adult", client_id=CLIENT_ID, sid="s" * 22, deliver=False)
        reply = app.take(path, posting.body, posting.content_type)
        told = json.loads(reply.body)["err"] if reply.body else ""
        got = f"{reply.status} {reply.code} {told}".rstrip()
        if reply.status == good or app.ended or app.applied:
            got = EFFECT
        expected = f"400 {fault.expected_code} {fault.err or ''}".rstrip()
        return _played(fault, expected, got, _calls({}, client.outbound))


def _calls(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[int, int]:
    par, token = (after.get(name, 0) - before.get(name, 0) for name in ("par", "token"))
    return par, token


def _played(fault: Fault, expected: str, got: str, calls: tuple[int, int]) -> Played:
    return Played(fault=fault.name, expected=expected, got=got, par=calls[0], token=calls[1])


def play(names: list[str]) -> Iterator[Played]:
    """Yield what became of each."""
    everything = {**FAULTS, **LOGOUT_FAULTS, **EVENT_FAULTS}
    with TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/app.sqlite")
        replay = SQLReplayStore(engine)
        replay.create_tables()
        for name in names or everything:
            fault = everything[name]
            yield play_login(fault) if name in FAULTS else play_notice(fault, replay)
        engine.dispose()


def main() -> int:
    """Print the table, and under it how many there are and how many went as they should."""
    logging.disable(logging.CRITICAL)
    print("| fault | expected | got | par | token |\n|---|---|---|--:|--:|")
    rows = []
    for row in play(sys.argv[1:]):
        rows.append(row)
        got = "the same" if row.got == row.expected else f"**{row.got}**"
        print(f"| `{row.fault}` | {row.expected} | {got} | {row.par} | {row.token} |")
    exact = sum(row.got == row.expected for row in rows)
    effects = sum(row.got == EFFECT for row in rows)
    print(
        f"\n{len(rows)} faults: {exact} refused with the exact code, {len(rows) - exact} not, "
        f"of which {effects} had their effect."
    )
    return 0 if exact == len(rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
