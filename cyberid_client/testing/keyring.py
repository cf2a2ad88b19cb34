"""The issuer's keys: who signs what, with which chain, and what the key set publishes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from cryptography import x509

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.crls import RevocationDesk
from cyberid_client.testing.jose import (
    ALGORITHMS,
    PrivateKey,
    PublicKey,
    SigningAlgorithm,
    jwk_of,
    thumbprint,
)
from cyberid_client.testing.pki import (
    Authority,
    CertificateForm,
    authority_form,
    der,
    make_root,
    relying_party_authority_form,
    relying_party_form,
    signer_form,
)

__all__ = ["Keyring", "Signer", "x5c_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A private key with its certificate chain.

    Attributes:
        purpose: a key of :data:`cyberid_client.testing.pki.PURPOSES`.
        algorithm: how it signs.
        key: the private key.
        kid: the thumbprint of the public key.
        chain: leaf first, without the root.
    """

    purpose: str
    algorithm: SigningAlgorithm
    key: PrivateKey = field(repr=False)
    kid: str
    chain: tuple[x509.Certificate, ...]

    def sign(self, message: bytes) -> bytes:
        """Return the raw JWS signature."""
        return self.algorithm.sign(self.key, message)

    def to_jwk(self) -> dict[str, object]:
        """Return the entry that the key set publishes, chain included."""
        return {
            **jwk_of(self.key.public_key()),
            "kid": self.kid,
            "use": "sig",
            "alg": self.algorithm.name,
            "x5c": x5c_of(self.chain),
        }


def x5c_of(chain: tuple[x509.Certificate, ...]) -> list[str]:
    """Return the chain as RFC 7515 §4.1.6 wants it: standard base64 of DER."""
    return [_base64_of(certificate) for certificate in chain]


@lru_cache(maxsize=64)
def _base64_of(certificate: x509.Certificate) -> str:
    # A wallet fetches a hundred credentials of one chain.
    return base64.b64encode(der(certificate)).decode()


