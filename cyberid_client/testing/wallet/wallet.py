"""A wallet for tests: it enrols, fetches ahead, judges who asks, and answers; or lies, when it is told to."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from cryptography import x509

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import Clock, HTTPRequest
from cyberid_client.testing.arming import Arming
from cyberid_client.testing.clock import system_clock
from cyberid_client.testing.directory import bucket_of
from cyberid_client.testing.people import find_person
from cyberid_client.testing.pki import pem
from cyberid_client.testing.wallet.asked import Asked, fetch_request, judge_request
from cyberid_client.testing.wallet.faults import WALLET_FAULTS, WALLET_ODDITIES
from cyberid_client.testing.wallet.holdings import Holding, Holdings
from cyberid_client.testing.wallet.invitation import is_safe_url, read_invitation
from cyberid_client.testing.wallet.line import IssuerLine, Send, send_over_http
from cyberid_client.testing.wallet.presenting import (
    ChoiceDraft,
    FetchDraft,
    PostDraft,
    draft_answer,
    draft_encrypted_answer,
    draft_presentation,
)
from cyberid_client.testing.wallet.refusal import WalletRefusal

if TYPE_CHECKING:
    from cyberid_client.testing.issuer import MockIssuer

__all__ = ["Wallet", "WalletAnswer"]

_R02: Final = "urn:cyberid:mode:r02"
_HOLDER_ALGORITHMS: Final = ("ES256", "ES384", "EdDSA")
_ANSWER_MAX: Final = 65_536
_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletAnswer:
    """What became of a request.

    Attributes:
        refused: the rule that the request breaks, so that nothing was sent; ``None``: it was answered.
        status: the HTTP status of the app's reply; ``None``: there was none.
        redirect_uri: where the wallet's browser goes next; ``None``: nowhere.
        body: of the reply.
        error: a code ``transport.*``: the app could not be reached.
    """

    refused: str | None = None
    status: int | None = None
    redirect_uri: str | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the app took the answer, as far as it says so."""
        return self.status == _OK


