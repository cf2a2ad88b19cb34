"""The mock issuer: real keys, real chains, real endpoints, made-up people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from typing import Final, Literal, overload
from urllib.parse import urlencode

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import Clock, Transport
from cyberid_client.testing.arming import Arming
from cyberid_client.testing.clock import system_clock
from cyberid_client.testing.credentials import EPOCH_LENGTH, EPOCH_LENGTH_MIN
from cyberid_client.testing.delivery import Delivery, Posting
from cyberid_client.testing.documents import PATHS
from cyberid_client.testing.drafts import Reply, Sizes
from cyberid_client.testing.events import EventDesk
from cyberid_client.testing.faults import (
    CREDENTIAL_FAULTS,
    CREDENTIAL_ODDITIES,
    EVENT_FAULTS,
    EVENT_ODDITIES,
    FAULTS,
    LOGOUT_FAULTS,
    LOGOUT_ODDITIES,
    ODDITIES,
    RECEIPT_FAULTS,
    RECEIPT_ODDITIES,
    STATUS_FAULTS,
)
from cyberid_client.testing.in_process import InProcessTransport
from cyberid_client.testing.jose import ALGORITHMS, SIGNING_NAMES
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.logout import Session
from cyberid_client.testing.people import PEOPLE, Person, pseudonym_of
from cyberid_client.testing.pki import key_pem, pem
from cyberid_client.testing.registration import (
    RegisteredApp,
    RegisteredClient,
    Registration,
    is_web_origin,
    is_web_url,
    make_client,
)
from cyberid_client.testing.server import run_server
from cyberid_client.testing.service import Call, IssuerService, RequestRecord
from cyberid_client.testing.status_lists import StatusPublisher
from cyberid_client.testing.tls import sha256_of_pem

__all__ = ["MockIssuer"]

_INTERACTION: Final = re.compile(rb'name="interaction" value="([^"]+)"')
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
_FACTORS: Final = frozenset({"certificate", "password", "face"})
_ERROR_STATUS: Final = 400


class MockIssuer:
    """Play the national platform, for tests and for trying things out.

    Nothing listens until :meth:`serve`. Every certificate carries the test mark, so only a trust
    store made by ``TrustStore.for_tests(issuer.root_pem)`` believes any of it.

    Args:
        clock: aware UTC; the system's when left out.
        issuer: the issuer identifier, an https origin.
        algorithm: the JWS algorithm of every signer: ES256, ES384, PS256, EdDSA, ML-DSA-44, ML-DSA-65 or
            ML-DSA-87. Root and authorities have keys of the same kind; only with EdDSA they have P-256
            keys, because the built-in path engine judges no Ed25519 authorities. Clients sign with ES256
            unless they bring keys of their own.
        credential_epoch_length: seconds that an epoch of credentials lasts, at least 60; 7 days by default.

    Raises:
        ConfigurationError: ``config.issuer``, ``config.no_algorithm`` or ``config.value``.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        issuer: str = "https://issuer.example",
        algorithm: str = "ES256",
        credential_epoch_length: int = EPOCH_LENGTH,
    ) -> None:
        if not is_web_origin(issuer) or not issuer.startswith("https://"):
            raise ConfigurationError("config.issuer", "issuer")
        if algorithm not in SIGNING_NAMES:
            raise ConfigurationError("config.no_algorithm", "algorithm")
        if credential_epoch_length < EPOCH_LENGTH_MIN:
            raise ConfigurationError("config.value", "credential_epoch_length")
        self._clock: Clock = system_clock if clock is None else clock
        keyring = Keyring(issuer=issuer, algorithm=ALGORITHMS[algorithm], now=self._clock())
        faults = {**FAULTS, **STATUS_FAULTS, **LOGOUT_FAULTS, **EVENT_FAULTS, **RECEIPT_FAULTS}
        oddities = {**ODDITIES, **LOGOUT_ODDITIES, **EVENT_ODDITIES, **RECEIPT_ODDITIES}
        self._arming = Arming({**faults, **oddities, **CREDENTIAL_FAULTS, **CREDENTIAL_ODDITIES})
        self._service = IssuerService(
            keyring=keyring,
            clock=self._clock,
            arming=self._arming,
            epoch_length=credential_epoch_length,
        )

    def __repr__(self) -> str:
        return f"MockIssuer({self.issuer!r})"

    @property
    def issuer(self) -> str:
        """The issuer identifier; inside :meth:`serve` the loopback origin."""
        return self._service.keyring.issuer

    @property
    def clock(self) -> Clock:
        """The clock that it goes by."""
        return self._clock

    @property
    def algorithm(self) -> str:
        """The JWS algorithm of every signer."""
        return self._service.keyring.algorithm.name

    @property
    def root_pem(self) -> bytes:
        """The root to pin, PEM; it stays the same for the life of this object."""
        return pem(self._service.keyring.root.certificate)

    @property
    def tls_ca_pem(self) -> bytes:
        """The throwaway authority of the TLS certificate under ``serve(tls=True)``, for ``HTTPLimits(ca_pem=)``."""
        return self._service.tls.authority_pem

    @property
    def people(self) -> Mapping[str, Person]:
        """The made-up people by key."""
        return PEOPLE

    @property
    def log(self) -> tuple[RequestRecord, ...]:
        """The last 1,000 requests, oldest first; holds no secret."""
        return tuple(self._service.log)

    @property
    def status_lists(self) -> StatusPublisher:
        """The status lists that it publishes; none before one is opened."""
        return self._service.status_lists

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Every session that has not ended, oldest first."""
        return self._service.logout.sessions

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What became of the last 1,000 messages to apps, oldest first."""
        return tuple(self._service.courier.deliveries)

    @property
    def events(self) -> EventDesk:
        """What delivers security events late, twice, in another order, and again."""
        return self._service.events

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of the last pushed request, for narration; empty before the first."""
        return dict(self._service.asked)

    @property
    def signed(self) -> dict[str, object]:
        """The claims of the last assertion that was signed, for narration; empty before the first."""
        return dict(self._service.signed)

    @property
    def signed_sizes(self) -> Sizes | None:
        """How large the last assertion was, for narration; ``None`` before the first."""
        return self._service.sizes

    @property
    def automatic_person(self) -> str | None:
        """Who agrees to everything without a page; ``None`` shows the page."""
        return self._service.automatic

    def agree_automatically(self, person: str | None = "adult") -> None:
        """Let this person agree to every request without a page; ``None`` shows the page again.

        Raises:
            ConfigurationError: ``testing.unknown_person``.
        """
        if person is not None and person not in PEOPLE:
            raise ConfigurationError("testing.unknown_person")
        self._service.automatic = person

    def register(  # noqa: PLR0913 - what a client registers
        self,
        *,
        client_id: str,
        redirect_uri: str,
        sector: str | None = None,
        more_redirect_uris: tuple[str, ...] = (),
        sender_constraint: str = "none",
        response: str = "plain",
        id_token: str = "jws",  # noqa: S107 - the name of a setting
        key_encryption: str = "ECDH-ES",
        content_encryption: str = "A256GCM",
        client_authentication: str = "private_key_jwt",
        request_object: str = "plain",
        jwks: Mapping[str, object] | None = None,
        certificate_pem: bytes | None = None,
        post_logout_redirect_uris: tuple[str, ...] = (),
        backchannel_logout_uri: str | None = None,
        backchannel_logout_session_required: bool = False,
        events_uri: str | None = None,
        org_id: str | None = None,
        apps: Mapping[str, RegisteredApp] | None = None,
    ) -> RegisteredClient:
        """Register a client, in place of one with the same name, and make the keys that it does not bring.

        What is registered is demanded: a client that does more or less than it registered is refused.

        Args:
            client_id: its OAuth name.
            redirect_uri: where answers go.
            sector: its sector identifier; the origin of ``redirect_uri`` when left out.
            more_redirect_uris: further places that it may ask for.
            sender_constraint: ``none``, ``dpop`` or ``mtls``.
            response: ``plain``, or ``jarm`` for signed responses.
            id_token: ``jws``, or ``jwe`` for encrypted ID tokens.
            key_encryption: the ``alg`` of the decryption key that is made: ``ECDH-ES``, ``ECDH-ES+A128KW``,
                ``ECDH-ES+A256KW`` or ``RSA-OAEP-256``.
            content_encryption: ``A128GCM``, ``A256GCM``, ``A128CBC-HS256`` or ``A256CBC-HS512``.
            client_authentication: ``private_key_jwt``, ``tls_client_auth`` or ``self_signed_tls_client_auth``.
            request_object: ``plain``, or ``signed`` for signed request objects.
            jwks: the client's own public keys, in the place of made ones: a JWK set in which every key has
                ``kid``, ``alg`` and ``use``. Any of the signing keys may sign; ID tokens are encrypted for
                the first encryption key.
            certificate_pem: the client's own certificate for TLS, in the place of a made one; leaf first.
            post_logout_redirect_uris: where the browser may be sent back to after a logout.
            backchannel_logout_uri: where logout tokens are posted.
            backchannel_logout_session_required: whether each of them must name a session.
            events_uri: where security events are posted.
            org_id: the institution, for its apps on phones.
            apps: platform, such as ``android``, to app; all are one sector.

        Raises:
            ConfigurationError: ``config.redirect_uri``: not an absolute http or https URL, neither this one
                nor any of the others;
                ``config.value``: an unknown word, apps without institution or with one id;
                ``config.client_key``, ``config.decryption_key`` or
                ``config.client_certificate``: what the client brings cannot be used.
        """
        redirect_uris = (redirect_uri, *more_redirect_uris)
        webhooks = tuple(uri for uri in (backchannel_logout_uri, events_uri) if uri is not None)
        on_phones = {} if apps is None else dict(apps)
        returns = tuple(url for app in on_phones.values() for url in app.return_urls)
        elsewhere = (*post_logout_redirect_uris, *webhooks, *returns)
        if not all(is_web_url(each) for each in (*redirect_uris, *elsewhere)):
            raise ConfigurationError("config.redirect_uri", "redirect_uri")
        if on_phones and (org_id is None or len({app.app_id for app in on_phones.values()}) < len(on_phones)):
            raise ConfigurationError("config.value", "apps")
        client = make_client(
            client_id=client_id,
            redirect_uris=redirect_uris,
            sector=sector,
            algorithm="ES256",
            registration=Registration(
                sender_constraint=sender_constraint,
                response=response,
                id_token=id_token,
                key_encryption=key_encryption,
                content_encryption=content_encryption,
                client_authentication=client_authentication,
                request_object=request_object,
                jwks=jwks,
                certificate_pem=certificate_pem,
            ),
        )
        client = replace(
            client,
            post_logout_redirect_uris=post_logout_redirect_uris,
            backchannel_logout_uri=backchannel_logout_uri,
            backchannel_logout_session_required=backchannel_logout_session_required,
            events_uri=events_uri,
            org_id=org_id,
            apps=on_phones,
        )
        self._service.clients.add(client)
        if client.certificate_pem:
            self._service.tls.accept(client.certificate_pem)
        return client

    def certify_relying_party(self, *, sector: str, endpoint: str) -> tuple[bytes, bytes]:
        """Certify what an app shows to wallets, and issue credentials for its sector from now on.

        Args:
            sector: its sector identifier, an http or https URL: the one SAN URI.
            endpoint: below which it answers wallets: its host is the one SAN dNSName or iPAddress.

        Returns:
            Certificate chain and a fresh ES256 key, both PEM.

        Raises:
            ConfigurationError: ``config.sector`` or ``config.wallet``: this is no web address.
        """
        if not is_web_url(sector):
            raise ConfigurationError("config.sector", "sector")
        if not is_web_url(endpoint):
            raise ConfigurationError("config.wallet", "endpoint")
        key, now = ALGORITHMS["ES256"].generate(), self._clock()
        chain = self._service.keyring.certify_relying_party(sector, endpoint, key.public_key(), now)
        self._service.credentials.add_sector(sector, now)
        return b"".join(map(pem, chain)), key_pem(key)

    def rotate_credential_key(self) -> None:
        """Sign credentials with a new key; the old one stays published until its last credential has ended."""
        now, desk = self._clock(), self._service.credentials
        until = (desk.epoch_of(now) + 2) * desk.epoch_length
        self._service.keyring.rotate_credential_key(now, keep_until=until)

    def withdraw_credential_keys(self) -> None:
        """Take every key that signs credentials out of the key set, until :meth:`disarm`: an emergency stop."""
        self._service.keyring.publish_credential_keys = False

    def revoke_credentials(self, person: str, *, sector: str, value: int = 1) -> None:
        """Set the status of what a person's wallets hold for a sector; it counts from the next tick on.

        Args:
            person: a key of :attr:`people`.
            sector: the sector identifier.
            value: 1 for invalid, 0 to take it back.

        Raises:
            ConfigurationError: ``testing.unknown_person``; ``config.value``: no room for the value.
        """
        self._service.credentials.revoke(person, sector=sector, value=value, now=self._clock())

    def demand_dpop_nonce(self, demanded: bool = True) -> None:  # noqa: FBT001, FBT002 - on is what one asks for
        """Let proofs hold a nonce from now on: a fresh one with every success, and with every challenge."""
        self._service.dpop.demands_nonce = demanded

    def demand_signed_requests(self, demanded: bool = True) -> None:  # noqa: FBT001, FBT002 - on is what one asks for
        """Take nothing but signed request objects, and say so in the metadata."""
        self._service.demands_signed_requests = demanded

    def take_faces(self, taken: bool = True) -> None:  # noqa: FBT001, FBT002 - on is what one asks for
        """Let the ID app take pictures, so that modes with a face can be launched; the metadata say so."""
        self._service.apps.takes_faces = taken

    def set_account(self, person: str, state: str = "active") -> None:
        """Let receipts about a person's app launches say from now on what became of the account.

        Args:
            person: a key of :attr:`people`.
            state: ``active``, ``frozen``, ``cancelled``, ``expired`` or ``device-changed``.

        Raises:
            ConfigurationError: ``testing.unknown_person``, or ``config.value``.
        """
        self._service.apps.set_account(person, state)

    def pseudonym(self, person: str, *, sector: str) -> str:
        """Return the pseudonym that a person has in a sector.

        Raises:
            ConfigurationError: ``testing.unknown_person``.
        """
        if person not in PEOPLE:
            raise ConfigurationError("testing.unknown_person")
        return pseudonym_of(PEOPLE[person], sector)

    def transport(self, *, certificate_pem: bytes | None = None) -> Transport:
        """Return a transport that reaches this issuer without a network, and nothing else.

        Args:
            certificate_pem: what TLS would prove for requests that show a certificate.

        Raises:
            ConfigurationError: ``config.client_certificate``: this is no certificate.
        """
        shown = None if certificate_pem is None else sha256_of_pem(certificate_pem)
        return InProcessTransport(lambda: self._service, certificate=shown)

    def authorize(
        self, url: str, *, person: str = "adult", factors: Iterable[str] | None = None, deny: bool = False
    ) -> str:
        """Do what a browser and a person would do at the authorization URL.

        Args:
            url: where the app sent the browser.
            person: who answers.
            factors: what the person shows; what was asked for when left out.
            deny: say no.

        Returns:
            The whole URL to which the browser is sent back: the callback.

        Raises:
            ConfigurationError: ``testing.unknown_person``; ``config.value`` for an unknown factor;
                ``testing.request_refused`` when the issuer shows an error page instead.
        """
        if person not in PEOPLE:
            raise ConfigurationError("testing.unknown_person")
        shown = None if factors is None else frozenset(factors)
        if shown is not None and not shown <= _FACTORS:
            raise ConfigurationError("config.value", "factors")
        endpoint, _, query = url.partition("?")
        if endpoint != self.issuer + PATHS["authorize"]:
            raise ConfigurationError("testing.request_refused")
        reply = self._service.handle(Call(method="GET", path=PATHS["authorize"], query=query))
        found = _INTERACTION.search(reply.body)
        if found is not None:
            form = _filled_form(reply.body, found[1], person=person, factors=shown, deny=deny)
            reply = self._service.handle(
                Call(method="POST", path=PATHS["authorize"], headers=_FORM, body=urlencode(form).encode())
            )
        return _callback_of(reply)

    def end_session(self, url: str, *, confirm: bool = True) -> str | None:
        """Do what a browser and a person would do at the address of a logout.

        Args:
            url: where the app sent the browser.
            confirm: whether the person wants to log out everywhere.

        Returns:
            Where the browser is sent back to; ``None`` when the issuer shows a page of its own.

        Raises:
            ConfigurationError: ``testing.request_refused`` when the issuer shows an error page.
        """
        endpoint, _, query = url.partition("?")
        path = PATHS["end_session"]
        if endpoint != self.issuer + path:
            raise ConfigurationError("testing.request_refused")
        reply = self._service.handle(Call(method="GET", path=path, query=query))
        found = _INTERACTION.search(reply.body)
        if found is not None:
            decision = "end" if confirm else "keep"
            form = urlencode({"interaction": unescape(found[1].decode()), "decision": decision})
            reply = self._service.handle(Call(method="POST", path=path, headers=_FORM, body=form.encode()))
        if reply.status >= _ERROR_STATUS:
            raise ConfigurationError("testing.request_refused")
        return reply.headers.get("location")

    @overload
    def log_out(
        self, person: str, *, client_id: str, sid: str | None = None, deliver: Literal[True] = True
    ) -> Delivery: ...

    @overload
    def log_out(
        self, person: str, *, client_id: str, sid: str | None = None, deliver: Literal[False]
    ) -> Posting: ...

    def log_out(
        self, person: str, *, client_id: str, sid: str | None = None, deliver: bool = True
    ) -> Delivery | Posting:
        """End sessions at the issuer and send the app a logout token (Back-Channel Logout 1.0 §2.4).

        The token has ``typ`` ``logout+jwt``, ``iss``, ``aud``, ``iat``, ``exp`` two minutes later, ``jti``,
        ``events``, ``sub``, and ``sid`` when one session ends. A client with encrypted ID tokens gets it
        encrypted likewise.

        Args:
            person: a key of :attr:`people`.
            client_id: whose app is told.
            sid: the session; ``None`` for all that the person has with this client.
            deliver: post it over real HTTP; ``False`` makes the request and sends nothing.

        Returns:
            What the app made of it; the request itself when it was not delivered.

        Raises:
            ConfigurationError: ``testing.unknown_person``; ``config.value``: there is no such client, or
                it demands sessions and has none.
        """
        posting = self._service.logout.log_out(person, client_id=client_id, sid=sid)
        return self._service.courier.carry(posting) if deliver else posting

    @overload
    def send_event(
        self,
        person: str,
        *,
        client_id: str,
        state: str = "frozen",
        reason: str = "reported",
        sequence: int | None = None,
        deliver: Literal[True] = True,
    ) -> Delivery: ...

    @overload
    def send_event(
        self,
        person: str,
        *,
        client_id: str,
        state: str = "frozen",
        reason: str = "reported",
        sequence: int | None = None,
        deliver: Literal[False],
    ) -> Posting: ...

    def send_event(
        self,
        person: str,
        *,
        client_id: str,
        state: str = "frozen",
        reason: str = "reported",
        sequence: int | None = None,
        deliver: bool = True,
    ) -> Delivery | Posting:
        """Tell an app the state of an account (RFC 8417, RFC 8935); :class:`EventDesk` says how.

        Args:
            person: a key of :attr:`people`.
            client_id: whose app is told.
            state: ``active``, ``frozen``, ``cancelled``, ``replaced`` or ``device-changed``.
            reason: one word of at most 64 characters.
            sequence: the number of the state; ``None`` for the next one.
            deliver: as for :meth:`log_out`; what waits because of ``events.hold()`` has ``error`` ``held``.

        Returns:
            What the app made of it; the request itself when it was not delivered.

        Raises:
            ConfigurationError: ``testing.unknown_person``; ``config.value``: there is no such client or state.
        """
        posting = self._service.events.make(
            person, client_id=client_id, state=state, reason=reason, sequence=sequence
        )
        return self._service.events.send(posting) if deliver else posting

    @contextmanager
    def serve(
        self, *, port: int = 0, host: str = "127.0.0.1", slow_seconds: float = 30.0, tls: bool = False
    ) -> Iterator[str]:
        """Listen on loopback until the block ends, and yield the issuer identifier.

        Inside the block the identifier is ``http://127.0.0.1:PORT``, or ``https://`` with ``tls``, and
        authority and signers are issued for it; the root stays.

        Args:
            port: 0 for any free one.
            host: ``127.0.0.1`` or ``::1``.
            slow_seconds: how long an answer takes under the ``slow`` faults.
            tls: speak TLS, with a certificate under :attr:`tls_ca_pem`, and take the certificates of
                clients that registered one. Certificates for TLS are dated by the machine's clock.

        Raises:
            ConfigurationError: ``testing.not_loopback``.
        """
        before = self.issuer
        context = self._service.tls.context if tls else None
        with run_server(
            host=host, port=port, handle=self._service.handle, slow_seconds=slow_seconds, tls=context
        ) as origin:
            self._service.move(origin)
            try:
                yield origin
            finally:
                self._service.move(before)

    def rotate_signing_key(self, *, algorithm: str | None = None) -> None:
        """Sign with a new key from now on; the old one leaves the key set at once.

        Args:
            algorithm: that of the new key. Another one than the metadata name, which stay as they are,
                is what a client must refuse, though key and chain are good.

        Raises:
            ConfigurationError: ``config.no_algorithm``.
        """
        if algorithm is not None and algorithm not in SIGNING_NAMES:
            raise ConfigurationError("config.no_algorithm", "algorithm")
        self._service.keyring.rotate(self._clock(), algorithm=algorithm)

    def publish_next_signing_key(self) -> None:
        """Show the key that :meth:`rotate_signing_key` will use next beside the present one."""
        self._service.keyring.publish_next(self._clock())

    def renew_authority(self) -> None:
        """Let a new authority under the same root certify the keys that are in use."""
        self._service.keyring.renew_authority(self._clock())

    def renew_metadata_signer(self) -> None:
        """Sign metadata with a new key from now on."""
        self._service.keyring.renew_metadata_signer(self._clock())

    def renew_root(self) -> None:
        """Put everything under a new root; :attr:`root_pem` is the new one from now on."""
        self._service.keyring.renew_root(self._clock())

    def revoke_signer(self, purpose: str = "assertion", *, reason: str = "key_compromise") -> None:
        """Put the present certificate of a signer on its authority's revocation list; for good.

        Args:
            purpose: ``assertion``, ``metadata``, ``status`` or ``credential``.
            reason: RFC 5280 §5.3.1 in lower case: ``key_compromise``, ``superseded``, ``certificate_hold`` …

        Raises:
            ConfigurationError: ``config.value``: there is no such reason or signer.
        """
        self._service.keyring.revoke_signer(purpose, reason=reason, now=self._clock())

    def revoke_authority(self, *, reason: str = "ca_compromise") -> None:
        """Put the authority's certificate on the root's revocation list; for good.

        Args:
            reason: as for :meth:`revoke_signer`.

        Raises:
            ConfigurationError: ``config.value``: there is no such reason.
        """
        self._service.keyring.revoke_authority(reason=reason, now=self._clock())

    def withdraw_signing_key(self) -> None:
        """Take the signing key out of the key set, and sign with it all the same, until :meth:`disarm`.

        This is what a thief of a retired key can do: the certificate is still good, the key is not.
        """
        self._service.keyring.publish_own_key = False

    @property
    def armed(self) -> Mapping[str, int]:
        """What is armed, and how many messages each will still change."""
        return self._arming.armed

    def arm(self, name: str, count: int = 1) -> None:
        """Let a fault or an oddity change the next messages of its kind.

        Args:
            name: a key of ``FAULTS``, ``STATUS_FAULTS``, ``LOGOUT_FAULTS``, ``EVENT_FAULTS``,
                ``RECEIPT_FAULTS`` or ``CREDENTIAL_FAULTS``, or of ``ODDITIES``, ``LOGOUT_ODDITIES``,
                ``EVENT_ODDITIES``, ``RECEIPT_ODDITIES`` or ``CREDENTIAL_ODDITIES``.
            count: how many messages.

        Raises:
            ConfigurationError: ``testing.unknown_fault``; ``config.value`` for a count below 1.
        """
        self._arming.arm(name, count, self._service.keyring)

    def disarm(self) -> None:
        """Be honest again: nothing is armed, nothing but the honest keys is published."""
        self._arming.disarm()
        self._service.keyring.reset_publication()
        self._service.dpop.is_stubborn = False


def _filled_form(
    page: bytes, interaction: bytes, *, person: str, factors: frozenset[str] | None, deny: bool
) -> dict[str, str]:
    """Fill the people page in as a person would, its preset ticks kept unless ``factors`` says otherwise."""
    preset = {name for name in ("password", "face") if f'name="{name}" value="yes" checked'.encode() in page}
    ticks = preset if factors is None else factors - {"certificate"}
    return {
        "interaction": unescape(interaction.decode()),
        "person": person,
        **dict.fromkeys(sorted(ticks), "yes"),
        "decision": "deny" if deny else "allow",
    }


def _callback_of(reply: Reply) -> str:
    if "location" not in reply.headers:
        raise ConfigurationError("testing.request_refused")
    return reply.headers["location"]
