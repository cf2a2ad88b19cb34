"""Faults of the certificate chain of the assertion; the key stays published, only its chain is bad."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.faults.making import Change, fault
from cyberid_client.testing.keyring import x5c_of
from cyberid_client.testing.pki import (
    PURPOSES,
    Authority,
    CertificateForm,
    der,
    host_of,
    make_root,
)

__all__ = ["CHAIN_FAULTS"]

_MINUTE: Final = timedelta(minutes=1)
_MANY_POLICIES: Final = tuple(f"1.3.6.1.4.1.32473.7.{number}" for number in range(20))
_YEAR: Final = timedelta(days=365)
_ANY_PURPOSE: Final = "2.5.29.37.0"
_UNHEARD_OF: Final = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.98"), b"\x05\x00")


def _leaf(change: Callable[[CertificateForm, SignedDraft], CertificateForm]) -> Change:
    """Certify the honest key once more, with another form."""

    def apply(draft: SignedDraft) -> None:
        draft.use_chain(
            draft.keyring.rechain(draft.signer, draft.now, change=lambda form: change(form, draft))
        )

    return apply


def _under(found: Callable[[SignedDraft], Authority]) -> Change:
    """Let another authority certify the honest key."""

    def apply(draft: SignedDraft) -> None:
        draft.use_chain(draft.keyring.rechain(draft.signer, draft.now, authority=found(draft)))

    return apply


def _authority(change: Callable[[CertificateForm], CertificateForm]) -> Callable[[SignedDraft], Authority]:
    return lambda draft: draft.keyring.other_authority(draft.now, change=change)


def _expired_authority(draft: SignedDraft) -> Authority:
    end = draft.now - timedelta(seconds=1)
    return draft.keyring.other_authority(
        draft.now, change=lambda form: replace(form, not_before=end - _YEAR, not_after=end)
    )


def _later_authority(draft: SignedDraft) -> Authority:
    return draft.keyring.other_authority(
        draft.now, change=lambda form: replace(form, not_before=draft.now + _MINUTE)
    )


def _ladder(draft: SignedDraft) -> Authority:
    """Found four authorities, one under the other: with the leaf five certificates under the root.

    Their keys are small, so that it is the number and not the size that is too much.
    """
    step = draft.keyring.root
    for _ in range(4):
        step = draft.keyring.other_authority(
            draft.now,
            above=step,
            change=lambda form: replace(form, path_length=None),
            key=ec.generate_private_key(ec.SECP256R1()),
        )
    return step


def _beyond_path_length(draft: SignedDraft) -> Authority:
    return draft.keyring.other_authority(draft.now, above=draft.keyring.authority)


def _of_stranger(draft: SignedDraft) -> Authority:
    return draft.keyring.other_authority(draft.now, above=make_root(draft.now))


def _weak_authority(draft: SignedDraft) -> Authority:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the fault itself
    return draft.keyring.other_authority(draft.now, key=key)


def _foreign_curve(draft: SignedDraft) -> Authority:
    return draft.keyring.other_authority(draft.now, key=ec.generate_private_key(ec.SECP256K1()))


def _foreign_hash(draft: SignedDraft) -> None:
    """Sign with a hash that is not in the table, by an authority whose algorithm leaves the choice."""
    authority = draft.keyring.other_authority(draft.now, key=ec.generate_private_key(ec.SECP256R1()))
    draft.use_chain(
        draft.keyring.rechain(
            draft.signer,
            draft.now,
            change=lambda form: replace(form, digest=hashes.SHA224()),
            authority=authority,
        )
    )


def _ed25519_authority(draft: SignedDraft) -> Authority:
    return draft.keyring.other_authority(draft.now, key=ed25519.Ed25519PrivateKey.generate())


def _policy_constraints(draft: SignedDraft) -> Authority:
    demand = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
    return draft.keyring.other_authority(
        draft.now, change=lambda form: replace(form, extensions=((demand, True),))
    )


def _neighbour(form: CertificateForm, draft: SignedDraft) -> CertificateForm:
    """Name a host below the issuer's own, which the name constraints of the authority would allow."""
    host = host_of(draft.keyring.issuer)
    return replace(form, hosts=("127.0.0.2" if host[0] in "0123456789:" else f"other.{host}",))


def _without_authority(draft: SignedDraft) -> None:
    draft.use_chain(draft.signer.chain[:1])


def _with_stranger_root(draft: SignedDraft) -> None:
    draft.use_chain((*draft.signer.chain, make_root(draft.now).certificate))


def _trailing_byte(draft: SignedDraft) -> None:
    leaf = base64.b64encode(der(draft.signer.chain[0]) + b"\0").decode()
    draft.header["x5c"] = [leaf, *x5c_of(draft.signer.chain[1:])]


def _broken_certificate(draft: SignedDraft) -> None:
    data = der(draft.signer.chain[0])
    leaf = base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode()
    draft.header["x5c"] = [leaf, *x5c_of(draft.signer.chain[1:])]


def _fault(name: str, law: str, code: str, change: Change, needs: str | None = None) -> Fault:
    return fault(
        f"chain.{name}",
        "E3.6c",
        law,
        stage="id_token",
        code=f"chain.{code}",
        change=change,
        needs=needs,
    )


