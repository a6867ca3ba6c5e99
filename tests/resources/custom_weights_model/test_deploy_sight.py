"""While Model Garden's deploy runs, its operation shows nothing: what is reported comes from the endpoint."""

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.resources.conftest import QUICK
from tests.support.lives.life import Life
from tests.support.samples.weights import make_bucket, put_weights

L4 = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}


@pytest.fixture
def life(emulator, host):
    make_bucket(emulator)
    life = Life(host, CustomWeightsModelProvider)
    emulator.set_speed(400)
    yield life
    emulator.set_speed(QUICK)
    life.destroy()


def told(host, since):
    return [line.partition("deploying: ")[2].partition(" (")[0].strip() for line in host.said[since:]]


def test_a_deployment_is_told_by_what_is_there(emulator, host, life):
    since = len(host.said)
    life.up({"gcs_uri": put_weights(emulator), "machine_spec": L4})
    phases = [phase for phase in told(host, since) if phase]
    assert "the endpoint is there, its model is not on it yet" in phases
    operations = [request["response"] for request in emulator.requests() if "operations.get" in str(request["rpc"])]
    assert operations
    assert not any("deploymentStage" in answer["metadata"] for answer in operations)


@pytest.mark.parametrize("fault", [{"fault": "status", "status": 503}, {"fault": "perimeter_403"}], ids=["503", "403"])
def test_a_look_that_gets_no_answer_does_not_disturb_the_deployment(emulator, host, life, fault):
    def hinder(request):
        if str(request["rpc"]).endswith("locations.deploy"):
            emulator.fail(rpc="endpoints.get", **fault)

    with emulator.watched(hinder):
        assert life.up({"gcs_uri": put_weights(emulator), "machine_spec": L4})["deployed_model_id"]
    assert [declared["met"] for declared in emulator.faults()] == [1]
