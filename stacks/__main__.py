"""One environment: the models, endpoints and batch runs that its configuration names, in every region it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pulumi
from environment import (
    LEFT_EMPTY,
    MACHINES,
    QUICKSTART,
    SPACE,
    BatchConfig,
    ConfigError,
    Environment,
    ModelConfig,
    PrivateAccess,
    left_empty,
    quickstart,
    read,
)

from mg_provider import BatchJob, CustomWeightsModel, DedicatedEndpoint
from mg_provider.components import (
    PrivateModelEndpoint,
    PscNetwork,
    RegionalFleet,
    RegionalPlace,
    VpcScAllowlist,
    WeightsBucketAccess,
)
from mg_provider.components.common import default_project
from mg_provider.resources.dedicated_endpoint import ServedModelInput

SOURCES = {
    "gcs_uri",
    "hugging_face_model_id",
    "hugging_face_cache_enabled",
    "publisher_model_name",
    "accept_eula",
    "container_spec",
    "rollout",
    "preflight",
    "labels",
    "parked",
}


def chat_line(
    host: pulumi.Input[str], endpoint: pulumi.Input[str], model: pulumi.Input[str] | None
) -> pulumi.Output[str]:
    """A curl line that asks the endpoint a question; without a model where only its container knows what it is called.

    A model server then answers with the model that it has.
    """
    return pulumi.Output.format(
        'curl -H "Authorization: Bearer $(gcloud auth print-access-token)" -H "Content-Type: application/json" '
        '{0}/v1beta1/{1}/chat/completions -d \'{{{2}"messages": '
        '[{{"role": "user", "content": "Hello"}}]}}\'',
        host,
        endpoint,
        "" if model is None else pulumi.Output.format('"model": "{0}", ', model),
    )


def outputs_of(model: CustomWeightsModel) -> dict[str, Any]:
    """What every model that clients can ask has."""
    return {
        "endpoint": model.endpoint,
        "endpoint_id": model.endpoint_id,
        "model": model.model,
        "model_id": model.query_model_id,
    }


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
        for bucket in environment.weights_buckets:
            WeightsBucketAccess(bucket, bucket=bucket, project_number=environment.project_number)

    def run(self) -> None:
        """Declare everything and export what other teams need."""
        config = self.environment
        fleets = {name: self.deploy(name, model) for name, model in config.models.items()}
        models = {(name, region): one for name, fleet in fleets.items() for region, one in fleet.members.items()}
        pulumi.export("models", {f"{name}-{region}": one.outputs for (name, region), one in models.items()})
        pulumi.export("endpoints", {name: deploy_endpoint(name, config, models) for name in config.endpoints})
        pulumi.export("batch_jobs", {name: run_batch(name, one) for name, one in config.batch_jobs.items()})
        if self.network is not None:
            pulumi.export("network", self.network.description)
        pulumi.export("regions", config.all_regions)

    def deploy(self, name: str, config: ModelConfig) -> RegionalFleet[Deployed]:
        """One model in each of its regions, all at once."""
        return RegionalFleet(
            name,
            regions=self.environment.regions_of(name),
            build=lambda place: self._build(name, config, place),
            arguments=self._arguments(name, config),
            overrides={
                region: one.model_dump(include={*MACHINES, "parked"}, exclude_unset=True)
                for region, one in config.overrides.items()
            },
            own_processes=config.own_processes,
        )

    def _arguments(self, name: str, config: ModelConfig) -> dict[str, Any]:
        arguments = {**config.model_dump(include=SOURCES, exclude_defaults=True), **config.machines()}
        if (chosen := self.environment.chosen_name(name)) is not None:
            arguments["query_model_id"] = chosen
        if not config.own_endpoint:
            behind = ", ".join(self.environment.endpoints_of(name))
            arguments |= {"parked": True, "description": f"Serves nothing itself: {name} is only behind {behind}."}
        return arguments

    def _build(self, name: str, config: ModelConfig, place: RegionalPlace) -> Deployed:
        told = self.environment.known_name(name) is not None
        if config.private is not None:
            return self._private(place, config.private, named=told)
        return self._public(place, named=told) if config.own_endpoint else self._behind(name, place)

    def _behind(self, name: str, place: RegionalPlace) -> Deployed:
        """A model that other endpoints serve; its own one has no machine, and clients have no use for it."""
        model = self._alone(place)
        behind = self.environment.endpoints_of(name, place.region)
        return Deployed(model, {"model": model.model, "model_id": model.query_model_id, "only_behind": behind})

    def _alone(self, place: RegionalPlace) -> CustomWeightsModel:
        # A model that stood by itself, or was private before, is taken over.
        private = PrivateModelEndpoint.alias_of_parts(place.name, place.opts.parent)
        before = pulumi.ResourceOptions(aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE), private])
        options = pulumi.ResourceOptions.merge(place.opts, before)
        return CustomWeightsModel(place.name, region=place.region, opts=options, **place.arguments)

    def _public(self, place: RegionalPlace, *, named: bool) -> Deployed:
        model = self._alone(place)
        host = pulumi.Output.concat("https://", model.dedicated_endpoint_dns)
        asked = chat_line(host, model.endpoint, model.query_model_id if named else None)
        return Deployed(model, {**outputs_of(model), "dns": model.dedicated_endpoint_dns, "url": host, "curl": asked})

    def _private(self, place: RegionalPlace, config: PrivateAccess, *, named: bool) -> Deployed:
        network = self.environment.network
        record_wanted = not config.network and network is not None and network.has_records
        record = f"{config.dns_record or place.name.removesuffix(f'-{place.region}')}.{place.region}"
        private = PrivateModelEndpoint(
            place.name,
            region=place.region,
            model=place.arguments,
            network=config.network or cast(PscNetwork, self.network),
            subnetwork=config.subnetwork,
            address=config.addresses.get(place.region),
            allowlist=config.allowlist or cast(VpcScAllowlist, self.allowlist),
            dns_record=record if record_wanted else None,
            rule_labels=config.labels,
            allow_psc_global_access=config.allow_psc_global_access,
            # A network that is named here is there already; otherwise it is as environment.network says.
            look_up=True if config.look_up is None and config.network else config.look_up,
            opts=place.opts,
        )
        told = {
            **outputs_of(private.custom_weights_model),
            "service_attachment": private.service_attachment,
            "ip_address": private.ip_address,
            "dns": private.dns_name,
            "connection": private.psc_connection_status,
            "url": private.url,
            "base_url": private.base_url,
            "curl": chat_line(private.url, private.endpoint, private.query_model_id if named else None),
        }
        return Deployed(private.custom_weights_model, told)

    def _network(self) -> PscNetwork | None:
        config = self.environment.network
        if config is None:
            return None
        if config.create is not None:
            return PscNetwork(config.create.name, ranges=config.create.ranges, dns_name=config.create.dns_name)
        if config.existing is not None:
            found = cast(Any, config.existing.model_dump(exclude_none=True))
            return PscNetwork(config.existing.network, existing=found)
        return PscNetwork("network", stack=cast(Any, config.stack).model_dump())

    def _allowlist(self) -> VpcScAllowlist | None:
        config = self.environment.allowlist
        return None if config is None else VpcScAllowlist("clients", **config.model_dump(exclude_none=True))


def deploy_endpoint(name: str, environment: Environment, models: dict[tuple[str, str], Deployed]) -> dict[str, Any]:
    """One public endpoint that serves models of its region."""
    config, found = environment.endpoints[name], environment.served(name)
    made = {served: models[model, config.region].model for served, (model, _) in found.items()}
    endpoint = DedicatedEndpoint(
        name,
        region=config.region,
        deployed_models={
            served: cast(ServedModelInput, {"model": made[served].model, **machines})
            for served, (_, machines) in found.items()
        },
        traffic_split=config.traffic_split or None,
        labels=config.labels,
        parked=config.parked,
        # A Model's name is known before the Model is there to be deployed.
        opts=pulumi.ResourceOptions(depends_on=list(made.values())),
    )
    host = pulumi.Output.concat("https://", endpoint.dedicated_endpoint_dns)
    # Whoever gets requests answers to the same name.
    asked = next((served for served in made if config.traffic_split.get(served, 0)), next(iter(made)))
    named = environment.known_name(found[asked][0]) is not None
    return {
        "endpoint": endpoint.endpoint,
        "endpoint_id": endpoint.endpoint_id,
        "dns": endpoint.dedicated_endpoint_dns,
        "url": host,
        "model_id": made[asked].query_model_id,
        "curl": chat_line(host, endpoint.endpoint, made[asked].query_model_id if named else None),
    }


def run_batch(name: str, config: BatchConfig) -> dict[str, Any]:
    """One batch prediction run."""
    job = BatchJob(name, **config.model_dump(exclude_none=True))
    return {
        "job": job.batch_prediction_job,
        "state": job.job_state,
        "output": job.output_location,
        "answered": job.successful_count,
        "failed": job.failed_count,
        "replica_hours": job.replica_hours,
    }


def configured() -> Environment:
    """The environment of this stack: under the project's own name, or under the one that the files here have.

    Raises:
        ConfigError: there is none, or something in it is wrong.
    """
    own = pulumi.get_project()
    space = next((space for space in (own, SPACE) if pulumi.Config(space).get("environment") is not None), own)
    key = f"{space}:environment"
    if pulumi.Config(space).get("environment") in LEFT_EMPTY:
        raise ConfigError(left_empty(key))
    value = pulumi.Config(space).get_object("environment") or quickstart(pulumi.Config().get, own)
    if value is None:
        raise ConfigError(f"{key}: is required, or all of {', '.join(QUICKSTART)}: see stacks/config")
    environment = read(value, key)
    environment.must_allow(default_project() or "", key)
    for doubt in environment.doubts():
        pulumi.log.warn(f"{key}.{doubt}")
    return environment


try:
    Program(configured()).run()
except ConfigError as error:
    raise pulumi.RunError(str(error)) from None
