"""Which faults and oddities wait for the next message, and what one of them is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.keyring import Keyring

__all__ = ["Arming", "Fault", "Oddity"]

# A change takes the draft of its own stage: Page, SignedDraft or CallbackDraft.
Change = Callable[[Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One broken rule in an otherwise good message.

    Attributes:
        name: what ``MockIssuer.arm`` takes.
        numbers: numbers of the checklist that must stop it.
        law: one sentence: what a client must do about it.
        expected_error: the name of the exception class.
        expected_code: the code of the exception.
        module: the module of the OpenID Foundation's conformance suite with the same fault.
        needs: what a client must do for the fault to matter; ``None`` for nothing special.
            ``max_age``: ask for one. ``earlier_login``: have finished a login before, and fetch the
            documents anew. ``policy``: a purpose table that demands the test mark of signers.
            ``manual_clock``: share a clock that stands still with the issuer. ``in_process``: use the
            in-process transport. ``dpop``, ``mtls``: bind logins so; ``dpop_nonce``: and let the issuer
            demand nonces. ``jarm``: ask for signed responses. ``jwe``: have assertions encrypted for
            ``ECDH-ES`` with ``A256GCM``; ``jwe_rsa``: for ``RSA-OAEP-256``. ``tls_client_auth``:
            authenticate with a certificate. ``request_object``: sign requests. ``logout``: take logout
            tokens. ``events``: take security events. ``app_launch``: log in by app launch. ``wallet``: log
            in by wallet, and ask for R02; ``wallet_age_band``: and for the age band; ``wallet_careless``:
            through a wallet that shows all that it has.
        err: what a client must answer to a security event, RFC 8935 §2.4; ``None`` for anything else.
        stage: the kind of message that it changes.
        change: the change.
        prepare: what is published beside it from the moment of arming until ``disarm``.
    """

    name: str
    numbers: tuple[str, ...]
    law: str
    expected_error: str
    expected_code: str
    module: str | None = None
    needs: str | None = None
    err: str | None = None
    stage: str = field(repr=False)
    change: Change = field(repr=False)
    prepare: Callable[[Keyring], None] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something unusual and honest that a client must accept.

    Attributes:
        name: what ``MockIssuer.arm`` takes.
        numbers: numbers of the checklist that must let it pass.
        law: one sentence.
        module: as for :class:`Fault`.
        needs: as for :class:`Fault`.
        stage: as for :class:`Fault`.
        change: as for :class:`Fault`.
        prepare: as for :class:`Fault`.
    """

    name: str
    numbers: tuple[str, ...]
    law: str
    module: str | None = None
    needs: str | None = None
    stage: str = field(repr=False)
    change: Change = field(repr=False)
    prepare: Callable[[Keyring], None] | None = field(default=None, repr=False)


class Arming:
    """Remember what is armed, and apply it to the drafts of its stage.

    Args:
        known: every fault and oddity by name.
    """

    def __init__(self, known: Mapping[str, Fault | Oddity]) -> None:
        self._known = known
        self._left: dict[str, int] = {}

    @property
    def armed(self) -> dict[str, int]:
        """Name to the number of messages that it will still change."""
        return dict(self._left)

    def arm(self, name: str, count: int, keyring: Keyring | None) -> None:
        """Let the next ``count`` messages of the stage be changed.

        Raises:
            ConfigurationError: ``testing.unknown_fault``; or ``config.value`` for a count below 1.
        """
        if name not in self._known:
            raise ConfigurationError("testing.unknown_fault")
        if count < 1:
            raise ConfigurationError("config.value", "count")
        prepare = self._known[name].prepare
        if prepare is not None and keyring is not None and name not in self._left:
            prepare(keyring)
        self._left[name] = count

    def prepare_again(self, keyring: Keyring) -> None:
        """Publish once more what the armed faults need beside the honest keys."""
        for name in self._left:
            prepare = self._known[name].prepare
            if prepare is not None:
                prepare(keyring)

    def disarm(self) -> None:
        """Forget everything that is armed."""
        self._left.clear()

    def apply(self, stage: str, draft: object) -> None:
        """Change the draft by everything that is armed for its stage."""
        for name in [name for name in self._left if self._known[name].stage == stage]:
            self._known[name].change(draft)
            self._left[name] -= 1
            if not self._left[name]:
                del self._left[name]
