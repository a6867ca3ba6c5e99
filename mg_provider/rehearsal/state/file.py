"""What a stack has: resources and the operations under way, in Pulumi's deployment format, version 3.

The format is that of ``sdk/go/common/apitype/core.go``, and ``pulumi stack import`` takes the file as it is. If it has
secrets, that needs an empty ``PULUMI_CONFIG_PASSPHRASE``; `pulumi stack change-secrets-provider` then protects them.
"""

from __future__ import annotations

import copy
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from mg_provider.clock import Clock
from mg_provider.rehearsal.errors import RehearsalError
from mg_provider.rehearsal.state.cloud import Cloud, remembered
from mg_provider.rehearsal.state.properties import Properties, Secret, contains, from_state, masked, to_state
from mg_provider.rehearsal.state.shape import load_document
from mg_provider.rehearsal.state.urns import ROOT_TYPE, Urn, make_urn, urn_of_reference

# What `pulumi stack init` makes of an empty PULUMI_CONFIG_PASSPHRASE; it protects nothing.
_EMPTY_PASSPHRASE_SALT: Final = "v1:1jXSXEjOK+8=:v1:6br6QwuSln3i0D8f:cIHGv+dNmw9DiQTfAc4N4JzU9rYMIA=="  # noqa: S105
_ALWAYS: Final = ("urn", "custom", "type")
_PROPERTIES: Final = ("inputs", "outputs")


@dataclass(eq=False)
class ResourceState:
    """One resource as it stands in a deployment; the JSON keys are these names in camelCase."""

    urn: str
    custom: bool
    type: str
    delete: bool = False
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = field(default_factory=list)
    init_errors: list[str] = field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, Any] = field(default_factory=dict)
    retain_on_delete: bool = False
    deleted_with: str = ""
    created: str = ""
    modified: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    unplayed: dict[str, Any] = field(default_factory=dict)

    def copied(self) -> ResourceState:
        """An independent copy."""
        return copy.deepcopy(self)

    def to_json(self, *, mask: bool = False) -> dict[str, Any]:
        """The resource as in a deployment file; with ``mask``, as in a preview, where secrets are hidden."""
        render = masked if mask else to_state
        result: dict[str, Any] = {}
        for name in _NAMES:
            value = getattr(self, name)
            if value or name in _ALWAYS:
                result[_camel(name)] = render(value) if name in _PROPERTIES else value
        return result | self.unplayed

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> ResourceState:
        """A resource out of a deployment file; what this engine does not play is kept as it is."""
        known = {_camel(name): name for name in _NAMES}
        values = {known[key]: value for key, value in document.items() if key in known}
        for name in _PROPERTIES:
            values[name] = from_state(values.get(name) or {})
        return cls(**values, unplayed={key: value for key, value in document.items() if key not in known})

    def all_dependencies(self) -> set[str]:
        """The URNs of all that must exist before this: dependencies, parent, provider."""
        found = set(self.dependencies) | {self.parent, self.deleted_with}
        for dependencies in self.property_dependencies.values():
            found.update(dependencies)
        if self.provider:
            found.add(urn_of_reference(self.provider))
        return found - {""}


_NAMES: Final = tuple(entry.name for entry in fields(ResourceState) if entry.name != "unplayed")


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


