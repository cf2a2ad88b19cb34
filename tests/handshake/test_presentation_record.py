"""The one record of a wallet presentation, and who may open which part of it."""

from __future__ import annotations

import json
import pickle
import struct
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client import Assurance, LoginRestartError, PresentationState
from cyberid_client.handshake.presentation_ids import PresentationCode, PresentationHandle, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord, Stage, read_state

from .answers import SECRET, Env
from .conftest import ISSUER, NOW

HANDLE = PresentationHandle(SECRET)
OTHER = PresentationHandle(bytes(32))
ANSWER = b"what nobody else may read"
CODE = PresentationCode(HANDLE.request_id, "c" * 43)
RECORD = PresentationRecord(
    device="other",
    started_at=NOW,
    expires_at=NOW + timedelta(seconds=300),
    status_hash=HANDLE.status.hash,
    answer_key=HANDLE.public_key,
    decryption_key=b"d" * 32,
    nonce=b"n" * 32,
    issuer=ISSUER,
    sector="https://shop.example",
    client_id="x509_hash:kMmo3TxGJV8UBYkRaWE7w0Sd0m0zQ0uAaG5oI2ZrZcM",
    format="sd-jwt",
    assurance=Assurance.R02,
    age_band=True,
    return_to="/cart?item=1",
)


def sealed(record: PresentationRecord = RECORD) -> bytes:
    return record.seal(HANDLE.request_id, Env())


def code_of(function, *arguments: object) -> str:
    with pytest.raises(LoginRestartError) as caught:
        function(*arguments)
    return caught.value.code


class TestRecord:
    @pytest.mark.parametrize(
        "record",
        [
            RECORD,
            replace(RECORD, device="same", misses=9, tries=2, age_band=False, return_to="/"),
            RECORD.answered(ANSWER, CODE),
            RECORD.declined(CODE),
            RECORD.spent(),
        ],
        ids=["waiting", "same", "answered", "declined", "spent"],
    )
    def test_what_was_sealed_is_unsealed(self, record):
        """A record comes back as it was, at every stage."""
        assert record == PresentationRecord.unseal(sealed(record), HANDLE.request_id)

    def test_another_request_id_opens_nothing(self):
        """A record under another id's key is nobody's."""
        assert "login.unknown" == code_of(PresentationRecord.unseal, sealed(), OTHER.request_id)

    @pytest.mark.parametrize("at", [0, 11, 12, 60, -17, -1])
    def test_a_record_that_was_changed_is_nobody_s(self, at):
        """One flipped bit, wherever, and the record opens no more."""
        changed = bytearray(sealed())
        changed[at] ^= 1
        assert "login.unknown" == code_of(PresentationRecord.unseal, bytes(changed), HANDLE.request_id)

    @pytest.mark.parametrize(
        "plain",
        [
            b"",
            b"\x02" + bytes(300),
            b"\x01",
            b"\x01" + bytes(300),
            b"\x01\x09" + bytes(300),
            struct.pack(">BBBBBdd", 1, 0, 0, 0, 0, 1e300, 1e300) + bytes(162) + b"\x00\x02[]",
        ],
        ids=["empty", "version", "short", "no_texts", "no_stage", "no_date"],
    )
    def test_what_another_version_sealed_is_nobody_s(self, plain):
        """Whatever stands inside, there is no error but ours."""
        request_id = HANDLE.request_id
        record = bytes(12) + request_id.cipher.encrypt(bytes(12), plain, request_id.key.encode())
        assert "login.unknown" == code_of(PresentationRecord.unseal, record, request_id)
        assert PresentationState.OVER is read_state(record[:30], HANDLE.status, NOW)

    @given(st.binary(max_size=400))
    def test_rubbish_is_nobody_s(self, record):
        """Any bytes may come out of a store."""
        assert "login.unknown" == code_of(PresentationRecord.unseal, record, HANDLE.request_id)
        assert PresentationState.OVER is read_state(record, HANDLE.status, NOW)

    def test_a_waiting_record_is_small(self):
        """A presentation that waits takes at most 2 kB, and much less where its path is short."""
        assert 512 > len(sealed())
        assert 2_000 > len(sealed(replace(RECORD, return_to="/" + "p" * 1_500)))

    def test_nonce_and_key_are_gone_when_they_have_served(self):
        """What was answered holds neither the nonce nor the key that wallets encrypt for."""
        for record in (RECORD.answered(ANSWER, CODE), RECORD.declined(CODE), RECORD.spent()):
            assert (bytes(32), bytes(32)) == (record.nonce, record.decryption_key)

    def test_nothing_secret_is_shown(self):
        """A record prints neither nonce, key, hash, path nor answer."""
        shown = repr(RECORD.answered(ANSWER, CODE))
        assert not [word for word in ("cart", "nonce", "answer", "_hash=", "key") if word in shown]


