"""Issue credentials, show them, honest and broken, and tell which check refuses them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cyberid_client import Assurance
from cyberid_client.config import ExpectedPresentation
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.formats import FORMATS, KnownAhead, VerifiedPresentation
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.jose import ALGORITHMS, PrivateKey, jwk_of
from cyberid_client.testing.keyring import Signer, x5c_of
from cyberid_client.testing.status_lists import pack_statuses
from cyberid_client.trust import (
    ChainProfile,
    KeySet,
    RevocationLists,
    RevocationPolicy,
    StatusList,
    StatusLists,
    find_algorithm,
)
from cyberid_client.wire.jwks import parse_jwks

from .conftest import ISSUER, NOW, SECONDS, Bench, Verdict, code_of, json_response, lists, members

SECTOR = "https://shop.example"
CLIENT_ID = "x509_hash:kMmo3TxGJV8UBYkRaWE7w0Sd0m0zQ0uAaG5oI2ZrZcM"
EPOCH = 7 * 86_400
BEGINS = SECONDS - SECONDS % EPOCH
LIST = f"{ISSUER}/status-lists/shop-1"
SUBJECT = "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA"
PRESENTATION = {
    "CREDENTIAL": "credential",
    "KEY_BINDING": "key_binding",
    "CREDENTIAL_STATUS": "credential",
}
MODES = {mode.value: mode for mode in (Assurance.R01, Assurance.R02)}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def digest(text: str) -> str:
    return b64(hashlib.sha256(text.encode()).digest())


def disclosure(*parts: object) -> str:
    return b64(json.dumps(parts).encode())


AGE_BAND = disclosure("Wm1hZGUtdXAtc2FsdA", "age_band", "adult")


@dataclass(frozen=True)
class PresentationBench(Bench):
    """Sign credentials and key bindings, and judge them together."""

    holder: PrivateKey = field(default_factory=ALGORITHMS["ES256"].generate)
    signer: Signer = None

    @classmethod
    def of(cls, parts: Mapping[str, object]) -> PresentationBench:
        """Make a bench whose key set also has a signer of credentials."""
        signer = parts["keyring"].make_signer("credential", NOW)
        bench = cls(**{**parts, "keys": KeySet()}, signer=signer)
        return replace(bench, keys=bench.published(signer))

    def published(self, *signers: Signer) -> KeySet:
        """Return a key set of these signers."""
        return self.key_set(*[each.to_jwk() for each in signers])

    def key_set(self, *entries: Mapping[str, object]) -> KeySet:
        """Return a key set of these entries and no others."""
        return KeySet.from_jwks(parse_jwks(json_response({"keys": list(entries)})))

    def claims(self) -> dict[str, object]:
        """Return what an honest credential says."""
        return {
            "iss": ISSUER,
            "sub": SUBJECT,
            "aud": SECTOR,
            "iat": BEGINS,
            "exp": BEGINS + 2 * EPOCH,
            "vct": "urn:cyberid:pairwise:1",
            "cnf": {"jwk": jwk_of(self.holder.public_key())},
            "status": {"status_list": {"uri": LIST, "idx": 77}},
            "acr": "urn:cyberid:mode:r02",
            "persistence": "A",
            "_sd": [digest(AGE_BAND)],
            "_sd_alg": "sha-256",
        }

    def credential(
        self,
        *,
        header: Mapping[str, object] | None = None,
        signer: Signer | None = None,
        edit: Callable[[SignedDraft], None] = lambda draft: None,
        **claims: object,
    ) -> str:
        """Sign an honest credential with changes to header and claims."""
        chosen = signer or self.signer
        honest = {
            "alg": chosen.algorithm.name,
            "kid": chosen.kid,
            "typ": "dc+sd-jwt",
            "x5c": x5c_of(chosen.chain),
        }
        draft = SignedDraft(
            header=members(honest, header or {}),
            claims=members(self.claims(), claims),
            signer=chosen,
            keyring=self.keyring,
            now=NOW,
        )
        edit(draft)
        return draft.encode()

    def binding(
        self,
        bound: str,
        *,
        header: Mapping[str, object] | None = None,
        holder: PrivateKey | None = None,
        algorithm: str = "ES256",
        edit: Callable[[bytes], bytes] = lambda signature: signature,
        **claims: object,
    ) -> str:
        """Sign an honest key binding with changes to header and claims."""
        honest = {"iat": SECONDS, "aud": CLIENT_ID, "nonce": "made-up-nonce", "sd_hash": digest(bound)}
        says = members(honest, claims)
        head = members({"alg": algorithm, "typ": "kb+jwt"}, header or {})
        message = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(says).encode())}"
        signature = ALGORITHMS[algorithm].sign(holder or self.holder, message.encode())
        return f"{message}.{b64(edit(signature))}"

    def presentation(
        self,
        *,
        disclosures: tuple[str, ...] = (),
        kb: Mapping[str, object] | None = None,
        bare: bool = False,
        **credential: object,
    ) -> str:
        """Show a credential made of ``credential``; ``bare`` leaves out the key binding."""
        bound = "~".join((self.credential(**credential), *disclosures, ""))
        return bound if bare else bound + self.binding(bound, **(kb or {}))

    def expected(self, **asked: object) -> ExpectedPresentation:
        """Return what a presentation must say."""
        honest = {
            "issuer": ISSUER,
            "sector": SECTOR,
            "audience": CLIENT_ID,
            "nonce": "made-up-nonce",
            "algorithm": find_algorithm("ES256"),
            "holder_algorithm": find_algorithm("ES256"),
            "trust": self.rp.trust,
            "profile": ChainProfile.credential(ISSUER),
            "assurance": Assurance.R01,
            "modes": MODES,
            "age_band": False,
            "epoch_length": EPOCH,
            "leeway": 10,
            "revocation": RevocationPolicy.require(),
        }
        return ExpectedPresentation(**{**honest, **asked})

    def known(self, **changes: object) -> KnownAhead:
        """Return what is known ahead."""
        honest = {"keys": self.keys, "crls": self.crls, "statuses": statuses()}
        return KnownAhead(**{**honest, **changes})

    def verify(
        self,
        presentation: str,
        *,
        asked: Mapping[str, object] | None = None,
        known: Mapping[str, object] | None = None,
        now: datetime = NOW,
        checklists: Checklists = COMPLETE,
    ) -> VerifiedPresentation:
        """Judge a presentation by the registry's entry."""
        return FORMATS["sd-jwt"].verify(
            presentation,
            expected=self.expected(**(asked or {})),
            known=self.known(**(known or {})),
            now=now,
            checklists=checklists,
        )

    def verdict(
        self,
        checklist: str = "CREDENTIAL",
        *,
        asked: Mapping[str, object] | None = None,
        known: Mapping[str, object] | None = None,
        now: datetime = NOW,
        without: str = "",
        edit_text: Callable[[str], str] = lambda text: text,
        **presentation: object,
    ) -> Verdict:
        """Return the verdict on a presentation, with all checks but ``without`` of one checklist."""
        made = edit_text(self.presentation(**presentation))
        begun: list[tuple[str, Check]] = []

        def watch(document: str, each: Check) -> Check:
            def function(subject: object) -> None:
                begun.append((document, each))
                each(subject)

            return replace(each, function=function)

        watched = {
            name.lower(): tuple(
                watch(document, each)
                for each in getattr(COMPLETE, name.lower())
                if (name, each.name) != (checklist, without)
            )
            for name, document in PRESENTATION.items()
        }
        bundle = replace(COMPLETE, **watched)
        code = code_of(lambda: self.verify(made, asked=asked, known=known, now=now, checklists=bundle))
        if code is None or not begun:
            return None if code is None else ("parsing", code)
        document, last = begun[-1]
        assert lists(last, document, code)
        return last.name, code


