"""`mg rehearse import`: resources of an import file become the stack's, as `pulumi import --file` makes them.

The file is one with inputs and outputs, so that nothing is read and no provider runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from mg_provider.clock import Clock, SystemClock
from mg_provider.command_line.errors import Refusal, unread
from mg_provider.command_line.exits import FINE
from mg_provider.rehearsal.engine.hosts import default_inputs
from mg_provider.rehearsal.errors import RehearsalError
from mg_provider.rehearsal.program.pickles import SERIALIZED
from mg_provider.rehearsal.program.project import Project, load_project
from mg_provider.rehearsal.state.file import ResourceState, Snapshot, locked, read_state
from mg_provider.rehearsal.state.properties import Properties, from_state
from mg_provider.rehearsal.state.urns import (
    DEFAULT_PROVIDER,
    PACKAGE,
    PROVIDER_PREFIX,
    ROOT_TYPE,
    make_urn,
    name_of,
    reference_of,
    type_of,
)

_MAKE: Final = "make the file with `mg import`"


def import_file(
    file: Path,
    stack: str,
    program_dir: Path = Path(),
    state_file: Path | None = None,
    *,
    config: dict[str, str] | None = None,
    write: Callable[[str], object] | None = None,
    complain: Callable[[str], object] | None = None,
) -> int:
    """Put the resources of an import file into a stack's state.

    Args:
        file: The import file.
        stack: The stack's name.
        program_dir: The folder of Pulumi.yaml.
        state_file: Where the state is kept; by default below ``.mg/rehearsal`` in that folder.
        config: Config values that win over those of the stack's file, by full key.
        write: Takes what is said; by default it is printed.
        complain: Takes what is wrong; by default it goes to stderr.

    Returns:
        0 if they are there now, 2 if nothing was begun.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    clock = SystemClock()
    try:
        project = load_project(program_dir, stack, config)
        path = (state_file or project.default_state_file).absolute()
        with locked(path):
            resources, pending, cloud = read_state(path)
            made = list(_imported(_entries(file), project, resources, clock))
            Snapshot([*resources, *made], pending, path, clock, cloud).write()
    except Refusal as error:
        complain(f"error: {error}\n")
        return error.exit_code
    custom = [state for state in made if state.provider]
    for state in custom:
        write(f" = {type_of(state.urn).rpartition(':')[2]} {name_of(state.urn)}: imported\n")
    write(f"done: {len(custom)} imported\n")
    return FINE


def _entries(file: Path) -> list[dict[str, Any]]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RehearsalError(f"{file} cannot be read as an import file: {unread(error)}", hint=_MAKE) from error
    entries = document.get("resources") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RehearsalError(f"{file} is not an import file: it has no list of resources", hint=_MAKE)
    for entry in entries:
        name = str(entry.get("name"))
        missing = [key for key in ("type", "name", "id") if not isinstance(entry.get(key), str) or not entry[key]]
        if missing:
            raise RehearsalError(f"{file}: {name} has no {missing[0]}", hint=_MAKE)
        if not entry["type"].startswith(f"{PACKAGE}:"):
            raise RehearsalError(
                f"{file}: {name} is a {entry['type']}, and only dynamic resources are imported offline",
                hint="take it out of the file",
            )
        held = [isinstance(entry.get(key), dict) and SERIALIZED in entry[key] for key in ("inputs", "outputs")]
        if not all(held) or entry.get("parent"):
            problem = "has a parent" if all(held) else "lacks inputs or outputs with its provider"
            raise RehearsalError(f"{file}: {name} {problem}", hint=_MAKE)
    return entries


def _imported(
    entries: list[dict[str, Any]], project: Project, resources: list[ResourceState], clock: Clock
) -> Iterator[ResourceState]:
    """What enters the state: the stack and its default provider where they are not there yet, then each resource."""
    known = {state.urn: state for state in resources}
    if project.root_urn not in known:
        yield _now(ResourceState(project.root_urn, custom=False, type=ROOT_TYPE), clock)
    urn = make_urn(project.stack, project.name, "", f"{PROVIDER_PREFIX}{PACKAGE}", DEFAULT_PROVIDER)
    provider = known.get(urn)
    if provider is None:
        inputs = default_inputs(project, PACKAGE)
        provider = ResourceState(urn, True, f"{PROVIDER_PREFIX}{PACKAGE}", id=clock.request_id())
        provider.inputs, provider.outputs = inputs, dict(inputs)
        yield _now(provider, clock)
    for entry in entries:
        urn = make_urn(project.stack, project.name, project.root_urn, entry["type"], entry["name"])
        if urn in known:
            raise RehearsalError(
                f"{entry['name']} is in the stack's state already", hint="take it out of the import file"
            )
        state = ResourceState(urn, True, entry["type"], id=entry["id"], parent=project.root_urn)
        state.inputs, state.outputs = _properties(entry["inputs"]), _properties(entry["outputs"])
        state.provider = reference_of(provider.urn, provider.id)
        known[urn] = state
        yield _now(state, clock)


def _properties(values: dict[str, Any]) -> Properties:
    found: Properties = from_state(values)
    return found


def _now(state: ResourceState, clock: Clock) -> ResourceState:
    state.created = state.modified = clock.now().isoformat().replace("+00:00", "Z")
    return state
