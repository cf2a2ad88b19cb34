"""Credentials and key bindings by the OpenWallet Foundation's library for RFC 9901, over jwcrypto."""

from __future__ import annotations

import json
from base64 import b64decode

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from cyberid_client.testing.keyring import x5c_of


def jwk_of(key) -> JWK:
    """Return a private key of the cryptography library as jwcrypto's, without a key id."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    members = json.loads(JWK.from_pem(pem).export())
    members.pop("kid", None)
    return JWK(**members)


def issue(claims, *, age_band, signer, holder: JWK) -> str:
    """Make a credential that says the same as ours, with salts, digests and a signature of that library.

    Args:
        claims: what stands in ours.
        age_band: goes into a disclosure.
        signer: of the mock issuer; its certificates go into the header.
        holder: the key that it is bound to.
    """
    always = {name: value for name, value in claims.items() if name not in {"_sd", "_sd_alg", "cnf"}}
    header = {"typ": "dc+sd-jwt", "kid": signer.kid, "x5c": x5c_of(signer.chain)}
    issuer = SDJWTIssuer(
        {**always, SDObj("age_band"): age_band},
        jwk_of(signer.key),
        holder,
        sign_alg="ES256",
        extra_header_parameters=header,
    )
    return issuer.sd_jwt_issuance


def present(credential: str, request, *, holder: JWK, shows=()) -> str:
    """Show a credential, with the disclosures that are named and a key binding for this request."""
    wallet = SDJWTHolder(credential)
    wallet.create_presentation(
        dict.fromkeys(shows, True), request["nonce"], request["client_id"], holder, "ES256"
    )
    return wallet.sd_jwt_presentation


def verify(presentation: str, *, audience: str, nonce: str):
    """Return the claims of a presentation that the library believes, its key taken from the first certificate."""

    def key_of(_issuer, header):
        certificate = x509.load_der_x509_certificate(b64decode(header["x5c"][0]))
        pem = certificate.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return JWK.from_pem(pem)

    return SDJWTVerifier(presentation, key_of, audience, nonce).get_verified_payload()
