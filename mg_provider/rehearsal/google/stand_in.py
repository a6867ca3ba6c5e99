"""A stand-in for pulumi-gcp's plugin, so that a program which makes networks and zones can be rehearsed.

What a resource of Compute Engine is, it makes in the emulated one too, where one is configured. The rest exists in the
stack's state alone. A type or function that is not in its tables is refused by name.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from typing import Any, Final

from mg_provider.rehearsal.errors import RehearsalError, StepError
from mg_provider.rehearsal.google.compute import EmulatedCompute
from mg_provider.rehearsal.google.functions import FUNCTIONS, Lookup
from mg_provider.rehearsal.google.kinds import KINDS, Kind
from mg_provider.rehearsal.program.project import EMULATOR
from mg_provider.rehearsal.program.surroundings import Surroundings
from mg_provider.rehearsal.state.differences import Difference, difference_of_inputs, ignoring_changes
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import Properties, Unknown, contains, revealed
from mg_provider.rehearsal.state.urns import name_of, type_of

GOOGLE_PACKAGE: Final = "gcp"
EXISTING: Final = "rehearsal:existing"
"""Config key: JSON object of id to outputs, for what exists in Google Cloud outside of the stack."""

_ANY_ENDPOINT: Final = re.compile(r"(mg|gcp):\w+CustomEndpoint")
_ENDPOINTS: Final = ("gcp:computeCustomEndpoint", "mg:computeCustomEndpoint", EMULATOR)


class GoogleStandIn:
    """Plays pulumi-gcp's part for one provider resource.

    Args:
        surroundings: whose resources it manages.
    """

    knows_outputs_of_updates = True

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._config: Properties = {}
        self._compute: EmulatedCompute | None = None
        self._lock = threading.Lock()
        self._made: set[tuple[str, str]] = set()

    def configure(self, arguments: Properties) -> None:
        """Take project, region and endpoint. StepError for an endpoint that is not on this machine."""
        self._config = revealed(arguments)
        config = self._surroundings.project.config
        # The emulator serves all services, so the endpoint of another one stands for that of Compute Engine.
        keys = (*_ENDPOINTS, *(key for key in config if _ANY_ENDPOINT.fullmatch(key)))
        fallback = next((config[key] for key in keys if config.get(key)), "")
        endpoint = str(self._config.get("computeCustomEndpoint") or fallback)
        try:
            self._compute = EmulatedCompute(endpoint, self._surroundings.clock) if endpoint else None
        except RehearsalError as error:
            raise StepError(error.summary, hint=str(error.hint)) from error

    def check(self, urn: str, old: Properties, new: Properties) -> tuple[Properties, list[tuple[str, str]]]:
        """Fill name, project, region and defaults; tell what is missing."""
        kind = _kind(urn)
        inputs = {**kind.defaults, **new}
        if kind.named and not inputs.get("name"):
            suffix = hashlib.sha256(urn.encode()).hexdigest()[:7]
            inputs["name"] = old.get("name") or f"{name_of(urn).lower()}-{suffix}"
        for key in kind.placed:
            inputs.setdefault(key, self._config.get(key))
        wanted = [*kind.required, *kind.placed]
        failures = [(key, f"Missing required argument: {key} is required") for key in wanted if not inputs.get(key)]
        return {key: value for key, value in inputs.items() if value is not None}, failures

    def diff(self, old: ResourceState, new: Properties, ignore_changes: list[str]) -> Difference:
        """What changed; what is not mutable replaces, and frees its name first where that stays the same."""
        kind = _kind(old.urn)
        wanted = ignoring_changes(new, old.inputs, ignore_changes)
        found = difference_of_inputs(Difference("unknown"), old.inputs, wanted)
        keys = tuple(key for key in found.changed_keys if key not in kind.mutable)
        taken = bool(keys) and not contains(wanted, Unknown) and self._id(kind, wanted) == old.id
        return Difference(found.changes, keys, found.changed_keys, _replacing(found, keys), taken)

    def create(self, urn: str, inputs: Properties, timeout: float) -> tuple[str, Properties]:
        """Make a resource. StepError when there is one with its id."""
        kind = _kind(urn)
        identifier = self._id(kind, inputs)
        self._claim(type_of(urn), identifier)
        if kind.collection and self._compute is not None:
            plain = revealed(inputs)
            body = {key: plain[key] for key in kind.body if key in plain}
            self._compute.insert(kind.collection.format_map(plain), body)
        return identifier, self._outputs(kind, identifier, inputs)

    def update(self, old: ResourceState, new: ResourceState) -> Properties:
        """Change a resource in place."""
        return {**old.outputs, **self._outputs(_kind(new.urn), old.id, new.inputs)}

    def read(self, state: ResourceState, properties: Properties) -> tuple[str, Properties, Properties | None]:
        """What there is: of one's own, what was made; of others, what is in the emulator or in the config."""
        kind = _kind(state.urn)
        if kind.collection and self._compute is not None and self._compute.get(state.id) is None:
            return "", {}, None
        if not state.external:
            return state.id, state.outputs, state.inputs
        existing = self._existing()
        if state.id in existing:
            return state.id, {**existing[state.id], "id": state.id}, None
        if not kind.collection:
            return "", {}, None
        return state.id, {**properties, "name": state.id.rpartition("/")[2]}, None

    def delete(self, state: ResourceState, timeout: float) -> None:
        """Delete a resource."""
        kind = _kind(state.urn)
        if kind.collection and self._compute is not None:
            self._compute.delete(state.id)
        with self._lock:
            self._made.discard((state.type, state.id))

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Look something up."""
        if token not in FUNCTIONS:
            raise StepError(f"{token} is not rehearsed", hint=f"use one of {', '.join(sorted(FUNCTIONS))}")
        place = (str(self._config.get("project") or ""), str(self._config.get("region") or ""))
        return FUNCTIONS[token](Lookup(*place, self._compute, self._existing()), revealed(arguments))

    def stop(self) -> None:
        """Nothing runs."""

    def kill(self) -> None:
        """Nothing runs."""

    def _existing(self) -> dict[str, Properties]:
        text = self._surroundings.project.config.get(EXISTING, "{}")
        try:
            existing: dict[str, Properties] = json.loads(text)
        except json.JSONDecodeError as error:
            raise StepError(f"config {EXISTING} is not JSON: {error}", hint="write one JSON object") from error
        return existing

    def _claim(self, kind: str, identifier: str) -> None:
        """Hold an id, or tell that it is taken, as the cloud would."""
        with self._lock:
            states = self._surroundings.snapshot.resources()
            there = {(each.type, each.id) for each in states if not each.external and not each.pending_replacement}
            if (kind, identifier) in there | self._made or identifier in self._existing():
                raise StepError(
                    f"googleapi: Error 409: The resource '{identifier}' already exists, alreadyExists",
                    hint="give one of the two another name",
                )
            self._made.add((kind, identifier))

    def _id(self, kind: Kind, inputs: Properties) -> str:
        return kind.id.format_map(revealed(inputs))

    def _outputs(self, kind: Kind, identifier: str, inputs: Properties) -> Properties:
        values: dict[str, Any] = {**revealed(inputs), "id": identifier}
        return {**{key: text.format_map(values) for key, text in kind.computed.items()}, **inputs, "id": identifier}


def _kind(urn: str) -> Kind:
    kind = KINDS.get(type_of(urn))
    if kind is None:
        raise StepError(
            f"{name_of(urn)} is of type {type_of(urn)}, which is not rehearsed",
            hint=f"run this program with `pulumi` itself, or use one of {', '.join(sorted(KINDS))}",
        )
    return kind


def _replacing(found: Difference, keys: tuple[str, ...]) -> Any:
    if found.detailed is None:
        return None
    heads = {path: path.replace("[", ".").split(".")[0] for path in found.detailed}
    return {path: entry.replacing() if heads[path] in keys else entry for path, entry in found.detailed.items()}
