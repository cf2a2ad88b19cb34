"""The protected header: algorithm, critical extensions, kind of document."""

from __future__ import annotations

import pytest

from cyberid_client.testing.jose import ALGORITHMS, thumbprint
from cyberid_client.testing.keyring import Keyring, Signer
from cyberid_client.testing.pki import signer_form

ALGORITHM = ("check_algorithm", "id_token.algorithm")
CRITICAL = ("check_critical", "id_token.critical")
TYPE = ("check_type", "id_token.type")


def make_signer(keyring: Keyring, name: str, now: object) -> Signer:
    """Make an honest assertion signer of another algorithm."""
    algorithm = ALGORITHMS[name]
    key = algorithm.generate()
    chain = keyring.authority.issue_chain(signer_form(now, keyring.issuer, "assertion"), key.public_key())
    return Signer(
        purpose="assertion", algorithm=algorithm, key=key, kid=thumbprint(key.public_key()), chain=chain
    )


class TestAlgorithm:
    @pytest.mark.parametrize(
        "name", ["none", "None", "HS256", "RS256", "ES384", "PS256", "EdDSA", "es256", "ES256 "]
    )
    def test_another_name_than_the_configured_one_is_refused(self, assertion, metadata, name):
        """The header cannot choose the algorithm, not even by the case of a letter."""
        assert ALGORITHM == assertion.verdict(header={"alg": name})
        assert ("check_algorithm", "metadata.algorithm") == metadata.verdict(header={"alg": name})

    @pytest.mark.parametrize("name", ["ES384", "PS256", "EdDSA"])
    def test_a_published_and_certified_key_of_another_algorithm_is_refused(self, assertion, name):
        """A signature that holds does not help when its algorithm is not the configured one."""
        signer = make_signer(assertion.keyring, name, assertion.now)
        keys = assertion.key_set(signer.to_jwk(), assertion.keyring.signer("assertion").to_jwk())
        assert ALGORITHM == assertion.verdict(signer=signer, keys=keys)

    @pytest.mark.parametrize("name", ["ES384", "PS256", "EdDSA"])
    def test_the_configured_algorithm_may_be_another_row_of_the_table(self, assertion, name):
        """What is configured is believed, at_hash by its own hash included, and ES256 no more."""
        signer = make_signer(assertion.keyring, name, assertion.now)
        keys = assertion.key_set(signer.to_jwk(), assertion.keyring.signer("assertion").to_jwk())
        at_hash = signer.algorithm.half_hash(assertion.access_token)
        settings = {"algorithm": name}
        assert None is assertion.verdict(signer=signer, keys=keys, at_hash=at_hash, settings=settings)
        assert ALGORITHM == assertion.verdict(keys=keys, settings=settings)

    @pytest.mark.parametrize("value", [..., None, "", 256, ["ES256"]])
    def test_a_header_without_a_name_is_malformed(self, assertion, value):
        """The algorithm is a text, always."""
        assert ("parsing", "id_token.malformed") == assertion.verdict(header={"alg": value})


class TestCritical:
    @pytest.mark.parametrize("value", [["exp"], ["b64"], [], None, "exp", {}])
    def test_any_critical_extension_is_refused(self, assertion, metadata, value):
        """No extension is understood, so crit is refused whatever it holds."""
        assert CRITICAL == assertion.verdict(header={"crit": value})
        assert ("check_critical", "metadata.critical") == metadata.verdict(header={"crit": value})

    def test_an_unencoded_payload_is_refused_unread(self, assertion):
        """The member b64 of RFC 7797 changes what is signed and is refused before anything else."""
        assert ("parsing", "id_token.critical") == assertion.verdict(header={"b64": True})

    def test_other_members_are_ignored(self, assertion):
        """Unknown members and headers that offer keys change nothing."""
        extra = {
            "jku": "https://evil.example/",
            "x5u": "https://evil.example/",
            "jwk": {"kty": "EC"},
            "zip": "DEF",
        }
        assert None is assertion.verdict(header=extra)


class TestType:
    @pytest.mark.parametrize("typ", [..., "JWT", "jwt", "Jwt", "application/jwt", "APPLICATION/JWT"])
    def test_an_assertion_has_no_type_or_is_a_jwt(self, assertion, typ):
        """The type is compared without regard to case, with or without application/."""
        assert None is assertion.verdict(header={"typ": typ})

    @pytest.mark.parametrize(
        "typ",
        [
            "logout+jwt",
            "at+jwt",
            "kb+jwt",
            "secevent+jwt",
            "statuslist+jwt",
            "dc+sd-jwt",
            "dpop+jwt",
            "client-authentication+jwt",
            "cyberid-metadata+jwt",
            "cyberid-receipt+jwt",
            "JWS",
            "JWT ",
            " JWT",
            "text/jwt",
            "application/application/jwt",
            "application/",
        ],
    )
    def test_an_assertion_of_another_type_is_refused(self, assertion, typ):
        """A document of another kind is no assertion, whatever it claims."""
        assert TYPE == assertion.verdict(header={"typ": typ})

    @pytest.mark.parametrize(
        "typ", ["cyberid-metadata+jwt", "CyberID-Metadata+JWT", "application/cyberid-metadata+jwt"]
    )
    def test_metadata_have_a_type_of_their_own(self, metadata, typ):
        """The type of metadata is compared in the same way."""
        assert None is metadata.verdict(header={"typ": typ})

    @pytest.mark.parametrize("typ", [..., "JWT", "cyberid-receipt+jwt", "metadata+jwt"])
    def test_metadata_of_another_type_or_of_none_are_refused(self, metadata, typ):
        """Signed metadata must say what they are."""
        assert ("check_type", "metadata.type") == metadata.verdict(header={"typ": typ})

    @pytest.mark.parametrize("typ", ["", None, 1, ["JWT"]])
    def test_a_type_is_a_text(self, assertion, typ):
        """A type that is empty or no text is malformed."""
        assert ("parsing", "id_token.malformed") == assertion.verdict(header={"typ": typ})
