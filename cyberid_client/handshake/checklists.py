"""One ordered tuple of checks per document: the page that a reviewer prints.

Cheap and structural first, then the signature, then the claims, then revocation. What the parsers refuse before a
checklist begins is listed in :mod:`cyberid_client.handshake.parsing`.
"""

from __future__ import annotations

from typing import Final

from cyberid_client.handshake.app_subjects import AppResultSubject, ReceiptSubject
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.checks import (
    app_launch,
    audience,
    callback,
    credential,
    encryption,
    events,
    factors,
    header,
    key,
    key_binding,
    logout,
    metadata,
    person,
    presentation,
    responses,
    status_list,
    step_up,
)
from cyberid_client.handshake.checks import time as times
from cyberid_client.handshake.credential_subjects import CredentialSubject, KeyBindingSubject
from cyberid_client.handshake.presentation_subjects import (
    PendingPresentationSubject,
    PresentationEnvelopeSubject,
    PresentationResponseSubject,
    ProvedAnswerSubject,
)
from cyberid_client.handshake.subjects import (
    AssertionSubject,
    CallbackSubject,
    DiscoverySubject,
    EncryptedSubject,
    EventSubject,
    JARMSubject,
    LogoutSubject,
    MetadataSubject,
    PARSubject,
    SealSubject,
    StatusAggregationSubject,
    StatusListSubject,
    StepUpSubject,
    TokenSubject,
    UnsignedMetadataSubject,
)

__all__ = [
    "APP_RESULT",
    "AUTHORIZATION_RESPONSE",
    "CREDENTIAL",
    "CREDENTIAL_STATUS",
    "DISCOVERY",
    "ENCRYPTED_TOKEN",
    "ID_TOKEN",
    "ID_TOKEN_WITHOUT_CHAIN",
    "JARM",
    "JARM_WITHOUT_CHAIN",
    "KEY_BINDING",
    "LOGOUT_TOKEN",
    "LOGOUT_TOKEN_WITHOUT_CHAIN",
    "METADATA",
    "PAR_RESPONSE",
    "PENDING_PRESENTATION",
    "PRESENTATION_ENVELOPE",
    "PRESENTATION_QUERY",
    "PRESENTATION_RESPONSE",
    "RECEIPT",
    "RECEIPT_REFUSAL",
    "SEAL",
    "SECURITY_EVENT",
    "SECURITY_EVENT_WITHOUT_CHAIN",
    "SIGNED_RESPONSE",
    "STATUS_AGGREGATION",
    "STATUS_LIST",
    "STEP_UP",
    "TOKEN_RESPONSE",
    "UNSIGNED_METADATA",
]

DISCOVERY: Final[tuple[Check[DiscoverySubject], ...]] = (responses.check_discovery_issuer,)

