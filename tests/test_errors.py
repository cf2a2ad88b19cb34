"""The error tree and its catalogue."""

from __future__ import annotations

import copy
import pickle
from collections import Counter

import pytest

from cyberid_client import errors
from cyberid_client.error_codes import _FAMILIES, CATALOGUE, ErrorCode
from cyberid_client.errors import (
    ChainError,
    ConfigurationError,
    CyberIDError,
    LoginDeclinedError,
    LoginRestartError,
    RevocationError,
    SignatureError,
    StoreError,
    TransportError,
    UnavailableError,
    VerificationError,
)

PARENTS = {
    ConfigurationError: CyberIDError,
    LoginDeclinedError: CyberIDError,
    LoginRestartError: CyberIDError,
    VerificationError: CyberIDError,
    SignatureError: VerificationError,
    ChainError: VerificationError,
    RevocationError: VerificationError,
    UnavailableError: CyberIDError,
    TransportError: UnavailableError,
    StoreError: UnavailableError,
}
ALPHABET = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def make(code: str) -> CyberIDError:
    return getattr(errors, CATALOGUE[code].family)(code)


def pickled(error: CyberIDError) -> CyberIDError:
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes


class TestTree:
    @pytest.mark.parametrize("kind", PARENTS)
    def test_each_class_has_its_place(self, kind):
        """The tree is ordered by what the caller must do."""
        assert (PARENTS[kind],) == kind.__bases__

    def test_there_are_no_others(self):
        """Every class of the module is in the tree, and every one is exported."""
        public = {name for name, value in vars(errors).items() if isinstance(value, type)}
        assert {kind.__name__ for kind in (*PARENTS, CyberIDError)} == public - {"ErrorCode"}
        assert {*public - {"ErrorCode"}, "FixedBy"} == set(errors.__all__)

    def test_an_unavailable_issuer_is_never_a_verdict(self):
        """Whoever catches one branch of the tree never catches another by accident."""
        branches = [
            ConfigurationError,
            LoginDeclinedError,
            LoginRestartError,
            VerificationError,
            UnavailableError,
        ]
        overlapping = [(a, b) for a in branches for b in branches if a is not b and issubclass(a, b)]
        assert [] == overlapping


class TestDeclined:
    @pytest.mark.parametrize("result_code", [None, "C0100001"])
    def test_a_decline_keeps_what_the_id_app_answered(self, result_code):
        """It is an attribute, survives pickling and copying, and stands in no message."""
        error = LoginDeclinedError("app.declined", result_code=result_code)
        for again in (pickled(error), copy.copy(error), copy.deepcopy(error)):
            assert ("app.declined", result_code) == (again.code, again.result_code)
        assert CATALOGUE["app.declined"].sentence == str(error)

    def test_other_declines_have_none(self):
        """Where no ID app answered there is nothing to keep."""
        assert None is LoginDeclinedError("declined.access_denied").result_code

    def test_of_all_outcomes_only_busy_may_be_tried_again(self):
        """A new launch helps against nothing else."""
        outcomes = {code for code in CATALOGUE if code.startswith("app.")}
        assert 10 == len(outcomes)
        assert {"app.busy"} == {code for code in outcomes if CATALOGUE[code].retryable}


class TestCatalogue:
    def test_no_code_stands_there_twice(self):
        """A code is unique: a second row would silently replace the first."""
        rows = Counter(row[0] for family in _FAMILIES.values() for row in family)
        assert [] == [code for code, count in rows.items() if count > 1]
        assert set(rows) == set(CATALOGUE)

    def test_sentences_are_unique(self):
        """Two codes never read alike."""
        sentences = Counter(entry.sentence for entry in CATALOGUE.values())
        assert [] == [sentence for sentence, count in sentences.items() if count > 1]

    @pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.code)
    def test_a_row_is_complete(self, entry):
        """Code, class, person and sentence are well formed, and the message is the sentence."""
        prefix, _, rest = entry.code.partition(".")
        assert prefix.replace("_", "").isalnum()
        assert rest.replace("_", "").isalnum()
        assert entry.code == entry.code.lower()
        assert entry.family in {kind.__name__ for kind in PARENTS}
        assert entry.fixed_by in {"user", "operator", "developer", "issuer", "nobody"}
        assert entry.sentence[0].isupper()
        assert entry.sentence.endswith(".")
        error = make(entry.code)
        assert (entry.code, entry.sentence, entry.fixed_by, entry.retryable) == (
            error.code,
            str(error),
            error.fixed_by,
            error.retryable,
        )

    def test_only_what_may_pass_by_itself_is_retryable(self):
        """A verdict, a setting and a person's no stay what they are; unavailability and a late list may pass."""
        families = ("UnavailableError", "TransportError", "StoreError")
        retryable = {code for code, entry in CATALOGUE.items() if entry.retryable}
        assert {
            "revocation.unreachable",
            "status.list_stale",
            # A new launch, the answer of the wallet, and digits that are typed once more.
            "app.busy",
            "presentation.not_answered",
            "presentation.digits_wrong",
        } == {code for code in retryable if CATALOGUE[code].family not in families}

    def test_it_cannot_be_changed(self):
        """The table and its rows are frozen."""
        with pytest.raises(TypeError):
            CATALOGUE["id_token.expired"] = ErrorCode("x", "VerificationError", "nobody", "x")
        with pytest.raises(AttributeError):
            CATALOGUE["id_token.expired"].sentence = "x"


