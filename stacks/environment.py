"""The configuration of a stack, typed: what one environment runs, and where.

It is the value of the config key ``environment``. A mistake is told with the path of its YAML key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pulumi
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator, model_validator

from mg_provider.components.common import DNS_NAME
from mg_provider.components.psc_network import address_problem, check_names, check_ranges
from mg_provider.components.vpc_sc_allowlist import project_ids
from mg_provider.data import regions as known_regions
from mg_provider.preflight.empty_values import empty_paths
from mg_provider.preflight.machines.machine import accelerators, machine_doubt
from mg_provider.resources.psc_forwarding_rule.args import not_allowed
from mg_provider.rollout.query_id import QUERY_ID
from mg_provider.wire.vertex.machine import MachineSpec

SPACE = "model-garden"
KEY = f"{SPACE}:environment"
QUICKSTART = ("gcsUri", "region", "machineType")
"""The config keys that `pulumi new` asks for; they stand for an environment with one model at a public endpoint."""

LEFT_EMPTY = ("", "null")
"""What an engine answers for a config key without a value."""

# What a line that was left empty may have been meant for, where that is one of two.
_MEANT = {".private": "write `private: {}` to keep the model private, or remove the line to make it public"}

# A value of two shapes is held against the one that it has, so that a mistake in it is told once.
LIST, MAPPING = "<list>", "<mapping>"


def list_else_mapping(value: Any) -> str:
    """The shape of a value that is usually a mapping."""
    return LIST if isinstance(value, list) else MAPPING


def mapping_else_list(value: Any) -> str:
    """The shape of a value that is usually a list."""
    return MAPPING if isinstance(value, dict) else LIST


Machine = dict[str, Any]
Machines = Annotated[
    Annotated[list[Machine], Tag(LIST)] | Annotated[Machine, Tag(MAPPING)], Discriminator(list_else_mapping)
]


class ConfigError(Exception):
    """The configuration is wrong; each line names a YAML path and what to do."""


class Section(BaseModel):
    """A part of the configuration. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Auto(Section):
    """How many regions `mg regions` is to find, and where it may look; by default wherever the machine is."""

    count: int = Field(ge=1)
    from_: list[str] = Field(default=[], alias="from")


class AutoRegions(Section):
    """Regions that `mg regions --write` chooses and pins."""

    auto: Auto
    pinned: list[str] = []


class MadeNetwork(Section):
    """A network that this stack makes."""

    name: str = "models"
    ranges: dict[str, str]
    dns_name: str | None = None

    @model_validator(mode="after")
    def _can_be_made(self) -> MadeNetwork:
        try:
            check_ranges(self.ranges)
            check_names(self.name, self.ranges, self.dns_name)
        except pulumi.RunError as error:
            raise ValueError(str(error)) from error
        return self


class ExistingNetwork(Section):
    """A network that is there already."""

    network: str
    project: str | None = None
    subnetworks: dict[str, str] = Field(min_length=1)
    dns_zone: str | None = None
    dns_name: str | None = None
    look_up: bool = True


class StackNetwork(Section):
    """A network of another stack."""

    stack: str
    output: str = "network"


class NetworkConfig(Section):
    """Where private addresses are taken: exactly one of the three."""

    create: MadeNetwork | None = None
    existing: ExistingNetwork | None = None
    stack: StackNetwork | None = None
    dns_records: bool | None = None

    @model_validator(mode="after")
    def _is_one(self) -> NetworkConfig:
        if sum(each is not None for each in (self.create, self.existing, self.stack)) != 1:
            raise ValueError("give exactly one of create, existing and stack")
        return self

    @property
    def has_records(self) -> bool:
        """Whether private models get a name; of another stack's network only the user can say if it has a zone."""
        named = (self.create and self.create.dns_name) or (self.existing and self.existing.dns_zone)
        return bool(named) if self.dns_records is None else self.dns_records

    def lacks(self, region: str) -> bool:
        """Whether it is known to have no subnetwork in a region."""
        known = self.create.ranges if self.create else self.existing.subnetworks if self.existing else None
        return known is not None and region not in known


class AllowlistConfig(Section):
    """The projects that may connect, and the perimeter that they are held against."""

    projects: list[str] = Field(min_length=1)
    perimeter_projects: list[str] | None = None
    perimeter: str | None = None
    add_to_perimeter: list[str] = []

    @model_validator(mode="after")
    def _projects_are_inside(self) -> AllowlistConfig:
        try:
            listed = project_ids(self.projects)
            inside = None if self.perimeter_projects is None else project_ids(self.perimeter_projects)
        except pulumi.RunError as error:
            raise ValueError(str(error)) from error
        outside = [] if inside is None else [one for one in listed if one not in {*inside, *self.add_to_perimeter}]
        if outside:
            raise ValueError(f"project {outside[0]} is outside of the perimeter: it is not in perimeter_projects")
        return self


