"""Faults of the status lists and of the page that names them."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Final

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import Page, SignedDraft
from cyberid_client.testing.faults.making import (
    Change,
    drop_claim,
    drop_header,
    fault,
    put_claim,
    put_header,
    put_member,
)
from cyberid_client.testing.faults.signing import drop_signature, flip_bit, sign_with_stranger, two_parts
from cyberid_client.testing.jose import b64url, decode_part, json_bytes
from cyberid_client.testing.pki import make_root

__all__ = ["AGGREGATION_FAULTS", "STATUS_LIST_FAULTS"]

_DAY: Final = 86_400
_WIRE_LIMIT: Final = 32 * 1024 * 1024
_INFLATED_LIMIT: Final = 128 * 1024 * 1024


def _aggregation(name: str, law: str, code: str, change: Change, number: str = "E9.3") -> Fault:
    return fault(
        f"status_aggregation.{name}",
        number,
        law,
        stage="status_aggregation",
        code=f"status_aggregation.{code}",
        change=change,
    )


def _html(page: Page) -> None:
    page.headers["content-type"] = "text/html; charset=utf-8"


def _cut_off(page: Page) -> None:
    page.body = page.encode()[:-1]


def _nothing(page: Page) -> None:
    del page.document["status_lists"]


def _too_many(page: Page) -> None:
    page.document["status_lists"] = [f"{page.keyring.issuer}/status-lists/{count}" for count in range(1001)]


AGGREGATION_FAULTS: Final = (
    _aggregation("content_type", "A page that is not JSON is refused.", "content_type", _html),
    _aggregation("not_json", "A page that was cut off is refused.", "malformed", _cut_off),
    _aggregation(
        "too_large", "A page above 256 KiB is refused.", "too_large", put_member("padding", "x" * 270_000)
    ),
    _aggregation("lists_missing", "A page without the list is refused.", "claim_missing", _nothing),
    _aggregation(
        "no_list", "A list is no text.", "claim_type", put_member("status_lists", "https://issuer.example/1")
    ),
    _aggregation("too_many", "More than 1,000 lists are refused.", "too_many", _too_many),
    _aggregation(
        "foreign_host",
        "A list on a host that is not the issuer's is not fetched.",
        "url",
        put_member("status_lists", ["https://other.example/status-lists/1"]),
        "E9.3a",
    ),
    _aggregation(
        "plain_http",
        "A list without TLS is not fetched.",
        "url",
        put_member("status_lists", ["http://issuer.example/status-lists/1"]),
        "E9.3a",
    ),
)


def _fault(name: str, number: str, law: str, code: str, change: Change, stage: str = "status_list") -> Fault:
    full = code if code.startswith("chain.") else f"status_list.{code}"
    return fault(f"status_list.{name}", number, law, stage=stage, code=full, change=change)


def _claim_twice(draft: SignedDraft) -> None:
    draft.payload_bytes = b'{"sub":"https://other.example/1",' + json_bytes(draft.claims)[1:]


def _critical(draft: SignedDraft) -> None:
    draft.header.update(crit=["urn:example:unknown"], **{"urn:example:unknown": 1})


def _inner(**changes: object) -> Change:
    """Change members inside the claim ``status_list``; ``...`` takes one out."""

    def change(draft: SignedDraft) -> None:
        inner = {**_members_of(draft), **changes}
        draft.claims["status_list"] = {name: value for name, value in inner.items() if value is not ...}

    return change


def _members_of(draft: SignedDraft) -> dict[str, object]:
    inner = draft.claims["status_list"]
    return dict(inner) if isinstance(inner, dict) else {}


def _entries_followed(draft: SignedDraft) -> None:
    _inner(lst=b64url(decode_part(str(_members_of(draft)["lst"])) + b"\0"))(draft)


def _entries_cut_off(draft: SignedDraft) -> None:
    _inner(lst=b64url(decode_part(str(_members_of(draft)["lst"]))[:-1]))(draft)


def _entries_raw(draft: SignedDraft) -> None:
    _inner(lst=b64url(decode_part(str(_members_of(draft)["lst"]))[2:-4]))(draft)


def _bomb(draft: SignedDraft) -> None:
    packer = zlib.compressobj(9)
    piece = bytes(1024 * 1024)
    pieces = [packer.compress(piece) for _ in range(_INFLATED_LIMIT // len(piece))]
    _inner(lst=b64url(b"".join([*pieces, packer.compress(b"\0"), packer.flush()])))(draft)


def _other_list(draft: SignedDraft) -> None:
    draft.claims["sub"] = f"{draft.claims['sub']}1"


def _dated(**offsets: int) -> Change:
    """Set dates, in seconds from the issuer's time."""

    def change(draft: SignedDraft) -> None:
        draft.claims.update({name: draft.seconds + offset for name, offset in offsets.items()})

    return change


def _endless_and_old(draft: SignedDraft) -> None:
    del draft.claims["exp"]
    _dated(iat=-2 * _DAY)(draft)


def _oversized(page: Page) -> None:
    page.body = page.encode() + b"A" * (_WIRE_LIMIT + 1 - len(page.encode()))


def _as_jwt(page: Page) -> None:
    page.headers["content-type"] = "application/jwt"


def _by_assertion_signer(draft: SignedDraft) -> None:
    draft.use_signer(draft.keyring.signer("assertion"))


