"""What the names in a batch job's arguments look like: models, places in Cloud Storage and BigQuery.

A name becomes part of an address, so nothing is let through that would make another address of it.
"""

from __future__ import annotations

import re
from typing import Final

from mg_provider.api.storage.spellings import BUCKET
from mg_provider.api.texts import shown

_PROJECT: Final = r"[a-z0-9][a-z0-9.:-]*"
_PLACE: Final = rf"projects/{_PROJECT}/locations/(?P<region>[a-z0-9-]+)"
_ID: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_MODEL: Final = rf"models/{_ID}(?:@{_ID})?"

_PUBLISHED = re.compile(rf"(?:{_PLACE}/)?publishers/{_ID}/{_MODEL}")
_REGISTERED = re.compile(rf"{_PLACE}/{_MODEL}")
_DATASET = re.compile(rf"{_PLACE}/datasets/[0-9]+")

# An input may have the wildcards *, ? and [].
_OBJECTS = re.compile(rf"gs://{BUCKET}/[^\s#]+")

_TABLE_PROJECT: Final = r"bq://(?:[a-z0-9][a-z0-9.-]*:)?[a-z0-9][a-z0-9-]*"
_TABLE = re.compile(rf"{_TABLE_PROJECT}\.\w+\.[\w$-]+")
_OUTPUT_TABLE = re.compile(rf"{_TABLE_PROJECT}(?:\.\w+(?:\.[\w-]+)?)?")


def region_of_model(name: str) -> str:
    """The region that a Model of the registry is in; empty for a publisher's, which is everywhere."""
    match = _REGISTERED.fullmatch(name)
    return match["region"] if match else ""


def model_problem(name: str) -> str | None:
    """Why a text names no model."""
    if _fits(_PUBLISHED, name) or _fits(_REGISTERED, name):
        return None
    form = "publishers/{publisher}/models/{model}@{version} or a Model's name"
    return f"{shown(name)} is not a valid model: write {form}"


def dataset_problem(name: str) -> str | None:
    """Why a text names no multimodal dataset."""
    form = "projects/{project}/locations/{region}/datasets/{number}"
    return None if _fits(_DATASET, name) else f"{shown(name)} is not a valid dataset: write {form}"


def objects_problem(uri: str) -> str | None:
    """Why a text names no objects to read."""
    return None if _fits(_OBJECTS, uri) else f"{shown(uri)} is not a valid Cloud Storage URI: write gs://bucket/object"


def table_problem(uri: str) -> str | None:
    """Why a text names no table to read."""
    return None if _fits(_TABLE, uri) else f"{shown(uri)} is not a valid table: write bq://project.dataset.table"


def output_table_problem(uri: str) -> str | None:
    """Why a text names no place in BigQuery to write to."""
    if _fits(_OUTPUT_TABLE, uri):
        return None
    return f"{shown(uri)} is not a valid BigQuery URI: write bq://project.dataset, or bq://project.dataset.table"


def is_one_table(uri: str) -> bool:
    """Whether an output names one table, rather than a dataset or project in which each run makes its own."""
    return uri.startswith("bq://") and uri.rpartition(":")[2].count(".") == 2


def _fits(form: re.Pattern[str], name: str) -> bool:
    """Whether the name has this form and goes up nowhere."""
    parts = name.removeprefix("gs://").split("/")
    climbs = any(part in (".", "..") for part in parts) or ".." in (parts[0] if name.startswith("gs://") else name)
    return bool(form.fullmatch(name)) and not climbs
