"""Starting and ending an app's own process."""

from __future__ import annotations

import click
import pytest

from cyberid_client.cli.app_process import free_port, run_app
from cyberid_client.testing import MockIssuer

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready http://127.0.0.1:" + sys.argv[sys.argv.index("--port") + 1], flush=True)
time.sleep(60)
"""


@pytest.fixture
def start(tmp_path):
    """Give a function that runs an app of this code."""
    issuer, folder = MockIssuer(), tmp_path / "run"
    registered = issuer.register(client_id="app", redirect_uri="https://app.example/callback")
    folder.mkdir()

    def run(code, **more):
        (tmp_path / "demo.py").write_text(code)
        return run_app(
            tmp_path,
            issuer=issuer,
            client=registered,
            port=free_port(),
            folder=folder,
            **more,
        )

    return run


def test_app_that_never_listens(start):
    """An app that is not ready in time is ended, and its last words are told."""
    code = "import time; print('still thinking', flush=True); time.sleep(60)"
    with pytest.raises(click.ClickException) as caught, start(code, start_seconds=1.5):
        pass
    assert caught.value.message == "The app did not listen within 1.5 seconds: still thinking"


def test_app_that_will_not_end(start):
    """An app that does not end when asked to is killed."""
    with start(STUBBORN, stop_seconds=0.2) as app:
        assert app.process.poll() is None
    assert app.process.returncode == -9


def test_key_is_for_the_owner_only(start):
    """The app's private key lies in a file that only its owner can read."""
    with start(STUBBORN, stop_seconds=0.0) as app:
        assert (app.data.parent / "key.pem").stat().st_mode & 0o777 == 0o600
