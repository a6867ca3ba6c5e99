"""What a stack's state, a stack's configuration and other programs hold on to. A change here breaks them."""

import base64
import pickle

import dill
import pytest
from pulumi.dynamic.dynamic import serialize_provider

from mg_provider.api.http import settings
from mg_provider.resources.dynamic.host import HOST_THREADS_KEY
from tests.support.samples.outputs import outputs
from tests.support.samples.samples import ALL, label

each_resource = pytest.mark.parametrize("kind", ALL, ids=label)

# What `__provider` is in every state that was ever written: pickle's protocol 4, the class by reference.
PROVIDERS = {
    "CustomWeightsModel": (
        "mg_provider.resources.custom_weights_model.CustomWeightsModelProvider",
        "gASVTQAAAAAAAACMKm1nX3Byb3ZpZGVyLnJlc291cmNlcy5jdXN0b21fd2VpZ2h0c19tb2Rl"
        "bJSMGkN1c3RvbVdlaWdodHNNb2RlbFByb3ZpZGVylJOULg==",
    ),
    "DedicatedEndpoint": (
        "mg_provider.resources.dedicated_endpoint.DedicatedEndpointProvider",
        "gASVSgAAAAAAAACMKG1nX3Byb3ZpZGVyLnJlc291cmNlcy5kZWRpY2F0ZWRfZW5kcG9pbnSU"
        "jBlEZWRpY2F0ZWRFbmRwb2ludFByb3ZpZGVylJOULg==",
    ),
    "PscForwardingRule": (
        "mg_provider.resources.psc_forwarding_rule.PscForwardingRuleProvider",
        "gASVSwAAAAAAAACMKW1nX3Byb3ZpZGVyLnJlc291cmNlcy5wc2NfZm9yd2FyZGluZ19ydWxl"
        "lIwZUHNjRm9yd2FyZGluZ1J1bGVQcm92aWRlcpSTlC4=",
    ),
    "BatchJob": (
        "mg_provider.resources.batch_job.BatchJobProvider",
        "gASVOAAAAAAAAACMH21nX3Byb3ZpZGVyLnJlc291cmNlcy5iYXRjaF9qb2KUjBBCYXRjaEpvYlByb3ZpZGVylJOULg==",
    ),
}
OUTPUTS = {
    "CustomWeightsModel": {
        "model_display_name",
        "endpoint_display_name",
        "region",
        "enable_container_logging",
        "project",
        "endpoint",
        "endpoint_id",
        "model",
        "model_id",
        "query_model_id",
        "container_model_id",
        "deployed_model_id",
        "dedicated_endpoint_dns",
        "service_attachment",
        "max_replica_count",
        "available_replica_count",
        "machine_type",
        "unmanaged_deployed_models",
        "surplus_deployed_models",
        "machine_spec_taken",
        "deployment_plan",
        "traffic_percent",
        "rollout_under_way",
        "container_logging",
        "rollout_held",
        "held_deployed_model_id",
        "replicas_when_parked",
    },
    "DedicatedEndpoint": {
        "project",
        "dedicated_endpoint_enabled",
        "region",
        "endpoint_display_name",
        "endpoint",
        "endpoint_id",
        "deployed_model_ids",
        "deployment_plan",
        "machine_types",
        "unmanaged_deployed_models",
        "leftover_deployed_models",
        "rollouts_held",
        "held_deployed_model_ids",
        "replicas_when_parked",
        "psc_automation",
        "dedicated_endpoint_dns",
        "service_attachment",
    },
    "PscForwardingRule": {
        "region",
        "address",
        "project",
        "endpoint",
        "service_attachment",
        "connected_service_attachment",
        "reserved_address",
        "http_url",
        "https_url",
        "base_url",
        "forwarding_rule",
        "forwarding_rule_name",
        "ip_address",
        "psc_connection_id",
        "psc_connection_status",
    },
    "BatchJob": {
        "run",
        "region",
        "display_name",
        "project",
        "batch_prediction_job",
        "job_state",
        "machine_type",
        "accelerator_type",
        "accelerator_count",
        "successful_count",
        "failed_count",
        "incomplete_count",
        "output_location",
        "replica_hours",
        "first_errors",
        "passed_over",
    },
}


@each_resource
def test_the_provider_in_a_stack_s_state_never_changes(kind):
    path, text = PROVIDERS[kind.name]
    assert dill.loads(base64.b64decode(text)) is kind.provider
    assert f"{kind.provider.__module__}.{kind.provider.__qualname__}" == path
    assert len(text) <= 120


@each_resource
@pytest.mark.skipif(pickle.DEFAULT_PROTOCOL != 4, reason="another Python writes another protocol byte")
def test_what_is_written_to_state_is_what_always_was(kind):
    assert serialize_provider(kind.provider) == PROVIDERS[kind.name][1]


@each_resource
def test_a_provider_keeps_nothing_and_stays_readable_in_state(kind):
    assert kind.provider.serialize_as_secret_always is False
    assert "__init__" not in vars(kind.provider)


@each_resource
def test_output_names_are_frozen(kind):
    assert set(outputs(kind.resource)) == OUTPUTS[kind.name]


def test_config_keys_are_frozen():
    asked = []
    settings.Settings.from_config(lambda key: asked.append(key), {})
    names = [
        "project",
        "region",
        "impersonateServiceAccount",
        "userProjectOverride",
        "billingProject",
        "universeDomain",
        "vertexAiCustomEndpoint",
        "computeCustomEndpoint",
        "storageCustomEndpoint",
        "bigQueryCustomEndpoint",
        "loggingCustomEndpoint",
    ]
    own = {"mg:owner", "mg:emulator"}
    assert set(asked) == {f"{space}:{name}" for space in ("mg", "gcp") for name in names} | own
    assert HOST_THREADS_KEY == "mg:hostThreads"
