"""Whom a request comes from: the certificate of the relying party, judged by the pinned root."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from cyberid_client.testing.jose import PublicKey, b64url
from cyberid_client.testing.pki import PURPOSES, der
from cyberid_client.testing.wallet.refusal import WalletRefusal

__all__ = ["Asker", "recognise"]

_CERTIFICATES_MAX: Final = 4
_ANY_PURPOSE: Final = "2.5.29.37.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, by the certificate alone.

    Attributes:
        sector: the sector identifier: the name by which the wallet chooses the credential.
        host: the one host to which an answer may go.
        client_id: ``x509_hash:`` and the hash of the certificate.
        public_key: that signs the requests.
    """

    sector: str
    host: str
    client_id: str
    public_key: PublicKey = field(repr=False)


def recognise(x5c: object, *, root: x509.Certificate, now: datetime) -> Asker:
    """Return whom the certificate names, if its chain leads to the root under purpose *relying party*.

    Revocation lists are not asked for: a wallet that fetched one would tell who is about to log in.

    Args:
        x5c: of the request's header, untrusted.
        root: pinned.
        now: aware.

    Raises:
        WalletRefusal: ``chain``: it does not lead there; ``purpose``: it leads there for something else;
            ``name``: the certificate does not name exactly one sector and one host.
    """
    chain = _parse(x5c)
    _check_path([*chain, root], now)
    leaf = chain[0]
    if _purposes(leaf) != [PURPOSES["relying_party"]]:
        raise WalletRefusal("purpose")
    sector, host = _names(leaf)
    digest = hashlib.sha256(der(leaf)).digest()
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        raise WalletRefusal("chain")
    return Asker(sector=sector, host=host, client_id=f"x509_hash:{b64url(digest)}", public_key=key)


def _parse(x5c: object) -> list[x509.Certificate]:
    if not isinstance(x5c, Sequence) or isinstance(x5c, str) or not 0 < len(x5c) <= _CERTIFICATES_MAX:
        raise WalletRefusal("chain")
    try:
        return [x509.load_der_x509_certificate(base64.b64decode(each, validate=True)) for each in x5c]
    except (TypeError, ValueError):
        raise WalletRefusal("chain") from None


def _check_path(path: list[x509.Certificate], now: datetime) -> None:
    """Check dates, signatures, and that everybody above the leaf may issue for this purpose."""
    for below, (certificate, issuer) in enumerate(itertools.pairwise(path)):
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise WalletRefusal("chain")
        try:
            certificate.verify_directly_issued_by(issuer)
            constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        except (InvalidSignature, TypeError, ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound):
            raise WalletRefusal("chain") from None
        too_long = constraints.path_length is not None and constraints.path_length < below
        if not constraints.ca or too_long:
            raise WalletRefusal("chain")
        allowed = _purposes(issuer)
        if allowed and not {PURPOSES["relying_party"], _ANY_PURPOSE} & set(allowed):
            raise WalletRefusal("purpose")


def _purposes(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, x509.ExtensionNotFound):
        return []
    return [each.dotted_string for each in found]


def _names(leaf: x509.Certificate) -> tuple[str, str]:
    """Return the one sector and the one host."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        raise WalletRefusal("name") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    hosts = [*names.get_values_for_type(x509.DNSName)]
    hosts += map(str, names.get_values_for_type(x509.IPAddress))
    if len(uris) != 1 or len(hosts) != 1:
        raise WalletRefusal("name")
    return uris[0], hosts[0]
