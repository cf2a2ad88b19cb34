"""Measure what hostile chains cost beside an honest one.

Run ``python benchmarks/hostile_chains.py``. Each line gives the fastest of many runs, in units of one bare
P-256 verification and as a part of the honest chain that has as many certificates: forged input should
be refused in less time than that. No certificate has been read before.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.errors import ChainError
from cyberid_client.trust import ChainProfile, TrustStore, certificates, verify_chain

RUNS: Final = 200
LIKE_FULL: Final = "as many entries as allowed, beside honest ones"
LIKE_RSA: Final = "RSA of 4,096 bits, beside an honest one"
Hostile = tuple[str, Any, Sequence[Any]]


def _load_builder() -> ModuleType:
    path = Path(__file__).parents[1] / "tests" / "trust" / "builder.py"
    spec = importlib.util.spec_from_file_location("trust_certificate_builder", path)
    assert spec is not None  # noqa: S101 - it lies beside this file
    assert spec.loader is not None  # noqa: S101 - as above
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make: Final = _load_builder()
ROOT: Final = make.authority("Root")
TRUST: Final = TrustStore.from_pem(ROOT.pem)
PROFILE: Final = replace(ChainProfile.assertion(make.ISSUER), max_intermediates=10)
STRANGER: Final = make.key("P-256", "stranger")


def fastest(run: Callable[[], object]) -> float:
    """Return the seconds of the fastest run."""
    best = float("inf")
    for _ in range(RUNS):
        certificates._read.cache_clear()  # noqa: SLF001 - each chain is one that was never seen
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best


def verdict(leaf: Any, authorities: Sequence[Any]) -> str:  # noqa: ANN401 - values of the tests' builder
    """Return the code of the refusal, or a word for a chain that is believed."""
    try:
        verify_chain(leaf.der, [one.der for one in authorities], trust=TRUST, profile=PROFILE, now=make.NOW)
    except ChainError as error:
        return error.code
    return "believed"


def honest(depth: int) -> tuple[Any, list[Any]]:
    """Return a good leaf and so many authorities above it."""
    chain = [ROOT]
    for number in range(depth):
        chain.append(make.authority(f"CA {number}", chain[-1]))
    return make.signer(chain[-1]), chain[:0:-1]


def hostile() -> list[Hostile]:
    """Return chains that nobody should believe, made to cost as much as they can."""
    leaf, (ca,) = honest(1)
    here = [_dated("Here", make.authority("There"), day) for day in range(5)]
    there = [_dated("There", make.authority("Here"), day) for day in range(5)]
    claims = [_dated("CA 0", ROOT, day, sign_with=STRANGER) for day in range(9)]
    forged_ca = make.authority("CA", ROOT, sign_with=STRANGER)
    top = make.authority("Forged 0", ROOT, sign_with=STRANGER)
    line = [top]
    for number in range(1, 10):
        line.append(make.authority(f"Forged {number}", line[-1]))
    constraints = (x509.NameConstraints(None, [x509.DNSName(f"h{n}.test") for n in range(1000)]), True)
    constrained = make.authority("Constrained", ROOT, constraints)
    fitting = (x509.NameConstraints(None, [x509.DNSName(f"h{n}.test") for n in range(60)]), True)
    narrow = make.authority("Narrow", ROOT, fitting, sign_with=STRANGER)
    oids = _oids(1000)
    return [
        ("signature of the leaf forged", make.signer(ca, sign_with=STRANGER), [ca]),
        ("authority forged", make.signer(forged_ca), [forged_ca]),
        (
            "names of no pinned root",
            make.signer(make.authority("Nobody")),
            [make.authority("Nobody", here[0])],
        ),
        ("ten forged authorities in a line", make.signer(line[-1]), line[::-1]),
        ("circle of ten cross-signed authorities", make.signer(here[0]), [*here, *there]),
        (
            "nine forged authorities of the real one's name",
            make.signer(ca, sign_with=STRANGER),
            [*claims, ca],
        ),
        ("1,000 name constraints", make.signer(constrained), [constrained]),
        ("60 name constraints, forged", make.signer(narrow), [narrow]),
        ("1,000 hosts", make.signer(ca, make.names(*[make.dns("a.b")] * 1000)), [ca]),
        ("1,000 policies", make.signer(ca, make.policies(*oids)), [ca]),
        ("1,000 usages", make.signer(ca, make.ekus(*oids)), [ca]),
        ("120 hosts", make.signer(ca, make.names(*[make.dns("")] * 120)), [ca]),
        (LIKE_FULL, *_full(STRANGER)),
        ("chain of fifty", leaf, [ca] * 50),
        ("16 KiB and one byte", make.Issued(bytes(16 * 1024 + 1), None), [ca]),
        (LIKE_RSA, *_with_rsa(4096, STRANGER)),
        ("RSA of 8,192 bits", *_with_rsa(8192, STRANGER)),
    ]


def _dated(subject: str, issuer: Any, day: int, **options: Any) -> Any:  # noqa: ANN401 - values of the tests' builder
    return make.authority(subject, issuer, not_after=make.NOW + (day + 2) * make.DAY, **options)


def _oids(count: int) -> list[str]:
    return [f"1.2.{number}" for number in range(2, count + 2)]


def _full(signed_by: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401 - as above
    entries = (
        (x509.NameConstraints(None, [x509.DNSName(f"h{n}.test") for n in range(16)]), True),
        make.names(*[make.dns("a.b")] * 16),
        make.policies(*_oids(16)),
        make.ekus(make.ASSERTION, *_oids(15)),
    )
    ca = make.authority("Full", ROOT, *entries, sign_with=signed_by)
    return make.signer(ca), [ca]


def _with_rsa(bits: int, signed_by: Any) -> tuple[Any, list[Any]]:  # noqa: ANN401 - as above
    rsa = make.rsa
    make._MAKERS[f"RSA-{bits}"] = lambda: rsa.generate_private_key(65537, bits)  # noqa: SLF001 - a further kind
    ca = make.authority("Large CA", ROOT, kind=f"RSA-{bits}", sign_with=signed_by)
    return make.signer(ca), [ca]


def main() -> None:
    """Print the table."""
    key = make.key()
    scheme = ec.ECDSA(hashes.SHA256())
    signature, public = key.sign(b"message", scheme), key.public_key()
    unit = fastest(lambda: public.verify(signature, b"message", scheme))
    print(f"one bare P-256 verification: {unit * 1e6:.0f} µs")
    floor = {}
    for depth in (1, 2, 3, 10):
        leaf, authorities = honest(depth)
        floor[depth] = fastest(lambda leaf=leaf, authorities=authorities: verdict(leaf, authorities))
        print(f"{'honest, authorities: ' + str(depth):50} {floor[depth] / unit:6.1f} ×")
    like = {}
    for name, (leaf, authorities) in ((LIKE_RSA, _with_rsa(4096, ROOT.key)), (LIKE_FULL, _full(ROOT.key))):
        like[name] = fastest(lambda leaf=leaf, authorities=authorities: verdict(leaf, authorities))
        print(f"{'honest: ' + name.partition(', beside')[0]:50} {like[name] / unit:6.1f} ×")
    print()
    for name, leaf, authorities in hostile():
        seconds = fastest(lambda leaf=leaf, authorities=authorities: verdict(leaf, authorities))
        depth = min(known for known in floor if known >= min(len(authorities), 10))
        beside = like.get(name, floor[depth])
        print(
            f"{name:50} {seconds / unit:6.1f} ×  {seconds / beside:5.2f} of honest  {verdict(leaf, authorities)}"
        )


if __name__ == "__main__":
    main()
