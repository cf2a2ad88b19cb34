"""Every error code with its class, its fixed sentence and who must act.

The table is the only source of messages. A sentence names rules and settings, never a value that
was received. Codes are stable: a code may be added, its sentence reworded, but it is never reused
for another rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["CATALOGUE", "ErrorCode", "FixedBy"]

FixedBy = Literal["user", "operator", "developer", "issuer", "nobody"]


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of the catalogue."""

    code: str
    family: str
    fixed_by: FixedBy
    sentence: str
    retryable: bool = False


_Rows = tuple[tuple[str, FixedBy, str] | tuple[str, FixedBy, str, bool], ...]

_CONFIGURATION: _Rows = (
    ("config.issuer", "developer", "The issuer must be an https URL without query or fragment."),
    ("config.client_id", "developer", "The client id must be 1 to 255 visible ASCII characters."),
    ("config.redirect_uri", "developer", "The redirect URI must be one absolute https URL without fragment."),
    ("config.insecure_http", "developer", "Plain http is accepted only for 127.0.0.1 and [::1], and only with a store made by TrustStore.for_tests."),
    ("config.sector", "developer", "The sector must be an https URL without fragment."),
    ("config.assurance", "developer", "The assurance must be one of R01, R02, R03 and R04."),
    ("config.value", "developer", "The value of a setting has a wrong type or lies outside its range."),
    ("config.exceptions", "developer", "A setting for ordinary OpenID Providers stands beside full protection, or is missing without it."),
    ("config.trust_missing", "operator", "A trust store with at least one pinned root is required."),
    ("config.no_algorithm", "developer", "At least one known signature algorithm must be configured."),
    ("config.algorithm_unavailable", "developer", "The signature algorithm is not available in this installation."),
    ("config.client_key", "operator", "The client key is not a usable private key in PEM form."),
    ("config.client_keys", "operator", "Two keys of the client have the same key id."),
    ("config.decryption_key", "operator", "Encrypted assertions need a decryption key, and it must be a usable private key for a listed algorithm."),
    ("config.client_certificate", "operator", "A client certificate with its key is needed for TLS, both PEM and belonging together."),
    ("config.pseudonym_key", "operator", "A pseudonym key must have an id and at least 32 bytes."),
    ("config.store_key", "operator", "A key of the sealed-cookie store must have an id and at least 32 bytes."),
    ("config.purposes", "developer", "The purpose table is incomplete or lets two purposes share an object identifier."),
    ("config.redirect_uri_unknown", "developer", "The redirect URI asked for is not one of those configured."),
    ("config.max_age", "developer", "The maximum age must be a whole number of seconds from 0 to one year, or nothing."),
    ("trust.malformed", "operator", "The pinned roots are not readable certificates."),
    ("trust.empty", "operator", "A trust store must pin at least one root."),
    ("trust.bundle", "operator", "The trust bundle is not a JSON object with version, expires and roots."),
    ("trust.expired", "operator", "The trust bundle has expired; roll out a newer one."),
    ("trust.disjoint", "operator", "A new trust store must share a root with the one that it replaces."),
    ("trust.rolled_back", "operator", "A trust bundle must not be replaced by an older one."),
    ("trust.not_a_root", "operator", "A pinned root must be a self-signed certificate authority with a signature that holds."),
    ("trust.weak_root", "operator", "A pinned root has a key or signature algorithm outside the closed table."),
    ("trust.test_root", "operator", "A root with the test mark is refused by a production trust store."),
    ("time.naive", "developer", "A time was given without a time zone."),
    ("client.closed", "developer", "The client was closed and cannot be used any more."),
    ("par.client_refused", "operator", "The issuer does not accept this client's authentication."),
    ("par.request_refused", "operator", "The issuer refused the authorization request of this client."),
    ("token.client_refused", "operator", "The issuer does not accept this client's authentication at the token endpoint."),
    ("store.not_single_use", "developer", "This handshake needs a store from which a record can be taken only once."),
    ("testing.not_loopback", "developer", "The mock issuer binds to loopback addresses only."),
    ("testing.store_opener", "developer", "The store under test could not be opened in another process: what opens it must be picklable, and a script needs the guard of its main module."),
    ("testing.unknown_fault", "developer", "There is no fault of this name."),
    ("testing.unknown_person", "developer", "There is no made-up person of this name."),
    ("testing.request_refused", "developer", "The mock issuer shows an error page for this authorization URL."),
    ("testing.url", "developer", "The scripted browser opens absolute http and https URLs only."),
    ("testing.redirects", "developer", "The scripted browser was redirected more often than it may follow."),
    ("testing.no_form", "developer", "The page has no such form."),
    ("testing.no_field", "developer", "The form has no such field or choice."),
    ("testing.no_button", "developer", "The page has no such link or button."),
)  # fmt: skip