class TestAnswer:
    def test_the_handle_opens_its_answer(self):
        """Who began reads what the wallet proved."""
        assert ANSWER == HANDLE.open(RECORD.answered(ANSWER, CODE).answer)

    def test_nobody_else_does(self):
        """Another handle, and an answer that was changed, give nothing."""
        answer = RECORD.answered(ANSWER, CODE).answer
        assert "login.unknown" == code_of(OTHER.open, answer)
        assert "login.unknown" == code_of(HANDLE.open, answer[:-1] + bytes([answer[-1] ^ 1]))
        assert "login.unknown" == code_of(HANDLE.open, b"")

    def test_an_answer_belongs_to_its_request(self):
        """For the same key and another request nothing is sealed."""
        elsewhere = PresentationCode(OTHER.request_id, "c" * 43)
        assert "login.unknown" == code_of(RECORD.answered, ANSWER, elsewhere)

    def test_store_and_request_id_do_not_tell_the_answer(self):
        """Who has the store and the QR code reads the record, and in it neither answer, code nor digits."""
        record = sealed(RECORD.answered(ANSWER, CODE))
        request_id = RequestId.parse(HANDLE.request_id.text)
        plain = request_id.cipher.decrypt(record[:12], record[12:], request_id.key.encode())
        for secret in (ANSWER, CODE.text()[23:].encode(), CODE.digits.encode(), HANDLE.text().encode()):
            assert secret not in plain

    def test_a_key_that_is_none_is_refused(self):
        """Without a key to seal for there is no answer to keep."""
        assert "login.unknown" == code_of(replace(RECORD, answer_key=bytes(32)).answered, ANSWER, CODE)
        assert "login.unknown" == code_of(replace(RECORD, answer_key=b"short").answered, ANSWER, CODE)


