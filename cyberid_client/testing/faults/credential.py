"""Faults of the credentials that the issuer puts into wallets; the wallet that shows them is honest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.credentials import CredentialDraft, disclosure_of, hash_disclosure
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.faults.assertion import hold_a_number
from cyberid_client.testing.faults.making import (
    Change,
    append_to_claim,
    drop_claim,
    drop_header,
    fault,
    oddity,
    put_claim,
    put_header,
)
from cyberid_client.testing.faults.signing import drop_signature, flip_bit, sign_with_stranger, two_parts
from cyberid_client.testing.jose import b64url, json_bytes, jwk_of
from cyberid_client.testing.pki import PURPOSES, make_root

__all__ = ["ALL_CREDENTIAL_FAULTS", "ALL_CREDENTIAL_ODDITIES"]

_MODE: Final = "urn:cyberid:mode:"
# Prefix of the conformance suite's module names.
_SUITE: Final = "oid4vp-1final-verifier-"
_SALT: Final = "c2FsdCBvZiBhIGZhdWx0IQ"


def _signed(change: Callable[[SignedDraft], None]) -> Change:
    """Change what the issuer signs."""
    return lambda draft: change(draft.jws)


def _fault(
    name: str,
    number: str,
    law: str,
    code: str,
    change: Change,
    *,
    needs: str = "wallet",
    module: str | None = None,
) -> Fault:
    return fault(
        f"credential.{name}",
        number,
        law,
        stage="credential",
        code=code if "." in code else f"credential.{code}",
        change=change,
        needs=needs,
        module=module,
    )


def _cnf(**members: object) -> Change:
    """Put members beside those of the key that the credential is bound to."""

    def change(draft: SignedDraft) -> None:
        draft.claims["cnf"] = {"jwk": {**_key_of(draft), **members}}

    return _signed(change)


def _bound_to(make: Callable[[dict[str, object]], dict[str, object]]) -> Change:
    return _signed(lambda draft: draft.claims.update(cnf={"jwk": make(_key_of(draft))}))


def _key_of(draft: SignedDraft) -> dict[str, object]:
    cnf = draft.claims["cnf"]
    return dict(cnf["jwk"]) if isinstance(cnf, dict) else {}


def _status(**members: object) -> Change:
    """Change members of the reference to the status list; ``...`` takes one out."""

    def change(draft: SignedDraft) -> None:
        status = draft.claims["status"]
        inner = {**(status["status_list"] if isinstance(status, dict) else {}), **members}
        kept = {name: value for name, value in inner.items() if value is not ...}
        draft.claims["status"] = {"status_list": kept}

    return _signed(change)


def _other_list(draft: CredentialDraft) -> None:
    """Name the list of a sector that nobody has."""
    uri = draft.statuses.address(sector="https://nobody.example", epoch="0")
    _status(uri=uri)(draft)


def _moved(epochs: int = 0, *, begin: int = 0, end: int = 0) -> Change:
    """Move the dates by so many epochs, and then each by so many seconds."""

    def change(draft: CredentialDraft) -> None:
        shift, claims = epochs * draft.epoch_length, draft.jws.claims
        claims["iat"] = _number(claims["iat"]) + shift + begin
        claims["exp"] = _number(claims["exp"]) + shift + end

    return change


def _one_epoch(draft: CredentialDraft) -> None:
    claims = draft.jws.claims
    claims["exp"] = _number(claims["exp"]) - draft.epoch_length


def _three_epochs(draft: CredentialDraft) -> None:
    claims = draft.jws.claims
    claims["exp"] = _number(claims["exp"]) + draft.epoch_length


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _discloses(*elements: object) -> Change:
    """Let one disclosure of these elements stand in the place of the honest one."""

    def change(draft: CredentialDraft) -> None:
        draft.disclosures = [disclosure_of(*elements)]
        draft.jws.claims["_sd"] = [hash_disclosure(draft.disclosures[0])]

    return change


def _hides(name: str) -> Change:
    """Let a claim come from the one disclosure."""

    def change(draft: CredentialDraft) -> None:
        _discloses(_SALT, name, draft.jws.claims.pop(name))(draft)

    return change


def _digests(make: Callable[[list[str]], object]) -> Change:
    def change(draft: SignedDraft) -> None:
        honest = draft.claims["_sd"]
        draft.claims["_sd"] = make(list(honest) if isinstance(honest, list) else [])

    return _signed(change)


def _digest_in_key(draft: CredentialDraft) -> None:
    """Move the digest to where the key is."""
    digests = draft.jws.claims.pop("_sd")
    draft.jws.claims["cnf"] = {"jwk": _key_of(draft.jws), "_sd": digests}


def _critical(draft: SignedDraft) -> None:
    draft.header.update(crit=["urn:example:unknown"], **{"urn:example:unknown": 1})


def _header_twice(draft: SignedDraft) -> None:
    draft.header_bytes = b'{"alg":"none",' + json_bytes(draft.header)[1:]


def _claim_twice(draft: SignedDraft) -> None:
    draft.payload_bytes = b'{"aud":"https://other.example",' + json_bytes(draft.claims)[1:]


def _endless(draft: SignedDraft) -> None:
    draft.payload_bytes = b'{"note":' + b"[" * 40 + b"]" * 40 + b"," + json_bytes(draft.claims)[1:]


def _certified_for(*purposes: str) -> Change:
    """Certify the honest key once more, for other purposes."""

    def change(draft: SignedDraft) -> None:
        draft.use_chain(
            draft.keyring.rechain(
                draft.signer, draft.now, change=lambda form: replace(form, purposes=purposes)
            )
        )

    return _signed(change)


def _expired_leaf(draft: SignedDraft) -> None:
    ended = draft.now - timedelta(seconds=1)
    draft.use_chain(
        draft.keyring.rechain(
            draft.signer,
            draft.now,
            change=lambda form: replace(form, not_before=ended - timedelta(days=90), not_after=ended),
        )
    )


def _other_issuer(draft: SignedDraft) -> None:
    other = f"{draft.keyring.issuer}1"
    draft.use_chain(
        draft.keyring.rechain(draft.signer, draft.now, change=lambda form: replace(form, uris=(other,)))
    )


def _of_other_root(draft: SignedDraft) -> None:
    authority = draft.keyring.other_authority(draft.now, above=make_root(draft.now))
    draft.use_chain(draft.keyring.rechain(draft.signer, draft.now, authority=authority))


def _by_assertion_signer(draft: SignedDraft) -> None:
    draft.use_signer(draft.keyring.signer("assertion"))


def _by_unpublished(draft: SignedDraft) -> None:
    draft.use_signer(draft.keyring.make_signer("credential", draft.now))


def _by_unknown(draft: SignedDraft) -> None:
    _by_unpublished(draft)
    del draft.header["x5c"]


def _leaf_of_other_key(draft: SignedDraft) -> None:
    draft.use_chain(draft.keyring.make_signer("credential", draft.now).chain)


def _off_curve(key: dict[str, object]) -> dict[str, object]:
    return {**key, "y": b64url(bytes(31) + b"\x01")}


_ENVELOPE: Final = (
    _fault("two_parts", "E10.1", "What the issuer signs is a JWS.", "malformed", _signed(two_parts)),
    _fault(
        "header_twice",
        "E10.1",
        "A duplicate header member is refused.",
        "malformed",
        _signed(_header_twice),
    ),
    _fault(
        "claim_too_deep",
        "E10.1",
        "Endless nesting is refused.",
        "malformed",
        _signed(_endless),
    ),
    _fault("claim_twice", "E10.1", "A duplicate claim is refused.", "malformed", _signed(_claim_twice)),
    _fault(
        "algorithm_none",
        "E3.3",
        "A credential without signature is refused.",
        "algorithm",
        _signed(drop_signature),
    ),
    _fault(
        "algorithm_other",
        "E3.3",
        "The header does not choose the algorithm.",
        "algorithm",
        _signed(put_header("alg", "ES512")),
    ),
    _fault(
        "critical",
        "E3.4",
        "An extension that is not understood is refused.",
        "critical",
        _signed(_critical),
    ),
    *(
        _fault(
            f"type_{name}",
            "E3.7",
            "A document of another kind is no credential, however well it is signed.",
            "type",
            _signed(put_header("typ", typ)),
        )
        for name, typ in (
            ("jwt", "JWT"),
            ("legacy", "vc+sd-jwt"),
            ("key_binding", "kb+jwt"),
            ("receipt", "cyberid-receipt+jwt"),
        )
    ),
    _fault("type_missing", "E3.7", "A credential says what it is.", "type", _signed(drop_header("typ"))),
    _fault(
        "header_member",
        "P5.9",
        "A member of the header that the profile does not have could be a person's number.",
        "header",
        _signed(put_header("jti", "a-person-s-number")),
    ),
)

_KEYS: Final = (
    _fault(
        "signature_bit_flipped",
        "E3.6b",
        "One wrong bit is enough.",
        "signature",
        _signed(flip_bit),
        module=_SUITE + "invalid-credential-signature",
    ),
    _fault(
        "signature_of_stranger",
        "E3.6b",
        "A signature by another key is refused.",
        "signature",
        _signed(sign_with_stranger),
    ),
    _fault(
        "key_unpublished",
        "E3.6d",
        "A key with a perfect chain that the issuer does not publish is refused, and nothing is fetched.",
        "key_unpublished",
        _signed(_by_unpublished),
    ),
    _fault(
        "key_unknown",
        "E3.6a",
        "A key that is neither published nor certified is unknown, and nothing is fetched.",
        "key_unknown",
        _signed(_by_unknown),
    ),
    _fault(
        "leaf_of_other_key",
        "E3.6c",
        "The certificate must certify the very key that signed.",
        "key_mismatch",
        _signed(_leaf_of_other_key),
    ),
    _fault(
        "signed_by_assertion_signer",
        "E3.6c",
        "Who may sign assertions may not sign credentials.",
        "chain.purpose",
        _signed(_by_assertion_signer),
    ),
    _fault(
        "chain_of_other_purpose",
        "E3.6c",
        "A certificate for assertions does not certify a key for credentials.",
        "chain.purpose",
        _certified_for(PURPOSES["assertion"]),
    ),
    _fault(
        "chain_of_two_purposes",
        "E3.6c",
        "A signer has exactly one purpose.",
        "chain.purpose",
        _certified_for(PURPOSES["credential"], PURPOSES["assertion"]),
    ),
    _fault(
        "chain_of_other_root",
        "E3.6c",
        "Another root is refused.",
        "chain.untrusted",
        _signed(_of_other_root),
    ),
    _fault(
        "chain_of_other_issuer",
        "E3.6c",
        "A signer that was certified for another issuer is refused.",
        "chain.subject_uri",
        _signed(_other_issuer),
    ),
    _fault(
        "chain_expired", "E3.6c", "An expired signer is refused.", "chain.expired", _signed(_expired_leaf)
    ),
)

_REQUIRED: Final = ("iss", "sub", "aud", "iat", "exp", "vct", "cnf", "status", "acr", "persistence")

_CLAIMS: Final = (
    *(
        _fault(
            f"{name}_missing",
            "E10.1",
            "A credential has every claim of the profile.",
            "claim_missing",
            _signed(drop_claim(name)),
            # An honest wallet does not show what does not answer the question, or has ended.
            needs="wallet_careless" if name in {"acr", "vct", "exp"} else "wallet",
        )
        for name in _REQUIRED
    ),
    *(
        _fault(
            f"{name}_of_other_kind",
            "E10.1",
            "A claim has its type.",
            "claim_type",
            _signed(put_claim(name, value)),
            needs="wallet_careless" if name == "exp" else "wallet",
        )
        for name, value in (
            ("aud", ["https://shop.example"]),
            ("exp", "9999999999"),
            ("iat", True),
            ("sub", 1),
            ("persistence", None),
        )
    ),
    _fault(
        "type_of_credential_other",
        "E10.10",
        "A credential of another type is refused.",
        "vct",
        _signed(put_claim("vct", "urn:cyberid:pairwise:2")),
        needs="wallet_careless",
    ),
    _fault(
        "other_issuer",
        "E3.8",
        "A credential of another issuer is refused.",
        "issuer",
        _signed(append_to_claim("iss", "/")),
    ),
    _fault(
        "other_sector",
        "E3.9",
        "A credential that was made for another sector is refused.",
        "audience",
        _signed(append_to_claim("aud", "/")),
    ),
    *(
        _fault(
            f"claim_{name}",
            "P5.2",
            "A claim that the profile does not have could vary per person.",
            "unknown_claim",
            _signed(put_claim(name, value)),
        )
        for name, value in (("jti", "a-person-s-number"), ("nbf", 0), ("birthdate", "1900"), ("nonce", "n"))
    ),
    _fault(
        "status_member",
        "P5.2",
        "A member of the status that the profile does not have is refused.",
        "unknown_claim",
        _status(note="a-person-s-number"),
    ),
    *(
        _fault(
            f"assurance_{name}",
            "E3.15",
            "A presentation says what was checked about the key, and reaches what was asked for.",
            "assurance",
            _signed(put_claim("acr", value)),
            needs="wallet_careless",
        )
        for name, value in (
            ("lower", f"{_MODE}r01"),
            ("face", f"{_MODE}r03"),
            ("all", f"{_MODE}r04"),
            ("unknown", f"{_MODE}r99"),
        )
    ),
    _fault(
        "subject_short",
        "E3.18a",
        "A pseudonym has at least 22 characters.",
        "subject",
        _signed(put_claim("sub", "x" * 21)),
    ),
    _fault(
        "subject_holds_identity_number",
        "E3.18b",
        "A pseudonym that carries an identity number is refused.",
        "identity_number",
        _signed(hold_a_number),
    ),
    _fault(
        "persistence_unknown",
        "P6.3",
        "A pseudonym says how stable it is.",
        "persistence",
        _signed(put_claim("persistence", "Z")),
    ),
    _fault(
        "session_only",
        "P5.6",
        "A credential serves for two epochs, and its pseudonym is not for one session.",
        "session_only",
        _signed(put_claim("persistence", "C")),
    ),
)

_EPOCHS: Final = (
    _fault(
        "old_epoch",
        "E3.11",
        "A credential is refused from the very second in which its second epoch ends.",
        "expired",
        _moved(-2),
        needs="wallet_careless",
    ),
    _fault(
        "next_epoch",
        "P5.5",
        "A credential of the next epoch comes too early.",
        "not_yet_valid",
        _moved(1),
    ),
    _fault(
        "misaligned",
        "P5.4",
        "A credential begins with an epoch, to the second.",
        "epoch",
        _moved(begin=1, end=1),
    ),
    _fault(
        "begins_when_issued",
        "P5.4",
        "A credential does not tell when it was fetched.",
        "epoch",
        _signed(lambda draft: draft.claims.update(iat=draft.seconds)),
    ),
    _fault("ends_late", "P5.4", "A credential ends with an epoch, to the second.", "epoch", _moved(end=1)),
    _fault("one_epoch", "P5.4", "A credential is good for two epochs.", "epoch", _one_epoch),
    _fault("three_epochs", "P5.4", "A credential is good for no more than two.", "epoch", _three_epochs),
)

_DISCLOSURES: Final = (
    _fault(
        "digest_algorithm",
        "E10.4",
        "Digests are SHA-256.",
        "digest_algorithm",
        _signed(put_claim("_sd_alg", "sha-512")),
    ),
    _fault("digests_no_list", "E10.5", "Digests are a list.", "digests", _digests(lambda found: found[0])),
    _fault("digest_no_text", "E10.5", "A digest is a text.", "digests", _digests(lambda found: [*found, 1])),
    _fault(
        "digest_twice",
        "E10.7",
        "A digest stands there once.",
        "digest_repeated",
        _digests(lambda found: found * 2),
    ),
    _fault(
        "decoy",
        "P5.3",
        "One digest more, and their number tells people apart.",
        "digest_count",
        _digests(lambda found: [*found, hash_disclosure("decoy")]),
    ),
    _fault(
        "digest_missing",
        "P5.3",
        "The digest is there, whether or not the age band is shown.",
        "digest_count",
        _signed(drop_claim("_sd")),
    ),
    _fault("digest_in_key", "P5.3", "The digest has one place.", "digest_count", _digest_in_key),
    _fault(
        "disclosure_of_two",
        "E10.5",
        "A disclosure of a member has salt, name and value.",
        "disclosure",
        _discloses(_SALT, "adult"),
        needs="wallet_careless",
    ),
    _fault(
        "disclosure_of_four",
        "E10.5",
        "A disclosure of a member has salt, name and value, and no more.",
        "disclosure",
        _discloses(_SALT, "age_band", "adult", "more"),
        needs="wallet_careless",
    ),
    _fault(
        "disclosure_salt_no_text",
        "E10.5",
        "A salt is a text.",
        "disclosure",
        _discloses(1, "age_band", "adult"),
        needs="wallet_age_band",
    ),
    _fault(
        "disclosure_named_sd",
        "E10.6",
        "A disclosure cannot bring digests under their reserved name.",
        "disclosure_name",
        _discloses(_SALT, "_sd", []),
        needs="wallet_careless",
    ),
    _fault(
        "disclosure_named_dots",
        "E10.6",
        "A disclosure cannot have the reserved name of an element.",
        "disclosure_name",
        _discloses(_SALT, "...", "x"),
        needs="wallet_careless",
    ),
    _fault(
        "disclosure_named_as_claim",
        "E10.6",
        "A disclosure cannot say again what stands there already.",
        "disclosure_name",
        _discloses(_SALT, "sub", "somebody-else-entirely"),
        needs="wallet_careless",
    ),
    *(
        _fault(
            f"{name}_disclosed",
            "E10.9",
            "What a presentation stands on does not come from a disclosure.",
            "disclosed_claim",
            _hides(name),
            needs="wallet_careless",
        )
        for name in ("iss", "sub", "exp", "vct", "cnf", "status", "acr")
    ),
    _fault(
        "disclosure_nested",
        "E10.1",
        "An age band is a text, and brings no digests of its own.",
        "claim_type",
        _discloses(_SALT, "age_band", {"_sd": [hash_disclosure("inside")]}),
        needs="wallet_age_band",
    ),
    _fault(
        "age_band_unknown",
        "P6.4",
        "An age band is one of three.",
        "age_band",
        _discloses(_SALT, "age_band", "ancient"),
        needs="wallet_age_band",
    ),
)

_BINDING_AND_STATUS: Final = (
    _fault(
        "holder_key_private",
        "E10.12a",
        "A private member beside the holder's key is refused.",
        "holder_key",
        _cnf(d="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ),
    *(
        _fault(
            f"holder_key_{name}",
            "E10.12a",
            "A member beside the holder's key could be a person's number.",
            "holder_key",
            _cnf(**{name: value}),
        )
        for name, value in (("kid", "a-person-s-number"), ("alg", "ES256"), ("use", "sig"))
    ),
    _fault(
        "holder_key_of_other_curve",
        "E10.12a",
        "The holder's key is of the configured kind.",
        "holder_key",
        _bound_to(lambda _key: jwk_of(ec.generate_private_key(ec.SECP384R1()).public_key())),
    ),
    _fault(
        "holder_key_off_curve", "E10.12a", "The holder's key is a key.", "holder_key", _bound_to(_off_curve)
    ),
    _fault(
        "holder_key_of_other_person",
        "E3.6b",
        "A credential is shown by whom it is bound to.",
        "key_binding.signature",
        _bound_to(lambda _key: jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key())),
    ),
    _fault(
        "list_unknown",
        "E10.13",
        "A list that was not announced is not fetched, and answers for nobody.",
        "status.list_unknown",
        _other_list,
    ),
    _fault(
        "list_elsewhere",
        "E10.13",
        "A list of another host is not fetched.",
        "status.list_unknown",
        _status(uri="https://other.example/status-lists/1"),
    ),
    _fault("index_beyond", "E10.13", "An index lies inside its list.", "status.index", _status(idx=131_072)),
    _fault("index_negative", "E10.13", "An index is not negative.", "status.index", _status(idx=-1)),
    _fault("index_as_text", "E10.1", "An index is a whole number.", "claim_type", _status(idx="1")),
    _fault("index_missing", "E10.1", "A status names an entry.", "claim_missing", _status(idx=...)),
)

ALL_CREDENTIAL_FAULTS: Final = (
    *_ENVELOPE,
    *_KEYS,
    *_CLAIMS,
    *_EPOCHS,
    *_DISCLOSURES,
    *_BINDING_AND_STATUS,
)


def _odd(name: str, number: str, law: str, change: Change, *, needs: str = "wallet") -> Oddity:
    return oddity(f"credential.{name}", number, law, stage="credential", change=change, needs=needs)


ALL_CREDENTIAL_ODDITIES: Final = (
    _odd(
        "digest_algorithm_said",
        "E10.4",
        "That digests are SHA-256 may be said.",
        _signed(put_claim("_sd_alg", "sha-256")),
    ),
    _odd(
        "type_with_prefix",
        "E3.7",
        "The type of a document may be written as a whole media type.",
        _signed(put_header("typ", "application/dc+sd-jwt")),
    ),
    _odd(
        "previous_epoch",
        "P5.4",
        "A credential of the epoch before is good.",
        _moved(-1),
    ),
    _odd(
        "changing_pseudonym",
        "P6.3",
        "A pseudonym that lasts until the record changes is good.",
        _signed(put_claim("persistence", "B")),
    ),
)