_DECLINED: _Rows = (
    ("declined.access_denied", "user", "The person did not agree to the login."),
    ("declined.login_required", "user", "The issuer needs the person to authenticate."),
    ("declined.interaction_required", "user", "The issuer needs the person to act on its page."),
    ("declined.assurance_unmet", "user", "The issuer could not reach the assurance that was asked for."),
    ("declined.request_refused", "operator", "The issuer refused the request of this client."),
    ("declined.other", "nobody", "The issuer ended the login with an error."),
)

_RESTART: _Rows = (
    ("login.handle_missing", "user", "The browser did not bring the cookie of this login."),
    ("login.handle_malformed", "user", "The cookie of this login is damaged."),
    ("login.unknown", "user", "This login is not pending: it was finished before, or never started here."),
    ("login.expired", "user", "This login took too long."),
    ("login.other_kind", "user", "This login was started by another kind of handshake."),
    ("login.code_refused", "user", "The issuer does not accept the authorization code any more."),
)

_VERIFICATION: _Rows = (
    ("return_to.refused", "nobody", "The place to return to is not a path of this origin."),
    ("callback.too_large", "nobody", "The callback is larger than allowed."),
    ("callback.malformed", "nobody", "The callback is not a well-formed query string."),
    ("callback.parameter_repeated", "nobody", "A parameter of the callback stands there twice."),
    ("callback.state", "nobody", "The state of the callback is absent or belongs to another login."),
    ("callback.issuer_missing", "issuer", "The callback does not name its issuer."),
    ("callback.issuer", "nobody", "The callback comes from another issuer."),
    ("callback.response_mode", "issuer", "The callback came in another response mode than configured."),
    ("callback.code_or_error", "issuer", "The callback must hold exactly one of code and error."),
    ("discovery.too_large", "issuer", "The discovery page is larger than allowed."),
    ("discovery.content_type", "issuer", "The discovery page is not served as JSON."),
    ("discovery.malformed", "issuer", "The discovery page is not a strict JSON object."),
    ("discovery.claim_missing", "issuer", "The discovery page lacks a required member."),
    ("discovery.claim_type", "issuer", "A member of the discovery page has a wrong type."),
    ("discovery.issuer", "issuer", "The discovery page names another issuer."),
    ("discovery.signed_metadata_missing", "issuer", "The discovery page carries no signed metadata."),
    ("metadata.too_large", "issuer", "The signed metadata is larger than allowed."),
    ("metadata.malformed", "issuer", "The signed metadata is not a strict compact JWS with a JSON object inside."),
    ("metadata.claim_missing", "issuer", "The signed metadata lacks a required claim."),
    ("metadata.claim_type", "issuer", "A claim of the signed metadata has a wrong type."),
    ("metadata.algorithm", "issuer", "The signed metadata uses another algorithm than configured."),
    ("metadata.critical", "issuer", "The signed metadata demands an extension that is not understood."),
    ("metadata.type", "issuer", "The signed metadata is not of its own kind."),
    ("metadata.chain_missing", "issuer", "The signed metadata carries no certificate chain."),
    ("metadata.issuer", "issuer", "Issuer and subject of the signed metadata are not the configured issuer."),
    ("metadata.issued_in_future", "issuer", "The signed metadata was issued in the future."),
    ("metadata.expired", "issuer", "The signed metadata has expired."),
    ("metadata.lifetime", "issuer", "The signed metadata is valid for longer than seven days, or for no time."),
    ("metadata.rolled_back", "issuer", "The signed metadata is older than the newest that was accepted."),
    ("metadata.endpoint", "issuer", "An endpoint of the signed metadata is not https on an allowed host."),
    ("metadata.capability", "issuer", "The issuer offers less protection than is configured."),
    ("jwks.too_large", "issuer", "The key set is larger than allowed."),
    ("jwks.content_type", "issuer", "The key set is not served as JSON."),
    ("jwks.malformed", "issuer", "The key set is not a strict JSON object with a list of keys."),
    ("jwks.too_many_keys", "issuer", "The key set holds more keys than allowed."),
    ("jwks.private_key", "issuer", "The key set publishes a private key."),
    ("par.too_large", "issuer", "The answer to the pushed request is larger than allowed."),
    ("par.content_type", "issuer", "The answer to the pushed request is not JSON."),
    ("par.malformed", "issuer", "The answer to the pushed request is not a strict JSON object."),
    ("par.status", "issuer", "The answer to the pushed request has another status than 201."),
    ("par.request_uri", "issuer", "The answer to the pushed request holds no usable request URI."),
    ("par.expires_in", "issuer", "The request URI has no lifetime that can be used."),
    ("token.too_large", "issuer", "The token response is larger than allowed."),
    ("token.content_type", "issuer", "The token response is not JSON."),
    ("token.malformed", "issuer", "The token response is not a strict JSON object."),
    ("token.status", "issuer", "The token response has another status than 200."),
    ("token.access_token", "issuer", "The token response holds no usable access token."),
    ("token.token_type", "issuer", "The token response is of another token type than asked for."),
    ("token.expires_in", "issuer", "The lifetime in the token response is not a number from 0 up."),
    ("token.scope", "issuer", "The token response grants less than a login needs."),
    ("token.id_token_missing", "issuer", "The token response carries no assertion."),
    ("id_token.too_large", "issuer", "The assertion is larger than allowed."),
    ("id_token.malformed", "issuer", "The assertion is not a strict compact JWS with a JSON object inside."),
    ("id_token.claim_missing", "issuer", "The assertion lacks a required claim."),
    ("id_token.claim_type", "issuer", "A claim of the assertion has a wrong type."),
    ("id_token.algorithm", "issuer", "The assertion uses another algorithm than configured."),
    ("id_token.critical", "issuer", "The assertion demands an extension that is not understood."),
    ("id_token.type", "issuer", "The assertion says that it is a document of another kind."),
    ("id_token.kind", "issuer", "The assertion holds claims of a document of another kind."),
    ("id_token.key_unknown", "issuer", "The assertion names a key that the issuer's key set does not hold."),
    ("id_token.key_unpublished", "issuer", "The assertion's signing key is certified but not in the issuer's key set."),
    ("id_token.key_ambiguous", "issuer", "The assertion names no key and the key set offers several."),
    ("id_token.key_mismatch", "issuer", "The assertion's certificate and the published key differ."),
    ("id_token.chain_missing", "issuer", "Neither the assertion nor the key set carries a certificate chain."),
    ("id_token.issuer", "issuer", "The assertion was issued by another issuer."),
    ("id_token.audience", "issuer", "The assertion is not for this client, or not for it alone."),
    ("id_token.authorized_party", "issuer", "The assertion was issued to another party."),
    ("id_token.expired", "issuer", "The assertion has expired."),
    ("id_token.issued_in_future", "issuer", "The assertion was issued in the future."),
    ("id_token.issued_too_long_ago", "issuer", "The assertion was issued too long ago."),
    ("id_token.not_yet_valid", "issuer", "The assertion is not valid yet."),
    ("id_token.nonce", "nobody", "The assertion answers another login."),
    ("id_token.assurance", "issuer", "The assertion does not reach the assurance that was asked for."),
    ("id_token.factors", "issuer", "The factors of the assertion do not carry its assurance."),
    ("id_token.auth_time_missing", "issuer", "The assertion does not say when the person authenticated."),
    ("id_token.auth_time_in_future", "issuer", "The assertion says that the person authenticated in the future."),
    ("id_token.auth_time_stale", "issuer", "The person authenticated before the time that was asked for."),
    ("id_token.access_token_hash", "issuer", "The assertion belongs to another access token, or to one that is not here."),
    ("id_token.subject", "issuer", "The assertion's subject does not have the shape of a pseudonym."),
    ("id_token.identity_number", "issuer", "The assertion's subject holds an identity number."),
    ("id_token.session_id", "issuer", "The assertion's session id does not have the agreed shape."),
    ("id_token.sector", "issuer", "The assertion was made for another sector."),
    ("id_token.persistence", "issuer", "The assertion does not say how stable its pseudonym is."),
    ("id_token.age_band", "issuer", "The assertion's age band is unknown or was not asked for."),
    ("status_aggregation.too_large", "issuer", "The list of status lists is larger than allowed."),
    ("status_aggregation.content_type", "issuer", "The list of status lists is not served as JSON."),
    ("status_aggregation.malformed", "issuer", "The list of status lists is not a strict JSON object."),
    ("status_aggregation.claim_missing", "issuer", "The list of status lists lacks its required member."),
    ("status_aggregation.claim_type", "issuer", "The list of status lists holds something else than texts."),
    ("status_aggregation.too_many", "issuer", "The issuer names more status lists than allowed."),
    ("status_aggregation.url", "issuer", "A status list is not https on an allowed host."),
    ("status_list.too_large", "issuer", "The status list is larger than allowed."),
    ("status_list.content_type", "issuer", "The status list is not served as one."),
    ("status_list.malformed", "issuer", "The status list is not a strict compact JWS with a JSON object inside."),
    ("status_list.claim_missing", "issuer", "The status list lacks a required claim."),
    ("status_list.claim_type", "issuer", "A claim of the status list has a wrong type."),
    ("status_list.bits", "issuer", "The status list does not have 1, 2, 4 or 8 bits for each entry."),
    ("status_list.algorithm", "issuer", "The status list uses another algorithm than configured."),
    ("status_list.critical", "issuer", "The status list demands an extension that is not understood."),
    ("status_list.type", "issuer", "The status list says that it is a document of another kind."),
    ("status_list.chain_missing", "issuer", "The status list carries no certificate chain."),
    ("status_list.subject", "issuer", "The status list is one of another address."),
    ("status_list.audience", "issuer", "The status list is for others than this client."),
    ("status_list.not_yet_valid", "issuer", "The status list is not valid yet."),
    ("status_list.issued_in_future", "issuer", "The status list was issued in the future."),
    ("status_list.issued_too_long_ago", "issuer", "The status list has no end and was issued too long ago."),
    ("status_list.expired", "issuer", "The status list has expired."),
    ("status_list.ttl", "issuer", "The status list gives a time to live that is not above 0."),
    ("status_list.rolled_back", "issuer", "The status list is older than the one that is held."),
    ("status_list.compression", "issuer", "The entries of the status list are not exactly one complete zlib stream."),
    ("status_list.inflated_too_large", "issuer", "The entries of the status list are larger than allowed."),
    ("status_list.no_room", "operator", "All status lists together are larger than may be held."),
)  # fmt: skip

