"""What a change does to the deployments of an endpoint with own models, name by name, shown before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.dedicated_endpoint.held import goes_back, paired, replaced_names
from mg_provider.resources.dedicated_endpoint.held_state import HeldModel
from mg_provider.resources.endpoint.args import is_known_private, private
from mg_provider.resources.endpoint.machines import Machines
from mg_provider.resources.endpoint.plan.words import gpus, peak, probing, replicas_text, size, way
from mg_provider.resources.model.diff import compare
from mg_provider.resources.model.unknown import UNKNOWN, Unknown, contains_unknown
from mg_provider.rollout.probe import requests_at
from mg_provider.rollout.traffic import NEW, blend

_PLANNED = ("deployed_models", "traffic_split", "parked", "rollouts_held")


def plan_texts(old: DedicatedEndpointArgs | None, new: DedicatedEndpointArgs) -> dict[str, str] | Unknown:
    """What ``up`` does under each name; the old texts where that is nothing. A name's text may be unknown alone."""
    known = new.is_known("traffic_split", "parked", "rollout", "network", "dedicated_endpoint_enabled")
    if (
        not known
        or isinstance(new.deployed_models, Unknown)
        or not is_known_private(new.private_service_connect_config)
    ):
        return UNKNOWN
    given = new.deployed_models
    unknown: dict[str, Any] = dict.fromkeys(filter(lambda name: contains_unknown(given[name]), given), UNKNOWN)
    certain = {name: served for name, served in given.items() if name not in unknown}
    if old is None:
        return unknown | {name: _creation(new, served) for name, served in certain.items()}
    if not unknown and not compare(old, new, *_PLANNED):
        return old.deployment_plan
    if old.parked or new.parked:
        return unknown | {name: _parking(old, new, name) for name in certain}
    return unknown | _Changes(old, new.with_values(deployed_models=certain), frozenset(unknown)).texts()


def _creation(args: DedicatedEndpointArgs, served: Machines) -> str:
    if args.parked:
        return f"parked: no machine runs; resuming takes {gpus(served)}"
    takes = "takes over a deployment that fits, else " if args.adopt else ""
    return f"{takes}deploys on {replicas_text(served, args.region)}; {_exposure(args)}"


def _parking(old: DedicatedEndpointArgs, new: DedicatedEndpointArgs, name: str) -> str:
    served = new.deployed_models[name]
    if not new.parked:
        starts = ", starting with what served when it was parked" if served.autoscales else ""
        return f"resumes: deploys on {replicas_text(served, new.region)}{starts}; endpoint and address stay"
    if old.parked or name not in old.deployed_models:
        return f"parked: no machine runs; resuming takes {gpus(served)}"
    return f"parks: undeploys, and gives back {gpus(old.deployed_models[name])}; endpoint and address stay"


def _exposure(args: DedicatedEndpointArgs) -> str:
    if private(args.private_service_connect_config):
        return "private, through Private Service Connect"
    if args.network:
        return "private, in a peered network"
    return (
        "public, under its own DNS name" if args.dedicated_endpoint_enabled else "public, under the region's DNS name"
    )


