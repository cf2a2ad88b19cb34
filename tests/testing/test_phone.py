"""The phone: by script, in process and over HTTP, and as a page that a person clicks through."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from cyberid_client.errors import ConfigurationError, TransportError
from cyberid_client.testing import MOCK_OUTCOMES, Browser, Phone, RegisteredApp

PACKAGE = "com.example.shop"
BACK = "https://shop.example/app/back?from=phone"
LAUNCH = {"orgID": "shop-org", "appID": "shop-android", "bizSeq": "B" * 32, "type": 1}
LINK = {**LAUNCH, "return_url": BACK}
FORM = "application/x-www-form-urlencoded"
SERVED = """
import sys
from cyberid_client.testing import MockIssuer, RegisteredApp

issuer = MockIssuer()
app = RegisteredApp(app_id="shop-android", package="com.example.shop")
with issuer.serve() as origin:
    issuer.register(
        client_id="shop", redirect_uri="https://shop.example/", org_id="shop-org", apps={"android": app}
    )
    print(origin, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def registered(issuer):
    app = RegisteredApp(app_id="shop-android", package=PACKAGE, return_urls=(BACK,))
    return issuer.register(
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        org_id="shop-org",
        apps={"android": app},
    )


@pytest.fixture
def phone(issuer, registered):
    return Phone(issuer)


def shown(raw, **changes):
    """Return the page of a link; what is ``None`` stands not in it."""
    query = urlencode({name: value for name, value in (LINK | changes).items() if value is not None})
    return raw.get(f"/phone?{query}")


def sent(raw, **changes):
    """Send the page's form."""
    form = {**LINK, "return_by": "form", "person": "adult", "outcome": "success", "decision": "allow"}
    form = {name: value for name, value in (form | changes).items() if value is not None}
    return raw.post("/phone", form)


def fields_of(page):
    """Return the hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.body.decode())
    return {unescape(name): unescape(value) for name, value in found}


class TestScript:
    def test_an_app_gets_four_members(self, phone):
        """Two opaque texts, different each time, a code and its words."""
        first = phone.launch(LAUNCH, package=PACKAGE)
        second = phone.launch({**LAUNCH, "bizSeq": "C" * 32}, package=PACKAGE)
        assert ["resultCode", "resultDesc", "idCardAuthData", "certPwdData"] == list(first)
        assert ("C0000000", "成功 success") == (first["resultCode"], first["resultDesc"])
        blobs = {each[name] for each in (first, second) for name in ("idCardAuthData", "certPwdData")}
        assert 4 == len(blobs)
        assert {320} == {len(blob) for blob in blobs}

    @pytest.mark.parametrize(("code", "outcome"), MOCK_OUTCOMES.items())
    def test_the_phone_says_what_the_script_wants(self, phone, code, outcome):
        """A code for every outcome, and no data but with success."""
        result = phone.launch(LAUNCH, package=PACKAGE, outcome=outcome)
        assert code == result["resultCode"]
        assert (outcome == "success") == (result["idCardAuthData"] is not None)
        assert outcome.replace("_", " ")[:4] in result["resultDesc"] or outcome in {"factor_failed", "busy"}

    @pytest.mark.parametrize(
        "outcome", [outcome for outcome in MOCK_OUTCOMES.values() if outcome != "not_installed"]
    )
    def test_a_launch_uses_its_number_up(self, phone, outcome):
        """A bizSeq is never launched twice, whatever came of it, nor by another app."""
        phone.launch(LAUNCH, package=PACKAGE, outcome=outcome)
        for package in (PACKAGE, "com.evil.relay"):
            again = phone.launch(LAUNCH, package=package)
            assert ("C0500001", None) == (again["resultCode"], again["idCardAuthData"])

    def test_without_the_id_app_nothing_is_used_up(self, phone):
        """Who installs it may launch again."""
        phone.launch(LAUNCH, package=PACKAGE, outcome="not_installed")
        assert "C0000000" == phone.launch(LAUNCH, package=PACKAGE)["resultCode"]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"orgID": "other"}, "C0500002"),
            ({"appID": "other"}, "C0500002"),
            ({"orgID": None}, "C0500003"),
            ({"bizSeq": "B" * 31}, "C0500003"),
            ({"bizSeq": "-" * 32}, "C0500003"),
            ({"bizSeq": None}, "C0500003"),
            ({"type": 2}, "C0500003"),
            ({"type": True}, "C0500003"),
        ],
    )
    def test_a_launch_that_is_wrong_is_a_decline_that_nobody_listed(self, phone, changes, code):
        """An app that launches wrongly learns it by a code of its own, and the number is not used up."""
        if changes == {"orgID": None}:
            code = "C0500002"
        assert code == phone.launch(LAUNCH | changes, package=PACKAGE)["resultCode"]
        assert "C0000000" == phone.launch(LAUNCH, package=PACKAGE)["resultCode"]

    @pytest.mark.parametrize(
        ("script", "code"),
        [
            ({"person": "nobody"}, "testing.unknown_person"),
            ({"outcome": "perhaps"}, "config.value"),
            ({"decided_by": "weather"}, "config.value"),
            ({"outcome": "cancelled", "decided_by": "issuer"}, "config.value"),
            ({"factors": {"password"}}, "config.value"),
            ({"factors": {"certificate", "voice"}}, "config.value"),
        ],
    )
    def test_a_script_that_cannot_be_played_is_an_error(self, phone, script, code):
        """A slip of the pen is no decline."""
        with pytest.raises(ConfigurationError) as refused:
            phone.launch(LAUNCH, package=PACKAGE, **script)
        assert code == refused.value.code

    @pytest.mark.parametrize(
        ("factors", "has_password"),
        [({"certificate"}, False), ({"certificate", "password"}, True), (None, True)],
    )
    def test_a_person_shows_what_the_script_says(self, phone, factors, has_password):
        """Without a password there are no data of one."""
        result = phone.launch(LAUNCH, package=PACKAGE, factors=factors)
        assert has_password == (result["certPwdData"] is not None)


class TestOtherProcess:
    def test_it_launches_at_an_issuer_of_another_process(self):
        """The origin is all that a phone needs."""
        process = subprocess.Popen(  # noqa: S603 - this interpreter, and the script above
            [sys.executable, "-c", SERVED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with process:
            phone = Phone(process.stdout.readline().strip())
            result = phone.launch(LAUNCH, package=PACKAGE, person="traveller", factors={"certificate"})
            assert ("C0000000", None) == (result["resultCode"], result["certPwdData"])
            assert "C0500001" == phone.launch(LAUNCH, package=PACKAGE)["resultCode"]
        assert 0 == process.returncode

    def test_nobody_there_is_an_error_of_transport(self):
        """There is no mock at this origin, or something else."""
        with pytest.raises(TransportError):
            Phone("http://127.0.0.1:1").launch(LAUNCH, package=PACKAGE)

    def test_something_else_there_is_an_error(self, issuer):
        """What is served there is no phone."""
        with issuer.serve() as origin, pytest.raises(ConfigurationError) as refused:
            Phone(f"{origin}/elsewhere").launch(LAUNCH, package=PACKAGE)
        assert "testing.request_refused" == refused.value.code

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"{", "application/json"),
            (b"[]", "application/json"),
            (b"{}", "application/json"),
            (b"[" * 20_000, "application/json"),
            (b"\xff", "application/json"),
            (json.dumps({"launch": 1, "package": "x", "person": "adult", "outcome": "success", "decided_by": "phone"}).encode(), "application/json"),
            (b"{}", FORM),
        ],
    )  # fmt: skip
    def test_what_no_phone_sends_is_refused(self, raw, body, content_type):
        """The call for scripts takes JSON, which no page of another origin can send unasked."""
        answer = raw.post("/phone/launch", body, {"content-type": content_type})
        assert (400, "invalid_request") == (answer.status, answer.json()["error"])


class TestPage:
    def test_everybody_can_be_chosen_and_everything_can_happen(self, raw, registered, issuer):
        """People, what happens, agree and cancel: all in labels, in two languages, without script."""
        page = shown(raw).body.decode()
        assert list(issuer.people) == re.findall(r'name="person" value="([^"]+)"', page)
        happenings = re.findall(r'name="outcome" value="([^"]+)"', page)
        assert set(MOCK_OUTCOMES.values()) - {"cancelled"} == set(happenings)
        assert ["allow", "deny"] == re.findall(r'name="decision" value="([^"]+)"', page)
        assert page.count("<label>") == len(issuer.people) + len(happenings)
        assert "<script" not in page
        assert 'lang="zh-CN">同意' in page
        assert "width=device-width" in page
        assert "com.example.shop" in page
        assert {**LINK, "type": "1", "return_by": "form"} == fields_of(shown(raw))

    def test_it_loads_nothing_and_leads_to_two_places(self, raw, registered):
        """The policy of the other pages, and the app's origin for the form."""
        for answer in (shown(raw), sent(raw)):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "form-action 'self' https://shop.example;" in policy
            assert "frame-ancestors 'none'" in policy
            assert "no-store" == answer.headers["cache-control"]
            assert re.findall(r'(?:src|href)="', answer.body.decode()) == []

    def test_a_wide_screen_shows_the_link_as_a_code(self, raw, registered):
        """A picture with a name, inside the page; a link that no camera can read has none."""
        page = shown(raw).body.decode()
        assert 1 == page.count('<svg role="img"')
        assert "<title>QR code</title>" in page
        assert "style=" not in page

    def test_a_link_that_no_camera_can_read_has_no_code(self, issuer, raw):
        """A code with modules too small for a camera helps nobody."""
        back = "https://shop.example/" + "x" * 500
        app = RegisteredApp(app_id="shop-android", package=PACKAGE, return_urls=(back,))
        issuer.register(
            client_id="shop", redirect_uri="https://shop.example/", org_id="shop-org", apps={"android": app}
        )
        assert 200 == shown(raw, return_url=back).status
        assert b"<svg" not in shown(raw, return_url=back).body

    @pytest.mark.parametrize(
        "changes",
        [
            {"return_url": "https://evil.example/"},
            {"return_url": BACK + "x"},
            {"return_url": None},
            {"orgID": "other"},
            {"appID": "other"},
            {"bizSeq": None},
            {"bizSeq": "<script>" * 4},
            {"type": "2"},
            {"return_by": "pigeon"},
        ],
    )
    def test_a_link_that_is_wrong_leads_nowhere(self, raw, registered, changes):
        """The answer goes to an address that the app registered, and nowhere else."""
        for answer in (shown(raw, **changes), sent(raw, **changes)):
            assert 400 == answer.status
            assert b"<form" not in answer.body
            assert "location" not in answer.headers
        assert 200 == shown(raw).status

    def test_what_stands_there_twice_is_refused(self, raw, registered):
        """A link says everything once."""
        assert 400 == raw.get(f"/phone?{urlencode(LINK)}&type=1").status

    def test_the_answer_is_carried_back_in_a_form(self, raw, registered):
        """The next page posts the four fields to the app."""
        page = sent(raw)
        assert f'<form method="post" action="{BACK}">' in page.body.decode()
        fields = fields_of(page)
        assert {"resultCode", "resultDesc", "idCardAuthData", "certPwdData"} == set(fields)
        assert "C0000000" == fields["resultCode"]

    def test_or_behind_the_mark(self, served):
        """Where the app's own page finds it, and no server's log."""
        answer = sent(served, return_by="fragment", type="0")
        url, _, fragment = answer.headers["location"].partition("#")
        fields = dict(parse_qsl(fragment))
        assert (303, BACK) == (answer.status, url)
        assert {"resultCode", "resultDesc", "idCardAuthData"} == set(fields)
        assert "no-store" == answer.headers["cache-control"]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"decision": "deny"}, "C0100002"),
            ({"decision": None}, "C0100002"),
            ({"outcome": "timed_out"}, "C0100003"),
            ({"outcome": "factor_failed"}, "C0200001"),
            ({"outcome": "busy"}, "C0400001"),
        ],
    )
    def test_what_happens_is_what_was_chosen(self, raw, registered, changes, code):
        """Who cancels, fails or waits too long goes back with that, and with no data."""
        fields = fields_of(sent(raw, **changes))
        assert {"resultCode", "resultDesc"} == set(fields)
        assert code == fields["resultCode"]

    @pytest.mark.parametrize("changes", [{"person": "nobody"}, {"person": None}, {"outcome": "perhaps"}])
    def test_what_was_not_on_the_page_is_refused(self, raw, registered, changes):
        """A form that the page did not make uses nothing up."""
        assert 400 == sent(raw, **changes).status
        assert "C0000000" == fields_of(sent(raw))["resultCode"]

    def test_a_form_that_is_sent_again_is_a_second_launch(self, raw, registered):
        """Reload does not give the same data again."""
        sent(raw)
        assert "C0500001" == fields_of(sent(raw))["resultCode"]

    def test_what_is_no_form_is_refused(self, raw, registered):
        """The page's form is one."""
        assert 400 == raw.post("/phone", b"{}", {"content-type": "application/json"}).status

    def test_a_browser_clicks_through(self, issuer):
        """Open the link, agree, go back: each by what a person reads."""
        with issuer.serve() as origin:
            # The mock itself stands for the app: its answer to a stray POST is a page like any other.
            back = f"{origin}/app/back"
            app = RegisteredApp(app_id="shop-android", package=PACKAGE, return_urls=(back,))
            issuer.register(client_id="shop", redirect_uri=back, org_id="shop-org", apps={"android": app})
            browser = Browser()
            page = browser.open(f"{origin}/phone?{urlencode({**LINK, 'return_url': back})}")
            answered = browser.click(page, "同意 Agree")
            assert "C0000000" in answered.text
            last = browser.click(answered, "回到应用 Back to the app")
            assert ("/app/back", 404) == (urlsplit(last.url).path, last.status)
