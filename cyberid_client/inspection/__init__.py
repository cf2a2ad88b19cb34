"""Explain a document step by step, offline: what ``cyberid inspect`` prints."""

from cyberid_client.inspection.inspecting import inspect_document
from cyberid_client.inspection.result import Explanation, Kind, Step, Verdict
from cyberid_client.inspection.settings import InspectionSettings

__all__ = ["Explanation", "InspectionSettings", "Kind", "Step", "Verdict", "inspect_document"]
