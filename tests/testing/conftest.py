"""A client of a few lines, written by hand: the mock is judged by code that the library does not share."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from cyberid_client.ports import HTTPRequest
from cyberid_client.testing import ManualClock, MockIssuer, RegisteredClient

REDIRECT_URI = "https://shop.example/callback"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"content-type": "application/x-www-form-urlencoded"}
# What a client registers for the word that a fault needs.
PROTECTIONS = {
    "dpop": {"sender_constraint": "dpop"},
    "dpop_nonce": {"sender_constraint": "dpop"},
    "mtls": {"sender_constraint": "mtls"},
    "tls_client_auth": {"sender_constraint": "mtls", "client_authentication": "tls_client_auth"},
    "jarm": {"response": "jarm"},
    "jwe": {"id_token": "jwe"},
    "jwe_rsa": {"id_token": "jwe", "key_encryption": "RSA-OAEP-256"},
    "request_object": {"request_object": "signed"},
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    error: str | None = None

    def json(self) -> dict:
        return json.loads(self.body)


@dataclass
class RawClient:
    """Speak the handshake step by step, and wrongly where a test wants it."""

    issuer: MockIssuer
    registered: RegisteredClient
    clock: ManualClock
    send: Callable[[str, str, bytes, dict[str, str]], Answer]
    verifier: str = field(default_factory=lambda: b64(secrets.token_bytes(32)))
    dpop_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    nonce: str | None = None
    shows: bool | None = None

    def sign(self, header: dict, claims: dict, key=None) -> str:
        """Sign as ES256, with the client's key unless another is given."""
        message = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        private = key or load_pem_private_key(self.registered.key_pem, None)
        r, s = decode_dss_signature(private.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{message}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def dpop_jwk(self) -> dict[str, str]:
        point = self.dpop_key.public_key().public_numbers()
        x, y = (b64(number.to_bytes(32, "big")) for number in (point.x, point.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    def dpop_jkt(self) -> str:
        canonical = json.dumps(self.dpop_jwk(), separators=(",", ":"), sort_keys=True)
        return b64(hashlib.sha256(canonical.encode()).digest())

    def proof(self, path="/token", *, header=None, drop=(), key=None, **claims) -> str:
        """Prove possession of the DPoP key for a POST to an endpoint."""
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.dpop_jwk(), **(header or {})}
        body = {
            "jti": secrets.token_urlsafe(16),
            "htm": "POST",
            "htu": self.issuer.issuer + path,
            "iat": int(self.clock().timestamp()),
            **({} if self.nonce is None else {"nonce": self.nonce}),
            **claims,
        }
        body = {name: value for name, value in body.items() if name not in drop}
        return self.sign(head, body, key or self.dpop_key)

    def request_object(self, *, header=None, drop=(), key=None, **claims) -> str:
        """Put the parameters of an authorization request into a signed object."""
        now = int(self.clock().timestamp())
        head = {"alg": "ES256", "kid": self.registered.kid, "typ": "oauth-authz-req+jwt", **(header or {})}
        parameters = {
            name: value for name, value in self.parameters().items() if not name.startswith("client_assert")
        }
        body = {
            **parameters,
            "iss": self.registered.client_id,
            "aud": self.issuer.issuer,
            "nbf": now,
            "exp": now + 60,
            **claims,
        }
        return self.sign(head, {name: value for name, value in body.items() if name not in drop}, key)

    def assertion(self, *, header=None, drop=(), key=None, **claims) -> str:
        now = int(self.clock().timestamp())
        head = {"alg": "ES256", "kid": self.registered.kid, "typ": "JWT", **(header or {})}
        body = {
            "iss": self.registered.client_id,
            "sub": self.registered.client_id,
            "aud": self.issuer.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
            **claims,
        }
        body = {name: value for name, value in body.items() if name not in drop}
        return self.sign(head, body, key)

    def authentication(self) -> dict[str, str]:
        if self.registered.client_authentication != "private_key_jwt":
            return {"client_id": self.registered.client_id}
        return {
            "client_id": self.registered.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }

    def parameters(self) -> dict[str, str]:
        parameters = {
            "client_id": self.registered.client_id,
            "response_type": "code",
            "redirect_uri": self.registered.redirect_uri,
            "scope": "openid",
            "state": "s" * 43,
            "nonce": "n" * 43,
            "code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "acr_values": "urn:cyberid:mode:r02",
        }
        if self.registered.response == "jarm":
            parameters["response_mode"] = "query.jwt"
        if self.registered.sender_constraint == "dpop":
            parameters["dpop_jkt"] = self.dpop_jkt()
        return parameters

    def par_form(self) -> dict[str, str]:
        if self.registered.request_object == "signed":
            return {**self.authentication(), "request": self.request_object()}
        return {**self.authentication(), **self.parameters()}

    def path(self, name: str) -> str:
        """Return the endpoint, by its alias where a certificate is shown."""
        return f"/mtls{name}" if self.registered.certificate_sha256 else name

    def token_form(self, code: str) -> dict[str, str]:
        return {
            **self.authentication(),
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.registered.redirect_uri,
            "code_verifier": self.verifier,
        }

    def get(self, path: str) -> Answer:
        return self.send("GET", self.issuer.issuer + path, b"", {})

    def post(self, path: str, form, headers=FORM) -> Answer:
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        return self.send("POST", self.issuer.issuer + path, body, dict(headers))

    def push(self, drop=(), **changes) -> Answer:
        form = {name: value for name, value in (self.par_form() | changes).items() if name not in drop}
        return self.learn(self.post(self.path("/par"), form))

    def learn(self, answer: Answer) -> Answer:
        """Keep the DPoP nonce of an answer."""
        self.nonce = answer.headers.get("dpop-nonce", self.nonce)
        return answer

    def url_for(self, answer: Answer) -> str:
        query = {"client_id": self.registered.client_id, "request_uri": answer.json()["request_uri"]}
        return f"{self.issuer.issuer}/authorize?{urlencode(query)}"

    def authorize(self, push=None, **choices) -> dict[str, str]:
        """Push, let the person answer, and return the callback's parameters, those inside a signed one."""
        callback = self.issuer.authorize(self.url_for(self.push(**(push or {}))), **choices)
        found = dict(parse_qsl(urlsplit(callback).query))
        return parts_of(found["response"])[1] if "response" in found else found

    def exchange(self, issued: str, drop=(), headers=None, **changes) -> Answer:
        form = {
            name: value for name, value in (self.token_form(issued) | changes).items() if name not in drop
        }
        sent = dict(FORM)
        if self.registered.sender_constraint == "dpop":
            sent["dpop"] = self.proof()
        return self.learn(self.post(self.path("/token"), form, sent | (headers or {})))

    def log_in(self, push=None, **choices) -> Answer:
        return self.exchange(self.authorize(push, **choices)["code"])


def parts_of(token: str) -> tuple[dict, dict]:
    """Return header and claims of a compact JWS."""
    header, claims, _signature = token.split(".")
    return json.loads(unb64(header)), json.loads(unb64(claims))


def decrypt(token: str, registered: RegisteredClient, *algorithms: str) -> str:
    """Open a JWE with another library than the mock's own, by the algorithms that are named and no others."""
    pem = registered.decryption_key_pem
    kind = RSAKey if registered.encryption_key.algorithm.startswith("RSA") else ECKey
    return jwe.decrypt_compact(token, kind.import_key(pem), algorithms=list(algorithms)).plaintext.decode()


def make_in_process(
    issuer: MockIssuer,
    registered: RegisteredClient,
    clock: ManualClock,
    certificate_pem: bytes | None = None,
) -> RawClient:
    """Make a client that shows its certificate at the aliases, unless its ``shows`` says when."""
    transport = issuer.transport(certificate_pem=certificate_pem or registered.certificate_pem or None)

    client = RawClient(issuer, registered, clock, send_over_http)

    def send(method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        response = transport.send(
            HTTPRequest(
                method=method,
                url=url,
                headers=headers,
                body=body,
                max_bytes=1_000_000,
                purpose="test",
                shows_certificate="/mtls/" in url if client.shows is None else client.shows,
            )
        )
        return Answer(response.status, dict(response.headers), response.body, response.error)

    client.send = send
    return client


def send_over_http(method: str, url: str, body: bytes, headers: dict[str, str]) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body=body or None, headers=headers)
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, fields, response.read())
    finally:
        connection.close()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def issuer(clock):
    return MockIssuer(clock)


@pytest.fixture
def new_issuer(clock):
    """Make another issuer."""
    return lambda: MockIssuer(clock)


@pytest.fixture
def registered(issuer):
    return issuer.register(client_id="shop", redirect_uri=REDIRECT_URI)


@pytest.fixture
def raw(issuer, registered, clock):
    """A hand-written client, in process."""
    return make_in_process(issuer, registered, clock)


@pytest.fixture
def protected(issuer, clock):
    """Make a hand-written client that registered the protection of a word, or more."""

    def make(word=None, **registration):
        registration = PROTECTIONS.get(word, {}) | registration
        return make_in_process(
            issuer, issuer.register(client_id="shop", redirect_uri=REDIRECT_URI, **registration), clock
        )

    return make


@pytest.fixture
def served(issuer, registered, clock):
    """The same client over real HTTP."""
    with issuer.serve(slow_seconds=0.1):
        yield RawClient(issuer, registered, clock, send_over_http)


@pytest.fixture
def decode():
    """Take a compact JWS apart: header and claims."""
    return parts_of


@pytest.fixture
def new_client():
    """Make a hand-written in-process client for an issuer of one's own."""
    return make_in_process
