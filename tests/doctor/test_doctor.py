"""What ``cyberid doctor`` sees of a deployment, over real HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cyberid_client import RelyingParty
from cyberid_client.doctor import Verdict, examine_deployment
from cyberid_client.stores.sql import SQLPendingStore
from cyberid_client.testing import MockIssuer


def look(rp: RelyingParty, **options):
    """Examine, and return the findings by their subjects."""
    options.setdefault("environ", {})
    return {finding.subject: finding for finding in examine_deployment(rp, **options)}


def verdicts(findings) -> dict[str, str]:
    return {subject: str(finding.verdict) for subject, finding in findings.items()}


def run(deployment, *arguments, **changes):
    """Run the command as an operator does."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CYBERID_")}
    return subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", "from cyberid_client.cli import main; main()", "doctor", *arguments],
        env={**environ, **deployment.environ, **changes},
        capture_output=True,
        text=True,
        check=False,
    )


class TestAGoodDeployment:
    def test_nothing_but_the_marked_roots_is_wrong(self, deployment):
        """Over a mock issuer everything is in order but that its people are made up."""
        findings = look(deployment.rp())
        failed = [subject for subject, finding in findings.items() if finding.verdict is Verdict.BAD]
        assert ["roots"] == failed

    def test_each_of_the_named_things_has_a_line(self, deployment):
        """Configuration, clock, issuer, chain ends, handshake, store and redirect URI are all there."""
        named = {
            "configuration",
            "protection",
            "redirect URI",
            "roots",
            "proxy",
            "clock",
            "issuer",
            "signer",
            "metadata",
            "revocation lists",
            "handshake",
            "store",
        }
        assert set() == named - look(deployment.rp()).keys()

    def test_what_is_not_in_order_says_what_to_do(self, deployment):
        """A line that is not good has advice, and a good one needs none."""
        environ = {"HTTPS_PROXY": "http://proxy.example:3128", "SSL_CERT_FILE": "/etc/ca.pem"}
        findings = look(deployment.rp(), environ=environ)
        assert all(
            (finding.advice == "") == (finding.verdict is Verdict.GOOD) for finding in findings.values()
        )

    def test_one_request_is_pushed_and_nobody_follows_it(self, deployment):
        """The handshake leaves one pushed request behind, and none when it is left out."""
        look(deployment.rp(), handshake=False)
        look(deployment.rp())
        assert ["/par"] == [entry.path for entry in deployment.issuer.log if entry.path.endswith("/par")]


