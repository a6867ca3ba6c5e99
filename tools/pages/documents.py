"""Make the parts of the documents that follow from the code.

Each stands between ``<!-- generated: name -->`` and ``<!-- end -->``, the name with what it is about where there are
several: ``<!-- generated: inputs BatchJob -->``. The rest of a document is written by hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer.main
from packaging.requirements import Requirement

from mg_provider import cli
from mg_provider.command_line.exits import EXIT_CODES
from mg_provider.command_line.variables import OF_A_COMMAND, options, variable_of
from tools.cloud.discovery_schemas import METHODS, document
from tools.pages import components, migration, reference, review_example, sections, troubleshooting

ROOT = Path(__file__).resolve().parents[2]
_PART = re.compile(r"(<!-- generated: ([a-z]+)(?: (\w+))? -->\n).*?(<!-- end -->)", re.DOTALL)


def outputs() -> dict[str, str]:
    """Path below the root to content."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): render(path.read_text(encoding="utf-8")) for path in paths}


def render(text: str) -> str:
    """The text with every generated part written again.

    Raises:
        KeyError: The text names a part that nobody makes.
    """
    return _PART.sub(lambda match: f"{match[1]}{_make(match[2], match[3])}\n{match[4]}", text)


def parts(text: str) -> set[str]:
    """The generated parts that a text has, as its comments name them."""
    return {" ".join(filter(None, (match[2], match[3]))) for match in _PART.finditer(text)}


def _make(name: str, about: str | None) -> str:
    return (PARTS_OF_A_RESOURCE | PARTS_OF_OTHERS)[name](about) if about else PARTS[name]()


def _compatibility() -> str:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, clients = whole["project"], "tests/clients/requirements.lock"
    tried = ", ".join(f"{name} {_locked(name, clients)}" for name in whole["dependency-groups"]["clients"])
    sdk = next(need for need in map(Requirement, project["dependencies"]) if need.name == "pulumi")
    revisions = ", ".join(f"{name} {dated}" for name in METHODS if (dated := document(name)["revision"]))
    return "\n".join(
        (
            "| part | versions |",
            "|---|---|",
            f"| Python | {project['requires-python']} |",
            f"| Pulumi's Python SDK | {_ordered(sdk)}; locked and tested: {_locked('pulumi')} |",
            f"| Google's APIs, revision of the discovery documents | {revisions} |",
            f"| clients that run unmodified against the emulator in the tests | {tried} |",
        )
    )


def _ordered(requirement: Requirement) -> str:
    return ", ".join(sorted((str(entry) for entry in requirement.specifier), reverse=True))


def _locked(name: str, lock: str = "requirements.lock") -> str:
    match = re.search(rf"^{name}==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise ValueError(f"{lock} has no {name}")
    return match[1]


def _commands() -> str:
    rows = ["| command | what it does |", "|---|---|"]
    rows += [f"| `{usage}` | {text} |" for usage, text in _leaves(typer.main.get_command(cli.app), "mg")]
    return "\n".join(rows)


# A command of typer's is one of its own copy of click, whose types are not public.
def _leaves(command: Any, path: str) -> Iterator[tuple[str, str]]:
    if hasattr(command, "commands"):
        if command.invoke_without_command:
            yield _usage(command, path)
        for name, nested in command.commands.items():
            if not nested.hidden:
                yield from _leaves(nested, f"{path} {name}")
        return
    yield _usage(command, path)


def _usage(command: Any, path: str) -> tuple[str, str]:
    shown = [_shown(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    return " ".join((path, *shown)), str(command.help).partition("\n")[0]


def _shown(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    text = max(parameter.opts, key=len) if is_option else str(parameter.metavar or parameter.name).upper()
    return text if parameter.required or text.startswith("[") else f"[{text}]"


def _exits() -> str:
    return "\n".join(
        ("| code | meaning |", "|---|---|", *(f"| {code} | {text} |" for code, text in EXIT_CODES.items()))
    )


def _variables() -> str:
    """The variables that carry the name of a command, as the others follow from the rule."""
    found = sorted(
        f"`{variable_of(path, option)}`"
        for path, option in options(typer.main.get_command(cli.app))
        if OF_A_COMMAND.intersection(option.opts)
    )
    return "\n".join(f"* {name}" for name in found)


PARTS: dict[str, Callable[[], str]] = {
    "resources": reference.resources,
    "permissions": reference.permissions,
    "compatibility": _compatibility,
    "keys": sections.every_key,
    "commands": _commands,
    "exits": _exits,
    "variables": _variables,
    "refusal": review_example.refusal,
    "review": review_example.comment,
    "chart": review_example.chart,
    "errors": troubleshooting.errors,
    "messages": troubleshooting.messages,
    "constraints": troubleshooting.constraints,
    "texts": troubleshooting.texts,
}
PARTS_OF_A_RESOURCE: dict[str, Callable[[str], str]] = {
    "inputs": reference.inputs,
    "nested": reference.nested,
    "outputs": reference.outputs,
    "permissions": reference.permissions_of,
}
PARTS_OF_OTHERS: dict[str, Callable[[str], str]] = {
    "component": components.component,
    "migration": migration.table,
}