class Wallet:
    """Hold the credentials of one person, and answer the requests of apps.

    It believes its issuer and nobody else. It chooses the credential by the sector in the certificate of who
    asks, and never by anything that the request says.

    Args:
        issuer: a mock; or the origin of one that is served, which needs ``root_pem``.
        root_pem: the root that it pins; the mock's when left out.
        send: how it reaches apps; over HTTP when left out. Never raises, as a transport's.
        clock: aware, UTC; the mock's when left out, and the system's for one that is served elsewhere.
        algorithm: of its keys: ES256, ES384 or EdDSA.

    Raises:
        ConfigurationError: ``trust.malformed``: there is no root; ``config.no_algorithm``.
    """

    def __init__(
        self,
        issuer: MockIssuer | str,
        *,
        root_pem: bytes | None = None,
        send: Send | None = None,
        clock: Clock | None = None,
        algorithm: str = "ES256",
    ) -> None:
        if algorithm not in _HOLDER_ALGORITHMS:
            raise ConfigurationError("config.no_algorithm", "algorithm")
        self.algorithm = algorithm
        self._clock = clock or (system_clock if isinstance(issuer, str) else issuer.clock)
        self._line = _line_to(issuer)
        self._issuer = issuer
        self._root = _root_of(issuer, root_pem)
        self._send = send or send_over_http
        self._arming = Arming({**WALLET_FAULTS, **WALLET_ODDITIES})
        self._holdings = Holdings(algorithm)
        self._sectors: set[str] = set()
        self._buckets: set[int] = set()
        self._enrolment: str | None = None
        self._renews_at: int | None = None
        self.person: str | None = None
        self.acr = _R02

    def __repr__(self) -> str:
        return f"Wallet({self.person!r})"

    @property
    def buckets(self) -> frozenset[int]:
        """Which buckets of the directory it fetches, those of chance included."""
        return frozenset(self._buckets)

    @property
    def renews_at(self) -> datetime | None:
        """When it fetches the credentials of the next epoch; ``None`` before the first."""
        return None if self._renews_at is None else datetime.fromtimestamp(self._renews_at, UTC)

    def enrol(self, person: str = "adult", *, acr: str = _R02) -> Wallet:
        """Become the wallet of a person, with nothing in it yet, and return it.

        Args:
            person: a key of the mock's people.
            acr: what the issuer checks about the keys: that of R01 or R02.

        Raises:
            ConfigurationError: ``testing.unknown_person``; ``testing.wallet_line``: the issuer says no.
        """
        if find_person(person) is None:
            raise ConfigurationError("testing.unknown_person")
        self._enrolment = self._line.enrol(person, acr)
        self._holdings = Holdings(self.algorithm)
        self._renews_at = None
        self.person, self.acr = person, acr
        return self

    def prefetch(self, *sectors: str, everything: bool = False) -> bool:
        """Fetch what is due: whole buckets, and beside those that are needed at least one drawn at random.

        Those of chance stay the same from then on: drawn anew for every epoch, they would fall out of what
        is common to all epochs. In the epoch after that in which it fetched, it waits for a random moment.

        Args:
            sectors: that the person will log in to, beside those of earlier calls.
            everything: all buckets, so that the issuer learns nothing from which.

        Returns:
            Whether anything was fetched.

        Raises:
            ConfigurationError: ``testing.wallet_line``: the issuer says no, or nothing.
        """
        if self._enrolment is None:
            raise ConfigurationError("testing.wallet_line")
        now = self._clock()
        self._sectors |= set(sectors)
        is_due = self._renews_at is None or self._renews_at <= now.timestamp()
        known = {bucket for bucket in self._buckets if not is_due}
        if not is_due and not everything and self._sectors <= set(self._holdings.sectors):
            return False
        count, epoch_length = self._line.directory()
        self._draw(count, everything=everything)
        for bucket in sorted(self._buckets - known, key=lambda _: secrets.randbits(32)):
            epoch = self._fetch(bucket, self._enrolment)
            if is_due:
                self._renews_at = (epoch + 1) * epoch_length + secrets.randbelow(epoch_length)
        return self._buckets > known or is_due

    def slim_down(self) -> None:
        """Throw away what was fetched for sectors that nobody will log in to: for tests with a crowd of wallets.

        A person's wallet keeps everything: it cannot know where its person goes next.
        """
        self._holdings.keep_only(self._sectors)

    def holding(self, sector: str) -> Holding | None:
        """Return the credential for a sector that it would show now: the oldest that is good."""
        return self._holdings.best(sector, self._clock())

    def read(self, uri: str) -> Asked:
        """Fetch and judge a request, and answer nothing.

        Args:
            uri: what started the wallet, untrusted.

        Raises:
            WalletRefusal: its rule is the one that the request breaks.
        """
        invitation = read_invitation(uri)
        draft = FetchDraft(invitation=invitation)
        self._arming.apply("fetch", draft)
        # Asked for once more than counts, when an oddity says so: a request may be fetched again.
        for _ in range(draft.times - 1):
            fetch_request(draft.invitation, self._send)
        token, nonce = fetch_request(draft.invitation, self._send)
        return judge_request(
            token, invitation=invitation, wallet_nonce=nonce, root=self._root, now=self._clock()
        )

    def answer(self, uri: str, *, withhold: Collection[str] = ()) -> WalletAnswer:
        """Judge a request, and answer it with the credential of who asks.

        Args:
            uri: what started the wallet, from a link or a QR code; untrusted.
            withhold: what the person does not show, though it is asked for: ``age_band``.
        """
        return self._guarded(lambda: self.present(self.read(uri), withhold=withhold))

    def decline(self, uri: str) -> WalletAnswer:
        """Judge a request, and tell who asks that the person does not agree (OpenID4VP 1.0 §8.5)."""
        return self._guarded(lambda: self.refuse(self.read(uri)))

    def present(self, asked: Asked, *, withhold: Collection[str] = ()) -> WalletAnswer:
        """Answer a request that was read.

        Args:
            asked: the request.
            withhold: as for :meth:`answer`.

        Raises:
            WalletRefusal: ``credential``: there is none for who asks; ``query``: it does not say what is asked.
        """
        chosen = ChoiceDraft()
        self._arming.apply("choice", chosen)
        find = self._holdings.newest if chosen.careless else self.holding
        holding = find(asked.asker.sector)
        if holding is None:
            raise WalletRefusal("credential")
        choice = chosen.choose(asked.query, holding, withhold)
        presentation = draft_presentation(
            holding, choice, asked, algorithm=self.algorithm, now=self._clock(), wallet=self
        )
        self._arming.apply("presentation", presentation)
        answer = draft_answer(asked, choice.query_id, presentation.encode())
        self._arming.apply("answer", answer)
        encrypted = draft_encrypted_answer(asked, answer.encode())
        self._arming.apply("answer_jwe", encrypted)
        post = PostDraft(parameters=[("response", encrypted.encode())], url=asked.response_uri, answer=answer)
        self._arming.apply("post", post)
        return self._post(post)

    def refuse(self, asked: Asked) -> WalletAnswer:
        """Tell who asks that the person does not agree."""
        state = [] if asked.state is None else [("state", asked.state)]
        form = urlencode([("error", "access_denied"), *state]).encode()
        return self._send_form(asked.response_uri, "application/x-www-form-urlencoded", form)

    def any_other(self, sector: str) -> Holding:
        """Return a credential for another sector than this one, as every wallet has plenty of.

        Raises:
            WalletRefusal: ``credential``: there is none.
        """
        for each in self._holdings.sectors:
            found = None if each == sector else self.holding(each)
            if found is not None:
                return found
        raise WalletRefusal("credential")

    def another(self, person: str) -> Wallet:
        """Return a wallet of somebody else at the same issuer, with credentials for the same sectors."""
        other = Wallet(
            self._issuer,
            root_pem=pem(self._root),
            send=self._send,
            clock=self._clock,
            algorithm=self.algorithm,
        ).enrol(person, acr=self.acr)
        other.prefetch(*self._sectors)
        return other

    @property
    def armed(self) -> dict[str, int]:
        """What is armed, and how many answers each will still change."""
        return self._arming.armed

    def arm(self, name: str, count: int = 1) -> None:
        """Be dishonest, or odd, with the next answers.

        Args:
            name: a key of ``WALLET_FAULTS`` or ``WALLET_ODDITIES``.
            count: how many answers.

        Raises:
            ConfigurationError: ``testing.unknown_fault``; ``config.value`` for a count below 1.
        """
        self._arming.arm(name, count, None)

    def disarm(self) -> None:
        """Be honest again."""
        self._arming.disarm()

    def _draw(self, count: int, *, everything: bool) -> None:
        """Add the buckets that are needed, and for what is added one more by chance."""
        needed = (
            set(range(count)) if everything else {bucket_of(each, buckets=count) for each in self._sectors}
        )
        if self._buckets and needed <= self._buckets:
            return
        self._buckets |= needed
        others = sorted(set(range(count)) - self._buckets)
        if others:
            self._buckets.add(secrets.choice(others))

    def _fetch(self, bucket: int, enrolment: str) -> int:
        sectors = self._line.bucket(bucket)
        keys = {sector: self._holdings.public_jwk(sector) for sector in sectors}
        epoch, credentials = self._line.credentials(bucket, enrolment, keys)
        for sector in sectors:
            self._holdings.put(sector, credentials[sector])
        return epoch

    def _guarded(self, act: Callable[[], WalletAnswer]) -> WalletAnswer:
        try:
            return act()
        except WalletRefusal as refusal:
            return WalletAnswer(refused=refusal.rule)

    def _post(self, post: PostDraft) -> WalletAnswer:
        for _ in range(post.times - 1):
            self._send_form(post.url, post.content_type, post.encode())
        return self._send_form(post.url, post.content_type, post.encode())

    def _send_form(self, url: str, content_type: str, form: bytes) -> WalletAnswer:
        response = self._send(
            HTTPRequest(
                method="POST",
                url=url,
                headers={"content-type": content_type, "accept": "application/json"},
                body=form,
                max_bytes=_ANSWER_MAX,
                purpose="response_uri",
            )
        )
        if response.error is not None:
            return WalletAnswer(error=response.error)
        return WalletAnswer(
            status=response.status, redirect_uri=_redirect_of(response.body), body=response.body
        )


def _line_to(issuer: MockIssuer | str) -> IssuerLine:
    if isinstance(issuer, str):
        return IssuerLine(lambda: issuer, send_over_http)
    return IssuerLine(lambda: issuer.issuer, issuer.transport().send)


def _root_of(issuer: MockIssuer | str, root_pem: bytes | None) -> x509.Certificate:
    found = root_pem if isinstance(issuer, str) or root_pem is not None else issuer.root_pem
    try:
        return x509.load_pem_x509_certificate(found or b"")
    except ValueError:
        raise ConfigurationError("trust.malformed", "root_pem") from None


def _redirect_of(body: bytes) -> str | None:
    """Return where the app sends the wallet's browser (OpenID4VP 1.0 §8.2)."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = document.get("redirect_uri") if isinstance(document, dict) else None
    return found if isinstance(found, str) and is_safe_url(found) else None
