"""The resource that runs a model, as Python to paste into a program."""

from __future__ import annotations

import re
from typing import Any

from mg_provider.inference.models.catalogue import ListedModel, Machine
from mg_provider.python_text import call, variable

_LICENCE = "True once you have read and accepted the model's licence"


def import_lines(model: ListedModel, *, batch: bool) -> list[str]:
    """What the blocks of a model need imported."""
    names = [
        *(["BatchJob"] if batch else []),
        *(["CustomWeightsModel"] if model.deployable or model.own_weights else []),
    ]
    return [f"from mg_provider import {', '.join(names)}"]


def deployment_block(model: ListedModel) -> list[str]:
    """A ``CustomWeightsModel`` that serves the model; for a base, one that serves weights of one's own."""
    name = _short(model)
    arguments: dict[str, Any] = {}
    comments = {}
    if model.own_weights:
        arguments["gcs_uri"] = f"gs://your-bucket/{name}"
    else:
        arguments["publisher_model_name"] = model.name
        arguments["accept_eula"] = False
        comments["accept_eula"] = _LICENCE
    arguments |= _machine(model.machines[:1], comments)
    return call(variable(name, prefix="model_"), "CustomWeightsModel", name, arguments, comments)


def batch_block(model: ListedModel) -> list[str]:
    """A ``BatchJob`` that runs the model once over JSON lines in a bucket."""
    comments: dict[str, str] = {}
    arguments: dict[str, Any] = {
        "model": model.name,
        "input_config": {
            "instances_format": "jsonl",
            "gcs_source": {"uris": ["gs://your-bucket/input/*.jsonl"]},
        },
        "output_config": {
            "predictions_format": "jsonl",
            "gcs_destination": {"output_uri_prefix": "gs://your-bucket/output"},
        },
        **_machine(model.machines[:1], comments),
        "max_replica_count": 1,
    }
    name = f"{_short(model)}-batch"
    return call(variable(name, prefix="model_"), "BatchJob", name, arguments, comments)


def _machine(machines: tuple[Machine, ...], comments: dict[str, str]) -> dict[str, Any]:
    """The machine spec; without a known machine none, so that Google's choice applies."""
    spec: dict[str, Any] = {}
    for machine in machines:
        spec = {"machine_type": machine.machine_type}
        if machine.accelerator_type and machine.accelerator_count:
            spec |= {"accelerator_type": machine.accelerator_type, "accelerator_count": machine.accelerator_count}
        comments["machine_spec"] = "verified by Google" if machine.verified else "Google's configuration, not verified"
    return {"machine_spec": spec} if spec else {}


def _short(model: ListedModel) -> str:
    """A resource's name: of the version, or else of the model."""
    text = model.name.rpartition("/")[2].rpartition("@")[2].lower()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")
