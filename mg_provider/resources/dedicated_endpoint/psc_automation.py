"""What became of the forwarding rules that Vertex AI makes by itself for an endpoint.

A failed automation does not fail the deployment, and does not recover by itself; its results vanish with the last
deployment and come again with the next one (cloud.google.com/vertex-ai, Private Service Connect automation, 2026).
"""

from __future__ import annotations

from collections.abc import Callable

from mg_provider.api.redaction import excerpt
from mg_provider.wire.base import WireModel
from mg_provider.wire.vertex.endpoint import Endpoint, PscAutomationConfig

_CAUSES = {
    "CONNECTION_POLICY_MISSING": "make a service connection policy for the service class gcp-vertexai on the network, "
    "in this region",
}


class PscAutomation(WireModel):
    """One network's automation and what became of it."""

    project_id: str = ""
    network: str = ""
    state: str = ""
    ip_address: str = ""
    forwarding_rule: str = ""
    error_message: str = ""


def automations(endpoint: Endpoint) -> list[PscAutomation]:
    """What became of each automation; the state is empty while nothing is deployed."""
    config = endpoint.private_service_connect_config
    return [_automation(entry) for entry in (config.psc_automation_configs if config else None) or []]


def _automation(config: PscAutomationConfig) -> PscAutomation:
    values = {name: getattr(config, name) or "" for name in PscAutomation.model_fields}
    return PscAutomation(**{**values, "error_message": excerpt(values["error_message"])})


def tell_failures(endpoint: Endpoint, progress: Callable[[str], None]) -> None:
    """A line for each automation that failed: the deployment did not, so nothing else says it."""
    for entry in automations(endpoint):
        if entry.state.endswith("FAILED"):
            cause = next((hint for code, hint in _CAUSES.items() if code in entry.error_message), "remove the cause")
            progress(
                f"note: no forwarding rule was made in {entry.network} ({entry.error_message or 'no cause given'}): "
                f"clients there cannot reach the endpoint; it does not recover by itself: {cause}, then undeploy all "
                "models and deploy again"
            )
