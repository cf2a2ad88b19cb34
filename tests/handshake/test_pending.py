"""The sealed record of a pending login, and the handle that opens it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client import Assurance, CyberIDError, LoginRestartError
from cyberid_client.handshake.pending import Handle, seal, unseal

from .receipts import pending_launch

SECRET = bytes(range(32))
TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


class Env:
    """Randomness that the test knows."""

    def token(self, nbytes: int) -> bytes:
        return b"n" * nbytes


def code_of(function, *arguments: object) -> str:
    with pytest.raises(LoginRestartError) as caught:
        function(*arguments)
    return caught.value.code


@pytest.fixture
def handle():
    return Handle(SECRET)


@pytest.fixture
def record(responses, handle):
    return seal(responses.pending(), handle, Env())


class TestSeal:
    @pytest.mark.parametrize("assurance", Assurance)
    @pytest.mark.parametrize("max_age", [None, 0, 31_536_000])
    def test_what_was_sealed_comes_back(self, responses, handle, assurance, max_age):
        """Every member survives, whatever the mode and the age."""
        pending = responses.pending(assurance=assurance, max_age=max_age, return_to="/cart?item=1#top")
        assert pending == unseal(seal(pending, handle, Env()), handle)

    def test_times_keep_their_microseconds(self, responses, handle):
        """Times come back to the microsecond, aware and in UTC."""
        at = datetime(2026, 11, 22, 8, 0, 0, 123_457, tzinfo=UTC)
        back = unseal(seal(replace(responses.pending(), started_at=at), handle, Env()), handle)
        assert (at, UTC) == (back.started_at, back.started_at.tzinfo)

    def test_nothing_of_it_can_be_read(self, responses, record, handle):
        """The record shows neither a member nor the secret that opens it."""
        pending = responses.pending()
        shown = (pending.state, pending.nonce, pending.code_verifier, pending.return_to, pending.issuer)
        assert not [text for text in shown if text.encode() in record]
        assert SECRET not in record
        assert handle.key.encode() not in record

    def test_the_nonce_is_fresh_and_in_front(self, record):
        """Twelve random bytes go before the encrypted part."""
        assert b"n" * 12 == record[:12]

    def test_it_fits_a_store(self, responses, handle):
        """A record with the longest values that are accepted is at most 4 KiB and a little."""
        pending = responses.pending(return_to="/" + "x" * 2047)
        assert len(seal(pending, handle, Env())) <= 4096


class TestAppLaunch:
    @pytest.mark.parametrize("assurance", Assurance)
    def test_a_launch_comes_back_as_one(self, handle, assurance):
        """Every member survives, whatever the mode; a record says itself of which handshake it is."""
        pending = pending_launch(assurance=assurance, return_to="/cart?item=1#top")
        assert pending == unseal(seal(pending, handle, Env()), handle)

    def test_nothing_of_it_can_be_read(self, handle):
        """The record shows neither the launch nor who launched it, and fits any store."""
        pending = pending_launch(return_to="/" + "x" * 2047)
        record = seal(pending, handle, Env())
        assert not [text for text in (pending.biz_seq, pending.app_id) if text.encode() in record]
        assert len(record) <= 4096

    def test_a_launch_is_no_login_and_no_login_a_launch(self, handle, responses):
        """The two have nothing in common that one could be finished with in the place of the other."""
        for pending, other in ((pending_launch(), "redirect"), (responses.pending(), "app")):
            plain = handle.cipher.decrypt(*split(seal(pending, handle, Env())), handle.key.encode())
            turned = json.dumps({**json.loads(plain), "kind": other}).encode()
            record = b"n" * 12 + handle.cipher.encrypt(b"n" * 12, turned, handle.key.encode())
            assert "login.unknown" == code_of(unseal, record, handle)


def split(record):
    return record[:12], record[12:]


class TestUnseal:
    def test_another_handle_opens_nothing(self, record):
        """Whoever has the record and another handle has nothing."""
        assert "login.unknown" == code_of(unseal, record, Handle(bytes(32)))

    def test_every_changed_byte_is_noticed(self, record, handle):
        """A tampered record is refused, wherever it was changed."""
        for position in range(len(record)):
            changed = record[:position] + bytes([record[position] ^ 1]) + record[position + 1 :]
            assert "login.unknown" == code_of(unseal, changed, handle)

    def test_every_truncation_is_noticed(self, record, handle):
        """A record that was cut short, down to nothing, is refused."""
        for length in range(len(record)):
            assert "login.unknown" == code_of(unseal, record[:length], handle)

    def test_a_record_of_another_login_is_refused(self, responses, record):
        """A store that mixes up its records finishes nobody's login."""
        other = Handle(b"x" * 32)
        assert responses.pending() == unseal(seal(responses.pending(), other, Env()), other)
        assert "login.unknown" == code_of(unseal, record, other)

    @pytest.mark.parametrize(
        "members",
        [
            [],
            None,
            1,
            {},
            {"assurance": "urn:cyberid:mode:r02"},
            {"assurance": "r09", "started_at": 1, "expires_at": 1},
            {"assurance": "urn:cyberid:mode:r02", "started_at": 1, "expires_at": 1, "colour": "red"},
            {"assurance": "urn:cyberid:mode:r02", "started_at": None, "expires_at": 1},
        ],
    )
    def test_a_record_of_another_version_is_gone(self, handle, members):
        """What opens and has another shape ends in a new start, not in a crash."""
        plain = json.dumps(members).encode()
        record = b"n" * 12 + handle.cipher.encrypt(b"n" * 12, plain, handle.key.encode())
        assert "login.unknown" == code_of(unseal, record, handle)

    def test_a_record_must_be_bound_to_its_key_in_the_store(self, handle, responses, record):
        """The store's key is authenticated: the same bytes sealed without it do not open."""
        plain = handle.cipher.decrypt(record[:12], record[12:], handle.key.encode())
        assert "redirect" == json.loads(plain)["kind"]
        unbound = record[:12] + handle.cipher.encrypt(record[:12], plain, None)
        assert "login.unknown" == code_of(unseal, unbound, handle)

    @given(st.binary(max_size=200))
    def test_any_bytes_are_gone(self, record):
        """Whatever a store hands back is refused inside the error tree."""
        assert "login.unknown" == code_of(unseal, record, Handle(SECRET))


