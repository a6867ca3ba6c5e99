"""What chat requests call a model: what its container says, what the program asks for, or what it has been so far."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mg_provider.resources.model.unknown import UNKNOWN, Unknown
from mg_provider.rollout.query_id import QUERY_ID, container_query_id

if TYPE_CHECKING:
    from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs

UPLOADED = (
    "query_model_id",
    "container_model_id",
    "container_spec",
    "machine_spec",
    "hugging_face_access_token",
    "accept_eula",
    "hugging_face_cache_enabled",
)
"""The arguments that tell whether a Model can be uploaded under a name; what is wrong is told of the first."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,127}")


def with_chosen_name(args: CustomWeightsModelArgs, old: CustomWeightsModelArgs | None) -> CustomWeightsModelArgs:
    """The arguments with the name that the provider gives the container, if the program chose one, now or before.

    Args:
        args: The arguments of this run.
        old: Those of the last run, if the endpoint stays.
    """
    chosen: str | Unknown = args.query_model_id or (old.container_model_id if old is not None else "")
    if old is not None and chosen == old.query_model_id:
        # It is called so already, whoever chose that.
        chosen = old.container_model_id
    if not args.is_known("container_spec"):
        return args.with_values(container_model_id=chosen)
    return args.with_values(container_model_id="" if container_query_id(args.container_spec) else chosen)


def with_query_name(args: CustomWeightsModelArgs, old: CustomWeightsModelArgs | None) -> CustomWeightsModelArgs:
    """The arguments with what chat requests name; new weights are called as the old ones, unless the program says."""
    if isinstance(args.query_model_id, Unknown):
        return args
    own = container_query_id(args.container_spec) if args.is_known("container_spec") else ""
    before = (old.query_model_id or old.model_id) if old is not None else args.model_id
    name = args.query_model_id or own or args.container_model_id or before
    return args.with_values(query_model_id=name or UNKNOWN)


def name_problem(args: CustomWeightsModelArgs) -> str | None:
    """Why a model cannot be called so."""
    own, name = container_query_id(args.container_spec), args.query_model_id
    if own and name and own != name:
        return f"is {name!r}, but container_spec has {own!r} in its environment variable {QUERY_ID}: remove one of them"
    if args.container_model_id and not _NAME.fullmatch(args.container_model_id):
        return f"{args.container_model_id!r} does not fit: use at most 128 letters, digits and . _ / : @ -"
    return None


def upload_problem(args: CustomWeightsModelArgs) -> str | None:
    """Why a Model with a name of the program's choice cannot be uploaded."""
    return reason_against_upload(args) if args.uploads_named else None


def reason_against_upload(args: CustomWeightsModelArgs) -> str | None:
    """Why the Model cannot be uploaded and deployed by calls of its own, where Model Garden's deploy could make it."""
    if args.hugging_face_access_token and args.container_spec is None:
        return (
            "needs an uploaded Model, which would show hugging_face_access_token to its readers: copy the weights to a "
            "bucket and use gcs_uri, or give container_spec"
        )
    if lost := [name for name in ("accept_eula", "hugging_face_cache_enabled") if getattr(args, name)]:
        return f"needs an uploaded Model, which takes no {lost[0]}: remove one of them"
    if args.machine_spec is None and not args.parked and not (args.gcs_uri and args.preflight):
        return "needs machine_spec beside it: the Model is uploaded, and nothing recommends a machine for it"
    return None
