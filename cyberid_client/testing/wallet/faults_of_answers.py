"""Dishonest answers: what a wallet can do around a presentation, and honest ways that look odd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.encryption import EncryptedDraft, deflate
from cyberid_client.testing.faults.making import Change, fault, oddity
from cyberid_client.testing.jose import b64url, json_bytes, jwk_of
from cyberid_client.testing.wallet.faults_of_bindings import SUITE
from cyberid_client.testing.wallet.presenting import AnswerDraft, FetchDraft, PostDraft, PresentationDraft

__all__ = ["ALL_WALLET_ODDITIES", "ANSWER_FAULTS"]

_WINDOW: Final = 900


def _fault(name: str, number: str, law: str, code: str, change: Change, *, stage: str) -> Fault:
    return fault(
        f"wallet.{name}",
        number,
        law,
        stage=stage,
        code=code if "." in code else f"presentation.{code}",
        change=change,
        needs="wallet",
    )


def _answer(name: str, number: str, law: str, code: str, change: Change) -> Fault:
    return _fault(name, number, law, code, change, stage="answer")


def _jwe(name: str, number: str, law: str, code: str, change: Change) -> Fault:
    return _fault(name, number, law, code, change, stage="answer_jwe")


def _post(name: str, number: str, law: str, code: str, change: Change) -> Fault:
    return _fault(name, number, law, code, change, stage="post")


def _member(name: str, value: object) -> Change:
    """Set a member of the answer; ``...`` takes it out."""

    def change(draft: AnswerDraft) -> None:
        draft.members[name] = value
        if value is ...:
            del draft.members[name]

    return change


def _token(make: Callable[[AnswerDraft], object]) -> Change:
    return lambda draft: draft.members.update(vp_token=make(draft))


def _twice_named(draft: AnswerDraft) -> None:
    draft.body = b'{"vp_token":{},' + json_bytes(draft.members)[1:]


def _cut_off(draft: AnswerDraft) -> None:
    draft.body = draft.encode()[:-1]


def _listed(draft: AnswerDraft) -> None:
    draft.body = json_bytes([draft.members])


def _really(**members: str) -> Change:
    """Encrypt in another way, and do it well."""
    return lambda draft: draft.header.update(members)


def _say(**members: object) -> Change:
    """Set members of the finished header."""

    def change(draft: EncryptedDraft) -> None:
        draft.edit_header = lambda header: header.update(members)

    return change


def _unsaid(name: str) -> Change:
    def change(draft: EncryptedDraft) -> None:
        draft.edit_header = lambda header: header.__delitem__(name)

    return change


def _flip(position: int) -> Change:
    """Flip a bit of initialisation vector, ciphertext or tag."""

    def edit(parts: list[bytes]) -> list[bytes]:
        parts[position] = bytes([parts[position][0] ^ 1]) + parts[position][1:]
        return parts

    def change(draft: EncryptedDraft) -> None:
        draft.edit_parts = edit

    return change


def _point(edit: Callable[[dict[str, object]], object]) -> Change:
    """Replace the wallet's own key of the finished header."""

    def change(draft: EncryptedDraft) -> None:
        def edit_header(header: dict[str, object]) -> None:
            point = header["epk"]
            header["epk"] = edit(dict(point) if isinstance(point, dict) else {})

        draft.edit_header = edit_header

    return change


def _compressed(draft: EncryptedDraft) -> None:
    draft.header["zip"] = "DEF"
    draft.content = deflate(draft.content)


def _bomb(draft: EncryptedDraft) -> None:
    draft.header["zip"] = "DEF"
    draft.content = deflate(bytes(20_000_000))


def _for_stranger(draft: EncryptedDraft) -> None:
    if isinstance(draft.recipient, ec.EllipticCurvePublicKey):
        draft.recipient = ec.generate_private_key(draft.recipient.curve).public_key()


def _rewritten(edit: Callable[[str], str]) -> Change:
    def change(draft: EncryptedDraft) -> None:
        draft.edit_token = edit

    return change


def _plain(draft: PostDraft) -> None:
    """Send the answer as it would go with ``direct_post``."""
    members = {**draft.answer.members, "vp_token": json_bytes(draft.answer.members["vp_token"]).decode()}
    draft.parameters = [(name, str(value)) for name, value in members.items()]


def _plain_beside(draft: PostDraft) -> None:
    encrypted = draft.parameters
    _plain(draft)
    draft.parameters += encrypted


def _signed_only(draft: PostDraft) -> None:
    """Send the answer as the payload of a JWS that nobody signed."""
    header, payload = b64url(b'{"alg":"none"}'), b64url(draft.answer.encode())
    draft.parameters = [("response", f"{header}.{payload}.")]


def _parameters(edit: Callable[[list[tuple[str, str]]], list[tuple[str, str]]]) -> Change:
    def change(draft: PostDraft) -> None:
        draft.parameters = edit(draft.parameters)

    return change


def _as_json(draft: PostDraft) -> None:
    draft.content_type = "application/json"
    draft.body = json_bytes(dict(draft.parameters))