class TestTheIssuer:
    def test_an_issuer_that_is_not_there_is_told_from_one_that_answers(self, deployment):
        """A closed port is a connection that could not be made; the advice speaks of the way there."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        finding = look(deployment.rp(CYBERID_ISSUER=nobody))["issuer"]
        assert ("failed", "transport.connection") == (finding.verdict, finding.code)
        assert "firewall" in finding.advice

    def test_a_client_that_the_issuer_does_not_know_is_named(self, deployment):
        """A key that is not registered fails at the handshake, and the advice is to register it."""
        deployment.issuer.register(client_id="shop", redirect_uri="http://127.0.0.1:9/callback")
        finding = look(deployment.rp())["handshake"]
        assert ("failed", "par.client_refused") == (finding.verdict, finding.code)
        assert "Register" in finding.advice

    def test_roots_of_another_issuer_are_a_chain_that_does_not_hold(self, deployment):
        """With roots of somebody else nothing that came is believed."""
        other = MockIssuer()
        with other.serve() as origin:
            finding = look(deployment.rp(CYBERID_ISSUER=origin))["issuer"]
        assert "chain.untrusted" == finding.code

    def test_protection_that_is_not_offered_is_named(self, deployment):
        """An issuer that offers less than is configured fails here and not at the first login."""
        deployment.issuer.arm("metadata.without_s256", 10)
        assert "metadata.capability" == look(deployment.rp())["issuer"].code


class TestTheClock:
    @pytest.mark.parametrize(
        ("seconds", "verdict"), [(0, "ok"), (-8, "warning"), (8, "warning"), (-30, "failed"), (90, "failed")]
    )
    def test_it_is_compared_with_the_time_in_the_answers(self, deployment, seconds, verdict):
        """A clock beyond the leeway fails, one beyond half of it warns, on either side."""

        def clock():
            return datetime.now(UTC) + timedelta(seconds=seconds)

        finding = look(deployment.rp(), clock=clock, handshake=False)["clock"]
        assert verdict == finding.verdict

    @pytest.mark.parametrize(
        "date",
        [
            "", "yesterday", "Mon, 01 Jan 99999999999 00:00:00 GMT",
            f"Mon, 01 Jan 2026 00:00:00 +{'9' * 20}", f"Mon, 01 Jan 2026 {'9' * 20}:00:00 GMT", "1" * 5000,
        ],
    )  # fmt: skip
    def test_a_time_that_is_none_is_said_to_be_none(self, deployment, date):
        """Whatever the issuer writes there, it answered: nothing else is wrong."""
        inner = deployment.issuer.transport()

        class Dated:
            def send(self, request):
                answer = inner.send(request)
                return replace(answer, headers={**answer.headers, "date": date})

            def close(self):
                inner.close()

        findings = look(deployment.rp(), transport=Dated(), handshake=False)
        assert ("warning", "ok") == (findings["clock"].verdict, findings["issuer"].verdict)


class TestTheSurroundings:
    @pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "no_proxy"])
    def test_a_proxy_variable_is_named_as_not_used(self, deployment, name):
        """The environment's proxies reach other programs, and never this library."""
        finding = look(deployment.rp(), environ={name: "http://proxy.example:3128"}, handshake=False)["proxy"]
        assert ("warning", f"{name} is set and is not used.") == (finding.verdict, finding.says)

    def test_an_empty_variable_hides_no_other(self, deployment):
        """Both cases of letters are looked at."""
        environ = {"https_proxy": "http://proxy.example:3128", "HTTPS_PROXY": ""}
        finding = look(deployment.rp(), environ=environ, handshake=False)["proxy"]
        assert "https_proxy is set and is not used." == finding.says

    def test_an_empty_variable_is_none(self, deployment):
        """A variable that is set to nothing is not named."""
        assert "ok" == look(deployment.rp(), environ={"HTTPS_PROXY": ""}, handshake=False)["proxy"].verdict


class TestTheStore:
    def test_a_database_gives_a_record_once(self, deployment, tmp_path):
        """A store that works is told so, with a record that is gone afterwards."""
        url = f"sqlite:///{tmp_path / 'logins.db'}"
        SQLPendingStore(url).create_tables()
        assert "ok" == look(deployment.rp(), store=url, handshake=False)["store"].verdict

    def test_a_store_that_is_not_there_is_named(self, deployment):
        """A closed port is a store that cannot be reached."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"redis://127.0.0.1:{free.getsockname()[1]}/0"
        finding = look(deployment.rp(), store=url, handshake=False)["store"]
        assert ("failed", "store.unavailable") == (finding.verdict, finding.code)

    def test_none_is_a_warning(self, deployment):
        """Memory serves one process, and the operator is told."""
        assert "warning" == look(deployment.rp(), handshake=False)["store"].verdict


class TestTheCommand:
    def test_over_a_mock_it_prints_every_line_and_fails_for_the_roots(self, deployment, tmp_path):
        """The exit code is 1, because with made-up people no login is real."""
        roots = tmp_path / "roots.pem"
        roots.write_bytes(deployment.issuer.root_pem)
        done = run(deployment, "--test-roots", str(roots), "--json")
        found = {finding["subject"]: finding["verdict"] for finding in json.loads(done.stdout)}
        assert (1, "failed", "ok", "ok") == (
            done.returncode,
            found["roots"],
            found["issuer"],
            found["handshake"],
        )

    def test_a_wrong_variable_is_named_and_its_value_is_not(self, deployment):
        """The line names the variable and says what to do; no secret is printed."""
        done = run(deployment, CYBERID_KEY="not-a-key-and-not-to-be-shown")
        assert 1 == done.returncode
        assert "FAIL  configuration" in done.stdout
        assert "not-to-be-shown" not in done.stdout + done.stderr

    def test_without_a_configuration_it_says_what_is_missing(self, deployment):
        """An empty environment fails with the first variable that is needed."""
        deployment.environ.clear()
        done = run(deployment)
        assert (
            "configuration: CYBERID_CLIENT_ID" in done.stdout
            or "configuration: CYBERID_ISSUER" in done.stdout
        )
