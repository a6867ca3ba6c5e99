"""The container runs as the service account that the program asks for, or the run says that it does not."""

import pytest

from tests.support.lives.endpoints import L4, Hand, kinds
from tests.support.lives.host import HostError
from tests.support.lives.rollouts import UNPROBED
from tests.support.samples.weights import make_bucket, put_weights

ACCOUNT = "server@my-project.iam.gserviceaccount.com"
ONE = ["DeployedModel", "Endpoint", "Model"]
PUBLISHED = {"publisher_model_name": "publishers/google/models/gemma3@gemma-3-1b-it", "machine_spec": L4}


def runs_as(emulator, life):
    return [entry.get("serviceAccount") for entry in Hand(emulator).endpoint(life.id)["deployedModels"]]


@pytest.mark.parametrize("source", ["weights", "published"])
def test_the_container_runs_as_the_account_although_model_gardens_deploy_drops_it(emulator, life, source):
    make_bucket(emulator)
    wanted = PUBLISHED if source == "published" else {"gcs_uri": put_weights(emulator), "machine_spec": L4}
    wanted = {**wanted, "service_account": ACCOUNT}
    life.up(wanted)
    assert runs_as(emulator, life) == [ACCOUNT]
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"]


def test_what_only_model_gardens_deploy_makes_and_it_runs_as_another_account_is_an_error_and_taken_back(emulator, life):
    with pytest.raises(HostError, match="runs as an account that Google chose") as failure:
        life.up({**PUBLISHED, "accept_eula": True, "service_account": ACCOUNT})
    assert ACCOUNT in failure.value.text
    assert "do: copy the weights to a bucket" in failure.value.text
    assert failure.value.kept is None
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_where_model_gardens_deploy_takes_the_account_it_is_used(emulator, life):
    emulator.behave(fields_of_no_client="kept")
    wanted = {**PUBLISHED, "accept_eula": True, "service_account": ACCOUNT}
    life.up(wanted)
    assert runs_as(emulator, life) == [ACCOUNT]
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])


def test_another_account_by_hand_shows_as_drift_and_is_set_right(emulator, life):
    make_bucket(emulator)
    wanted = {"gcs_uri": put_weights(emulator), "machine_spec": L4, "service_account": ACCOUNT, "rollout": UNPROBED}
    hand, outputs = Hand(emulator), life.up(wanted)
    hand.undeploy(life.id, outputs["deployed_model_id"])
    hand.deploy(life.id, outputs["model"], {"0": 100}, serviceAccount="other@my-project.iam.gserviceaccount.com")
    assert life.refresh()["service_account"] == "other@my-project.iam.gserviceaccount.com"
    life.up(wanted)
    assert runs_as(emulator, life) == [ACCOUNT]
    assert kinds(emulator) == ONE
