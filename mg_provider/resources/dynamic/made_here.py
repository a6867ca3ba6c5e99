"""What a program says of one resource where another one gets that resource's output: known before anything is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from mg_provider.resources.dynamic.resource import DynamicResource
from mg_provider.rollout.query_id import QUERY_ID


def argument_of_maker(output: pulumi.Input[Any], argument: str) -> pulumi.Output[Any]:
    """An argument of the resource in this program that an output comes from; None where no such one is known."""

    async def find() -> Any:
        if not isinstance(output, pulumi.Output):
            return None
        found = [each for each in await output.resources() if isinstance(each, DynamicResource)]
        # What is put together from several resources belongs to none of them.
        return getattr(found[0], argument) if len(found) == 1 and found[0].takes(argument) else None

    return pulumi.Output.from_input(find())


def query_names_of(served: object) -> dict[str, pulumi.Output[str]]:
    """What chat requests call each of an endpoint's models, by its name there; empty where this program does not tell.

    Args:
        served: The endpoint's ``deployed_models``, as a program gives them.
    """
    models = served if isinstance(served, Mapping) else {}
    given = {name: one.get("model") for name, one in models.items() if isinstance(one, Mapping)}
    return {name: _query_name_of(model) for name, model in given.items() if isinstance(model, pulumi.Output)}


def _query_name_of(model: pulumi.Output[str]) -> pulumi.Output[str]:
    names = ("query_model_id", "container_model_id", "container_spec", "gcs_uri")

    def name_of(found: Sequence[Any]) -> str:
        name, chosen, container, weights = found
        env = (container or {}).get("env") or []
        # A container of the user's own, and one of Google's for a model of Google's, call it as they please.
        known = chosen or (weights and not container) or any(entry.get("name") == QUERY_ID for entry in env)
        return name if known and name else ""

    return pulumi.Output.all(*(argument_of_maker(model, name) for name in names)).apply(name_of)
