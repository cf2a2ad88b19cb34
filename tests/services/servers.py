"""Real servers for tests: started on free loopback ports in folders of their own, killed and started again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["PostgreSQLServer", "RedisServer", "SentinelServer", "find_program", "running"]

PATIENCE = 60.0
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin", "/usr/sbin")


def find_program(name: str) -> str | None:
    """Return where a server's program is, the newest of several, or ``None``."""
    folders = (str(folder) for place in _PLACES for folder in sorted(Path("/").glob(place[1:]), reverse=True))
    return shutil.which(name, path=os.pathsep.join(folders)) or shutil.which(name)


def free_port() -> int:
    """Return a loopback port on which nobody listened a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Server:
    """A process in a folder of its own that says a word when it is ready."""

    READY = ""
    GENTLY = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def account(self) -> int | None:
        """Return whose process it shall be; ``None`` for ours."""
        return None

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        # A group of its own, so that all of it can be killed at once.
        self._process = subprocess.Popen(  # noqa: S603 - a server's own program
            self.command(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            user=self.account(),
            start_new_session=True,
        )
        ready, said = threading.Event(), []
        self._reader = threading.Thread(target=self._read, args=(self._process, ready, said), daemon=True)
        self._reader.start()
        if not ready.wait(PATIENCE) or self._process.poll() is not None:
            self.kill()
            message = f"{type(self).__name__} did not start: {''.join(said)}"
            raise RuntimeError(message)

    def _read(self, process: subprocess.Popen[str], ready: threading.Event, said: list[str]) -> None:
        for line in process.stdout:
            if not ready.is_set():
                said.append(line)
                if self.READY in line:
                    ready.set()
        ready.set()

    def kill(self) -> None:
        """Kill it where it stands, with all its processes."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end by itself."""
        self._end(self.GENTLY)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if how == signal.SIGKILL:
                os.killpg(self._process.pid, how)
            else:
                self._process.send_signal(how)
        self._process.wait(PATIENCE)
        # The pipe ends with the last process of the group.
        self._reader.join(PATIENCE)
        self._process.stdout.close()
        self._process = None


class RedisServer(Server):
    """Redis; with ``aof`` every write is on disk before it is answered, without nothing ever is."""

    READY = "Ready to accept connections"

    def __init__(self, folder: Path, *, aof: bool = True, settings: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self._settings = ("--appendonly", "yes" if aof else "no", "--appendfsync", "always", *settings)

    def command(self) -> Sequence[str]:
        place = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder))
        return [find_program("redis-server") or "redis-server", *place, "--save", "", *self._settings]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


class SentinelServer(Server):
    """A sentinel that watches one Redis server under the name ``primary``."""

    READY = "+monitor"

    def __init__(self, folder: Path, *, watched: RedisServer) -> None:
        super().__init__(folder)
        self._watched = watched

    def command(self) -> Sequence[str]:
        # It writes down there what it learns.
        configuration = self.folder / "sentinel.conf"
        configuration.write_text(
            f"port {self.port}\nbind 127.0.0.1\nsentinel monitor primary 127.0.0.1 {self._watched.port} 1\n",
            encoding="utf-8",
        )
        return [find_program("redis-server") or "redis-server", str(configuration), "--sentinel"]


class PostgreSQLServer(Server):
    """PostgreSQL as it is when nothing is configured: what is committed is on disk."""

    READY = "database system is ready to accept connections"
    GENTLY = signal.SIGINT

    def command(self) -> Sequence[str]:
        place = ("-D", str(self.folder / "data"), "-k", str(self.folder), "-h", "127.0.0.1")
        return [find_program("postgres") or "postgres", *place, "-p", str(self.port)]

    def account(self) -> int | None:
        # It refuses to be run by root.
        if os.getuid() != 0:
            return None
        names = {each.pw_name: each.pw_uid for each in pwd.getpwall()}
        return names.get("postgres", names["nobody"])

    def start(self) -> None:
        """As for every server; the first time, make the database."""
        if not (self.folder / "data").exists():
            if (owner := self.account()) is not None:
                os.chown(self.folder, owner, -1)
            subprocess.run(  # noqa: S603 - as above
                [
                    *(find_program("initdb") or "initdb", "-D", str(self.folder / "data"), "-U", "tests"),
                    *("-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"),
                ],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=self.folder,
                user=owner,
            )
        super().start()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://tests@127.0.0.1:{self.port}/postgres"


@contextmanager
def running(kind: type[Server], **settings: object) -> Iterator[Server]:
    """Run a server until the block ends."""
    # Not below a folder that only we may enter: the server may be another user's process.
    folder = Path(tempfile.mkdtemp(prefix="cyberid-server-"))
    server = kind(folder, **settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
