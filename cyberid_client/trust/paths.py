"""Ways from a leaf to a pinned root, found with a bounded amount of work.

An engine that builds paths itself tries every way through certificates that certify one another:
ten authorities of two names are enough to keep it busy for ever. So paths are built here, and an
engine gets one finished path after the other to judge.

Mostly every issuer's name belongs to one certificate only; then the names alone give the one path,
and no signature is checked for it. Otherwise signatures are checked from the pinned roots downwards:
what no pinned root stands behind is never a step of a path, however it is entangled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from cyberid_client.errors import ChainError
from cyberid_client.trust.certificates import CertificateFacts
from cyberid_client.trust.engine import PathEngine

__all__ = ["NAME_CHECKS_MAX", "PATHS_MAX", "SIGNATURE_CHECKS_MAX", "find_path"]

#: Signatures checked to tell apart certificates of one name.
SIGNATURE_CHECKS_MAX: Final = 32
#: Finished paths that the engine is asked about.
PATHS_MAX: Final = 8
#: Names below an authority times the constraints on it, over a whole path.
NAME_CHECKS_MAX: Final = 1024

_Path = tuple[CertificateFacts, ...]


def find_path(
    leaf: CertificateFacts,
    intermediates: Sequence[CertificateFacts],
    *,
    anchors: Sequence[CertificateFacts],
    engine: PathEngine,
    now: datetime,
    max_intermediates: int,
) -> _Path:
    """Return the first path that the engine takes, leaf first and root last.

    Raises:
        ChainError: ``chain.untrusted``, when there is none; ``chain.too_complex``, when looking on
            would take more work than an honest chain ever needs.
    """
    path = _only_path(leaf, intermediates, anchors)
    paths = (
        _signed_paths(leaf, intermediates, anchors, engine) if path is None else iter([path] if path else [])
    )
    refusal: ChainError | None = None
    for tried, one in enumerate(paths):
        if tried == PATHS_MAX:
            raise ChainError("chain.too_complex") from refusal
        _require_few_name_checks(one)
        try:
            return engine.find_path(
                leaf, one[1:-1], anchors=one[-1:], now=now, max_intermediates=max_intermediates
            )
        except ChainError as error:
            refusal = error
    raise refusal or ChainError("chain.untrusted")


def _only_path(
    leaf: CertificateFacts,
    intermediates: Sequence[CertificateFacts],
    anchors: Sequence[CertificateFacts],
) -> _Path | None:
    """Return the one path that the names allow, an empty one for none, ``None`` for several."""
    path = [leaf]
    while True:
        issuer = path[-1].issuer
        roots = [one for one in anchors if one.subject == issuer]
        others = [one for one in intermediates if one.subject == issuer and not _is_in(one, path)]
        if len(roots) + len(others) > 1:
            return None
        if not roots and not others:
            return ()
        path += roots or others
        if roots:
            return tuple(path)


def _is_in(certificate: CertificateFacts, path: Sequence[CertificateFacts]) -> bool:
    return any(one.der == certificate.der for one in path)


def _signed_paths(
    leaf: CertificateFacts,
    intermediates: Sequence[CertificateFacts],
    anchors: Sequence[CertificateFacts],
    engine: PathEngine,
) -> Iterator[_Path]:
    """Yield the paths whose every signature holds."""
    issuers: dict[bytes, list[CertificateFacts]] = {}
    checks = 0
    reached = list(anchors)
    unique = list({one.der: one for one in intermediates}.values())
    for parent in reached:  # it grows as authorities are reached
        for child in (leaf, *unique):
            if child.issuer != parent.subject or child is parent or not parent.is_ca:
                continue
            checks += 1
            if checks > SIGNATURE_CHECKS_MAX:
                raise ChainError("chain.too_complex")
            if not engine.holds(child, parent):
                continue
            if child.der not in issuers and child is not leaf:
                reached.append(child)
            issuers.setdefault(child.der, []).append(parent)
    pinned = {anchor.der for anchor in anchors}
    yield from _walk((leaf,), issuers, pinned)


def _walk(path: _Path, issuers: dict[bytes, list[CertificateFacts]], pinned: set[bytes]) -> Iterator[_Path]:
    """Yield the ways on to a pinned root, none through the same authority twice (RFC 4158 §2.4.2)."""
    for issuer in issuers.get(path[-1].der, ()):
        if any(_is_same_authority(issuer, one) for one in path[1:]):
            continue
        if issuer.der in pinned:
            yield (*path, issuer)
        else:
            yield from _walk((*path, issuer), issuers, pinned)


def _is_same_authority(one: CertificateFacts, other: CertificateFacts) -> bool:
    return one.subject == other.subject and one.public_key == other.public_key


def _require_few_name_checks(path: _Path) -> None:
    """Refuse constraints times names beyond what an honest path needs: an engine compares them all."""
    names = checks = 0
    for certificate in path:
        checks += names * certificate.constraints
        names += len(certificate.names) + 1  # the subject is a name, too
    if checks > NAME_CHECKS_MAX:
        raise ChainError("chain.too_complex")