class PrivateAccess(Section):
    """Reach a model at a private address. What is not said here is that of the environment."""

    allowlist: list[str] = []
    network: str | None = None
    subnetwork: str | None = None
    addresses: dict[str, str] = {}
    dns_record: str | None = None
    labels: dict[str, str] = {}
    allow_psc_global_access: bool = False
    look_up: bool | None = None

    @field_validator("allowlist")
    @classmethod
    def _names_projects(cls, projects: list[str]) -> list[str]:
        try:
            return project_ids(projects) if projects else []
        except pulumi.RunError as error:
            raise ValueError(str(error).removeprefix("allowlist: ")) from error


class Replicas(Section):
    """The machines that serve a model: of one kind, or of the first that is available."""

    machine_spec: Machines | None = None
    min_replica_count: int = 1
    max_replica_count: int | None = None
    required_replica_count: int | None = None
    autoscaling_metric_specs: list[dict[str, Any]] | None = None
    spot: bool | None = None
    service_account: str | None = None
    enable_access_logging: bool | None = None

    def machines(self) -> dict[str, Any]:
        """The machine arguments that are set or have a default."""
        return self.model_dump(include=MACHINES, exclude_none=True)

    def said(self) -> dict[str, Any]:
        """The machine arguments that the configuration names."""
        return self.model_dump(include=MACHINES, exclude_unset=True)


MACHINES = set(Replicas.model_fields)


class Override(Replicas):
    """What is different in one region."""

    parked: bool = False


class ModelConfig(Override):
    """A model, in every region of the environment or in those named here."""

    gcs_uri: str | None = None
    hugging_face_model_id: str | None = None
    hugging_face_cache_enabled: bool = False
    publisher_model_name: str | None = None
    accept_eula: bool = False
    regions: list[str] = []
    overrides: dict[str, Override] = {}
    labels: dict[str, str] = {}
    container_spec: dict[str, Any] | None = None
    query_model_id: str | None = None
    rollout: dict[str, Any] | None = None
    preflight: bool | None = None
    private: PrivateAccess | None = None
    own_endpoint: bool = True
    own_processes: bool = False

    @model_validator(mode="after")
    def _has_one_source(self) -> ModelConfig:
        sources = (self.gcs_uri, self.hugging_face_model_id, self.publisher_model_name)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("give exactly one of gcs_uri, hugging_face_model_id and publisher_model_name")
        return self

    def machines_in(self, region: str, other: Replicas) -> dict[str, Any]:
        """The machine arguments in a region, where another part may say otherwise."""
        different = self.overrides[region].said() if region in self.overrides else {}
        return {**self.said(), **different, **other.said()}


class ServedConfig(Replicas):
    """A deployed model of an endpoint: one of ``models``, by name."""

    model: str


class EndpointConfig(Section):
    """A public endpoint that serves several of the models."""

    region: str
    deployed_models: dict[str, ServedConfig] = Field(min_length=1)
    traffic_split: dict[str, int] = {}
    labels: dict[str, str] = {}
    parked: bool = False


class BatchConfig(Section):
    """A batch prediction run: arguments of BatchJob, whose defaults hold."""

    region: str
    model: str
    input_config: dict[str, Any]
    output_config: dict[str, Any]
    machine_spec: dict[str, Any] | None = None
    starting_replica_count: int | None = None
    max_replica_count: int = 1
    spot: bool | None = None
    service_account: str | None = None
    instance_config: dict[str, Any] | None = None
    model_parameters: dict[str, Any] | None = None
    labels: dict[str, str] = {}
    triggers: dict[str, str] = {}
    preflight: bool | None = None
    wait: bool | None = None
    allow_partial: float | None = None
    delete_output: bool | None = None