class TestHandle:
    def test_the_text_form_is_43_characters(self, handle):
        """A handle of 32 bytes is written as 43 characters of base64url and read back."""
        assert TEXT == handle.text()
        assert (handle.key, "") == (Handle.parse(TEXT).key, Handle.parse(TEXT).carried)

    def test_what_a_store_made_it_carry_comes_back(self):
        """Behind the first dot stands what the store wants back, dots and all."""
        handle = Handle.parse(f"{TEXT}.a.b-c_")
        assert ("a.b-c_", f"{TEXT}.a.b-c_") == (handle.carried, handle.text())
        assert Handle(SECRET).key == handle.key

    @pytest.mark.parametrize("text", [None, ""])
    def test_no_cookie_is_told_apart(self, text):
        """A browser that brought nothing is told so."""
        assert "login.handle_missing" == code_of(Handle.parse, text)

    @pytest.mark.parametrize(
        "text",
        [
            ".",
            ".carried",
            TEXT[:-1],
            TEXT + "A",
            TEXT + "=",
            TEXT[:-1] + "9",
            TEXT[:-1] + "+",
            TEXT[:-1] + " ",
            " " + TEXT,
            TEXT + "\n",
            TEXT[:-1] + "é",
            TEXT[:-1] + "\ud800",
            "网" * 43,
            "A" * 43 + "." + "x" * 4096,
            f"{TEXT}.{'x' * (4097 - 44)}",
        ],
    )
    def test_a_damaged_cookie_is_refused(self, text):
        """Another length, character, padding or loose bit is damage."""
        assert "login.handle_malformed" == code_of(Handle.parse, text)

    @pytest.mark.parametrize("value", [TEXT.encode(), 5, [TEXT]])
    def test_what_is_no_text_is_refused(self, value):
        """Some frameworks hand cookies over as bytes: that is our own error, too."""
        assert "login.handle_malformed" == code_of(Handle.parse, value)

    def test_the_longest_cookie_is_4096_characters(self):
        """A handle of exactly 4,096 characters is read."""
        carried = "x" * (4096 - 44)
        assert carried == Handle.parse(f"{TEXT}.{carried}").carried

    @given(st.text(max_size=60))
    def test_any_text_is_read_or_refused(self, text):
        """Whatever a cookie holds, nothing but our own error comes out."""
        refusals = {"login.handle_missing", "login.handle_malformed"}
        try:
            outcome = len(Handle.parse(text).key)
        except CyberIDError as error:
            outcome = error.code
        assert outcome in {64, *refusals}

    def test_key_and_cipher_are_derived_apart(self, handle):
        """What the store knows does not open what it keeps."""
        assert 64 == len(handle.key)
        assert handle.key != Handle(bytes(32)).key
        sealed = handle.cipher.encrypt(b"n" * 12, b"plain", None)
        for key in (SECRET, bytes.fromhex(handle.key)):
            assert sealed != AESGCM(key).encrypt(b"n" * 12, b"plain", None)

    def test_it_never_shows_its_secret(self, handle):
        """A handle prints redacted."""
        assert ("Handle(redacted)", "Handle(redacted)") == (repr(handle), str(handle))
