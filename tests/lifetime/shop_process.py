"""What the processes of these tests share: a client made from a few lines of JSON, and a person's browser.

It is loaded by path, in processes of their own.
"""

from __future__ import annotations

import http.client
import json
import logging
from pathlib import Path
from urllib.parse import urlsplit

from cyberid_client import Client, ClientKey, Login, RelyingParty, TrustStore
from cyberid_client.ports import PendingStore
from cyberid_client.stores import SealedCookieStore

# What is expected to be refused is no message on the standard error.
logging.getLogger("cyberid_client").addHandler(logging.NullHandler())

SHARED_KEY = b"one key for all of these processes"


def read_config(path: str) -> dict[str, str]:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def make_client(config: dict[str, str], *, pending: PendingStore | None = None) -> Client:
    rp = RelyingParty(
        issuer=config["issuer"],
        client_id="shop",
        redirect_uri=config["redirect_uri"],
        key=ClientKey.from_pem(config["key_pem"].encode()),
        trust=TrustStore.for_tests(config["root_pem"].encode()),
    )
    return Client(rp, pending=SealedCookieStore({"k1": SHARED_KEY}) if pending is None else pending)


def agree(url: str) -> str:
    """Go where the app sends the browser; the issuer agrees without a page. Return the callback."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        answer.read()
        return answer.headers["location"]
    finally:
        connection.close()


def log_in(client: Client) -> Login:
    request = client.start_login()
    return client.finish_login(agree(request.url), handle=request.handle)
