"""``cyberid inspect``, run as its users run it; ``python -m tests.cli.test_inspect`` renews its page."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cyberid_client.cli.commands import cyberid
from cyberid_client.cli.inspect import inspect
from cyberid_client.inspection import InspectionSettings, Kind
from cyberid_client.models import Assurance

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "inspect.md"
SAMPLES = ROOT / "tests" / "inspection" / "samples"
TOKEN = SAMPLES / "id_token.jwt"
AT = "2026-11-22T08:00:05Z"
PSEUDONYM = "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA"
KNOWN = {
    "--roots": SAMPLES / "root.pem",
    "--jwks": SAMPLES / "jwks.json",
    "--issuer": "https://issuer.example",
    "--client-id": "shop",
    "--sector": "https://shop.example",
    "--nonce": "made-up-nonce",
    "--access-token": "made-up-access-token",
    "--assurance": "R02",
    "--at": AT,
}
_EXAMPLE = re.compile(r"```console\n\$ cyberid (?P<command>.+)\n```\n\n```text\n(?P<output>(?:.*\n)*?)```")


def run(*arguments, data=None):
    """Run the command in this process, as if its output went to a file."""
    return CliRunner().invoke(cyberid, ["inspect", *map(str, arguments)], input=data, prog_name="cyberid")


def known(**changes):
    """Return the options with which the sample passes, and changes; ``None`` leaves one out."""
    options = {**KNOWN, **{f"--{name.replace('_', '-')}": value for name, value in changes.items()}}
    given = [str(part) for pair in options.items() if pair[1] is not None for part in pair]
    lists = ["--crl", str(SAMPLES / "root.crl"), "--crl", str(SAMPLES / "authority.crl")]
    return [*given, *lists, *(["--test-roots"] if options["--roots"] is not None else [])]


def output_of(command):
    """Run a command of the page in the folder of the samples; hashes differ from run to run."""
    names = {path.name for path in SAMPLES.iterdir()}
    arguments = [str(SAMPLES / part) if part in names else part for part in shlex.split(command)]
    output = CliRunner().invoke(cyberid, arguments, prog_name="cyberid").stdout
    return re.sub(r"#[0-9a-f]{8}\b", "#5c0ffee5", output)


def renewed_page():
    """Return the page with what its commands print now."""

    def renew(found):
        return f"```console\n$ cyberid {found['command']}\n```\n\n```text\n{output_of(found['command'])}```"

    return _EXAMPLE.sub(renew, PAGE.read_text(encoding="utf-8"))


def test_the_page_shows_what_the_commands_print():
    """Both outputs and the help on the page are those of the command as it is."""
    page = PAGE.read_text(encoding="utf-8")
    assert 3 == len(_EXAMPLE.findall(page))
    assert renewed_page() == page


def test_a_token_that_passes():
    """With everything known the sample passes, with its evidence and exit code 0."""
    result = run(TOKEN, *known())
    assert (0, "Verdict: everything passes.") == (result.exit_code, result.stdout.splitlines()[-1])
    assert "Evidence, as Login.evidence has it" in result.stdout
    assert PSEUDONYM not in result.output


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"issuer": "https://other.example"}, 1, "Verdict: refused with chain.subject_uri."),
        ({"nonce": "other"}, 1, "Verdict: refused with id_token.nonce."),
        ({"at": "1795334700"}, 1, "Verdict: refused with id_token.expired."),
        ({"nonce": None}, 3, "Verdict: nothing fails, but not everything was judged; it needs --nonce."),
        (
            {"client_id": None},
            3,
            "Verdict: nothing fails, but not everything was judged; it needs --client-id.",
        ),
    ],
)
def test_the_exit_code_is_the_verdict(changes, code, words):
    """A refusal ends with 1 and its code, what is open with 3 and the missing option."""
    result = run(TOKEN, *known(**changes))
    assert (code, words) == (result.exit_code, result.stdout.splitlines()[-1])


def test_without_roots():
    """Without roots the chain is open, and the option is named by its own name."""
    result = run(TOKEN, *known(roots=None))
    assert 3 == result.exit_code
    assert "it needs --roots." in result.stdout


def test_standard_input():
    """A dash reads the document from standard input."""
    result = run("-", *known(), data=TOKEN.read_bytes())
    assert run(TOKEN, *known(), "--json").exit_code == result.exit_code == 0


def test_json():
    """Machines get one JSON object with kind, verdict, code, needs, steps and evidence."""
    explanation = json.loads(run(TOKEN, *known(), "--json").stdout)
    assert ["kind", "verdict", "code", "needs", "steps", "evidence"] == list(explanation)
    assert ("id-token", "passes", None, []) == tuple(list(explanation.values())[:4])
    assert "2026-11-22T08:00:05+00:00" == explanation["evidence"]["verified_at"]
    refused = json.loads(run(TOKEN, *known(nonce="other"), "--json").stdout)
    assert ("fails", "id_token.nonce", None) == (refused["verdict"], refused["code"], refused["evidence"])


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_values_are_shown_with_a_warning(form):
    """Who asks for the values gets them, and a warning beside the output."""
    result = run(TOKEN, "--show-values", *form)
    assert PSEUDONYM in result.stdout
    assert result.stderr.startswith("Warning: values of a person are shown.")
    assert "" == run(TOKEN, *form).stderr


def test_hashes_are_of_one_run():
    """Nobody can tell from two outputs whether two people are the same."""
    notes = {re.search(r"sub: (.+)", run(TOKEN).stdout)[1] for _ in range(2)}
    assert 2 == len(notes)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing argument 'FILE|-'"),
        (("no-such-file",), "No such file"),
        ((TOKEN, "--test-roots"), "--test-roots needs --roots."),
        ((TOKEN, "--roots", TOKEN), "The pinned roots are not readable certificates."),
        ((TOKEN, "--roots", SAMPLES / "root.pem"), "(trust.test_root)"),
        ((TOKEN, "--issuer", "issuer"), "The issuer must be an https URL"),
        ((TOKEN, "--algorithm", "none"), "(config.no_algorithm)"),
        ((TOKEN, "--max-age", "-1"), "(config.max_age)"),
        ((TOKEN, "--at", "yesterday"), "It is neither ISO 8601 nor seconds since 1970."),
        ((TOKEN, "--at", "9" * 30), "It is neither ISO 8601 nor seconds since 1970."),
        ((TOKEN, "--kind", "letter"), "'letter' is not one of"),
    ],
)
def test_misuse(arguments, words):
    """What cannot be used is said in one sentence, with click's code for misuse."""
    result = run(*arguments)
    assert (2, True) == (result.exit_code, words in result.stderr)


