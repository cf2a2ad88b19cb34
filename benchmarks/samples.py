"""Assertions as the mock issuer signs them, and strangers: such as nothing can have seen before."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import ClientKey, RelyingParty, TrustStore
from cyberid_client.config import Expected
from cyberid_client.ports import HTTPResponse
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.jose import ALGORITHMS, SIGNING_NAMES, json_bytes
from cyberid_client.testing.keyring import Keyring, Signer, x5c_of
from cyberid_client.testing.pki import der, pem
from cyberid_client.trust import KeySet, RevocationLists
from cyberid_client.trust.crl import load_crl
from cyberid_client.wire.jwks import parse_jwks
from cyberid_client.wire.jws import parse_jws

__all__ = [
    "ACCESS_TOKEN",
    "ALGORITHM_NAMES",
    "CLIENT_ID",
    "ISSUER",
    "NONCE",
    "Sample",
    "Signed",
    "in_turn",
    "make_sample",
]

ISSUER: Final = "https://issuer.example"
CLIENT_ID: Final = "shop"
NONCE: Final = "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA"
ACCESS_TOKEN: Final = "made-up-access-token"  # noqa: S105 - made up
ALGORITHM_NAMES: Final = SIGNING_NAMES
_DAY: Final = 24 * 3600
# More than is remembered of headers and certificates that were seen before.
_STRANGERS: Final = 24


@dataclass(frozen=True, kw_only=True)
class Signed:
    """One assertion, the key set that it belongs to, and the revocation lists of its chain."""

    token: str
    keys: KeySet
    crls: RevocationLists


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What an issuer of one algorithm signs, and what is needed to believe it.

    Attributes:
        honest: with the chain in its header.
        bare_token: the same claims without a chain.
        new_signers: of as many other signers under one authority, more than anything remembers, so that
            every one of them is new again when its turn comes.
        new_authorities: the same, each under an authority of its own.
        expected: what the assertions must say.
        jwk: the honest signer's public key.
        now: when they were signed.
        bare: one bare verification of the honest signature.
    """

    honest: Signed
    bare_token: str
    new_signers: tuple[Signed, ...]
    new_authorities: tuple[Signed, ...]
    expected: Expected
    jwk: dict[str, object]
    now: datetime
    bare: Callable[[], object]


def make_sample(name: str, *, strangers: int = _STRANGERS) -> Sample:
    """Make an issuer whose signers, authorities and root have keys of this algorithm."""
    now = datetime.now(UTC)
    keyring = Keyring(issuer=ISSUER, algorithm=ALGORITHMS[name], now=now)
    signer = keyring.signer("assertion")
    key = ec.generate_private_key(ec.SECP256R1())
    rp = RelyingParty(
        issuer=ISSUER,
        client_id=CLIENT_ID,
        redirect_uri="https://shop.example/callback",
        key=ClientKey.from_pem(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
        trust=TrustStore.for_tests(pem(keyring.root.certificate)),
        algorithm=name,
    )
    started_at = now - timedelta(seconds=10)
    honest = _signed(keyring, signer, now)
    return Sample(
        honest=honest,
        bare_token=_sign(keyring, signer, now, with_chain=False),
        new_signers=tuple(
            _signed(keyring, keyring.make_signer("assertion", now), now) for _ in range(strangers)
        ),
        new_authorities=tuple(_under_new_authority(keyring, now) for _ in range(strangers)),
        expected=rp.expect(nonce=NONCE, access_token=ACCESS_TOKEN, started_at=started_at),
        jwk=_without_chain(signer),
        now=now,
        bare=_bare_verification(signer, honest.token),
    )


def in_turn(strangers: tuple[Signed, ...]) -> Callable[[], Signed]:
    """Return a function that gives one after the other, without end."""
    return itertools.cycle(strangers).__next__


def _under_new_authority(keyring: Keyring, now: datetime) -> Signed:
    keyring.settle(ISSUER, now)
    return _signed(keyring, keyring.signer("assertion"), now)


def _signed(keyring: Keyring, signer: Signer, now: datetime) -> Signed:
    response = HTTPResponse(
        status=200,
        headers={"content-type": "application/json"},
        body=json_bytes({"keys": [_without_chain(signer)]}),
        url=f"{ISSUER}/jwks.json",
    )
    return Signed(
        token=_sign(keyring, signer, now),
        keys=KeySet.from_jwks(parse_jwks(response)),
        crls=_empty_lists(keyring, now),
    )


def _empty_lists(keyring: Keyring, now: datetime) -> RevocationLists:
    lists = RevocationLists()
    for authority in (keyring.root, keyring.authority):
        path = (authority.list_url or "").removeprefix(ISSUER)
        data = keyring.revocations.draft(path, keyring, now).encode()
        lists = lists.with_list(load_crl(data, issuer=der(authority.certificate), now=now))
    return lists


def _without_chain(signer: Signer) -> dict[str, object]:
    return {name: value for name, value in signer.to_jwk().items() if name != "x5c"}


def _sign(keyring: Keyring, signer: Signer, now: datetime, *, with_chain: bool = True) -> str:
    seconds = int(now.timestamp())
    header: dict[str, object] = {"alg": signer.algorithm.name, "kid": signer.kid, "typ": "JWT"}
    if with_chain:
        header["x5c"] = x5c_of(signer.chain)
    claims: dict[str, object] = {
        "iss": ISSUER,
        "sub": "q7HcT2xPz9Wd4VbKmY0sRf3nLgEj8uAo1iNt6vXlC5Q",
        "aud": CLIENT_ID,
        "exp": seconds + _DAY,
        "iat": seconds,
        "auth_time": seconds - 5,
        "nonce": NONCE,
        "acr": "urn:cyberid:mode:r02",
        "amr": ["certificate", "password"],
        "at_hash": signer.algorithm.half_hash(ACCESS_TOKEN),
        "sector": "https://shop.example",
        "persistence": "A",
        "sid": "b7VQ2mXk9sLdPz4RtYwNcE",
    }
    return SignedDraft(header=header, claims=claims, signer=signer, keyring=keyring, now=now).encode()


def _bare_verification(signer: Signer, token: str) -> Callable[[], object]:
    """Return the bare call of the cryptographic library, its arguments prepared."""
    jws = parse_jws(token, document="id_token", max_bytes=len(token))
    key, message, signature = signer.key.public_key(), jws.signing_input, jws.signature
    if isinstance(key, ec.EllipticCurvePublicKey):
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        encoded = encode_dss_signature(r, s)
        scheme = ec.ECDSA(hashes.SHA384() if signer.algorithm.digest == "sha384" else hashes.SHA256())
        return lambda: key.verify(encoded, message, scheme)
    if isinstance(key, rsa.RSAPublicKey):
        hash_ = hashes.SHA256()
        pss = padding.PSS(mgf=padding.MGF1(hash_), salt_length=hash_.digest_size)
        return lambda: key.verify(signature, message, pss, hash_)
    return lambda: key.verify(signature, message)
