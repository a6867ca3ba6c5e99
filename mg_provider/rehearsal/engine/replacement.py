"""Changes to resources that exist: in place, or by replacement in one of two orders.

A replacement creates the new one first, so that there is always one, and deletes the old one when the program has
ended. Or, with `deleteBeforeReplace`, it deletes the old one first, and before it everything that would be replaced
in its wake; those are created again when the program registers them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from mg_provider.rehearsal.engine import operations
from mg_provider.rehearsal.engine.deployment import Deployment
from mg_provider.rehearsal.engine.goals import Goal
from mg_provider.rehearsal.errors import StepError
from mg_provider.rehearsal.state.differences import Difference, with_replace_on_changes
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import UNKNOWN, Properties
from mg_provider.rehearsal.state.steps import Step
from mg_provider.rehearsal.state.urns import name_of, urn_of_reference

_UNPROTECT: Final = "remove `protect` from it in the program and run `up`"


@dataclass(frozen=True)
class Change:
    """A resource that exists and what the program wants of it now.

    Args:
        goal: what the program wants.
        old: what there is.
        new: what there will be, with checked inputs.
        recheck: checks the inputs as those of a new resource, for a replacement.
        registered: the URNs of this program's run so far.
    """

    goal: Goal
    old: ResourceState
    new: ResourceState
    recheck: Callable[[], Properties]
    registered: set[str]


class Replacements:
    """Carries out changes and remembers what was deleted or replaced on the way.

    Args:
        deployment: what the changes belong to.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lock = threading.RLock()
        self._replaced: set[str] = set()
        self._deleted: dict[str, tuple[str, ...]] = {}

    @property
    def condemned(self) -> set[str]:
        """URNs of resources deleted for a replacement and not yet registered again."""
        with self._lock:
            return set(self._deleted)

    def recreated(self, urn: str, old: ResourceState | None) -> bool:
        """Whether a resource was deleted earlier in this deployment, because of something it depends on."""
        with self._lock:
            return old is not None and (urn in self._deleted or old.urn in self._deleted)

    def recreate(self, old: ResourceState, new: ResourceState) -> None:
        """Create a resource again that was deleted for the sake of another."""
        with self._lock:
            keys = self._deleted.pop(old.urn, None) or self._deleted.pop(new.urn, ())
            self._replaced.add(new.urn)
        with self._deployment.performing(Step("replace", old, new)):
            pass
        step = Step("create-replacement", old, new, keys=keys)
        operations.create(self._deployment, step, old, new)

    def apply(self, change: Change, found: Difference) -> None:
        """Do what the difference between old and new asks for."""
        old, new = change.old, change.new
        found = with_replace_on_changes(found, change.goal.replace_on_changes, bool(old.init_errors))
        if old.pending_replacement or (found.changes == "some" and found.replaces):
            self._replace(change, found)
        elif found.changes == "some" or old.init_errors:
            # Without a difference this is an attempt to bring an unready resource to an end.
            operations.update(self._deployment, Step.of("update", old, new, found), old, new)
        else:
            operations.same(self._deployment, Step("same", old, new), old, new)

    def difference(self, old: ResourceState, new: ResourceState, ignore_changes: list[str]) -> Difference:
        """How a resource differs from what the program wants of it; ``new`` has checked inputs."""
        with self._lock:
            if new.deleted_with and new.deleted_with in self._replaced:
                return Difference("some", replace_keys=("deletedWith",))
        if not old.provider:
            return Difference("some", replace_keys=("provider",))
        asked = replace(old, urn=new.urn, provider=new.provider)
        return operations.difference(self._deployment, asked, new.inputs, ignore_changes)

    def _replace(self, change: Change, found: Difference) -> None:
        deployment, old, new = self._deployment, change.old, change.new
        if old.protect and new.protect:
            refusal = StepError(f"unable to replace {name_of(new.urn)}, because it is protected", hint=_UNPROTECT)
            if not deployment.preview:
                raise refusal
            deployment.tell_error(refusal.message, new.urn)
        with self._lock:
            self._replaced.add(new.urn)
        new.inputs = change.recheck()
        first = change.goal.delete_before_replace
        if found.delete_before_replace if first is None else first:
            self._delete_first(change)
            with deployment.performing(Step.of("replace", old, new, found)):
                pass
            operations.create(deployment, Step.of("create-replacement", old, new, found), old, new)
            return
        operations.create(deployment, Step.of("create-replacement", old, new, found), old, new)
        with deployment.performing(Step.of("replace", old, new, found)):
            pass

    def _delete_first(self, change: Change) -> None:
        """Delete a resource and, before it, all that will be replaced because of it, in reverse order."""
        with self._lock:
            wake = [
                entry for entry in self.dependents(change.old, change.registered) if entry[0].urn not in self._deleted
            ]
            protected = [state for state, _ in wake if state.protect]
            if protected:
                raise StepError(
                    f"unable to replace {name_of(change.new.urn)}, because {name_of(protected[0].urn)} would be "
                    "replaced with it and is protected",
                    hint=_UNPROTECT,
                )
            for state, keys in wake:
                self._deleted[state.urn] = keys
        gone = self.condemned | {change.old.urn}
        for state, _ in reversed(wake):
            step = Step("delete-replaced", state, None)
            operations.delete(self._deployment, step, state, deleted=gone, replacing=True)
        if not change.old.pending_replacement:
            step = Step("delete-replaced", change.old, None)
            operations.delete(self._deployment, step, change.old, deleted=gone - {change.old.urn}, replacing=True)

    def dependents(self, root: ResourceState, registered: set[str]) -> Iterator[tuple[ResourceState, tuple[str, ...]]]:
        """The resources that would be replaced if this one was, with the properties that make them.

        One is found by asking its provider for the difference that unknown values from replaced resources make.
        """
        reach, replaced = {root.urn}, {root.urn}
        base = self._deployment.snapshot.base
        for state in base[base.index(root) + 1 :] if root in base else ():
            if state.urn in registered or state.delete or not (state.all_dependencies() - {state.parent}) & reach:
                continue
            reach.add(state.urn)
            keys = self._replaced_with(state, replaced)
            if keys is not None:
                replaced.add(state.urn)
                yield state, keys

    def _replaced_with(self, state: ResourceState, replaced: set[str]) -> tuple[str, ...] | None:
        if not state.custom or state.external or not state.provider:
            return None
        if urn_of_reference(state.provider) in replaced or state.deleted_with in replaced:
            return ()
        inputs = {
            key: UNKNOWN if replaced & set(state.property_dependencies.get(key, ())) else value
            for key, value in state.inputs.items()
        }
        if not any(value is UNKNOWN for value in inputs.values()):
            return None
        found = operations.difference(self._deployment, state, inputs, state.ignore_changes)
        found = with_replace_on_changes(found, state.replace_on_changes, has_init_errors=False)
        return found.replace_keys if found.replaces else None
