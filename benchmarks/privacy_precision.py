"""Measure how often the recognisers take something else for an identity number.

Run ``python benchmarks/privacy_precision.py [COUNT]``; it prints the table of
``docs/privacy-recognisers.md``. The samples come from a fixed seed, so that two runs agree.
"""

from __future__ import annotations

import base64
import random
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from cyberid_client.privacy.recognisers import find_identity_numbers

SEED: Final = 20261122
COUNT: Final = 200_000
_START: Final = datetime(2016, 1, 1, tzinfo=UTC)
_TEN_YEARS: Final = 10 * 365 * 24 * 3600


def _digits(chance: random.Random, length: int) -> str:
    return str(chance.randrange(10 ** (length - 1), 10**length))


def _moment(chance: random.Random) -> datetime:
    return _START + timedelta(seconds=chance.uniform(0, _TEN_YEARS))


def _base64url(chance: random.Random, size: int) -> str:
    return base64.urlsafe_b64encode(chance.randbytes(size)).rstrip(b"=").decode()


SAMPLES: Final[dict[str, Callable[[random.Random], str]]] = {
    "order number, 8 digits": lambda chance: _digits(chance, 8),
    "order number, 10 digits": lambda chance: _digits(chance, 10),
    "order number, 11 digits": lambda chance: _digits(chance, 11),
    "order number, 12 digits": lambda chance: _digits(chance, 12),
    "order number, 15 digits": lambda chance: _digits(chance, 15),
    "order number, 16 digits": lambda chance: _digits(chance, 16),
    "order number, 18 digits": lambda chance: _digits(chance, 18),
    "order number, 18 digits, time and 4 digits": lambda chance: (
        f"{_moment(chance):%Y%m%d%H%M%S}{_digits(chance, 4)}"
    ),
    "order number, 28 digits, time and 14 digits": lambda chance: (
        f"{_moment(chance):%Y%m%d%H%M%S}{_digits(chance, 14)}"
    ),
    "order number, two letters and 9 digits": lambda chance: (
        "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=2)) + _digits(chance, 9)
    ),
    "order number, one letter and 8 digits": lambda chance: (
        chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") + _digits(chance, 8)
    ),
    "snowflake id": lambda chance: str(
        (int((_moment(chance) - _START).total_seconds() * 1000) << 22) | chance.getrandbits(22)
    ),
    "timestamp, seconds": lambda chance: str(int(_moment(chance).timestamp())),
    "timestamp, seconds with fraction": lambda chance: f"{_moment(chance).timestamp():.6f}",
    "timestamp, milliseconds": lambda chance: str(int(_moment(chance).timestamp() * 1e3)),
    "timestamp, microseconds": lambda chance: str(int(_moment(chance).timestamp() * 1e6)),
    "timestamp, ISO 8601": lambda chance: _moment(chance).isoformat(),
    "UUID": lambda chance: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
    "UUID, 32 hex digits in capitals": lambda chance: uuid.UUID(int=chance.getrandbits(128)).hex.upper(),
    "hash, MD5 in hex": lambda chance: chance.randbytes(16).hex(),
    "hash, SHA-256 in hex": lambda chance: chance.randbytes(32).hex(),
    "hash, SHA-256 in base64url": lambda chance: _base64url(chance, 32),
    "token, 128 base64url characters": lambda chance: _base64url(chance, 96),
    "IPv4 address and port": lambda chance: (
        ".".join(str(chance.randrange(256)) for _ in range(4)) + f":{chance.randrange(1024, 65536)}"
    ),
    "decimal fraction": lambda chance: repr(chance.random()),
}


def measure(count: int) -> Iterator[tuple[str, float, str]]:
    """Yield for every kind of sample: its name, the share that was taken for a number, and for which.

    Args:
        count: how many samples of each kind.
    """
    for name, make in SAMPLES.items():
        chance = random.Random(f"{SEED} {name}")  # noqa: S311 - samples, no secrets
        kinds: Counter[str] = Counter()
        hits = 0
        for _ in range(count):
            matches = find_identity_numbers(make(chance))
            hits += bool(matches)
            kinds.update(match.kind for match in matches)
        yield name, hits / count, ", ".join(sorted(kinds))


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    print("| text that is no identity number | taken for one | as |")
    print("|---|---:|---|")
    for name, share, kinds in measure(count):
        shown = f"{share:.4%}" if share else "0"
        print(f"| {name} | {shown} | {kinds or '–'} |")


if __name__ == "__main__":
    main()
