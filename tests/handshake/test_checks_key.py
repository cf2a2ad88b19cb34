"""Key, signature and chain: one published key, certified by a pinned root."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes

from cyberid_client import TrustStore
from cyberid_client.testing.keyring import x5c_of
from cyberid_client.testing.pki import PURPOSES, authority_form, make_root, pem

UNKNOWN = ("check_key", "id_token.key_unknown")
AMBIGUOUS = ("check_key", "id_token.key_ambiguous")
SIGNATURE = ("check_signature", "id_token.signature")
NO_CHAIN = ("check_chain", "id_token.chain_missing")
MISMATCH = ("check_chain", "id_token.key_mismatch")
UNPUBLISHED = ("check_key_is_published", "id_token.key_unpublished")


@pytest.fixture
def own(assertion):
    """The published signer."""
    return assertion.keyring.signer("assertion")


@pytest.fixture
def stranger(assertion):
    """An honest signer that is not published."""
    return assertion.keyring.make_signer("assertion", assertion.now)


class TestKey:
    def test_a_key_is_found_by_its_name(self, assertion, own, stranger):
        """Among several keys the header's name chooses one."""
        keys = assertion.key_set(stranger.to_jwk(), own.to_jwk())
        assert None is assertion.verdict(keys=keys)
        assert None is assertion.verdict(keys=keys, signer=stranger)

    def test_without_a_name_a_single_key_is_taken(self, assertion):
        """A header without kid is believed when there is exactly one key that it can mean."""
        assert None is assertion.verdict(header={"kid": ...})

    def test_without_a_name_several_keys_are_too_many(self, assertion, own, stranger):
        """Nothing is tried in turn: two possible keys are one too many."""
        keys = assertion.key_set(stranger.to_jwk(), own.to_jwk())
        assert AMBIGUOUS == assertion.verdict(keys=keys, header={"kid": ...})

    def test_without_a_name_keys_of_other_algorithms_do_not_count(self, assertion, own):
        """A key that cannot have made the signature makes nothing ambiguous."""
        other = assertion.keyring.make_signer("assertion", assertion.now, algorithm="ES384")
        assert None is assertion.verdict(
            keys=assertion.key_set(other.to_jwk(), own.to_jwk()), header={"kid": ...}
        )

    def test_a_name_that_stands_for_two_keys_of_one_algorithm_is_ambiguous(self, assertion, own, stranger):
        """The first match is not taken: a repeated name of one algorithm is refused."""
        keys = assertion.key_set({**stranger.to_jwk(), "kid": own.kid}, own.to_jwk())
        assert AMBIGUOUS == assertion.verdict(keys=keys)

    def test_a_name_may_stand_for_keys_of_different_algorithms(self, assertion, own):
        """Decoys with the same name and another algorithm, before and behind, change nothing."""
        decoys = [
            {
                **assertion.keyring.make_signer("assertion", assertion.now, algorithm=name).to_jwk(),
                "kid": own.kid,
            }
            for name in ("EdDSA", "ES384")
        ]
        assert None is assertion.verdict(keys=assertion.key_set(decoys[0], own.to_jwk(), decoys[1]))

    @pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "ES384"}, {"key_ops": ["sign"]}])
    def test_a_key_for_something_else_does_not_count(self, assertion, own, change):
        """A published key counts by use, algorithm and operations."""
        keys = assertion.key_set({**own.to_jwk(), **change})
        assert UNPUBLISHED == assertion.verdict(keys=keys)
        assert UNKNOWN == assertion.verdict(keys=keys, header={"x5c": ...})

    def test_a_name_that_is_not_published_and_not_certified_is_unknown(self, assertion):
        """Without a chain in the header there is nothing to try."""
        assert UNKNOWN == assertion.verdict(header={"kid": "another", "x5c": ...})
        assert UNKNOWN == assertion.verdict(keys=assertion.key_set(), header={"kid": ..., "x5c": ...})