class Environment(Section):
    """Everything that one stack runs."""

    regions: Annotated[
        Annotated[list[str], Tag(LIST)] | Annotated[AutoRegions, Tag(MAPPING)], Discriminator(mapping_else_list)
    ]
    vpc_sc: bool = False
    network: NetworkConfig | None = None
    allowlist: AllowlistConfig | None = None
    weights_buckets: list[str] = []
    project_number: str | None = Field(default=None, pattern=r"^\d+$", coerce_numbers_to_str=True)
    models: dict[str, ModelConfig] = {}
    endpoints: dict[str, EndpointConfig] = {}
    batch_jobs: dict[str, BatchConfig] = {}

    @model_validator(mode="after")
    def _fits_together(self) -> Environment:
        for check in (
            self._check_regions,
            self._check_endpoints,
            self._check_behind,
            self._check_overrides,
            self._check_private,
            self._check_perimeter,
        ):
            check()
        return self

    def served(self, name: str) -> dict[str, tuple[str, dict[str, Any]]]:
        """The deployed models of an endpoint: the model of each, and its machines.

        A model without an endpoint of its own says itself which machines it takes, unless the endpoint does.
        """
        endpoint = self.endpoints[name]
        found = {}
        for served, one in endpoint.deployed_models.items():
            model = self.models[one.model]
            own = model.machines_in(endpoint.region, one) if not model.own_endpoint else one.machines()
            found[served] = (one.model, own)
        return found

    @property
    def all_regions(self) -> list[str]:
        """The regions of the environment, chosen ones included."""
        return self.regions.pinned if isinstance(self.regions, AutoRegions) else self.regions

    def regions_of(self, model: str) -> list[str]:
        """The regions that a model runs in; one without an endpoint of its own is where others serve it."""
        config = self.models[model]
        if config.regions or config.own_endpoint:
            return config.regions or self.all_regions
        return list(dict.fromkeys(self.endpoints[name].region for name in self.endpoints_of(model)))

    def endpoints_of(self, model: str, region: str | None = None) -> list[str]:
        """The entries of ``endpoints`` that serve a model, in one region or in all."""
        return [
            name
            for name, endpoint in self.endpoints.items()
            if any(one.model == model for one in endpoint.deployed_models.values())
            and region in (None, endpoint.region)
        ]

    def chosen_name(self, model: str) -> str | None:
        """What chat requests are to call a model, if that is for the configuration to say.

        Several models behind one endpoint answer to its name, unless they are called something else.
        """
        config, behind = self.models[model], self.endpoints_of(model)
        plain = config.gcs_uri is not None and config.container_spec is None
        derived = behind[0] if len(behind) == 1 and plain and not config.own_endpoint else None
        return config.query_model_id or derived

    def known_name(self, model: str) -> str | None:
        """What a model answers to, in words; None where only its container knows."""
        config = self.models[model]
        chosen = container_query_id(config.container_spec) or self.chosen_name(model)
        own = "an id of its own" if config.gcs_uri is not None and config.container_spec is None else None
        return repr(chosen) if chosen else own and f"{own} (models.{model})"

    def must_allow(self, project: str, key: str = KEY) -> None:
        """Refuse a list of clients without the project that the forwarding rules are made in.

        Raises:
            ConfigError: A list lacks it.
        """
        lists = {
            f"models.{name}.private.allowlist" if model.private.allowlist else "allowlist.projects": (
                model.private.allowlist or (self.allowlist.projects if self.allowlist else [])
            )
            for name, model in self.models.items()
            if model.private is not None
        }
        lacking = [place for place, listed in lists.items() if not_allowed(project, project_ids(listed))]
        if lacking:
            told = f"lacks {project}, in which the forwarding rules are made, so that no client gets in: add it"
            raise ConfigError("\n".join(f"{key}.{place}: {told}" for place in lacking))

    def doubts(self) -> list[str]:
        """What is probably a mistake, each with its path."""
        named: dict[str, Replicas | BatchConfig] = {}
        for name, model in self.models.items():
            named[f"models.{name}"] = model
            named |= {f"models.{name}.overrides.{region}": one for region, one in model.overrides.items()}
        for name, endpoint in self.endpoints.items():
            named |= {f"endpoints.{name}.deployed_models.{key}": one for key, one in endpoint.deployed_models.items()}
        named |= {f"batch_jobs.{name}": job for name, job in self.batch_jobs.items()}
        found = {
            place: machine_doubt(machine)
            for name, one in named.items()
            for place, machine in _machines(f"{name}.machine_spec", one.machine_spec)
        }
        return [f"{place}.machine_type: {doubt}" for place, doubt in found.items() if doubt]

    def _check_regions(self) -> None:
        regions = self.regions
        if not regions:
            raise ValueError("regions: is empty: name at least one")
        if isinstance(regions, AutoRegions) and len(regions.pinned) != regions.auto.count:
            raise ValueError(
                f"regions.auto: {regions.auto.count} regions are wanted, and {len(regions.pinned)} pinned: run "
                "`mg regions --stack STACK --write`, and commit what it writes"
            )
        places = {"regions": self.all_regions}
        places |= {f"models.{name}.regions": model.regions for name, model in self.models.items()}
        for place, named in places.items():
            for region in named:
                if region not in known_regions():
                    raise ValueError(f"{place}: {region} is no region of Vertex AI: write one like us-central1")
                if named.count(region) > 1:
                    raise ValueError(f"{place}: {region} comes twice: name it once")

    def _check_overrides(self) -> None:
        for name, model in self.models.items():
            for region in model.overrides:
                if region not in self.regions_of(name):
                    raise ValueError(f"models.{name}.overrides.{region}: the model is not in region {region}")

    def _check_private(self) -> None:
        records: dict[tuple[str, str], str] = {}
        for name, model in self.models.items():
            place, private = f"models.{name}.private", model.private
            if private is None:
                continue
            if bool(private.network) != bool(private.subnetwork):
                raise ValueError(f"{place}: network and subnetwork go together: give both, or none")
            if not private.network and self.network is None:
                raise ValueError(
                    f"{place}: there is no network: give network and subnetwork here, or environment.network"
                )
            if not private.allowlist and self.allowlist is None:
                raise ValueError(
                    f"{place}.allowlist: nobody may connect: name projects here, or in environment.allowlist"
                )
            self._check_addresses(name, private)
            for region in self.regions_of(name):
                if not private.network and self.network is not None and self.network.lacks(region):
                    raise ValueError(f"{place}: the network has no subnetwork in {region}: add one to network")
                record = private.dns_record or name
                other = records.setdefault((record, region), name)
                if other != name:
                    raise ValueError(f"{place}.dns_record: {record} is that of models.{other} too")
                if self.network is not None and self.network.has_records and not DNS_NAME.fullmatch(record):
                    raise ValueError(f"{place}.dns_record: {record} is no DNS name: give one of a-z, 0-9 and -")

    def _check_addresses(self, name: str, private: PrivateAccess) -> None:
        made = self.network.create.ranges if self.network and self.network.create and not private.network else {}
        for region, address in private.addresses.items():
            place = f"models.{name}.private.addresses.{region}"
            if region not in self.regions_of(name):
                raise ValueError(f"{place}: the model is not in region {region}")
            if problem := address_problem(address, made.get(region)):
                raise ValueError(f"{place}: {address} {problem}")
            for other, model in self.models.items():
                if other != name and model.private and model.private.addresses.get(region) == address:
                    raise ValueError(f"{place}: {address} is that of models.{other} too: give each one of its own")

    def _check_endpoints(self) -> None:
        for name, endpoint in self.endpoints.items():
            for served, config in endpoint.deployed_models.items():
                place = f"endpoints.{name}.deployed_models.{served}.model"
                if config.model not in self.models:
                    raise ValueError(f"{place}: {config.model!r} is not one of models: {', '.join(self.models)}")
                if endpoint.region not in self.regions_of(config.model):
                    raise ValueError(f"{place}: {config.model!r} is not in region {endpoint.region}")
            self._check_names(name, endpoint)

    def _check_names(self, name: str, endpoint: EndpointConfig) -> None:
        """A request that names a model must be answered by whichever the traffic picks."""
        asked = [one for one in endpoint.deployed_models if endpoint.traffic_split.get(one, 0)]
        models = {one: endpoint.deployed_models[one].model for one in asked}
        told = {one: known for one, model in models.items() if (known := self.known_name(model))}
        if len(set(told.values())) > 1:
            names = ", ".join(f"{one} answers to {known}" for one, known in told.items())
            raise ValueError(
                f"endpoints.{name}.traffic_split: shares requests between models of different names ({names}), so "
                "that a request that names one of them fails at the others: give these models the same "
                "query_model_id, or own_endpoint: false"
            )

    def _check_behind(self) -> None:
        """A model without an endpoint of its own is served by another one, wherever it is."""
        for name, model in self.models.items():
            if model.own_endpoint:
                continue
            place = f"models.{name}"
            if model.private is not None:
                raise ValueError(
                    f"{place}.private: has no endpoint to make private, as own_endpoint is false: remove one of them"
                )
            parked = {
                place: model.parked,
                **{f"{place}.overrides.{k}": one.parked for k, one in model.overrides.items()},
            }
            if at := next((path for path, value in parked.items() if value), None):
                raise ValueError(f"{at}.parked: own_endpoint is false, so park the endpoints that serve it instead")
            unserved = [region for region in self.regions_of(name) if not self.endpoints_of(name, region)]
            if unserved or not self.endpoints_of(name):
                where = f" in {unserved[0]}" if unserved else ""
                raise ValueError(
                    f"{place}.own_endpoint: is false, and no endpoint serves the model{where}: name it in "
                    "deployed_models of one, or remove the line"
                )

    def _check_perimeter(self) -> None:
        """Inside a perimeter nothing is public, and nothing comes from the internet."""
        if not self.vpc_sc:
            return
        if self.allowlist is None or (self.allowlist.perimeter is None and self.allowlist.perimeter_projects is None):
            raise ValueError("allowlist: vpc_sc needs one, with perimeter or perimeter_projects to hold it against")
        for name in self.endpoints:
            raise ValueError(f"endpoints.{name}: is public, which vpc_sc forbids: use models with private")
        for name, model in self.models.items():
            if model.private is None:
                raise ValueError(
                    f"models.{name}.private: is missing, and vpc_sc forbids public endpoints: add `private: {{}}`"
                )
            if model.private.allowlist:
                raise ValueError(
                    f"models.{name}.private.allowlist: with vpc_sc there is one list: environment.allowlist"
                )
            if model.hugging_face_model_id and not model.hugging_face_cache_enabled:
                raise ValueError(
                    f"models.{name}.hugging_face_cache_enabled: Hugging Face cannot be reached from inside: set it "
                    "to true, or take weights from a bucket"
                )


