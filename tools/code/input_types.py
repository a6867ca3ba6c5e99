"""Writes ``mg_provider/resources/inputs.py``: a TypedDict for each object inside the arguments."""

from __future__ import annotations

import textwrap

from pydantic import BaseModel

from tools.code.resource_types import RESOURCES, lifecycle_of
from tools.code.type_texts import as_input, given_by_users, models_inside

PATH = "mg_provider/resources/inputs.py"
WIDTH = 120
HEADER = '''"""Nested arguments as dictionaries, with the names that the API has, in snake_case.

Generated from the shapes inside the arguments by `make generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from pulumi import Input
'''


def outputs() -> dict[str, str]:
    """Path to content."""
    found: dict[str, type[BaseModel]] = {}
    for name in RESOURCES:
        models_inside(lifecycle_of(name).args_type, found)
    classes = [_class(found[name]) for name in sorted(found)]
    return {PATH: "\n\n".join([HEADER, *classes])}


def _class(model: type[BaseModel]) -> str:
    document = (model.__doc__ or "").strip().splitlines()[0]
    lines = [f"class {model.__name__}Input(TypedDict, total=False):", f'    """{document}"""', ""]
    for name in given_by_users(model):
        field = model.model_fields[name]
        lines.append(f"    {name}: Input[{as_input(field.annotation)}]")
        if field.description:
            text = f'"""{field.description}"""'
            lines += textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines) + "\n"
