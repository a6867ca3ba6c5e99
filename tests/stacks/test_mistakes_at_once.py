"""Mistakes in a stack's configuration: all are reported in one run, each once, and not what only follows from one."""

import copy
from itertools import combinations

import pytest

from mg_provider import environment
from tests.support.samples.emptied import places

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
MODEL = {"gcs_uri": "gs://bucket/weights", "machine_spec": L4}
START = "model-garden:environment."
ELSEWHERE = "projects/my-project/locations/europe-west4/endpoints/1234567890123"

RIGHT = {
    "regions": ["us-central1", "europe-west4", "us-east1"],
    "labels": {"team": "search"},
    "network": {
        "existing": {
            "network": "shared",
            "subnetworks": dict.fromkeys(("us-central1", "europe-west4", "us-east1"), "models"),
            "dns_zone": "models",
            "dns_name": "models.internal",
        }
    },
    "allowlist": {"projects": ["my-project", "ads-prod"], "perimeter_projects": ["my-project", "ads-prod"]},
    "models": {
        "llama": {**MODEL, "max_replica_count": 4, "overrides": {"us-east1": {"max_replica_count": 8}}},
        "mistral": {**MODEL, "regions": ["us-central1"], "private": {"consumers": {"ads": {"project": "ads-prod"}}}},
        "gemma": {**MODEL, "own_endpoint": False},
        "phi": {**MODEL, "own_endpoint": False},
    },
    "endpoints": {
        "chat": {
            "region": "us-central1",
            "deployed_models": {"g": {"model": "gemma"}, "p": {"model": "phi"}},
            "traffic_split": {"g": 50, "p": 50},
        }
    },
    "batch_jobs": {
        "nightly": {
            "region": "us-east1",
            "model": "llama",
            "input_config": {"instances_format": "jsonl", "gcs_source": {"uris": ["gs://bucket/in.jsonl"]}},
            "output_config": {
                "predictions_format": "jsonl",
                "gcs_destination": {"output_uri_prefix": "gs://bucket/out"},
            },
        }
    },
}

# A place, what is written there, and how the line begins that reports it; by default with that place.
MISTAKES = {
    "label": (("labels",), {"Team": "x"}, "labels"),
    "shape": (("models", "llama", "own_processes"), 3, None),
    "section": (("modles",), {"other": MODEL}, None),
    "network": (("network", "existing", "dns_zone"), "", "network.existing"),
    "network key": (("network", "existing", "nmae"), "x", None),
    "list": (("allowlist", "perimeter_projects"), ["my-project"], "allowlist"),
    "empty": (("models", "llama", "private"), None, None),
    "argument": (("models", "llama", "max_replica_cout"), 2, None),
    "pattern": (("models", "llama", "endpoint_id"), "Not an id", None),
    "rule": (("models", "llama", "min_replica_count"), 0, None),
    "in one region": (("models", "llama", "adopt"), ELSEWHERE, None),
    "two sources": (("models", "mistral", "hugging_face_model_id"), "google/gemma-3", "models.mistral.gcs_uri"),
    "region": (("models", "mistral", "regions"), ["us-centrl1"], None),
    "type": (("models", "gemma", "spot"), "often", None),
    "override": (("models", "llama", "overrides", "us-west1"), {}, None),
    "consumer": (("models", "mistral", "private", "consumers", "ads", "forwarding_rule_name"), "UPPER", None),
    "reference": (("endpoints", "chat", "deployed_models", "g", "model"), "gema", None),
    "served": (("endpoints", "chat", "deployed_models", "p", "machine_typ"), "x", None),
    "split": (("endpoints", "chat", "traffic_split"), {"g": 50, "p": 40}, None),
    "place": (("batch_jobs", "nightly", "region"), "mars", None),
    "nested": (("batch_jobs", "nightly", "input_config", "instances_form"), "jsonl", None),
}


def with_mistakes(*names):
    """The configuration with some of the mistakes."""
    value = copy.deepcopy(RIGHT)
    for name in names:
        path, wrong, _ = MISTAKES[name]
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = wrong
    return value


def reported(value):
    """Each line of what is wrong."""
    with pytest.raises(environment.ConfigError) as error:
        environment.read(value)
    return [line.removeprefix(START) for line in error.value.summary.splitlines()]


def summary(value):
    """What is wrong with a value, if anything is."""
    try:
        environment.read(value)
    except environment.ConfigError as error:
        return error.summary
    return ""


def beginning(name):
    path, _, place = MISTAKES[name]
    return place or ".".join(path)


def test_the_configuration_is_right_without_them():
    assert environment.read(copy.deepcopy(RIGHT)).all_regions == RIGHT["regions"]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(name):
    (line,) = reported(with_mistakes(name))
    assert line.startswith(beginning(name))


@pytest.mark.parametrize("entry", RIGHT)
def test_whatever_is_written_or_missing_somewhere_is_a_mistake_or_fine(entry):
    for path in [(entry,), *((entry, *rest) for rest in places(RIGHT[entry]))]:
        for odd in ({5: {}}, [{"a": None}], None):
            value = copy.deepcopy(RIGHT)
            holder = value
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = odd
            assert "known after up" not in summary(value)


def test_a_name_that_is_a_number_is_reported_once():
    assert reported({**RIGHT, "models": {**RIGHT["models"], 5: MODEL}}) == [
        "models.5: the key should be text: write it in quotes"
    ]


def test_all_mistakes_of_a_file_are_reported_at_once_and_each_once():
    found = reported(with_mistakes(*MISTAKES))
    alone = [line for name in MISTAKES for line in reported(with_mistakes(name))]
    assert sorted(found) == sorted(alone)


def test_no_mistake_hides_another():
    alone = {name: reported(with_mistakes(name)) for name in MISTAKES}
    for pair in combinations(MISTAKES, 2):
        found = reported(with_mistakes(*pair))
        assert sorted(found) == sorted(alone[pair[0]] + alone[pair[1]]), pair
