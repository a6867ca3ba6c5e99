"""The four operations on a stack: up, preview, refresh, destroy."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mg_provider.clock import Clock
from mg_provider.rehearsal.engine import operations
from mg_provider.rehearsal.engine.deletions import (
    delete_all,
    delete_leftovers,
    deletions_of_targets,
    refuse_unknown_targets,
)
from mg_provider.rehearsal.engine.deployment import Deployment, Options, unknown_target
from mg_provider.rehearsal.engine.monitor import serving
from mg_provider.rehearsal.engine.registration import Registrar
from mg_provider.rehearsal.errors import StoppedError
from mg_provider.rehearsal.program.child import start
from mg_provider.rehearsal.program.project import Project
from mg_provider.rehearsal.program.providers import STOP_SECONDS
from mg_provider.rehearsal.state.cloud import require_same
from mg_provider.rehearsal.state.file import ResourceState, Snapshot, read_state
from mg_provider.rehearsal.state.steps import Reporter, Step, Summary
from mg_provider.rehearsal.state.urns import is_provider_type, name_of

_TICK_SECONDS: Final = 0.2
_REPORTED: Final = 32  # The exit code of a program whose error has been reported; see program/run.py.
_INTERRUPTED: Final = "an earlier run was interrupted while it created this resource, which may exist"
_TAKE_UP: Final = (
    "run `mg rehearse up`, which takes it up, then this again; if nothing of it exists, run this with "
    "--clear-pending-creates, which forgets it"
)
_PROGRAM: Final = Path(__file__).parents[1] / "program" / "run.py"


def up(project: Project, state_file: Path, options: Options, reporter: Reporter, clock: Clock) -> Summary:
    """Run the program and bring the stack to what it wants; with ``options.preview`` only show what that would do.

    Args:
        project: the program and its config.
        state_file: where the stack's state is kept.
        options: preview, targets, parallelism.
        reporter: who watches.
        clock: time and ids.

    Raises:
        RehearsalError: the state cannot be used, or a target is unknown and nothing else was changed.
    """
    deployment = _deployment(project, state_file, options, reporter, clock)
    registrar = Registrar(deployment)
    _warn_of_interrupted(deployment)
    with serving(deployment, registrar) as address, _interruptible(deployment):
        deployment.hosts.prepare(address)
        ended_well = _run_program(deployment, address) and _targets_exist(deployment, registrar.operated)
        if ended_well and not deployment.stopping:
            delete_leftovers(deployment, registrar.operated, registrar.replacements.condemned)
    registrar.finish_stack()
    deployment.snapshot.write()
    return deployment.finish()


def refresh(project: Project, state_file: Path, options: Options, reporter: Reporter, clock: Clock) -> Summary:
    """Read every resource and take what is found into the state; the program does not run.

    Raises:
        RehearsalError: the state cannot be used, or a target is unknown.
    """
    deployment = _deployment(project, state_file, options, reporter, clock, refresh=True)
    refuse_unknown_targets(deployment)
    _warn_of_interrupted(deployment)
    with _interruptible(deployment):
        deployment.hosts.prepare("127.0.0.1:0")
        found = _in_parallel(deployment, _refresh_one)
    # What could not be read stays as it was.
    deployment.snapshot.rebase(_without_gone(deployment.snapshot.base, found))
    return deployment.finish()


def destroy(project: Project, state_file: Path, options: Options, reporter: Reporter, clock: Clock) -> Summary:
    """Delete every resource of the stack in reverse dependency order; the program does not run.

    Nothing is deleted while an interrupted creation may have left something that the state does not have. Pulumi only
    warns of that.
    """
    deployment = _deployment(project, state_file, options, reporter, clock)
    deletions = deletions_of_targets(deployment)
    if _refuses_for_interrupted(deployment):
        return deployment.finish()
    with _interruptible(deployment):
        deployment.hosts.prepare("127.0.0.1:0")
        delete_all(deployment, deletions)
    deployment.snapshot.write()
    return deployment.finish()


def _deployment(
    project: Project, state_file: Path, options: Options, reporter: Reporter, clock: Clock, *, refresh: bool = False
) -> Deployment:
    resources, pending, former = read_state(state_file)
    if options.clear_pending_creates:
        pending = []
    if options.cloud and former:
        urns = [state.urn for state in resources if state.id and not is_provider_type(state.type)]
        urns += [operation["resource"]["urn"] for operation in pending]
        names = dict.fromkeys(map(name_of, urns))
        require_same(former, options.cloud, names, refresh=refresh, named_by=options.named_by)
    path = None if options.preview else state_file
    snapshot = Snapshot(resources, pending, path, clock, options.cloud or former)
    return Deployment(project, snapshot, options, reporter, clock, state_file)


def _targets_exist(deployment: Deployment, registered: set[str]) -> bool:
    """Whether each target is in the state or the program; an error for each that is in neither.

    Raises:
        RehearsalError: one is in neither, and nothing was changed: it is a mistake in the command, and nothing else.
    """
    known = registered | {state.urn for state in deployment.snapshot.base}
    missing = deployment.options.missing(known)
    if missing and (deployment.preview or deployment.untouched):
        raise unknown_target(missing[0], known)
    for target in missing:
        deployment.tell_error(str(unknown_target(target, known)), deployment.project.root_urn)
    return not missing


def _warn_of_interrupted(deployment: Deployment) -> None:
    for urn in _interrupted(deployment):
        deployment.tell("warning", f"{_INTERRUPTED}; a provider that looks before it creates will find it", urn)


def _refuses_for_interrupted(deployment: Deployment) -> bool:
    """Whether a creation of what is to be deleted was interrupted; an error for each."""
    included = [urn for urn in _interrupted(deployment) if deployment.options.includes(urn)]
    for urn in included:
        deployment.tell_error(f"{_INTERRUPTED} and cost money; nothing was deleted\ndo: {_TAKE_UP}", urn)
    return bool(included)


def _interrupted(deployment: Deployment) -> list[str]:
    """The URN of each resource whose creation an earlier run did not end, once."""
    return list(dict.fromkeys(operation["resource"]["urn"] for operation in deployment.snapshot.interrupted))


@contextmanager
def _interruptible(deployment: Deployment) -> Iterator[None]:
    """Ctrl-C starts nothing new and waits for what runs; a second one ends the providers at once."""

    def interrupt(number: int, frame: object) -> None:
        # The lock may be held by the thread that is interrupted, and it is re-entrant.
        if deployment.cancelled:
            deployment.hosts.kill()
            return
        deployment.cancelled = True
        deployment.tell("warning", "stopping: waiting for running operations; Ctrl-C again ends them at once")
        deployment.stop()

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, interrupt) if in_main else None
    try:
        yield
    finally:
        deployment.hosts.stop()
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _run_program(deployment: Deployment, address: str) -> bool:
    """Run the program to its end; whether it ended well."""
    project = deployment.project
    settings = {
        "project": project.name,
        "stack": project.stack,
        "organization": project.organization,
        "root_directory": str(project.root),
        "engine": address,
        "parallel": deployment.options.parallel,
        "dry_run": deployment.preview,
        "stock_sdk": deployment.options.stock_sdk,
    }
    process = start(project, _PROGRAM, str(project.program), json.dumps(settings), stderr=subprocess.STDOUT)
    reader = threading.Thread(target=_relay, args=(process, deployment), daemon=True)
    reader.start()
    _await_program(deployment, process)
    if process.stdin is not None:
        process.stdin.close()
    reader.join(STOP_SECONDS)
    if process.returncode and not deployment.stopping:
        if process.returncode != _REPORTED or not deployment.errors:
            text = f"the program ended with exit code {process.returncode}\ndo: see what it wrote above"
            deployment.tell_error(text, project.root_urn)
        deployment.stop()
    return process.returncode == 0


def _await_program(deployment: Deployment, process: subprocess.Popen[str]) -> None:
    """Wait for the program; when the deployment stops, for the running operations only."""
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    while not ended.wait(_TICK_SECONDS):
        if deployment.stopping and deployment.idle:
            process.terminate()
    with deployment.changed:
        deployment.changed.wait_for(lambda: deployment.idle)


def _relay(process: subprocess.Popen[str], deployment: Deployment) -> None:
    if process.stdout is None:
        return
    with process.stdout:
        for line in process.stdout:
            # After a failure the SDK writes tracebacks that are only its consequence.
            if not deployment.stopping:
                deployment.say(line.rstrip("\n"))


def _in_parallel(
    deployment: Deployment, work: Callable[[Deployment, ResourceState], ResourceState | None]
) -> dict[int, ResourceState | None]:
    chosen = [state for state in deployment.snapshot.base if deployment.options.includes(state.urn)]
    found: dict[int, ResourceState | None] = {}

    def one(state: ResourceState) -> None:
        try:
            with deployment.working():
                found[id(state)] = work(deployment, state)
        except StoppedError:
            return  # Reported already.

    with ThreadPoolExecutor(max_workers=deployment.options.parallel) as pool:
        list(pool.map(one, chosen))
    return found


def _refresh_one(deployment: Deployment, state: ResourceState) -> ResourceState | None:
    return operations.refresh(deployment, Step("refresh", state, state), state)


def _without_gone(base: list[ResourceState], found: dict[int, ResourceState | None]) -> list[ResourceState]:
    """The state after a refresh: without what is gone, and without references to it."""
    kept: list[ResourceState] = []
    present: set[str] = set()
    adopted_by: dict[str, str] = {}
    for state in base:
        now = found.get(id(state), state)
        if now is None:
            adopted_by[state.urn] = adopted_by.get(state.parent, state.parent)
            continue
        now.dependencies = [urn for urn in now.dependencies if urn in present]
        left = {key: [urn for urn in urns if urn in present] for key, urns in now.property_dependencies.items()}
        now.property_dependencies = {key: urns for key, urns in left.items() if urns}
        if now.parent not in present:
            now.parent = adopted_by.get(now.parent, now.parent)
        if now.deleted_with not in present:
            now.deleted_with = ""
        kept.append(now)
        present.add(now.urn)
    return kept
