"""A served model's life: create, refresh clean, update, refresh clean, destroy, ledger empty."""

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import call

L4 = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}
PRIVATE = {"enable_private_service_connect": True, "project_allowlist": ["my-project", "client-project"]}


def arguments(weights, **more):
    return {"gcs_uri": weights, "machine_spec": L4, "min_replica_count": 1, "max_replica_count": 2, **more}


def kinds(emulator):
    return sorted(entry["kind"] for entry in emulator.ledger()["resources"])


def test_a_model_lives_from_create_to_destroy_and_leaves_nothing(emulator, life, weights):
    wanted = arguments(weights, labels={"team": "search"})
    outputs = life.up(wanted)
    assert outputs["endpoint"] == f"projects/my-project/locations/us-central1/endpoints/{outputs['endpoint_id']}"
    assert life.id == outputs["endpoint"]
    assert outputs["deployed_model_id"]
    assert outputs["dedicated_endpoint_dns"].endswith(".prediction.vertexai.goog")
    assert outputs["service_attachment"] == ""
    assert life.preview(wanted) == ("same", [])
    assert life.refresh() == {}

    changed = arguments(weights, labels={"team": "ads"}, min_replica_count=2, max_replica_count=3, description="new")
    assert life.preview(changed) == ("update", [])
    after = life.up(changed)
    assert {name: after[name] for name in ("endpoint", "deployed_model_id", "dedicated_endpoint_dns")} == {
        name: outputs[name] for name in ("endpoint", "deployed_model_id", "dedicated_endpoint_dns")
    }
    assert life.refresh() == {}
    assert life.preview(changed) == ("same", [])

    life.destroy()
    ledger = emulator.ledger()
    assert ledger["empty"], ledger["leftovers"]
    assert ledger["gpu_seconds"]["NVIDIA_L4"] > 0


def test_a_private_model_has_a_service_attachment_and_no_public_name(life, weights):
    outputs = life.up(arguments(weights, private_service_connect_config=PRIVATE))
    assert "/serviceAttachments/" in outputs["service_attachment"]
    assert outputs["dedicated_endpoint_dns"] == ""
    assert life.refresh() == {}
    life.destroy()


def test_the_allowlist_changes_in_place(life, weights):
    life.up(arguments(weights, private_service_connect_config=PRIVATE))
    wider = {**PRIVATE, "project_allowlist": [*PRIVATE["project_allowlist"], "third-project"]}
    wanted = arguments(weights, private_service_connect_config=wider)
    assert life.preview(wanted) == ("update", [])
    life.up(wanted)
    assert life.refresh() == {}
    life.destroy()


def test_ids_are_known_before_anything_is_made(life, weights):
    inputs = life.check(arguments(weights))
    outputs = life.up(arguments(weights))
    for name in ("endpoint", "endpoint_id", "model", "model_id"):
        assert inputs[name] == outputs[name]
    life.destroy()


def test_a_change_by_hand_shows_as_the_property_that_drifted_and_up_heals_it(emulator, life, weights):
    wanted = arguments(weights, labels={"team": "search"})
    outputs = life.up(wanted)
    call(
        f"{emulator.url}/v1beta1/{outputs['endpoint']}:mutateDeployedModel",
        {
            "deployedModel": {"id": outputs["deployed_model_id"], "dedicatedResources": {"minReplicaCount": 2}},
            "updateMask": "dedicatedResources.minReplicaCount",
        },
    )
    emulator.advance(600)
    call(f"{emulator.url}/v1beta1/{outputs['endpoint']}?updateMask=description", {"description": "by hand"}, "PATCH")
    assert life.refresh() == {"min_replica_count": 2, "description": "by hand"}
    assert life.preview(wanted)[0] == "update"
    life.up(wanted)
    assert life.refresh() == {}
    life.destroy()


def test_a_model_undeployed_by_hand_is_deployed_again_on_the_same_endpoint(emulator, life, weights):
    wanted = arguments(weights)
    outputs = life.up(wanted)
    call(
        f"{emulator.url}/v1beta1/{outputs['endpoint']}:undeployModel",
        {"deployedModelId": outputs["deployed_model_id"]},
    )
    emulator.advance(3600)
    assert life.refresh() == {"min_replica_count": 0}
    healed = life.up(wanted)
    assert healed["endpoint"] == outputs["endpoint"]
    assert healed["deployed_model_id"] not in ("", outputs["deployed_model_id"])
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_an_endpoint_deleted_by_hand_shows_in_a_refresh_and_is_made_again(emulator, life, weights):
    wanted = arguments(weights)
    outputs = life.up(wanted)
    call(
        f"{emulator.url}/v1beta1/{outputs['endpoint']}:undeployModel", {"deployedModelId": outputs["deployed_model_id"]}
    )
    emulator.advance(3600)
    call(f"{emulator.url}/v1beta1/{outputs['endpoint']}", method="DELETE")
    emulator.advance(3600)
    # Its Model is still there, and would be lost with the resource.
    assert life.refresh() == {"endpoint_display_name": "", "min_replica_count": 0}
    assert life.preview(wanted) == ("update", [])
    assert life.up(wanted)["endpoint"] == outputs["endpoint"]
    assert kinds(emulator) == ["aiplatform.DeployedModel", "aiplatform.Endpoint", "aiplatform.Model"]
    life.destroy()
    assert emulator.ledger()["empty"]


def test_destroy_takes_what_is_gone_already_as_done(emulator, life, weights):
    outputs = life.up(arguments(weights))
    call(
        f"{emulator.url}/v1beta1/{outputs['endpoint']}:undeployModel", {"deployedModelId": outputs["deployed_model_id"]}
    )
    emulator.advance(3600)
    life.destroy()
    assert emulator.ledger()["empty"]


def test_an_endpoint_of_another_stack_is_never_touched(emulator, host, life, weights):
    life.up(arguments(weights, endpoint_id="shared-name", model_id="shared-model"))
    other = Life(host, CustomWeightsModelProvider, owner="acme/project/other")
    before = emulator.ledger()["resources"]
    with pytest.raises(HostError, match="ownership label"):
        other.up(arguments(weights, endpoint_id="shared-name", model_id="shared-model-2"))
    assert emulator.ledger()["resources"] == before
    life.destroy()


def test_a_renamed_resource_keeps_its_endpoint(emulator, life, weights):
    wanted = arguments(weights)
    before = life.up(wanted)
    life.name = "renamed"
    assert life.preview(wanted) == ("update", [])
    assert life.up(wanted)["endpoint"] == before["endpoint"]
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_deletion_on_behalf_of_an_older_create_leaves_what_a_newer_one_took_up(emulator, host, life, weights):
    wanted = arguments(weights)
    life.up(wanted)
    newer = Life(host, CustomWeightsModelProvider)
    newer.up(wanted)
    assert newer.id == life.id
    life.destroy()
    assert "aiplatform.Endpoint" in kinds(emulator)
    newer.destroy()
    assert emulator.ledger()["empty"]
