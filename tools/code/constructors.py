"""Writes ``mg_provider/resources/constructors/``: what a program calls and reads, from the arguments and outputs."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping

from pydantic.fields import FieldInfo

from mg_provider.resources.model.args import Args, declared_outputs
from tools.code.input_types import WIDTH
from tools.code.resource_types import RESOURCES, arguments_of, lifecycle_of, room_of
from tools.code.type_texts import as_input, as_output, notes

FOLDER = "mg_provider/resources/constructors"
_INPUTS = re.compile(r"\w+Input\b")
_BODY_INDENT = " " * 8
_ENTRY_INDENT = " " * 12


def outputs() -> dict[str, str]:
    """Path to content."""
    return {f"{FOLDER}/{room_of(name)}.py": _formatted(_module(name)) for name in RESOURCES}


def _module(name: str) -> str:
    lifecycle = lifecycle_of(name)
    outputs = declared_outputs(lifecycle.args_type, lifecycle.state_type)
    body = "\n".join([*_attributes(outputs), "", *_constructor(lifecycle.args_type, arguments_of(name))])
    taken = sorted(set(_INPUTS.findall(body)))
    return f'''"""The constructor and the outputs of ``{name}``.

Generated from its arguments and outputs by `make generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi import Input, Output, ResourceOptions

from mg_provider.resources.dynamic.resource import DynamicResource
from mg_provider.resources.inputs import (
    {", ".join(taken)},
)


class {name}Constructor(DynamicResource):
    """What a program passes to ``{name}`` and reads of it."""

{body}
'''


def _attributes(outputs: Mapping[str, FieldInfo]) -> Iterator[str]:
    for name, field in outputs.items():
        yield f"    {name}: Output[{as_output(field.annotation)}]"
        text = f'"""{field.description}"""'
        yield from textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def _constructor(args_type: type[Args], names: list[str]) -> Iterator[str]:
    yield "    def __init__(self, name: str, *,"
    for name in names:
        field = args_type.model_fields[name]
        given = as_input(field.annotation)
        yield f"{name}: Input[{given}]," if field.is_required() else f"{name}: Input[{given} | None] = None,"
    yield "opts: ResourceOptions | None = None) -> None:"
    yield from _docstring(args_type, names)
    passed = ", ".join(f'"{name}": {name}' for name in names)
    yield f"{_BODY_INDENT}super().__init__(name, {{{passed},}}, opts)"


def _docstring(args_type: type[Args], names: list[str]) -> Iterator[str]:
    yield f'{_BODY_INDENT}"""Register it with the engine.'
    yield ""
    yield f"{_BODY_INDENT}Args:"
    described = {name: notes(args_type, name) for name in names}
    for name, text in {"name": "The resource's name in the program.", **described, "opts": "Pulumi's options."}.items():
        yield from textwrap.wrap(
            f"{name}: {text}", WIDTH, initial_indent=_ENTRY_INDENT, subsequent_indent=f"{_ENTRY_INDENT}    "
        )
    yield f'{_BODY_INDENT}"""'


def _formatted(text: str) -> str:
    """The text without the imports that it does not need, and as `make fmt` writes it."""
    for command in (["check", "--select", "F401,I", "--fix-only"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename", f"{FOLDER}/any.py", "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text
