"""What runs on a resource before and after: machines, replicas, and whether a new deployment takes another's place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from mg_provider.preflight.machines.machine import accelerators, choices
from mg_provider.prices.prices import Usage
from mg_provider.resources.endpoint.rollout_args import RolloutStrategy
from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import Costs, Plan, Strategy
from mg_provider.resources.model.unknown import UNKNOWN
from mg_provider.review.reading.compare import Change, Subject
from mg_provider.review.reading.kinds import value_of
from mg_provider.review.reading.values import is_unknown, name
from mg_provider.wire.vertex.machine import MachineSpec

OR = " or "
"""Between machines of which any may be taken."""
CHOSEN_BY_GOOGLE = "the machine that Google recommends"


@dataclass(frozen=True)
class Machine:
    """One machine of a replica."""

    type: str
    accelerator: str = ""
    count: int = 0
    """Accelerators of a node."""
    nodes: int = 1
    """Nodes that serve one replica together."""

    @property
    def gpus(self) -> int:
        """Accelerators of all nodes."""
        return self.count * self.nodes

    def __str__(self) -> str:
        """For people."""
        return self.type if self.nodes == 1 else f"{self.type} on {self.nodes} nodes"


@dataclass(frozen=True)
class Replicas:
    """Replicas of a model, or of a run."""

    machines: tuple[Machine, ...]
    """The choices, in order; none where Google chooses."""
    fewest: int
    most: int
    usage: Usage = "on demand"
    is_known: bool = True
    """Whether its machine and how it is paid are known before up."""
    counted: tuple[bool, bool] = (True, True)
    """Whether the fewest and the most are known before up; the numbers are lower bounds where they are not."""

    @property
    def label(self) -> str:
        """The machine in words."""
        return OR.join(map(str, self.machines)) or CHOSEN_BY_GOOGLE

    @property
    def accelerator(self) -> str:
        """The accelerator of its machine, or those of its choices."""
        return OR.join(dict.fromkeys(machine.accelerator for machine in self.machines if machine.accelerator))

    @property
    def gpus(self) -> int:
        """Accelerators of a replica; of several choices the most."""
        return max((machine.gpus for machine in self.machines), default=0)

    def text(self) -> str:
        """Replicas and machine: 1 to 8 x g2-standard-12."""
        return f"{self.span} x {self.label}"

    @property
    def span(self) -> str:
        """The replicas in words."""
        return span(self.fewest, self.most) if all(self.counted) else f"{self.fewest} or more"

    def replicas(self, at: int) -> tuple[int, bool]:
        """The fewest at 0, the most at 1, and whether that is the number."""
        return (self.fewest, self.most)[at], self.counted[at]

    def has_fewer(self, other: Replicas) -> bool:
        """Whether it is known to have fewer replicas than another, at the fewest or at the most."""
        return any(self.counted[at] and other.counted[at] and self.replicas(at) < other.replicas(at) for at in (0, 1))


@dataclass(frozen=True)
class Turn:
    """One deployment of a resource before and after; ``name`` where a resource has several."""

    subject: Subject
    name: str
    before: Replicas | None
    after: Replicas | None
    changes: tuple[Change, ...] = ()
    rolls_out: bool = False
    strategy: RolloutStrategy = field(default_factory=RolloutStrategy)
    planned: bool = True
    """Whether the preview has a plan of the rollout."""

    @property
    def label(self) -> str:
        """The resource, with the name of the deployment where it has several."""
        return f"{self.subject.label}: {name(self.name)}" if self.name else self.subject.label

    @property
    def changes_bill(self) -> bool:
        """Whether other machines run, or elsewhere, or for longer."""
        moves = self.subject.is_replaced and self.subject.old.get("region") != self.subject.new.get("region")
        return self.before != self.after or self.is_held or moves

    @property
    def is_held(self) -> bool:
        """Whether both deployments go on running."""
        return self.rolls_out and self.strategy.hold is not None and self.strategy.strategy == "shift"

    @property
    def may_cost_more(self) -> bool:
        """Whether something runs that did not run before, at whatever price."""
        before, after = self.before, self.after
        if after is None or not after.most:
            return False
        if before is None or self.is_held or self.region_before != self.subject.region:
            return True
        if (before.machines, before.usage) != (after.machines, after.usage):
            return True
        return before.has_fewer(after) or not all(after.counted)

    def takes_over(self, other: Turn) -> bool:
        """Whether it runs what the other one, which ends, ran in the same place."""
        ends = other.after is None and self.before is None and other.name == self.name
        return ends and other.before == self.after and other.region_before == self.subject.region

    @property
    def region_before(self) -> str:
        """Where it is before."""
        found = self.subject.old.get("region")
        return name(found) if isinstance(found, str) else self.subject.region

    @property
    def sides(self) -> tuple[tuple[Replicas, str], ...]:
        """What runs before and after, each with its region."""
        both = ((self.before, self.region_before), (self.after, self.subject.region))
        return tuple((entry, region) for entry, region in both if entry is not None)

    @property
    def run_at_once(self) -> bool:
        """Whether what runs before and what runs after do so together for a while."""
        if self.subject.is_replaced:
            return not self.subject.goes_first
        return self.rolls_out and self.strategy.strategy != "recreate"


def span(low: int, high: int) -> str:
    """1, or 1 to 8."""
    return str(low) if low == high else f"{low} to {high}"


def turns(subject: Subject) -> Iterator[Turn]:
    """Every deployment of a resource, before and after."""
    model = subject.kind.args
    if marked(model, Costs) and any(mark.part == "machine" for _, mark in marked(model, Costs)):
        before = None if subject.is_new else _deployment(model, subject.old, _taken(subject, ""))
        changes = tuple(subject.changes)
        yield _turn(subject, "", model, before, subject.new, changes)
    for entry, inner, old, new in _paired(subject):
        was, now = _mapping(old), _mapping(new)
        before = _deployment(inner, was, _taken(subject, entry)) if was is not None else None
        both = was is not None and now is not None
        changes = tuple(subject.changes_in(entry, inner, was or {}, now or {})) if both else ()
        yield _turn(subject, entry, inner, before, now, changes)


def _paired(subject: Subject) -> Iterator[tuple[str, type[BaseModel], Any, Any]]:
    """The named deployments before and after; one that only gets another name is the same one."""
    found = list(subject.entries())
    gone = [entry for entry in found if entry[2] is not None and entry[3] is None]
    for called, inner, old, new in found:
        if new is not None and old is None and not subject.is_new:
            moved = next((entry for entry in gone if entry[2] == new), None)
            if moved is not None:
                gone.remove(moved)
                found[found.index(moved)] = (moved[0], inner, None, None)
                found[found.index((called, inner, old, new))] = (called, inner, moved[2], new)
    return (entry for entry in found if entry[2] is not None or entry[3] is not None)


def _turn(
    subject: Subject,
    name: str,
    model: type[BaseModel],
    before: Replicas | None,
    new: Mapping[str, Any] | None,
    changes: tuple[Change, ...],
) -> Turn:
    if subject.goes or new is None:
        stays = subject.goes and subject.step.old is not None and subject.step.old.retain
        after, strategy = (before if stays else None), RolloutStrategy()
    else:
        after, strategy = _deployment(model, _with_odd(subject, new), None), _strategy(subject, model, new)
    fixed = [change for change in changes if change.rolls_out]
    rolls = bool(fixed) and before is not None and after is not None and not subject.is_replaced
    only_machine = all((mark := change.mark(Costs)) is not None and mark.part == "machine" for change in fixed)
    if before and after and rolls and only_machine and set(before.machines) & set(after.machines):
        rolls = False
    if before and after and not rolls and not subject.is_replaced:
        # It stays on the machine that it has.
        after = replace(after, machines=before.machines)
    was_off, is_off = _off(subject.kind.args, subject.old), _off(subject.kind.args, subject.new)
    rolls = rolls and not was_off and not is_off
    planned = bool(not rolls or not _plans(subject) or any(subject.new.get(field) for field in _plans(subject)))
    off_before = replace(before, fewest=0, most=0) if before and was_off else before
    off_after = replace(after, fewest=0, most=0) if after and is_off else after
    return Turn(subject, name, off_before, off_after, changes, rolls, strategy, planned)


def _with_odd(subject: Subject, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments with those that hold no valid value as unknown ones: nobody can say what they mean."""
    return {**values, **dict.fromkeys(subject.odd, UNKNOWN)} if values is subject.new else values


