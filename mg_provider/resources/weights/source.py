"""Where a model's weights come from: a bucket, Model Garden or Hugging Face."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mg_provider.api.names import ResourceName
from mg_provider.api.texts import shown
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.marks import Local, OnlyInDeploy, RollsOut, Secret
from mg_provider.resources.model.meaning import Content, SafetyNet
from mg_provider.resources.model.nested_rules import folder_problem
from mg_provider.resources.model.standing import Stands, Unseen, model_arguments

FIXED_MODEL = "a Model cannot be changed in this; another one has another id"
_PUBLISHER_MODEL = ResourceName(
    "a model of Model Garden",
    "publishers/{publisher}/models/{model}",
    {
        "publisher": r"[a-zA-Z0-9_-]+",
        "model": r"[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)*(?:@[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)*)?",
    },
)
_HUGGING_FACE_MODEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*/[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*")


class ModelSource(BaseModel):
    """Exactly one of a folder of weights, a Model Garden model and a Hugging Face model."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    gcs_uri: Annotated[
        str,
        RollsOut("other weights are another Model, deployed beside the old one", another_model=True),
        Content("weights"),
        Stands("model", "artifact_uri"),
        Unseen(FIXED_MODEL, sent=True, kept=True),
    ] = Field(default="", description="gs:// folder with weights, config.json and tokenizer in Hugging Face format.")
    preflight: Annotated[
        bool, Local("read when deploying"), SafetyNet("preflight, the check of the weights", on=bool)
    ] = Field(default=True, description="Check the folder of weights before anything is asked for.")
    allow_quantized: Annotated[
        bool,
        Local("read when deploying"),
        SafetyNet("the refusal of quantized weights", on=lambda allowed: not allowed),
    ] = Field(default=False, description="Deploy quantized weights although they are not listed as supported.")
    publisher_model_name: Annotated[
        str,
        RollsOut("another Model, deployed beside the old one", another_model=True),
        Content("weights"),
        Unseen(FIXED_MODEL, sent=True),
    ] = Field(default="", description="Model of Model Garden instead: publishers/{publisher}/models/{model}@{version}.")
    hugging_face_model_id: Annotated[
        str,
        RollsOut("another Model, deployed beside the old one", another_model=True),
        Content("weights"),
        Unseen(FIXED_MODEL, sent=True),
    ] = Field(default="", description="Model of Hugging Face instead: {author}/{model}.")
    hugging_face_access_token: Annotated[
        str, Secret(), Local("read when deploying"), Unseen("a secret, which Google does not show", sent=True)
    ] = Field(default="", description="Read token for a gated Hugging Face model; kept secret.", repr=False)
    hugging_face_cache_enabled: Annotated[
        bool, Local("read when deploying"), Unseen("used by one call", sent=True), OnlyInDeploy()
    ] = Field(default=False, description="Use Google's cached copy of the Hugging Face model.")
    accept_eula: Annotated[
        bool, Local("read when deploying"), Unseen("used by one call", sent=True), OnlyInDeploy()
    ] = Field(default=False, description="Accept the model's End User License Agreement.")


SOURCES = model_arguments(ModelSource)
"""The arguments that say where weights come from, of which a program gives one."""


def _source_problem(args: ModelSource) -> str | None:
    given = [name for name in SOURCES if getattr(args, name)]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        return f"exactly one of {', '.join(SOURCES)} is needed, not {found}"
    return None


def _gcs_problem(args: ModelSource) -> str | None:
    return folder_problem(args.gcs_uri) if args.gcs_uri else None


def _publisher_problem(args: ModelSource) -> str | None:
    problem = _PUBLISHER_MODEL.problem(args.publisher_model_name) if args.publisher_model_name else None
    return f"{problem}@{{version}}" if problem else None


def _hugging_face_problem(args: ModelSource) -> str | None:
    if args.hugging_face_model_id and not _HUGGING_FACE_MODEL.fullmatch(args.hugging_face_model_id):
        return (
            f"{shown(args.hugging_face_model_id)} is not the name of a Hugging Face model: write {{author}}/{{model}}"
        )
    return None


def _token_problem(args: ModelSource) -> str | None:
    if args.hugging_face_access_token and not args.hugging_face_model_id:
        return "only applies to hugging_face_model_id: remove it"
    return None


SOURCE_RULES = (
    Rule(SOURCES, _source_problem),
    Rule(("gcs_uri",), _gcs_problem),
    Rule(("publisher_model_name",), _publisher_problem),
    Rule(("hugging_face_model_id",), _hugging_face_problem),
    Rule(("hugging_face_access_token", "hugging_face_model_id"), _token_problem),
)
