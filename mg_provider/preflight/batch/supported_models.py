"""Whether batch prediction is documented for a model."""

from __future__ import annotations

import re

from mg_provider.data import table
from mg_provider.preflight.findings import Severity
from mg_provider.spelling import nearest

_PUBLISHED = re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?(publishers/[^/]+/models/[^/]+)")
_MANAGED = "-maas"


def batch_models() -> tuple[str, ...]:
    """The publisher models that Google's documentation lists for batch prediction on own machines."""
    return tuple(table("batch_models")["self_deployed"])


def model_problem(model: str) -> tuple[Severity, str, str] | None:
    """Severity, code and message if a publisher model is not one that batch prediction is documented for.

    Always a warning: the list is a dated copy and Google adds to it, and which version a name without one means is
    nowhere said. Models of the registry are not judged, nor are those that Google runs.
    """
    match = _PUBLISHED.fullmatch(model)
    if match is None or match[1].partition("@")[0].endswith(_MANAGED):
        return None
    name, listed = match[1].lower(), batch_models()
    if name in listed:
        return None
    versions = [each for each in listed if each.partition("@")[0] == name]
    if versions:
        message = f"{model} is listed for batch prediction only as {', '.join(versions)}: write one of these"
        return "warning", "model_version", message
    near = nearest(name, listed, 0.5)
    hint = f"; the nearest is {near}" if near else ""
    date = table("batch_models")["as_of"]
    message = f"batch prediction is not documented for {model} (list of {date}){hint}: see `mg models` for what is"
    return "warning", "model_not_listed", message
