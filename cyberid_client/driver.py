"""Run legs for the blocking client: do what they ask for, and give back what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from cyberid_client.effects import (
    Advance,
    Background,
    Call,
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
from cyberid_client.handshake.flow import SignatureWanted
from cyberid_client.ports import (
    HTTPRequest,
    HTTPResponse,
    PendingStore,
    ReplayStore,
    RevisableStore,
    Transport,
)
from cyberid_client.replies import as_ran, as_response, failed_response, failed_store, sign_now

__all__ = ["Driver"]

T = TypeVar("T")


class Driver:
    """Run legs in the calling thread; what goes on in the background is done at once.

    Args:
        transport: HTTP to the issuer.
        pending: where logins wait between their two legs.
        replay: which messages took effect.

    Attributes:
        pending: as given.
        replay: as given.
    """

    def __init__(self, *, transport: Transport, pending: PendingStore, replay: ReplayStore) -> None:
        self._transport = transport
        self.pending = pending
        self.replay = replay

    def run(self, leg: Leg[T]) -> T:
        """Drive a leg to its end.

        Args:
            leg: not begun.
        """
        try:
            effect = next(leg)
            while True:
                try:
                    answer = self._answer(effect)
                except Exception as error:  # noqa: BLE001 - the leg decides what becomes of it
                    effect = leg.throw(error)
                else:
                    effect = leg.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            leg.close()

    def close(self) -> None:
        """Give back connections."""
        self._transport.close()

    def _answer(self, effect: LegEffect) -> object:  # noqa: C901, PLR0911 - one line per kind of effect
        match effect:
            case HTTPRequest():
                return self._send(effect)
            case StorePut(key=key, record=record, expires_at=expires_at, now=now):
                return _guarded(lambda: self.pending.put(key, record, expires_at=expires_at, now=now))
            case StoreTake(key=key, carried=carried, now=now):
                return _guarded(lambda: self.pending.take(key, carried=carried, now=now))
            case StorePeek(key=key, now=now):
                return _guarded(lambda: self._revisable.peek(key, now=now))
            case StoreSwap(key=key, old=old, new=new, now=now):
                return _guarded(lambda: self._revisable.swap(key, old=old, new=new, now=now))
            case SignatureWanted():
                return sign_now(effect)
            case Background(work=work):
                return self.run(work)
            case Wait(flight=flight):
                return flight.result()
            case Once():
                return self._once(effect)
            case Advance(transaction=transaction, subject=subject, sequence=sequence):
                return _guarded(lambda: self.replay.advance(transaction, subject, sequence))
            case Call(function=function, arguments=arguments):
                return function(*arguments)
        return effect.tried

    @property
    def _revisable(self) -> RevisableStore:
        # Looked at when a presentation starts: no other leg reads or changes a record in its place.
        return cast("RevisableStore", self.pending)

    def _send(self, request: HTTPRequest) -> HTTPResponse:
        try:
            response = self._transport.send(request)
        except Exception as error:  # noqa: BLE001 - also StopIteration must not end a flow as if it had returned
            return failed_response(request, error)
        return as_response(request, response)

    def _once(self, wanted: Once) -> bool:
        raised: list[Exception] = []
        done: list[bool] = []

        def effect(transaction: object) -> None:
            try:
                self.run(wanted.effect(transaction))
            except Exception as error:
                raised.append(error)
                raise
            done.append(True)

        try:
            ran = self.replay.once(wanted.key, effect, expires_at=wanted.expires_at, now=wanted.now)
        except Exception as error:
            # The app's own error comes out as it is; a store that hides it has failed.
            if error in raised or isinstance(error, CyberIDError):
                raise
            raise failed_store(error) from error
        return as_ran(ran, took_effect=bool(done))


def _guarded(ask_store: Callable[[], T]) -> T:
    """Let only our own errors out of a store that somebody else may have written."""
    try:
        return ask_store()
    except CyberIDError:
        raise
    except Exception as error:
        raise failed_store(error) from error
