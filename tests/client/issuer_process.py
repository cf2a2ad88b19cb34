"""A mock issuer in a process of its own, which a test can stop, wake and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cyberid_client.testing import MockIssuer, RequestRecord

ROOT = Path(__file__).resolve().parents[2]


class IssuerProcess:
    """The issuer, seen from outside.

    Attributes:
        origin: its issuer identifier.
        root_pem: to pin.
        certified: certificate chain and key of each app, by sector, PEM.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        said = self._read()
        self.origin = said["origin"]
        self.root_pem = said["root_pem"].encode()
        self.certified = {
            sector: (pair[0].encode(), pair[1].encode()) for sector, pair in said["certified"].items()
        }

    def log(self) -> list[list[object]]:
        """Ask for the request log: method, path and status of each."""
        print("log", file=self._process.stdin, flush=True)
        return self._read()

    def stop(self) -> None:
        """Let it do nothing at all from now on, and wait until it does."""
        self._process.send_signal(signal.SIGSTOP)
        while _state_of(self._process.pid) != "T":
            os.sched_yield()

    def wake(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End it for good."""
        self._process.kill()
        self._process.wait()

    def _read(self):
        return json.loads(self._process.stdout.readline())


def _state_of(pid: int) -> str:
    """Return the letter of a process's state: proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2][0]


@contextmanager
def issuer_in_a_process(apps: Mapping[str, str]) -> Iterator[IssuerProcess]:
    """Start an issuer that certifies apps, sector to endpoint, and end it with the block."""
    command = [sys.executable, str(Path(__file__).resolve()), json.dumps(dict(apps))]
    process = subprocess.Popen(  # noqa: S603 - this very file
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield IssuerProcess(process)
    finally:
        process.kill()
        process.communicate()


def _shown(record: RequestRecord) -> list[object]:
    return [record.method, record.path, record.status]


def main() -> None:
    """Serve until standard input ends, and show the log whenever a line comes."""
    issuer = MockIssuer()
    with issuer.serve() as origin:
        apps = json.loads(sys.argv[1])
        certified = {
            sector: [part.decode() for part in issuer.certify_relying_party(sector=sector, endpoint=endpoint)]
            for sector, endpoint in apps.items()
        }
        said = {"origin": origin, "root_pem": issuer.root_pem.decode(), "certified": certified}
        print(json.dumps(said), flush=True)  # noqa: T201 - what the test reads
        for _ in sys.stdin:
            print(json.dumps([_shown(record) for record in issuer.log]), flush=True)  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
