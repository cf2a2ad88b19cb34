"""The example shop as gunicorn serves it behind a proxy; loaded by path in every worker."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

SETTINGS = json.loads(Path(os.environ["SHOP_SETTINGS"]).read_text(encoding="utf-8"))
sys.path.insert(0, SETTINGS["shop"])

from app import create_app  # noqa: E402 - after the path
from demo import open_database, pending_store, replay_store  # noqa: E402 - as above
from werkzeug.middleware.proxy_fix import ProxyFix  # noqa: E402 - as above

from cyberid_client import Client, ClientKey, PseudonymKeys, RelyingParty, TrustStore  # noqa: E402 - as above

KEYS = PseudonymKeys({"k1": b"1" * 32})


def make_app():
    """Make the shop as each worker has it: nothing but the database is shared."""
    party = RelyingParty(
        issuer=SETTINGS["issuer"],
        client_id="shop",
        redirect_uri=f"{SETTINGS['url']}/id/callback",
        sector="https://shop.example",
        key=ClientKey.from_pem(SETTINGS["key_pem"].encode()),
        trust=TrustStore.for_tests(SETTINGS["root_pem"].encode()),
        pseudonym_keys=KEYS,
    )
    engine = open_database(Path(SETTINGS["data"]), os.environ.get("SHOP_DATABASE_URL"))
    pending = pending_store(engine, os.environ.get("SHOP_REDIS_URL"))
    client = Client(party, pending=pending, replay=replay_store(engine))
    shop = create_app(client, engine, url=SETTINGS["url"], secret_key=b"2" * 32, keys=KEYS)
    shop.after_request(_say_who)
    # One proxy, which says under which prefix the browser sees the shop, and nothing about host or scheme.
    shop.wsgi_app = ProxyFix(shop.wsgi_app, x_for=0, x_proto=0, x_host=0, x_prefix=1)
    return shop


def _say_who(response):
    response.headers["X-Worker"] = str(os.getpid())
    return response


application = make_app()
