"""Asking the models: chat completions, whole or as a stream, at a public or a private address; results of batches."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mg_provider.inference.batch.results import BatchResult, batch_results
    from mg_provider.inference.chat import ChatAnswer, ChatStream
    from mg_provider.inference.client import Client
    from mg_provider.inference.diagnosis import EndpointNotAnswering
    from mg_provider.inference.endpoint_models import EndpointModel

__all__ = [
    "BatchResult",
    "ChatAnswer",
    "ChatStream",
    "Client",
    "EndpointModel",
    "EndpointNotAnswering",
    "batch_results",
]

# Loaded when first used: the command line must not wait for what one command needs.
_MODULES = {
    "BatchResult": "mg_provider.inference.batch.results",
    "ChatAnswer": "mg_provider.inference.chat",
    "ChatStream": "mg_provider.inference.chat",
    "Client": "mg_provider.inference.client",
    "EndpointNotAnswering": "mg_provider.inference.diagnosis",
    "EndpointModel": "mg_provider.inference.endpoint_models",
    "batch_results": "mg_provider.inference.batch.results",
}


def __getattr__(name: str) -> Any:
    """A public name, imported on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