METADATA: Final[tuple[Check[MetadataSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_key,
    key.check_signature,
    key.check_chain,
    metadata.check_metadata_issuer,
    metadata.check_metadata_issued_at,
    metadata.check_metadata_expiry,
    metadata.check_metadata_lifetime,
    metadata.check_not_rolled_back,
    metadata.check_endpoints,
    metadata.check_capabilities,
    metadata.check_epoch_length,
    key.check_revocation,
)

# The named exception metadata_trust="tls": nobody signs, so that nothing can be said of age or origin.
UNSIGNED_METADATA: Final[tuple[Check[UnsignedMetadataSubject], ...]] = (
    responses.check_discovery_issuer,
    metadata.check_endpoints,
    metadata.check_capabilities,
)

PAR_RESPONSE: Final[tuple[Check[PARSubject], ...]] = (
    responses.check_par_status,
    responses.check_request_uri,
    responses.check_request_uri_lifetime,
)

AUTHORIZATION_RESPONSE: Final[tuple[Check[CallbackSubject], ...]] = (
    callback.check_same_handshake,
    callback.check_lifetime,
    callback.check_response_mode,
    callback.check_state,
    callback.check_callback_issuer,
    callback.check_code_or_error,
    callback.check_declined,
)

# With response="jarm": what surrounds the signed response, and what is inside.
SIGNED_RESPONSE: Final[tuple[Check[CallbackSubject], ...]] = (
    callback.check_same_handshake,
    callback.check_lifetime,
    callback.check_response_mode,
)

JARM: Final[tuple[Check[JARMSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_key,
    key.check_signature,
    key.check_chain,
    key.check_key_is_published,
    audience.check_kind,
    audience.check_assertion_issuer,
    audience.check_audience,
    times.check_expiry,
    times.check_response_lifetime,
    times.check_not_before,
    callback.check_state,
    callback.check_code_or_error,
    key.check_revocation,
    callback.check_declined,
)

# The named exception assertion_chain="absent", as for assertions.
JARM_WITHOUT_CHAIN: Final = tuple(
    each for each in JARM if each not in {key.check_chain, key.check_revocation}
)

TOKEN_RESPONSE: Final[tuple[Check[TokenSubject], ...]] = (
    responses.check_token_status,
    responses.check_access_token,
    responses.check_token_type,
    responses.check_expires_in,
    responses.check_granted_scope,
    responses.check_id_token_present,
)

# Whether a token is encrypted, and with id_token="jwe" how; what is inside is judged by its own list.
SEAL: Final[tuple[Check[SealSubject], ...]] = (encryption.check_sealed_as_configured,)

ENCRYPTED_TOKEN: Final[tuple[Check[EncryptedSubject], ...]] = (
    encryption.check_decryption_key,
    encryption.check_key_encryption,
    encryption.check_content_encryption,
    encryption.check_content_type,
    encryption.check_uncompressed,
    encryption.check_encrypted_critical,
)

ID_TOKEN: Final[tuple[Check[AssertionSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_key,
    key.check_signature,
    key.check_chain,
    key.check_key_is_published,
    audience.check_kind,
    audience.check_assertion_issuer,
    audience.check_audience,
    audience.check_authorized_party,
    times.check_expiry,
    times.check_issued_at,
    times.check_not_before,
    audience.check_nonce,
    audience.check_access_token_hash,
    times.check_authentication_time,
    factors.check_assurance,
    factors.check_factors,
    person.check_subject,
    person.check_no_identity_number,
    person.check_session_id,
    person.check_sector,
    person.check_persistence,
    person.check_age_band,
    key.check_revocation,
)

# The named exception assertion_chain="absent": the key set alone vouches for the key, and the factors are
# always those of the mode, so that there is nothing to compare.
ID_TOKEN_WITHOUT_CHAIN: Final = tuple(
    each for each in ID_TOKEN if each not in {key.check_chain, key.check_revocation, factors.check_factors}
)

LOGOUT_TOKEN: Final[tuple[Check[LogoutSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_key,
    key.check_signature,
    key.check_chain,
    key.check_key_is_published,
    logout.check_logout_issuer,
    logout.check_logout_audience,
    logout.check_logout_expiry,
    logout.check_logout_issued_at,
    logout.check_logout_not_before,
    logout.check_logout_event,
    logout.check_no_nonce,
    logout.check_somebody_is_named,
    logout.check_logout_subject,
    logout.check_no_identity_number_logged_out,
    logout.check_logout_session_id,
    key.check_revocation,
)

SECURITY_EVENT: Final[tuple[Check[EventSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_key,
    key.check_signature,
    key.check_chain,
    key.check_key_is_published,
    events.check_event_kind,
    events.check_event_issuer,
    events.check_event_audience,
    events.check_event_issued_at,
    events.check_event_type,
    events.check_subject_format,
    events.check_subject_issuer,
    events.check_event_subject,
    events.check_no_identity_number_reported,
    events.check_account_state,
    events.check_event_reason,
    events.check_event_sequence,
    key.check_revocation,
)

# As for assertions: without a chain the key set alone vouches for the key.
LOGOUT_TOKEN_WITHOUT_CHAIN: Final = tuple(
    each for each in LOGOUT_TOKEN if each not in {key.check_chain, key.check_revocation}
)
SECURITY_EVENT_WITHOUT_CHAIN: Final = tuple(
    each for each in SECURITY_EVENT if each not in {key.check_chain, key.check_revocation}
)

# After a whole login that passed everything above.
STEP_UP: Final[tuple[Check[StepUpSubject], ...]] = (
    step_up.check_lasting_pseudonym,
    step_up.check_same_person,
)

APP_RESULT: Final[tuple[Check[AppResultSubject], ...]] = (
    callback.check_same_handshake,
    callback.check_lifetime,
    app_launch.check_app_outcome,
    app_launch.check_data_present,
)

# An assertion in which launch, app and hash stand in the place of nonce, authorized party and access token.
RECEIPT: Final[tuple[Check[ReceiptSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_key,
    key.check_signature,
    key.check_chain,
    key.check_key_is_published,
    audience.check_kind,
    audience.check_assertion_issuer,
    audience.check_audience,
    app_launch.check_app_id,
    times.check_expiry,
    times.check_issued_at,
    times.check_not_before,
    app_launch.check_biz_seq,
    app_launch.check_blobs_hash,
    app_launch.check_caller,
    times.check_authentication_time,
    factors.check_assurance,
    app_launch.check_executed_factors,
    person.check_subject,
    person.check_no_identity_number,
    person.check_session_id,
    person.check_sector,
    person.check_persistence,
    person.check_age_band,
    key.check_revocation,
)

# A receipt that says why nobody logged in: believed as any other, so that nobody else can end a launch.
RECEIPT_REFUSAL: Final[tuple[Check[ReceiptSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_key,
    key.check_signature,
    key.check_chain,
    key.check_key_is_published,
    audience.check_kind,
    audience.check_assertion_issuer,
    audience.check_audience,
    app_launch.check_app_id,
    times.check_expiry,
    times.check_issued_at,
    times.check_not_before,
    app_launch.check_biz_seq,
    app_launch.check_blobs_hash,
    key.check_revocation,
)

# Before a wallet is told the request, and before its answer is looked at.
PENDING_PRESENTATION: Final[tuple[Check[PendingPresentationSubject], ...]] = (
    presentation.check_same_client,
    presentation.check_presentation_lifetime,
    presentation.check_presentation_waits,
)

# What fails here was not encrypted for this request and is counted; what passes and fails below uses it up.
PRESENTATION_ENVELOPE: Final[tuple[Check[PresentationEnvelopeSubject], ...]] = (
    encryption.check_key_encryption,
    presentation.check_offered_encryption,
    encryption.check_uncompressed,
    encryption.check_encrypted_critical,
)

PRESENTATION_RESPONSE: Final[tuple[Check[PresentationResponseSubject], ...]] = (
    presentation.check_response_state,
    presentation.check_asked_credential,
)

# After the credential's format has believed it.
PRESENTATION_QUERY: Final[tuple[Check[ProvedAnswerSubject], ...]] = (presentation.check_query_answered,)

# What a wallet shows is the word of two: the issuer's credential, and the holder's key binding around it.
CREDENTIAL: Final[tuple[Check[CredentialSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    credential.check_header_members,
    credential.check_key_binding_is_there,
    key.check_key,
    key.check_signature,
    key.check_chain,
    key.check_key_is_published,
    credential.check_credential_type,
    credential.check_known_claims,
    credential.check_digests,
    credential.check_disclosures,
    audience.check_assertion_issuer,
    audience.check_audience,
    credential.check_epoch,
    credential.check_epoch_has_begun,
    times.check_expiry,
    factors.check_assurance,
    person.check_subject,
    person.check_no_identity_number,
    person.check_persistence,
    credential.check_lasting_credential,
    person.check_age_band,
    credential.check_holder_key,
)

# The key is the credential's own: no key set and no certificate speaks for it.
KEY_BINDING: Final[tuple[Check[KeyBindingSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_signature,
    key_binding.check_binding_audience,
    key_binding.check_binding_nonce,
    key_binding.check_binding_sd_hash,
    key_binding.check_binding_issued_at,
    key_binding.check_binding_dates,
)

# Looked up only when all of both words holds: first the signer, then the credential.
CREDENTIAL_STATUS: Final[tuple[Check[CredentialSubject], ...]] = (
    key.check_revocation,
    credential.check_status,
)

STATUS_AGGREGATION: Final[tuple[Check[StatusAggregationSubject], ...]] = (status_list.check_list_addresses,)

STATUS_LIST: Final[tuple[Check[StatusListSubject], ...]] = (
    header.check_algorithm,
    header.check_critical,
    header.check_type,
    key.check_key,
    key.check_signature,
    key.check_chain,
    status_list.check_list_subject,
    status_list.check_list_audience,
    status_list.check_list_issued_at,
    status_list.check_list_not_before,
    status_list.check_list_expiry,
    status_list.check_list_ttl,
    status_list.check_list_not_rolled_back,
    status_list.check_entries,
)
