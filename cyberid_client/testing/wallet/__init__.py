"""A wallet simulator: it enrols, fetches whole buckets ahead, answers requests, and can be made dishonest."""

from cyberid_client.testing.wallet.faults import WALLET_FAULTS, WALLET_ODDITIES
from cyberid_client.testing.wallet.refusal import WalletRefusal
from cyberid_client.testing.wallet.server import WalletServer
from cyberid_client.testing.wallet.wallet import Wallet, WalletAnswer

__all__ = ["WALLET_FAULTS", "WALLET_ODDITIES", "Wallet", "WalletAnswer", "WalletRefusal", "WalletServer"]
