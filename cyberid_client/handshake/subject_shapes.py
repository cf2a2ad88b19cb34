"""What the subjects of several handshakes have in common, so that one check judges them all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from cyberid_client.config import Expected, RelyingParty
from cyberid_client.handshake.subjects import AddressedClaims, ChainOnDemand
from cyberid_client.models import Assurance, Persistence

__all__ = [
    "LoginClaims",
    "LoginSubject",
    "PendingRecord",
    "PendingSubject",
    "PersonClaims",
    "PersonDemands",
    "PersonSubject",
]


class LoginClaims(AddressedClaims, Protocol):
    """What the issuer says of a person who authenticated, whichever way in it was."""

    @property
    def iat(self) -> float:
        """When it was said, seconds since the epoch."""
        ...

    @property
    def auth_time(self) -> float | None:
        """When the person authenticated, likewise."""
        ...

    @property
    def acr(self) -> str | None:
        """The mode that was reached."""
        ...

    @property
    def sub(self) -> str:
        """The pseudonym, of any shape."""
        ...

    @property
    def sid(self) -> str | None:
        """The issuer's name for the session."""
        ...

    @property
    def sector(self) -> str | None:
        """For which sector the pseudonym was made."""
        ...

    @property
    def persistence(self) -> str | None:
        """How long the pseudonym stays the same."""
        ...

    @property
    def age_band(self) -> str | None:
        """Of the person."""
        ...


class LoginSubject(Protocol):
    """What the checks of mode, time and person compare."""

    @property
    def document(self) -> str:
        """The prefix of the document's error codes."""
        ...

    @property
    def claims(self) -> LoginClaims:
        """What it says."""
        ...

    @property
    def expected(self) -> Expected:
        """What it must say."""
        ...

    @property
    def chain(self) -> ChainOnDemand:
        """The signer's chain."""
        ...

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class PersonClaims(Protocol):
    """What the issuer says about a person, whatever the kind of document."""

    @property
    def sub(self) -> str:
        """The pseudonym, of any shape."""
        ...

    @property
    def acr(self) -> str | None:
        """The assurance reached."""
        ...

    @property
    def persistence(self) -> str | None:
        """How long the pseudonym stays the same."""
        ...

    @property
    def age_band(self) -> str | None:
        """Of the person."""
        ...


class PersonDemands(Protocol):
    """What is demanded of the issuer's words about a person."""

    @property
    def assurance(self) -> Assurance:
        """The mode that was asked for."""
        ...

    @property
    def modes(self) -> Mapping[str, Assurance]:
        """Which mode a value of ``acr`` stands for."""
        ...

    @property
    def age_band(self) -> bool:
        """Whether it was asked for."""
        ...

    @property
    def any_subject(self) -> bool:
        """Whether ``sub`` may have any shape that OpenID Connect allows."""
        ...

    @property
    def may_be_sparse(self) -> bool:
        """Whether ``persistence`` may be absent."""
        ...

    @property
    def persistence(self) -> Persistence | None:
        """What holds when the document does not say."""
        ...


class PersonSubject(Protocol):
    """What the checks of the issuer's words about a person compare."""

    @property
    def document(self) -> str:
        """The prefix of the document's error codes."""
        ...

    @property
    def claims(self) -> PersonClaims:
        """What it says."""
        ...

    @property
    def expected(self) -> PersonDemands:
        """What it must say."""
        ...


class PendingRecord(Protocol):
    """What every handshake keeps between its two legs."""

    @property
    def kind(self) -> str:
        """Which handshake started it."""
        ...

    @property
    def issuer(self) -> str:
        """The issuer that was asked."""
        ...

    @property
    def client_id(self) -> str:
        """The client that asked."""
        ...

    @property
    def expires_at(self) -> datetime:
        """From this moment on it is gone."""
        ...


class PendingSubject(Protocol):
    """What is compared with a pending login before anything else is."""

    @property
    def pending(self) -> PendingRecord:
        """The record that the handle led to."""
        ...

    @property
    def kind(self) -> str:
        """Of the handshake that finishes it."""
        ...

    @property
    def rp(self) -> RelyingParty:
        """Who finishes it."""
        ...

    @property
    def now(self) -> datetime:
        """Aware."""
        ...
