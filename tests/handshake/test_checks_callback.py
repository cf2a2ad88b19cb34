"""The authorization response: does it answer this login, and from whom does it come."""

from __future__ import annotations

from datetime import timedelta

import pytest

OTHER_KIND = ("check_same_handshake", "login.other_kind")
EXPIRED = ("check_lifetime", "login.expired")
STATE = ("check_state", "callback.state")
MODE = ("check_response_mode", "callback.response_mode")
NO_ISSUER = ("check_callback_issuer", "callback.issuer_missing")
ISSUER = ("check_callback_issuer", "callback.issuer")
BOTH = ("check_code_or_error", "callback.code_or_error")


def declined(code: str) -> tuple[str, str]:
    return ("check_declined", f"declined.{code}")


class TestSameHandshake:
    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "wallet"},
            {"issuer": "https://other.example"},
            {"client_id": "other"},
            {"kind": "Redirect"},
        ],
    )
    def test_a_login_finishes_as_what_it_started(self, responses, change):
        """Another handshake, issuer or client cannot finish a login, not even the right browser's."""
        assert OTHER_KIND == responses.callback(pending=change)

    def test_the_kind_is_that_of_the_caller(self, responses):
        """A redirect login is refused by every other handshake."""
        assert None is responses.callback(kind="redirect")
        assert OTHER_KIND == responses.callback(kind="wallet")


class TestLifetime:
    @pytest.mark.parametrize(
        ("late", "verdict"),
        [(-600, None), (-0.001, None), (0, EXPIRED), (0.001, EXPIRED), (86_400, EXPIRED)],
    )
    def test_a_login_is_gone_from_the_very_second_of_its_end(self, responses, late, verdict):
        """A millisecond before its end a login finishes, at its end it does not."""
        end = responses.pending().expires_at
        assert verdict == responses.callback(now=end + timedelta(seconds=late))

    def test_an_expired_login_is_told_before_its_state(self, responses):
        """A person who comes late is told so, whatever the callback says."""
        assert EXPIRED == responses.callback(now=responses.now + timedelta(hours=1), state="x")


class TestState:
    @pytest.mark.parametrize(
        "state", [..., "", "made-up-state1", "made-up-stat", "Made-up-state", "made-up-state "]
    )
    def test_absent_and_different_are_refused_alike(self, responses, state):
        """The state is that of the login which this browser started."""
        assert STATE == responses.callback(state=state)

    def test_the_state_is_judged_before_the_error(self, responses):
        """A stranger's error cannot end a login."""
        assert STATE == responses.callback(state="x", code=..., error="access_denied")


class TestIssuer:
    @pytest.mark.parametrize("issuer", [..., ""])
    def test_the_issuer_must_be_named(self, responses, issuer):
        """A response without iss is refused (RFC 9207 §2.4)."""
        assert NO_ISSUER == responses.callback(iss=issuer)

    @pytest.mark.parametrize(
        "issuer",
        [
            "https://issuer.example1",
            "https://issuer.example/",
            "https://ISSUER.example",
            "https://other.example",
        ],
    )
    def test_another_issuer_is_refused(self, responses, issuer):
        """The issuer is compared byte for byte."""
        assert ISSUER == responses.callback(iss=issuer)

    def test_errors_name_their_issuer_too(self, responses):
        """An error without the right issuer ends nothing."""
        assert NO_ISSUER == responses.callback(iss=..., code=..., error="access_denied")
        assert ISSUER == responses.callback(iss="https://other.example", code=..., error="access_denied")


class TestShape:
    def test_a_signed_response_was_not_asked_for(self, responses):
        """A response parameter is refused, alone and beside plain parameters."""
        assert MODE == responses.callback(response="a.b.c")
        assert MODE == responses.callback(response="a.b.c", code=..., iss=...)

    @pytest.mark.parametrize(
        "parameters", [{"error": "access_denied"}, {"code": ...}, {"code": ""}, {"code": ..., "error": ""}]
    )
    def test_there_is_exactly_one_of_code_and_error(self, responses, parameters):
        """Both and neither are refused, and an empty one is none."""
        assert BOTH == responses.callback(**parameters)

    def test_unknown_parameters_are_ignored(self, responses):
        """A response may carry more than is read."""
        assert None is responses.callback(session_state="x", redirect_uri="https://evil.example/", error="")


class TestDeclined:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            ("access_denied", "access_denied"),
            ("login_required", "login_required"),
            ("account_selection_required", "interaction_required"),
            ("consent_required", "interaction_required"),
            ("interaction_required", "interaction_required"),
            ("unmet_authentication_requirements", "assurance_unmet"),
            ("invalid_request", "request_refused"),
            ("invalid_request_object", "request_refused"),
            ("invalid_request_uri", "request_refused"),
            ("invalid_scope", "request_refused"),
            ("request_not_supported", "request_refused"),
            ("request_uri_not_supported", "request_refused"),
            ("unauthorized_client", "request_refused"),
            ("unsupported_response_type", "request_refused"),
            ("registration_not_supported", "other"),
            ("Access_Denied", "other"),
            ("<script>alert(1)</script>", "other"),
        ],
    )
    def test_an_error_becomes_one_of_a_closed_list(self, responses, error, code):
        """Every error of the standards has its code, and everything else has one together."""
        told = {
            "code": ...,
            "error": error,
            "error_description": "not shown",
            "error_uri": "https://evil.example/",
        }
        assert declined(code) == responses.callback(**told)

    @pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable"])
    def test_an_issuer_in_trouble_has_declined_nothing(self, responses, error):
        """Trouble at the issuer is no answer of the person."""
        assert ("check_declined", "issuer.unavailable") == responses.callback(code=..., error=error)
