"""Only Google's own word that the resource which was asked for does not exist is a NotFound."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mg_provider.api.errors import CloudError, NotFound, NotReached
from mg_provider.api.reading.error_reader import error_from_response
from mg_provider.api.reading.hints import hint_for_not_reached

VERTEX = "https://us-central1-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/us-central1"
NUMBERED = "projects/123/locations/us-central1"
COMPUTE = "https://compute.googleapis.com/compute/v1/projects/my-project/regions/us-central1"
STORAGE = "https://storage.googleapis.com/storage/v1/b/weights"
BIGQUERY = "https://bigquery.googleapis.com/bigquery/v2/projects/my-project"


def answer(
    url: str, message: str, *, method: str = "GET", body: dict[str, Any] | None = None, details: Any = ()
) -> CloudError:
    """What a message of Google's to a call is read as, in the shape of the service."""
    error: dict[str, Any] = {"code": 404, "message": message}
    if "aiplatform" in url or "bigquery" in url:
        error["status"] = "NOT_FOUND"
    if "aiplatform" not in url:
        error["errors"] = [{"message": message, "domain": "global", "reason": "notFound"}]
    if details:
        error["details"] = list(details)
    return error_from_response(404, json.dumps({"error": error}).encode(), method=method, url=url, body=body)


def resource_info(name: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceName": name}


GONE = [
    (f"{VERTEX}/endpoints/llama", f'endpoint "{NUMBERED}/endpoints/llama" not found'),
    (f"{VERTEX}/endpoints/llama:predict", f"Endpoint `{NUMBERED}/endpoints/llama` not found."),
    (f"{VERTEX}/endpoints/12", "Endpoint 12 is not found."),
    (f"{VERTEX}/endpoints/llama/operations/7", f'endpoint "{NUMBERED}/endpoints/llama" not found'),
    (f"{VERTEX}/models/llama", "The Model does not exist."),
    (f"{VERTEX}/models/llama@1", f"Model {NUMBERED}/models/llama@1 is not found."),
    (f"{VERTEX}/batchPredictionJobs/5", "The BatchPredictionJob does not exist."),
    (f"{VERTEX}/batchPredictionJobs/5:cancel", f"BatchPredictionJob {NUMBERED}/batchPredictionJobs/5 is not found."),
    (f"{VERTEX}/operations/9", f"Operation {NUMBERED}/operations/9 is not found."),
    (f"{COMPUTE}/addresses/a", "The resource 'projects/my-project/regions/us-central1/addresses/a' was not found"),
    (f"{COMPUTE}/forwardingRules/r/setLabels",
     "The resource 'projects/my-project/regions/us-central1/forwardingRules/r' was not found"),
    ("https://compute.googleapis.com/compute/v1/projects/my-project/global/networks/default",
     "The resource 'projects/my-project/global/networks/default' was not found"),
    (STORAGE, "The specified bucket does not exist."),
    (f"{STORAGE}/o", "The specified bucket does not exist."),
    (f"{STORAGE}/o/a%2Fb.json", "The specified bucket does not exist."),
    (f"{STORAGE}/o/a%2Fb.json", "The specified key does not exist."),
    (f"{STORAGE}/o/a%2Fb.json", "No such object: weights/a/b.json"),
    (f"{BIGQUERY}/datasets/d/tables/t", "Not found: Table my-project:d.t"),
    (f"{BIGQUERY}/datasets/d/tables/t", "Not found: Dataset my-project:d"),
    (f"{BIGQUERY}/datasets/d", "Not found: Dataset example.com:my-project:d was not found in location US"),
    (f"{BIGQUERY}/queries/j", "Not found: Job my-project:US.j"),
]  # fmt: skip

STILL_THERE = [
    (f"{VERTEX}/endpoints/llama", "text"),
    (f"{VERTEX}/endpoints/llama", "Requested entity was not found."),
    (f"{VERTEX}/endpoints/llama", "Method not found."),
    (f"{VERTEX}/endpoints/llama", "Endpoint not found."),
    (f"{VERTEX}/endpoints/llama", "Project 'my-project' not found."),
    (f"{VERTEX}/endpoints/my-project", "Project my-project not found."),
    (f"{VERTEX}/endpoints/my-project", "The resource 'projects/my-project' was not found"),
    (f"{VERTEX}/endpoints/llama", f'endpoint "{NUMBERED}/endpoints/llama2" not found'),
    (f"{VERTEX}/endpoints/llama", f'endpoint "{NUMBERED}/endpoints/my-llama" not found'),
    (f"{VERTEX}/endpoints/llama", "Endpoint llama-2 is not found."),
    (f"{VERTEX}/endpoints/llama", "The Model does not exist."),
    (f"{VERTEX}/endpoints/llama", f"Operation {NUMBERED}/operations/9 is not found."),
    (f"{VERTEX}/models/llama", f"Model {NUMBERED}/models/llama@2 is not found."),
    (f"{VERTEX}/endpoints/llama",
     "Permission 'aiplatform.endpoints.get' denied on resource '//aiplatform.googleapis.com/projects/my-project/"
     "locations/us-central1/endpoints/llama' (or it may not exist)."),
    (f"{VERTEX}/endpoints/llama", "The requested URL /v1beta1/endpoints/llama was not found on this server."),
    (f"{COMPUTE}/addresses/a", "The resource 'projects/my-project/regions/us-central1/routers/a' was not found"),
    (f"{COMPUTE}/addresses/my-project", "Failed to find project my-project"),
    (f"{COMPUTE}/addresses/a", "The resource 'projects/my-project/regions/us-central1' was not found"),
    (STORAGE, "The specified key does not exist."),
    (f"{STORAGE}/o/b", "No such object: weights/a/b"),
    (f"{STORAGE}/o/b", "No such object: other/b"),
    (f"{BIGQUERY}/datasets/d/tables/t", "Not found: Table my-project:d.other"),
    (f"{BIGQUERY}/datasets/d/tables/t", "Not found: Table my-project:other.t"),
    (f"{BIGQUERY}/datasets/d/tables/t", "Not found: Project my-project"),
    (f"{BIGQUERY}/datasets/d/tables/t/data", "Table is truncated."),
]  # fmt: skip


def short(value: Any) -> str:
    return str(value).rpartition("googleapis.com")[2][-50:] if "://" in str(value) else str(value)[:60]


@pytest.mark.parametrize(("url", "message"), GONE, ids=short)
def test_googles_word_that_what_was_asked_for_does_not_exist_is_not_found(url: str, message: str) -> None:
    assert type(answer(url, message)) is NotFound


@pytest.mark.parametrize(("url", "message"), STILL_THERE, ids=short)
def test_a_404_of_googles_about_something_else_is_no_not_found(url: str, message: str) -> None:
    error = answer(url, message)

    assert type(error) is NotReached
    assert message.rstrip(".") in str(error)
    assert "does not mean that the resource is gone" in str(error)
    assert error.hint


def test_what_a_body_names_may_be_what_does_not_exist() -> None:
    url, model = f"{VERTEX}/endpoints/llama:deployModel", "projects/my-project/locations/us-central1/models/m"
    body = {"deployedModel": {"model": model, "id": "77"}}

    assert isinstance(answer(url, f'model "{NUMBERED}/models/m" not found', method="POST", body=body), NotFound)
    assert isinstance(answer(url, "DeployedModel 77 is not found.", method="POST", body=body), NotFound)
    assert isinstance(answer(url, f'model "{NUMBERED}/models/n" not found', method="POST", body=body), NotReached)


def test_a_table_in_a_query_may_be_what_does_not_exist() -> None:
    body = {"query": "SELECT * FROM `my-project.d.t`"}

    assert isinstance(
        answer(f"{BIGQUERY}/queries", "Not found: Table my-project:d.t", method="POST", body=body), NotFound
    )
    assert isinstance(
        answer(f"{BIGQUERY}/queries", "Not found: Table my-project:d.t2", method="POST", body=body), NotReached
    )


def test_a_detail_names_the_resource_where_the_text_does_not() -> None:
    url, text = f"{VERTEX}/endpoints/llama", "Requested entity was not found."

    assert isinstance(answer(url, text, details=[resource_info(f"{NUMBERED}/endpoints/llama")]), NotFound)
    assert isinstance(answer(url, text, details=[resource_info(f"{NUMBERED}/endpoints/other")]), NotReached)
    assert isinstance(answer(url, text, details=[resource_info("projects/123")]), NotReached)


NOT_OF_GOOGLE = [
    (b"", "an empty body"),
    (b"<html><head><title>404 Not Found</title></head></html>", "an error page in HTML titled '404 Not Found'"),
    (b"<!DOCTYPE html><p>endpoints/llama was not found", "an error page in HTML"),
    (b"endpoint \"projects/123/locations/us-central1/endpoints/llama\" not found", "endpoints/llama"),
    (b'{"message": "no Route matched with those values"}', "no Route matched"),
    (b'{"error": {"code": 404, "message": "endpoints/llama not found"}}', "endpoints/llama not found"),
    (b'{"error": "endpoints/llama not found"}', "endpoints/llama not found"),
    (b"[]", "[]"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "told"), NOT_OF_GOOGLE, ids=short)
def test_a_404_that_is_no_error_of_googles_says_who_answered_what(content: bytes, told: str) -> None:
    headers = {"Server": "squid/5.7", "Via": "1.1 corp", "Date": "now"}
    error = error_from_response(404, content, method="GET", url=f"{VERTEX}/endpoints/llama", headers=headers)

    assert type(error) is NotReached
    assert str(error).startswith(
        "us-central1-aiplatform.googleapis.com (Server squid/5.7, Via 1.1 corp) answered 404 to "
        "GET /v1beta1/projects/my-project/locations/us-central1/endpoints/llama with "
    )
    assert told in str(error)
    assert "proxies and the custom endpoint" in str(error.hint)


def test_the_content_of_an_object_that_does_not_exist_is_refused_as_bare_text() -> None:
    url = f"{STORAGE}/o/a%2Fb.json?alt=media"

    assert isinstance(error_from_response(404, b"No such object: weights/a/b.json", method="GET", url=url), NotFound)
    assert isinstance(error_from_response(404, b"No such object: weights/b.json", method="GET", url=url), NotReached)
    assert isinstance(error_from_response(404, b"No such object: weights/a", method="GET", url=STORAGE), NotReached)


@pytest.mark.parametrize("status", [400, 403, 410, 500])
def test_another_http_status_is_never_not_found(status: int) -> None:
    told = {"code": status, "message": f'endpoint "{NUMBERED}/endpoints/llama" not found', "status": "NOT_FOUND"}
    error = error_from_response(
        status, json.dumps({"error": told}).encode(), method="GET", url=f"{VERTEX}/endpoints/llama"
    )

    assert not isinstance(error, NotFound)


@pytest.mark.parametrize(
    ("message", "by", "part"),
    [
        ("an empty body", "10.0.0.1:80", "as 10.0.0.1:80 does not"),
        ("Method not found.", "", "correct the custom endpoint"),
        ("Project 'x' not found.", "", "`mg:project`"),
        ("Requested entity was not found.", "", "`pulumi state delete`"),
    ],
)
def test_what_to_do_depends_on_what_was_answered(message: str, by: str, part: str) -> None:
    assert part in hint_for_not_reached(message, by)
