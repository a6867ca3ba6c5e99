"""What has to go when the program has ended: resources it no longer has, and those that were replaced.

Each goes as soon as everything that depends on it has gone.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from mg_provider.rehearsal.engine import operations
from mg_provider.rehearsal.engine.deployment import Deployment, unknown_target
from mg_provider.rehearsal.errors import RehearsalError, StoppedError
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.steps import Step
from mg_provider.rehearsal.state.urns import name_of


@dataclass(frozen=True)
class Deletion:
    """A resource to delete, and the step that reports it."""

    state: ResourceState
    operation: str


def delete_leftovers(deployment: Deployment, kept: set[str], condemned: set[str]) -> None:
    """Delete what the state has and the program has not.

    Args:
        deployment: what this belongs to.
        kept: the URNs that the program still has, old names included.
        condemned: the URNs deleted for a replacement and not registered again.
    """
    deletions = []
    for state in deployment.snapshot.base:
        if not deployment.options.includes(state.urn):
            if state.urn not in kept:
                _leave(deployment, state)
        elif state.delete:
            deletions.append(Deletion(state, "discard-replaced" if state.external else "delete-replaced"))
        elif state.urn not in kept:
            gone = state.pending_replacement or state.urn in condemned
            plain = "discard" if state.external else "delete"
            deletions.append(Deletion(state, "remove-pending-replace" if gone else plain))
    delete_all(deployment, deletions)


def deletions_of_targets(deployment: Deployment) -> list[Deletion]:
    """What a destroy deletes: everything, or the targets if nothing else depends on them.

    Raises:
        RehearsalError: a target is unknown, or something that is not a target depends on one.
    """
    refuse_unknown_targets(deployment)
    base = deployment.snapshot.base
    chosen = [state for state in base if deployment.options.includes(state.urn)]
    if deployment.options.targets:
        urns = {state.urn for state in chosen}
        for state in base:
            if state.urn not in urns and state.all_dependencies() & urns:
                raise RehearsalError(
                    f"{name_of(state.urn)} depends on a target", hint=f"name it as a target too: {state.urn}"
                )
    for state in base:
        if not deployment.options.includes(state.urn):
            _leave(deployment, state)
    return [Deletion(state, _operation(state)) for state in chosen]


def refuse_unknown_targets(deployment: Deployment) -> None:
    """Refuse targets that the state does not have.

    Raises:
        RehearsalError: with the first of them.
    """
    known = {state.urn for state in deployment.snapshot.base}
    for target in deployment.options.missing(known):
        raise unknown_target(target, known)


def _leave(deployment: Deployment, state: ResourceState) -> None:
    """Report that a resource stays because it is not a target."""
    with deployment.performing(Step("same", state, state)):
        pass


def _operation(state: ResourceState) -> str:
    if state.delete:
        return "discard-replaced" if state.external else "delete-replaced"
    if state.pending_replacement:
        return "remove-pending-replace"
    return "discard" if state.external else "delete"


def delete_all(deployment: Deployment, deletions: list[Deletion]) -> None:
    """Delete resources in reverse dependency order, as many at once as that allows."""
    waiting = {id(deletion.state): deletion for deletion in deletions}
    blockers = _blockers(deployment.snapshot.base, [deletion.state for deletion in deletions])
    urns = {deletion.state.urn for deletion in deletions if deletion.operation == "delete"}
    running: dict[Future[None], int] = {}
    if not deletions:
        return
    with ThreadPoolExecutor(max_workers=deployment.options.parallel) as pool:
        while True:
            free = [key for key in waiting if not blockers[key]]
            if deployment.stopping:
                free = []
            for key in free:
                running[pool.submit(_delete, deployment, waiting.pop(key), urns)] = key
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                key = running.pop(future)
                try:
                    future.result()
                except StoppedError:
                    continue  # Reported already; what it depends on must stay.
                for blocked in blockers.values():
                    blocked.discard(key)


def _blockers(base: list[ResourceState], condemned: list[ResourceState]) -> dict[int, set[int]]:
    """For each condemned resource, those that must go before it: all that depend on it and are condemned too."""
    position = {id(state): index for index, state in enumerate(base)}
    ordered = sorted(condemned, key=lambda state: position[id(state)])
    children: dict[str, list[ResourceState]] = {}
    for state in ordered:
        children.setdefault(state.parent, []).append(state)
    blockers: dict[int, set[int]] = {id(state): set() for state in ordered}
    for index, state in enumerate(ordered):
        wanted = state.all_dependencies()
        for earlier in ordered[:index]:
            if earlier.urn not in wanted:
                continue
            blockers[id(earlier)].add(id(state))
            # To depend on a component is to depend on what it consists of.
            if not earlier.custom and earlier.urn != state.parent:
                _block_children(blockers, children, earlier, state, position)
    return blockers


def _block_children(
    blockers: dict[int, set[int]],
    children: dict[str, list[ResourceState]],
    component: ResourceState,
    dependent: ResourceState,
    position: dict[int, int],
) -> None:
    for child in children.get(component.urn, ()):
        if position[id(child)] < position[id(dependent)]:
            blockers[id(child)].add(id(dependent))
            _block_children(blockers, children, child, dependent, position)


def _delete(deployment: Deployment, deletion: Deletion, urns: set[str]) -> None:
    state = deletion.state
    step = Step(deletion.operation, state, None)
    if deletion.operation == "remove-pending-replace":
        with deployment.working(), deployment.performing(step):
            deployment.snapshot.end(None, done=state)
        return
    with deployment.working():
        operations.delete(deployment, step, state, deleted=urns - {state.urn})
