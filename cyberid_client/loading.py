"""Where a configuration is read from the environment and from files: here, and nowhere else in the library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.config.settings import parse_toml, relying_party_from
from cyberid_client.errors import ConfigurationError
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.trust import TrustStore

__all__ = ["ENVIRONMENT", "Variable", "from_env", "from_toml", "store_url", "trust_from_file"]

FILE_MAX_BYTES: Final = 1024 * 1024
PREFIX: Final = "CYBERID_"
FILE_SUFFIX: Final = "_FILE"
# Of this library's own test run; an app's process may inherit them.
NOT_SETTINGS: Final = frozenset(
    {"CYBERID_REQUIRE_SERVICES", "CYBERID_HYPOTHESIS", "CYBERID_WHEEL", "CYBERID_INTEROP"}
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable.

    Attributes:
        name: as it is set.
        setting: the dotted name of the setting that it gives.
        says: what it is, one sentence.
        in_file: whether ``NAME_FILE`` may name a file that holds the value; so for secrets and for what
            has many lines.
    """

    name: str
    setting: str
    says: str
    in_file: bool = False


ENVIRONMENT: Final[tuple[Variable, ...]] = (
    Variable("CYBERID_ISSUER", "issuer", "The issuer's https URL."),
    Variable("CYBERID_CLIENT_ID", "client_id", "As registered."),
    Variable("CYBERID_REDIRECT_URI", "redirect_uri", "Where the browser comes back."),
    Variable("CYBERID_OTHER_REDIRECT_URIS", "other_redirect_uris", "Further ones, separated by spaces."),
    Variable("CYBERID_KEY", "keys.signing.pem", "The private key that signs requests, PEM.", in_file=True),
    Variable("CYBERID_KEY_PASSWORD", "keys.signing.password", "The password of that key.", in_file=True),
    Variable("CYBERID_KEY_ID", "keys.signing.kid", "Its key id; the thumbprint by default."),
    Variable(
        "CYBERID_NEXT_KEY",
        "keys.also_published.0.pem",
        "A second signing key during a rotation: published, and signs nothing.",
        in_file=True,
    ),
    Variable("CYBERID_NEXT_KEY_ID", "keys.also_published.0.kid", "Its key id."),
    Variable(
        "CYBERID_DECRYPTION_KEY",
        "keys.decryption.0.pem",
        "The private key that opens encrypted assertions, PEM.",
        in_file=True,
    ),
    Variable("CYBERID_DECRYPTION_KEY_ID", "keys.decryption.0.kid", "Its key id."),
    Variable("CYBERID_DECRYPTION_ALGORITHM", "keys.decryption.0.algorithm", "What it is registered for."),
    Variable(
        "CYBERID_OLD_DECRYPTION_KEY",
        "keys.decryption.1.pem",
        "The one before it, during a rotation.",
        in_file=True,
    ),
    Variable("CYBERID_OLD_DECRYPTION_KEY_ID", "keys.decryption.1.kid", "Its key id."),
    Variable("CYBERID_OLD_DECRYPTION_ALGORITHM", "keys.decryption.1.algorithm", "What it is registered for."),
    Variable(
        "CYBERID_TLS_CERTIFICATE",
        "keys.tls.certificate",
        "The certificate that is shown in TLS, PEM, leaf first.",
        in_file=True,
    ),
    Variable("CYBERID_TLS_KEY", "keys.tls.key", "Its private key, PEM.", in_file=True),
    Variable(
        "CYBERID_WALLET_CERTIFICATE",
        "keys.wallet.certificate",
        "The certificate that is shown to wallets, PEM, leaf first, without the root.",
        in_file=True,
    ),
    Variable("CYBERID_WALLET_KEY", "keys.wallet.key", "Its private key, PEM.", in_file=True),
    Variable(
        "CYBERID_WALLET_KEY_PASSWORD", "keys.wallet.password", "The password of that key.", in_file=True
    ),
    Variable("CYBERID_TRUST", "trust", "The pinned roots: PEM, or a versioned bundle.", in_file=True),
    Variable("CYBERID_ASSURANCE", "assurance", "R01, R02, R03 or R04."),
    Variable("CYBERID_SECTOR", "sector", "The sector identifier."),
    Variable(
        "CYBERID_PSEUDONYM_KEYS",
        "pseudonym_keys",
        "The app's keys for digests, newest first: id=base64, separated by spaces.",
        in_file=True,
    ),
    Variable("CYBERID_SENDER_CONSTRAINT", "sender_constraint", "none, dpop or mtls."),
    Variable("CYBERID_RESPONSE", "response", "plain or jarm."),
    Variable("CYBERID_ID_TOKEN", "id_token", "jws or jwe."),
    Variable("CYBERID_CONTENT_ENCRYPTION", "content_encryption", "The one enc of encrypted assertions."),
    Variable(
        "CYBERID_CLIENT_AUTHENTICATION",
        "client_authentication",
        "private_key_jwt, tls_client_auth or self_signed_tls_client_auth.",
    ),
    Variable("CYBERID_REQUEST_OBJECT", "request_object", "plain or signed."),
    Variable("CYBERID_METADATA_TRUST", "metadata_trust", "signed; tls is a named exception."),
    Variable("CYBERID_ASSERTION_CHAIN", "assertion_chain", "required; absent is a named exception."),
    Variable(
        "CYBERID_ASSURANCE_VALUES",
        "assurance_values",
        "Which mode an acr value stands for, with an exception only: value=R02, separated by spaces.",
    ),
    Variable("CYBERID_PERSISTENCE", "persistence", "A, B or C, with an exception only."),
    Variable("CYBERID_ALGORITHM", "algorithm", "The one that the issuer signs with."),
    Variable("CYBERID_REVOCATION", "revocation.policy", "require, tolerate_outage or off."),
    Variable("CYBERID_REVOCATION_OUTAGE_MINUTES", "revocation.outage_minutes", "For tolerate_outage."),
    Variable("CYBERID_ISSUER_HOSTS", "issuer_hosts", "Hosts of the issuer's endpoints."),
    Variable("CYBERID_REVOCATION_HOSTS", "revocation_hosts", "Hosts of the revocation lists."),
    Variable("CYBERID_AGE_BAND", "age_band", "true or false: whether logins ask for it."),
    Variable("CYBERID_CLOCK_LEEWAY", "clock_leeway", "Seconds, 0 to 60."),
    Variable("CYBERID_PENDING_LIFETIME", "pending_lifetime", "Seconds, 60 to 3600."),
    Variable("CYBERID_APP_LAUNCH_ORG_ID", "app_launch.org_id", "The institution, as registered."),
    Variable(
        "CYBERID_APP_LAUNCH_APP_IDS",
        "app_launch.app_ids",
        "The app id of each platform, as registered: android=… ios=…, separated by spaces.",
    ),
    Variable(
        "CYBERID_APP_LAUNCH_APP_CALLER", "app_launch.app_caller", "verified; unverified is an exception."
    ),
    Variable(
        "CYBERID_APP_LAUNCH_OUTCOMES",
        "app_launch.outcomes",
        "What a resultCode of the ID app means: C0000000=success, separated by spaces.",
    ),
    Variable(
        "CYBERID_WALLET_ENDPOINT", "wallet.endpoint", "The https URL below which the app answers wallets."
    ),
    Variable("CYBERID_WALLET_CROSS_DEVICE", "wallet.cross_device", "refused or allowed."),
    Variable("CYBERID_WALLET_URI", "wallet.wallet_uri", "What opens a wallet."),
    Variable("CYBERID_WALLET_FORMAT", "wallet.credential_format", "The format of credentials."),
    Variable("CYBERID_WALLET_ALGORITHM", "wallet.algorithm", "The one that signs credentials."),
    Variable(
        "CYBERID_WALLET_HOLDER_ALGORITHM",
        "wallet.holder_algorithm",
        "The one of the keys that credentials are bound to.",
    ),
    Variable(
        "CYBERID_WALLET_LIFETIME", "wallet.lifetime", "Seconds, 60 to 600, that a person has to answer."
    ),
    Variable("CYBERID_HTTP_CONNECT_TIMEOUT", "http.connect_timeout", "Seconds."),
    Variable("CYBERID_HTTP_READ_TIMEOUT", "http.read_timeout", "Seconds."),
    Variable("CYBERID_HTTP_TOTAL_TIMEOUT", "http.total_timeout", "Seconds."),
    Variable("CYBERID_HTTP_PROXY", "http.proxy", "http://host:port; other proxy variables are not used."),
    Variable("CYBERID_HTTP_CA", "http.ca", "Certificate authorities for TLS, PEM.", in_file=True),
    Variable("CYBERID_HTTP_POOL_SIZE", "http.pool_size", "Connections kept open."),
    Variable(
        "CYBERID_STORE",
        "store",
        "Where logins wait: a redis://, rediss:// or database URL. The app and cyberid doctor read it.",
        in_file=True,
    ),
)


