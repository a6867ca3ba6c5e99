"""Taking over an endpoint that serves one model: the Model behind it becomes the resource's as well.

Only the same weights are taken over. Other weights come afterwards, as any change of them does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mg_provider.api.errors import MgError, NotFound
from mg_provider.resources.endpoint.adoption import fixed_problem
from mg_provider.resources.endpoint.args import private
from mg_provider.resources.endpoint.calls import changes_in_place, make_endpoint
from mg_provider.resources.endpoint.machines import unlike
from mg_provider.resources.endpoint.teardown import gone_for_good
from mg_provider.resources.model.args import Problem
from mg_provider.resources.model.identity import ENDPOINT_ID, OWNER_LABEL
from mg_provider.resources.model.standing import asked_for, fixed_in, seen
from mg_provider.resources.weights.source import SOURCES, ModelSource
from mg_provider.rollout.query_id import query_id
from mg_provider.wire.base import nested
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.model import Model

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
    from mg_provider.resources.model.lifecycle import Context


def model_id_of(deployed: DeployedModel) -> str:
    """The id of the Model that a deployment serves, without its version."""
    return (deployed.model or "").rpartition("/")[2].partition("@")[0]


def serves(model: Model, source: ModelSource) -> bool:
    """Whether a Model was made from these weights."""
    if source.gcs_uri:
        return (model.artifact_uri or "").rstrip("/") == source.gcs_uri.rstrip("/")
    garden = model.base_model_source.model_garden_source if model.base_model_source else None
    name, _, version = ((garden.public_model_name if garden else None) or "").partition("@")
    version = version or (garden.version_id if garden else None) or ""
    if source.publisher_model_name:
        wanted, _, wanted_version = source.publisher_model_name.partition("@")
        return name == wanted and wanted_version in ("", version)
    author, _, short = source.hugging_face_model_id.lower().partition("/")
    return name.lower() == f"publishers/hf-{author}/models/{short}"


def with_model_of(args: CustomWeightsModelArgs, endpoint: Endpoint, context: Context) -> CustomWeightsModelArgs:
    """The arguments with the Model that the endpoint serves, if it was made from the same weights."""
    for deployed in endpoint.deployed_models or []:
        try:
            model = context.clients.vertex.get_model(f"{args.parent}/models/{model_id_of(deployed)}")
        except NotFound:
            continue
        if serves(model, args):
            id = model_id_of(deployed)
            named = query_id(model) or id
            return args.with_values(model_id=id, model=f"{args.parent}/models/{id}", query_model_id=named)
    return args


def adoption_problems(args: CustomWeightsModelArgs, endpoint: Endpoint) -> Iterator[Problem]:
    """What stands against taking over an endpoint as the one model that it serves."""
    entries = endpoint.deployed_models or []
    own = next((entry for entry in entries if model_id_of(entry) == args.model_id), None)
    if own is None:
        there = ", ".join(f"{entry.display_name} ({entry.model})" for entry in entries) or "nothing"
        source = next(name for name in SOURCES if getattr(args, name))
        yield Problem(
            source,
            f"is not what the adopted endpoint serves, which is {there}: write what it serves, or its model_id; other "
            "weights can follow once it is taken over",
        )
        return
    if len(entries) > 1:
        reason = f"names an endpoint with {len(entries)} deployed models: use DedicatedEndpoint for several of them"
        yield Problem("adopt", reason)
    private = endpoint.private_service_connect_config is not None
    if args.dedicated_endpoint_disabled != (not endpoint.dedicated_endpoint_enabled and not private):
        yield fixed_problem("dedicated_endpoint_disabled", not endpoint.dedicated_endpoint_enabled)
    actual = seen(type(args), "deployment", own)
    for name in unlike(args, own):
        if name in actual:
            yield fixed_problem(name, actual[name])


def model_changes(args: CustomWeightsModelArgs, endpoint: Endpoint) -> Iterator[str]:
    """What taking over changes on the deployment and its Model, a line each."""
    for deployed in endpoint.deployed_models or []:
        if model_id_of(deployed) == args.model_id:
            fate = "is kept when the resource is removed" if args.retain_model else "is deleted with it"
            yield f"deployment {deployed.id} and its Model {args.model} become this resource's; the Model {fate}"
            yield from changes_in_place(args, deployed)
            if deployed.display_name != args.model_display_name:
                yield f"model_display_name: {args.model_display_name!r} on the Model; the deployment keeps its own"


def refuse_new_deployment(args: CustomWeightsModelArgs, endpoint: Endpoint | None, context: Context) -> None:
    """Refuse to make again what was only adopted: neither its id nor its address would come back.

    Raises:
        MgError: The endpoint, or the Model that it served, is gone.
    """
    if not args.adopting and ENDPOINT_ID.fullmatch(args.endpoint_id):
        return
    if endpoint is None:
        raise gone_for_good(args)
    try:
        context.clients.vertex.get_model(args.model)
    except NotFound as error:
        raise MgError(
            f"{args.endpoint}, which was made elsewhere, does not serve {args.model}, and there is no such Model",
            resource=args.resource,
            hint="deploy the model on it again; or remove the resource, and let another one without adopt make an "
            "endpoint",
        ) from error


def endpoint_for_kept_model(
    args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context
) -> Endpoint | None:
    """An endpoint for the Model that was kept when an earlier resource was removed; None if none was kept.

    Raises:
        MgError: The kept Model has other weights.
    """
    try:
        model = context.clients.vertex.get_model(args.model)
    except NotFound:
        return None
    if not serves(model, args):
        raise MgError(
            f"{args.model} was kept, and has other weights ({model.artifact_uri or 'Google names no folder'})",
            resource=args.resource,
            hint="set another model_id, or delete the Model if nobody needs it",
        )
    if OWNER_LABEL in (model.labels or {}):
        context.guard.model(model)
    context.guard.took_model()
    context.progress(f"making an endpoint for {args.model}, which was kept")
    return empty_endpoint(args, state, context)


def empty_endpoint(args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context) -> Endpoint:
    """An endpoint with nothing on it yet."""
    fixed = fixed_in(type(args), "endpoint").values()
    endpoint = Endpoint(
        **nested({path: value for path, value in asked_for(args, "endpoint").items() if path in fixed}),
        display_name=args.endpoint_display_name,
        labels=args.all_labels(state.claim),
        dedicated_endpoint_enabled=not args.dedicated_endpoint_disabled
        and not private(args.private_service_connect_config),
        private_service_connect_config=args.private_service_connect_config,
    )
    return make_endpoint(args, endpoint, state.operation, context)
