"""Tables of facts about the platform, each with its date and source; nothing here is asked of the network."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """One table by file name without suffix; it has ``as_of`` and ``source`` beside its rows."""
    content: dict[str, Any] = json.loads(resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return content


@cache
def regions() -> frozenset[str]:
    """The regions that have a Vertex AI host of their own."""
    return frozenset(table("regions")["regions"])
