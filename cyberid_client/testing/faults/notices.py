"""What logout tokens and security events can have wrong with header, key, signature and chain: the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.faults.chains import CHAIN_FAULTS
from cyberid_client.testing.faults.making import Change, fault
from cyberid_client.testing.faults.signing import SIGNING_FAULTS
from cyberid_client.testing.jose import json_bytes

__all__ = ["appended", "claim_twice", "dated", "notice_fault", "shared_faults"]

# Of the faults of an assertion's header those stay out that are none elsewhere.
_SIGNING: Final = frozenset(
    f"id_token.{name}"
    for name in (
        "two_parts",
        "padded",
        "loose_bits",
        "header_twice",
        "payload_no_object",
        "x5c_not_base64",
        "certificate_too_large",
        "algorithm_none",
        "hmac_with_public_key",
        "algorithm_rs256_published",
        "algorithm_other",
        "critical",
        "unencoded_payload",
        "kid_unknown",
        "kid_unknown_without_chain",
        "kid_unknown_and_forged",
        "kid_absent_several_keys",
        "leaf_of_other_key",
        "chain_missing",
        "signature_bit_flipped",
        "signature_of_stranger",
        "signature_empty",
    )
)
_CHAINS: Final = frozenset(
    f"chain.{name}"
    for name in (
        "leaf_is_ca",
        "key_usage_without_signature",
        "wrong_purpose",
        "two_purposes",
        "san_uri_other",
        "san_host_other",
        "expired_signer",
        "signer_not_yet_valid",
        "unknown_critical_extension",
        "other_root",
        "authority_missing",
        "certificate_signature_broken",
        "self_signed_stranger",
    )
)


def notice_fault(  # noqa: PLR0913 - one row of a table
    document: str,
    name: str,
    number: str,
    law: str,
    code: str,
    change: Change,
    *,
    stage: str,
    needs: str,
    module: str | None = None,
) -> Fault:
    """Write one fault down; a code without section is one of the document's own."""
    return fault(
        f"{document}.{name}",
        number,
        law,
        stage=stage,
        code=code if "." in code else f"{document}.{code}",
        change=change,
        module=module,
        needs=needs,
    )


def shared_faults(
    document: str, *, stage: str, needs: str, parsing: str, modules: Mapping[str, str] | None = None
) -> Iterable[Fault]:
    """Yield the faults of header, key, signature and chain for another document that the same key signs.

    Args:
        document: the prefix of names and codes.
        stage: the kind of message.
        needs: as for :class:`Fault`.
        parsing: the number of the rule by which such a document is parsed.
        modules: name without prefix to the module of the conformance suite with the same fault.
    """
    for each in (*SIGNING_FAULTS, *CHAIN_FAULTS):
        if each.name in _SIGNING | _CHAINS:
            section, _, name = each.name.partition(".")
            own = name if section == "id_token" else f"chain_{name}"
            yield replace(
                each,
                name=f"{document}.{own}",
                numbers=tuple(parsing if number == "E3.2" else number for number in each.numbers),
                law=each.law.replace("An assertion", "A message").replace("assertions", "messages"),
                expected_code=each.expected_code.replace("id_token.", f"{document}."),
                module=(modules or {}).get(own),
                needs=needs,
                stage=stage,
            )


def appended(name: str, tail: str) -> Change:
    """Lengthen a claim."""

    def change(draft: SignedDraft) -> None:
        draft.claims[name] = f"{draft.claims[name]}{tail}"

    return change


def dated(**seconds: float) -> Change:
    """Set dates, in seconds from the issuer's time."""

    def change(draft: SignedDraft) -> None:
        draft.claims.update({name: draft.seconds + offset for name, offset in seconds.items()})

    return change


def claim_twice(draft: SignedDraft) -> None:
    """Say first for whom the message is not, and then for whom it is."""
    draft.payload_bytes = b'{"aud":"another-client",' + json_bytes(draft.claims)[1:]
