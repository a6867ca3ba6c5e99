"""Values that were left empty inside others: null in YAML, None in a program.

Whoever reads one cannot tell "none of it" from "all of it by default", so none is taken for either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

EMPTY = "is left empty (null), which may mean anything"
FILL_OR_REMOVE = "write a value, or leave it out"
LEFT_EMPTY = f"{EMPTY}: {FILL_OR_REMOVE}"
"""What is wrong with such a value, in a program."""


def empty_paths(value: Any, path: str = "") -> Iterator[str]:
    """The path of each value inside another one that was left empty: ``.models.llama.private``, ``.uris[0]``."""
    if isinstance(value, Mapping):
        inside = [(f"{path}.{key}", entry) for key, entry in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(f"{path}[{index}]", entry) for index, entry in enumerate(value)]
    else:
        return
    for place, entry in inside:
        if entry is None:
            yield place
        else:
            yield from empty_paths(entry, place)
