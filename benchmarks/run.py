"""Measure everything in one run and print it as tables: ``python benchmarks/run.py [--quick]``.

The unit is one bare ECDSA P-256 verification, measured in the same process and the same rounds as what
is compared with it. So the figures hold on other machines, as far as the interpreter is as good.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from imports import measure_imports
from samples import ACCESS_TOKEN, CLIENT_ID, ISSUER, NONCE, make_sample
from verification import AlgorithmTimes, measure_algorithms, measure_parts

HERE: Final = Path(__file__).parent
MICRO: Final = 1e6
MILLI: Final = 1e3
LIBRARIES: Final = {"pyjwt": "PyJWT", "joserfc": "joserfc", "authlib": "Authlib"}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of a table.

    Attributes:
        name: what was measured.
        value: as it is printed.
        ratio: to the unit, or whatever the limit is about; ``None`` for none.
        limit: what the ratio may be at most; ``None`` when there is no target.
    """

    name: str
    value: str
    ratio: float | None = None
    limit: float | None = None

    def line(self) -> str:
        """Return the line of the table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        limit = "" if self.limit is None else f"≤ {self.limit:.2f}"
        verdict = (
            "" if self.ratio is None or self.limit is None else "ok" if self.ratio <= self.limit else "over"
        )
        return f"| {self.name} | {self.value} | {ratio} | {limit} | {verdict} |"


def _print_table(title: str, unit: str, figures: Iterable[Figure]) -> None:
    print(f"\n## {title}\n\n| | {unit} | ratio | target | |\n|---|---:|---:|---:|---|")
    for figure in figures:
        print(figure.line(), flush=True)


def _microseconds(name: str, seconds: float, bare: float, limit: float | None = None) -> Figure:
    return Figure(name=name, value=f"{seconds * MICRO:.1f}", ratio=seconds / bare, limit=limit)


def _run(script: str, *arguments: str, stdin: str = "") -> dict[str, Any]:
    command = [sys.executable, str(HERE / script), *arguments]
    # Another library's warnings are no part of the table, but its errors are.
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603 - our own scripts
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _algorithm_figures(times: list[AlgorithmTimes]) -> Iterable[Figure]:
    for one in times:
        yield _microseconds(f"{one.name}: bare verification", one.bare, one.p256)
        is_p256 = one.name == "ES256"
        yield _microseconds("— `verify_assertion`, warm", one.warm, one.p256, 1.6 if is_p256 else None)
        beyond = Figure(
            name="— warm, beyond its own bare verification",
            value=f"{(one.warm - one.bare) * MICRO:.1f}",
            ratio=(one.warm - one.bare) / one.p256,
            limit=None if one.name.startswith("ML-DSA") else 0.6,
        )
        yield beyond
        yield _microseconds("— floor of that: bare decode and hash of the bytes", one.floor, one.p256)
        yield _microseconds("— cold: a new signer", one.cold, one.p256, 8 if is_p256 else None)
        yield _microseconds("— cold: a new authority, too", one.coldest, one.p256)


def _part_figures(parts: dict[str, float]) -> Iterable[Figure]:
    limits = {"chain, new signer": 6.0}
    return (_microseconds(name, value, parts["bare"], limits.get(name)) for name, value in parts.items())


def _other_figures(warm: float, flags: list[str]) -> Iterable[Figure]:
    sample = make_sample("ES256", strangers=0)
    material = {
        "token": sample.honest.token,
        "bare_token": sample.bare_token,
        "jwk": sample.jwk,
        "issuer": ISSUER,
        "client_id": CLIENT_ID,
        "nonce": NONCE,
        "access_token": ACCESS_TOKEN,
    }
    found = {name: _run("others.py", name, *flags, stdin=json.dumps(material)) for name in LIBRARIES}
    pyjwt = found["pyjwt"]["without x5c"] / found["pyjwt"]["bare"]
    yield Figure(name="`verify_assertion`, warm, chain included", value="", ratio=warm, limit=pyjwt)
    for name, times in found.items():
        for header in ("without x5c", "with x5c"):
            label = f"{LIBRARIES[name]} {version(name)}, no chain, header {header}"
            yield _microseconds(label, times[header], times["bare"])


def _login_times(constraint: str, *libraries: str, flags: list[str]) -> list[dict[str, float]]:
    command = [sys.executable, str(HERE / "issuer.py"), constraint]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as issuer:  # noqa: S603 - our own script
        settings = issuer.stdout.readline() if issuer.stdout else ""
        found = [_run("login.py", library, *flags, stdin=settings) for library in libraries]
        if issuer.stdin:
            issuer.stdin.close()
    return found


def _login_figures(flags: list[str]) -> Iterable[Figure]:
    ours, theirs = _login_times("none", "cyberid", "authlib", flags=flags)
    (bound,) = _login_times("dpop", "cyberid", flags=flags)
    yield _microseconds("own, without HTTP", ours["own"], ours["bare"], 6)
    yield _microseconds("— Authlib", theirs["own"], theirs["bare"])
    yield _microseconds("own, without HTTP, with DPoP", bound["own"], bound["bare"], 8)
    yield _microseconds("HTTP included", ours["whole"], ours["bare"])
    yield _microseconds("— Authlib", theirs["whole"], theirs["bare"])


def _import_figures(times: dict[str, float]) -> Iterable[Figure]:
    def milliseconds(name: str, seconds: float, unit: float | None, limit: float | None) -> Figure:
        ratio = None if unit is None else seconds / unit
        return Figure(name=name, value=f"{seconds * MILLI:.1f}", ratio=ratio, limit=limit)

    client = times["client"]
    yield milliseconds("`import cyberid_client` (of 30 ms)", times["package"], 0.030, 1)
    yield milliseconds(
        "`from cyberid_client import Client` (of its dependencies)", client, times["by name"], 1.3
    )
    yield milliseconds("— of the very modules of them that it loads", client, times["modules"], None)
    yield milliseconds("— cryptography, requests and jwt by name", times["by name"], None, None)
    yield milliseconds("— those modules one by one", times["modules"], None, None)
    yield milliseconds("`cyberid --help`, the whole process (of 300 ms)", times["help"], 0.300, 1)
    yield milliseconds("an interpreter that does nothing", times["nothing"], None, None)


def _memory_figures() -> Iterable[Figure]:
    found = _run("memory.py")
    yield Figure(name=f"{found['logins']:,} pending logins", value=f"{found['bytes'] / 1e6:.1f} MB")
    yield Figure(name="one pending login", value=f"{found['per_login']:.0f} bytes")


def _wallet_figures(flags: list[str]) -> Iterable[Figure]:
    found, polled = _run("presentation.py", *flags), _run("polling.py", *flags)
    floor = found["floor"]
    yield _microseconds("its two bare signatures, and the JOSE library's own decryption of it", floor, floor)
    yield _microseconds("verification of a presentation, warm", found["verification"], floor, 1.6)
    yield _microseconds("`receive_presentation`: the same, and what is kept of it", found["receive"], floor)
    status = Figure(
        name="`presentation_status`, memory store (of 20 µs)",
        value=f"{found['status'] * MICRO:.1f}",
        ratio=found["status"] * MICRO / 20,
        limit=1,
    )
    yield status
    for name, count in (("record", "record_bytes"), ("memory", "memory_bytes")):
        size = found[count]
        yield Figure(
            name=f"a presentation that waits, {name} (of 2 kB)",
            value=f"{size:.0f} bytes",
            ratio=size / 2000,
            limit=1,
        )
    for store, name in (("redis", "Redis"), ("sqlite", "SQLite")):
        found = polled[store]
        pages = f"{found['pages']:,}"
        yield Figure(
            name=f"{pages} requests to an empty FastAPI route, processor time",
            value=f"{found['empty']:.2f} s",
        )
        yield Figure(
            name=f"{pages} screens of the ticket office that ask every two seconds, logins in {name}",
            value=f"{found['status']:.2f} s",
            ratio=found["ratio"],
            limit=1.5,
        )


def main() -> None:
    """Measure and print."""
    quick = "--quick" in sys.argv
    flags = ["--quick"] if quick else []
    print(
        f"Python {platform.python_version()}, cryptography {version('cryptography')}, {os.cpu_count()} processors;"
        " best of many turns; the unit of the ratios is one bare ECDSA P-256 verification of the same run."
    )
    parts = measure_parts(quick=quick)
    algorithms = measure_algorithms(quick=quick)
    es256 = next(one for one in algorithms if one.name == "ES256")
    _print_table("An assertion, by algorithm", "µs", _algorithm_figures(algorithms))
    _print_table("The parts, ES256", "µs", _part_figures(parts))
    _print_table("Beside others, ES256", "µs", _other_figures(es256.warm / es256.bare, flags))
    _print_table("Processor time of a whole login", "µs", _login_figures(flags))
    _print_table("Wallet presentations, ES256", "µs", _wallet_figures(flags))
    _print_table("Imports, in fresh interpreters", "ms", _import_figures(measure_imports(quick=quick)))
    _print_table("Memory", "", _memory_figures())


if __name__ == "__main__":
    main()
