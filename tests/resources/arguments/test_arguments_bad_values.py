"""Every argument, given nonsense: `check` names the property and says what to do, and nothing else is wrong."""

import typing

import pytest
from pydantic import BaseModel

from mg_provider.resources.model.lifecycle import Defaults
from tests.support.lives.host import Host, Kind
from tests.support.samples.samples import (
    ABSENT,
    ALL,
    ATTACHMENT,
    BATCH_JOB,
    CONTAINER,
    CUSTOM_WEIGHTS_MODEL,
    DEDICATED_ENDPOINT,
    DEFAULTS,
    DUTY,
    FOLDER,
    H100,
    IDLE,
    JSONL,
    KEY,
    L4,
    LOGGING,
    MODEL,
    PRIVATE,
    PSC_FORWARDING_RULE,
    TOKENS,
    label,
)

ONLINE = "aiplatform.googleapis.com/prediction/online/"
LLAMA = "projects/my-project/locations/us-central1/endpoints/llama"


class Bad:
    """A value that is wrong, where that is said and how; ``more`` are other arguments that make it so."""

    def __init__(self, value, *says, at=None, **more):
        self.value, self.says, self.at, self.more = value, says, at, more


BROKEN = "a\x1bb"
TEXT = [
    Bad(5, "text", "not 5"),
    Bad(["a"], "text", "not a list"),
    Bad({}, "not a mapping"),
    Bad(BROKEN, "control character U+001B at position 2"),
]
SWITCH = [
    Bad("perhaps", "true or false", "'perhaps'"),
    Bad(2, "true or false"),
    Bad("true", "true or false, not 'true'"),
    Bad(1, "not 1"),
    Bad([True], "not a list"),
]
NUMBER = [
    Bad("many", "whole number", "'many'"),
    Bad(1.5, "whole number", "1.5"),
    Bad("", "whole number"),
    Bad("2", "not '2'"),
    Bad(True, "not True"),
]
COUNT = [
    *NUMBER,
    Bad(1e18, "at most 10000"),
    Bad(1e308, "at most 10000, not a number of about 309 digits"),
    Bad(-1, "at least"),
    Bad({"count": 1}, "not a mapping"),
]
OBJECT = [Bad("text", "should be a mapping, not 'text'"), Bad(["list"], "should be a mapping, not a list")]
LIST = [Bad("text", "should be a list, not 'text'"), Bad({"a": 1}, "should be a list, not a mapping")]
TEXTS = [*OBJECT, Bad({"a": 1}, "text, not 1", at=".a"), Bad({"a": ["b"]}, "not a list", at=".a")]
IDENTIFIER = [Bad("x" * 64, "at most 63"), Bad("-search", "a letter first"), Bad("Such Name", "at most 63")]
NAME = [*TEXT, Bad("x" * 129, "at most 128 characters")]
ACCOUNT = [
    *TEXT,
    Bad("me@example.com", "the email address of a service account"),
    Bad("a@p.iam.gserviceaccount.com,b", "the email address of a service account"),
    Bad("a@..gserviceaccount.com", "the email address of a service account"),
]
FLEX = [*OBJECT, Bad({"max_runtime_duration": "1h"}, "write seconds and the letter s", at=".max_runtime_duration")]
KEYS = [
    *OBJECT,
    Bad({}, "is required: Cloud KMS key", at=".kms_key_name"),
    Bad({"kms_key": "k"}, "did you mean kms_key_name?", at=".kms_key"),
    Bad({"kms_key_name": "k"}, "projects/{project}/locations"),
    Bad({"kms_key_name": "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"}, "us-central1"),
]
LABELS = [
    *TEXTS,
    Bad({"Team": "search"}, "'Team' is not a valid label key", "lower-case"),
    Bad({"1st": "search"}, "a letter first"),
    Bad({"x" * 64: "a"}, "1 to 63"),
    Bad({"team": "Search"}, "not a valid value for label team"),
    Bad({"team": "search and ads"}, "at most 63"),
    Bad({"team": "x" * 64}, "at most 63"),
    Bad({"mg-owner": "me"}, "mg-owner is set by this provider: remove it"),
    Bad({"mg-claim": "me"}, "remove it"),
    Bad({f"label-{number}": "" for number in range(60)}, "at most 59"),
]
ROLLOUTS = [
    *OBJECT,
    Bad({"strategy": "canary"}, "'shift', 'rolling' or 'recreate', not 'canary'", at=".strategy"),
    Bad({"step": [100]}, "did you mean steps?", at=".step"),
    Bad({"steps": []}, "end with 100"),
    Bad({"steps": [10, 50]}, "end with 100"),
    Bad({"steps": [50, 10, 100]}, "each must be more than the one before"),
    Bad({"steps": [0, 100]}, "1 to 100"),
    Bad({"steps": ["half"]}, "whole number", at=".steps[0]"),
    Bad({"steps": [50, 100], "strategy": "recreate"}, "recreate does not take: remove them"),
    Bad({"max_surge_replicas": 1}, "only strategy rolling uses"),
    Bad({"max_surge_replicas": -1}, "at least 0", at=".max_surge_replicas"),
    Bad({"strategy": "rolling", "max_surge_replicas": 1, "max_surge_percentage": 10}, "remove one of them"),
    Bad({"strategy": "rolling", "max_unavailable_percentage": 101}, "at most 100", at=".max_unavailable_percentage"),
    Bad({"strategy": "rolling", "max_surge_replicas": 0}, "no replica could be replaced"),
    Bad({"probe": {"kind": "ping"}}, "'chat', 'predict' or 'none', not 'ping'", at=".probe.kind"),
    Bad({"probe": {"kind": "predict"}}, "predict without instances"),
    Bad({"probe": {"instances": ["Hi"]}}, "a chat does not take"),
    Bad({"probe": {"kind": "predict", "instances": ["Hi"], "messages": []}}, "predict does not take"),
    Bad({"probe": {"body": {"stream": True}}}, "reads its answer as a whole"),
    Bad({"probe": {"max_latency": 0}}, "more than 0", at=".probe.max_latency"),
    Bad({"probe": {"expected_status": 42}}, "at least 100", at=".probe.expected_status"),
    Bad(
        {"probe": {"body": {"temperature": float("nan")}}}, "is nan: use a finite number", at=".probe.body.temperature"
    ),
    Bad({"probe": {"address": "10.0.0.5/../x"}}, "probe.address '10.0.0.5/../x': write an address such as 10.0.0.5"),
    Bad({"probe": {"fingerprint": "abc"}}, "probe.fingerprint 'abc': write 64 hexadecimal digits"),
    Bad({"probe": {"requests": 0}}, "at least 1", at=".probe.requests"),
]
RESERVED = {
    "reservation_affinity_type": "SPECIFIC_RESERVATION",
    "key": "compute.googleapis.com/reservation-name",
    "values": ["../r"],
}
SPECS = [
    *OBJECT,
    Bad({}, "machine_type is missing"),
    Bad({**L4, "machine_type": "a3-highgpu-8g"}, "comes with 8 NVIDIA_H100_80GB: set accelerator_type"),
    Bad({**L4, "accelerator_count": 2}, "set accelerator_count to 1, not 2"),
    Bad({**L4, "accelerator_type": "NVIDIA_L5"}, "NVIDIA_L5 is not one Vertex knows"),
    Bad({"machine_type": "g2-standard-12"}, "needs accelerator_type NVIDIA_L4"),
    Bad({"machine_type": "n1-standard-4", "accelerator_count": 1}, "accelerator_type is missing"),
    Bad({**L4, "machine_type": "ct5lp-hightpu-4t"}, "TPU machine"),
    Bad({**L4, "machine_type": "n1-standard-4"}, "choose another machine_type"),
    Bad({**L4, "machine_type": "g2 standard"}, "machine_type 'g2 standard' is not valid: write one such as"),
    Bad({**L4, "machine_type": "x" * 5000 + "/"}, "(5,001 characters) is not valid"),
    Bad({**L4, "accelerator_count": -1}, "is -1: use 0 or more", at=".accelerator_count"),
    Bad({**L4, "accelerator_count": True}, "whole number, not True", at=".accelerator_count"),
    Bad({"machine_type": "new-gpu-1", "accelerator_type": "NVIDIA_L4", "accelerator_count": 10**6}, "use 1 to 1024"),
    Bad({"machine_type": "ct5lp-hightpu-4t", "tpu_topology": "2*2"}, "tpu_topology '2*2' is not valid", "2x2"),
    Bad({**L4, "gpu_partition_size": "half"}, "write one such as 1g.10gb"),
    Bad({**L4, "reservation_affinity": {"reservation_affinity_type": "SOME"}}, "use NO_RESERVATION, ANY_RESERVATION"),
    Bad({**L4, "reservation_affinity": {"reservation_affinity_type": "SPECIFIC_RESERVATION"}}, "needs key and values"),
    Bad({**L4, "reservation_affinity": RESERVED}, "'../r' is not the name of a reservation: write projects/"),
    Bad({**L4, "machne_type": "g2-standard-12"}, "did you mean machine_type?", at=".machne_type"),
    Bad({**L4, "accelerator_count": "one"}, "whole number", at=".accelerator_count"),
    Bad({**L4, "reservation_affinity": {}}, "is required", at=".reservation_affinity.reservation_affinity_type"),
]
# What stands for one machine is also wrong as one of several.
CHOICES = [
    *[bad for bad in SPECS if not isinstance(bad.value, list)],
    Bad([], "is an empty list: name at least one machine, or leave it out"),
    Bad([L4, {**L4, "accelerator_count": 2}], "choice 2: g2-standard-12 has 1 NVIDIA_L4"),
    Bad([L4, H100, L4], "choice 3: g2-standard-12 with 1 x NVIDIA_L4 is there already"),
    Bad([L4, {**L4, "machne_type": "x"}], "did you mean machine_type?", at="[1].machne_type"),
    Bad([L4, "a3-highgpu-8g"], "should be a mapping", at="[1]"),
]
CONTAINERS = [
    *OBJECT,
    Bad({"image": "a"}, "did you mean", at=".image"),
    Bad({**CONTAINER, "image_uri": ABSENT}, "image_uri is missing"),
    Bad({**CONTAINER, "env": {"HF_TOKEN": TOKENS[0]}}, "should be a list, not a mapping", at=".env"),
    Bad({**CONTAINER, "env": [{"value": "a"}]}, "is required: Name", at=".env[0].name"),
    Bad({**CONTAINER, "env": [{"name": "A=B"}]}, "env has the name 'A=B': use letters, digits and _"),
    Bad({**CONTAINER, "env": [{"name": ""}]}, "env has the name ''"),
    Bad({**CONTAINER, "env": [{"name": "A", "value": "\x00"}]}, "U+0000 at position 1", at=".env[0].value"),
    Bad({**CONTAINER, "image_uri": "https://us-docker.pkg.dev/p/r/vllm"}, "not the name of a container image"),
    Bad({**CONTAINER, "image_uri": "us-docker.pkg.dev/../vllm"}, "write {region}-docker.pkg.dev"),
    Bad({**CONTAINER, "shared_memory_size_mb": -1}, "is -1: use 0 or more", at=".shared_memory_size_mb"),
    Bad({**CONTAINER, "shared_memory_size_mb": 2**31 - 1}, "use at most 16777216, which is 16 TB"),
    Bad({**CONTAINER, "predict_route": "predict"}, "predict_route is 'predict': write a path such as /predict"),
    Bad({**CONTAINER, "ports": [{"container_port": True}]}, "whole number, not True", at=".ports[0].container_port"),
    Bad({**CONTAINER, "startup_probe": {"http_get": {"port": 65536}}}, "startup_probe.http_get.port is 65536"),
    Bad({**CONTAINER, "startup_probe": {"http_get": {"http_headers": [{"name": "A:B"}]}}}, "the header 'A:B'"),
    Bad({**CONTAINER, "ports": [8080]}, "should be a mapping, not 8080", at=".ports[0]"),
    Bad({**CONTAINER, "ports": [{"container_port": 0}]}, "1 to 65535"),
    Bad({**CONTAINER, "deployment_timeout": "1h"}, "write seconds and the letter s", at=".deployment_timeout"),
    Bad({**CONTAINER, "deployment_timeout": "7201s"}, "at most 7200s"),
    Bad({**CONTAINER, "health_probe": {"period_seconds": 1}}, "exactly one of exec, http_get, grpc and tcp_socket"),
]
PLACE = {
    "project": [
        *TEXT,
        Bad("my_project", "write a project id"),
        Bad("projects/my-project", "write a project id"),
        Bad("My", "write a project id"),
    ],
    "region": [*TEXT, Bad("us-central", "not a region of Vertex AI"), Bad("us-central1-a", "not a region")],
    "timeouts": [
        Bad("1h", "should be a mapping, not '1h'"),
        Bad({"create": 0}, "more than 0, not 0", at=".create"),
        Bad({"delete": -1.5}, "more than 0, not -1.5", at=".delete"),
        Bad({"update": "1h"}, "number", at=".update"),
        Bad({"creat": 5}, "did you mean create?", at=".creat"),
        Bad({"create": float("inf")}, "finite", at=".create"),
        Bad({"create": "600"}, "number, not '600'", at=".create"),
        Bad({"create": True}, "number, not True", at=".create"),
        Bad({"create": 1e300}, "create 1e+300: use at most 2592000 seconds"),
    ],
}
ENDPOINT = {
    **PLACE,
    "endpoint_id": [*TEXT, *IDENTIFIER, Bad("1234567890", "at most 9 digits"), Bad("0123", "digits"), Bad("a_b", "-")],
    "endpoint_display_name": NAME,
    "labels": LABELS,
    "private_service_connect_config": [
        *OBJECT,
        Bad({**PRIVATE, "project_allowlist": ["projects/x"]}, "bare project ids: write 'x'"),
        Bad({**PRIVATE, "project_allowlist": ["123456"]}, "'123456' is a project number"),
        Bad({**PRIVATE, "project_allowlist": []}, "empty project_allowlist: name the projects"),
        Bad({**PRIVATE, "project_allowlist": ["My Project"]}, "'My Project' is not a valid project id"),
        Bad({**PRIVATE, "project_allowlist": "my-project"}, "should be a list", at=".project_allowlist"),
        Bad({**PRIVATE, "project_allowlist": ["a-project", 5]}, "text", at=".project_allowlist[1]"),
        Bad({**PRIVATE, "enable_private_service_connect": False}, "is not true: set it"),
        Bad({**PRIVATE, "project_allow_list": []}, "did you mean project_allowlist?", at=".project_allow_list"),
        Bad({**PRIVATE, "project_allowlist": ["x" * 5000]}, "(5,000 characters) is not a valid project id"),
        Bad({**PRIVATE, "psc_automation_configs": [{"project_id": "1"}]}, "has the project_id '1': write the id"),
        Bad(
            {**PRIVATE, "psc_automation_configs": [{"project_id": "my-project", "network": "vpc"}]}, "name of a network"
        ),
        Bad({**PRIVATE, "service_attachment": "a"}, "is filled by Google: remove it", at=".service_attachment"),
    ],
    "predict_request_response_logging_config": [
        *OBJECT,
        Bad({**LOGGING, "sampling_rate": "half"}, "number", at=".sampling_rate"),
        Bad({**LOGGING, "sampling_rate": 10}, "sampling_rate is 10.0: use more than 0 and at most 1"),
        Bad({**LOGGING, "sampling_rate": 0}, "more than 0 and at most 1"),
        Bad({**LOGGING, "bigquery_destination": {"output_uri": "p.d.t"}}, "bq://project.dataset.table"),
        Bad({**LOGGING, "bigquery_destination": {}}, "is required", at=".bigquery_destination.output_uri"),
    ],
    "adopt": [
        *TEXT,
        Bad("4026753529406673472", "projects/{project}/locations/{region}/endpoints/{id}"),
        Bad("projects/my-project/locations/europe-west4/endpoints/1", "endpoint in europe-west4", "us-central1"),
        Bad("projects/other-project/locations/us-central1/endpoints/1", "endpoint of other-project", "my-project"),
        Bad("projects/my-project/locations/us-central1/endpoints/1", "endpoint 1", "endpoint_id is 2", endpoint_id="2"),
    ],
    "client_connection_config": [
        *OBJECT,
        Bad({"inference_timeout": 60}, "text", at=".inference_timeout"),
        Bad({"inference_timeout": "1m"}, "write seconds and the letter s", at=".inference_timeout"),
        Bad({"inference_timeout": "3601s"}, "at most 3600s"),
    ],
}
MACHINES = {
    "machine_spec": CHOICES,
    "min_replica_count": [
        *COUNT,
        Bad(0, "set scale_to_zero_spec as well, or at least 1"),
        Bad(3, "is 3, more than max_replica_count 2: raise max_replica_count or lower it", max_replica_count=2),
        Bad(2, "less than required_replica_count 3", required_replica_count=3),
        Bad(1, "needs 0: change one of them", scale_to_zero_spec=IDLE),
    ],
    "max_replica_count": [*COUNT, Bad(0, "at least 1, not 0")],
    "required_replica_count": [*COUNT, Bad(1.5, "whole number")],
    "initial_replica_count": [
        *COUNT,
        Bad(0, "at least 1"),
        Bad(3, "is 3, more than max_replica_count 2: use 1 to 2"),
        Bad(
            1, "only has an effect with min_replica_count 0: remove it", min_replica_count=1, scale_to_zero_spec=ABSENT
        ),
    ],
    "autoscaling_metric_specs": [
        *LIST,
        Bad([{"target": 60}], "is required: Metric", at="[0].metric_name"),
        Bad([DUTY, {**DUTY, "target": "half"}], "whole number", at="[1].target"),
        Bad([DUTY, {**DUTY, "target": -1}], "is -1: use 0 or more", at="[1].target"),
        Bad([{**DUTY, "target": 0}], "has the target 0", "use 1 to 100, as its target is in percent"),
        Bad([{**DUTY, "target": 1000}], "has the target 1000", "use 1 to 100"),
        Bad([DUTY, {**DUTY, "target": 60}], "accelerator/duty_cycle twice: keep one entry for each metric"),
        Bad([{**DUTY, "metric_name": "cpu/utilization"}], f"did you mean {ONLINE}cpu/utilization?"),
        Bad([{**DUTY, "metric_name": f"{ONLINE}gpu/duty_cycle"}], f"did you mean {ONLINE}accelerator/duty_cycle?"),
        Bad(
            [{**DUTY, "metric_name": f"{ONLINE}tokens"}], f"has the unknown metric '{ONLINE}tokens'", "use one such as"
        ),
        Bad([{**DUTY, "metric_name": "https://prometheus.googleapis.com/a"}], "unknown metric"),
        Bad([{**DUTY, "metric_name": "x" * 5000}], "unknown metric", "(5,000 characters)"),
        Bad(["duty_cycle"], "should be a mapping", at="[0]"),
    ],
    "scale_to_zero_spec": [
        *OBJECT,
        Bad({"idle_scaledown_period": 300}, "text", at=".idle_scaledown_period"),
        Bad({"idle_scaledown_period": "60s"}, "idle_scaledown_period is 60s: use 300s to 28800s"),
        Bad({"min_scaleup_period": "28801s"}, "use 300s to 28800s"),
        Bad({"idle": "300s"}, "not a key that is known here", at=".idle"),
    ],
    "flex_start": [*FLEX, Bad({"max_runtime_duration": "604801s"}, "at most 604800s")],
    "service_account": ACCOUNT,
}
BAD_NAMES = ("..", "a..b", "llama?x=1", "lla ma", "llama%2F", "ll/ama/..", "#", "")
NOT_FINITE = (float("nan"), float("inf"), -float("inf"))
TABLES = {
    CUSTOM_WEIGHTS_MODEL.name: {
        **ENDPOINT,
        **MACHINES,
        "gcs_uri": [
            *TEXT,
            Bad("bucket/llama", "is not a valid folder in Cloud Storage: write gs://bucket/folder"),
            Bad("s3://bucket/llama", "write gs://bucket/folder"),
            Bad("gs://Bucket", "write gs://"),
            Bad("gs://bucket/*.safetensors", "did you mean gs://bucket?"),
            Bad("gs://bucket/llama/*", "did you mean gs://bucket/llama?"),
            Bad("/gcs/bucket/llama", "did you mean gs://bucket/llama?"),
            Bad("https://storage.googleapis.com/bucket/llama/", "did you mean gs://bucket/llama?"),
            Bad("gs://bucket/../other", "write gs://"),
            Bad("gs://bucket/a?b", "did you mean gs://bucket/a?"),
            Bad("s3://bucket/" + "x" * 5000, "(5,012 characters) is not"),
            Bad("", "exactly one of gcs_uri, publisher_model_name, hugging_face_model_id is needed, not none"),
            Bad("gs://bucket/a", "not gcs_uri and hugging_face_model_id", hugging_face_model_id="meta/llama"),
        ],
        "publisher_model_name": [
            *TEXT,
            Bad("gemma", "publishers/{publisher}"),
            Bad("models/a@1", "publishers/"),
            Bad("publishers/../models/a@1", "{model}@{version}"),
        ],
        "hugging_face_model_id": [
            *TEXT,
            Bad("llama", "{author}/{model}"),
            Bad("meta/../llama", "{author}/{model}"),
            Bad("meta/..", "{author}/{model}"),
            Bad("https://hf.co/a/b", "{author}/{model}"),
        ],
        "hugging_face_access_token": [
            Bad(5, "text, not a number"),
            Bad([TOKENS[0]], "text, not a list"),
            Bad({"token": TOKENS[0]}, "not a mapping"),
            Bad(
                TOKENS[0],
                "only applies to hugging_face_model_id",
                gcs_uri="gs://bucket/a",
                hugging_face_model_id=ABSENT,
            ),
        ],
        "model_id": [*TEXT, *IDENTIFIER, Bad("1llama", "a letter first")],
        "model_display_name": NAME,
        "query_model_id": [*TEXT, Bad("a b", "does not fit: use at most 128"), Bad("it's", "does not fit")],
        "container_spec": CONTAINERS,
        "rollout": ROLLOUTS,
        "dedicated_endpoint_disabled": [
            *SWITCH,
            Bad(False, "remove one", private_service_connect_config=PRIVATE),
        ],
    },
    DEDICATED_ENDPOINT.name: {
        **ENDPOINT,
        "dedicated_endpoint_enabled": [
            *SWITCH,
            Bad(True, "remove one", private_service_connect_config=PRIVATE),
        ],
        "deployed_models": [
            *OBJECT,
            Bad({"a": MODEL}, "should be a mapping", at=".a"),
            Bad({"a": {}}, "is required: Model resource name", at=".a.model"),
            Bad({"Name": {"model": MODEL}}, "at most 32 of a-z, 0-9 and -"),
            Bad({"a": {"model": "llama"}}, "a: 'llama' is not the name of a model: write projects/"),
            Bad({"a": {"model": MODEL, "min_replica_count": 0}}, "a.min_replica_count is 0"),
            Bad(
                {"a": {"model": MODEL, "machine_spec": {**L4, "accelerator_count": 9}}}, "a.machine_spec g2-standard-12"
            ),
            Bad({"a": {"model": MODEL, "spott": True}}, "did you mean spot?", at=".a.spott"),
            *(
                Bad({"a": {"model": MODEL, given: True}}, f"did you mean {meant}?", at=f".a.{given}")
                for given, meant in (
                    ("disable_access_logging", "enable_access_logging"),
                    ("disable_container_logging", "enable_container_logging"),
                )
            ),
            Bad({"a-b": {"model": MODEL, "max_replica_count": 0}}, " 1, not ", at=".a-b.max_replica_count"),
            Bad({"spot": {"model": 5}}, "text", at=".spot.model"),
            Bad(
                {"a": {"model": MODEL, "rollout": {"steps": [10, 5, 100]}}},
                "a.rollout has steps [10, 5, 100]: each must",
            ),
        ],
        "query_model_ids": [
            *TEXTS,
            Bad(
                {"a": "llama", "b": "gemma"},
                "a answers to llama, b answers to gemma",
                "give these models the same query_model_id",
                at="traffic_split",
                traffic_split={"a": 90, "b": 10},
                deployed_models={"a": {"model": MODEL}, "b": {"model": MODEL}},
            ),
        ],
        "traffic_split": [
            *OBJECT,
            Bad({"a": "most"}, "whole number", at=".a"),
            Bad({"a": 50, "b": 40}, "adds up to 90: make it 100"),
            Bad({"a": 50, "c": 50}, "names c, but deployed_models has a, b"),
            Bad({"a": 150, "b": -50}, "outside 0 to 100"),
            Bad({}, "give each name its percent"),
        ],
        "rollout": ROLLOUTS,
        "network": [
            *TEXT,
            Bad("vpc", "projects/{number}/global/networks/{name}"),
            Bad("projects/my-project/global/networks/vpc", "{number}"),
        ],
        "encryption_spec": KEYS,
        "gen_ai_advanced_features_config": [
            *OBJECT,
            Bad({"rag": {}}, "use one of rag_config", at=".rag"),
            Bad({"rag_config": {"enable_rag": "perhaps"}}, "true or false", at=".rag_config.enable_rag"),
        ],
    },
    PSC_FORWARDING_RULE.name: {
        **PLACE,
        "region": [
            *PLACE["region"],
            Bad("europe-west4", "its own region europe-west4", at="service_attachment", service_attachment=ATTACHMENT),
        ],
        "service_attachment": [
            *TEXT,
            Bad("", "or endpoint is needed: pass endpoint"),
            Bad("10.0.0.5", "is not the name of a service attachment"),
            Bad(ATTACHMENT.replace("us-central1", "us-east4"), "is in us-east4", "its own region us-central1"),
            Bad(ATTACHMENT, "given beside endpoint: remove one", endpoint=LLAMA),
        ],
        "endpoint": [
            *TEXT,
            Bad("123", "not the name of an endpoint"),
            Bad("projects/p/endpoints/1", "not the name of an endpoint"),
            Bad(LLAMA.replace("us-central1", "us-east4"), "is in us-east4", "its own region us-central1"),
        ],
        "network": [
            *TEXT,
            Bad("VPC", "not the name of a network"),
            Bad("", "network"),
            Bad("global/networks/a", "networks/{name}, or only the {name}"),
        ],
        "subnetwork": [
            *TEXT,
            Bad("a b", "not the name of a subnetwork"),
            Bad("projects/p/subnetworks/a", "projects/{project}/regions/{region}"),
            Bad("projects/host/regions/us-east4/subnetworks/a", "is in us-east4", "name a subnetwork of us-central1"),
            Bad(
                "projects/host/regions/us-central1/subnetworks/a",
                "is in project host, but network is in other-host",
                network="projects/other-host/global/networks/vpc",
            ),
        ],
        "address": [
            *TEXT,
            Bad("10.0.0", "IPv4 address"),
            Bad("10.0.0.256", "IPv4 address"),
            Bad("10.0.0.5.6", "IPv4 address"),
            Bad("10.0.0.0/24", "IPv4"),
            Bad("fd00::1", "IPv4"),
            Bad("8.8.8.8", "Google's public services"),
            Bad("0.0.0.0", "no subnetwork has it: write an internal address such as 10.0.0.5"),
            Bad("127.0.0.1", "the machine itself"),
            Bad("169.254.169.254", "link-local"),
            Bad("224.0.0.1", "multicast"),
            Bad("255.255.255.255", "broadcast"),
            Bad("010.0.0.5", "not a valid IPv4 address"),
            Bad("projects/p/addresses/a", "IPv4"),
            Bad("projects/p/regions/us-east4/addresses/a", "is in us-east4", "name an address of us-central1"),
            Bad("projects/host-project/regions/us-central1/addresses/a", "is in project host-project", "in the rule's"),
        ],
        "forwarding_rule_name": [*TEXT, *IDENTIFIER, Bad("to_llama", "at most 63")],
        "labels": LABELS,
        "endpoint_is_private": [
            *SWITCH,
            Bad(False, "the endpoint is public", "or keep", endpoint=LLAMA, service_attachment=ABSENT),
        ],
        "endpoint_allowlist": [
            Bad("my-project", "should be a list"),
            Bad(["client-project"], "my-project is not on the endpoint's project_allowlist", at="project"),
        ],
        "service_directory_registrations": [
            *LIST,
            Bad([{"namespace": "a"}, {"namespace": "b"}], "at most one entry: remove the others"),
            Bad([{"name": "a"}], "did you mean namespace?", at="[0].name"),
            Bad([{"service_directory_region": "us-east4"}], "global rules only: remove it"),
        ],
    },
    BATCH_JOB.name: {
        **PLACE,
        "display_name": NAME,
        "model": [
            *TEXT,
            Bad("llama", "'llama' is not a valid model: write publishers/"),
            *(Bad(f"publishers/meta/models/{name}", "is not a valid model") for name in BAD_NAMES),
            *(Bad(f"projects/{name}/locations/us-central1/models/1", "is not a valid model") for name in BAD_NAMES),
            Bad("", "exactly one of model, unmanaged_container_model, endpoint is needed, not none"),
            Bad(MODEL, "not model and endpoint", endpoint="projects/p/locations/us-central1/endpoints/1"),
            Bad(MODEL.replace("us-central1", "us-east4"), "the Model is in us-east4 and the job in us-central1"),
        ],
        "unmanaged_container_model": [
            *OBJECT,
            Bad({"artifact": "gs://b"}, "did you mean artifact_uri?", at=".artifact"),
            Bad({"artifact_uri": "gs://bucket/w"}, "container_spec is missing"),
            Bad({"artifact_uri": "/weights", "container_spec": CONTAINER}, "write gs://bucket/folder"),
            Bad({"artifact_uri": "gs://bucket/../w", "container_spec": CONTAINER}, "write gs://bucket/folder"),
            Bad({"artifact_uri": "gs://bucket/w", "container_spec": {"args": []}}, "image_uri is missing"),
        ],
        "endpoint": [
            *TEXT,
            Bad("123", "not the name of an endpoint"),
            Bad("projects/p/endpoints/1", "not the name of an endpoint"),
            *(Bad(f"projects/p/locations/us-central1/endpoints/{name}", "ndpoint", model=ABSENT) for name in BAD_NAMES),
            Bad("projects/p/locations/us-central1/endpoints/1", "its own machines, so spot", model=ABSENT, spot=True),
        ],
        "input_config": [
            *OBJECT,
            Bad({}, "needs one of gcs_source and bigquery_source, not none"),
            Bad({**JSONL, "bigquery_source": {"input_uri": "bq://p.d.t"}}, "not gcs_source and bigquery_source"),
            Bad({"gcs_source": {"uris": ["gs://b/o"]}}, "needs instances_format"),
            Bad({**JSONL, "instances_format": "josnl"}, "did you mean jsonl?"),
            Bad({**JSONL, "gcs_source": {"uris": []}}, "name at least one gs:// object"),
            Bad({**JSONL, "gcs_source": {"uris": ["bucket/o"]}}, "write gs://bucket/object"),
            Bad({**JSONL, "gcs_source": {"uris": "gs://bucket/o"}}, "should be a list", at=".gcs_source.uris"),
            *(
                Bad({**JSONL, "gcs_source": {"uris": ["gs://bucket/o", uri]}}, "is not a valid Cloud Storage URI")
                for uri in ("gs://bucket/../o", "gs://bu..cket/o", "gs://buc?ket/o", "gs://bucket/a b", "gs://bucket")
            ),
            *(
                Bad(
                    {"instances_format": "bigquery", "bigquery_source": {"input_uri": uri}},
                    "write bq://project.dataset",
                )
                for uri in ("p.d.t", "bq://p..t", "bq://p.d..t", "bq://p.d.t?", "bq://p.d d.t", "bq://../p.d.t")
            ),
            Bad(
                {
                    "instances_format": "vertex-dataset",
                    "vertex_multimodal_dataset_source": {"dataset_name": "projects/p/locations/l/datasets/.."},
                },
                "is not a valid dataset",
            ),
        ],
        "output_config": [
            *OBJECT,
            Bad({}, "needs one of gcs_destination and bigquery_destination, not none"),
            Bad({"gcs_destination": FOLDER["gcs_destination"]}, "needs predictions_format"),
            Bad({**FOLDER, "predictions_format": "bigquery"}, "does not go with a bucket: use jsonl"),
            Bad({**FOLDER, "gcs_destination": {"output_uri_prefix": "out"}}, "write gs://bucket/folder"),
            Bad({**FOLDER, "gcs_destination": {}}, "is required", at=".gcs_destination.output_uri_prefix"),
            *(
                Bad({**FOLDER, "gcs_destination": {"output_uri_prefix": uri}}, "is not a valid folder in Cloud Storage")
                for uri in ("gs://bucket/../o", "gs://bucket/a?b", "gs://bucket/a b", "gs://bucket/*")
            ),
            *(
                Bad(
                    {"predictions_format": "bigquery", "bigquery_destination": {"output_uri": uri}},
                    "write bq://project",
                )
                for uri in ("d", "bq://p..t", "bq://p.d.t?", "bq://p.a b", "bq://p.d.t$1", "bq://p.d.t.u")
            ),
        ],
        "machine_spec": CHOICES,
        "starting_replica_count": [
            *COUNT,
            Bad(0, "at least 1"),
            Bad(3, "is 3, more than max_replica_count 2"),
        ],
        "max_replica_count": [*COUNT, Bad(0, "at least 1")],
        "flex_start": FLEX,
        "instance_config": [
            *OBJECT,
            Bad({"instance_type": ["array"]}, "text", at=".instance_type"),
            Bad({"instance_type": "objekt"}, "instance_type objekt is not one Vertex AI knows"),
            Bad({"included_fields": ["a"], "excluded_fields": ["b"]}, "included_fields or excluded_fields, not both"),
        ],
        "model_parameters": [
            *OBJECT,
            *(Bad({"stop": [{"p": value}]}, "use a finite number", at=".stop[0].p") for value in NOT_FINITE),
        ],
        "manual_batch_tuning_parameters": [
            *OBJECT,
            Bad({"batch_size": "many"}, "whole number", at=".batch_size"),
            Bad({"batch_size": 0}, "batch_size is 0: use at least 1"),
        ],
        "service_account": ACCOUNT,
        "encryption_spec": KEYS,
        "labels": [*LABELS, Bad({"mg-run": "mine"}, "mg-run is set by this provider")],
        "allow_partial": [
            Bad("some", "number"),
            Bad(-0.1, "at least 0"),
            Bad(5, " 1, not "),
        ],
    },
}
OF_TYPE = {bool: SWITCH, int: NUMBER, str: TEXT, dict: TEXTS, list: LIST, BaseModel: OBJECT}


