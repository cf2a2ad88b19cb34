"""One way to refuse a document by its name and the kind of fault."""

from __future__ import annotations

from cyberid_client.errors import VerificationError

__all__ = ["refusal"]


def refusal(document: str, kind: str) -> VerificationError:
    """Return the error of the code ``document.kind``.

    Args:
        document: which document it is about, the first part of the code.
        kind: what is wrong with it, the rest of the code.
    """
    return VerificationError(f"{document}.{kind}")
