"""Dishonest presentations: what a wallet can do to credential, disclosures and key binding."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.credentials import disclosure_of
from cyberid_client.testing.faults.making import Change, fault
from cyberid_client.testing.jose import ALGORITHMS, b64url, json_bytes, jwk_of
from cyberid_client.testing.wallet.presenting import ChoiceDraft, PresentationDraft

__all__ = ["BINDING_FAULTS", "SUITE"]

# Prefix of the conformance suite's module names.
SUITE: Final = "oid4vp-1final-verifier-"
_YEAR: Final = 365 * 86_400
_WINDOW: Final = 900
_MADE_UP: Final = "made-up-disclosure-salt"


def _fault(
    name: str,
    number: str,
    law: str,
    code: str,
    change: Change,
    *,
    needs: str = "wallet",
    stage: str = "presentation",
    module: str | None = None,
) -> Fault:
    return fault(
        f"wallet.{name}",
        number,
        law,
        stage=stage,
        code=code if "." in code else f"key_binding.{code}",
        change=change,
        needs=needs,
        module=module,
    )


def _claim(name: str, value: object) -> Change:
    """Set a claim of the key binding; ``...`` takes it out."""

    def change(draft: PresentationDraft) -> None:
        def edit(claims: dict[str, object]) -> None:
            claims[name] = value
            if value is ...:
                del claims[name]

        draft.edit_claims = edit

    return change


def _made(**offsets: float) -> Change:
    """Set dates, in seconds from the wallet's time."""
    return lambda draft: draft.claims.update(
        {name: draft.seconds + offset for name, offset in offsets.items()}
    )


def _said(edit: Callable[[PresentationDraft], object], name: str) -> Change:
    """Set a claim to what follows from the request."""
    return lambda draft: draft.claims.update({name: edit(draft)})


def _header(**members: object) -> Change:
    return lambda draft: draft.header.update(members)


def _without_type(draft: PresentationDraft) -> None:
    del draft.header["typ"]


def _signature(edit: Callable[[bytes], bytes]) -> Change:
    def change(draft: PresentationDraft) -> None:
        draft.edit_signature = edit

    return change


def _as_der(signature: bytes) -> bytes:
    half = len(signature) // 2
    numbers = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    return encode_dss_signature(*numbers)


def _binding(edit: Callable[[str], str]) -> Change:
    def change(draft: PresentationDraft) -> None:
        draft.edit_binding = edit

    return change


def _text(edit: Callable[[str], str]) -> Change:
    def change(draft: PresentationDraft) -> None:
        draft.edit_text = edit

    return change


def _other_key(draft: PresentationDraft) -> None:
    draft.key = ALGORITHMS[draft.algorithm].generate()


def _other_key_in_header(draft: PresentationDraft) -> None:
    _other_key(draft)
    draft.header["jwk"] = jwk_of(draft.key.public_key())


def _hmac_with_public_key(draft: PresentationDraft) -> None:
    """Take the holder's public key for a secret."""
    secret = draft.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    draft.header["alg"] = "HS256"

    def edit(token: str) -> str:
        message = token.rpartition(".")[0]
        return f"{message}.{b64url(hmac.digest(secret, message.encode(), hashlib.sha256))}"

    draft.edit_binding = edit


def _nothing_signed(draft: PresentationDraft) -> None:
    draft.header["alg"] = "none"
    draft.edit_signature = lambda _signature: b""


def _claim_twice(draft: PresentationDraft) -> None:
    draft.payload_bytes = lambda claims: b'{"nonce":"of-another-request",' + json_bytes(claims)[1:]


def _header_twice(draft: PresentationDraft) -> None:
    draft.header_bytes = lambda header: b'{"alg":"none",' + json_bytes(header)[1:]


def _hash_of(text: str) -> str:
    return b64url(hashlib.sha256(text.encode()).digest())


def _hash_of_bare(draft: PresentationDraft) -> None:
    """Bind the credential alone, so that disclosures could be added and taken away."""
    _claim("sd_hash", _hash_of(draft.jwt))(draft)


def _hash_without_last_tilde(draft: PresentationDraft) -> None:
    _claim("sd_hash", _hash_of("~".join((draft.jwt, *draft.disclosures))))(draft)


def _hash_in_hex(draft: PresentationDraft) -> None:
    draft.edit_claims = lambda claims: claims.update(sd_hash=hashlib.sha256(draft.jwt.encode()).hexdigest())