def of_type(annotation):
    """What is wrong for any argument of a type."""
    inner = [each for each in typing.get_args(annotation) if each is not type(None)]
    bare = inner[0] if type(None) in typing.get_args(annotation) else typing.get_origin(annotation) or annotation
    return next(values for kind, values in OF_TYPE.items() if issubclass(bare, kind))


def bad_values(kind, name):
    """The table's; of an argument that only its type restricts, those of the type."""
    return TABLES[kind.name].get(name) or of_type(kind.args_type.model_fields[name].annotation)


CASES = [
    pytest.param(kind, name, bad, id=f"{kind.name}-{name}-{number}")
    for kind in ALL
    for name in kind.settable()
    for number, bad in enumerate(bad_values(kind, name))
]


def without_absent(value):
    return {key: entry for key, entry in value.items() if entry is not ABSENT} if isinstance(value, dict) else value


def arguments(kind, name, bad):
    return kind.arguments(name, without_absent(bad.value), **bad.more)


def where(name, bad):
    at = bad.at or ""
    return f"{name}{at}" if not at or at[0] in ".[" else at


@pytest.mark.parametrize("kind", ALL, ids=label)
def test_every_argument_has_bad_values(kind):
    assert set(TABLES[kind.name]) <= set(kind.settable())
    assert {name for name in kind.settable() if len(bad_values(kind, name)) < 2} == set()


