"""One named deployment of an endpoint: what a user says of it, and which deployment on the endpoint it is.

A deployment is known by an id that follows from the endpoint, the name and everything that cannot change while it
runs, so that it is found again when the answer of a call is lost. Its last four digits are check digits: a deployment
of ours is distinguished from one made by hand even where no state remembers it, as after a run that was killed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from itertools import count
from typing import Annotated, Any

from pydantic import Field

from mg_provider.resources.endpoint.capacity import accepts
from mg_provider.resources.endpoint.machines import MUTATE, Machines, unlike
from mg_provider.resources.endpoint.rollout_args import RolloutArgument
from mg_provider.resources.model.marks import InPlace, RollsOut
from mg_provider.resources.model.meaning import Content
from mg_provider.resources.model.seeds import counted
from mg_provider.resources.model.standing import Stands, fixed_while_running
from mg_provider.resources.model.unknown import plain
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.machine import DedicatedResources


class ServedModel(Machines):
    """One deployed model of the endpoint."""

    always_in_ids = Machines.always_in_ids | {"model"}

    model: Annotated[str, RollsOut("a new deployment"), Content("model"), Stands("deployment", "model")] = Field(
        description="Model resource name; the `model` output of a CustomWeightsModel, @version if wanted."
    )
    enable_container_logging: Annotated[
        bool, InPlace(MUTATE), Stands("deployment", "enable_container_logging", always=True)
    ] = Field(default=True, description="Send the container's output to Cloud Logging.")
    rollout: RolloutArgument = Field(
        default=None,
        description="How a new deployment takes the old one's place under this name. Default: as the endpoint's "
        "rollout says.",
    )

    def fixed(self) -> dict[str, Any]:
        """What cannot change while it runs."""
        # Ids follow from the order too.
        names = sorted(fixed_while_running(type(self)), key=lambda name: name != "model")
        return {name: plain(value) for name, value in counted(self, names, self.always_in_ids)}

    def wire(self, id: str, name: str) -> DeployedModel:
        """The deployment as ``endpoints.deployModel`` takes it."""
        return self.deployed(id=id, display_name=name)

    def runs_as(self, deployed: DeployedModel) -> bool:
        """Whether a deployment has this model on these machines, as far as this names them."""
        resources = deployed.dedicated_resources or DedicatedResources()
        return (
            is_same_model(self.model, deployed)
            and accepts(self.machine_spec, resources.machine_spec)
            and bool(self.spot) == bool(resources.spot)
        )

    def is_exactly(self, deployed: DeployedModel) -> bool:
        """Whether a deployment is this one in everything that cannot be changed on it."""
        # Without a machine spec, the machine that Google chose says nothing about which deployment it is.
        return self.machine_spec is not None and is_same_model(self.model, deployed) and not unlike(self, deployed)


def machine_type(deployed: DeployedModel) -> str:
    """The machine type that a deployment runs on, empty where Google does not say."""
    spec = (deployed.dedicated_resources or DedicatedResources()).machine_spec
    return (spec.machine_type if spec else None) or ""


def is_same_model(wanted: str, deployed: DeployedModel) -> bool:
    """Whether a deployment serves this Model. Google answers with the project's number, so projects do not count."""
    name, _, version = wanted.partition("@")
    actual, _, actual_version = (deployed.model or "").partition("@")
    if name.split("/")[2:] != actual.split("/")[2:]:
        return False
    known = deployed.model_version_id or actual_version
    return not version.isdigit() or not known or version == known


def our_deployment_id(endpoint_id: str, name: str, served: ServedModel, salt: int = 0) -> str:
    """An id of ten digits, the same each time for what cannot change while it runs."""
    fixed = served.fixed()
    content = [endpoint_id, name, *fixed.values(), *([salt] if salt else [])]
    number = 10**5 + _number(content) % (9 * 10**5)
    return f"{number}{_check_digits(endpoint_id, str(number))}"


def is_our_deployment_id(endpoint_id: str, id: str) -> bool:
    """Whether an id was made by :func:`our_deployment_id` for this endpoint. One in ten thousand other ids passes."""
    return len(id) == 10 and id.isdigit() and id[6:] == _check_digits(endpoint_id, id[:6])


def _check_digits(endpoint_id: str, digits: str) -> str:
    return f"{_number([endpoint_id, digits]) % 10**4:04}"


def _number(content: list[Any]) -> int:
    text = json.dumps(content, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def assign(
    endpoint_id: str,
    wanted: Mapping[str, ServedModel],
    known: Mapping[str, str],
    before: Mapping[str, ServedModel],
    present: Mapping[str, DeployedModel],
    free: Collection[str] = (),
) -> dict[str, str]:
    """Which deployment each name is, with as few new ones as can be.

    A name keeps its deployment while nothing changes that is fixed; a renamed one takes its deployment along, and two
    that swap their names swap their deployments. The answer follows from what is in the cloud, so a run that is
    repeated comes to the same.

    Args:
        endpoint_id: The endpoint.
        wanted: What to serve, by name.
        known: The deployment of each name in the last run.
        before: What each name was in the last run.
        present: What is on the endpoint, by id.
        free: Further ids on the endpoint that may be taken over.
    """
    ids: dict[str, str] = {}
    # The engine sends a mapping in any order.
    in_order = sorted(wanted.items())

    def take(name: str, candidates: Iterable[str]) -> None:
        if name not in ids and (id := next((id for id in candidates if id not in ids.values()), None)):
            ids[name] = id

    kept = {name: id for name, id in known.items() if name in before and id in present}
    for name, served in in_order:
        take(name, [kept[name]] if name in kept and before[name].fixed() == served.fixed() else [])
    for name, served in in_order:
        take(name, [kept[old] for old in sorted(kept) if before[old].fixed() == served.fixed()])
    ours = sorted(id for id in present if id in free or is_our_deployment_id(endpoint_id, id))
    for name, served in in_order:
        same_name_first = sorted(ours, key=lambda id, name=name: present[id].display_name != name)  # type: ignore[misc]
        take(name, [id for id in same_name_first if served.is_exactly(present[id])])
    for name, served in in_order:
        fresh = (our_deployment_id(endpoint_id, name, served, salt) for salt in count())
        take(name, (id for id in fresh if id not in present or served.runs_as(present[id])))
    return {name: ids[name] for name, _ in in_order}
