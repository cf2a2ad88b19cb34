"""Let our errors out without the frames below the public call.

Error trackers show the local variables of every frame of a traceback, and ours hold codes, tokens and
keys. What went wrong is said by the error's code, and where by the debug log.
"""

from __future__ import annotations

from types import TracebackType

from cyberid_client.errors import CyberIDError, StoreError

__all__ = ["OwnFramesDropped", "drop_frames", "where_raised"]


class OwnFramesDropped:
    """Enclose the body of a public function whose arguments or results are secret.

    An error of ours leaves it without the frames inside, the enclosing function's own included; so does
    what cancels or interrupts.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, CyberIDError):
            drop_frames(error)
        elif error is not None and not isinstance(error, Exception):
            # Whoever cancels or interrupts wants to know where the app stood, not what was in our hands.
            error.__traceback__ = None


def where_raised(error: CyberIDError) -> str:
    """Return module, function and line of the innermost frame: text that holds no value."""
    place = error.__traceback__
    if place is None:
        return "unknown"
    while place.tb_next is not None:
        place = place.tb_next
    code = place.tb_frame.f_code
    return f"{place.tb_frame.f_globals.get('__name__')}.{code.co_qualname}:{place.tb_lineno}"


def drop_frames(error: CyberIDError) -> None:
    """Forget where ``error`` went through, and what was being handled when it was raised.

    A cause that was named (``raise ... from cause``) stays, without its frames: they have been inside
    ours. Only a store's own error keeps them, because an operator needs them and what a store is given
    is sealed.
    """
    error.__traceback__ = None
    if error.__cause__ is None:
        error.__context__ = None
    elif not isinstance(error, StoreError):
        _drop_frames_of_causes(error)


def _drop_frames_of_causes(error: BaseException) -> None:
    # By identity: an exception of somebody else's may be equal to another, or refuse to be compared.
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = None
        waiting += [other for other in (each.__cause__, each.__context__) if other is not None]