@pytest.mark.parametrize(("kind", "name", "bad"), CASES)
def test_a_wrong_value_is_told_at_its_property_with_what_to_do(kind, name, bad):
    _, problems = kind.check(arguments(kind, name, bad))
    place = where(name, bad)
    assert place in problems, problems
    assert not {other for other in problems if not other.startswith(place.split(".")[0])}, problems
    for text in bad.says:
        assert text in problems[place]
    assert not any(token in reason for token in TOKENS for reason in problems.values())
    assert all(len(reason) <= 600 for reason in problems.values())


NAMES = [
    pytest.param(*case, id=f"{case[0].name}-{case[1]}")
    for case in (
        *((kind, "adopt", LLAMA, lambda name: name, {}) for kind in (CUSTOM_WEIGHTS_MODEL, DEDICATED_ENDPOINT)),
        (DEDICATED_ENDPOINT, "deployed_models", MODEL, lambda name: {"a": {"model": name}}, {}),
        (DEDICATED_ENDPOINT, "encryption_spec", KEY["kms_key_name"], lambda name: {"kms_key_name": name}, {}),
        (DEDICATED_ENDPOINT, "network", "projects/1/global/networks/vpc", lambda name: name, {}),
        (PSC_FORWARDING_RULE, "endpoint", LLAMA, lambda name: name, {"service_attachment": ABSENT}),
        (PSC_FORWARDING_RULE, "service_attachment", ATTACHMENT, lambda name: name, {}),
        (PSC_FORWARDING_RULE, "network", "projects/p/global/networks/vpc", lambda name: name, {}),
        (PSC_FORWARDING_RULE, "subnetwork", "projects/p/regions/us-central1/subnetworks/a", lambda name: name, {}),
        (PSC_FORWARDING_RULE, "address", "projects/p/regions/us-central1/addresses/a", lambda name: name, {}),
        (BATCH_JOB, "endpoint", LLAMA, lambda name: name, {"model": ABSENT}),
    )
]


