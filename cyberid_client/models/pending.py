"""What the two legs of a login share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cyberid_client.models.assurance import Assurance
from cyberid_client.models.secrets import keep_secret

__all__ = ["PendingAppLogin", "PendingLogin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLogin:
    """What the two legs of a login share; kept encrypted under a key made from the handle.

    Attributes:
        kind: which handshake started it; none finishes as another.
        issuer: the issuer that was asked.
        client_id: the client that asked.
        redirect_uri: where the answer must arrive.
        state: 256 random bits, base64url.
        nonce: 256 random bits, base64url.
        code_verifier: PKCE, RFC 7636.
        assurance: the mode that was asked for.
        max_age: seconds, or ``None`` when it was not asked for.
        return_to: a path of this origin.
        started_at: when the request was made, aware UTC.
        expires_at: from this moment on the login is gone.
        dpop_key: the private key of this login alone (RFC 9449), PKCS#8 DER in base64url; ``None`` without.
        person: for a step-up, who it must be: ``key_id.mac`` of a digest; ``None`` for a login.
        person_key: base64url of the key of that digest, when it was made for this step-up alone.
    """

    kind: str
    issuer: str
    client_id: str
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    assurance: Assurance
    max_age: int | None
    return_to: str = field(repr=False)
    started_at: datetime
    expires_at: datetime
    dpop_key: str | None = field(default=None, repr=False)
    person: str | None = field(default=None, repr=False)
    person_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        keep_secret(self, "state", "nonce", "code_verifier", "dpop_key", "person", "person_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAppLogin:
    """What the two legs of an app launch share; kept encrypted under a key made from the handle.

    Attributes:
        kind: as for :class:`PendingLogin`.
        issuer: the issuer that is asked.
        client_id: the client that asks.
        app_id: the app that launches.
        biz_seq: 32 random letters and digits.
        assurance: the mode that is asked for.
        return_to: a path of this origin.
        started_at: when the launch was made, aware UTC.
        expires_at: from this moment on the launch is gone.
    """

    kind: str
    issuer: str
    client_id: str
    app_id: str
    biz_seq: str = field(repr=False)
    assurance: Assurance
    return_to: str = field(repr=False)
    started_at: datetime
    expires_at: datetime

    def __post_init__(self) -> None:
        keep_secret(self, "biz_seq")