_SIGNATURE: _Rows = (
    ("signature.invalid", "issuer", "The signature does not verify."),
    ("signature.algorithm", "issuer", "The signature algorithm is not in the closed table."),
    ("signature.key", "issuer", "The public key does not belong to the signature algorithm."),
    ("metadata.signature", "issuer", "The signature of the signed metadata does not verify."),
    ("id_token.signature", "issuer", "The signature of the assertion does not verify."),
    ("status_list.signature", "issuer", "The signature of the status list does not verify."),
)

_CHAIN: _Rows = (
    ("chain.malformed", "issuer", "A certificate of the chain is not strict DER."),
    ("chain.certificate_too_large", "issuer", "A certificate of the chain is larger than 16 KiB."),
    ("chain.too_complex", "issuer", "The chain has more parts, or more ways upwards, than an honest one needs."),
    ("chain.too_long", "issuer", "The chain has more certificates than allowed."),
    ("chain.self_signed", "issuer", "The chain carries a self-signed certificate that is not a pinned root."),
    ("chain.test_mark", "operator", "The chain carries the test mark and the trust store is for production."),
    ("chain.key_algorithm", "issuer", "A key of the chain is of a kind outside the closed table."),
    ("chain.key_too_weak", "issuer", "A key of the chain is weaker than the floor of its kind."),
    ("chain.signature_algorithm", "issuer", "A certificate of the chain is signed with an algorithm outside the closed table."),
    ("chain.extension", "issuer", "A certificate of the chain carries a critical extension that is not understood."),
    ("chain.leaf_is_ca", "issuer", "The signer's certificate belongs to a certificate authority."),
    ("chain.key_usage", "issuer", "The signer's certificate does not allow digital signatures."),
    ("chain.purpose", "issuer", "The signer's certificate was issued for another purpose."),
    ("chain.ca_purpose", "issuer", "A certificate authority of the chain may not issue for this purpose."),
    ("chain.subject_uri", "issuer", "The signer's certificate does not name exactly the expected party."),
    ("chain.subject_host", "issuer", "The signer's certificate does not name exactly the expected host."),
    ("chain.policy", "issuer", "The signer's certificate lacks a required policy."),
    ("chain.not_yet_valid", "issuer", "A certificate of the chain is not valid yet."),
    ("chain.expired", "issuer", "A certificate of the chain has expired."),
    ("chain.engine_required", "operator", "The chain uses what the built-in engine cannot judge; it needs the [pki] extra, which is not in this release."),
    ("chain.untrusted", "issuer", "The chain does not lead to a pinned root."),
)  # fmt: skip