class Snapshot:
    """The stack's resources while a deployment runs, written to the state file around every operation.

    As in Pulumi's own snapshot manager, the file holds what this deployment has made so far, in order, and then what
    the previous one left and this one has not yet replaced or deleted. Both are in dependency order.

    Args:
        base: what the previous deployment left.
        pending: the operations it did not end.
        path: the state file; None writes nothing, as in a preview.
        clock: where the time in the manifest comes from.
        cloud: the cloud that the resources are in, if that is known.
    """

    def __init__(
        self,
        base: list[ResourceState],
        pending: list[dict[str, Any]],
        path: Path | None,
        clock: Clock,
        cloud: Cloud | None = None,
    ) -> None:
        self.base = base
        self.interrupted = [operation for operation in pending if operation["type"] == "creating"]
        self._path = path
        self._clock = clock
        self._cloud = cloud
        self._new: list[ResourceState] = []
        self._done: set[int] = set()
        self._running: dict[int, tuple[ResourceState, str]] = {}
        self._lock = threading.RLock()
        self._writing = threading.Lock()
        # How often it was changed, and up to which change the file has it.
        self._changes = self._written = 0

    def begin(self, state: ResourceState, operation: str) -> None:
        """An operation on a resource starts: creating, updating, deleting or reading."""
        with self._lock:
            self._running[id(state)] = (state, operation)
        self.write()

    def end(
        self,
        running: ResourceState | None,
        *,
        done: ResourceState | None = None,
        new: ResourceState | None = None,
        lost: bool = False,
    ) -> None:
        """An operation ended: ``done`` leaves the state, ``new`` enters it.

        Of a creation that is ``lost`` nobody knows what it made: it stays pending.
        """
        with self._lock:
            if running is not None:
                self._running.pop(id(running), None)
                if lost:
                    self.interrupted.append({"resource": running.to_json(), "type": "creating"})
            if done is not None:
                self._done.add(id(done))
            if new is not None:
                self._new.append(new)
                self.interrupted = [entry for entry in self.interrupted if entry["resource"]["urn"] != new.urn]
        self.write()

    def keep(self, old: ResourceState, new: ResourceState) -> None:
        """A resource stays as it is; the file may learn of it with the next write."""
        with self._lock:
            self._done.add(id(old))
            self._new.append(new)

    def rebase(self, resources: list[ResourceState]) -> None:
        """Replace everything, as a refresh does."""
        with self._lock:
            self.base, self._new, self._done = resources, [], set()
        self.write()

    def resources(self) -> list[ResourceState]:
        """What the stack has now, in dependency order."""
        with self._lock:
            return [state for state in [*self._new, *self.base] if id(state) not in self._done]

    def write(self) -> None:
        """Write the state file in one step: an interruption leaves the old or the new one, never half.

        Operations that begin or end while it is being written share the next writing, as each has the whole stack.
        """
        if self._path is None:
            return
        with self._lock:
            self._changes += 1
            mine = self._changes
        with self._writing:
            if self._written >= mine:
                return
            with self._lock:
                changes, document = self._changes, self.document()
            draft = self._path.with_name(self._path.name + ".draft")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(document, indent=4, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            self._written = changes

    def document(self) -> dict[str, Any]:
        """The deployment, as `pulumi stack export` would print it."""
        rename = _renames(self.resources())
        operations = [*self.interrupted]
        for state, kind in self._running.values():
            operations.append({"resource": _renamed(state.to_json(), rename), "type": kind})
        # The magic is a checksum of the version of the engine; without a version there is none.
        manifest = {"time": self._clock.now().isoformat(), "magic": "", "version": ""}
        deployment: dict[str, Any] = {"manifest": manifest}
        # The secrets are in clear; this names what `pulumi stack import` is to encrypt them with.
        if any(contains(state.inputs, Secret) or contains(state.outputs, Secret) for state in self.resources()):
            deployment["secrets_providers"] = {"type": "passphrase", "state": {"salt": _EMPTY_PASSPHRASE_SALT}}
        deployment["resources"] = [_renamed(state.to_json(), rename) for state in self.resources()]
        if operations:
            deployment["pending_operations"] = operations
        # Pulumi leaves out what it does not know.
        cloud = {"cloud": asdict(self._cloud)} if self._cloud else {}
        return {"version": 3, **cloud, "deployment": deployment}


def _renames(resources: list[ResourceState]) -> dict[str, str]:
    """Old URN to new, where an alias was used: of the resource and of children not yet registered."""
    renames: dict[str, str] = {}
    for state in resources:
        renames.update(dict.fromkeys(state.aliases, state.urn))
        if state.parent in renames and state.urn not in renames.values():
            parent = renames[state.parent]
            if Urn.parse(parent).type != ROOT_TYPE:
                urn = Urn.parse(state.urn)
                renames[state.urn] = make_urn(urn.stack, urn.project, parent, urn.type, urn.name)
    return renames


def _renamed(document: dict[str, Any], renames: dict[str, str]) -> dict[str, Any]:
    document.pop("aliases", None)
    if not renames:
        return document
    for key in ("urn", "parent", "deletedWith"):
        if key in document:
            document[key] = renames.get(document[key], document[key])
    if "provider" in document:
        urn, identifier = document["provider"].rsplit("::", 1)
        document["provider"] = f"{renames.get(urn, urn)}::{identifier}"
    if "dependencies" in document:
        document["dependencies"] = [renames.get(urn, urn) for urn in document["dependencies"]]
    if "propertyDependencies" in document:
        document["propertyDependencies"] = {
            key: [renames.get(urn, urn) for urn in urns] for key, urns in document["propertyDependencies"].items()
        }
    return document


def read_state(path: Path) -> tuple[list[ResourceState], list[dict[str, Any]], Cloud | None]:
    """The resources and unfinished operations of a state file, and the cloud that they are in, if it names one.

    Without a file all of them are empty.
    """
    if not path.exists():
        return [], [], None
    document = load_document(path)
    deployment = document["deployment"]
    resources = [ResourceState.from_json(entry) for entry in deployment.get("resources") or []]
    return resources, deployment.get("pending_operations") or [], remembered(document)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a stack's state for one run; a second run at the same time is refused.

    The lock is the kernel's, so it ends with the process, however that ends.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("w", encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RehearsalError(f"{path} cannot be a state file ({error})", hint="choose another place") from error
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RehearsalError(
                f"another rehearsal runs on this stack ({path})",
                hint="wait for it to end, then run the same command again",
            ) from error
        yield
