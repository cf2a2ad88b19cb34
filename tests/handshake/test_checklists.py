"""The checklists as a whole: nothing is left out, nothing is unlisted, and every check is needed."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import FrozenInstanceError
from functools import partial

import pytest

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.handshake import checklists, checks
from cyberid_client.handshake.check import Check, check, run_checks
from cyberid_client.handshake.parsing import PARSING
from cyberid_client.models import Persistence
from cyberid_client.trust import RevocationLists

from .answers import DOCUMENTS, AnswerBench, broken_answers, wallet_party
from .answers import FOLLOWS as FOLLOWS_IN_ANSWERS
from .conftest import EVENT_CLAIMS
from .presented import FOLLOWS, PRESENTATION, PresentationBench, broken_presentations
from .receipts import ReceiptBench, pending_launch
from .sealed import JARMBench, SealBench, decryption_key

CHECKLISTS = {name: getattr(checklists, name) for name in checklists.__all__}
DOCUMENT_OF = {
    "DISCOVERY": "discovery",
    "METADATA": "metadata",
    "PAR_RESPONSE": "par",
    "AUTHORIZATION_RESPONSE": "callback",
    "TOKEN_RESPONSE": "token",
    "ID_TOKEN": "id_token",
    "UNSIGNED_METADATA": "metadata",
    "ID_TOKEN_WITHOUT_CHAIN": "id_token",
    "STATUS_AGGREGATION": "status_aggregation",
    "STATUS_LIST": "status_list",
    "LOGOUT_TOKEN": "logout_token",
    "LOGOUT_TOKEN_WITHOUT_CHAIN": "logout_token",
    "SECURITY_EVENT": "security_event",
    "SECURITY_EVENT_WITHOUT_CHAIN": "security_event",
    "STEP_UP": "step_up",
    "SIGNED_RESPONSE": "callback",
    "JARM": "jarm",
    "JARM_WITHOUT_CHAIN": "jarm",
    "SEAL": "id_token",
    "ENCRYPTED_TOKEN": "id_token",
    **PRESENTATION,
    **DOCUMENTS,
    "APP_RESULT": "app_result",
    "RECEIPT": "receipt",
    "RECEIPT_REFUSAL": "receipt",
}

NOW = 1_795_334_400
OTHER = "https://other.example"
UNMADE = "user_110101189001010075"


SUBJECT = EVENT_CLAIMS["sub_id"]
OUR_KEY = decryption_key("ECDH-ES", "ours")


def own_settings(rp):
    """Return the settings of a relying party that takes presentations."""
    return {"key": None, "keys": rp.keys, "wallet": rp.wallet}


def account_state(**changes):
    honest = EVENT_CLAIMS["events"]["urn:cyberid:event:account-state"]
    return {"urn:cyberid:event:account-state": {**honest, **changes}}


def no_signature(draft):
    draft.edit_signature = lambda _: bytes(64)


# One way to break each rule and no other: checklist, check, code, and what is asked of the bench.
BROKEN = [
    ("DISCOVERY", "check_discovery_issuer", "discovery.issuer", {"issuer": OTHER}),
    ("METADATA", "check_algorithm", "metadata.algorithm", {"header": {"alg": "ES384"}}),
    ("METADATA", "check_critical", "metadata.critical", {"header": {"crit": ["x"]}}),
    ("METADATA", "check_type", "metadata.type", {"header": {"typ": "JWT"}}),
    ("METADATA", "check_key", "metadata.chain_missing", {"header": {"x5c": ...}}),
    ("METADATA", "check_signature", "metadata.signature", {"edit": no_signature}),
    ("METADATA", "check_metadata_issuer", "metadata.issuer", {"sub": OTHER}),
    ("METADATA", "check_metadata_issued_at", "metadata.issued_in_future", {"iat": NOW + 11}),
    ("METADATA", "check_metadata_expiry", "metadata.expired", {"iat": NOW - 9, "exp": NOW}),
    ("METADATA", "check_metadata_lifetime", "metadata.lifetime", {"exp": NOW + 604_801}),
    ("METADATA", "check_not_rolled_back", "metadata.rolled_back", {"newest_iat": NOW + 1}),
    ("METADATA", "check_endpoints", "metadata.endpoint", {"jwks_uri": OTHER}),
    ("METADATA", "check_capabilities", "metadata.capability", {"subject_types_supported": ["public"]}),
    ("UNSIGNED_METADATA", "check_discovery_issuer", "discovery.issuer", {"issuer": OTHER}),
    ("UNSIGNED_METADATA", "check_endpoints", "metadata.endpoint", {"jwks_uri": OTHER}),
    ("UNSIGNED_METADATA", "check_capabilities", "metadata.capability", {"subject_types_supported": []}),
    ("PAR_RESPONSE", "check_par_status", "par.status", {"status": 200}),
    ("PAR_RESPONSE", "check_request_uri", "par.request_uri", {"request_uri": "a b"}),
    ("PAR_RESPONSE", "check_request_uri_lifetime", "par.expires_in", {"expires_in": 0}),
    ("AUTHORIZATION_RESPONSE", "check_same_handshake", "login.other_kind", {"kind": "wallet"}),
    ("AUTHORIZATION_RESPONSE", "check_state", "callback.state", {"state": "another"}),
    ("AUTHORIZATION_RESPONSE", "check_response_mode", "callback.response_mode", {"response": "a.b.c"}),
    ("AUTHORIZATION_RESPONSE", "check_callback_issuer", "callback.issuer_missing", {"iss": ...}),
    ("AUTHORIZATION_RESPONSE", "check_callback_issuer", "callback.issuer", {"iss": OTHER}),
    ("AUTHORIZATION_RESPONSE", "check_code_or_error", "callback.code_or_error", {"code": ...}),
    ("AUTHORIZATION_RESPONSE", "check_declined", "declined.other", {"code": ..., "error": "x"}),
    (
        "AUTHORIZATION_RESPONSE",
        "check_declined",
        "issuer.unavailable",
        {"code": ..., "error": "server_error"},
    ),
    ("TOKEN_RESPONSE", "check_token_status", "token.status", {"status": 201}),
    ("TOKEN_RESPONSE", "check_access_token", "token.access_token", {"access_token": ...}),
    ("TOKEN_RESPONSE", "check_token_type", "token.token_type", {"token_type": "DPoP"}),
    ("TOKEN_RESPONSE", "check_expires_in", "token.expires_in", {"expires_in": -1}),
    ("TOKEN_RESPONSE", "check_granted_scope", "token.scope", {"scope": "age_band"}),
    ("TOKEN_RESPONSE", "check_id_token_present", "token.id_token_missing", {"id_token": ...}),
    ("SIGNED_RESPONSE", "check_same_handshake", "login.other_kind", {"kind": "wallet"}),
    ("SIGNED_RESPONSE", "check_response_mode", "callback.response_mode", {"code": "x"}),
    *(
        (f"JARM{chain}", check, code, asked)
        for chain in ("", "_WITHOUT_CHAIN")
        for check, code, asked in (
            ("check_algorithm", "jarm.algorithm", {"header": {"alg": "none"}}),
            ("check_critical", "jarm.critical", {"header": {"crit": ["x"]}}),
            ("check_type", "jarm.type", {"header": {"typ": "logout+jwt"}}),
            ("check_key", "jarm.key_unknown", {"header": {"kid": "x", "x5c": ...}}),
            ("check_signature", "jarm.signature", {"edit": no_signature}),
            ("check_kind", "jarm.kind", {"sub": "x"}),
            ("check_assertion_issuer", "jarm.issuer", {"iss": OTHER}),
            ("check_audience", "jarm.audience", {"aud": ["shop", "other"]}),
            ("check_expiry", "jarm.expired", {"exp": NOW}),
            ("check_response_lifetime", "jarm.lifetime", {"exp": NOW + 611}),
            ("check_not_before", "jarm.not_yet_valid", {"nbf": NOW + 11}),
            ("check_state", "jarm.state", {"state": "another"}),
            ("check_code_or_error", "jarm.code_or_error", {"code": ...}),
            ("check_declined", "declined.other", {"code": ..., "error": "x"}),
        )
    ),
    ("SEAL", "check_sealed_as_configured", "id_token.not_encrypted", {"token": "a.b.c"}),
    ("SEAL", "check_sealed_as_configured", "id_token.encrypted", {"id_token": "jws"}),
    ("ENCRYPTED_TOKEN", "check_decryption_key", "id_token.decryption_key", {"header": {"kid": "x"}}),
    (
        "ENCRYPTED_TOKEN",
        "check_key_encryption",
        "id_token.key_encryption",
        {"header": {"alg": "ECDH-ES+A256KW"}},
    ),
    ("ENCRYPTED_TOKEN", "check_content_encryption", "id_token.content_encryption", {"enc": "A128GCM"}),
    ("ENCRYPTED_TOKEN", "check_content_type", "id_token.content_type", {"header": {"cty": ...}}),
    ("ENCRYPTED_TOKEN", "check_uncompressed", "id_token.compressed", {"header": {"zip": "DEF"}}),
    (
        "ENCRYPTED_TOKEN",
        "check_encrypted_critical",
        "id_token.critical",
        {"header": {"crit": ["typ"], "typ": "JWT"}},
    ),
    ("ID_TOKEN", "check_algorithm", "id_token.algorithm", {"header": {"alg": "none"}}),
    ("ID_TOKEN", "check_critical", "id_token.critical", {"header": {"crit": ["x"]}}),
    ("ID_TOKEN", "check_type", "id_token.type", {"header": {"typ": "logout+jwt"}}),
    ("ID_TOKEN", "check_key", "id_token.key_unknown", {"header": {"kid": "x", "x5c": ...}}),
    ("ID_TOKEN", "check_signature", "id_token.signature", {"edit": no_signature}),
    ("ID_TOKEN", "check_kind", "id_token.kind", {"events": {}}),
    ("ID_TOKEN", "check_assertion_issuer", "id_token.issuer", {"iss": OTHER}),
    ("ID_TOKEN", "check_audience", "id_token.audience", {"aud": ["shop", "other"]}),
    ("ID_TOKEN", "check_authorized_party", "id_token.authorized_party", {"azp": "other"}),
    ("ID_TOKEN", "check_expiry", "id_token.expired", {"exp": NOW}),
    ("ID_TOKEN", "check_issued_at", "id_token.issued_in_future", {"iat": NOW + 11}),
    ("ID_TOKEN", "check_issued_at", "id_token.issued_too_long_ago", {"iat": NOW - 601}),
    ("ID_TOKEN", "check_not_before", "id_token.not_yet_valid", {"nbf": NOW + 11}),
    ("ID_TOKEN", "check_nonce", "id_token.nonce", {"nonce": ...}),
    ("ID_TOKEN", "check_access_token_hash", "id_token.access_token_hash", {"at_hash": "x"}),
    ("ID_TOKEN", "check_authentication_time", "id_token.auth_time_missing", {"auth_time": ...}),
    ("ID_TOKEN", "check_authentication_time", "id_token.auth_time_in_future", {"auth_time": NOW + 11}),
    (
        "ID_TOKEN",
        "check_authentication_time",
        "id_token.auth_time_stale",
        {"auth_time": NOW - 21, "asked": {"max_age": 0}},
    ),
    ("ID_TOKEN", "check_assurance", "id_token.assurance", {"acr": "urn:cyberid:mode:r01"}),
    ("ID_TOKEN", "check_factors", "id_token.factors", {"amr": ["certificate"]}),
    ("ID_TOKEN", "check_subject", "id_token.subject", {"sub": "short"}),
    ("ID_TOKEN", "check_no_identity_number", "id_token.identity_number", {"sub": UNMADE}),
    ("ID_TOKEN", "check_session_id", "id_token.session_id", {"sid": "short"}),
    ("ID_TOKEN", "check_sector", "id_token.sector", {"sector": OTHER}),
    ("ID_TOKEN", "check_persistence", "id_token.persistence", {"persistence": "D"}),
    ("ID_TOKEN", "check_age_band", "id_token.age_band", {"age_band": "adult"}),
    *(
        (f"{document.upper()}{chain}", check, f"{document}.{rule}", asked)
        for document in ("logout_token", "security_event")
        for chain in ("", "_WITHOUT_CHAIN")
        for check, rule, asked in (
            ("check_algorithm", "algorithm", {"header": {"alg": "none"}}),
            ("check_critical", "critical", {"header": {"crit": ["x"]}}),
            ("check_type", "type", {"header": {"typ": "JWT"}}),
            ("check_key", "key_unknown", {"header": {"kid": "x", "x5c": ...}}),
            ("check_signature", "signature", {"edit": no_signature}),
        )
    ),
    *(
        (f"LOGOUT_TOKEN{chain}", check, f"logout_token.{rule}", asked)
        for chain in ("", "_WITHOUT_CHAIN")
        for check, rule, asked in (
            ("check_logout_issuer", "issuer", {"iss": OTHER}),
            ("check_logout_audience", "audience", {"aud": ["shop", "other"]}),
            ("check_logout_expiry", "expired", {"exp": NOW}),
            ("check_logout_issued_at", "issued_in_future", {"iat": NOW + 11}),
            ("check_logout_issued_at", "issued_too_long_ago", {"iat": NOW - 601}),
            ("check_logout_not_before", "not_yet_valid", {"nbf": NOW + 11}),
            ("check_logout_event", "event", {"events": {"x": {}}}),
            ("check_no_nonce", "nonce", {"nonce": "x"}),
            ("check_somebody_is_named", "nobody", {"sub": ..., "sid": ...}),
            ("check_logout_subject", "subject", {"sub": "short"}),
            ("check_no_identity_number_logged_out", "identity_number", {"sub": UNMADE}),
            ("check_logout_session_id", "session_id", {"sid": "short"}),
        )
    ),
    *(
        (f"SECURITY_EVENT{chain}", check, f"security_event.{rule}", asked)
        for chain in ("", "_WITHOUT_CHAIN")
        for check, rule, asked in (
            ("check_event_kind", "kind", {"nonce": "x"}),
            ("check_event_issuer", "issuer", {"iss": OTHER}),
            ("check_event_audience", "audience", {"aud": ["shop", "other"]}),
            ("check_event_issued_at", "issued_in_future", {"iat": NOW + 11}),
            ("check_event_type", "event", {"events": {"x": {}}}),
            ("check_subject_format", "subject_format", {"sub_id": {**SUBJECT, "format": "opaque"}}),
            ("check_subject_issuer", "subject_issuer", {"sub_id": {**SUBJECT, "iss": OTHER}}),
            ("check_event_subject", "subject", {"sub_id": {**SUBJECT, "sub": "short"}}),
            ("check_no_identity_number_reported", "identity_number", {"sub_id": {**SUBJECT, "sub": UNMADE}}),
            ("check_account_state", "state", {"events": account_state(state="thawed")}),
            ("check_event_reason", "reason", {"events": account_state(reason="two words")}),
            ("check_event_sequence", "sequence", {"events": account_state(seq=-1)}),
        )
    ),
    ("APP_RESULT", "check_same_handshake", "login.other_kind", {"pending": {"kind": "redirect"}}),
    ("APP_RESULT", "check_app_outcome", "app.declined", {"resultCode": "C1"}),
    ("APP_RESULT", "check_data_present", "app_result.data_missing", {"idCardAuthData": ...}),
    *(
        (checklist, check, f"receipt.{rule}", asked)
        for checklist in ("RECEIPT", "RECEIPT_REFUSAL")
        for check, rule, asked in (
            ("check_algorithm", "algorithm", {"header": {"alg": "none"}}),
            ("check_critical", "critical", {"header": {"crit": ["x"]}}),
            ("check_type", "type", {"header": {"typ": "JWT"}}),
            ("check_key", "key_unknown", {"header": {"kid": "x", "x5c": ...}}),
            ("check_signature", "signature", {"edit": no_signature}),
            ("check_kind", "kind", {"nonce": "x"}),
            ("check_assertion_issuer", "issuer", {"iss": OTHER}),
            ("check_audience", "audience", {"aud": ["shop", "other"]}),
            ("check_app_id", "app_id", {"appID": "app-ios"}),
            ("check_expiry", "expired", {"exp": NOW}),
            ("check_issued_at", "issued_in_future", {"iat": NOW + 11}),
            ("check_issued_at", "issued_too_long_ago", {"iat": NOW - 601}),
            ("check_not_before", "not_yet_valid", {"nbf": NOW + 11}),
            ("check_biz_seq", "biz_seq", {"bizSeq": "x"}),
            ("check_blobs_hash", "blobs_hash", {"blobs_hash": "x"}),
        )
    ),
    *(
        ("RECEIPT", check, f"receipt.{rule}", asked)
        for check, rule, asked in (
            ("check_caller", "caller", {"caller": ...}),
            ("check_authentication_time", "auth_time_missing", {"auth_time": ...}),
            ("check_authentication_time", "auth_time_in_future", {"auth_time": NOW + 11}),
            ("check_authentication_time", "auth_time_stale", {"auth_time": NOW - 21}),
            (
                "check_assurance",
                "assurance",
                {"acr": "urn:cyberid:mode:r01", "factors": {"certificate": "passed"}},
            ),
            ("check_executed_factors", "factors", {"factors": {"certificate": "passed"}}),
            ("check_subject", "subject", {"sub": "short"}),
            ("check_no_identity_number", "identity_number", {"sub": UNMADE}),
            ("check_session_id", "session_id", {"sid": "short"}),
            ("check_sector", "sector", {"sector": OTHER}),
            ("check_persistence", "persistence", {"persistence": "D"}),
            ("check_age_band", "age_band", {"age_band": "adult"}),
        )
    ),
    ("STEP_UP", "check_lasting_pseudonym", "step_up.session_only", {"persistence": Persistence.SESSION}),
    ("STEP_UP", "check_same_person", "step_up.other_person", {"sub": "another-person-of-the-shop"}),
    ("STATUS_AGGREGATION", "check_list_addresses", "status_aggregation.url", {"status_lists": [OTHER]}),
    ("STATUS_LIST", "check_algorithm", "status_list.algorithm", {"header": {"alg": "none"}}),
    ("STATUS_LIST", "check_critical", "status_list.critical", {"header": {"crit": ["x"]}}),
    ("STATUS_LIST", "check_type", "status_list.type", {"header": {"typ": "JWT"}}),
    ("STATUS_LIST", "check_key", "status_list.chain_missing", {"header": {"x5c": ...}}),
    ("STATUS_LIST", "check_signature", "status_list.signature", {"edit": no_signature}),
    ("STATUS_LIST", "check_list_subject", "status_list.subject", {"sub": OTHER}),
    ("STATUS_LIST", "check_list_audience", "status_list.audience", {"aud": "other"}),
    ("STATUS_LIST", "check_list_issued_at", "status_list.issued_in_future", {"iat": NOW + 11}),
    (
        "STATUS_LIST",
        "check_list_issued_at",
        "status_list.issued_too_long_ago",
        {"iat": NOW - 86_401, "exp": ...},
    ),
    ("STATUS_LIST", "check_list_not_before", "status_list.not_yet_valid", {"nbf": NOW + 11}),
    ("STATUS_LIST", "check_list_expiry", "status_list.expired", {"exp": NOW}),
    ("STATUS_LIST", "check_list_ttl", "status_list.ttl", {"ttl": 0}),
    ("STATUS_LIST", "check_list_not_rolled_back", "status_list.rolled_back", {"newest_iat": NOW + 1}),
    ("STATUS_LIST", "check_entries", "status_list.compression", {"status_list": {"bits": 1, "lst": "AAAA"}}),
]


@pytest.fixture(scope="module")
def presented(parts):
    return PresentationBench.of(parts)


@pytest.fixture(scope="module")
def answered(parts):
    return AnswerBench.of(parts)


@pytest.fixture
def broken(assertion, metadata, responses, status_list, presented, answered):
    """Every rule broken alone, those included that need keys or times of their own."""
    own = assertion.keyring.signer("assertion")
    stranger = assertion.keyring.make_signer("assertion", assertion.now)
    bare = {name: value for name, value in own.to_jwk().items() if name != "x5c"}
    two = assertion.key_set({**stranger.to_jwk(), "kid": own.kid}, own.to_jwk())
    end = responses.pending().expires_at
    return [
        *BROKEN,
        *broken_presentations(presented),
        *broken_answers(answered),
        (
            "METADATA",
            "check_epoch_length",
            "metadata.epoch_length",
            {"settings": own_settings(wallet_party(metadata)), "credential_epoch_length": ...},
        ),
        # Without a chain everything else is still refused; only factors then come from the mode.
        *(
            ("ID_TOKEN_WITHOUT_CHAIN", name, code, asked)
            for checklist, name, code, asked in BROKEN
            if checklist == "ID_TOKEN" and name != "check_factors"
        ),
        ("METADATA", "check_chain", "chain.purpose", {"signer": own}),
        ("STATUS_LIST", "check_chain", "chain.purpose", {"signer": own}),
        (
            "STATUS_LIST",
            "check_entries",
            "status_list.inflated_too_large",
            {"status_list": status_list.entries(bytes(2**27 + 1))},
        ),
        ("AUTHORIZATION_RESPONSE", "check_lifetime", "login.expired", {"now": end}),
        ("SIGNED_RESPONSE", "check_lifetime", "login.expired", {"now": end}),
        ("APP_RESULT", "check_lifetime", "login.expired", {"now": pending_launch().expires_at}),
        ("ID_TOKEN", "check_key", "id_token.key_ambiguous", {"keys": two}),
        (
            "ID_TOKEN",
            "check_chain",
            "id_token.chain_missing",
            {"keys": assertion.key_set(bare), "header": {"x5c": ...}},
        ),
        (
            "ID_TOKEN",
            "check_chain",
            "id_token.key_mismatch",
            {
                "keys": assertion.key_set({**bare, "kid": own.kid}),
                "header": {"x5c": stranger.to_jwk()["x5c"]},
            },
        ),
        (
            "ID_TOKEN",
            "check_chain",
            "chain.purpose",
            {
                "header": {"x5c": metadata.keyring.signer("metadata").to_jwk()["x5c"]},
            },
        ),
        ("ID_TOKEN", "check_key_is_published", "id_token.key_unpublished", {"signer": stranger}),
        ("ID_TOKEN", "check_revocation", "revocation.unknown", {"crls": RevocationLists()}),
        *(
            (checklist, check, code.replace("*", document), asked)
            for checklist, document in (
                ("LOGOUT_TOKEN", "logout_token"),
                ("SECURITY_EVENT", "security_event"),
                ("JARM", "jarm"),
                ("RECEIPT", "receipt"),
                ("RECEIPT_REFUSAL", "receipt"),
            )
            for check, code, asked in (
                ("check_key", "*.key_ambiguous", {"keys": two}),
                (
                    "check_chain",
                    "*.chain_missing",
                    {"keys": assertion.key_set(bare), "header": {"x5c": ...}},
                ),
                (
                    "check_chain",
                    "*.key_mismatch",
                    {
                        "keys": assertion.key_set({**bare, "kid": own.kid}),
                        "header": {"x5c": stranger.to_jwk()["x5c"]},
                    },
                ),
                (
                    "check_chain",
                    "chain.purpose",
                    {"header": {"x5c": metadata.keyring.signer("metadata").to_jwk()["x5c"]}},
                ),
                ("check_key_is_published", "*.key_unpublished", {"signer": stranger}),
                ("check_revocation", "revocation.unknown", {"crls": RevocationLists()}),
            )
        ),
    ]


@pytest.fixture
def benches_beside(presented, answered, step_up):
    """What judges by the checklists that need no keys of the issuer."""
    return {
        "STEP_UP": step_up.verdict,
        **{name: partial(presented.verdict, name) for name in PRESENTATION},
        **{name: partial(answered.verdict, name) for name in DOCUMENTS},
    }


@pytest.fixture
def verdict(
    parts,
    assertion,
    metadata,
    responses,
    status_list,
    logout_token,
    security_event,
    benches_beside,
):
    """Judge by the checklist of a name."""
    jarm, seal = JARMBench(**parts), SealBench(**parts, decryption=(OUR_KEY,))
    receipt = ReceiptBench(**parts)
    benches = {
        "DISCOVERY": responses.discovery,
        "METADATA": metadata.verdict,
        "PAR_RESPONSE": responses.par,
        "AUTHORIZATION_RESPONSE": responses.callback,
        "TOKEN_RESPONSE": responses.token,
        "ID_TOKEN": assertion.verdict,
        "UNSIGNED_METADATA": responses.unsigned,
        "STATUS_AGGREGATION": status_list.aggregation,
        "STATUS_LIST": status_list.verdict,
        "ID_TOKEN_WITHOUT_CHAIN": partial(assertion.verdict, settings={"assertion_chain": "absent"}),
        "LOGOUT_TOKEN": logout_token.verdict,
        "LOGOUT_TOKEN_WITHOUT_CHAIN": partial(logout_token.verdict, settings={"assertion_chain": "absent"}),
        "SECURITY_EVENT": security_event.verdict,
        "SECURITY_EVENT_WITHOUT_CHAIN": partial(
            security_event.verdict, settings={"assertion_chain": "absent"}
        ),
        "SIGNED_RESPONSE": jarm.around,
        "JARM": jarm.verdict,
        "JARM_WITHOUT_CHAIN": partial(jarm.verdict, settings={"assertion_chain": "absent"}),
        "SEAL": seal.seal,
        "ENCRYPTED_TOKEN": seal.verdict,
        "APP_RESULT": receipt.result,
        "RECEIPT": receipt.verdict,
        "RECEIPT_REFUSAL": receipt.refusal,
        **benches_beside,
    }
    return lambda checklist, **asked: benches[checklist](**asked)


def objects_of_topics() -> dict[str, Check]:
    modules = [
        importlib.import_module(f"{checks.__name__}.{module.name}")
        for module in pkgutil.iter_modules(checks.__path__)
    ]
    return {
        name: value for module in modules for name, value in vars(module).items() if isinstance(value, Check)
    }


@pytest.mark.parametrize("checklist", CHECKLISTS)
def test_what_is_honest_is_believed(verdict, checklist):
    """Nothing is refused when nothing is wrong."""
    assert None is verdict(checklist)


def test_each_broken_rule_is_refused_by_its_own_check(verdict, broken):
    """What breaks one rule is refused by the check of that rule, with a code that the check lists."""
    expected = [(name, code) for _, name, code, _ in broken]
    assert expected == [verdict(checklist, **asked) for checklist, _, _, asked in broken]


def test_without_its_check_nobody_else_refuses_it(verdict, broken):
    """No check can be deleted: what it alone refuses is then believed, or refused for what follows."""
    still = {
        (checklist, code): verdict(checklist, **asked, without=name)
        for checklist, name, code, asked in broken
    }
    follows = {
        # Where there is no key, or none that is certified, the signature or the chain cannot hold.
        ("METADATA", "metadata.chain_missing"): ("check_signature", "metadata.signature"),
        ("STATUS_LIST", "status_list.chain_missing"): ("check_signature", "status_list.signature"),
        ("ID_TOKEN", "id_token.key_unknown"): ("check_signature", "id_token.signature"),
        ("ID_TOKEN", "id_token.key_ambiguous"): ("check_signature", "id_token.signature"),
        ("ID_TOKEN_WITHOUT_CHAIN", "id_token.key_unknown"): ("check_signature", "id_token.signature"),
        **{
            (f"{document.upper()}{chain}", f"{document}.{code}"): ("check_signature", f"{document}.signature")
            for document in ("logout_token", "security_event", "jarm")
            for chain, code in (
                ("", "key_unknown"),
                ("", "key_ambiguous"),
                ("_WITHOUT_CHAIN", "key_unknown"),
            )
        },
        **{
            (checklist, f"receipt.{code}"): ("check_signature", "receipt.signature")
            for checklist in ("RECEIPT", "RECEIPT_REFUSAL")
            for code in ("key_unknown", "key_ambiguous")
        },
        **{
            (checklist, code): ("check_revocation", code)
            for checklist in ("RECEIPT", "RECEIPT_REFUSAL")
            for code in ("chain.purpose", "receipt.chain_missing")
        },
        **FOLLOWS,
        **FOLLOWS_IN_ANSWERS,
        # Without a chain that holds nobody answers for the signer.
        ("METADATA", "chain.purpose"): ("check_revocation", "chain.purpose"),
        **{
            (document.upper(), code): ("check_revocation", code)
            for document in ("id_token", "logout_token", "security_event", "jarm")
            for code in ("chain.purpose", f"{document}.chain_missing")
        },
        # The algorithms of our key are the only ones that are there to decrypt with.
        ("ENCRYPTED_TOKEN", "id_token.decryption_key"): ("check_key_encryption", "id_token.key_encryption"),
        **{
            ("ENCRYPTED_TOKEN", f"id_token.{code}"): ("decryption", "id_token.decryption")
            for code in ("key_encryption", "content_encryption", "compressed")
        },
        # What another event says was not read, and its state is none of the five.
        ("SECURITY_EVENT", "security_event.event"): ("check_account_state", "security_event.state"),
        ("SECURITY_EVENT_WITHOUT_CHAIN", "security_event.event"): (
            "check_account_state",
            "security_event.state",
        ),
    }
    assert follows == {broken_rule: verdict for broken_rule, verdict in still.items() if verdict is not None}


def test_every_listed_code_can_be_raised(verdict, broken):
    """A check lists the codes that it raises and no others; one code stands for all of a family."""
    driven = {(name, _pattern(name, code, DOCUMENT_OF[checklist])) for checklist, name, code, _ in broken}
    # The last check of all takes the place of the one on which it builds.
    driven |= {
        ("check_revocation", _pattern("check_revocation", code, DOCUMENT_OF[checklist]))
        for checklist, name, code, asked in broken
        if name == "check_chain" and verdict(checklist, **asked, without=name) == ("check_revocation", code)
    }
    listed = {
        (each.name, code) for checklist in CHECKLISTS.values() for each in checklist for code in each.codes
    }
    assert listed == driven


def _pattern(name: str, code: str, document: str) -> str:
    prefix, _, rest = code.partition(".")
    if prefix in {"app", "declined", "chain", "revocation", "status"}:
        return f"{prefix}.*"
    is_shared = prefix == document and f"*.{rest}" in objects_of_topics()[name].codes
    return f"*.{rest}" if is_shared else code


def test_every_check_of_a_topic_is_in_a_checklist_and_the_other_way_round():
    """A check that is written is run, and what is run stands in a topic."""
    used = {each.name: each for checklist in CHECKLISTS.values() for each in checklist}
    assert objects_of_topics() == used


@pytest.mark.parametrize("checklist", CHECKLISTS)
def test_numbers_are_unique_within_a_checklist(checklist):
    """A number leads to one check of a document, and a check runs once."""
    for names in (
        [each.number for each in CHECKLISTS[checklist]],
        [each.name for each in CHECKLISTS[checklist]],
    ):
        assert len(names) == len(set(names))


def test_one_number_has_one_law():
    """Two checks with the same number, in whatever checklist, are the same check."""
    everything = {(each.number, each.name) for checklist in CHECKLISTS.values() for each in checklist}
    assert len(everything) == len({number for number, _ in everything})


@pytest.mark.parametrize("checklist", CHECKLISTS)
def test_a_check_says_what_it_checks(checklist):
    """Number, law, clause and codes are there, and the law is one sentence."""
    for each in CHECKLISTS[checklist]:
        assert each.law.endswith(".")
        assert each.law[0].isupper()
        assert "" not in {each.number, each.clause}
        assert each.codes
        assert each.function.__doc__


@pytest.mark.parametrize("checklist", CHECKLISTS)
def test_a_check_lists_codes_of_the_catalogue(checklist):
    """Each listed code, or some code of a listed family, is in the catalogue."""
    for pattern in (code for each in CHECKLISTS[checklist] for code in each.codes):
        head, _, tail = pattern.partition(".")
        assert any(
            code == pattern
            or (head == "*" and code.endswith(f".{tail}"))
            or (tail == "*" and code.startswith(f"{head}."))
            for code in CATALOGUE
        )


def test_parsing_rules_list_codes_of_the_catalogue():
    """The rules of parsing name codes that exist, and each rule once by its law."""
    assert {code for rule in PARSING for code in rule.codes} <= set(CATALOGUE)
    assert len(PARSING) == len({rule.law for rule in PARSING})


def test_an_exception_leaves_out_what_it_says_and_nothing_else():
    """Without a chain the factors are those of the mode; unsigned metadata have nothing that was signed."""
    assert {"check_chain", "check_factors", "check_revocation"} == names_of("ID_TOKEN") - names_of(
        "ID_TOKEN_WITHOUT_CHAIN"
    )
    assert set() == names_of("ID_TOKEN_WITHOUT_CHAIN") - names_of("ID_TOKEN")
    assert {"check_chain", "check_revocation"} == names_of("JARM") - names_of("JARM_WITHOUT_CHAIN")
    assert set() == names_of("JARM_WITHOUT_CHAIN") - names_of("JARM")
    unsigned = {"check_discovery_issuer", "check_endpoints", "check_capabilities"}
    assert unsigned == names_of("UNSIGNED_METADATA")
    assert unsigned <= names_of("METADATA") | names_of("DISCOVERY")


def test_a_receipt_is_judged_as_an_assertion_is():
    """Launch, app and hash stand in the place of nonce, authorized party and access token; the caller is added."""
    assert {
        "check_authorized_party",
        "check_nonce",
        "check_access_token_hash",
        "check_factors",
    } == names_of("ID_TOKEN") - names_of("RECEIPT")
    assert {
        "check_app_id",
        "check_biz_seq",
        "check_blobs_hash",
        "check_caller",
        "check_executed_factors",
    } == names_of("RECEIPT") - names_of("ID_TOKEN")


def test_a_refusal_is_believed_like_a_receipt():
    """Only what is said of a login is not looked for in a refusal."""
    assert set() == names_of("RECEIPT_REFUSAL") - names_of("RECEIPT")
    about_the_login = {each.name for each in checklists.RECEIPT} - names_of("RECEIPT_REFUSAL")
    assert {
        "check_caller",
        "check_authentication_time",
        "check_assurance",
        "check_executed_factors",
        "check_subject",
        "check_no_identity_number",
        "check_session_id",
        "check_sector",
        "check_persistence",
        "check_age_band",
    } == about_the_login


def names_of(checklist):
    return {each.name for each in CHECKLISTS[checklist]}


@pytest.mark.parametrize(
    "checklist",
    [
        *("ID_TOKEN", "METADATA", "STATUS_LIST", "LOGOUT_TOKEN", "SECURITY_EVENT", "JARM"),
        *("RECEIPT", "RECEIPT_REFUSAL"),
    ],
)
def test_structure_goes_first_then_the_signature_then_the_claims(checklist):
    """Cheap checks of the header go first, and no claim is compared before signature and chain hold."""
    names = [each.name for each in CHECKLISTS[checklist]]
    head = ["check_algorithm", "check_critical", "check_type", "check_key", "check_signature", "check_chain"]
    assert head == names[: len(head)]


def test_state_and_issuer_are_judged_before_code_and_error():
    """Only the issuer that was asked can end a login, and only the browser's own (E1.4)."""
    names = [each.name for each in checklists.AUTHORIZATION_RESPONSE]
    assert ["check_callback_issuer", "check_code_or_error", "check_declined"] == names[-3:]
    assert names.index("check_state") < names.index("check_callback_issuer")
    signed = [each.name for each in checklists.JARM]
    assert ["check_state", "check_code_or_error", "check_revocation", "check_declined"] == signed[-4:]


class TestRunner:
    def test_checks_run_in_order_until_one_raises(self):
        """The first check that fails ends the run."""
        seen = []

        def make(name, error=None):
            @check(name, "A law.", clause="none", codes=[])
            def function(subject):
                seen.append((name, subject))
                if error is not None:
                    raise error

            return function

        boom = KeyError("boom")
        with pytest.raises(KeyError) as caught:
            run_checks((make("1"), make("2", boom), make("3")), "subject")
        assert boom is caught.value
        assert [("1", "subject"), ("2", "subject")] == seen

    def test_a_check_can_be_called_and_not_changed(self):
        """A check is a value that is called like the function inside it."""
        [each] = checklists.DISCOVERY
        assert "check_discovery_issuer" == each.name
        with pytest.raises(FrozenInstanceError):
            each.number = "E0"
