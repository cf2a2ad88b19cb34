"""What a DCQL query asks for, and what of it a credential can show (OpenID4VP 1.0 §6)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cyberid_client.testing.wallet.holdings import Disclosure, Holding
from cyberid_client.testing.wallet.refusal import WalletRefusal

__all__ = ["Choice", "choose", "names_of", "query_id_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is shown.

    Attributes:
        query_id: the credential query that it answers.
        disclosures: what is disclosed: what was asked for, and nothing else.
    """

    query_id: str
    disclosures: tuple[Disclosure, ...]


def choose(query: dict[str, object], holding: Holding, *, withhold: Collection[str] = ()) -> Choice:
    """Return what answers the query with this credential.

    Args:
        query: the DCQL query, untrusted.
        holding: chosen by the name in the certificate.
        withhold: names of members that the person does not show.

    Raises:
        WalletRefusal: ``query``: it is malformed, asks for more than one credential, or for what this one
            does not say.
    """
    credentials = query.get("credentials")
    if not isinstance(credentials, list) or len(credentials) != 1 or not isinstance(credentials[0], dict):
        raise WalletRefusal("query")
    asked = credentials[0]
    meta, query_id = asked.get("meta"), asked.get("id")
    types = meta.get("vct_values") if isinstance(meta, dict) else None
    if not isinstance(types, list) or not isinstance(query_id, str):
        raise WalletRefusal("query")
    if asked.get("format") != "dc+sd-jwt" or holding.claims.get("vct") not in types:
        raise WalletRefusal("query")
    return Choice(query_id=query_id, disclosures=_disclosures(asked, holding, withhold))


def query_id_of(query: dict[str, object]) -> str:
    """Return the id of the first credential query, whatever else it says."""
    credentials = query.get("credentials")
    first = credentials[0] if isinstance(credentials, list) and credentials else None
    return str(first.get("id")) if isinstance(first, dict) else ""


def names_of(query: dict[str, object]) -> tuple[str, ...]:
    """Return the names of the members that a query asks for, for a page that tells the person."""
    credentials = query.get("credentials")
    found = []
    for each in credentials if isinstance(credentials, list) else []:
        claims = each.get("claims") if isinstance(each, dict) else None
        for claim in claims if isinstance(claims, list) else []:
            path = claim.get("path") if isinstance(claim, dict) else None
            found += path[:1] if isinstance(path, list) else []
    return tuple(map(str, found))


def _disclosures(
    asked: dict[str, object], holding: Holding, withhold: Collection[str]
) -> tuple[Disclosure, ...]:
    claims = asked.get("claims", [])
    if not isinstance(claims, list) or not all(isinstance(each, dict) for each in claims):
        raise WalletRefusal("query")
    sets = asked.get("claim_sets")
    if sets is None:
        wanted = [claims]
    elif isinstance(sets, list) and all(isinstance(each, list) for each in sets):
        by_id = {each.get("id"): each for each in claims}
        wanted = [[by_id.get(name, {}) for name in each] for each in sets]
    else:
        raise WalletRefusal("query")
    # The first that can be answered is what the app likes best: §6.4.2.
    for each in wanted:
        found = _satisfy(each, holding, withhold)
        if found is not None:
            return found
    raise WalletRefusal("query")


def _satisfy(
    claims: list[dict[str, object]], holding: Holding, withhold: Collection[str]
) -> tuple[Disclosure, ...] | None:
    shown = []
    hidden = {each.name: each for each in holding.disclosures if each.name not in withhold}
    for claim in claims:
        path, values = claim.get("path"), claim.get("values")
        if not isinstance(path, list) or len(path) != 1 or not isinstance(path[0], str):
            return None
        name = path[0]
        if name in hidden:
            shown.append(hidden[name])
            value = hidden[name].value
        elif name in holding.claims:
            value = holding.claims[name]
        else:
            return None
        if isinstance(values, list) and value not in values:
            return None
    return tuple(shown)
