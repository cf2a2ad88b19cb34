"""The cyberid command, run as its users run it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import cyberid_client
from cyberid_client.cli.commands import cyberid
from cyberid_client.cli.story import DOCUMENTS
from cyberid_client.testing import Browser

SHOP = Path(__file__).parents[2] / "examples" / "shop"
MAIN = "from cyberid_client.cli import main; main()"

SERVE_BRIEFLY = """
import threading

def serve_briefly(server):
    threading.Timer(2, server.shutdown).start()
    server.serve_forever()
"""

TELLTALE = """
class Telltale:
    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        return getattr(self.client, name)

    def finish_login(self, callback, *, handle):
        login = self.client.finish_login(callback, handle=handle)
        print(login.pseudonym.value, flush=True)
        return login
"""


def run(*arguments):
    """Run the command in this process, as if its output went to a file."""
    return CliRunner().invoke(cyberid, list(map(str, arguments)), prog_name="cyberid")


def run_python(code, *arguments, env=None):
    """Run a piece of Python in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(  # noqa: S603 - our own code
        command, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def write_app(folder, code):
    """Write an app that consists of one script."""
    (folder / "demo.py").write_text(code)
    return folder


def change_shop(folder, old, new, *, helper=""):
    """Write an app that is the shop but for one change, and return its folder."""
    code = (SHOP / "demo.py").read_text()
    assert old in code
    path = f"import sys\nsys.path.insert(0, {str(SHOP)!r})\n"
    code = code.replace("from __future__ import annotations\n", path).replace(old, new)
    return write_app(folder, code.replace('\nHOST = "', f'\n{helper}\nHOST = "'))


class TestDemo:
    def test_with_the_shop(self):
        """The walk through the shop tells every step, every check and every row, and ends with 0."""
        result = run("demo", "--app", SHOP)
        assert result.exit_code == 0, result.output
        numbers = [one.number for _, checks in DOCUMENTS for one in checks]
        told = re.findall(r"^      ([A-Z]\d[\d.]*[a-z]?) +\S", result.output, re.MULTILINE)
        assert told == numbers
        for words in (
            "1. What the shop asked",
            "2. What the person did",
            "3. What the issuer signed",
            "4. Which checks were made",
            "5. What the shop stored",
            "6. What the shop never saw",
            "7. What paying asked on top",
            "Looked for the name, the pseudonym, the one-time code",
        ):
            assert words in result.output

    def test_without_an_app(self):
        """Without an app a login is walked on its own, and nothing listens."""
        result = run("demo")
        assert result.exit_code == 0, result.output
        assert "http://127.0.0.1" not in result.output
        assert "Pseudonym(redacted)" in result.output

    @pytest.mark.parametrize(
        "name",
        [*(pytest.param(name, marks=pytest.mark.slow) for name in ("ES384", "PS256", "EdDSA")), "ML-DSA-65"],
    )
    def test_another_algorithm(self, name):
        """The walk through the shop works in every kind of algorithm, and says which it is and how large."""
        result = run("demo", "--app", SHOP, "--alg", name)
        assert result.exit_code == 0, result.output
        assert f"The issuer signs with {name}, and the app believes no other" in result.output
        told = re.search(rf"Signed with {name}: the signature has ([\d,]+) bytes", result.output)
        size = {"ES384": 96, "PS256": 256, "EdDSA": 64, "ML-DSA-65": 3309}[name]
        assert int(told[1].replace(",", "")) == size

    @pytest.mark.slow
    def test_another_algorithm_without_an_app(self):
        """Without an app the algorithm can be chosen, too."""
        result = run("demo", "--alg", "ML-DSA-87")
        assert (result.exit_code, "Signed with ML-DSA-87" in result.output) == (0, True)

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("RS256", "is no known algorithm"),
            ("none", "is no known algorithm"),
            ("es256", "is no known algorithm"),
            ("", "is no known algorithm"),
            ("SM2-SM3", "is not available in this installation"),
        ],
    )
    def test_an_algorithm_that_is_not_there(self, name, problem):
        """An unknown algorithm ends in one sentence with the list of those that there are."""
        listed = "ES256, ES384, PS256, EdDSA, ML-DSA-44, ML-DSA-65, ML-DSA-87"
        for arguments in (("demo",), ("demo", "--app", SHOP)):
            result = run(*arguments, "--alg", name)
            assert (result.exit_code, result.output) == (
                1,
                f"Error: {name!r} {problem}; choose one of {listed}.\n",
            )

    def test_secrets_are_shortened(self):
        """No printed line holds a secret in full: nothing of 22 or more random characters."""
        for arguments in (("demo",), ("demo", "--app", SHOP)):
            result = run(*arguments)
            words = re.findall(r"(?<![\w-])[\w-]{22,}(?![\w…-])", result.output)
            assert [word for word in words if not re.fullmatch(r"[a-z_]+", word)] == []

    @pytest.mark.slow
    def test_nothing_is_left(self, tmp_path):
        """Temporary files and processes are gone afterwards."""
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        ended = run_python(MAIN, "demo", "--app", str(SHOP), env=environment)
        assert (ended.returncode, list(tmp_path.iterdir())) == (0, [])
        port = int(re.search(r"Shop +http://127\.0\.0\.1:(\d+)", ended.stdout)[1])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=2)

    @pytest.mark.slow
    @pytest.mark.parametrize("ending", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
    def test_serving_until_ended(self, tmp_path, ending):
        """With --serve the shop stays open for browsers until Ctrl-C, and then all of it ends with 0."""
        environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
        # Whoever starts these tests in the background may have had SIGINT ignored for all below.
        main = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {MAIN}"
        command = [sys.executable, "-c", main, "demo", "--app", str(SHOP), "--serve"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as demo:  # noqa: S603 - our own code
            watchdog = threading.Timer(60, demo.kill)
            watchdog.start()
            try:
                said = iter(demo.stdout.readline, "")
                url = next(found[1] for line in said if (found := re.match(r"Now open (\S+) in", line)))
                assert "Tea" in Browser().open(url).text
                # The demo says so a moment before it begins to wait.
                time.sleep(0.2)
                demo.send_signal(ending)
                assert demo.wait(20) == 0
            finally:
                watchdog.cancel()
                demo.kill()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    def test_app_that_ends_while_serving(self, tmp_path):
        """An app that ends by itself while it should serve is a failure with a sentence."""
        app = change_shop(tmp_path, "server.serve_forever()", "serve_briefly(server)", helper=SERVE_BRIEFLY)
        result = run("demo", "--app", app, "--serve")
        assert (result.exit_code, "The app has ended by itself" in result.output) == (1, True)

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("raise SystemExit('no tea today')", "Error: The app did not start: no tea today"),
            ("pass", "Error: The app did not start: it said nothing."),
            ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ],
    )
    def test_app_that_does_not_start(self, tmp_path, code, words):
        """An app that does not start is a failure with its last words."""
        result = run("demo", "--app", write_app(tmp_path, code))
        assert (result.exit_code, words in result.output) == (1, True)

    def test_app_that_writes_too_much_down(self, tmp_path):
        """An app whose log holds the pseudonym fails the walk."""
        app = change_shop(tmp_path, "create_app(client,", "create_app(Telltale(client),", helper=TELLTALE)
        result = run("demo", "--app", app)
        words = "The app wrote down what it must not keep: the pseudonym."
        assert (result.exit_code, words in result.output) == (1, True)

    @pytest.mark.slow
    def test_app_whose_login_fails(self, tmp_path):
        """A walk that does not end logged in is a failure with the page's words."""
        result = run("demo", "--app", change_shop(tmp_path, "{url}/id/callback", "{url}/else/id/callback"))
        assert (result.exit_code, "The walk ended at a page that says:" in result.output) == (1, True)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--app", "no/such/folder"), "does not exist"),
            (("--app", SHOP / "templates"), "There is no demo.py"),
            (("--serve",), "--serve needs --app"),
        ],
    )
    def test_misuse(self, arguments, words):
        """What cannot be done is said in one sentence, with click's code for misuse."""
        result = run("demo", *arguments)
        assert (result.exit_code, words in result.output) == (2, True)


class TestCommand:
    def test_version(self):
        """The version is the package's."""
        assert run("--version").output == f"cyberid {cyberid_client.__version__}\n"

    def test_help_is_quick(self):
        """Help loads none of the libraries that the demo needs."""
        libraries = {"cryptography", "pydantic", "requests", "jwt"}
        loaded = f"import atexit, sys; atexit.register(lambda: print(sorted({libraries} & set(sys.modules))))"
        ended = run_python(f"{loaded}; {MAIN}", "--help")
        assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "[]")
        assert "demo" in ended.stdout

    def test_missing_click(self):
        """Without click the command says in one sentence what to install."""
        ended = run_python(f"import sys; sys.modules['click'] = None; {MAIN}")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == "The cyberid command needs click: pip install 'cyberid_client[cli]'\n"
