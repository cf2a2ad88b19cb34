"""All keys of a relying party in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cyberid_client.config.keys import ClientCertificate, ClientKey, DecryptionKey
from cyberid_client.config.wallet import WalletIdentity
from cyberid_client.errors import ConfigurationError

__all__ = ["ClientKeys"]

KEYS_LIMIT: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKeys:
    """All keys of a relying party.

    During a rotation publish the next key in ``also_published`` until the issuer has seen it, then sign
    with it, and publish the old one for as long as assertions made with it may still be on their way.

    Attributes:
        signing: signs requests and client assertions.
        decryption: opens encrypted assertions; the newest first, older ones during a rotation.
        also_published: signing keys that :meth:`Client.jwks` shows beside ``signing``, and that sign nothing.
        tls: shown in TLS; needed for ``sender_constraint="mtls"`` and for client authentication by TLS.
        wallet: shown to wallets; needed for presentations.

    Raises:
        ConfigurationError: one of them is of another kind, or two have the same key id.
    """

    signing: ClientKey
    decryption: tuple[DecryptionKey, ...] = ()
    also_published: tuple[ClientKey, ...] = ()
    tls: ClientCertificate | None = None
    wallet: WalletIdentity | None = None

    def __post_init__(self) -> None:
        if not _are((self.signing,), ClientKey) or not _are(self.also_published, ClientKey):
            raise ConfigurationError("config.client_key", "keys.signing")
        if not _are(self.decryption, DecryptionKey):
            raise ConfigurationError("config.decryption_key", "keys.decryption")
        if not isinstance(self.tls, ClientCertificate | None):
            raise ConfigurationError("config.client_certificate", "keys.tls")
        if not isinstance(self.wallet, WalletIdentity | None):
            raise ConfigurationError("config.wallet_identity", "keys.wallet")
        kids = [key.kid for key in self._published]
        if len(set(kids)) != len(kids):
            raise ConfigurationError("config.client_keys", "keys")

    @property
    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public halves as a JWK set (RFC 7517 §5), for a ``jwks_uri`` of the relying party's own."""
        return {"keys": [key.public_jwk for key in self._published]}

    @property
    def _published(self) -> tuple[ClientKey | DecryptionKey, ...]:
        return (self.signing, *self.also_published, *self.decryption)


def _are(keys: object, kind: type) -> bool:
    return isinstance(keys, tuple) and len(keys) <= KEYS_LIMIT and all(isinstance(key, kind) for key in keys)
