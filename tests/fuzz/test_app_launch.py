"""Whatever a phone answers and whatever the issuer sends about it: a login that was signed, or our own error."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache

from hypothesis import example, given
from hypothesis import strategies as st

from cyberid_client import AppLaunchSettings, Assurance, Client, ClientKey, Login, RelyingParty, TrustStore
from cyberid_client.handshake.app_launch import read_app_result, verify_app_result
from cyberid_client.models import PendingAppLogin
from cyberid_client.ports import HTTPResponse
from cyberid_client.testing import ManualClock, MockIssuer, Phone, RegisteredApp
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.jose import decode_part, json_bytes

from .bench import NOW, closed, code_of
from .strategies import any_bytes, any_text, changed, json_values, mutated, mutated_text

PACKAGE = "com.example.shop"
BIZ_SEQ = "MadeUpSequence0123456789abcdefgh"


class LaunchBench:
    """One launch that can be finished again and again, with any part of its answers replaced."""

    def __init__(self) -> None:
        clock = ManualClock(NOW)
        self.issuer = MockIssuer(clock)
        registered = self.issuer.register(
            client_id="shop",
            redirect_uri="https://shop.example/callback",
            org_id="org-1",
            apps={"android": RegisteredApp(app_id="app-1", package=PACKAGE)},
        )
        self.rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id="shop",
            redirect_uri="https://shop.example/callback",
            key=ClientKey.from_pem(registered.key_pem),
            trust=TrustStore.for_tests(self.issuer.root_pem),
            app_launch=AppLaunchSettings(org_id="org-1", app_ids={"android": "app-1"}),
        )
        self.transport = self.issuer.transport()
        self.client = Client(self.rp, transport=self.transport, clock=clock, background=False)
        self.client.refresh()
        self.pending = PendingAppLogin(
            kind="app",
            issuer=self.issuer.issuer,
            client_id="shop",
            app_id="app-1",
            biz_seq=BIZ_SEQ,
            assurance=Assurance.R02,
            return_to="/",
            started_at=NOW,
            expires_at=NOW + timedelta(seconds=190),
        )
        launch = {"orgID": "org-1", "appID": "app-1", "bizSeq": BIZ_SEQ, "type": 1}
        self.result = Phone(self.issuer).launch(launch, package=PACKAGE)
        self.receipt = ""
        self.honest = self.finish()
        self.header, self.claims = (json.loads(decode_part(part)) for part in self.receipt.split(".")[:2])

    def finish(self, body: bytes | None = None) -> Login:
        """Finish the launch with another receipt, or with the issuer's own."""
        snapshot = self.client._legs.keeper.snapshot
        env = self.client._legs.env
        flow = verify_app_result(
            self.rp,
            read_app_result(self.rp, self.result, self.pending, now=NOW),
            self.pending,
            metadata=snapshot.metadata,
            keys=snapshot.keys,
            env=env,
            cache=None,
            crls=snapshot.crls,
        )
        request = next(flow)
        if body is None:
            answer = self.transport.send(request)
            self.receipt = answer.body.decode()
        else:
            headers = {"content-type": "application/jwt"}
            answer = HTTPResponse(status=200, headers=headers, body=body, url=request.url)
        try:
            wanted = flow.send(answer)
            while True:
                wanted = flow.send(wanted.tried)
        except StopIteration as stop:
            return stop.value

    def sign(self, header: object, claims: object, payload: bytes | None = None) -> bytes:
        signer = self.issuer._service.keyring.signer("assertion")
        draft = SignedDraft(
            header=header, claims=claims, signer=signer, keyring=self.issuer._service.keyring, now=NOW
        )
        draft.payload_bytes = payload
        return draft.encode().encode()


@cache
def bench() -> LaunchBench:
    return LaunchBench()


BENCH = bench()
members = st.dictionaries(
    st.sampled_from(["resultCode", "resultDesc", "idCardAuthData", "certPwdData"]) | st.text(max_size=8),
    json_values | any_text | any_bytes,
    max_size=5,
)


def says_what_was_signed(login: Login, claims: dict[str, object]) -> bool:
    passed = {name for name, result in claims["factors"].items() if result == "passed"}
    known = {"certificate", "password", "face"}
    return (claims["sub"], claims["acr"], passed & known, claims["sector"], claims["persistence"]) == (
        login.pseudonym.value,
        login.assurance.value,
        {factor.value for factor in login.factors},
        login.sector,
        login.persistence.value,
    )


def test_the_bench_is_honest():
    """Without a change there is a login, and again."""
    assert BENCH.honest == BENCH.finish(BENCH.receipt.encode())
    assert says_what_was_signed(BENCH.honest, BENCH.claims)


@given(result=any_text | any_bytes | json_values | members | json_values.map(json_bytes))
def test_any_answer_of_a_phone(result):
    """Text, bytes, members or anything else: nothing but our own error comes out."""
    launch = BENCH.client.start_app_login(platform="android")
    assert None is not code_of(lambda: BENCH.client.finish_app_login(result, handle=launch.handle))


@given(result=mutated(json_bytes(BENCH.result)))
def test_a_changed_answer_of_a_phone(result):
    """A phone that changes what the ID app said asks the issuer in vain."""
    closed(lambda: read_app_result(BENCH.rp, result, BENCH.pending, now=NOW))


@given(body=any_bytes | any_text.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_receipt(body):
    """Whatever the issuer sends in the place of a receipt is refused."""
    assert None is not code_of(lambda: BENCH.finish(body))


@given(token=mutated_text(BENCH.receipt))
@example(token=BENCH.receipt)
def test_a_changed_receipt(token):
    """After any change of its text a receipt is refused, or its login is the one that was signed."""
    login = closed(lambda: BENCH.finish(token.encode()))
    if isinstance(login, Login):
        assert BENCH.honest == login
    else:
        assert token != BENCH.receipt


@given(claims=changed(BENCH.claims))
def test_signed_claims_of_any_kind(claims):
    """Whatever the issuer signs is refused, or its login says it."""
    login = closed(lambda: BENCH.finish(BENCH.sign(BENCH.header, claims)))
    if isinstance(login, Login):
        assert says_what_was_signed(login, claims)


@given(header=changed(BENCH.header))
def test_any_header(header):
    """Whatever stands in the header, a login is that of the signed claims."""
    login = closed(lambda: BENCH.finish(BENCH.sign(header, BENCH.claims)))
    if isinstance(login, Login):
        assert BENCH.honest == login


@given(payload=mutated(json_bytes(BENCH.claims)))
def test_signed_bytes_of_any_kind(payload):
    """Whatever bytes the issuer signs are refused, or read by us as by any other reader of JSON."""
    login = closed(lambda: BENCH.finish(BENCH.sign(BENCH.header, {}, payload)))
    if isinstance(login, Login):
        assert says_what_was_signed(login, json.loads(payload))
