"""Judge a message of the issuer, and ask once for newer keys or lists where those at hand do not suffice.

Assertions, sealed answers, logout tokens and security events are signed by keys of one purpose, so that
the same rules say when a message is worth a fetch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.flow import Flow, KeysWanted, ListsWanted
from cyberid_client.handshake.revocation import LIST_CODES
from cyberid_client.handshake.subjects import SigningKey
from cyberid_client.ports import FlowEnv
from cyberid_client.trust import (
    Algorithm,
    ChainCache,
    ChainProfile,
    IssuedCertificate,
    KeySet,
    RevocationLists,
    RevocationPolicy,
    TrustStore,
    verify_chain,
)
from cyberid_client.trust.algorithms import encode_public_key
from cyberid_client.trust.certificates import read_certificate
from cyberid_client.wire.assertion import ASSERTION_MAX_BYTES
from cyberid_client.wire.jws import JWSHeader, UnverifiedJWS, parse_jws

__all__ = ["SignedMessage", "SignerDemands", "believe_with_newer_evidence", "certified_key", "choose_key"]

T = TypeVar("T")


class SignerDemands(Protocol):
    """What is demanded of whoever signs for the issuer."""

    @property
    def algorithm(self) -> Algorithm:
        """The one that is accepted."""
        ...

    @property
    def trust(self) -> TrustStore | None:
        """The pinned roots."""
        ...

    @property
    def profile(self) -> ChainProfile:
        """What the signer's chain must look like."""
        ...

    @property
    def chain_required(self) -> bool:
        """Whether a chain must lead from the signing key to a pinned root."""
        ...

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of the revocation lists."""
        ...


def choose_key(
    header: JWSHeader, keys: KeySet, expected: SignerDemands
) -> tuple[SigningKey, tuple[bytes, ...]]:
    """Choose the one key to try, and the chain to try with it; decide nothing.

    The header's chain goes before that of the key set. Without a published key the header's leaf is
    tried, so that an honest rotation can be told from a forgery.
    """
    algorithm = expected.algorithm
    candidates = keys.candidates(kid=header.kid, algorithm=algorithm)
    if len(candidates) == 1:
        return SigningKey.of(candidates[0]), header.x5c or candidates[0].chain
    if candidates:
        return SigningKey("key_ambiguous", algorithm), header.x5c
    if not header.x5c or not expected.chain_required:
        return SigningKey("key_unknown", algorithm), ()
    return certified_key(header.x5c, algorithm), header.x5c


def certified_key(certificates: tuple[bytes, ...], algorithm: Algorithm) -> SigningKey:
    """Take the key out of the leaf, to be tried before the chain is believed."""
    public_key = read_certificate(certificates[0]).public_key
    # A key of another kind has no signature that could hold.
    public_key_info = encode_public_key(public_key) if algorithm.accepts(public_key) else b""
    return SigningKey(None, algorithm, public_key, public_key_info)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMessage(Generic[T]):
    """A message that came through some door, and how it is judged.

    Attributes:
        token: the compact JWS, untrusted; or one that came in another form and was taken apart already.
        document: the prefix of its error codes.
        entry: through which door it came.
        expected: what is demanded of its signer.
        judge: believes it with these keys and lists, or raises.
    """

    token: str | bytes | UnverifiedJWS = field(repr=False)
    document: str
    entry: str
    expected: SignerDemands = field(repr=False)
    judge: Callable[[KeySet, RevocationLists], T] = field(repr=False)

    @property
    def header(self) -> JWSHeader:
        """The header of a message that was judged already, and so parsed."""
        if isinstance(self.token, UnverifiedJWS):
            return self.token.header
        return parse_jws(self.token, document=self.document, max_bytes=ASSERTION_MAX_BYTES).header

    def keys_wanted(self, code: str, keys: KeySet, crls: RevocationLists) -> KeysWanted | None:
        """Return which keys are worth another try after this code, if any are."""
        unpublished = f"{self.document}.key_unpublished"
        if code == f"{self.document}.signature" and self.expected.chain_required:
            # The header's own leaf may have signed: a new key under an old name, or under none.
            code = _code_of(lambda: self.judge(KeySet(), crls)) or code
        elif code == f"{self.document}.key_unknown":
            # The issuer may have rotated its key since the set was fetched.
            return KeysWanted(tried=keys, entry=self.entry)
        if code != unpublished:
            return None
        certificates = self.header.x5c
        proven = certified_key(certificates, self.expected.algorithm).public_key_info if certificates else b""
        return KeysWanted(tried=keys, entry=self.entry, proven_key=proven)

    def lists_wanted(
        self, keys: KeySet, crls: RevocationLists, *, now: datetime, cache: ChainCache | None
    ) -> ListsWanted:
        """Return which lists are lacking: the authority may be a new one, or its list out of date."""
        path = self._path(keys, now=now, cache=cache)
        lacking = crls.lacking(path, policy=self.expected.revocation, now=now.timestamp())
        return ListsWanted(tried=crls, certificates=lacking)

    def _path(
        self, keys: KeySet, *, now: datetime, cache: ChainCache | None
    ) -> tuple[IssuedCertificate, ...]:
        _, certificates = choose_key(self.header, keys, self.expected)
        if not certificates or self.expected.trust is None:
            return ()
        return verify_chain(
            certificates[0],
            certificates[1:],
            trust=self.expected.trust,
            profile=self.expected.profile,
            now=now,
            cache=cache,
        ).certificates


def believe_with_newer_evidence(
    message: SignedMessage[T],
    *,
    keys: KeySet,
    crls: RevocationLists,
    env: FlowEnv,
    cache: ChainCache | None,
) -> Flow[T]:
    """Believe with what is known; for each kind of evidence that is lacking, one newer one, one more try.

    Args:
        message: and how it is judged.
        keys: the issuer's key set.
        crls: the revocation lists that are known.
        env: the clock.
        cache: remembers chain verdicts.

    Raises:
        VerificationError: it is not to be believed, also not with newer evidence.
        UnavailableError: the newer evidence could not be fetched.
    """
    asked: set[type] = set()
    while True:
        try:
            return message.judge(keys, crls)
        except VerificationError as error:
            effect: KeysWanted | ListsWanted | None = message.keys_wanted(error.code, keys, crls)
            if error.code in LIST_CODES:
                effect = message.lists_wanted(keys, crls, now=env.now(), cache=cache)
            if effect is None or type(effect) in asked:
                raise
        asked.add(type(effect))
        newer = yield effect
        if isinstance(newer, KeySet):
            keys = newer
        elif isinstance(newer, RevocationLists):
            crls = newer


def _code_of(attempt: Callable[[], object]) -> str | None:
    """Return the code with which an attempt fails, or ``None`` when it does not."""
    try:
        attempt()
    except VerificationError as error:
        return error.code
    return None
