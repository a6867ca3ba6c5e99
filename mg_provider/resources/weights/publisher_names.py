"""What a misspelt Model Garden model was probably meant to be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from mg_provider.api.errors import MgError

if TYPE_CHECKING:
    from mg_provider.resources.model.lifecycle import Context

_MOST = 3


def nearest_publisher_model(name: str, context: Context) -> str | None:
    """A hint with the listed models whose names are nearest; None where Model Garden does not answer.

    Permission: aiplatform.publisherModels.list (granted to all authenticated callers).

    Args:
        name: ``publishers/{publisher}/models/{model}[@{version}]``, which is not listed.
        context: Of the call.
    """
    try:
        listed = list(context.clients.vertex.list_publisher_models(list_all_versions=True))
    except MgError:
        return None
    names = sorted({f"{entry.name}@{entry.version_id}" for entry in listed if entry.name and entry.version_id})
    near = difflib.get_close_matches(name.lower(), names, _MOST, cutoff=0.5)
    # A publisher that is written wrongly costs more letters than the model's own name has.
    model = name.rpartition("/")[2].lower()
    ends = {entry.rpartition("/")[2]: entry for entry in names}
    near = near or [ends[end] for end in difflib.get_close_matches(model, list(ends), _MOST, cutoff=0.4)]
    if not near:
        return "look the name up in Model Garden: publishers/{publisher}/models/{model}@{version}"
    return f"did you mean {' or '.join(near)}?"
