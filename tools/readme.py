"""Make the parts of README.md that follow from the code: resources, permissions, compatibility, commands.

Each stands between ``<!-- generated: name -->`` and ``<!-- end -->``; the rest of README.md is written by hand.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer.main
from packaging.requirements import Requirement

import mg_provider
from mg_provider import cli
from mg_provider.resources.dynamic_host import is_derived
from mg_provider.resources.fields import Args, InPlace, Local, Mark, Replaces, mark_of
from tools.discovery_schemas import METHODS, document

ROOT = Path(__file__).resolve().parent.parent
PATH = "README.md"
RESOURCES = ("CustomWeightsModel", "DedicatedEndpoint", "PscForwardingRule", "BatchJob")
_PART = re.compile(r"(<!-- generated: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def outputs() -> dict[str, str]:
    """Path below the root to content."""
    return {PATH: render((ROOT / PATH).read_text(encoding="utf-8"))}


def render(text: str) -> str:
    """The text with every generated part made anew.

    Raises:
        ValueError: The text lacks one of the parts.
    """
    missing = set(PARTS) - {match[2] for match in _PART.finditer(text)}
    if missing:
        raise ValueError(f"README.md has no place for the generated parts {sorted(missing)}")
    return _PART.sub(lambda match: f"{match[1]}{PARTS[match[2]]()}\n{match[3]}", text)


def _resources() -> str:
    rows = ["| resource | what it is | changes in place | replaces |", "|---|---|---|---|"]
    for name in RESOURCES:
        resource = getattr(mg_provider, name)
        link = f"[`{name}`]({_source(resource)})"
        args_type = resource.provider_type.lifecycle.args_type
        rows.append(f"| {link} | {_first_sentence(resource)} | {_in_place(args_type)} | {_replacing(args_type)} |")
    return "\n".join(rows)


def _source(resource: type[Any]) -> str:
    return Path(inspect.getfile(resource)).relative_to(ROOT).as_posix()


def _first_sentence(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def _marked(args_type: type[Args], kind: type[Mark]) -> list[str]:
    names = [name for name in args_type.model_fields if not is_derived(args_type, name)]
    return [name for name in names if isinstance(mark_of(args_type, name), kind)]


def _in_place(args_type: type[Args]) -> str:
    names = []
    for name in _marked(args_type, InPlace):
        mark = mark_of(args_type, name)
        conditional = isinstance(mark, InPlace) and mark.replaces_if is not None
        names.append(f"`{name}`{' ¹' if conditional else ''}")
    return ", ".join(names) or "nothing"


def _replacing(args_type: type[Args]) -> str:
    if not _marked(args_type, InPlace):
        return "all but " + ", ".join(f"`{name}`" for name in _marked(args_type, Local))
    return ", ".join(f"`{name}`" for name in _marked(args_type, Replaces))


def _permissions() -> str:
    rows = ["| resource | permissions |", "|---|---|"]
    for name in RESOURCES:
        lifecycle = getattr(mg_provider, name).provider_type.lifecycle
        rows.append(f"| `{name}` | {_permissions_of(lifecycle)} |")
    return "\n".join(rows)


def _permissions_of(lifecycle: type[Any]) -> str:
    text = inspect.getdoc(lifecycle) or ""
    _, marker, rest = text.partition("IAM: ")
    if not marker:
        raise ValueError(f"{lifecycle.__name__} does not say which IAM permissions it needs")
    return " ".join(rest.partition("\n\n")[0].split()).replace("``", "`")


def _compatibility() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    sdk = next(need for need in map(Requirement, project["dependencies"]) if need.name == "pulumi")
    revisions = ", ".join(f"{name} {document(name)['revision']}" for name in METHODS)
    return "\n".join(
        (
            "| part | versions |",
            "|---|---|",
            f"| Python | {project['requires-python']} |",
            f"| Pulumi's Python SDK | {_ordered(sdk)}; locked and tested: {_locked('pulumi')} |",
            f"| Google's APIs, revision of the discovery documents | {revisions} |",
        )
    )


def _ordered(requirement: Requirement) -> str:
    return ", ".join(sorted((str(entry) for entry in requirement.specifier), reverse=True))


def _locked(name: str) -> str:
    match = re.search(rf"^{name}==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise ValueError(f"requirements.lock has no {name}")
    return match[1]


def _commands() -> str:
    rows = ["| command | what it does |", "|---|---|"]
    rows += [f"| `{usage}` | {text} |" for usage, text in _leaves(typer.main.get_command(cli.app), "mg")]
    return "\n".join(rows)


# A command of typer's is one of its own copy of click, whose types are not public.
def _leaves(command: Any, path: str) -> Iterator[tuple[str, str]]:
    if hasattr(command, "commands"):
        for name, nested in command.commands.items():
            if not nested.hidden:
                yield from _leaves(nested, f"{path} {name}")
        return
    shown = [_shown(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    yield " ".join((path, *shown)), str(command.help).partition("\n")[0]


def _shown(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    text = max(parameter.opts, key=len) if is_option else parameter.name.upper()
    return text if parameter.required else f"[{text}]"


PARTS: dict[str, Callable[[], str]] = {
    "resources": _resources,
    "permissions": _permissions,
    "compatibility": _compatibility,
    "commands": _commands,
}
