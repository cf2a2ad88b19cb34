"""How long an answer says that it holds."""

from __future__ import annotations

import re
from typing import Final

from cyberid_client.ports import HTTPResponse

__all__ = ["freshness"]

_MAX_AGE: Final = re.compile(r'max-age="?([0-9]{1,9})"?', re.ASCII)


def freshness(response: HTTPResponse) -> float | None:
    """Return the seconds that ``Cache-Control`` claims, 0 for ``no-store`` and ``no-cache``, or ``None``.

    Nothing depends on it but when to ask again, between bounds of our own; so it is read leniently.

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
    return claimed
