"""DPoP proofs as strictly judged as by a certified server, and the nonces that they must hold: RFC 9449."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.testing.client_keys import fits
from cyberid_client.testing.compact import CLIENT_ALGORITHMS, Members, number_of, open_jws
from cyberid_client.testing.jose import PRIVATE_MEMBERS, PublicKey, public_key_of, thumbprint
from cyberid_client.testing.refusal import Refusal

__all__ = ["DPoPDesk", "NonceDraft", "Proof"]

_PROOF_LIFE: Final = 60
_CLOCK_LEEWAY: Final = 10
_MIN_JTI: Final = 16
_NONCE_LIFE: Final = 300
_MAX_NONCES: Final = 10_000
_SEEN_SLACK: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that holds.

    Attributes:
        thumbprint: of its key, RFC 7638.
        nonce: the nonce in it.
    """

    thumbprint: str
    nonce: str | None = field(repr=False)


@dataclass(slots=True, kw_only=True)
class NonceDraft:
    """What the token endpoint is about to say about the nonce of a proof.

    Attributes:
        presented: the nonce in the proof.
        demands: whether the request is refused for want of a good one.
        status: the HTTP status of that refusal.
        document: its members.
        headers: what it carries beside them, names in lower case: the next nonce is ``dpop-nonce``.
        desk: the issuer's memory of nonces.
    """

    presented: str | None = field(repr=False)
    demands: bool
    desk: DPoPDesk = field(repr=False)
    status: int = 400
    document: dict[str, object] = field(
        default_factory=lambda: {
            "error": "use_dpop_nonce",
            "error_description": "the proof needs the nonce of this answer",
        }
    )
    headers: dict[str, str] = field(default_factory=dict, repr=False)


class DPoPDesk:
    """Judge proofs, and remember what was seen and which nonces are good.

    A nonce is good until a request with it succeeded, or for five minutes.

    Attributes:
        demands_nonce: whether proofs must hold a nonce.
        is_stubborn: whether every nonce is refused, however fresh, until the issuer is honest again.
    """

    def __init__(self) -> None:
        self.demands_nonce = False
        self.is_stubborn = False
        self._seen: dict[str, float] = {}
        self._forget_at = _SEEN_SLACK
        self._nonces: dict[str, float] = {}

    def fresh_nonce(self, seconds: float) -> str:
        """Return a nonce that the next proof may hold."""
        self._nonces = {old: end for old, end in self._nonces.items() if end > seconds}
        if len(self._nonces) >= _MAX_NONCES:
            del self._nonces[next(iter(self._nonces))]
        nonce = secrets.token_urlsafe(24)
        self._nonces[nonce] = seconds + _NONCE_LIFE
        return nonce

    def wants_other(self, nonce: str | None, seconds: float) -> bool:
        """Tell whether a proof with this nonce must be answered with a challenge."""
        return self.is_stubborn or (
            self.demands_nonce and (nonce is None or self._nonces.get(nonce, 0) <= seconds)
        )

    def use_up(self, nonce: str | None) -> None:
        """Take a nonce out of use: its request succeeded."""
        if nonce is not None:
            self._nonces.pop(nonce, None)

    def judge(self, token: str, *, method: str, url: str, seconds: float) -> Proof:
        """Return what a proof proves; whether its nonce is good is for :meth:`wants_other`.

        Args:
            token: the value of the ``DPoP`` header, untrusted.
            method: of the request.
            url: that it was sent to, without query.
            seconds: the issuer's time.

        Raises:
            Refusal: ``invalid_dpop_proof``, with the broken rule (RFC 9449 §4.3).
        """
        keys: list[PublicKey] = []

        def key_of(header: Members) -> tuple[str, PublicKey]:
            keys.append(_key_in(header))
            return str(header["alg"]), keys[0]

        claims = open_jws(token, types=frozenset({"dpop+jwt"}), key_of=key_of, refuse=_refuse)
        self._check_claims(claims, method=method, url=url, seconds=seconds)
        nonce = claims.get("nonce")
        if not isinstance(nonce, str | None):
            raise _refuse("nonce must be a text")
        return Proof(thumbprint=thumbprint(keys[0]), nonce=nonce)

    def _check_claims(self, claims: Members, *, method: str, url: str, seconds: float) -> None:
        jti, issued = claims.get("jti"), number_of(claims.get("iat"))
        if claims.get("htm") != method:
            raise _refuse("htm is not the method of the request")
        if claims.get("htu") != url:
            raise _refuse("htu is not the URL of the request, without query and fragment")
        if issued is None or not seconds - _PROOF_LIFE <= issued <= seconds + _CLOCK_LEEWAY:
            raise _refuse("iat must be a number and now")
        if "ath" in claims:
            raise _refuse("ath goes with an access token, and there is none yet")
        if not isinstance(jti, str) or len(jti) < _MIN_JTI:
            raise _refuse("jti must be a string of at least 16 characters")
        if self._seen.get(jti, seconds) > seconds:
            raise _refuse("jti was used before")
        self._seen[jti] = seconds + 2 * _PROOF_LIFE
        if len(self._seen) > self._forget_at:
            self._seen = {old: end for old, end in self._seen.items() if end > seconds}
            self._forget_at = 2 * len(self._seen) + _SEEN_SLACK


def _refuse(reason: str) -> Refusal:
    return Refusal("invalid_dpop_proof", f"DPoP: {reason}")


def _key_in(header: Members) -> PublicKey:
    """Return the key that the proof brings: public, asymmetric, of the algorithm it names."""
    jwk = header.get("jwk")
    if not isinstance(jwk, Mapping) or PRIVATE_MEMBERS & set(jwk):
        raise _refuse("jwk must be a public key")
    try:
        key = public_key_of(jwk)
    except ValueError:
        raise _refuse("jwk must be a public key") from None
    algorithm = str(header.get("alg"))
    if algorithm not in CLIENT_ALGORITHMS or not fits(key, algorithm):
        raise _refuse("alg is not an algorithm of the key in jwk")
    return key
