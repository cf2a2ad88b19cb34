"""Start the shop against an issuer on loopback: ``cyberid demo --app examples/shop`` calls this.

Prints ``ready URL`` when it listens, and serves until it is ended. The data folder holds, in a file of
its own, the two secrets that must be the same after a restart, and the database, unless
``SHOP_DATABASE_URL`` names another one (``postgresql://…``). With ``SHOP_REDIS_URL`` the logins that are
under way wait in Redis instead of the database.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import sys
from pathlib import Path

from app import create_app
from sqlalchemy import Engine, create_engine, make_url
from werkzeug.serving import WSGIRequestHandler, make_server

from cyberid_client import Client, ClientKey, CyberIDError, PseudonymKeys, RelyingParty, TrustStore
from cyberid_client.ports import PendingStore
from cyberid_client.stores.redis import RedisPendingStore
from cyberid_client.stores.sql import SQLPendingStore, SQLReplayStore

HOST = "127.0.0.1"


class Handler(WSGIRequestHandler):
    """Log paths without their queries: the query of a callback holds a code and a state."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - as werkzeug says
        """Write one line per request."""
        self.log("info", "%s %s %s", self.command, self.path.partition("?")[0], code)


def main(arguments: list[str]) -> int:
    """Serve the shop; return the exit code."""
    options = read_options(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    url = f"http://{HOST}:{options.port}"
    try:
        session_key, pseudonym_key = keep_secrets(options.data / "secrets.json")
        keys = PseudonymKeys({"k1": pseudonym_key})
        party = RelyingParty(
            issuer=options.issuer,
            client_id=options.client_id,
            redirect_uri=f"{url}/id/callback",
            key=ClientKey.from_pem(options.key.read_bytes()),
            # The mock issuer's root carries the test mark, which TrustStore.from_pem refuses.
            trust=TrustStore.for_tests(options.root.read_bytes()),
            algorithm=options.alg,
            pseudonym_keys=keys,
        )
        engine = open_database(options.data, os.environ.get("SHOP_DATABASE_URL"))
        pending = pending_store(engine, os.environ.get("SHOP_REDIS_URL"))
        with Client(party, pending=pending, replay=replay_store(engine)) as client:
            app = create_app(client, engine, url=url, secret_key=session_key, keys=keys)
            with make_server(HOST, options.port, app, threaded=True, request_handler=Handler) as server:
                sys.stdout.write(f"ready {url}\n")
                sys.stdout.flush()
                server.serve_forever()
    except CyberIDError as error:
        sys.stderr.write(f"The shop cannot start: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The shop cannot start: {error.strerror}: {error.filename or url}\n")
        return 1
    return 0


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="The example shop on loopback.")
    parser.add_argument("--issuer", required=True, help="the issuer identifier")
    parser.add_argument("--client-id", required=True, help="the client id that the issuer knows")
    parser.add_argument("--root", required=True, type=Path, metavar="PEMFILE", help="the root to pin")
    parser.add_argument("--key", required=True, type=Path, metavar="PEMFILE", help="the client's private key")
    parser.add_argument("--port", required=True, type=int, help="where to listen on 127.0.0.1")
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="where database and secrets are"
    )
    parser.add_argument("--alg", default="ES256", metavar="NAME", help="what the issuer signs with")
    return parser.parse_args(arguments)


def open_database(folder: Path, address: str | None) -> Engine:
    """Open the shop's database: the one at an address, or a file."""
    url = make_url(address or f"sqlite:///{folder / 'shop.sqlite3'}")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, pool_pre_ping=True)


def pending_store(engine: Engine, redis_url: str | None = None) -> PendingStore:
    """Keep logins that are under way where every process of the shop finds them."""
    if redis_url:
        return RedisPendingStore(redis_url)
    store = SQLPendingStore(engine)
    store.create_tables()
    return store


def replay_store(engine: Engine) -> SQLReplayStore:
    """Remember notices and events in the shop's own database, where they also take effect."""
    store = SQLReplayStore(engine)
    store.create_tables()
    return store


def keep_secrets(path: Path) -> tuple[bytes, bytes]:
    """Return the session key and the pseudonym key; made at the first start, readable for the owner only."""
    if not path.exists():
        made = {"session_key": secrets.token_hex(32), "pseudonym_key": secrets.token_hex(32)}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file)
    kept = json.loads(path.read_text())
    return bytes.fromhex(kept["session_key"]), bytes.fromhex(kept["pseudonym_key"])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)
