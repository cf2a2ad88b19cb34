"""Write the pages of this folder that are made from the code: ``python docs/generate.py [--check] [NAME ...]``.

Names are those of pages, ``errors.md``; without one it is all of them, some hundred logins among the work.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cyberid_client.error_codes import CATALOGUE, ErrorCode
from cyberid_client.errors import CyberIDError
from cyberid_client.handshake import checklists
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.parsing import PARSING, STATUS_LOOK_UP
from cyberid_client.integrations.answers import kind_of
from cyberid_client.integrations.messages import WebRequest
from cyberid_client.integrations.pages import PAGES as PAGES_SHOWN
from cyberid_client.integrations.pages import load_texts
from cyberid_client.loading import ENVIRONMENT
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
    STATUS_FAULTS,
    WALLET_FAULTS,
    WALLET_ODDITIES,
    Fault,
    Oddity,
)
from cyberid_client.testing.jose import ALGORITHMS as SPOKEN
from cyberid_client.testing.jose import SIGNING_NAMES
from cyberid_client.trust import ALGORITHMS, Algorithm
from cyberid_client.trust.algorithms import RSA_BITS_MAX, RSA_BITS_MIN, RSA_EXPONENT_MIN

HERE = Path(__file__).parent

# Title, what stands for ``*`` in the codes of a check, the checks.
DOCUMENTS = (
    ("Discovery page", ("discovery",), checklists.DISCOVERY),
    ("Signed metadata", ("metadata",), checklists.METADATA),
    ("Answer to the pushed request", ("par",), checklists.PAR_RESPONSE),
    ("Authorization response", ("callback",), checklists.AUTHORIZATION_RESPONSE),
    ("Callback with a signed response", ("callback",), checklists.SIGNED_RESPONSE),
    ("Signed response (JARM)", ("jarm",), checklists.JARM),
    ("Token response", ("token",), checklists.TOKEN_RESPONSE),
    ("Token, encrypted or not", ("id_token", "logout_token"), checklists.SEAL),
    ("Encryption around a token", ("id_token", "logout_token"), checklists.ENCRYPTED_TOKEN),
    ("Assertion (ID token)", ("id_token",), checklists.ID_TOKEN),
    ("Result of a step-up", ("step_up",), checklists.STEP_UP),
    ("Answer of the ID app", ("app_result",), checklists.APP_RESULT),
    ("Receipt for an app launch", ("receipt",), checklists.RECEIPT),
    ("Receipt that refuses", ("receipt",), checklists.RECEIPT_REFUSAL),
    ("Presentation that waits", ("presentation",), checklists.PENDING_PRESENTATION),
    ("Encryption around a wallet's answer", ("presentation",), checklists.PRESENTATION_ENVELOPE),
    ("Answer of a wallet", ("presentation",), checklists.PRESENTATION_RESPONSE),
    ("Credential", ("credential",), checklists.CREDENTIAL),
    ("Key binding", ("key_binding",), checklists.KEY_BINDING),
    ("Status of a credential", ("credential",), checklists.CREDENTIAL_STATUS),
    ("What a presentation proved", ("presentation",), checklists.PRESENTATION_QUERY),
    ("Logout token", ("logout_token",), checklists.LOGOUT_TOKEN),
    ("Security event", ("security_event",), checklists.SECURITY_EVENT),
    ("Page that names the status lists", ("status_aggregation",), checklists.STATUS_AGGREGATION),
    ("Status list", ("status_list",), checklists.STATUS_LIST),
)

# Numbers that are no function of their own: they hold because of how the functions are put together.
NOTES = {
    "Authorization response": (
        "E1.4, that state and issuer are compared before an error is looked at, is the order of this table."
    ),
    "Callback with a signed response": (
        'With `response="jarm"`, in the place of the table above; what is inside is judged by the next one.'
    ),
    "Signed response (JARM)": (
        "E1.4 holds here, too: an error counts after all else, so that only the issuer can end a login."
    ),
    "Encryption around a token": 'With `id_token="jwe"`. What is inside is judged by its own, unchanged table.',
    "Assertion (ID token)": (
        "E4.5, that a key which was rotated a moment ago is found, is one more look: after `id_token.key_unknown`\n"
        "or `id_token.key_unpublished` the key set is fetched once more and the whole table runs again."
    ),
    "Logout token": (
        "E6.1, that the request is a form of limited size with exactly one token, is looked at before the token:\n"
        "`logout_token.content_type`, `logout_token.too_large`, `logout_token.form`.\n"
        "\n"
        "E6.9, that a known `jti` gets the same answer and has no second effect, is the replay store's, after this table.\n"
        "\n"
        "E6.10, that a session which the app does not know is over already, is the app's: it is told, and says nothing."
    ),
    "Security event": (
        "P7.13, that the request is the token alone, with its media type and of limited size, is looked at before the\n"
        "token: `security_event.content_type`, `security_event.too_large`, `security_event.malformed`.\n"
        "\n"
        "P7.14, that a known `jti` gets the same answer and has no second effect, is the replay store's, after this table."
    ),
}


def codes_of(patterns: Iterable[str], documents: Iterable[str]) -> list[str]:
    """Return the catalogue's codes behind ``*.suffix``, ``prefix.*`` and plain codes."""
    codes: list[str] = []
    for pattern in patterns:
        if pattern.startswith("*."):
            codes += [name for name in (f"{each}{pattern[1:]}" for each in documents) if name in CATALOGUE]
        elif pattern.endswith(".*"):
            codes += [code for code in CATALOGUE if code.startswith(pattern[:-1])]
        else:
            codes.append(pattern)
    return codes


