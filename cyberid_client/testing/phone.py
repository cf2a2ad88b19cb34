"""A scripted phone: it launches the ID app as an app would, and returns what the app would get."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import HTTPRequest
from cyberid_client.testing.app_launch import MOCK_OUTCOMES, Launch
from cyberid_client.testing.browser_http import exchange
from cyberid_client.testing.documents import PATHS
from cyberid_client.testing.issuer import MockIssuer
from cyberid_client.testing.jose import json_bytes

__all__ = ["MOCK_OUTCOMES", "Phone"]

_MAX_ANSWER: Final = 65_536
_PATIENCE: Final = 10.0
_OK: Final = 200
_JSON: Final = {"content-type": "application/json"}


class Phone:
    """A phone with the ID app of a mock issuer on it, and with as many apps as a test needs.

    Args:
        issuer: the mock; or its origin, such as ``http://127.0.0.1:8443``, when another process serves it.
    """

    def __init__(self, issuer: MockIssuer | str) -> None:
        self._issuer = issuer

    def launch(
        self,
        launch: Mapping[str, object],
        *,
        package: str,
        person: str = "adult",
        outcome: str | None = None,
        decided_by: str = "phone",
        factors: Iterable[str] | None = None,
    ) -> dict[str, str | None]:
        """Launch the ID app, and return ``resultCode``, ``resultDesc``, ``idCardAuthData`` and ``certPwdData``.

        Args:
            launch: what the app's backend gave its app: ``AppLaunch.to_dict()``.
            package: which app launches; a receipt calls it verified when it is the one that is registered for
                the ``appID``. ``com.evil.relay`` is as good a name as any.
            person: whose phone it is, a key of ``MockIssuer.people``.
            outcome: a value of :data:`MOCK_OUTCOMES`; ``None``: the person agrees.
            decided_by: who says so: ``phone`` at once, by ``resultCode``; ``issuer`` later, by a receipt.
            factors: what the person shows, ``certificate`` among it; what is asked for when left out.

        Returns:
            What the ID app answers; the blobs are ``None`` where there are none.

        Raises:
            ConfigurationError: ``testing.unknown_person``, or ``config.value``: a script that cannot be played;
                ``testing.request_refused``: the mock did not take it.
            TransportError: there is no mock at this origin.
        """
        shown = None if factors is None else frozenset(factors)
        script = Launch(
            org_id=launch.get("orgID"),
            app_id=launch.get("appID"),
            biz_seq=launch.get("bizSeq"),
            type=launch.get("type"),
            package=package,
            person=person,
            outcome="success" if outcome is None else outcome,
            decided_by=decided_by,
            factors=shown,
        )
        document = {
            "launch": {name: launch.get(name) for name in ("orgID", "appID", "bizSeq", "type")},
            "package": script.package,
            "person": script.person,
            "outcome": script.outcome,
            "decided_by": script.decided_by,
            "factors": None if shown is None else sorted(shown),
        }
        status, body = self._send(json_bytes(document))
        if status != _OK:
            raise ConfigurationError("testing.request_refused")
        result: dict[str, str | None] = json.loads(body)
        return result

    def _send(self, body: bytes) -> tuple[int, bytes]:
        if isinstance(self._issuer, str):
            answer = exchange(
                method="POST",
                url=self._issuer + PATHS["phone_launch"],
                form=body,
                headers=dict(_JSON),
                deadline=time.monotonic() + _PATIENCE,
                max_bytes=_MAX_ANSWER,
                is_form=False,
            )
            return answer.status, answer.body
        request = HTTPRequest(
            method="POST",
            url=self._issuer.issuer + PATHS["phone_launch"],
            headers=_JSON,
            body=body,
            max_bytes=_MAX_ANSWER,
            purpose="phone",
        )
        response = self._issuer.transport().send(request)
        return response.status, response.body
