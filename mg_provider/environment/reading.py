"""From the value of the config key ``environment`` to an environment, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from mg_provider.environment import arguments, checks
from mg_provider.environment.environment import Environment
from mg_provider.environment.sections import Mistake, one_of
from mg_provider.preflight.empty_values import empty_paths
from mg_provider.preflight.machines.machine import accelerators
from mg_provider.resources.model.reasons import explain
from mg_provider.wire.vertex.machine import MachineSpec

SPACE = "model-garden"
KEY = f"{SPACE}:environment"
QUICKSTART = ("gcsUri", "region", "machineType")
"""The config keys that `pulumi new` asks for; they stand for an environment with one model at a public endpoint."""

LEFT_EMPTY = ("", "null")
"""What an engine answers for a config key without a value."""

# What a line that was left empty may have been meant for, where that is one of two.
_MEANT = {".private": "write `private: {}` to keep the model private, or remove the line to make it public"}


class ConfigError(Exception):
    """The configuration is wrong; each line names a YAML path and what to do."""


def read(value: Any, key: str = KEY, project: str = "") -> Environment:
    """The typed environment.

    Args:
        value: What the config key holds.
        key: The config key.
        project: The project of resources that name none; empty where that is not known.

    Raises:
        ConfigError: Something in it is wrong, or was left empty.
    """
    _refuse((Mistake(path.removeprefix("."), _empty(path)) for path in empty_paths(value)), key)
    try:
        environment = Environment.model_validate(value)
    except ValidationError as error:
        raise ConfigError(_told(map(_mistake, map(dict, error.errors())), key)) from error
    # Each step takes for granted what the one before has looked at.
    _refuse(arguments.unknown_keys(environment), key)
    _refuse(checks.names(environment), key)
    _refuse(arguments.wrong_arguments(environment), key)
    _refuse(checks.fit(environment), key)
    _refuse(checks.not_let_in(environment, project), key)
    return environment


def left_empty(key: str) -> str:
    """The mistake of a config key without a value."""
    return f"{key}: {_empty(key)}"


def quickstart(get: Callable[[str], str | None], space: str = SPACE) -> dict[str, Any] | None:
    """The environment that the answers to `pulumi new` stand for; None where there are none.

    Raises:
        ConfigError: an answer is missing.
    """
    values = {key: get(key) for key in QUICKSTART}
    if not any(values.values()):
        return None
    missing = [key for key, value in values.items() if not value]
    if missing:
        others = ", ".join(key for key in QUICKSTART if key != missing[0])
        raise ConfigError(f"{space}:{missing[0]}: is required, beside {others}")
    kind, count = accelerators(MachineSpec(machine_type=values["machineType"]))
    accelerator = {"accelerator_type": kind, "accelerator_count": count} if kind else {}
    machine = {"machine_type": values["machineType"], **accelerator}
    return {"regions": [values["region"]], "models": {"model": {"gcs_uri": values["gcsUri"], "machine_spec": machine}}}


def _refuse(mistakes: Iterable[Mistake], key: str) -> None:
    if told := _told(mistakes, key):
        raise ConfigError(told)


def _told(mistakes: Iterable[Mistake], key: str) -> str:
    lines = (f"{key}.{each.path}: {each.text}" if each.path else f"{key}: {each.text}" for each in mistakes)
    return "\n".join(dict.fromkeys(lines))


def _empty(path: str) -> str:
    meant = next((told for end, told in _MEANT.items() if path.endswith(end)), None)
    return f"is left empty: {meant or 'write a value, or remove the line'}"


def _mistake(error: dict[str, Any]) -> Mistake:
    """What pydantic says, with the path as YAML has it."""
    if not error["loc"]:
        return Mistake("", "should be a mapping with regions, models and the rest: docs/stacks.md lists the keys")
    name, *inside = error["loc"]
    field: FieldInfo | None = Environment.model_fields.get(name)
    if field is None:
        return Mistake(name, f"is not a key that is known here: {one_of(name, [*Environment.model_fields])}")
    path, reason = explain(name, field, {**error, "loc": tuple(inside)})
    return Mistake(path, reason.replace("is not a field of this object", "is not a key that is known here"))
