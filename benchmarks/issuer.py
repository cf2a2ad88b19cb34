"""Serve a mock issuer on loopback in a process of its own, until standard input is closed.

Writes one line of JSON to standard output: how a client of it is configured.
"""

from __future__ import annotations

import json
import sys
from typing import Final

from cyberid_client.testing import MockIssuer

CLIENT_ID: Final = "shop"
REDIRECT_URI: Final = "https://shop.example/callback"


def main() -> None:
    """Serve, and let one person agree to everything."""
    issuer = MockIssuer()
    client = issuer.register(client_id=CLIENT_ID, redirect_uri=REDIRECT_URI)
    issuer.agree_automatically()
    with issuer.serve() as url:
        settings = {
            "issuer": url,
            "root_pem": issuer.root_pem.decode(),
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "key_pem": client.key_pem.decode(),
        }
        print(json.dumps(settings), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
