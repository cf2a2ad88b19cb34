"""The calls of a client for app launches, each as a leg (profile §4)."""

from __future__ import annotations

from cyberid_client.effects import Leg
from cyberid_client.handshake import cookies
from cyberid_client.handshake.app_launch import (
    LIFETIME,
    AppAsk,
    launch_type,
    read_app_result,
    start_app_launch,
    verify_app_result,
)
from cyberid_client.handshake.app_verification import launch_settings
from cyberid_client.handshake.pending import Handle
from cyberid_client.legs import Legs
from cyberid_client.models import AppLaunch, Login, PendingAppLogin

__all__ = ["finish_app_login", "start_app_login"]


def start_app_login(legs: Legs, ask: AppAsk) -> Leg[AppLaunch]:
    """Make a launch and keep what must be kept until the phone has answered.

    Args:
        legs: of the client.
        ask: what the app asks for.
    """
    settings = launch_settings(legs.rp)
    snapshot = yield from legs.current_snapshot()
    pending = start_app_launch(legs.rp, ask, snapshot.metadata, legs.env)
    handle = yield from legs.keep(pending)
    return AppLaunch(
        org_id=settings.org_id,
        app_id=pending.app_id,
        biz_seq=pending.biz_seq,
        type=launch_type(pending.assurance),
        handle=handle,
        cookie_name=cookies.APP_COOKIE,
        set_cookie=cookies.set_cookie(cookies.APP_COOKIE, handle, max_age=LIFETIME),
        expires_at=pending.expires_at,
    )


def finish_app_login(legs: Legs, result: object, handle: str | None) -> Leg[Login]:
    """Use up the pending launch, judge what the phone answered, and ask the issuer about it.

    Args:
        legs: of the client.
        result: untrusted.
        handle: of the session that began.
    """
    legs.require_open()
    pending = yield from legs.take(Handle.parse(handle), PendingAppLogin)
    answer = read_app_result(legs.rp, result, pending, now=legs.env.now())
    snapshot = yield from legs.current_snapshot()
    flow = verify_app_result(
        legs.rp,
        answer,
        pending,
        metadata=snapshot.metadata,
        keys=snapshot.keys,
        env=legs.env,
        cache=legs.cache,
        crls=snapshot.crls,
    )
    login = yield from legs.keeper.answering(flow)
    legs.note_identity_shape(login)
    return login
