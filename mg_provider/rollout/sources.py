"""What a Model of a rollout is made of, where Model Garden's deploy does not make it: weights and serving container."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mg_provider.api.errors import MgError, NotFound
from mg_provider.wire.vertex.container import ContainerSpec
from mg_provider.wire.vertex.model import BaseModelSource, Model, ModelGardenSource
from mg_provider.wire.vertex.publisher import Deploy

if TYPE_CHECKING:
    from mg_provider.rollout.place import World
    from mg_provider.wire.vertex.machine import MachineSpec

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Where weights come from; one of the three is set.

    Attributes:
        gcs_uri: Folder of weights.
        publisher_model_name: Model of Model Garden.
        hugging_face_model_id: Model of Hugging Face.
    """

    gcs_uri: str = ""
    publisher_model_name: str = ""
    hugging_face_model_id: str = ""

    @property
    def publisher_model(self) -> str:
        """The entry of Model Garden; empty for a folder of weights."""
        if self.hugging_face_model_id:
            return f"publishers/hf-{self.hugging_face_model_id.lower().replace('/', '/models/', 1)}@001"
        return self.publisher_model_name


def made_from(source: Source, asked: Model, parent: str, machines: Sequence[MachineSpec], world: World) -> Model:
    """The Model as it is uploaded: what is asked for, with the weights, and with Google's container if it has none.

    Permissions: as recommendSpec, or publishers.models.get.

    Raises:
        MgError: Google lists no container that serves this model.
    """
    if source.gcs_uri:
        container = asked.container_spec or recommended_container(source.gcs_uri, parent, machines, world)
        return asked.model_copy(update={"artifact_uri": source.gcs_uri, "container_spec": container})
    name, _, version = source.publisher_model.partition("@")
    garden = ModelGardenSource(public_model_name=name, version_id=version or None)
    config = Deploy() if asked.container_spec else published(source, machines, world)
    made = {
        "artifact_uri": config.artifact_uri or None,
        "container_spec": asked.container_spec or config.container_spec,
        "base_model_source": BaseModelSource(model_garden_source=garden),
    }
    return asked.model_copy(update=made)


def recommended_container(uri: str, parent: str, machines: Sequence[MachineSpec], world: World) -> ContainerSpec:
    """The container that recommendSpec names for a folder, on the first of the machines that it knows."""
    # Programs that only register resources never load it.
    from mg_provider.wire.vertex.deploy import RecommendSpecRequest

    answer = world.clients.vertex.recommend_spec(parent, RecommendSpecRequest(gcs_uri=uri))
    specs = [entry.spec for entry in answer.recommendations or [] if entry.spec] or answer.specs or []
    known = [(spec.machine_spec, spec.container_spec) for spec in specs if spec.container_spec]
    container = _first_on(machines, known)
    if container is None:
        raise _no_container(uri)
    return container


def published(source: Source, machines: Sequence[MachineSpec], world: World) -> Deploy:
    """The ready configuration of a publisher model, on the first of the machines that it is listed for."""
    name = source.hugging_face_model_id or source.publisher_model_name
    try:
        model = world.clients.vertex.get_publisher_model(
            source.publisher_model, is_hugging_face_model=bool(source.hugging_face_model_id) or None
        )
    except NotFound as error:
        raise _no_container(name) from error
    actions = model.supported_actions
    configs = list(actions.multi_deploy_vertex.multi_deploy_vertex) if actions and actions.multi_deploy_vertex else []
    if actions and actions.deploy:
        configs.append(actions.deploy)
    known = [
        (entry.dedicated_resources.machine_spec if entry.dedicated_resources else None, entry)
        for entry in configs
        if entry.container_spec
    ]
    config = _first_on(machines, known)
    if config is None:
        raise _no_container(name)
    return config


def _first_on(machines: Sequence[MachineSpec], known: Sequence[tuple[MachineSpec | None, T]]) -> T | None:
    for wanted in machines:
        for machine, thing in known:
            if machine is not None and machine.machine_type == wanted.machine_type:
                return thing
    return known[0][1] if known else None


def _no_container(name: str) -> MgError:
    return MgError(
        f"Model Garden lists no serving container for {name}, so it cannot be deployed beside what serves now",
        hint="set container_spec with the container to serve it in, or make a second resource for it, move the clients "
        "there, then remove this one",
    )