def _of_other_root(draft: SignedDraft) -> None:
    authority = draft.keyring.other_authority(draft.now, above=make_root(draft.now))
    draft.use_chain(draft.keyring.rechain(draft.signer, draft.now, authority=authority))


def _of_other_issuer(draft: SignedDraft) -> None:
    other = f"{draft.keyring.issuer}1"
    draft.use_chain(
        draft.keyring.rechain(draft.signer, draft.now, change=lambda form: replace(form, uris=(other,)))
    )


def _expired_signer(draft: SignedDraft) -> None:
    ended = draft.now - timedelta(seconds=1)
    draft.use_chain(
        draft.keyring.rechain(
            draft.signer,
            draft.now,
            change=lambda form: replace(form, not_before=ended - timedelta(days=90), not_after=ended),
        )
    )


_FORM_FAULTS: Final = (
    _fault("content_type", "E9.3", "A list says what it is.", "content_type", _as_jwt, "status_list_answer"),
    _fault(
        "too_large", "E9.3", "A list above 32 MiB is refused.", "too_large", _oversized, "status_list_answer"
    ),
    _fault("two_parts", "E9.4", "A JWS has three parts.", "malformed", two_parts),
    _fault("claim_twice", "E9.4", "A duplicate claim is refused.", "malformed", _claim_twice),
    _fault("iat_missing", "E9.4", "An undated list is refused.", "claim_missing", drop_claim("iat")),
    _fault("entries_missing", "E9.4", "A list has entries.", "claim_missing", _inner(lst=...)),
    _fault("exp_as_text", "E9.4", "A date is a number.", "claim_type", put_claim("exp", "9999999999")),
    _fault("ttl_as_text", "E9.4", "A time to live is a number.", "claim_type", put_claim("ttl", "300")),
    _fault("three_bits", "E9.7a", "An entry has 1, 2, 4 or 8 bits.", "bits", _inner(bits=3)),
    _fault("entries_no_base64", "E9.7a", "Entries are strict base64url.", "malformed", _inner(lst="eNo=")),
)
_SIGNER_FAULTS: Final = (
    _fault("algorithm_none", "E3.3", "An unsigned list is refused.", "algorithm", drop_signature),
    _fault(
        "algorithm_other",
        "E3.3",
        "The header does not choose the algorithm.",
        "algorithm",
        put_header("alg", "ES512"),
    ),
    _fault("critical", "E3.4", "An extension that is not understood is refused.", "critical", _critical),
    _fault("type_jwt", "E3.7", "A list says what it is.", "type", put_header("typ", "JWT")),
    _fault("chain_missing", "E3.6a", "A list brings its chain.", "chain_missing", drop_header("x5c")),
    _fault("signature_bit_flipped", "E3.6b", "One wrong bit is enough.", "signature", flip_bit),
    _fault(
        "signature_of_stranger",
        "E3.6b",
        "The signature must be that of the certified key.",
        "signature",
        sign_with_stranger,
    ),
    _fault(
        "signed_by_assertion_signer",
        "E3.6c",
        "Who may sign assertions may not sign status lists.",
        "chain.purpose",
        _by_assertion_signer,
    ),
    _fault("chain_of_other_root", "E3.6c", "Another root is refused.", "chain.untrusted", _of_other_root),
    _fault(
        "signer_of_other_issuer",
        "E3.6c",
        "A signer that was certified for another issuer is refused.",
        "chain.subject_uri",
        _of_other_issuer,
    ),
    _fault("expired_signer", "E3.6c", "An expired signer is refused.", "chain.expired", _expired_signer),
)
_CLAIM_FAULTS: Final = (
    _fault("other_list", "E9.5a", "The list of another address is refused.", "subject", _other_list),
    _fault(
        "other_audience",
        "E9.5b",
        "A list for others is refused.",
        "audience",
        put_claim("aud", ["another-client"]),
    ),
    _fault(
        "from_the_future", "E9.5c", "A list from the future is refused.", "issued_in_future", _dated(iat=_DAY)
    ),
    _fault(
        "old_without_end",
        "E9.5c",
        "A list without an end is refused a day after it was issued.",
        "issued_too_long_ago",
        _endless_and_old,
    ),
    _fault("not_yet_valid", "E9.5d", "A list is not used early.", "not_yet_valid", _dated(nbf=_DAY)),
    _fault("expired", "E9.5e", "A list is refused from the second of exp.", "expired", _dated(exp=0)),
    _fault("ttl_zero", "E9.5f", "A list lives for some time.", "ttl", put_claim("ttl", 0)),
    _fault(
        "rolled_back",
        "E9.5g",
        "An older list than the one that is held is refused.",
        "rolled_back",
        _dated(iat=-_DAY),
    ),
    _fault("entries_followed", "E9.7", "Nothing follows the entries.", "compression", _entries_followed),
    _fault("entries_cut_off", "E9.7", "Entries are complete.", "compression", _entries_cut_off),
    _fault("entries_without_zlib", "E9.7", "Bare deflate is refused.", "compression", _entries_raw),
    _fault("bomb", "E9.7", "More than 128 MiB are never inflated.", "inflated_too_large", _bomb),
)
STATUS_LIST_FAULTS: Final = (*_FORM_FAULTS, *_SIGNER_FAULTS, *_CLAIM_FAULTS)
