"""What a revocation list of 20,000 entries costs: once to load, and per check after that.

Run: ``python benchmarks/crl.py [--quick]``. It fails when a check takes more than one millisecond.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.crls import Entry
from cyberid_client.testing.pki import der
from cyberid_client.trust import (
    ChainCache,
    ChainProfile,
    RevocationLists,
    RevocationPolicy,
    TrustStore,
    load_crl,
    verify_chain,
)

NOW: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ENTRIES: Final = 20_000
LIMIT_SECONDS: Final = 0.001


def best(function: object, *, rounds: int, calls: int) -> float:
    """Return the seconds of one call in the best of some rounds."""
    found = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        found = min(found, (time.perf_counter() - start) / calls)
    return found


def bare_verification() -> object:
    """Return one bare P-256 verification, the unit of all numbers."""
    key = ec.generate_private_key(ec.SECP256R1())
    message, scheme = b"message", ec.ECDSA(hashes.SHA256())
    signature, public = key.sign(message, scheme), key.public_key()
    return lambda: public.verify(signature, message, scheme)


def main() -> int:
    """Measure and print; return 1 when a check is too slow."""
    rounds = 5 if "--quick" in sys.argv else 30
    issuer = MockIssuer(ManualClock(NOW))
    keyring = issuer._service.keyring  # noqa: SLF001 - the mock's own desk writes the long list
    lists = RevocationLists()
    for name in ("root", "authority"):
        draft = keyring.revocations.draft(f"/crl/{name}.der", keyring, NOW)
        since = NOW - timedelta(days=1)
        draft.entries = [Entry(serial=2**100 + number, since=since) for number in range(ENTRIES)]
        data, authority = draft.encode(), der(getattr(keyring, name).certificate)
        lists = lists.with_list(load_crl(data, issuer=authority, now=NOW))
    leaf, *rest = [der(one) for one in keyring.signer("assertion").chain]
    asked = {
        "trust": TrustStore.for_tests(issuer.root_pem),
        "profile": ChainProfile.assertion(issuer.issuer),
        "now": NOW,
        "cache": ChainCache(),
    }
    path = verify_chain(leaf, rest, **asked).certificates
    policy, seconds = RevocationPolicy.require(), NOW.timestamp()
    bare = best(bare_verification(), rounds=rounds, calls=100)
    load = best(lambda: load_crl(data, issuer=authority, now=NOW), rounds=max(3, rounds // 5), calls=1)
    check = best(lambda: lists.require_good(path, policy=policy, now=seconds), rounds=rounds, calls=1_000)
    warm = best(lambda: verify_chain(leaf, rest, **asked), rounds=rounds, calls=1_000)
    whole = best(lambda: verify_chain(leaf, rest, crls=lists, **asked), rounds=rounds, calls=1_000)
    rows = {
        f"load a list of {ENTRIES} entries ({len(data) // 1024} KiB)": load,
        f"check a path of {len(path)} certificates against such lists": check,
        "  of that, per certificate": check / len(path),
        "warm verdict on the chain": warm,
        "warm verdict and revocation": whole,
    }
    print(f"bare P-256 verification: {bare * 1e6:.1f} µs")
    for name, took in rows.items():
        print(f"{name}: {took * 1e6:.2f} µs, {took / bare:.4f} ×")
    return 1 if check > LIMIT_SECONDS else 0


if __name__ == "__main__":
    raise SystemExit(main())
