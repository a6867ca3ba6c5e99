"""How a model with weights of its own comes onto its endpoint: whichever of its machines is available, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mg_provider.api.errors import (
    AgentsNotReady,
    AlreadyExists,
    ConnectionFailed,
    InvalidArgument,
    MgError,
    NotFound,
    OperationFailed,
    Unavailable,
)
from mg_provider.resources.custom_weights_model.args import SEEDS
from mg_provider.resources.custom_weights_model.deploy_sight import DeploySight
from mg_provider.resources.custom_weights_model.models import release_model
from mg_provider.resources.custom_weights_model.observed import ids_of, own
from mg_provider.resources.custom_weights_model.serve import Serving
from mg_provider.resources.endpoint.args import derived_endpoint_id
from mg_provider.resources.endpoint.calls import (
    CREATE_SECONDS,
    DELETE_SECONDS,
    delete_endpoint,
    delete_model,
    find_endpoint,
    nothing_left,
    place_of,
    undeploy,
)
from mg_provider.resources.endpoint.capacity import NoCapacity, first_available, ordered
from mg_provider.resources.endpoint.failures import explain_failure, lacks_capacity
from mg_provider.resources.endpoint.teardown import still_deployed
from mg_provider.resources.endpoint.underway import InLocation, stop, under_way
from mg_provider.resources.model.identity import CLAIM_LABEL
from mg_provider.resources.model.lifecycle import Context, Incomplete, NotOurs
from mg_provider.resources.weights.gate import pass_weights
from mg_provider.resources.weights.publisher_names import nearest_publisher_model
from mg_provider.rollout.agents import awaits_agents, once_agents_are_there
from mg_provider.rollout.journal import journal_of
from mg_provider.rollout.models import find_model
from mg_provider.rollout.query_id import container_query_id
from mg_provider.rollout.sources import Source
from mg_provider.wire.base import same
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.machine import MachineSpec

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
    from mg_provider.wire.vertex.operation import Operation


@dataclass
class Deployment:
    """One run's work of getting a model served.

    Attributes:
        args: What is wanted.
        state: What an earlier run knew.
        context: Of the call.
        keep: Makes the error that keeps what exists in the stack's state.
        fresh: Whether nothing of it was in the stack's state before, so that a failure may take all of it back.
    """

    args: CustomWeightsModelArgs
    state: CustomWeightsModelState
    context: Context
    keep: Callable[[MgError, CustomWeightsModelState], Incomplete]
    fresh: bool
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        limit = self.context.limit(self.args.timeouts.create, CREATE_SECONDS)
        self._until = self.context.clock.monotonic() + limit

    def run(self) -> bool:
        """Go on with the deployment that runs, or start one, and wait; while machines are short, try the next choice.

        Returns:
            Whether it went on with one of an earlier run, which may have wanted something else.

        Raises:
            Incomplete: something exists, and stays in the stack's state.
            MgError: nothing exists.
        """
        try:
            choices = self._resume()
            if choices is not None:
                first_available(choices or self._machines(), self._once_possible, self.context)
        except (AgentsNotReady, OperationFailed, NoCapacity) as error:
            raise self._given_up(error) from error
        return choices is None

    def _resume(self) -> list[MachineSpec | None] | None:
        """Wait for the deployment that runs. None if it ended well; else what is left to try, empty for everything."""
        begun = find_endpoint(self.args, self.context) is not None
        operation = running(self.args, self.state.operation, self.context, begun=begun)
        if operation is None:
            return []
        if self.fresh:
            self.context.take_up(f"the deployment {operation.name}", operation.started or "", self.args)
        self.context.progress("going on with the deployment that is running")
        taken = self.state.machine_spec_taken
        try:
            self._wait(operation, taken)
        except OperationFailed as error:
            if awaits_agents(error):
                return []
            tried = [spec for spec in self.args.choices() if taken is not None and same(spec, taken)]
            rest: list[MachineSpec | None] = [spec for spec in self.args.choices() if spec not in tried]
            if not lacks_capacity(error) or len(self.args.choices()) < 2 or not rest:
                raise
            self.context.progress(f"the machine is not available ({error.message}); trying the other choices")
            return rest
        return None

    def _machines(self) -> list[MachineSpec | None]:
        """The machines to try, in order, once the weights have passed. What an earlier run took comes first."""
        args, taken = self.args, self.state.machine_spec_taken
        choices = ordered(args.choices(), taken)
        recommended = None
        if args.gcs_uri and args.preflight:
            recommended = pass_weights(
                args.gcs_uri, args.parent, args.region, choices, args.allow_quantized, self.context
            )
        return [*choices] or [taken or recommended]

    def _once_possible(self, machine: MachineSpec | None) -> None:
        once_agents_are_there(lambda: self._attempt(machine), self._left, self.context)

    @property
    def _left(self) -> float:
        return max(self._until - self.context.clock.monotonic(), 0.0)

    def _attempt(self, machine: MachineSpec | None) -> None:
        args = self.args if machine is None else self.args.on(machine)
        endpoint = find_endpoint(args, self.context)
        if endpoint is not None:
            self.context.guard.endpoint(endpoint)
        again = endpoint is not None and model_exists(args, self.context)
        try:
            if not again:
                self._clear(endpoint)
            operation = self._begin(args, self._put_back if again else self._deploy, machine)
        except MgError as error:
            passes = lacks_capacity(error) or awaits_agents(error)
            if endpoint is None or passes or isinstance(error, (Incomplete, NotOurs)):
                raise
            raise self.keep(error, self._trying(machine)) from error
        if operation is not None:
            self._wait(operation, machine)

    def _begin(
        self,
        args: CustomWeightsModelArgs,
        call: Callable[[CustomWeightsModelArgs], Operation],
        machine: MachineSpec | None,
    ) -> Operation | None:
        """Call once. If the answer is lost, the running operation is looked for instead."""
        try:
            return call(args)
        except (NotFound, InvalidArgument) as error:
            if args.publisher_model_name and "model_config" not in error.message:
                error.hint = error.hint or nearest_publisher_model(args.publisher_model_name, self.context)
            raise
        except (ConnectionFailed, AlreadyExists, Unavailable) as error:
            try:
                under_way = running(args, "", self.context, begun=True)
                endpoint = find_endpoint(args, self.context)
            except MgError:
                # Whether the call took effect cannot be known now, so it stays in the stack's state.
                raise self.keep(error, self._trying(machine)) from error
            if under_way is None and (endpoint is None or not own(endpoint, args)):
                raise
            if under_way is None:
                self._prove()
            return under_way

    def _deploy(self, args: CustomWeightsModelArgs) -> Operation:
        self.context.progress(f"deploying {args.gcs_uri or args.publisher_model_name or args.hugging_face_model_id}")
        operation = self.context.clients.vertex.deploy(args.parent, args.wire(self.state.claim))
        self.context.guard.took_ids()
        return operation

    def _put_back(self, args: CustomWeightsModelArgs) -> Operation:
        """Put the uploaded Model back on its endpoint."""
        self.context.progress(f"deploying {args.model} again")
        deployed = Serving(args, args, self.state, self.context).deployed(None, None)
        return self.context.clients.vertex.deploy_model(args.endpoint, deployed, {"0": 100})

    def _clear(self, endpoint: Endpoint | None) -> None:
        """Remove what a failed deployment left, so that the ids are free again."""
        args = self.args
        if endpoint is not None:
            delete_endpoint(args, self.context)
        else:
            # Only what is this resource's is deleted; a Model of somebody else's ends the creation.
            delete_model(args.model, args, self.context)

    def _wait(self, operation: Operation, machine: MachineSpec | None) -> None:
        try:
            self.context.wait(operation, self._left, "deploying", DeploySight(self.args, self.context))
            self._prove()
        except NotOurs:
            raise
        except OperationFailed as error:
            token = self.args.hugging_face_access_token
            explain_failure(error, self.args.endpoint, self.context, secrets=(token,), allowlist=self.args.allowlist)
            raise
        except MgError as error:
            waiting = self._trying(machine).model_copy(update={"operation": operation.name})
            raise self.keep(error, waiting) from error

    def _prove(self) -> None:
        """What was waited for may be another stack's, which asked for the same ids at the same moment.

        Raises:
            NotOurs: It is.
        """
        endpoint = find_endpoint(self.args, self.context)
        model = find_model(place_of(self.args, self.context), self.args.model_id)
        if endpoint is not None:
            self.context.guard.endpoint(endpoint)
        if model is not None:
            self.context.guard.model(model)

    def _trying(self, machine: MachineSpec | None) -> CustomWeightsModelState:
        return self.state.model_copy(update={"machine_spec_taken": machine, "operation": ""})

    def _given_up(self, error: AgentsNotReady | OperationFailed | NoCapacity) -> MgError:
        """Delete what a first deployment made. If even that fails, or an address is at stake, it stays in state."""
        if not self.fresh:
            return self.keep(error, self._trying(self.state.machine_spec_taken))
        self.context.progress("the deployment failed; deleting what it made")
        try:
            take_down(self.args, self.state, self.context)
        except NotOurs as theirs:
            error.hint = theirs.hint
            return error
        except MgError as second:
            error.exists = [self.args.endpoint, self.args.model]
            error.hint = f"{error.hint or ''} (cleaning up failed as well: {second.summary})".strip()
            return self.keep(error, self._trying(None))
        return nothing_left(error, "the endpoint" if self.args.retain_model else "endpoint and model")


def running(args: CustomWeightsModelArgs, known: str, context: Context, *, begun: bool) -> Operation | None:
    """What makes the endpoint or deploys on it since an earlier run, by name if ``known``, or else looked for.

    Args:
        args: The resource's arguments.
        known: Name of the operation that the stack's state has; empty for none.
        context: Of the call.
        begun: Whether there is a sign that an earlier run began one, and none that it ended.
    """
    return under_way(args, known, context, _deploys_this(args, context, begun))


def _names_model(args: CustomWeightsModelArgs, operation: Operation) -> bool:
    """Whether an operation of the location deploys a Model with this resource's id."""
    metadata = operation.metadata or {}
    return "DeployOperationMetadata" in str(metadata.get("@type")) and metadata.get("modelId") == args.model_id