def _row(number: str, law: str, clause: str, codes: Iterable[str]) -> str:
    shown = ", ".join(f"`{code}`" for code in codes) or "–"
    return f"| {number} | {law} | {clause} | {shown} |"


def checklist() -> str:
    """Return the page of all checks."""
    lines = [
        "# The checklist",
        "",
        "What is refused, in the order in which it is looked at. Numbers beginning with `E` and `A` are those of",
        "the normative list of checks, numbers beginning with `P` sections of the profile. This page is made from",
        "`cyberid_client/handshake/checklists.py`, which is what runs; [errors](errors.md) says what each code asks",
        "for, [faults](faults.md) which fault of the mock issuer each check stops.",
        "",
        "## While parsing",
        "",
        "No value that breaks one of these rules exists after parsing.",
        "",
        "| number | law | clause | codes |",
        "|---|---|---|---|",
        *(_row(rule.number, rule.law, rule.clause, rule.codes) for rule in PARSING),
    ]
    for title, documents, checks in DOCUMENTS:
        lines += ["", f"## {title}", "", "| number | law | clause | codes |", "|---|---|---|---|"]
        lines += [
            _row(each.number, each.law, each.clause, codes_of(each.codes, documents)) for each in checks
        ]
        if title in NOTES:
            lines += ["", NOTES[title]]
    lines += [
        "",
        "## Looking up the status of a credential",
        "",
        "In memory, among the lists that were believed. No login reads them: assertions name no status list.",
        "",
        "| number | law | clause | codes |",
        "|---|---|---|---|",
        *(_row(rule.number, rule.law, rule.clause, rule.codes) for rule in STATUS_LOOK_UP),
        "",
        "## The two named exceptions",
        "",
        "For ordinary OpenID Providers; [configuration](configuration.md) says what they cost.",
        "",
        "| setting | document | checks that are left |",
        "|---|---|---|",
        f'| `metadata_trust="tls"` | discovery page, unsigned | {_numbers(checklists.UNSIGNED_METADATA)} |',
        f'| `assertion_chain="absent"` | assertion | {_numbers(checklists.ID_TOKEN_WITHOUT_CHAIN)} |',
        f"| the same | signed response | {_numbers(checklists.JARM_WITHOUT_CHAIN)} |",
        f"| the same | logout token | {_numbers(checklists.LOGOUT_TOKEN_WITHOUT_CHAIN)} |",
        f"| the same | security event | {_numbers(checklists.SECURITY_EVENT_WITHOUT_CHAIN)} |",
    ]
    return "\n".join(lines) + "\n"


