"""All checklists of one login in one value, so that a test can leave a single check out.

The flows take it as an argument with the complete checklists as its default. Nothing public passes it on:
neither :class:`cyberid_client.Client` nor :func:`cyberid_client.handshake.verify_assertion` has a place
for it, so no app can leave anything out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cyberid_client.config import Expected, RelyingParty
from cyberid_client.handshake import checklists
from cyberid_client.handshake.app_subjects import AppResultSubject, ReceiptSubject
from cyberid_client.handshake.check import Check
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
    StepUpSubject,
    TokenSubject,
    UnsignedMetadataSubject,
)

__all__ = ["COMPLETE", "Checklists"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklists:
    """One tuple per document; each attribute has the name of its tuple, in lower case."""

    discovery: tuple[Check[DiscoverySubject], ...] = checklists.DISCOVERY
    metadata: tuple[Check[MetadataSubject], ...] = checklists.METADATA
    unsigned_metadata: tuple[Check[UnsignedMetadataSubject], ...] = checklists.UNSIGNED_METADATA
    par_response: tuple[Check[PARSubject], ...] = checklists.PAR_RESPONSE
    authorization_response: tuple[Check[CallbackSubject], ...] = checklists.AUTHORIZATION_RESPONSE
    signed_response: tuple[Check[CallbackSubject], ...] = checklists.SIGNED_RESPONSE
    jarm: tuple[Check[JARMSubject], ...] = checklists.JARM
    jarm_without_chain: tuple[Check[JARMSubject], ...] = checklists.JARM_WITHOUT_CHAIN
    token_response: tuple[Check[TokenSubject], ...] = checklists.TOKEN_RESPONSE
    seal: tuple[Check[SealSubject], ...] = checklists.SEAL
    encrypted_token: tuple[Check[EncryptedSubject], ...] = checklists.ENCRYPTED_TOKEN
    id_token: tuple[Check[AssertionSubject], ...] = checklists.ID_TOKEN
    id_token_without_chain: tuple[Check[AssertionSubject], ...] = checklists.ID_TOKEN_WITHOUT_CHAIN
    logout_token: tuple[Check[LogoutSubject], ...] = checklists.LOGOUT_TOKEN
    logout_token_without_chain: tuple[Check[LogoutSubject], ...] = checklists.LOGOUT_TOKEN_WITHOUT_CHAIN
    security_event: tuple[Check[EventSubject], ...] = checklists.SECURITY_EVENT
    security_event_without_chain: tuple[Check[EventSubject], ...] = checklists.SECURITY_EVENT_WITHOUT_CHAIN
    credential: tuple[Check[CredentialSubject], ...] = checklists.CREDENTIAL
    key_binding: tuple[Check[KeyBindingSubject], ...] = checklists.KEY_BINDING
    credential_status: tuple[Check[CredentialSubject], ...] = checklists.CREDENTIAL_STATUS
    step_up: tuple[Check[StepUpSubject], ...] = checklists.STEP_UP
    app_result: tuple[Check[AppResultSubject], ...] = checklists.APP_RESULT
    receipt: tuple[Check[ReceiptSubject], ...] = checklists.RECEIPT
    receipt_refusal: tuple[Check[ReceiptSubject], ...] = checklists.RECEIPT_REFUSAL
    pending_presentation: tuple[Check[PendingPresentationSubject], ...] = checklists.PENDING_PRESENTATION
    presentation_envelope: tuple[Check[PresentationEnvelopeSubject], ...] = checklists.PRESENTATION_ENVELOPE
    presentation_response: tuple[Check[PresentationResponseSubject], ...] = checklists.PRESENTATION_RESPONSE
    presentation_query: tuple[Check[ProvedAnswerSubject], ...] = checklists.PRESENTATION_QUERY

    def for_assertion(self, expected: Expected) -> tuple[Check[AssertionSubject], ...]:
        """Return the checklist that the configuration names."""
        return self.id_token if expected.chain_required else self.id_token_without_chain

    def for_logout_token(self, rp: RelyingParty) -> tuple[Check[LogoutSubject], ...]:
        """Return the checklist that the configuration names."""
        return self.logout_token if rp.assertion_chain == "required" else self.logout_token_without_chain

    def for_security_event(self, rp: RelyingParty) -> tuple[Check[EventSubject], ...]:
        """Return the checklist that the configuration names."""
        return self.security_event if rp.assertion_chain == "required" else self.security_event_without_chain

    def for_jarm(self, expected: Expected) -> tuple[Check[JARMSubject], ...]:
        """Return the checklist of signed responses that the configuration names."""
        return self.jarm if expected.chain_required else self.jarm_without_chain


COMPLETE: Final = Checklists()
