"""Start everything on loopback: a mock issuer, something that plays the wallet, and the office.

``python -m tickets`` serves until Ctrl-C; ``--script`` walks through the office without a browser and ends.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import threading
from contextlib import ExitStack, closing
from pathlib import Path

from cyberid_client import CyberIDError
from cyberid_client.testing import MockIssuer, Wallet

from .mock import register
from .running import HOST, listen, serve
from .serve import create
from .walk import Walk, WalkError, say

PERSON = "adult"


def main(arguments: list[str]) -> int:
    """Start, and walk or wait; return the exit code."""
    options = read_options(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with ExitStack() as stack:
            folder = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tickets-")))
            run(stack, folder, port=options.port, is_script=options.script)
    except CyberIDError as error:
        sys.stderr.write(f"The ticket office cannot start: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The ticket office cannot start: {error.strerror}: {error.filename or HOST}\n")
        return 1
    except WalkError as error:
        sys.stderr.write(f"The walk ended: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def run(stack: ExitStack, folder: Path, *, port: int, is_script: bool) -> None:
    """Start issuer, wallet and office, and walk or wait."""
    issuer = MockIssuer()
    stack.enter_context(issuer.serve())
    where = stack.enter_context(closing(listen(port)))
    url = f"http://{HOST}:{where.getsockname()[1]}"
    wallet = Wallet(issuer)
    environ = register(issuer, url=url, wallet_uri=f"{url}/wallet", folder=folder)
    stack.enter_context(serve(create(environ), where))
    wallet.enrol(PERSON).prefetch(url)
    if is_script:
        Walk(url=url, issuer=issuer, wallet=wallet).all()
        return
    say(f"Ticket office  {url}\nMock issuer    {issuer.issuer}\nCtrl-C ends it.")
    threading.Event().wait()


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tickets", description="The example ticket office on loopback."
    )
    parser.add_argument(
        "--script", action="store_true", help="walk through the office without a browser, and end"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="where to listen on 127.0.0.1; any free port by default"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="keep database and secrets there; else they go"
    )
    return parser.parse_args(arguments)
