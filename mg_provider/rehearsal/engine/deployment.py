"""One deployment under way: what everybody in it shares."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mg_provider.clock import Clock
from mg_provider.rehearsal.engine.hosts import Hosts
from mg_provider.rehearsal.errors import ProtectedError, RehearsalError, StepError, StoppedError
from mg_provider.rehearsal.program.project import Project
from mg_provider.rehearsal.program.surroundings import Surroundings
from mg_provider.rehearsal.state.cloud import Cloud
from mg_provider.rehearsal.state.file import ResourceState, Snapshot
from mg_provider.rehearsal.state.properties import Properties, Secret
from mg_provider.rehearsal.state.steps import Reporter, Step, Summary
from mg_provider.rehearsal.state.urns import name_of
from mg_provider.spelling import did_you_mean


@dataclass
class Options:
    """How a deployment is to run.

    Args:
        preview: show what would be done, do nothing.
        targets: URNs or names of the only resources to change; empty means all.
        parallel: how many operations may run at once.
        stock_sdk: whether the program runs on Pulumi's SDK unchanged.
        clear_pending_creates: whether to forget the creations that earlier runs did not end.
        cloud: the cloud that this runs on, where that has an identity.
        named_by: what says where that cloud is, for what is said about it.
    """

    preview: bool = False
    targets: frozenset[str] = frozenset()
    parallel: int = 256
    stock_sdk: bool = False
    clear_pending_creates: bool = False
    cloud: Cloud | None = None
    named_by: str = ""

    def includes(self, urn: str) -> bool:
        """Whether a resource may be changed."""
        return not self.targets or urn in self.targets or name_of(urn) in self.targets

    def missing(self, urns: set[str]) -> list[str]:
        """The targets that none of these resources is."""
        return sorted(self.targets - urns - {name_of(urn) for urn in urns})


def unknown_target(target: str, urns: set[str]) -> RehearsalError:
    """What to say of a target that is in neither the state nor the program."""
    otherwise = "give the name or the URN of a resource of this stack"
    hint = did_you_mean(target.rsplit("::", 1)[-1], map(name_of, urns), otherwise)
    return RehearsalError(f"target {target!r} is not in the stack", hint=hint)


class Deployment:
    """The shared part: state, provider hosts, who watches, and whether to go on.

    Args:
        project: what is deployed.
        snapshot: its state.
        options: how to run.
        reporter: who watches.
        clock: time and ids.
        state_file: where the state is kept; those of other stacks may be beside it.
    """

    def __init__(
        self,
        project: Project,
        snapshot: Snapshot,
        options: Options,
        reporter: Reporter,
        clock: Clock,
        state_file: Path,
    ) -> None:
        self.project = project
        self.state_file = state_file
        self.snapshot = snapshot
        self.options = options
        self.clock = clock
        self.changed = threading.Condition(threading.RLock())
        self.errors = 0
        self.cancelled = False
        self.untouched = True
        """Whether no resource but the stack itself was changed."""
        self.stack_outputs: Properties | None = None
        self.hosts = Hosts(Surroundings(project, snapshot, state_file, clock, self.say))
        self._reporter = reporter
        self._counts: Counter[str] = Counter()
        self._running = 0
        self._started = clock.monotonic()
        self._stopping = False
        self._corrupt = False

    @property
    def preview(self) -> bool:
        """Whether nothing is done in earnest."""
        return self.options.preview

    @property
    def stopping(self) -> bool:
        """Whether nothing new may start."""
        return self._stopping

    @property
    def idle(self) -> bool:
        """Whether no operation is running."""
        return self._running == 0

    def stop(self) -> None:
        """Start nothing new; what runs may end."""
        with self.changed:
            self._stopping = True
            self.changed.notify_all()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a piece of work, so that the end can wait for it; refused when the deployment is stopping."""
        with self.changed:
            if self._stopping:
                raise StoppedError
            self._running += 1
        try:
            yield
        finally:
            with self.changed:
                self._running -= 1
                self.changed.notify_all()

    @contextmanager
    def performing(self, step: Step) -> Iterator[None]:
        """Report a step, run it, and stop the deployment if it fails."""
        with self.changed:
            if self._stopping:
                raise StoppedError
            self._reporter.started(step)
        try:
            yield
        except StepError as error:
            self._fail(step, error)
            raise StoppedError from error
        with self.changed:
            if step.logical and not step.internal and not _discarded_read(step):
                self._counts[step.result or step.operation] += 1
                self.untouched &= step.operation == "same" or step.urn == self.project.root_urn
            self._reporter.ended(step)

    def _fail(self, step: Step, error: StepError) -> None:
        with self.changed:
            self._corrupt |= error.corrupt
            self._reporter.failed(step, error.message)
            self.tell_error(error.message, step.urn)
            # Nothing was tried on a protected resource, so the other deletes may go on.
            if not isinstance(error, ProtectedError):
                self.stop()

    def tell(self, severity: str, message: str, urn: str = "") -> None:
        """Tell the user something."""
        with self.changed:
            self._reporter.diagnostic(severity, message, urn)

    def tell_error(self, message: str, urn: str = "") -> None:
        """Tell the user an error, which makes the deployment a failed one."""
        with self.changed:
            self.errors += 1
            self._reporter.diagnostic("error", message, urn)

    def say(self, line: str) -> None:
        """A line that the program or a provider wrote."""
        if line.strip():
            self.tell("info", line, self.project.root_urn)

    def finish(self) -> Summary:
        """The summary, for those who watch."""
        root = next((state for state in self.snapshot.resources() if state.urn == self.project.root_urn), None)
        summary = Summary(
            ok=not self.errors and not self.cancelled,
            changes=dict(sorted(self._counts.items())),
            seconds=self.clock.monotonic() - self._started,
            corrupt=self._corrupt,
            outputs=dict(root.outputs) if root else {},
            preview=self.preview,
            interrupted=self.cancelled,
        )
        with self.changed:
            self._reporter.summary(summary)
        return summary


def _discarded_read(step: Step) -> bool:
    return step.operation == "read"


def mark_state_secrets(state: ResourceState) -> None:
    """Mark the outputs that the program declared secret, and those whose input of the same name is."""
    for key in state.additional_secret_outputs:
        if key in state.outputs and not isinstance(state.outputs[key], Secret):
            state.outputs[key] = Secret(state.outputs[key])
    for key, given in state.inputs.items():
        if isinstance(given, Secret) and key in state.outputs and not isinstance(state.outputs[key], Secret):
            state.outputs[key] = Secret(state.outputs[key])
