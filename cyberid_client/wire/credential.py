"""The credential of a wallet before anybody believed it: SD-JWT VC ``urn:cyberid:pairwise:1`` (profile §5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cyberid_client.wire.base64url import WireError, decode_base64url
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.jwks import JWK
from cyberid_client.wire.jws import UnverifiedJWS
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.sd_jwt import Path, parse_sd_jwt

__all__ = ["AGE_BAND", "CREDENTIAL_MAX_BYTES", "UnverifiedCredential", "parse_credential"]

CREDENTIAL_MAX_BYTES: Final = 64 * 1024
AGE_BAND: Final = "age_band"

_DOCUMENT: Final = "credential"
_CLAIMS: Final = frozenset({"iss", "sub", "aud", "iat", "exp", "vct", "cnf", "status", "acr", "persistence"})
_CNF: Final = frozenset({"jwk"})
_STATUS: Final = frozenset({"status_list"})
_STATUS_LIST: Final = frozenset({"uri", "idx"})
_NONE: Final[frozenset[str]] = frozenset()
_KEY_MEMBERS: Final = frozenset({"kty", "crv", "x", "y"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedCredential:
    """A credential, parsed and not verified.

    Attributes:
        jws: what the issuer signed.
        iss: who says that it issued.
        sub: the pseudonym, of any shape.
        aud: for which sector, as the one text of a tuple.
        iat: seconds since 1970, maybe fractional; likewise ``exp``.
        exp: when it ends.
        vct: the type of credential.
        acr: what the issuer checked about the key.
        persistence: how long the pseudonym stays the same.
        age_band: of the person, if it is disclosed.
        holder_key: the key that the credential is bound to; whether its numbers make a key is not known yet.
        holder_key_others: names of members that stand beside those of ``holder_key``.
        status_uri: the status list that answers for it; not to be kept.
        status_idx: where in that list; not to be kept.
        foreign: names of claims, and of members of ``cnf`` and ``status``, that the profile does not have.
        disclosed: which claims come from disclosures, as paths.
        digests_at: for each digest, the object or array that it is in.
        bound: what the hash of the key binding covers.
        key_binding: the key binding JWT, or ``None``.
    """

    jws: UnverifiedJWS
    iss: str
    sub: str = field(repr=False)
    aud: tuple[str, ...]
    iat: float
    exp: float
    vct: str
    acr: str = field(repr=False)
    persistence: str = field(repr=False)
    age_band: str | None = field(repr=False)
    holder_key: JWK = field(repr=False)
    holder_key_others: frozenset[str]
    status_uri: str = field(repr=False)
    status_idx: int = field(repr=False)
    foreign: frozenset[str]
    disclosed: frozenset[Path]
    digests_at: tuple[Path, ...]
    bound: bytes = field(repr=False)
    key_binding: str | None = field(repr=False)


def parse_credential(presentation: str) -> UnverifiedCredential:
    """Parse a presented credential; nothing in it is believed.

    Args:
        presentation: untrusted; an SD-JWT of at most :data:`CREDENTIAL_MAX_BYTES`.

    Raises:
        VerificationError: ``credential.…`` as :func:`~cyberid_client.wire.sd_jwt.parse_sd_jwt`;
            ``credential.claim_missing``, ``credential.claim_type``, the latter also for an ``aud`` that is a list.
    """
    sd_jwt = parse_sd_jwt(presentation, document=_DOCUMENT, max_bytes=CREDENTIAL_MAX_BYTES)
    claims = Fields(_DOCUMENT, sd_jwt.claims)
    cnf, status = claims.inner("cnf"), claims.inner("status")
    key, status_list = cnf.inner("jwk"), status.inner("status_list")
    return UnverifiedCredential(
        jws=sd_jwt.jws,
        iss=claims.text("iss"),
        sub=claims.text("sub"),
        aud=(claims.text("aud"),),
        iat=claims.date("iat"),
        exp=claims.date("exp"),
        vct=claims.text("vct"),
        acr=claims.text("acr"),
        persistence=claims.text("persistence"),
        age_band=claims.optional_text(AGE_BAND),
        holder_key=_holder_key(key),
        holder_key_others=_others(key, _KEY_MEMBERS),
        status_uri=status_list.text("uri"),
        status_idx=status_list.integer("idx"),
        foreign=_others(claims, _CLAIMS).difference([path[0] for path in sd_jwt.disclosed])
        | _others(cnf, _CNF)
        | _others(status, _STATUS)
        | _others(status_list, _STATUS_LIST),
        disclosed=sd_jwt.disclosed,
        digests_at=sd_jwt.digests_at,
        bound=sd_jwt.bound,
        key_binding=sd_jwt.key_binding,
    )


def _others(fields: Fields, known: frozenset[str]) -> frozenset[str]:
    """Return the names of members that are not known."""
    names = fields.members.keys()
    return _NONE if names <= known else frozenset(names - known)


def _holder_key(key: Fields) -> JWK:
    try:
        y = key.optional_text("y")
        return JWK(
            kty=key.text("kty"),
            kid=None,
            use=None,
            alg=None,
            crv=key.text("crv"),
            key_ops=None,
            x=decode_base64url(key.text("x")),
            y=None if y is None else decode_base64url(y),
            n=None,
            e=None,
            pub=None,
            x5c=(),
        )
    except WireError:
        raise refusal(_DOCUMENT, "malformed") from None
