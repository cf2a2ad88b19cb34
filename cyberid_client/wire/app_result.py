"""What the ID app on a phone answered, as the app's own backend got it: untrusted (profile §4)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.wire.base64url import encode_base64url
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["APP_RESULT_MAX_BYTES", "BLOB_MAX_BYTES", "UnverifiedAppResult", "hash_blobs", "parse_app_result"]

APP_RESULT_MAX_BYTES: Final = 64 * 1024
BLOB_MAX_BYTES: Final = 16 * 1024

_DOCUMENT: Final = "app_result"
_MEMBERS: Final = ("resultCode", "idCardAuthData", "certPwdData")
_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedAppResult:
    """The answer of the ID app, parsed; the phone may have made it up.

    Members that are not listed here were dropped unread, ``resultDesc`` among them.

    Attributes:
        result_code: what the ID app says became of the launch, of any shape.
        id_card_auth_data: opaque; ``None`` when there is none.
        cert_pwd_data: likewise.
    """

    result_code: str = field(repr=False)
    id_card_auth_data: str | None = field(repr=False)
    cert_pwd_data: str | None = field(repr=False)


def parse_app_result(result: object) -> UnverifiedAppResult:
    """Parse the answer of the ID app; what is in its blobs is *not* looked at.

    Args:
        result: untrusted; a JSON object of at most 64 KiB, as text or in UTF-8, or its members.

    Raises:
        VerificationError: ``app_result.malformed``; ``app_result.too_large``, also for a blob of more than
            16 KiB; ``app_result.claim_missing``, ``app_result.claim_type``.
    """
    members = Fields(_DOCUMENT, _members_of(result))
    return UnverifiedAppResult(
        result_code=members.text("resultCode"),
        id_card_auth_data=_blob(members, "idCardAuthData"),
        cert_pwd_data=_blob(members, "certPwdData"),
    )


def hash_blobs(id_card_auth_data: str, cert_pwd_data: str | None) -> str:
    """Return the hash by which a receipt names what it answers for: SHA-256 in base64url.

    Each text is hashed in UTF-8 behind its length in four bytes, so that no two pairs run together; an
    absent one is empty.
    """
    digest = hashlib.sha256()
    for text in (id_card_auth_data, cert_pwd_data or ""):
        data = text.encode()
        digest.update(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    return encode_base64url(digest.digest())


def _members_of(result: object) -> Mapping[str, object]:
    if isinstance(result, Mapping):
        return {name: result[name] for name in _MEMBERS if name in result}
    if isinstance(result, str):
        # Text that no UTF-8 can be made of is no JSON either.
        result = str.encode(result, "utf-8", "surrogatepass")
    if not isinstance(result, bytes):
        raise refusal(_DOCUMENT, "malformed")
    return parse_json_object(result, document=_DOCUMENT, max_bytes=APP_RESULT_MAX_BYTES)


def _blob(members: Fields, name: str) -> str | None:
    """Return a blob; an empty one and ``null`` stand for none, as some bridges between app and web send them."""
    value = members.members.get(name)
    if value is None or (type(value) is str and not value):
        return None
    blob = members.text(name)
    try:
        size = len(blob.encode())
    except UnicodeEncodeError:
        size = -1
    if size < 0:
        raise refusal(_DOCUMENT, "malformed")
    if size > BLOB_MAX_BYTES:
        raise refusal(_DOCUMENT, "too_large")
    return blob
