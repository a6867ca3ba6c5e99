"""Tables of facts about the platform, each with its date and source; nothing here is asked of the network."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any, Final

# Such as u-germany-northeast1: no table here lists the regions of sovereign and partner clouds.
_ELSEWHERE: Final = re.compile(r"u-[a-z]+-[a-z]+[0-9]{1,2}")


@cache
def table(name: str) -> dict[str, Any]:
    """One table by file name without suffix; it has ``as_of`` and ``source`` beside its rows."""
    content: dict[str, Any] = json.loads(resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return content


@cache
def known_regions() -> frozenset[str]:
    """The regions that have a Vertex AI host of their own."""
    return frozenset(table("regions")["regions"])


def is_region(name: str) -> bool:
    """Whether it is a region of Vertex AI, or has the form that the regions of Google's other clouds have."""
    return name in known_regions() or _ELSEWHERE.fullmatch(name) is not None