@pytest.mark.parametrize(("kind", "name", "good", "hold", "more"), NAMES)
def test_a_resource_name_is_that_and_nothing_else(kind, name, good, hold, more):
    parent, _, last = good.rpartition("/")
    odd = [
        *(
            f"{good}{end}"
            for end in ("/", "/..", "/../other", "?alt=media", "#top", " ", "\n", "%2F..", ":predict", "\\")
        ),
        *(f"{start}{good}" for start in ("/", "//", " ", "../", "https://evil.example/", "//compute.googleapis.com/")),
        *(f"{parent}/{other}" for other in ("", "..", ".", "a b", "*", last.upper(), "é", last * 64, "a/b", "-a")),
        f"https://evil.example/compute/v1/{good}",
        f"https://www.googleapis.com.evil.example/compute/v1/{good}",
        f"http://www.googleapis.com/compute/v1/{good}",
        good.replace("projects/", "projects/../", 1),
        good.replace("projects/", "projects//", 1),
    ]
    if name == "encryption_spec":
        # Keys have freer names.
        odd = [text for text in odd if not text.endswith(("/K", "/-a"))]
    accepted = [text for text in odd if not kind.check(kind.arguments(name, hold(text), **more))[1]]
    assert accepted == []


@pytest.mark.parametrize("kind", ALL, ids=label)
def test_a_misspelt_argument_is_told_its_right_name(kind):
    name = next(name for name in kind.settable() if "_" in name)
    _, problems = kind.check(kind.arguments(**{name + "s": 1, "zzz": 2}))
    assert problems[name + "s"].endswith(f"did you mean {name}?")
    assert "use one of" in problems["zzz"]
    assert name in problems["zzz"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind in ALL
        for name in kind.args_type.model_fields
        if kind.args_type.model_fields[name].is_required()
    ],
    ids=label,
)
def test_a_missing_argument_is_asked_for_with_what_it_is(kind, name):
    _, problems = kind.check(kind.arguments(name, ABSENT))
    assert problems == {name: f"is required: {kind.args_type.model_fields[name].description}"}


