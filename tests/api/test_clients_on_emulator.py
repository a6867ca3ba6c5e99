"""The clients against the emulator, which checks each request and answer by Google's discovery documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mg_provider.api.bigquery.queries import Query
from mg_provider.api.clients import Clients
from mg_provider.api.errors import Aborted, AlreadyExists, CloudError, NotFound, RateLimited
from mg_provider.api.http.settings import Settings
from mg_provider.api.waiting import Waiting
from mg_provider.clock import ManualClock, SystemClock
from mg_provider.emulator import Emulator
from mg_provider.wire.compute import Address, ComputeOperation, SetLabelsRequest
from mg_provider.wire.storage import Bucket
from mg_provider.wire.vertex.endpoint import Endpoint

PROJECT, REGION = "my-project", "us-central1"
PARENT = f"projects/{PROJECT}/locations/{REGION}"
SUBNETWORK = f"projects/{PROJECT}/regions/{REGION}/subnetworks/default"


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    with Emulator(port=0, speed=60_000) as emulator:
        yield emulator


@pytest.fixture
def clients(cloud: Emulator) -> Iterator[Clients]:
    settings = Settings(
        vertex_custom_endpoint=cloud.url,
        compute_custom_endpoint=cloud.url,
        storage_custom_endpoint=cloud.url,
        big_query_custom_endpoint=cloud.url,
    )
    clients = Clients.from_settings(settings, SystemClock())
    yield clients
    clients.close()


def done(clients: Clients, operation: ComputeOperation) -> ComputeOperation:
    return clients.operations.wait_compute(PROJECT, REGION, operation, Waiting(30))


def test_an_address_lives_from_reservation_to_release(clients: Clients) -> None:
    compute = clients.compute
    address = Address(name="a", address_type="INTERNAL", purpose="GCE_ENDPOINT", subnetwork=SUBNETWORK)
    request_id = SystemClock().request_id()
    begun = compute.addresses.insert(PROJECT, REGION, address, request_id)
    assert compute.addresses.insert(PROJECT, REGION, address, request_id).name == begun.name
    done(clients, begun)
    reserved = compute.addresses.get(PROJECT, REGION, "a")
    assert reserved.status == "RESERVED"
    assert (reserved.address or "").startswith("127.")

    with pytest.raises(AlreadyExists):
        compute.addresses.insert(PROJECT, REGION, address, SystemClock().request_id())

    labels = SetLabelsRequest(labels={"mg-owner": "x"}, label_fingerprint=reserved.label_fingerprint or "")
    done(clients, compute.addresses.set_labels(PROJECT, REGION, "a", labels, SystemClock().request_id()))
    assert compute.addresses.get(PROJECT, REGION, "a").labels == {"mg-owner": "x"}
    with pytest.raises(Aborted):
        done(clients, compute.addresses.set_labels(PROJECT, REGION, "a", labels, SystemClock().request_id()))

    done(clients, compute.addresses.delete(PROJECT, REGION, "a", SystemClock().request_id()))
    with pytest.raises(NotFound):
        compute.addresses.get(PROJECT, REGION, "a")


def test_a_reservation_whose_answer_is_lost_is_repeated_and_made_once(cloud: Emulator, clients: Clients) -> None:
    cloud.fail(rpc="compute.addresses.insert", fault="lose_answer", times=1)
    address = Address(name="a", address_type="INTERNAL", purpose="GCE_ENDPOINT", subnetwork=SUBNETWORK)
    done(clients, clients.compute.addresses.insert(PROJECT, REGION, address, SystemClock().request_id()))

    assert [fault["met"] for fault in cloud.faults()] == [1]
    inserts = [each for each in cloud.requests() if each["rpc"] == "compute.addresses.insert"]
    assert len(inserts) == 2
    assert len({each["query"]["requestId"] for each in inserts}) == 1


def test_objects_are_written_listed_read_in_part_and_removed(clients: Clients) -> None:
    storage = clients.storage
    assert storage.insert_bucket(PROJECT, Bucket(name="weights", location="US-CENTRAL1")).location == "US-CENTRAL1"
    with pytest.raises(AlreadyExists):
        storage.insert_bucket(PROJECT, Bucket(name="weights"))
    for name in ("f/config.json", "f/model-1.safetensors", "f/sub/x y+ü.txt"):
        storage.upload_object("weights", name, name.encode(), if_generation_match=0)
    with pytest.raises(Aborted):
        storage.upload_object("weights", "f/config.json", b"", if_generation_match=0)

    listing = storage.list_folder("weights", "f/")
    assert [item.name for item in listing.objects] == ["f/config.json", "f/model-1.safetensors"]
    assert listing.prefixes == ["f/sub/"]
    globbed = storage.list_objects("weights", match_glob="f/*.safetensors")
    assert [item.name for item in globbed] == ["f/model-1.safetensors"]
    assert storage.get_object("weights", "f/sub/x y+ü.txt").size == len("f/sub/x y+ü.txt".encode())
    assert storage.read_object("weights", "f/config.json", start=2, length=6) == b"config"
    with pytest.raises(CloudError, match="416"):
        storage.read_object("weights", "f/config.json", start=1000)

    storage.delete_object("weights", "f/config.json")
    with pytest.raises(NotFound):
        storage.get_object("weights", "f/config.json")


def test_an_endpoint_is_made_changed_and_removed(clients: Clients) -> None:
    vertex = clients.vertex
    wait = clients.operations.wait
    endpoint = Endpoint(display_name="e", labels={"mg-owner": "x"}, dedicated_endpoint_enabled=True)
    wait(vertex.create_endpoint(PARENT, "e", endpoint), Waiting(30))
    name = f"{PARENT}/endpoints/e"
    made = vertex.get_endpoint(name)
    assert made.labels == {"mg-owner": "x"}
    with pytest.raises(AlreadyExists):
        wait(vertex.create_endpoint(PARENT, "e", endpoint), Waiting(30))

    patched = vertex.patch_endpoint(name, Endpoint(description="d", etag=made.etag), ["description"])
    assert (patched.description, patched.display_name) == ("d", "e")
    with pytest.raises(Aborted):
        vertex.patch_endpoint(name, Endpoint(description="other", etag=made.etag), ["description"])
    assert [each.name for each in vertex.list_endpoints(PARENT, 'labels.mg-owner="x"')] == [made.name]
    assert list(vertex.list_endpoints(PARENT, 'labels.mg-owner="y"')) == []

    wait(vertex.delete_endpoint(name), Waiting(30))
    with pytest.raises(NotFound):
        vertex.get_endpoint(name)


def test_what_does_not_exist_is_not_found_in_every_service(clients: Clients) -> None:
    calls = [
        lambda: clients.vertex.get_model(f"{PARENT}/models/absent"),
        lambda: clients.vertex.get_batch_prediction_job(f"{PARENT}/batchPredictionJobs/1"),
        lambda: clients.compute.forwarding_rules.get(PROJECT, REGION, "absent"),
        lambda: clients.storage.get_bucket("absent"),
        lambda: clients.bigquery.get_table(PROJECT, "absent", "absent"),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()


@pytest.fixture
def patient(cloud: Emulator) -> Iterator[tuple[Clients, ManualClock]]:
    clock = ManualClock()
    clients = Clients.from_settings(Settings(big_query_custom_endpoint=cloud.url), clock)
    yield clients, clock
    clients.close()


@pytest.mark.parametrize(
    ("rpc", "fault", "jobs"),
    [
        ("bigquery.jobs.insert", "bigquery_rate_limit_403", 1),
        ("bigquery.jobs.getQueryResults", "bigquery_rate_limit_403", 1),
        # The job has begun, and ended so: only another one fares better.
        ("bigquery.jobs.getQueryResults", "bigquery_job_rate_limit", 3),
    ],
)
def test_a_query_that_comes_too_fast_is_run_a_little_later(
    cloud: Emulator, patient: tuple[Clients, ManualClock], rpc: str, fault: str, jobs: int
) -> None:
    clients, clock = patient
    cloud.fail(rpc=rpc, fault=fault, times=2)
    assert list(Query(clients.bigquery, PROJECT, "SELECT 1 AS one", "asked").rows()) == [{"one": 1}]
    assert [one["met"] for one in cloud.faults()] == [2]
    made = {one["response"]["jobReference"]["jobId"] for one in cloud.requests() if _made_job(one)}
    assert len(made) == jobs
    assert clock.sleeps == [1.0, 2.0]


def test_a_query_whose_jobs_are_all_too_many_is_given_up(cloud: Emulator, patient: tuple[Clients, ManualClock]) -> None:
    clients, _ = patient
    cloud.fail(rpc="bigquery.jobs.getQueryResults", fault="bigquery_job_rate_limit", times=99)
    with pytest.raises(RateLimited):
        list(Query(clients.bigquery, PROJECT, "SELECT 1 AS one", "asked").rows())
    assert len([one for one in cloud.requests() if _made_job(one)]) == 6


def _made_job(request: dict[str, Any]) -> bool:
    return bool(request["rpc"] == "bigquery.jobs.insert" and request["status"] == 200)
