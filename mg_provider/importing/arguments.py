"""The arguments of a thing as the cloud has it, by the marks on them: where a value stands, and what its default is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from mg_provider.resources.model.identity import OWN_LABELS
from mg_provider.resources.model.standing import Thing, standing
from mg_provider.resources.model.unknown import plain
from mg_provider.wire.base import value_at, without_outputs

# What Google and its tools put on by themselves.
_GOOGLES: Final = re.compile(r"(goog|gke|google|vertex-ai)[-_].*|managed-by-cnrm")


def arguments_of(args_type: type[BaseModel], thing: Thing, actual: BaseModel | None) -> dict[str, Any]:
    """What a program would write to have what the cloud has in a thing; without what a default says."""
    found = {}
    for name, path in standing(args_type, thing).items():
        value = plain(without_outputs(value_at(actual, path)))
        default = args_type.model_fields[name].default
        if value in (None, "", [], {}) or value == plain(default) or (value is False and default is None):
            continue
        found[name] = value
    return found


def labels_of(labels: Mapping[str, str] | None) -> dict[str, str]:
    """The labels that a user put on: not those of this provider, nor Google's own."""
    return {
        key: value for key, value in (labels or {}).items() if key not in OWN_LABELS and not _GOOGLES.fullmatch(key)
    }