def _numbers(checks: Iterable[Check[Any]]) -> str:
    return ", ".join(each.number for each in checks)


def checks_by_code() -> dict[str, list[str]]:
    """Return for each code the numbers of the checks that raise it."""
    found: dict[str, list[str]] = {code: [] for code in CATALOGUE}
    for rule in (*PARSING, *STATUS_LOOK_UP):
        for code in rule.codes:
            found[code].append(rule.number)
    for _, documents, checks in DOCUMENTS:
        for each in checks:
            for code in codes_of(each.codes, documents):
                found[code].append(each.number)
    return {code: list(dict.fromkeys(numbers)) for code, numbers in found.items()}


def _classes(root: type[CyberIDError], depth: int = 0) -> Iterator[tuple[int, type[CyberIDError]]]:
    """Walk the tree of errors as it is drawn: a class before its subclasses."""
    yield depth, root
    for each in root.__subclasses__():
        yield from _classes(each, depth + 1)


def errors() -> str:
    """Return the page of all errors."""
    lines = [
        "# Errors",
        "",
        "Whatever bytes arrive, what comes out is a result or one of these classes. The class says what the app",
        "must do, `code` which rule was broken, `fixed_by` who must act, `retryable` whether the same call may",
        "succeed later with nothing changed. `str(error)` is the fixed sentence of the table, never a received",
        "value. `reference` is a random name for this one failure: it goes into the log and on the page, so that a",
        "person on the phone and a line in the log can be brought together. Codes are stable; none is reused for",
        "another rule.",
        "",
        "The page that a person sees is that of [the web endpoints](web.md); an app with pages of its own may do the",
        "same. While somebody who is logged in proves more, it is “" + _title("step_up") + "”",
        f"({PAGES_SHOWN['step_up']}) unless the issuer cannot be reached or the app is set up wrongly. A browser inside",
        "another app that lacks the cookie (`login.handle_missing`) sees “" + _title("in_app") + "”",
        f"({PAGES_SHOWN['in_app']}).",
        "",
        "This page is made from `cyberid_client/errors.py`, `cyberid_client/error_codes.py` and the texts of the",
        "endpoints. The numbers of checks are those of [the checklist](checklist.md).",
        "",
        "```text",
        *(f"{'  ' * depth}{each.__name__}" for depth, each in _classes(CyberIDError)),
        "```",
    ]
    numbers = checks_by_code()
    for _, each in list(_classes(CyberIDError))[1:]:
        lines += _errors_of(each, numbers)
    return "\n".join(lines) + "\n"


def _errors_of(family: type[CyberIDError], numbers: dict[str, list[str]]) -> list[str]:
    lines = ["", f"## {family.__name__}", "", (inspect.getdoc(family) or "").partition("\n")[0], ""]
    rows = [entry for entry in CATALOGUE.values() if entry.family == family.__name__]
    kind = kind_of(family(rows[0].code), WebRequest(method="GET", path="/callback"), is_step_up=False)
    lines += [f"The person sees: “{_title(kind)}” (HTTP status {PAGES_SHOWN[kind]})."]
    lines += [
        "",
        "| code | who acts | again? | checks | what is wrong |",
        "|---|---|---|---|---|",
        *(_error_row(entry, numbers[entry.code]) for entry in rows),
    ]
    return lines


def _title(kind: str) -> str:
    return load_texts("en").pages[kind]["title"]


def _error_row(entry: ErrorCode, numbers: list[str]) -> str:
    again = "yes" if entry.retryable else "no"
    return f"| `{entry.code}` | {entry.fixed_by} | {again} | {', '.join(numbers) or '–'} | {entry.sentence} |"


