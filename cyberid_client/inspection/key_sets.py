"""A key set: every entry, whether it is used, and why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.inspection.chain import explain_chain
from cyberid_client.inspection.checks import refused
from cyberid_client.inspection.result import Step, Verdict
from cyberid_client.inspection.settings import InspectionSettings
from cyberid_client.inspection.shown import text_of
from cyberid_client.ports import HTTPResponse
from cyberid_client.trust import ALGORITHMS, ChainProfile, KeySet, PublishedKey
from cyberid_client.wire.jwks import JWK, JWKS_MAX_BYTES, parse_jwks
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["explain_key_set", "json_page", "read_key_set"]

_TITLE: Final = "A key set is one strict JSON object, without a private key in it."
_SHOWN: Final = ("kid", "kty", "crv", "alg", "use", "key_ops")


def json_page(data: bytes) -> HTTPResponse:
    """Return the bytes of a file as the answer that they once were; the content type is not judged."""
    return HTTPResponse(status=200, headers={"content-type": "application/json"}, body=data, url="")


def read_key_set(data: bytes) -> KeySet:
    """Return the usable keys of a key set.

    Raises:
        VerificationError: ``jwks.*``.
    """
    return KeySet.from_jwks(parse_jwks(json_page(data)))


def explain_key_set(data: bytes, settings: InspectionSettings) -> tuple[Step, ...]:
    """Explain every entry of a key set, and judge the chains of those that are used.

    Args:
        data: untrusted.
        settings: roots, issuer and time.
    """
    try:
        usable = read_key_set(data).keys
    except VerificationError as error:
        return (refused(_TITLE, error),)
    page = parse_json_object(data, document="jwks", max_bytes=JWKS_MAX_BYTES)
    listed = page["keys"]
    entries = tuple(_explain_entries(listed if isinstance(listed, list) else [], settings))
    count = f"{len(usable)} usable of {len(entries)}"
    head = Step(title=_TITLE, verdict=Verdict.PASSES, detail=count)
    if usable:
        return head, *entries
    nothing = Step(
        title="There is a key to check signatures with.",
        verdict=Verdict.NOT_JUDGED,
        detail="no entry is usable, so that every assertion would be refused",
    )
    return head, *entries, nothing


def _explain_entries(entries: Iterable[object], settings: InspectionSettings) -> Iterator[Step]:
    seen: set[tuple[str | None, str, bytes]] = set()
    for place, entry in enumerate(entries, start=1):
        title = f"Key {place}"
        if not isinstance(entry, dict):
            yield Step(title=title, detail="skipped: it is no object")
            continue
        members = tuple(
            Step(title=name, detail=text_of(name, entry[name])) for name in _SHOWN if name in entry
        )
        key, reason = _load(entry)
        if key is None:
            yield Step(title=title, detail=f"skipped: {reason}", children=members)
            continue
        identity = (key.kid, key.algorithm.name, key.public_key_info)
        if identity in seen:
            yield Step(title=title, detail="skipped: it repeats an earlier key", children=members)
            continue
        seen.add(identity)
        detail = f"usable for {key.algorithm.name}"
        chain = Step(title="Chain", detail="none: it must come with each message")
        if key.chain:
            profile = ChainProfile.assertion(settings.rp.issuer, purposes=settings.rp.purposes)
            chain = Step(title="Chain", children=explain_chain(key.chain, settings=settings, profile=profile))
        yield Step(title=title, detail=detail, children=(*members, chain))


def _load(entry: dict[str, object]) -> tuple[PublishedKey | None, str]:
    """Load one entry as a login does; only the reason against it is found out here."""
    alone = json.dumps({"keys": [entry]}, ensure_ascii=False, separators=(",", ":"))
    try:
        parsed = parse_jwks(json_page(alone.encode("utf-8")))
    except VerificationError:
        return None, "written out it is larger than a whole key set may be"
    if not parsed:
        return None, _unreadable(entry)
    keys = KeySet.from_jwks(parsed).keys
    return (keys[0], "") if keys else (None, _unusable(parsed[0]))


def _unreadable(entry: dict[str, object]) -> str:
    if "crit" in entry:
        return "it demands an extension"
    # What came as a list or an object has no hash.
    if entry.get("kty") not in [row.kty for row in ALGORITHMS.values()]:
        return "its kind (kty) is not known"
    return "a member is missing, or no strict base64url, or of a wrong type"


def _unusable(jwk: JWK) -> str:
    if jwk.use not in {None, "sig"}:
        return "it is not for signatures (use)"
    if jwk.key_ops is not None and "verify" not in jwk.key_ops:
        return "it is not for checking signatures (key_ops)"
    rows = [row for row in ALGORITHMS.values() if (row.kty, row.crv) == (jwk.kty, jwk.crv)]
    if not rows:
        return "its curve (crv) is not in the table of algorithms"
    if jwk.alg is not None and jwk.alg not in {row.name for row in rows}:
        return "its algorithm (alg) is not in the table, or not one for this key"
    if not any(row.is_available for row in rows):
        return "its algorithm is not available in this installation"
    return "its key material is broken, or below the floor of its kind"
