import base64
import json
from collections.abc import Callable

import pytest

from cyberid_client.ports import HTTPResponse

CLAIMS = {
    "iss": "https://issuer.example",
    "sub": "Zq3vT8wLx0aPf5RkYd2mNb",
    "aud": "shop",
    "exp": 1_800_000_300,
    "iat": 1_800_000_000,
}


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def claims():
    """The claims that every assertion must have, and no others."""
    return CLAIMS


@pytest.fixture(scope="session")
def make_token() -> Callable[..., str]:
    """Return a maker of compact JWS, written with other code than what reads them."""

    def make(payload: object, header: object = None, signature: bytes = b"signature") -> str:
        head = {"alg": "ES256"} if header is None else header
        parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (head, payload)]
        return ".".join([*map(_b64url, parts), _b64url(signature)])

    return make


@pytest.fixture(scope="session")
def make_response() -> Callable[..., HTTPResponse]:
    """Return a maker of responses with a JSON body."""

    def make(body: object, content_type: str = "application/json", status: int = 200) -> HTTPResponse:
        return HTTPResponse(
            status=status,
            headers={"content-type": content_type},
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            url="https://issuer.example/",
        )

    return make