class TestHandle:
    def test_it_comes_back_from_its_text(self):
        """The cookie holds 43 characters, and all else comes out of them."""
        again = PresentationHandle.parse(HANDLE.text())
        assert 43 == len(HANDLE.text())
        assert (HANDLE.request_id, HANDLE.public_key, HANDLE.status.hash) == (
            again.request_id,
            again.public_key,
            again.status.hash,
        )

    def test_what_comes_out_of_it_is_all_different(self):
        """Request id, status handle and key have labels of their own, and so have two handles."""
        parts = [
            part
            for handle in (HANDLE, OTHER)
            for part in (
                handle.text(),
                handle.request_id.text,
                handle.request_id.key,
                handle.status.text()[23:],
                handle.public_key.hex(),
            )
        ]
        assert len(parts) == len(set(parts))
        assert 22 == len(HANDLE.request_id.text)

    @pytest.mark.parametrize("text", [None, ""])
    def test_a_missing_one(self, text):
        """Without a cookie the login cannot go on."""
        assert "login.handle_missing" == code_of(PresentationHandle.parse, text)

    @pytest.mark.parametrize(
        "text", ["A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "B", "é" * 43, 43, b"A" * 43, "A" * 5_000]
    )
    def test_a_damaged_one(self, text):
        """Anything but 32 bytes of strict base64url is damaged."""
        assert "login.handle_malformed" == code_of(PresentationHandle.parse, text)

    @pytest.mark.parametrize("secret", [HANDLE, CODE])
    def test_it_is_not_written_out(self, secret):
        """Handles and codes print redacted and refuse to be pickled."""
        assert "redacted" in repr(secret)
        with pytest.raises(TypeError, match="text is"):
            pickle.dumps(secret)


class TestCode:
    def test_it_comes_back_from_its_text(self):
        """A code names its presentation and proves itself by its hash."""
        again = PresentationCode.parse(CODE.text())
        assert (CODE.request_id, CODE.hash, CODE.digits) == (again.request_id, again.hash, again.digits)

    @pytest.mark.parametrize(
        "text",
        [
            None,
            "",
            HANDLE.request_id.text,
            f"{HANDLE.request_id.text}.",
            f"{HANDLE.request_id.text}.{'c' * 42}",
            f"{HANDLE.request_id.text}.{'c' * 44}",
            f"{HANDLE.request_id.text}.{'c' * 43}\n",
            f"{HANDLE.request_id.text[:-1]}é.{'c' * 43}",
            7,
        ],
    )
    def test_what_is_none(self, text):
        """Anything of another shape is unknown."""
        assert "login.unknown" == code_of(PresentationCode.parse, text)

    def test_digits_are_six(self):
        """Each code has six digits of its own, leading zeros included."""
        codes = [PresentationCode(HANDLE.request_id, f"{number:043}") for number in range(300)]
        digits = [code.digits for code in codes]
        assert {6} == set(map(len, digits))
        assert all(map(str.isdecimal, digits))
        assert 290 < len(set(digits))
        assert any(each.startswith("0") for each in digits)

    @pytest.mark.parametrize("text", [None, "", "A" * 21, "A" * 23, "A" * 21 + "/", 5, "A" * 21 + "\n"])
    def test_what_is_no_request_id(self, text):
        """Anything of another shape is unknown."""
        assert "login.unknown" == code_of(RequestId.parse, text)


class TestState:
    @pytest.mark.parametrize(
        ("record", "state"),
        [
            (RECORD, "waiting"),
            (RECORD.answered(ANSWER, CODE), "answered"),
            (RECORD.declined(CODE), "over"),
            (RECORD.spent(), "over"),
            (replace(RECORD, device="same"), "over"),
            (replace(RECORD.answered(ANSWER, CODE), device="same"), "over"),
        ],
        ids=["waiting", "answered", "declined", "spent", "same", "same_answered"],
    )
    def test_it_says_how_far_it_is(self, record, state):
        """Three words say it all, and of a presentation on the same device nothing is told."""
        assert PresentationState(state) is read_state(sealed(record), HANDLE.status, NOW)

    def test_it_is_over_from_the_second_of_its_end(self):
        """At its end it is over, and a moment before it is not."""
        end = RECORD.expires_at
        assert PresentationState.WAITING is read_state(
            sealed(), HANDLE.status, end - timedelta(microseconds=1)
        )
        assert PresentationState.OVER is read_state(sealed(), HANDLE.status, end)

    def test_only_the_status_handle_asks(self):
        """The response code and a made-up secret are told nothing."""
        record = sealed(RECORD.answered(ANSWER, CODE))
        assert PresentationState.OVER is read_state(record, CODE, NOW)
        assert PresentationState.ANSWERED is read_state(record, HANDLE.status, NOW)


def test_a_stage_is_one_number():
    """The numbers stand in records of other processes, and stay."""
    assert {"WAITING": 0, "ANSWERED": 1, "DECLINED": 2, "SPENT": 3} == json.loads(
        json.dumps({stage.name: stage for stage in Stage})
    )
