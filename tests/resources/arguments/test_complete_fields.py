"""Every field of Google's requests that a user may set is an argument, or is named here with the reason why not."""

import pytest

from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.custom_weights_model.lifecycle import CustomWeightsModelArgs
from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.endpoint.served_model import ServedModel
from mg_provider.resources.psc_forwarding_rule.lifecycle import PscForwardingRuleArgs
from mg_provider.wire.compute import ForwardingRule
from mg_provider.wire.vertex.batch import BatchPredictionJob
from mg_provider.wire.vertex.deploy import CustomModel, DeployConfig, DeployRequest, EndpointConfig, ModelConfig
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.machine import BatchDedicatedResources, DedicatedResources

# Google's name where ours differs, and why.
RENAMED = {
    "model_user_id": "model_id",
    "endpoint_user_id": "endpoint_id",
    "display_name": "endpoint_display_name",
}
HOLDERS = {"custom_model", "model_configuration", "endpoint_config", "deploy_config", "dedicated_resources"}
DEPRECATED = {"dedicated_endpoint_enabled", "enable_private_service_connect", "disable_container_logging"}

CASES = [
    (
        CustomWeightsModelArgs,
        (DeployRequest, CustomModel, ModelConfig, EndpointConfig, DeployConfig, DedicatedResources),
        {},
    ),
    (
        DedicatedEndpointArgs,
        (Endpoint,),
        {"name": "made of project, region and endpoint_id", "etag": "read from the cloud for each change"},
    ),
    (
        PscForwardingRuleArgs,
        (ForwardingRule,),
        {
            "name": "forwarding_rule_name",
            "target": "service_attachment, or endpoint",
            "ip_address": "address",
            "ip_version": "an endpoint's service attachment is reached over IPv4",
            "load_balancing_scheme": "left out for a service attachment",
            "label_fingerprint": "read from the cloud for each change",
            "fingerprint": "read from the cloud for each change",
        },
    ),
    (
        BatchJobArgs,
        (BatchPredictionJob, BatchDedicatedResources),
        {"generate_explanation": "feature attributions are not for generative models"},
    ),
    (
        ServedModel,
        (DeployedModel, DedicatedResources),
        {
            "id": "derived, so that a lost answer makes nothing twice",
            "display_name": "the name in deployed_models",
            "automatic_resources": "not for models with weights of their own",
            "shared_resources": "the endpoint owns its machines",
            "disable_explanations": "feature attributions are not for generative models",
            "checkpoint_id": "for models that Google tunes",
            "rollout_options": "how a change is made, not what is served",
            "system_labels": "set by Model Garden",
            "speculative_decoding_spec": "set by the container's arguments",
            "faster_deployment_config": "fast_tryout_enabled",
        },
    ),
]


@pytest.mark.parametrize(("args", "requests", "left_out"), CASES, ids=[case[0].__name__ for case in CASES])
def test_what_a_user_may_set_is_an_argument(args, requests, left_out):
    missing = []
    for request in requests:
        for name in set(request.model_fields) - request.output_only() - HOLDERS:
            deprecated = name in DEPRECATED and name not in args.model_fields
            old_id = request is CustomModel and name == "model_id"
            known = {name, RENAMED.get(name, name)} & set(args.model_fields)
            if not known and not deprecated and not old_id and name not in left_out:
                missing.append(f"{request.__name__}.{name}")
    assert missing == []
    unneeded = [name for name in left_out if not any(name in request.model_fields for request in requests)]
    assert unneeded == []
