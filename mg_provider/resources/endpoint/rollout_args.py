"""How a new deployment takes the old one's place: what a user says of it, and the preview's account of it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mg_provider.api.texts import shown
from mg_provider.resources.model.marks import Lines, Local
from mg_provider.resources.model.meaning import SafetyNet, Strategy, Weakens, probes
from mg_provider.rollout.probe import RolloutProbe
from mg_provider.wire.vertex.deployed_model import RolloutOptions

_SURGE = ("max_surge_replicas", "max_surge_percentage", "max_unavailable_replicas", "max_unavailable_percentage")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?/?",
)
_FINGERPRINT = re.compile(r"(?:[0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}")
_FEWER = Weakens("more replicas may be missing during a rollout", lambda was, now: (now or 0) > (was or 0), "capacity")
_PING: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


def _first(steps: list[Any]) -> int:
    """The first share of the traffic that a new deployment gets."""
    return next((step for step in steps if isinstance(step, int)), 100)


class ProbeRequest(BaseModel):
    """A real request that a new deployment must answer well at each step."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    kind: Literal["chat", "predict", "none"] = Field(
        default="chat", description="chat asks chat/completions, predict asks predict, none asks nothing."
    )
    messages: list[dict[str, Any]] | None = Field(
        default=None,
        description="Messages of a chat. Default: one word; without a chat template it is completed by predict.",
    )
    instances: list[Any] | None = Field(default=None, description="Instances of a predict request.")
    body: dict[str, Any] | None = Field(
        default=None, description="Further fields of the request, such as max_tokens, or parameters."
    )
    expected_status: Annotated[
        int, Weakens("a probe takes an error for a good answer", lambda was, now: was < 400 <= now, "unprobed")
    ] = Field(default=200, ge=100, le=599, description="HTTP status of a good answer.")
    max_latency: Annotated[
        float | None,
        Weakens(
            "a probe lets slower answers pass", lambda was, now: bool(was and (not now or now > was)), "safety-net"
        ),
    ] = Field(default=None, gt=0, allow_inf_nan=False, description="Seconds that a good answer takes at most.")
    expected_text: Annotated[
        str, Weakens("a probe does not read the answer", lambda was, now: bool(was) and not now, "safety-net")
    ] = Field(default="", description="Text that a good answer holds.")
    requests: Annotated[int, Weakens("a probe asks less often", lambda was, now: now < was, "safety-net")] = Field(
        default=1, ge=1, le=1000, description="Fewest requests a step; more are sent where a step's share needs them."
    )
    timeout: float = Field(
        default=60.0, gt=0, le=3600, allow_inf_nan=False, description="Seconds after which an answer is given up."
    )
    fingerprint: str = Field(
        default="", description="SHA-256 of a private endpoint's own certificate, as `mg certificate` shows it."
    )
    address: str = Field(
        default="",
        description="Address of a private endpoint, such as 10.0.0.5; the machine that runs `pulumi up` must reach it.",
    )

    @property
    def chosen(self) -> bool:
        """Whether the user says what is asked, and by which method."""
        return "kind" in self.model_fields_set or self.messages is not None or self.body is not None

    def completion(self) -> RolloutProbe:
        """The same probe for weights that cannot chat: one word to complete, through predict."""
        instances = [{"prompt": _PING[0]["content"], "max_tokens": 1}]
        return self.model_copy(update={"kind": "predict", "instances": instances}).wire()

    def wire(self) -> RolloutProbe:
        """What is asked, and what is a good answer."""
        body: dict[str, Any] = dict(self.body or {})
        if self.kind == "predict":
            body["instances"] = self.instances or body.get("instances")
        else:
            body["messages"] = self.messages or body.get("messages") or _PING
            if self.messages is None and self.body is None:
                body["max_tokens"] = 1
        return RolloutProbe(
            method="predict" if self.kind == "predict" else "chat/completions",
            body=body,
            expected_status=self.expected_status,
            max_latency=self.max_latency,
            expected_text=self.expected_text,
            requests=self.requests,
            timeout=self.timeout,
        )


