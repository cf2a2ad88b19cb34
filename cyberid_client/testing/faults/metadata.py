"""Faults of the discovery page and of the signed metadata in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import Page, SignedDraft
from cyberid_client.testing.faults.making import (
    FAPI,
    Change,
    drop_claim,
    drop_header,
    fault,
    put_claim,
    put_header,
    put_member,
)
from cyberid_client.testing.faults.signing import drop_signature, flip_bit, sign_with_stranger, two_parts
from cyberid_client.testing.jose import json_bytes
from cyberid_client.testing.keyring import x5c_of
from cyberid_client.testing.pki import make_root

__all__ = ["DISCOVERY_FAULTS", "METADATA_FAULTS"]

_WEEK: Final = 7 * 86_400


def _discovery(
    name: str, number: str, law: str, code: str, change: Change, module: str | None = None
) -> Fault:
    return fault(f"discovery.{name}", number, law, stage="discovery", code=code, change=change, module=module)


def _html(page: Page) -> None:
    page.headers["content-type"] = "text/html; charset=utf-8"


def _cut_off(page: Page) -> None:
    page.body = page.encode()[:-1]


def _issuer_twice(page: Page) -> None:
    page.body = b'{"issuer":"https://other.example",' + page.encode()[1:]


def _byte_order_mark(page: Page) -> None:
    page.body = b"\xef\xbb\xbf" + page.encode()


def _not_a_number(page: Page) -> None:
    page.body = b'{"note":NaN,' + page.encode()[1:]


def _deep(page: Page) -> None:
    page.body = b'{"note":' + b"[" * 5_000 + b"]" * 5_000 + b"," + page.encode()[1:]


def _other_issuer(page: Page) -> None:
    page.document["issuer"] = f"{page.document['issuer']}1"


def _without(name: str) -> Change:
    def change(page: Page) -> None:
        del page.document[name]

    return change


DISCOVERY_FAULTS: Final = (
    _discovery(
        "content_type", "E2.3", "A page that is not JSON is refused.", "discovery.content_type", _html
    ),
    _discovery("not_json", "E2.3", "A page that was cut off is refused.", "discovery.malformed", _cut_off),
    _discovery(
        "member_twice",
        "E2.3",
        "A page with a duplicate member is refused, whichever of the two is right.",
        "discovery.malformed",
        _issuer_twice,
    ),
    _discovery(
        "byte_order_mark", "E2.3", "JSON begins without a mark.", "discovery.malformed", _byte_order_mark
    ),
    _discovery("not_a_number", "E2.3", "NaN is no JSON.", "discovery.malformed", _not_a_number),
    _discovery("too_deep", "E2.3", "Endless nesting is refused.", "discovery.malformed", _deep),
    _discovery(
        "too_large",
        "E2.3",
        "A page above 64 KiB is refused.",
        "discovery.too_large",
        put_member("padding", "x" * 70_000),
    ),
    _discovery(
        "issuer_other",
        "A2",
        "The page of another issuer is refused before a request is pushed.",
        "discovery.issuer",
        _other_issuer,
        FAPI + "discovery-issuer-mismatch",
    ),
    _discovery(
        "issuer_missing", "A2", "A page without issuer is refused.", "discovery.issuer", _without("issuer")
    ),
    _discovery(
        "signed_metadata_missing",
        "E3.2",
        "Without signed metadata nothing on the page is believed.",
        "discovery.signed_metadata_missing",
        _without("signed_metadata"),
    ),
)


def _metadata(
    name: str,
    number: str,
    law: str,
    code: str,
    change: Change,
    needs: str | None = None,
) -> Fault:
    return fault(f"metadata.{name}", number, law, stage="metadata", code=code, change=change, needs=needs)


def _claim_twice(draft: SignedDraft) -> None:
    draft.payload_bytes = b'{"iss":"https://other.example",' + json_bytes(draft.claims)[1:]


def _other(name: str) -> Change:
    def change(draft: SignedDraft) -> None:
        draft.claims[name] = f"{draft.claims[name]}1"

    return change


def _dated(issued: int, expires: int) -> Change:
    """Set ``iat`` and ``exp``, in seconds from now."""

    def change(draft: SignedDraft) -> None:
        draft.claims.update(iat=draft.seconds + issued, exp=draft.seconds + expires)

    return change


def _without_chain_to_root(draft: SignedDraft) -> None:
    stranger = make_root(draft.now)
    authority = draft.keyring.other_authority(draft.now, above=stranger)
    draft.use_chain(draft.keyring.rechain(draft.signer, draft.now, authority=authority))


def _expired_signer(draft: SignedDraft) -> None:
    ended = draft.now - timedelta(seconds=1)
    draft.use_chain(
        draft.keyring.rechain(
            draft.signer,
            draft.now,
            change=lambda form: replace(form, not_before=ended - timedelta(days=90), not_after=ended),
        )
    )


def _by_assertion_signer(draft: SignedDraft) -> None:
    draft.use_signer(draft.keyring.signer("assertion"))


def _san_of_other_issuer(draft: SignedDraft) -> None:
    draft.use_chain(
        draft.keyring.rechain(
            draft.signer, draft.now, change=lambda form: replace(form, uris=(f"{draft.keyring.issuer}1",))
        )
    )


def _eleven_certificates(draft: SignedDraft) -> None:
    """Send nine more, each an empty sequence: it is the number and not the size that is too much."""
    draft.header["x5c"] = [*x5c_of(draft.signer.chain), *["MAA="] * 9]


_CAPABILITIES: Final = (
    ("without_iss_parameter", "authorization_response_iss_parameter_supported", False),
    ("without_code", "response_types_supported", ["id_token"]),
    ("without_query_mode", "response_modes_supported", ["fragment"]),
    ("without_s256", "code_challenge_methods_supported", ["plain"]),
    ("without_private_key_jwt", "token_endpoint_auth_methods_supported", ["client_secret_basic"]),
    ("without_client_algorithm", "token_endpoint_auth_signing_alg_values_supported", ["RS256"]),
    ("without_algorithm", "id_token_signing_alg_values_supported", ["RS256"]),
    ("without_mode", "acr_values_supported", ["urn:example:other"]),
    ("without_pairwise", "subject_types_supported", ["public"]),
)

METADATA_FAULTS: Final = (
    _metadata("two_parts", "E3.2", "A JWS has three parts.", "metadata.malformed", two_parts),
    _metadata("claim_twice", "E3.2", "A duplicate claim is refused.", "metadata.malformed", _claim_twice),
    _metadata(
        "iat_missing", "E3.2", "Undated metadata are refused.", "metadata.claim_missing", drop_claim("iat")
    ),
    _metadata(
        "jwks_uri_missing",
        "E3.2",
        "Metadata without key set are refused; the unsigned value beside them is not used.",
        "metadata.claim_missing",
        drop_claim("jwks_uri"),
    ),
    _metadata(
        "token_endpoint_missing",
        "E3.2",
        "Metadata without token endpoint are refused; the unsigned value beside them is not used.",
        "metadata.claim_missing",
        drop_claim("token_endpoint"),
    ),
    _metadata(
        "exp_as_text", "E3.2", "A date is a number.", "metadata.claim_type", put_claim("exp", "9999999999")
    ),
    _metadata(
        "algorithm_none", "E3.3", "Unsigned metadata are refused.", "metadata.algorithm", drop_signature
    ),
    _metadata(
        "algorithm_other",
        "E3.3",
        "The header does not choose the algorithm.",
        "metadata.algorithm",
        put_header("alg", "ES512"),
    ),
    _metadata(
        "critical",
        "E3.4",
        "A critical extension that is not understood is refused.",
        "metadata.critical",
        lambda draft: draft.header.update(crit=["urn:example:unknown"], **{"urn:example:unknown": 1}),
    ),
    _metadata("type_jwt", "E3.7", "Metadata say what they are.", "metadata.type", put_header("typ", "JWT")),
    _metadata("type_missing", "E3.7", "Metadata say what they are.", "metadata.type", drop_header("typ")),
    _metadata(
        "chain_missing", "E3.6a", "Metadata bring their chain.", "metadata.chain_missing", drop_header("x5c")
    ),
    _metadata(
        "too_many_certificates",
        "E3.2",
        "A header with more than ten certificates is refused unread.",
        "metadata.too_large",
        _eleven_certificates,
    ),
    _metadata("signature_bit_flipped", "E3.6b", "One wrong bit is enough.", "metadata.signature", flip_bit),
    _metadata(
        "signature_of_stranger",
        "E3.6b",
        "The signature must be that of the certified key.",
        "metadata.signature",
        sign_with_stranger,
    ),
    _metadata(
        "chain_of_other_root",
        "E3.6c",
        "A root of the same name with another key is another root.",
        "chain.untrusted",
        _without_chain_to_root,
    ),
    _metadata(
        "expired_signer",
        "E3.6c",
        "A signer is refused from the second after its last one.",
        "chain.expired",
        _expired_signer,
    ),
    _metadata(
        "signed_by_assertion_signer",
        "E3.6c",
        "Who may sign assertions may not sign metadata.",
        "chain.purpose",
        _by_assertion_signer,
    ),
    _metadata(
        "signer_of_other_issuer",
        "E3.6c",
        "A signer that was certified for another issuer is refused.",
        "chain.subject_uri",
        _san_of_other_issuer,
    ),
    _metadata(
        "iss_other", "P3.1", "Metadata of another issuer are refused.", "metadata.issuer", _other("iss")
    ),
    _metadata("sub_other", "P3.1", "Metadata about another are refused.", "metadata.issuer", _other("sub")),
    _metadata(
        "issuer_other", "P3.1", "Metadata for another are refused.", "metadata.issuer", _other("issuer")
    ),
    _metadata(
        "issued_in_future",
        "P3.2",
        "Metadata from the future are refused beyond the leeway.",
        "metadata.issued_in_future",
        _dated(120, 3_600),
    ),
    _metadata(
        "expired",
        "P3.3",
        "Metadata are refused from the very second of exp.",
        "metadata.expired",
        _dated(-3_600, 0),
    ),
    _metadata(
        "lifetime_too_long",
        "P3.4",
        "Metadata that live for a second more than seven days are refused.",
        "metadata.lifetime",
        _dated(0, _WEEK + 1),
    ),
    _metadata(
        "rolled_back",
        "P3.5",
        "Metadata older than the newest that were accepted are refused.",
        "metadata.rolled_back",
        _dated(3_600 - _WEEK, 3_600),
        "earlier_login",
    ),
    _metadata(
        "token_endpoint_elsewhere",
        "P3.6",
        "No code is sent to a host that is not the issuer's.",
        "metadata.endpoint",
        put_claim("token_endpoint", "https://other.example/token"),
    ),
    _metadata(
        "jwks_uri_elsewhere",
        "P3.6",
        "No key comes from a host that is not the issuer's.",
        "metadata.endpoint",
        put_claim("jwks_uri", "https://other.example/jwks.json"),
    ),
    _metadata(
        "par_endpoint_plain_http",
        "P3.6",
        "No endpoint is plain http.",
        "metadata.endpoint",
        put_claim("pushed_authorization_request_endpoint", "http://issuer.example/par"),
    ),
    *(
        _metadata(
            name,
            "P3.7",
            "An issuer that offers less than is configured is refused; nothing is negotiated.",
            "metadata.capability",
            put_claim(claim, value),
        )
        for name, claim, value in _CAPABILITIES
    ),
)