def container_query_id(container: dict[str, Any] | None) -> str:
    """What a container is told to call its model; empty where nothing tells."""
    env = (container or {}).get("env")
    entries = [entry for entry in env if isinstance(entry, dict)] if isinstance(env, list) else []
    return next((str(entry.get("value", "")) for entry in entries if entry.get("name") == QUERY_ID), "")


def _machines(place: str, given: Machines | None) -> Iterator[tuple[str, MachineSpec]]:
    """Each choice with its path, as far as it can be doubted; what else is in it is for the resource to check."""
    choices = given if isinstance(given, list) else [given or {}]
    for index, spec in enumerate(choices):
        machine, accelerator = (spec.get(key) for key in ("machine_type", "accelerator_type"))
        told = MachineSpec(
            machine_type=machine if isinstance(machine, str) else None,
            accelerator_type=accelerator if isinstance(accelerator, str) else None,
        )
        yield f"{place}[{index}]" if isinstance(given, list) else place, told


def read(value: Any, key: str = KEY) -> Environment:
    """The typed environment.

    Raises:
        ConfigError: Something in it is wrong, or was left empty.
    """
    if empty := list(empty_paths(value)):
        raise ConfigError("\n".join(left_empty(key + path) for path in empty))
    try:
        return Environment.model_validate(value)
    except ValidationError as error:
        raise ConfigError("\n".join(_line(dict(entry), key) for entry in error.errors())) from error


