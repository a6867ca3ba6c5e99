"""What an earlier version kept is read, also where this version would refuse it: a stack can always be destroyed."""

import pytest
from pydantic import BaseModel

from mg_provider.resources.model.lifecycle import Timeouts
from mg_provider.resources.model.unknown import UNKNOWN, plain
from mg_provider.wire.vertex.container import ContainerSpec
from tests.support.samples.samples import (
    CONTAINER,
    CUSTOM_WEIGHTS_MODEL,
    DEDICATED_ENDPOINT,
    EACH_ARGUMENT,
    L4,
    MODEL,
    label,
    places,
    put,
)

# Of a key there is nothing but its name, and a name has been a text in every version.
NESTED = [
    (kind, name) for kind, name in EACH_ARGUMENT if list(places(kind.samples[name].value)) and name != "encryption_spec"
]


def recalled(kind, name, value):
    return getattr(kind.args_type.recall(kind.arguments(name, value)), name)


def test_a_number_that_was_a_text_is_the_number():
    container = recalled(CUSTOM_WEIGHTS_MODEL, "container_spec", {**CONTAINER, "shared_memory_size_mb": "16384"})
    assert container.shared_memory_size_mb == 16384


def test_what_is_wrong_in_an_object_is_left_out_of_it():
    container = recalled(
        CUSTOM_WEIGHTS_MODEL, "container_spec", {**CONTAINER, "ports": [{"container_port": "a"}, {"gone": 1}]}
    )
    assert isinstance(container, ContainerSpec)
    assert plain(container) == {**CONTAINER, "ports": [{}, {}]}
    assert recalled(DEDICATED_ENDPOINT, "timeouts", {"create": -1, "delete": 5}) == Timeouts(delete=5)


def test_a_list_keeps_what_is_right_in_it():
    specs = recalled(CUSTOM_WEIGHTS_MODEL, "machine_spec", [L4, "a3-highgpu-8g", {**L4, "accelerator_count": "many"}])
    assert [plain(spec) for spec in specs] == [L4, {key: L4[key] for key in ("machine_type", "accelerator_type")}]


def test_a_served_model_is_one_whatever_its_counts_were():
    served = recalled(DEDICATED_ENDPOINT, "deployed_models", {"a": {"model": MODEL, "max_replica_count": 10**6}})["a"]
    assert served.model == MODEL
    assert served.max_replica_count is None


def test_what_is_not_known_yet_stays_so():
    value = {**CONTAINER, "image_uri": UNKNOWN, "ports": [{"container_port": "a"}]}
    container = recalled(CUSTOM_WEIGHTS_MODEL, "container_spec", value)
    assert isinstance(container, ContainerSpec)
    assert plain(container) == {**value, "ports": [{}]}


@pytest.mark.parametrize(("kind", "name"), NESTED, ids=label)
def test_an_object_in_which_anything_is_wrong_is_still_one(kind, name):
    value = kind.samples[name].value
    expected = type(recalled(kind, name, value))
    for path in places(value):
        for wrong in ([[]], {"x": {}}, "x", -1e300, True):
            found = recalled(kind, name, put(value, path, wrong))
            assert type(found) is expected, (path, wrong)
            assert not issubclass(expected, BaseModel) or plain(found) is not None
