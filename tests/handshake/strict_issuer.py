"""A strict issuer that is driven by hand: it judges every request with code that shares nothing with ours.

What a request must be like is asserted here; what the answer is like is up to the test.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt

from cyberid_client import RelyingParty
from cyberid_client.handshake.dpop import NonceMemory
from cyberid_client.handshake.flow import SignatureWanted, Signed
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.handshake.redirect import (
    RedirectAsk,
    StartedRedirect,
    finish_redirect,
    start_redirect,
)
from cyberid_client.ports import HTTPRequest, HTTPResponse

ISSUER = "https://issuer.example"
CODE = "made-up-code"
REQUEST_URI = "urn:ietf:params:oauth:request_uri:made-up"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# An answer, or what makes one when the request has come.
Answer = HTTPResponse | Callable[[], HTTPResponse]
UNTIMED = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}

METADATA = IssuerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    par_endpoint=f"{ISSUER}/par",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/jwks",
    status_list_aggregation_endpoint=None,
    issued_at=None,
    expires_at=None,
)


class Env:
    """Time that stands still until it is moved, and randomness that never repeats."""

    def __init__(self, now: datetime) -> None:
        self.time = now
        self._calls = 0

    def now(self) -> datetime:
        return self.time

    def token(self, nbytes: int) -> bytes:
        self._calls += 1
        return self._calls.to_bytes(nbytes, "big")


def json_answer(status: int, document: object, **headers: str) -> HTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPResponse(
        status=status,
        headers={"content-type": "application/json", **named},
        body=json.dumps(document).encode(),
        url=ISSUER,
    )


def pushed(**headers: str) -> HTTPResponse:
    return json_answer(201, {"request_uri": REQUEST_URI, "expires_in": 60}, **headers)


def wants_nonce(**headers: str) -> HTTPResponse:
    return json_answer(400, {"error": "use_dpop_nonce"}, **headers)


def thumbprint_of(jwk: Mapping[str, str]) -> str:
    canonical = json.dumps(dict(jwk), sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()


def form_of(request: HTTPRequest) -> dict[str, str]:
    """Return the form, every field of which stands there once."""
    pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert len(pairs) == len({name for name, _ in pairs})
    return dict(pairs)


def claims_of(token: str, jwk: Mapping[str, str], **options: Any) -> dict[str, Any]:
    return jwt.decode(token, jwt.PyJWK(dict(jwk)), algorithms=["ES256"], options=UNTIMED, **options)


@dataclass
class StrictIssuer:
    """Start and finish logins of one client, judging what it sends.

    Attributes:
        rp: the client.
        env: its clock and randomness.
        metadata: what it believes about the issuer.
        nonces: what it has learned.
        requests: everything that it sent.
        jtis: the names of all tokens that it sent.
        sign: what holds the client's key, if the client does not.
    """

    bench: Any
    rp: RelyingParty
    env: Env
    metadata: IssuerMetadata = METADATA
    nonces: NonceMemory = field(default_factory=NonceMemory)
    requests: list[HTTPRequest] = field(default_factory=list)
    jtis: set[str] = field(default_factory=set)
    sign: Callable[[SignatureWanted], bytes] = lambda wanted: wanted.signer.sign(wanted.message)

    def start(self, *answers: Answer, **asked: Any) -> StartedRedirect:
        """Let the client push a request."""
        flow = start_redirect(self.rp, RedirectAsk(**asked), self.metadata, self.env, nonces=self.nonces)
        return self._drive(flow, iter(answers or (pushed(),)))

    def finish(self, started: StartedRedirect, *answers: Answer, rp: RelyingParty | None = None) -> Any:
        """Let the client exchange the code; by default the issuer is content."""
        query = {"code": CODE, "state": started.pending.state, "iss": ISSUER}
        flow = finish_redirect(
            self.rp if rp is None else rp,
            urlencode(query),
            started.pending,
            metadata=self.metadata,
            keys=self.bench.keys,
            env=self.env,
            cache=None,
            crls=self.bench.crls,
            nonces=self.nonces,
        )
        return self._drive(flow, iter(answers or (self.tokens(started),)))

    def tokens(
        self, started: StartedRedirect, *, token_type: str | None = None, **headers: str
    ) -> HTTPResponse:
        """Return what an honest issuer answers to the code of this login."""
        by_default = "DPoP" if self.rp.sender_constraint == "dpop" else "Bearer"
        document = {
            "access_token": self.bench.access_token,
            "token_type": by_default if token_type is None else token_type,
            "id_token": self.bench.token(nonce=started.pending.nonce),
        }
        return json_answer(200, document, **headers)

    def other(self, **changes: Any) -> StrictIssuer:
        """Return the same issuer for a client that is configured otherwise."""
        return replace(self, rp=replace(self.rp, **changes), requests=[], jtis=set())

    def _drive(self, flow: Any, answers: Iterator[Answer]) -> Any:
        try:
            effect = next(flow)
            while True:
                if isinstance(effect, SignatureWanted):
                    effect = flow.send(Signed(self.sign(effect)))
                else:
                    self._judge(effect)
                    answer = next(answers)
                    effect = flow.send(answer() if callable(answer) else answer)
        except StopIteration as stop:
            assert None is next(answers, None)
            return stop.value

    def _judge(self, request: HTTPRequest) -> None:
        self.requests.append(request)
        assert ("POST", "application/x-www-form-urlencoded") == (
            request.method,
            request.headers["content-type"],
        )
        form = form_of(request)
        assert "shop" == form["client_id"]
        if self.rp.client_authentication == "private_key_jwt":
            self._judge_assertion(form)
        else:
            assert set() == {"client_assertion", "client_assertion_type"} & set(form)

    def _judge_assertion(self, form: Mapping[str, str]) -> None:
        assert BEARER == form["client_assertion_type"]
        claims = claims_of(form["client_assertion"], self.rp.client_keys.signing.public_jwk, audience=ISSUER)
        assert ("shop", "shop", ISSUER) == (claims["iss"], claims["sub"], claims["aud"])
        self._judge_freshness(claims)

    def _judge_freshness(self, claims: Mapping[str, Any]) -> None:
        assert claims["jti"] not in self.jtis
        self.jtis.add(claims["jti"])
        assert len(urlsafe_b64decode(claims["jti"] + "==")) >= 12
        assert int(self.env.time.timestamp()) == claims["iat"]

    def proof_of(self, request: HTTPRequest) -> tuple[dict[str, Any], str]:
        """Return the claims of a proof that holds for its request, and the thumbprint of its key."""
        proof = request.headers["dpop"]
        header = jwt.get_unverified_header(proof)
        assert ({"typ", "alg", "jwk"}, "dpop+jwt") == (set(header), header["typ"])
        assert {"kty", "crv", "x", "y"} == set(header["jwk"])
        claims = claims_of(proof, header["jwk"])
        assert (request.method, request.url.split("?")[0]) == (claims["htm"], claims["htu"])
        assert {"jti", "htm", "htu", "iat"} <= set(claims) <= {"jti", "htm", "htu", "iat", "nonce"}
        self._judge_freshness(claims)
        return claims, thumbprint_of(header["jwk"])
