"""What plays the phone over HTTP: a page for people, and one call for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.app_launch import AppDesk, Launch
from cyberid_client.testing.app_requests import BIZ_SEQ
from cyberid_client.testing.clients import ClientDesk
from cyberid_client.testing.drafts import Reply
from cyberid_client.testing.jose import json_bytes
from cyberid_client.testing.pages import error_page, page_headers
from cyberid_client.testing.phone_pages import launch_page, result_page
from cyberid_client.testing.pushed import read_form
from cyberid_client.testing.refusal import Refusal, invalid_request
from cyberid_client.testing.registration import RegisteredApp

__all__ = ["PhoneDesk"]

_FIELDS: Final = ("orgID", "appID", "bizSeq", "type", "return_url", "return_by")
_WAYS_BACK: Final = ("form", "fragment")
_NO_STORE: Final = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


class PhoneDesk:
    """Play a phone with the ID app on it, and the app that launched it.

    The page is opened with what the app would launch with, and with ``return_url``, one that the app
    registered: the answer goes there and nowhere else, so the app on this phone is always the registered one.
    ``return_by`` says how: ``form``, a form with the four fields, or ``fragment``, the same behind ``#``,
    where the app's own page finds it.

    Args:
        clients: the registered clients.
        apps: the ID app's platform.
        action: the path of the page.
        origin: returns the issuer's.
    """

    def __init__(self, *, clients: ClientDesk, apps: AppDesk, action: str, origin: Callable[[], str]) -> None:
        self._clients = clients
        self._apps = apps
        self._action = action
        self._origin = origin

    def show(self, query: str) -> Reply:
        """Return the page for a link."""
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=20)
        except ValueError:
            return _refused("the link is malformed")
        fields = self._fields_of(dict(pairs)) if len(dict(pairs)) == len(pairs) else "the link is malformed"
        if isinstance(fields, str):
            return _refused(fields)
        app = self._app_of(fields)
        if app is None:
            return _refused("there is no such app, or return_url is not byte-equal to one that it registered")
        page = launch_page(
            fields=fields,
            app_name=app.package,
            link=f"{self._origin()}{self._action}?{urlencode(fields)}",
            action=self._action,
        )
        return Reply(status=200, headers=page_headers(fields["return_url"]), body=page)

    def decide(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Reply:
        """Take the page's form, let the ID app answer, and carry the answer back."""
        try:
            form = read_form(body, headers)
        except Refusal as refusal:
            return _refused(refusal.reason)
        fields = self._fields_of(form)
        app = None if isinstance(fields, str) else self._app_of(fields)
        if isinstance(fields, str) or app is None:
            return _refused("the form is not the one of this page")
        outcome = form.get("outcome", "success") if form.get("decision") == "allow" else "cancelled"
        try:
            launch = _launch_of(fields, package=app.package, person=form.get("person"), outcome=outcome)
        except ConfigurationError:
            return _refused("there is no such person, or no such outcome")
        result = self._apps.launch(launch, now)
        if fields["return_by"] == "fragment":
            found = {name: value for name, value in result.items() if value is not None}
            location = f"{fields['return_url']}#{urlencode(found, quote_via=quote)}"
            return Reply(status=303, headers={"location": location, **_NO_STORE})
        page = result_page(result=result, return_url=fields["return_url"])
        return Reply(status=200, headers=page_headers(fields["return_url"]), body=page)

    def launch(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Reply:
        """Answer a script: JSON with ``launch`` and what :class:`Launch` holds beside it, by the same names.

        Raises:
            Refusal: ``invalid_request``.
        """
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise invalid_request("the body must be JSON")
        try:
            document = json.loads(body)
            factors = document.get("factors")
            launch = _launch_of(
                document["launch"],
                **{name: document[name] for name in ("package", "person", "outcome", "decided_by")},
                factors=None if factors is None else frozenset(factors),
            )
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError, ConfigurationError):
            raise invalid_request("this is no launch that a phone could make") from None
        headers = {"content-type": "application/json", **_NO_STORE}
        return Reply(status=200, headers=headers, body=json_bytes(self._apps.launch(launch, now)))

    def _fields_of(self, parameters: Mapping[str, str]) -> dict[str, str] | str:
        """Return what stands in a link, or why there is no page for it; what else stands there is dropped."""
        fields = {"return_by": "form", **{name: parameters[name] for name in _FIELDS if name in parameters}}
        if set(fields) != set(_FIELDS) or fields["return_by"] not in _WAYS_BACK:
            return "orgID, appID, bizSeq, type and return_url must stand in the link"
        if BIZ_SEQ.fullmatch(fields["bizSeq"]) is None or fields["type"] not in {"0", "1"}:
            return "bizSeq must be 32 letters and digits, and type 0 or 1"
        return fields

    def _app_of(self, fields: Mapping[str, str]) -> RegisteredApp | None:
        found = self._clients.find_app(fields["orgID"], fields["appID"])
        return found[1] if found is not None and fields["return_url"] in found[1].return_urls else None


def _launch_of(fields: Mapping[str, object], **script: Any) -> Launch:  # noqa: ANN401 - Launch looks at them
    kind = fields.get("type")
    return Launch(
        org_id=fields.get("orgID"),
        app_id=fields.get("appID"),
        biz_seq=fields.get("bizSeq"),
        type={"0": 0, "1": 1}.get(kind, kind) if isinstance(kind, str) else kind,
        **script,
    )


def _refused(reason: str) -> Reply:
    return Reply(status=400, headers=page_headers(), body=error_page(reason))
