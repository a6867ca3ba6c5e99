"""The part of a stack's config file that `mg regions` reads and writes; the rest of the text stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mg_provider.api.errors import UserError
from mg_provider.command_line.errors import unread
from mg_provider.command_line.stacks import refuse_unknown_stack
from mg_provider.command_line.wrong_values import placed
from mg_provider.preflight.base_files import BaseFileProblem, Layered, layered
from mg_provider.preflight.empty_values import empty_paths
from mg_provider.preflight.machines.machine import choices
from mg_provider.preflight.machines.regions import Wanted
from mg_provider.wire.vertex.machine import MachineSpec


@dataclass(frozen=True)
class AutoRegions:
    """What a stack says of its regions and of the models that are to run there.

    Attributes:
        count: How many regions.
        candidates: Where to look.
        pinned: The regions that were chosen before.
        wanted: The models with weights of their own that run in the environment's regions.
        config: The stack's config values that are text, by full key.
        file: The base file that says so, from the folder of the config file; empty for that one itself.
    """

    count: int
    candidates: list[str] = field(default_factory=list)
    pinned: list[str] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    file: str = ""


def config_file(stack: str, folder: Path) -> Path:
    """The config file of a stack of the project in a folder.

    Raises:
        UserError: there is no project.
        Refusal: the project has other stacks, and not this one.
    """
    project = folder / "Pulumi.yaml"
    if not project.exists():
        raise UserError(
            f"{project} does not exist", hint="run this in the folder of a Pulumi project, or give --config-file FILE"
        )
    document = _parsed(project)
    path = folder / str(document.get("stackConfigDir") or "") / f"Pulumi.{stack}.yaml"
    refuse_unknown_stack(path, stack)
    return path


def read_auto(path: Path) -> AutoRegions:
    """What a config file asks for.

    Raises:
        UserError: the file cannot be read, or its regions are not ``auto``.
    """
    document = _parsed(path)
    config = document.get("config") if isinstance(document, Mapping) else None
    values: Mapping[str, Any] = config if isinstance(config, Mapping) else {}
    layers = _layers(path, next((value for key, value in values.items() if str(key).endswith(":environment")), None))
    environment = layers.value
    if empty := [place.lstrip(".") for place in empty_paths(environment)]:
        raise UserError(
            f"{path.name} leaves {', '.join(empty)} empty",
            property=f"environment.{empty[0]}",
            hint="write a value there, or remove the line",
        )
    regions = environment.get("regions") if isinstance(environment, Mapping) else None
    auto = regions.get("auto") if isinstance(regions, Mapping) else None
    if not isinstance(auto, Mapping) or not isinstance(auto.get("count"), int):
        raise UserError(
            f"{path.name} does not leave its regions open",
            property="environment.regions",
            hint="write regions: {auto: {count: 3, from: [us-central1, europe-west4, asia-southeast1]}}",
        )
    models = (environment or {}).get("models") or {}
    wanted = [
        Wanted(str(model["gcs_uri"]), _machines(path, name, model.get("machine_spec")))
        for name, model in models.items()
        if isinstance(model, Mapping) and model.get("gcs_uri") and _goes_along(model)
    ]
    text = {str(key): str(value) for key, value in values.items() if isinstance(value, str | bool)}
    pinned = [str(region) for region in (regions or {}).get("pinned") or []]
    file = layers.file_of("regions.auto")
    return AutoRegions(auto["count"], list(auto.get("from") or []), pinned, wanted, text, file)


def _layers(path: Path, environment: Any) -> Layered:
    try:
        return layered(environment, path.parent)
    except BaseFileProblem as problem:
        place = problem.file or path.name
        raise UserError(
            f"{place}: {problem.text}", property=f"environment.{problem.path}", hint=f"correct {place}"
        ) from problem


def _goes_along(model: Mapping[str, Any]) -> bool:
    """Whether a model runs in the environment's regions: it names none, and has an endpoint of its own."""
    return not model.get("regions") and model.get("own_endpoint") is not False


def _machines(path: Path, name: str, given: Any) -> tuple[MachineSpec, ...]:
    """The choices of a model: one machine, or a list of them."""
    try:
        return tuple(MachineSpec.model_validate(choice) for choice in choices(given or None))
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UserError(
            f"{path.name}: {placed(wrong)}",
            property=f"environment.models.{name}.machine_spec",
            hint="write machine_type, accelerator_type and accelerator_count, or a list of such",
        ) from error


def pin(path: Path, regions: Sequence[str]) -> None:
    """Write the chosen regions as ``pinned`` beside ``auto``; comments and layout of the file stay.

    Raises:
        UserError: the file cannot be read, or has no ``auto``.
    """
    text = _text(path)
    chosen = f"[{', '.join(regions)}]"
    auto, pinned = _places(yaml.compose(text))
    if pinned is not None:
        # The end of a block list is where its last entry ends: what follows may be a comment.
        last = pinned.value[-1] if isinstance(pinned, yaml.SequenceNode) and not pinned.flow_style else pinned
        text = text[: pinned.start_mark.index] + chosen + text[last.end_mark.index :]
    elif auto is not None:
        start = auto.start_mark
        line_start = text.rfind("\n", 0, start.index) + 1
        block = not text[line_start : start.index].strip()
        separator = "\n" + " " * start.column if block else ", "
        text = f"{text[: start.index]}pinned: {chosen}{separator}{text[start.index :]}"
    else:
        raise UserError(f"{path.name} has no regions.auto", property="environment.regions", hint="see docs/stacks.md")
    path.write_text(text, encoding="utf-8")


def _places(root: yaml.Node | None) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The key ``auto`` and the value of ``pinned`` in the environment's regions."""
    config = _child(root, lambda key: key == "config")
    # A base file holds the keys of the environment alone.
    environment = _child(config, lambda key: key.endswith(":environment")) or root
    regions = _child(environment, lambda key: key == "regions")
    if not isinstance(regions, yaml.MappingNode):
        return None, None
    auto = next((key for key, _ in regions.value if key.value == "auto"), None)
    return auto, next((value for key, value in regions.value if key.value == "pinned"), None)


def _child(node: yaml.Node | None, matches: Any) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if matches(str(key.value))), None)


def _parsed(path: Path) -> Any:
    try:
        return yaml.safe_load(_text(path)) or {}
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not YAML: {error}", property="--config-file", hint="fix the file") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} cannot be read: {unread(error)}", property="--config-file", hint="check its name, or give another"
        ) from error
