"""A wire form of verification that is not ours: nested JSON, results as characters, and local times.

It shows what an app writes when a platform speaks otherwise; nothing else of the handshake knows of it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from cyberid_client.wire import AppVerification, UnverifiedReceipt, parse_json_object, parse_jws

KIND = "made-up-result"
CHINA = timezone(timedelta(hours=8))
PLACES = ("certificate", "password", "face")
RESULTS = {"0": "passed", "1": "failed", "X": "not_executed"}
OUTCOMES = {"0000": "success", "3001": "frozen"}
MODES = {"R01": "0XXX", "R02": "00XX", "R03": "0X0X", "R04": "000X"}


def local_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def seconds_of(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).timestamp()


def encode(members: object) -> str:
    data = json.dumps(members, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class NestedEnvelope:
    """A flattened JSON JWS (RFC 7515 §7.2.2) asks and another one, inside of more JSON, answers."""

    content_type = "application/json"
    accept = "application/json"

    def prepare(self, verification: AppVerification, *, algorithm: str, kid: str) -> bytes:
        protected = encode({"alg": algorithm, "kid": kid, "typ": "made-up-request"})
        payload = {
            "version": "2.0",
            "bizPackage": {
                "orgID": verification.org_id,
                "appID": verification.app_id,
                "bizSeq": verification.biz_seq,
                "mode": verification.mode.rpartition(":")[2].upper(),
                "idCardAuthData": verification.id_card_auth_data,
                "authCode": verification.cert_pwd_data or "",
                "timeStamp": local_time(verification.issued_at),
                "serial": verification.jti,
            },
        }
        return f"{protected}.{encode(payload)}".encode()

    def seal(self, prepared: bytes, signature: bytes) -> bytes:
        protected, _, payload = prepared.decode().partition(".")
        signed = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
        return json.dumps(
            {"request": {"protected": protected, "payload": payload, "signature": signed}}
        ).encode()

    def open(self, body: bytes) -> UnverifiedReceipt:
        outer = parse_json_object(body, document="receipt", max_bytes=65_536)["response"]
        token = f"{outer['protected']}.{outer['payload']}.{outer['signature']}"
        jws = parse_jws(token, document="receipt", max_bytes=65_536)
        if jws.header.typ == KIND:
            jws = replace(jws, header=replace(jws.header, typ="cyberid-receipt+jwt"))
        says = parse_json_object(jws.payload, document="receipt", max_bytes=65_536)["bizPackage"]
        results = says["authResult"]
        return UnverifiedReceipt(
            jws=jws,
            iss=says["platform"],
            aud=(says["orgClient"],),
            iat=seconds_of(says["timeStamp"]),
            exp=seconds_of(says["timeStamp"]) + 300,
            nbf=None,
            auth_time=seconds_of(says["authTime"]) if "authTime" in says else None,
            biz_seq=says["bizSeq"],
            app_id=says["appID"],
            blobs_hash=says["digest"],
            caller="verified" if says["callerChecked"] == "Y" else None,
            outcome=OUTCOMES.get(says["resultCode"], says["resultCode"]),
            acr=next(
                (f"urn:cyberid:mode:{name.lower()}" for name, each in MODES.items() if each == results), None
            ),
            factors={name: RESULTS[result] for name, result in zip(PLACES, results, strict=False)},
            sub=says.get("pid", ""),
            sector=says.get("sector"),
            persistence=says.get("pidClass"),
            sid=None,
            age_band=None,
            foreign=frozenset(),
        )
