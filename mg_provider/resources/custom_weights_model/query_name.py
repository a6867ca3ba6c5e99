"""What chat requests call a model: what its container says, what the program asks for, or what it has been so far."""

from __future__ import annotations

from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
from mg_provider.resources.model.unknown import UNKNOWN, Unknown
from mg_provider.rollout.query_id import container_query_id


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
