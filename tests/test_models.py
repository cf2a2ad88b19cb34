"""The values that an app holds: what they compare to, and what they never show."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import pickle
from base64 import urlsafe_b64encode
from dataclasses import FrozenInstanceError, asdict, fields, replace
from datetime import UTC, datetime

import pytest

from cyberid_client import (
    AgeBand,
    Assurance,
    Channel,
    ConfigurationError,
    Evidence,
    Factor,
    Login,
    LoginRequest,
    Persistence,
    Pseudonym,
    PseudonymDigest,
    PseudonymKeys,
)
from cyberid_client.models import PendingLogin

VALUE = "Zq3vT8wLx0aPf5RkYd2mNb"
ISSUER = "https://issuer.example"
SECTOR = "https://shop.example"
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# HMAC-SHA-256 under OLD over the prefix and three length-prefixed parts.
VECTOR = "k1.C8XWDOfkHyu2b7Or3luRf6ino0RNVdshesT2YRZQTIM"


@pytest.fixture
def keys():
    return PseudonymKeys({"k1": OLD})


@pytest.fixture
def pseudonym():
    return Pseudonym(VALUE, issuer=ISSUER, sector=SECTOR)


@pytest.fixture
def evidence():
    return Evidence(
        checks=("E3.3",),
        algorithm="ES256",
        signer_sha256="aa",
        anchor_sha256="bb",
        chain_expires_at=AT,
        trust_fingerprint="cc",
        verified_at=AT,
    )


@pytest.fixture
def login(pseudonym, evidence):
    return Login(
        pseudonym=pseudonym,
        assurance=Assurance.R02,
        factors=frozenset({Factor.PASSWORD, Factor.CERTIFICATE}),
        channel=Channel.REDIRECT,
        authenticated_at=AT,
        issuer=ISSUER,
        sector=SECTOR,
        persistence=Persistence.LIFE,
        age_band=AgeBand.ADULT,
        session_id="made-up-session-id-123",
        return_to="/cart",
        _make_evidence=lambda: evidence,
    )


@pytest.fixture
def pending():
    return PendingLogin(
        kind="redirect",
        issuer=ISSUER,
        client_id="shop",
        redirect_uri=f"{SECTOR}/callback",
        state="secret-state",
        nonce="secret-nonce",
        code_verifier="secret-verifier",
        assurance=Assurance.R02,
        max_age=None,
        return_to="/private/path",
        started_at=AT,
        expires_at=AT,
    )


class TestAssurance:
    def test_a_mode_is_its_set_of_factors(self):
        """R01 to R04 are the sets that have the certificate in them."""
        sets = {mode.name: sorted(mode.factors) for mode in Assurance}
        assert {
            "R01": ["certificate"],
            "R02": ["certificate", "password"],
            "R03": ["certificate", "face"],
            "R04": ["certificate", "face", "password"],
        } == sets

    def test_it_is_a_partial_order(self):
        """To satisfy is reflexive, antisymmetric and transitive, and R02 and R03 do not compare."""
        pairs = {(a, b) for a in Assurance for b in Assurance if a.satisfies(b)}
        assert all((mode, mode) in pairs for mode in Assurance)
        assert all(a is b for a, b in pairs if (b, a) in pairs)
        assert all((a, d) in pairs for a, b in pairs for c, d in pairs if b is c)
        assert {(Assurance.R02, Assurance.R03), (Assurance.R03, Assurance.R02)}.isdisjoint(pairs)
        assert 9 == len(pairs)

    @pytest.mark.parametrize("other", [*Assurance, "urn:cyberid:mode:r01", 1])
    def test_it_has_no_less_and_no_more(self, other):
        """Modes cannot be compared by size, in either direction, not even as the text that they are."""
        message = r"^assurance is only partly ordered; ask Assurance.satisfies$"
        for mode in Assurance:
            for compare in (
                lambda a, b: a < b,
                lambda a, b: a <= b,
                lambda a, b: a > b,
                lambda a, b: a >= b,
            ):
                with pytest.raises(TypeError, match=message):
                    compare(mode, other)
                with pytest.raises(TypeError, match=message):
                    compare(other, mode)

    def test_it_cannot_be_sorted(self):
        """Neither the best nor the worst of some modes can be asked for."""
        for function in (sorted, max, min):
            with pytest.raises(TypeError, match="partly ordered"):
                function(Assurance)

    def test_its_value_is_what_stands_in_acr(self):
        """A mode is written as its URN, and equals it."""
        assert [
            "urn:cyberid:mode:r01",
            "urn:cyberid:mode:r02",
            "urn:cyberid:mode:r03",
            "urn:cyberid:mode:r04",
        ] == [str(mode) for mode in Assurance]


class TestPseudonymKeys:
    @pytest.mark.parametrize("name", ["k", "1", "a" * 16, "2026a"])
    def test_an_id_is_up_to_16_letters_and_digits(self, name):
        """Small letters and digits, one to sixteen."""
        assert (name,) == PseudonymKeys({name: OLD}).ids

    @pytest.mark.parametrize(
        "name", ["", "a" * 17, "K1", "k-1", "k.1", "k 1", "²", "é", "\u0661", "k\n", 1, None]
    )
    def test_another_id_is_unfit(self, name):
        """An id must stand in front of the dot of a digest without being confused with anything."""
        with pytest.raises(ConfigurationError) as caught:
            PseudonymKeys({name: OLD})
        assert "config.pseudonym_key" == caught.value.code

    @pytest.mark.parametrize("key", [b"", bytes(31), "x" * 32, None, bytearray(32), 32])
    def test_a_key_is_at_least_32_bytes(self, key):
        """A short key, and text that came out of an environment variable, is unfit."""
        with pytest.raises(ConfigurationError) as caught:
            PseudonymKeys({"k1": key})
        assert "config.pseudonym_key" == caught.value.code

    @pytest.mark.parametrize("length", [32, 33, 1000])
    def test_a_longer_key_will_do(self, length):
        """Exactly 32 bytes are enough."""
        assert "k1" == PseudonymKeys({"k1": bytes(length)}).newest

    def test_one_unfit_key_spoils_all(self):
        """Old keys are held to the same rule, and no key at all is none."""
        for unfit in ({"k2": NEW, "k1": b"short"}, {"k2": NEW, "K1": OLD}, {}):
            with pytest.raises(ConfigurationError):
                PseudonymKeys(unfit)

    def test_it_copies_what_it_is_given(self):
        """Keys that are added to the mapping later are not known."""
        given = {"k1": OLD}
        keys = PseudonymKeys(given)
        given["k2"] = NEW
        assert ("k1",) == keys.ids

    def test_it_shows_ids_and_never_keys(self):
        """The representation names the keys, in order, and pickling is refused."""
        keys = PseudonymKeys({"k2": NEW, "k1": OLD})
        assert "PseudonymKeys(k2, k1)" == repr(keys)
        for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"^PseudonymKeys is not written out"):
                refuse(keys)

    def test_an_unknown_key_cannot_be_used(self, keys):
        """There is no default key behind the listed ones."""
        with pytest.raises(ConfigurationError) as caught:
            keys.mac("k2", b"")
        assert "config.pseudonym_key" == caught.value.code


class TestDigest:
    def test_it_never_changes(self, pseudonym, keys):
        """A digest in somebody's database is found again by every later version."""
        assert VECTOR == str(pseudonym.digest(keys))

    def test_it_is_hmac_over_prefix_and_parts_with_their_lengths(self, pseudonym, keys):
        """The same digest comes out of a calculation written by hand."""
        message = b"cyberid-pseudonym-1"
        for part in (ISSUER, SECTOR, VALUE):
            message += len(part).to_bytes(4, "big") + part.encode()
        mac = urlsafe_b64encode(hmac.new(OLD, message, hashlib.sha256).digest()).rstrip(b"=").decode()
        assert mac == pseudonym.digest(keys).mac

    def test_issuer_sector_and_value_all_count(self, pseudonym, keys):
        """Another issuer, sector or value gives another digest, also when the text runs together."""
        others = [
            Pseudonym(VALUE, issuer=f"{ISSUER}/", sector=SECTOR),
            Pseudonym(VALUE, issuer=ISSUER, sector=f"{SECTOR}/"),
            Pseudonym(f"{VALUE}A", issuer=ISSUER, sector=SECTOR),
            Pseudonym(VALUE[1:], issuer=ISSUER, sector=SECTOR + VALUE[0]),
            Pseudonym(VALUE, issuer=ISSUER + SECTOR[0], sector=SECTOR[1:]),
        ]
        assert 6 == len({str(each.digest(keys)) for each in (pseudonym, *others)})

    def test_the_first_key_makes_it_and_old_keys_recognise_it(self, pseudonym, keys):
        """After a rotation new digests have the new key, and the old record is still found."""
        rotated = PseudonymKeys({"k2": NEW, "k1": OLD})
        assert ("k2", "k1") == (pseudonym.digest(rotated).key_id, keys.newest)
        assert pseudonym.digest(keys) == pseudonym.digest(rotated, key_id="k1")
        assert pseudonym.digest(keys).mac != pseudonym.digest(rotated).mac
        with pytest.raises(ConfigurationError):
            pseudonym.digest(keys, key_id="k2")

    def test_it_is_read_back(self, pseudonym, keys):
        """What was written as text is equal when it is read."""
        digest = pseudonym.digest(keys)
        assert digest == PseudonymDigest.parse(str(digest))
        assert 1 == len({digest, PseudonymDigest.parse(str(digest))})

    @pytest.mark.parametrize(
        "text",
        [
            "", ".", "k1", "k1.", f".{'a' * 43}", f"k1.{'a' * 42}", f"k1.{'a' * 44}", "a" * 46,
            f"k1.{'+' * 43}", f"k1.{chr(0xD800) * 43}", f"K1.{'a' * 43}", None, b"k1", 7,
        ],
    )  # fmt: skip
    def test_what_is_no_digest_is_refused(self, text):
        """A text of another shape is no digest."""
        with pytest.raises(ConfigurationError) as caught:
            PseudonymDigest.parse(text)
        assert ("config.value", "pseudonym_digest") == (caught.value.code, caught.value.setting)

    def test_it_shows_the_key_id_only(self, pseudonym, keys):
        """The keyed hash is not shown by accident."""
        digest = pseudonym.digest(keys)
        assert "PseudonymDigest(key_id='k1')" == repr(digest)


