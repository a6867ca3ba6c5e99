"""From the value of the config key ``environment`` to an environment, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from mg_provider.command_line.errors import Refusal
from mg_provider.environment import arguments, checks
from mg_provider.environment.environment import Environment
from mg_provider.environment.partial import readable_part, withhold
from mg_provider.environment.sections import Mistake
from mg_provider.preflight.base_files import EXTENDS, WITHOUT, BaseFileProblem, layered
from mg_provider.preflight.empty_values import empty_paths
from mg_provider.preflight.machines.machine import accelerators
from mg_provider.resources.model.reasons import explain
from mg_provider.resources.model.unknown import UNKNOWN, mapped
from mg_provider.wire.vertex.machine import MachineSpec

SPACE = "model-garden"
KEY = f"{SPACE}:environment"
QUICKSTART = ("gcsUri", "region", "machineType")
"""The config keys that `pulumi new` asks for; they stand for an environment with one model at a public endpoint."""

LEFT_EMPTY = ("", "null")
"""What an engine answers for a config key without a value."""

# What a line that was left empty may have been meant for, where that is one of two.
_MEANT = {".private": "write `private: {}` to keep the model private, or remove the line to make it public"}


class ConfigError(Refusal):
    """The configuration is wrong; each line names a YAML path and what to write there."""

    def __init__(self, mistakes: str) -> None:
        super().__init__(mistakes, hint="correct the stack's config, then run the same command again")


def read(value: Any, key: str = KEY, project: str = "", folder: Path | None = None) -> Environment:
    """The typed environment.

    Args:
        value: What the config key holds.
        key: The config key.
        project: The project of resources that name none; empty where that is not known.
        folder: The folder of the stack's file, from which base files are found.

    Raises:
        ConfigError: Something in it is wrong, or was left empty.
    """
    try:
        layers = layered(value, folder)
    except BaseFileProblem as problem:
        raise ConfigError(f"{_place(problem.path, problem.file, key)}: {problem.text}") from problem

    if not isinstance(layers.value, Mapping):
        raise ConfigError(
            f"{key}: should be a mapping with regions, models and the rest: docs/stacks.md lists the keys"
        )
    let_in = partial(checks.not_let_in, project=project)
    mistakes: list[Mistake] = []
    environment = _typed(layers.value, mistakes)
    # Each step leaves out what it needs and one before has found wrong.
    for step in (arguments.unknown_keys, checks.names, arguments.wrong_arguments, checks.fit, let_in):
        withhold(environment, mistakes)
        mistakes += step(environment)
    lines = (f"{_place(each.path, layers.file_of(each.path), key)}: {each.text}" for each in mistakes)
    if reported := "\n".join(dict.fromkeys(lines)):
        raise ConfigError(reported)
    return environment


def _typed(value: Mapping[Any, Any], mistakes: list[Mistake]) -> Environment:
    """The environment as far as it can be read; what is wrong is added to the mistakes."""
    mistakes += (Mistake(path.removeprefix("."), _empty(path)) for path in empty_paths(value))
    # What is left empty is wrong itself, and nothing else is to be said of it.
    given = mapped(value, lambda entry: UNKNOWN if entry is None else entry)
    try:
        return Environment.model_validate(given)
    except ValidationError as error:
        errors = error.errors()
    mistakes += (_mistake({**each}) for each in errors if each["input"] is not UNKNOWN)
    return readable_part(Environment, given, [each["loc"] for each in errors])


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
        raise ConfigError(f"{space}:{missing[0]}: is required, beside {others}: set it")
    kind, count = accelerators(MachineSpec(machine_type=values["machineType"]))
    accelerator = {"accelerator_type": kind, "accelerator_count": count} if kind else {}
    machine = {"machine_type": values["machineType"], **accelerator}
    return {"regions": [values["region"]], "models": {"model": {"gcs_uri": values["gcsUri"], "machine_spec": machine}}}


def _place(path: str, file: str, key: str) -> str:
    """Where a mistake is: in a base file, or below the config key."""
    return f"{file}: {path}" if file else f"{key}.{path}" if path else key


def _empty(path: str) -> str:
    meant = next((text for end, text in _MEANT.items() if path.endswith(end)), None)
    return f"is left empty: {meant or 'write a value, or remove the line'}"


def _mistake(error: dict[str, Any]) -> Mistake:
    """What pydantic says, with the path as YAML has it."""
    name, *inside = error["loc"]
    field: FieldInfo | None = Environment.model_fields.get(name)
    if field is None:
        return Mistake(name, arguments.unknown_key(name, [*Environment.model_fields, EXTENDS, WITHOUT]))
    return Mistake(*explain(name, field, {**error, "loc": tuple(inside)}))
