"""Run legs for the async client: await what they ask for, and give back what came."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, cast

from cyberid_client.effects import (
    Advance,
    Background,
    Call,
    Flight,
    Leg,
    LegEffect,
    Once,
    StorePeek,
    StorePut,
    StoreSwap,
    StoreTake,
    Wait,
)
from cyberid_client.errors import CyberIDError
from cyberid_client.handshake.flow import SignatureWanted, Signed
from cyberid_client.ports import (
    AsyncPendingStore,
    AsyncReplayStore,
    AsyncRevisableStore,
    AsyncTransport,
    HTTPRequest,
    HTTPResponse,
)
from cyberid_client.replies import (
    as_ran,
    as_response,
    as_signed,
    failed_response,
    failed_signature,
    failed_store,
    sign_now,
)

__all__ = ["AsyncDriver"]

T = TypeVar("T")


class AsyncDriver:
    """Run legs in the calling task; what goes on in the background is a task of its own.

    Args:
        transport: HTTP to the issuer.
        pending: where logins wait between their two legs.
        replay: which messages took effect.

    Attributes:
        pending: as given.
        replay: as given.
    """

    def __init__(
        self, *, transport: AsyncTransport, pending: AsyncPendingStore, replay: AsyncReplayStore
    ) -> None:
        self._transport = transport
        self.pending = pending
        self.replay = replay
        # The event loop itself holds its tasks weakly.
        self._tasks: dict[asyncio.Task[None], Leg[None]] = {}

    async def run(self, leg: Leg[T]) -> T:
        """Drive a leg to its end; when the caller is cancelled, the leg ends where it stands.

        Args:
            leg: not begun.
        """
        if self._tasks:
            self._give_up_lost()
        try:
            return await self._go_on(leg, next(leg))
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            leg.close()

    async def aclose(self) -> None:
        """End what goes on in the background, and give back connections."""
        here = asyncio.get_running_loop()
        tasks = [task for task in self._tasks if task.get_loop() is here]
        try:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await self._transport.aclose()

    async def _go_on(self, leg: Leg[T], effect: LegEffect) -> T:
        while True:
            try:
                answer = await self._answer(effect)
            except Exception as error:  # noqa: BLE001 - the leg decides what becomes of it
                step = partial(leg.throw, error)
            else:
                step = partial(leg.send, answer)
            try:
                effect = step()
            except StopIteration as stop:
                result: T = stop.value
                return result

    async def _answer(self, effect: LegEffect) -> object:  # noqa: C901, PLR0911 - one line per kind of effect
        match effect:
            case HTTPRequest():
                return await self._send(effect)
            case StorePut(key=key, record=record, expires_at=expires_at, now=now):
                return await _guarded(lambda: self.pending.put(key, record, expires_at=expires_at, now=now))
            case StoreTake(key=key, carried=carried, now=now):
                return await _guarded(lambda: self.pending.take(key, carried=carried, now=now))
            case StorePeek(key=key, now=now):
                return await _guarded(lambda: self._revisable.peek(key, now=now))
            case StoreSwap(key=key, old=old, new=new, now=now):
                return await _guarded(lambda: self._revisable.swap(key, old=old, new=new, now=now))
            case SignatureWanted():
                return await _sign(effect)
            case Background(work=work):
                self._begin(work)
                return None
            case Wait(flight=flight):
                return await _landing(flight)
            case Once():
                return await self._once(effect)
            case Advance(transaction=transaction, subject=subject, sequence=sequence):
                return await _guarded(lambda: self.replay.advance(transaction, subject, sequence))
            case Call(function=function, arguments=arguments):
                return await _called(function(*arguments))
        return effect.tried

    def _begin(self, work: Leg[None]) -> None:
        # It is begun here and now: what was never begun would never say that it has ended.
        try:
            effect = next(work)
        except StopIteration:
            return
        task = asyncio.get_running_loop().create_task(self._go_on(work, effect), name="cyberid-fetch")
        self._tasks[task] = work
        task.add_done_callback(partial(self._end, work))

    def _end(self, work: Leg[None], task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        work.close()

    def _give_up_lost(self) -> None:
        # Who closes a loop without cancelling its tasks leaves them where they stand: nobody waits for those.
        for task, work in list(self._tasks.items()):
            if task.get_loop().is_closed():
                self._end(work, task)

    @property
    def _revisable(self) -> AsyncRevisableStore:
        # Looked at when a presentation starts: no other leg reads or changes a record in its place.
        return cast("AsyncRevisableStore", self.pending)

    async def _send(self, request: HTTPRequest) -> HTTPResponse:
        try:
            response = await self._transport.send(request)
        except Exception as error:  # noqa: BLE001 - a transport that somebody else wrote may raise anything
            return failed_response(request, error)
        return as_response(request, response)

    async def _once(self, wanted: Once) -> bool:
        raised: list[Exception] = []
        done: list[bool] = []

        async def effect(transaction: object) -> None:
            try:
                await self.run(wanted.effect(transaction))
            except Exception as error:
                raised.append(error)
                raise
            done.append(True)

        try:
            ran = await self.replay.once(wanted.key, effect, expires_at=wanted.expires_at, now=wanted.now)
        except Exception as error:
            # The app's own error comes out as it is; a store that hides it has failed.
            if error in raised or isinstance(error, CyberIDError):
                raise
            raise failed_store(error) from error
        return as_ran(ran, took_effect=bool(done))


async def _landing(flight: Flight) -> CyberIDError | None:
    if flight.done():
        return flight.result()
    # The flight is everybody's: a caller that is cancelled leaves it in the air.
    return await asyncio.shield(asyncio.wrap_future(flight))


async def _called(answer: object) -> object:
    return await answer if inspect.isawaitable(answer) else answer


async def _guarded(ask_store: Callable[[], Awaitable[T]]) -> T:
    """Let only our own errors out of a store that somebody else may have written."""
    try:
        return await ask_store()
    except CyberIDError:
        raise
    except Exception as error:
        raise failed_store(error) from error


async def _sign(wanted: SignatureWanted) -> Signed:
    sign = wanted.signer.sign
    if not inspect.iscoroutinefunction(sign):
        # It may ask a machine far away, and the loop does not wait for it.
        return await asyncio.to_thread(sign_now, wanted)
    try:
        return as_signed(await sign(wanted.message))
    except Exception as error:  # noqa: BLE001 - a signer that somebody else wrote may raise anything
        return failed_signature(error)
