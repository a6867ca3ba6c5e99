"""What was imported, as the program that goes with it, and as the file that `pulumi import --file` takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mg_provider.importing.imported import Imported
from mg_provider.python_text import Expression, call, variable


def program_text(imported: Sequence[Imported]) -> str:
    """A program with a resource for each, which a preview finds as the state has it."""
    in_order = sorted(imported, key=lambda each: bool(each.given.get("endpoint")))
    kinds = sorted({each.kind for each in in_order})
    blocks = [f"from mg_provider import {', '.join(kinds)}"]
    variables: dict[str, str] = {}
    for each in in_order:
        name = variable(each.name, variables.values())
        arguments = {key: _linked(key, value, variables) for key, value in each.given.items()}
        blocks.append("\n".join([f"# {each.found.path}", *call(name, each.kind, each.name, arguments, {})]))
        variables[each.found.path] = name
    return "\n\n".join(blocks) + "\n"


def _linked(key: str, value: Any, variables: Mapping[str, str]) -> Any:
    """The output of a resource of the same program, where an argument names what that resource is."""
    return Expression(f"{variables[value]}.endpoint") if key == "endpoint" and value in variables else value


def import_file(imported: Sequence[Imported]) -> str:
    """The import file: with inputs and outputs, so that the engine takes them as they are and reads nothing."""
    resources = [
        {
            "type": each.type,
            "name": each.name,
            "id": each.id,
            "inputs": dict(each.inputs),
            "outputs": dict(each.outputs),
        }
        for each in imported
    ]
    return json.dumps({"resources": resources}, indent=2, ensure_ascii=False) + "\n"
