"""Whom to believe at a given time: pure functions over frozen values; none of them reads a clock."""

from __future__ import annotations

from cyberid_client.trust.algorithms import (
    ALGORITHMS,
    Algorithm,
    find_algorithm,
    load_public_key,
    verify_signature,
)
from cyberid_client.trust.cache import ChainCache
from cyberid_client.trust.chains import Chain, verify_chain
from cyberid_client.trust.crl import load_crl
from cyberid_client.trust.keys import KeySet, PublishedKey
from cyberid_client.trust.profile import ChainProfile
from cyberid_client.trust.purposes import TEST_MARK_POLICY, Purpose, PurposeRule, PurposeTable
from cyberid_client.trust.revocation import (
    IssuedCertificate,
    RevocationList,
    RevocationLists,
    RevocationPolicy,
)
from cyberid_client.trust.roots import TrustStore
from cyberid_client.trust.status_list import StatusList, StatusLists

__all__ = [
    "ALGORITHMS",
    "TEST_MARK_POLICY",
    "Algorithm",
    "Chain",
    "ChainCache",
    "ChainProfile",
    "IssuedCertificate",
    "KeySet",
    "PublishedKey",
    "Purpose",
    "PurposeRule",
    "PurposeTable",
    "RevocationList",
    "RevocationLists",
    "RevocationPolicy",
    "StatusList",
    "StatusLists",
    "TrustStore",
    "find_algorithm",
    "load_crl",
    "load_public_key",
    "verify_chain",
    "verify_signature",
]