def from_env(environ: Mapping[str, str] | None = None, *, trust: TrustStore | None = None) -> RelyingParty:
    """Make a configuration of the environment; see :meth:`RelyingParty.from_env`."""
    with OwnFramesDropped():
        values = _values_of(os.environ if environ is None else environ)
        values.pop("store", None)
        try:
            return relying_party_from(_nested(values), trust=trust)
        except ConfigurationError as error:
            raise ConfigurationError(error.code, _variable_for(error.setting)) from None


def _variable_for(setting: str | None) -> str | None:
    """Return the variable that an operator would look at for a setting, or the setting's own name."""
    if setting is None:
        return None
    for variable in ENVIRONMENT:
        if variable.setting == setting or variable.setting.startswith(f"{setting}."):
            return variable.name
    # An entry of a table has no variable of its own.
    tables = (variable.name for variable in ENVIRONMENT if setting.startswith(f"{variable.setting}."))
    return next(tables, setting)


def store_url(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the address of the store, from ``CYBERID_STORE`` or the file that ``CYBERID_STORE_FILE`` names.

    Raises:
        ConfigurationError: as for :func:`from_env`.
    """
    return _values_of(os.environ if environ is None else environ).get("store")


def from_toml(path: str | os.PathLike[str], *, trust: TrustStore | None = None) -> RelyingParty:
    """Make a configuration of a TOML file; see :meth:`RelyingParty.from_toml`."""
    with OwnFramesDropped():
        place = Path(path)
        mapping = parse_toml(_read(place, "toml"))
        try:
            whole = _with_files(mapping, place.parent, "")
        except RecursionError:
            # Dotted names nest as deeply as a file is long.
            raise ConfigurationError("config.toml") from None
        return relying_party_from(whole, trust=trust)


def trust_from_file(path: str | os.PathLike[str]) -> TrustStore:
    """Pin the roots of a file; see :meth:`TrustStore.from_file`."""
    data = _read(Path(path), "trust")
    return TrustStore.from_bundle(data) if data.lstrip().startswith(b"{") else TrustStore.from_pem(data)


def _values_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return setting to value for every variable that is set."""
    known = {variable.name: variable for variable in ENVIRONMENT}
    values: dict[str, str] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        variable, is_file = known.get(name), False
        if variable is None and name.endswith(FILE_SUFFIX):
            variable, is_file = known.get(name.removesuffix(FILE_SUFFIX)), True
        # A misspelt name must not leave a protection switched off.
        if variable is None or (is_file and not variable.in_file):
            raise ConfigurationError("config.unknown_setting", name)
        if variable.setting in values:
            raise ConfigurationError("config.given_twice", variable.name)
        values[variable.setting] = _read_text(Path(environ[name]), name) if is_file else environ[name]
    return values


def _nested(values: Mapping[str, str]) -> dict[str, object]:
    """Turn dotted names into tables, and tables with numbers for names into lists."""
    top: dict[str, object] = {}
    for setting, value in values.items():
        *path, last = setting.split(".")
        table = top
        for name in path:
            inner = table.setdefault(name, {})
            if not isinstance(inner, dict):
                raise ConfigurationError("config.value", setting)
            table = inner
        table[last] = value
    return {name: _listed(value) for name, value in top.items()}


def _listed(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner)]
    return inner


