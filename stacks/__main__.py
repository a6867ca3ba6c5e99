"""One environment: the models, endpoints and batch runs that its configuration names, in every region it names."""

from __future__ import annotations

from typing import Any, cast

import pulumi
from environment import BatchConfig, ConfigError, EndpointConfig, Environment, ModelConfig, Replicas, read

from mg_provider import BatchJob, CustomWeightsModel, DedicatedEndpoint, PscForwardingRule
from mg_provider.resources.dedicated_endpoint import ServedModelInput


def machines(config: Replicas) -> dict[str, Any]:
    """The machine arguments that are set."""
    return config.model_dump(include={"machine_spec", "min_replica_count", "max_replica_count"}, exclude_none=True)


def chat_line(host: pulumi.Input[str], endpoint: pulumi.Input[str], model: pulumi.Input[str]) -> pulumi.Output[str]:
    """A curl line that asks the endpoint a question."""
    return pulumi.Output.format(
        'curl -H "Authorization: Bearer $(gcloud auth print-access-token)" -H "Content-Type: application/json" '
        '{0}/v1beta1/{1}/chat/completions -d \'{{"model": "{2}", "messages": '
        '[{{"role": "user", "content": "Hello"}}]}}\'',
        host,
        endpoint,
        model,
    )


def deploy_model(name: str, region: str, config: ModelConfig) -> tuple[CustomWeightsModel, dict[str, Any]]:
    """One model in one region, with a private address if it is private."""
    private = config.private
    model = CustomWeightsModel(
        f"{name}-{region}",
        region=region,
        gcs_uri=config.gcs_uri,
        labels=config.labels,
        private_service_connect_config={
            "enable_private_service_connect": True,
            "project_allowlist": private.allowlist,
        }
        if private
        else None,
        **machines(config),
    )
    outputs: dict[str, Any] = {
        "endpoint": model.endpoint,
        "endpoint_id": model.endpoint_id,
        "model": model.model,
        "model_id": model.model_id,
    }
    if private is None:
        host = pulumi.Output.concat("https://", model.dedicated_endpoint_dns)
        return model, {
            **outputs,
            "dns": model.dedicated_endpoint_dns,
            "curl": chat_line(host, model.endpoint, model.model_id),
        }
    rule = PscForwardingRule(
        f"{name}-{region}",
        region=region,
        endpoint=model.endpoint,
        network=private.network,
        subnetwork=private.subnetwork,
        labels=private.labels,
    )
    return model, {
        **outputs,
        "service_attachment": rule.connected_service_attachment,
        "ip_address": rule.ip_address,
        "connection": rule.psc_connection_status,
        "base_url": rule.base_url,
        "curl": chat_line(rule.http_url, model.endpoint, model.model_id),
    }


def deploy_endpoint(
    name: str, config: EndpointConfig, models: dict[tuple[str, str], CustomWeightsModel]
) -> dict[str, Any]:
    """One public endpoint that serves models of its region."""
    endpoint = DedicatedEndpoint(
        name,
        region=config.region,
        deployed_models={
            served: cast(ServedModelInput, {"model": models[one.model, config.region].model, **machines(one)})
            for served, one in config.deployed_models.items()
        },
        traffic_split=config.traffic_split or None,
        labels=config.labels,
        # A Model's name is known before the Model is there to be deployed.
        opts=pulumi.ResourceOptions(
            depends_on=[models[one.model, config.region] for one in config.deployed_models.values()]
        ),
    )
    first = next(iter(config.deployed_models.values()))
    host = pulumi.Output.concat("https://", endpoint.dedicated_endpoint_dns)
    model_id = models[first.model, config.region].model_id
    return {
        "endpoint": endpoint.endpoint,
        "endpoint_id": endpoint.endpoint_id,
        "dns": endpoint.dedicated_endpoint_dns,
        "model_id": model_id,
        "curl": chat_line(host, endpoint.endpoint, model_id),
    }


def run_batch(name: str, config: BatchConfig) -> dict[str, Any]:
    """One batch prediction run."""
    job = BatchJob(name, **config.model_dump(exclude_none=True))
    return {"state": job.job_state, "output": job.output_location, "answered": job.successful_count}


def main(environment: Environment) -> None:
    """Declare everything."""
    models: dict[tuple[str, str], CustomWeightsModel] = {}
    told: dict[str, Any] = {}
    for name, config in environment.models.items():
        for region in environment.regions_of(name):
            models[name, region], told[f"{name}-{region}"] = deploy_model(name, region, config)
    pulumi.export("models", told)
    endpoints = environment.endpoints.items()
    pulumi.export("endpoints", {name: deploy_endpoint(name, config, models) for name, config in endpoints})
    pulumi.export("batch_jobs", {name: run_batch(name, config) for name, config in environment.batch_jobs.items()})


try:
    main(read(pulumi.Config().require_object("environment")))
except ConfigError as error:
    raise pulumi.RunError(str(error)) from None
