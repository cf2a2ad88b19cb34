"""The popular way to serve: gunicorn loads the app once, then forks its workers."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

HERE = Path(__file__).parent
WORKERS = 2
LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")


@pytest.fixture
def port(config: Path, tmp_path: Path) -> Iterator[int]:
    """Serve the shop by gunicorn, and end it by its process id."""
    log = tmp_path / "gunicorn.log"
    command = [sys.executable, "-m", "gunicorn", "--preload", f"--workers={WORKERS}", "--bind=127.0.0.1:0"]
    command += ["--no-control-socket"]
    command += [f"--pythonpath={HERE}", f"--log-file={log}", "--graceful-timeout=5", "gunicorn_app:app"]
    # It looks for modules where it is started, so it is started where none are.
    path = os.pathsep.join(
        str(Path(each).resolve()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each
    )
    environment = {**os.environ, "PYTHONPATH": path, "SHOP_CONFIG": str(config), "SHOP_DIRECTORY": str(HERE)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment)  # noqa: S603 - our own command
    try:
        yield _port_in(log, process)
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert 0 == process.returncode
    assert "Traceback" not in log.read_text(encoding="utf-8")


def _port_in(log: Path, process: subprocess.Popen[bytes]) -> int:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at and process.poll() is None:
        found = LISTENING.search(log.read_text(encoding="utf-8")) if log.exists() else None
        if found:
            return int(found[1])
        time.sleep(0.05)
    message = f"gunicorn did not start: {log.read_text(encoding='utf-8') if log.exists() else ''}"
    raise AssertionError(message)


def _get(origin: str, target: str, *, cookie: str = "") -> tuple[http.client.HTTPMessage, bytes]:
    # A connection for each request, so that any worker may answer it.
    connection = http.client.HTTPConnection(origin, timeout=30)
    try:
        connection.request("GET", target, headers={"Cookie": cookie, "Connection": "close"})
        answer = connection.getresponse()
        return answer.headers, answer.read()
    finally:
        connection.close()


def _log_in(port: int) -> tuple[str, dict[str, object]]:
    """Walk one login through, and return which worker started it, and what the other leg said."""
    shop = f"127.0.0.1:{port}"
    started, _ = _get(shop, "/login")
    place = urlsplit(started["location"])
    agreed, _ = _get(place.netloc, f"{place.path}?{place.query}")
    back = urlsplit(agreed["location"])
    _, body = _get(shop, f"{back.path}?{back.query}", cookie=started["set-cookie"].partition(";")[0])
    return started["x-worker"], json.loads(body)


def test_logins_go_on_in_every_worker_after_preload(port, issuer):
    """The client was used before the fork: both workers start and finish logins, also each other's."""
    expected = {issuer.pseudonym("adult", sector="http://127.0.0.1")}
    legs = set()
    ends_at = time.monotonic() + 60
    while len(legs) < WORKERS**2 and time.monotonic() < ends_at:
        starter, said = _log_in(port)
        assert (expected, "/cart") == ({said.get("pseudonym")}, said.get("return_to")), said
        legs.add((starter, str(said["worker"])))
    workers = {worker for leg in legs for worker in leg}
    assert WORKERS == len(workers)
    assert {(one, other) for one in workers for other in workers} == legs
