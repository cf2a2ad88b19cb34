"""What it costs to believe an assertion: the whole, and its parts."""

from __future__ import annotations

import hashlib
import itertools
import json
from base64 import b64decode, urlsafe_b64decode
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass

from samples import ALGORITHM_NAMES, Sample, Signed, in_turn, make_sample
from timing import best_of

from cyberid_client.handshake import verify_assertion
from cyberid_client.handshake.assertion import build_login, checklist_for
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.evidence import choose_key
from cyberid_client.handshake.subjects import AssertionSubject, ChainOnDemand
from cyberid_client.models import Assurance, Channel
from cyberid_client.trust import ChainCache, verify_chain
from cyberid_client.wire.assertion import parse_assertion

__all__ = ["AlgorithmTimes", "measure_algorithms", "measure_parts"]


@dataclass(frozen=True, kw_only=True)
class AlgorithmTimes:
    """Seconds for one algorithm, and for the bare P-256 verification of the same rounds.

    Attributes:
        name: of the algorithm.
        p256: one bare ECDSA P-256 verification.
        bare: one bare verification of this algorithm.
        floor: bare decoding of token and certificates, and one hash over the certificates.
        warm: ``verify_assertion``, the chain's verdict remembered.
        cold: the same for a signer that was never seen, under an authority that was.
        coldest: the same when the authority is new, too.
    """

    name: str
    p256: float
    bare: float
    floor: float
    warm: float
    cold: float
    coldest: float


def measure_algorithms(*, quick: bool) -> list[AlgorithmTimes]:
    """Measure a bare verification, and the whole with and without what is remembered."""
    p256 = make_sample("ES256", strangers=0).bare
    return [_measure_algorithm(name, p256, quick=quick) for name in ALGORITHM_NAMES]


def _measure_algorithm(name: str, p256: Callable[[], object], *, quick: bool) -> AlgorithmTimes:
    sample = make_sample(name)
    # Each group takes turns with the unit and nothing else: whoever comes after something large pays for
    # what that left in the processor's caches.
    groups: tuple[dict[str, Callable[[], object]], ...] = (
        {"bare": sample.bare, "warm": _verify(sample, lambda: sample.honest, ChainCache())},
        {"floor": _decode_and_hash(sample.honest.token)},
        {"cold": _verify(sample, in_turn(sample.new_signers), ChainCache(max_entries=1))},
        {"coldest": _verify(sample, in_turn(sample.new_authorities), ChainCache(max_entries=1))},
    )
    found = [best_of({"p256": p256, **group}, quick=quick) for group in groups]
    p256_time = min(times.pop("p256") for times in found)
    return AlgorithmTimes(name=name, p256=p256_time, **dict(ChainMap(*found)))


def _decode_and_hash(token: str) -> Callable[[], object]:
    def decode_and_hash() -> object:
        header, payload, signature = (urlsafe_b64decode(part + "==") for part in token.split("."))
        certificates = [b64decode(text) for text in json.loads(header)["x5c"]]
        return hashlib.sha256(b"".join(certificates)).digest(), json.loads(payload), signature

    return decode_and_hash


def _verify(sample: Sample, take: Callable[[], Signed], cache: ChainCache) -> Callable[[], object]:
    def verify() -> object:
        signed = take()
        return verify_assertion(
            signed.token,
            expected=sample.expected,
            keys=signed.keys,
            now=sample.now,
            crls=signed.crls,
            cache=cache,
        )

    return verify


def measure_parts(*, quick: bool) -> dict[str, float]:
    """Measure the steps of ``verify_assertion`` one by one, for ES256."""
    sample, cache = make_sample("ES256"), ChainCache()
    token, keys, expected, now = sample.honest.token, sample.honest.keys, sample.expected, sample.now
    claims = parse_assertion(token)
    header = claims.jws.header
    key, certificates = choose_key(header, keys, expected)

    def new_chain() -> ChainOnDemand:
        chain = ChainOnDemand(
            certificates, trust=expected.trust, profile=expected.profile, now=now, cache=cache
        )
        chain()
        return chain

    subject = AssertionSubject(
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=new_chain(),
        expected=expected,
        now=now.timestamp(),
        crls=sample.honest.crls,
    )
    checks = checklist_for(expected)
    signature = next(each for each in checks if each.name == "check_signature")
    # The verdict on the chain is at hand in the subject, so that only comparing is measured.
    others = tuple(each for each in checks if each is not signature)
    new_header = in_turn(sample.new_signers)
    functions: dict[str, Callable[[], object]] = {
        "bare": sample.bare,
        "parse, header seen before": lambda: parse_assertion(token),
        "parse, new header": lambda: parse_assertion(new_header().token),
        "choose the key": lambda: choose_key(header, keys, expected),
        "check the signature": lambda: signature.function(subject),
        "chain, remembered": new_chain,
        "chain, new signer": _judge_chain(sample, sample.new_signers),
        "chain, new authority, too": _judge_chain(sample, sample.new_authorities),
        f"the other {len(others)} checks": lambda: run_checks(others, subject),
        "build the login": lambda: build_login(
            subject,
            channel=Channel.REDIRECT,
            factors=Assurance.R02.factors,
            now=now,
            checks=checks,
            return_to="/",
        ),
    }
    return best_of(functions, quick=quick)


def _judge_chain(sample: Sample, strangers: tuple[Signed, ...]) -> Callable[[], object]:
    expected = sample.expected
    chains = [parse_assertion(each.token).jws.header.x5c for each in strangers]
    take = itertools.cycle(chains)

    def judge() -> object:
        leaf, *others = next(take)
        return verify_chain(leaf, others, trust=expected.trust, profile=expected.profile, now=sample.now)

    return judge
