"""What a checklist judges: one complete frozen value per document, with key and chain resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, Protocol

from cyberid_client.config import DecryptionKey, Expected, RelyingParty
from cyberid_client.errors import ChainError
from cyberid_client.models import Login, PendingLogin, PseudonymDigest, PseudonymKeys
from cyberid_client.trust import (
    Algorithm,
    Chain,
    ChainCache,
    ChainProfile,
    PublishedKey,
    RevocationLists,
    RevocationPolicy,
    TrustStore,
    verify_chain,
)
from cyberid_client.trust.status_list import inflate_entries
from cyberid_client.wire.assertion import UnverifiedAssertion
from cyberid_client.wire.callback import UnverifiedCallback
from cyberid_client.wire.jarm import UnverifiedJARM
from cyberid_client.wire.jwe import UnverifiedJWE
from cyberid_client.wire.jws import UnverifiedJWS
from cyberid_client.wire.logout_token import UnverifiedLogoutToken
from cyberid_client.wire.metadata import ServerMetadata, UnverifiedMetadata
from cyberid_client.wire.responses import UnverifiedDiscovery, UnverifiedPAR, UnverifiedTokenResponse
from cyberid_client.wire.security_event import UnverifiedSecurityEvent
from cyberid_client.wire.status_list import UnverifiedStatusList

__all__ = [
    "AddressedClaims",
    "AddressedSubject",
    "AnswerSubject",
    "AssertionSubject",
    "CallbackSubject",
    "ChainOnDemand",
    "Demands",
    "DiscoverySubject",
    "EntriesOnDemand",
    "EventSubject",
    "KeyedSubject",
    "LogoutSubject",
    "MetadataSubject",
    "OpenableSubject",
    "OpeningKey",
    "PARSubject",
    "PageSubject",
    "RevocableSubject",
    "SealSubject",
    "ServerSubject",
    "SignedSubject",
    "SigningKey",
    "StatusAggregationSubject",
    "StatusListSubject",
    "StepUpSubject",
    "TokenClaims",
    "TokenOfIssuerSubject",
    "TokenSubject",
    "UnsignedMetadataSubject",
]


NO_LISTS: Final = RevocationLists()


class ChainOnDemand:
    """A chain verdict that is computed when first asked for, and then kept.

    The certificates are there before any check runs; the verdict is a pure function of them, so that
    asking late only saves work on input that fails an earlier check. It holds no token.
    """

    __slots__ = ("_arguments", "_cache", "_certificates", "_verdict")

    def __init__(
        self,
        certificates: tuple[bytes, ...],
        *,
        trust: TrustStore | None,
        profile: ChainProfile,
        now: datetime,
        cache: ChainCache | None,
    ) -> None:
        self._certificates = certificates
        self._arguments = (trust, profile, now)
        self._cache = cache
        self._verdict: Chain | None = None

    def __bool__(self) -> bool:
        return bool(self._certificates)

    def __call__(self) -> Chain:
        """Return the verified chain.

        Raises:
            VerificationError: the chain is not to be believed.
        """
        if self._verdict is None:
            trust, profile, now = self._arguments
            if trust is None:
                raise ChainError("chain.untrusted")
            self._verdict = verify_chain(
                self._certificates[0],
                self._certificates[1:],
                trust=trust,
                profile=profile,
                now=now,
                cache=self._cache,
            )
        return self._verdict


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that a signature is checked with, before it is known whether it may be believed.

    Attributes:
        problem: ``None``, or the last part of the code that says why there is no key to try.
        algorithm: the configured one.
        public_key: the key object.
        public_key_info: its DER, to be compared with the chain's leaf.
        published: whether it stands in the issuer's key set.
    """

    problem: str | None
    algorithm: Algorithm
    public_key: object = field(default=None, repr=False)
    public_key_info: bytes = field(default=b"", repr=False)
    published: bool = False

    @classmethod
    def of(cls, key: PublishedKey) -> SigningKey:
        """Take a key out of the key set."""
        return cls(None, key.algorithm, key.public_key, key.public_key_info, published=True)


class KeyedSubject(Protocol):
    """What the checks of every signed document have in common, whoever vouches for the key."""

    @property
    def document(self) -> str:
        """The prefix of the document's error codes."""
        ...

    @property
    def jws(self) -> UnverifiedJWS:
        """The document itself."""
        ...

    @property
    def kinds(self) -> frozenset[str | None]:
        """Accepted ``typ`` values in lower case without ``application/``; ``None``: may be absent."""
        ...

    @property
    def key(self) -> SigningKey:
        """The key to try."""
        ...


