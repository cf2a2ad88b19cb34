"""The revocation lists that are given beside a document, as far as they answer for its chain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import CyberIDError, RevocationError
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.subjects import NO_LISTS, ChainOnDemand
from cyberid_client.inspection.result import Step
from cyberid_client.inspection.settings import InspectionSettings
from cyberid_client.trust import IssuedCertificate, RevocationList, RevocationLists, load_crl
from cyberid_client.wire.base64url import WireError, decode_base64

__all__ = ["read_lists", "revocation_gap"]

S = TypeVar("S")

_OF_ANOTHER: Final = "revocation.list_issuer"
_PEM: Final = re.compile(rb"-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*)-----END X509 CRL-----")


def _path_of(chain: ChainOnDemand, settings: InspectionSettings) -> tuple[IssuedCertificate, ...]:
    """Return what is to be asked about a chain that holds; nothing for any other."""
    if not chain or settings.trust is None or settings.issuer is None:
        return ()
    try:
        return chain().certificates
    except CyberIDError:
        return ()


def read_lists(
    chain: ChainOnDemand, settings: InspectionSettings
) -> tuple[RevocationLists, tuple[Step, ...]]:
    """Read the given lists, each for the authority of the chain that signed it, and say of what use it is.

    Args:
        chain: of the signer.
        settings: the lists, untrusted.
    """
    path = _path_of(chain, settings)
    lists, steps = NO_LISTS, []
    for place, data in enumerate(settings.crls or (), start=1):
        title = f"Revocation list {place}"
        found = _read(_der_of(data), path, settings)
        if isinstance(found, RevocationList):
            lists = lists.with_list(found)
            dates = f"{found.this_update.isoformat()} to {found.next_update.isoformat()}"
            about = f"number {found.number}, {dates}, {len(found.serials)} revoked"
            steps.append(Step(title=title, detail=about))
        else:
            steps.append(Step(title=title, detail=f"not used: {found}"))
    return lists, tuple(steps)


def revocation_gap(each: Check[S], chain: ChainOnDemand, settings: InspectionSettings) -> str:
    """Return why nothing can be looked up, if it is for want of a chain that holds."""
    if each.name != "check_revocation" or _path_of(chain, settings):
        return ""
    return "there is no chain that holds (E3.6c)"


def _read(
    der: bytes, path: Sequence[IssuedCertificate], settings: InspectionSettings
) -> RevocationList | str:
    """Return the list, or why none of the authorities has it."""
    reasons = ["there is no chain that holds"]
    for one in path:
        try:
            return load_crl(der, issuer=one.issuer, now=settings.now, leeway=settings.rp.clock_leeway)
        except RevocationError as error:
            # Authorities of one name are told apart by their keys, so that the next one may have it.
            reasons.append(f"{error.code}: {CATALOGUE[error.code].sentence}")
    return next((one for one in reasons[1:] if not one.startswith(_OF_ANOTHER)), reasons[-1])


def _der_of(data: bytes) -> bytes:
    match = _PEM.search(data)
    if match is None:
        return data
    try:
        return decode_base64(b"".join(match[1].split()).decode("ascii"))
    except WireError:
        return b""