class TestSignature:
    @pytest.mark.parametrize("position", [0, 31, 32, 63])
    def test_one_flipped_bit_breaks_the_signature(self, assertion, position):
        """A signature with one changed bit does not hold."""

        def flip(signature: bytes) -> bytes:
            return signature[:position] + bytes([signature[position] ^ 1]) + signature[position + 1 :]

        assert SIGNATURE == assertion.verdict(edit=lambda draft: setattr(draft, "edit_signature", flip))

    @pytest.mark.parametrize("signature", [b"", bytes(64), b"\xff" * 64, bytes(63), bytes(65), bytes(9000)])
    def test_what_is_no_signature_does_not_hold(self, assertion, metadata, signature):
        """Empty, zero, oversized and misshapen signatures are refused inside the error tree."""

        def edit(draft: object) -> None:
            draft.edit_signature = lambda _: signature

        assert SIGNATURE == assertion.verdict(edit=edit)
        assert ("check_signature", "metadata.signature") == metadata.verdict(edit=edit)

    def test_another_key_of_the_same_kind_does_not_hold(self, assertion, own, stranger):
        """A certified key that signs under the name of the published one is refused."""
        assert SIGNATURE == assertion.verdict(signer=replace(stranger, kid=own.kid, chain=own.chain))

    def test_changed_claims_do_not_hold(self, assertion):
        """The payload is covered: another payload under the same signature is refused."""
        honest, other = assertion.token().split("."), assertion.token(sub="A" * 22).split(".")
        swapped = f"{honest[0]}.{other[1]}.{honest[2]}"
        assert SIGNATURE == assertion.verdict(
            edit=lambda draft: setattr(draft, "edit_token", lambda _: swapped)
        )

    def test_a_changed_header_does_not_hold(self, assertion):
        """The header is covered, too: it is the received bytes that are checked."""
        honest, other = assertion.token().split("."), assertion.token(header={"typ": ...}).split(".")
        swapped = f"{other[0]}.{honest[1]}.{honest[2]}"
        assert SIGNATURE == assertion.verdict(
            edit=lambda draft: setattr(draft, "edit_token", lambda _: swapped)
        )

    def test_the_chain_is_not_looked_at_before_the_signature_holds(self, assertion, own):
        """A forgery with a certificate of nobody is refused for its signature, not for its chain."""
        foreign = make_root(assertion.now).found_authority(authority_form(assertion.now, assertion.issuer))
        header = {"x5c": x5c_of((own.chain[0], foreign.certificate))}

        def edit(draft: object) -> None:
            draft.edit_signature = lambda _: bytes(64)

        assert ("check_chain", "chain.untrusted") == assertion.verdict(header=header)
        assert SIGNATURE == assertion.verdict(header=header, edit=edit)


