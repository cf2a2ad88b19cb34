"""The relying party's configuration: frozen values that are checked when they are made.

Nothing here reads a file, the environment or the network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, Never

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cyberid_client.errors import ConfigurationError, SignatureError
from cyberid_client.models import Assurance, Persistence, PseudonymKeys, keep_secret
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.trust import (
    Algorithm,
    ChainProfile,
    PurposeTable,
    RevocationPolicy,
    TrustStore,
    find_algorithm,
)
from cyberid_client.wire.urls import WebURL, parse_web_url

__all__ = ["ClientKey", "Expected", "HTTPLimits", "RelyingParty"]

logger: Final = logging.getLogger("cyberid_client")

MAX_AGE_LIMIT: Final = 366 * 24 * 3600
LEEWAY_LIMIT: Final = 60
PENDING_LIFETIME_LIMIT: Final = 3600
CLIENT_ID_LIMIT: Final = 255
RSA_FLOOR: Final = 2048
TIMEOUT_LIMIT: Final = 600
POOL_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPLimits:
    """How long, how much and through what the library talks to the issuer.

    Attributes:
        connect_timeout: seconds for TCP and TLS.
        read_timeout: seconds of silence that are borne.
        total_timeout: seconds for the whole request, body included.
        proxy: ``http://host:port``, or ``None``; the environment is never asked.
        ca_pem: the certificate authorities for TLS in place of the built-in ones.
        pool_size: connections kept open.
    """

    connect_timeout: float = 3.0
    read_timeout: float = 5.0
    total_timeout: float = 8.0
    proxy: str | None = field(default=None, repr=False)
    ca_pem: bytes | None = field(default=None, repr=False)
    pool_size: int = 10

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "read_timeout", "total_timeout"):
            value: object = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 < value <= TIMEOUT_LIMIT
            ):
                raise ConfigurationError("config.value", f"http.{name}")
        if not _is_bytes_or_none(self.ca_pem):
            raise ConfigurationError("config.value", "http.ca_pem")
        if not _is_proxy_or_none(self.proxy):
            raise ConfigurationError("config.value", "http.proxy")
        if not _is_whole(self.pool_size, 1, POOL_LIMIT):
            raise ConfigurationError("config.value", "http.pool_size")


_OWN_MODES: Final = MappingProxyType({mode.value: mode for mode in Assurance})

_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class ClientKey:
    """The relying party's own signing key; it signs requests and proves who asks.

    Make it with :meth:`from_pem`. It prints its key id only and refuses to be pickled.
    """

    __slots__ = ("_algorithm", "_jwk", "_kid", "_private_key")

    def __init__(self, private_key: _PrivateKey, *, kid: str | None = None) -> None:
        self._private_key = private_key
        self._algorithm, self._jwk = _describe(private_key)
        self._kid = kid if kid is not None else _thumbprint(self._jwk)

    @classmethod
    def from_pem(cls, pem: bytes, *, password: bytes | None = None, kid: str | None = None) -> ClientKey:
        """Read a private key: P-256, P-384, Ed25519, or RSA of at least 2048 bits.

        Args:
            pem: PKCS#8 or a traditional form, PEM.
            password: for an encrypted key.
            kid: the key id that the issuer knows; the RFC 7638 thumbprint by default.

        Raises:
            ConfigurationError: the key cannot be read or is of another kind.
        """
        with OwnFramesDropped():
            try:
                private_key = load_pem_private_key(pem, password)
            except (TypeError, ValueError, UnsupportedAlgorithm):
                raise ConfigurationError("config.client_key") from None
            if not isinstance(private_key, _PrivateKey):
                raise ConfigurationError("config.client_key")
            return cls(private_key, kid=kid)

    @property
    def algorithm(self) -> str:
        """The JWS name of the algorithm that this key signs with."""
        return self._algorithm

    @property
    def kid(self) -> str:
        """The key id."""
        return self._kid

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public half as a JWK, for the issuer's registration."""
        return {**self._jwk, "kid": self._kid, "use": "sig", "alg": self._algorithm}

    @property
    def private_key(self) -> _PrivateKey:
        """The key object itself, for the one module that signs."""
        return self._private_key

    def __repr__(self) -> str:
        return f"ClientKey(kid={self._kid!r}, algorithm={self._algorithm!r})"

    def __reduce__(self) -> Never:
        message = "ClientKey is not written out"
        raise TypeError(message)


