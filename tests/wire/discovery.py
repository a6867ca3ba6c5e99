"""Google's discovery documents, as the google-api-python-client wheel ships them."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Any


@functools.cache
def schemas(document: str) -> dict[str, Any]:
    folder = files("googleapiclient") / "discovery_cache" / "documents"
    return json.loads((folder / f"{document}.json").read_text(encoding="utf-8"))["schemas"]


def schema(address: str) -> dict[str, Any]:
    """A schema by ``document/Name``; for an inline object ``document/Name.property.property``."""
    document, _, path = address.partition("/")
    name, *properties = path.split(".")
    found = schemas(document)[name]
    for each in properties:
        found = found["properties"][each]
        found = found.get("items", found)
    return found


def output_only(description: str) -> bool:
    return "output only" in description[:40].lower()