class TestChain:
    def test_a_chain_in_the_key_set_is_enough(self, assertion):
        """A header without x5c is believed with the chain that the key set publishes."""
        assert None is assertion.verdict(header={"x5c": ...})

    def test_a_chain_in_the_header_is_enough(self, assertion, own):
        """A key set without chains is believed with the chain that the header carries."""
        bare = {name: value for name, value in own.to_jwk().items() if name != "x5c"}
        assert None is assertion.verdict(keys=assertion.key_set(bare))

    def test_a_stale_chain_in_the_key_set_is_ignored_beside_a_good_header(self, assertion, own, stranger):
        """The header's chain goes first; what the key set carries beside it is not looked at."""
        stale = {**own.to_jwk(), "x5c": x5c_of(stranger.chain)}
        assert None is assertion.verdict(keys=assertion.key_set(stale))
        assert MISMATCH == assertion.verdict(keys=assertion.key_set(stale), header={"x5c": ...})

    def test_no_chain_anywhere_is_refused(self, assertion, own):
        """A published key without any certificate is not believed: TLS is no trust."""
        bare = {name: value for name, value in own.to_jwk().items() if name != "x5c"}
        assert NO_CHAIN == assertion.verdict(keys=assertion.key_set(bare), header={"x5c": ...})

    def test_metadata_without_a_chain_have_no_key(self, metadata):
        """Signed metadata carry their chain themselves."""
        assert ("check_key", "metadata.chain_missing") == metadata.verdict(header={"x5c": ...})

    def test_a_good_chain_of_another_key_is_refused(self, assertion, stranger):
        """The leaf holds the signing key; another certified key beside it is a mismatch."""
        assert MISMATCH == assertion.verdict(header={"x5c": x5c_of(stranger.chain)})

    def test_a_renewed_certificate_of_the_same_key_is_believed(self, assertion, own):
        """Leaf and key set agree when their keys are equal, not when their certificates are."""
        renewed = assertion.keyring.rechain(own, assertion.now)
        assert None is assertion.verdict(header={"x5c": x5c_of(renewed)})

    def test_a_chain_to_another_root_is_refused(self, assertion, metadata):
        """Nothing but the pinned root counts."""
        settings = {"trust": TrustStore.for_tests(pem(make_root(assertion.now).certificate))}
        assert ("check_chain", "chain.untrusted") == assertion.verdict(settings=settings)
        assert ("check_chain", "chain.untrusted") == metadata.verdict(settings=settings)

    def test_a_signer_of_another_purpose_is_refused(self, assertion, metadata, own):
        """What may sign metadata may not sign assertions, and the other way round."""
        wrong = assertion.keyring.rechain(
            own, assertion.now, change=lambda form: replace(form, purposes=(PURPOSES["metadata"],))
        )
        assert ("check_chain", "chain.purpose") == assertion.verdict(header={"x5c": x5c_of(wrong)})
        assert ("check_chain", "chain.purpose") == metadata.verdict(signer=own)

    def test_a_signer_of_another_issuer_is_refused(self, assertion, own):
        """The certificate names the configured issuer, byte for byte."""
        wrong = assertion.keyring.rechain(
            own, assertion.now, change=lambda form: replace(form, uris=("https://issuer.example/",))
        )
        assert ("check_chain", "chain.subject_uri") == assertion.verdict(header={"x5c": x5c_of(wrong)})

    def test_a_chain_is_judged_at_the_given_time(self, assertion):
        """A chain that has expired by the given time is refused, with the same bytes."""
        later = assertion.now + timedelta(days=398)
        seconds = int(later.timestamp())
        times = {"exp": seconds + 60, "iat": seconds, "auth_time": seconds}
        assert ("check_chain", "chain.expired") == assertion.verdict(now=later, **times)

    def test_a_certificate_that_cannot_be_read_is_refused(self, assertion):
        """Bytes that are no certificate are refused inside the error tree, published key or not."""
        assert ("check_chain", "chain.malformed") == assertion.verdict(header={"x5c": ["AAAA"]})
        assert ("parsing", "chain.malformed") == assertion.verdict(header={"x5c": ["AAAA"], "kid": "another"})

    def test_a_certified_key_of_another_kind_has_no_signature_that_holds(self, assertion):
        """A leaf with a key that the configured algorithm does not accept is tried in vain."""
        other = assertion.keyring.make_signer("assertion", assertion.now, algorithm="EdDSA")
        assert SIGNATURE == assertion.verdict(header={"x5c": x5c_of(other.chain), "kid": "another"})


class TestPublished:
    def test_a_certified_key_that_is_not_published_is_refused_last(self, assertion, stranger):
        """Signature and chain hold, and still the key counts only while it is in the key set."""
        assert UNPUBLISHED == assertion.verdict(signer=stranger)

    def test_a_forgery_never_reaches_that_answer(self, assertion, stranger):
        """Only what the pinned roots vouch for can say that the key set should be fetched again."""

        def edit(draft: object) -> None:
            draft.edit_signature = lambda signature: signature[::-1]

        assert SIGNATURE == assertion.verdict(signer=stranger, edit=edit)
        settings = {"trust": TrustStore.for_tests(pem(make_root(assertion.now).certificate))}
        assert ("check_chain", "chain.untrusted") == assertion.verdict(signer=stranger, settings=settings)

    def test_a_key_that_was_taken_out_is_refused(self, assertion):
        """Taking a key out of the key set ends its signatures, certificate or not."""
        assert UNPUBLISHED == assertion.verdict(keys=assertion.key_set())


def test_the_evidence_names_signer_root_and_checks(assertion, own):
    """The login says which certificate vouched, under which root, and which checks passed."""
    evidence = assertion.judge(assertion.token()).evidence
    assert own.chain[0].fingerprint(hashes.SHA256()).hex() == evidence.signer_sha256
    assert assertion.keyring.root.certificate.fingerprint(hashes.SHA256()).hex() == evidence.anchor_sha256
    assert own.chain[0].not_valid_after_utc == evidence.chain_expires_at
    assert (assertion.rp.trust.fingerprint, assertion.now) == (
        evidence.trust_fingerprint,
        evidence.verified_at,
    )
    assert ("E3.3", "E3.6e", 26) == (evidence.checks[0], evidence.checks[-1], len(evidence.checks))