class SignedSubject(KeyedSubject, Protocol):
    """What the checks of a document have in common whose signer has a certificate."""

    @property
    def chain(self) -> ChainOnDemand:
        """The signer's chain."""
        ...


class RevocableSubject(Protocol):
    """What is looked up about the signer of a document."""

    @property
    def document(self) -> str:
        """The prefix of the document's error codes."""
        ...

    @property
    def chain(self) -> ChainOnDemand:
        """The signer's chain."""
        ...

    @property
    def crls(self) -> RevocationLists:
        """The lists that are known."""
        ...

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of them."""
        ...

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class AddressedClaims(Protocol):
    """What the issuer's words to one client have in common."""

    @property
    def iss(self) -> str:
        """Who says that it issued."""
        ...

    @property
    def aud(self) -> tuple[str, ...]:
        """Whom it is for."""
        ...

    @property
    def exp(self) -> float:
        """When it ends, seconds since the epoch."""
        ...


class TokenClaims(AddressedClaims, Protocol):
    """What the issuer's tokens have in common besides."""

    @property
    def nbf(self) -> float | None:
        """When it begins, likewise."""
        ...

    @property
    def foreign(self) -> frozenset[str]:
        """Which claims stand in it that belong to documents of other kinds."""
        ...


class Demands(Protocol):
    """What is demanded of the issuer's words to one client, whatever their kind."""

    @property
    def issuer(self) -> str:
        """Who must have issued them."""
        ...

    @property
    def recipient(self) -> str:
        """For whom they must be."""
        ...

    @property
    def leeway(self) -> int:
        """Seconds that are forgiven ahead of our clock."""
        ...


class AddressedSubject(Protocol):
    """What the checks of the issuer's words to one client compare."""

    @property
    def document(self) -> str:
        """The prefix of the document's error codes."""
        ...

    @property
    def claims(self) -> AddressedClaims:
        """What it says."""
        ...

    @property
    def expected(self) -> Demands:
        """What it must say."""
        ...

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class TokenOfIssuerSubject(AddressedSubject, Protocol):
    """What the checks of the issuer's tokens compare besides."""

    @property
    def claims(self) -> TokenClaims:
        """What it says."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionSubject:
    """One assertion with all that it is compared with."""

    document: ClassVar[str] = "id_token"
    kinds: ClassVar[frozenset[str | None]] = frozenset({None, "jwt"})
    jws: UnverifiedJWS
    claims: UnverifiedAssertion
    key: SigningKey
    chain: ChainOnDemand
    expected: Expected
    now: float
    crls: RevocationLists = NO_LISTS

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of the lists."""
        return self.expected.revocation


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSubject:
    """One signed metadata document with all that it is compared with."""

    document: str
    kinds: frozenset[str | None]
    jws: UnverifiedJWS
    claims: UnverifiedMetadata
    key: SigningKey
    chain: ChainOnDemand
    rp: RelyingParty
    newest_iat: float | None
    now: float
    crls: RevocationLists = NO_LISTS

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of the lists."""
        return self.rp.revocation

    @property
    def server(self) -> ServerMetadata:
        """What the document says about the server."""
        return self.claims.server


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedMetadataSubject:
    """The discovery page of an ordinary OpenID Provider, for which TLS alone speaks."""

    server: ServerMetadata
    rp: RelyingParty

    @property
    def issuer(self) -> str:
        """The issuer that the page names."""
        return self.server.issuer


class ServerSubject(Protocol):
    """What signed and unsigned metadata have in common."""

    @property
    def server(self) -> ServerMetadata:
        """What the document says about the server."""
        ...

    @property
    def rp(self) -> RelyingParty:
        """Whose issuer it is."""
        ...


class PageSubject(Protocol):
    """What both readings of a discovery page have in common."""

    @property
    def issuer(self) -> str:
        """The issuer that the page names."""
        ...

    @property
    def rp(self) -> RelyingParty:
        """Whose issuer it should be."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverySubject:
    """The discovery page, of which two members are read."""

    discovery: UnverifiedDiscovery
    rp: RelyingParty

    @property
    def issuer(self) -> str:
        """The issuer that the page names."""
        return self.discovery.issuer


