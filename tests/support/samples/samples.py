"""Arguments of the four resources: the least that each needs, and two good values for everything a program may set."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

from mg_provider.resources.batch_job import BatchJob, BatchJobProvider
from mg_provider.resources.batch_job.lifecycle import BatchJobLifecycle
from mg_provider.resources.custom_weights_model import CustomWeightsModel, CustomWeightsModelProvider
from mg_provider.resources.custom_weights_model.lifecycle import CustomWeightsModelLifecycle
from mg_provider.resources.dedicated_endpoint import DedicatedEndpoint, DedicatedEndpointProvider
from mg_provider.resources.dedicated_endpoint.lifecycle import DedicatedEndpointLifecycle
from mg_provider.resources.model.args import settable
from mg_provider.resources.model.lifecycle import Defaults
from mg_provider.resources.model.unknown import UNKNOWN
from mg_provider.resources.psc_forwarding_rule import PscForwardingRule, PscForwardingRuleProvider
from mg_provider.resources.psc_forwarding_rule.lifecycle import PscForwardingRuleLifecycle

OWNER = "acme/project/stack"
DEFAULTS = Defaults("my-project", "us-central1")
ABSENT = object()
SAMPLE = object()

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
H100 = {"machine_type": "a3-highgpu-8g", "accelerator_type": "NVIDIA_H100_80GB", "accelerator_count": 8}
PRIVATE = {"enable_private_service_connect": True, "project_allowlist": ["my-project", "other-project"]}
KEY = {"kms_key_name": "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"}
MODEL = "projects/1/locations/us-central1/models/llama"
ATTACHMENT = "projects/tenant/regions/us-central1/serviceAttachments/sa"
LOGGING = {
    "enabled": True,
    "sampling_rate": 1,
    "bigquery_destination": {"output_uri": "bq://my-project.logs.requests"},
}
CONTAINER = {
    "image_uri": "us-docker.pkg.dev/p/r/vllm:1",
    "args": ["--model", "/weights"],
    "env": [{"name": "A", "value": "b"}],
    "ports": [{"container_port": 8080}],
    "health_probe": {"http_get": {"path": "/health", "port": 8080}, "period_seconds": 5},
    "shared_memory_size_mb": 16384,
    "deployment_timeout": "3600s",
}
JSONL = {"instances_format": "jsonl", "gcs_source": {"uris": ["gs://bucket/in.jsonl"]}}
FOLDER = {"predictions_format": "jsonl", "gcs_destination": {"output_uri_prefix": "gs://bucket/out"}}


@dataclass
class Sample:
    """Two good values of an argument, beside what else it needs."""

    value: Any
    other: Any
    needs: dict[str, Any] = field(default_factory=dict)


@dataclass
class ResourceSamples:
    """What the tests need to know of one resource."""

    resource: type
    provider: type
    lifecycle: type
    least: dict[str, Any]
    samples: dict[str, Sample]

    @property
    def name(self):
        return self.resource.__name__

    @property
    def args_type(self):
        return self.lifecycle.args_type

    def settable(self):
        """The arguments that a program may set."""
        return settable(self.args_type)

    def arguments(self, name=None, value=SAMPLE, **more):
        """The least arguments, with one argument set and what that one needs."""
        needs = self.samples[name].needs if name else {}
        set_here = {} if name is None else {name: self.samples[name].value if value is SAMPLE else value}
        merged = {"owner": OWNER, "resource": "llama", **self.least, **needs, **set_here, **more}
        return {key: entry for key, entry in merged.items() if entry is not ABSENT}

    def check(self, arguments, old=None, defaults=DEFAULTS):
        """Completed arguments, and what is wrong by property."""
        args, problems = self.lifecycle().check(arguments, old, defaults)
        return args, {problem.property: problem.reason for problem in problems}


PLACE = {
    "project": Sample("my-project", "other-project"),
    "region": Sample("us-central1", "europe-west4"),
    "timeouts": Sample({"create": 600}, {"create": 60.5, "update": 1, "delete": 1}),
}
ENDPOINT = {
    **PLACE,
    "endpoint_id": Sample("search", "123456789"),
    "endpoint_display_name": Sample("Search", "Search in shops"),
    "description": Sample("one", "two"),
    "labels": Sample({"team": "search"}, {"team": "ads", "cost-centre_1": ""}),
    "private_service_connect_config": Sample(PRIVATE, {**PRIVATE, "project_allowlist": ["my-project"]}),
    "predict_request_response_logging_config": Sample(LOGGING, {**LOGGING, "sampling_rate": 0.5}),
    "adopt": Sample(
        "projects/my-project/locations/us-central1/endpoints/4026753529406673472",
        "projects/123/locations/us-central1/endpoints/search",
    ),
    "client_connection_config": Sample({"inference_timeout": "60s"}, {"inference_timeout": "3600s"}),
}
IDLE = {"idle_scaledown_period": "300s", "min_scaleup_period": "600s"}
DUTY = {"metric_name": "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle", "target": 50}
MACHINES = {
    "machine_spec": Sample(L4, [H100, L4]),
    "min_replica_count": Sample(1, 2, {"max_replica_count": 4}),
    "max_replica_count": Sample(2, 3),
    "required_replica_count": Sample(1, 2, {"min_replica_count": 2}),
    "initial_replica_count": Sample(1, 2, {"min_replica_count": 0, "max_replica_count": 2, "scale_to_zero_spec": IDLE}),
    "autoscaling_metric_specs": Sample([DUTY], [{**DUTY, "target": 60}]),
    "scale_to_zero_spec": Sample(IDLE, {"idle_scaledown_period": "900s"}, {"min_replica_count": 0}),
    "spot": Sample(True, False),
    "flex_start": Sample({"max_runtime_duration": "3600s"}, {"max_runtime_duration": "7200s"}),
    "service_account": Sample("a@p.iam.gserviceaccount.com", "b@p.iam.gserviceaccount.com"),
    "fast_tryout_enabled": Sample(True, False),
    "enable_access_logging": Sample(True, False),
}
ROLLOUT = Sample({"steps": [50, 100]}, {"strategy": "recreate", "probe": {"max_latency": 2.5}})
SERVED_MODEL = {
    **MACHINES,
    "model": Sample(MODEL, f"{MODEL}@2"),
    "enable_container_logging": Sample(True, False),
    "rollout": ROLLOUT,
}
HUGGING_FACE = {"gcs_uri": ABSENT, "hugging_face_model_id": "meta/llama"}
TOKENS = ("hf_" + "a" * 12, "hf_" + "b" * 12)

CUSTOM_WEIGHTS_MODEL = ResourceSamples(
    CustomWeightsModel,
    CustomWeightsModelProvider,
    CustomWeightsModelLifecycle,
    {"gcs_uri": "gs://bucket/llama"},
    {
        **ENDPOINT,
        **MACHINES,
        "gcs_uri": Sample("gs://bucket/llama", "gs://bucket"),
        "preflight": Sample(True, False),
        "allow_quantized": Sample(True, False),
        "publisher_model_name": Sample(
            "publishers/google/models/gemma@002", "publishers/google/models/gemma", {"gcs_uri": ABSENT}
        ),
        "hugging_face_model_id": Sample("meta/llama", "Qwen/Qwen2.5-7B", {"gcs_uri": ABSENT}),
        "hugging_face_access_token": Sample(*TOKENS, HUGGING_FACE),
        "hugging_face_cache_enabled": Sample(True, False, HUGGING_FACE),
        "accept_eula": Sample(True, False),
        "model_id": Sample("llama", "llama_2"),
        "query_model_id": Sample("chat", "meta/llama-3"),
        "model_display_name": Sample("Llama", "Llama 2"),
        "container_spec": Sample(CONTAINER, {**CONTAINER, "args": []}),
        "enable_container_logging": Sample(True, False),
        "system_labels": Sample({"a": "b"}, {"a": "c"}),
        "retain_model": Sample(True, False),
        "rollout": ROLLOUT,
        "parked": Sample(True, False),
        "dedicated_endpoint_disabled": Sample(True, False),
    },
)
DEDICATED_ENDPOINT = ResourceSamples(
    DedicatedEndpoint,
    DedicatedEndpointProvider,
    DedicatedEndpointLifecycle,
    {},
    {
        **ENDPOINT,
        "dedicated_endpoint_enabled": Sample(True, False),
        "deployed_models": Sample(
            {"a": {"model": MODEL, "machine_spec": L4, "rollout": {"steps": [50, 100]}}},
            {"a": {"model": f"{MODEL}@2", "min_replica_count": 2}},
        ),
        "traffic_split": Sample(
            {"a": 90, "b": 10}, {"a": 0, "b": 100}, {"deployed_models": {"a": {"model": MODEL}, "b": {"model": MODEL}}}
        ),
        "query_model_ids": Sample({"a": "chat", "b": "chat"}, {"a": "chat"}),
        "rollout": ROLLOUT,
        "parked": Sample(True, False),
        "remove_unmanaged_deployed_models": Sample(True, False),
        "network": Sample("projects/1/global/networks/vpc", "projects/1/global/networks/other"),
        "encryption_spec": Sample(KEY, {"kms_key_name": KEY["kms_key_name"] + "2"}),
        "gen_ai_advanced_features_config": Sample(
            {"rag_config": {"enable_rag": True}}, {"rag_config": {"enable_rag": False}}
        ),
    },
)
PSC_FORWARDING_RULE = ResourceSamples(
    PscForwardingRule,
    PscForwardingRuleProvider,
    PscForwardingRuleLifecycle,
    {"service_attachment": ATTACHMENT, "network": "vpc", "subnetwork": "clients"},
    {
        **PLACE,
        "region": Sample(
            "us-central1",
            "europe-west4",
            {"service_attachment": UNKNOWN},
        ),
        "endpoint": Sample(
            "projects/my-project/locations/us-central1/endpoints/llama",
            "projects/my-project/locations/us-central1/endpoints/other",
            {"service_attachment": ABSENT},
        ),
        "triggers": Sample({"parked": "false"}, {"parked": "true"}),
        "service_attachment": Sample(ATTACHMENT, f"https://www.googleapis.com/compute/v1/{ATTACHMENT}2"),
        "network": Sample("vpc", "projects/host/global/networks/vpc"),
        "subnetwork": Sample("clients", "projects/host/regions/us-central1/subnetworks/clients"),
        "address": Sample("10.0.0.5", "10.0.0.6"),
        "forwarding_rule_name": Sample("to-llama", "to-other"),
        "description": Sample("one", "two"),
        "labels": Sample({"team": "search"}, {"team": "ads"}),
        "allow_psc_global_access": Sample(True, False),
        "no_automate_dns_zone": Sample(True, False),
        "look_up": Sample(True, False),
        "endpoint_allowlist": Sample(["my-project", "client-project"], ["my-project"]),
        "endpoint_is_private": Sample(True, False),
        "service_directory_registrations": Sample([{"namespace": "a"}], [{"namespace": "b", "service": "c"}]),
    },
)
BATCH_JOB = ResourceSamples(
    BatchJob,
    BatchJobProvider,
    BatchJobLifecycle,
    {"model": "publishers/meta/models/llama", "input_config": JSONL, "output_config": FOLDER},
    {
        **PLACE,
        "display_name": Sample("night", "day"),
        "model": Sample(MODEL, "publishers/meta/models/llama@1"),
        "unmanaged_container_model": Sample(
            {"artifact_uri": "gs://bucket/w", "container_spec": CONTAINER},
            {"artifact_uri": "gs://bucket/v", "container_spec": CONTAINER},
            {"model": ABSENT},
        ),
        "endpoint": Sample(
            "projects/p/locations/us-central1/endpoints/1",
            "projects/p/locations/us-central1/endpoints/2",
            {"model": ABSENT},
        ),
        "input_config": Sample(JSONL, {**JSONL, "gcs_source": {"uris": ["gs://bucket/other.jsonl"]}}),
        "output_config": Sample(
            FOLDER, {"predictions_format": "bigquery", "bigquery_destination": {"output_uri": "bq://p.d"}}
        ),
        "machine_spec": Sample(L4, [H100, L4]),
        "starting_replica_count": Sample(1, 2, {"max_replica_count": 2}),
        "max_replica_count": Sample(1, 2),
        "spot": Sample(True, False),
        "flex_start": Sample({"max_runtime_duration": "3600s"}, {"max_runtime_duration": "7200s"}),
        "instance_config": Sample({"instance_type": "object"}, {"instance_type": "array", "key_field": "id"}),
        "model_parameters": Sample({"temperature": 0.5}, {"temperature": 1, "stop": ["a"]}),
        "manual_batch_tuning_parameters": Sample({"batch_size": 4}, {"batch_size": 8}),
        "service_account": Sample("a@p.iam.gserviceaccount.com", "b@p.iam.gserviceaccount.com"),
        "encryption_spec": Sample(KEY, {"kms_key_name": KEY["kms_key_name"] + "2"}),
        "disable_container_logging": Sample(True, False),
        "labels": Sample({"team": "search"}, {"team": "ads"}),
        "triggers": Sample({"generation": "1"}, {"generation": "2"}),
        "wait": Sample(True, False),
        "allow_partial": Sample(0.05, 1),
        "delete_output": Sample(True, False),
        "preflight": Sample(False, True),
    },
)
ALL = (CUSTOM_WEIGHTS_MODEL, DEDICATED_ENDPOINT, PSC_FORWARDING_RULE, BATCH_JOB)
EACH_ARGUMENT = [(kind, name) for kind in ALL for name in kind.samples]


def label(value):
    """A test's name for a parameter."""
    with contextlib.suppress(AttributeError):
        return value.name
    return value if isinstance(value, str) else None


def places(value, path=()):
    """The paths of everything inside a value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*path, key)
        yield from places(entry, (*path, key))


def put(value, path, entry):
    """A copy of a value with another entry at a path."""
    if not path:
        return entry
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], entry)
    return copy
