"""A document that was refused does not come back out of the cache that a fleet shares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cyberid_client import Client, CyberIDError

DOCUMENTS = {
    "discovery": (b'{"issuer":"https://other.example"}', "discovery.signed_metadata_missing"),
    "jwks": (b'{"keys":7}', "jwks.malformed"),
    "crl": (b"no list", "revocation.list_malformed"),
}


class Kept:
    """What the fleet shares, in a dictionary; whoever asks first leads."""

    def __init__(self):
        self.documents = {}

    def get(self, url):
        return self.documents.get(url)

    def put(self, url, document, *, seconds):
        self.documents[url] = document

    def lead(self, url, *, seconds):
        return True

    def follow(self, url):
        pass


class Ill:
    """The way to an issuer that answers badly for a while, and says that the answer is good for a day."""

    def __init__(self, inner, purpose, body):
        self._inner, self._purpose, self._body = inner, purpose, body
        self.is_ill = True
        self.sent = 0

    def send(self, request):
        answer = self._inner.send(request)
        if request.purpose != self._purpose:
            return answer
        self.sent += 1
        headers = {**answer.headers, "cache-control": "max-age=86400"}
        return replace(answer, headers=headers, body=self._body if self.is_ill else answer.body)

    def close(self):
        self._inner.close()


class Fleet:
    """Processes of one app that share a cache."""

    def __init__(self, shop, purpose):
        self._shop, self._cache = shop, Kept()
        body, self.code = DOCUMENTS[purpose]
        self.way = Ill(shop.issuer.transport(), purpose, body)

    def process(self):
        return Client(
            self._shop.rp,
            transport=self.way,
            documents=self._cache,
            clock=self._shop.clock,
            background=False,
        )

    def log_in(self, client):
        """Return the code with which a login fails, or nothing."""
        try:
            request = client.start_login()
            client.finish_login(self._shop.issuer.authorize(request.url), handle=request.handle)
        except CyberIDError as error:
            return error.code
        return None


@pytest.mark.parametrize("purpose", sorted(DOCUMENTS))
def test_a_refused_document_is_fetched_anew(shop, purpose):
    """As soon as the issuer is well again people log in, however long the bad answer claimed to be good."""
    fleet = Fleet(shop, purpose)
    client = fleet.process()
    assert fleet.code == fleet.log_in(client)
    fleet.way.is_ill = False
    shop.clock.advance(60)
    assert fleet.log_in(client) is None
    assert fleet.log_in(fleet.process()) is None


@pytest.mark.parametrize("purpose", ["discovery", "jwks"])
def test_another_process_refuses_it_once_and_asks_for_itself(shop, purpose):
    """A bad document in the cache costs each process one attempt, and not the day that it claims."""
    fleet = Fleet(shop, purpose)
    assert fleet.code == fleet.log_in(fleet.process())
    fleet.way.is_ill = False
    shop.clock.advance(60)
    other = fleet.process()
    assert fleet.code == fleet.log_in(other)
    assert 1 == fleet.way.sent
    shop.clock.advance(60)
    assert (None, 2) == (fleet.log_in(other), fleet.way.sent)
