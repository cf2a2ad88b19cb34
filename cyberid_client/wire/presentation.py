"""What a wallet posts, before anybody believed it (OpenID4VP 1.0 §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.wire.fields import Fields, as_texts
from cyberid_client.wire.forms import read_form_parameters
from cyberid_client.wire.jwe import JWE_MAX_BYTES
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.strict_json import parse_json_object

__all__ = [
    "PresentationForm",
    "UnverifiedPresentation",
    "parse_presentation",
    "read_presentation_form",
]

PRESENTATION_REQUEST_MAX_BYTES: Final = 128 * 1024

_DOCUMENT: Final = "presentation"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationForm:
    """What stands in the form; exactly one of ``response`` and ``error``, unless the answer is not encrypted.

    Attributes:
        response: an encrypted answer.
        error: why the wallet gives none; only this may come unencrypted.
        state: which request an unencrypted form names.
        unencrypted: an answer stands there for everybody to read.
    """

    response: str | None = field(default=None, repr=False)
    error: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    unencrypted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedPresentation:
    """What was inside an encrypted answer; members that are not listed here were dropped unread.

    Attributes:
        state: which request it says to answer.
        error: why the wallet gives nothing, if it does not.
        presentations: of each credential, by the id in the query; ``None`` when it is not an object of lists of
            texts, or absent.
    """

    state: str | None = field(repr=False)
    error: str | None = field(repr=False)
    presentations: Mapping[str, tuple[str, ...]] | None = field(repr=False)


def read_presentation_form(body: bytes, content_type: str | None) -> PresentationForm:
    """Take the form apart that a wallet posts (§8.2, §8.3.1).

    Args:
        body: untrusted; a form of at most :data:`PRESENTATION_REQUEST_MAX_BYTES`.
        content_type: untrusted.

    Raises:
        VerificationError: ``presentation.content_type``, ``presentation.too_large``, ``presentation.form``.
    """
    values = read_form_parameters(
        body,
        content_type,
        names=("response", "vp_token", "error", "state"),
        document=_DOCUMENT,
        max_bytes=PRESENTATION_REQUEST_MAX_BYTES,
    )
    response, vp_token, error, state = values.values()
    if vp_token is not None:
        return PresentationForm(state=state, unencrypted=True)
    if bool(response) == bool(error):
        raise refusal(_DOCUMENT, "form")
    return PresentationForm(response=response or None, error=error or None, state=state)


def parse_presentation(payload: bytes) -> UnverifiedPresentation:
    """Parse what was inside an encrypted answer; nothing in it is believed.

    Args:
        payload: untrusted; JSON.

    Raises:
        VerificationError: ``presentation.too_large``, ``presentation.malformed``, ``presentation.claim_type``.
    """
    members = parse_json_object(payload, document=_DOCUMENT, max_bytes=JWE_MAX_BYTES)
    claims = Fields(_DOCUMENT, members)
    return UnverifiedPresentation(
        state=claims.optional_text("state"),
        error=claims.optional_text("error"),
        presentations=_as_presentations(members.get("vp_token")),
    )


def _as_presentations(value: object) -> dict[str, tuple[str, ...]] | None:
    if type(value) is not dict:
        return None
    found = {name: as_texts(each) for name, each in value.items()}
    if None in found.values():
        return None
    return {name: texts for name, texts in found.items() if texts is not None}
