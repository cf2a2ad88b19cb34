"""Every named fault, and every oddity that must be let through.

Some codes of the sections that faults cover cannot be provoked from an issuer's side:
``chain.test_mark``, because a store that pins a mock's root was made for tests;
``chain.certificate_too_large``, because the parser of the header stops such a certificate first;
``jarm.too_large``, because the callback that holds such a response is too large itself;
``discovery.claim_missing`` and ``discovery.claim_type``, because nothing unsigned is read from a page
with signed metadata;
``metadata.epoch_length``, because only who takes presentations looks at it: an issuer of another length is
made with ``MockIssuer(credential_epoch_length=...)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.faults.answers import JWKS_FAULTS, PAR_FAULTS, TOKEN_FAULTS, TRANSPORT_FAULTS
from cyberid_client.testing.faults.assertion import ASSERTION_FAULTS
from cyberid_client.testing.faults.callback import CALLBACK_FAULTS, DECLINED_FAULTS
from cyberid_client.testing.faults.chains import CHAIN_FAULTS
from cyberid_client.testing.faults.credential import ALL_CREDENTIAL_FAULTS, ALL_CREDENTIAL_ODDITIES
from cyberid_client.testing.faults.dpop import DPOP_FAULTS, DPOP_ODDITIES
from cyberid_client.testing.faults.encryption import ENCRYPTION_FAULTS, ENCRYPTION_ODDITIES
from cyberid_client.testing.faults.events import ALL_EVENT_FAULTS, ALL_EVENT_ODDITIES
from cyberid_client.testing.faults.jarm import JARM_FAULTS, JARM_ODDITIES
from cyberid_client.testing.faults.logout import ALL_LOGOUT_FAULTS, ALL_LOGOUT_ODDITIES
from cyberid_client.testing.faults.making import by_name
from cyberid_client.testing.faults.metadata import DISCOVERY_FAULTS, METADATA_FAULTS
from cyberid_client.testing.faults.mtls import MTLS_FAULTS, MTLS_ODDITIES, REQUEST_OBJECT_FAULTS
from cyberid_client.testing.faults.oddities import ALL_ODDITIES
from cyberid_client.testing.faults.receipt import ALL_RECEIPT_FAULTS, ALL_RECEIPT_ODDITIES
from cyberid_client.testing.faults.revocation import REVOCATION_FAULTS
from cyberid_client.testing.faults.signing import SIGNING_FAULTS
from cyberid_client.testing.faults.status_list import AGGREGATION_FAULTS, STATUS_LIST_FAULTS

__all__ = [
    "CREDENTIAL_FAULTS",
    "CREDENTIAL_ODDITIES",
    "EVENT_FAULTS",
    "EVENT_ODDITIES",
    "FAULTS",
    "LOGOUT_FAULTS",
    "LOGOUT_ODDITIES",
    "ODDITIES",
    "RECEIPT_FAULTS",
    "RECEIPT_ODDITIES",
    "STATUS_FAULTS",
]

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    by_name(
        DISCOVERY_FAULTS,
        METADATA_FAULTS,
        JWKS_FAULTS,
        PAR_FAULTS,
        CALLBACK_FAULTS,
        DECLINED_FAULTS,
        TOKEN_FAULTS,
        SIGNING_FAULTS,
        CHAIN_FAULTS,
        ASSERTION_FAULTS,
        REVOCATION_FAULTS,
        TRANSPORT_FAULTS,
        DPOP_FAULTS,
        JARM_FAULTS,
        ENCRYPTION_FAULTS,
        MTLS_FAULTS,
        REQUEST_OBJECT_FAULTS,
    )
)
# No login meets these: status lists are fetched on timers.
STATUS_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(by_name(AGGREGATION_FAULTS, STATUS_LIST_FAULTS))
ODDITIES: Final[Mapping[str, Oddity]] = MappingProxyType(
    {
        each.name: each
        for each in (
            *ALL_ODDITIES,
            *DPOP_ODDITIES,
            *JARM_ODDITIES,
            *ENCRYPTION_ODDITIES,
            *MTLS_ODDITIES,
        )
    }
)
# No login meets these either: the issuer posts them to the app.
LOGOUT_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(by_name(ALL_LOGOUT_FAULTS))
EVENT_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(by_name(ALL_EVENT_FAULTS))
LOGOUT_ODDITIES: Final[Mapping[str, Oddity]] = MappingProxyType(
    {each.name: each for each in ALL_LOGOUT_ODDITIES}
)
EVENT_ODDITIES: Final[Mapping[str, Oddity]] = MappingProxyType(
    {each.name: each for each in ALL_EVENT_ODDITIES}
)
# Nor does a login by redirect meet these: they are about app launches.
RECEIPT_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(by_name(ALL_RECEIPT_FAULTS))
RECEIPT_ODDITIES: Final[Mapping[str, Oddity]] = MappingProxyType(
    {each.name: each for each in ALL_RECEIPT_ODDITIES}
)
# And these stand in what wallets fetched long before any login.
CREDENTIAL_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(by_name(ALL_CREDENTIAL_FAULTS))
CREDENTIAL_ODDITIES: Final[Mapping[str, Oddity]] = MappingProxyType(
    {each.name: each for each in ALL_CREDENTIAL_ODDITIES}
)
