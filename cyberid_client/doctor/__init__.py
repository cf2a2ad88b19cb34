"""Look a deployment over before people do: configuration, clock, issuer, chains, store."""

from __future__ import annotations

from cyberid_client.doctor.examination import examine_deployment
from cyberid_client.doctor.findings import Finding, Verdict

__all__ = ["Finding", "Verdict", "examine_deployment"]
