from __future__ import annotations

import pytest
import requests

from mg_provider.emulator.google.named_errors import NAMED, About
from tests.emulator.client import LOCATION

ENDPOINTS = f"{LOCATION}/endpoints"
COMPUTE_ADDRESSES = "compute/v1/projects/my-project/regions/us-central1/addresses"


def create(client, identifier="e"):
    return client.call("POST", ENDPOINTS, {"displayName": "e"}, endpointId=identifier)


def listed(client, path):
    return client.session.get(f"{client.emulator.url}/{path}", timeout=10)


def account(emulator):
    return [(fault["met"], fault["remaining"]) for fault in emulator.faults()]


def test_a_status_fault_is_met_so_often_and_after_so_many(client, emulator):
    emulator.fail(rpc="endpoints.list", fault="status", status=429, after=1, times=2, retry_after=1.5)
    answers = [client.call("GET", ENDPOINTS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert answers[1].headers["Retry-After"] == "1.5"
    assert account(emulator) == [(2, 0)]


def test_a_lost_answer_means_that_it_was_done(client, emulator):
    emulator.fail(rpc="endpoints.create", fault="lose_answer")
    with pytest.raises(requests.ConnectionError):
        create(client)
    assert create(client).status_code == 409
    assert account(emulator) == [(1, 0)]


def test_a_dropped_request_means_that_it_was_not_done(client, emulator):
    emulator.fail(rpc="endpoints.create", fault="drop_request")
    with pytest.raises(requests.ConnectionError):
        create(client)
    assert create(client).status_code == 200


def test_a_broken_body_ends_half_way(client, emulator):
    emulator.fail(rpc="endpoints.create", fault="broken_body")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        create(client)
    assert create(client).status_code == 409


def test_an_operation_ends_with_the_declared_error_after_the_named_stage(client, emulator):
    emulator.fail(
        rpc="locations.deploy",
        fault="operation_error",
        code="UNAVAILABLE",
        message="Try later.",
        at_stage="STARTING_MODEL_SERVER",
    )
    client.put_weights()
    done = client.finished(client.deploy())
    assert done["error"] == {"code": 14, "message": "Try later."}
    assert emulator.ledger()["gpus_in_use"] == {}
    assert emulator.ledger()["gpu_seconds"]["NVIDIA_L4"] > 0
    assert account(emulator) == [(1, 0)]


def test_a_stalled_operation_stays_where_it_is(client, emulator):
    emulator.fail(rpc="locations.deploy", fault="stall", at_stage="ADDING_NODES_TO_CLUSTER")
    client.put_weights()
    operation = client.deploy()
    emulator.advance(1_000_000)
    assert "deployedModels" not in client.ok("GET", f"{ENDPOINTS}/chat")
    assert "done" not in client.operation(operation)


def test_a_fault_for_what_does_not_exist_is_refused(client, emulator):
    address = f"{emulator.url}/_mg/faults"
    for fault in (
        {"rpc": "endpoints.destroy", "fault": "status"},
        {"rpc": "endpoints.create", "fault": "earthquake"},
        {"rpc": "endpoints.create", "fault": "status", "tims": 2},
        {"rpc": "endpoints.create", "fault": "status", "place": "operation"},
        {"rpc": "endpoints.create", "fault": "stock_out", "place": "nowhere"},
    ):
        assert requests.post(address, json=fault, timeout=5).status_code == 400
    assert emulator.faults() == []


def test_a_status_fault_says_whatever_body_and_headers_it_is_given(client, emulator):
    emulator.fail(rpc="endpoints.list", fault="status", status=404, body="<html>no</html>", headers={"Via": "1.1 corp"})
    page = client.call("GET", ENDPOINTS)
    assert (page.status_code, page.text, page.headers["Via"]) == (404, "<html>no</html>", "1.1 corp")
    detail = {"@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceName": "x/y"}
    emulator.fail(rpc="endpoints.list", fault="status", status=404, details=[detail], message="No.")
    assert client.call("GET", ENDPOINTS).json()["error"] == {
        "code": 404,
        "message": "No.",
        "status": "NOT_FOUND",
        "details": [detail],
    }
    emulator.fail(rpc="compute.addresses.list", fault="status", status=400, reason="resourceNotReady")
    refusal = listed(client, COMPUTE_ADDRESSES).json()["error"]
    assert refusal["errors"][0]["reason"] == "resourceNotReady"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("proxy_404", "<h1>404 Not Found</h1>"),
        ("page_404", "The requested URL"),
        ("empty_404", ""),
        ("project_404", "Project 'my-project' not found."),
        ("method_404", "Method not found."),
        ("other_404", "metadataStores/default' was not found"),
    ],
)
@pytest.mark.parametrize("path", [f"v1/{ENDPOINTS}", COMPUTE_ADDRESSES], ids=["vertex", "compute"])
def test_each_404_that_says_nothing_of_a_resource_is_a_fault_of_its_own(client, emulator, fault, text, path):
    rpc = "endpoints.list" if path.endswith("/endpoints") else "compute.addresses.list"
    emulator.fail(rpc=rpc, fault=fault)
    answer = listed(client, path)
    assert (answer.status_code, account(emulator)) == (404, [(1, 0)])
    assert text in answer.text
    assert (answer.text == "") == (fault == "empty_404")
    assert listed(client, path).status_code == 200


