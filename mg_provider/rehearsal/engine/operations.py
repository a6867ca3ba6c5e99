"""The operations themselves: each changes one resource, and the state with it."""

from __future__ import annotations

import copy
from typing import Final

from mg_provider.data.engine_values import UNKNOWN_TEXT
from mg_provider.rehearsal.engine.deployment import Deployment, mark_state_secrets
from mg_provider.rehearsal.engine.hosts import config_of
from mg_provider.rehearsal.errors import ProtectedError, StepError
from mg_provider.rehearsal.state.differences import Difference, difference_of_inputs, ignoring_changes
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import Properties, equal
from mg_provider.rehearsal.state.steps import Step
from mg_provider.rehearsal.state.urns import is_provider_type, name_of

_UNKNOWN_CONFIG: Final = (
    "The provider for this resource has inputs that are not known during preview.\n"
    "This preview may not correctly represent the changes that will be applied during an update."
)


def same(deployment: Deployment, step: Step, old: ResourceState, new: ResourceState) -> None:
    """Keep a resource as it is; what the program says about it (parent, protection) may have changed."""
    with deployment.performing(step):
        new.id, new.outputs = old.id, old.outputs
        new.created, new.modified = old.created, old.modified
        if is_provider_type(new.type) and new.id:
            deployment.hosts.load(new.urn, new.id, old.inputs)
        mark_state_secrets(new)
        deployment.snapshot.keep(old, new)


def create(deployment: Deployment, step: Step, old: ResourceState | None, new: ResourceState) -> None:
    """Create a resource; ``old`` is what it replaces.

    A replaced resource that is still there is marked for deletion, which comes when the program has ended.
    """
    with deployment.performing(step):
        if deployment.preview:
            _preview_create(deployment, new)
            _put(deployment, old, new)
            return
        deployment.snapshot.begin(new, "creating")
        try:
            _create(deployment, new)
        except StepError as error:
            partial = error.partial
            if partial is None or not partial.identifier:
                deployment.snapshot.end(new, lost=error.unanswered)
                raise
            new.id, new.outputs, new.init_errors = partial.identifier, partial.outputs, partial.reasons
            _created(deployment, old, new)
            raise
        _created(deployment, old, new)


def _preview_create(deployment: Deployment, new: ResourceState) -> None:
    if is_provider_type(new.type):
        new.id = UNKNOWN_TEXT
        deployment.hosts.load(new.urn, new.id, new.inputs)
    if new.custom:
        new.outputs = copy.deepcopy(new.inputs)
    mark_state_secrets(new)


def _create(deployment: Deployment, new: ResourceState) -> None:
    if is_provider_type(new.type):
        new.id = deployment.clock.request_id()
        new.outputs = config_of(copy.deepcopy(new.inputs))
        deployment.hosts.load(new.urn, new.id, new.inputs)
    elif new.custom:
        host = deployment.hosts.provider(new.provider).host
        new.id, new.outputs = host.create(new.urn, new.inputs, new.custom_timeouts.get("create", 0.0))


def _created(deployment: Deployment, old: ResourceState | None, new: ResourceState) -> None:
    new.created = new.modified = timestamp(deployment)
    mark_state_secrets(new)
    _put(deployment, old, new)


def _put(deployment: Deployment, old: ResourceState | None, new: ResourceState) -> None:
    """Enter a created resource into the state; the one that it replaces is to be deleted, or is gone already."""
    done = None
    if old is not None and old.pending_replacement:
        done = old
    elif old is not None:
        old.delete = True
    deployment.snapshot.end(new, done=done, new=new)


def update(deployment: Deployment, step: Step, old: ResourceState, new: ResourceState) -> None:
    """Update a resource in place.

    If it exists but the update did not end well, the state keeps the old inputs, so that the change is tried again.
    """
    with deployment.performing(step):
        new.id, new.created, new.modified = old.id, old.created, old.modified
        if deployment.preview:
            new.outputs = _outputs_in_preview(deployment, old, new)
            if is_provider_type(new.type):
                deployment.hosts.load(new.urn, new.id, new.inputs)
            mark_state_secrets(new)
            deployment.snapshot.end(None, done=old, new=new)
            return
        deployment.snapshot.begin(new, "updating")
        try:
            new.outputs = _update(deployment, old, new)
        except StepError as error:
            if error.partial is None:
                deployment.snapshot.end(new)
                raise
            new.inputs, new.outputs, new.init_errors = old.inputs, error.partial.outputs, error.partial.reasons
            _updated(deployment, old, new)
            raise
        _updated(deployment, old, new)


def _outputs_in_preview(deployment: Deployment, old: ResourceState, new: ResourceState) -> Properties:
    if not new.custom:
        return {}
    outputs = copy.deepcopy(new.inputs)
    if is_provider_type(new.type) or not deployment.hosts.provider(new.provider).host.knows_outputs_of_updates:
        return outputs
    return {**copy.deepcopy(old.outputs), **outputs}


def _update(deployment: Deployment, old: ResourceState, new: ResourceState) -> Properties:
    if is_provider_type(new.type):
        deployment.hosts.load(new.urn, new.id, new.inputs)
        return config_of(copy.deepcopy(new.inputs))
    if not new.custom:
        return {}
    return deployment.hosts.provider(new.provider).host.update(old, new)


