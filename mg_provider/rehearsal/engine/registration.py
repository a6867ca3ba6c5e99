"""What to do with a resource that the program registers: create, update, replace, read or leave it as it is.

Registrations come from many threads, as the program's own dependency order allows; each ends when its operation has
ended, which is what lets the program go on to the resources that depend on it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mg_provider.rehearsal.engine import operations
from mg_provider.rehearsal.engine.deployment import Deployment
from mg_provider.rehearsal.engine.goals import Goal, Names
from mg_provider.rehearsal.engine.hosts import ONLY_REHEARSED, REHEARSED, config_of, default_inputs
from mg_provider.rehearsal.engine.replacement import Change, Replacements
from mg_provider.rehearsal.errors import StepError, StoppedError
from mg_provider.rehearsal.state.differences import Difference, ignoring_changes
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import Properties, equal
from mg_provider.rehearsal.state.steps import Step
from mg_provider.rehearsal.state.urns import (
    DEFAULT_PROVIDER,
    PROVIDER_PREFIX,
    ROOT_TYPE,
    is_provider_type,
    name_of,
    reference_of,
    type_of,
)


class Registrar:
    """Decides about each registration and carries it out.

    Args:
        deployment: what the registrations belong to.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._names = Names(deployment.project.name, deployment.project.stack)
        self._olds = {state.urn: state for state in deployment.snapshot.base if not state.delete}
        self._goals: dict[str, Goal] = {}
        self._claimed: dict[str, str] = {}
        self._registered: dict[str, ResourceState] = {}
        self._lock = threading.RLock()
        self._default_lock = threading.Lock()
        self._default_references: dict[tuple[str, str], str] = {}
        self.skipped: set[str] = set()
        self.replacements = Replacements(deployment)

    @property
    def operated(self) -> set[str]:
        """The old URNs that the program still has, under this or another name."""
        with self._lock:
            return set(self._goals) | set(self._claimed)

    def register(self, goal: Goal) -> ResourceState:
        """Bring a resource to what the program wants.

        Raises:
            StoppedError: it failed, which has been reported, or the deployment is stopping.
        """
        with self._failing(goal):
            return self._register(goal)
        raise StoppedError

    def _register(self, goal: Goal) -> ResourceState:
        if goal.custom and not is_provider_type(goal.type):
            self._adopt_provider(goal)
        with self._lock:
            urn, old, alias = self._claim(goal)
        new = _state_of(goal, urn, alias, old)
        if self._depends_on_skipped(new):
            raise StepError(
                f"{name_of(urn)} depends on a resource that is not among the targets and does not exist",
                hint="name that one as a target too, or leave the targets out",
            )
        if goal.custom and not is_provider_type(goal.type):
            result = self._register_custom(goal, old, new)
        else:
            result = self._register_virtual(goal, old, new)
        with self._lock:
            self._registered[urn] = result
        return result

    def _adopt_provider(self, goal: Goal) -> None:
        with self._lock:
            parent = self._goals.get(goal.parent)
        if parent is not None:
            goal.inherit(parent)
        if not goal.provider:
            goal.provider = self.default_provider(goal.type, goal.version)

    def _claim(self, goal: Goal) -> tuple[str, ResourceState | None, str]:
        """The URN of a resource, its old state, and the former URN under which that was found."""
        parent = self._goals.get(goal.parent)
        if parent is not None:
            goal.inherit(parent)
        elif goal.parent:
            raise StepError(
                f"the parent {goal.parent} of {goal.name} has not been registered",
                hint="construct the parent before it, in the same program",
            )
        urn = self._names.urn(goal)
        if urn in self._goals:
            raise StepError(f"two resources have the URN {urn}", hint="give one of them another name")
        if urn in self._claimed:
            raise StepError(f"{urn} is also an alias of {self._claimed[urn]}", hint="remove the resource or the alias")
        self._goals[urn] = goal
        if urn in self._olds:
            return urn, self._olds[urn], ""
        for alias in self._names.aliases(goal):
            if alias in self._olds:
                if alias in self._goals or alias in self._claimed:
                    raise StepError(
                        f"{urn} has the alias {alias}, which another resource has or claims", hint="remove one of them"
                    )
                self._claimed[alias] = urn
                self._names.former[urn] = alias
                return urn, self._olds[alias], alias
        return urn, None, ""

    def default_provider(self, token: str, version: str = "") -> str:
        """The reference of the provider for a type or function where the program names none; it is made if need be.

        Raises:
            StepError: its package is not rehearsed.
        """
        package = token.split(":", 1)[0]
        if package not in REHEARSED:
            raise StepError(f"{token} is not rehearsed", hint=ONLY_REHEARSED)
        name = f"{DEFAULT_PROVIDER}_{version.replace('.', '_')}" if version else DEFAULT_PROVIDER
        with self._default_lock:
            if (package, name) not in self._default_references:
                inputs = default_inputs(self._deployment.project, package) | ({"version": version} if version else {})
                goal = Goal(PROVIDER_PREFIX + package, name, custom=True, properties=inputs)
                state = self._register(goal)
                self._default_references[package, name] = reference_of(state.urn, state.id)
            return self._default_references[package, name]

    def _depends_on_skipped(self, new: ResourceState) -> bool:
        if not self.skipped or not self._targeted(new):
            return False
        return bool((new.all_dependencies() - {new.parent}) & self.skipped)

    def _targeted(self, state: ResourceState) -> bool:
        implicit = is_provider_type(state.type) or state.type == ROOT_TYPE
        return implicit or self._deployment.options.includes(state.urn)

    def _register_virtual(self, goal: Goal, old: ResourceState | None, new: ResourceState) -> ResourceState:
        """A component or a provider resource: nothing in the cloud is behind it."""
        deployment = self._deployment
        if old is None:
            if not self._targeted(new):
                return self._skip(new)
            operations.create(deployment, Step("create", None, new), None, new)
            return new
        if not self._targeted(new):
            return self._leave(old, new)
        if is_provider_type(goal.type):
            unchanged = equal(old.outputs, config_of(new.inputs))
        else:
            unchanged = equal(old.inputs, new.inputs)
        if unchanged:
            operations.same(deployment, Step("same", old, new), old, new)
        else:
            operations.update(deployment, Step("update", old, new), old, new)
        return new

    def _register_custom(self, goal: Goal, old: ResourceState | None, new: ResourceState) -> ResourceState:
        deployment = self._deployment
        if not self._targeted(new):
            return self._skip(new) if old is None else self._leave(old, new)
        recreated = self.replacements.recreated(new.urn, old)
        existing = None if old is None or old.external or recreated else old
        found = self._compare(goal, existing, new)
        if old is None:
            operations.create(deployment, Step("create", None, new), None, new)
        elif recreated:
            self.replacements.recreate(old, new)
        elif old.external:
            operations.create(deployment, Step("create-replacement", old, new), old, new)
        else:
            recheck = lambda: self._check(new, {}, goal.properties)  # noqa: E731 - the one line says it
            self.replacements.apply(Change(goal, old, new, recheck, self.operated), found)
        return new

    def _compare(self, goal: Goal, old: ResourceState | None, new: ResourceState) -> Difference:
        """Check what the program wants, and compare it with what there is."""
        if old is None:
            new.inputs = self._check(new, {}, goal.properties)
            return Difference("none")
        wanted = ignoring_changes(goal.properties, old.inputs, goal.ignore_changes)
        new.inputs = self._check(new, old.inputs, wanted)
        return self.replacements.difference(old, new, goal.ignore_changes)

    def _check(self, new: ResourceState, old: Properties, wanted: Properties) -> Properties:
        provider = self._deployment.hosts.provider(new.provider)
        if not provider.known:
            return wanted
        inputs, failures = provider.host.check(new.urn, old, wanted)
        for name, reason in failures:
            self._deployment.tell_error(f"{name}: {reason}" if name else reason, new.urn)
        if failures:
            self._deployment.stop()
            raise StoppedError
        return inputs

    def _skip(self, new: ResourceState) -> ResourceState:
        """A resource that does not exist and is not a target is not created."""
        with self._lock:
            self.skipped.add(new.urn)
        with self._deployment.performing(Step("same", None, new)):
            return new
        raise StoppedError

    def _leave(self, old: ResourceState, new: ResourceState) -> ResourceState:
        """A resource that is not a target stays exactly as it was."""
        kept = old.copied()
        kept.urn, kept.aliases = new.urn, new.aliases
        operations.same(self._deployment, Step("same", old, kept), old, kept)
        return kept

    def read(self, goal: Goal, identifier: str) -> ResourceState:
        """Read a resource that the program only looks at; failures as for :meth:`register`."""
        with self._failing(goal):
            self._adopt_provider(goal)
            with self._lock:
                urn, old, alias = self._claim(goal)
            new = _state_of(goal, urn, alias, old)
            new.id, new.external = identifier, True
            new.property_dependencies = {}
            relinquished = old is not None and not old.external and old.id != identifier
            operation = "read-replacement" if relinquished else "read"
            operations.read(self._deployment, Step(operation, old, new), old, new)
            if relinquished:
                with self._deployment.performing(Step("replace", old, new)):
                    pass
            return new
        raise StoppedError

    @contextmanager
    def _failing(self, goal: Goal) -> Iterator[None]:
        """Report a failure outside an operation: a check, a diff or a provider that would not start."""
        try:
            yield
        except StepError as error:
            self._deployment.tell_error(error.message, self._names.urn(goal))
            self._deployment.stop()
            raise StoppedError from error

    def outputs(self, urn: str, outputs: Properties) -> None:
        """Take the outputs of a component; those of the stack wait for the end of the deployment."""
        if type_of(urn) == ROOT_TYPE:
            self._deployment.stack_outputs = outputs
            return
        with self._lock:
            state = self._registered[urn]
        if urn not in self.skipped:
            state.outputs = outputs
            self._deployment.snapshot.write()

    def finish_stack(self) -> None:
        """Give the stack its outputs; after an error, what is missing may still be there, so the old ones stay."""
        root = self._registered.get(self._deployment.project.root_urn)
        outputs = self._deployment.stack_outputs
        if root is None or outputs is None:
            return
        old = self._olds.get(root.urn)
        failed = self._deployment.errors or self._deployment.stopping
        root.outputs = (dict(old.outputs) if old and failed else {}) | outputs
        self._deployment.snapshot.write()


def _state_of(goal: Goal, urn: str, alias: str, old: ResourceState | None) -> ResourceState:
    return ResourceState(
        urn=urn,
        custom=goal.custom,
        type=goal.type,
        inputs=goal.properties,
        parent=goal.parent,
        provider=goal.provider if goal.custom else "",
        dependencies=goal.dependencies,
        property_dependencies=goal.property_dependencies,
        protect=bool(goal.protect),
        retain_on_delete=bool(goal.retain_on_delete),
        deleted_with=goal.deleted_with,
        ignore_changes=goal.ignore_changes,
        replace_on_changes=goal.replace_on_changes,
        additional_secret_outputs=goal.additional_secret_outputs,
        aliases=[alias] if alias else [],
        custom_timeouts=dict(goal.custom_timeouts),
        created=old.created if old else "",
        modified=old.modified if old else "",
    )
