"""Which models run where: Model Garden's own answer, or the dated lists that come with this project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError
from mg_provider.data import table
from mg_provider.prices import Price, standard_prices
from mg_provider.wire.vertex.machine import MachineSpec
from mg_provider.wire.vertex.publisher import Deploy, PublisherModel

PATIENCE = 10.0
"""Seconds for repeats: where Model Garden does not answer, the dated lists do."""

_NATIVE = "is_hf_wildcard(false)"
_VERIFIED = ("VERIFIED_DEPLOYMENT_CONFIG", "VERIFIED_DEPLOYMENT_SUCCEED")
_FULL = "PUBLISHER_MODEL_VIEW_FULL"


@dataclass(frozen=True)
class Machine:
    """A machine that a model was configured for.

    Attributes:
        machine_type: Such as ``g2-standard-12``.
        accelerator_type: Such as ``NVIDIA_L4``, or None.
        accelerator_count: How many of them, or None.
        verified: Whether Google says that a deployment on it succeeded.
    """

    machine_type: str
    accelerator_type: str | None = None
    accelerator_count: int | None = None
    verified: bool = False

    def hour(self, region: str) -> Price | None:
        """What one of it costs an hour, where the table of prices says."""
        kind, count = self.accelerator_type or "", self.accelerator_count or 0
        return standard_prices().hour(self.machine_type, region, "on demand", kind, count)

    def __str__(self) -> str:
        """For people."""
        gpus = f" ({self.accelerator_count} {self.accelerator_type})" if self.accelerator_count else ""
        return f"{self.machine_type}{gpus}"


@dataclass(frozen=True)
class ListedModel:
    """A model that runs on machines of one's own.

    Attributes:
        name: Resource name of a publisher model with its version, or the name of a base for weights of one's own.
        deployable: Whether an endpoint can serve it as it is.
        batch: Whether batch prediction is documented for it.
        own_weights: Whether it is a base whose fine-tuned weights can be deployed.
        machines: Machines that it was configured for, the verified ones first; empty where Google was not asked.
    """

    name: str
    deployable: bool = False
    batch: bool = False
    own_weights: bool = False
    machines: tuple[Machine, ...] = ()

    def matches(self, text: str | None) -> bool:
        """Whether the name holds every word of a search."""
        return all(word in self.name.lower() for word in (text or "").lower().split())


@dataclass(frozen=True)
class Catalogue:
    """Models, and who says so.

    Attributes:
        models: By name.
        asked: Whether Model Garden itself listed the publisher models and their machines.
        as_of: Date of the lists that tell the rest.
        reason: Why Model Garden was not asked.
    """

    models: tuple[ListedModel, ...]
    asked: bool
    as_of: str
    reason: str = ""

    @property
    def origin(self) -> str:
        """Who says so, in a sentence."""
        lists = f"Google's documentation as read on {self.as_of}"
        if self.asked:
            return f"models and machines: Model Garden, asked just now; batch and own weights: {lists}"
        return f"all of it: {lists}, as Model Garden could not be asked ({self.reason})"

    def only(self, search: str | None = None, *, deployable: bool = False, batch: bool = False) -> Catalogue:
        """The models that fit."""
        fitting = (
            model
            for model in self.models
            if model.matches(search) and (model.deployable or not deployable) and (model.batch or not batch)
        )
        return Catalogue(tuple(fitting), self.asked, self.as_of, self.reason)

    def to_json(self, region: str) -> dict[str, Any]:
        """For programs. ``region``: where the prices of the machines are of."""

        def priced(machine: Machine) -> dict[str, Any]:
            price = machine.hour(region)
            return {**asdict(machine), "usd_hour": price.usd if price else None}

        models = [{**asdict(model), "machines": [priced(each) for each in model.machines]} for model in self.models]
        return {"asked_model_garden": self.asked, "lists_as_of": self.as_of, "origin": self.origin, "models": models}


def read_catalogue(clients: Clients) -> Catalogue:
    """All models: those that Model Garden lists now, or else those of the dated lists.

    Permission: aiplatform.publisherModels.list, which every authenticated caller has.
    """
    listed = {name: ListedModel(name, deployable=True, batch=True) for name in table("batch_models")["self_deployed"]}
    as_of: str = table("base_models")["as_of"]
    try:
        found = {model.name: model for model in _published(clients)}
    except MgError as problem:
        return Catalogue(_ordered([*listed.values(), *_bases()]), False, as_of, problem.summary)
    missing = [ListedModel(name, batch=True) for name in listed if name not in found]
    return Catalogue(_ordered([*found.values(), *missing, *_bases()]), True, as_of)


def find_machines(name: str, clients: Clients) -> tuple[Machine, ...]:
    """The machines of one publisher model. Permission: aiplatform.publisherModels.get.

    Raises:
        CloudError: Model Garden has no such model, or did not answer.
    """
    return _machines(clients.vertex.get_publisher_model(name, view=_FULL, retry_budget=PATIENCE))


def _published(clients: Clients) -> Iterator[ListedModel]:
    batch = set(table("batch_models")["self_deployed"])
    for entry in clients.vertex.list_publisher_models(filter=_NATIVE, list_all_versions=True, retry_budget=PATIENCE):
        machines = _machines(entry)
        if entry.name and _configurations(entry):
            name = f"{entry.name}@{entry.version_id}" if entry.version_id and "@" not in entry.name else entry.name
            yield ListedModel(name, deployable=True, batch=name.lower() in batch, machines=machines)


def _configurations(entry: PublisherModel) -> list[Deploy]:
    actions = entry.supported_actions
    return actions.multi_deploy_vertex.multi_deploy_vertex if actions and actions.multi_deploy_vertex else []


def _machines(entry: PublisherModel) -> tuple[Machine, ...]:
    """One each, the verified first and otherwise in Google's order."""
    found: dict[tuple[object, ...], Machine] = {}
    for configuration in sorted(_configurations(entry), key=lambda each: not _is_verified(each)):
        spec = configuration.dedicated_resources.machine_spec if configuration.dedicated_resources else None
        if spec and spec.machine_type:
            found.setdefault(_key(spec), _machine(spec, verified=_is_verified(configuration)))
    return tuple(found.values())


def _key(spec: MachineSpec) -> tuple[object, ...]:
    return spec.machine_type, spec.accelerator_type, spec.accelerator_count


def _machine(spec: MachineSpec, *, verified: bool) -> Machine:
    return Machine(spec.machine_type or "", spec.accelerator_type, spec.accelerator_count, verified)


def _is_verified(configuration: Deploy) -> bool:
    labels = configuration.deploy_metadata.labels if configuration.deploy_metadata else None
    return (labels or {}).get(_VERIFIED[0]) == _VERIFIED[1]


def _bases() -> Iterator[ListedModel]:
    for family in table("base_models")["families"]:
        for base in family["models"]:
            yield ListedModel(base["name"], own_weights=True)


def _ordered(models: Iterable[ListedModel]) -> tuple[ListedModel, ...]:
    return tuple(sorted(models, key=lambda model: (model.own_weights, model.name.lower())))
