"""Untrusted bytes become typed values here: no trust, no clock, no network.

Every parser gives one complete frozen value or raises one
:class:`~cyberid_client.errors.VerificationError`, whatever bytes arrive. What it gives is still
unverified: nothing was compared with anything.
"""

from cyberid_client.wire.app_result import (
    APP_RESULT_MAX_BYTES,
    BLOB_MAX_BYTES,
    UnverifiedAppResult,
    parse_app_result,
)
from cyberid_client.wire.app_verification import AppEnvelope, AppVerification, UnverifiedReceipt
from cyberid_client.wire.assertion import ASSERTION_MAX_BYTES, UnverifiedAssertion, parse_assertion
from cyberid_client.wire.base64url import decode_base64, decode_base64url, encode_base64url
from cyberid_client.wire.callback import (
    CALLBACK_MAX_BYTES,
    UnverifiedCallback,
    callback_state,
    parse_callback,
)
from cyberid_client.wire.jarm import JARM_MAX_BYTES, UnverifiedJARM, jarm_state, parse_jarm
from cyberid_client.wire.jwe import (
    JWE_HEADER_MAX_BYTES,
    JWE_KEY_MAX_BYTES,
    JWE_MAX_BYTES,
    EphemeralKey,
    UnverifiedJWE,
    parse_jwe,
)
from cyberid_client.wire.jwks import JWK, JWKS_MAX_BYTES, KEYS_MAX, parse_jwks
from cyberid_client.wire.jws import (
    CERTIFICATE_MAX_BYTES,
    CERTIFICATES_MAX,
    JWSHeader,
    UnverifiedJWS,
    is_jwe,
    parse_jws,
)
from cyberid_client.wire.metadata import (
    METADATA_MAX_BYTES,
    ServerMetadata,
    UnverifiedMetadata,
    parse_metadata,
    parse_unsigned_metadata,
)
from cyberid_client.wire.receipt import parse_receipt
from cyberid_client.wire.responses import (
    DISCOVERY_MAX_BYTES,
    PAR_MAX_BYTES,
    TOKEN_MAX_BYTES,
    UnverifiedDiscovery,
    UnverifiedPAR,
    UnverifiedTokenResponse,
    parse_discovery,
    parse_oauth_error,
    parse_par,
    parse_token,
)
from cyberid_client.wire.status_list import (
    STATUS_AGGREGATION_MAX_BYTES,
    STATUS_LIST_MAX_BYTES,
    STATUS_LISTS_MAX,
    UnverifiedStatusList,
    parse_status_aggregation,
    parse_status_list,
)
from cyberid_client.wire.strict_json import parse_json_object

__all__ = [
    "APP_RESULT_MAX_BYTES",
    "ASSERTION_MAX_BYTES",
    "BLOB_MAX_BYTES",
    "CALLBACK_MAX_BYTES",
    "CERTIFICATES_MAX",
    "CERTIFICATE_MAX_BYTES",
    "DISCOVERY_MAX_BYTES",
    "JARM_MAX_BYTES",
    "JWE_HEADER_MAX_BYTES",
    "JWE_KEY_MAX_BYTES",
    "JWE_MAX_BYTES",
    "JWK",
    "JWKS_MAX_BYTES",
    "KEYS_MAX",
    "METADATA_MAX_BYTES",
    "PAR_MAX_BYTES",
    "STATUS_AGGREGATION_MAX_BYTES",
    "STATUS_LISTS_MAX",
    "STATUS_LIST_MAX_BYTES",
    "TOKEN_MAX_BYTES",
    "AppEnvelope",
    "AppVerification",
    "EphemeralKey",
    "JWSHeader",
    "ServerMetadata",
    "UnverifiedAppResult",
    "UnverifiedAssertion",
    "UnverifiedCallback",
    "UnverifiedDiscovery",
    "UnverifiedJARM",
    "UnverifiedJWE",
    "UnverifiedJWS",
    "UnverifiedMetadata",
    "UnverifiedPAR",
    "UnverifiedReceipt",
    "UnverifiedStatusList",
    "UnverifiedTokenResponse",
    "callback_state",
    "decode_base64",
    "decode_base64url",
    "encode_base64url",
    "is_jwe",
    "jarm_state",
    "parse_app_result",
    "parse_assertion",
    "parse_callback",
    "parse_discovery",
    "parse_jarm",
    "parse_json_object",
    "parse_jwe",
    "parse_jwks",
    "parse_jws",
    "parse_metadata",
    "parse_oauth_error",
    "parse_par",
    "parse_receipt",
    "parse_status_aggregation",
    "parse_status_list",
    "parse_token",
    "parse_unsigned_metadata",
]
