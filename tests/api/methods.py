"""Finds the method of Google's discovery documents that a request calls."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

DOCUMENTS = ("aiplatform.v1beta1", "aiplatform.v1", "compute.v1", "storage.v1", "bigquery.v2", "cloudbilling.v1")


@functools.cache
def methods() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """HTTP method, pattern of the path, and description of every method."""
    found = []
    for document in DOCUMENTS:
        text = (files("googleapiclient") / "discovery_cache" / "documents" / f"{document}.json").read_text("utf-8")
        content = json.loads(text)
        for method in _all(content):
            path = f"/{content['servicePath']}{method.get('flatPath') or method['path']}"
            found.append((method["httpMethod"], _pattern(path), method))
            if upload := method.get("mediaUpload", {}).get("protocols", {}).get("simple"):
                found.append((method["httpMethod"], _pattern(upload["path"]), method))
    return found


def called(http_method: str, path: str) -> dict[str, Any]:
    """The one method that answers to this path."""
    fitting = [each for verb, pattern, each in methods() if verb == http_method and pattern.fullmatch(path)]
    assert fitting, f"Google has no method {http_method} {path}"
    return fitting[0]


def _all(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _all(inner)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\+?\w+\})", path)
    return re.compile("".join("[^/:]+" if part.startswith("{") else re.escape(part) for part in parts))