def statuses(values: Mapping[int, int] | None = None, *, uri: str = LIST, now: datetime = NOW) -> StatusLists:
    """Return one list in which everybody is valid but those of ``values``."""
    entries = memoryview(pack_statuses(dict(values or {}), bits=2, entries=128)).toreadonly()
    one = StatusList(
        uri=uri,
        bits=2,
        entries=entries,
        issued_at=now.timestamp(),
        expires_at=now.timestamp() + 3600,
        fetched_at=now,
        lifetime=300.0,
    )
    return StatusLists({uri: one})


NO_LISTS = RevocationLists()

ACR = disclosure("YW5vdGhlci1zYWx0", "acr", "urn:cyberid:mode:r02")


def broken_presentations(bench: PresentationBench) -> list[tuple[str, str, str, dict[str, object]]]:
    """Return one way to break each rule and no other: checklist, check, code, and what is asked of the bench."""
    other, unmade = "https://other.example", "user_110101189001010075"
    stranger = bench.keyring.make_signer("credential", NOW)
    bare = {name: value for name, value in bench.signer.to_jwk().items() if name != "x5c"}
    alien = bench.keyring.signer("metadata").to_jwk()["x5c"]
    two = bench.key_set({**stranger.to_jwk(), "kid": bench.signer.kid}, bench.signer.to_jwk())
    jwk = jwk_of(bench.holder.public_key())
    late = {"iat": BEGINS + EPOCH, "exp": BEGINS + 3 * EPOCH}
    past = {"iat": BEGINS - 2 * EPOCH, "exp": BEGINS}
    r02 = {"assurance": Assurance.R02}
    issuers = (
        ("check_algorithm", "algorithm", {"header": {"alg": "none"}}),
        ("check_critical", "critical", {"header": {"crit": ["typ"]}}),
        ("check_type", "type", {"header": {"typ": "vc+sd-jwt"}}),
        ("check_header_members", "header", {"header": {"cty": "x"}}),
        ("check_key", "key_unknown", {"header": {"kid": "x", "x5c": ...}}),
        ("check_key", "key_ambiguous", {"known": {"keys": two}}),
        ("check_signature", "signature", {"edit": no_signature}),
        ("check_chain", "chain_missing", {"known": {"keys": bench.key_set(bare)}, "header": {"x5c": ...}}),
        (
            "check_chain",
            "key_mismatch",
            {
                "known": {"keys": bench.key_set({**bare, "kid": bench.signer.kid})},
                "header": {"x5c": x5c_of(stranger.chain)},
            },
        ),
        ("check_key_is_published", "key_unpublished", {"signer": stranger}),
        ("check_credential_type", "vct", {"vct": "urn:cyberid:pairwise:2"}),
        ("check_known_claims", "unknown_claim", {"jti": "x"}),
        ("check_digests", "digest_count", {"_sd": [digest(AGE_BAND), digest("a decoy")]}),
        ("check_disclosures", "disclosed_claim", {"_sd": [digest(ACR)], "acr": ..., "disclosures": (ACR,)}),
        ("check_assertion_issuer", "issuer", {"iss": other}),
        ("check_audience", "audience", {"aud": other}),
        ("check_epoch", "epoch", {"iat": BEGINS + 1}),
        ("check_epoch_has_begun", "not_yet_valid", late),
        ("check_expiry", "expired", past),
        ("check_assurance", "assurance", {"acr": "urn:cyberid:mode:r01", "asked": r02}),
        ("check_subject", "subject", {"sub": "short"}),
        ("check_no_identity_number", "identity_number", {"sub": unmade}),
        ("check_persistence", "persistence", {"persistence": "D"}),
        ("check_lasting_credential", "session_only", {"persistence": "C"}),
        ("check_age_band", "age_band", {"disclosures": (AGE_BAND,)}),
        ("check_holder_key", "holder_key", {"cnf": {"jwk": {**jwk, "d": "AA"}}}),
    )
    holders = (
        ("check_algorithm", "algorithm", {"header": {"alg": "none"}}),
        ("check_critical", "critical", {"header": {"crit": ["typ"]}}),
        ("check_type", "type", {"header": {"typ": "JWT"}}),
        ("check_signature", "signature", {"holder": ALGORITHMS["ES256"].generate()}),
        ("check_binding_audience", "audience", {"aud": CLIENT_ID.removeprefix("x509_hash:")}),
        ("check_binding_nonce", "nonce", {"nonce": "another"}),
        ("check_binding_sd_hash", "sd_hash", {"sd_hash": digest("another~")}),
        ("check_binding_issued_at", "issued_in_future", {"iat": SECONDS + 901}),
        ("check_binding_issued_at", "issued_too_long_ago", {"iat": SECONDS - 901}),
        ("check_binding_dates", "not_yet_valid", {"nbf": SECONDS + 901}),
        ("check_binding_dates", "expired", {"exp": SECONDS}),
    )
    return [
        *(("CREDENTIAL", check, f"credential.{rule}", asked) for check, rule, asked in issuers),
        ("CREDENTIAL", "check_key_binding_is_there", "key_binding.missing", {"bare": True}),
        ("CREDENTIAL", "check_chain", "chain.purpose", {"header": {"x5c": alien}}),
        *(("KEY_BINDING", check, f"key_binding.{rule}", {"kb": kb}) for check, rule, kb in holders),
        ("CREDENTIAL_STATUS", "check_revocation", "revocation.unknown", {"known": {"crls": NO_LISTS}}),
        ("CREDENTIAL_STATUS", "check_status", "status.list_unknown", {"known": {"statuses": StatusLists()}}),
        ("CREDENTIAL_STATUS", "check_status", "status.invalid", {"known": {"statuses": statuses({77: 1})}}),
    ]


def no_signature(draft: SignedDraft) -> None:
    """Let the issuer's signature be zeros."""
    draft.edit_signature = lambda _: bytes(64)


# What follows when a check is taken away and another one stands behind it.
FOLLOWS = {
    ("CREDENTIAL", "credential.key_unknown"): ("check_signature", "credential.signature"),
    ("CREDENTIAL", "credential.key_ambiguous"): ("check_signature", "credential.signature"),
    ("CREDENTIAL", "credential.critical"): ("check_header_members", "credential.header"),
    ("CREDENTIAL", "credential.chain_missing"): ("check_revocation", "credential.chain_missing"),
    ("CREDENTIAL", "chain.purpose"): ("check_revocation", "chain.purpose"),
}
