"""Each client method sends what Google's discovery documents describe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mg_provider.api.clients import Clients
from mg_provider.api.errors import CloudError
from mg_provider.api.http.settings import Settings
from mg_provider.clock import ManualClock
from mg_provider.wire.bigquery import Job, QueryRequest
from mg_provider.wire.compute import Address, ForwardingRule, SetLabelsRequest
from mg_provider.wire.storage import Bucket
from mg_provider.wire.vertex.batch import BatchPredictionJob
from mg_provider.wire.vertex.deploy import CustomModel, DeployRequest, RecommendSpecRequest
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.machine import BatchDedicatedResources, DedicatedResources
from mg_provider.wire.vertex.model import Model
from tests.api.methods import called
from tests.api.server import Received, Reply, Server

PARENT = "projects/p/locations/us-central1"
ENDPOINT = f"{PARENT}/endpoints/7"
MODEL = f"{PARENT}/models/m@1"
JOB = f"{PARENT}/batchPredictionJobs/5"
LABELS = SetLabelsRequest(labels={"a": "b"}, label_fingerprint="abc=")
REPLICAS = DeployedModel(id="1", dedicated_resources=DedicatedResources(min_replica_count=2))
SPOT = BatchPredictionJob(display_name="j", dedicated_resources=BatchDedicatedResources(spot=True))

# Which method of Google each call of ours is, with the query parameters that it sends.
CALLS: list[tuple[Callable[[Clients], Any], str, set[str]]] = [
    (lambda c: c.vertex.deploy(PARENT, DeployRequest(custom_model=CustomModel(gcs_uri="gs://b/f"))),
     "aiplatform.projects.locations.deploy", set()),
    (lambda c: c.vertex.recommend_spec(PARENT, RecommendSpecRequest(gcs_uri="gs://b/f")),
     "aiplatform.projects.locations.recommendSpec", set()),
    (lambda c: c.vertex.get_publisher_model("publishers/google/models/gemma3@gemma-3-1b-it"),
     "aiplatform.publishers.models.get", set()),
    (lambda c: list(c.vertex.list_publisher_models(filter="x")),
     "aiplatform.publishers.models.list", {"filter", "pageSize"}),
    (lambda c: c.vertex.create_endpoint(PARENT, "e", Endpoint(display_name="e")),
     "aiplatform.projects.locations.endpoints.create", {"endpointId"}),
    (lambda c: c.vertex.get_endpoint(ENDPOINT), "aiplatform.projects.locations.endpoints.get", set()),
    (lambda c: list(c.vertex.list_endpoints(PARENT, 'labels.a="b"')),
     "aiplatform.projects.locations.endpoints.list", {"filter", "pageSize"}),
    (lambda c: c.vertex.patch_endpoint(ENDPOINT, Endpoint(labels={}), ["labels"]),
     "aiplatform.projects.locations.endpoints.patch", {"updateMask"}),
    (lambda c: c.vertex.update_endpoint(ENDPOINT, Endpoint(name=ENDPOINT)),
     "aiplatform.projects.locations.endpoints.update", set()),
    (lambda c: c.vertex.deploy_model(ENDPOINT, DeployedModel(model=MODEL), {"0": 100}),
     "aiplatform.projects.locations.endpoints.deployModel", set()),
    (lambda c: c.vertex.mutate_deployed_model(ENDPOINT, REPLICAS, ["dedicated_resources.min_replica_count"]),
     "aiplatform.projects.locations.endpoints.mutateDeployedModel", set()),
    (lambda c: c.vertex.undeploy_model(ENDPOINT, "1"),
     "aiplatform.projects.locations.endpoints.undeployModel", set()),
    (lambda c: c.vertex.delete_endpoint(ENDPOINT), "aiplatform.projects.locations.endpoints.delete", set()),
    (lambda c: c.vertex.get_model(MODEL), "aiplatform.projects.locations.models.get", set()),
    (lambda c: list(c.vertex.list_models(PARENT)), "aiplatform.projects.locations.models.list", {"pageSize"}),
    (lambda c: c.vertex.upload_model(PARENT, "m", Model(display_name="m")),
     "aiplatform.projects.locations.models.upload", set()),
    (lambda c: c.vertex.patch_model(MODEL, Model(labels={"a": "b"}), ["labels"]),
     "aiplatform.projects.locations.models.patch", {"updateMask"}),
    (lambda c: c.vertex.delete_model(f"{PARENT}/models/m"), "aiplatform.projects.locations.models.delete", set()),
    (lambda c: c.vertex.get_operation(f"{PARENT}/operations/9"),
     "aiplatform.projects.locations.operations.get", set()),
    (lambda c: c.vertex.get_operation(f"{ENDPOINT}/operations/9"),
     "aiplatform.projects.locations.endpoints.operations.get", set()),
    (lambda c: list(c.vertex.list_operations(ENDPOINT)),
     "aiplatform.projects.locations.endpoints.operations.list", {"pageSize"}),
    (lambda c: c.vertex.operations_before(PARENT),
     "aiplatform.projects.locations.operations.list", {"pageSize"}),
    (lambda c: c.vertex.cancel_operation(f"{PARENT}/operations/9"),
     "aiplatform.projects.locations.operations.cancel", set()),
    (lambda c: c.vertex.create_batch_prediction_job(PARENT, BatchPredictionJob(display_name="j")),
     "aiplatform.projects.locations.batchPredictionJobs.create", set()),
    (lambda c: c.vertex.create_batch_prediction_job(PARENT, SPOT),
     "aiplatform.projects.locations.batchPredictionJobs.create", set()),
    (lambda c: c.vertex.get_batch_prediction_job(JOB),
     "aiplatform.projects.locations.batchPredictionJobs.get", set()),
    (lambda c: list(c.vertex.list_batch_prediction_jobs(PARENT, 'labels.a="b"')),
     "aiplatform.projects.locations.batchPredictionJobs.list", {"filter", "pageSize"}),
    (lambda c: c.vertex.cancel_batch_prediction_job(JOB),
     "aiplatform.projects.locations.batchPredictionJobs.cancel", set()),
    (lambda c: c.vertex.delete_batch_prediction_job(JOB),
     "aiplatform.projects.locations.batchPredictionJobs.delete", set()),
    (lambda c: c.compute.addresses.insert("p", "r", Address(name="a"), "id"),
     "compute.addresses.insert", {"requestId"}),
    (lambda c: c.compute.addresses.get("p", "r", "a"), "compute.addresses.get", set()),
    (lambda c: list(c.compute.addresses.list("p", "r", "address=10.0.0.5")),
     "compute.addresses.list", {"filter", "maxResults"}),
    (lambda c: c.compute.addresses.delete("p", "r", "a", "id"), "compute.addresses.delete", {"requestId"}),
    (lambda c: c.compute.addresses.set_labels("p", "r", "a", LABELS, "id"),
     "compute.addresses.setLabels", {"requestId"}),
    (lambda c: c.compute.forwarding_rules.insert("p", "r", ForwardingRule(name="f"), "id"),
     "compute.forwardingRules.insert", {"requestId"}),
    (lambda c: c.compute.forwarding_rules.get("p", "r", "f"), "compute.forwardingRules.get", set()),
    (lambda c: list(c.compute.forwarding_rules.list("p", "r", "labels.a=b")),
     "compute.forwardingRules.list", {"filter", "maxResults"}),
    (lambda c: c.compute.forwarding_rules.delete("p", "r", "f", "id"),
     "compute.forwardingRules.delete", {"requestId"}),
    (lambda c: c.compute.forwarding_rules.set_labels("p", "r", "f", LABELS, "id"),
     "compute.forwardingRules.setLabels", {"requestId"}),
    (lambda c: c.compute.forwarding_rules.patch("p", "r", "f", ForwardingRule(allow_psc_global_access=True), "id"),
     "compute.forwardingRules.patch", {"requestId"}),
    (lambda c: c.compute.get_network("p", "default"), "compute.networks.get", set()),
    (lambda c: c.compute.get_subnetwork("p", "r", "default"), "compute.subnetworks.get", set()),
    (lambda c: c.compute.get_machine_type("p", "z", "g2-standard-12"), "compute.machineTypes.get", set()),
    (lambda c: c.compute.get_operation("p", "r", "o"), "compute.regionOperations.get", set()),
    (lambda c: c.storage.get_bucket("b"), "storage.buckets.get", set()),
    (lambda c: c.storage.insert_bucket("p", Bucket(name="b")), "storage.buckets.insert", {"project"}),
    (lambda c: list(c.storage.list_objects("b", prefix="f/", match_glob="**.safetensors")),
     "storage.objects.list", {"prefix", "matchGlob"}),
    (lambda c: c.storage.list_page("b", "f/", "**.safetensors"),
     "storage.objects.list", {"prefix", "matchGlob"}),
    (lambda c: c.storage.list_folder("b", "f/"), "storage.objects.list", {"prefix", "delimiter"}),
    (lambda c: c.storage.get_object("b", "f/config.json"), "storage.objects.get", set()),
    (lambda c: c.storage.read_object("b", "f/config.json", start=8, length=8), "storage.objects.get", {"alt"}),
    (lambda c: c.storage.upload_file("b", "f/x y", Path(__file__)), "storage.objects.insert", {"name", "uploadType"}),
    (lambda c: c.storage.upload_object("b", "f/x y", b"1", if_generation_match=0),
     "storage.objects.insert", {"uploadType", "name", "ifGenerationMatch"}),
    (lambda c: c.storage.delete_object("b", "f/x"), "storage.objects.delete", set()),
    (lambda c: c.bigquery.get_dataset("p", "d"), "bigquery.datasets.get", set()),
    (lambda c: c.bigquery.get_table("p", "d", "t"), "bigquery.tables.get", set()),
    (lambda c: c.bigquery.delete_table("p", "d", "t"), "bigquery.tables.delete", set()),
    (lambda c: list(c.bigquery.list_rows("p", "d", "t")), "bigquery.tabledata.list", {"maxResults"}),
    (lambda c: c.bigquery.query("p", QueryRequest(query="select 1")), "bigquery.jobs.query", set()),
    (lambda c: c.bigquery.insert_job("p", Job()), "bigquery.jobs.insert", set()),
    (lambda c: c.bigquery.get_query_results("p", "j"), "bigquery.jobs.getQueryResults", {"timeoutMs"}),
    (lambda c: list(c.billing.skus("C7E2-9256-1C43")),
     "cloudbilling.services.skus.list", {"currencyCode", "pageSize"}),
]  # fmt: skip

COMMON = {"alt", "uploadType"}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda request: Reply(200, {"name": "x"})) as server:
        yield server


@pytest.fixture
def clients(server: Server) -> Iterator[Clients]:
    settings = Settings(
        vertex_custom_endpoint=server.url,
        compute_custom_endpoint=server.url,
        storage_custom_endpoint=server.url,
        big_query_custom_endpoint=server.url,
    )
    clients = Clients.from_settings(settings, ManualClock())
    yield clients
    clients.close()


@pytest.mark.parametrize(("call", "method", "query"), CALLS, ids=[f"{i}-{each[1]}" for i, each in enumerate(CALLS)])
def test_a_call_is_the_method_that_it_means(
    clients: Clients, server: Server, call: Callable[[Clients], Any], method: str, query: set[str]
) -> None:
    call(clients)

    (request,) = server.received
    sent = urlsplit(request.path)
    description = called(request.method, sent.path)
    assert description["id"] == method
    assert set(parse_qs(sent.query)) == query
    assert query <= set(description["parameters"]) | COMMON


# They look at what this process knows, or wait.
NO_CALLS = {"asked_to_deploy", "pause"}


def test_every_client_method_is_in_the_table(clients: Clients) -> None:
    names = {
        name
        for client in (clients.vertex, clients.compute, clients.storage, clients.bigquery, clients.billing)
        for name in dir(client)
        if not name.startswith("_")
    }
    used = {name for call, _, _ in CALLS for name in call.__code__.co_names}

    assert names - used - NO_CALLS == set()
    assert len(names) > 45


def bodies(server: Server) -> list[Any]:
    return [request.json for request in server.received]


def test_a_job_goes_to_v1_unless_it_needs_v1beta1(clients: Clients, server: Server) -> None:
    clients.vertex.create_batch_prediction_job(PARENT, BatchPredictionJob(display_name="j"))
    clients.vertex.create_batch_prediction_job(PARENT, SPOT)

    assert [request.path.split("/")[1] for request in server.received] == ["v1", "v1beta1"]


def test_clearing_a_field_names_it_in_the_mask_and_sends_no_value(clients: Clients, server: Server) -> None:
    clients.vertex.patch_endpoint(ENDPOINT, Endpoint(etag="x"), ["traffic_split", "client_connection_config.a_b"])

    assert server.received[0].path.endswith("?updateMask=trafficSplit%2CclientConnectionConfig.aB")
    assert bodies(server) == [{"etag": "x"}]


def test_the_mask_of_a_mutation_travels_in_the_body(clients: Clients, server: Server) -> None:
    clients.vertex.mutate_deployed_model(ENDPOINT, REPLICAS, ["dedicated_resources.min_replica_count"])

    assert bodies(server) == [
        {
            "deployedModel": {"id": "1", "dedicatedResources": {"minReplicaCount": 2}},
            "updateMask": "dedicatedResources.minReplicaCount",
        }
    ]


def test_an_empty_traffic_split_is_sent_and_an_absent_one_is_not(clients: Clients, server: Server) -> None:
    clients.vertex.undeploy_model(ENDPOINT, "1", {})
    clients.vertex.undeploy_model(ENDPOINT, "1")

    assert bodies(server) == [{"deployedModelId": "1", "trafficSplit": {}}, {"deployedModelId": "1"}]


def test_a_change_of_compute_that_got_no_answer_is_repeated_with_the_same_request_id(
    clients: Clients, server: Server
) -> None:
    server.replies = [Reply(503), Reply(200, {"name": "o"}, broken=True), Reply(200, {"name": "o"})]
    clients.compute.addresses.insert("p", "r", Address(name="a"), "11111111-1111-1111-1111-111111111111")

    queries = [urlsplit(request.path).query for request in server.received]
    assert queries == ["requestId=11111111-1111-1111-1111-111111111111"] * 3


def test_an_object_name_is_one_segment_and_a_range_is_counted_in_bytes(clients: Clients, server: Server) -> None:
    clients.storage.read_object("b", "a/b c+ü.safetensors", start=8, length=16)
    clients.storage.read_object("b", "x", start=8)
    clients.storage.read_object("b", "x")

    assert server.received[0].path == "/storage/v1/b/b/o/a%2Fb%20c%2B%C3%BC.safetensors?alt=media"
    assert [request.headers.get("Range") for request in server.received] == ["bytes=8-23", "bytes=8-", None]


def test_a_listing_is_walked_through_page_by_page_and_only_as_far_as_it_is_read(
    clients: Clients, server: Server
) -> None:
    def page(request: Received) -> Reply:
        token = parse_qs(urlsplit(request.path).query).get("pageToken", ["0"])[0]
        following = {"nextPageToken": str(int(token) + 1)} if int(token) < 2 else {}
        return Reply(200, {"endpoints": [{"name": token}], **following})

    server.replies = [page]
    listing = clients.vertex.list_endpoints(PARENT)
    assert next(listing).name == "0"
    assert len(server.received) == 1
    assert [endpoint.name for endpoint in listing] == ["1", "2"]
    assert len(server.received) == 3


def test_a_folder_lists_its_objects_and_folders_over_all_pages(clients: Clients, server: Server) -> None:
    server.replies = [
        Reply(200, {"items": [{"name": "f/a", "size": "5"}], "nextPageToken": "n"}),
        Reply(200, {"prefixes": ["f/g/"]}),
    ]
    listing = clients.storage.list_folder("b", "f/")

    assert [(item.name, item.size) for item in listing.objects] == [("f/a", 5)]
    assert listing.prefixes == ["f/g/"]


@pytest.mark.parametrize(
    ("answer", "misfit"),
    [
        ({}, "not a valid Operation: name: is missing"),
        ({"name": "o", "done": "perhaps"}, "not a valid Operation: done: "),
        ({"name": "o", "error": {"code": "secret"}}, "not a valid Operation: error.code: "),
    ],
)
def test_an_answer_of_another_shape_is_an_error_that_names_the_misfit_and_not_its_value(
    clients: Clients, server: Server, answer: dict[str, Any], misfit: str
) -> None:
    server.replies = [Reply(200, answer)]
    with pytest.raises(CloudError, match=misfit) as caught:
        clients.vertex.get_operation(f"{PARENT}/operations/9")

    assert "secret" not in str(caught.value)
