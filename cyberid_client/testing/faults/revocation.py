"""Faults of certificate revocation: who was taken back, and lists that do not answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.crls import CRLDraft, Entry
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.faults.making import Change, fault
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.pki import CertificateForm

__all__ = ["REVOCATION_FAULTS"]

_DAY: Final = timedelta(days=1)
_TOO_LARGE: Final = 16 * 1024 * 1024 + 1


def _fault(name: str, law: str, code: str, change: Change, stage: str = "crl_authority") -> Fault:
    return fault(f"revocation.{name}", "E3.6e", law, stage=stage, code=f"revocation.{code}", change=change)


def _revoked(serial_of: Callable[[Keyring], int], reason: str = "key_compromise") -> Change:
    """Put a certificate on the list."""

    def change(draft: CRLDraft) -> None:
        since = draft.this_update - _DAY
        draft.entries.append(Entry(serial=serial_of(draft.keyring), since=since, reason=reason))

    return change


def _signer(purpose: str) -> Callable[[Keyring], int]:
    return lambda keyring: keyring.signer(purpose).chain[0].serial_number


def _authority(keyring: Keyring) -> int:
    return keyring.authority.certificate.serial_number


def _extension(extension: x509.ExtensionType, *, critical: bool = True) -> Change:
    return lambda draft: draft.extensions.append((extension, critical))


def _dated(this_update: timedelta, next_update: timedelta) -> Change:
    """Date the list, both times as distances from the issuer's time."""

    def change(draft: CRLDraft) -> None:
        draft.next_update = draft.this_update + next_update
        draft.this_update += this_update

    return change


def _endless(draft: CRLDraft) -> None:
    draft.next_update = None


def _unnumbered(draft: CRLDraft) -> None:
    draft.number = None


def _edited(edit: Callable[[bytes], bytes]) -> Change:
    def change(draft: CRLDraft) -> None:
        draft.edit = edit

    return change


def _of_root(draft: CRLDraft) -> None:
    draft.authority = draft.keyring.root


def _of_other_key(draft: CRLDraft) -> None:
    draft.authority = replace(draft.authority, key=ec.generate_private_key(ec.SECP256R1()))


def _weak_hash(draft: CRLDraft) -> None:
    draft.digest = hashes.SHA224()


def _answer(status: int = 200, quirk: str | None = None) -> Change:
    def change(draft: CRLDraft) -> None:
        draft.status, draft.quirk = status, quirk

    return change


def _under_new_authority(
    *,
    leaf: Callable[[CertificateForm], CertificateForm] = lambda form: form,
    authority: Callable[[CertificateForm], CertificateForm] = lambda form: form,
) -> Change:
    """Certify the honest key by an authority of which no list is known yet."""

    def change(draft: SignedDraft) -> None:
        found = draft.keyring.other_authority(draft.now, change=authority)
        draft.use_chain(draft.keyring.rechain(draft.signer, draft.now, change=leaf, authority=found))

    return change


def _without_address(*urls: str) -> Change:
    return _under_new_authority(leaf=lambda form: replace(form, list_urls=urls))


_PART: Final = x509.IssuingDistributionPoint(
    full_name=None,
    relative_name=None,
    only_contains_user_certs=True,
    only_contains_ca_certs=False,
    only_some_reasons=None,
    indirect_crl=False,
    only_contains_attribute_certs=False,
)
_UNHEARD_OF: Final = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.98"), b"\x05\x00")

_REVOKED: Final = (
    _fault(
        "signer", "A signer that was taken back signs nothing.", "revoked", _revoked(_signer("assertion"))
    ),
    _fault(
        "signer_on_hold",
        "A signer that is on hold signs nothing.",
        "revoked",
        _revoked(_signer("assertion"), "certificate_hold"),
    ),
    _fault(
        "metadata_signer",
        "A signer of metadata that was taken back says nothing.",
        "revoked",
        _revoked(_signer("metadata")),
    ),
    _fault(
        "authority",
        "An authority that was taken back vouches for nobody.",
        "revoked",
        _revoked(_authority, "ca_compromise"),
        "crl_root",
    ),
)
_UNANSWERED: Final = (
    _fault(
        "no_address",
        "A signer for whom no list can be found is refused.",
        "unknown",
        _without_address(),
        "id_token",
    ),
    _fault(
        "foreign_address",
        "A list is not fetched from a host that is not configured.",
        "unknown",
        _without_address("https://other.example/crl/authority.der", "ldap://issuer.example/cn=crl"),
        "id_token",
    ),
    _fault("list_gone", "A list that is not there answers for nobody.", "unreachable", _answer(404)),
    _fault("list_unavailable", "A list that cannot be had answers for nobody.", "unreachable", _answer(503)),
    _fault("list_cut", "A list that did not come whole is none.", "unreachable", _answer(quirk="cut")),
    _fault(
        "root_list_gone",
        "An authority that names a list is answered for, too.",
        "unreachable",
        _answer(404),
        "crl_root",
    ),
)
_UNBELIEVED: Final = (
    _fault(
        "list_too_large",
        "A list above 16 MiB is refused.",
        "list_too_large",
        _edited(lambda data: data + bytes(_TOO_LARGE - len(data))),
    ),
    _fault("list_followed", "Nothing follows a list.", "list_malformed", _edited(lambda data: data + b"\0")),
    _fault("list_unnumbered", "A list has a number.", "list_malformed", _unnumbered),
    _fault("list_of_other", "The list of another authority is refused.", "list_issuer", _of_root),
    _fault(
        "list_signature_broken",
        "One wrong bit is enough.",
        "list_signature",
        _edited(lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    ),
    _fault(
        "list_of_other_key",
        "A list under the right name with another key is refused.",
        "list_signature",
        _of_other_key,
    ),
    _fault("list_weak_hash", "A hash outside the closed table is refused.", "list_algorithm", _weak_hash),
    _fault(
        "list_without_right",
        "An authority that may not sign lists signs none.",
        "list_key_usage",
        _under_new_authority(authority=lambda form: replace(form, signs_lists=False)),
        "id_token",
    ),
    _fault(
        "list_delta",
        "What changed since another list is no whole list.",
        "list_unsupported",
        _extension(x509.DeltaCRLIndicator(1)),
    ),
    _fault("list_partitioned", "A part is no whole list.", "list_unsupported", _extension(_PART)),
    _fault(
        "list_unheard_of",
        "A critical extension that is not understood is refused.",
        "list_unsupported",
        _extension(_UNHEARD_OF),
    ),
    _fault("list_endless", "A list says when the next one comes.", "list_endless", _endless),
    _fault("list_in_future", "A list of tomorrow is refused.", "list_in_future", _dated(_DAY, 2 * _DAY)),
    _fault(
        "list_stale",
        "A list is refused from the second of its end.",
        "list_stale",
        _dated(-_DAY, timedelta(0)),
    ),
)
REVOCATION_FAULTS: Final = (*_REVOKED, *_UNANSWERED, *_UNBELIEVED)
