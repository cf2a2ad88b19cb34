"""Verify the same assertion with another library: ``python others.py pyjwt|joserfc|authlib [--quick]``.

Reads one JSON object from standard input and writes one to standard output. None of these libraries
judges a chain here; each is given the key, and checks what it checks by itself.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from timing import best_of

# Their own limit for a header is shorter than a chain.
HEADER_MAX = 64 * 1024

_Material = dict[str, Any]


def _pyjwt(material: _Material) -> Callable[[str], object]:
    import jwt  # noqa: PLC0415 - each library in a process of its own

    key = jwt.PyJWK(material["jwk"])
    return lambda token: jwt.decode(
        token, key, algorithms=["ES256"], audience=material["client_id"], issuer=material["issuer"]
    )


def _joserfc(material: _Material) -> Callable[[str], object]:
    from joserfc import jwt  # noqa: PLC0415 - as above
    from joserfc.jwk import ECKey  # noqa: PLC0415 - as above
    from joserfc.jws import JWSRegistry  # noqa: PLC0415 - as above

    key = ECKey.import_key(material["jwk"])
    registry = JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    registry.max_header_length = HEADER_MAX
    claims = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": material["issuer"]},
        aud={"essential": True, "value": material["client_id"]},
    )

    def decode(token: str) -> object:
        decoded = jwt.decode(token, key, registry=registry)
        claims.validate(decoded.claims)
        return decoded

    return decode


def _authlib(material: _Material) -> Callable[[str], object]:
    from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 - as above
    from joserfc import jwt  # noqa: PLC0415 - as above
    from joserfc.jwk import KeySet  # noqa: PLC0415 - as above
    from joserfc.jws import JWSRegistry  # noqa: PLC0415 - as above

    # What OpenIDMixin.parse_id_token does, with the key set kept.
    keys = KeySet.import_key_set({"keys": [material["jwk"]]})
    registry = JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    registry.max_header_length = HEADER_MAX
    options = {"iss": {"values": [material["issuer"]]}}
    names = ("nonce", "client_id", "access_token")
    params = {name: material[name] for name in names}

    def decode(token: str) -> object:
        decoded = jwt.decode(token, keys, registry=registry)
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(leeway=10)
        return claims

    return decode


LIBRARIES = {"pyjwt": _pyjwt, "joserfc": _joserfc, "authlib": _authlib}


def _bare_verification(material: _Material) -> Callable[[], object]:
    signing_input, _, signature = material["token"].rpartition(".")
    x, y = (_number(material["jwk"][name]) for name in "xy")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    raw, scheme = _bytes(signature), ec.ECDSA(hashes.SHA256())
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    message = signing_input.encode()
    return lambda: key.verify(der, message, scheme)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def main() -> None:
    """Measure one library, with and without a chain in the header that it does not judge."""
    material = json.load(sys.stdin)
    decode = LIBRARIES[sys.argv[1]](material)
    functions = {
        "bare": _bare_verification(material),
        "without x5c": lambda: decode(material["bare_token"]),
        "with x5c": lambda: decode(material["token"]),
    }
    json.dump(best_of(functions, quick="--quick" in sys.argv), sys.stdout)


if __name__ == "__main__":
    main()