def _withdrawn_afterwards(draft: PresentationDraft) -> None:
    """Take the disclosure away from under the signature."""
    draft.edit_text = lambda text: "~".join((text.partition("~")[0], text.rpartition("~")[2]))


def _shown_afterwards(draft: PresentationDraft) -> None:
    """Sign without the disclosure and add it then."""
    shown, draft.disclosures = draft.disclosures, []
    draft.edit_text = lambda text: "~".join((draft.jwt, *shown, text.rpartition("~")[2]))


def _tampered(draft: PresentationDraft) -> None:
    """Claim to be older under the same digest."""
    draft.disclosures = [disclosure_of(_MADE_UP, "age_band", "adult")]


def _made_up(draft: PresentationDraft) -> None:
    draft.disclosures = [*draft.disclosures, disclosure_of(_MADE_UP, "acr", "urn:cyberid:mode:r04")]


def _repeated(draft: PresentationDraft) -> None:
    draft.disclosures = [each for each in draft.disclosures for _ in range(2)]


def _of_another_person(draft: PresentationDraft) -> None:
    """Show the age band of somebody else."""
    other = draft.wallet.another("teenager").holding(draft.asked.asker.sector)
    draft.disclosures = [] if other is None else [each.text for each in other.disclosures]


def _credential_of_another_person(draft: PresentationDraft) -> None:
    """Show a credential that was stolen, with a key of one's own."""
    other = draft.wallet.another("traveller").holding(draft.asked.asker.sector)
    if other is not None:
        draft.jwt = other.jwt


def _credential_of_other_sector(draft: PresentationDraft) -> None:
    """Show what was issued for another app, with the right key."""
    other = draft.wallet.any_other(draft.asked.asker.sector)
    draft.jwt, draft.key = other.jwt, other.key


def _relayed(draft: PresentationDraft) -> None:
    """Give another app's answer, as that app got it for a nonce that it took from us."""
    _credential_of_other_sector(draft)
    draft.claims["aud"] = f"x509_hash:{_hash_of('another app')}"


def _padded_disclosure(draft: PresentationDraft) -> None:
    draft.disclosures = [f"{each}=" for each in draft.disclosures]


def _careless(draft: ChoiceDraft) -> None:
    draft.careless = True


_KEY_FAULTS: Final = (
    _fault("no_key_binding", "E10.11", "A bare credential is refused.", "missing", _binding(lambda _: "")),
    _fault(
        "signed_by_other_key",
        "E3.6b",
        "A key binding is signed with the credential's own key.",
        "signature",
        _other_key,
        module=f"{SUITE}invalid-kb-jwt-signature",
    ),
    _fault(
        "key_in_header",
        "E3.6b",
        "A key that comes along in the header counts for nothing.",
        "signature",
        _other_key_in_header,
    ),
    _fault(
        "credential_of_another_person",
        "E3.6b",
        "A stolen credential is worth nothing without its key.",
        "signature",
        _credential_of_another_person,
    ),
    *(
        _fault(f"binding_signature_{name}", "E3.6b", law, "signature", _signature(edit))
        for name, law, edit in (
            ("bit_flipped", "One wrong bit is enough.", lambda s: s[:-1] + bytes([s[-1] ^ 1])),
            ("empty", "No signature is none.", lambda _: b""),
            ("zero", "Zeros sign nothing.", lambda s: bytes(len(s))),
            ("truncated", "A signature has one length.", lambda s: s[:-1]),
            ("der", "A JWS signature is r and s, not DER.", _as_der),
        )
    ),
    _fault(
        "binding_algorithm_none", "E3.3", "An unsigned key binding is refused.", "algorithm", _nothing_signed
    ),
    _fault(
        "binding_hmac_with_public_key",
        "E3.3",
        "A public key is no secret: an HMAC under it is refused.",
        "algorithm",
        _hmac_with_public_key,
    ),
    _fault(
        "binding_algorithm_other",
        "E3.3",
        "The header does not choose the algorithm.",
        "algorithm",
        _header(alg="ES384"),
    ),
    _fault(
        "binding_critical",
        "E3.4",
        "An extension that is not understood is refused.",
        "critical",
        _header(crit=["urn:example:unknown"], **{"urn:example:unknown": 1}),
    ),
    *(
        _fault(
            f"binding_type_{name}",
            "E3.7",
            "A document of another kind is no key binding.",
            "type",
            _header(typ=typ),
        )
        for name, typ in (("jwt", "JWT"), ("credential", "dc+sd-jwt"), ("dpop", "dpop+jwt"))
    ),
    _fault("binding_type_missing", "E3.7", "A key binding says what it is.", "type", _without_type),
)