class Keyring:
    """Hold root, authority and signers of one issuer; what is published; and make bad chains on demand.

    Root and authorities have keys of the signers' algorithm, so that whole chains are of one kind. Only
    under Ed25519 signers they have P-256 keys: the built-in path engine judges no Ed25519 authorities.

    Args:
        issuer: the issuer identifier.
        algorithm: the JWS algorithm of every signer.
        now: when the root is made.
    """

    def __init__(self, *, issuer: str, algorithm: SigningAlgorithm, now: datetime) -> None:
        self.algorithm = algorithm
        self.certified_by = ALGORITHMS["ES256" if algorithm.name == "EdDSA" else algorithm.name]
        self.root = make_root(now, key=self.certified_by.generate())
        self.revocations = RevocationDesk()
        self._issues_credentials = False
        self._app_authority: tuple[PrivateKey, Authority] | None = None
        self.settle(issuer, now)

    def settle(self, issuer: str, now: datetime) -> None:
        """Issue authority and signers anew for this issuer identifier; the root stays."""
        self.issuer = issuer
        self.settled_at = now
        self.revocations.forget_publishers()
        self._found_authority(now)
        self._retired: list[tuple[Signer, float]] = []
        more = ("credential",) if self._issues_credentials else ()
        purposes = ("assertion", "metadata", "status", *more)
        self._signers = {purpose: self.make_signer(purpose, now) for purpose in purposes}
        self.reset_publication()

    def reset_publication(self) -> None:
        """Publish exactly the honest key set again."""
        self.extra_keys: list[dict[str, object]] = []
        self.publish_chains = True
        self._next: Signer | None = None
        self.publish_own_key = True
        self.publish_credential_keys = True

    def signer(self, purpose: str) -> Signer:
        """Return the signer in use for ``assertion``, ``metadata``, ``status`` or ``credential``."""
        return self._signers[purpose]

    def make_signer(self, purpose: str, now: datetime, *, algorithm: str | None = None) -> Signer:
        """Make a fresh, honest signer that is not published yet."""
        chosen = self.algorithm if algorithm is None else ALGORITHMS[algorithm]
        key = chosen.generate()
        chain = self.authority.issue_chain(signer_form(now, self.issuer, purpose), key.public_key())
        return Signer(
            purpose=purpose, algorithm=chosen, key=key, kid=thumbprint(key.public_key()), chain=chain
        )

    def publish_next(self, now: datetime) -> None:
        """Make the next assertion signer and publish it beside the present one."""
        self._next = self.make_signer("assertion", now)
        self.publish(self._next.to_jwk())

    def rotate(self, now: datetime, *, algorithm: str | None = None) -> Signer:
        """Replace the assertion signer, by the next one if it is published already.

        The old key leaves the key set at once. With another algorithm, metadata go on naming the old one.
        """
        next_ = self._next if algorithm is None else None
        self._signers["assertion"] = next_ or self.make_signer("assertion", now, algorithm=algorithm)
        self._next = None
        self.extra_keys = []
        return self._signers["assertion"]

    def open_credentials(self, now: datetime) -> None:
        """Sign credentials from now on, with a key that the key set publishes beside that of assertions."""
        self._issues_credentials = True
        if "credential" not in self._signers:
            self._signers["credential"] = self.make_signer("credential", now)

    def rotate_credential_key(self, now: datetime, *, keep_until: float) -> None:
        """Sign credentials with a new key; the old one stays in the key set until its last credential ends."""
        self.open_credentials(now)
        self._retired.append((self._signers["credential"], keep_until))
        self._signers["credential"] = self.make_signer("credential", now)

    def renew_authority(self, now: datetime) -> None:
        """Found a new authority under the root, and let it certify the keys that are in use."""
        self._found_authority(now)
        self._signers = {
            purpose: replace(signer, chain=self.rechain(signer, now))
            for purpose, signer in self._signers.items()
        }
        self._retired = [
            (replace(signer, chain=self.rechain(signer, now)), until) for signer, until in self._retired
        ]

    def _found_authority(self, now: datetime) -> None:
        """Found the authority under the root; both publish revocation lists under this issuer's origin."""
        self.root = self.revocations.publish(self.root, "root", self.issuer)
        authority = self.root.found_authority(authority_form(now, self.issuer), self.certified_by.generate())
        self.authority = self.revocations.publish(authority, "authority", self.issuer)

    def renew_root(self, now: datetime) -> None:
        """Make a new root, and everything below it anew; the keys that are in use stay."""
        self.root = make_root(now, key=self.certified_by.generate())
        self.renew_authority(now)

    def renew_metadata_signer(self, now: datetime) -> None:
        """Sign metadata with a new key from now on."""
        self._signers["metadata"] = self.make_signer("metadata", now)

    def revoke_signer(self, purpose: str, *, reason: str, now: datetime) -> None:
        """Put a signer's present certificate on the authority's list."""
        if purpose not in self._signers:
            raise ConfigurationError("config.value", "purpose")
        leaf = self._signers[purpose].chain[0]
        self.revocations.revoke(leaf, self.authority, reason=reason, now=now)

    def revoke_authority(self, *, reason: str, now: datetime) -> None:
        """Put the authority's certificate on the root's list."""
        self.revocations.revoke(self.authority.certificate, self.root, reason=reason, now=now)

    def publish(self, entry: dict[str, object]) -> None:
        """Put one more entry in front of the honest one until :meth:`reset_publication`."""
        self.extra_keys.append(entry)

    def jwks(self, now: datetime | None = None) -> dict[str, object]:
        """Return the key set document.

        Args:
            now: keys that retired and whose last credential has ended by then are left out.
        """
        own = self._signers["assertion"].to_jwk()
        if not self.publish_chains:
            del own["x5c"]
        published = [own] if self.publish_own_key else []
        return {"keys": [*map(dict, self.extra_keys), *published, *self._credential_keys(now)]}

    def _credential_keys(self, now: datetime | None) -> list[dict[str, object]]:
        if not self.publish_credential_keys or "credential" not in self._signers:
            return []
        kept = [signer for signer, until in self._retired if now is None or now.timestamp() < until]
        return [signer.to_jwk() for signer in (self._signers["credential"], *kept)]

    def certify_relying_party(
        self, sector: str, endpoint: str, public_key: PublicKey, now: datetime
    ) -> tuple[x509.Certificate, ...]:
        """Return the chain of what a relying party shows to wallets, under an authority of its own.

        That of the signers is bound to the issuer's host, so that it could certify no app.
        """
        if self._app_authority is None or self._app_authority[0] is not self.root.key:
            form = relying_party_authority_form(now)
            self._app_authority = (
                self.root.key,
                self.root.found_authority(form, self.certified_by.generate()),
            )
        form = relying_party_form(now, sector, endpoint)
        return self._app_authority[1].issue_chain(form, public_key)

    def rechain(
        self,
        signer: Signer,
        now: datetime,
        *,
        change: Callable[[CertificateForm], CertificateForm] = lambda form: form,
        authority: Authority | None = None,
    ) -> tuple[x509.Certificate, ...]:
        """Certify the signer's own key once more, differently: the key stays published, the chain is bad.

        Args:
            signer: whose key.
            now: the time of issue.
            change: what is different about the leaf.
            authority: who issues, when not the honest authority.
        """
        form = change(signer_form(now, self.issuer, signer.purpose))
        return (authority or self.authority).issue_chain(form, signer.key.public_key())

    def other_authority(
        self,
        now: datetime,
        *,
        change: Callable[[CertificateForm], CertificateForm] = lambda form: form,
        above: Authority | None = None,
        key: PrivateKey | None = None,
    ) -> Authority:
        """Found an authority like the honest one but for a change to its form, its place or its key."""
        form = change(authority_form(now, self.issuer))
        found = (above or self.root).found_authority(form, key or self.certified_by.generate())
        return self.revocations.publish(found, None, self.issuer)