def _deploys_this(args: CustomWeightsModelArgs, context: Context, begun: bool) -> InLocation:
    """Which operations of the location are this deployment, or may be.

    They name the Model's id, or for an entry of Model Garden that entry: then it may be another deployment of the same
    entry. Where one of this resource was begun it is taken for that, unless it began after this endpoint was made.
    """
    if not begun:
        asked = context.clients.vertex.asked_to_deploy(args.parent, args.model_id)
        return InLocation(lambda operation: _names_model(args, operation), begun=asked)
    source = Source(args.gcs_uri, args.publisher_model_name, args.hugging_face_model_id)
    published = source.publisher_model.partition("@")[0].lower()
    endpoint = find_endpoint(args, context) if published else None
    made = endpoint.create_time if endpoint is not None else None

    def matches(operation: Operation) -> bool:
        metadata = operation.metadata or {}
        if "DeployOperationMetadata" not in str(metadata.get("@type")):
            return False
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
        args: What is wanted.
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
            context.wait(operation, left, "deploying", DeploySight(args, context))
        except OperationFailed as error:
            endpoint = find_endpoint(args, context)
            other_machines = lacks_capacity(error) and len(args.choices()) > 1
            if other_machines or (endpoint is not None and endpoint.deployed_models):
                context.progress(f"it did not end well: {error.summary}")
            else:
                told = (args.hugging_face_access_token,)
                explain_failure(error, args.endpoint, context, secrets=told, allowlist=args.allowlist)
                raise
        known = ""
    return waited


