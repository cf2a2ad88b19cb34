"""How long imports take, each in a fresh interpreter with compiled bytecode."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

__all__ = ["foreign_modules", "measure_imports"]

ROUNDS: Final = 15
ROUNDS_QUICK: Final = 5
_TIMED: Final = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
_CLIENT: Final = "from cyberid_client import Client"
_FOREIGN: Final = ("cryptography", "requests", "urllib3", "jwt")
_HELP: Final = "import sys; sys.argv = ['cyberid', '--help']; from cyberid_client.cli import main; main()"
_DEPENDENCIES: Final = (
    "import cryptography.x509.verification, cryptography.hazmat.primitives.asymmetric.ec, requests, jwt"
)


def foreign_modules() -> list[str]:
    """Return the modules of the dependencies that ``from cyberid_client import Client`` loads, in order."""
    code = f"{_CLIENT}; import sys, json; print(json.dumps(list(sys.modules)))"
    names: list[str] = json.loads(_run(code))
    return [name for name in names if name.partition(".")[0] in _FOREIGN]


def measure_imports(*, quick: bool) -> dict[str, float]:
    """Return seconds: the best of several fresh interpreters, which take turns."""
    # Some modules cannot be imported by name, because their package only puts them there.
    one_by_one = "; ".join(
        ["import contextlib, importlib"]
        + [
            f"\nwith contextlib.suppress(ImportError): importlib.import_module({name!r})"
            for name in foreign_modules()
        ]
    )
    one_by_one = one_by_one.replace("; \n", "\n")
    timed = {
        "package": _TIMED.format("import cyberid_client"),
        "client": _TIMED.format(_CLIENT),
        "modules": f"import time\nstart = time.perf_counter()\n{one_by_one}\nprint(time.perf_counter() - start)",
        "by name": _TIMED.format(_DEPENDENCIES),
    }
    best = dict.fromkeys([*timed, "help", "nothing"], float("inf"))
    for _ in range(ROUNDS_QUICK if quick else ROUNDS):
        for name, code in timed.items():
            best[name] = min(best[name], float(_run(code)))
        best["help"] = min(best["help"], _whole(_HELP))
        best["nothing"] = min(best["nothing"], _whole("pass"))
    return best


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 - our own code
    return done.stdout.strip()


def _whole(code: str) -> float:
    """Return the time of a whole process, its start and end included."""
    clock = "import subprocess, sys, time; start = time.perf_counter(); "
    clock += f"subprocess.run([sys.executable, '-c', {code!r}], check=True, stdout=subprocess.DEVNULL); "
    return float(_run(clock + "print(time.perf_counter() - start)"))