@dataclass(frozen=True)
class _Changes:
    """What differs between two runs that both serve."""

    old: DedicatedEndpointArgs
    new: DedicatedEndpointArgs
    open: frozenset[str]

    @cached_property
    def ids(self) -> dict[str, str]:
        """The deployment of each name: the old name of one that stays, or an id of one that is made."""
        return paired(self.old, self.new)

    @cached_property
    def replaced(self) -> list[str]:
        """The names that get another deployment, in the order in which they do."""
        going_on = {
            name for name in self.old.rollouts_held if name in self.ids and not goes_back(self.old, self.new, name)
        }
        moved = {name for name in going_on if self.new.rollouts_held.get(name) != self.old.rollouts_held[name]}
        names = {*replaced_names(self.old, self.ids), *moved} - self.open
        names = {name for name in names if not goes_back(self.old, self.new, name)}
        return sorted(names, key=lambda name: (self._share(self.new, name) < self._share(self.old, name), name))

    def texts(self) -> dict[str, str]:
        found = {name: self._text(name) for name in self.new.deployed_models}
        gone = set(self.old.deployed_models) - {*self.ids.values(), *self.ids, *self.open}
        found |= {name: f"undeploys, and gives back {gpus(self.old.deployed_models[name])}" for name in gone}
        return {name: text for name, text in found.items() if text}

    def _text(self, name: str) -> str:
        if name in self.replaced:
            return self._rollout(name)
        if goes_back(self.old, self.new, name):
            gives = f"which gives back {gpus(self.old.deployed_models[name])}"
            return f"goes back: what served before has all of its share again, then the other is undeployed, {gives}"
        served, before = self.new.deployed_models[name], self.ids[name]
        if before not in self.old.deployed_models:
            return self._addition(name)
        was, now = (replicas_text(each, self.new.region) for each in (self.old.deployed_models[before], served))
        scaled = f"scales in place: {was} -> {now}" if was != now else ""
        if before != name:
            return f"the deployment of {before} stays under this name{f', and {scaled}' if scaled else ''}"
        return scaled or self.old.deployment_plan.get(name, "")

    def _rollout(self, name: str) -> str:
        rollout, served = self.new.rollout_of(name), self.new.deployed_models[name]
        earlier, held = self.old.rollouts_held.get(name), self.new.rollouts_held.get(name)
        before = earlier.before if earlier else self.old.deployed_models[name]
        order = f"{self.replaced.index(name) + 1} of {len(self.replaced)}, one after the other: "
        had, wanted = self._share(self.old, name), self._share(self.new, name)
        share = min(had, wanted) if had else wanted
        on = earlier if earlier and self.old.deployed_models[name].fixed() == served.fixed() else None
        steps = self._steps(_numbers(rollout.steps, on, held), share)
        how = f"goes on: moves traffic to {steps}" if on else way(rollout, steps, alone=share == 100)
        until = f", where it is held at {held.percent} % of its share until rollout.hold is removed" if held else ""
        both = (replicas_text(each, self.new.region) for each in (before, served))
        cost = f"BOTH RUN AND ARE PAID FOR: {' and '.join(both)}"
        paid = cost if held else peak(rollout, before, served, self.new.region)
        parts = [f"{how}{until}", *size(before, served), paid, self._probing(name, share)]
        parts.append("endpoint, address and other names stay")
        return f"{order if len(self.replaced) > 1 else ''}{'; '.join(parts)}"

    def _addition(self, name: str) -> str:
        share, rollout = self._share(self.new, name), self.new.deployed_models[name].rollout or self.new.rollout
        deploys = f"new: deploys beside on {replicas_text(self.new.deployed_models[name], self.new.region)}"
        if not share:
            return f"{deploys}; gets no traffic"
        if rollout is None or not self.old.shares:
            return f"{deploys}, then gets {share} % of the traffic at once; not probed"
        steps = rollout.steps if rollout.strategy == "shift" else [100]
        return f"{deploys}, then moves traffic to {self._steps(steps, share)}; {self._probing(name, share)}"

    def _probing(self, name: str, share: int) -> str:
        rollout = self.new.rollout_of(name)
        if not share:
            return "not probed, as it has no traffic"
        first = rollout.steps[0] if rollout.strategy == "shift" else 100
        how, most = probing(self.new, rollout), requests_at(max(1, share * first // 100))
        return f"{how} with up to {most} requests" if how.startswith("probed") and share < 100 else how

    @staticmethod
    def _steps(steps: list[int], share: int) -> str:
        """The steps as percent of the endpoint's traffic."""
        given = [blend({"": share, "others": 100 - share}, {NEW: share, "others": 100 - share}, NEW, n) for n in steps]
        return ", ".join(f"{percent} %" for percent in dict.fromkeys(split.get(NEW, 0) for split in given) if percent)

    @staticmethod
    def _share(args: DedicatedEndpointArgs, name: str) -> int:
        return args.shares.get(name, 0)


def _numbers(steps: list[int], earlier: HeldModel | None, held: HeldModel | None) -> list[int]:
    """The steps that are gone, in percent of the name's share."""
    least, most = earlier.percent if earlier else 0, held.percent if held else 100
    return [*(step for step in steps if least < step < most), most]
