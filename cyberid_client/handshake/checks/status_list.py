"""A status list, and the page that names all of them."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import StatusAggregationSubject, StatusListSubject
from cyberid_client.wire.urls import parse_web_url

__all__ = [
    "check_entries",
    "check_list_addresses",
    "check_list_audience",
    "check_list_expiry",
    "check_list_issued_at",
    "check_list_not_before",
    "check_list_not_rolled_back",
    "check_list_subject",
    "check_list_ttl",
]

# A list without an end of its own is believed for as long after it was issued.
MAX_AGE_WITHOUT_END: Final = 24 * 3600


@check(
    "E9.3a",
    "Every status list is https on a host that is allowed for this issuer.",
    clause="draft-ietf-oauth-status-list-21 §9.3; profile §5, status",
    codes=["status_aggregation.url"],
)
def check_list_addresses(subject: StatusAggregationSubject) -> None:
    """Compare scheme and host of all addresses; test issuers may use literal loopback http."""
    for text in subject.uris:
        url = parse_web_url(text)
        if url is None or url.fragment or not subject.rp.allows_url(url):
            raise VerificationError("status_aggregation.url")
        if url.host not in subject.rp.endpoint_hosts:
            raise VerificationError("status_aggregation.url")


@check(
    "E9.5a",
    "A status list is that of the address from which it was fetched, byte for byte.",
    clause="draft-ietf-oauth-status-list-21 §5.1, §8.3 (4a)",
    codes=["status_list.subject"],
)
def check_list_subject(subject: StatusListSubject) -> None:
    """Compare ``sub``."""
    if subject.claims.sub != subject.uri:
        raise VerificationError("status_list.subject")


@check(
    "E9.5b",
    "A status list names no audience, or this client among others.",
    clause="RFC 7519 §4.1.3",
    codes=["status_list.audience"],
)
def check_list_audience(subject: StatusListSubject) -> None:
    """Look for the client in ``aud``, when it is there."""
    if subject.claims.aud and subject.rp.client_id not in subject.claims.aud:
        raise VerificationError("status_list.audience")


@check(
    "E9.5c",
    "A status list was not issued ahead of our clock by more than the leeway, and without an end of its"
    " own not more than 24 hours ago.",
    clause="draft-ietf-oauth-status-list-21 §8.3 (4b); profile §2, clocks",
    codes=["status_list.issued_in_future", "status_list.issued_too_long_ago"],
)
def check_list_issued_at(subject: StatusListSubject) -> None:
    """Compare ``iat`` with now, on both sides if there is no ``exp``."""
    claims = subject.claims
    if claims.iat > subject.now + subject.rp.clock_leeway:
        raise VerificationError("status_list.issued_in_future")
    if claims.exp is None and claims.iat < subject.now - MAX_AGE_WITHOUT_END:
        raise VerificationError("status_list.issued_too_long_ago")


@check(
    "E9.5d",
    "A status list is not used before its time.",
    clause="RFC 7519 §4.1.5",
    codes=["status_list.not_yet_valid"],
)
def check_list_not_before(subject: StatusListSubject) -> None:
    """Compare ``nbf`` with now, when it is there."""
    nbf = subject.claims.nbf
    if nbf is not None and nbf > subject.now + subject.rp.clock_leeway:
        raise VerificationError("status_list.not_yet_valid")


@check(
    "E9.5e",
    "A status list is refused from the very second of its expiry.",
    clause="draft-ietf-oauth-status-list-21 §8.3 (4c), §13.7",
    codes=["status_list.expired"],
)
def check_list_expiry(subject: StatusListSubject) -> None:
    """Compare ``exp`` with now, when it is there; nothing is forgiven."""
    exp = subject.claims.exp
    if exp is not None and exp <= subject.now:
        raise VerificationError("status_list.expired")


@check(
    "E9.5f",
    "The time to live of a status list, if it says one, is above 0.",
    clause="draft-ietf-oauth-status-list-21 §5.1",
    codes=["status_list.ttl"],
)
def check_list_ttl(subject: StatusListSubject) -> None:
    """Look at the sign of ``ttl``; its size is bounded where it is used."""
    ttl = subject.claims.ttl
    if ttl is not None and ttl <= 0:
        raise VerificationError("status_list.ttl")


@check(
    "E9.5g",
    "A status list is not older than the newest of its address that was accepted.",
    clause="profile §3, by analogy; draft-ietf-oauth-status-list-21 §8.3 (4b)",
    codes=["status_list.rolled_back"],
)
def check_list_not_rolled_back(subject: StatusListSubject) -> None:
    """Compare ``iat`` with that of the newest list: whoever was revoked there stays revoked."""
    if subject.newest_iat is not None and subject.claims.iat < subject.newest_iat:
        raise VerificationError("status_list.rolled_back")


@check(
    "E9.7",
    "The entries are exactly one complete zlib stream of at most 128 MiB.",
    clause="draft-ietf-oauth-status-list-21 §4.1, §8.3 (5); RFC 1950",
    codes=["status_list.compression", "status_list.inflated_too_large"],
)
def check_entries(subject: StatusListSubject) -> None:
    """Inflate the entries, last of all: only a list that is believed costs memory."""
    subject.entries()
