"""Everything an app needs to test its login: a mock issuer, named faults, a clock, a scripted browser.

Made-up people, real cryptography. Every certificate carries a test mark that production trust
stores refuse.
"""

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.browser import Browser
from cyberid_client.testing.clients import RegisteredClient
from cyberid_client.testing.clock import ManualClock
from cyberid_client.testing.delivery import Delivery, Posting
from cyberid_client.testing.events import EventDesk
from cyberid_client.testing.faults import (
    CREDENTIAL_FAULTS,
    CREDENTIAL_ODDITIES,
    EVENT_FAULTS,
    EVENT_ODDITIES,
    FAULTS,
    LOGOUT_FAULTS,
    LOGOUT_ODDITIES,
    ODDITIES,
    RECEIPT_FAULTS,
    RECEIPT_ODDITIES,
    STATUS_FAULTS,
)
from cyberid_client.testing.issuer import MockIssuer
from cyberid_client.testing.logout import Session
from cyberid_client.testing.people import Person
from cyberid_client.testing.phone import MOCK_OUTCOMES, Phone
from cyberid_client.testing.registration import RegisteredApp
from cyberid_client.testing.service import RequestRecord
from cyberid_client.testing.status_lists import StatusPublisher
from cyberid_client.testing.wallet import WALLET_FAULTS, WALLET_ODDITIES, Wallet, WalletAnswer, WalletServer

__all__ = [
    "CREDENTIAL_FAULTS",
    "CREDENTIAL_ODDITIES",
    "EVENT_FAULTS",
    "EVENT_ODDITIES",
    "FAULTS",
    "LOGOUT_FAULTS",
    "LOGOUT_ODDITIES",
    "MOCK_OUTCOMES",
    "ODDITIES",
    "RECEIPT_FAULTS",
    "RECEIPT_ODDITIES",
    "STATUS_FAULTS",
    "WALLET_FAULTS",
    "WALLET_ODDITIES",
    "Browser",
    "Delivery",
    "EventDesk",
    "Fault",
    "ManualClock",
    "MockIssuer",
    "Oddity",
    "Person",
    "Phone",
    "Posting",
    "RegisteredApp",
    "RegisteredClient",
    "RequestRecord",
    "Session",
    "StatusPublisher",
    "Wallet",
    "WalletAnswer",
    "WalletServer",
]
