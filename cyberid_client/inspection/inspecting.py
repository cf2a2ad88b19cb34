"""Explain one document, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from cyberid_client.inspection.assertions import explain_assertion
from cyberid_client.inspection.certificates import explain_certificates
from cyberid_client.inspection.detection import detect_kind
from cyberid_client.inspection.key_sets import explain_key_set
from cyberid_client.inspection.metadata import explain_discovery, explain_metadata
from cyberid_client.inspection.result import Explanation, Kind, Step, Verdict
from cyberid_client.inspection.settings import InspectionSettings
from cyberid_client.inspection.shown import clean_step
from cyberid_client.inspection.status_lists import explain_status_list
from cyberid_client.tracebacks import OwnFramesDropped

__all__ = ["inspect_document"]

_WITHOUT_EVIDENCE: Final[Mapping[Kind, Callable[[bytes, InspectionSettings], tuple[Step, ...]]]] = {
    Kind.METADATA: explain_metadata,
    Kind.DISCOVERY: explain_discovery,
    Kind.JWKS: explain_key_set,
    Kind.CHAIN: explain_certificates,
    Kind.STATUS_LIST: explain_status_list,
}


def inspect_document(data: bytes, *, settings: InspectionSettings) -> Explanation:
    """Explain a document step by step, and say of each check of its checklist whether it holds.

    The checks are those of a login, on the same bytes, in the same order; but one that fails does not end
    the explanation. Nothing is fetched, nothing is kept, and no login comes of it. What a login knows and
    ``settings`` does not is not judged, which is never a pass. Not judged at all: the status and the
    content type of an answer, and whether a nonce was used before.

    No identity number is in the result, and none of the values of a person unless
    ``settings.show_values`` says so.

    Args:
        data: untrusted; white space around it does not count.
        settings: what is known beside it.

    Returns:
        The explanation, whatever the bytes are; ``kind`` is ``UNKNOWN`` when they look like nothing.

    Raises:
        ConfigurationError: ``config.algorithm_unavailable``, when a part for ``settings.algorithm`` is
            not installed.
    """
    with OwnFramesDropped():
        # A certificate in DER may end with any byte.
        document = data.strip() if data[:1] != b"0" else data
        kind = detect_kind(document) if settings.kind is None else settings.kind
        if kind is Kind.ID_TOKEN:
            steps, evidence = explain_assertion(document, settings)
        elif kind is Kind.UNKNOWN:
            steps, evidence = (_unknown(document),), None
        else:
            steps, evidence = _WITHOUT_EVIDENCE[kind](document, settings), None
        explanation = Explanation(kind=kind, steps=steps, evidence=evidence)
        return replace(explanation, steps=tuple(map(clean_step, explanation.steps)))


def _unknown(data: bytes) -> Step:
    return Step(
        title="It is a token, a chain, a key set, a discovery page or a status list.",
        verdict=Verdict.FAILS,
        detail=f"{len(data)} bytes that look like none of these; say which it is meant to be",
    )
