"""One deployment takes another one's place on the same endpoint, or everything is as it was before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mg_provider.api.errors import (
    FailedPrecondition,
    InvalidArgument,
    MgError,
    NotFound,
    OperationFailed,
    PermissionDenied,
    QuotaExceeded,
)
from mg_provider.rollout.capacity import Capacity
from mg_provider.rollout.place import Place
from mg_provider.rollout.probe import ProbeFailed
from mg_provider.rollout.traffic import NEW, blend, settle_traffic_at, shares, undeploy_at
from mg_provider.wire.vertex.deployed_model import RolloutOptions

Strategy = Literal["shift", "rolling", "recreate"]
Deploy = Callable[[Mapping[str, int] | None, RolloutOptions | None], str]
Check = Callable[[str, int], None]


class CannotDeploy(MgError):
    """The new deployment is not available, for a reason that only the caller knows."""


# After one of these it is known that the new deployment cannot be made as it was asked for. Other errors leave it open,
# and the next run goes on.
_FINAL = (
    CannotDeploy,
    OperationFailed,
    ProbeFailed,
    InvalidArgument,
    QuotaExceeded,
    PermissionDenied,
    FailedPrecondition,
    NotFound,
)


class RolledBack(MgError):
    """The new deployment failed, and the traffic is as it was before."""


@dataclass(frozen=True)
class Rollout:
    """How the new deployment comes, and how the old one comes back.

    Attributes:
        place: The endpoint.
        strategy: ``shift``, ``rolling`` or ``recreate``.
        steps: Percent of the traffic for the new one, rising to 100; for ``shift``.
        old: Id of the deployment that serves; empty where the new one comes beside the others.
        new: Ids that the new deployment may have, the likeliest first.
        deploy: Puts the new model on the endpoint, with a traffic split, and returns its id. Runs twice.
        restore: Puts the old model on an endpoint that it has left, with a traffic split, and returns its id.
        check: Probes the new deployment at a percentage of the endpoint's traffic; None for no probes.
        options: For ``rolling``.
        before: Percent by id before the rollout. Default: all to the old one.
        after: Percent by id after it, with "0" for the new one. Default: all to the new one. What others have in both
            stays theirs at each step.
        name: What is rolled out, for errors, where an endpoint serves several.
        capacity: What both serve with meanwhile; None leaves the number of replicas alone.
        hold: For ``shift``: the percent at which the rollout stops, both deployments serving; 0 goes to the end.
    """

    place: Place
    strategy: Strategy
    steps: tuple[int, ...]
    old: str
    new: tuple[str, ...]
    deploy: Deploy
    restore: Deploy
    check: Check | None = None
    options: RolloutOptions | None = None
    before: Mapping[str, int] | None = None
    after: Mapping[str, int] = field(default_factory=lambda: {NEW: 100})
    name: str = ""
    capacity: Capacity | None = None
    hold: int = 0

    def run(self) -> str:
        """Roll out. Returns the id of the new deployment, which now serves alone, or has the share that it is held at.

        Raises:
            RolledBack: The new one failed; it is gone again, and the old one serves.
            MgError: It was interrupted; running it again goes on.
        """
        ways = {"shift": self._shift, "rolling": self._roll, "recreate": self._recreate}
        try:
            return ways[self.strategy]()
        except _FINAL as error:
            return self._go_back(error)

    def _shift(self) -> str:
        share = self._share_of_new()
        self._keep()
        if share == 0:
            settle_traffic_at(self.place, self._before)
        new = self.deploy(self._beside(self._before), None)
        reached = 0
        for step in self._steps:
            wanted = blend(self._before, self._after(new), new, step)
            # Of a small share several steps may be the same; an earlier run may have come further.
            if wanted.get(new, 0) >= max(share, reached + 1) or step == self.hold:
                reached = wanted.get(new, 0)
                self._grow(new)
                settle_traffic_at(self.place, wanted)
                self._probe(new, reached)
        if self.hold:
            self._release(new, self.old)
            return new
        if not reached:
            self._grow(new)
            settle_traffic_at(self.place, self._after(new))
        undeploy_at(self.place, [self.old] if self.old else [])
        self._release(new, "")
        return new

    @property
    def _steps(self) -> tuple[int, ...]:
        return (*(step for step in self.steps if step < self.hold), self.hold) if self.hold else self.steps

    def _keep(self) -> None:
        if self.capacity is not None and self.old:
            self.capacity.hold(self.old)

    def _grow(self, new: str) -> None:
        if self.capacity is not None:
            self.capacity.grow(new, self.old)

    def _release(self, new: str, old: str) -> None:
        if self.capacity is not None:
            self.capacity.release(new, self.capacity.new)
            self.capacity.release(old, self.capacity.old)

    def _roll(self) -> str:
        options = (self.options or RolloutOptions()).model_copy(update={"previous_deployed_model": self.old})
        self._keep()
        return self._finish(self.deploy(None, options))

    def _recreate(self) -> str:
        undeploy_at(self.place, [self.old])
        return self._finish(self.deploy(self._beside(shares(self.place.find())), None))

    def _finish(self, new: str) -> str:
        """Give the new deployment its traffic in one step."""
        after = self._after(new)
        self._grow(new)
        settle_traffic_at(self.place, after)
        if after.get(new):
            self._probe(new, after[new])
        undeploy_at(self.place, [self.old])
        self._release(new, "")
        return new

    @property
    def _before(self) -> Mapping[str, int]:
        return {self.old: 100} if self.before is None else self.before

    def _after(self, new: str) -> dict[str, int]:
        return {new if id == NEW else id: percent for id, percent in self.after.items()}

    @staticmethod
    def _beside(split: Mapping[str, int]) -> dict[str, int]:
        """A split in which a further deployment gets nothing, or all where nothing else serves."""
        return {NEW: 0, **split} if any(split.values()) else {NEW: 100}

    def _share_of_new(self) -> int:
        split = shares(self.place.find())
        return sum(split.get(id, 0) for id in self.new)

    def _probe(self, new: str, percent: int) -> None:
        if self.check is not None:
            self.check(new, percent)

    def _go_back(self, error: MgError) -> str:
        """Give the traffic back to the old deployment, which is made again where it is gone already."""
        self.place.world.progress(f"going back: {error.summary}")
        old, share = self.old, self._before.get(self.old, 0)
        self._keep()
        if old and old not in self.place.deployments():
            if self.strategy == "recreate":
                undeploy_at(self.place, self.new)
            old = self.restore(self._beside(shares(self.place.find())), None)
        settle_traffic_at(self.place, {old if id == self.old else id: percent for id, percent in self._before.items()})
        undeploy_at(self.place, self.new)
        self._release("", old)
        what = f"the rollout{f' of {self.name}' if self.name else ''}"
        has = f"deployment {old}, as it was before, has {share} % of the traffic again"
        served = has if old else "the traffic is as it was before"
        raise RolledBack(
            f"{what} failed and was taken back: {error.summary}; {served}, and the new deployment is removed",
            resource=error.resource,
            hint=error.hint or "fix what the error names, then run `pulumi up` again",
        ) from error
