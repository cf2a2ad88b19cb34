"""What the subjects of several handshakes have in common, so that one check judges them all."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from cyberid_client.config import Expected, RelyingParty
from cyberid_client.handshake.subjects import AddressedClaims, ChainOnDemand

__all__ = ["LoginClaims", "LoginSubject", "PendingRecord", "PendingSubject"]


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
