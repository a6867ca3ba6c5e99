"""What chat requests call a model: its container has it in an environment variable."""

from __future__ import annotations

from mg_provider.wire.vertex.container import ContainerSpec, EnvVar
from mg_provider.wire.vertex.model import Model

QUERY_ID = "MODEL_ID"
"""Variable of the serving container that holds what chat requests name as ``model``."""


def query_id(model: Model | None) -> str:
    """What chat requests name as ``model`` for a Model; empty where its container does not tell."""
    return container_query_id(model.container_spec if model else None)


def container_query_id(container: ContainerSpec | None) -> str:
    """What a container calls its model; empty where it does not tell."""
    env = (container.env if container else None) or []
    return next((entry.value or "" for entry in env if entry.name == QUERY_ID), "")


def with_query_id(model: Model, id: str) -> Model:
    """The Model, asked for by this id, so that clients go on naming the model as they do."""
    container = model.container_spec
    if not id or container is None:
        return model
    others = [entry for entry in container.env or [] if entry.name != QUERY_ID]
    env = [*others, EnvVar(name=QUERY_ID, value=id)]
    return model.model_copy(update={"container_spec": container.model_copy(update={"env": env})})
