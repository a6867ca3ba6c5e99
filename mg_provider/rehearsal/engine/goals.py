"""What a program wants of one resource: a registration request in our own terms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi.runtime.proto import resource_pb2

from mg_provider.rehearsal.errors import RehearsalError
from mg_provider.rehearsal.program.pickles import vouch
from mg_provider.rehearsal.state.properties import Properties, decode_struct
from mg_provider.rehearsal.state.urns import ROOT_TYPE, Urn, make_urn, type_of, urn_of_reference

_DURATION: Final = re.compile(r"([0-9.]+)(ms|s|m|h)")
_UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Alias:
    """A former name of a resource; empty parts are those of the resource itself."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


@dataclass
class Goal:
    """A resource as the program wants it."""

    type: str
    name: str
    custom: bool
    properties: Properties
    parent: str = ""
    provider: str = ""
    version: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool | None = None
    retain_on_delete: bool | None = None
    delete_before_replace: bool | None = None
    deleted_with: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)

    def inherit(self, parent: Goal) -> None:
        """Take from the parent what the program left open."""
        self.deleted_with = self.deleted_with or parent.deleted_with
        if self.protect is None:
            self.protect = parent.protect
        if self.retain_on_delete is None:
            self.retain_on_delete = parent.retain_on_delete
        if not self.provider and parent.provider:
            package = type_of(urn_of_reference(parent.provider)).rsplit(":", 1)[-1]
            if not self.custom or self.type.split(":", 1)[0] == package:
                self.provider = parent.provider


def goal_of(request: resource_pb2.RegisterResourceRequest) -> Goal:
    """A registration request as a goal.

    Raises:
        RehearsalError: the request wants something that is not rehearsed.
    """
    if request.remote:
        raise RehearsalError(
            f"{request.name}: components of other languages are not rehearsed",
            hint="write it in Python, or run this program with `pulumi` itself",
        )
    if request.importId:
        raise RehearsalError(
            f"{request.name}: the option `import` is not rehearsed, and no dynamic provider supports it",
            hint="remove it, and import with `mg import` and `mg rehearse import`",
        )
    goal = Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        properties=decode_struct(request.object),
        parent=request.parent,
        provider=request.provider or _provider_of_package(request),
        version=request.version,
        dependencies=sorted(request.dependencies),
        property_dependencies={key: sorted(entry.urns) for key, entry in request.propertyDependencies.items()},
        protect=request.protect if request.HasField("protect") else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        deleted_with=request.deletedWith,
        ignore_changes=list(request.ignoreChanges),
        replace_on_changes=list(request.replaceOnChanges),
        additional_secret_outputs=list(request.additionalSecretOutputs),
        aliases=[_alias(alias) for alias in request.aliases] + [Alias(urn=urn) for urn in request.aliasURNs],
        custom_timeouts=_timeouts(request.customTimeouts),
    )
    vouch(goal.properties)
    for key in goal.properties:
        goal.property_dependencies.setdefault(key, [])
    return goal


def _provider_of_package(request: resource_pb2.RegisterResourceRequest) -> str:
    return request.providers.get(request.type.split(":", 1)[0], "") if request.custom else ""


def _alias(alias: Any) -> Alias:
    if alias.urn:
        return Alias(urn=alias.urn)
    spec = alias.spec
    return Alias(
        name=spec.name,
        type=spec.type,
        stack=spec.stack,
        project=spec.project,
        parent=spec.parentUrn,
        no_parent=spec.noParent,
    )


def _timeouts(timeouts: Any) -> dict[str, float]:
    given = {name: getattr(timeouts, name) for name in ("create", "update", "delete")}
    return {name: seconds_of(text) for name, text in given.items() if text}


def seconds_of(text: str) -> float:
    """A duration such as ``1h30m`` in seconds."""
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION.findall(text))


class Names:
    """URNs and former URNs of the resources of one deployment.

    Args:
        project: the project's name.
        stack: the stack's name.
    """

    def __init__(self, project: str, stack: str) -> None:
        self._project = project
        self._stack = stack
        self.former: dict[str, str] = {}
        """New URN to the old one under which the state knows it."""

    def urn(self, goal: Goal) -> str:
        """The URN of a resource."""
        return make_urn(self._stack, self._project, goal.parent, goal.type, goal.name)

    def aliases(self, goal: Goal) -> list[str]:
        """All URNs that the resource may have had, its own aliases first, then those through its parent's."""
        urns = [self._own(goal, alias) for alias in goal.aliases]
        if goal.parent in self.former:
            urns.append(self._inherited(goal.parent, goal.type, goal.name))
            for urn in list(urns[: len(goal.aliases)]):
                parts = Urn.parse(urn)
                urns.append(self._inherited(goal.parent, parts.type, parts.name))
        return list(dict.fromkeys(urns))

    def _own(self, goal: Goal, alias: Alias) -> str:
        if alias.urn:
            return alias.urn
        parent = self.former.get(alias.parent, alias.parent) or goal.parent
        if alias.no_parent or (parent and type_of(parent) == ROOT_TYPE):
            parent = ""
        stack, project = alias.stack or self._stack, alias.project or self._project
        return make_urn(stack, project, parent, alias.type or goal.type, alias.name or goal.name)

    def _inherited(self, parent: str, child_type: str, child_name: str) -> str:
        old_parent, new_name = self.former[parent], Urn.parse(parent).name
        # A child that is named after its parent was named after the old one before.
        if child_name.startswith(new_name):
            child_name = Urn.parse(old_parent).name + child_name.removeprefix(new_name)
        return make_urn(self._stack, self._project, old_parent, child_type, child_name)
