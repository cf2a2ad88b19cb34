"""Write the samples of ``docs/inspect.md`` anew: ``python -m tests.inspection.make_samples``.

They are signed with keys that are thrown away. Afterwards write the outputs on the page anew:
``python -m tests.cli.test_inspect``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from cyberid_client.testing.jose import ALGORITHMS
from cyberid_client.testing.pki import pem

from .conftest import Desk, Shop

SAMPLES: Final = Path(__file__).with_name("samples")
ACCESS_TOKEN: Final = "made-up-access-token"


def main() -> None:
    """Write an assertion, and all that it is judged with: key set, root, revocation lists; and a chain."""
    shop = Shop()
    shop.log_in()
    keyring = shop.issuer._service.keyring
    desk = Desk(keyring)
    token = desk.token(
        at_hash=ALGORITHMS["ES256"].half_hash(ACCESS_TOKEN),
        nonce="made-up-nonce",
        sid="b7VQ2mXk9sLdPz4RtYwNcE",
    )
    keys = {"keys": [keyring.signer("assertion").to_jwk()]}
    SAMPLES.mkdir(exist_ok=True)
    (SAMPLES / "id_token.jwt").write_bytes(token + b"\n")
    (SAMPLES / "jwks.json").write_text(json.dumps(keys, indent=2) + "\n", encoding="utf-8")
    (SAMPLES / "root.pem").write_bytes(pem(keyring.root.certificate))
    for url, data in shop.kept.lists.items():
        (SAMPLES / url.rpartition("/")[2]).with_suffix(".crl").write_bytes(data)
    (SAMPLES / "chain.pem").write_bytes(b"".join(map(pem, keyring.signer("assertion").chain)))


if __name__ == "__main__":
    main()