def faults() -> str:
    """Return the page of everything that the mock issuer can do wrong, and oddly."""
    everything = {**FAULTS, **STATUS_FAULTS, **LOGOUT_FAULTS, **EVENT_FAULTS, **RECEIPT_FAULTS}
    everything |= {**CREDENTIAL_FAULTS, **WALLET_FAULTS}
    oddities = {**ODDITIES, **LOGOUT_ODDITIES, **EVENT_ODDITIES, **RECEIPT_ODDITIES}
    oddities |= {**CREDENTIAL_ODDITIES, **WALLET_ODDITIES}
    lines = [
        "# Named faults and oddities",
        "",
        "What `MockIssuer.arm(name)` takes; [the mock issuer](testing.md) says how. A *fault* is one broken rule",
        "in an otherwise good message, and a client must refuse it with exactly this code. An *oddity* is unusual",
        "and honest, and a client must accept it. This page is made from `cyberid_client.testing.FAULTS`,",
        "`STATUS_FAULTS` (status lists, which no login fetches), `LOGOUT_FAULTS` and `EVENT_FAULTS` (what the issuer",
        "posts to an app), `RECEIPT_FAULTS` (what it answers about app launches), `ODDITIES`, `LOGOUT_ODDITIES`,",
        "`EVENT_ODDITIES` and `RECEIPT_ODDITIES`. `CREDENTIAL_FAULTS` and `CREDENTIAL_ODDITIES` stand in what wallets fetch;",
        "`WALLET_FAULTS` and `WALLET_ODDITIES` are what `Wallet.arm(name)` takes. A refused logout token is answered with 400, a refused security",
        "event with 400 and the `err` that stands behind its code.",
        "",
        "*Needs* says what a test must do for the entry to matter: `max_age`, ask for one · `earlier_login`, have",
        "finished a login before and fetch the documents anew · `policy`, a purpose table that demands the test",
        "mark of signers · `manual_clock`, share a clock that stands still with the issuer · `in_process`, use the",
        "in-process transport · `dpop` and `mtls`, bind logins so · `dpop_nonce`, and let the issuer demand nonces ·",
        "`jarm`, ask for signed responses · `jwe`, have assertions encrypted for `ECDH-ES` with `A256GCM`, `jwe_rsa` for",
        "`RSA-OAEP-256` · `tls_client_auth`, authenticate with a certificate · `request_object`, sign requests ·",
        "`logout`, take logout tokens · `events`, take security events · `app_launch`, log in by app launch ·",
        "`wallet`, log in by wallet and ask for R02; `wallet_age_band`, and for the age band; `wallet_careless`, through a",
        "wallet that shows all that it has, whatever was asked.",
        "",
        "*Suite* is the module of the OpenID Foundation's conformance suite with the same fault, without its",
        "prefix: `basic` stands for `oidcc-client-test`, `fapi2` for",
        "`fapi2-security-profile-final-client-test`; [module by module](conformance.md) they are listed in whole.",
        "",
        f"There are {len(FAULTS)} faults of logins, {len(STATUS_FAULTS)} of status lists, {len(LOGOUT_FAULTS)} of logout",
        f"tokens, {len(EVENT_FAULTS)} of security events, {len(RECEIPT_FAULTS)} of app launches,",
        f"{len(CREDENTIAL_FAULTS)} of credentials, {len(WALLET_FAULTS)} of wallets, and {len(oddities)} oddities.",
    ]
    for section in dict.fromkeys(name.partition(".")[0] for name in everything):
        lines += ["", f"## Faults: {section}", "", "| name | law | checks | code | needs | suite |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [
            f"| `{each.name}` | {_cell(each.law)} | {', '.join(each.numbers)} | {_outcome(each)} "
            f"| {_needs(each)} | {_suite(each)} |"
            for each in everything.values()
            if each.name.startswith(f"{section}.")
        ]
    lines += ["", "## Oddities", "", "| name | law | checks | needs | suite |", "|---|---|---|---|---|"]
    lines += [
        f"| `{each.name}` | {_cell(each.law)} | {', '.join(each.numbers)} | {_needs(each)} | {_suite(each)} |"
        for each in oddities.values()
    ]
    return "\n".join(lines) + "\n"


