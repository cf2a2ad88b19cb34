"""The values that an app holds: frozen, typed, and unable to carry plain identity data."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Never

from cyberid_client.errors import ConfigurationError
from cyberid_client.tracebacks import OwnFramesDropped

__all__ = [
    "AgeBand",
    "Assurance",
    "Channel",
    "Evidence",
    "Factor",
    "Login",
    "LoginRequest",
    "PendingLogin",
    "Persistence",
    "Pseudonym",
    "PseudonymDigest",
    "PseudonymKeys",
    "Secret",
]


_KEY_ID: Final = re.compile("[a-z0-9]{1,16}")
_KEY_BYTES_MIN: Final = 32
_DIGEST: Final = re.compile(r"([a-z0-9]{1,16})\.([A-Za-z0-9_-]{43})", re.ASCII)


class Secret(str):
    """A text that prints redacted: in a ``repr``, and so among the local variables of a traceback.

    Wherever it is written, formatted or sent it is the text itself. It refuses to be pickled and to be
    copied deeply, and with it ``dataclasses.asdict`` of whatever holds it.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(redacted)"

    def __reduce_ex__(self, protocol: object) -> Never:
        message = "a secret is not written out; str() gives the text"
        raise TypeError(message)


def keep_secret(value: object, *names: str) -> None:
    """Make the named text fields of a frozen dataclass :class:`Secret`; ``None`` stays."""
    for name in names:
        text = getattr(value, name)
        if text is not None:
            object.__setattr__(value, name, Secret(text))


class Factor(StrEnum):
    """What the person showed: the certificate (网证), the password (口令), the face (人脸)."""

    CERTIFICATE = "certificate"
    PASSWORD = "password"  # noqa: S105 - the name of a factor
    FACE = "face"


class Assurance(StrEnum):
    """A mode of authentication: the *set* of factors behind a login, hence only partly ordered."""

    R01 = "urn:cyberid:mode:r01"
    R02 = "urn:cyberid:mode:r02"
    R03 = "urn:cyberid:mode:r03"
    R04 = "urn:cyberid:mode:r04"

    @property
    def factors(self) -> frozenset[Factor]:
        """The factors that this mode is made of."""
        return _FACTORS_OF[self]

    def satisfies(self, asked: Assurance) -> bool:
        """Tell whether every factor of ``asked`` is in this mode: R02 does not satisfy R03."""
        return self.factors >= asked.factors

    def __lt__(self, other: object) -> bool:
        return self._refuse_order()

    __le__ = __gt__ = __ge__ = __lt__

    def _refuse_order(self) -> Never:
        message = "assurance is only partly ordered; ask Assurance.satisfies"
        raise TypeError(message)


_FACTORS_OF: Final[Mapping[Assurance, frozenset[Factor]]] = {
    Assurance.R01: frozenset({Factor.CERTIFICATE}),
    Assurance.R02: frozenset({Factor.CERTIFICATE, Factor.PASSWORD}),
    Assurance.R03: frozenset({Factor.CERTIFICATE, Factor.FACE}),
    Assurance.R04: frozenset({Factor.CERTIFICATE, Factor.PASSWORD, Factor.FACE}),
}


class Persistence(StrEnum):
    """How long the pseudonym stays the same."""

    LIFE = "A"
    RECORD = "B"
    SESSION = "C"


class AgeBand(StrEnum):
    """The only thing about age that exists in the profile."""

    UNDER_14 = "under_14"
    FROM_14_TO_17 = "14_17"
    ADULT = "adult"


class Channel(StrEnum):
    """Which way in a login came."""

    REDIRECT = "redirect"


