"""The whole examination, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cyberid_client.client import Client
from cyberid_client.config import RelyingParty
from cyberid_client.doctor.findings import Finding, Verdict, of_error
from cyberid_client.doctor.issuer import ObservedTransport, look_at_issuer
from cyberid_client.doctor.settings import look_at_settings, look_at_surroundings
from cyberid_client.doctor.store import look_at_store
from cyberid_client.doctor.ways_in import look_at_ways_in
from cyberid_client.errors import CyberIDError
from cyberid_client.link import Environment, system_clock
from cyberid_client.ports import Clock, Transport
from cyberid_client.transport import RequestsTransport

__all__ = ["examine_deployment"]


def examine_deployment(
    rp: RelyingParty,
    *,
    environ: Mapping[str, str],
    store: str | None = None,
    transport: Transport | None = None,
    clock: Clock | None = None,
    handshake: bool = True,
) -> Iterator[Finding]:
    """Look a deployment over, a line at a time.

    The issuer is asked for its metadata, keys and revocation lists, and for one pushed request that nobody
    follows. The store gets one record, which is taken again.

    Args:
        rp: the configuration, as it could be made.
        environ: the environment, to be looked at for variables that are not used.
        store: the URL of the store, if the app has a shared one.
        transport: HTTP to the issuer; the library's own by default.
        clock: the system's by default.
        handshake: push the request.
    """
    env = Environment(system_clock if clock is None else clock)
    yield from look_at_settings(rp)
    ways_in = tuple(look_at_ways_in(rp, now=env.now()))
    yield from ways_in
    yield from look_at_surroundings(rp, environ)
    revisable = rp.wallet is not None
    if any(finding.verdict is Verdict.BAD for finding in ways_in):
        # No client takes such a wallet; the rest can be looked at all the same.
        rp = replace(rp, wallet=None)
    inner = RequestsTransport(rp.http, certificate=rp.client_keys.tls) if transport is None else transport
    observed = ObservedTransport(inner, env.now)
    try:
        with Client(rp, transport=observed, clock=env.now, background=False) as client:
            yield from look_at_issuer(rp, client, observed, now=env.now(), handshake=handshake)
    except CyberIDError as error:
        yield of_error("issuer", error)
    yield from look_at_store(store, env, revisable=revisable)
