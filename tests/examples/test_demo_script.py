"""The shop's own start script, as a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from cyberid_client.testing import Browser

# A script finds the modules beside it, unless the interpreter is told to be safe about its path.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
SCRIPT = Path(__file__).parents[2] / "examples" / "shop" / "demo.py"


def free_port():
    """Return a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextmanager
def run_script(issuer, folder, *, port):
    """Start the script, wait until it listens, and end it by its own process id."""
    registered = issuer.register(client_id="shop", redirect_uri=f"http://127.0.0.1:{port}/id/callback")
    (folder / "key.pem").write_bytes(registered.key_pem)
    (folder / "root.pem").write_bytes(issuer.root_pem)
    files = ["--root", folder / "root.pem", "--key", folder / "key.pem", "--data", folder]
    command = [
        sys.executable,
        SCRIPT,
        "--issuer",
        issuer.issuer,
        "--client-id",
        "shop",
        "--port",
        port,
        *files,
    ]
    command = [str(word) for word in command]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": ENVIRONMENT}
    with subprocess.Popen(command, text=True, **pipes) as shop:  # noqa: S603 - our own script
        try:
            yield shop.stdout.readline().strip()
        finally:
            shop.terminate()
            _, log = shop.communicate(timeout=10)
            (folder / "log").write_text(log)


@pytest.mark.slow
def test_restart_keeps_orders_and_log_keeps_no_code(issuer, tmp_path):
    """Another process on the same folder knows the orders; its log has paths without their queries."""
    port, browser = free_port(), Browser()
    url = f"http://127.0.0.1:{port}"
    for _ in range(2):
        with run_script(issuer, tmp_path, port=port) as said:
            assert said == f"ready {url}"
            page = browser.submit(browser.open(f"{url}/login"), form="id-login")
            page = browser.submit(page, {"person": "adult"}, button="allow")
            page = browser.click(page, "Clay teapot")
    assert page.text.count("Clay teapot") == 2
    log = (tmp_path / "log").read_text()
    assert "GET /id/callback 303" in log
    assert "code=" not in log
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (
            "root.pem",
            b"no certificate",
            "The shop cannot start: The pinned roots are not readable certificates.",
        ),
        (
            "key.pem",
            b"no key",
            "The shop cannot start: The client key is not a usable private key in PEM form.",
        ),
        pytest.param(
            "key.pem", None, "The shop cannot start: No such file or directory", marks=pytest.mark.slow
        ),
    ],
)
def test_unusable_start(issuer, tmp_path, file, content, words):
    """What cannot start says why in one sentence and ends with another code than 0."""
    (tmp_path / "root.pem").write_bytes(issuer.root_pem)
    (tmp_path / "key.pem").write_bytes(
        issuer.register(client_id="x", redirect_uri="https://x.example/").key_pem
    )
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    command = [
        sys.executable,
        SCRIPT,
        "--issuer",
        issuer.issuer,
        "--client-id",
        "x",
        "--port",
        "1",
        "--data",
        tmp_path,
    ]
    command += ["--root", tmp_path / "root.pem", "--key", tmp_path / "key.pem"]
    ended = subprocess.run(  # noqa: S603 - our own script
        list(map(str, command)), capture_output=True, env=ENVIRONMENT, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1].startswith(words)