class PseudonymKeys:
    """The secret keys under which pseudonyms are digested for storage.

    The first key makes new digests; the others still recognise old ones.

    Args:
        keys: key id to key, newest first. An id is 1 to 16 characters ``[a-z0-9]``, a key at least
            32 bytes from a random source.

    Raises:
        ConfigurationError: there is no key, or an id or key is unfit.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        with OwnFramesDropped():
            if not _is_table_of_keys(keys):
                raise ConfigurationError("config.pseudonym_key")
        self._keys = dict(keys)

    def __repr__(self) -> str:
        return f"PseudonymKeys({', '.join(self._keys)})"

    def __reduce__(self) -> Never:
        _refuse_pickle("PseudonymKeys")

    @property
    def newest(self) -> str:
        """The id of the key that makes new digests."""
        return next(iter(self._keys))

    @property
    def ids(self) -> tuple[str, ...]:
        """All key ids, newest first."""
        return tuple(self._keys)

    def mac(self, key_id: str, message: bytes) -> bytes:
        """Return HMAC-SHA-256 of ``message`` under one of the keys.

        Raises:
            ConfigurationError: there is no key of this id.
        """
        with OwnFramesDropped():
            if key_id not in self._keys:
                raise ConfigurationError("config.pseudonym_key")
        return hmac.digest(self._keys[key_id], message, hashlib.sha256)


def _is_table_of_keys(keys: object) -> bool:
    return (
        isinstance(keys, Mapping)
        and len(keys) > 0
        and all(_is_key_id(name) and _is_key(key) for name, key in keys.items())
    )


def _is_key_id(name: object) -> bool:
    return isinstance(name, str) and _KEY_ID.fullmatch(name) is not None


def _is_key(key: object) -> bool:
    # Text, as it comes out of an environment variable, is no key.
    return isinstance(key, bytes) and len(key) >= _KEY_BYTES_MIN


@dataclass(frozen=True, slots=True)
class PseudonymDigest:
    """What an app stores in a pseudonym's place: a keyed hash, useless without the key.

    Attributes:
        key_id: which key of :class:`PseudonymKeys` made it.
        mac: 43 characters of base64url.
    """

    key_id: str
    mac: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.key_id}.{self.mac}"

    @classmethod
    def parse(cls, text: str) -> PseudonymDigest:
        """Read what ``str()`` wrote.

        Raises:
            ConfigurationError: the text is not a digest.
        """
        with OwnFramesDropped():
            given: object = text
            match = _DIGEST.fullmatch(given) if isinstance(given, str) else None
            if match is None:
                raise ConfigurationError("config.value", "pseudonym_digest")
        return cls(match[1], match[2])


class Pseudonym:
    """One person in one sector (网络身份应用标识); personal data in law, though no plain identity.

    It prints redacted and refuses to be pickled; :attr:`value` is the only way in. Store
    :meth:`digest`, never the value.
    """

    __slots__ = ("_issuer", "_sector", "_value")

    def __init__(self, value: str, *, issuer: str, sector: str) -> None:
        self._value = value
        self._issuer = issuer
        self._sector = sector

    @property
    def value(self) -> str:
        """The pseudonym itself."""
        return self._value

    def digest(self, keys: PseudonymKeys, *, key_id: str | None = None) -> PseudonymDigest:
        """Return the keyed hash of issuer, sector and value.

        Args:
            keys: the app's own keys; with another sector's keys nothing can be matched.
            key_id: an older key, to find a record made before a rotation; the newest by default.

        Raises:
            ConfigurationError: there is no key of this id.
        """
        name = keys.newest if key_id is None else key_id
        parts = (self._issuer.encode(), self._sector.encode(), self._value.encode())
        message = b"cyberid-pseudonym-1" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        with OwnFramesDropped():
            mac = base64.urlsafe_b64encode(keys.mac(name, message)).rstrip(b"=").decode()
        return PseudonymDigest(name, mac)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pseudonym):
            return NotImplemented
        return (self._issuer, self._sector) == (other._issuer, other._sector) and hmac.compare_digest(
            self._value.encode(), other._value.encode()
        )

    def __hash__(self) -> int:
        return hash((self._issuer, self._sector, self._value))

    def __repr__(self) -> str:
        return "Pseudonym(redacted)"

    def __reduce__(self) -> Never:
        _refuse_pickle("Pseudonym")


def _refuse_pickle(name: str) -> Never:
    message = f"{name} is not written out; store Pseudonym.digest(keys)"
    raise TypeError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why a login was believed: for the app's audit log; holds nothing about the person.

    Attributes:
        checks: numbers of the checks that passed, in the order in which they ran.
        algorithm: JWS name of the signature algorithm.
        signer_sha256: fingerprint of the issuer's signing certificate, hex; ``None`` without chain.
        anchor_sha256: fingerprint of the pinned root that the chain leads to, hex; likewise.
        chain_expires_at: when the first certificate of the chain expires; likewise.
        trust_fingerprint: fingerprint of the whole trust store.
        verified_at: the time that the checks were given.
    """

    checks: tuple[str, ...]
    algorithm: str
    signer_sha256: str | None
    anchor_sha256: str | None
    chain_expires_at: datetime | None
    trust_fingerprint: str | None
    verified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that passed every check. It cannot hold plain identity data: there is no place for it.

    Attributes:
        pseudonym: the person, in this sector only.
        assurance: the mode that the issuer vouches for.
        factors: the factors that passed; a factor that was not executed is not here.
        channel: which way in it came.
        authenticated_at: when the person authenticated, as the issuer says.
        issuer: who vouches.
        sector: for which sector the pseudonym was made.
        persistence: how long the pseudonym stays the same.
        age_band: only if asked for and granted.
        session_id: the issuer's name for this session in this sector, for logout; not shown.
        return_to: the path that the app gave when the login started.
    """

    pseudonym: Pseudonym
    assurance: Assurance
    factors: frozenset[Factor]
    channel: Channel
    authenticated_at: datetime
    issuer: str
    sector: str
    persistence: Persistence
    age_band: AgeBand | None = None
    session_id: str | None = field(default=None, repr=False)
    return_to: str = "/"
    _make_evidence: Callable[[], Evidence] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        keep_secret(self, "session_id")

    @property
    def evidence(self) -> Evidence:
        """Why this login was believed; made when read."""
        return self._make_evidence()

    def to_session(self, keys: PseudonymKeys) -> str:
        """Return the login as JSON for the app's session, with a digest in the pseudonym's place."""
        return json.dumps(
            {
                "pseudonym_digest": str(self.pseudonym.digest(keys)),
                "assurance": self.assurance.name,
                "factors": sorted(self.factors),
                "channel": self.channel,
                "authenticated_at": self.authenticated_at.isoformat(),
                "issuer": self.issuer,
                "sector": self.sector,
                "persistence": self.persistence,
                "age_band": self.age_band,
                "session_id": self.session_id,
            },
            separators=(",", ":"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """What the app does next: send the browser to ``url`` with ``set_cookie``.

    Attributes:
        url: where the browser goes; holds the client id and a one-time reference, nothing else.
        handle: the secret that the browser keeps; give it back to ``finish_login``.
        cookie_name: the name of this login's own cookie.
        set_cookie: the whole value of the ``Set-Cookie`` header.
    """

    url: str
    handle: str = field(repr=False)
    cookie_name: str
    set_cookie: str = field(repr=False)

    def __post_init__(self) -> None:
        keep_secret(self, "handle", "set_cookie")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLogin:
    """What the two legs of a login share; kept encrypted under a key made from the handle.

    Attributes:
        kind: which handshake started it; none finishes as another.
        issuer: the issuer that was asked.
        client_id: the client that asked.
        redirect_uri: where the answer must arrive.
        state: 256 random bits, base64url.
        nonce: 256 random bits, base64url.
        code_verifier: PKCE, RFC 7636.
        assurance: the mode that was asked for.
        max_age: seconds, or ``None`` when it was not asked for.
        return_to: a path of this origin.
        started_at: when the request was made, aware UTC.
        expires_at: from this moment on the login is gone.
        dpop_key: the private key of this login alone (RFC 9449), PKCS#8 DER in base64url; ``None`` without.
        person: for a step-up, who it must be: ``key_id.mac`` of a digest; ``None`` for a login.
        person_key: base64url of the key of that digest, when it was made for this step-up alone.
    """

    kind: str
    issuer: str
    client_id: str
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    assurance: Assurance
    max_age: int | None
    return_to: str = field(repr=False)
    started_at: datetime
    expires_at: datetime
    dpop_key: str | None = field(default=None, repr=False)
    person: str | None = field(default=None, repr=False)
    person_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        keep_secret(self, "state", "nonce", "code_verifier", "dpop_key", "person", "person_key")