def _plans(subject: Subject) -> list[str]:
    return [field for field, _ in marked(subject.kind.args, Plan)]


def _off(model: type[BaseModel], values: Mapping[str, Any]) -> bool:
    return any(value_of(model, values, field) is True for field, mark in marked(model, Costs) if mark.part == "off")


def is_off(subject: Subject) -> tuple[bool, bool]:
    """Whether nothing of it runs, on purpose, before and after."""
    return _off(subject.kind.args, subject.old), _off(subject.kind.args, subject.new)


def _strategy(subject: Subject, model: type[BaseModel], new: Mapping[str, Any]) -> RolloutStrategy:
    """How a new deployment comes: as the deployment says, else as the resource says."""
    own = [new.get(field) for field, _ in marked(model, Strategy)]
    whole = [subject.new.get(field) for field, _ in marked(subject.kind.args, Strategy)]
    given = next((value for value in [*own, *whole] if isinstance(value, Mapping)), None)
    try:
        return RolloutStrategy.model_validate(given or {})
    except ValidationError:
        return RolloutStrategy()


def _taken(subject: Subject, name: str) -> Any:
    """The machine that the cloud says it runs on."""
    for output, mark in marked(subject.kind.state, Costs):
        value = subject.outputs.get(output)
        found = value.get(name) if name and isinstance(value, Mapping) else value
        if mark.part == "machine" and found:
            return {"machine_type": found} if isinstance(found, str) else found
    return None


