"""The typed configuration of the stacks: mistakes are told with the path of their YAML key."""

import importlib.util
from pathlib import Path

import pytest
import yaml

STACKS = Path(__file__).parent.parent.parent / "stacks"


@pytest.fixture(scope="module")
def environment():
    specification = importlib.util.spec_from_file_location("environment", STACKS / "environment.py")
    module = importlib.util.module_from_spec(specification)
    import sys

    sys.modules["environment"] = module
    specification.loader.exec_module(module)
    return module


MODEL = {"gcs_uri": "gs://bucket/llama"}


@pytest.mark.parametrize("file", sorted((STACKS / "config").glob("Pulumi.*.yaml")), ids=lambda file: file.name)
def test_every_stack_that_comes_along_is_valid(environment, file):
    config = yaml.safe_load(file.read_text())["config"]
    assert environment.read(config[environment.KEY]).regions


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "model-garden:environment.regions: is required"),
        ({"regions": []}, "model-garden:environment.regions: List should have at least 1 item"),
        ({"regions": ["r"], "modles": {}}, "model-garden:environment.modles: is not a key that is known here"),
        ({"regions": ["r"], "models": {"llama": {}}}, "models.llama.gcs_uri: is required"),
        (
            {"regions": ["r"], "models": {"llama": {**MODEL, "min_replica_count": "many"}}},
            "models.llama.min_replica_count: Input should be a valid integer",
        ),
        (
            {"regions": ["r"], "models": {"llama": {**MODEL, "private": {"allowlist": []}}}},
            "models.llama.private.allowlist: List should have at least 1 item",
        ),
        (
            {"regions": ["r"], "endpoints": {"chat": {"region": "r", "deployed_models": {"v1": {"model": "x"}}}}},
            "endpoints.chat.deployed_models.v1.model: 'x' is not one of models",
        ),
        (
            {
                "regions": ["r"],
                "models": {"llama": MODEL},
                "endpoints": {"chat": {"region": "other", "deployed_models": {"v1": {"model": "llama"}}}},
            },
            "endpoints.chat.deployed_models.v1.model: 'llama' is not in region other",
        ),
    ],
)
def test_a_mistake_is_told_with_its_path(environment, value, told):
    with pytest.raises(environment.ConfigError) as error:
        environment.read(value)
    assert told in str(error.value)
