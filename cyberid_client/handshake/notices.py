"""What logout tokens and security events share: who may sign them, and the names that a store knows them by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from cyberid_client.config import RelyingParty
from cyberid_client.trust import Algorithm, ChainProfile, RevocationPolicy, TrustStore, find_algorithm

__all__ = ["NoticeDemands", "name_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDemands:
    """What is demanded of the signer of a notice: the same as of the signer of an assertion."""

    algorithm: Algorithm
    trust: TrustStore | None
    profile: ChainProfile
    chain_required: bool
    revocation: RevocationPolicy

    @classmethod
    def of(cls, rp: RelyingParty) -> Self:
        """Take them out of the configuration."""
        return cls(
            algorithm=find_algorithm(rp.algorithm),
            trust=rp.trust,
            profile=ChainProfile.assertion(rp.issuer, purposes=rp.purposes),
            chain_required=rp.assertion_chain == "required",
            revocation=rp.revocation,
        )


def name_of(label: str, *parts: str) -> str:
    """Return a hash of the parts, 64 hex digits, under which a store knows a message or a person.

    It is not keyed: it hides what nobody can guess, as a pseudonym or a random name is, and nothing else.

    Args:
        label: keeps names of one kind from being names of another.
        parts: each with its length before it, so that no two lists of parts run together.
    """
    data = [part.encode("utf-8", "surrogatepass") for part in (label, *parts)]
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in data)).hexdigest()
