"""A provider under its FAPI 2.0 profile: DPoP with a nonce, signed answers, encrypted tokens, logout.

With ``-o log_cli=true -o log_cli_level=INFO`` the provider's own log of each test is shown.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import (
    Assurance,
    Client,
    ClientKey,
    ClientKeys,
    CyberIDError,
    DecryptionKey,
    VerificationError,
)

from .conftest import REDIRECT_URI, free_port, registration, signing_key
from .test_oidc_provider import Person, log_in, relying_party

logger = logging.getLogger("interop")

APP_REDIRECT_URI = "https://shop.example/app"
ELSEWHERE = "https://other.example/callback"
KEY_PEM = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
DECRYPTION_PEM = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
KEY = ClientKey.from_pem(KEY_PEM)
DECRYPTION = DecryptionKey.from_pem(DECRYPTION_PEM)
KEYS = ClientKeys(signing=KEY, decryption=(DECRYPTION,))

# The answer is signed when it is asked for; a provider with FAPI 2.0 takes no RS256 even where it is not.
DPOP = {"dpop_bound_access_tokens": True, "authorization_signed_response_alg": "ES256"}
JARM = {"response_modes": ["jwt", "query.jwt"]}
JWE = {
    "id_token_encrypted_response_alg": "ECDH-ES",
    "id_token_encrypted_response_enc": "A256GCM",
    "jwks": KEYS.jwks,
}
SIGNED_REQUEST = {"request_object_signing_alg": "ES256", "require_signed_request_object": True}

# client id -> (what is registered, what the client is configured with)
PROTECTIONS = {
    "dpop": (DPOP, {"sender_constraint": "dpop"}),
    "jarm": ({**DPOP, **JARM}, {"sender_constraint": "dpop", "response": "jarm"}),
    "jwe": ({**DPOP, **JWE}, {"sender_constraint": "dpop", "id_token": "jwe"}),
    "signed-request": (
        {**DPOP, **SIGNED_REQUEST},
        {"sender_constraint": "dpop", "request_object": "signed"},
    ),
    "everything": (
        {**DPOP, **JARM, **JWE, **SIGNED_REQUEST},
        {"sender_constraint": "dpop", "response": "jarm", "id_token": "jwe", "request_object": "signed"},
    ),
}


class LogoutReceiver:
    """The app's own https endpoint, to which the provider posts its logout tokens."""

    def __init__(self, folder) -> None:
        self.client: Client | None = None
        self.ended: list[str | None] = []
        self.arrived = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                reply = receiver.judge(body, self.headers["content-type"])
                self.send_response(reply.status)
                for name, value in {**reply.headers, "content-length": str(len(reply.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)
                receiver.arrived.set()

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/back-channel"

    def judge(self, body: bytes, content_type: str):
        return self.client.receive_logout(
            body,
            content_type=content_type,
            end_sessions=lambda notice, _transaction: self.ended.append(notice.session_id),
        )


@pytest.fixture(scope="module")
def fapi(new_peer):
    """A provider with FAPI 2.0 switched on, and all clients of this module."""
    peer = new_peer()
    receiver = LogoutReceiver(peer.folder)
    peer.settings["fapi"] = True
    logout = {
        "backchannel_logout_uri": receiver.url,
        "backchannel_logout_session_required": True,
        "post_logout_redirect_uris": ["https://shop.example/bye"],
    }
    peer.settings["clients"] = [
        *(registration(KEY, name, REDIRECT_URI, **given) for name, (given, _) in PROTECTIONS.items()),
        registration(KEY, "app", APP_REDIRECT_URI, **DPOP),
        registration(KEY, "elsewhere", ELSEWHERE, **DPOP),
        registration(KEY, "logout", REDIRECT_URI, **DPOP, **logout),
        registration(KEY, "logout-jwe", REDIRECT_URI, **DPOP, **JWE, **logout),
    ]
    thread = threading.Thread(target=receiver.server.serve_forever, daemon=True)
    thread.start()
    try:
        peer.start()
        peer.receiver = receiver
        yield peer
    finally:
        peer.stop()
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def transcript(fapi) -> Iterator[None]:
    """Show what the provider saw of this test."""
    before = len(fapi.lines())
    yield
    for line in fapi.lines()[before:]:
        logger.info("peer: %s", line)


def protected(peer, client_id: str, **changes: object):
    settings = {"client_id": client_id, "key": None, "keys": KEYS, "sender_constraint": "dpop", **changes}
    return relying_party(peer, **settings)


@pytest.mark.parametrize("name", PROTECTIONS)
def test_each_protection_holds_a_login(fapi, tmp_path, name):
    """A demanded DPoP nonce, a signed answer, an encrypted token and a signed request, alone and together."""
    with Client(protected(fapi, name, **PROTECTIONS[name][1])) as client:
        login = log_in(client, Person(fapi, tmp_path), return_to="/cart")
    assert (Assurance.R01, "/cart") == (login.assurance, login.return_to)


def test_the_nonce_is_learnt_once_and_then_used(fapi, tmp_path):
    """The first token request is sent twice, for want of a nonce; the second login needs one try."""
    with Client(protected(fapi, "dpop")) as client:
        before = len(fapi.lines())
        log_in(client, Person(fapi, tmp_path))
        first = fapi.lines()[before:].count("POST /token")
        between = len(fapi.lines())
        log_in(client, Person(fapi, tmp_path))
        second = fapi.lines()[between:].count("POST /token")
    assert (2, 1) == (first, second)


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("dpop", {"id_token": "jwe"}, "id_token.not_encrypted"),
        ("jwe", {"id_token": "jws"}, "id_token.encrypted"),
    ],
)
def test_what_the_provider_sends_is_not_negotiated(fapi, tmp_path, name, changes, code):
    """A token in another form than the configured one is refused, the stronger one too."""
    with (
        Client(protected(fapi, name, **changes)) as client,
        pytest.raises(VerificationError) as refused,
    ):
        log_in(client, Person(fapi, tmp_path))
    assert code == refused.value.code


