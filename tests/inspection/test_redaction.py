"""What an explanation never holds: identity numbers, and values of a person that nobody asked to see."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.inspection import Step, Verdict
from cyberid_client.inspection.shown import clean, clean_step
from cyberid_client.privacy.recognisers import find_identity_numbers, is_resident_number
from cyberid_client.testing.pki import CertificateForm, der

from .conftest import ISSUER, NONCE, NOW, PSEUDONYM, explain, note_of, text_of

HIDDEN = {
    "sub": PSEUDONYM,
    "nonce": NONCE,
    "sid": "b7VQ2mXk9sLdPz4RtYwNcE",
    "at_hash": "Tz1mYWtlLWhhc2gtMDEyMw",
}


def made_up_number() -> str:
    """Return a well-formed number of nobody: of a day on which nobody of its region lived to have one."""
    digits = "11010118000101000"
    return next(digits + mark for mark in "0123456789X" if is_resident_number(digits + mark))


NUMBER = made_up_number()


@pytest.mark.parametrize("name", sorted(HIDDEN))
def test_values_of_a_person_are_hidden(desk, name):
    """Pseudonym, nonce and the like are shown as their length and a keyed hash."""
    explanation = explain(desk.token(**HIDDEN), desk.settings(nonce=NONCE))
    assert HIDDEN[name] not in json.dumps(explanation.to_dict())
    assert note_of(explanation, name).startswith(f"{len(HIDDEN[name])} characters, #")


@pytest.mark.parametrize("name", sorted(HIDDEN))
def test_values_are_shown_on_demand(desk, name):
    """With show_values they stand there in full."""
    explanation = explain(desk.token(**HIDDEN), desk.settings(show_values=True))
    assert HIDDEN[name] in note_of(explanation, name)


def test_equal_hashes_equal_values(desk):
    """The hash of a value depends on the value and on the key, and there is none without a key."""
    first, same = (note_of(explain(desk.token(), desk.settings()), "sub") for _ in range(2))
    other_value = note_of(explain(desk.token(sub=PSEUDONYM[::-1]), desk.settings()), "sub")
    other_key = note_of(explain(desk.token(), desk.settings(hash_key=b"another key")), "sub")
    assert first == same
    assert first not in {other_value, other_key}
    assert "43 characters (the pseudonym)" == note_of(
        explain(desk.token(), desk.settings(hash_key=None)), "sub"
    )


@pytest.mark.parametrize("value", ["a stranger's words", {"name": "nobody"}, ["x", {"y": 1}], 17, True, None])
def test_an_unknown_claim_is_hidden(desk, value):
    """A claim that no login reads is shown by its name and size alone."""
    note = note_of(explain(desk.token(given_name=value), desk.settings(hash_key=None)), "given_name")
    size = len(value if isinstance(value, str) else json.dumps(value))
    assert note.startswith(f"{size} characters")


@pytest.mark.parametrize("show_values", [False, True])
@pytest.mark.parametrize(
    "name", ["sub", "iss", "aud", "acr", "amr", "sector", "id_number", "azp", "sid", NUMBER]
)
def test_an_identity_number_in_a_claim_is_nowhere(desk, name, show_values):
    """Whatever claim holds a number, and whatever is to be shown, the number is not."""
    value = ["certificate", NUMBER] if name == "amr" else f"x-{NUMBER}"
    explanation = explain(desk.token(**{name: value}), desk.settings(show_values=show_values))
    assert NUMBER not in json.dumps(explanation.to_dict())


def test_an_identity_number_in_a_header_is_nowhere(desk):
    """Key id, type and names of header members are cleaned too."""
    header = {"kid": NUMBER, "typ": NUMBER, NUMBER: NUMBER, "x5u": NUMBER}
    explanation = explain(desk.token(header=header), desk.settings())
    assert NUMBER not in text_of(explanation)


def test_an_identity_number_in_a_certificate_is_nowhere(desk):
    """Subject and names of a certificate are cleaned too."""
    form = CertificateForm(
        subject=f"Nobody {NUMBER}",
        not_before=NOW,
        not_after=NOW,
        uris=(f"{ISSUER}/{NUMBER}",),
        hosts=("a.example",),
    )
    key = ec.generate_private_key(ec.SECP256R1())
    explanation = explain(der(desk.keyring.authority.issue(form, key.public_key())), desk.trusting())
    assert NUMBER not in text_of(explanation)
    assert "Nobody [redacted]" in note_of(explanation, "Subject")


def test_an_identity_number_in_a_key_set_is_nowhere(desk):
    """The names in a key set are cleaned too."""
    page = json.dumps({"keys": [{"kty": NUMBER, "kid": NUMBER, "use": NUMBER}, NUMBER]}).encode()
    assert NUMBER not in json.dumps(explain(page, desk.settings()).to_dict())


def test_no_honest_output_looks_like_a_number(shop):
    """Nothing in the explanation of a whole login is taken for an identity number."""
    shop.log_in()
    for data in (shop.id_token, shop.kept.answers["discovery"], shop.kept.answers["jwks"]):
        assert () == find_identity_numbers(text_of(explain(data, shop.settings())))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\u200bc", "a\\u202eb\\u200bc"),
        ("two\nlines", "two\\nlines"),
        ("网络", "网络"),
        (f"\x00{NUMBER}\x00", "\\x00[redacted]\\x00"),
        ("x" * 400, "x" * 400),
        ("x" * 401, "x" * 400 + "… (401 characters)"),
    ],
)
def test_a_clean_text_can_be_printed_anywhere(text, expected):
    """Control and direction characters are written out, numbers replaced, long texts cut."""
    assert expected == clean(text)


def test_the_last_net_reaches_every_step():
    """Titles and details at any depth are cleaned, and nothing else is changed."""
    inner = Step(
        title=NUMBER, detail=NUMBER, verdict=Verdict.FAILS, code="chain.expired", number="E1", needs=("a",)
    )
    cleaned = clean_step(Step(title="outer", children=(inner,))).children[0]
    assert ("[redacted]", "[redacted]") == (cleaned.title, cleaned.detail)
    assert (inner.verdict, inner.code, inner.number, inner.needs) == (
        cleaned.verdict,
        cleaned.code,
        cleaned.number,
        cleaned.needs,
    )
