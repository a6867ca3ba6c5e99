"""How a ``DedicatedEndpoint`` is made, read, changed and taken down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.api.errors import MgError, UserError
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs, left_behind
from mg_provider.resources.dedicated_endpoint.held import goes_back, held_models
from mg_provider.resources.dedicated_endpoint.observed import deployment_changes, observed_deployments, observed_traffic
from mg_provider.resources.dedicated_endpoint.plan import plan_texts
from mg_provider.resources.dedicated_endpoint.psc_automation import automations, tell_failures
from mg_provider.resources.dedicated_endpoint.rollouts import NamedModels
from mg_provider.resources.dedicated_endpoint.state import DedicatedEndpointState
from mg_provider.resources.endpoint.adoption import fixed_problem
from mg_provider.resources.endpoint.args import is_known_private, name_endpoint, private
from mg_provider.resources.endpoint.calls import (
    CREATE_SECONDS,
    DELETE_SECONDS,
    MayExist,
    delete_endpoint,
    find_endpoint,
    make_endpoint,
    undeploy,
)
from mg_provider.resources.endpoint.lifecycle import EndpointLifecycle
from mg_provider.resources.endpoint.machines import with_most_replicas
from mg_provider.resources.endpoint.ownership import (
    guarded,
    guarded_creation,
    imported_as,
    lacks_ownership,
    ownership_of,
)
from mg_provider.resources.endpoint.served_model import assign, is_our_deployment_id, machine_type
from mg_provider.resources.endpoint.settings import Refused, observed_endpoint, settle_endpoint, with_drift
from mg_provider.resources.endpoint.teardown import gone_for_good, still_deployed
from mg_provider.resources.endpoint.under_way import stop, under_way
from mg_provider.resources.model.args import Problem, mark_of
from mg_provider.resources.model.diff import compare
from mg_provider.resources.model.identity import CLAIM_LABEL, ENDPOINT_ID
from mg_provider.resources.model.lifecycle import Context, Incomplete, NotOurs, Reading, kept
from mg_provider.resources.model.marks import Local
from mg_provider.resources.model.standing import fixed_in
from mg_provider.resources.model.unknown import UNKNOWN, Unknown
from mg_provider.rollout.place import deploys, running_operation
from mg_provider.rollout.rollout import RolledBack
from mg_provider.wire.base import same
from mg_provider.wire.vertex.endpoint import Endpoint


class DedicatedEndpointLifecycle(EndpointLifecycle[DedicatedEndpointArgs, DedicatedEndpointState]):
    """Makes the endpoint, then deploys, shifts traffic and undeploys until it serves what is asked for.

    IAM: ``aiplatform.endpoints.*`` (create, get, update, deploy, undeploy, delete), ``aiplatform.models.get`` and
    ``aiplatform.models.deploy``.
    """

    args_type = DedicatedEndpointArgs
    state_type = DedicatedEndpointState

    def name(self, args: DedicatedEndpointArgs, old: DedicatedEndpointArgs | None) -> DedicatedEndpointArgs:
        """Name the endpoint after the resource; one that is not replaced keeps its id."""
        if args.deployed_models and not isinstance(args.deployed_models, Unknown):
            served = {name: with_most_replicas(model) for name, model in args.deployed_models.items()}
            args = args.with_values(deployed_models=served)
        if args.dedicated_endpoint_enabled is None:
            args = args.with_values(dedicated_endpoint_enabled=_is_public(args, old))
        stays = kept(old, args, "endpoint_id")
        args = name_endpoint(args, old)
        if held := held_models(old if stays else None, args):
            args = args.with_values(rollouts_held=held)
        return args.with_values(deployment_plan=plan_texts(old if stays else None, args))

    def refuse(self, old: DedicatedEndpointArgs, new: DedicatedEndpointArgs, state: DedicatedEndpointState) -> None:
        """Refuse to move to another region or project with a Model that is named where the endpoint was.

        Raises:
            UserError: One is.
        """
        if reason := left_behind(old, new):
            raise UserError(
                reason,
                property="deployed_models",
                hint="name a Model that is where the endpoint goes; to serve this one from there all the same, make "
                "another DedicatedEndpoint beside this one",
            )

    def completed(
        self, given: Mapping[str, Any], args: DedicatedEndpointArgs, endpoint: Endpoint, context: Context
    ) -> DedicatedEndpointArgs:
        """Whether an adopted endpoint has its own public name is as it is, unless the program says."""
        if given.get("dedicated_endpoint_enabled") is not None:
            return args
        return args.with_values(dedicated_endpoint_enabled=bool(endpoint.dedicated_endpoint_enabled))

    def fixed(self, args: DedicatedEndpointArgs, endpoint: Endpoint) -> Iterator[Problem]:
        """What is asked for and differs from what the endpoint has, and can never be changed on it."""
        yield from super().fixed(args, endpoint)
        for name, path in fixed_in(DedicatedEndpointArgs, "endpoint").items():
            wanted, actual = getattr(args, name), getattr(endpoint, path)
            if bool(wanted) != bool(actual) or not same(wanted, actual):
                yield fixed_problem(name, actual)

    def changes(self, args: DedicatedEndpointArgs, endpoint: Endpoint, context: Context) -> list[str]:
        """What taking over changes, a line each."""
        ids = self._assign(args, args, DedicatedEndpointState(), endpoint)
        return [*super().changes(args, endpoint, context), *deployment_changes(args, ids, endpoint)]

    def settled(self, args: DedicatedEndpointArgs, state: DedicatedEndpointState) -> bool:
        """Whether the endpoint still says who owns it, and nothing of it is still being made."""
        return not (state.operation or lacks_ownership(args, state.ownership))

    def create(self, args: DedicatedEndpointArgs, context: Context) -> tuple[str, DedicatedEndpointState]:
        """Make the endpoint and deploy onto it, or go on where an interrupted run of ours stopped."""
        state = DedicatedEndpointState(claim=context.clock.request_id())
        return args.endpoint, self.converge(args, args, state, guarded_creation(context, args, state.claim))

    def read(
        self, id: str, args: DedicatedEndpointArgs, state: DedicatedEndpointState, context: Context
    ) -> Reading[DedicatedEndpointArgs, DedicatedEndpointState] | None:
        """The endpoint as it is. A missing deployment is missing from ``deployed_models``."""
        endpoint = find_endpoint(args, context)
        if (endpoint is None or state.operation) and (operation := under_way(args, state.operation, context)):
            context.progress("it is still being made: `pulumi up` waits for it")
            return Reading(args, state.model_copy(update={"operation": operation.name}))
        if endpoint is None:
            return None
        state = self._state(endpoint, args, state.deployed_model_ids, state)
        if state.unmanaged_deployed_models:
            context.progress(f"note: deployed by others: {', '.join(state.unmanaged_deployed_models)}")
        tell_failures(endpoint, context.progress)
        return Reading(self._observed(args, endpoint, state), state)

    def remove(self, args: DedicatedEndpointArgs, state: DedicatedEndpointState, context: Context) -> None:
        """Undeploy every model of ours, then delete the endpoint. What is gone already is fine."""
        stop(args, state.operation, context.limit(args.timeouts.delete, DELETE_SECONDS), context)
        endpoint = find_endpoint(args, context)
        if endpoint is None:
            return
        unmanaged = self._state(endpoint, args, state.deployed_model_ids, state).unmanaged_deployed_models
        kept = set() if args.remove_unmanaged_deployed_models else set(unmanaged)
        present = [entry.id for entry in endpoint.deployed_models or [] if entry.id]
        undeploy(args, sorted(set(present) - kept), context)
        if kept:
            raise still_deployed(args, [entry for entry in endpoint.deployed_models or [] if entry.id in kept])
        delete_endpoint(args, context)

    def guarded(
        self, context: Context, args: DedicatedEndpointArgs, old: DedicatedEndpointArgs, state: DedicatedEndpointState
    ) -> Context:
        """The context of an endpoint in the stack's state."""
        return guarded(context, args, old, state.claim, imported=imported_as(state.unlabelled))

    def converge(
        self,
        args: DedicatedEndpointArgs,
        old: DedicatedEndpointArgs,
        state: DedicatedEndpointState,
        context: Context,
    ) -> DedicatedEndpointState:
        """Bring the cloud to what the arguments ask for from wherever an earlier run left it."""
        endpoint = find_endpoint(args, context)
        if endpoint is None and not ENDPOINT_ID.fullmatch(args.endpoint_id):
            raise gone_for_good(args)
        if endpoint is None:
            endpoint = self._make(args, state, context)
        self.may_take(args, old, state.claim, endpoint, context)
        known = {**state.deployed_model_ids, **state.held_deployed_model_ids}
        models = NamedModels(args, old, known, context, state.replicas_when_parked)
        try:
            self._settle_operations(args, context)
            endpoint = settle_endpoint(args, old, state.claim, context)
            ids = self._assign(args, old, state, endpoint)
            if args.parked and (replicas := models.replicas(endpoint)):
                state = state.model_copy(update={"replicas_when_parked": replicas})
            endpoint = models.settle(ids)
            state = state.model_copy(update={"held_deployed_model_ids": models.held()})
            undeploy(args, self._unwanted(args, ids, state, endpoint), context)
            endpoint = find_endpoint(args, context) or endpoint
            tell_failures(endpoint, context.progress)
            return self._state(endpoint, args, ids, state)
        except NotOurs:
            raise
        except MgError as error:
            raise self._failed(error, models, state, context) from error

    def _failed(self, error: MgError, models: NamedModels, state: DedicatedEndpointState, context: Context) -> MgError:
        """The error, with what exists kept in the stack's state, unless all is as the state has it or not ours."""
        args, old = models.args, models.old
        try:
            endpoint = find_endpoint(args, context)
        except MgError:
            endpoint = None
        untouched = isinstance(error, Refused) and old is not args
        strange = endpoint is not None and args.adopting and not args.owns(endpoint.labels)
        if untouched or strange:
            return error
        error.add_existing(args.endpoint)
        kept, seen = old, state
        if endpoint is not None:
            kept, ids = models.actual(endpoint)
            seen = self._state(endpoint, kept, ids, state)
        if isinstance(error, RolledBack) and seen == state and not _is_changed(old, kept):
            return error
        # A label that is not wanted any more may still be there: kept in the arguments, the next run removes it.
        kept = kept.with_values(labels={**old.labels, **args.labels})
        return Incomplete(error, args.endpoint, kept, seen)

    def _make(self, args: DedicatedEndpointArgs, state: DedicatedEndpointState, context: Context) -> Endpoint:
        try:
            return make_endpoint(args, args.wire(state.claim), state.operation, context)
        except MayExist as error:
            error.reason.add_existing(args.endpoint)
            waiting = DedicatedEndpointState(claim=state.claim, operation=error.operation)
            raise Incomplete(error.reason, args.endpoint, args, waiting) from error

    def _settle_operations(self, args: DedicatedEndpointArgs, context: Context) -> None:
        """Let a deployment that an interrupted run started come to its end, well or badly."""
        while (operation := running_operation(args.endpoint, deploys, context)) is not None:
            context.progress("going on with the deployment that is running")
            try:
                context.wait(operation, context.limit(args.timeouts.create, CREATE_SECONDS), "deploying")
            except MgError as error:
                context.progress(f"it failed: {error.summary}")
                if context.cancelled() or not getattr(error, "reason", None):
                    raise

    def _assign(
        self,
        args: DedicatedEndpointArgs,
        old: DedicatedEndpointArgs,
        state: DedicatedEndpointState,
        endpoint: Endpoint,
    ) -> dict[str, str]:
        """The deployment of each name; what an adopted endpoint has may be taken over while nothing is known of it."""
        present = {entry.id: entry for entry in endpoint.deployed_models or [] if entry.id}
        free = present if args.adopting and not state.known else {}
        known, before = dict(state.deployed_model_ids), dict(old.deployed_models)
        for name, id in state.held_deployed_model_ids.items():
            if name in args.running and goes_back(old, args, name):
                known[name], before[name] = id, old.rollouts_held[name].before
        return assign(args.endpoint_id, args.running, known, before, present, tuple(free))

    def _unwanted(
        self, args: DedicatedEndpointArgs, ids: Mapping[str, str], state: DedicatedEndpointState, endpoint: Endpoint
    ) -> list[str]:
        """What is to be undeployed: what is ours and has no name any more, and the rest only if that is asked for."""
        seen = self._state(endpoint, args, ids, state)
        unmanaged = seen.unmanaged_deployed_models if args.remove_unmanaged_deployed_models else []
        return [*seen.leftover_deployed_models, *unmanaged]

    def _state(
        self, endpoint: Endpoint, args: DedicatedEndpointArgs, ids: Mapping[str, str], before: DedicatedEndpointState
    ) -> DedicatedEndpointState:
        deployed = {entry.id: entry for entry in endpoint.deployed_models or [] if entry.id}
        named = {name: id for name, id in ids.items() if id in deployed}
        beside = {
            name: id
            for name, id in before.held_deployed_model_ids.items()
            if id in deployed and name in named and name in args.rollouts_held
        }
        others = sorted(set(deployed) - {*named.values(), *beside.values()})
        leftover = [id for id in others if id in before.known or is_our_deployment_id(args.endpoint_id, id)]
        attachments = [
            entry.private_endpoints.service_attachment for entry in deployed.values() if entry.private_endpoints
        ]
        return DedicatedEndpointState(
            deployed_model_ids=named,
            machine_types={name: machine for name, id in named.items() if (machine := machine_type(deployed[id]))},
            unmanaged_deployed_models=[id for id in others if id not in leftover],
            leftover_deployed_models=leftover,
            held_deployed_model_ids=beside,
            replicas_when_parked={
                name: count for name, count in before.replicas_when_parked.items() if name not in named
            },
            dedicated_endpoint_dns=(endpoint.dedicated_endpoint_dns or "").removeprefix("https://"),
            service_attachment=next((entry for entry in attachments if entry), ""),
            psc_automation=automations(endpoint),
            ownership=ownership_of(endpoint),
            claim=(endpoint.labels or {}).get(CLAIM_LABEL) or before.claim,
            unlabelled="" if args.owns(endpoint.labels) else before.unlabelled,
        )

    def _observed(
        self, args: DedicatedEndpointArgs, endpoint: Endpoint, state: DedicatedEndpointState
    ) -> DedicatedEndpointArgs:
        """The arguments that would give what is there."""
        names = {id: name for name, id in state.deployed_model_ids.items()}
        names |= {id: f"leftover-{id}" for id in state.leftover_deployed_models}
        if args.remove_unmanaged_deployed_models:
            names |= {id: f"unmanaged-{id}" for id in state.unmanaged_deployed_models}
        served = observed_deployments(args.deployed_models, names, endpoint)
        observed = with_drift(args, observed_endpoint(args, endpoint))
        if args.parked and served:
            observed = observed.with_values(parked=False)
        if served != args.running:
            observed = observed.with_values(deployed_models=served)
        beside = {id: name for name, id in state.held_deployed_model_ids.items()}
        return observed_traffic(observed, args, names | beside, endpoint)


def _is_changed(old: DedicatedEndpointArgs, now: DedicatedEndpointArgs) -> bool:
    """Whether something in the cloud is not what it was in the last run."""
    return any(not isinstance(mark_of(type(now), name), Local) for name in compare(old, now).fields)


def _is_public(args: DedicatedEndpointArgs, old: DedicatedEndpointArgs | None) -> bool | Unknown:
    """Whether the endpoint has its own public name where the program leaves that open: as before, else if it can."""
    config = args.private_service_connect_config
    if not is_known_private(config) or not args.is_known("network"):
        return UNKNOWN
    public = not private(config) and not args.network
    if old is not None and isinstance(old.dedicated_endpoint_enabled, bool):
        alike = private(old.private_service_connect_config) == private(config) and bool(old.network) == bool(
            args.network
        )
        return old.dedicated_endpoint_enabled if alike else public
    return public
