"""What a wallet's answer costs: to believe it, to keep it while it waits, and to ask how far it is.

``python presentation.py [--quick]`` writes seconds and bytes as JSON. What is compared is measured in the same process
and the same rounds: the two bare verifications that an answer needs, of the issuer's signature and the holder's, and
what the JOSE library by itself takes to decrypt the same answer.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwe
from joserfc.jwk import ECKey
from timing import best_of

from cyberid_client import (
    Client,
    ClientKey,
    ClientKeys,
    RelyingParty,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.handshake.formats import KnownAhead
from cyberid_client.handshake.presentation import believe_response, open_response
from cyberid_client.handshake.presentation_ids import PresentationHandle
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.handshake.presentation_request import decryption_key_of
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.stores import MemoryPendingStore
from cyberid_client.testing import MockIssuer, Wallet
from cyberid_client.wire.base64url import decode_base64url
from cyberid_client.wire.jwe import parse_jwe
from cyberid_client.wire.presentation import read_presentation_form

WAITING: Final = 2_000
WAITING_QUICK: Final = 200
SECTOR: Final = "https://shop.example"
ENDPOINT: Final = f"{SECTOR}/cyberid/wallet"
FORM: Final = "application/x-www-form-urlencoded"


class StillStore:
    """A memory store in which a record stays as it was put, so that one answer can be received again and again."""

    single_use: bool = True
    shared: bool = False
    durable: bool = False

    def __init__(self) -> None:
        self._store = MemoryPendingStore()
        self.sizes: list[int] = []

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """Keep a record, and note its size."""
        self.sizes.append(len(record))
        return self._store.put(key, record, expires_at=expires_at, now=now)

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        """As the memory store."""
        return self._store.take(key, carried=carried, now=now)

    def peek(self, key: str, *, now: datetime) -> bytes | None:
        """As the memory store."""
        return self._store.peek(key, now=now)

    def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """Exchange the record for itself."""
        del new
        return self._store.swap(key, old=old, new=old, now=now)


class App:
    """What a wallet reaches: it is given the request, and its answer is kept."""

    def __init__(self) -> None:
        self.client: Client | None = None
        self.form = b""

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Answer the wallet."""
        headers = {"content-type": "application/json"}
        if request.url.endswith("/response"):
            self.form = request.body
            return HTTPResponse(status=200, headers=headers, body=b"{}", url=request.url)
        assert self.client is not None  # noqa: S101 - set before the wallet is started
        nonce = parse_qs(request.body.decode()).get("wallet_nonce", [None])[0]
        token = self.client.presentation_request_object(request.url.rpartition("/")[2], wallet_nonce=nonce)
        headers = {"content-type": "application/oauth-authz-req+jwt"}
        return HTTPResponse(status=200, headers=headers, body=token.encode(), url=request.url)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A client with one presentation that waits, and a wallet's answer to it."""

    client: Client
    store: StillStore
    handle: PresentationHandle
    status_handle: str
    form: bytes


def make_client(issuer: MockIssuer, store: StillStore | MemoryPendingStore) -> Client:
    """Return a client that takes presentations from other devices as well."""
    registered = issuer.register(client_id="shop", redirect_uri=f"{SECTOR}/cyberid/callback")
    identity = WalletIdentity.from_pem(*issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT))
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=registered.redirect_uri,
        keys=ClientKeys(signing=ClientKey.from_pem(registered.key_pem), wallet=identity),
        trust=TrustStore.for_tests(issuer.root_pem),
        wallet=WalletSettings(endpoint=ENDPOINT, cross_device="allowed"),
    )
    return Client(rp, transport=issuer.transport(), pending=store, background=False)


def make_sample() -> Sample:
    """Let a wallet answer a presentation; the answer is kept and not received yet."""
    issuer, store, app = MockIssuer(), StillStore(), App()
    client = make_client(issuer, store)
    app.client = client
    started = client.start_presentation(device="other", return_to="/cart?item=12345")
    wallet = Wallet(issuer, send=app.send).enrol("adult")
    wallet.prefetch(SECTOR)
    answer = wallet.answer(started.uri)
    if not answer.accepted or started.status_handle is None:
        raise SystemExit(f"the wallet said {answer!r}")
    handle = PresentationHandle.parse(started.handle)
    return Sample(
        client=client, store=store, handle=handle, status_handle=started.status_handle, form=app.form
    )


def _receive(sample: Sample) -> Callable[[], object]:
    def receive() -> object:
        return sample.client.receive_presentation(sample.form, content_type=FORM)

    reply = sample.client.receive_presentation(sample.form, content_type=FORM)
    if reply.status != 200:  # noqa: PLR2004 - of HTTP
        raise SystemExit(f"the answer was refused: {reply!r}")
    return receive


