"""What an endpoint with models of its own serves, brought to what is asked for, one name after the other.

A name whose model, machine or anything else that is fixed changes is rolled out: its new deployment comes beside the
old one, takes over that name's share of the traffic in steps, each probed, and goes back by itself. At most one such
pair runs at a time. Names that get more of the traffic, or as much, are replaced before the traffic changes, those that
get less afterwards, so that no deployment ever has to answer more than it was or will be made for.

Each run begins with what is on the endpoint, so that it does not matter where an earlier one was cut off: a
deployment's id says what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from mg_provider.api.errors import OperationFailed
from mg_provider.resources.endpoint.calls import mutate, place_of
from mg_provider.resources.endpoint.capacity import NoCapacity, first_available
from mg_provider.resources.endpoint.failures import explain_failure
from mg_provider.resources.endpoint.plan.probing import prober, weights_of_model
from mg_provider.resources.endpoint.served_model import is_our_deployment_id, our_deployment_id
from mg_provider.rollout.capacity import Capacity, at_zero, available, raised
from mg_provider.rollout.deploying import deploy
from mg_provider.rollout.journal import Journal, journal_of, write_journal
from mg_provider.rollout.rollout import CannotDeploy, RolledBack, Rollout
from mg_provider.rollout.traffic import NEW, settle_traffic_at, shares, spread, undeploy_at
from mg_provider.wire.base import without_outputs
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.machine import DedicatedResources

if TYPE_CHECKING:
    from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
    from mg_provider.resources.endpoint.served_model import ServedModel
    from mg_provider.resources.model.lifecycle import Context
    from mg_provider.rollout.place import Place
    from mg_provider.wire.vertex.deployed_model import RolloutOptions
    from mg_provider.wire.vertex.endpoint import Endpoint
    from mg_provider.wire.vertex.machine import MachineSpec

# Ids that a caller may give; those that Vertex AI chooses are longer.
_LONGEST_ID = 10


@dataclass
class NamedModels:
    """One run's work on the named models of an endpoint.

    Attributes:
        args: What is asked for.
        old: What was wanted in the last run that went well; ``args`` itself in a creation.
        known: The deployment of each name after the last run, or where a rollout is held, the one that served before
            it. One that had to be made again is put in here.
        context: Of the call.
        parked: Replicas of each name that served when it was parked.
        ids: The deployment that each name is to have, as soon as that is known.
        stopped: The names whose rollout has come to where it is held.
    """

    args: DedicatedEndpointArgs
    old: DedicatedEndpointArgs
    known: dict[str, str]
    context: Context
    parked: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)

    @property
    def place(self) -> Place:
        """The endpoint."""
        return place_of(self.args, self.context)

    def settle(self, ids: Mapping[str, str]) -> Endpoint:
        """Serve each name by its deployment, with its share of the traffic. What has no name is left where it is.

        Raises:
            RolledBack: The new deployment of a name failed, and the old one serves; the names that came before it in
                the alphabet are changed, and the others are not.
            MgError: It was interrupted; the next run goes on.
        """
        self.ids = ids
        split = self._clear()
        less = {name for name in ids if self.args.shares.get(name, 0) < self._has(name, split)}
        for name in sorted(self.replaced() - less):
            self._roll_out(name)
        for name in sorted(ids):
            if split and self._is_rolled_in(name):
                self._roll_out(name)
        later = self.replaced()
        for name in sorted(ids.keys() - later):
            self._deploy_missing(name)
        # What has no traffic yet keeps its replicas until it has.
        late = less | {name for name in ids if ids[name] not in self.known.values()}
        self._mutate(ids.keys() - late)
        endpoint = self._settle_traffic()
        if later:
            stay = {self.known[name] for name in (*later, *self.stopped)}
            undeploy_at(self.place, sorted(self._ours() - set(ids.values()) - stay))
        for name in sorted(later):
            self._roll_out(name)
        self._mutate(late)
        return self._settle_traffic() if later else endpoint

    def held(self) -> dict[str, str]:
        """The deployments that have the rest of the traffic of names whose rollout is held."""
        return {name: self.known[name] for name in sorted(self.stopped)}

    def replicas(self, endpoint: Endpoint) -> dict[str, int]:
        """How many replicas of each name serve now."""
        present = _present(endpoint)
        return {name: count for name, id in self.known.items() if (count := available(present.get(id)))}

    def actual(self, endpoint: Endpoint) -> tuple[DedicatedEndpointArgs, dict[str, str]]:
        """What is there now, as arguments and the deployment of each name, after a run that did not end well.

        A name whose change did not come to its end is what it was before.
        """
        if self.old is self.args:
            return self.args, dict(self.ids or self.known)
        present, split = _present(endpoint), shares(endpoint)
        before = self._standing(present)
        coming = {
            name
            for name in self.ids
            if self._is_rolled_in(name) and self._has(name, split) < self.args.shares.get(name, 0)
        }
        made = {name: id for name, id in self.ids.items() if id in present and name not in {*before, *coming}}
        models = {name: self.args.deployed_models[name] for name in made}
        models |= {name: was for name in before if (was := self._was(name))}
        ids = {**made, **before}
        moved = split == self.args.split(ids) if ids.keys() == self.args.running.keys() else False
        traffic = self.args.traffic_split if moved else self.old.traffic_split
        plan = self.old.deployment_plan
        values = {"deployed_models": models, "traffic_split": traffic, "deployment_plan": plan, "rollouts_held": {}}
        return self.args.with_values(**values), ids

    def replaced(self) -> set[str]:
        """The names that are on the endpoint with a deployment that is to be replaced by another one."""
        standing = self._standing(self.place.deployments())
        fresh = set(self.ids.values()) - set(self.known.values())
        return {name for name in standing if self.ids.get(name) in fresh} - self.stopped

    def _was(self, name: str) -> ServedModel | None:
        """What a name was in the deployment that is known of it."""
        held = self.old.rollouts_held.get(name)
        return held.before if held else self.old.deployed_models.get(name)

    def _standing(self, present: Mapping[str, DeployedModel]) -> dict[str, str]:
        """The deployments of the last run that are still there and are not wanted any more."""
        wanted = set(self.ids.values())
        return {name: id for name, id in self.known.items() if id in present and id not in wanted}

    def _is_rolled_in(self, name: str) -> bool:
        """Whether a new name gets its traffic in steps: where the program says how. Otherwise it gets it at once."""
        said = self.args.deployed_models[name].rollout or self.args.rollout
        comes = name not in self.known and self.ids[name] not in self.known.values()
        return self.old is not self.args and said is not None and comes and self.args.shares.get(name, 0) > 0

    def _has(self, name: str, split: Mapping[str, int]) -> int:
        return sum(split.get(id, 0) for id in {self.known.get(name, ""), self.ids[name]})

    def _ours(self) -> set[str]:
        known = {*self.known.values(), *self.ids.values()}
        return {id for id in self.place.deployments() if id in known or is_our_deployment_id(self.args.endpoint_id, id)}

    def _clear(self) -> dict[str, int]:
        """Undeploy what an interrupted run left, if others serve; the traffic of ours, adding up to 100."""
        left = self._ours() - set(self.ids.values()) - set(self.known.values())
        split = self._traffic()
        if any(id not in left for id in split):
            if left & split.keys() and set(self.ids.values()) <= self._ours():
                self._settle_traffic()
            undeploy_at(self.place, sorted(left))
            split = self._traffic()
        return split

    def _traffic(self) -> dict[str, int]:
        ours = self._ours()
        return spread({id: percent for id, percent in shares(self.place.find()).items() if id in ours})

    def _settle_traffic(self) -> Endpoint:
        """Give each name its share, at the deployment that it has now, or at both while it changes."""
        moving, now = self.replaced(), self._traffic()
        split: dict[str, int] = {}
        for name, share in self.args.shares.items():
            new, old = self.ids[name], self.known.get(name, "")
            if name in self.stopped:
                mine = max(1, share * self.args.rollouts_held[name].percent // 100)
                split |= {new: mine, old: share - mine}
            elif name in moving:
                split |= spread({id: now.get(id, 0) for id in (new, old)}, share) or {old: share}
            else:
                split[new] = share
        return settle_traffic_at(self.place, split) or self.context.clients.vertex.get_endpoint(self.args.endpoint)

    def _roll_out(self, name: str) -> None:
        """The new deployment of one name takes its place, or the traffic is as it was before."""
        rollout, new = self.args.rollout_of(name), self.ids[name]
        old = self.known[name] if name in self.replaced() else ""
        self.context.progress(f"rolling out {name}")
        before, after = self._transition(name, old)
        base = self.place.deployments().get(old)
        # At zero nothing serves, and Google deploys nothing beside it.
        strategy = "recreate" if at_zero(base) else rollout.strategy
        in_steps = not old or strategy == "shift"
        held = self.args.rollouts_held.get(name) if old else None
        capacity = self._capacity(name, base)
        if not in_steps:
            # The old one goes first: how many served is written down for a run that finds it gone.
            write_journal(self.place, Journal(new, replicas=capacity.replicas))
        plan = Rollout(
            place=self.place,
            strategy="shift" if in_steps else strategy,
            steps=tuple(rollout.steps) if strategy == "shift" else (100,),
            old=old,
            new=(new,),
            deploy=partial(self._deploy, name, capacity),
            restore=partial(self._restore, name, base, capacity),
            check=prober(
                self.args,
                rollout,
                self.context,
                partial(weights_of_model, self.args.deployed_models[name].model, self.context),
            ),
            options=rollout.options(),
            before=before,
            after=after,
            name=name,
            capacity=capacity,
            hold=held.percent if held else 0,
        )
        try:
            plan.run()
        except RolledBack:
            write_journal(self.place, Journal())
            raise
        if held:
            self.stopped.add(name)
        write_journal(self.place, Journal())

    def _capacity(self, name: str, base: DeployedModel | None) -> Capacity:
        """What a name served with, now or when a rollout that was cut off began."""
        was = self._was(name) if base else None
        journal = journal_of(self.place.find())
        began = journal.replicas if journal.deployment == self.ids[name] else self.parked.get(name, 0)
        replicas = max(began, available(base))
        before = was.resources() if was else DedicatedResources()
        return Capacity(self.place, self.args.deployed_models[name].resources(), before, replicas)

    def _transition(self, name: str, old: str) -> tuple[dict[str, int], dict[str, int]]:
        """The traffic before and after one name is rolled out; the new deployment is "0" in the latter."""
        others = self._traffic()
        pair = others.pop(old, 0) + others.pop(self.ids[name], 0)
        if not others:
            return ({old: 100} if old else {}), {NEW: 100}
        if pair and old and self.old.shares.get(name):
            return {**others, old: pair}, {**others, NEW: pair}
        # It had nothing: what it is to have comes from all the others.
        wanted = self.args.shares.get(name, 0)
        return spread(others), {**spread(others, 100 - wanted), NEW: wanted}

    def _deploy_missing(self, name: str) -> None:
        """Deploy one name, unless it is there: without traffic, or with all where nothing else serves."""
        serving, capacity = shares(self.place.find()), self._capacity(name, None)
        self._deploy(name, capacity, {NEW: 0, **serving} if serving else {NEW: 100}, None)

    def _deploy(
        self, name: str, capacity: Capacity, split: Mapping[str, int] | None, options: RolloutOptions | None
    ) -> str:
        id, served = self.ids[name], self.args.deployed_models[name]
        if id in self.place.deployments():
            return id

        def attempt(machine: MachineSpec | None) -> None:
            self.context.progress(f"deploying {name}")
            on_machine = served if machine is None else served.on(machine)
            resources = raised(on_machine.resources(), capacity.replicas)
            settings = {"dedicated_resources": resources, "rollout_options": options}
            deploy(self.place, on_machine.wire(id, name).model_copy(update=settings), split)

        try:
            machines: list[MachineSpec | None] = [*served.choices()] or [None]
            first_available(machines, attempt, self.context)
        except OperationFailed as error:
            explain_failure(error, self.args.endpoint, self.context)
            raise
        except NoCapacity as error:
            raise CannotDeploy(error.summary, hint=error.advice) from error
        return id

    def _restore(
        self,
        name: str,
        base: DeployedModel | None,
        capacity: Capacity,
        split: Mapping[str, int] | None,
        options: RolloutOptions | None,
    ) -> str:
        """Deploy what a name was before, again."""
        shown: DeployedModel = without_outputs(base or DeployedModel())
        id = shown.id or ""
        if len(id) > _LONGEST_ID:
            id = our_deployment_id(self.args.endpoint_id, name, self._was(name) or self.args.deployed_models[name])
        resources = raised(shown.dedicated_resources or capacity.old, capacity.replicas)
        settings = {"id": id, "dedicated_resources": resources, "rollout_options": options}
        deploy(self.place, shown.model_copy(update=settings), split)
        self.known[name] = id
        return id

    def _mutate(self, names: set[str]) -> None:
        """Change what can be changed of what is there."""
        for name in sorted(names):
            deployed, served = self.place.deployments().get(self.ids[name]), self.args.deployed_models[name]
            if deployed is not None:
                mutate(self.args, deployed, served, self.context)


def _present(endpoint: Endpoint) -> dict[str, DeployedModel]:
    return {entry.id: entry for entry in endpoint.deployed_models or [] if entry.id}
