"""Log in again and again over loopback: ``python login.py cyberid|authlib [--quick]``.

Reads what ``issuer.py`` wrote from standard input, writes the processor time of one login as JSON. Only
the calling thread is measured (``time.thread_time``). The browser's part is not, and "own" is what is
left without the time spent inside the HTTP library.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

ROUNDS: Final = 400
ROUNDS_QUICK: Final = 40
SETTLED: Final = 5
# Their own limit for a header is shorter than a chain.
HEADER_MAX: Final = 64 * 1024

_Settings = dict[str, str]
# Start a login; finish it with the callback: returns what identifies the person.
_Login = tuple[Callable[[], str], Callable[[str], str]]


class Watch:
    """Add up this thread's processor time in what is watched."""

    def __init__(self) -> None:
        self.total = 0.0

    def watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, its time taken."""

        def timed(*args: object, **kwargs: object) -> object:
            start = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.total += time.thread_time() - start

        return timed


def _cyberid(settings: _Settings, sending: Watch) -> _Login:
    from cyberid_client import Client, ClientKey, RelyingParty, TrustStore  # noqa: PLC0415 - see main
    from cyberid_client.transport import RequestsTransport  # noqa: PLC0415 - as above

    rp = RelyingParty(
        issuer=settings["issuer"],
        client_id=settings["client_id"],
        redirect_uri=settings["redirect_uri"],
        key=ClientKey.from_pem(settings["key_pem"].encode()),
        trust=TrustStore.for_tests(settings["root_pem"].encode()),
        sender_constraint=settings["sender_constraint"],
    )
    real = RequestsTransport(rp.http)

    class WatchedTransport:
        send = staticmethod(sending.watched(real.send))
        close = staticmethod(real.close)

    client = Client(rp, transport=WatchedTransport(), background=False)
    handles = []

    def start() -> str:
        request = client.start_login(return_to="/cart")
        handles.append(request.handle)
        return request.url

    def finish(callback: str) -> str:
        return client.finish_login(callback, handle=handles.pop()).pseudonym.value

    return start, finish


def _authlib(settings: _Settings, sending: Watch) -> _Login:
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http on loopback
    from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415 - see main
    from authlib.oauth2.rfc7523 import private_key_jwt_sign  # noqa: PLC0415 - as above
    from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 - as above
    from joserfc import jwt  # noqa: PLC0415 - as above
    from joserfc.jwk import ECKey, KeySet  # noqa: PLC0415 - as above
    from joserfc.jws import JWSRegistry  # noqa: PLC0415 - as above

    issuer, client_id = settings["issuer"], settings["client_id"]
    key = ECKey.import_key(settings["key_pem"])
    session = OAuth2Session(
        client_id,
        redirect_uri=settings["redirect_uri"],
        scope="openid",
        token_endpoint_auth_method="none",  # noqa: S106 - the assertion is added below
        code_challenge_method="S256",
    )
    adapter = HTTPAdapter()
    adapter.send = sending.watched(adapter.send)  # type: ignore[method-assign]  # measured, not changed
    session.mount("http://", adapter)
    keys = KeySet.import_key_set(session.request("GET", f"{issuer}/jwks.json", withhold_token=True).json())
    registry = JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    registry.max_header_length = HEADER_MAX
    kept: dict[str, str] = {}

    def proof() -> dict[str, str]:
        assertion = private_key_jwt_sign(
            key, client_id, issuer, alg="ES256", expires_in=60, header={"kid": key.thumbprint()}
        )
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return {"client_assertion_type": kind, "client_assertion": assertion}

    def start() -> str:
        kept.update(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(32),
        )
        challenge = hashlib.sha256(kept["verifier"].encode()).digest()
        fields = {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": settings["redirect_uri"],
            "scope": "openid",
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": _base64url(challenge),
            "code_challenge_method": "S256",
            "acr_values": "urn:cyberid:mode:r02",
            **proof(),
        }
        answer = session.request("POST", f"{issuer}/par", data=fields, withhold_token=True)
        answer.raise_for_status()
        url, _ = session.create_authorization_url(
            f"{issuer}/authorize", state=kept["state"], request_uri=answer.json()["request_uri"]
        )
        # Beside the reference only the client may stand.
        kept["pushed"] = answer.json()["request_uri"]
        return url.partition("?")[0] + "?" + _query(client_id=client_id, request_uri=kept["pushed"])

    def finish(callback: str) -> str:
        token = session.fetch_token(
            f"{issuer}/token",
            authorization_response=callback,
            state=kept["state"],
            code_verifier=kept["verifier"],
            **proof(),
        )
        decoded = jwt.decode(token["id_token"], keys, registry=registry)
        params = {"nonce": kept["nonce"], "client_id": client_id, "access_token": token["access_token"]}
        claims = CodeIDToken(decoded.claims, decoded.header, {"iss": {"values": [issuer]}}, params)
        claims.validate(leeway=10)
        return str(claims["sub"])

    return start, finish


def _base64url(data: bytes) -> str:
    import base64  # noqa: PLC0415 - as above

    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _query(**parameters: str) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415 - as above

    return urlencode(parameters)


def _browse(url: str) -> str:
    """Follow the authorization URL as a browser does, and return the callback."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    callback = answer.getheader("location")
    connection.close()
    if callback is None:
        raise SystemExit(f"the issuer answered {answer.status}")
    return callback


def _bare_verification() -> Callable[[], object]:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above

    key, scheme, message = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256()), bytes(3000)
    signature, public_key = key.sign(message, scheme), key.public_key()
    return lambda: public_key.verify(signature, message, scheme)


def _measure(login: _Login, sending: Watch, *, rounds: int) -> dict[str, float]:
    start, finish = login
    bare = _bare_verification()
    best = {"bare": float("inf"), "own": float("inf"), "whole": float("inf")}
    for _ in range(rounds + SETTLED):
        before, sending.total = time.thread_time(), 0.0
        url = start()
        whole = time.thread_time() - before
        callback = _browse(url)
        before = time.thread_time()
        finish(callback)
        whole += time.thread_time() - before
        before = time.thread_time()
        bare()
        times = {"bare": time.thread_time() - before, "own": whole - sending.total, "whole": whole}
        best = {name: min(best[name], seconds) for name, seconds in times.items()}
    return best


LIBRARIES = {"cyberid": _cyberid, "authlib": _authlib}


def main() -> None:
    """Measure one library; each is imported in a process of its own."""
    settings, sending = json.loads(sys.stdin.readline()), Watch()
    login = LIBRARIES[sys.argv[1]](settings, sending)
    rounds = ROUNDS_QUICK if "--quick" in sys.argv else ROUNDS
    json.dump(_measure(login, sending, rounds=rounds), sys.stdout)


if __name__ == "__main__":
    main()
