"""An answer before it leaves the wallet: complete and honest, and open to one change by an armed fault."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cyberid_client.testing.encryption import EncryptedDraft
from cyberid_client.testing.jose import ALGORITHMS, PrivateKey, b64url, json_bytes
from cyberid_client.testing.wallet.asked import Asked
from cyberid_client.testing.wallet.holdings import Holding
from cyberid_client.testing.wallet.invitation import Invitation
from cyberid_client.testing.wallet.query import Choice, choose, query_id_of

if TYPE_CHECKING:
    from cyberid_client.testing.wallet.wallet import Wallet

__all__ = [
    "AnswerDraft",
    "ChoiceDraft",
    "FetchDraft",
    "PostDraft",
    "PresentationDraft",
    "draft_answer",
    "draft_encrypted_answer",
    "draft_presentation",
]


@dataclass(slots=True, kw_only=True)
class FetchDraft:
    """How the request object is fetched.

    Attributes:
        invitation: where it is, and by which method.
        times: how often; the last is answered.
    """

    invitation: Invitation
    times: int = 1


@dataclass(slots=True, kw_only=True)
class ChoiceDraft:
    """What is to be shown, before the query is looked at.

    Attributes:
        careless: show everything, whatever was asked, and though it may have ended.
    """

    careless: bool = False

    def choose(self, query: dict[str, object], holding: Holding, withhold: Collection[str]) -> Choice:
        """Return what is shown; as :func:`~cyberid_client.testing.wallet.query.choose` when it is honest."""
        if self.careless:
            return Choice(query_id=query_id_of(query), disclosures=holding.disclosures)
        return choose(query, holding, withhold=withhold)


@dataclass(slots=True, kw_only=True)
class PresentationDraft:
    """An SD-JWT with its key binding (RFC 9901 §4.3) before the holder signs.

    Attributes:
        jwt: what the issuer signed.
        disclosures: what is shown, encoded.
        hidden: what is kept, encoded.
        header: of the KB-JWT.
        claims: of the KB-JWT, without ``sd_hash``.
        key: signs it.
        algorithm: how; the JWS name.
        asked: what is answered.
        now: the wallet's time.
        wallet: whose answer it is.
        edit_claims: the last change to the claims, ``sd_hash`` included.
        header_bytes: writes the header.
        payload_bytes: writes the claims.
        edit_signature: the last change to the raw signature.
        edit_binding: the last change to the compact KB-JWT.
        edit_text: the last change to the whole.
    """

    jwt: str = field(repr=False)
    disclosures: list[str] = field(repr=False)
    hidden: list[str] = field(repr=False)
    header: dict[str, object]
    claims: dict[str, object] = field(repr=False)
    key: PrivateKey = field(repr=False)
    algorithm: str
    asked: Asked
    now: datetime
    wallet: Wallet = field(repr=False)
    edit_claims: Callable[[dict[str, object]], None] = field(default=lambda _claims: None, repr=False)
    header_bytes: Callable[[dict[str, object]], bytes] = field(default=json_bytes, repr=False)
    payload_bytes: Callable[[dict[str, object]], bytes] = field(default=json_bytes, repr=False)
    edit_signature: Callable[[bytes], bytes] = field(default=lambda signature: signature, repr=False)
    edit_binding: Callable[[str], str] = field(default=lambda token: token, repr=False)
    edit_text: Callable[[str], str] = field(default=lambda text: text, repr=False)

    @property
    def seconds(self) -> int:
        """The wallet's time as a NumericDate."""
        return int(self.now.timestamp())

    def encode(self) -> str:
        """Return ``<jwt>~<disclosure>~<kb-jwt>``."""
        shown = "~".join((self.jwt, *self.disclosures, ""))
        digest = b64url(hashlib.sha256(shown.encode()).digest())
        claims: dict[str, object] = {**self.claims, "sd_hash": digest}
        self.edit_claims(claims)
        message = f"{b64url(self.header_bytes(self.header))}.{b64url(self.payload_bytes(claims))}"
        signature = self.edit_signature(ALGORITHMS[self.algorithm].sign(self.key, message.encode()))
        return self.edit_text(shown + self.edit_binding(f"{message}.{b64url(signature)}"))


@dataclass(slots=True, kw_only=True)
class AnswerDraft:
    """The authorization response before it is encrypted (OpenID4VP 1.0 §8.1).

    Attributes:
        members: ``vp_token``, and ``state`` when there was one.
        query_id: the credential query that is answered.
        presentation: what answers it.
        asked: likewise.
        body: bytes that replace the encoded members; ``None`` to encode them.
    """

    members: dict[str, object] = field(repr=False)
    query_id: str
    presentation: str = field(repr=False)
    asked: Asked
    body: bytes | None = field(default=None, repr=False)

    def encode(self) -> bytes:
        """Return the JSON."""
        return json_bytes(self.members) if self.body is None else self.body


@dataclass(slots=True, kw_only=True)
class PostDraft:
    """The form that is posted to ``response_uri``.

    Attributes:
        parameters: names and values, in order.
        content_type: the media type.
        body: bytes that replace the form; ``None`` to encode it.
        url: where it goes.
        answer: what is inside, for a fault that sends it plainly.
        times: how often it is posted.
    """

    parameters: list[tuple[str, str]] = field(repr=False)
    content_type: str = "application/x-www-form-urlencoded"
    body: bytes | None = field(default=None, repr=False)
    url: str
    answer: AnswerDraft = field(repr=False)
    times: int = 1

    def encode(self) -> bytes:
        """Return the form."""
        return urlencode(self.parameters).encode() if self.body is None else self.body


def draft_presentation(
    holding: Holding, choice: Choice, asked: Asked, *, algorithm: str, now: datetime, wallet: Wallet
) -> PresentationDraft:
    """Draft the honest presentation: the KB-JWT is for the client id of this request (RFC 9901 §4.3)."""
    shown = [each.text for each in choice.disclosures]
    return PresentationDraft(
        jwt=holding.jwt,
        disclosures=shown,
        hidden=[each.text for each in holding.disclosures if each.text not in shown],
        header={"alg": algorithm, "typ": "kb+jwt"},
        claims={"iat": int(now.timestamp()), "aud": asked.asker.client_id, "nonce": asked.nonce},
        key=holding.key,
        algorithm=algorithm,
        asked=asked,
        now=now,
        wallet=wallet,
    )


def draft_answer(asked: Asked, query_id: str, presentation: str) -> AnswerDraft:
    """Draft the honest response: one presentation under the one id."""
    state = {} if asked.state is None else {"state": asked.state}
    members: dict[str, object] = {"vp_token": {query_id: [presentation]}, **state}
    return AnswerDraft(members=members, query_id=query_id, presentation=presentation, asked=asked)


def draft_encrypted_answer(asked: Asked, content: bytes) -> EncryptedDraft:
    """Draft the JWE for the request's own key (OpenID4VP 1.0 §8.3)."""
    key = asked.response_key
    header: dict[str, object] = {"alg": key.algorithm, "enc": key.encryption, "kid": key.kid}
    return EncryptedDraft(header=header, content=content, recipient=key.public_key)
