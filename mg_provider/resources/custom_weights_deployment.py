"""How a model with weights of its own comes onto its endpoint: whichever of its machines is to be had, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mg_provider.api.errors import (
    AlreadyExists,
    ConnectionFailed,
    InvalidArgument,
    MgError,
    NotFound,
    OperationFailed,
    Unavailable,
)
from mg_provider.resources.capacity import NoCapacity, accepts, first_available, ordered
from mg_provider.resources.custom_weights_serving import Serving
from mg_provider.resources.endpoint_settings import observe, observed_endpoint
from mg_provider.resources.failures import explain_failure, lacks_capacity
from mg_provider.resources.lifecycle import Context, Incomplete, not_ours
from mg_provider.resources.observed_models import observed_deployment
from mg_provider.resources.publisher_names import nearest_publisher_model
from mg_provider.resources.serving import (
    CREATE_SECONDS,
    DELETE_SECONDS,
    delete_endpoint,
    delete_model,
    find_endpoint,
    nothing_left,
    undeploy,
)
from mg_provider.resources.standing import seen
from mg_provider.resources.teardown import still_deployed
from mg_provider.resources.weights_gate import pass_weights
from mg_provider.rollout.journal import journal_of
from mg_provider.rollout.place import running_operation
from mg_provider.rollout.traffic import shares
from mg_provider.wire.base import same
from mg_provider.wire.deployed_model import DeployedModel
from mg_provider.wire.endpoint import Endpoint
from mg_provider.wire.machine import MachineSpec

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_args import CustomWeightsModelArgs, CustomWeightsModelState
    from mg_provider.wire.model import Model
    from mg_provider.wire.operation import Operation


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

    def run(self) -> None:
        """Go on with the deployment that runs, or start one, and wait; while machines are short, try the next choice.

        Raises:
            Incomplete: something exists, and stays in the stack's state.
            MgError: nothing exists.
        """
        try:
            choices = self._resume()
            if choices is not None:
                first_available(choices or self._machines(), self._attempt, self.context)
        except (OperationFailed, NoCapacity) as error:
            raise self._given_up(error) from error

    def _resume(self) -> list[MachineSpec | None] | None:
        """Wait for the deployment that runs. None if it ended well; else what is left to try, empty for everything."""
        operation = running(self.args, self.state.operation, self.context)
        if operation is None:
            return []
        self.context.progress("going on with the deployment that is running")
        taken = self.state.machine_spec_taken
        try:
            self._wait(operation, taken)
        except OperationFailed as error:
            tried = [spec for spec in self.args.choices() if taken is not None and same(spec, taken)]
            rest: list[MachineSpec | None] = [spec for spec in self.args.choices() if spec not in tried]
            if not lacks_capacity(error) or len(self.args.choices()) < 2 or not rest:
                raise
            self.context.progress(f"the machine is not to be had ({error.message}); trying the other choices")
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

    def _attempt(self, machine: MachineSpec | None) -> None:
        args = self.args if machine is None else self.args.on(machine)
        endpoint = find_endpoint(args, self.context)
        again = endpoint is not None and model_exists(args, self.context)
        try:
            if not again:
                self._clear(endpoint)
            operation = self._begin(args, self._put_back if again else self._deploy, machine)
        except MgError as error:
            if endpoint is None or lacks_capacity(error) or isinstance(error, Incomplete):
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
                operation = running(args, "", self.context)
                endpoint = find_endpoint(args, self.context)
            except MgError:
                # Whether the call took effect cannot be known now, so it stays in the stack's state.
                raise self.keep(error, self._trying(machine)) from error
            if operation is None and (endpoint is None or not own(endpoint, args)):
                raise
            return operation

    def _deploy(self, args: CustomWeightsModelArgs) -> Operation:
        self.context.progress(f"deploying {args.gcs_uri or args.publisher_model_name or args.hugging_face_model_id}")
        return self.context.clients.vertex.deploy(args.parent, args.wire(self.state.claim))

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
        elif "model_id" in args.model_fields_set and model_exists(args, self.context):
            if args.model_id != args.endpoint_id:
                raise not_ours(f"model {args.model}", args.resource, "set another model_id")
            delete_model(args.model, args, self.context)

    def _wait(self, operation: Operation, machine: MachineSpec | None) -> None:
        left = max(self._until - self.context.clock.monotonic(), 0.0)
        try:
            self.context.wait(operation, left, "deploying")
        except OperationFailed as error:
            token = self.args.hugging_face_access_token
            explain_failure(error, self.args.endpoint, self.context, secrets=(token,))
            raise
        except MgError as error:
            waiting = self._trying(machine).model_copy(update={"operation": operation.name})
            raise self.keep(error, waiting) from error

    def _trying(self, machine: MachineSpec | None) -> CustomWeightsModelState:
        return self.state.model_copy(update={"machine_spec_taken": machine, "operation": ""})

    def _given_up(self, error: OperationFailed | NoCapacity) -> MgError:
        """Delete what a first deployment made. If even that fails, or an address is at stake, it stays in state."""
        if not self.fresh:
            return self.keep(error, self._trying(self.state.machine_spec_taken))
        self.context.progress("the deployment failed; deleting what it made")
        try:
            take_down(self.args, self.state, self.context)
        except MgError as second:
            error.exists = [self.args.endpoint, self.args.model]
            error.hint = f"{error.hint or ''} (cleaning up failed as well: {second.summary})".strip()
            return self.keep(error, self._trying(None))
        return nothing_left(error, "the endpoint" if self.args.retain_model else "endpoint and model")


def running(args: CustomWeightsModelArgs, known: str, context: Context) -> Operation | None:
    """The deployment that an earlier run started and that still runs, by name if ``known``, or else looked for."""
    if known:
        try:
            operation = context.clients.vertex.get_operation(known)
        except NotFound:
            operation = None
        if operation is not None and not operation.done:
            return operation

    def ours(operation: Operation) -> bool:
        metadata = operation.metadata or {}
        return "DeployOperationMetadata" in str(metadata.get("@type")) and metadata.get("modelId") == args.model_id

    def again(operation: Operation) -> bool:
        return "DeployModelOperationMetadata" in str((operation.metadata or {}).get("@type"))

    return running_operation(args.parent, ours, context) or running_operation(args.endpoint, again, context)


def model_exists(args: CustomWeightsModelArgs, context: Context) -> bool:
    """Whether the uploaded Model is there."""
    try:
        context.clients.vertex.get_model(args.model)
    except NotFound:
        return False
    return True


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
            context.progress(f"kept: {args.model}")
        else:
            delete_model(f"{args.parent}/models/{model_id}", args, context)


def stop_deploying(args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context) -> None:
    """End a deployment that still runs, so that nothing appears after everything was deleted."""
    operation = running(args, state.operation, context)
    if operation is None:
        return
    context.progress("cancelling the deployment that is running")
    context.clients.vertex.cancel_operation(operation.name)
    try:
        context.wait(operation, context.limit(args.timeouts.delete, DELETE_SECONDS), "cancelling")
    except OperationFailed:
        return


def own(endpoint: Endpoint, args: CustomWeightsModelArgs) -> DeployedModel | None:
    """The deployment of this resource's Model, if there is one; of several, the one on the right machine first."""
    split = shares(endpoint)

    def rank(entry: DeployedModel) -> tuple[bool, bool, int]:
        spot = bool(entry.dedicated_resources and entry.dedicated_resources.spot)
        return accepts(args.machine_spec, machine_of(entry)), spot == args.spot, split.get(entry.id or "", 0)

    entries = [entry for entry in endpoint.deployed_models or [] if _is_model(entry.model, args)]
    return max(entries, key=rank, default=None)