def test_a_client_without_the_constraint_is_refused_by_the_provider(fapi, tmp_path):
    """FAPI 2.0 gives no token without a sender constraint, and nothing of ours goes around it."""
    rp = protected(fapi, "dpop", sender_constraint="none")
    with Client(rp) as client, pytest.raises(CyberIDError) as refused:
        log_in(client, Person(fapi, tmp_path))
    assert refused.value.code.startswith(("token.", "par.", "login."))


def test_one_sector_one_pseudonym_and_two_sectors_two(fapi, tmp_path):
    """Web and app of one service know a person by one name; another service knows another."""
    logins = {}
    for client_id, redirect_uri in (
        ("dpop", REDIRECT_URI),
        ("app", APP_REDIRECT_URI),
        ("elsewhere", ELSEWHERE),
    ):
        with Client(protected(fapi, client_id, redirect_uri=redirect_uri)) as client:
            logins[client_id] = log_in(client, Person(fapi, tmp_path)).pseudonym.value
    assert logins["dpop"] == logins["app"]
    assert logins["dpop"] != logins["elsewhere"]


class TestStepUp:
    def test_the_same_person_with_more_factors(self, fapi, tmp_path):
        """A stricter mode with max_age=0 asks the person again, and it is the same one."""
        person = Person(fapi, tmp_path)
        with Client(protected(fapi, "dpop")) as client:
            login = log_in(client, person)
            request = client.start_step_up(login.pseudonym, assurance=Assurance.R02, max_age=0)
            stronger = client.finish_login(person.answer(request.url), handle=request.handle)
        assert (Assurance.R02, login.pseudonym, 2) == (stronger.assurance, stronger.pseudonym, person.asked)

    def test_another_person_is_refused(self, fapi, tmp_path):
        """Whoever answers in the first one's place is refused, and the old session stays as it was."""
        with Client(protected(fapi, "dpop")) as client:
            login = log_in(client, Person(fapi, tmp_path))
            request = client.start_step_up(login.pseudonym, assurance=Assurance.R02, max_age=0)
            stranger = Person(fapi, tmp_path, account="another-made-up-person")
            with pytest.raises(VerificationError) as refused:
                client.finish_login(stranger.answer(request.url), handle=request.handle)
        assert "step_up.other_person" == refused.value.code


class BrowserWithSession(Person):
    """A person whose browser stays at the provider, so that it can log out there."""

    def answer(self, url, *, deny=False):
        self._session.close = lambda: None
        return super().answer(url, deny=deny)

    def log_out(self, url: str) -> str:
        """Open the provider's logout page and press its button; return where the browser ends."""
        page = self._session.get(url, timeout=10)
        token = page.text.partition('name="xsrf" value="')[2].partition('"')[0]
        action = page.text.partition('action="')[2].partition('"')[0]
        done = self._session.post(
            action, data={"xsrf": token, "logout": "yes"}, allow_redirects=False, timeout=10
        )
        requests.Session.close(self._session)
        return done.headers["location"]


class TestLogout:
    @pytest.mark.parametrize(("client_id", "id_token"), [("logout", "jws"), ("logout-jwe", "jwe")])
    def test_a_logout_there_ends_the_session_here(self, fapi, tmp_path, client_id, id_token):
        """RP-initiated logout brings a back-channel logout token, which names the session of the login."""
        receiver, person = fapi.receiver, BrowserWithSession(fapi, tmp_path)
        receiver.ended.clear()
        with Client(protected(fapi, client_id, id_token=id_token)) as client:
            receiver.client = client
            login = log_in(client, person)
            url = client.logout_url(
                session_id=login.session_id,
                post_logout_redirect_uri="https://shop.example/bye",
                state="made-up-state",
            )
            back = person.log_out(url)
        assert [login.session_id] == receiver.ended
        assert f"back-channel logout of {client_id}: success" in fapi.lines()
        assert {"state": ["made-up-state"]} == parse_qs(urlsplit(back).query)


def test_a_provider_that_rotated_its_key_is_believed_at_once(new_peer, tmp_path):
    """The provider comes back with another key; the first login after that fetches the key set again."""
    peer = new_peer()
    peer.settings.update(fapi=True, clients=[registration(KEY, "dpop", REDIRECT_URI, **DPOP)])
    try:
        peer.start()
        with Client(protected(peer, "dpop"), background=False) as client:
            first = log_in(client, Person(peer, tmp_path))
            peer.stop()
            peer.settings["keys"] = [signing_key()]
            peer.start()
            second = log_in(client, Person(peer, tmp_path))
            assert "GET /jwks" in peer.lines()
        assert first.pseudonym == second.pseudonym
    finally:
        peer.stop()
