"""One environment: everything that a stack runs, and what its parts say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from mg_provider.environment.entries import (
    BatchConfig,
    EndpointConfig,
    ModelConfig,
    PrivateAccess,
    RuleSection,
    ServedConfig,
)
from mg_provider.environment.networks import AllowlistConfig, NetworkConfig
from mg_provider.environment.sections import Section, Withheld, known, readable
from mg_provider.resources.model.identity import Labels
from mg_provider.resources.model.unknown import Unknown, contains_unknown
from mg_provider.rollout.query_id import QUERY_ID
from mg_provider.wire.form import Form

# A value of two shapes is held against the one that it has, so that a mistake in it is reported once.
LIST, MAPPING = "<list>", "<mapping>"


def mapping_else_list(value: Any) -> str:
    """The shape of a value that is usually a list."""
    return MAPPING if isinstance(value, dict) else LIST


class Auto(Section):
    """How many regions `mg regions` is to find, and where it may look."""

    count: int = Field(ge=1, description="How many regions.")
    from_: list[str] = Field(default=[], alias="from", description="Where to look. Default: wherever the machine is.")


class AutoRegions(Section):
    """Regions that `mg regions --write` chooses and pins."""

    auto: Auto = Field(description="How many regions, and where to look.")
    pinned: list[str] = Field(default=[], description="The choice. The command writes it.")


@dataclass(frozen=True)
class Address:
    """A private address, in each of some regions.

    Attributes:
        path: The section that asks for it.
        record: The first part of its DNS record, before the region.
        regions: Where; empty where that cannot be read.
        rule: What is said of its forwarding rule.
        access: The section that says who may connect.
        project: The project of the rule; None for the stack's own.
        own_network: Whether it is in a network that is named there, beside that of the environment.
    """

    path: str
    record: str
    regions: list[str]
    rule: RuleSection
    access: PrivateAccess
    project: str | None
    own_network: bool


class Environment(Section):
    """Everything that one stack runs."""

    regions: Annotated[
        Annotated[list[str], Tag(LIST)] | Annotated[AutoRegions, Tag(MAPPING)], Discriminator(mapping_else_list)
    ] = Field(description="The regions of every model that names none: a list, or `auto` with what it pinned.")
    labels: Labels = Field(
        default={}, description="Labels of everything that the stack runs. A label in an entry wins over one here."
    )
    vpc_sc: bool = Field(default=False, description="Everything is inside a perimeter: refuse what is public.")
    network: NetworkConfig | None = Field(default=None, description="Where private addresses are taken.")
    allowlist: AllowlistConfig | None = Field(default=None, description="Who may connect to private endpoints.")
    weights_buckets: list[str] = Field(
        default=[], description="Buckets of other projects that Vertex AI's service agent may read."
    )
    project_number: (
        Annotated[str, Field(coerce_numbers_to_str=True), Form(r"\d+", "a number such as 123456789012")] | None
    ) = Field(default=None, description="The project's number, for `weights_buckets`. Default: looked up.")
    models: dict[str, ModelConfig] = Field(default={}, description="Models by name.")
    endpoints: dict[str, EndpointConfig] = Field(default={}, description="Endpoints that serve several models.")
    batch_jobs: dict[str, BatchConfig] = Field(default={}, description="Batch prediction runs by name.")

    @property
    def all_regions(self) -> list[str]:
        """The regions of the environment, chosen ones included."""
        return self.regions.pinned if isinstance(self.regions, AutoRegions) else self.regions

    def regions_of(self, model: str) -> list[str]:
        """The regions that a model runs in; one without an endpoint of its own is where others use it."""
        config = self.models[model]
        if config.regions or config.own_endpoint:
            return config.regions or self.all_regions
        served = [self.endpoints[name].region for name in self.endpoints_of(model)]
        return list(dict.fromkeys([*served, *(self.batch_jobs[name].region for name in self.batches_of(model))]))

    def endpoints_of(self, model: str, region: str | None = None) -> list[str]:
        """The entries of ``endpoints`` that serve a model, in one region or in all."""
        return [
            name
            for name, endpoint in self.endpoints.items()
            if any(one.model == model for one in endpoint.deployed_models.values())
            and region in (None, endpoint.region)
        ]

    def batches_of(self, model: str, region: str | None = None) -> list[str]:
        """The entries of ``batch_jobs`` that run on a model, in one region or in all."""
        jobs = self.batch_jobs.items()
        return [name for name, job in jobs if job.own_model == model and region in (None, job.region)]

    def labelled(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments with the labels of the environment, apart from labels that are wrong there."""
        own = given.get("labels", {})
        labels = {**self.known("labels", {}), **own} if isinstance(own, Mapping) else own
        return {**given, "labels": labels} if labels else dict(given)

    def model_arguments(self, name: str, region: str) -> dict[str, Any]:
        """The arguments of a model's resource in a region, apart from how it is reached."""
        config, chosen = self.models[name], self.chosen_name(name, region)
        given = self.labelled(config.arguments_in(region))
        if chosen is not None:
            given["query_model_id"] = chosen
        if config.own_endpoint:
            return given
        using = ", ".join([*self.endpoints_of(name), *self.batches_of(name)])
        about = {"description": f"Serves nothing itself: {name} is only behind {using}."}
        return {**about, **given, "parked": True}

    def served(self, name: str) -> dict[str, tuple[str, dict[str, Any]]]:
        """The deployed models of an endpoint: the model of each, and its other arguments.

        A model without an endpoint of its own says itself which machines it takes, unless the endpoint does.
        """
        endpoint = self.endpoints[name]
        deployed = endpoint.deployed_models.items()
        return {name: (one.model, {**self.lent(one, endpoint.region), **one.arguments}) for name, one in deployed}

    def lent(self, served: ServedConfig, region: str) -> dict[str, Any]:
        """What the model of a deployed one says of its machines."""
        model = self.models[served.model]
        arguments = {} if model.own_endpoint else model.arguments_in(region)
        return {key: value for key, value in arguments.items() if key in served.lent()}

    def chosen_name(self, model: str, region: str) -> str | None:
        """What chat requests are to call a model, if that is for the configuration to say.

        Several models behind one endpoint answer to its name, unless they are called something else.
        """
        config, behind = self.models[model], self.endpoints_of(model)
        given = self._names_it(model, region)
        derived = behind[0] if len(behind) == 1 and _is_plain(given) and not config.own_endpoint else None
        return given.get("query_model_id") or derived

    def known_name(self, model: str, region: str) -> str | None:
        """What a model answers to, in words; None where only its container knows."""
        given = self._names_it(model, region)
        chosen = given_query_id(given.get("container_spec")) or self.chosen_name(model, region)
        return repr(chosen) if chosen else f"an id of its own (models.{model})" if _is_plain(given) else None

    def _names_it(self, model: str, region: str) -> dict[str, Any]:
        """The arguments of a model, where those are right that its name follows from."""
        given = self.models[model].arguments_in(region)
        if contains_unknown([given.get(name) for name in ("query_model_id", "container_spec", "gcs_uri")]):
            raise Withheld(model)
        return given

    def allowed(self, access: PrivateAccess) -> list[str]:
        """The projects that may connect to a private endpoint."""
        return access.allowlist or (self.allowlist.projects if self.allowlist else [])

    def addresses(self) -> Iterator[Address]:
        """The private addresses of models and endpoints, apart from those that cannot be read."""
        for name in self.known("models", {}):
            yield from readable(self._addresses_of_model(name))
        for name in self.known("endpoints", {}):
            yield from readable(self._addresses_of_endpoint(name))

    def _addresses_of_model(self, name: str) -> Iterator[Address]:
        model = self.models[name]
        if model.private is not None:
            regions = known(lambda: self.regions_of(name))
            regions = [] if isinstance(regions, Unknown) else regions
            yield from _addresses(f"models.{name}", name, regions, model.private, model.argument("project"))

    def _addresses_of_endpoint(self, name: str) -> Iterator[Address]:
        endpoint = self.endpoints[name]
        if endpoint.private is not None:
            region = endpoint.known("region")
            regions = [region] if region else []
            yield from _addresses(f"endpoints.{name}", name, regions, endpoint.private, endpoint.argument("project"))

    def record(self, address: Address, region: str) -> str | None:
        """The DNS record of an address, without the zone's own name; None where it has none."""
        zone = not address.own_network and self.network is not None and self.network.has_records
        return f"{address.record}.{region}" if zone else None

    def private_behind(self, model: str) -> PrivateAccess | None:
        """Who may connect to the empty endpoint of a model, if all that serve it are private, or anything is to be."""
        found = [self.endpoints[name].private for name in self.endpoints_of(model)]
        if found and all(access is not None for access in found):
            return found[0]
        return PrivateAccess() if self.vpc_sc else None


def _addresses(
    path: str, name: str, regions: list[str], access: PrivateAccess, project: str | None
) -> Iterator[Address]:
    place = f"{path}.private"
    project = access.argument("project", project)
    yield Address(place, access.dns_record or name, regions, access, access, project, access.own_network)
    for consumer, rule in access.consumers.items():
        record, own = rule.dns_record or f"{consumer}.{name}", rule.argument("project", project)
        elsewhere = rule.own_network or access.own_network
        yield Address(f"{place}.consumers.{consumer}", record, regions, rule, access, own, elsewhere)


def _is_plain(given: Mapping[str, Any]) -> bool:
    """Whether Google's container serves weights of one's own, with a name that the provider gives it."""
    return bool(given.get("gcs_uri")) and given.get("container_spec") is None


def given_query_id(container: Any) -> str:
    """The name that a container's environment gives its model; empty where it gives none."""
    env = container.get("env") if isinstance(container, Mapping) else None
    entries = [entry for entry in env if isinstance(entry, Mapping)] if isinstance(env, list) else []
    return next((str(entry.get("value", "")) for entry in entries if entry.get("name") == QUERY_ID), "")
