"""The ``cyberid`` command: a thin printer over the API.

Importing this module costs next to nothing; click and the rest are loaded when the command runs.
"""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["main"]

_CLICK_MISSING: Final = "The cyberid command needs click: pip install 'cyberid_client[cli]'"


def main() -> None:
    """Run the ``cyberid`` command with the arguments of this process, and end the process."""
    try:
        from cyberid_client.cli.commands import cyberid  # noqa: PLC0415 - click is an extra
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit(_CLICK_MISSING)
    cyberid()