def ids_of(endpoint: Endpoint, args: CustomWeightsModelArgs) -> list[str]:
    """The ids of the deployments of this resource's Model."""
    return [entry.id for entry in endpoint.deployed_models or [] if entry.id and _is_model(entry.model, args)]


def machine_of(deployed: DeployedModel) -> MachineSpec | None:
    """The machine that a deployment runs on."""
    return deployed.dedicated_resources.machine_spec if deployed.dedicated_resources else None


def observed(args: CustomWeightsModelArgs, endpoint: Endpoint, model: Model | None) -> CustomWeightsModelArgs:
    """The arguments that would give what is there. What nobody set and Google chose is no drift."""
    deployed = own(endpoint, args)
    # Nothing deployed is told as no replicas: the one property that then differs.
    missing: dict[str, object] = {} if args.parked else {"min_replica_count": 0}
    running = {**observed_deployment(args, deployed), "parked": False} if deployed else missing
    named = seen(type(args), "model", model) if model else {}
    return observe(args, {**observed_endpoint(args, endpoint), **running, **named})


def _is_model(name: str | None, args: CustomWeightsModelArgs) -> bool:
    """Whether a Model's resource name, with project id or number and perhaps a version, is this resource's."""
    parts = (name or "").split("@")[0].split("/")
    return len(parts) == 6 and parts[3] == args.region and parts[5] == args.model_id