_LEAF_FAULTS: Final = (
    _fault(
        "leaf_is_ca",
        "Who may issue certificates does not sign assertions.",
        "leaf_is_ca",
        _leaf(lambda form, _: replace(form, ca=True)),
    ),
    _fault(
        "key_usage_without_signature",
        "The signer's key must be for digital signatures.",
        "key_usage",
        _leaf(lambda form, _: replace(form, digital_signature=False)),
    ),
    _fault(
        "wrong_purpose",
        "Who may sign metadata may not sign assertions.",
        "purpose",
        _leaf(lambda form, _: replace(form, purposes=(PURPOSES["metadata"],))),
    ),
    _fault(
        "two_purposes",
        "A signer has exactly one purpose.",
        "purpose",
        _leaf(lambda form, _: replace(form, purposes=(PURPOSES["assertion"], PURPOSES["metadata"]))),
    ),
    _fault(
        "any_purpose",
        "Any purpose is not the purpose.",
        "purpose",
        _leaf(lambda form, _: replace(form, purposes=(_ANY_PURPOSE,))),
    ),
    _fault(
        "no_purpose",
        "A signer without purpose is refused.",
        "purpose",
        _leaf(lambda form, _: replace(form, purposes=None)),
    ),
    _fault(
        "san_uri_other",
        "A signer that was certified for another issuer is refused.",
        "subject_uri",
        _leaf(lambda form, draft: replace(form, uris=(f"{draft.keyring.issuer}/",))),
    ),
    _fault(
        "san_uri_missing",
        "A signer names its issuer.",
        "subject_uri",
        _leaf(lambda form, _: replace(form, uris=())),
    ),
    _fault(
        "san_uri_twice",
        "A signer names one issuer.",
        "subject_uri",
        _leaf(lambda form, _: replace(form, uris=(*form.uris, "https://other.example"))),
    ),
    _fault("san_host_other", "A signer of another host is refused.", "subject_host", _leaf(_neighbour)),
    _fault(
        "san_host_missing",
        "A signer names its host, so that name constraints bind it.",
        "subject_host",
        _leaf(lambda form, _: replace(form, hosts=())),
    ),
    _fault(
        "policy_missing",
        "A signer without a demanded policy is refused.",
        "policy",
        _leaf(lambda form, _: replace(form, policies=())),
        "policy",
    ),
    _fault(
        "too_many_policies",
        "A certificate with more entries than anybody needs is refused before it costs work.",
        "too_complex",
        _leaf(lambda form, _: replace(form, policies=(*form.policies, *_MANY_POLICIES))),
    ),
    _fault(
        "expired_signer",
        "A certificate is refused from the second after its last one.",
        "expired",
        _leaf(
            lambda form, draft: replace(
                form, not_before=draft.now - _YEAR, not_after=draft.now - timedelta(seconds=1)
            )
        ),
    ),
    _fault(
        "signer_not_yet_valid",
        "A certificate is refused before its first second.",
        "not_yet_valid",
        _leaf(lambda form, draft: replace(form, not_before=draft.now + _MINUTE)),
    ),
    _fault(
        "signature_algorithm_foreign",
        "A certificate signed with a hash outside the closed table is refused.",
        "signature_algorithm",
        _foreign_hash,
    ),
    _fault(
        "unknown_critical_extension",
        "A critical extension that is not understood is refused.",
        "extension",
        _leaf(lambda form, _: replace(form, extensions=((_UNHEARD_OF, True),))),
    ),
)

_PATH_FAULTS: Final = (
    _fault(
        "other_root",
        "A root of the same name with another key is another root.",
        "untrusted",
        _under(_of_stranger),
    ),
    _fault("authority_missing", "A gap in the chain is not bridged.", "untrusted", _without_authority),
    _fault(
        "certificate_signature_broken",
        "A certificate with one wrong bit is not its issuer's.",
        "untrusted",
        _broken_certificate,
    ),
    _fault(
        "path_length_exceeded",
        "An authority that may have none below it has none.",
        "untrusted",
        _under(_beyond_path_length),
    ),
    _fault(
        "issued_by_no_authority",
        "Who is no authority issues nothing.",
        "untrusted",
        _under(_authority(lambda form: replace(form, ca=False, path_length=None, digital_signature=True))),
    ),
    _fault(
        "outside_name_constraints",
        "An authority for other hosts does not certify this one.",
        "untrusted",
        _under(_authority(lambda form: replace(form, permitted_hosts=("other.example", "192.0.2.1")))),
    ),
    _fault(
        "authority_of_other_purpose",
        "An authority that is limited to other purposes does not certify this one.",
        "ca_purpose",
        _under(_authority(lambda form: replace(form, purposes=(PURPOSES["metadata"],)))),
    ),
    _fault(
        "expired_authority",
        "An expired authority vouches for nobody.",
        "expired",
        _under(_expired_authority),
    ),
    _fault(
        "authority_not_yet_valid",
        "An authority of tomorrow vouches for nobody.",
        "not_yet_valid",
        _under(_later_authority),
    ),
    _fault("too_long", "At most four certificates stand under the root.", "too_long", _under(_ladder)),
    _fault(
        "self_signed_stranger",
        "A self-signed certificate that is not the pinned root is refused, even behind a good chain.",
        "self_signed",
        _with_stranger_root,
    ),
    _fault("trailing_byte", "A certificate is strict DER.", "malformed", _trailing_byte),
    _fault("weak_key", "A key below the floor is refused.", "key_too_weak", _under(_weak_authority)),
    _fault(
        "foreign_curve", "A key outside the closed table is refused.", "key_algorithm", _under(_foreign_curve)
    ),
    _fault(
        "ed25519_authority",
        "What the built-in engine cannot judge is refused, and says so.",
        "engine_required",
        _under(_ed25519_authority),
    ),
    _fault(
        "policy_constraints",
        "Policy constraints are never ignored.",
        "engine_required",
        _under(_policy_constraints),
    ),
)

CHAIN_FAULTS: Final = (*_LEAF_FAULTS, *_PATH_FAULTS)
