"""What a review says: the typed model from which every format is written."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["safe", "look", "stop"]
Severity = Literal["stop", "look", "note"]
Effect = Literal["none", "less capacity", "interrupted", "NOTHING SERVES"]
Section = Literal[
    "errors",
    "gone",
    "service",
    "exposure",
    "safety nets",
    "models",
    "traffic",
    "runs",
    "money",
    "drift",
    "unknown",
    "others",
    "changes",
]


Access = Literal["public", "private", "unknown", ""]
State = Literal["same", "new", "changed", "replaced", "gone"]


_NOT_YET: Final = "what is known only after up"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Reason(_Part):
    """One thing that the change does; the same on several resources is one."""

    gate: str = Field(description="What it is about, a name that --fail-on takes.")
    severity: Severity = Field(description="stop, look, or a note that needs no decision.")
    resource: str = Field(description="The resources, by name, with commas.")
    text: str = Field(description="What happens, in one sentence.")
    also: list[str] = Field(default=[], description="Other gates that it fails.")
    section: Section = Field(default="changes", description="Part of the review that it belongs to.")
    resources: list[str] = Field(default=[], description="Each resource.")
    regions: list[str] = Field(default=[], description="Where they are.")
    details: list[str] = Field(default=[], description="What is particular to each: ids, names, addresses.")


class Sum(_Part):
    """Dollars an hour; null where nothing of it is known."""

    usd: float | None = Field(description="Dollars an hour; null where it is unknown.")
    at_least: bool = Field(default=False, description="A part of it is unknown and is not in it.")
    month: float | None = Field(default=None, description="The same for 730 hours.")
    text: str = Field(default="", description="The month in words: $840, ≥ $840, unknown.")
    hour_text: str = Field(default="", description="The hour in words.")


def _from_to(least: Sum, most: Sum) -> str:
    """An hour in words: one price, or from the cheapest to the dearest."""
    return " to ".join(dict.fromkeys((least.hour_text, most.hour_text)))


class Range(_Part):
    """At the fewest and at the most replicas."""

    min: Sum
    max: Sum


class CostLine(_Part):
    """What one deployment costs."""

    resource: str
    region: str
    machine: str = Field(description="Machine type, or several choices.")
    kind: str = Field(default="on demand", description="on demand, spot, flex start.")
    before: str = Field(description="Replicas before: 0, 1, 1 to 8.")
    after: str = Field(description="Replicas after.")
    machine_hour: Sum = Field(description="One machine, an hour; of several choices, the dearest.")
    machine_hour_least: Sum = Field(description="The same of the cheapest choice.")
    basis: str = Field(description="Date of the price; that it is derived, or why it is unknown.")
    source: str = Field(default="", description="Where the price is from.")
    changes: bool = Field(default=True, description="Whether other machines run, or for longer, or a rollout begins.")

    @property
    def each(self) -> str:
        """One machine, an hour, in words: $1.15, or $1.15 to $4.22."""
        return _from_to(self.machine_hour_least, self.machine_hour)


class Money(_Part):
    """What the machines that serve cost, before and after; of unchanged resources only those that the preview shows."""

    currency: Literal["USD"] = "USD"
    before: Range
    after: Range
    difference: Range
    percent_min: float | None = Field(description="Difference at the fewest replicas, in percent; null if unknown.")
    percent_max: float | None = Field(description="Difference at the most replicas, in percent; null if unknown.")
    peak: Sum = Field(description="The most that runs at once during the change, an hour, with batch runs.")
    peak_minutes: str = Field(default="", description="How long that may last.")
    lines: list[CostLine] = Field(default=[])
    unknown: list[str] = Field(default=[], description="Machines without a known price.")
    prices: str = Field(default="", description="Date and source of the table.")
    not_in: list[str] = Field(default=[], description="What no sum has in it.")
    whole: bool = Field(default=False, description="Whether unchanged resources are in it.")


class MachineCount(_Part):
    """Machines of a type in a region."""

    region: str
    machine: str
    accelerator: str = ""
    machines_before: tuple[int, int] = Field(description="At the fewest and the most replicas.")
    machines_after: tuple[int, int]
    machines_peak: int
    before: tuple[int, int] = Field(description="Accelerators at the fewest and the most replicas.")
    after: tuple[int, int]
    peak: int = Field(description="Accelerators at the peak; quota is charged on it.")


class Gpus(_Part):
    """Accelerators and machines."""

    before: tuple[int, int] = Field(description="At the fewest and the most replicas.")
    after: tuple[int, int]
    peak: int = Field(description="The most at once while the change is made, batch runs included.")
    lines: list[MachineCount] = Field(default=[])
    unknown: list[str] = Field(default=[], description="Resources whose number of GPUs is not known, and why.")


class ExposureChange(_Part):
    """Who can reach what, and where data goes, as far as it changes."""

    widened: bool = Field(default=False, description="Whether more can reach something than before.")
    public: list[str] = Field(default=[], description="Endpoints that change and are public afterwards.")
    changes: list[Reason] = Field(default=[])


class ServiceChange(_Part):
    """What clients notice."""

    effect: Effect = "none"
    minutes: str = Field(default="", description="How long it may last.")
    changes: list[Reason] = Field(default=[])


class Run(_Part):
    """A batch run that will start, and be paid."""

    resource: str
    region: str
    why: str = Field(description="What makes it run.")
    machine: str
    machines: int = Field(description="How many, from its start to its end.")
    hour: Sum = Field(description="All of them, an hour; of several choices of machines, the dearest.")
    hour_least: Sum = Field(description="The same on the cheapest choice.")
    reads: str = ""
    writes: str = ""
    rows_last_run: int | None = Field(default=None, description="Null where nobody knows, as before the first run.")
    last_run: Sum | None = Field(default=None, description="What the last run's replica hours would cost now.")

    @property
    def flow(self) -> str:
        """What it reads and writes, and how much, as far as that is known."""
        rows = f"; {self.rows_last_run:,} rows the last time" if self.rows_last_run else ""
        last = f", which would cost {self.last_run.hour_text} now" if self.last_run else ""
        places = f"reads {self.reads or _NOT_YET}; writes {self.writes or _NOT_YET}"
        return f"{places}; rows and bytes: not known before it runs{rows}{last}"

    @property
    def runs_on(self) -> str:
        """Machines and price in words: 4 x g2-standard-12, $4.60 an hour."""
        if self.hour.usd is None:
            return f"{self.machines} x {self.machine}, price unknown"
        return f"{self.machines} x {self.machine}, {_from_to(self.hour_least, self.hour)} an hour"


class Deployed(_Part):
    """A deployment as the picture shows it."""

    name: str = Field(description="Its name where its resource has several, else empty.")
    before: str = Field(description="Replicas and machine before: 1 to 8 x g2-standard-12; empty where it is new.")
    after: str = Field(description="The same afterwards; empty where it goes.")
    serves_before: str = Field(default="", description="Weights, image or Model that answered before.")
    serves: str = Field(default="", description="What answers afterwards; of one that goes, what answered.")
    share_before: int | None = Field(default=None, description="Percent of the requests, where they are split.")
    share_after: int | None = None


class Node(_Part):
    """A resource on which models answer, in one region."""

    resource: str
    kind: str
    region: str
    state: State
    access_before: Access = ""
    access: Access = Field(default="", description="Who reaches it afterwards; of one that goes, before.")
    network: str = Field(default="", description="The network that it is peered with, if it is.")
    parked: bool = Field(default=False, description="Nothing runs on it afterwards, on purpose.")
    deployed: list[Deployed] = Field(default=[])


class Link(_Part):
    """A private connection to an endpoint."""

    resource: str
    region: str
    state: State
    leads_to: str = Field(description="A resource of the review, or the last part of the endpoint's name.")
    network: str = Field(default="", description="The network of the clients.")


class Fleet(_Part):
    """What serves, and how it is reached; of unchanged resources only those that the preview shows."""

    nodes: list[Node] = Field(default=[])
    links: list[Link] = Field(default=[])


class Difference(_Part):
    """An argument before and after; empty where there is nothing."""

    path: str
    before: str
    after: str


class Diff(_Part):
    """What changes in a resource; the same on several resources is one."""

    resources: list[str]
    regions: list[str] = Field(default=[])
    kind: str
    operation: str = Field(description="create, update, replace, delete, import; drift for a change in the cloud.")
    lines: list[Difference] = Field(default=[])


class GateResult(_Part):
    """A gate that did not let the change pass."""

    gate: str = Field(description="As it was asked for: budget=5000.")
    text: str


class Review(_Part):
    """A review of one preview or several."""

    verdict: Verdict
    reasons: list[Reason] = Field(description="What to stop for or look at, the most important first.")
    money: Money
    gpus: Gpus
    exposure: ExposureChange
    service: ServiceChange
    headline: str = Field(description="The verdict with the one reason.")
    stacks: list[str] = Field(default=[], description="Stacks that the previews are of.")
    counts: dict[str, int] = Field(default={}, description="Resources by operation; replacements apart.")
    gone: list[Reason] = Field(default=[], description="Deleted, replaced, readdressed, renamed without an alias.")
    safety_nets: list[Reason] = Field(default=[])
    models: list[Reason] = Field(default=[])
    traffic: list[Reason] = Field(default=[])
    runs: list[Run] = Field(default=[])
    unknown: list[Reason] = Field(default=[], description="What is known only after up.")
    drift: list[Reason] = Field(default=[], description="What was changed in the cloud, apart from this change.")
    others: list[Reason] = Field(default=[], description="Resources of other providers.")
    notes: list[Reason] = Field(default=[], description="Changes without an effect on any of the above.")
    errors: list[str] = Field(default=[], description="Errors of the preview itself.")
    gates: list[GateResult] = Field(default=[], description="Gates that failed.")
    fleet: Fleet = Field(default=Fleet(), description="What serves, and how it is reached.")
    diffs: list[Diff] = Field(default=[], description="The arguments that differ, by resource.")
