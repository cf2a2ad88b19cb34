"""The directory of sectors, cut into fixed buckets: a wallet asks for buckets, and never for an app."""

from __future__ import annotations

import functools
import hashlib
import itertools
from typing import Final

__all__ = ["BUCKETS", "BUCKET_SIZE", "Directory", "bucket_of"]

BUCKETS: Final = 8
# At least so many sectors stand in a bucket; what is missing is made up.
BUCKET_SIZE: Final = 64


def bucket_of(sector: str, *, buckets: int = BUCKETS) -> int:
    """Return the number of the bucket in which a sector stands: it follows from the name alone.

    So a wallet finds it without asking, and no registration ever moves another sector.
    """
    return int.from_bytes(hashlib.sha256(sector.encode()).digest()[:8], "big") % buckets


class Directory:
    """Hold the sectors of one issuer."""

    def __init__(self) -> None:
        self._real: dict[str, None] = {}

    @property
    def real(self) -> tuple[str, ...]:
        """The sectors of apps that were certified, in the order in which they were."""
        return tuple(self._real)

    def add(self, sector: str) -> None:
        """Let an app stand in its bucket from now on."""
        self._real[sector] = None

    def bucket(self, number: int) -> tuple[str, ...]:
        """Return the sectors of a bucket, sorted, so that their order tells nothing; at least 64."""
        real = [sector for sector in self._real if bucket_of(sector) == number]
        return tuple(sorted({*real, *_made_up_sectors()[number]}))

    def index(self) -> dict[str, object]:
        """Return the page that says how the directory is cut; the same for everybody."""
        sizes = [len(self.bucket(number)) for number in range(BUCKETS)]
        return {
            "hash": "sha-256",
            "buckets": [{"number": n, "sectors": size} for n, size in enumerate(sizes)],
        }


@functools.cache
def _made_up_sectors() -> tuple[tuple[str, ...], ...]:
    """Make sectors up until every bucket is full; they are the same in every mock."""
    found: tuple[list[str], ...] = tuple([] for _ in range(BUCKETS))
    numbers = itertools.count()
    while not all(len(each) == BUCKET_SIZE for each in found):
        sector = f"https://made-up-{next(numbers)}.example"
        bucket = found[bucket_of(sector)]
        if len(bucket) < BUCKET_SIZE:
            bucket.append(sector)
    return tuple(map(tuple, found))
