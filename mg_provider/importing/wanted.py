"""What a user asks to import: a resource name or URL, an id or a name for people, and its name in the program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from mg_provider.api.errors import UserError
from mg_provider.api.names import ENDPOINT, ResourceName
from mg_provider.api.texts import shown

Sort = Literal["endpoint", "rule", "job"]

RULE: Final = ResourceName(
    "a forwarding rule",
    "projects/{project}/regions/{region}/forwardingRules/{name}",
    {"name": r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"},
)
JOB: Final = ResourceName(
    "a batch prediction job",
    "projects/{project}/locations/{region}/batchPredictionJobs/{id}",
    {"id": r"[0-9]{1,19}"},
)
_NAMES: Final[dict[Sort, ResourceName]] = {"endpoint": ENDPOINT, "rule": RULE, "job": JOB}
_PROGRAM_NAME = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_.-]{0,99})=(?P<rest>.+)", re.DOTALL)
_IN_URL = re.compile(r"(?:[a-z]+:)?//\S*?/((?:projects|publishers)/\S+)")

_OTHERS: Final = {
    "customJobs": "a custom training job, and BatchJob is a batch prediction run",
    "trainingPipelines": "a training pipeline, and BatchJob is a batch prediction run",
    "tuningJobs": "a tuning job, and BatchJob is a batch prediction run",
    "pipelineJobs": "a pipeline run, and BatchJob is a batch prediction run",
    "hyperparameterTuningJobs": "a tuning job, and BatchJob is a batch prediction run",
    "batchJobs": "another service's batch job, and BatchJob is a batch prediction run of Vertex AI",
    "serviceAttachments": "a service attachment, which the endpoint's project makes by itself",
}
_INSTEAD: Final = {
    "models": ("a Model alone, which no resource here is", "import the endpoint that serves it: its Model comes along"),
    "addresses": ("an address alone", "import the forwarding rule that uses it: its address comes along"),
}


@dataclass(frozen=True)
class Wanted:
    """One thing to import.

    Attributes:
        text: As the user wrote it, without the name.
        name: What the program is to call it; empty for a name that follows from its own.
        sort: What it is, if a resource name says so; empty for an id or a name.
        project: Of the resource name; empty without one.
        region: Likewise.
        id: The last part of the resource name, or the text.
    """

    text: str
    name: str = ""
    sort: Sort | Literal[""] = ""
    project: str = ""
    region: str = ""
    id: str = ""


def read_wanted(text: str) -> Wanted:
    """What a user asks for.

    Args:
        text: ``[NAME=]RESOURCE``.

    Raises:
        UserError: It is something that no resource here is.
    """
    named = _PROGRAM_NAME.fullmatch(text)
    name, rest = (named["name"], named["rest"]) if named else ("", text)
    rest = rest.strip()
    found = _IN_URL.fullmatch(rest)
    path = found[1].partition("?")[0] if found else rest
    if path.startswith("publishers/") or "/publishers/" in path:
        raise UserError(
            f"{shown(path)} is a model of a publisher, so it is not yours to import",
            hint="name it in a program as publisher_model_name of a CustomWeightsModel, or as model of a BatchJob; to "
            "import an endpoint that serves it, name the endpoint",
        )
    for sort, form in _NAMES.items():
        if match := form.match(path):
            id = match["name"] if sort == "rule" else match["id"]
            return Wanted(path, name, sort, match["project"], match["region"], id)
    if not path or "/" in path or not path.isprintable():
        raise _refusal(path)
    return Wanted(path, name, id=path)


def _refusal(path: str) -> UserError:
    kind = path.split("/")[-2] if path.count("/") > 1 else ""
    if kind == "forwardingRules":
        return UserError(
            f"{shown(path)} is not a regional forwarding rule, and only those lead to endpoints",
            hint=f"write {RULE.form}",
        )
    if kind in _OTHERS:
        return UserError(
            f"{shown(path)} is {_OTHERS[kind]}", hint="import an endpoint, a forwarding rule or a batch prediction job"
        )
    if kind in _INSTEAD:
        what, instead = _INSTEAD[kind]
        return UserError(f"{shown(path)} is {what}", hint=instead)
    forms = ", ".join(form.form for form in _NAMES.values())
    return UserError(f"{shown(path)} is not the name of something to import", hint=f"write one of: {forms}")
