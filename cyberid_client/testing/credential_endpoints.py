"""The issuer's endpoints for wallets: enrol, read the directory, fetch whole buckets. No app ever comes here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from cyberid_client.testing.credentials import CredentialDesk
from cyberid_client.testing.directory import BUCKETS
from cyberid_client.testing.pushed import read_form
from cyberid_client.testing.refusal import invalid_request

if TYPE_CHECKING:
    from cyberid_client.testing.service import Call

__all__ = ["WALLET_PATHS", "CredentialEndpoints", "wallet_path"]

WALLET_PATHS: Final = {
    "enrol": "/wallet/enrol",
    "directory": "/wallet/directory",
    "credentials": "/wallet/credentials",
}
_MEMBERS_MAX: Final = 8


def wallet_path(path: str) -> str | None:
    """Return the path of an endpoint for wallets as the log shows it, ``None`` for any other.

    With a bucket's number at its end where there is one, and nothing else that a wallet said.
    """
    if path in {WALLET_PATHS["enrol"], WALLET_PATHS["directory"]}:
        return path
    folder, _, number = path.rpartition("/")
    is_bucket = number.isascii() and number.isdigit() and number == str(int(number)) and int(number) < BUCKETS
    return path if is_bucket and folder in {WALLET_PATHS["directory"], WALLET_PATHS["credentials"]} else None


class CredentialEndpoints:
    """Answer wallets.

    Args:
        desk: what answers are made of.
    """

    def __init__(self, desk: CredentialDesk) -> None:
        self._desk = desk

    def answer(self, call: Call, now: datetime) -> dict[str, object] | None:
        """Return the document that answers a call; ``None``: there is no such endpoint, or no such method.

        Raises:
            Refusal: the wallet asks for what it does not get.
        """
        path = wallet_path(call.path) or ""
        number = path.rpartition("/")[2]
        routes: dict[tuple[str, str], Callable[[], dict[str, object]]] = {
            ("POST", WALLET_PATHS["enrol"]): lambda: self._enrol(call),
            ("GET", WALLET_PATHS["directory"]): self._index,
        }
        if number.isdigit():
            bucket = int(number)
            routes["GET", f"{WALLET_PATHS['directory']}/{number}"] = lambda: self._bucket(bucket)
            routes["POST", f"{WALLET_PATHS['credentials']}/{number}"] = lambda: self._issue(bucket, call, now)
        route = routes.get((call.method, path))
        return None if route is None else route()

    def _enrol(self, call: Call) -> dict[str, object]:
        return {"enrolment": self._desk.enrol(read_form(call.body, call.headers))}

    def _index(self) -> dict[str, object]:
        return {"epoch_length": self._desk.epoch_length, **self._desk.directory.index()}

    def _bucket(self, bucket: int) -> dict[str, object]:
        return {"sectors": list(self._desk.directory.bucket(bucket))}

    def _issue(self, bucket: int, call: Call, now: datetime) -> dict[str, object]:
        try:
            document = json.loads(call.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or len(document) > _MEMBERS_MAX:
            raise invalid_request("the body is no JSON object")
        return self._desk.issue(bucket, document, now)
