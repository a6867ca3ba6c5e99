"""How a ``CustomWeightsModel`` is made, read, changed and taken down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.api.errors import MgError, OperationFailed
from mg_provider.resources.custom_weights_model.adoption import (
    adoption_problems,
    empty_endpoint,
    endpoint_for_kept_model,
    model_changes,
    refuse_new_deployment,
    with_model_of,
)
from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
from mg_provider.resources.custom_weights_model.first_deployment import (
    FirstDeployment,
    deploys_from_nothing,
    give_back,
    model_exists,
    take_down,
)
from mg_provider.resources.custom_weights_model.held import held_rollout
from mg_provider.resources.custom_weights_model.ids import derived_model_ids, has_derived_ids
from mg_provider.resources.custom_weights_model.models import model_if_any, settle_models
from mg_provider.resources.custom_weights_model.observed import beside, ids_of, machine_of, observed_model, own
from mg_provider.resources.custom_weights_model.plan import next_model_id, plan_text, rolls_out, same_id_problem
from mg_provider.resources.custom_weights_model.query_name import with_chosen_name, with_query_name
from mg_provider.resources.custom_weights_model.serve import Serving
from mg_provider.resources.custom_weights_model.under_way import go_on, running, stop_first_deployment
from mg_provider.resources.endpoint.args import name_endpoint
from mg_provider.resources.endpoint.calls import MayExist, find_endpoint, mutate, place_of
from mg_provider.resources.endpoint.lifecycle import EndpointLifecycle
from mg_provider.resources.endpoint.machines import with_most_replicas
from mg_provider.resources.endpoint.ownership import (
    guarded,
    guarded_creation,
    imported_as,
    lacks_ownership,
    ownership_of,
)
from mg_provider.resources.endpoint.settings import Refused, settle_endpoint
from mg_provider.resources.model.args import Problem
from mg_provider.resources.model.identity import CLAIM_LABEL, MODEL_ID, MODEL_ID_FORM
from mg_provider.resources.model.lifecycle import UNSETTLED, Context, Defaults, Incomplete, NotOurs, Reading, kept
from mg_provider.resources.model.unknown import UNKNOWN
from mg_provider.rollout.capacity import available
from mg_provider.rollout.journal import journal_of
from mg_provider.rollout.models import find_model
from mg_provider.rollout.traffic import shares
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint


class CustomWeightsModelLifecycle(EndpointLifecycle[CustomWeightsModelArgs, CustomWeightsModelState]):
    """Deploys weights with one call, which makes Model, Endpoint and deployment, and takes all three down again.

    IAM: ``aiplatform.endpoints.*`` (predict for the probes of a rollout), ``aiplatform.models.*`` (create, upload, get,
    list, update, delete, deploy, undeploy) and ``aiplatform.operations.*`` on the project; Vertex AI's service agent
    reads the bucket with ``storage.objects.get`` and ``storage.objects.list``.
    """

    args_type = CustomWeightsModelArgs
    state_type = CustomWeightsModelState

    def name(self, args: CustomWeightsModelArgs, old: CustomWeightsModelArgs | None) -> CustomWeightsModelArgs:
        """Name endpoint and Model after the resource; what is not replaced keeps its ids."""
        args = with_most_replicas(args)
        stays = kept(old, args, "endpoint_id")
        args = with_chosen_name(name_endpoint(args, old), old if stays else None)
        if not args.model_id:
            fresh = args.endpoint_id if args.is_known("endpoint_id") else UNKNOWN
            if isinstance(fresh, str) and fresh[:1].isdigit():
                fresh = f"model-{fresh}"
            args = args.with_values(model_id=next_model_id(old, args) if old is not None and stays else fresh)
        if not args.model_display_name:
            args = args.with_values(model_display_name=args.resource)
        known = args.is_known("project", "region", "model_id")
        args = args.with_values(model=f"{args.parent}/models/{args.model_id}" if known else UNKNOWN)
        args = with_query_name(args, old if stays else None)
        if held := held_rollout(old if stays else None, args):
            args = args.with_values(rollout_held=held)
        return args.with_values(deployment_plan=plan_text(old if stays else None, args))

    def check(
        self, given: Mapping[str, Any], old: CustomWeightsModelArgs | None, defaults: Defaults
    ) -> tuple[CustomWeightsModelArgs, list[Problem]]:
        """As for every endpoint; and an id that only Vertex AI may choose cannot be that of a new Model."""
        args, problems = super().check(given, old, defaults)
        id = given.get("model_id")
        fresh = not args.adopt and (old is None or old.model_id != id)
        if not problems and fresh and isinstance(id, str) and not MODEL_ID.fullmatch(id):
            problems = [Problem("model_id", f"{id!r} does not fit: write {MODEL_ID_FORM.write}")]
        if not problems and old is not None and (reason := same_id_problem(old, args)):
            problems = [Problem("model_id", reason)]
        if not problems and old is None and args.is_known("adopt") and args.adopt and given.get("query_model_id"):
            reason = "cannot be chosen while an endpoint is taken over: remove it, and give it once `up` has run"
            problems = [Problem("query_model_id", reason)]
        return args, problems

    def settled(self, args: CustomWeightsModelArgs, state: CustomWeightsModelState) -> bool:
        """Whether nothing is under way or left over, what serves has its traffic, and says who owns it."""
        wanted = args.rollout_held.percent if args.rollout_held and state.held_deployed_model_id else 100
        alone = args.parked or not state.deployed_model_id or state.traffic_percent == wanted
        under_way = state.rollout_under_way or state.operation or state.surplus_deployed_models
        return alone and not under_way and not lacks_ownership(args, state.ownership)

    def completed(
        self, given: Mapping[str, Any], args: CustomWeightsModelArgs, endpoint: Endpoint, context: Context
    ) -> CustomWeightsModelArgs:
        """The Model of an adopted endpoint is the one that it serves, unless the program says."""
        return args if given.get("model_id") else with_model_of(args, endpoint, context)

    def fixed(self, args: CustomWeightsModelArgs, endpoint: Endpoint) -> Iterator[Problem]:
        """What is asked for and differs from what the endpoint has."""
        yield from super().fixed(args, endpoint)
        yield from adoption_problems(args, endpoint)

    def changes(self, args: CustomWeightsModelArgs, endpoint: Endpoint, context: Context) -> list[str]:
        """What taking over changes, a line each."""
        return [*super().changes(args, endpoint, context), *model_changes(args, endpoint)]

    def create(self, args: CustomWeightsModelArgs, context: Context) -> tuple[str, CustomWeightsModelState]:
        """Deploy, or go on with the deployment that an interrupted run of ours began."""
        state = CustomWeightsModelState(claim=context.clock.request_id())
        context = guarded_creation(
            context,
            args,
            state.claim,
            ids_are_ours=has_derived_ids(args),
            derived=derived_model_ids(args),
            named=(args.model_id,),
        )
        try:
            return args.endpoint, self.converge(args, args, state, context, fresh=True)
        except NotOurs:
            try:
                give_back(args, state, context)
            except MgError as error:
                raise self._incomplete(error, args, state, context) from error
            raise

    def read(
        self, id: str, args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context
    ) -> Reading[CustomWeightsModelArgs, CustomWeightsModelState] | None:
        """The endpoint as it is. A missing deployment shows as zero replicas, a missing endpoint as one without a name.

        Gone is what has neither endpoint nor Model: a Model that outlived its endpoint goes with the resource.
        """
        endpoint = find_endpoint(args, context)
        if (unfinished := self._unfinished(args, state, endpoint, context)) is not None:
            return unfinished
        if endpoint is None:
            if not model_exists(args, self.guarded(context, args, args, state)):
                return None
            context.progress(f"the endpoint is gone, and {args.model} is still there")
            endpoint, state = Endpoint(), state.model_copy(update={"unlabelled": "asked"})
        seen = self._state(endpoint, args, state)
        if seen.deployed_model_id == state.deployed_model_id:
            # Autoscaling changes it all the time: as an output that followed, every refresh would show a change.
            seen.available_replica_count = state.available_replica_count
        model = find_model(place_of(args, context), args.model_id)
        return Reading(observed_model(args, endpoint, model), seen)

    def _unfinished(
        self,
        args: CustomWeightsModelArgs,
        state: CustomWeightsModelState,
        endpoint: Endpoint | None,
        context: Context,
    ) -> Reading[CustomWeightsModelArgs, CustomWeightsModelState] | None:
        """What is still being made, as the state has it: it is neither gone nor has it drifted."""
        if endpoint is not None and (state.deployed_model_id or not state.operation):
            return None
        operation = running(args, state.operation, context, begun=not state.deployed_model_id)
        if operation is None:
            return None
        context.progress("it is still being made: `pulumi up` waits for it")
        seen = state if endpoint is None else self._state(endpoint, args, state)
        return Reading(args, seen.model_copy(update={"operation": operation.name}))

    def remove(self, args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context) -> None:
        """Undeploy, delete the endpoint, delete the Model. What is gone already is fine."""
        stop_first_deployment(args, state, context, begun=not state.deployed_model_id)
        take_down(args, state, context)

    def guarded(
        self,
        context: Context,
        args: CustomWeightsModelArgs,
        old: CustomWeightsModelArgs,
        state: CustomWeightsModelState,
    ) -> Context:
        """The context of a model in the stack's state."""
        return guarded(
            context,
            args,
            old,
            state.claim,
            made=state.unlabelled == "accepted",
            unproved=state.unlabelled in ("accepted", "asked"),
            imported=imported_as(state.unlabelled),
            derived=derived_model_ids(old),
            named=(args.model_id, old.model_id),
        )

    def converge(
        self,
        args: CustomWeightsModelArgs,
        owner: CustomWeightsModelArgs,
        state: CustomWeightsModelState,
        context: Context,
        *,
        fresh: bool = False,
    ) -> CustomWeightsModelState:
        """Bring the cloud to what the arguments ask for from wherever an earlier run left it."""
        endpoint = find_endpoint(args, context)
        if endpoint is None:
            context.guard.nothing_there()
        else:
            self.may_take(args, owner, state.claim, endpoint, context)
            if args.parked and (now := available(own(endpoint, owner))):
                state = state.model_copy(update={"replicas_when_parked": now})
        # A rollout's own deployment is waited for, or ended, by the rollout; one call's by whoever makes that call.
        in_parts = args.parked or args.uploads
        first = (in_parts or not fresh) and not journal_of(endpoint).deployment
        if first and self._go_on(args, owner, state, context, begun=not fresh or endpoint is not None):
            endpoint = find_endpoint(args, context)
        if endpoint is None:
            endpoint = self._empty(args, state, context)
            if endpoint is not None and fresh and (endpoint.labels or {}).get(CLAIM_LABEL) != state.claim:
                self.may_take(args, owner, state.claim, endpoint, context)
                self._go_on(args, owner, state, context, begun=True)
                endpoint = find_endpoint(args, context)
        self._serve(args, owner, state, endpoint, context, fresh=fresh)
        try:
            endpoint = settle_endpoint(args, owner, state.claim, context)
            deployed = own(endpoint, args)
            if deployed is not None:
                mutate(args, deployed, args, context)
            settle_models(args, owner, context)
            return self._state(find_endpoint(args, context) or endpoint, args, state)
        except MgError as error:
            if isinstance(error, NotOurs) or (isinstance(error, Refused) and owner is not args):
                raise
            # A label that is not wanted any more may still be there: kept in the arguments, the next run removes it.
            labelled = args.with_values(labels={**owner.labels, **args.labels})
            raise self._incomplete(error, labelled, state, context) from error

    def _go_on(
        self,
        args: CustomWeightsModelArgs,
        owner: CustomWeightsModelArgs,
        state: CustomWeightsModelState,
        context: Context,
        *,
        begun: bool,
    ) -> bool:
        """Wait for the deployment that an earlier run began, or end it where nothing is to be served."""
        if args.parked:
            return stop_first_deployment(owner, state, context, begun=begun)
        try:
            return go_on(args, owner, state, context, begun=begun)
        except NotOurs:
            raise
        except MgError as error:
            waiting = state.model_copy(update={"operation": getattr(error, "operation", "")})
            ended = isinstance(error, OperationFailed)
            raise self._incomplete(error, owner, state if ended else waiting, context) from error

    def _empty(self, args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context) -> Endpoint | None:
        """An endpoint without a deployment, where Model Garden's deploy cannot make what is asked for; else None."""
        try:
            kept = endpoint_for_kept_model(args, state, context) if args.retain_model else None
            made_by_parts = args.parked or args.uploads or not deploys_from_nothing(args, context)
            if kept is not None or not made_by_parts:
                return kept
            # Whose the Model is, is known before anything is made.
            if (model := find_model(place_of(args, context), args.model_id)) is not None:
                context.guard.model(model)
            return empty_endpoint(args, state, context)
        except MayExist as error:
            waiting = state.model_copy(update={"operation": error.operation})
            raise self._incomplete(error.reason, args, waiting, context) from error
        except UNSETTLED as error:
            raise self._incomplete(error, args, state.model_copy(update={"operation": ""}), context) from error

    def _serve(
        self,
        args: CustomWeightsModelArgs,
        owner: CustomWeightsModelArgs,
        state: CustomWeightsModelState,
        endpoint: Endpoint | None,
        context: Context,
        *,
        fresh: bool,
    ) -> None:
        """Serve what is asked for: with one call where there is nothing, by a rollout where something serves."""
        serving = Serving(args, owner, state, context)
        missing = endpoint is None or not (own(endpoint, args) or (fresh and serving.ours(endpoint)))
        if missing and not args.parked and not rolls_out(owner, args):
            refuse_new_deployment(args, endpoint, context)
        if endpoint is None or (fresh and missing and not args.parked and not args.uploads):

            def keep(error: MgError, seen: CustomWeightsModelState) -> Incomplete:
                return self._incomplete(error, args, seen, context)

            resumed = FirstDeployment(args, state, context, keep, fresh).run()
            endpoint = find_endpoint(args, context)
            if endpoint is None or not (resumed or serving.is_stale() or own(endpoint, args) is None):
                return
        try:
            serving.settle(endpoint)
        except NotOurs:
            raise
        except MgError as error:
            raise self._cut_off(error, owner, state, context) from error

    def _cut_off(
        self, error: MgError, owner: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context
    ) -> MgError:
        """The error, with what exists kept in the stack's state unless all is as the state has it."""
        incomplete = self._incomplete(error, owner, state, context)
        seen = incomplete.state.encode()
        as_before = not seen["rollout_under_way"] and seen["deployed_model_id"] == state.deployed_model_id
        return error if as_before and not isinstance(error, UNSETTLED) else incomplete

    def _incomplete(
        self, error: MgError, args: CustomWeightsModelArgs, state: CustomWeightsModelState, context: Context
    ) -> Incomplete:
        try:
            endpoint = find_endpoint(args, context)
        except MgError:
            endpoint = None
        error.add_existing(args.endpoint, *model_if_any(args, context))
        known = state if endpoint is None else self._state(endpoint, args, state)
        labelled = endpoint is not None and args.owns(endpoint.labels)
        update = {"operation": state.operation, "unlabelled": "" if labelled else context.guard.unlabelled}
        return Incomplete(error, args.endpoint, args, known.model_copy(update=update))

    def _state(
        self, endpoint: Endpoint, args: CustomWeightsModelArgs, before: CustomWeightsModelState
    ) -> CustomWeightsModelState:
        deployed = own(endpoint, args) or DeployedModel()
        machine, journal, ours = machine_of(deployed), journal_of(endpoint), ids_of(endpoint, args)
        held = beside(endpoint, args, before, deployed.id or "")
        attachment = deployed.private_endpoints.service_attachment if deployed.private_endpoints else None
        return CustomWeightsModelState(
            deployed_model_id=deployed.id or "",
            dedicated_endpoint_dns=(endpoint.dedicated_endpoint_dns or "").removeprefix("https://"),
            service_attachment=attachment or "",
            available_replica_count=(deployed.status.available_replica_count if deployed.status else 0) or 0,
            traffic_percent=shares(endpoint).get(deployed.id or "", 0),
            rollout_under_way=journal.deployment,
            machine_type=(machine.machine_type if machine else "") or "",
            machine_spec_taken=machine or before.machine_spec_taken,
            held_deployed_model_id=held,
            replicas_when_parked=0 if deployed.id else before.replicas_when_parked or before.available_replica_count,
            container_logging=bool(deployed.enable_container_logging) if deployed.id else before.container_logging,
            surplus_deployed_models=[] if journal.deployment else sorted(set(ours) - {deployed.id, held}),
            unmanaged_deployed_models=sorted(
                entry.id for entry in endpoint.deployed_models or [] if entry.id and entry.id not in {*ours, held}
            ),
            ownership=ownership_of(endpoint),
            claim=(endpoint.labels or {}).get(CLAIM_LABEL) or before.claim,
            unlabelled="" if args.owns(endpoint.labels) else before.unlabelled,
        )