def _updated(deployment: Deployment, old: ResourceState, new: ResourceState) -> None:
    if new.custom:
        new.modified = timestamp(deployment)
    mark_state_secrets(new)
    deployment.snapshot.end(new, done=old, new=new)


def delete(
    deployment: Deployment, step: Step, old: ResourceState, *, deleted: set[str], replacing: bool = False
) -> None:
    """Delete a resource.

    Args:
        deployment: what this belongs to.
        step: the operation as it is reported.
        old: the resource.
        deleted: the URNs that this deployment deletes, for `deletedWith`.
        replacing: whether it will be created again; the state remembers that until then.
    """
    with deployment.performing(step):
        if old.protect and step.operation not in ("delete-replaced", "discard-replaced"):
            raise ProtectedError(
                f"resource {name_of(old.urn)} is protected and cannot be deleted",
                hint="remove `protect` from it in the program, run `up`, and try again",
            )
        if deployment.preview:
            old.pending_replacement = replacing
            deployment.snapshot.end(None, done=None if replacing else old)
            return
        deployment.snapshot.begin(old, "deleting")
        try:
            if not _survives(old, deleted):
                deployment.hosts.provider(old.provider).host.delete(old, old.custom_timeouts.get("delete", 0.0))
        except StepError:
            deployment.snapshot.end(old)
            raise
        # Only now: had the delete failed, the next run would not try it again.
        old.pending_replacement = replacing
        deployment.snapshot.end(old, done=None if replacing else old)


def _survives(old: ResourceState, deleted: set[str]) -> bool:
    """Whether only the state forgets it: nothing is behind it, it is not ours, or something else takes it along."""
    virtual = not old.custom or is_provider_type(old.type)
    return virtual or old.external or old.retain_on_delete or old.deleted_with in deleted


def read(deployment: Deployment, step: Step, old: ResourceState | None, new: ResourceState) -> None:
    """Read a resource that somebody else manages; previews do that too."""
    with deployment.performing(step):
        if new.id != UNKNOWN_TEXT:
            provider = deployment.hosts.provider(new.provider)
            if provider.known:
                identifier, outputs, _ = provider.host.read(new, new.inputs)
                if not identifier:
                    raise StepError(
                        f"resource {name_of(new.urn)} with id {new.id} does not exist",
                        hint="correct the id, or remove the resource from the program",
                    )
                new.id, new.outputs = identifier, outputs
        mark_state_secrets(new)
        if old is not None:
            new.created, new.modified = old.created, old.modified
        if step.operation == "read-replacement" and old is not None:
            old.delete, old = True, None
        deployment.snapshot.end(None, done=old, new=new)


def refresh(deployment: Deployment, step: Step, old: ResourceState) -> ResourceState | None:
    """Read a resource of ours again: the resource as it is now, None if it is gone."""
    with deployment.performing(step):
        step.result = "same"
        if not old.custom or is_provider_type(old.type) or old.pending_replacement:
            return old
        host = deployment.hosts.provider(old.provider).host
        init_errors: list[str] = []
        try:
            identifier, outputs, inputs = host.read(old, old.outputs)
        except StepError as error:
            if error.partial is None:
                raise
            partial = error.partial
            identifier, outputs, inputs = partial.identifier, partial.outputs, partial.inputs
            init_errors = partial.reasons
            deployment.tell("warning", "Refreshed resource is not ready: " + "; ".join(init_errors), old.urn)
        if not identifier:
            step.new, step.result = None, "delete"
            return None
        new = old.copied()
        new.id, new.outputs, new.init_errors = identifier, outputs, init_errors
        new.inputs = old.inputs if inputs is None else inputs
        mark_state_secrets(new)
        if not equal(new.inputs, old.inputs) or not equal(new.outputs, old.outputs):
            new.modified = timestamp(deployment)
        _compare_refreshed(deployment, step, old, new)
        step.new = new
        return new


def _compare_refreshed(deployment: Deployment, step: Step, old: ResourceState, new: ResourceState) -> None:
    """What a refresh shows: the difference an `up` would make, turned round."""
    if old.external:
        step.result = "same" if equal(old.outputs, new.outputs) else "update"
        return
    found = difference(deployment, new, old.inputs, old.ignore_changes).inverted()
    step.result = "same" if found.changes == "none" else "update"
    step.diffs, step.detailed = found.changed_keys, found.detailed


def difference(deployment: Deployment, old: ResourceState, new: Properties, ignore_changes: list[str]) -> Difference:
    """Ask the provider for the difference; where it does not know, compare the inputs."""
    provider = deployment.hosts.provider(old.provider)
    if not provider.known:
        deployment.tell("warning", _UNKNOWN_CONFIG, old.urn)
        return Difference("some")
    answer = provider.host.diff(old, new, ignore_changes)
    if answer.changes != "unknown":
        return answer
    return difference_of_inputs(answer, old.inputs, ignoring_changes(new, old.inputs, ignore_changes))


def timestamp(deployment: Deployment) -> str:
    """Now, as deployment files write it."""
    return deployment.clock.now().isoformat().replace("+00:00", "Z")
