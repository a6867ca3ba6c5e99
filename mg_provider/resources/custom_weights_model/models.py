"""The Models of a resource in the registry: their labels and names, and what is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.resources.custom_weights_model.ids import model_labels
from mg_provider.resources.endpoint.calls import place_of
from mg_provider.resources.model.identity import ENDPOINT_LABEL
from mg_provider.rollout.models import labelled_models, patch_labels
from mg_provider.wire.vertex.model import Model

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
    from mg_provider.resources.model.lifecycle import Context


def settle_models(args: CustomWeightsModelArgs, old: CustomWeightsModelArgs, context: Context) -> None:
    """Give the Model its name and labels, and older ones that are kept the labels of a resource that was renamed."""
    place = place_of(args, context)
    whose = {**args.ownership, ENDPOINT_LABEL: args.endpoint_id}
    if old.ownership != args.ownership:
        for model in labelled_models(place, old.ownership):
            if context.guard.has_model(model):
                patch_labels(place, (model.name or "").rpartition("/")[2], whose)
    patch_labels(place, args.model_id, model_labels(args), args.model_display_name)


def release_model(args: CustomWeightsModelArgs, model_id: str, context: Context) -> None:
    """Keep a Model, which from then on is nobody's."""
    context.progress(f"kept: {args.parent}/models/{model_id}")
    patch_labels(place_of(args, context), model_id, dict.fromkeys((*args.ownership, ENDPOINT_LABEL)))


def uploadable(model: Model) -> Model:
    """A Model as it was read, to be uploaded again."""
    return Model(
        display_name=model.display_name,
        description=model.description,
        labels=model.labels,
        artifact_uri=model.artifact_uri,
        container_spec=model.container_spec,
        base_model_source=model.base_model_source,
    )
