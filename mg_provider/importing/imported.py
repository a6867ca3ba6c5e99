"""One thing as it is imported: the arguments for the program, and the inputs and outputs for the stack's state.

The arguments go through the resource's own `check` and `read`, as the engine's next preview puts them through: what
comes out otherwise than it went in could not be previewed without a change, and is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mg_provider.api.errors import MgError, UserError
from mg_provider.importing.finding import Found
from mg_provider.loopback import is_loopback
from mg_provider.resources.dynamic.host import DynamicProvider, outputs, serialized, to_engine
from mg_provider.resources.model.args import State
from mg_provider.resources.model.identity import OWNER_LABEL, RESOURCE_LABEL
from mg_provider.resources.model.lifecycle import CloudArgs, Context, Defaults

TYPE_PREFIX = "pulumi-python:dynamic/mg:"


@dataclass(frozen=True)
class Draft:
    """What a resource would be, before it is held against the resource's own checks.

    Attributes:
        provider: The kind of resource.
        given: What the program writes.
        kept: What only the state has: ids and what follows from them.
        state: The outputs that reading needs.
        further: Further outputs, once it was read.
        labels: The labels that may say who owns it; None for what carries none.
        notes: What the user should know, a line each.
    """

    provider: type[DynamicProvider]
    given: Mapping[str, Any]
    kept: Mapping[str, Any]
    state: State
    further: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Imported:
    """A thing, ready for the import file and the program.

    Attributes:
        found: The thing.
        kind: The resource class.
        name: The resource's name in the program.
        id: Its id in the state.
        given: What the program writes.
        inputs: What the state has as inputs.
        outputs: What the state has as outputs.
        owned: Whether it carries this stack's labels already.
        notes: What the user should know, a line each.
    """

    found: Found
    kind: str
    name: str
    id: str
    given: Mapping[str, Any]
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    owned: bool
    notes: tuple[str, ...]

    @property
    def type(self) -> str:
        """The resource's type in the state."""
        return f"{TYPE_PREFIX}{self.kind}"


def settle(draft: Draft, found: Found, name: str, owner: str, context: Context) -> Imported:
    """Hold a draft against the resource's own checks, and read the thing as a refresh does.

    Args:
        draft: What the resource would be.
        found: The thing.
        name: The resource's name in the program.
        owner: organization/project/stack whose labels it may carry; empty for none.
        context: The world.

    Raises:
        MgError: It belongs to somebody, or no arguments describe it.
    """
    kind = draft.provider.__name__.removesuffix("Provider")
    lifecycle = draft.provider.lifecycle()
    place = {"project": found.place.project, "region": found.place.region}
    given = {**draft.given, **place}
    inner = {"resource": name, "program_path": f"{TYPE_PREFIX}{kind}::{name}"}
    owned = _is_owned(lifecycle.args_type.recall({**inner, "owner": owner}), draft.labels, found, name)
    known = {**given, **inner, **({"owner": owner} if owner and (owned or draft.labels is None) else {})}
    args = _checked(draft, known, lifecycle.args_type.recall({**known, **draft.kept}), found, context)
    again = _checked(draft, known, args, found, context)
    reading = lifecycle.read(_id(draft, found, args), args, draft.state, context)
    if reading is None:
        raise MgError(f"{found.path} was deleted during this run", hint="find out who deleted it")
    if wrong := _differences(args, again) or _differences(args, reading.args):
        raise MgError(
            f"{kind} cannot describe {found.path} as it is: the arguments {', '.join(wrong)} would change",
            hint="leave it where it is, and report this with the description of the resource",
        )
    state = reading.state.model_copy(update={} if owned else dict(draft.further))
    provider = {"__provider": serialized(draft.provider)}
    return Imported(
        found,
        kind,
        name,
        _id(draft, found, args),
        given,
        {**to_engine(args.encode()), **provider},
        {**outputs(args, state), **provider},
        owned,
        draft.notes,
    )


def _checked(draft: Draft, known: Mapping[str, Any], old: Any, found: Found, context: Context) -> Any:
    """The arguments as `check` completes them where a resource with the old ones is there."""
    settings = context.clients.settings
    defaults = Defaults(settings.project, settings.region, is_loopback(settings.compute_custom_endpoint or ""))
    args, problems = draft.provider.lifecycle().check(known, old, defaults)
    if problems:
        reasons = "; ".join(f"{problem.property} {problem.reason}" for problem in problems)
        raise UserError(
            f"{found.path} is made in a way that {type(args).__name__.removesuffix('Args')} does not take: {reasons}",
            hint="change that on it first, with the tool that made it, or leave it where it is",
        )
    return args


def _differences(one: CloudArgs, other: CloudArgs) -> list[str]:
    before, after = one.encode(), other.encode()
    return sorted(key for key in before.keys() | after.keys() if (before.get(key) or None) != (after.get(key) or None))


def _id(draft: Draft, found: Found, args: Any) -> str:
    return f"{args.parent}/runs/{args.run}" if "run" in draft.kept else found.path


def _is_owned(args: CloudArgs, labels: Mapping[str, str] | None, found: Found, name: str) -> bool:
    """Whether it carries the labels that this resource of this stack would have.

    Raises:
        UserError: It carries those of somebody else.
    """
    carried = {key: (labels or {}).get(key, "") for key in (OWNER_LABEL, RESOURCE_LABEL)}
    if not carried[OWNER_LABEL]:
        return False
    if args.owner and args.owns(labels):
        return True
    owners = ", ".join(f"{key}={value}" for key, value in carried.items() if value)
    if args.owner and carried[OWNER_LABEL] == args.ownership[OWNER_LABEL]:
        raise UserError(
            f"{found.path} belongs to another resource of {args.owner} ({owners}), so it is not imported as {name}",
            hint=f"give the name that it has there, NAME=RESOURCE: the label {RESOURCE_LABEL} begins with it",
        )
    raise UserError(
        f"{found.path} belongs to another stack ({owners}), so it is not imported",
        hint="remove it there first, with the resource kept (`pulumi state delete`, then take the labels off); if this "
        "stack lost its state, say whose labels these are with --owned-by organization/project/stack",
    )
