"""Machines to choose from, and going on to the next where capacity or quota is short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Discriminator, Tag

from mg_provider.api.errors import CloudError, MgError, ProviderBug
from mg_provider.api.reading.hints import QUOTAS
from mg_provider.preflight.machines.machine import accelerators, choices, machine_problem
from mg_provider.resources.endpoint.failures import lacks_capacity
from mg_provider.resources.model.unknown import plain
from mg_provider.wire.base import same
from mg_provider.wire.vertex.machine import MachineSpec

if TYPE_CHECKING:
    from mg_provider.resources.model.lifecycle import Context

R = TypeVar("R")


def _kind(value: Any) -> str:
    return "choices" if isinstance(value, list | tuple) else "one"


MachineChoice = Annotated[
    Annotated[MachineSpec, Tag("one")] | Annotated[list[MachineSpec], Tag("choices")], Discriminator(_kind)
]
"""One machine spec, or several in the order in which they are tried."""


class NoCapacity(MgError):
    """None of the machines that a deployment may run on is available."""


def choices_of(given: MachineSpec | list[MachineSpec] | None) -> list[MachineSpec]:
    """The machines in the order in which they are tried; empty if none was given."""
    return list(choices(given))


def choices_problem(given: MachineSpec | list[MachineSpec] | None) -> str | None:
    """Why machines could not be tried one after the other."""
    if given is None or isinstance(given, MachineSpec):
        return machine_problem(given) if given else None
    if not given:
        return "is an empty list: name at least one machine, or leave it out"
    for index, spec in enumerate(given):
        if problem := machine_problem(spec):
            return f"choice {index + 1}: {problem}"
        if any(_is(spec, earlier) for earlier in given[:index]):
            return f"choice {index + 1}: {choice_text(spec)} is there already: remove one of them"
    return None


def accepts(given: MachineSpec | list[MachineSpec] | None, running: MachineSpec | None) -> bool:
    """Whether a deployment that runs on a machine is the right one. Where nothing was asked for, every machine is."""
    choices = choices_of(given)
    return not choices or (running is not None and any(same(choice, running) for choice in choices))


def ordered(choices: Sequence[MachineSpec], taken: MachineSpec | None) -> list[MachineSpec]:
    """The choices with the one first that was taken before: a choice once made stays."""
    before = [spec for spec in choices if taken is not None and same(spec, taken)]
    return [*before, *(spec for spec in choices if spec not in before)]


def first_available(
    choices: Sequence[MachineSpec | None], attempt: Callable[[MachineSpec | None], R], context: Context
) -> R:
    """Try one machine after the other for as long as capacity or quota is short; every other error ends it.

    Raises:
        NoCapacity: there were several choices, and none is available; it names each with the reason.
        MgError: from the attempt.
    """
    shortages: list[str] = []
    for index, choice in enumerate(choices):
        try:
            return attempt(choice)
        except CloudError as error:
            if len(choices) == 1 or not lacks_capacity(error):
                raise
            shortages.append(f"{choice_text(choice)}: {error.message}")
            if index + 1 == len(choices):
                raise _none_left(shortages) from error
            context.progress(
                f"{choice_text(choice)} is not available ({error.message}); trying {choice_text(choices[index + 1])}"
            )
    raise ProviderBug("there is no machine to try")


def choice_text(spec: MachineSpec | None) -> str:
    """A machine in a few words."""
    if spec is None:
        return "Google's default machine"
    kind, count = accelerators(spec)
    return f"{spec.machine_type} with {count} x {kind}" if kind else str(spec.machine_type)


def _none_left(shortages: list[str]) -> NoCapacity:
    return NoCapacity(
        f"none of the {len(shortages)} choices in machine_spec is available: " + "; ".join(shortages),
        hint=f"add another machine to machine_spec, ask for more quota ({QUOTAS}), use a reservation, spot or "
        "flex_start, deploy in another region, or try again later",
    )


def _is(one: MachineSpec, other: MachineSpec) -> bool:
    return bool(plain(one) == plain(other))
