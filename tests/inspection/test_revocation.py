"""Revocation lists beside a document: each is used for its authority, or said to be of no use."""

from __future__ import annotations

import base64

import pytest

from cyberid_client.inspection import Verdict
from cyberid_client.ports import HTTPRequest

from .conftest import explain, step_of, text_of


def lists_of(shop):
    return tuple(shop.kept.lists.values())


def fetch(shop, url):
    request = HTTPRequest(method="GET", url=url, max_bytes=2**20, purpose="crl")
    return shop.issuer.transport().send(request).body


def test_a_revoked_signer_is_refused(shop):
    """A certificate that stands on the list of its authority fails, and nothing else does."""
    shop.log_in()
    shop.issuer.revoke_signer()
    fresh = tuple(fetch(shop, url) for url in shop.kept.lists)
    explanation = explain(shop.id_token, shop.settings(crls=fresh))
    assert "revocation.revoked" == explanation.code
    assert ", 1 revoked" in text_of(explanation)


@pytest.mark.parametrize(
    "encode",
    [
        bytes,
        lambda der: b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(der) + b"-----END X509 CRL-----\n",
    ],
)
def test_both_spellings(shop, encode):
    """A list in DER and one in PEM are the same."""
    shop.log_in()
    settings = shop.settings(crls=tuple(map(encode, lists_of(shop))))
    assert Verdict.PASSES is explain(shop.id_token, settings).verdict


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "revocation.list_malformed"),
        (b"-----BEGIN X509 CRL-----\nA\n-----END X509 CRL-----", "revocation.list_malformed"),
    ],
)
def test_a_list_of_no_use_says_so(shop, data, reason):
    """A list that cannot be believed answers for nothing, and the signer is refused as unknown."""
    shop.log_in()
    explanation = explain(shop.id_token, shop.settings(crls=(data,)))
    assert f"Revocation list 1: not used: {reason}: " in text_of(explanation)
    assert "revocation.unknown" == explanation.code


def test_a_list_of_another_authority_is_of_no_use(shop):
    """The list of the root says nothing about the signer."""
    shop.log_in()
    root = next(data for url, data in shop.kept.lists.items() if url.endswith("root.der"))
    assert "revocation.unknown" == explain(shop.id_token, shop.settings(crls=(root,))).code


def test_without_a_chain_no_list_is_read(desk):
    """Lists are read only for a chain that holds, and otherwise nothing is looked up."""
    explanation = explain(
        desk.token(header={"x5c": ["AAAA"]}), desk.trusting(crls=(b"",), jwks=b'{"keys":[]}')
    )
    assert Verdict.NOT_JUDGED is step_of(explanation, "E3.6e").verdict
