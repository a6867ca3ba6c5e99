"""Labels put on while a deployment still runs, as soon as there is something to put them on.

No published client sends labels with Model Garden's deploy, and whether it keeps them no source shows. Until they are
there, endpoint and Model are ours by their ids alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mg_provider.api.errors import MgError
from mg_provider.resources.custom_weights_model.ids import model_labels
from mg_provider.resources.endpoint.calls import place_of
from mg_provider.rollout.models import patch_labels
from mg_provider.wire.vertex.endpoint import Endpoint

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
    from mg_provider.resources.model.lifecycle import Context


@dataclass
class EarlyLabels:
    """One deployment's labels.

    Attributes:
        args: What is asked for.
        claim: The create that holds the endpoint.
        context: Of the call.
    """

    args: CustomWeightsModelArgs
    claim: str
    context: Context
    _done: bool = field(default=False, init=False)

    def put(self, endpoint: Endpoint) -> None:
        """Put them on what is there by now, if it is ours. What goes wrong is for the end of the deployment to meet."""
        if self._done:
            return
        args, vertex = self.args, self.context.clients.vertex
        try:
            self.context.guard.endpoint(endpoint)
            if not args.owns(endpoint.labels):
                labels = {**(endpoint.labels or {}), **args.all_labels(self.claim)}
                vertex.patch_endpoint(args.endpoint, Endpoint(etag=endpoint.etag, labels=labels), ["labels"])
            patch_labels(place_of(args, self.context), args.model_id, model_labels(args))
        except MgError:
            return
        self._done = True