_REVOCATION: _Rows = (
    ("revocation.revoked", "issuer", "A certificate of the chain was revoked."),
    ("revocation.unknown", "issuer", "No revocation list answers for a certificate of the chain, and none that may be fetched is named."),
    ("revocation.unreachable", "issuer", "The revocation list for a certificate of the chain could not be fetched in time.", True),
    ("revocation.list_too_large", "issuer", "The revocation list is larger than allowed."),
    ("revocation.list_malformed", "issuer", "The revocation list is not strict DER, or lacks what every list has."),
    ("revocation.list_issuer", "issuer", "The revocation list is that of another authority."),
    ("revocation.list_key_usage", "issuer", "The authority's certificate does not allow it to sign revocation lists."),
    ("revocation.list_algorithm", "issuer", "The revocation list is signed with an algorithm outside the closed table."),
    ("revocation.list_signature", "issuer", "The signature of the revocation list does not verify."),
    ("revocation.list_unsupported", "operator", "The revocation list is not a complete list of one authority; it needs the [pki] extra, which is not in this release."),
    ("revocation.list_endless", "issuer", "The revocation list does not say when the next one comes."),
    ("revocation.list_in_future", "issuer", "The revocation list is dated in the future."),
    ("revocation.list_stale", "issuer", "The revocation list that was fetched is out of date."),
    ("status.list_unknown", "issuer", "The credential names a status list that was not announced."),
    ("status.list_stale", "issuer", "The status list that the credential names could not be refreshed in time.", True),
    ("status.index", "issuer", "The credential names an entry that its status list does not have."),
    ("status.invalid", "user", "The credential was revoked."),
    ("status.suspended", "user", "The credential is suspended."),
    ("status.value", "issuer", "The status of the credential has a value without meaning here."),
)  # fmt: skip

