"""What the issuer is answered to a logout token or a security event: nothing that it does not know already."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Final

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.notices import WebhookReply

__all__ = ["reply_to_event", "reply_to_logout"]

_NO_STORE: Final = MappingProxyType({"cache-control": "no-store"})
_JSON: Final = MappingProxyType({**_NO_STORE, "content-type": "application/json", "content-language": "en"})

_KEY_RULES: Final = frozenset(
    {
        "algorithm",
        "chain_missing",
        "key_ambiguous",
        "key_mismatch",
        "key_unknown",
        "key_unpublished",
        "signature",
    }
)
_CERTIFICATE_FAMILIES: Final = frozenset({"chain", "revocation"})
# What else the events of a stream may be refused for is the sender's affair and no secret (RFC 8935 §2.4).
_DESCRIPTIONS: Final = {
    "invalid_request": "The event was refused.",
    "invalid_key": "The key or the signature of the event was refused.",
    "invalid_issuer": "The issuer of the event was refused.",
    "invalid_audience": "The audience of the event was refused.",
    "authentication_failed": "The event could not be taken now; send it again.",
}


def reply_to_logout(error: CyberIDError | None) -> WebhookReply:
    """Return exactly 200 or 400, with an empty body (Back-Channel Logout 1.0 §2.8).

    Whether the session or the person was known is not to be seen in it.

    Args:
        error: why nobody was logged out; ``None`` when the token was believed.
    """
    if error is None:
        return WebhookReply(status=200, headers=dict(_NO_STORE))
    return WebhookReply(status=400, headers=dict(_NO_STORE), code=error.code)


def reply_to_event(error: CyberIDError | None) -> WebhookReply:
    """Return exactly 202, or 400 with one of the codes of RFC 8935 §2.4.

    What could not be judged or kept now, also because the app's own handler failed, is answered with
    ``authentication_failed``: RFC 8935 has no code for it, and this one says nothing against the event
    itself, so that the sender keeps it and sends it again.

    Args:
        error: why the event had no effect; ``None`` when it is acknowledged.
    """
    if error is None:
        return WebhookReply(status=202, headers=dict(_NO_STORE))
    err = _err_of(error)
    body = json.dumps({"err": err, "description": _DESCRIPTIONS[err]}).encode()
    return WebhookReply(status=400, headers=dict(_JSON), body=body, code=error.code)


def _err_of(error: CyberIDError) -> str:
    family, _, rule = error.code.partition(".")
    if not isinstance(error, VerificationError) or error.retryable:
        return "authentication_failed"
    if family in _CERTIFICATE_FAMILIES or (family == "security_event" and rule in _KEY_RULES):
        return "invalid_key"
    if family != "security_event":
        # The issuer's own documents, without which nothing can be judged.
        return "authentication_failed"
    return {"issuer": "invalid_issuer", "audience": "invalid_audience"}.get(rule, "invalid_request")