class TestPseudonym:
    def test_it_prints_redacted(self, pseudonym):
        """No way of printing shows the value."""
        assert {"Pseudonym(redacted)"} == {
            repr(pseudonym),
            str(pseudonym),
            f"{pseudonym}",
            f"{[pseudonym]}"[1:-1],
        }
        assert VALUE == pseudonym.value

    def test_it_is_not_written_out(self, pseudonym):
        """Pickling and copying are refused, with advice."""
        for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(
                TypeError, match=r"^Pseudonym is not written out; store Pseudonym.digest\(keys\)$"
            ):
                refuse(pseudonym)

    def test_it_is_no_json(self, pseudonym):
        """A pseudonym does not slip into a JSON document."""
        with pytest.raises(TypeError):
            json.dumps(pseudonym)

    def test_equal_means_one_person_in_one_sector(self, pseudonym):
        """Issuer, sector and value count, and nothing but a pseudonym is equal to one."""
        same = Pseudonym(VALUE, issuer=ISSUER, sector=SECTOR)
        assert (True, hash(pseudonym)) == (pseudonym == same, hash(same))
        for other in (
            Pseudonym(VALUE, issuer=ISSUER, sector="https://other.example"),
            Pseudonym(VALUE, issuer="https://other.example", sector=SECTOR),
            Pseudonym(VALUE[::-1], issuer=ISSUER, sector=SECTOR),
            VALUE,
            None,
        ):
            assert pseudonym != other

    def test_it_cannot_be_changed(self, pseudonym):
        """There is no setter and no room for attributes."""
        with pytest.raises(AttributeError):
            pseudonym.value = "x"
        with pytest.raises(AttributeError):
            pseudonym.name = "x"