_UNAVAILABLE: _Rows = (
    ("issuer.unavailable", "issuer", "The issuer says that it cannot answer now.", True),
    ("signer.failed", "operator", "The signer that holds the client's key could not sign.", True),
    ("issuer.status", "issuer", "The issuer answered with a status that says nothing about this login."),
)

_TRANSPORT: _Rows = (
    ("transport.timeout", "issuer", "The issuer did not answer within the time limit.", True),
    ("transport.connection", "issuer", "No connection to the issuer could be made or kept.", True),
    ("transport.tls", "operator", "The issuer's TLS certificate could not be verified."),
    ("transport.redirect", "issuer", "The issuer answered with a redirect, which is never followed."),
    ("transport.too_large", "issuer", "The issuer's answer is larger than allowed."),
    ("transport.content_coding", "issuer", "The issuer's answer has a content coding that is unknown or broken."),
    ("transport.request", "operator", "The request could not be sent as it stands."),
    ("transport.failed", "operator", "The transport failed in a way that it does not name."),
)  # fmt: skip

_STORE: _Rows = (
    ("store.full", "operator", "The store of pending logins is full.", True),
    ("store.record_too_large", "developer", "The record of this login is larger than the store can keep."),
    ("store.unavailable", "operator", "The store could not be reached or did not answer in time.", True),
    ("store.failed", "operator", "The store of pending logins failed in a way that it does not name."),
)

_FAMILIES: Final[Mapping[str, _Rows]] = {
    "ConfigurationError": _CONFIGURATION,
    "LoginDeclinedError": _DECLINED,
    "LoginRestartError": _RESTART,
    "VerificationError": _VERIFICATION,
    "SignatureError": _SIGNATURE,
    "ChainError": _CHAIN,
    "RevocationError": _REVOCATION,
    "UnavailableError": _UNAVAILABLE,
    "TransportError": _TRANSPORT,
    "StoreError": _STORE,
}

CATALOGUE: Final[Mapping[str, ErrorCode]] = MappingProxyType(
    {
        code: ErrorCode(code, family, fixed_by, sentence, *rest)
        for family, rows in _FAMILIES.items()
        for code, fixed_by, sentence, *rest in rows
    }
)
