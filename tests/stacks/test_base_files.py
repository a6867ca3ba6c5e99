"""``extends``: what several stacks share stands in one file."""

import typing

import pytest
import yaml
from pydantic import BaseModel

from mg_provider import environment
from mg_provider.environment.entries import BatchConfig, EndpointConfig, ModelConfig, PrivateAccess, ResourceSection
from mg_provider.environment.sections import Section
from mg_provider.preflight.base_files import SECTIONS, layered

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
H100 = {"machine_type": "a3-highgpu-8g", "accelerator_type": "NVIDIA_H100_80GB", "accelerator_count": 8}
BASE = {
    "regions": ["us-central1", "europe-west4"],
    "labels": {"team": "search"},
    "allowlist": {"projects": ["my-project"]},
    "models": {
        "llama": {
            "gcs_uri": "gs://my-weights/llama/v1",
            "machine_spec": H100,
            "labels": {"tier": "gold"},
            "private": {"network": "clients", "subnetwork": "clients-subnet"},
        },
        "small": {"gcs_uri": "gs://my-weights/small/v1", "machine_spec": L4},
    },
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(BASE))
    return tmp_path


def test_a_stack_says_only_what_differs(folder):
    dev = {
        "extends": "base.yaml",
        "regions": ["us-central1"],
        "without": ["models.small", "models.llama.private"],
        "labels": {"env": "dev"},
        "models": {"llama": {"machine_spec": {"machine_type": "n1-standard-4"}, "labels": {"tier": "none"}}},
    }
    found = environment.read(dev, folder=folder)
    assert found.labels == {"team": "search", "env": "dev"}
    assert list(found.models) == ["llama"]
    assert found.models["llama"].private is None
    # An argument is taken whole: no accelerator of the base file's machine stays behind.
    assert found.model_arguments("llama", "us-central1") == {
        "gcs_uri": "gs://my-weights/llama/v1",
        "machine_spec": {"machine_type": "n1-standard-4"},
        "labels": {"team": "search", "env": "dev", "tier": "none"},
    }


def test_a_base_file_may_extend_another_one_below_another_folder(folder):
    (folder / "teams").mkdir()
    (folder / "teams" / "search.yaml").write_text(
        yaml.safe_dump({"extends": "../base.yaml", "models": {"llama": {"max_replica_count": 0}}})
    )
    with pytest.raises(environment.ConfigError) as error:
        environment.read({"extends": "teams/search.yaml"}, folder=folder)
    assert error.value.summary == ("teams/search.yaml: models.llama.max_replica_count: should be at least 1, not 0")


@pytest.mark.parametrize(
    ("base", "own", "told"),
    [
        (
            {"models": {"llama": {"min_replica_count": 0}}},
            {},
            "base.yaml: models.llama.min_replica_count: is 0: set scale_to_zero_spec as well, or at least 1",
        ),
        (
            {},
            {"models": {"llama": {"min_replica_count": 0}}},
            "model-garden:environment.models.llama.min_replica_count: is 0: set scale_to_zero_spec as well, or at "
            "least 1",
        ),
        (
            {"models": {"llama": {"privat": {}}}},
            {},
            "base.yaml: models.llama.privat: is not a key that is known here: did you mean private?",
        ),
        (
            {"models": {"llama": {"private": None}}},
            {},
            "base.yaml: models.llama.private: is left empty: write `private: {}` to keep the model private, or remove "
            "the line to make it public",
        ),
        ({}, {"extends": "bas.yaml"}, "model-garden:environment.extends: bas.yaml cannot be read: No such file"),
        ({"extends": "base.yaml"}, {}, "base.yaml: extends: base.yaml extends itself: remove one of the lines"),
        (
            {},
            {"without": ["models.lama"]},
            "model-garden:environment.without: models.lama is not in the file that this one extends: remove it",
        ),
        ({}, {"without": "models"}, "model-garden:environment.without: should be a list of keys, such as"),
        ({"without": ["models"]}, {}, "base.yaml: without: takes away what extends brings, and there is none"),
        (None, {}, "model-garden:environment.regions: is required: "),
    ],
)
def test_a_mistake_is_told_with_the_file_that_has_it(tmp_path, base, own, told):
    model = {"gcs_uri": "gs://my-weights/llama/v1", "machine_spec": L4}
    if base is not None:
        base = {"regions": ["us-central1"], **base}
        base["models"] = {"llama": {**model, **base.get("models", {}).get("llama", {})}}
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(base or {}))
    with pytest.raises(environment.ConfigError) as error:
        environment.read({"extends": "base.yaml", **own}, folder=tmp_path)
    (line,) = error.value.summary.splitlines()
    assert line.startswith(told)


def test_without_a_file_there_is_nothing_to_extend():
    with pytest.raises(environment.ConfigError, match="extends: works in a stack's file only"):
        environment.read({"extends": "base.yaml"})


def held(section):
    """The keys of a section that hold others, or several by name, or texts by name."""
    for name, field in section.model_fields.items():
        kinds = [field.annotation, *typing.get_args(field.annotation)]
        sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if sections or typing.get_origin(field.annotation) is dict:
            assert all(issubclass(kind, Section | ResourceSection) for kind in sections)
            yield name


@pytest.mark.parametrize("section", [ModelConfig, EndpointConfig, BatchConfig, PrivateAccess])
def test_what_is_no_argument_of_a_resource_merges_key_by_key(section):
    assert set(held(section)) <= set(SECTIONS)
    assert not set(section.takes()) & set(SECTIONS)


def test_sections_by_name_merge_as_deep_as_they_go(tmp_path):
    def served(**one):
        return {"endpoints": {"chat": {"deployed_models": {"v1": one}, "traffic_split": {"v1": 100}}}}

    (tmp_path / "base.yaml").write_text(yaml.safe_dump(served(model="a", machine_spec=H100)))
    own = {"extends": "base.yaml", **served(machine_spec=L4)}
    own["endpoints"]["chat"]["traffic_split"] = {"v2": 100}
    assert layered(own, tmp_path).value["endpoints"]["chat"] == {
        "deployed_models": {"v1": {"model": "a", "machine_spec": L4}},
        "traffic_split": {"v2": 100},
    }