def _verify(sample: Sample) -> Callable[[], object]:
    """Return what believes an answer: from the form to the verdict, without what is kept of it."""
    legs, request_id = sample.client._legs, sample.handle.request_id  # noqa: SLF001 - measured, not changed
    now = legs.env.now()
    sealed = sample.store.peek(request_id.key, now=now) or b""

    def verify() -> object:
        form = read_presentation_form(sample.form, FORM)
        record = PresentationRecord.unseal(sealed, request_id)
        payload = open_response(parse_jwe(form.response or "", document="presentation"), record, request_id)
        snapshot = legs.known_snapshot()
        return believe_response(
            payload,
            record,
            request_id,
            rp=legs.rp,
            known=KnownAhead(
                keys=snapshot.keys, crls=snapshot.crls, statuses=legs.status.lists, cache=legs.cache
            ),
            epoch_length=snapshot.metadata.credential_epoch_length or 0,
            now=now,
        )

    return verify


def _bare(sample: Sample) -> dict[str, Callable[[], object]]:
    """Return the two signatures alone, and the decryption of the JOSE library alone, arguments prepared."""
    request_id = sample.handle.request_id
    now = sample.client._legs.env.now()  # noqa: SLF001 - measured, not changed
    record = PresentationRecord.unseal(sample.store.peek(request_id.key, now=now) or b"", request_id)
    token = parse_qs(sample.form.decode())["response"][0]
    # The key is of this one request: whoever decrypts imports it first.
    private_key = decryption_key_of(record, request_id).private_key
    assert isinstance(private_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - of our own requests
    jwk = ECKey.import_key(private_key).as_dict(private=True)
    header = json.loads(decode_base64url(token.partition(".")[0]))
    algorithms = [header["alg"], header["enc"]]

    def decrypt() -> bytes:
        return jwe.decrypt_compact(token, ECKey.import_key(jwk), algorithms=algorithms).plaintext or b""

    ((presentation,),) = json.loads(decrypt())["vp_token"].values()
    credential, _, rest = presentation.partition("~")
    claims = json.loads(decode_base64url(credential.split(".")[1]))
    keys = sample.client._legs.known_snapshot().keys  # noqa: SLF001 - measured, not changed
    kid = json.loads(decode_base64url(credential.split(".")[0]))["kid"]
    issuer_key = next(each for each in keys.keys if each.kid == kid)
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - used here alone

    signer = load_der_public_key(issuer_key.public_key_info)
    holder = ECKey.import_key(claims["cnf"]["jwk"]).public_key
    issuers, holders = (
        _bare_verification(signer, credential),
        _bare_verification(holder, rest.rpartition("~")[2]),
    )

    def floor() -> None:
        decrypt()
        issuers()
        holders()

    return {"floor": floor, "issuer": issuers, "holder": holders, "decryption": decrypt}


def _bare_verification(key: object, token: str) -> Callable[[], object]:
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - of the mock
    message, _, signature = token.rpartition(".")
    raw = decode_base64url(signature)
    half = len(raw) // 2
    encoded = encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    scheme, signed = ec.ECDSA(hashes.SHA256()), message.encode()
    return lambda: key.verify(encoded, signed, scheme)


def _bytes_per_presentation(count: int) -> float:
    """Return what one waiting presentation takes of the memory store's process."""
    client = make_client(MockIssuer(), MemoryPendingStore())
    client.start_presentation(device="other")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(count):
        client.start_presentation(device="other", return_to="/cart?item=12345")
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    client.close()
    return taken / count


def measure(*, quick: bool) -> dict[str, float]:
    """Measure all of it."""
    sample = make_sample()
    bare = _bare(sample)
    with sample.client as client:
        # Whoever takes turns with something large pays for what that left in the processor's caches.
        groups: tuple[dict[str, Callable[[], object]], ...] = (
            {"verification": _verify(sample), "floor": bare.pop("floor")},
            bare,
            {"receive": _receive(sample)},
            {"status": lambda: client.presentation_status(sample.status_handle)},
        )
        times = dict(ChainMap(*(best_of(group, quick=quick) for group in groups)))
    return {
        **times,
        "ratio": times["verification"] / times["floor"],
        "record_bytes": max(sample.store.sizes),
        "memory_bytes": _bytes_per_presentation(WAITING_QUICK if quick else WAITING),
    }


def main() -> None:
    """Measure and write."""
    json.dump(measure(quick="--quick" in sys.argv), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
