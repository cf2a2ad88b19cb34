"""What the parsers refuse before a checklist begins, for the page that a reviewer prints.

The rules are carried out in :mod:`cyberid_client.wire` and in the transport; this table only names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["PARSING", "STATUS_LOOK_UP", "ParsingRule"]


@dataclass(frozen=True, slots=True)
class ParsingRule:
    """One rule that no value can break once it is parsed.

    Attributes:
        number: as for checks.
        law: the rule in one sentence.
        clause: the clause of the standard that it comes from.
        codes: the codes that it raises.
    """

    number: str
    law: str
    clause: str
    codes: tuple[str, ...]


PARSING: Final = (
    ParsingRule(
        "E1.2",
        "A parameter of the callback, known or not, stands there once.",
        "RFC 6749 §3.1",
        ("callback.parameter_repeated",),
    ),
    ParsingRule(
        "E1.5",
        "Unknown parameters are ignored; the callback is at most 8 KiB of strict percent-encoding.",
        "RFC 6749 §4.1.2",
        ("callback.too_large", "callback.malformed"),
    ),
    ParsingRule(
        "E1.9",
        "Only the query is read: no redirect URI from a query is followed or repeated, no code logged.",
        "RFC 9700 §4.1",
        (),
    ),
    ParsingRule(
        "E2.2",
        "TLS is verified, no redirect is followed, and every answer has limits of size and time.",
        "FAPI 2.0 Security Profile §5.2",
        (
            "transport.timeout",
            "transport.connection",
            "transport.tls",
            "transport.redirect",
            "transport.too_large",
            "transport.content_coding",
            "transport.request",
            "transport.failed",
        ),
    ),
    ParsingRule(
        "E2.3",
        "An answer is application/json and one strict JSON object without duplicate members.",
        "RFC 6749 §5.1; RFC 8259 §4",
        (
            "discovery.content_type",
            "discovery.malformed",
            "discovery.too_large",
            "par.content_type",
            "par.malformed",
            "par.too_large",
            "token.content_type",
            "token.malformed",
            "token.too_large",
            "jwks.content_type",
            "jwks.malformed",
            "jwks.too_large",
            "receipt.content_type",
        ),
    ),
    ParsingRule(
        "E2.8",
        "An OAuth error is mapped to who must act; invalid_client is never tried again.",
        "RFC 6749 §5.2; RFC 9126 §2.3",
        (
            "par.client_refused",
            "par.request_refused",
            "token.client_refused",
            "token.proof_refused",
            "login.code_refused",
            "app_verification.client_refused",
            "app_verification.request_refused",
            "login.launch_refused",
            "issuer.unavailable",
            "issuer.status",
        ),
    ),
    ParsingRule(
        "E3.1",
        "An encrypted token is five parts of strict base64url with limits of their own; what stays shut has "
        "one code, whatever kept it so.",
        "RFC 7516 §5.2, §11.4; RFC 8725 §3.4",
        ("id_token.malformed", "id_token.too_large", "id_token.decryption"),
    ),
    ParsingRule(
        "E3.2",
        "A signed document is three parts of strict base64url around strict JSON objects.",
        "RFC 7515 §5.2; RFC 8725 §3.10",
        (
            "id_token.malformed",
            "id_token.too_large",
            "id_token.claim_missing",
            "id_token.claim_type",
            "jarm.malformed",
            "jarm.too_large",
            "jarm.encrypted",
            "jarm.claim_missing",
            "jarm.claim_type",
            "metadata.malformed",
            "metadata.too_large",
            "metadata.claim_missing",
            "metadata.claim_type",
            "discovery.signed_metadata_missing",
            "receipt.malformed",
            "receipt.too_large",
            "receipt.claim_missing",
            "receipt.claim_type",
        ),
    ),
    ParsingRule(
        "P4.2",
        "What the phone answered is one strict JSON object of at most 64 KiB; a blob in it has at most 16 KiB.",
        "profile §4 (2)",
        ("app_result.too_large", "app_result.malformed", "app_result.claim_missing", "app_result.claim_type"),
    ),
    ParsingRule(
        "P4.3",
        "A receipt that is lost on its way is asked for twice more, in fresh requests, and no more.",
        "profile §4 (3)",
        (),
    ),
    ParsingRule(
        "E6.1",
        "A logout request is a form of at most 128 KiB with exactly one logout token; all else in it is ignored.",
        "Back-Channel Logout 1.0 §2.5",
        ("logout_token.content_type", "logout_token.too_large", "logout_token.form"),
    ),
    ParsingRule(
        "E6.5",
        "A logout token is a strict compact JWS with all its required claims, exp and jti among them.",
        "Back-Channel Logout 1.0 §2.4",
        (
            "logout_token.malformed",
            "logout_token.too_large",
            "logout_token.claim_missing",
            "logout_token.claim_type",
        ),
    ),
    ParsingRule(
        "E6.2",
        "An encrypted logout token is opened under the rules of an encrypted assertion.",
        "Back-Channel Logout 1.0 §2.4, §2.6 (1)",
        ("logout_token.decryption",),
    ),
    ParsingRule(
        "P7.13",
        "A security event is served as one, in at most 64 KiB: a strict compact JWS with all its required claims.",
        "RFC 8935 §2.1; RFC 8417 §2.2; profile §7",
        (
            "security_event.content_type",
            "security_event.too_large",
            "security_event.malformed",
            "security_event.claim_missing",
            "security_event.claim_type",
        ),
    ),
    ParsingRule("E3.5", "The headers jku, jwk and x5u are ignored.", "RFC 8725 §3.10", ()),
    ParsingRule(
        "E4.1",
        "A key set comes from a host of the issuer, is at most 256 KiB and holds at most 100 keys.",
        "RFC 7517 §5; profile §2",
        ("jwks.too_large", "jwks.too_many_keys"),
    ),
    ParsingRule(
        "E4.2",
        "Entries that are not understood are skipped; a private member is an alarm.",
        "RFC 7517 §5",
        ("jwks.private_key",),
    ),
    ParsingRule(
        "E4.3",
        "A key id may stand there twice only with different key types or algorithms.",
        "RFC 7517 §4.5",
        ("id_token.key_ambiguous",),
    ),
    ParsingRule(
        "E4.7",
        "Keys below the floor of their kind are skipped, and an algorithm beside a key must be its own.",
        "RFC 8725 §3.5; profile §2",
        (),
    ),
    ParsingRule(
        "E5.7",
        "A demand for another DPoP nonce is met once, with a nonce that this very answer gives.",
        "RFC 9449 §8",
        ("issuer.dpop_nonce",),
    ),
    ParsingRule(
        "E9.3",
        "A status list is served as one, in at most 32 MiB; the page that names them is JSON with at most 1,000.",
        "draft-ietf-oauth-status-list-21 §8.1–8.2, §9.3",
        (
            "status_list.content_type",
            "status_list.too_large",
            "status_aggregation.content_type",
            "status_aggregation.too_large",
            "status_aggregation.malformed",
            "status_aggregation.claim_missing",
            "status_aggregation.claim_type",
            "status_aggregation.too_many",
        ),
    ),
    ParsingRule(
        "E9.4",
        "A status list is a strict compact JWS with all its required claims.",
        "draft-ietf-oauth-status-list-21 §5.1, §8.3 (3)",
        ("status_list.malformed", "status_list.claim_missing", "status_list.claim_type"),
    ),
    ParsingRule(
        "E9.6",
        "Caching headers are not read: the list says itself when it ends and when to ask again.",
        "draft-ietf-oauth-status-list-21 §8.2",
        (),
    ),
    ParsingRule(
        "E9.7a",
        "An entry has 1, 2, 4 or 8 bits, and the entries are strict base64url.",
        "draft-ietf-oauth-status-list-21 §4.2",
        ("status_list.bits", "status_list.malformed"),
    ),
    ParsingRule(
        "E10.1",
        "A presentation is one compact JWS, disclosures, and a key binding, in at most 64 KiB and 100 disclosures.",
        "RFC 9901 §4, §7.1 (1)",
        (
            "credential.malformed",
            "credential.too_large",
            "credential.claim_missing",
            "credential.claim_type",
            "key_binding.malformed",
            "key_binding.too_large",
            "key_binding.claim_missing",
            "key_binding.claim_type",
        ),
    ),
    ParsingRule(
        "E10.4",
        "Digests are made with SHA-256, whether or not the payload says so.",
        "RFC 9901 §4.1.1, §7.1 (2.4)",
        ("credential.digest_algorithm",),
    ),
    ParsingRule(
        "E10.5",
        "A digest is compared with that of the received text, which is an array of exactly three for a member and "
        "two for an element.",
        "RFC 9901 §4.2, §7.1 (3)",
        ("credential.disclosure", "credential.digests"),
    ),
    ParsingRule(
        "E10.6",
        "A disclosed member is not named _sd or ..., nor as one that is there already.",
        "RFC 9901 §7.1 (3.3)",
        ("credential.disclosure_name",),
    ),
    ParsingRule(
        "E10.7",
        "No digest stands there twice, wherever, and every disclosure is one that a digest refers to.",
        "RFC 9901 §7.1 (4–5)",
        ("credential.digest_repeated", "credential.disclosure_unreferenced"),
    ),
    ParsingRule(
        "E10.8",
        "Disclosures inside of disclosures end at a depth of 32; what is not disclosed leaves no trace.",
        "RFC 9901 §7.1 (3.4–3.6)",
        ("credential.malformed",),
    ),
    ParsingRule(
        "E11.2d",
        "A wallet posts one form with exactly one of an encrypted answer and an error, and nothing twice.",
        "OpenID4VP 1.0 §8.2, §8.3.1",
        ("presentation.content_type", "presentation.too_large", "presentation.form"),
    ),
    ParsingRule(
        "E11.3a",
        "Only a refusal may come unencrypted, and it changes nothing; an answer that does is a miss.",
        "OpenID4VP 1.0 §8.3.1; profile §5",
        ("presentation.unencrypted",),
    ),
    ParsingRule(
        "E11.3b",
        "The key id of an encrypted answer names its request, whose own key alone opens it; what it does not"
        " open is a miss, and after ten the request is gone.",
        "OpenID4VP 1.0 §8.3; profile §5",
        ("presentation.malformed", "presentation.decryption"),
    ),
    ParsingRule(
        "E11.3c",
        "What is inside is one strict JSON object, and the credential in it no longer than its format allows.",
        "OpenID4VP 1.0 §8.1, §8.3",
        ("presentation.malformed", "presentation.claim_type", "presentation.too_large"),
    ),
    ParsingRule(
        "E11.9",
        "A wallet's own nonce is repeated in the signed request, as visible ASCII of at most 512 characters.",
        "OpenID4VP 1.0 §5.10",
        ("presentation.wallet_nonce",),
    ),
)

# What :class:`cyberid_client.trust.StatusLists` refuses at a look-up, and the keeper of the lists before.
STATUS_LOOK_UP: Final = (
    ParsingRule(
        "E9.1",
        "Only the status of a credential that is believed in all else is looked up.",
        "draft-ietf-oauth-status-list-21 §8.3",
        (),
    ),
    ParsingRule(
        "E9.8a",
        "A list that was not announced is refused and not fetched.",
        "profile §5, status",
        ("status.list_unknown",),
    ),
    ParsingRule(
        "E9.8b",
        "A list says nothing from the second of its end on; without an end, from that of its time to live on.",
        "draft-ietf-oauth-status-list-21 §13.7",
        ("status.list_stale",),
    ),
    ParsingRule(
        "E9.8c",
        "An index outside the list is refused.",
        "draft-ietf-oauth-status-list-21 §8.3 (6)",
        ("status.index",),
    ),
    ParsingRule(
        "E9.9",
        "0 is valid, 1 invalid, 2 suspended; any other value is refused.",
        "draft-ietf-oauth-status-list-21 §7.1",
        ("status.invalid", "status.suspended", "status.value"),
    ),
    ParsingRule(
        "E9.10",
        "All lists together take at most 1 GiB; what does not fit is not held, and so gives no answer.",
        "draft-ietf-oauth-status-list-21 §8.3",
        ("status_list.no_room",),
    ),
    ParsingRule(
        "E9.11",
        "Lists are fetched whole and on timers, never because of a login; address and index are not kept.",
        "draft-ietf-oauth-status-list-21 §12.1, §13.8; profile §7",
        (),
    ),
)
