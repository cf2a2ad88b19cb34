"""The matrix of removals: which named fault needs which check, and the page that says so.

Every row is found by logging in: a check stands in a row because a login without it went through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from cyberid_client.handshake import checklists
from cyberid_client.handshake.check import Check

from . import wallets
from .cases import BROWSERS, NAMED, NOTHING_TO_BUILD, PARSING, Case, Verdict, case_of
from .runner import judge

TITLES = {
    "DISCOVERY": "Discovery page",
    "METADATA": "Signed metadata",
    "UNSIGNED_METADATA": 'Discovery page, unsigned (`metadata_trust="tls"`)',
    "PAR_RESPONSE": "Answer to the pushed request",
    "AUTHORIZATION_RESPONSE": "Authorization response",
    "SIGNED_RESPONSE": 'Around a signed authorization response (`response="jarm"`)',
    "JARM": "Signed authorization response",
    "JARM_WITHOUT_CHAIN": 'Signed authorization response (`assertion_chain="absent"`)',
    "TOKEN_RESPONSE": "Token response",
    "SEAL": "Whether the assertion is encrypted",
    "ENCRYPTED_TOKEN": 'Around an encrypted assertion (`id_token="jwe"`)',
    "ID_TOKEN": "Assertion",
    "ID_TOKEN_WITHOUT_CHAIN": 'Assertion (`assertion_chain="absent"`)',
    "LOGOUT_TOKEN": "Logout token",
    "LOGOUT_TOKEN_WITHOUT_CHAIN": 'Logout token (`assertion_chain="absent"`)',
    "SECURITY_EVENT": "Security event",
    "SECURITY_EVENT_WITHOUT_CHAIN": 'Security event (`assertion_chain="absent"`)',
    "STEP_UP": "The person of a step-up",
    "APP_RESULT": "Answer of the ID app",
    "RECEIPT": "Receipt for an app launch",
    "RECEIPT_REFUSAL": "Receipt that refuses",
}
SETTING_OF = {
    "UNSIGNED_METADATA": "unsigned",
    "ID_TOKEN_WITHOUT_CHAIN": "without_chain",
    "JARM_WITHOUT_CHAIN": "without_chain",
    "SIGNED_RESPONSE": "jarm",
    "JARM": "jarm",
    "LOGOUT_TOKEN": "logout",
    "LOGOUT_TOKEN_WITHOUT_CHAIN": "logout_without_chain",
    "SECURITY_EVENT": "event",
    "SECURITY_EVENT_WITHOUT_CHAIN": "event_without_chain",
    "APP_RESULT": "app",
    "RECEIPT": "app",
    "RECEIPT_REFUSAL": "app_refusal",
}

# The members of an event, which are not read of one that is not understood.
STATE_OF_EVENT = ("check_account_state", "check_event_reason", "check_event_sequence")
# Checks whose fault something else stops too, by name, with who else does: only without all of them does
# it get through. Why each is kept is on the page.
SHARED = {
    ("METADATA", "check_key"): ("check_signature", "check_chain", "check_revocation"),
    ("METADATA", "check_chain"): ("check_revocation",),
    ("ID_TOKEN", "check_key"): (
        "check_signature",
        "check_chain",
        "check_key_is_published",
        "check_revocation",
    ),
    ("JARM", "check_key"): ("check_signature", "check_chain", "check_key_is_published", "check_revocation"),
    ("JARM", "check_algorithm"): ("check_signature",),
    ("JARM", "check_code_or_error"): ("check_declined",),
    ("JARM", "check_declined"): ("check_code_or_error",),
    ("JARM_WITHOUT_CHAIN", "check_algorithm"): ("check_signature",),
    ("JARM_WITHOUT_CHAIN", "check_key"): ("check_signature", "check_key_is_published"),
    ("JARM_WITHOUT_CHAIN", "check_key_is_published"): ("check_key", "check_signature"),
    ("JARM_WITHOUT_CHAIN", "check_code_or_error"): ("check_declined",),
    ("JARM_WITHOUT_CHAIN", "check_declined"): ("check_code_or_error",),
    ("ENCRYPTED_TOKEN", "check_decryption_key"): ("check_key_encryption", PARSING),
    ("ENCRYPTED_TOKEN", "check_key_encryption"): (PARSING,),
    ("ENCRYPTED_TOKEN", "check_content_encryption"): (PARSING,),
    ("ENCRYPTED_TOKEN", "check_uncompressed"): (PARSING,),
    ("ENCRYPTED_TOKEN", "check_encrypted_critical"): (PARSING,),
    ("ID_TOKEN_WITHOUT_CHAIN", "check_key"): ("check_signature", "check_key_is_published"),
    ("ID_TOKEN_WITHOUT_CHAIN", "check_key_is_published"): ("check_key", "check_signature"),
    ("LOGOUT_TOKEN", "check_key"): (
        "check_signature",
        "check_chain",
        "check_key_is_published",
        "check_revocation",
    ),
    ("LOGOUT_TOKEN_WITHOUT_CHAIN", "check_key"): ("check_signature", "check_key_is_published"),
    ("LOGOUT_TOKEN_WITHOUT_CHAIN", "check_key_is_published"): ("check_key", "check_signature"),
    ("SECURITY_EVENT", "check_key"): (
        "check_signature",
        "check_chain",
        "check_key_is_published",
        "check_revocation",
    ),
    ("SECURITY_EVENT", "check_event_type"): STATE_OF_EVENT,
    ("SECURITY_EVENT_WITHOUT_CHAIN", "check_key"): ("check_signature", "check_key_is_published"),
    ("SECURITY_EVENT_WITHOUT_CHAIN", "check_key_is_published"): ("check_key", "check_signature"),
    ("SECURITY_EVENT_WITHOUT_CHAIN", "check_event_type"): STATE_OF_EVENT,
    ("AUTHORIZATION_RESPONSE", "check_code_or_error"): ("check_declined",),
    ("AUTHORIZATION_RESPONSE", "check_declined"): ("check_code_or_error",),
    ("TOKEN_RESPONSE", "check_access_token"): ("check_access_token_hash",),
    ("TOKEN_RESPONSE", "check_id_token_present"): (PARSING,),
    ("APP_RESULT", "check_data_present"): (PARSING,),
    **{
        (document, "check_key"): (
            "check_signature",
            "check_chain",
            "check_key_is_published",
            "check_revocation",
        )
        for document in ("RECEIPT", "RECEIPT_REFUSAL")
    },
}


@dataclass(frozen=True)
class Row:
    """One check and the fault that needs it."""

    check: Check[Any]
    fault: str
    verdict: Verdict

    @property
    def others(self) -> tuple[str, ...]:
        """Names of what else stops the fault."""
        names = [name for _, name in self.verdict.stops if name != self.check.name]
        return tuple(names) if self.verdict.last.by is None else (*names, self.verdict.last.by[1])


@dataclass(frozen=True)
class Guarantee:
    """What a store or a cookie promises, and what happens without it; proved by a test of that name."""

    test: str
    promise: str
    attack: str
    also: str = "–"


STORES = (
    Guarantee(
        "test_without_take_once_a_recorded_answer_logs_in_again",
        "A record is taken once.",
        "Who recorded callback and token response replays them: a second login.",
        "the issuer's one-time code, while the token response is the issuer's own",
    ),
    Guarantee(
        "test_without_expiry_a_login_waits_for_ever",
        "A record is gone when its time is up.",
        "A callback of an hour ago still finishes its login.",
        "`check_lifetime`",
    ),
    Guarantee(
        "test_without_encryption_a_copy_of_the_store_tells_everything",
        "A record is encrypted under the handle.",
        "Who reads the store has state, nonce and verifier of every pending login.",
    ),
    Guarantee(
        "test_without_the_hash_a_copy_of_the_store_is_a_list_of_handles",
        "A record is kept under a hash of the handle.",
        "Who reads the store takes the handle out of it and opens the victim's login.",
    ),
    Guarantee(
        "test_without_binding_a_record_opens_under_another_key",
        "A record is bound to its key.",
        "Who may write to the store and saw a callback moves the victim's record under a key of their own "
        "and finishes the victim's login.",
        "the key of its own that each handle gives",
    ),
    Guarantee(
        "test_without_refusal_when_full_a_stranger_ends_the_logins_of_others",
        "A full store refuses the newest login and drops none that lives.",
        "A stranger who starts many logins ends everybody else's.",
    ),
    Guarantee(
        "test_without_one_transaction_a_death_repeats_the_effect",
        "A message and what the app writes because of it are one transaction.",
        "The app dies after it wrote; the message comes again, and what it says is written again.",
    ),
)
COOKIES = (
    Guarantee(
        "test_without_the_prefix_a_subdomain_plants_a_login",
        "`__Host-`",
        "A page of `evil.shop.example` plants its own login's cookie for all of `shop.example`; "
        "the person is logged in as somebody else.",
    ),
    Guarantee(
        "test_without_the_prefix_another_app_of_the_host_shadows_the_cookie",
        "`__Host-`",
        "Another app of the same host plants a cookie with a longer path, which is sent first.",
    ),
    Guarantee(
        "test_without_secure_the_cookie_goes_over_plain_http",
        "`Secure`",
        "A link to `http://shop.example` shows the handle to the network.",
        "`__Host-`: browsers drop such a cookie without `Secure`",
    ),
    Guarantee(
        "test_without_http_only_a_script_reads_the_handle",
        "`HttpOnly`",
        "A script that was slipped into any page of the app reads the handle.",
    ),
    Guarantee(
        "test_without_lax_a_post_of_another_site_carries_the_cookie",
        "`SameSite=Lax`",
        "A form on another site posts to the callback with the person's cookie.",
    ),
    Guarantee(
        "test_with_strict_nobody_comes_back",
        "`SameSite=Lax`",
        "With `Strict` in its place the cookie does not come back from the issuer: nobody logs in.",
    ),
    Guarantee(
        "test_without_path_the_cookie_does_not_reach_the_callback",
        "`Path=/`",
        "The cookie is tied to the folder of the start page and does not reach the callback.",
        "`__Host-`: browsers drop such a cookie without `Path=/`",
    ),
    Guarantee(
        "test_with_one_name_two_tabs_disturb_each_other",
        "a name of its own",
        "The second tab overwrites the first one's cookie, whose login then fails.",
    ),
    Guarantee(
        "test_without_max_age_the_cookie_outlives_its_login",
        "`Max-Age`",
        "The cookie of a login that nobody finished stays and adds to every request.",
    ),
)


@cache
def verdicts() -> dict[str, Verdict]:
    """Return for every fault what stops it in the default configuration."""
    return {name: judge(case_of(name)) for name in (*NAMED, *BROWSERS)}


def rows(document: str) -> Iterator[Row]:
    """Yield the checks of a document in their order, each with the fault that needs it most."""
    for each in getattr(checklists, document):
        candidates = [
            (len(verdict.stops), verdict.last.by is not None, position, name)
            for position, (name, verdict) in enumerate(verdicts().items())
            if any(stop == each.name for _, stop in verdict.stops) and _is_of(document, name)
        ]
        setting = SETTING_OF.get(document)
        for _, _, _, name in sorted(candidates, key=lambda one: (one[1], *one)):
            verdict = verdicts()[name] if setting is None else judge(Case(name, setting))
            if (document, each.name) in verdict.stops:
                yield Row(each, name, verdict)
                break


def _is_of(document: str, fault: str) -> bool:
    """Tell whether a fault is one of this document, or of its sibling under a named exception."""
    twin = {
        "UNSIGNED_METADATA": {"METADATA", "DISCOVERY"},
        "ID_TOKEN_WITHOUT_CHAIN": {"ID_TOKEN"},
        "JARM": {"JARM", "ID_TOKEN"},
        "JARM_WITHOUT_CHAIN": {"JARM"},
        "SIGNED_RESPONSE": {"SIGNED_RESPONSE", "AUTHORIZATION_RESPONSE"},
        "LOGOUT_TOKEN_WITHOUT_CHAIN": {"LOGOUT_TOKEN"},
        "SECURITY_EVENT_WITHOUT_CHAIN": {"SECURITY_EVENT"},
        "APP_RESULT": {"APP_RESULT", "AUTHORIZATION_RESPONSE"},
        "RECEIPT_REFUSAL": {"RECEIPT"},
    }
    if fault == "revocation.signer":
        # It signs assertions, logout tokens, security events and receipts alike.
        others = ("LOGOUT_TOKEN", "SECURITY_EVENT", "RECEIPT", "RECEIPT_REFUSAL")
        twin |= {name: {name, "ID_TOKEN"} for name in others}
    return any(where in twin.get(document, {document}) for where, _ in verdicts()[fault].stops)


def page() -> str:
    """Return the page of the whole matrix."""
    return "\n".join([*_head(), *_documents(), *_wallets(), *_shared(), *_parsing(), *_guarantees()]) + "\n"


def _head() -> list[str]:
    return [
        "# The removal matrix",
        "",
        "For every check: a named fault that the whole checklist refuses and that gets through when this one",
        "check is left out. A check without such a fault would be decoration; a fault that nothing stops, a hole.",
        "The tests of `tests/removal` log in and take notices, in process, with checklists of which one check after",
        "the other is taken away, and this page is made from what happened. No app can do the same: what takes the",
        "checklists is private.",
        "",
        "*Then* says what comes out without the check: a whole login, the value that this step accepts, or what the",
        "app is told, a logout or the state of an account.",
        "*Also stopped by* names what refuses the fault when the check is gone; then all of them have to go",
        "before the fault gets through. [Faults](faults.md) says what each fault is; those that begin with",
        "`browser.` or `phone.` are no issuer's:",
        "",
        *(f"- `{name}`: {law} (`{code}`)" for name, (law, code) in BROWSERS.items()),
    ]


def _documents() -> list[str]:
    lines: list[str] = []
    for document, title in TITLES.items():
        lines += ["", f"## {title}", "", "| number | check | fault | code | then | also stopped by |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [
            f"| {row.check.number} | `{row.check.name}` | `{row.fault}` | `{row.verdict.first.code}` "
            f"| {row.verdict.last.accepted or 'nothing'} | {_names(row.others)} |"
            for row in rows(document)
        ]
    return lines


def _wallets() -> list[str]:
    lines = [
        "",
        "## Wallets",
        "",
        "The faults of these tables are those of a wallet, `wallet.`, and of the credentials in one, `credential.`; those that",
        "begin with `answer.` are nobody's:",
        "",
        *(f"- `{name}`: {law} (`{code}`)" for name, (law, code) in wallets.OTHERS.items()),
        "",
        "*Then* is always a login.",
    ]
    for document, title in wallets.TITLES.items():
        lines += ["", f"### {title}", "", "| number | check | fault | code | also stopped by |"]
        lines += ["|---|---|---|---|---|"]
        faults = wallets.best(document)
        lines += [
            f"| {each.number} | `{each.name}` | `{faults[each.name]}` | `{wallets.EXPECTED[faults[each.name]]}` "
            f"| {_names(wallets.others(each.name, faults[each.name]))} |"
            for each in getattr(checklists, document)
        ]
    return [
        *lines,
        "",
        "`check_query_answered` compares what every format says with what was asked for, whatever the format's own checks",
        "did. An answer that is really encrypted in another way stays shut, and what is compressed inside is no answer. The",
        "header of a credential has no room for `crit`, and there is no evidence about a signer without a chain that holds.",
    ]


def _names(names: tuple[str, ...]) -> str:
    words = {PARSING: "the parser", NOTHING_TO_BUILD: "the evidence"}
    return ", ".join(words.get(name, f"`{name}`") for name in names) or "–"


def _shared() -> list[str]:
    return [
        "",
        "Why the checks that are not alone are kept: `check_key` and `check_id_token_present` say what is wrong",
        "where the next one could only say that nothing holds; `check_declined` turns an answer without a code",
        "into the decline that it is, where the issuer would refuse the empty code; `check_code_or_error` refuses",
        "a response that says both before anything acts on either; `check_access_token` holds also when the",
        "assertion has no `at_hash`; and where chains are absent, a key that is not published is the same",
        "as no key. `check_revocation` stands behind `check_chain`, because nobody answers for a chain that does",
        "not hold. What surrounds an encrypted assertion is stopped a second time by the decryption, which knows",
        "the two algorithms of our key and no others; the checks before it say what was wrong, and spare it the",
        "work. An event that is not understood is not read, so that it has none of the members of an account's",
        "state; `check_event_type` says that it is another event, and not that this one is broken.",
    ]


def _parsing() -> list[str]:
    stopped = [name for name in NAMED if not verdicts()[name].stops]
    return [
        "",
        "## Refused before any check",
        "",
        f"Of the {len(NAMED)} faults of logins and notices that the mock issuer knows these {len(stopped)} are refused by the transport,",
        "by a parser, as an error that the issuer sent, or because a revocation list that was asked for is not",
        "one to believe; no list of checks is involved.",
        "",
        "| fault | number | code |",
        "|---|---|---|",
        *(f"| `{name}` | {NAMED[name].numbers[0]} | `{verdicts()[name].first.code}` |" for name in stopped),
    ]


def _guarantees() -> list[str]:
    lines: list[str] = []
    for title, first, guarantees in (
        ("Stores of pending logins and of messages", "guarantee", STORES),
        ("The login's cookie", "property", COOKIES),
    ):
        lines += ["", f"## {title}", "", f"| {first} | without it | also stopped by |", "|---|---|---|"]
        lines += [f"| {each.promise} | {each.attack} | {each.also} |" for each in guarantees]
    return lines
