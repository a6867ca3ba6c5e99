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
from mg_provider.resources.custom_weights_model.deploy_sight import DeploySight
from mg_provider.resources.custom_weights_model.early_labels import EarlyLabels
from mg_provider.resources.custom_weights_model.ids import derived_model_ids
from mg_provider.resources.custom_weights_model.models import check_weights, release_model
from mg_provider.resources.custom_weights_model.observed import ids_of, own
from mg_provider.resources.custom_weights_model.serve import Serving
from mg_provider.resources.custom_weights_model.under_way import running, stop_first_deployment
from mg_provider.resources.endpoint.calls import (
    CREATE_SECONDS,
    LOOK_AGAIN_SECONDS,
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
from mg_provider.resources.model.identity import CLAIM_LABEL
from mg_provider.resources.model.lifecycle import Context, Incomplete, NotOurs
from mg_provider.resources.weights.publisher_names import nearest_publisher_model
from mg_provider.rollout.agents import awaits_agents, once_agents_are_there
from mg_provider.rollout.journal import journal_of
from mg_provider.rollout.models import find_model
from mg_provider.rollout.query_id import container_query_id
from mg_provider.wire.base import same
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.machine import MachineSpec

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
    from mg_provider.wire.vertex.operation import Operation


class RunsAsAnother(MgError):
    """What was deployed runs as another service account than the program asks for."""


@dataclass
class FirstDeployment:
    """One run's work of getting a model served.

    Attributes:
        args: What is asked for.
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
        except (AgentsNotReady, OperationFailed, NoCapacity, RunsAsAnother) as error:
            raise self._given_up(error) from error
        return choices is None

    def _resume(self) -> list[MachineSpec | None] | None:
        """Wait for the deployment that runs. None if it ended well; else what is left to try, empty for everything."""
        begun = find_endpoint(self.args, self.context) is not None
        operation = running(self.args, self.state.operation, self.context, begun=begun)
        if operation is None:
            return None if self._ended_meanwhile(shown=begun) else []
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

    def _ended_meanwhile(self, *, shown: bool) -> bool:
        """Whether one that ended while we looked has left a deployment, which is not to go with the endpoint."""
        endpoint = find_endpoint(self.args, self.context)
        if endpoint is None or not endpoint.deployed_models:
            return False
        self.context.guard.endpoint(endpoint)
        if self.fresh and not shown:
            self.context.take_up(f"endpoint {self.args.endpoint}", endpoint.create_time or "", self.args)
        return True

    def _machines(self) -> list[MachineSpec | None]:
        """The machines to try, in order, once the weights have passed. What an earlier run took comes first."""
        args, taken = self.args, self.state.machine_spec_taken
        choices = ordered(args.choices(), taken)
        recommended = check_weights(args, choices, self.context)
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
        if endpoint is not None and not again and self._joins_lost(args, machine):
            return
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
        self._check_account()

    def _joins_lost(self, args: CustomWeightsModelArgs, machine: MachineSpec | None) -> bool:
        """Whether a run that no state remembers deploys on the endpoint, or has by now: its end is waited for."""
        lost = running(args, "", self.context, begun=True)
        if lost is not None:
            self.context.progress("going on with the deployment that is running")
            self._wait(lost, machine)
        return lost is not None or self._ended_meanwhile(shown=True)

    def _check_account(self) -> None:
        """The container runs as the account that was asked for: no published client sends one with this call.

        Raises:
            RunsAsAnother: It does not.
        """
        wanted, endpoint = self.args.service_account, find_endpoint(self.args, self.context)
        deployed = own(endpoint, self.args) if endpoint is not None else None
        if not wanted or deployed is None or deployed.service_account == wanted:
            return
        raise RunsAsAnother(
            f"the container runs as {deployed.service_account or 'an account that Google chose'}, and not as {wanted}",
            resource=self.args.resource,
            hint="copy the weights to a bucket and use gcs_uri, or give container_spec and machine_spec, and leave out "
            "accept_eula and hugging_face_cache_enabled: then the Model is uploaded, and deployed with service_account",
        )

    def _begin(
        self,
        args: CustomWeightsModelArgs,
        call: Callable[[CustomWeightsModelArgs], Operation],
        machine: MachineSpec | None,
    ) -> Operation | None:
        """Call once. If the answer is lost, the running operation is looked for instead."""
        try:
            return self._until_shown(args, call)
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
            if under_way is None:
                if endpoint is None or not (own(endpoint, args) or self._ended_meanwhile(shown=False)):
                    raise
                self._prove()
            return under_way

    def _until_shown(
        self, args: CustomWeightsModelArgs, call: Callable[[CustomWeightsModelArgs], Operation]
    ) -> Operation:
        """Call; again while a run that no state remembers holds the ids of an endpoint that is not there yet."""
        while True:
            try:
                return call(args)
            except AlreadyExists:
                late = self.context.clock.monotonic() > self._until or self.context.cancelled()
                shown = find_endpoint(args, self.context) is not None
                if late or shown or not derived_model_ids(args) or running(args, "", self.context, begun=True):
                    raise
                self.context.progress("waiting for an endpoint that an interrupted run is making")
                self.context.clock.sleep(LOOK_AGAIN_SECONDS)

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
            labels = EarlyLabels(self.args, self.state.claim, self.context)
            self.context.wait(operation, self._left, "deploying", DeploySight(self.args, self.context, labels.put))
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

    def _given_up(self, error: AgentsNotReady | OperationFailed | NoCapacity | RunsAsAnother) -> MgError:
        """Delete what a first deployment made. If even that fails, or an address is at stake, it stays in state."""
        if not self.fresh:
            return self.keep(error, self._trying(self.state.machine_spec_taken))
        self.context.progress("the deployment failed; removing what there is of it")
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


def deploys_from_nothing(args: CustomWeightsModelArgs, context: Context) -> bool:
    """Whether Model Garden's deploy makes what is asked for: no Model is there, and it is asked for by its own id."""
    same_name = args.query_model_id in ("", args.model_id, container_query_id(args.container_spec))
    return same_name and not model_exists(args, context)


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
    stop_first_deployment(args, state, context, begun=True)
    undeploy(args, [entry.id for entry in endpoint.deployed_models or [] if entry.id], context)
    delete_endpoint(args, context)
