"""The program of a stack: the models, endpoints and batch jobs that its configuration names, where it names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pulumi

from mg_provider import BatchJob, CustomWeightsModel, DedicatedEndpoint
from mg_provider.components import (
    PrivateEndpoint,
    PrivateModelEndpoint,
    PscNetwork,
    RegionalFleet,
    RegionalPlace,
    VpcScAllowlist,
    WeightsBucketAccess,
)
from mg_provider.components.private_address import ConsumerInput, connect
from mg_provider.environment.entries import ModelConfig, PrivateAccess
from mg_provider.environment.environment import Address, Environment
from mg_provider.environment.outputs import chat_line, model_outputs, private_outputs
from mg_provider.environment.sections import ResourceSection


@dataclass(frozen=True)
class Deployed:
    """A model in one region, and what other teams need to know of it."""

    model: CustomWeightsModel
    outputs: dict[str, Any]


class Program:
    """Declares an environment.

    Args:
        environment: The configuration.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.network = self._network()
        self.allowlist = self._allowlist()
        self.addresses = {address.path: address for address in environment.addresses()}
        for bucket in environment.weights_buckets:
            WeightsBucketAccess(bucket, bucket=bucket, project_number=environment.project_number)

    def run(self) -> None:
        """Declare everything and export what other teams need."""
        config = self.environment
        fleets = {name: self.deploy(name, model) for name, model in config.models.items()}
        models = {(name, region): one for name, fleet in fleets.items() for region, one in fleet.members.items()}
        endpoints = {name: self.serve(name, models) for name in config.endpoints}
        jobs = {name: self.run_batch(name, models, endpoints) for name in config.batch_jobs}
        pulumi.export("models", {f"{name}-{region}": one.outputs for (name, region), one in models.items()})
        pulumi.export("endpoints", endpoints)
        pulumi.export("batch_jobs", jobs)
        if self.network is not None:
            pulumi.export("network", self.network.description)
        pulumi.export("regions", config.all_regions)

    def deploy(self, name: str, config: ModelConfig) -> RegionalFleet[Deployed]:
        """One model in each of its regions, all at once."""
        regions = self.environment.regions_of(name)
        return RegionalFleet(
            name,
            regions=regions,
            build=lambda place: self._build(name, config, place),
            overrides={region: _said(config, self.environment.model_arguments(name, region)) for region in regions},
            own_processes=config.own_processes,
        )

    def _build(self, name: str, config: ModelConfig, place: RegionalPlace) -> Deployed:
        named = self.environment.known_name(name, place.region) is not None
        if config.private is not None:
            return self._private(name, place, config.private, named=named)
        return self._public(place, named=named) if config.own_endpoint else self._behind(name, place)

    def _behind(self, name: str, place: RegionalPlace) -> Deployed:
        """A model that other endpoints serve; its own one has no machine, and clients have no use for it."""
        access = self.environment.private_behind(name)
        # The endpoint is as private as those that serve it.
        model = self._alone(place, {} if access is None else self._connect(access))
        behind = self.environment.endpoints_of(name, place.region)
        return Deployed(model, {"model": model.model, "model_id": model.query_model_id, "only_behind": behind})

    def _alone(self, place: RegionalPlace, private: dict[str, Any] | None = None) -> CustomWeightsModel:
        # A model that stood by itself, or was private before, is taken over.
        before = PrivateModelEndpoint.alias_of_parts(place.name, place.opts.parent)
        aliases = pulumi.ResourceOptions(aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE), before])
        options = pulumi.ResourceOptions.merge(place.opts, aliases)
        connected: dict[str, Any] = {"private_service_connect_config": private} if private else {}
        return CustomWeightsModel(place.name, region=place.region, opts=options, **connected, **place.arguments)

    def _public(self, place: RegionalPlace, *, named: bool) -> Deployed:
        model = self._alone(place)
        host = pulumi.Output.concat("https://", model.dedicated_endpoint_dns)
        asked = chat_line(host, model.endpoint, model.query_model_id if named else None)
        reached = {"dns": model.dedicated_endpoint_dns, "url": host, "curl": asked}
        return Deployed(model, {**model_outputs(model), **reached})

    def _private(self, name: str, place: RegionalPlace, config: PrivateAccess, *, named: bool) -> Deployed:
        arguments = dict(place.arguments)
        private = PrivateModelEndpoint(
            place.name,
            region=place.region,
            project=arguments.pop("project", None),
            model=arguments,
            opts=place.opts,
            **self._access(f"models.{name}.private", config, place.region),
        )
        model = private.custom_weights_model
        reached = private_outputs(private, private.query_model_id if named else None)
        return Deployed(model, {**model_outputs(model), **reached})

    def serve(self, name: str, models: dict[tuple[str, str], Deployed]) -> dict[str, Any]:
        """One endpoint that serves models of its region."""
        config, found = self.environment.endpoints[name], self.environment.served(name)
        made = {served: models[model, config.region].model for served, (model, _) in found.items()}
        arguments = _said(config, self.environment.labelled(config.arguments))
        arguments["deployed_models"] = {key: {"model": made[key].model, **more} for key, (_, more) in found.items()}
        # A Model's name is known before the Model is there to be deployed.
        after = pulumi.ResourceOptions(depends_on=list(made.values()))
        # Whoever gets requests answers to the same name.
        asked = next((served for served in made if config.split.get(served, 0)), next(iter(made)))
        known = self.environment.known_name(found[asked][0], config.region)
        model = made[asked].query_model_id
        if config.private is not None:
            private = PrivateEndpoint(
                name,
                region=config.region,
                project=arguments.pop("project", None),
                endpoint=arguments,
                opts=after,
                **self._access(f"endpoints.{name}.private", config.private, config.region),
            )
            names = {"endpoint": private.endpoint, "endpoint_id": private.endpoint_id, "model_id": model}
            return {**names, **private_outputs(private, model if known else None)}
        before = pulumi.ResourceOptions(aliases=[PrivateEndpoint.alias_of_parts(name)])
        options = pulumi.ResourceOptions.merge(after, before)
        endpoint = DedicatedEndpoint(name, region=config.region, opts=options, **arguments)
        host = pulumi.Output.concat("https://", endpoint.dedicated_endpoint_dns)
        return {
            "endpoint": endpoint.endpoint,
            "endpoint_id": endpoint.endpoint_id,
            "dns": endpoint.dedicated_endpoint_dns,
            "url": host,
            "model_id": model,
            "curl": chat_line(host, endpoint.endpoint, model if known else None),
        }

    def run_batch(
        self, name: str, models: dict[tuple[str, str], Deployed], endpoints: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        """One batch prediction run."""
        config = self.environment.batch_jobs[name]
        arguments = _said(config, self.environment.labelled(config.arguments))
        own = None if config.own_model is None else models[config.own_model, config.region].model
        arguments |= {"model": own.model if own else config.model} if config.model else {}
        served = config.own_endpoint and endpoints[config.own_endpoint]["endpoint"]
        arguments |= {"endpoint": served or config.endpoint} if config.endpoint else {}
        options = pulumi.ResourceOptions(depends_on=[own] if own else [])
        job = BatchJob(name, region=config.region, opts=options, **arguments)
        return {
            "job": job.batch_prediction_job,
            "state": job.job_state,
            "output": job.output_location,
            "answered": job.successful_count,
            "failed": job.failed_count,
            "replica_hours": job.replica_hours,
        }

    def _access(self, path: str, config: PrivateAccess, region: str) -> dict[str, Any]:
        """How an endpoint is reached: network, address, who may connect, and the rules of its consumers."""
        own = self._rule(self.addresses[path], region)
        consumers = {
            name: cast(ConsumerInput, self._rule(self.addresses[f"{path}.consumers.{name}"], region))
            for name in config.consumers
        }
        found = {"network": self.network, **own, "allowlist": self._clients(config), "consumers": consumers}
        found["enable_secure_private_service_connect"] = config.enable_secure_private_service_connect
        if "project" in found:
            found["rule_project"] = found.pop("project")
        return found

    def _rule(self, address: Address, region: str) -> dict[str, Any]:
        given = _said(address.rule, self.environment.labelled(address.rule.arguments))
        # A network that is named here is there already; otherwise it is as environment.network says.
        given = {**({"look_up": True} if address.own_network else {}), **given}
        place: dict[str, Any] = {key: given.pop(key) for key in ("network", "subnetwork", "project") if key in given}
        asked = {"address": address.rule.addresses.get(region), "dns_record": self.environment.record(address, region)}
        return {**place, **{key: value for key, value in asked.items() if value is not None}, "rule": given}

    def _connect(self, access: PrivateAccess) -> dict[str, Any]:
        return connect(self._clients(access), access.enable_secure_private_service_connect)

    def _clients(self, access: PrivateAccess) -> VpcScAllowlist | list[str]:
        return access.allowlist or cast(VpcScAllowlist, self.allowlist)

    def _network(self) -> PscNetwork | None:
        config = self.environment.network
        if config is None:
            return None
        if config.create is not None:
            made = config.create
            return PscNetwork(made.name, ranges=made.ranges, dns_name=made.dns_name, project=made.project)
        if config.existing is not None:
            found = cast(Any, config.existing.model_dump(exclude_none=True))
            return PscNetwork(config.existing.network, existing=found)
        return PscNetwork("network", stack=cast(Any, config.stack).model_dump())

    def _allowlist(self) -> VpcScAllowlist | None:
        config = self.environment.allowlist
        return None if config is None else VpcScAllowlist("clients", **config.model_dump(exclude_none=True))


def _said(section: ResourceSection, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the resource takes them: a secret is what the config key that it names holds."""
    secrets = {key: secret(given[key]["config"]) for key in section.secrets() if key in given}
    return {**given, **secrets}


def secret(key: str) -> pulumi.Output[str] | None:
    """What a config key holds, as a secret; None where it has no value."""
    space, _, name = key.rpartition(":")
    return pulumi.Config(space or None).get_secret(name)
