"""``DedicatedEndpoint``: one address for several models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mg_provider.resources.constructors.dedicated_endpoint import DedicatedEndpointConstructor
from mg_provider.resources.dedicated_endpoint.lifecycle import DedicatedEndpointLifecycle
from mg_provider.resources.dynamic.host import DynamicProvider
from mg_provider.resources.dynamic.made_here import query_names_of
from mg_provider.resources.inputs import ServedModelInput

__all__ = ["DedicatedEndpoint", "DedicatedEndpointProvider", "ServedModelInput"]


class DedicatedEndpointProvider(DynamicProvider):
    """Serves ``DedicatedEndpoint``. Its path is in the state of every stack and never changes."""

    lifecycle = DedicatedEndpointLifecycle


class DedicatedEndpoint(DedicatedEndpointConstructor, module="mg", name="DedicatedEndpoint"):
    """An endpoint with models of its own, by name, and the traffic between them."""

    provider_type = DedicatedEndpointProvider

    @classmethod
    def _said_elsewhere(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """What chat requests call each model, as the models in this program say."""
        return {"query_model_ids": query_names_of(given.get("deployed_models"))}
