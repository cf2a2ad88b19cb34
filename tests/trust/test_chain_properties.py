"""Random chains, one or two rules changed: believed if and only if a plain reading of the rules says so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from cyberid_client.errors import ChainError
from cyberid_client.trust import ChainProfile, TrustStore, verify_chain

POLICY = "1.2.3.4"
ISSUING_KINDS = ("P-256", "P-384", "RSA-2048", "ML-DSA-44", "ML-DSA-65")
LEAF_KINDS = (*ISSUING_KINDS, "Ed25519")
WEAK_KINDS = ("RSA-1024", "secp256k1", "P-521", "brainpool", "RSA-e3")
PURPOSE = "1.3.6.1.4.1.32473.1.1"
HOST = "issuer.example"


@dataclass(frozen=True)
class Plan:
    """One certificate as it shall be made."""

    kind: str = "P-256"
    is_ca: bool = True
    path_length: int | None = None
    usages: tuple[str, ...] = ("key_cert_sign",)
    purposes: tuple[str, ...] | None = None
    policies: tuple[str, ...] = ()
    days: tuple[int, int] = (-1, 1)
    permitted: str | None = None
    excluded: str | None = None
    strange: bool | None = None  # an unknown extension, critical or not
    forged: bool = False
    host: str = HOST


@dataclass(frozen=True)
class Case:
    """A chain from the root to the leaf, and what the profile asks for."""

    plans: list[Plan]
    policy: bool
    order: list[int] = field(default_factory=list)


def of_authority():
    """Change one thing about an authority, not always for the worse."""
    return st.one_of(
        st.builds(lambda v: {"kind": v}, st.sampled_from((*WEAK_KINDS, "Ed25519"))),
        st.builds(lambda v: {"path_length": v}, st.integers(0, 4)),
        st.just({"is_ca": False}),
        st.builds(lambda v: {"usages": v}, st.sampled_from([("crl_sign",), ("key_cert_sign", "crl_sign")])),
        *_of_any(),
        st.builds(
            lambda v: {"permitted": v}, st.sampled_from([HOST, "example", "other.example", "ssuer.example"])
        ),
        st.builds(
            lambda v: {"excluded": v}, st.sampled_from([HOST, "example", "other.example", "w.issuer.example"])
        ),
        st.just({"forged": True}),
        st.builds(
            lambda v: {"purposes": v},
            st.sampled_from([(PURPOSE,), ("1.2.9",), ("2.5.29.37.0",), ("1.2.9", PURPOSE)]),
        ),
        st.builds(
            lambda v: {"policies": v}, st.sampled_from([(), ("2.5.29.32.0",), ("1.2.3",), ("1.2.9", POLICY)])
        ),
    )


def of_root():
    """Change one thing about a root that leaves it a root."""
    return st.one_of(
        st.builds(lambda v: {"path_length": v}, st.integers(0, 4)),
        *_of_any(),
        st.builds(lambda v: {"permitted": v}, st.sampled_from([HOST, "other.example"])),
        st.builds(lambda v: {"purposes": v}, st.sampled_from([(PURPOSE,), ("1.2.9",)])),
    )


def of_leaf():
    """Change one thing about a leaf."""
    return st.one_of(
        st.builds(lambda v: {"kind": v}, st.sampled_from(WEAK_KINDS)),
        st.just({"is_ca": True}),
        st.builds(lambda v: {"usages": v}, st.sampled_from([(), ("digital_signature", "key_cert_sign")])),
        *_of_any(),
        st.just({"forged": True}),
        st.builds(
            lambda v: {"purposes": v},
            st.sampled_from([None, ("1.2.9",), (PURPOSE, "1.2.9"), (PURPOSE + ".1",)]),
        ),
        st.builds(
            lambda v: {"policies": v}, st.sampled_from([(), ("2.5.29.32.0",), ("1.2.3",), (POLICY + ".5",)])
        ),
        st.builds(
            lambda v: {"host": v}, st.sampled_from(["www.issuer.example", "example", "ISSUER.example"])
        ),
    )


def _of_any():
    dates = st.sampled_from([(-1, 0), (0, 1), (-3, -2), (2, 3), (-9, 9)])
    return (st.builds(lambda v: {"days": v}, dates), st.builds(lambda v: {"strange": v}, st.booleans()))


@st.composite
def cases(draw):
    """Draw a good chain of one to five certificates under a root, and change none to two things."""
    count = draw(st.integers(0, 4))
    policy = draw(st.booleans())
    held = (POLICY,) if policy else ()
    plans = [Plan(kind=draw(st.sampled_from(ISSUING_KINDS)), policies=held) for _ in range(count + 1)]
    leaf = {"usages": ("digital_signature",), "purposes": (PURPOSE,), "policies": held}
    plans.append(Plan(kind=draw(st.sampled_from(LEAF_KINDS)), is_ca=False, **leaf))
    for _ in range(draw(st.integers(0, 2))):
        where = draw(st.integers(0, count + 1))
        changes = of_root() if where == 0 else of_leaf() if where == count + 1 else of_authority()
        plans[where] = replace(plans[where], **draw(changes))
    return Case(plans, policy, draw(st.permutations(range(count))))


def is_good(case):
    """Read the rules plainly: RFC 5280 §6.1 and the profile."""
    *authorities, leaf = case.plans
    intermediates = authorities[1:]
    of_policy = not case.policy or (
        all({POLICY, "2.5.29.32.0"} & set(authority.policies) for authority in intermediates)
        and POLICY in leaf.policies
    )
    of_leaf = (
        leaf.kind in LEAF_KINDS
        and not leaf.is_ca
        and leaf.usages == ("digital_signature",)
        and leaf.purposes == (PURPOSE,)
        and leaf.host.lower() == HOST
    )
    return (
        len(intermediates) <= 3
        and not any(plan.forged or plan.strange for plan in case.plans)
        and all(plan.days[0] <= 0 <= plan.days[1] for plan in case.plans)
        and all(may_issue(authority, below, leaf) for below, authority in enumerate(reversed(authorities)))
        and of_policy
        and of_leaf
    )


def may_issue(authority, below, leaf):
    """Tell whether an authority with so many others below it may stand above this leaf."""
    return (
        authority.kind in ISSUING_KINDS
        and authority.is_ca
        and "key_cert_sign" in authority.usages
        and (authority.path_length is None or authority.path_length >= below)
        and (not authority.purposes or bool({PURPOSE, "2.5.29.37.0"} & set(authority.purposes)))
        and (not authority.permitted or within(leaf.host, authority.permitted))
        and not (authority.excluded and within(leaf.host, authority.excluded))
    )


def within(host, subtree):
    """Tell whether a host lies in a subtree (RFC 5280 §4.2.1.10): whole labels count."""
    labels, wanted = host.lower().split("."), subtree.split(".")
    return labels[-len(wanted) :] == wanted


def issue(make, plan, subject, issuer):
    extensions = [make.basic(ca=plan.is_ca, path_length=plan.path_length if plan.is_ca else None)]
    if plan.usages:
        extensions.append(make.key_usage(*plan.usages))
    if plan.purposes:
        extensions.append(make.ekus(*plan.purposes))
    if plan.policies:
        extensions.append(make.policies(*plan.policies))
    if plan.permitted or plan.excluded:
        permitted = [x509.DNSName(plan.permitted)] if plan.permitted else None
        excluded = [x509.DNSName(plan.excluded)] if plan.excluded else None
        extensions.append((x509.NameConstraints(permitted, excluded), True))
    if plan.strange is not None:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
        extensions.append((unknown, plan.strange))
    if subject == "Leaf":
        extensions.append(make.names(make.uri(make.ISSUER), make.dns(plan.host)))
    first, last = plan.days
    return make.issue(
        subject,
        issuer,
        kind=plan.kind,
        extensions=extensions,
        not_before=make.NOW + first * make.DAY,
        not_after=make.NOW + last * make.DAY,
        sign_with=make.key("P-256", "stranger") if plan.forged else None,
    )


@pytest.mark.slow
@settings(max_examples=250)
@given(case=cases())
def test_a_chain_is_believed_if_and_only_if_every_rule_holds(make, case):
    """Whatever the depth, the algorithms, the order and the one or two rules that were changed."""
    issuer = root = issue(make, case.plans[0], "Root", None)
    authorities = []
    for depth, plan in enumerate(case.plans[1:-1]):
        issuer = issue(make, plan, f"Authority {depth}", issuer)
        authorities.append(issuer)
    leaf = issue(make, case.plans[-1], "Leaf", issuer)
    profile = replace(
        ChainProfile.assertion(make.ISSUER), policies=frozenset({POLICY}) if case.policy else frozenset()
    )
    trust = TrustStore.from_der([root.der])
    try:
        verify_chain(
            leaf.der, [authorities[at].der for at in case.order], trust=trust, profile=profile, now=make.NOW
        )
    except ChainError:
        believed = False
    else:
        believed = True
    assert is_good(case) == believed
