"""The Models of a rollout in the registry: uploaded once, found again, deleted when nothing serves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from mg_provider.api.errors import (
    AgentsNotReady,
    AlreadyExists,
    ConnectionFailed,
    FailedPrecondition,
    NotFound,
    Unavailable,
)
from mg_provider.rollout.agents import Agents
from mg_provider.rollout.merging import merged
from mg_provider.rollout.place import Place, running_operation
from mg_provider.wire.base import nested, same, value_at
from mg_provider.wire.vertex.model import Model

_IN_USE_POLL_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 2.0


def find_model(place: Place, model_id: str) -> Model | None:
    """The Model with this id; None only on not-found."""
    try:
        return place.world.clients.vertex.get_model(f"{place.parent}/models/{model_id}")
    except NotFound:
        return None


def upload(place: Place, model_id: str, model: Model) -> None:
    """Register a Model, or go on with an upload of the same id that runs. There already is fine.

    Permission: aiplatform.models.upload.
    """
    world, name = place.world, f"{place.parent}/models/{model_id}"
    began, agents = world.clock.monotonic(), Agents(world, place.deploy_seconds)
    while (found := find_model(place, model_id)) is None:
        running = running_operation(name, lambda operation: True, world)
        if running is not None:
            world.wait(running, place.deploy_seconds, "uploading the model")
            continue
        if not agents.times:
            world.progress(f"uploading {model_id}")
        try:
            operation = world.clients.vertex.upload_model(place.parent, model_id, model)
        except AgentsNotReady as error:
            if not agents.wait(error):
                raise
        except (AlreadyExists, ConnectionFailed, Unavailable) as error:
            lost = isinstance(error, AlreadyExists) or getattr(error, "sent", False)
            if not lost or world.clock.monotonic() - began > place.deploy_seconds or world.cancelled():
                raise
            # It may be on its way without being shown: asking again answers AlreadyExists until it is there.
            world.clock.sleep(_LOOK_AGAIN_SECONDS)
        else:
            if agents.tolerates(partial(world.wait, operation, place.deploy_seconds, "uploading the model")):
                return
    # Somebody else may have asked for the same id, and was first.
    place.guard.model(found)


def delete_model_at(place: Place, model_id: str) -> None:
    """Delete an uploaded Model, one that is still being uploaded too; gone already is fine.

    Waits while Vertex AI still takes it for deployed.
    """
    world, name = place.world, f"{place.parent}/models/{model_id}"
    began = world.clock.monotonic()
    while True:
        uploading = running_operation(name, lambda operation: "Upload" in str(operation.metadata), world)
        if uploading is not None:
            world.wait(uploading, place.change_seconds, "waiting for the upload of the model")
        model = find_model(place, model_id)
        if model is None:
            return
        place.guard.model(model)
        try:
            world.progress(f"deleting the model {model_id}")
            operation = world.clients.vertex.delete_model(name)
            world.wait(operation, place.change_seconds, "deleting the model")
        except NotFound:
            return
        except FailedPrecondition:
            waited = world.clock.monotonic() - began
            if waited > place.change_seconds or world.cancelled():
                raise
            world.clock.sleep(min(_IN_USE_POLL_SECONDS, 0.2 + waited))
        else:
            return


def patch_labels(
    place: Place, model_id: str, changes: Mapping[str, str | None], more: Mapping[str, Any] | None = None
) -> None:
    """Set labels of a Model, those that are None removed; others stay. And set ``more``, by path. Gone is fine.

    Vertex AI shows the labels of a Model and of its version as one, and no source says whose those of an upload are.
    Where the answer shows that the Model's own were not enough, the version gets the same ones.

    Permission: aiplatform.models.update.

    Raises:
        MgError: Somebody else keeps changing the Model.
    """
    name = f"{place.parent}/models/{model_id}"
    merged(lambda: _patch_labels(place, model_id, changes, more or {}), "the labels", name, place.resource)


def _patch_labels(place: Place, model_id: str, changes: Mapping[str, str | None], more: Mapping[str, Any]) -> None:
    model = find_model(place, model_id)
    if model is None:
        return
    changed = {**(model.labels or {}), **changes}
    labels = {key: value for key, value in changed.items() if value is not None}
    wanted = {"labels": labels, **more}
    mask = [path for path, value in wanted.items() if not same(value, value_at(model, path))]
    if not mask:
        return
    place.guard.model(model)
    vertex, name = place.world.clients.vertex, f"{place.parent}/models/{model_id}"
    body = Model(etag=model.etag, **nested({path: wanted[path] for path in mask}))
    answer = vertex.patch_model(name, body, mask)
    if (answer.labels or {}) != labels:
        version = Model(labels=labels, etag=answer.etag)
        vertex.patch_model(f"{name}@{answer.version_id or 'default'}", version, ["labels"])


def labelled_models(place: Place, labels: Mapping[str, str]) -> Iterator[Model]:
    """The Models in the endpoint's location that carry all of these labels. Permission: aiplatform.models.list."""
    condition = " AND ".join(f"labels.{key}={value}" for key, value in labels.items())
    return place.world.clients.vertex.list_models(place.parent, condition)


def served_elsewhere(model: Model, endpoint: str) -> bool:
    """Whether another endpoint serves the Model as well."""
    id = endpoint.rpartition("/")[2]
    return any((entry.endpoint or "").rpartition("/")[2] != id for entry in model.deployed_models or [])
