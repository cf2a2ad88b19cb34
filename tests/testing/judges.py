"""Libraries of others, which say what they think of a signed message."""

from __future__ import annotations

import base64
import json

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from .conftest import b64, unb64


def leaf_key(token):
    """Return the key of the certificate that comes along."""
    der = base64.b64decode(jwt.get_unverified_header(token)["x5c"][0], validate=True)
    return x509.load_der_x509_certificate(der).public_key()


def verified(token, *, issuer, audience):
    """Return the claims of a token that PyJWT believes at the time of the test's clock."""
    return jwt.decode(
        token,
        leaf_key(token),
        algorithms=["ES256"],
        audience=audience,
        issuer=issuer,
        options={"verify_exp": False, "verify_iat": False, "verify_sub": False},
    )


def is_signed(token, header, claims, signer):
    """Tell whether this is exactly the JWS of header and claims by this signer."""
    message, _, signature = token.rpartition(".")
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
    if message != ".".join(map(b64, parts)) or "=" in signature:
        return False
    try:
        jws.deserialize_compact(token, ECKey.import_key(_public_pem(signer)), registry=registry())
    except (JoseError, ValueError):
        return False
    return b64(unb64(signature)) == signature


def _public_pem(signer):
    return signer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def registry():
    registry = jws.JWSRegistry(algorithms=["ES256"])
    registry.max_header_length = 16_384  # a chain does not fit into its default
    return registry