_WORD_FAULTS: Final = (
    _fault(
        "audience_other",
        "E11.5a",
        "What another app was shown is not for us.",
        "audience",
        _said(lambda _: f"x509_hash:{_hash_of('another app')}", "aud"),
        module=f"{SUITE}invalid-kb-jwt-aud",
    ),
    _fault(
        "audience_without_prefix",
        "E11.5a",
        "The prefix belongs to the client id.",
        "audience",
        _said(lambda draft: draft.asked.asker.client_id.partition(":")[2], "aud"),
    ),
    _fault(
        "audience_sector",
        "E11.5a",
        "The sector is not the client id.",
        "audience",
        _said(lambda draft: draft.asked.asker.sector, "aud"),
    ),
    _fault(
        "audience_origin",
        "E11.5a",
        "An answer through a browser's interface for some origin is none to this request.",
        "audience",
        _said(lambda draft: f"origin:https://{draft.asked.asker.host}", "aud"),
    ),
    _fault(
        "audience_response_uri",
        "E11.5a",
        "Where the answer goes is not whom it is for.",
        "audience",
        _said(lambda draft: draft.asked.response_uri, "aud"),
    ),
    _fault(
        "audience_list",
        "E10.1",
        "A key binding is for one verifier.",
        "claim_type",
        _said(lambda draft: [draft.asked.asker.client_id], "aud"),
    ),
    _fault(
        "nonce_other",
        "E11.5b",
        "An answer to another request is refused.",
        "nonce",
        _said(lambda _: b64url(bytes(32)), "nonce"),
        module=f"{SUITE}invalid-kb-jwt-nonce",
    ),
    _fault(
        "nonce_begun",
        "E11.5b",
        "A nonce that only begins like ours is another.",
        "nonce",
        _said(lambda draft: draft.asked.nonce + "A", "nonce"),
    ),
    _fault("nonce_empty", "E10.1", "No nonce is none.", "claim_type", _said(lambda _: "", "nonce")),
    _fault(
        "sd_hash_other",
        "E10.12d",
        "A key binding is about this credential and these disclosures.",
        "sd_hash",
        _claim("sd_hash", b64url(bytes(32))),
        module=f"{SUITE}invalid-sd-hash",
    ),
    _fault("sd_hash_of_bare", "E10.12d", "The tilde belongs to the hash.", "sd_hash", _hash_of_bare),
    _fault(
        "sd_hash_without_last_tilde",
        "E10.12d",
        "The last tilde belongs to the hash.",
        "sd_hash",
        _hash_without_last_tilde,
    ),
    _fault("sd_hash_in_hex", "E10.12d", "A hash is base64url.", "sd_hash", _hash_in_hex),
    *(
        _fault(
            f"{name}_missing",
            "E10.1",
            "A key binding says when, for whom, in answer to what, and about what.",
            "claim_missing",
            _claim(name, ...),
        )
        for name in ("iat", "aud", "nonce", "sd_hash")
    ),
    *(
        _fault(f"{name}_of_other_kind", "E10.1", "A claim has its type.", "claim_type", _claim(name, value))
        for name, value in (("iat", "1"), ("nonce", 1), ("sd_hash", None))
    ),
    _fault(
        "made_too_early",
        "E10.12b",
        "A phone's clock may be a quarter of an hour slow, and not a second more.",
        "issued_too_long_ago",
        _made(iat=-_WINDOW - 1),
    ),
    _fault(
        "made_too_late",
        "E10.12b",
        "A phone's clock may be a quarter of an hour fast, and not a second more.",
        "issued_in_future",
        _made(iat=_WINDOW + 1),
    ),
    _fault(
        "made_last_year",
        "E10.12b",
        "A key binding of last year is refused.",
        "issued_too_long_ago",
        _made(iat=-_YEAR),
        module=f"{SUITE}kb-jwt-iat-in-past",
    ),
    _fault(
        "made_next_year",
        "E10.12b",
        "A key binding of next year is refused.",
        "issued_in_future",
        _made(iat=_YEAR),
        module=f"{SUITE}kb-jwt-iat-in-future",
    ),
    _fault("binding_expired", "E10.12c", "An end counts from its very second.", "expired", _made(exp=0)),
    _fault(
        "binding_not_yet_valid",
        "E10.12c",
        "A beginning counts, by a phone's clock.",
        "not_yet_valid",
        _made(nbf=_WINDOW + 1),
    ),
)

