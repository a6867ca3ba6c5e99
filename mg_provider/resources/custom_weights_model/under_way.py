"""What an earlier run of a model's began and what still runs: found again, waited for, or ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.api.errors import OperationFailed
from mg_provider.resources.custom_weights_model.deploy_sight import DeploySight
from mg_provider.resources.custom_weights_model.early_labels import EarlyLabels
from mg_provider.resources.custom_weights_model.ids import derived_model_ids, has_derived_ids
from mg_provider.resources.endpoint.calls import CREATE_SECONDS, DELETE_SECONDS, find_endpoint
from mg_provider.resources.endpoint.failures import explain_failure, lacks_capacity
from mg_provider.resources.endpoint.under_way import InLocation, stop, under_way
from mg_provider.resources.model.lifecycle import Context
from mg_provider.rollout.place import deploys_from_garden, running_operation
from mg_provider.rollout.sources import Source

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
    from mg_provider.wire.vertex.operation import Operation


def running(args: CustomWeightsModelArgs, known: str, context: Context, *, begun: bool) -> Operation | None:
    """What makes the endpoint or deploys on it since an earlier run, by name if ``known``, or else looked for.

    Args:
        args: The resource's arguments.
        known: Name of the operation that the stack's state has; empty for none.
        context: Of the call.
        begun: Whether there is a sign that an earlier run began one, and none that it ended.
    """
    operation = under_way(args, known, context, _deploys_this(args, context, begun))
    return operation or (_lost(args, context) if begun and derived_model_ids(args) else None)


def _lost(args: CustomWeightsModelArgs, context: Context) -> Operation | None:
    """What may be deploying a Model with an id of another program of this stack on the endpoint, which is empty.

    Only its Model's id says what it deploys. So it is waited for whatever began before the endpoint was made.
    """
    endpoint = find_endpoint(args, context)
    if endpoint is None or endpoint.deployed_models or not endpoint.create_time:
        return None
    made = endpoint.create_time

    def matches(operation: Operation) -> bool:
        deploys = deploys_from_garden(operation)
        return deploys and operation.started is not None and operation.started <= made

    return running_operation(args.parent, matches, context)


def _names_model(args: CustomWeightsModelArgs, operation: Operation) -> bool:
    """Whether an operation of the location deploys a Model with an id of this resource."""
    metadata, ids = operation.metadata or {}, (args.model_id, *derived_model_ids(args))
    return deploys_from_garden(operation) and metadata.get("modelId") in ids


def _deploys_this(args: CustomWeightsModelArgs, context: Context, begun: bool) -> InLocation:
    """Which operations of the location are this deployment, or may be.

    They name the Model's id, or for an entry of Model Garden that entry: then it may be another deployment of the same
    entry. Where one of this resource was begun it is taken for that, unless it began after this endpoint was made.
    """
    if not begun:
        ids = (args.model_id, *derived_model_ids(args))
        asked = any(context.clients.vertex.asked_to_deploy(args.parent, id) for id in ids)
        return InLocation(lambda operation: _names_model(args, operation), begun=asked)
    source = Source(args.gcs_uri, args.publisher_model_name, args.hugging_face_model_id)
    published = source.publisher_model.partition("@")[0].lower()
    endpoint = find_endpoint(args, context) if published else None
    made = endpoint.create_time if endpoint is not None else None

    def matches(operation: Operation) -> bool:
        if not deploys_from_garden(operation):
            return False
        metadata = operation.metadata or {}
        entry = str(metadata.get("publisherModel", "")).partition("@")[0].lower()
        same_entry = bool(published) and entry == published
        in_time = made is None or operation.started is None or operation.started <= made
        return _names_model(args, operation) or (same_entry and in_time)

    return InLocation(matches, begun=True)


def go_on(
    args: CustomWeightsModelArgs,
    old: CustomWeightsModelArgs,
    state: CustomWeightsModelState,
    context: Context,
    *,
    begun: bool,
) -> bool:
    """Wait for everything that an earlier run began, whichever way it ends, before anything is deployed.

    Args:
        args: What is asked for.
        old: What was wanted in the last run.
        state: What the last run knew.
        context: Of the call.
        begun: As in :func:`running`.

    Returns:
        Whether there was anything to wait for.

    Raises:
        OperationFailed: It failed, nothing serves, and no other machine is left to try.
        MgError: It still runs, or could not be asked.
    """
    known, limit = state.operation, context.limit(args.timeouts.create, CREATE_SECONDS)
    began, waited = context.clock.monotonic(), False
    labels = EarlyLabels(args, state.claim, context)
    begun = begun and not state.deployed_model_id
    each_id = (old,) if old.model_id == args.model_id else (old, args)
    places = [_deploys_this(each, context, begun) for each in each_id]
    either = InLocation(
        lambda operation: any(place.matches(operation) for place in places), any(place.begun for place in places)
    )
    while (operation := under_way(args, known, context, either)) is not None:
        waited = True
        context.progress("going on with the deployment that is running")
        try:
            left = max(limit - (context.clock.monotonic() - began), 0.0)
            context.wait(operation, left, "deploying", DeploySight(args, context, labels.put))
        except OperationFailed as error:
            if not _goes_on_without(error, args, context):
                raise
            context.progress(f"it failed: {error.summary}")
        known = ""
    return waited


def _goes_on_without(error: OperationFailed, args: CustomWeightsModelArgs, context: Context) -> bool:
    """Whether the run can go on: another machine is left to try, or something serves. Otherwise the error says more."""
    endpoint = find_endpoint(args, context)
    other_machines = lacks_capacity(error) and len(args.choices()) > 1
    if other_machines or (endpoint is not None and endpoint.deployed_models):
        return True
    secrets = (args.hugging_face_access_token,)
    explain_failure(error, args.endpoint, context, secrets=secrets, allowlist=args.allowlist)
    return False


def stop_first_deployment(
    args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context, *, begun: bool
) -> bool:
    """End a deployment that still runs, so that nothing appears after everything was deleted; whether there was one.

    One that may be another stack's, as it only names the same Model Garden entry or id, is waited for instead.
    """
    ids_are_ours = has_derived_ids(args) or find_endpoint(args, context) is not None

    def certain(operation: Operation) -> bool:
        below_endpoint = f"/endpoints/{args.endpoint_id}/operations/" in operation.name
        return below_endpoint or operation.name == state.operation or (ids_are_ours and _names_model(args, operation))

    limit = context.limit(args.timeouts.delete, DELETE_SECONDS)
    deploys_this = _deploys_this(args, context, begun and not state.deployed_model_id)
    return stop(args, state.operation, limit, context, deploys_this, certain)
