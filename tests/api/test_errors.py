"""Google's error bodies become one tree, a sentence, and a hint."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mg_provider.api.errors import (
    Aborted,
    AgentsNotReady,
    AlreadyExists,
    CloudError,
    ConnectionFailed,
    FailedPrecondition,
    InvalidArgument,
    MgError,
    NotFound,
    NotReached,
    OperationFailed,
    PermissionDenied,
    PolicyViolated,
    ProviderBug,
    QuotaExceeded,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UserError,
)
from mg_provider.api.reading.error_reader import error_from_compute_operation, error_from_response, error_from_status
from mg_provider.wire.compute import ComputeOperation
from mg_provider.wire.status import Code, Status

URL = "https://us-central1-aiplatform.googleapis.com/v1beta1/projects/p/locations/us-central1:deploy?x=1"


def read(status: int, error: dict[str, Any]) -> CloudError:
    return error_from_response(status, json.dumps({"error": error}).encode(), method="POST", url=URL)


def info(reason: str, **metadata: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "metadata": metadata}


@pytest.mark.parametrize(
    ("status", "grpc", "kind"),
    [
        (400, "INVALID_ARGUMENT", InvalidArgument),
        (400, "FAILED_PRECONDITION", FailedPrecondition),
        (401, "UNAUTHENTICATED", Unauthenticated),
        (403, "PERMISSION_DENIED", PermissionDenied),
        (404, "NOT_FOUND", NotReached),
        (409, "ALREADY_EXISTS", AlreadyExists),
        (409, "ABORTED", Aborted),
        (429, "RESOURCE_EXHAUSTED", RateLimited),
        (500, "INTERNAL", Unavailable),
        (503, "UNAVAILABLE", Unavailable),
        (504, "DEADLINE_EXCEEDED", Unavailable),
        (501, "UNIMPLEMENTED", CloudError),
        (418, "TEAPOT", CloudError),
    ],
)
def test_vertex_errors_are_told_apart_by_their_status_name(status: int, grpc: str, kind: type[CloudError]) -> None:
    error = read(status, {"code": status, "message": "text", "status": grpc})

    assert type(error) is kind
    assert (error.status, error.reason, error.message) == (status, grpc, "text")


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (404, "notFound", NotReached),
        (409, "alreadyExists", AlreadyExists),
        (409, "duplicate", AlreadyExists),
        (409, "conflict", AlreadyExists),
        (412, "conditionNotMet", Aborted),
        (400, "resourceInUseByAnotherResource", FailedPrecondition),
        (400, "invalid", InvalidArgument),
        (403, "forbidden", PermissionDenied),
        (403, "rateLimitExceeded", RateLimited),
        (403, "userRateLimitExceeded", RateLimited),
        (403, "jobRateLimitExceeded", RateLimited),
        (403, "quotaExceeded", QuotaExceeded),
        (503, "backendError", Unavailable),
    ],
)
def test_compute_storage_and_bigquery_errors_are_told_apart_by_their_reason(
    status: int, reason: str, kind: type[CloudError]
) -> None:
    text = "Quota 'X' exceeded" if reason == "quotaExceeded" else "text"
    error = read(status, {"code": status, "message": text, "errors": [{"domain": "global", "reason": reason}]})

    assert type(error) is kind


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"not json", b"[]", b"[1]", b'{"error": "x"}', b"\xff"]
)
def test_a_body_of_no_known_shape_still_becomes_an_error(body: bytes) -> None:
    error = error_from_response(502, body, method="GET", url=URL)

    assert isinstance(error, Unavailable)
    assert "502" in str(error)
    assert "html" not in str(error)


def test_the_error_of_a_streaming_method_comes_in_a_list() -> None:
    body = json.dumps([{"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}}]).encode()

    assert isinstance(error_from_response(403, body, method="POST", url=URL), PermissionDenied)


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
def test_every_status_of_an_operation_becomes_an_error(code: Code) -> None:
    error = error_from_status(Status(code=code, message="text"))

    assert error.reason == code.name
    assert error.message == "text"


def test_a_status_with_an_unknown_number_says_the_number() -> None:
    assert error_from_status(Status(code=99, message="new")).reason == "code 99"


def test_a_compute_operation_without_an_error_is_none() -> None:
    assert error_from_compute_operation(ComputeOperation(name="o", status="DONE")) is None


HINTS = [
    (403, "off", [info("SERVICE_DISABLED", service="compute.googleapis.com", consumer="projects/p")],
     "gcloud services enable compute.googleapis.com --project p"),
    (403, "Vertex AI API has not been used in project 1 before or it is disabled.", [],
     "gcloud services enable aiplatform.googleapis.com"),
    (403, "denied", [info("IAM_PERMISSION_DENIED", permission="aiplatform.endpoints.create", resource="//x/p")],
     "permission aiplatform.endpoints.create on //x/p"),
    (403, "Permission 'aiplatform.models.upload' denied on resource 'x'", [], "permission aiplatform.models.upload"),
    (403, "Required 'compute.forwardingRules.create' permission for 'x'", [],
     "permission compute.forwardingRules.create"),
    (403, "x", [info("CONSUMER_INVALID")], "mg:billingProject"),
    (403, "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: a", [], "perimeter"),
    (403, "You must accept the EULA of this model", [], "accept_eula"),
    (400, "Please provide a valid Hugging Face access token", [], "hugging_face_access_token"),
    (403, "service-123@gcp-sa-aiplatform.iam.gserviceaccount.com does not have storage.objects.get access", [],
     "grant service-123@gcp-sa-aiplatform.iam.gserviceaccount.com the role roles/storage.objectViewer"),
    (401, "Request had invalid authentication credentials", [], "gcloud auth application-default login"),
    (409, "etag", [], "pulumi refresh"),
    (400, "bad", [], None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "message", "details", "part"), HINTS, ids=lambda each: str(each)[:30])
def test_a_known_error_says_what_to_do(
    status: int, message: str, details: list[dict[str, Any]], part: str | None
) -> None:
    error = read(status, {"code": status, "message": message, "details": details})

    if part is None:
        assert error.hint is None
    else:
        assert part in (error.hint or "")
        assert f"\ndo: {error.hint}" in str(error)


@pytest.mark.parametrize(
    ("message", "part"),
    [
        (
            "The following quotas are exceeded: CustomModelServingA100GPUsPerProjectPerRegion",
            "CustomModelServingA100GPUs",
        ),
        ("The zone does not have enough resources available to fulfill the request", "flex_start"),
        ("Resources are insufficient in region us-central1", "reservation"),
        ("ZONE_RESOURCE_POOL_EXHAUSTED stockout", "capacity"),
    ],
)
def test_a_shortage_is_told_apart_from_a_quota(message: str, part: str) -> None:
    error = error_from_status(Status(code=Code.RESOURCE_EXHAUSTED, message=message))

    assert isinstance(error, QuotaExceeded)
    assert part in (error.hint or "")


def test_a_bare_internal_error_does_not_guess() -> None:
    error = error_from_status(Status(code=Code.INTERNAL, message="Internal error encountered."))

    assert "Google names no cause" in (error.hint or "")
    assert "project_allowlist" not in (error.hint or "")


AGENT = "service-123@gcp-sa-aiplatform.iam.gserviceaccount.com"
PROVISIONED = (
    "Service agents are being provisioned (https://cloud.google.com/vertex-ai/docs/general/access-control"
    "#service-agents). Service agents are needed to read the Cloud Storage file provided. So please try again in a few "
    "minutes."
)


def test_service_agents_on_their_way_are_an_error_of_their_own_that_passes() -> None:
    error = read(400, {"code": 400, "message": PROVISIONED, "status": "FAILED_PRECONDITION"})

    assert type(error) is AgentsNotReady
    assert "in a few minutes" in (error.hint or "")


@pytest.mark.parametrize(
    ("message", "part"),
    [
        (
            f"Vertex AI Service Agent {AGENT} does not have permission to access Artifact Registry repository "
            "projects/p/locations/us-central1/repositories/images.",
            f"grant {AGENT} the role roles/artifactregistry.reader on "
            "projects/p/locations/us-central1/repositories/images",
        ),
        (
            f"Service account `{AGENT}` does not have `[storage.objects.get]` IAM permission(s) to the directory "
            '"gs://b/w".',
            f"grant {AGENT} the role roles/storage.objectViewer",
        ),
    ],
)
def test_what_the_service_agent_may_not_read_is_told_with_the_role(message: str, part: str) -> None:
    error = read(400, {"code": 400, "message": message, "status": "FAILED_PRECONDITION"})

    assert part in (error.hint or "")


def test_calls_per_minute_pass_with_time() -> None:
    error = read(
        429,
        {"code": 429, "message": "Quota exceeded for metric", "status": "RESOURCE_EXHAUSTED",
         "details": [info("RATE_LIMIT_EXCEEDED")]},
    )  # fmt: skip

    assert isinstance(error, RateLimited)


COMPUTE_RATE = (
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per region' of service "
    "'compute.googleapis.com' for consumer 'project_number:123'."
)


@pytest.mark.parametrize(
    ("status", "message", "reason", "details", "kind"),
    [
        (403, COMPUTE_RATE, "rateLimitExceeded", [], RateLimited),
        (403, COMPUTE_RATE, "quotaExceeded", [], RateLimited),
        (403, COMPUTE_RATE, "", [], RateLimited),
        (403, "Rate Limit Exceeded", "rateLimitExceeded", [info("CONCURRENT_OPERATIONS_QUOTA_EXCEEDED")], RateLimited),
        (403, "Rate Limit Exceeded", "", [info("CONCURRENT_OPERATIONS_QUOTA_EXCEEDED")], RateLimited),
        (403, "Exceeded rate limits: too many api requests per user per method", "quotaExceeded", [], RateLimited),
        (403, "Job exceeded rate limits", "jobRateLimitExceeded", [], RateLimited),
        (429, "Quota exceeded for aiplatform.googleapis.com/x", "", [info("RATE_LIMIT_EXCEEDED")], RateLimited),
        (429, "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model.", "", [],
         RateLimited),
        (429, "The following quotas are exceeded: CustomModelServingL4GPUsPerProjectPerRegion", "", [], QuotaExceeded),
        (429, "CustomModelServingL4GPUs 8: The following quotas are exceeded: CustomModelServingL4GPUs", "", [],
         QuotaExceeded),
        (403, "Quota 'FORWARDING_RULES' exceeded. Limit: 15.0 in region us-central1.", "quotaExceeded", [],
         QuotaExceeded),
        (403, "Quota exceeded: Your project exceeded quota for free query bytes scanned.", "quotaExceeded", [],
         QuotaExceeded),
        (403, "Required 'compute.x.y' permission for 'projects/p'", "forbidden", [], PermissionDenied),
    ],
)  # fmt: skip
def test_too_many_calls_are_told_from_a_quota_by_what_is_said_and_not_by_the_status(
    status: int, message: str, reason: str, details: list[dict[str, Any]], kind: type[CloudError]
) -> None:
    legacy = {"errors": [{"message": message, "domain": "usageLimits", "reason": reason}]} if reason else {}
    grpc = {} if reason else {"status": "RESOURCE_EXHAUSTED" if status == 429 else "PERMISSION_DENIED"}

    assert type(read(status, {"code": status, "message": message, "details": details, **legacy, **grpc})) is kind


POLICIES = [
    (412, "conditionNotMet", "Constraint constraints/compute.restrictPrivateServiceConnectProducer violated for "
     "projects/p. Forwarding rule r is not allowed.", "compute.restrictPrivateServiceConnectProducer",
     "under:organizations/433637338589"),
    (412, "conditionNotMet", "Constraint constraints/compute.disablePrivateServiceConnectCreationForConsumers violated "
     "for project 123.", "compute.disablePrivateServiceConnectCreationForConsumers", "allow SERVICE_PRODUCERS"),
    (412, "conditionNotMet", "Constraint constraints/compute.somethingNew violated for project projects/p. No.",
     "compute.somethingNew", "allow what Google's text names"),
    (412, "conditionNotMet", "'us' violates constraint 'constraints/gcp.resourceLocations'", "gcp.resourceLocations",
     "use a region that it allows"),
    (412, "conditionNotMet", "Constraint: custom.computeNames violated for projects/p", "custom.computeNames",
     "roles/orgpolicy.policyAdmin"),
    (412, "conditionNotMet", 'Operation denied by custom org policies: ["customConstraints/custom.names": "no"].',
     "custom.names", "roles/orgpolicy.policyAdmin"),
    (400, "", "Organization Policy constraint constraints/vertexai.allowedModels violated for projects/123 attempting "
     "to use a disallowed Gen AI model gemma3.", "vertexai.allowedModels", ":deploy"),
    (400, "", "Organization Policy constraint constraints/gcp.restrictNonCmekServices violated for projects/123",
     "gcp.restrictNonCmekServices", "set the encryption key"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "reason", "message", "constraint", "allow"), POLICIES, ids=lambda one: str(one)[:40]
)
def test_an_organization_policy_is_named_with_what_it_forbids_and_what_to_allow(
    status: int, reason: str, message: str, constraint: str, allow: str
) -> None:
    legacy = {"errors": [{"message": message, "domain": "global", "reason": reason}]} if reason else {}
    grpc = {} if reason else {"status": "FAILED_PRECONDITION"}
    error = read(status, {"code": status, "message": message, **legacy, **grpc})

    assert isinstance(error, PolicyViolated)
    assert error.constraint == constraint
    assert f"constraints/{constraint} forbids " in str(error)
    assert allow in (error.hint or "")
    assert "somebody changed" not in str(error)


@pytest.mark.parametrize(
    "message", ["Invalid fingerprint.", "Labels fingerprint either invalid or resource labels have changed"]
)
def test_a_stale_fingerprint_is_no_policy(message: str) -> None:
    error = read(412, {"code": 412, "message": message, "errors": [{"reason": "conditionNotMet"}]})

    assert isinstance(error, Aborted)
    assert "somebody changed the resource" in (error.hint or "")


def test_an_operation_that_a_policy_ended_names_it_too() -> None:
    cause = error_from_status(Status(code=9, message=POLICIES[-1][2]))
    error = OperationFailed(cause, operation="operations/1")

    assert "constraints/gcp.restrictNonCmekServices forbids making resources without" in str(error)
    assert "set the encryption key" in (error.hint or "")


def test_an_error_reads_as_what_happened_what_exists_and_what_to_do() -> None:
    error = MgError("it stopped", resource="llama", hint="run again", exists=["projects/1/endpoints/2"])

    assert str(error) == "llama: it stopped\nexists: projects/1/endpoints/2\ndo: run again"


def test_a_users_error_begins_with_the_property() -> None:
    error = UserError("is 3, but the machine has 2", property="machine_spec.accelerator_count", hint="write 2")

    assert str(error) == "machine_spec.accelerator_count: is 3, but the machine has 2\ndo: write 2"
    assert error.property == "machine_spec.accelerator_count"


def test_a_cloud_error_is_one_sentence_with_the_call() -> None:
    error = read(400, {"code": 400, "message": "no such thing", "status": "INVALID_ARGUMENT"})

    assert str(error) == (
        "Google answered 400 INVALID_ARGUMENT to POST /v1beta1/projects/p/locations/us-central1:deploy: no such thing\n"
        "do: correct what Google names, then run the same command again"
    )
    assert "?" not in error.url


def test_an_error_of_an_emulator_names_its_address() -> None:
    error = NotFound(404, "NOT_FOUND", "gone", method="GET", url="http://127.0.0.1:8085/v1/a?b=c")

    assert error.summary == "http://127.0.0.1:8085 answered 404 NOT_FOUND to GET /v1/a: gone"


def test_only_not_found_is_not_found() -> None:
    others = {CloudError, *CloudError.__subclasses__(), ConnectionFailed, UserError, ProviderBug} - {NotFound}

    assert len(others) >= 14
    assert not any(issubclass(other, NotFound) for other in others)


def test_a_failed_operation_keeps_what_its_cause_knew() -> None:
    cause = error_from_status(Status(code=7, message="no", details=[info("IAM_PERMISSION_DENIED", permission="a.b.c")]))
    error = OperationFailed(cause, operation="operations/1", stage="PREPARING_MODEL")

    assert str(error).startswith("operations/1 failed at PREPARING_MODEL with PERMISSION_DENIED: no")
    assert error.hint == cause.hint
    assert error.details == cause.details
