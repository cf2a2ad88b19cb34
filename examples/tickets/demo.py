"""Start everything on loopback: a mock issuer, something that plays the wallet, and the office.

``python -m tickets`` serves until Ctrl-C; ``--script`` walks through the office without a browser and ends.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from sqlalchemy.exc import ArgumentError

from cyberid_client import CyberIDError
from cyberid_client.testing import MockIssuer

from .camera import PATH as CAMERA
from .running import HOST, StartError, run_office
from .walk import Walk, WalkError, say

# Where the office and logins under way are kept may be chosen for the demo, too.
STORES = ("TICKETS_DATABASE_URL", "CYBERID_STORE")
PORT_MAX = 65_535


def main(arguments: list[str]) -> int:
    """Start, and walk or wait; return the exit code."""
    options = read_options(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with tempfile.TemporaryDirectory(prefix="tickets-") as temporary:
            run(options.data or Path(temporary), port=options.port, is_script=options.script)
    except (CyberIDError, StartError, ArgumentError) as error:
        return fail(f"The ticket office cannot start: {error}")
    except OSError as error:
        return fail(f"The ticket office cannot start: {error.strerror}: {error.filename or HOST}")
    except WalkError as error:
        return fail(f"The walk ended: {error}")
    except KeyboardInterrupt:
        return 0
    return 0


def fail(sentence: str) -> int:
    """Say why it ends, and return the exit code."""
    sys.stderr.write(f"{sentence}\n")
    return 1


def run(folder: Path, *, port: int, is_script: bool) -> None:
    """Start issuer, wallets and office, and walk or wait."""
    issuer = MockIssuer()
    more = {name: os.environ[name] for name in STORES if name in os.environ}
    with issuer.serve(), run_office(issuer, folder, port=port, more=more) as office:
        if is_script:
            Walk(url=office.url, issuer=issuer).all()
            return
        say(f"Ticket office   {office.url}")
        say(f"Phone's camera  {office.url}{CAMERA}   leads to where the newest code leads")
        say(f"Mock issuer     {issuer.issuer}")
        say("Everybody is made up. Ctrl-C ends it.")
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
        "--port",
        type=port_number,
        metavar="N",
        default=0,
        help="where to listen on 127.0.0.1; any free port by default",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="keep database and secrets there; else they go"
    )
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    """Read a port.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) > PORT_MAX:
        message = f"from 0 to {PORT_MAX}"
        raise argparse.ArgumentTypeError(message)
    return int(text)
