"""How far a `:deploy` has come, as far as Google shows it: its operation says no more than whether it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.api.errors import MgError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
    from mg_provider.resources.model.lifecycle import Context
    from mg_provider.wire.vertex.endpoint import Endpoint

# Every so many polls of the operation the endpoint is asked for too.
_POLLS_A_LOOK = 2

NOTHING_YET = "no endpoint yet"
ENDPOINT_IS_THERE = "the endpoint is there, its model is not on it yet"
MODEL_IS_ON_IT = "the model is on the endpoint"


class DeploySight:
    """Looks at the endpoint while its deployment runs. A look that gets no answer changes nothing.

    Args:
        args: What is asked for.
        context: Of the call.
        on_endpoint: Is given the endpoint after each look that finds it.
    """

    def __init__(self, args: CustomWeightsModelArgs, context: Context, on_endpoint: Callable[[Endpoint], None]) -> None:
        self._name, self._vertex = args.endpoint, context.clients.vertex
        self._on_endpoint = on_endpoint
        self._seen = ""

    def __call__(self, polls: int) -> str:
        """What there is to see after so many polls of the operation."""
        if polls % _POLLS_A_LOOK == 1:
            try:
                endpoint = self._vertex.get_endpoint(self._name, retry_budget=0)
            except NotFound:
                self._seen = NOTHING_YET
            except MgError:
                return self._seen
            else:
                self._seen = _words(endpoint)
                self._on_endpoint(endpoint)
        return self._seen


def _words(endpoint: Endpoint) -> str:
    entries = endpoint.deployed_models or []
    if not entries:
        return ENDPOINT_IS_THERE
    replicas = sum((entry.status and entry.status.available_replica_count) or 0 for entry in entries)
    return f"{MODEL_IS_ON_IT}, with {replicas} {'replica' if replicas == 1 else 'replicas'} serving"