class TestLogin:
    def test_it_shows_neither_pseudonym_nor_session(self, login):
        """The representation of a login holds nothing that leads to a person."""
        shown = repr(login)
        assert "pseudonym=Pseudonym(redacted)" in shown
        assert [] == [secret for secret in (VALUE, login.session_id, "evidence", "lambda") if secret in shown]

    def test_it_is_not_written_out_whole(self, login):
        """A login is kept by to_session; pickling it and taking it apart are refused."""
        for refuse in (pickle.dumps, asdict, copy.deepcopy):
            with pytest.raises(TypeError, match=r"^Pseudonym is not written out"):
                refuse(login)

    def test_to_session_holds_a_digest_in_the_pseudonyms_place(self, login, keys):
        """The session is JSON of everything an app needs later, and the value is not in it."""
        session = login.to_session(keys)
        assert {
            "pseudonym_digest": VECTOR,
            "assurance": "R02",
            "factors": ["certificate", "password"],
            "channel": "redirect",
            "authenticated_at": "2026-11-22T08:00:00+00:00",
            "issuer": ISSUER,
            "sector": SECTOR,
            "persistence": "A",
            "age_band": "adult",
            "session_id": "made-up-session-id-123",
        } == json.loads(session)
        assert VALUE not in session

    def test_to_session_without_what_is_optional(self, login, keys):
        """What was not granted is null."""
        session = json.loads(replace(login, age_band=None, session_id=None).to_session(keys))
        assert (None, None) == (session["age_band"], session["session_id"])

    def test_evidence_is_made_when_it_is_read(self, login, evidence):
        """The evidence is no part of the value: it neither compares nor prints."""
        assert evidence is login.evidence
        assert login == replace(login, _make_evidence=lambda: None)
        assert "evidence" not in {each.name for each in fields(Login)}

    def test_it_has_no_place_for_plain_identity(self):
        """A new attribute of a login is a decision, not an accident."""
        assert [
            "pseudonym",
            "assurance",
            "factors",
            "channel",
            "authenticated_at",
            "issuer",
            "sector",
            "persistence",
            "age_band",
            "session_id",
            "return_to",
            "_make_evidence",
        ] == [each.name for each in fields(Login)]


@pytest.mark.parametrize("name", ["login", "evidence", "pending"])
def test_values_are_frozen(request, name):
    """No attribute can be set and none can be added."""
    value = request.getfixturevalue(name)
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, "x")
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        value.colour = "red"


def test_evidence_is_plain_data(evidence):
    """Evidence goes into a log as it is: taken apart, copied, pickled."""
    assert "E3.3" == asdict(evidence)["checks"][0]
    assert evidence == pickle.loads(pickle.dumps(evidence))  # noqa: S301 - our own bytes


def test_a_pending_login_shows_no_secret(pending):
    """State, nonce, verifier and the place to return to are not shown."""
    shown = repr(pending)
    assert "kind='redirect'" in shown
    assert [] == [word for word in ("secret", "private") if word in shown]


def test_a_login_request_shows_no_secret():
    """The handle and the cookie that carries it are not shown."""
    request = LoginRequest(
        url="https://issuer.example/authorize?client_id=shop&request_uri=urn:x",
        handle="secret-handle",
        cookie_name="__Host-cyberid-x",
        set_cookie="__Host-cyberid-x=secret-handle",
    )
    assert "secret" not in repr(request)
    assert "__Host-cyberid-x" in repr(request)