def _broken_escape(draft: PostDraft) -> None:
    draft.body = draft.encode() + b"%zz"


def _not_utf8(draft: PostDraft) -> None:
    draft.body = b"state=%ff&" + draft.encode()


_TOKEN_FAULTS: Final = (
    _answer(
        "state_other",
        "E11.2c",
        "An answer carries the state of its request.",
        "state",
        _member("state", "A" * 22),
    ),
    _answer("state_missing", "E11.2c", "No state is none.", "state", _member("state", ...)),
    _answer("state_as_number", "E11.3c", "A state is a text.", "claim_type", _member("state", 1)),
    _answer(
        "vp_token_missing", "E11.4", "An answer holds presentations.", "credentials", _member("vp_token", ...)
    ),
    *(
        _answer(f"vp_token_{name}", "E11.4", law, "credentials", _token(make))
        for name, law, make in (
            ("as_text", "Presentations are an object.", lambda draft: draft.presentation),
            ("as_list", "Presentations are an object.", lambda draft: [draft.presentation]),
            ("empty", "What was asked for is there.", lambda _: {}),
            ("of_other_id", "The id is that of the query.", lambda draft: {"other": [draft.presentation]}),
            (
                "with_more",
                "Nothing that was not asked for is there.",
                lambda draft: {draft.query_id: [draft.presentation], "other": [draft.presentation]},
            ),
            ("not_in_list", "Even one is a list.", lambda draft: {draft.query_id: draft.presentation}),
            ("of_none", "One is asked for.", lambda draft: {draft.query_id: []}),
            (
                "of_two",
                "No more than one is asked for.",
                lambda draft: {draft.query_id: [draft.presentation] * 2},
            ),
            (
                "as_object",
                "A presentation of this format is a text.",
                lambda draft: {draft.query_id: [{"sd_jwt": draft.presentation}]},
            ),
        )
    ),
    _answer("member_twice", "E11.3c", "A duplicate member is refused.", "malformed", _twice_named),
    _answer("cut_off", "E11.3c", "An answer is one strict JSON object.", "malformed", _cut_off),
    _answer("in_list", "E11.3c", "An answer is an object.", "malformed", _listed),
    _answer(
        "presentation_too_large",
        "E11.3c",
        "A presentation above 64 KiB is refused unread.",
        "too_large",
        _token(lambda draft: {draft.query_id: [draft.presentation + "A" * 65_536]}),
    ),
)

_JWE_FAULTS: Final = (
    _jwe(
        "other_content_encryption",
        "E11.3",
        "The content is encrypted in one of the ways that the request offers.",
        "content_encryption",
        _really(enc="A256CBC-HS512"),
    ),
    _jwe(
        "other_key_encryption",
        "E3.1b",
        "The key is used in the one way that the request names.",
        "key_encryption",
        _really(alg="ECDH-ES+A128KW"),
    ),
    _jwe(
        "direct",
        "E3.1b",
        "No secret is shared with a wallet: dir is refused.",
        "key_encryption",
        _really(alg="dir"),
    ),
    _jwe(
        "rsa",
        "E3.1b",
        "The key is no RSA key, whatever the header says.",
        "key_encryption",
        _say(alg="RSA-OAEP-256"),
    ),
    _jwe(
        "password",
        "E3.1b",
        "A password is no key: its count of iterations would be ours to work off.",
        "key_encryption",
        _say(alg="PBES2-HS256+A128KW", p2s="AAAAAAAAAAA", p2c=2_000_000_000),
    ),
    _jwe(
        "kid_other",
        "E11.3b",
        "The key is named, and it is that of one request.",
        "login.unknown",
        _say(kid="A" * 22),
    ),
    _jwe("kid_missing", "E11.3b", "The key is named.", "login.unknown", _unsaid("kid")),
    _jwe("compressed", "E3.1e", "A compressed answer is refused.", "compressed", _compressed),
    _jwe("compression_bomb", "E3.1e", "Nothing compressed is unpacked.", "compressed", _bomb),
    _jwe(
        "encrypted_critical",
        "E3.1f",
        "A critical extension of the encryption that is not understood is refused.",
        "critical",
        _say(crit=["urn:example:unknown"], **{"urn:example:unknown": 1}),
    ),
    _jwe(
        "encrypted_for_stranger",
        "E11.3b",
        "An answer that the request's key does not open is nobody's.",
        "decryption",
        _for_stranger,
    ),
    *(
        _jwe(f"{name}_changed", "E11.3b", "One wrong bit is enough.", "decryption", _flip(position))
        for name, position in (("vector", 1), ("ciphertext", 2), ("tag", 3))
    ),
    _jwe(
        "point_off_curve",
        "E11.3b",
        "A point that is not on the curve is refused.",
        "decryption",
        _point(lambda point: {**point, "y": b64url(bytes(31) + b"\x01")}),
    ),
    _jwe(
        "point_of_other_curve",
        "E11.3b",
        "The wallet's key is on the curve of ours.",
        "decryption",
        _point(lambda _: jwk_of(ec.generate_private_key(ec.SECP384R1()).public_key())),
    ),
    _jwe(
        "point_missing", "E11.3b", "Without the wallet's key nothing is agreed.", "decryption", _unsaid("epk")
    ),
    _jwe(
        "six_parts",
        "E11.3b",
        "Six parts are no JWE.",
        "malformed",
        _rewritten(lambda token: token + ".AA"),
    ),
    _jwe(
        "encrypted_padded",
        "E11.3b",
        "Base64url has no padding.",
        "malformed",
        _rewritten(lambda token: token + "="),
    ),
)

