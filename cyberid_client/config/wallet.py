"""How wallets know the relying party, and where they send their answers."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Final, Literal, Never

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cyberid_client.config.bounds import is_whole
from cyberid_client.config.keys import ClientKey
from cyberid_client.errors import ConfigurationError
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.wire.base64url import encode_base64url

__all__ = ["WalletIdentity", "WalletSettings"]

CERTIFICATES_MAX: Final = 5
_SCHEME: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{1,31}://|https?://)[!-~]{0,200}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletIdentity:
    """What the relying party shows to wallets: a certificate that names its sector, and the key of it.

    Attributes:
        chain: DER, leaf first, without the root.
        key: signs the requests; may be held elsewhere.

    Raises:
        ConfigurationError: ``config.wallet_identity``: they cannot be read, or do not belong together.
    """

    chain: tuple[bytes, ...] = field(repr=False)
    key: ClientKey

    def __post_init__(self) -> None:
        with OwnFramesDropped():
            chain: object = self.chain
            is_chain = isinstance(chain, tuple) and 0 < len(chain) <= CERTIFICATES_MAX
            if not is_chain or not isinstance(self.key, ClientKey):
                raise ConfigurationError("config.wallet_identity", "keys.wallet")
            try:
                leaf = x509.load_der_x509_certificate(self.chain[0])
                own = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            except (TypeError, ValueError, UnsupportedAlgorithm):
                raise ConfigurationError("config.wallet_identity", "keys.wallet") from None
            if own != self.key.public_key_info:
                raise ConfigurationError("config.wallet_identity", "keys.wallet")

    @classmethod
    def from_pem(
        cls, certificate_pem: bytes, key_pem: bytes, *, password: bytes | None = None
    ) -> WalletIdentity:
        """Read certificates and key.

        Args:
            certificate_pem: leaf first, without the root.
            key_pem: as for :meth:`ClientKey.from_pem`.
            password: for an encrypted key.

        Raises:
            ConfigurationError: as the class.
        """
        with OwnFramesDropped():
            try:
                certificates = x509.load_pem_x509_certificates(certificate_pem)
            except (TypeError, ValueError):
                raise ConfigurationError("config.wallet_identity", "keys.wallet") from None
            chain = tuple(each.public_bytes(Encoding.DER) for each in certificates)
            try:
                key = ClientKey.from_pem(key_pem, password=password)
            except ConfigurationError:
                # A client has other keys, too: the name says which one it is.
                raise ConfigurationError("config.wallet_identity", "keys.wallet.key") from None
            return cls(chain=chain, key=key)

    @property
    def client_id(self) -> str:
        """The OpenID4VP client id (1.0 §5.9.3): ``x509_hash:`` and the SHA-256 of the leaf in base64url."""
        return f"x509_hash:{encode_base64url(hashlib.sha256(self.chain[0]).digest())}"

    def __reduce__(self) -> Never:
        message = "WalletIdentity is not written out"
        raise TypeError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletSettings:
    """The wallet presentation of one service (profile §5).

    Attributes:
        endpoint: the https URL below which the app answers wallets: ``/request/…``, ``/response``,
            ``/return`` and ``/code``. Its host stands in the certificate of :class:`WalletIdentity`.
        cross_device: ``"allowed"``: a wallet on another device may answer, finished by six typed digits. They
            stop a stranger who answers first, not a live phisher who has the person type them for him.
        wallet_uri: what opens a wallet: a scheme of its own, or an https address.
        credential_format: the name of an entry of ``cyberid_client.handshake.formats.FORMATS``.
        algorithm: the JWS name of the one algorithm that signs credentials; that of assertions by default.
        holder_algorithm: the JWS name of the one algorithm of the keys that credentials are bound to.
        lifetime: seconds that a person has to answer, 60 to 600.

    Raises:
        ConfigurationError: ``config.wallet``: one of them cannot be used.
    """

    endpoint: str
    cross_device: Literal["refused", "allowed"] = "refused"
    wallet_uri: str = "openid4vp://authorize"
    credential_format: str = "sd-jwt"
    algorithm: str | None = None
    holder_algorithm: str = "ES256"
    lifetime: int = 300

    def __post_init__(self) -> None:
        if self.cross_device not in ("refused", "allowed"):
            raise ConfigurationError("config.wallet", "wallet.cross_device")
        if not _is_wallet_uri(self.wallet_uri):
            raise ConfigurationError("config.wallet", "wallet.wallet_uri")
        name: object = self.credential_format
        if not isinstance(name, str):
            raise ConfigurationError("config.wallet", "wallet.credential_format")
        if self.holder_algorithm not in ("ES256", "ES384", "EdDSA"):
            raise ConfigurationError("config.wallet", "wallet.holder_algorithm")
        if not is_whole(self.lifetime, 60, 600):
            raise ConfigurationError("config.wallet", "wallet.lifetime")

    @property
    def request_uri(self) -> str:
        """Below which request objects are; the id of one follows after a slash."""
        return f"{self.endpoint}/request"

    @property
    def response_uri(self) -> str:
        """Where wallets send their answers."""
        return f"{self.endpoint}/response"

    @property
    def return_uri(self) -> str:
        """Where the browser of the same device comes back to."""
        return f"{self.endpoint}/return"

    @property
    def code_uri(self) -> str:
        """Where the wallet's device shows the six digits that are typed on the other one."""
        return f"{self.endpoint}/code"


def _is_wallet_uri(value: object) -> bool:
    return isinstance(value, str) and _SCHEME.fullmatch(value) is not None and "#" not in value
