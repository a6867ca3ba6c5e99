"""What a model's endpoint serves, brought to what is asked for: rolled out, taken back, parked, resumed, tidied up.

Each run begins with what is on the endpoint, so that it does not matter where an earlier one was cut off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mg_provider.api.errors import OperationFailed
from mg_provider.resources.custom_weights_model.adoption import model_id_of
from mg_provider.resources.custom_weights_model.held import goes_back, served_before
from mg_provider.resources.custom_weights_model.ids import (
    deployment_id,
    derived_model_ids,
    is_known,
    model_labels,
    wanted_ids,
)
from mg_provider.resources.custom_weights_model.models import (
    check_weights,
    is_stale,
    model_to_upload,
    release_model,
    uploadable,
)
from mg_provider.resources.custom_weights_model.plan import rolls_out
from mg_provider.resources.endpoint.calls import UPDATE_SECONDS, place_of
from mg_provider.resources.endpoint.capacity import NoCapacity, first_available, ordered
from mg_provider.resources.endpoint.failures import explain_failure
from mg_provider.resources.endpoint.machines import unlike
from mg_provider.resources.endpoint.plan.probing import prober, weights_of_google
from mg_provider.resources.endpoint.served_model import is_our_deployment_id, is_same_model
from mg_provider.resources.model.identity import ENDPOINT_LABEL
from mg_provider.rollout.capacity import Capacity, at_zero, raised, replicas_serving
from mg_provider.rollout.deploying import deploy, stop_deploying
from mg_provider.rollout.journal import Journal, journal_of, write_journal
from mg_provider.rollout.models import (
    delete_model_at,
    find_model,
    labelled_models,
    patch_labels,
    served_elsewhere,
    upload,
)
from mg_provider.rollout.place import Place, deploys, running_operation
from mg_provider.rollout.query_id import query_id
from mg_provider.rollout.rollout import CannotDeploy, RolledBack, Rollout
from mg_provider.rollout.traffic import settle_traffic_at, shares, undeploy_at
from mg_provider.wire.base import without_outputs
from mg_provider.wire.vertex.deployed_model import DeployedModel, FasterDeploymentConfig, RolloutOptions
from mg_provider.wire.vertex.machine import MachineSpec
from mg_provider.wire.vertex.model import Model

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs, CustomWeightsModelState
    from mg_provider.resources.model.lifecycle import Context
    from mg_provider.wire.vertex.endpoint import Endpoint

# Ids that a caller may give; those that Vertex AI chooses are longer.
_LONGEST_ID = 10


@dataclass(frozen=True)
class Serving:
    """One run's work on what an endpoint serves.

    Attributes:
        args: What is asked for.
        old: What was wanted in the last run that went well; ``args`` itself in a creation.
        state: What the last run knew.
        context: Of the call.
    """

    args: CustomWeightsModelArgs
    old: CustomWeightsModelArgs
    state: CustomWeightsModelState
    context: Context

    @property
    def place(self) -> Place:
        """The endpoint."""
        seconds = self.context.limit(self.args.timeouts.update, UPDATE_SECONDS)
        place = place_of(self.args, self.context)
        return Place(place.endpoint, place.resource, self.context, seconds, place.change_seconds)

    def settle(self, endpoint: Endpoint) -> None:
        """Serve what is asked for, alone, whatever serves now.

        Raises:
            RolledBack: What was asked for failed, and what served before serves again.
            MgError: It was interrupted; the next run goes on.
        """
        journal = journal_of(endpoint)
        if journal.deployment and (self.args.parked or journal.deployment not in self.ids):
            stop_deploying(self.place)
        elif journal.deployment:
            self._wait_for_running()
        if journal.deployment:
            endpoint = self.context.clients.vertex.get_endpoint(self.args.endpoint)
        ours = self.ours(endpoint)
        self._take_lost(ours)
        changes = rolls_out(self.old, self.args) or bool(journal.deployment)
        stale = (changes or self.old is self.args) and self.is_stale()
        wanted = None if stale else self.fitting(ours)
        others = [id for id in ours if id != wanted]
        capacity = self._capacity(journal, ours, endpoint)
        if self.args.parked:
            self._park(ours)
        elif wanted is None and not ours:
            self._deploy_again(capacity)
        elif wanted is None or (others and self._moves(wanted, others, journal, endpoint)):
            self._replace(ours[self._base(others, endpoint)], others, capacity)
        elif others and self.args.rollout_held and not goes_back(self.old, self.args):
            self.context.progress(f"the rollout is held at {self.args.rollout_held.percent} %")
        else:
            self._stay(wanted, others, capacity, changes=changes, misdirected=shares(endpoint) != {wanted: 100})
        if others or wanted is None or changes or self.old.rollout_held:
            held = [self.before.model_id] if self.args.rollout_held else []
            self.tidy(endpoint, {self.args.model_id, *held})

    @property
    def before(self) -> CustomWeightsModelArgs:
        """What was wanted before a rollout that is held; the last run's arguments where none is."""
        return served_before(self.old)

    def _moves(self, wanted: str, others: list[str], journal: Journal, endpoint: Endpoint) -> bool:
        """Whether traffic is to move to what is asked for, which is there already beside others."""
        if goes_back(self.old, self.args):
            return False
        held = self.args.rollout_held
        at_rest = len(others) == 1 and not journal.deployment
        there = held is not None and at_rest and shares(endpoint).get(wanted, 0) == held.percent
        return rolls_out(self.old, self.args) or (self.old.rollout_held is not None and not there)

    @property
    def ids(self) -> list[str]:
        """The ids that the wanted deployment may have, one for each choice of machine."""
        return wanted_ids(self.args)

    def ours(self, endpoint: Endpoint) -> dict[str, DeployedModel]:
        """The deployments that are this resource's: by their ids, which it made, or by their Model, which it made."""
        present = {entry.id: entry for entry in endpoint.deployed_models or [] if entry.id}
        before = served_before(self.args).model_id
        journal = journal_of(endpoint)
        models = {self.args.model_id, self.old.model_id, before, journal.model_id, *derived_model_ids(self.args)}
        return {
            id: entry
            for id, entry in present.items()
            if is_known(self.args, self.state, id) or model_id_of(entry) in models or self._is_lost(entry)
        }

    def _is_lost(self, entry: DeployedModel) -> bool:
        """Whether a creation that no state remembers deployed it, of a Model that is this resource's."""
        if self.old is not self.args or self.state.deployed_model_id or self.args.adopting:
            return False
        model = find_model(self.place, model_id_of(entry))
        return model is not None and self.context.guard.proves_model(model)

    def _take_lost(self, ours: Mapping[str, DeployedModel]) -> None:
        """Label the Models of a creation that no state remembers, so that each later run finds them."""
        lost = {model_id_of(entry) for entry in ours.values() if self._is_lost(entry)} - {self.args.model_id}
        for id in sorted(lost):
            self.context.progress(f"going on from {id}, which an interrupted run deployed")
            patch_labels(self.place, id, {**self.args.ownership, ENDPOINT_LABEL: self.args.endpoint_id})

    def fitting(self, ours: Mapping[str, DeployedModel]) -> str | None:
        """The deployment among ours that matches what is asked for, in everything that is fixed while it runs."""
        fitting = [id for id, entry in ours.items() if self._fits(entry)]
        known = [id for id in fitting if id == self.state.deployed_model_id or id in self.ids]
        return next(iter([*known, *fitting]), None)

    def _fits(self, entry: DeployedModel) -> bool:
        args, old = self.args, self.before
        quick = bool((entry.faster_deployment_config or FasterDeploymentConfig()).fast_tryout_enabled)
        derived = is_our_deployment_id(args.endpoint_id, entry.id or "")
        return (
            is_same_model(args.model, entry)
            and {"service_account", "fast_tryout_enabled"}.issuperset(unlike(args, entry))
            and _named(args.service_account, old.service_account, entry.service_account or "")
            # Google does not show it for what Model Garden deployed.
            and args.fast_tryout_enabled == (quick if derived or quick else old.fast_tryout_enabled)
        )

    def _base(self, others: list[str], endpoint: Endpoint) -> str:
        """The deployment to leave: the one of the last run, or else the one with the most traffic."""
        split = shares(endpoint)
        if self.state.held_deployed_model_id in others:
            return self.state.held_deployed_model_id
        known = self.state.deployed_model_id
        return max(others, key=lambda id: (split.get(id, 0), id == known, id))

    def _wait_for_running(self) -> None:
        """Let a deployment that an interrupted run began come to its end; badly is for the rollout to find out."""
        while (operation := running_operation(self.args.endpoint, deploys, self.context)) is not None:
            self.context.progress("going on with the deployment that is running")
            try:
                self.context.wait(operation, self.place.deploy_seconds, "deploying")
            except OperationFailed as error:
                self.context.progress(f"it failed: {error.summary}")

    def _park(self, ours: Mapping[str, DeployedModel]) -> None:
        undeploy_at(self.place, ours)
        self._make_model(self._machines())

    def _capacity(self, journal: Journal, ours: Mapping[str, DeployedModel], endpoint: Endpoint) -> Capacity:
        """What serves now, or served when an interrupted rollout began, or when it was parked."""
        split = shares(endpoint)
        now = replicas_serving(entry for id, entry in ours.items() if split.get(id)) or self.state.replicas_when_parked
        before = self.before
        if not before.min_replica_count and before.scale_to_zero_spec is None:
            # This is how a refresh showed that nothing was deployed.
            before = before.with_values(min_replica_count=1)
        return Capacity(self.place, self.args.resources(), before.resources(), journal.replicas or now)

    def _stay(self, wanted: str, others: list[str], capacity: Capacity, *, changes: bool, misdirected: bool) -> None:
        """What is asked for is there already: nothing to change, or an interrupted change is not wanted any more."""
        if others:
            write_journal(self.place, Journal(wanted, self.args.model_id, capacity.replicas))
            capacity.hold(wanted)
        if misdirected:
            settle_traffic_at(self.place, {wanted: 100})
        undeploy_at(self.place, others)
        if others or changes:
            capacity.release(wanted, capacity.new)

    def _deploy_again(self, capacity: Capacity) -> None:
        """Deploy on an endpoint that serves nothing of this resource, with as many replicas as served there before."""
        machines = self._machines()
        write_journal(self.place, Journal(self.ids[0], self.args.model_id, capacity.replicas))
        self._make_model(machines)
        capacity.release(self._deploy(machines, {"0": 100}, capacity), capacity.new)

    def _replace(self, base: DeployedModel, others: list[str], capacity: Capacity) -> None:
        """Roll out from ``base`` to what is asked for; what an earlier rollout left besides goes first."""
        leftover = [id for id in others if id != base.id]
        machines = self._machines()
        write_journal(self.place, Journal(self.ids[0], self.args.model_id, capacity.replicas))
        if leftover and base.id:
            capacity.hold(base.id)
            settle_traffic_at(self.place, {base.id: 100})
            undeploy_at(self.place, leftover)
        same_id, before = self.is_stale(), find_model(self.place, model_id_of(base))
        if not same_id:
            self._make_model(machines, before)

        def put(split: Mapping[str, int] | None, options: RolloutOptions | None) -> str:
            if same_id:
                self._make_model(machines, before)
            return self._deploy(machines, split, capacity, options, base)

        def restore(split: Mapping[str, int] | None, options: RolloutOptions | None) -> str:
            return self._restore(base, before if same_id else None, split, capacity)

        rollout = self.args.rollout_or_default
        plan = Rollout(
            place=self.place,
            # At zero nothing serves, and Google deploys nothing beside it.
            strategy="recreate" if same_id or at_zero(base) else rollout.strategy,
            steps=tuple(rollout.steps),
            old=base.id or "",
            new=tuple(self.ids),
            deploy=put,
            restore=restore,
            check=prober(self.args, rollout, self.context, lambda: weights_of_google(self.args)),
            options=rollout.options(),
            capacity=capacity,
            hold=self.args.rollout_held.percent if self.args.rollout_held else 0,
        )
        try:
            plan.run()
        except RolledBack:
            endpoint = self.context.clients.vertex.get_endpoint(self.args.endpoint)
            self.tidy(endpoint, {model_id_of(base)})
            raise

    def _machines(self) -> list[MachineSpec | None]:
        """The machines to try, in order. Other weights must pass the checks first."""
        args = self.args
        uploaded = find_model(self.place, args.model_id) is not None
        recommended = None if uploaded else check_weights(args, args.choices(), self.context)
        choices = ordered(args.choices(), self.state.machine_spec_taken)
        return [*choices] or [recommended or self.state.machine_spec_taken]

    def deployed(self, machine: MachineSpec | None, id: str | None, base: DeployedModel | None = None) -> DeployedModel:
        """The deployment as ``endpoints.deployModel`` takes it. What no argument says stays as ``base`` has it."""
        args = self.args if machine is None else self.args.on(machine)
        logs = self.state.container_logging if base is None else bool(base.enable_container_logging)
        return args.deployed(
            id=id, model=args.model, display_name=args.model_display_name, enable_container_logging=logs
        )

    def _deploy(
        self,
        machines: list[MachineSpec | None],
        split: Mapping[str, int] | None,
        capacity: Capacity,
        options: RolloutOptions | None = None,
        base: DeployedModel | None = None,
    ) -> str:
        deployed = self.place.deployments()
        present = [id for id in self.ids if id in deployed]
        if present:
            return present[0]

        def attempt(machine: MachineSpec | None) -> str:
            id = deployment_id(self.args, machine if self.args.choices() else None)
            wanted = self.deployed(machine, id, base)
            machines = raised(wanted.dedicated_resources or capacity.new, capacity.replicas)
            wanted = wanted.model_copy(update={"dedicated_resources": machines, "rollout_options": options})
            deploy(self.place, wanted, split)
            return id

        self.context.progress(f"deploying {self.args.model}")
        try:
            return first_available(machines, attempt, self.context)
        except OperationFailed as error:
            token = self.args.hugging_face_access_token
            explain_failure(error, self.args.endpoint, self.context, secrets=(token,))
            raise
        except NoCapacity as error:
            raise CannotDeploy(error.summary, hint=error.advice) from error

    def _restore(
        self, base: DeployedModel, before: Model | None, split: Mapping[str, int] | None, capacity: Capacity
    ) -> str:
        """Deploy what served before, again. Its Model is uploaded again where the new one had its id."""
        if before is not None:
            delete_model_at(self.place, model_id_of(base))
            upload(self.place, model_id_of(base), uploadable(before))
        id = base.id or ""
        if len(id) > _LONGEST_ID:
            id = deployment_id(self.before, base.dedicated_resources.machine_spec if base.dedicated_resources else None)
        asked, shown = self.before.deployed(), without_outputs(base)
        hidden = {name: getattr(asked, name) for name in asked.model_fields_set if getattr(shown, name) is None}
        machines = raised(shown.dedicated_resources or capacity.old, capacity.replicas)
        again = shown.model_copy(update={**hidden, "id": id, "dedicated_resources": machines, "rollout_options": None})
        deploy(self.place, again, split)
        return id

    def is_stale(self) -> bool:
        """Whether the Model with the wanted id was made of something else, so that it has to be made again."""
        return is_stale(find_model(self.place, self.args.model_id), self.args, self.old)

    def _make_model(self, machines: list[MachineSpec | None], before: Model | None = None) -> None:
        """Upload the Model, unless it is there; one with the same id and other weights goes first."""
        args, place = self.args, self.place
        there = find_model(place, args.model_id)
        if is_stale(there, args, self.old):
            delete_model_at(place, args.model_id)
        elif there is not None:
            place.guard.model(there)
            return
        model = model_to_upload(args, machines, query_id(before), self.context)
        write_journal(place, Journal(self.ids[0], args.model_id))
        upload(place, args.model_id, model.model_copy(update={"labels": model_labels(args)}))

    def tidy(self, endpoint: Endpoint, keep: Collection[str]) -> None:
        """Delete the Models that nothing needs any more, and close the journal.

        Args:
            endpoint: As it was when the run began.
            keep: The Models that stay.
        """
        journal = journal_of(self.context.clients.vertex.get_endpoint(self.args.endpoint))
        for id in sorted(set(self.model_ids(endpoint, journal)) - {*keep}):
            model = find_model(self.place, id)
            served = model is not None and served_elsewhere(model, self.args.endpoint)
            if served:
                self.context.progress(f"kept: {id}, which another endpoint serves")
            elif self.args.retain_model and id == self.old.model_id:
                release_model(self.args, id, self.context)
            else:
                delete_model_at(self.place, id)
        write_journal(self.place, Journal())

    def model_ids(self, endpoint: Endpoint | None, journal: Journal) -> Iterator[str]:
        """The ids of every Model that this resource made or was making."""
        held = (served_before(args).model_id for args in (self.args, self.old))
        yield from filter(None, (self.args.model_id, self.old.model_id, journal.model_id, *held))
        for id, entry in (self.ours(endpoint) if endpoint else {}).items():
            if is_our_deployment_id(self.args.endpoint_id, id):
                yield model_id_of(entry)
        before = [] if self.old.ownership == self.args.ownership else [self.old.ownership]
        for labels in (self.args.ownership, *before):
            for model in labelled_models(self.place, labels):
                if self.context.guard.has_model(model):
                    yield (model.name or "").rpartition("/")[2]


def _named(wanted: str, before: str, actual: str) -> bool:
    """Whether a deployment has what is asked for; where nothing is, Google's own choice is right, ours is not."""
    return actual == wanted if wanted else not before or actual != before