@pytest.mark.parametrize("time", ["2026-11-22T08:00:05", "2026-11-22T16:00:05+08:00", "1795334405"])
def test_a_time_in_any_spelling(time):
    """ISO 8601 with or without zone and seconds since 1970 are the same time."""
    result = run(TOKEN, *known(at=time), "--json")
    assert "2026-11-22T08:00:05+00:00" == json.loads(result.stdout)["evidence"]["verified_at"]


def test_bytes_of_no_kind():
    """What looks like nothing is refused without a code; a kind that is named is believed."""
    result = run("-", data=b"hello")
    assert (1, "Verdict: refused.") == (result.exit_code, result.stdout.splitlines()[-1])
    assert "jwks.malformed" in run("-", "--kind", "jwks", data=b"hello").stdout


def test_the_choices_are_those_of_the_library():
    """The options offer every kind and mode, and every setting has an option."""
    options = {option.name: option for option in inspect.params}
    assert tuple(options["kind"].type.choices) == tuple(
        kind.value for kind in Kind if kind is not Kind.UNKNOWN
    )
    assert tuple(options["assurance"].type.choices) == tuple(mode.name for mode in Assurance)
    settings = {name for name in InspectionSettings.__annotations__ if name not in {"rp", "hash_key"}}
    own = {"document", "as_json", "test_roots"}
    assert {
        "now" if name == "at" else "trust" if name == "roots" else name for name in options
    } - own == settings


def test_colours_only_on_a_terminal():
    """A file gets no colours, a terminal does."""
    arguments = ["inspect", str(TOKEN), *known()]
    assert "\x1b[" not in CliRunner().invoke(cyberid, arguments).stdout
    assert click.style("✓ passes", fg="green") in CliRunner().invoke(cyberid, arguments, color=True).stdout


def test_a_terminal_without_these_characters():
    """An output that cannot hold the branches gets question marks, and no traceback."""
    code = "from cyberid_client.cli import main; main()"
    command = [sys.executable, "-c", code, "inspect", str(TOKEN), "--at", AT]
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(filter(None, sys.path))}
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)  # noqa: S603 - our own code
    assert (3, b"") == (ended.returncode, ended.stderr)
    assert b"Verdict: nothing fails" in ended.stdout


if __name__ == "__main__":
    PAGE.write_text(renewed_page(), encoding="utf-8")