def test_a_fault_that_was_not_met_shows_as_remaining(client, emulator):
    emulator.fail(rpc="endpoints.create", fault="status", match="special")
    assert create(client).status_code == 200
    assert account(emulator) == [(0, 1)]


def test_each_named_error_of_a_call_is_said_in_googles_words(client, emulator):
    for name, named in NAMED.items():
        emulator.fail(rpc="compute.addresses.list", fault=name, place="call")
        compute, expected = listed(client, COMPUTE_ADDRESSES), named.make(About())
        assert compute.status_code == expected.status
        assert compute.json()["error"]["errors"][0]["reason"] == expected.reason
        if name[-3:].isdigit():
            assert compute.status_code == int(name[-3:])
        if name != "concurrent_operations_403":
            emulator.fail(rpc="endpoints.list", fault=name, place="call")
            vertex = client.call("GET", ENDPOINTS)
            assert vertex.status_code == expected.status
            assert "errors" not in vertex.json()["error"]
    assert all(fault["remaining"] == 0 for fault in emulator.faults())


def test_a_rate_limit_of_compute_is_a_403_with_its_reason(client, emulator):
    emulator.fail(rpc="compute.addresses.list", fault="concurrent_operations_403")
    error = listed(client, COMPUTE_ADDRESSES).json()["error"]
    assert (error["code"], error["message"]) == (403, "Rate Limit Exceeded")
    assert error["errors"] == [
        {"message": "Rate Limit Exceeded", "domain": "usageLimits", "reason": "rateLimitExceeded"}
    ]
    assert error["details"][0]["reason"] == "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"


def test_a_refused_call_of_compute_names_its_own_permission_and_resource(client, emulator):
    emulator.fail(rpc="compute.addresses.get", fault="permission_403")
    error = listed(client, f"{COMPUTE_ADDRESSES}/mine").json()["error"]
    place = f"{COMPUTE_ADDRESSES.partition('/v1/')[2]}/mine"
    assert error["message"] == f"Required 'compute.addresses.get' permission for '{place}'"


def test_a_named_error_ends_an_operation_where_google_says_it_there(client, emulator):
    emulator.fail(rpc="locations.deploy", fault="stock_out_recommending", subject="g2-standard-48")
    client.put_weights()
    error = client.finished(client.deploy())["error"]
    assert error["code"] == 14
    assert error["message"].startswith('Machine type temporarily unavailable. Machine type: "g2-standard-48".')


def test_a_bare_internal_error_ends_a_deployment_after_seconds_with_nothing_made(client, emulator):
    emulator.fail(rpc="locations.deploy", fault="bare_internal")
    client.put_weights()
    assert client.finished(client.deploy(), 6)["error"] == {"code": 13, "message": "INTERNAL"}
    assert client.ok("GET", ENDPOINTS) == {}
    assert client.deploy()["name"]


def test_a_named_error_ends_an_operation_of_compute_with_its_code(client, emulator):
    emulator.fail(rpc="compute.addresses.insert", fault="organization_policy_412", place="operation")
    body = {"name": "a", "addressType": "INTERNAL", "subnetwork": "regions/us-central1/subnetworks/default"}
    operation = client.session.post(f"{emulator.url}/{COMPUTE_ADDRESSES}", json=body).json()
    emulator.advance(60)
    regional = COMPUTE_ADDRESSES.replace("addresses", "operations")
    done = listed(client, f"{regional}/{operation['name']}").json()
    assert done["error"]["errors"][0]["code"] == "CONDITION_NOT_MET"
    assert done["error"]["errors"][0]["message"].startswith("Constraint constraints/compute.")
    assert (done["httpErrorStatusCode"], done["status"]) == (412, "DONE")
