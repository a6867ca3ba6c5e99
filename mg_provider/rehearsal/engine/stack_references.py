"""Pulumi's built-in provider, as far as it reads the outputs of another stack."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from mg_provider.rehearsal.errors import WITH_PULUMI, StepError
from mg_provider.rehearsal.program.surroundings import Surroundings
from mg_provider.rehearsal.state.differences import Difference
from mg_provider.rehearsal.state.file import ResourceState, read_state
from mg_provider.rehearsal.state.properties import Properties, Secret, contains
from mg_provider.rehearsal.state.urns import ROOT_TYPE

BUILTIN_PACKAGE: Final = "pulumi"
_PART: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"


class BuiltinProvider:
    """Reads stack references from the state files of other rehearsed stacks.

    Args:
        surroundings: who asks.
    """

    knows_outputs_of_updates = True

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def configure(self, arguments: Properties) -> None:
        """There is nothing to configure."""

    def check(self, urn: str, old: Properties, new: Properties) -> tuple[Properties, list[tuple[str, str]]]:
        """Stack references are read, never made."""
        raise StepError(f"{urn} cannot be made by a program", hint="use pulumi.StackReference to read another stack")

    def diff(self, old: ResourceState, new: Properties, ignore_changes: list[str]) -> Difference:
        """What is only read never differs."""
        return Difference("none")

    def create(self, urn: str, inputs: Properties, timeout: float) -> tuple[str, Properties]:
        """Stack references are read, never made."""
        raise StepError(f"{urn} cannot be made by a program", hint="use pulumi.StackReference to read another stack")

    def update(self, old: ResourceState, new: ResourceState) -> Properties:
        """What is only read stays."""
        return old.outputs

    def read(self, state: ResourceState, properties: Properties) -> tuple[str, Properties, Properties | None]:
        """The outputs that the other stack has now. StepError when it has no state."""
        if state.type != STACK_REFERENCE:
            raise StepError(f"{state.type} is not rehearsed", hint="use pulumi.StackReference to read another stack")
        name = str(properties.get("name") or state.id)
        places = self._places(name)
        path = next((place for place in places if place.exists()), None)
        if path is None:
            looked = " and ".join(str(place) for place in places)
            raise StepError(
                f"the stack {name} has not been rehearsed: there is no {looked}",
                hint="run `mg rehearse up` for it first",
            )
        root = next((each for each in read_state(path)[0] if each.type == ROOT_TYPE), None)
        outputs: Properties = root.outputs if root else {}
        secret = sorted(key for key, value in outputs.items() if contains(value, Secret))
        return state.id, {"name": name, "outputs": outputs, "secretOutputNames": secret}, None

    def delete(self, state: ResourceState, timeout: float) -> None:
        """What is only read is not deleted."""

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """No function of it is played."""
        raise StepError(f"the function {token} is not rehearsed", hint=WITH_PULUMI)

    def stop(self) -> None:
        """Nothing runs."""

    def kill(self) -> None:
        """Nothing runs."""

    def _places(self, name: str) -> list[Path]:
        """Where the state of ``[[organization/]project/]stack`` may be: beside this stack's, or at the usual place."""
        *before, stack = name.split("/")
        if len(before) > 2 or not all(_PART.fullmatch(part) and part.strip(".") for part in (*before, stack)):
            raise StepError(f"{name!r:.100} is not the name of a stack", hint="write [[organization/]project/]stack")
        own = self._surroundings.project
        project = before[-1] if before else own.name
        usual = own.default_state_file.parent.parent / project / f"{stack}.json"
        beside = self._surroundings.state_file.parent
        near = [beside / f"{stack}.json"] if project == own.name else []
        return list(dict.fromkeys([*near, beside.parent / project / f"{stack}.json", usual]))
