"""The credentials that the issuer puts into wallets: one per person, sector and epoch (profile §5)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.arming import Arming
from cyberid_client.testing.directory import Directory
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.jose import PRIVATE_MEMBERS, b64url, json_bytes, jwk_of, public_key_of
from cyberid_client.testing.keyring import Keyring, x5c_of
from cyberid_client.testing.people import Person, find_person, pseudonym_of
from cyberid_client.testing.permutation import permute
from cyberid_client.testing.refusal import Refusal, invalid_request
from cyberid_client.testing.status_lists import ENTRIES, StatusPublisher

__all__ = [
    "CREDENTIAL_TYPE",
    "EPOCH_LENGTH",
    "EPOCH_LENGTH_MIN",
    "CredentialDesk",
    "CredentialDraft",
    "disclosure_of",
    "hash_disclosure",
]

CREDENTIAL_TYPE: Final = "urn:cyberid:pairwise:1"
# Seconds: 7 days.
EPOCH_LENGTH: Final = 604_800
EPOCH_LENGTH_MIN: Final = 60
# What the issuer can check about a key; a face is not among that.
_MODES: Final = frozenset({"urn:cyberid:mode:r01", "urn:cyberid:mode:r02"})
_INVALID: Final = 1


@dataclass(slots=True, kw_only=True)
class CredentialDraft:
    """An SD-JWT VC before it is signed: RFC 9901 §4.

    Attributes:
        jws: what the issuer signs; the digests of the disclosures stand in it already.
        disclosures: beside it, encoded, each followed by a tilde.
        epoch_length: seconds.
        person: about whom.
        statuses: the issuer's status lists.
    """

    jws: SignedDraft
    disclosures: list[str] = field(repr=False)
    epoch_length: int
    person: Person
    statuses: StatusPublisher = field(repr=False)

    def encode(self) -> str:
        """Return the SD-JWT, without key binding: ``<jwt>~<disclosure>~``."""
        return "~".join((self.jws.encode(), *self.disclosures, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Enrolment:
    """One wallet of one person; the number is drawn through a permutation before anybody sees it."""

    person: Person
    acr: str
    number: int


def disclosure_of(*elements: object) -> str:
    """Return a disclosure: salt, name and value of a member, or salt and value of an element (RFC 9901 §4.2)."""
    return b64url(json_bytes(list(elements)))


def hash_disclosure(disclosure: str) -> str:
    """Return the digest of a disclosure, SHA-256 over its base64url text (RFC 9901 §4.2.3)."""
    return b64url(hashlib.sha256(disclosure.encode()).digest())


class CredentialDesk:
    """Enrol wallets, and give them credentials for whole buckets of the directory.

    Args:
        keyring: the issuer's keys.
        arming: the faults.
        statuses: the status lists.
        epoch_length: seconds.
    """

    def __init__(
        self, *, keyring: Keyring, arming: Arming, statuses: StatusPublisher, epoch_length: int
    ) -> None:
        self.epoch_length = epoch_length
        self.directory = Directory()
        self._keyring = keyring
        self._arming = arming
        self._statuses = statuses
        self._secret = secrets.token_bytes(32)
        self._enrolments: dict[str, _Enrolment] = {}
        self._announced: dict[str, set[int]] = {}

    def epoch_of(self, now: datetime) -> int:
        """Return the number of the epoch: it began at this many times its length."""
        return int(now.timestamp()) // self.epoch_length

    def add_sector(self, sector: str, now: datetime) -> None:
        """Issue credentials for a sector from now on, signed with a key of their own."""
        self._keyring.open_credentials(now)
        self.directory.add(sector)
        self.announce(now)

    def announce(self, now: datetime) -> None:
        """Publish the lists of every epoch that counts, and of the next, so that apps know them ahead.

        Nobody checks the credentials of a made-up sector: its lists have an address and are not published.
        """
        epoch = self.epoch_of(now)
        wanted = {epoch - 1, epoch, epoch + 1}
        for sector in self.directory.real:
            announced = self._announced.setdefault(sector, set())
            for old in announced - wanted:
                self._statuses.close(sector=sector, epoch=str(old))
            for new in sorted(wanted - announced):
                self._statuses.open(sector=sector, epoch=str(new))
            self._announced[sector] = wanted

    def enrol(self, form: Mapping[str, str]) -> str:
        """Return the secret with which a wallet proves its person from now on.

        Args:
            form: ``person``, and as ``acr`` what the issuer checked about the wallet's keys.

        Raises:
            Refusal: there is no such person or mode, or there are too many wallets.
        """
        person = find_person(form.get("person", ""))
        acr = form.get("acr", "")
        if person is None or acr not in _MODES:
            raise invalid_request("there is no such person, or no such mode")
        if len(self._enrolments) >= ENTRIES:
            raise Refusal("temporarily_unavailable", "too many wallets are enrolled", 503)
        secret = secrets.token_urlsafe(32)
        self._enrolments[secret] = _Enrolment(person=person, acr=acr, number=len(self._enrolments))
        return secret

    def issue(self, bucket: int, document: Mapping[str, object], now: datetime) -> dict[str, object]:
        """Return one credential for every sector of a bucket, all of the present epoch.

        Args:
            bucket: its number.
            document: the wallet's JSON: ``enrolment``, and as ``keys`` a public JWK for every sector.
            now: the issuer's time.

        Raises:
            Refusal: nobody was enrolled with this secret, or the keys are not those of the bucket.
        """
        enrolment = self._enrolments.get(str(document.get("enrolment")))
        if enrolment is None:
            raise Refusal("invalid_client", "nobody was enrolled with this secret", 401)
        keys = _keys_of(document.get("keys"))
        sectors = self.directory.bucket(bucket)
        if tuple(sorted(keys)) != sectors:
            raise invalid_request("there is not exactly one key for every sector of the bucket")
        self._keyring.open_credentials(now)
        self.announce(now)
        issued = {sector: self._issue_one(enrolment, sector, keys[sector], now) for sector in sectors}
        return {"epoch": self.epoch_of(now), "credentials": issued}

    def revoke(self, person: str, *, sector: str, value: int = _INVALID, now: datetime) -> None:
        """Set the status of everything that a person's wallets hold for a sector; it counts from the next tick on.

        Raises:
            ConfigurationError: ``testing.unknown_person``; ``config.value``: no room for the value.
        """
        if find_person(person) is None:
            raise ConfigurationError("testing.unknown_person")
        for enrolment in self._enrolments.values():
            if enrolment.person.key == person:
                for epoch in (self.epoch_of(now) - 1, self.epoch_of(now)):
                    idx = self._index_of(enrolment, sector, epoch)
                    self._statuses.set(idx, value, sector=sector, epoch=str(epoch))

    def _issue_one(self, enrolment: _Enrolment, sector: str, key: dict[str, object], now: datetime) -> str:
        draft = self._draft(enrolment, sector, key, now)
        # Of a made-up sector nobody would ever see the fault.
        if sector in self.directory.real:
            self._arming.apply("credential", draft)
        return draft.encode()

    def _draft(
        self, enrolment: _Enrolment, sector: str, key: dict[str, object], now: datetime
    ) -> CredentialDraft:
        """Draft the honest credential: dated by its epoch, and not by when it was fetched."""
        signer, epoch = self._keyring.signer("credential"), self.epoch_of(now)
        disclosure = disclosure_of(b64url(secrets.token_bytes(16)), "age_band", enrolment.person.age_band)
        uri = self._statuses.address(sector=sector, epoch=str(epoch))
        claims: dict[str, object] = {
            "iss": self._keyring.issuer,
            "sub": pseudonym_of(enrolment.person, sector),
            "aud": sector,
            "iat": epoch * self.epoch_length,
            "exp": (epoch + 2) * self.epoch_length,
            "vct": CREDENTIAL_TYPE,
            "cnf": {"jwk": key},
            "status": {"status_list": {"idx": self._index_of(enrolment, sector, epoch), "uri": uri}},
            "acr": enrolment.acr,
            "persistence": "A",
            "_sd": [hash_disclosure(disclosure)],
        }
        header: dict[str, object] = {
            "alg": signer.algorithm.name,
            "kid": signer.kid,
            "typ": "dc+sd-jwt",
            "x5c": x5c_of(signer.chain),
        }
        jws = SignedDraft(header=header, claims=claims, signer=signer, keyring=self._keyring, now=now)
        return CredentialDraft(
            jws=jws,
            disclosures=[disclosure],
            epoch_length=self.epoch_length,
            person=enrolment.person,
            statuses=self._statuses,
        )

    def _index_of(self, enrolment: _Enrolment, sector: str, epoch: int) -> int:
        key = hmac.digest(self._secret, f"status index\n{sector}\n{epoch}".encode(), hashlib.sha256)
        return permute(enrolment.number, key=key, size=ENTRIES)


def _keys_of(keys: object) -> dict[str, dict[str, object]]:
    """Return the required members of every key, and no others."""
    if not isinstance(keys, dict):
        raise invalid_request("there are no keys")
    found = {}
    for sector, jwk in keys.items():
        if not isinstance(jwk, dict) or PRIVATE_MEMBERS & jwk.keys():
            raise invalid_request("a key is no public JWK")
        try:
            found[str(sector)] = jwk_of(public_key_of(jwk))
        except ValueError:
            raise invalid_request("a key is no public JWK") from None
    return found