def left_empty(path: str) -> str:
    """The mistake of a line that has a key and no value, with what to write."""
    meant = next((told for end, told in _MEANT.items() if path.endswith(end)), None)
    return f"{path}: is left empty: {meant or 'write a value, or remove the line'}"


def quickstart(get: Callable[[str], str | None], space: str = SPACE) -> dict[str, Any] | None:
    """The environment that the answers to `pulumi new` stand for; None where there are none.

    Raises:
        ConfigError: an answer is missing.
    """
    values = {key: get(key) for key in QUICKSTART}
    if not any(values.values()):
        return None
    missing = [key for key, value in values.items() if not value]
    if missing:
        others = ", ".join(key for key in QUICKSTART if key != missing[0])
        raise ConfigError(f"{space}:{missing[0]}: is required, beside {others}")
    kind, count = accelerators(MachineSpec(machine_type=values["machineType"]))
    accelerator = {"accelerator_type": kind, "accelerator_count": count} if kind else {}
    machine = {"machine_type": values["machineType"], **accelerator}
    return {"regions": [values["region"]], "models": {"model": {"gcs_uri": values["gcsUri"], "machine_spec": machine}}}


def _line(error: dict[str, Any], key: str) -> str:
    parts = [part for part in error["loc"] if part not in (LIST, MAPPING)]
    path = key + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error" and not error["loc"]:
        # What concerns several parts names the path itself.
        return f"{key}.{message}"
    if error["type"] == "extra_forbidden":
        message = "is not a key that is known here: check its spelling"
    if error["type"] == "missing":
        message = "is required"
    return f"{path}: {message}"
