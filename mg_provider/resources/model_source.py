"""Where a model's weights come from: a bucket, Model Garden or Hugging Face."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mg_provider.resources.fields import Local, RollsOut, Rule, Secret
from mg_provider.resources.standing import Stands, Unseen

FIXED_MODEL = "a Model cannot be changed in this; another one has another id"
SOURCES = ("gcs_uri", "publisher_model_name", "hugging_face_model_id")
_GCS_URI = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[^\s?#\[\]*]*)?")
_PUBLISHER_MODEL = re.compile(r"publishers/[^/\s]+/models/[^/\s@]+(@[^/\s]+)?")
_HUGGING_FACE_MODEL = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class ModelSource(BaseModel):
    """Exactly one of a folder of weights, a Model Garden model and a Hugging Face model."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    gcs_uri: Annotated[
        str,
        RollsOut("other weights are another Model, deployed beside the old one"),
        Stands("model", "artifact_uri"),
        Unseen(FIXED_MODEL, sent=True, kept=True),
    ] = Field(default="", description="gs:// folder with weights, config.json and tokenizer in Hugging Face format.")
    preflight: Annotated[bool, Local("read when deploying")] = Field(
        default=True, description="Check the folder of weights before anything is asked for."
    )
    allow_quantized: Annotated[bool, Local("read when deploying")] = Field(
        default=False, description="Deploy quantized weights although they are not listed as supported."
    )
    publisher_model_name: Annotated[
        str, RollsOut("another Model, deployed beside the old one"), Unseen(FIXED_MODEL, sent=True)
    ] = Field(default="", description="Model of Model Garden instead: publishers/{publisher}/models/{model}@{version}.")
    hugging_face_model_id: Annotated[
        str, RollsOut("another Model, deployed beside the old one"), Unseen(FIXED_MODEL, sent=True)
    ] = Field(default="", description="Model of Hugging Face instead: {author}/{model}.")
    hugging_face_access_token: Annotated[
        str, Secret(), Local("read when deploying"), Unseen("a secret, which Google does not show", sent=True)
    ] = Field(default="", description="Read token for a gated Hugging Face model; kept secret.", repr=False)
    hugging_face_cache_enabled: Annotated[
        bool, Local("read when deploying"), Unseen("a word to one call", sent=True)
    ] = Field(default=False, description="Use Google's cached copy of the Hugging Face model.")
    accept_eula: Annotated[bool, Local("read when deploying"), Unseen("a word to one call", sent=True)] = Field(
        default=False, description="Accept the model's End User License Agreement."
    )


def _source_problem(args: ModelSource) -> str | None:
    given = [name for name in SOURCES if getattr(args, name)]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        return f"exactly one of {', '.join(SOURCES)} is needed, not {found}"
    return None


def _gcs_problem(args: ModelSource) -> str | None:
    if args.gcs_uri and not _GCS_URI.fullmatch(args.gcs_uri):
        return f"{args.gcs_uri!r} is no folder in Cloud Storage: write gs://bucket/path"
    return None


def _publisher_problem(args: ModelSource) -> str | None:
    if args.publisher_model_name and not _PUBLISHER_MODEL.fullmatch(args.publisher_model_name):
        return "should look like publishers/{publisher}/models/{model}@{version}"
    return None


def _hugging_face_problem(args: ModelSource) -> str | None:
    if args.hugging_face_model_id and not _HUGGING_FACE_MODEL.fullmatch(args.hugging_face_model_id):
        return "should look like {author}/{model}"
    return None


def _token_problem(args: ModelSource) -> str | None:
    if args.hugging_face_access_token and not args.hugging_face_model_id:
        return "is of use with hugging_face_model_id only: remove it"
    return None


SOURCE_RULES = (
    Rule(SOURCES, _source_problem),
    Rule(("gcs_uri",), _gcs_problem),
    Rule(("publisher_model_name",), _publisher_problem),
    Rule(("hugging_face_model_id",), _hugging_face_problem),
    Rule(("hugging_face_access_token", "hugging_face_model_id"), _token_problem),
)