def _outcome(each: Fault) -> str:
    return f"`{each.expected_code}`" + ("" if each.err is None else f", `{each.err}`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _needs(each: Fault | Oddity) -> str:
    return "–" if each.needs is None else f"`{each.needs}`"


def _suite(each: Fault | Oddity) -> str:
    if each.module is None:
        return "–"
    fapi, basic = "fapi2-security-profile-final-client-test-", "oidcc-client-test-"
    return each.module.replace(fapi, "fapi2: ").replace(basic, "basic: ")


# What a key of each type must reach, and where that is said.
FLOORS = {
    "EC": "the named curve; uncompressed point",
    "RSA": f"{RSA_BITS_MIN} to {RSA_BITS_MAX} bits, exponent from {RSA_EXPONENT_MIN}",
    "OKP": "the named curve",
    "AKP": "the parameter set of the name",
}
HASHES = {16: "SHA-256", 24: "SHA-384", 32: "SHA-512"}
STANDARDS = {
    "ES256": "RFC 7518 §3.4",
    "ES384": "RFC 7518 §3.4",
    "PS256": "RFC 7518 §3.5",
    "EdDSA": "RFC 8037 §3.1",
    "SM2-SM3": "GM/T 0003, GM/T 0009; a private name",
}


def algorithms() -> str:
    """Return the page of the table of algorithms."""
    lines = [
        "# Algorithms",
        "",
        "One closed table says which signatures this library can believe. `RelyingParty.algorithm` names one row,",
        "and metadata, assertions and status lists in any other are refused, whatever their header says and however",
        "good their key and chain are: an algorithm is configured, never negotiated. Names are compared exactly:",
        "`Ed25519`, the newer name for `EdDSA` over that curve (RFC 9864), is no name of the table. This page is made",
        "from `cyberid_client/trust/algorithms.py`.",
        "",
        "| name | key in a key set | floor of the key | `at_hash` | standard | here |",
        "|---|---|---|---|---|---|",
        *map(_algorithm_row, ALGORITHMS.values()),
        "",
        "`at_hash` is the left half of the named hash over the access token (OpenID Connect Core §3.1.3.6). ECDSA",
        "signatures are `r` and `s` in full width, never DER. PS256 has one padding: MGF1 with SHA-256 and a salt of",
        "32 bytes. ML-DSA is the pure form with the empty context, and its keys (`AKP`) always name their algorithm.",
        "",
        "## In certificates",
        "",
        "| name | object identifiers of certificate signatures | authorities |",
        "|---|---|---|",
        *map(_certificate_row, ALGORITHMS.values()),
        "",
        "A chain may mix the kinds: what must be in the table is each key and each signature. RSASSA-PSS signatures",
        "are taken with SHA-256, SHA-384 and SHA-512, from keys that are plain RSA keys. The built-in path engine",
        "judges no Ed25519 authorities, so an Ed25519 signer stands under an authority of another kind; a chain that",
        "needs more ends in `chain.engine_required`.",
        "",
        "## What the mock issuer signs with",
        "",
        '`MockIssuer(algorithm="ML-DSA-65")` signs metadata, assertions, status lists, certificates and revocation',
        "lists in that algorithm, from the root down. With `EdDSA` only the signers have Ed25519 keys, and root and",
        "authority have P-256 keys. Clients sign their requests with ES256 whatever the issuer does.",
        "`rotate_signing_key(algorithm=...)` makes an issuer that signs in another algorithm than its metadata say.",
        "`make demo ALG=ML-DSA-65` walks a login in one of them.",
        "",
        "| name | signature, bytes | public key, bytes |",
        "|---|---|---|",
        *map(_size_row, SIGNING_NAMES),
        "",
        "The key is a SubjectPublicKeyInfo. An ML-DSA certificate holds one key and one signature, and so an assertion",
        "with its chain of two certificates has some 19,000 characters in ML-DSA-44, 26,000 in ML-DSA-65 and 34,500 in",
        "ML-DSA-87, against 3,300 in ES256. The limits allow the longest chain, four certificates under the root, in",
        "every row: some 62,000 characters of 64 KiB in ML-DSA-87. Bodies carry that; HTTP headers and URLs do not,",
        "and no message of this handshake puts an assertion there.",
        "",
        "## What is missing",
        "",
        *(f"- `{row.name}`: {MISSING}" for row in ALGORITHMS.values() if not row.is_available),
        "- The app's own key (`ClientKey`) is P-256, P-384, Ed25519 or RSA; ML-DSA is not offered for requests.",
        "- A second algorithm with an end date, for an issuer that changes over, belongs to the profile and is not",
        "  built yet.",
    ]
    return "\n".join(lines) + "\n"


MISSING = (
    "known by name, and the part that computes is not in this release. Configuring it ends in\n"
    "  `config.algorithm_unavailable` when the app starts; a certificate of that kind in a chain ends in\n"
    "  `chain.engine_required`."
)


def _algorithm_row(row: Algorithm) -> str:
    key = f"`{row.kty}`" if row.crv is None else f"`{row.kty}`, `{row.crv}`"
    hash_ = HASHES[len(row.half_hash(b""))] if row.is_available else "SM3"
    standard = STANDARDS.get(row.name, "RFC 9964")
    here = "yes" if row.is_available else "part is missing"
    return f"| `{row.name}` | {key} | {FLOORS[row.kty]} | {hash_} | {standard} | {here} |"


def _certificate_row(row: Algorithm) -> str:
    judged = row.is_available and row.name != "EdDSA"
    oids = ", ".join(f"`{oid}`" for oid in sorted(row.certificate_oids))
    return f"| `{row.name}` | {oids} | {'yes' if judged else 'not by the built-in engine'} |"


def _size_row(name: str) -> str:
    key = SPOKEN[name].generate()
    public_key = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    kind = " (RSA-2048)" if ALGORITHMS[name].kty == "RSA" else ""
    return f"| `{name}`{kind} | {len(SPOKEN[name].sign(key, b'')):,} | {len(public_key):,} |"


def removal_matrix() -> str:
    """Return the page of what gets through when a check is left out; it logs in some hundred times."""
    # At the end, so that the installed package goes before the folder of the same name.
    sys.path.append(str(HERE.parent))
    page: str = importlib.import_module("tests.removal.matrix").page()
    return page


def variables() -> str:
    """Return the page of the environment variables."""
    head = (
        "# Environment variables\n\n"
        "What `RelyingParty.from_env()` reads; [another page](environment.md) says how. A name with `_FILE` behind it\n"
        "names a file that holds the value.\n\n"
        "| variable | in TOML | also `…_FILE` | what it is |\n|---|---|---|---|\n"
    )
    rows = [
        f"| `{each.name}` | `{each.setting}` | {'yes' if each.in_file else '–'} | {each.says} |\n"
        for each in ENVIRONMENT
    ]
    return head + "".join(rows)


def conformance() -> str:
    """Return the page of the conformance suite's modules."""
    sys.path.append(str(HERE.parent))
    page: str = importlib.import_module("tests.conformance.page").page()
    return page


PAGES: dict[str, Callable[[], str]] = {
    "algorithms.md": algorithms,
    "checklist.md": checklist,
    "conformance.md": conformance,
    "errors.md": errors,
    "faults.md": faults,
    "removal-matrix.md": removal_matrix,
    "variables.md": variables,
}


def main() -> int:
    """Write the pages, or with ``--check`` say which of them are not current."""
    logging.disable(logging.WARNING)  # the pages walk through refused logins
    names = [name for name in sys.argv[1:] if name != "--check"] or [*PAGES]
    texts = {name: PAGES[name]() for name in names}
    stale = [name for name in names if not _is_current(HERE / name, texts[name])]
    if "--check" in sys.argv:
        for name in stale:
            sys.stderr.write(f"docs/{name} is not current; run: python docs/generate.py\n")
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(texts[name], encoding="utf-8")
    return 0


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    raise SystemExit(main())
