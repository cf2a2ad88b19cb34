"""An issuer on loopback, and processes that log in there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cyberid_client.testing import MockIssuer

HERE = Path(__file__).parent
LOAD = f"import runpy; globals().update(runpy.run_path({str(HERE / 'shop_process.py')!r}))\n"


@pytest.fixture
def issuer() -> Iterator[MockIssuer]:
    issuer = MockIssuer()
    issuer.agree_automatically()
    with issuer.serve():
        yield issuer


@pytest.fixture
def config(issuer: MockIssuer, tmp_path: Path) -> Path:
    """What a process must know to be the shop, as a file."""
    registered = issuer.register(client_id="shop", redirect_uri="http://127.0.0.1/callback")
    path = tmp_path / "shop.json"
    members = {
        "issuer": issuer.issuer,
        "redirect_uri": registered.redirect_uri,
        "key_pem": registered.key_pem.decode(),
        "root_pem": issuer.root_pem.decode(),
    }
    path.write_text(json.dumps(members), encoding="utf-8")
    return path


@pytest.fixture
def run(config: Path) -> Callable[[str], str]:
    """Return a function that runs a script in a fresh interpreter and returns what it printed.

    Every warning is an error there, and nothing may be written to the standard error.
    """

    def run_script(script: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-X", "dev", "-W", "error", "-c", LOAD + script, str(config)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": "random"},
        )
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout

    return run_script