class RolloutStrategy(BaseModel):
    """How a new deployment takes the old one's place on the same endpoint."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    strategy: Annotated[
        Literal["shift", "rolling", "recreate"],
        Weakens(
            "the next new deployment comes up only once the old one is undeployed: nothing serves meanwhile",
            lambda was, now: was != now == "recreate",
            "downtime",
        ),
        Weakens("traffic goes over at once", lambda was, now: was == "shift" and now == "rolling", "safety-net"),
    ] = Field(
        default="shift",
        description="shift moves traffic in steps, rolling is Vertex AI's own way, recreate undeploys first.",
    )
    steps: Annotated[
        list[int],
        Weakens("a new deployment gets more at once", lambda was, now: _first(now) > _first(was), "safety-net"),
    ] = Field(
        default=[10, 50, 100], description="Percent of the traffic for the new deployment, rising to 100, for shift."
    )
    hold: int | None = Field(
        default=None,
        ge=1,
        le=99,
        description="Percent, of a step or between, at which shift stops: both deployments run until it is removed.",
    )
    probe: ProbeRequest | None = Field(
        default=None, description="What the new deployment must answer at each step. Default: one chat of one token."
    )
    max_surge_replicas: int | None = Field(default=None, ge=0, description="rolling: replicas that may be added.")
    max_surge_percentage: int | None = Field(
        default=None, ge=0, le=100, description="rolling: replicas that may be added, in percent."
    )
    max_unavailable_replicas: Annotated[int | None, _FEWER] = Field(
        default=None, ge=0, description="rolling: replicas that may be missing."
    )
    max_unavailable_percentage: Annotated[
        int | None,
        _FEWER,
        Weakens("a rollout may leave no replica that serves", lambda was, now: was != now == 100, "downtime"),
    ] = Field(default=None, ge=0, le=100, description="rolling: replicas that may be missing, in percent.")

    @property
    def probing(self) -> ProbeRequest | None:
        """The probe; None where the user wants none."""
        probe = self.probe or ProbeRequest()
        return None if probe.kind == "none" else probe

    def options(self) -> RolloutOptions:
        """What a request to Vertex AI says of a rolling deployment."""
        return RolloutOptions(**{name: getattr(self, name) for name in _SURGE})


RolloutArgument = Annotated[
    RolloutStrategy | None,
    Local("read when a deployment is replaced"),
    SafetyNet("probes of a new deployment", on=probes),
    Strategy(),
    Lines(),
]
"""The argument that says it, whatever has a deployment."""


def rollout_problem(rollout: RolloutStrategy | None) -> str | None:
    """Why a rollout could not go so."""
    if rollout is None:
        return None
    return _steps_problem(rollout) or _surge_problem(rollout) or _probe_problem(rollout.probe)


def _steps_problem(rollout: RolloutStrategy) -> str | None:
    steps = rollout.steps
    if rollout.hold is not None and rollout.strategy != "shift":
        return f"has hold, which strategy {rollout.strategy} does not take: remove it, or use shift"
    if "steps" in rollout.model_fields_set and rollout.strategy != "shift":
        return f"has steps, which strategy {rollout.strategy} does not take: remove them, or use shift"
    if not steps or steps[-1] != 100:
        return f"has steps {shown(steps)}: end with 100"
    if any(not 1 <= step <= 100 for step in steps):
        return f"has steps {shown(steps)}: use percentages from 1 to 100"
    if any(later <= earlier for earlier, later in pairwise(steps)):
        return f"has steps {shown(steps)}: each must be more than the one before"
    return None


def _surge_problem(rollout: RolloutStrategy) -> str | None:
    given = [name for name in _SURGE if getattr(rollout, name) is not None]
    if given and rollout.strategy != "rolling":
        return f"has {given[0]}, which only strategy rolling uses: remove it"
    for what in ("surge", "unavailable"):
        if {f"max_{what}_replicas", f"max_{what}_percentage"} <= set(given):
            return f"has max_{what}_replicas and max_{what}_percentage: remove one of them"
    if given and not any(getattr(rollout, name) for name in given):
        return f"has {' and '.join(given)} at 0, so that no replica could be replaced: raise one of them"
    return None


def _probe_problem(probe: ProbeRequest | None) -> str | None:
    if probe is None:
        return None
    if probe.address and not _ADDRESS.fullmatch(probe.address):
        return f"has probe.address {shown(probe.address)}: write an address such as 10.0.0.5, or a DNS name"
    if probe.fingerprint and not _FINGERPRINT.fullmatch(probe.fingerprint):
        return f"has probe.fingerprint {shown(probe.fingerprint)}: write 64 hexadecimal digits"
    if probe.kind != "predict" and probe.instances is not None:
        return "has probe.instances, which a chat does not take: use probe.messages, or kind predict"
    if probe.kind == "predict" and probe.messages is not None:
        return "has probe.messages, which predict does not take: use probe.instances, or kind chat"
    if probe.kind == "predict" and not (probe.instances or (probe.body or {}).get("instances")):
        return "has a probe of kind predict without instances: give at least one"
    if (probe.body or {}).get("stream"):
        return "has probe.body.stream, but a probe reads its answer as a whole: remove it"
    return None
