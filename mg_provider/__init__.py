"""Open models with their own weights on Vertex AI Model Garden, as infrastructure as code on Pulumi."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mg_provider.version import __version__

if TYPE_CHECKING:
    from mg_provider.resources.batch_job import BatchJob
    from mg_provider.resources.custom_weights_model import CustomWeightsModel
    from mg_provider.resources.dedicated_endpoint import DedicatedEndpoint
    from mg_provider.resources.psc_forwarding_rule import PscForwardingRule

__all__ = ["BatchJob", "CustomWeightsModel", "DedicatedEndpoint", "PscForwardingRule", "__version__"]

# Loaded when first used: the command line must not wait for Pulumi's SDK.
_MODULES = {
    "BatchJob": "mg_provider.resources.batch_job",
    "CustomWeightsModel": "mg_provider.resources.custom_weights_model",
    "DedicatedEndpoint": "mg_provider.resources.dedicated_endpoint",
    "PscForwardingRule": "mg_provider.resources.psc_forwarding_rule",
}


def __getattr__(name: str) -> Any:
    """A resource class, imported on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
