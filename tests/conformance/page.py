"""The page that sets the plans of the conformance suite beside the faults of the mock issuer."""

from __future__ import annotations

from collections.abc import Iterable

from cyberid_client.testing import (
    CREDENTIAL_FAULTS,
    CREDENTIAL_ODDITIES,
    EVENT_FAULTS,
    EVENT_ODDITIES,
    FAULTS,
    LOGOUT_FAULTS,
    LOGOUT_ODDITIES,
    ODDITIES,
    RECEIPT_FAULTS,
    RECEIPT_ODDITIES,
    WALLET_FAULTS,
    WALLET_ODDITIES,
    Fault,
)

from .modules import BEYOND, PLANS, Beyond, Module, Plan

FAULTY = {**FAULTS, **LOGOUT_FAULTS, **EVENT_FAULTS, **RECEIPT_FAULTS, **CREDENTIAL_FAULTS, **WALLET_FAULTS}
ODD = {
    **ODDITIES,
    **LOGOUT_ODDITIES,
    **EVENT_ODDITIES,
    **RECEIPT_ODDITIES,
    **CREDENTIAL_ODDITIES,
    **WALLET_ODDITIES,
}
EVERYTHING = {**FAULTY, **ODD}


def page() -> str:
    """Return the page."""
    modules = [module for plan in PLANS for module in plan.modules]
    absent = sum(module.absent is not None for module in modules)
    lines = [
        "# The conformance suite, module by module",
        "",
        "The OpenID Foundation's conformance suite plays an issuer that breaks one rule at a time, and sees whether a",
        "relying party goes on. [The mock issuer](testing.md) breaks the same rules, by name, and every test demands",
        "one code and no other. This page lists every module of the suite's relying-party plans that an app with this",
        "library could meet, and then what no plan tests. It is made from `tests/conformance/modules.py`; what a fault",
        "is, and what stops it, is in [faults](faults.md).",
        "",
        "It says which rules are tested here. It is no certificate: the suite itself speaks RS256, client secrets and",
        "userinfo in most of its plans, and this library does not.",
        "",
        "The suite sees a refusal by the call that does not follow: to the token endpoint, to userinfo, to a",
        "resource. Here the access token is dropped unused, so that there is no call to a resource after any login;",
        "what the suite judges as “no resource call” is judged here as “no `Login`”, and the calls that must not",
        "follow a refused callback are read from the issuer's log.",
        "",
        "A module that several plans have stands in the first of them. Plans for implicit and hybrid responses,",
        "`form_post`, dynamic registration, front-channel logout, session management and CIBA are not listed: nothing",
        "of what is theirs alone is in the profile.",
        "",
        f"Of {len(modules)} modules {len(modules) - absent} are tested, and {absent} are not in the profile.",
    ]
    for plan in PLANS:
        lines += _plan_lines(plan)
    lines += [
        "",
        "## Not tested by any plan",
        "",
        "| what | tested by |",
        "|---|---|",
        *(f"| {_cell(each.subject)} | {_proofs(each)} |" for each in BEYOND),
        "",
        "The check that the userinfo of a DPoP-bound token names the same person belongs here too; without userinfo",
        "there is nothing to compare.",
    ]
    return "\n".join(lines) + "\n"


def _plan_lines(plan: Plan) -> list[str]:
    lines = ["", f"## {plan.title}", "", f"`{plan.name}`"]
    if plan.also:
        lines[-1] += ", with the modules of " + " and ".join(f"`{name}`" for name in plan.also)
    return [
        *lines,
        "",
        "| module | here | by |",
        "|---|---|---|",
        *(f"| `{each.name}` | {_verdict(each)} | {_reason(each)} |" for each in plan.modules),
    ]


def _verdict(module: Module) -> str:
    if module.absent is not None:
        return "not in the profile"
    return "refused" if any(name in FAULTY for name in module.by) else "accepted"


def _reason(module: Module) -> str:
    said = _cell(module.absent) if module.absent is not None else _proofs(module)
    return f"{said}; {_cell(module.note)}" if module.note else said


def _proofs(each: Module | Beyond) -> str:
    return ", ".join([*map(_proof, each.by), *_functions(each.tests)])


def _proof(name: str) -> str:
    entry = EVERYTHING[name]
    return f"`{name}` → `{entry.expected_code}`" if isinstance(entry, Fault) else f"`{name}`"


def _functions(tests: Iterable[str]) -> Iterable[str]:
    """Yield the names of the tests, as links would make a wide table wider."""
    return (f"`{test.partition('::')[2]}`" for test in tests)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
