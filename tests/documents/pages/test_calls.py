"""The pages say which calls each step of a resource's life makes; here they are counted."""

import re

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.documents.markdown import part, read
from tests.resources.conftest import QUICK, config
from tests.support.lives.host import Host
from tests.support.lives.life import Life
from tests.support.samples.weights import make_bucket, put_weights

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}


def documented(page):
    rows = re.findall(r"^\| ([\w ]+) \| (.*) \|$", part(read(page), "calls"), flags=re.MULTILINE)
    return {step: in_order(re.findall(r"`([\w.]+)`", calls)) for step, calls in rows if step != "step"}


def in_order(calls):
    """The calls; those to the bucket, which go out side by side, by name."""
    bucket = iter(sorted(call for call in calls if call.startswith("storage.")))
    return [next(bucket) if call.startswith("storage.") else call for call in calls]


class Counted:
    """The calls of each step, as the emulator received them, each at its first place."""

    def __init__(self, emulator, life):
        self.emulator, self.life, self.steps = emulator, life, {}

    def __call__(self, step, work):
        seen = len(self.emulator.requests())
        work()
        received = [entry["rpc"] for entry in self.emulator.requests()[seen:]]
        names = [re.sub(r"^aiplatform\.projects\.(locations\.)?", "", rpc) for rpc in received]
        self.steps[step] = in_order(dict.fromkeys(names))

    def live(self, arguments, **changes):
        self("create", lambda: self.life.up(arguments))
        self("preview", lambda: self.life.preview(arguments))
        self("refresh", self.life.refresh)
        for step, change in changes.items():
            arguments = {**arguments, **change}
            self(step.replace("_", " "), lambda wanted=arguments: self.life.up(wanted))
        self("destroy", self.life.destroy)


@pytest.fixture
def host(emulator):
    """A process of its own: the location is read once in each."""
    emulator.set_speed(QUICK)
    own = Host(config(emulator))
    yield own
    own.close()


@pytest.fixture
def weights(emulator):
    make_bucket(emulator)
    return put_weights(emulator)


def test_a_model_makes_the_calls_that_its_page_names(emulator, host, weights):
    counted = Counted(emulator, Life(host, CustomWeightsModelProvider))
    counted.live(
        {"gcs_uri": weights},
        change_replicas={"min_replica_count": 2},
        change_labels={"labels": {"a": "b"}},
        roll_out_other_weights={"gcs_uri": put_weights(emulator, "other")},
        park={"parked": True},
    )
    assert counted.steps == documented("docs/custom-weights-model.md")


def test_an_endpoint_makes_the_calls_that_its_page_names(emulator, host, weights):
    model = Life(host, CustomWeightsModelProvider)
    served = {"model": model.up({"gcs_uri": weights})["model"], "machine_spec": L4}
    counted = Counted(emulator, Life(host, DedicatedEndpointProvider, name="chat"))
    counted.live(
        {"deployed_models": {"v1": served}},
        change_replicas={"deployed_models": {"v1": {**served, "min_replica_count": 2}}},
        change_labels={"labels": {"a": "b"}},
        change_the_machine_of_a_model={"deployed_models": {"v1": {**served, "spot": True}}},
    )
    assert counted.steps == documented("docs/dedicated-endpoint.md")