def _describe(key: _PrivateKey) -> tuple[str, dict[str, str]]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        curve = {"secp256r1": ("ES256", "P-256"), "secp384r1": ("ES384", "P-384")}.get(key.curve.name)
        if curve is None:
            raise ConfigurationError("config.client_key")
        point, size = key.public_key().public_numbers(), (key.key_size + 7) // 8
        return curve[0], {"crv": curve[1], "kty": "EC", "x": _uint(point.x, size), "y": _uint(point.y, size)}
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < RSA_FLOOR:
            raise ConfigurationError("config.client_key")
        numbers = key.public_key().public_numbers()
        return "PS256", {"e": _uint(numbers.e), "kty": "RSA", "n": _uint(numbers.n)}
    return "EdDSA", {"crv": "Ed25519", "kty": "OKP", "x": _b64(key.public_key().public_bytes_raw())}


def _uint(number: int, size: int | None = None) -> str:
    return _b64(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _thumbprint(jwk: dict[str, str]) -> str:
    # RFC 7638 §3: the required members only, sorted, without white space.
    canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()
    return _b64(hashlib.sha256(canonical).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one assertion must say; made by :meth:`RelyingParty.expect`.

    Attributes:
        issuer: byte for byte.
        client_id: the audience.
        sector: for which the pseudonym is made.
        algorithm: the one that is accepted.
        trust: the pinned roots; ``None``: nothing but TLS vouches for the key set.
        profile: what the signer's chain must look like.
        assurance: the mode that was asked for.
        modes: which mode a value of ``acr`` stands for.
        max_age: seconds, if it was asked for.
        started_at: when the request was made, aware.
        nonce: of this login.
        access_token: that came beside the assertion, if one did.
        leeway: seconds that are forgiven ahead of our clock.
        age_band: whether it was asked for.
        chain_required: whether a chain must lead from the signing key to a pinned root.
        any_subject: whether ``sub`` and ``sid`` may have any shape that OpenID Connect allows.
        may_be_sparse: whether ``sector``, ``persistence`` and ``amr`` may be absent.
        persistence: what holds when the assertion does not say.
        revocation: what is demanded of the revocation lists.
    """

    issuer: str
    client_id: str
    sector: str
    algorithm: Algorithm
    trust: TrustStore | None
    profile: ChainProfile
    assurance: Assurance
    modes: Mapping[str, Assurance]
    max_age: int | None
    started_at: datetime
    nonce: str = field(repr=False)
    access_token: str | None = field(repr=False)
    leeway: int
    age_band: bool
    chain_required: bool
    any_subject: bool
    may_be_sparse: bool
    persistence: Persistence | None
    revocation: RevocationPolicy

    def __post_init__(self) -> None:
        keep_secret(self, "nonce", "access_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Who asks, whom it asks, and what it believes.

    Attributes:
        issuer: the issuer's https URL, byte for byte as it stands in its documents.
        client_id: as registered.
        redirect_uri: where the browser comes back.
        key: signs the client's requests.
        trust: the pinned national roots; ``None`` with both exceptions together, and only then.
        assurance: the mode that a login asks for when nothing else is said.
        sector: the sector identifier; the origin of ``redirect_uri`` by default.
        pseudonym_keys: the app's keys for digests, if it wants them kept here.
        sender_constraint: ``"none"``; others are not in this release.
        response: ``"plain"``; others are not in this release.
        id_token: ``"jws"``; others are not in this release.
        metadata_trust: ``"signed"``; ``"tls"`` is the named exception for ordinary OpenID Providers,
            whose discovery page is believed because TLS brought it. It is logged.
        assertion_chain: ``"required"``; ``"absent"`` is the named exception for assertions without a
            certificate chain, whose key is believed because it stands in the key set. It is logged.
        assurance_values: which mode an ``acr`` value of an ordinary OpenID Provider stands for.
        persistence: how stable the pseudonyms of an ordinary OpenID Provider are.
        algorithm: the JWS name of the one algorithm that the issuer signs with.
        purposes: which object identifiers mean which purpose.
        revocation: whether the certificates of signers must be answered for by revocation lists.
        issuer_hosts: hosts that the issuer's endpoints may have; the issuer's own by default.
        revocation_hosts: hosts from which revocation lists are fetched; those of the endpoints by default.
        other_redirect_uris: further ones that ``start_login(redirect_uri=...)`` may name.
        age_band: whether logins ask for it.
        clock_leeway: seconds, 0 to 60, forgiven only ahead of our clock.
        pending_lifetime: seconds that a person has to come back, 60 to 3600.
        http: limits of the transport.

    Raises:
        ConfigurationError: one of them cannot be used; the error names it.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    key: ClientKey
    trust: TrustStore | None
    assurance: Assurance = Assurance.R02
    sector: str | None = None
    pseudonym_keys: PseudonymKeys | None = None
    sender_constraint: Literal["none", "dpop", "mtls"] = "none"
    response: Literal["plain", "jarm"] = "plain"
    id_token: Literal["jws", "jwe"] = "jws"  # noqa: S105 - the name of a setting
    metadata_trust: Literal["signed", "tls"] = "signed"
    assertion_chain: Literal["required", "absent"] = "required"
    assurance_values: Mapping[str, Assurance] = field(default_factory=dict)
    persistence: Persistence | None = None
    algorithm: str = "ES256"
    purposes: PurposeTable = field(default_factory=PurposeTable.builtin)
    revocation: RevocationPolicy = field(default_factory=RevocationPolicy.require)
    issuer_hosts: frozenset[str] = frozenset()
    revocation_hosts: frozenset[str] = frozenset()
    other_redirect_uris: tuple[str, ...] = ()
    age_band: bool = False
    clock_leeway: int = 10
    pending_lifetime: int = 600
    http: HTTPLimits = field(default_factory=HTTPLimits)
    _profile: ChainProfile = field(init=False, repr=False, compare=False)
    _issuer_url: WebURL = field(init=False, repr=False, compare=False)
    _sector: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check_trust()
        object.__setattr__(self, "_issuer_url", self._web_url(self.issuer, "config.issuer", "issuer"))
        if self._issuer_url.query or self._issuer_url.fragment:
            raise ConfigurationError("config.issuer", "issuer")
        self._check_numbers()
        self._check_client()
        self._check_choices()
        self._check_exceptions()
        redirect_url = self._web_url(self.redirect_uri, "config.redirect_uri", "redirect_uri")
        object.__setattr__(self, "_sector", self.sector or redirect_url.origin)
        object.__setattr__(self, "_profile", ChainProfile.assertion(self.issuer, purposes=self.purposes))

    @property
    def sector_identifier(self) -> str:
        """The configured sector, or the origin of the redirect URI."""
        return self._sector

    @property
    def endpoint_hosts(self) -> frozenset[str]:
        """Hosts that the issuer's endpoints may have."""
        return self.issuer_hosts or frozenset({self._issuer_url.host})

    @property
    def list_hosts(self) -> frozenset[str]:
        """Hosts from which revocation lists are fetched."""
        return self.revocation_hosts or self.endpoint_hosts

    @property
    def discovery_url(self) -> str:
        """Where the issuer's discovery page is (OpenID Connect Discovery 1.0 §4.1)."""
        return self.issuer.removesuffix("/") + "/.well-known/openid-configuration"

    def allows_url(self, url: WebURL) -> bool:
        """Tell whether a request may go to ``url``: https, or test http to literal loopback."""
        for_tests = self.trust is not None and self.trust.is_for_tests
        return url.scheme == "https" or (url.is_loopback and for_tests)

    @property
    def modes(self) -> Mapping[str, Assurance]:
        """Which mode a value of ``acr`` stands for."""
        return self.assurance_values or _OWN_MODES

    def acr_value(self, assurance: Assurance) -> str:
        """Return the ``acr`` value that asks for a mode.

        Raises:
            ConfigurationError: the issuer has no word for this mode.
        """
        for value, mode in self.modes.items():
            if mode is assurance:
                return value
        raise ConfigurationError("config.assurance", "assurance_values")

    def require_current(self, now: datetime) -> None:
        """Refuse to go on with a trust bundle that is out of date.

        Raises:
            ConfigurationError: ``trust.expired``, from the very second of its expiry.
        """
        if self.trust is not None and self.trust.expires_at is not None and self.trust.expires_at <= now:
            raise ConfigurationError("trust.expired", "trust")

    def redirect_uri_named(self, redirect_uri: str | None) -> str:
        """Return the redirect URI that a login uses.

        Raises:
            ConfigurationError: ``redirect_uri`` is not one of those configured.
        """
        if redirect_uri is None or redirect_uri == self.redirect_uri:
            return self.redirect_uri
        if redirect_uri in self.other_redirect_uris:
            return redirect_uri
        raise ConfigurationError("config.redirect_uri_unknown")

    def expect(
        self,
        *,
        nonce: str,
        started_at: datetime,
        assurance: Assurance | None = None,
        max_age: int | None = None,
        access_token: str | None = None,
    ) -> Expected:
        """Say what one assertion must hold, for :func:`cyberid_client.handshake.verify_assertion`.

        Args:
            nonce: the one that was sent.
            started_at: when the request was made, aware.
            assurance: the mode that was asked for; the configured one by default.
            max_age: seconds, if it was asked for.
            access_token: the one that came beside the assertion; an ``at_hash`` without it is refused.

        Raises:
            ConfigurationError: a value cannot be asked for.
        """
        asked = self.assurance if assurance is None else assurance
        with OwnFramesDropped():
            if started_at.tzinfo is None:
                raise ConfigurationError("config.value", "started_at")
            if not nonce:
                raise ConfigurationError("config.value", "nonce")
            check_max_age(max_age)
            # The value of a mode is a string, and a string is no mode.
            if not isinstance(asked, Assurance):
                raise ConfigurationError("config.assurance", "assurance")
        return Expected(
            issuer=self.issuer,
            client_id=self.client_id,
            sector=self.sector_identifier,
            algorithm=find_algorithm(self.algorithm),
            trust=self.trust,
            profile=self._profile,
            assurance=asked,
            max_age=max_age,
            started_at=started_at,
            nonce=nonce,
            access_token=access_token,
            leeway=self.clock_leeway,
            age_band=self.age_band,
            modes=self.modes,
            chain_required=self.assertion_chain == "required",
            any_subject=self.metadata_trust == "tls",
            may_be_sparse=self._has_exception,
            persistence=self.persistence,
            revocation=self.revocation,
        )

    @property
    def _has_exception(self) -> bool:
        return self.metadata_trust == "tls" or self.assertion_chain == "absent"

    def _check_trust(self) -> None:
        nothing_pinned = self.metadata_trust == "tls" and self.assertion_chain == "absent"
        if nothing_pinned != (self.trust is None) or not isinstance(self.trust, TrustStore | None):
            raise ConfigurationError("config.trust_missing", "trust")
        if not self.algorithm:
            raise ConfigurationError("config.no_algorithm", "algorithm")
        try:
            is_available = find_algorithm(self.algorithm).is_available
        except SignatureError:
            raise ConfigurationError("config.no_algorithm", "algorithm") from None
        if not is_available:
            raise ConfigurationError("config.algorithm_unavailable", "algorithm")

    def _check_client(self) -> None:
        if not _is_client_id(self.client_id):
            raise ConfigurationError("config.client_id", "client_id")
        if not isinstance(self.key, ClientKey):
            raise ConfigurationError("config.client_key", "key")
        for redirect_uri in (self.redirect_uri, *self.other_redirect_uris):
            if self._web_url(redirect_uri, "config.redirect_uri", "redirect_uri").fragment:
                raise ConfigurationError("config.redirect_uri", "redirect_uri")
        if self.sector is not None and self._web_url(self.sector, "config.sector", "sector").fragment:
            raise ConfigurationError("config.sector", "sector")
        if not isinstance(self.assurance, Assurance):
            raise ConfigurationError("config.assurance", "assurance")

    def _check_numbers(self) -> None:
        if not _is_whole(self.clock_leeway, 0, LEEWAY_LIMIT):
            raise ConfigurationError("config.value", "clock_leeway")
        if not _is_whole(self.pending_lifetime, 60, PENDING_LIFETIME_LIMIT):
            raise ConfigurationError("config.value", "pending_lifetime")
        for name, kind in _KINDS.items():
            if not isinstance(getattr(self, name), kind):
                raise ConfigurationError("config.value", name)

    def _check_choices(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ConfigurationError("config.value", name)
            if value != choices[0] and name in _NOT_IN_THIS_RELEASE:
                raise ConfigurationError("config.not_in_this_release", name)

    def _check_exceptions(self) -> None:
        for name in ("metadata_trust", "assertion_chain"):
            if getattr(self, name) != _CHOICES[name][0]:
                logger.warning(
                    "%s=%r: less than the full chain of trust is demanded", name, getattr(self, name)
                )
        if not self._has_exception and (self.assurance_values or self.persistence is not None):
            raise ConfigurationError("config.exceptions", "assurance_values")
        if self.metadata_trust == "tls" and not self.assurance_values:
            raise ConfigurationError("config.exceptions", "assurance_values")
        if not _is_table_of_modes(self.assurance_values):
            raise ConfigurationError("config.value", "assurance_values")
        object.__setattr__(self, "assurance_values", MappingProxyType(dict(self.assurance_values)))
        self.acr_value(self.assurance)

    def _web_url(self, text: object, code: str, setting: str) -> WebURL:
        url = parse_web_url(text)
        if url is None:
            raise ConfigurationError(code, setting)
        if not self.allows_url(url):
            raise ConfigurationError("config.insecure_http", setting)
        return url


# A string in the place of a set of hosts would be searched for parts of a host.
_KINDS: Final = {
    "http": HTTPLimits,
    "purposes": PurposeTable,
    "age_band": bool,
    "revocation": RevocationPolicy,
    "issuer_hosts": frozenset,
    "revocation_hosts": frozenset,
    "other_redirect_uris": tuple,
    "pseudonym_keys": PseudonymKeys | None,
    "persistence": Persistence | None,
}

# The first value of each is the profile's own.
_CHOICES: Final = {
    "sender_constraint": ("none", "dpop", "mtls"),
    "response": ("plain", "jarm"),
    "id_token": ("jws", "jwe"),
    "metadata_trust": ("signed", "tls"),
    "assertion_chain": ("required", "absent"),
}


_NOT_IN_THIS_RELEASE: Final = frozenset({"sender_constraint", "response", "id_token"})


def check_max_age(max_age: int | None) -> None:
    """Refuse a maximum age that cannot be asked for.

    Raises:
        ConfigurationError: it is not a whole number of seconds from 0 to one year.
    """
    if max_age is not None and not _is_whole(max_age, 0, MAX_AGE_LIMIT):
        raise ConfigurationError("config.max_age", "max_age")


def _is_aware(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_bytes_or_none(value: object) -> bool:
    return value is None or isinstance(value, bytes)


def _is_proxy_or_none(value: object) -> bool:
    """Tell whether a proxy is ``http://host:port``, maybe with ``user:password@`` in front of the host."""
    if value is None:
        return True
    if not isinstance(value, str):
        return False
    scheme, slashes, rest = value.partition("://")
    return parse_web_url(f"{scheme}{slashes}{rest.rpartition('@')[2]}") is not None


def _is_client_id(value: object) -> bool:
    # RFC 6749 appendix A.1: visible ASCII.
    return (
        isinstance(value, str)
        and 1 <= len(value) <= CLIENT_ID_LIMIT
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _is_table_of_modes(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(mode, Assurance) for name, mode in value.items()
    )


def _is_whole(value: object, lowest: int, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
