"""How long an answer says that it holds."""

from __future__ import annotations

import re
from typing import Final

from cyberid_client.ports import HTTPResponse

__all__ = ["age_of", "freshness"]

_AGE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_MAX_AGE: Final = re.compile(r'max-age="?([0-9]{1,9})"?', re.ASCII)


def freshness(response: HTTPResponse) -> float | None:
    """Return the seconds that ``Cache-Control`` claims, 0 for ``no-store`` and ``no-cache``, or ``None``.

    What a cache on the way has used up of them, it says in ``Age`` (RFC 9111 §5.1). Nothing depends on it but
    when to ask again, between bounds of our own; so it is read leniently.

    Args:
        response: untrusted.
    """
    claimed: float | None = None
    for directive in response.headers.get("cache-control", "").split(","):
        name = directive.strip(" \t").lower()
        if name in {"no-store", "no-cache"}:
            return 0.0
        found = _MAX_AGE.fullmatch(name)
        if found is not None and claimed is None:
            claimed = float(found[1])
    return None if claimed is None else max(0.0, claimed - age_of(response))


def age_of(response: HTTPResponse) -> float:
    """Return for how many seconds the answer had lain in caches when it came; 0 when none says so.

    Args:
        response: untrusted.
    """
    text = response.headers.get("age", "").strip(" \t")
    return float(text) if _AGE.fullmatch(text) else 0.0
