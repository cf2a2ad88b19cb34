"""What can be said of a configuration and its surroundings without asking anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.doctor.findings import Finding, bad, good, warning
from cyberid_client.trust import PurposeTable
from cyberid_client.wire.urls import parse_web_url

__all__ = ["look_at_settings", "look_at_surroundings"]

# What other programs read; none of it reaches this library.
PROXY_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
AUTHORITY_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def look_at_settings(rp: RelyingParty) -> Iterator[Finding]:
    """Look at a configuration that could be made."""
    yield good("configuration", f"It can be used: client {rp.client_id} at {rp.issuer}.")
    yield _protection(rp)
    yield from _exceptions(rp)
    yield _redirect_uri(rp)
    yield _roots(rp)
    if rp.trust is not None and not rp.trust.is_for_tests and rp.purposes == PurposeTable.builtin():
        yield warning(
            "purposes",
            "The purpose table is the built-in one, which serves mock issuers.",
            "Configure the object identifiers that the platform announced.",
        )
    if rp.pseudonym_keys is None:
        yield warning(
            "pseudonym keys",
            "There are none in the configuration, so that digests are made with keys that the app keeps elsewhere.",
            "Give them as pseudonym_keys, or make sure that the app has them; never store a pseudonym itself.",
        )


def _protection(rp: RelyingParty) -> Finding:
    kinds = f"sender_constraint={rp.sender_constraint}, response={rp.response}, id_token={rp.id_token}"
    return good("protection", f"It is {kinds}, client_authentication={rp.client_authentication}.")


def _exceptions(rp: RelyingParty) -> Iterator[Finding]:
    if rp.metadata_trust == "tls":
        yield warning(
            "metadata trust",
            "TLS alone vouches for the issuer's metadata.",
            "Keep it only for an ordinary OpenID Provider that signs none.",
        )
    if rp.assertion_chain == "absent":
        yield warning(
            "assertion chain",
            "No certificate chain is demanded of who signs assertions.",
            "Keep it only for an ordinary OpenID Provider that has none.",
        )
    if rp.revocation.name != "require":
        yield warning(
            "revocation",
            f"The policy is {rp.revocation.name}: a signer that was taken back may be believed.",
            "Use the policy require as soon as the revocation lists are there reliably.",
        )


def _redirect_uri(rp: RelyingParty) -> Finding:
    redirect, sector = parse_web_url(rp.redirect_uri), parse_web_url(rp.sector_identifier)
    if redirect is None or redirect.scheme != "https":
        return warning(
            "redirect URI",
            "It is plain http on this machine.",
            "Use https wherever people log in: cookies of a login are sent over https only.",
        )
    if sector is not None and sector.host != redirect.host:
        return warning(
            "redirect URI",
            f"Its host {redirect.host} is not that of the sector, {sector.host}.",
            "Make sure that the sector's hosted list names it, or every pseudonym is another one.",
        )
    return good("redirect URI", f"People come back to {redirect.host}, the host of the sector.")


def _roots(rp: RelyingParty) -> Finding:
    if rp.trust is None:
        return warning("roots", "None are pinned.", "Pin the platform's roots, if it has any.")
    if rp.trust.is_for_tests:
        return bad(
            "roots",
            "They are those of a mock issuer: everybody in it is made up.",
            "Pin the platform's own roots before anybody logs in.",
        )
    count = len(rp.trust.anchors)
    return good("roots", f"{count} pinned, fingerprint {rp.trust.fingerprint[:16]}.")


def look_at_surroundings(rp: RelyingParty, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look for variables that other programs use and this library does not."""
    # In either case of letters, and both may be there.
    unused = sorted(name for name, value in environ.items() if value and name.upper() in PROXY_VARIABLES)
    if unused:
        advice = "Nothing, if the issuer is reached directly."
        if rp.http.proxy is None:
            advice = (
                "If the issuer is reached through a proxy only, give it as http.proxy (CYBERID_HTTP_PROXY)."
            )
        yield warning("proxy", f"{', '.join(unused)} is set and is not used.", advice)
    else:
        used = "The configured one is used." if rp.http.proxy is not None else "None is configured or set."
        yield good("proxy", used)
    authorities = [name for name in AUTHORITY_VARIABLES if environ.get(name)]
    if authorities:
        yield warning(
            "TLS authorities",
            f"{', '.join(authorities)} is set and is not used.",
            "If TLS to the issuer is vouched for by an authority of your own, give it as http.ca (CYBERID_HTTP_CA_FILE).",
        )