def _deployment(model: type[BaseModel], values: Mapping[str, Any], taken: Any) -> Replicas:
    found: dict[str, Any] = {mark.part: value_of(model, values, field) for field, mark in marked(model, Costs)}
    machines, running = _machines(found.get("machine")), _machines(taken)
    if running and len(machines) != 1:
        machines = tuple(machine for machine in machines if machine.type == running[0].type) or running
    low, high = found.pop("fewest", None), found.pop("most", None)
    fewest = _whole(low, 1)
    most = max(_whole(high, max(fewest, 1)), fewest)
    counted = (low is None or _is_whole(low), high is None or _is_whole(high))
    usage: Usage = "spot" if found.get("spot") is True else "flex start" if found.get("queued") else "on demand"
    return Replicas(machines, fewest, most, usage, not any(map(is_unknown, found.values())), counted)


def _machines(value: Any) -> tuple[Machine, ...]:
    return tuple(
        _machine(entry) for entry in choices(value) if isinstance(entry, Mapping) and entry.get("machine_type")
    )


def _machine(entry: Mapping[str, Any]) -> Machine:
    type, accelerator, count = entry.get("machine_type"), entry.get("accelerator_type"), entry.get("accelerator_count")
    nodes = entry.get("multihost_gpu_node_count")
    return _known_machine(
        type if isinstance(type, str) else "unknown",
        accelerator if isinstance(accelerator, str) else None,
        count if isinstance(count, int) else None,
        nodes if isinstance(nodes, int) and nodes > 0 else 1,
    )


@lru_cache(maxsize=1024)
def _known_machine(type: str, accelerator: str | None, count: int | None, nodes: int) -> Machine:
    spec = MachineSpec(machine_type=type, accelerator_type=accelerator, accelerator_count=count)
    kind, number = accelerators(spec)
    return Machine(name(type), name(kind), number, nodes)


def _whole(value: Any, otherwise: int) -> int:
    return value if _is_whole(value) else otherwise


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None
