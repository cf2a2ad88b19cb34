"""Faults of what an issuer says about certificates of clients (RFC 8705) and signed requests (RFC 9101)."""

from __future__ import annotations

from typing import Final

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.faults.making import (
    FAPI,
    Change,
    drop_claim,
    fault,
    oddity,
    put_claim,
    put_member,
)

__all__ = ["MTLS_FAULTS", "MTLS_ODDITIES", "REQUEST_OBJECT_FAULTS"]

_ALIASES: Final = "mtls_endpoint_aliases"


def _metadata(name: str, number: str, law: str, code: str, change: Change, needs: str = "mtls") -> Fault:
    return fault(f"metadata.{name}", number, law, stage="metadata", code=code, change=change, needs=needs)


def _alias(name: str, value: object) -> Change:
    """Set one alias."""

    def change(draft: SignedDraft) -> None:
        aliases = draft.claims[_ALIASES]
        draft.claims[_ALIASES] = {**(aliases if isinstance(aliases, dict) else {}), name: value}

    return change


MTLS_FAULTS: Final = (
    _metadata(
        "mtls_token_alias_elsewhere",
        "P3.6",
        "No certificate is shown to a host that is not the issuer's.",
        "metadata.endpoint",
        _alias("token_endpoint", "https://other.example/mtls/token"),
    ),
    _metadata(
        "mtls_par_alias_elsewhere",
        "P3.6",
        "No request is pushed to a host that is not the issuer's.",
        "metadata.endpoint",
        _alias("pushed_authorization_request_endpoint", "https://other.example/mtls/par"),
    ),
    _metadata(
        "mtls_alias_plain_http",
        "P3.6",
        "An alias is no exception: no endpoint is plain http.",
        "metadata.endpoint",
        _alias("token_endpoint", "http://issuer.example/mtls/token"),
    ),
    _metadata(
        "mtls_alias_no_text",
        "E3.2",
        "An alias is a text.",
        "metadata.claim_type",
        _alias("token_endpoint", ["https://issuer.example/mtls/token"]),
    ),
    _metadata(
        "mtls_aliases_no_object",
        "E3.2",
        "Aliases are an object.",
        "metadata.claim_type",
        put_claim(_ALIASES, ["https://issuer.example/mtls/token"]),
    ),
    _metadata(
        "without_certificate_binding",
        "P3.7",
        "An issuer that binds no token to a certificate is refused where logins are bound so.",
        "metadata.capability",
        put_claim("tls_client_certificate_bound_access_tokens", False),
    ),
    _metadata(
        "without_tls_client_auth",
        "P3.7",
        "An issuer that does not take certificates for authentication is refused where one is configured.",
        "metadata.capability",
        put_claim("token_endpoint_auth_methods_supported", ["private_key_jwt"]),
        "tls_client_auth",
    ),
    fault(
        "token.type_of_dpop_with_certificate",
        "E2.4b",
        "A token that is bound to a certificate is a bearer's, and of no other type.",
        stage="token",
        code="token.token_type",
        change=put_member("token_type", "DPoP"),
        needs="mtls",
    ),
)

REQUEST_OBJECT_FAULTS: Final = (
    _metadata(
        "without_request_algorithm",
        "P3.7",
        "An issuer that takes no request object of ours is refused where requests are signed.",
        "metadata.capability",
        put_claim("request_object_signing_alg_values_supported", ["RS256"]),
        "request_object",
    ),
)

MTLS_ODDITIES: Final = (
    oddity(
        "metadata.without_mtls_aliases",
        "P3.6",
        "An issuer without aliases takes certificates at its endpoints.",
        stage="metadata",
        change=drop_claim(_ALIASES),
        module=FAPI + "happy-path-no-mtls-endpoint-aliases",
        needs="mtls",
    ),
)
