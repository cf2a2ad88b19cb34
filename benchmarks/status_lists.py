"""Measure what a status list of 100 million entries costs: memory while it is fetched, time of a look-up.

Run ``python benchmarks/status_lists.py [ENTRIES]``. Each list is made in this process, with 1 % of its
entries set at random places, and judged in a process of its own, which does nothing else: parse, verify
signature and chain, inflate. Memory is what that process takes at its highest above what it took before
the answer was there (Linux: ``VmHWM``), the answer included.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import timeit
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

SEED: Final = 20261122
ENTRIES: Final = 100_000_000
SHARE: Final = 0.01
BITS: Final = (1, 2, 8)
# At one bit, the highest that memory may rise, in sizes of the bare bitmap.
LIMIT: Final = 3.0
LOOK_UP_LIMIT: Final = 1e-6
NOW: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ISSUER: Final = "https://issuer.example"
URI: Final = f"{ISSUER}/status-lists/1"
MIB: Final = 1024 * 1024


def packed_list(bits: int, entries: int) -> bytes:
    """Return a list with 1 % of its entries set, those of more bits to any value but 0."""
    chance = random.Random(SEED)  # noqa: S311 - two runs shall agree
    packed = bytearray(entries * bits // 8)
    for idx in chance.sample(range(entries), int(entries * SHARE)):
        packed[idx * bits // 8] |= chance.randrange(1, 1 << bits) << idx * bits % 8
    return bytes(packed)


def sign(packed: bytes, bits: int, folder: Path) -> int:
    """Write an issuer's list and what a client needs to judge it; return the size of the token."""
    from cyberid_client.testing import ManualClock, MockIssuer  # noqa: PLC0415 - not in the measured process
    from cyberid_client.testing.drafts import SignedDraft  # noqa: PLC0415 - likewise
    from cyberid_client.testing.jose import b64url  # noqa: PLC0415 - likewise
    from cyberid_client.testing.keyring import x5c_of  # noqa: PLC0415 - likewise

    issuer = MockIssuer(ManualClock(NOW), issuer=ISSUER)
    keyring = issuer._service.keyring  # noqa: SLF001 - the mock publishes no list of this size
    signer = keyring.signer("status")
    token = SignedDraft(
        header={"alg": "ES256", "typ": "statuslist+jwt", "x5c": x5c_of(signer.chain)},
        claims={
            "sub": URI,
            "iat": int(NOW.timestamp()),
            "exp": int(NOW.timestamp()) + 3600,
            "ttl": 300,
            "status_list": {"bits": bits, "lst": b64url(zlib.compress(packed, 9))},
        },
        signer=signer,
        keyring=keyring,
        now=NOW,
    ).encode()
    (folder / "token").write_text(token, encoding="ascii")
    (folder / "root.pem").write_bytes(issuer.root_pem)
    client = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    (folder / "key.pem").write_bytes(client.key_pem)
    return len(token)


def highest() -> int:
    """Return the most memory that this process ever had, in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this needs Linux")


def measure(folder: Path) -> None:
    """Judge the list in ``folder`` in this process and print what it took, as JSON."""
    from cyberid_client import ClientKey, RelyingParty, TrustStore  # noqa: PLC0415 - only in the measured process
    from cyberid_client.handshake.checklists import STATUS_LIST  # noqa: PLC0415 - likewise
    from cyberid_client.handshake.status_list import judge_status_list  # noqa: PLC0415 - likewise
    from cyberid_client.ports import HTTPResponse  # noqa: PLC0415 - likewise
    from cyberid_client.trust import StatusLists  # noqa: PLC0415 - likewise

    rp = RelyingParty(
        issuer=ISSUER,
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        key=ClientKey.from_pem((folder / "key.pem").read_bytes()),
        trust=TrustStore.for_tests((folder / "root.pem").read_bytes()),
    )
    before = highest()
    response = HTTPResponse(
        status=200,
        headers={"content-type": "application/statuslist+jwt"},
        body=(folder / "token").read_bytes(),
        url=URI,
    )
    started = timeit.default_timer()
    status_list = judge_status_list(
        response, uri=URI, rp=rp, now=NOW, newest_iat=None, cache=None, checks=STATUS_LIST
    )
    seconds = timeit.default_timer() - started
    peak = highest() - before
    lists, last = StatusLists({URI: status_list}), len(status_list) - 1
    good = next(idx for idx in range(last, 0, -1) if status_list.status_at(idx) == 0)
    number = 200_000
    look_up = min(timeit.repeat(lambda: lists.look_up(URI, good, NOW), number=number, repeat=7)) / number
    print(json.dumps({"peak": peak, "seconds": seconds, "look_up": look_up}))


def main(entries: int) -> int:
    """Print the table, and return 1 when a limit is not kept."""
    print(f"{entries:,} entries, {SHARE:.0%} set")
    print("bits  bitmap MiB  token MiB  peak MiB  x bitmap  judged s  look-up µs")
    kept = True
    for bits in BITS:
        packed = packed_list(bits, entries)
        with tempfile.TemporaryDirectory() as name:
            token = sign(packed, bits, Path(name))
            command = [sys.executable, __file__, "--measure", name]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - this file
        found = json.loads(output)
        times = found["peak"] / len(packed)
        print(
            f"{bits:4}{len(packed) / MIB:12.1f}{token / MIB:11.1f}{found['peak'] / MIB:10.1f}{times:10.2f}"
            f"{found['seconds']:10.2f}{found['look_up'] * 1e6:12.2f}"
        )
        kept &= found["look_up"] <= LOOK_UP_LIMIT and (bits != 1 or times <= LIMIT)
    print("within the limits" if kept else "a limit is not kept")
    return 0 if kept else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES))
