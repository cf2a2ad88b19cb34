"""What all tests share: how hard Hypothesis tries, and that no test reaches beyond this machine."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# Two cores that others share: how long an example takes says nothing about the code.
_SHARED_CORES = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.register_profile("dev", _SHARED_CORES, max_examples=25)
# The same examples in every run, so that a red run stays red until something is mended.
settings.register_profile("ci", _SHARED_CORES, max_examples=100, derandomize=True, database=None)
settings.register_profile("full", _SHARED_CORES, max_examples=2_000)
settings.load_profile(os.environ.get("CYBERID_HYPOTHESIS", "dev"))

_LOOPBACK_NAMES = ("127.0.0.1", "::1", "localhost")


def _refuse_the_outside(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        connection, address = arguments
        if connection.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOOPBACK_NAMES:
            message = f"a test tried to reach {address[0]}"
            raise AssertionError(message)


# An audit hook sees every connection, whatever library makes it, and needs nothing patched.
sys.addaudithook(_refuse_the_outside)


@pytest.fixture(scope="session")
def not_here() -> Callable[[str], None]:
    """Give up a test for want of something on this machine, and say so; never where all must be there."""

    def give_up(reason: str) -> None:
        if os.environ.get("CYBERID_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    return give_up