_FORM_FAULTS: Final = (
    _fault("binding_claim_twice", "E10.1", "A duplicate claim is refused.", "malformed", _claim_twice),
    _fault(
        "binding_header_twice", "E10.1", "A duplicate header member is refused.", "malformed", _header_twice
    ),
    _fault(
        "binding_two_parts",
        "E10.1",
        "A JWS has three parts.",
        "malformed",
        _binding(lambda token: token.rpartition(".")[0]),
    ),
    _fault(
        "binding_padded",
        "E10.1",
        "Base64url has no padding.",
        "malformed",
        _binding(lambda token: token + "="),
    ),
    _fault(
        "binding_too_large",
        "E10.1",
        "A key binding above 8 KiB is refused unread.",
        "too_large",
        lambda draft: draft.claims.update(padding="x" * 8_192),
    ),
    _fault(
        "two_bindings",
        "E10.5",
        "There is one key binding: what stands before the last tilde is a disclosure, or nothing.",
        "credential.disclosure",
        _binding(lambda token: f"{token}~{token}"),
    ),
    _fault(
        "disclosure_empty",
        "E10.1",
        "Between two tildes stands a disclosure.",
        "credential.malformed",
        lambda draft: draft.disclosures.append(""),
    ),
    _fault(
        "too_many_disclosures",
        "E10.1",
        "More disclosures than any credential has are refused unread.",
        "credential.too_large",
        lambda draft: draft.disclosures.extend(disclosure_of(_MADE_UP, "x", n) for n in range(101)),
    ),
    _fault(
        "no_credential",
        "E10.1",
        "A credential is not nothing.",
        "credential.malformed",
        _text(lambda text: text.partition("~")[1] + text.partition("~")[2]),
    ),
    _fault(
        "not_ascii",
        "E10.1",
        "A presentation is ASCII.",
        "credential.malformed",
        _text(lambda text: f"{text}é"),
    ),
)

_CONTENT_FAULTS: Final = (
    _fault(
        "extra_disclosure",
        "P6.4",
        "What was not asked for is refused, though the issuer stands for it.",
        "credential.age_band",
        _careless,
        stage="choice",
    ),
    _fault(
        "tampered_disclosure",
        "E10.7",
        "A disclosure that the issuer has no digest of is refused.",
        "credential.disclosure_unreferenced",
        _tampered,
        needs="wallet_age_band",
    ),
    _fault(
        "made_up_disclosure",
        "E10.7",
        "Nobody adds to what the issuer said.",
        "credential.disclosure_unreferenced",
        _made_up,
    ),
    _fault(
        "disclosure_of_another_person",
        "E10.7",
        "The disclosure of another credential is none of this one's.",
        "credential.disclosure_unreferenced",
        _of_another_person,
        needs="wallet_age_band",
    ),
    _fault(
        "disclosure_repeated",
        "E10.7",
        "A disclosure stands there once.",
        "credential.digest_repeated",
        _repeated,
        needs="wallet_age_band",
    ),
    _fault(
        "disclosure_padded",
        "E10.5",
        "A disclosure is strict base64url.",
        "credential.disclosure",
        _padded_disclosure,
        needs="wallet_age_band",
    ),
    _fault(
        "disclosure_withdrawn_afterwards",
        "E10.12d",
        "What was signed with a disclosure is not shown without it.",
        "sd_hash",
        _withdrawn_afterwards,
        needs="wallet_age_band",
    ),
    _fault(
        "disclosure_shown_afterwards",
        "E10.12d",
        "What was signed without a disclosure is not shown with it.",
        "sd_hash",
        _shown_afterwards,
        needs="wallet_age_band",
    ),
    _fault(
        "credential_of_other_sector",
        "E3.9",
        "A credential for another app is refused, with the right key as well.",
        "credential.audience",
        _credential_of_other_sector,
    ),
    _fault(
        "relayed_from_another_app",
        "E3.9",
        "What another app was shown for our nonce is refused.",
        "credential.audience",
        _relayed,
    ),
)

BINDING_FAULTS: Final = (*_KEY_FAULTS, *_WORD_FAULTS, *_FORM_FAULTS, *_CONTENT_FAULTS)