@pytest.mark.parametrize("kind", ALL, ids=label)
def test_a_place_that_nobody_named_is_asked_for_with_its_config_key(kind):
    _, problems = kind.check(kind.arguments(), defaults=Defaults())
    assert set(problems) == {"project", "region"}
    assert "`mg:region`" in problems["region"]


@pytest.mark.parametrize("kind", ALL, ids=label)
def test_a_place_from_configuration_is_held_to_the_same_rules(kind):
    _, problems = kind.check(kind.arguments(), defaults=Defaults("my-project", "narnia1"))
    assert "'narnia1' is not a region" in problems["region"]
    _, problems = kind.check(kind.arguments(), defaults=Defaults("My Project", "us-central1"))
    assert "write a project id" in problems["project"]


def test_an_attachment_is_held_against_the_region_of_the_configuration():
    _, problems = PSC_FORWARDING_RULE.check(
        PSC_FORWARDING_RULE.arguments(), defaults=Defaults("my-project", "us-east4")
    )
    assert "its own region us-east4" in problems["service_attachment"]


@pytest.mark.parametrize("kind", ALL, ids=label)
def test_several_mistakes_are_told_at_once(kind):
    wrong = kind.arguments(project="My Project", timeouts={"create": 0}, labels={"mg-owner": "me"})
    _, problems = kind.check(wrong)
    assert set(problems) == {"project", "timeouts.create", "labels"}