_POST_FAULTS: Final = (
    _post(
        "unencrypted",
        "E11.3a",
        "An answer that everybody could read is refused.",
        "unencrypted",
        _plain,
    ),
    _post(
        "unencrypted_beside_encrypted",
        "E11.3a",
        "An answer that everybody could read is refused, and what stands beside it.",
        "unencrypted",
        _plain_beside,
    ),
    _post("signed_only", "E11.3b", "A JWS is no JWE.", "malformed", _signed_only),
    _post(
        "response_twice",
        "E11.2d",
        "A parameter stands there once.",
        "form",
        _parameters(lambda found: found * 2),
    ),
    _post(
        "response_and_error",
        "E11.2d",
        "An answer is a yes or a no.",
        "form",
        _parameters(lambda found: [*found, ("error", "access_denied")]),
    ),
    _post(
        "response_empty",
        "E11.2d",
        "An empty answer is none.",
        "form",
        _parameters(lambda _: [("response", "")]),
    ),
    _post(
        "response_missing",
        "E11.2d",
        "A form without an answer is none.",
        "form",
        _parameters(lambda _: [("answer", "x")]),
    ),
    _post("form_as_json", "E11.2d", "An answer is posted as a form.", "content_type", _as_json),
    _post("form_broken", "E11.2d", "A form is well-formed.", "form", _broken_escape),
    _post("form_not_utf8", "E11.2d", "A form is UTF-8.", "form", _not_utf8),
    _post(
        "form_too_large",
        "E11.2d",
        "A form above 128 KiB is refused unread.",
        "too_large",
        _parameters(lambda found: [*found, ("padding", "x" * 131_072)]),
    ),
)

ANSWER_FAULTS: Final = (*_TOKEN_FAULTS, *_JWE_FAULTS, *_POST_FAULTS)


def _odd(
    name: str, number: str, law: str, change: Change, *, stage: str, module: str | None = None
) -> Oddity:
    return oddity(f"wallet.{name}", number, law, stage=stage, change=change, needs="wallet", module=module)


def _made(seconds: int) -> Change:
    def change(draft: PresentationDraft) -> None:
        draft.claims["iat"] = draft.seconds + seconds

    return change


def _by_post(draft: FetchDraft) -> None:
    draft.invitation = replace(draft.invitation, method="POST")


def _by_get(draft: FetchDraft) -> None:
    draft.invitation = replace(draft.invitation, method="GET")


def _twice(draft: FetchDraft) -> None:
    draft.times = 2


ALL_WALLET_ODDITIES: Final = (
    _odd(
        "clock_slow",
        "E10.12b",
        "A phone's clock may be a quarter of an hour slow.",
        _made(-_WINDOW),
        stage="presentation",
    ),
    _odd(
        "clock_fast",
        "E10.12b",
        "A phone's clock may be a quarter of an hour fast.",
        _made(_WINDOW),
        stage="presentation",
    ),
    _odd(
        "binding_claims_more",
        "E10.1",
        "What else a key binding says is not read.",
        lambda draft: draft.claims.update(jti="x", iss="https://wallet.example", exp=draft.seconds + 1),
        stage="presentation",
    ),
    _odd(
        "fetched_by_post",
        "E11.9",
        "A request may be fetched by POST, and repeats the wallet's nonce then.",
        _by_post,
        stage="fetch",
        module=f"{SUITE}request-uri-method-post",
    ),
    _odd("fetched_by_get", "E11.9", "A request may be fetched by GET.", _by_get, stage="fetch"),
    _odd(
        "fetched_twice",
        "E11.9",
        "A request may be fetched again.",
        _twice,
        stage="fetch",
        module=f"{SUITE}request-uri-fetched-twice",
    ),
    _odd(
        "longer_content_key",
        "E11.3",
        "Every way of encryption that the request offers is good.",
        _really(enc="A256GCM"),
        stage="answer_jwe",
    ),
    _odd(
        "parties_named",
        "E11.3b",
        "The parties may be named in the derivation of the key.",
        _really(apu="d2FsbGV0", apv="YXBw"),
        stage="answer_jwe",
    ),
    _odd(
        "answer_says_more",
        "E11.3c",
        "What else an answer says is not read.",
        _member("id_token", "x"),
        stage="answer",
    ),
    _odd(
        "form_says_more",
        "E11.2d",
        "Other parameters of the form are not read.",
        _parameters(lambda found: [*found, ("iss", "https://wallet.example")]),
        stage="post",
    ),
)