def deploys_from_nothing(args: CustomWeightsModelArgs, context: Context) -> bool:
    """Whether Model Garden's deploy makes what is wanted: no Model is there, and it is asked for by its own id."""
    same_name = args.query_model_id in ("", args.model_id, container_query_id(args.container_spec))
    return same_name and not model_exists(args, context)


def has_derived_ids(args: CustomWeightsModelArgs) -> bool:
    """Whether endpoint and Model have the ids that follow from the stack's and the resource's names."""
    derived = derived_endpoint_id(args, SEEDS)
    return args.endpoint_id == derived and args.model_id in (derived, f"model-{derived}")


def model_exists(args: CustomWeightsModelArgs, context: Context) -> bool:
    """Whether the uploaded Model is there, and this resource's."""
    model = find_model(place_of(args, context), args.model_id)
    return model is not None and context.guard.has_model(model)


def take_down(args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context) -> None:
    """Undeploy, delete the endpoint, delete every Model unless it is to be kept. What is gone already is fine."""
    endpoint = find_endpoint(args, context)
    serving = Serving(args, args, state, context)
    models = set(serving.model_ids(endpoint, journal_of(endpoint)))
    if endpoint is not None:
        ours = {*ids_of(endpoint, args), *serving.ours(endpoint)}
        undeploy(args, sorted(ours), context)
        if others := [entry for entry in endpoint.deployed_models or [] if entry.id not in ours]:
            raise still_deployed(args, others)
        delete_endpoint(args, context)
    for model_id in sorted(models):
        if args.retain_model and model_id == args.model_id:
            release_model(args, model_id, context)
        else:
            delete_model(f"{args.parent}/models/{model_id}", args, context)


def give_back(args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context) -> None:
    """Take down what a creation made before it found that something is somebody else's. A Model stays."""
    endpoint = find_endpoint(args, context)
    if endpoint is None or (endpoint.labels or {}).get(CLAIM_LABEL) != state.claim:
        return
    context.progress("deleting the endpoint that this run made")
    stop_deploying(args, state, context, begun=True)
    undeploy(args, [entry.id for entry in endpoint.deployed_models or [] if entry.id], context)
    delete_endpoint(args, context)


def stop_deploying(
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