class AnswerSubject(Protocol):
    """What a plain and a signed authorization response have in common."""

    @property
    def document(self) -> str:
        """The prefix of the document's error codes."""
        ...

    @property
    def answer(self) -> UnverifiedCallback | UnverifiedJARM:
        """State, and code or error."""
        ...

    @property
    def pending(self) -> PendingLogin:
        """The login that it should answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSubject:
    """An authorization response and the pending login that its cookie led to."""

    document: ClassVar[str] = "callback"
    callback: UnverifiedCallback
    pending: PendingLogin
    kind: str
    rp: RelyingParty
    now: datetime

    @property
    def answer(self) -> UnverifiedCallback:
        """State, and code or error."""
        return self.callback


@dataclass(frozen=True, slots=True, kw_only=True)
class JARMSubject:
    """One signed authorization response with all that it is compared with."""

    document: ClassVar[str] = "jarm"
    kinds: ClassVar[frozenset[str | None]] = frozenset({None, "jwt"})
    jws: UnverifiedJWS
    claims: UnverifiedJARM
    key: SigningKey
    chain: ChainOnDemand
    expected: Expected
    pending: PendingLogin
    now: float
    crls: RevocationLists = NO_LISTS

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of the lists."""
        return self.expected.revocation

    @property
    def answer(self) -> UnverifiedJARM:
        """State, and code or error."""
        return self.claims


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSubject:
    """A token of the issuer as it came, encrypted or not."""

    document: str
    encrypted: bool
    rp: RelyingParty


class OpeningKey(Protocol):
    """A key of ours, of which a checklist asks no more than what it is for."""

    @property
    def algorithm(self) -> str:
        """The one ``alg`` that it opens."""
        ...


class OpenableSubject(Protocol):
    """What everything that is encrypted for us has in common."""

    @property
    def document(self) -> str:
        """The prefix of the document's error codes."""
        ...

    @property
    def jwe(self) -> UnverifiedJWE:
        """The whole, not opened."""
        ...

    @property
    def key(self) -> OpeningKey | None:
        """The key of ours that it is for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedSubject:
    """One encrypted token, and the key of ours that it is for."""

    document: str
    jwe: UnverifiedJWE
    key: DecryptionKey | None
    rp: RelyingParty


@dataclass(frozen=True, slots=True, kw_only=True)
class PARSubject:
    """The answer to a pushed authorization request."""

    status: int
    par: UnverifiedPAR


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSubject:
    """The token response."""

    status: int
    token: UnverifiedTokenResponse
    rp: RelyingParty


class EntriesOnDemand:
    """The entries of a status list, inflated when first asked for, and then kept.

    Like :class:`ChainOnDemand`: a pure function of what is there before any check runs.
    """

    __slots__ = ("_compressed", "_entries")

    def __init__(self, compressed: bytes) -> None:
        self._compressed = compressed
        self._entries: memoryview | None = None

    def __call__(self) -> memoryview:
        """Return the inflated entries.

        Raises:
            VerificationError: they are too large, or no complete stream.
        """
        if self._entries is None:
            self._entries = inflate_entries(self._compressed)
        return self._entries


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusListSubject:
    """One status list with all that it is compared with."""

    document: str
    kinds: frozenset[str | None]
    jws: UnverifiedJWS
    claims: UnverifiedStatusList
    key: SigningKey
    chain: ChainOnDemand
    entries: EntriesOnDemand
    uri: str
    rp: RelyingParty
    newest_iat: float | None
    now: float


@dataclass(frozen=True, slots=True)
class StatusAggregationSubject:
    """The page that names an issuer's status lists."""

    uris: tuple[str, ...]
    rp: RelyingParty


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutSubject:
    """One logout token with all that it is compared with."""

    document: ClassVar[str] = "logout_token"
    kinds: ClassVar[frozenset[str | None]] = frozenset({"logout+jwt"})
    jws: UnverifiedJWS
    claims: UnverifiedLogoutToken
    key: SigningKey
    chain: ChainOnDemand
    rp: RelyingParty
    now: float
    crls: RevocationLists = NO_LISTS

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of the lists."""
        return self.rp.revocation

    @property
    def any_subject(self) -> bool:
        """Whether ``sub`` and ``sid`` may have any shape that OpenID Connect allows."""
        return self.rp.metadata_trust == "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubject:
    """One security event with all that it is compared with."""

    document: ClassVar[str] = "security_event"
    kinds: ClassVar[frozenset[str | None]] = frozenset({"secevent+jwt"})
    jws: UnverifiedJWS
    claims: UnverifiedSecurityEvent
    key: SigningKey
    chain: ChainOnDemand
    rp: RelyingParty
    now: float
    crls: RevocationLists = NO_LISTS

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of the lists."""
        return self.rp.revocation

    @property
    def any_subject(self) -> bool:
        """Whether the subject may have any shape that OpenID Connect allows."""
        return self.rp.metadata_trust == "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpSubject:
    """A login that passed every check, and the person who it must be."""

    login: Login
    person: PseudonymDigest
    keys: PseudonymKeys
