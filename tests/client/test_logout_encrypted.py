"""Encrypted logout tokens: what is wrong with an encryption is wrong here as it is with an assertion."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import ClientKey, ClientKeys, DecryptionKey
from cyberid_client.testing import FAULTS, ODDITIES

from .notices import CLIENT_ID, App, connect, served

SEALED = sorted(name for name, each in FAULTS.items() if (each.stage, each.needs) == ("jwe", "jwe"))
ODD = sorted(name for name, each in ODDITIES.items() if (each.stage, each.needs) == ("jwe", "jwe"))


def new_pem():
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def app(issuer, clock):
    app = App()
    keys = ClientKeys(
        signing=ClientKey.from_pem(new_pem()),
        decryption=(DecryptionKey.from_pem(new_pem(), algorithm="ECDH-ES"),),
    )
    with served(app):
        connect(
            app, issuer, clock, registered={"id_token": "jwe", "jwks": keys.jwks}, id_token="jwe", keys=keys
        )
        yield app


@pytest.mark.parametrize("name", SEALED)
def test_a_fault_of_the_encryption_is_refused(app, issuer, name):
    """The same rule is broken, the code says where, and no session ends."""
    issuer.arm(name)
    delivery = issuer.log_out("adult", client_id=CLIENT_ID, sid="s" * 22)
    assert (400, b"", ()) == (delivery.status, delivery.body, delivery.complaints)
    expected = FAULTS[name].expected_code.replace("id_token.", "logout_token.")
    assert ({}, expected, []) == (issuer.armed, app.last.code, app.ended)
    issuer.disarm()
    assert issuer.log_out("adult", client_id=CLIENT_ID).accepted


@pytest.mark.parametrize("name", ODD)
def test_an_honest_oddity_of_the_encryption_is_accepted(app, issuer, name):
    """What the standard allows is answered with 200."""
    issuer.arm(name)
    assert issuer.log_out("adult", client_id=CLIENT_ID).accepted
    assert {} == issuer.armed
