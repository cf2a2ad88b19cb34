"""A configuration as text: the shape of the TOML file and of the table of environment variables.

:class:`Settings` says what is there and of what kind; what the values mean is decided by the frozen values
that they are made into. Pydantic does the reading, and is imported with this module only.
"""

from __future__ import annotations

import base64
import binascii
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from cyberid_client.config.app_launch import AppLaunchSettings
from cyberid_client.config.client_keys import ClientKeys
from cyberid_client.config.keys import ClientCertificate, ClientKey, DecryptionKey
from cyberid_client.config.limits import HTTPLimits
from cyberid_client.config.relying_party import RelyingParty
from cyberid_client.config.wallet import WalletIdentity, WalletSettings
from cyberid_client.errors import ConfigurationError
from cyberid_client.models import AppOutcome, Assurance, Persistence, PseudonymKeys
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.trust import Purpose, PurposeRule, PurposeTable, RevocationPolicy, TrustStore

__all__ = ["Settings", "parse_toml", "relying_party_from"]

TOML_MAX_BYTES: Final = 1024 * 1024


def _words(value: object) -> object:
    """Split a text at white space and commas, as lists are written in an environment variable."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _pairs(value: object) -> object:
    """Split ``name=value`` words, as tables are written in an environment variable."""
    if not isinstance(value, str):
        return value
    words = [word.partition("=") for word in value.replace(",", " ").split()]
    # A word without a sign becomes an empty value, which nothing accepts.
    table = {name: text for name, _, text in words}
    if len(table) != len(words):
        message = "a name stands twice"
        raise ValueError(message)
    return table


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Table = Annotated[dict[str, str], BeforeValidator(_pairs)]
SecretTable = Annotated[dict[str, SecretStr], BeforeValidator(_pairs)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SigningKeySettings(_Part):
    """One signing key: PEM, and what goes with it."""

    pem: SecretStr
    password: SecretStr | None = None
    kid: str | None = None

    def build(self) -> ClientKey:
        """Read the key."""
        password = None if self.password is None else self.password.get_secret_value().encode()
        return ClientKey.from_pem(_pem(self.pem), password=password, kid=self.kid)


class DecryptionKeySettings(SigningKeySettings):
    """One decryption key: the same, and the algorithm that it is registered for."""

    algorithm: str | None = None

    def build_for_decryption(self) -> DecryptionKey:
        """Read the key."""
        password = None if self.password is None else self.password.get_secret_value().encode()
        return DecryptionKey.from_pem(
            _pem(self.pem), algorithm=self.algorithm, password=password, kid=self.kid
        )


class CertificateSettings(_Part):
    """What is shown in TLS."""

    certificate: str
    key: SecretStr


class WalletCertificateSettings(CertificateSettings):
    """What is shown to wallets."""

    password: SecretStr | None = None

    def build(self) -> WalletIdentity:
        """Read certificates and key."""
        password = None if self.password is None else self.password.get_secret_value().encode()
        return WalletIdentity.from_pem(self.certificate.encode(), _pem(self.key), password=password)


class KeySettings(_Part):
    """All keys of the client."""

    signing: SigningKeySettings
    decryption: tuple[DecryptionKeySettings, ...] = ()
    also_published: tuple[SigningKeySettings, ...] = ()
    tls: CertificateSettings | None = None
    wallet: WalletCertificateSettings | None = None

    def build(self) -> ClientKeys:
        """Read the keys."""
        tls = None
        if self.tls is not None:
            tls = ClientCertificate(certificate_pem=self.tls.certificate.encode(), key_pem=_pem(self.tls.key))
        return ClientKeys(
            signing=self.signing.build(),
            decryption=tuple(key.build_for_decryption() for key in self.decryption),
            also_published=tuple(key.build() for key in self.also_published),
            tls=tls,
            wallet=None if self.wallet is None else self.wallet.build(),
        )


class RevocationSettings(_Part):
    """What is demanded of revocation lists."""

    policy: Literal["require", "tolerate_outage", "off"] = "require"
    outage_minutes: int = 0

    def build(self) -> RevocationPolicy:
        """Return the policy."""
        if self.policy == "tolerate_outage":
            return RevocationPolicy.tolerate_outage(minutes=self.outage_minutes)
        if self.outage_minutes:
            raise ConfigurationError("config.value", "revocation.outage_minutes")
        return RevocationPolicy.off() if self.policy == "off" else RevocationPolicy.require()


class PurposeSettings(_Part):
    """What a certificate of one purpose must carry."""

    ekus: Words
    names: Literal["uri_and_host", "uri"] = "uri_and_host"
    policies: Words = ()


class PurposesSettings(_Part):
    """The whole purpose table."""

    assertion: PurposeSettings
    metadata: PurposeSettings
    credential: PurposeSettings
    status: PurposeSettings
    relying_party: PurposeSettings
    shared_purpose_keys: bool = False

    def build(self) -> PurposeTable:
        """Return the table."""
        rules = {}
        for purpose in Purpose:
            given: PurposeSettings = getattr(self, purpose.value)
            rules[purpose] = PurposeRule(
                ekus=frozenset(given.ekus), names=given.names, policies=frozenset(given.policies)
            )
        return PurposeTable(rules=rules, shared_purpose_keys=self.shared_purpose_keys)


class AppLaunchText(_Part):
    """The app launch; names are those of :class:`AppLaunchSettings`. An envelope is code, and no text."""

    org_id: str
    app_ids: Table
    app_caller: str | None = None
    outcomes: Table | None = None

    def build(self) -> AppLaunchSettings:
        """Return the settings."""
        given: dict[str, Any] = {"app_caller": self.app_caller}
        if self.outcomes is not None:
            given["outcomes"] = {code: _outcome(word) for code, word in self.outcomes.items()}
        return AppLaunchSettings(org_id=self.org_id, app_ids=self.app_ids, **_given(given))


class WalletText(_Part):
    """The wallet presentation; names are those of :class:`WalletSettings`."""

    endpoint: str
    cross_device: str | None = None
    wallet_uri: str | None = None
    credential_format: str | None = None
    algorithm: str | None = None
    holder_algorithm: str | None = None
    lifetime: int | None = None

    def build(self) -> WalletSettings:
        """Return the settings."""
        return WalletSettings(**_given(self.model_dump()))


class HTTPSettings(_Part):
    """Limits of the transport, named as in :class:`HTTPLimits`; absent ones have its defaults."""

    connect_timeout: float | None = None
    read_timeout: float | None = None
    total_timeout: float | None = None
    proxy: SecretStr | None = None
    ca: str | None = None
    pool_size: int | None = None

    def build(self) -> HTTPLimits:
        """Return the limits."""
        given: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("connect_timeout", "read_timeout", "total_timeout", "pool_size")
        }
        given["proxy"] = None if self.proxy is None else self.proxy.get_secret_value()
        given["ca_pem"] = None if self.ca is None else self.ca.encode()
        return HTTPLimits(**_given(given))


Mode = Literal["R01", "R02", "R03", "R04"]


class Settings(_Part):
    """The whole configuration; names are those of :class:`RelyingParty` where it has them."""

    issuer: str
    client_id: str
    redirect_uri: str
    keys: KeySettings
    trust: str | None = None
    assurance: Mode | None = None
    sector: str | None = None
    pseudonym_keys: SecretTable | None = None
    sender_constraint: str | None = None
    response: str | None = None
    id_token: str | None = None
    content_encryption: str | None = None
    client_authentication: str | None = None
    request_object: str | None = None
    metadata_trust: str | None = None
    assertion_chain: str | None = None
    assurance_values: Annotated[dict[str, Mode], BeforeValidator(_pairs)] | None = None
    persistence: Literal["A", "B", "C"] | None = None
    algorithm: str | None = None
    purposes: PurposesSettings | None = None
    revocation: RevocationSettings = Field(default_factory=RevocationSettings)
    issuer_hosts: Words | None = None
    revocation_hosts: Words | None = None
    other_redirect_uris: Words | None = None
    age_band: bool | None = None
    clock_leeway: int | None = None
    pending_lifetime: int | None = None
    app_launch: AppLaunchText | None = None
    wallet: WalletText | None = None
    http: HTTPSettings = Field(default_factory=HTTPSettings)


_AS_THEY_STAND: Final = (
    "issuer",
    "client_id",
    "redirect_uri",
    "sector",
    "sender_constraint",
    "response",
    "id_token",
    "content_encryption",
    "client_authentication",
    "request_object",
    "metadata_trust",
    "assertion_chain",
    "algorithm",
    "other_redirect_uris",
    "age_band",
    "clock_leeway",
    "pending_lifetime",
)


def relying_party_from(mapping: Mapping[str, object], *, trust: TrustStore | None = None) -> RelyingParty:
    """Make a configuration of a mapping of texts, numbers, lists and tables.

    Args:
        mapping: shaped like :class:`Settings`.
        trust: the pinned roots, in the place of ``trust`` in the mapping.

    Raises:
        ConfigurationError: something is missing, unknown, or of a wrong kind; the error names it.
    """
    with OwnFramesDropped():
        settings = _validated(mapping)
        given: dict[str, Any] = {name: getattr(settings, name) for name in _AS_THEY_STAND}
        if settings.assurance is not None:
            given["assurance"] = Assurance[settings.assurance]
        if settings.assurance_values is not None:
            given["assurance_values"] = {
                name: Assurance[mode] for name, mode in settings.assurance_values.items()
            }
        if settings.persistence is not None:
            given["persistence"] = Persistence(settings.persistence)
        for name in ("issuer_hosts", "revocation_hosts"):
            hosts = getattr(settings, name)
            given[name] = None if hosts is None else frozenset(hosts)
        if settings.purposes is not None:
            given["purposes"] = settings.purposes.build()
        if settings.pseudonym_keys is not None:
            given["pseudonym_keys"] = _pseudonym_keys(settings.pseudonym_keys)
        for name in ("app_launch", "wallet"):
            part: AppLaunchText | WalletText | None = getattr(settings, name)
            given[name] = None if part is None else part.build()
        return RelyingParty(
            **_given(given),
            keys=settings.keys.build(),
            trust=_trust(settings.trust, trust),
            revocation=settings.revocation.build(),
            http=settings.http.build(),
        )


def parse_toml(data: bytes) -> dict[str, object]:
    """Read TOML, strictly as UTF-8.

    Raises:
        ConfigurationError: it is not TOML.
    """
    given: object = data
    if not isinstance(given, bytes) or len(given) > TOML_MAX_BYTES:
        raise ConfigurationError("config.toml")
    try:
        return tomllib.loads(given.decode())
    except (ValueError, RecursionError):
        raise ConfigurationError("config.toml") from None


_CODES: Final = {"missing": "config.missing_setting", "extra_forbidden": "config.unknown_setting"}


def _validated(mapping: Mapping[str, object]) -> Settings:
    try:
        return Settings.model_validate(mapping)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
    # A misspelt name explains the missing one beside it.
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
    # Names of settings are the developer's own; a place in a list is a number.
    place = ".".join(str(part) for part in first["loc"])
    raise ConfigurationError(_CODES.get(first["type"], "config.value"), place)


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value is not None}


def _outcome(word: str) -> AppOutcome:
    try:
        return AppOutcome(word)
    except ValueError:
        raise ConfigurationError("config.app_launch", "app_launch.outcomes") from None


def _pem(secret: SecretStr) -> bytes:
    return secret.get_secret_value().encode()


def _trust(text: str | None, trust: TrustStore | None) -> TrustStore | None:
    if trust is not None or text is None:
        return trust
    data = text.encode()
    return TrustStore.from_bundle(data) if data.lstrip().startswith(b"{") else TrustStore.from_pem(data)


def _pseudonym_keys(table: Mapping[str, SecretStr]) -> PseudonymKeys:
    keys = {}
    for name, secret in table.items():
        try:
            keys[name] = base64.b64decode(secret.get_secret_value(), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigurationError("config.pseudonym_key", "pseudonym_keys") from None
    return PseudonymKeys(keys)
