"""Where no source settles what Google does, a life goes well whichever it is: the readings that are not the default."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.resources.conftest import QUICK
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.lives.rollouts import L4, ONE, arguments, kinds, serving
from tests.support.samples import batch
from tests.support.samples.weights import make_bucket, put_weights


def end(emulator, life):
    life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


@pytest.mark.parametrize(
    "reading",
    [
        {"upload_labels": "model"},
        {"quota_counts": "current"},
        {"conflicting_operations": "allow", "model_of_another_location": "refuse"},
        {"dedicated_endpoint_patch": "allow", "chat_model_name": "ignored", "labels_at_most": 10},
        {"model_release_seconds": 600.0, "attachment_recycle_seconds": 0.0},
        {"rolled_out_deployment": "kept", "failed_deploy_endpoint": "removed"},
        {"dedicated_dns_after": 900.0, "fast_tryout": "shown"},
        {"failed_deploy_holds_seconds": 1800.0, "failed_deploy_endpoint": "removed"},
    ],
    ids=lambda reading: "-".join(reading),
)
def test_a_model_is_deployed_rolled_out_relabelled_and_removed(emulator, life, old, reading):
    emulator.behave(**reading)
    life.up(arguments(old, labels={"team": "a", "stage": "b"}))
    new = put_weights(emulator, "new")
    life.up(arguments(new, labels={"team": "a", "stage": "b"}))
    assert serving(emulator, life) == {new: 100}
    life.up(arguments(new, labels={"team": "c"}))
    assert life.refresh() == {}
    assert life.preview(arguments(new, labels={"team": "c"})) == ("same", [])
    assert kinds(emulator) == ONE
    end(emulator, life)


def test_a_label_that_an_upload_gave_is_taken_away_again(emulator, life, old):
    life.up(arguments(old, labels={"team": "a", "stage": "b"}))
    life.up(arguments(put_weights(emulator, "new"), labels={"team": "a", "stage": "b"}))
    life.up(arguments(put_weights(emulator, "new"), labels={"team": "c"}))
    (model,) = [entry for entry in emulator.ledger()["resources"] if entry["kind"] == "aiplatform.Model"]
    assert "stage" not in model["labels"]
    assert model["labels"].get("team") in (None, "c")
    end(emulator, life)


def test_a_kept_model_is_nobodys_whosever_its_labels_were(emulator, life, old):
    life.up(arguments(old))
    life.up(arguments(put_weights(emulator, "new"), retain_model=True))
    life.destroy()
    left = emulator.ledger()["resources"]
    assert {entry["kind"] for entry in left} == {"aiplatform.Model"}
    assert not any({"mg-owner", "mg-resource", "mg-endpoint"} & set(entry["labels"]) for entry in left)


@pytest.mark.parametrize("value", ["kept", "removed"])
def test_a_failed_deployment_leaves_nothing_and_the_next_one_goes_well(emulator, life, old, value):
    emulator.behave(failed_deploy_endpoint=value)
    emulator.fail(rpc="locations.deploy", fault="container_exited")
    with pytest.raises(HostError, match="Model server exited unexpectedly"):
        life.up(arguments(old))
    assert emulator.ledger()["empty"]
    life.up(arguments(old))
    end(emulator, life)


@pytest.mark.parametrize("value", ["ends", "refused"])
def test_a_deployment_that_is_given_up_leaves_nothing_whether_or_not_it_can_be_cancelled(emulator, life, old, value):
    emulator.behave(cancel_operation=value)
    emulator.set_speed(60)
    with pytest.raises(HostError, match="has not ended"):
        life.up(arguments(old, timeouts={"create": 0.5}))
    emulator.set_speed(QUICK)
    end(emulator, life)


@pytest.mark.parametrize("seconds", [0.0, 1_500_000.0])
def test_an_endpoint_whose_name_comes_late_is_had_with_its_name(emulator, host, seconds):
    emulator.behave(dedicated_dns_after=seconds)
    life = Life(host, DedicatedEndpointProvider, name="chat")
    assert life.up({"dedicated_endpoint_enabled": True})["dedicated_endpoint_dns"]
    assert life.refresh() == {}
    end(emulator, life)


@pytest.mark.parametrize("value", ["allow", "refuse"])
def test_a_timeout_of_connections_is_changed_or_the_refusal_is_told_and_nothing_moves(emulator, host, value):
    life = Life(host, DedicatedEndpointProvider, name="chat")
    life.up({"client_connection_config": {"inference_timeout": "60s"}})
    emulator.behave(client_connection_update=value)
    wanted = {"client_connection_config": {"inference_timeout": "900s"}}
    if value == "allow":
        life.up(wanted)
    else:
        with pytest.raises(HostError, match="cannot be changed"):
            life.up(wanted)
    end(emulator, life)


@pytest.mark.parametrize("value", ["dropped", "kept"])
def test_a_model_of_model_garden_is_asked_by_a_name_that_it_knows(emulator, host, value):
    emulator.behave(publisher_env=value)
    life = Life(host, CustomWeightsModelProvider, name="gemma")
    name = "publishers/google/models/gemma3@gemma-3-1b-it"
    life.up({"publisher_model_name": name, "accept_eula": True, "machine_spec": L4})
    assert life.refresh() == {}
    end(emulator, life)


@pytest.mark.parametrize("text", ["only a job that has finished can be deleted.", "no."])
def test_a_running_batch_job_is_removed_whatever_google_says_of_it(emulator, host, text):
    make_bucket(emulator)
    batch.put_questions(emulator)
    emulator.behave(batch_delete_refusal=text)
    life = Life(host, BatchJobProvider, name="nightly")
    life.up(batch.arguments(wait=False))
    end(emulator, life)


def test_weights_of_another_region_serve_or_the_refusal_is_told_and_nothing_is_left(emulator, life, old):
    with pytest.raises(HostError, match="is in US-CENTRAL1, and the Model in europe-west4"):
        life.up(arguments(old, region="europe-west4"))
    assert emulator.ledger()["empty"]
    emulator.behave(weights_of_another_region="allow")
    life.up(arguments(old, region="europe-west4"))
    end(emulator, life)
