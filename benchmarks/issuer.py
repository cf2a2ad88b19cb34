"""Serve a mock issuer on loopback, ``python issuer.py [none|dpop]``, until standard input is closed.

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
    constraint = sys.argv[1] if len(sys.argv) > 1 else "none"
    client = issuer.register(client_id=CLIENT_ID, redirect_uri=REDIRECT_URI, sender_constraint=constraint)
    # The strictest there is: a nonce in every proof, and a new one with every success.
    issuer.demand_dpop_nonce(constraint == "dpop")
    issuer.agree_automatically()
    with issuer.serve() as url:
        settings = {
            "issuer": url,
            "root_pem": issuer.root_pem.decode(),
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "key_pem": client.key_pem.decode(),
            "sender_constraint": constraint,
        }
        print(json.dumps(settings), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
