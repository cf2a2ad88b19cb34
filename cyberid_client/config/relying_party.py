"""The relying party's configuration: one frozen value that is checked when it is made.

Nothing here reads a file, the environment or the network.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from types import MappingProxyType
from typing import Final, Literal

from cyberid_client.config.app_launch import AppLaunchSettings
from cyberid_client.config.bounds import (
    LEEWAY_LIMIT,
    PENDING_LIFETIME_LIMIT,
    check_max_age,
    is_client_id,
    is_table_of_modes,
    is_whole,
)
from cyberid_client.config.client_keys import ClientKeys
from cyberid_client.config.expected import Expected, ExpectedPresentation
from cyberid_client.config.keys import CONTENT_ENCRYPTIONS, ClientKey
from cyberid_client.config.limits import HTTPLimits
from cyberid_client.config.wallet import WalletSettings
from cyberid_client.errors import ConfigurationError, SignatureError
from cyberid_client.models import Assurance, Persistence, PseudonymKeys
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

__all__ = ["RelyingParty"]

logger: Final = logging.getLogger("cyberid_client")

# A presentation says what the issuer checked about a key; a face is not among that (profile §5).
_WALLET_MODES: Final = MappingProxyType({mode.value: mode for mode in (Assurance.R01, Assurance.R02)})
_OWN_MODES: Final = MappingProxyType({mode.value: mode for mode in Assurance})


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Who asks, whom it asks, and what it believes.

    Attributes:
        issuer: the issuer's https URL, byte for byte as it stands in its documents.
        client_id: as registered.
        redirect_uri: where the browser comes back.
        key: signs the client's requests; short for ``keys=ClientKeys(signing=key)``.
        keys: all keys of the client, when it has more than the one; in the place of ``key``.
        trust: the pinned national roots; ``None`` with both exceptions together, and only then.
        assurance: the mode that a login asks for when nothing else is said.
        sector: the sector identifier; the origin of ``redirect_uri`` by default.
        pseudonym_keys: the app's keys for digests, if it wants them kept here.
        sender_constraint: whether the access token is bound to a key of this login (``"dpop"``, RFC 9449),
            to the client's certificate (``"mtls"``, RFC 8705), or, as it is dropped unused, to nothing.
        response: ``"jarm"``: the answer that the browser brings is signed by the issuer.
        id_token: ``"jwe"``: the assertion is encrypted for one of ``keys.decryption``. The other form is
            refused, whichever is configured.
        content_encryption: the one ``enc`` of encrypted assertions, one of :data:`CONTENT_ENCRYPTIONS`.
        client_authentication: how the client proves who it is: with a signed assertion, or with its
            certificate (RFC 8705 §2), for which ``keys.tls`` is needed.
        request_object: ``"signed"``: requests are pushed as signed objects (RFC 9101). An issuer that
            demands them gets them without being asked to.
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
        app_launch: for logins by the ID app on a phone; without it there are none.
        wallet: for logins by wallet presentation; without it there are none. ``keys.wallet`` is needed.
        http: limits of the transport.

    Raises:
        ConfigurationError: one of them cannot be used; the error names it.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    trust: TrustStore | None
    key: ClientKey | None = None
    keys: ClientKeys | None = None
    assurance: Assurance = Assurance.R02
    sector: str | None = None
    pseudonym_keys: PseudonymKeys | None = None
    sender_constraint: Literal["none", "dpop", "mtls"] = "none"
    response: Literal["plain", "jarm"] = "plain"
    id_token: Literal["jws", "jwe"] = "jws"  # noqa: S105 - the name of a setting
    content_encryption: str = "A256GCM"
    client_authentication: Literal["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"] = (
        "private_key_jwt"
    )
    request_object: Literal["plain", "signed"] = "plain"
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
    app_launch: AppLaunchSettings | None = None
    wallet: WalletSettings | None = None
    http: HTTPLimits = field(default_factory=HTTPLimits)
    _profile: ChainProfile = field(init=False, repr=False, compare=False)
    _credential_profile: ChainProfile = field(init=False, repr=False, compare=False)
    _issuer_url: WebURL = field(init=False, repr=False, compare=False)
    _sector: str = field(init=False, repr=False, compare=False)
    _keys: ClientKeys = field(init=False, repr=False, compare=False)

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
        self._check_ways_in()
        object.__setattr__(self, "_profile", ChainProfile.assertion(self.issuer, purposes=self.purposes))
        credential = ChainProfile.credential(self.issuer, purposes=self.purposes)
        object.__setattr__(self, "_credential_profile", credential)

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, trust: TrustStore | None = None
    ) -> RelyingParty:
        """Make a configuration of the variables ``CYBERID_…``; those that end in ``_FILE`` name a file.

        Args:
            environ: the environment; the process's own by default.
            trust: the pinned roots, in the place of ``CYBERID_TRUST``. No variable makes a root with the
                test mark acceptable: that takes ``TrustStore.for_tests`` in code.

        Raises:
            ConfigurationError: a variable is missing, unknown, given twice or wrong, or a file cannot be
                read; the error names it, and never a value.
        """
        from cyberid_client.loading import from_env  # noqa: PLC0415 - a floor above, where files are read

        return from_env(environ, trust=trust)

    @classmethod
    def from_toml(cls, path: str | PathLike[str], *, trust: TrustStore | None = None) -> RelyingParty:
        """Make a configuration of a TOML file.

        Args:
            path: of the file. A name in it that ends in ``_file`` names a file beside it, whose content
                is the value.
            trust: as for :meth:`from_env`.

        Raises:
            ConfigurationError: as for :meth:`from_env`.
        """
        from cyberid_client.loading import from_toml  # noqa: PLC0415 - as above

        return from_toml(path, trust=trust)

    @classmethod
    def from_toml_bytes(cls, data: bytes, *, trust: TrustStore | None = None) -> RelyingParty:
        """Make a configuration of TOML that is here already; it names no files.

        Raises:
            ConfigurationError: as for :meth:`from_env`.
        """
        from cyberid_client.config.settings import parse_toml  # noqa: PLC0415 - imports pydantic

        return cls.from_mapping(parse_toml(data), trust=trust)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object], *, trust: TrustStore | None = None) -> RelyingParty:
        """Make a configuration of texts, numbers, lists and tables, shaped as in the TOML file.

        Raises:
            ConfigurationError: as for :meth:`from_env`.
        """
        from cyberid_client.config.settings import relying_party_from  # noqa: PLC0415 - imports pydantic

        return relying_party_from(mapping, trust=trust)

    @property
    def sector_identifier(self) -> str:
        """The configured sector, or the origin of the redirect URI."""
        return self._sector

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """All redirect URIs, the one by default first."""
        return (self.redirect_uri, *self.other_redirect_uris)

    @property
    def client_keys(self) -> ClientKeys:
        """All keys of the client, whichever way they were given."""
        return self._keys

    @property
    def uses_certificate(self) -> bool:
        """Whether requests to the issuer show the client's certificate in TLS."""
        return self.sender_constraint == "mtls" or self.client_authentication != "private_key_jwt"

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

    def expect_presentation(
        self,
        *,
        nonce: str,
        audience: str,
        assurance: Assurance,
        age_band: bool,
        epoch_length: int,
    ) -> ExpectedPresentation:
        """Say what the presentation of one request must say.

        Args:
            nonce: of the request.
            audience: the client id that the request was made with.
            assurance: the mode that was asked for.
            age_band: whether it was asked for.
            epoch_length: seconds, from the issuer's metadata.

        Raises:
            ConfigurationError: ``config.wallet``: this relying party has no wallet settings;
                ``presentation.assurance``: no presentation reaches this mode.
        """
        if self.wallet is None or self.trust is None:
            raise ConfigurationError("config.wallet", "wallet")
        if assurance not in _WALLET_MODES.values():
            raise ConfigurationError("presentation.assurance", "assurance")
        return ExpectedPresentation(
            issuer=self.issuer,
            sector=self._sector,
            audience=audience,
            nonce=nonce,
            algorithm=find_algorithm(self.wallet.algorithm or self.algorithm),
            holder_algorithm=find_algorithm(self.wallet.holder_algorithm),
            trust=self.trust,
            profile=self._credential_profile,
            assurance=assurance,
            modes=_WALLET_MODES,
            age_band=age_band,
            epoch_length=epoch_length,
            leeway=self.clock_leeway,
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
        self._find_algorithm(self.algorithm)

    @staticmethod
    def _find_algorithm(name: str) -> Algorithm:
        try:
            algorithm = find_algorithm(name)
        except SignatureError:
            raise ConfigurationError("config.no_algorithm", "algorithm") from None
        if not algorithm.is_available:
            raise ConfigurationError("config.algorithm_unavailable", "algorithm")
        return algorithm

    def _check_client(self) -> None:
        if not is_client_id(self.client_id):
            raise ConfigurationError("config.client_id", "client_id")
        object.__setattr__(self, "_keys", self._all_keys())
        for redirect_uri in (self.redirect_uri, *self.other_redirect_uris):
            if self._web_url(redirect_uri, "config.redirect_uri", "redirect_uri").fragment:
                raise ConfigurationError("config.redirect_uri", "redirect_uri")
        if self.sector is not None and self._web_url(self.sector, "config.sector", "sector").fragment:
            raise ConfigurationError("config.sector", "sector")
        if not isinstance(self.assurance, Assurance):
            raise ConfigurationError("config.assurance", "assurance")

    def _check_ways_in(self) -> None:
        """Refuse other ways in where the profile's full chain of trust is not demanded."""
        if self._has_exception and not (self.app_launch is None and self.wallet is None):
            raise ConfigurationError("config.exceptions", "app_launch" if self.wallet is None else "wallet")
        if self.wallet is None:
            return
        endpoint = self._web_url(self.wallet.endpoint, "config.wallet", "wallet.endpoint")
        if endpoint.query or endpoint.fragment or self.wallet.endpoint.endswith("/"):
            raise ConfigurationError("config.wallet", "wallet.endpoint")
        if self._keys.wallet is None:
            raise ConfigurationError("config.wallet_identity", "keys.wallet")
        for name in (self.wallet.algorithm, self.wallet.holder_algorithm):
            if name is not None:
                self._find_algorithm(name)

    def _all_keys(self) -> ClientKeys:
        if self.keys is None and isinstance(self.key, ClientKey):
            return ClientKeys(signing=self.key)
        if self.key is None and isinstance(self.keys, ClientKeys):
            return self.keys
        raise ConfigurationError("config.client_key", "key" if self.keys is None else "keys")

    def _check_numbers(self) -> None:
        if not is_whole(self.clock_leeway, 0, LEEWAY_LIMIT):
            raise ConfigurationError("config.value", "clock_leeway")
        if not is_whole(self.pending_lifetime, 60, PENDING_LIFETIME_LIMIT):
            raise ConfigurationError("config.value", "pending_lifetime")
        for name, kind in _KINDS.items():
            if not isinstance(getattr(self, name), kind):
                raise ConfigurationError("config.value", name)

    def _check_choices(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ConfigurationError("config.value", name)
        if self.content_encryption not in CONTENT_ENCRYPTIONS:
            raise ConfigurationError("config.value", "content_encryption")
        if self.id_token == "jwe" and not self._keys.decryption:  # noqa: S105 - the name of a setting
            raise ConfigurationError("config.decryption_key", "keys.decryption")
        if self.uses_certificate and self._keys.tls is None:
            raise ConfigurationError("config.client_certificate", "keys.tls")

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
        if not is_table_of_modes(self.assurance_values):
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
    "app_launch": AppLaunchSettings | None,
    "wallet": WalletSettings | None,
}

# The first value of each is the profile's own.
_CHOICES: Final = {
    "sender_constraint": ("none", "dpop", "mtls"),
    "response": ("plain", "jarm"),
    "id_token": ("jws", "jwe"),
    "client_authentication": ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"),
    "request_object": ("plain", "signed"),
    "metadata_trust": ("signed", "tls"),
    "assertion_chain": ("required", "absent"),
}
