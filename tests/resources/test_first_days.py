"""The first days of a project: service agents that are on their way, that may not make or not read what is needed."""

import pytest

from mg_provider.resources.batch_job import BatchJobProvider
from mg_provider.resources.dedicated_endpoint import DedicatedEndpointProvider
from tests.support.lives.endpoints import Hand, told
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.batch import arguments as batch_arguments
from tests.support.samples.batch import jobs, put_questions
from tests.support.samples.weights import make_bucket, put_weights

L4 = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}
# A real second or so.
SOON = 1_500_000
LINE = "service agents are being provisioned"
IMAGE = "us-central1-docker.pkg.dev/my-project/images/server:1"


def calls_of(emulator, end):
    return [one for one in emulator.requests() if (one["rpc"] or "").endswith(end)]


def lines(host, since):
    return [line for line in told(host, since).splitlines() if LINE in line]


def agent(emulator):
    number = emulator.world.project_number("my-project")
    return f"service-{number}@gcp-sa-aiplatform.iam.gserviceaccount.com"


def test_a_deployment_waits_for_service_agents_that_are_on_their_way_with_one_line(emulator, life, weights, host):
    emulator.behave(service_agents_ready_after=SOON)
    since = len(host.said)
    outputs = life.up({"gcs_uri": weights, "machine_spec": L4})
    assert outputs["deployed_model_id"]
    assert {one["status"] for one in calls_of(emulator, "locations.deploy")[:-1]} == {400}
    assert len(lines(host, since)) == 1
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_an_operation_that_ended_so_is_begun_again_with_what_it_left(emulator, life, weights, host):
    emulator.fail(
        rpc="locations.deploy", fault="service_agents_400", place="operation", at_stage="PREPARING_MODEL", times=1
    )
    since = len(host.said)
    life.up({"gcs_uri": weights, "machine_spec": L4})
    assert [fault["met"] for fault in emulator.faults()] == [1]
    assert len(lines(host, since)) == 1
    counts = emulator.ledger()["counts"]
    assert (counts["aiplatform.Endpoint"], counts["aiplatform.Model"]) == (1, 1)
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize("place", ["call", "operation"])
def test_an_endpoint_waits_for_them_too(emulator, host, place):
    life, model = Life(host, DedicatedEndpointProvider), Hand(emulator).upload("served")
    emulator.fail(rpc="endpoints.deployModel", fault="service_agents_400", place=place, times=2)
    since = len(host.said)
    life.up({"deployed_models": {"a": {"model": model, "machine_spec": L4}}})
    assert [fault["met"] for fault in emulator.faults()] == [2]
    assert len(lines(host, since)) == 1
    assert life.refresh() == {}
    life.destroy()
    assert list(emulator.ledger()["counts"]) == ["aiplatform.Model"]


@pytest.mark.parametrize("place", ["call", "operation"])
def test_an_upload_of_new_weights_waits_for_them_too(emulator, life, weights, host, place):
    life.up({"gcs_uri": weights, "machine_spec": L4})
    emulator.fail(rpc="models.upload", fault="service_agents_400", place=place, times=2)
    since = len(host.said)
    life.up({"gcs_uri": put_weights(emulator, "llama-2"), "machine_spec": L4})
    assert [fault["met"] for fault in emulator.faults()] == [2]
    assert len(lines(host, since)) == 1
    assert life.refresh() == {}
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_batch_job_waits_too_and_is_made_once(emulator, host):
    make_bucket(emulator)
    put_questions(emulator)
    emulator.behave(service_agents_ready_after=SOON)
    life = Life(host, BatchJobProvider, name="nightly")
    assert life.up(batch_arguments())["job_state"] == "JOB_STATE_SUCCEEDED"
    assert len(jobs(emulator)) == 1
    life.destroy()


def test_the_wait_ends_with_the_timeout_and_leaves_nothing(emulator, life, weights):
    emulator.fail(rpc="locations.deploy", fault="service_agents_400", times=99)
    with pytest.raises(HostError, match="Service agents are being provisioned") as failure:
        life.up({"gcs_uri": weights, "machine_spec": L4, "timeouts": {"create": 1}})
    assert "run the same command again in a few minutes" in failure.value.text
    assert failure.value.kept is None
    assert emulator.ledger()["empty"]


def test_a_bare_internal_error_names_the_agent_and_its_role(emulator, life, weights):
    emulator.behave(service_agent_may_deploy=False)
    with pytest.raises(HostError) as failure:
        life.up({"gcs_uri": weights, "machine_spec": L4})
    assert f"grant {agent(emulator)} the role roles/aiplatform.user" in failure.value.text
    assert "project_allowlist" not in failure.value.text
    assert failure.value.kept is None
    assert emulator.ledger()["empty"]
    emulator.behave(service_agent_may_deploy=True)
    life.up({"gcs_uri": weights, "machine_spec": L4})
    life.destroy()


def test_where_there_is_an_allowlist_a_bare_internal_error_names_it_too(emulator, life, weights):
    emulator.behave(service_agent_may_deploy=False)
    private = {"enable_private_service_connect": True, "project_allowlist": ["my-project", "client-project"]}
    with pytest.raises(HostError) as failure:
        life.up({"gcs_uri": weights, "machine_spec": L4, "private_service_connect_config": private})
    assert "roles/aiplatform.user" in failure.value.text
    assert "project_allowlist has to be the id of a project: my-project, client-project" in failure.value.text


@pytest.mark.parametrize(
    ("behaviour", "beginning", "role"),
    [
        ("unreadable_weights", "gs://weights-bucket/", "roles/storage.objectViewer"),
        ("unreadable_images", "us-central1-docker.pkg.dev/my-project/", "roles/artifactregistry.reader"),
    ],
)
def test_what_the_service_agent_may_not_read_is_told_with_the_role(emulator, life, weights, behaviour, beginning, role):
    emulator.behave(**{behaviour: [beginning]})
    model = {"gcs_uri": weights, "machine_spec": L4, "container_spec": {"image_uri": IMAGE}}
    with pytest.raises(HostError) as failure:
        life.up(model)
    assert f"grant {agent(emulator)} the role {role}" in failure.value.text
    assert emulator.ledger()["empty"]
    # An upload is refused at once.
    emulator.behave(**{behaviour: []})
    life.up(model)
    emulator.behave(**{behaviour: [beginning]})
    with pytest.raises(HostError) as failure:
        life.up({**model, "gcs_uri": put_weights(emulator, "llama-2")})
    assert f"grant {agent(emulator)} the role {role}" in failure.value.text
    assert calls_of(emulator, "models.upload")[-1]["status"] == 400
    life.destroy()


@pytest.mark.parametrize("place", ["call", "operation"])
def test_an_organization_policy_of_vertex_ai_is_named_with_what_to_allow(emulator, life, weights, place):
    emulator.fail(rpc="locations.deploy", fault="vertex_organization_policy_400", place=place)
    with pytest.raises(HostError) as failure:
        life.up({"gcs_uri": weights, "machine_spec": L4})
    assert "constraints/vertexai.allowedModels forbids using models" in failure.value.text
    assert "roles/orgpolicy.policyAdmin" in failure.value.text
    assert "somebody changed" not in failure.value.text
    assert emulator.ledger()["empty"]