class TestError:
    @pytest.mark.parametrize("kind", [*PARENTS, CyberIDError])
    def test_a_code_belongs_to_exactly_one_class(self, kind):
        """A code with another class than its own, parent or child, is a mistake in the program."""
        for code, entry in CATALOGUE.items():
            if entry.family != kind.__name__:
                with pytest.raises(
                    TypeError, match=f"^{code} belongs to {entry.family}, not to {kind.__name__}$"
                ):
                    kind(code)

    def test_an_unknown_code_is_a_mistake_in_the_program(self):
        """A code outside the catalogue makes no error of ours."""
        with pytest.raises(KeyError):
            VerificationError("id_token.no_such_rule")

    def test_nothing_received_can_be_passed_in(self):
        """An error takes a code and nothing else, so that no message can hold a value."""
        with pytest.raises(TypeError):
            VerificationError("id_token.expired", "a secret")
        with pytest.raises(TypeError):
            VerificationError("id_token.expired", detail="a secret")

    def test_it_shows_its_code_to_developers_and_its_sentence_to_everybody(self):
        """The text is the sentence, the representation is class and code."""
        error = VerificationError("id_token.expired")
        assert ("The assertion has expired.", "VerificationError('id_token.expired')") == (
            str(error),
            repr(error),
        )

    def test_attributes_cannot_be_set(self):
        """Code, person and reference are read-only."""
        error = VerificationError("id_token.expired")
        for name in ("code", "reference", "fixed_by", "retryable"):
            with pytest.raises(AttributeError):
                setattr(error, name, "x")

    @pytest.mark.parametrize("code", CATALOGUE)
    @pytest.mark.parametrize("through", [pickled, copy.copy, copy.deepcopy])
    def test_it_survives_pickling_and_copying(self, code, through):
        """An error crosses processes with class, code, message and reference."""
        error = make(code)
        reference = error.reference
        back = through(error)
        assert (type(error), code, str(error), reference) == (
            type(back),
            back.code,
            str(back),
            back.reference,
        )

    def test_a_setting_survives_pickling(self):
        """The setting that is wrong is still named in the other process."""
        error = ConfigurationError("config.value", "http.pool_size")
        reference = error.reference
        back = pickled(error)
        assert ("http.pool_size", str(error), reference) == (back.setting, str(back), back.reference)


class TestReference:
    def test_it_is_made_when_first_read_and_then_kept(self):
        """A reference is the same every time it is read, and none is made for nobody."""
        error = VerificationError("id_token.expired")
        assert None is error._reference
        assert error.reference == error.reference

    def test_it_can_be_told_on_the_phone(self):
        """Eight characters of an alphabet without look-alikes."""
        references = [VerificationError("id_token.expired").reference for _ in range(200)]
        assert {8} == set(map(len, references))
        assert set("".join(references)) <= ALPHABET
        assert set("ILOU").isdisjoint(ALPHABET)

    def test_it_is_random(self):
        """Two errors with one code have different references, in every one of eight places."""
        references = [VerificationError("id_token.expired").reference for _ in range(500)]
        assert 500 == len(set(references))
        assert all(len({reference[place] for reference in references}) > 20 for place in range(8))


class TestConfigurationError:
    def test_it_names_the_setting_and_never_its_value(self):
        """The message is the sentence and the setting's name."""
        error = ConfigurationError("config.max_age", "max_age")
        assert f"{CATALOGUE['config.max_age'].sentence} Setting: max_age." == str(error)

    def test_a_setting_may_be_absent(self):
        """Without a setting the message is the sentence alone."""
        error = ConfigurationError("time.naive")
        assert (None, CATALOGUE["time.naive"].sentence) == (error.setting, str(error))