def test_a_sum_of_mistakes_in_one_object_names_each_place():
    spec = {"machine_type": 1, "accelerator_count": "a", "reservation_affinity": {"keys": 1}}
    _, problems = CUSTOM_WEIGHTS_MODEL.check(CUSTOM_WEIGHTS_MODEL.arguments(machine_spec=spec))
    assert set(problems) == {
        "machine_spec.machine_type",
        "machine_spec.accelerator_count",
        "machine_spec.reservation_affinity.reservation_affinity_type",
        "machine_spec.reservation_affinity.keys",
    }


@pytest.fixture(scope="module")
def configured_host():
    host = Host({"mg:project": DEFAULTS.project, "mg:region": DEFAULTS.region})
    yield host
    host.close()


THROUGH_THE_HOST = [
    (CUSTOM_WEIGHTS_MODEL, "gcs_uri", 3),
    (CUSTOM_WEIGHTS_MODEL, "machine_spec", 3),
    (CUSTOM_WEIGHTS_MODEL, "hugging_face_access_token", 1),
    (CUSTOM_WEIGHTS_MODEL, "min_replica_count", 6),
    (CUSTOM_WEIGHTS_MODEL, "private_service_connect_config", 2),
    (CUSTOM_WEIGHTS_MODEL, "timeouts", 1),
    (DEDICATED_ENDPOINT, "traffic_split", 4),
    (DEDICATED_ENDPOINT, "deployed_models", 8),
    (DEDICATED_ENDPOINT, "dedicated_endpoint_enabled", 3),
    (PSC_FORWARDING_RULE, "service_attachment", 5),
    (PSC_FORWARDING_RULE, "labels", 4),
    (BATCH_JOB, "input_config", 3),
    (BATCH_JOB, "region", 3),
]


@pytest.mark.parametrize(("kind", "name", "number"), THROUGH_THE_HOST, ids=label)
def test_the_host_tells_the_engine_the_same(configured_host, kind, name, number):
    bad = TABLES[kind.name][name][number]
    given = arguments(kind, name, bad)
    _, failures = Kind(configured_host, kind.provider).check(given)
    assert failures == kind.check(given)[1]
    assert failures
