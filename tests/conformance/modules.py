"""Every module of the relying-party plans of the OpenID Foundation's conformance suite, and what tests it here.

A module is tested by named faults, which must be refused with exactly their code, by named oddities, which
must be accepted, by tests that walk an honest way, or it is not in the profile, and then for a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["BEYOND", "PLANS", "Beyond", "Module", "Plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module of the suite.

    Attributes:
        name: in full, as the suite prints it.
        by: the faults and oddities with which the mock issuer does the same.
        tests: tests of an honest way, as ``file::function``.
        note: what is to be known beside it.
        absent: why it is not in the profile; ``None`` for a module that is tested.
    """

    name: str
    by: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    note: str = ""
    absent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One plan of the suite.

    Attributes:
        name: as the suite prints it.
        title: what it is about.
        modules: in the suite's order, without those that an earlier plan of this page lists.
        also: plans of this page whose modules belong to it too.
    """

    name: str
    title: str
    modules: tuple[Module, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """Something that no module of any plan does to a relying party.

    Attributes:
        subject: what it is, as a phrase.
        by: our faults and oddities.
        tests: tests of our own, where no fault of an issuer can show it.
    """

    subject: str
    by: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


_BASIC: Final = "oidcc-client-test"
_FAPI: Final = "fapi2-security-profile-final-client-test"
_BACK_CHANNEL: Final = "oidcc-client-test-rp-backchannel-rpinitlogout"

_VERIFIER: Final = "oid4vp-1final-verifier"

_MDOC: Final = "a part of presentations by mdoc; credentials are SD-JWT VC"
_PRESENTED: Final = "tests/client/test_wallet_faults.py::test_an_honest_wallet_logs_in"
_SECRETS: Final = "clients have keys and certificates, and no secrets"
_RS256: Final = "RS256 is in no row of the table of algorithms"
_USERINFO: Final = "there is no userinfo: the access token is dropped unused"
_REGISTRATION: Final = "clients are registered by hand"
_WEBFINGER: Final = "the issuer is configured, and nobody looks for it"
_HYBRID: Final = "a part of implicit and hybrid responses; the one response type is code"
_CLAIMS: Final = "aggregated and distributed claims are dropped unread"
_REFRESH: Final = "refresh tokens are never asked for, and one that comes is dropped"
_FORM_POST: Final = "a Lax cookie does not come with form_post; the response modes are query and query.jwt"
_REFERENCE: Final = "request_uri is that of the pushed request; request objects are pushed, not fetched"
_GRANTS: Final = "grant management is for access tokens that live on"
_THIRD_PARTY: Final = "there is no initiate_login_uri: a login begins in the app"

_HONEST: Final = (
    "tests/client/test_login.py::test_an_honest_login_gives_the_pseudonym_of_this_sector_and_nothing_plain"
)
_WAY_BACK: Final = (
    "tests/integrations/test_way_back.py::test_whatever_state_comes_back_the_person_is_logged_out"
)
_LAUNCHES: Final = "tests/client/test_app_launch.py"
_PROTECTED: Final = "tests/client/test_protected.py::test_a_login_under_every_combination"


def _refused(suffix: str, *by: str, note: str = "", prefix: str = _BASIC) -> Module:
    return Module(name=f"{prefix}-{suffix}", by=by, note=note)


def _walked(suffix: str, *tests: str, note: str = "", prefix: str = _BASIC) -> Module:
    return Module(name=f"{prefix}-{suffix}", tests=tests, note=note)


def _absent(suffix: str, reason: str, *, note: str = "", prefix: str = _BASIC) -> Module:
    return Module(name=f"{prefix}-{suffix}", absent=reason, note=note)


def _fapi(suffix: str, *by: str, note: str = "") -> Module:
    return _refused(suffix, *by, note=note, prefix=_FAPI)


_BASIC_MODULES: Final = (
    Module(name=_BASIC, tests=(_HONEST,), note="without the call to userinfo, which is not there"),
    _refused("invalid-iss", "id_token.other_issuer"),
    _refused("missing-sub", "id_token.sub_missing"),
    _refused("invalid-aud", "id_token.other_audience"),
    _refused("missing-iat", "id_token.iat_missing"),
    _refused("kid-absent-single-jwks", "id_token.kid_absent_single_key"),
    _refused(
        "kid-absent-multiple-jwks", "id_token.kid_absent_several_keys", note="the suite takes either answer"
    ),
    _absent("idtoken-sig-rs256", _RS256),
    _refused("idtoken-sig-none", "id_token.algorithm_none", note="the suite takes either answer"),
    _absent("invalid-sig-rs256", _RS256, note="the same with ES256 is below"),
    _absent("userinfo-invalid-sub", _USERINFO),
    _refused("nonce-invalid", "id_token.nonce_changed"),
    _absent("scope-userinfo-claims", _USERINFO),
    _absent("client-secret-basic", _SECRETS),
)

_CONFIG_MODULES: Final = (
    _walked(
        "discovery-openid-config",
        "tests/client/test_login.py::test_the_first_login_makes_six_calls_and_a_warm_one_two",
        note="of the page only the signed metadata are read",
    ),
    _walked(
        "discovery-jwks-uri-keys",
        "tests/client/test_login.py::test_the_first_login_makes_six_calls_and_a_warm_one_two",
    ),
    _refused("discovery-issuer-mismatch", "discovery.issuer_other"),
    _refused("signing-key-rotation-just-before-signing", "id_token.rotation_just_before_signing"),
    _walked(
        "signing-key-rotation",
        "tests/client/test_issuer_changes.py::test_two_rotations_in_a_row_both_succeed",
        "tests/client/test_rollover.py::test_an_honest_change_fails_no_login",
    ),
)

_COMPREHENSIVE_MODULES: Final = (
    _refused("missing-aud", "id_token.aud_missing"),
    _absent("userinfo-bearer-header", _USERINFO),
    _absent("userinfo-bearer-body", _USERINFO),
    _absent("nonce-unless-code-flow", _HYBRID, note="a nonce is always sent, and always demanded"),
    _absent("missing-chash", _HYBRID),
    _absent("invalid-chash", _HYBRID),
    _refused("invalid-athash", "id_token.access_token_hash_changed"),
    _refused(
        "missing-athash", "id_token.without_at_hash", note="with the response type code it may be absent"
    ),
    _absent("form-post-error", _FORM_POST, note="the error itself, in a query, is `declined.login_required`"),
    _refused(
        "invalid-sig-hs256",
        "id_token.hmac_with_public_key",
        note="no HMAC is taken, whatever its key",
    ),
    _refused("invalid-sig-es256", "id_token.signature_bit_flipped"),
    _absent("aggregated-claims", _CLAIMS),
    _absent("distributed-claims", _CLAIMS),
    _walked(
        "mtls-endpoint-aliases",
        _PROTECTED,
        "tests/client/test_protected.py::test_only_push_and_exchange_show_the_certificate",
        note="the mock takes certificates at the aliases only",
    ),
    _absent("discovery-webfinger-acct", _WEBFINGER),
    _absent("discovery-webfinger-url", _WEBFINGER),
    _absent("dynamic-registration", _REGISTRATION),
    _absent("request-uri-signed-rs256", _REFERENCE),
    _absent("request-uri-signed-none", _REFERENCE),
    _absent("userinfo-signed", _USERINFO),
)

_FAPI_MODULES: Final = (
    _fapi(
        "happy-path",
        "dpop.nonce_refused_once",
        "jwks.real_key_in_the_middle",
        "jwks.keys_of_other_uses",
        note="without the resource server's own nonce",
    ),
    _fapi("discovery-issuer-mismatch", "discovery.issuer_other"),
    _fapi("invalid-iss", "id_token.other_issuer"),
    _fapi("invalid-aud", "id_token.other_audience"),
    _fapi("invalid-secondary-aud", "id_token.audience_array_with_stranger"),
    _fapi("invalid-null-alg", "id_token.algorithm_none"),
    _fapi("invalid-alternate-alg", "id_token.algorithm_rs256_published"),
    _fapi("invalid-expired-exp", "id_token.expired_six_minutes_ago"),
    _fapi("invalid-missing-exp", "id_token.exp_missing"),
    _fapi("invalid-missing-aud", "id_token.aud_missing"),
    _fapi("invalid-missing-iss", "id_token.iss_missing"),
    _fapi("valid-aud-as-array", "id_token.audience_array"),
    _fapi("invalid-nonce", "id_token.nonce_changed"),
    _fapi("invalid-missing-nonce", "id_token.nonce_missing"),
    _fapi("invalid-authorization-response-iss", "callback.iss_other"),
    _fapi("remove-authorization-response-iss", "callback.iss_missing"),
    _fapi("ensure-authorization-response-with-invalid-state-fails", "callback.state_changed"),
    _fapi("ensure-authorization-response-with-invalid-missing-state-fails", "callback.state_missing"),
    _fapi("token-endpoint-response-without-expires_in", "token.without_expires_in"),
    _fapi("token-type-case-insensitivity", "token.dpop_in_odd_case", "token.type_in_odd_case"),
    _fapi(
        "rs-dpop-auth-scheme-case-insensitivity",
        "dpop.challenge_scheme_in_odd_case",
        note="at the token endpoint: there is no call to a resource server",
    ),
    _walked("happy-path-no-dpop-nonce", _PROTECTED, prefix=_FAPI),
    _fapi("happy-path-no-mtls-endpoint-aliases", "metadata.without_mtls_aliases"),
    Module(name="fapi2-security-profile-final-client-refresh-token-test", absent=_REFRESH),
    _absent("grant-management-happy-path", _GRANTS, prefix=_FAPI),
    _absent("grant-management-query-and-revoke", _GRANTS, prefix=_FAPI),
    _absent("grant-management-invalid-grant-id-fails", _GRANTS, prefix=_FAPI),
)

_JARM_MODULES: Final = (
    _fapi("ensure-jarm-without-iss-fails", "jarm.iss_missing"),
    _fapi("ensure-jarm-with-invalid-iss-fails", "jarm.other_issuer"),
    _fapi("ensure-jarm-without-aud-fails", "jarm.aud_missing"),
    _fapi("ensure-jarm-with-invalid-aud-fails", "jarm.other_audience"),
    _fapi("ensure-jarm-without-exp-fails", "jarm.exp_missing"),
    _fapi("ensure-jarm-with-expired-exp-fails", "jarm.expired_six_minutes_ago"),
    _fapi("ensure-jarm-with-invalid-sig-fails", "jarm.signature_bit_flipped"),
    _fapi("ensure-jarm-signature-is-not-none", "jarm.algorithm_none"),
)

_VERIFIER_MODULES: Final = (
    _walked("happy-flow", _PRESENTED, prefix=_VERIFIER),
    _walked(
        "minimal-cnf-jwk",
        _PRESENTED,
        note="a key in a credential never has other members here; one that has is refused",
        prefix=_VERIFIER,
    ),
    _refused("request-uri-method-post", "wallet.fetched_by_post", prefix=_VERIFIER),
    _refused("request-uri-fetched-twice", "wallet.fetched_twice", prefix=_VERIFIER),
    _refused("invalid-kb-jwt-signature", "wallet.signed_by_other_key", prefix=_VERIFIER),
    _refused("invalid-credential-signature", "credential.signature_bit_flipped", prefix=_VERIFIER),
    _refused("invalid-sd-hash", "wallet.sd_hash_other", prefix=_VERIFIER),
    _refused("invalid-kb-jwt-nonce", "wallet.nonce_other", prefix=_VERIFIER),
    _refused("invalid-kb-jwt-aud", "wallet.audience_other", prefix=_VERIFIER),
    _refused("kb-jwt-iat-in-past", "wallet.made_last_year", prefix=_VERIFIER),
    _refused("kb-jwt-iat-in-future", "wallet.made_next_year", prefix=_VERIFIER),
    _absent("invalid-session-transcript", _MDOC, prefix=_VERIFIER),
)

PLANS: Final = (
    Plan(
        name="oidcc-client-basic-certification-test-plan",
        title="OpenID Connect Core, basic",
        modules=_BASIC_MODULES,
    ),
    Plan(
        name="oidcc-client-config-certification-test-plan",
        title="OpenID Connect Core, configuration",
        modules=_CONFIG_MODULES,
    ),
    Plan(
        name="oidcc-client-test-plan",
        title="OpenID Connect Core, comprehensive",
        modules=_COMPREHENSIVE_MODULES,
        also=("oidcc-client-basic-certification-test-plan", "oidcc-client-config-certification-test-plan"),
    ),
    Plan(
        name="oidcc-client-refreshtoken-test-plan",
        title="Refresh tokens",
        modules=(
            _absent("refresh-token", _REFRESH),
            _absent("refresh-token-invalid-issuer", _REFRESH),
            _absent("refresh-token-invalid-sub", _REFRESH),
        ),
    ),
    Plan(
        name="oidcc-client-test-3rd-party-init-login-test-plan",
        title="Login that a third party begins",
        modules=(_absent("3rd-party-init-login", _THIRD_PARTY),),
    ),
    Plan(
        name="oidcc-client-back-channel-logout-rp-basic",
        title="Back-channel logout",
        modules=(
            Module(
                name=_BACK_CHANNEL,
                by=("logout_token.as_the_suite",),
                tests=("tests/client/test_logout.py::test_a_person_logs_out_at_the_issuer",),
            ),
            _refused("alg-none", "logout_token.algorithm_none", prefix=_BACK_CHANNEL),
            _refused("no-event", "logout_token.events_missing", prefix=_BACK_CHANNEL),
            _refused("with-nonce", "logout_token.nonce", prefix=_BACK_CHANNEL),
            _refused("wrong-alg", "logout_token.algorithm_rs256_published", prefix=_BACK_CHANNEL),
            _refused("wrong-aud", "logout_token.other_audience", prefix=_BACK_CHANNEL),
            _refused("wrong-event", "logout_token.event_other", prefix=_BACK_CHANNEL),
            _refused("wrong-iss", "logout_token.other_issuer", prefix=_BACK_CHANNEL),
        ),
    ),
    Plan(
        name="oidcc-client-rp-initiated-logout-rp-basic",
        title="Logout that the relying party begins",
        modules=(
            _walked("rp-init-logout", "tests/client/test_logout.py::test_a_person_logs_out_at_the_issuer"),
            Module(
                name=f"{_BASIC}-rp-init-logout-other-state",
                by=("post_logout.other_state",),
                tests=(_WAY_BACK,),
            ),
            Module(
                name=f"{_BASIC}-rp-init-logout-no-state",
                by=("post_logout.without_state",),
                tests=(_WAY_BACK,),
            ),
        ),
    ),
    Plan(
        name="fapi2-security-profile-final-client-test-plan",
        title="FAPI 2.0 Security Profile",
        modules=_FAPI_MODULES,
    ),
    Plan(
        name="fapi2-message-signing-final-client-test-plan",
        title="FAPI 2.0 Message Signing",
        modules=_JARM_MODULES,
        also=("fapi2-security-profile-final-client-test-plan",),
    ),
    Plan(
        name="oid4vp-1final-verifier-test-plan",
        title="OpenID for Verifiable Presentations 1.0, verifier",
        modules=_VERIFIER_MODULES,
    ),
)

BEYOND: Final = (
    Beyond(
        subject="a presentation that was made for another app, or with somebody else's credential",
        by=(
            "wallet.relayed_from_another_app",
            "wallet.credential_of_other_sector",
            "wallet.credential_of_another_person",
            "wallet.audience_without_prefix",
            "wallet.audience_origin",
        ),
        tests=("tests/client/test_wallet_faults.py::test_a_relayed_answer_is_refused",),
    ),
    Beyond(
        subject="an answer of a wallet that is not encrypted, or otherwise than the request says",
        by=(
            "wallet.unencrypted",
            "wallet.unencrypted_beside_encrypted",
            "wallet.direct",
            "wallet.rsa",
            "wallet.compressed",
            "wallet.other_content_encryption",
            "wallet.point_off_curve",
        ),
    ),
    Beyond(
        subject="disclosures that were not asked for, made up, changed, or there twice",
        by=(
            "wallet.extra_disclosure",
            "wallet.made_up_disclosure",
            "wallet.tampered_disclosure",
            "wallet.disclosure_repeated",
            "credential.disclosure_named_sd",
            "credential.status_disclosed",
        ),
    ),
    Beyond(
        subject="a credential with anything in it that could tell people apart across apps",
        by=(
            "credential.header_member",
            "credential.claim_jti",
            "credential.holder_key_kid",
            "credential.decoy",
            "credential.begins_when_issued",
        ),
    ),
    Beyond(
        subject="`acr` below what was asked for, beside it, absent, or unknown",
        by=(
            "id_token.assurance_lower",
            "id_token.assurance_sideways",
            "id_token.assurance_absent",
            "id_token.assurance_unknown",
            "id_token.factor_missing_from_amr",
        ),
    ),
    Beyond(
        subject="`auth_time` missing, stale, or in the future",
        by=("id_token.auth_time_missing", "id_token.auth_time_stale", "id_token.auth_time_in_future"),
    ),
    Beyond(
        subject="`azp` alone",
        by=("id_token.authorized_party_other", "id_token.audience_of_other_with_my_party"),
    ),
    Beyond(subject="`at_hash` under FAPI 2.0", by=("id_token.access_token_hash_changed",)),
    Beyond(
        subject="the certificate chain of the signing key",
        by=(
            "chain.other_root",
            "chain.wrong_purpose",
            "chain.san_uri_other",
            "chain.expired_signer",
            "revocation.signer",
            "id_token.leaf_of_other_key",
        ),
    ),
    Beyond(
        subject="encryption that is left out, or comes unasked",
        by=(
            "id_token.downgraded_to_signed",
            "id_token.encrypted_unasked",
            "jarm.encrypted",
            "callback.plain_unasked",
        ),
    ),
    Beyond(
        subject="a callback that comes twice",
        tests=(
            "tests/client/test_login.py::test_a_second_callback_is_a_restart_and_a_first_failure_uses_the_login_up",
        ),
    ),
    Beyond(subject="DPoP that becomes Bearer", by=("token.bearer_downgrade",)),
    Beyond(
        subject="a key set that is slow, cut off, or does not come",
        by=("transport.slow_jwks", "transport.drip_jwks", "transport.cut_jwks", "issuer.unavailable_jwks"),
    ),
    Beyond(
        subject="a redirect of what is never redirected",
        by=(
            "transport.redirect_discovery",
            "transport.redirect_jwks",
            "transport.redirect_par",
            "transport.redirect_token",
        ),
    ),
    Beyond(
        subject="bodies and documents without measure",
        by=(
            "discovery.too_large",
            "jwks.too_large",
            "jwks.too_many_keys",
            "par.too_large",
            "token.too_large",
            "id_token.too_large",
            "id_token.compression_bomb",
            "logout_token.request_too_large",
            "security_event.too_large",
        ),
    ),
    Beyond(
        subject="parameters, members and claims that stand there twice",
        by=(
            "callback.state_twice",
            "callback.code_twice",
            "token.member_twice",
            "id_token.claim_twice",
            "id_token.header_twice",
            "logout_token.two_tokens",
        ),
    ),
    Beyond(
        subject="a logout token that comes twice",
        by=("logout_token.jti_repeated",),
        tests=(
            "tests/client/test_logout.py::test_a_token_that_comes_again_gets_the_same_answer_and_no_second_effect",
        ),
    ),
    Beyond(
        subject="the `typ` of a logout token",
        by=("logout_token.type_absent", "logout_token.type_jwt", "logout_token.type_security_event"),
    ),
    Beyond(
        subject="a logout token that is late, endless, or names nobody",
        by=(
            "logout_token.expired",
            "logout_token.exp_missing",
            "logout_token.issued_day_ago",
            "logout_token.jti_missing",
            "logout_token.nobody",
        ),
    ),
    Beyond(
        subject="metadata that are unsigned, old, or lead elsewhere",
        by=(
            "discovery.signed_metadata_missing",
            "metadata.rolled_back",
            "metadata.token_endpoint_elsewhere",
            "metadata.mtls_token_alias_elsewhere",
        ),
    ),
    Beyond(
        subject="nonces of DPoP that lead in a circle, or into a header",
        by=("dpop.nonce_forever", "dpop.nonce_unchanged", "dpop.nonce_with_space", "dpop.nonce_with_quote"),
    ),
    Beyond(
        subject="pseudonyms of another sector, or with an identity number inside",
        by=("id_token.other_sector", "id_token.subject_holds_identity_number"),
    ),
    Beyond(
        subject="security events: state, number, subject and kind",
        by=(
            "security_event.state_unknown",
            "security_event.sequence_negative",
            "security_event.sequence_huge",
            "security_event.sequence_as_boolean",
            "security_event.subject_format_other",
            "security_event.subject_of_other_issuer",
            "security_event.second_event",
            "security_event.jti_repeated",
        ),
        tests=("tests/client/test_events.py::test_after_an_outage_every_account_ends_in_its_last_state",),
    ),
    Beyond(
        subject="a receipt for another launch, another app, or another answer of the ID app",
        by=("receipt.biz_seq_other", "receipt.app_id_other", "receipt.blobs_hash_other"),
        tests=(
            f"{_LAUNCHES}::test_an_answer_to_the_attackers_launch_is_none_to_the_victims",
            f"{_LAUNCHES}::test_an_answer_that_was_overheard_is_worth_nothing_elsewhere",
        ),
    ),
    Beyond(
        subject="an app launch that a hostile app relays",
        by=("receipt.caller_unverified", "receipt.caller_missing", "receipt.caller_in_other_case"),
        tests=(f"{_LAUNCHES}::test_an_answer_that_another_app_got_is_refused",),
    ),
    Beyond(
        subject="a factor that was not executed, or failed",
        by=(
            "receipt.factor_not_executed",
            "receipt.factor_marked_x",
            "receipt.factor_failed",
            "receipt.factor_absent",
        ),
        tests=(f"{_LAUNCHES}::test_what_was_not_executed_never_counts",),
    ),
    Beyond(
        subject="an outcome of an app launch that nobody listed",
        by=("receipt.outcome_unknown", "receipt.outcome_in_other_case", "receipt.refusal_with_person"),
        tests=(f"{_LAUNCHES}::test_a_code_that_is_not_listed_is_a_decline_that_keeps_it",),
    ),
    Beyond(
        subject="a receipt that is lost on its way",
        by=("receipt.answer_lost_once", "receipt.answer_late_once", "receipt.answer_server_error_once"),
        tests=(
            f"{_LAUNCHES}::test_a_lost_answer_is_asked_for_again",
            f"{_LAUNCHES}::test_three_lost_answers_are_the_end",
        ),
    ),
)
