"""One deployment takes another one's place on the same endpoint, or everything is as it was before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from mg_provider.rollout.place import Place
from mg_provider.rollout.probe import ProbeFailed
from mg_provider.rollout.traffic import settle_traffic, shares, undeploy
from mg_provider.wire.deployed_model import RolloutOptions

Strategy = Literal["shift", "rolling", "recreate"]
Deploy = Callable[[Mapping[str, int] | None, RolloutOptions | None], str]
Check = Callable[[str, int], None]


class CannotDeploy(MgError):
    """The new deployment is not to be had, for a reason that only the caller knows."""


# After one of these it is known that the new deployment cannot be had as it was asked for. Other errors leave it open,
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
    """The new deployment failed, and the old one has all of the traffic."""


@dataclass(frozen=True)
class Rollout:
    """How the new deployment comes, and how the old one comes back.

    Attributes:
        place: The endpoint.
        strategy: ``shift``, ``rolling`` or ``recreate``.
        steps: Percent of the traffic for the new one, rising to 100; for ``shift``.
        old: Id of the deployment that serves.
        new: Ids that the new deployment may have, the likeliest first.
        deploy: Puts the new model on the endpoint, with a traffic split, and answers its id. Runs twice.
        restore: Puts the old model on an endpoint that serves nothing, with all of the traffic, and answers its id.
        check: Probes the new deployment at a percentage; None for no probes.
        options: For ``rolling``.
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

    def run(self) -> str:
        """Roll out. Answers the id of the deployment that now serves alone.

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
        if share == 0:
            settle_traffic(self.place, {self.old: 100})
        new = self.deploy({"0": 0, self.old: 100}, None)
        for step in [step for step in self.steps if step >= share]:
            settle_traffic(self.place, {self.old: 100 - step, new: step})
            self._probe(new, step)
        undeploy(self.place, [self.old])
        return new

    def _roll(self) -> str:
        options = (self.options or RolloutOptions()).model_copy(update={"previous_deployed_model": self.old})
        new = self.deploy(None, options)
        settle_traffic(self.place, {new: 100})
        self._probe(new, 100)
        undeploy(self.place, [self.old])
        return new

    def _recreate(self) -> str:
        undeploy(self.place, [self.old])
        new = self.deploy({"0": 100}, None)
        settle_traffic(self.place, {new: 100})
        self._probe(new, 100)
        return new

    def _share_of_new(self) -> int:
        split = shares(self.place.find())
        return sum(split.get(id, 0) for id in self.new)

    def _probe(self, new: str, percent: int) -> None:
        if self.check is not None:
            self.check(new, percent)

    def _go_back(self, error: MgError) -> str:
        """Give the traffic back to the old deployment, which is made again where it is gone already."""
        self.place.world.progress(f"going back: {error.summary}")
        old = self.old
        if old in self.place.deployments():
            settle_traffic(self.place, {old: 100})
            undeploy(self.place, self.new)
        else:
            if self.strategy == "recreate":
                undeploy(self.place, self.new)
            present = [id for id in self.new if id in self.place.deployments()]
            old = self.restore({"0": 0, present[0]: 100} if present else {"0": 100}, None)
            settle_traffic(self.place, {old: 100})
            undeploy(self.place, self.new)
        raise RolledBack(
            f"the rollout failed and was taken back: {error.summary}; deployment {old}, as it was before, has 100 % of "
            "the traffic again, and the new one is removed",
            resource=error.resource,
            hint=error.hint or "mend what the error names, then run `pulumi up` again",
        ) from error
