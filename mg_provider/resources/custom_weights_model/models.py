"""The Models of a resource in the registry: their labels and names, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mg_provider.api.errors import MgError
from mg_provider.resources.custom_weights_model.adoption import serves
from mg_provider.resources.custom_weights_model.args import PATCH_MODEL, CustomWeightsModelArgs
from mg_provider.resources.custom_weights_model.ids import CONTENT_LABEL, content_of, model_labels
from mg_provider.resources.custom_weights_model.plan import remade
from mg_provider.resources.endpoint.calls import place_of
from mg_provider.resources.model.identity import ENDPOINT_LABEL
from mg_provider.resources.model.standing import asked_for, changed_by, standing
from mg_provider.resources.weights.gate import pass_weights
from mg_provider.rollout.models import find_model, labelled_models, patch_labels
from mg_provider.rollout.query_id import with_query_id
from mg_provider.rollout.sources import Source, made_from
from mg_provider.wire.base import nested
from mg_provider.wire.vertex.machine import MachineSpec
from mg_provider.wire.vertex.model import Model

if TYPE_CHECKING:
    from mg_provider.resources.model.lifecycle import Context


def settle_models(args: CustomWeightsModelArgs, old: CustomWeightsModelArgs, context: Context) -> None:
    """Give the Model its labels and what changes in place; of a renamed resource, each older Model its labels."""
    place = place_of(args, context)
    whose = {**args.ownership, ENDPOINT_LABEL: args.endpoint_id}
    if old.ownership != args.ownership:
        for model in labelled_models(place, old.ownership):
            if context.guard.has_model(model):
                patch_labels(place, (model.name or "").rpartition("/")[2], whose)
    patched = changed_by(CustomWeightsModelArgs, "model", PATCH_MODEL)
    more = {path: getattr(args, name) for name, path in patched.items() if getattr(args, name) or getattr(old, name)}
    patch_labels(place, args.model_id, model_labels(args), more)


def release_model(args: CustomWeightsModelArgs, model_id: str, context: Context) -> None:
    """Keep a Model, which from then on is nobody's."""
    context.progress(f"kept: {args.parent}/models/{model_id}")
    patch_labels(place_of(args, context), model_id, dict.fromkeys((*args.ownership, ENDPOINT_LABEL)))


def model_if_any(args: CustomWeightsModelArgs, context: Context) -> list[str]:
    """The Model's name for an error, unless there is none; with a word where that cannot be looked at."""
    try:
        model = find_model(place_of(args, context), args.model_id)
    except MgError:
        return [f"{args.model}, unless no call has made it yet: it could not be looked at"]
    return [args.model] if model is not None and context.guard.has_model(model) else []


def uploadable(model: Model) -> Model:
    """A Model as it was read, to be uploaded again: what an upload has of ours, and what people say of it."""
    asked = {path.partition(".")[0] for path in standing(CustomWeightsModelArgs, "model").values()}
    return Model(**{name: getattr(model, name) for name in ("description", "labels", "base_model_source", *asked)})


def is_stale(model: Model | None, args: CustomWeightsModelArgs, old: CustomWeightsModelArgs) -> bool:
    """Whether the Model with the wanted id was made of something else; ``old`` is ``args`` itself in a creation."""
    if model is None:
        return False
    content = (model.labels or {}).get(CONTENT_LABEL)
    if content:
        return content != content_of(args)
    if old is not args:
        return old.model_id == args.model_id and remade(old, args)
    return bool(args.gcs_uri and model.artifact_uri) and not serves(model, args)


def check_weights(
    args: CustomWeightsModelArgs, machines: Sequence[MachineSpec], context: Context
) -> MachineSpec | None:
    """Check the folder of weights, unless the program has none or asks for no check; the machine recommended for it.

    Raises:
        MgError: A deployment of this folder would fail; nothing was asked for.
    """
    if not (args.gcs_uri and args.preflight):
        return None
    own = args.container_spec is not None
    return pass_weights(args.gcs_uri, args.parent, machines, args.allow_quantized, context, own_container=own)


def model_to_upload(
    args: CustomWeightsModelArgs, machines: Sequence[MachineSpec | None], called: str, context: Context
) -> Model:
    """The Model that the arguments ask for, without its labels.

    Args:
        args: What is asked for.
        machines: That it may run on, in order; None for Google's choice.
        called: What requests name a Model that it is to replace; empty without one.
        context: Of the call.

    Raises:
        MgError: It would show a secret to its readers.
    """
    if args.hugging_face_access_token and args.container_spec is None:
        raise MgError(
            f"{args.hugging_face_model_id} needs a token, which an uploaded Model would show to its readers: it is "
            "not deployed beside what serves now",
            resource=args.resource,
            hint="copy the weights to a bucket and use gcs_uri, or make a second resource for it, move the clients "
            "there, then remove this one",
        )
    source = Source(args.gcs_uri, args.publisher_model_name, args.hugging_face_model_id)
    asked = Model(**nested(asked_for(args, "model")))
    known = [machine for machine in machines if machine is not None]
    model = made_from(source, asked, args.parent, known or args.choices(), context)
    so_far = (called or args.query_model_id) if args.gcs_uri and args.container_spec is None else ""
    return with_query_id(model, args.container_model_id or so_far)