def _with_files(value: object, folder: Path, place: str) -> dict[str, object]:
    """Put the content of a file in the place of each ``NAME_file`` that names one."""
    if not isinstance(value, dict):
        raise ConfigurationError("config.value", place)
    read: dict[str, object] = {}
    for name, each in value.items():
        inner = f"{place}.{name}" if place else name
        target, content = name, each
        if isinstance(each, dict):
            content = _with_files(each, folder, inner)
        elif isinstance(each, list) and any(isinstance(item, dict) for item in each):
            content = [_with_files(item, folder, f"{inner}.{number}") for number, item in enumerate(each)]
        elif name.endswith("_file"):
            if not isinstance(each, str):
                raise ConfigurationError("config.value", inner)
            target, content = name.removesuffix("_file"), _read_text(folder / each, inner)
        if target in read:
            raise ConfigurationError("config.given_twice", f"{place}.{target}" if place else target)
        read[target] = content
    return read


def _read_text(path: Path, setting: str) -> str:
    try:
        # Editors and echo end a file with a line feed that no secret ends with.
        return _read(path, setting).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigurationError("config.file", setting) from None


def _read(path: Path, setting: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX_BYTES + 1)
    except (OSError, ValueError):
        raise ConfigurationError("config.file", setting) from None
    if len(data) > FILE_MAX_BYTES:
        raise ConfigurationError("config.file", setting)
    return data
