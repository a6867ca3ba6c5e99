"""Errors in Google's own words, each by a name that a test can declare as a fault.

The words stand here once: a rule of the emulator that answers with one of them calls its function. Each entry of
:data:`NAMED` says where its words were read. A name ends in its HTTP status where it is mainly an answer to a call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mg_provider.emulator.google.errors import ApiError, failed_precondition, not_found, quota_exceeded, stockout

_TYPE = "type.googleapis.com/google.rpc."
_AGENTS = "https://cloud.google.com/vertex-ai/docs/general/access-control#service-agents"
_POLICY = "https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints"
_BIGQUERY_QUOTAS = "https://cloud.google.com/bigquery/docs/troubleshoot-quotas"
_PERIMETER_REQUEST = "aKia8NxfB8d0Xth7FQXx-T9zsot-dmXMT_tjjDRI7Q7"


@dataclass(frozen=True)
class About:
    """What an error speaks of.

    Attributes:
        project: The project as the caller wrote it.
        number: The project's number.
        region: The region, if there is one.
        subject: What a test named instead of the usual: a quota, constraint, machine type, permission or place.
        rpc: The discovery id of the method that was called.
        path: The path of the call.
    """

    project: str = "my-project"
    number: str = "123456789012"
    region: str = "us-central1"
    subject: str = ""
    rpc: str = "aiplatform.projects.locations.endpoints.get"
    path: str = ""


def _info(reason: str, domain: str, **metadata: str) -> dict[str, Any]:
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": domain, "metadata": metadata}


def rate_limit_403(about: About) -> ApiError:
    """Too many calls, in the older words."""
    return ApiError(
        "PERMISSION_DENIED", "Rate Limit Exceeded", status=403, reason="rateLimitExceeded", domain="usageLimits"
    )


def rate_limit_per_minute_403(about: About) -> ApiError:
    """Too many calls in a minute, in the words of the quota."""
    service = "compute.googleapis.com"
    limit = about.subject or "Queries per minute"
    message = (
        f"Quota exceeded for quota metric '{limit.partition(' per ')[0]}' and limit '{limit}' of service '{service}' "
        f"for consumer 'project_number:{about.number}'."
    )
    info = _info(
        "RATE_LIMIT_EXCEEDED",
        "googleapis.com",
        consumer=f"projects/{about.number}",
        quota_limit="defaultPerMinutePerProject",
        quota_metric=f"{service}/default",
        service=service,
    )
    return ApiError(
        "PERMISSION_DENIED", message, status=403, reason="rateLimitExceeded", domain="usageLimits", details=[info]
    )


def concurrent_operations_403(about: About) -> ApiError:
    """Too many operations at the same time."""
    info = {
        "@type": f"{_TYPE}ErrorInfo",
        "reason": "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED",
        "domain": "compute.googleapis.com",
        "metadatas": {"containerId": about.number, "containerType": "PROJECT", "location": about.region or "global"},
    }
    return ApiError(
        "PERMISSION_DENIED",
        "Rate Limit Exceeded",
        status=403,
        reason="rateLimitExceeded",
        domain="usageLimits",
        details=[info],
    )


def bigquery_rate_limit_403(about: About) -> ApiError:
    """Too many changes of a table, or too many calls."""
    what = about.subject or "too many table update operations for this table"
    message = f"Exceeded rate limits: {what}. For more information, see {_BIGQUERY_QUOTAS}"
    return ApiError("PERMISSION_DENIED", message, status=403, reason="rateLimitExceeded")


def bigquery_job_rate_limit(about: About) -> ApiError:
    """A job that was made and then met a rate limit: `status.errorResult` of the job, or its query's answer."""
    what = about.subject or "Your project_and_region exceeded quota for concurrent queries"
    message = f"Job exceeded rate limits: {what}. For more information, see {_BIGQUERY_QUOTAS}"
    return ApiError("INVALID_ARGUMENT", message, status=400, reason="jobRateLimitExceeded")


def rate_limit_429(about: About) -> ApiError:
    """Too many calls of Vertex AI in a minute."""
    service = "aiplatform.googleapis.com"
    metric = about.subject or "resource_management_requests"
    message = (
        f"Quota exceeded for quota metric '{metric}' and limit '{metric} per minute per region' of service "
        f"'{service}' for consumer 'project_number:{about.number}'."
    )
    info = _info(
        "RATE_LIMIT_EXCEEDED",
        "googleapis.com",
        consumer=f"projects/{about.number}",
        quota_limit="ResourceManagementRequestsPerMinutePerProjectPerRegion",
        quota_location=about.region,
        quota_metric=f"{service}/{metric}",
        service=service,
    )
    return ApiError("RESOURCE_EXHAUSTED", message, details=[info])


def quota_429(about: About) -> ApiError:
    """The project's GPUs are used up."""
    return quota_exceeded(about.subject or "CustomModelServingL4GPUsPerProjectPerRegion")


def quota_named_429(about: About) -> ApiError:
    """The same in the second spelling, which names the quota first."""
    name = about.subject or "CustomModelServingL4GPUsPerProjectPerRegion"
    return ApiError("RESOURCE_EXHAUSTED", f"{name} 8: The following quotas are exceeded: {name}")


def organization_policy_412(about: About) -> ApiError:
    """An organisation policy forbids what Compute Engine is asked for."""
    constraint = about.subject or "constraints/compute.restrictPrivateServiceConnectProducer"
    message = f"Constraint {constraint} violated for project projects/{about.project}. See {_POLICY} for more "
    return ApiError("FAILED_PRECONDITION", f"{message}information.", status=412, reason="conditionNotMet")


def location_policy_412(about: About) -> ApiError:
    """An organisation policy forbids where a bucket is to be."""
    text = f"'{about.subject or 'us'}' violates constraint 'constraints/gcp.resourceLocations'"
    return ApiError("FAILED_PRECONDITION", text, status=412, reason="conditionNotMet")


def vertex_organization_policy_400(about: About) -> ApiError:
    """An organisation policy forbids what Vertex AI is asked for."""
    constraint = about.subject or "constraints/vertexai.allowedModels"
    return failed_precondition(
        f"Organization Policy constraint {constraint} violated for `projects/{about.number}` attempting to use a "
        "disallowed Gen AI model. Please contact your organization administrator to fix this violation by adding it "
        "to the allowed values."
    )


def perimeter_403(about: About) -> ApiError:
    """A perimeter of VPC Service Controls forbids the call."""
    identifier = about.subject or _PERIMETER_REQUEST
    message = f"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: {identifier}"
    violation = {"type": "VPC_SERVICE_CONTROLS", "description": identifier}
    service = "aiplatform.googleapis.com"
    details = [
        {"@type": f"{_TYPE}PreconditionFailure", "violations": [violation]},
        _info(
            "SECURITY_POLICY_VIOLATED",
            "googleapis.com",
            consumer=f"projects/{about.number}",
            service=service,
            uid=identifier,
        ),
    ]
    return ApiError("PERMISSION_DENIED", message, details=details)


def permission_403(about: About) -> ApiError:
    """A missing right or a missing project: Google does not say which."""
    permission = about.subject or _permission_for(about.rpc)
    if permission.startswith("compute."):
        place = about.path.partition("/v1/")[2] or f"projects/{about.project}/regions/{about.region}"
        return ApiError("PERMISSION_DENIED", f"Required '{permission}' permission for '{place}'", reason="forbidden")
    service = f"{permission.partition('.')[0]}.googleapis.com"
    place = f"//{service}/projects/{about.project}/locations/{about.region or 'us-central1'}"
    info = _info("IAM_PERMISSION_DENIED", service, permission=permission, resource=place)
    message = f"Permission '{permission}' denied on resource '{place}' (or it may not exist)."
    return ApiError("PERMISSION_DENIED", message, details=[info])


def _permission_for(rpc: str) -> str:
    """The permission that a method needs first, as Google's IAM names it after collection and verb."""
    service, *_, collection, method = rpc.split(".")
    verb = {"insert": "create", "patch": "update"}.get(method, method.removesuffix("Model"))
    return f"{service}.{collection}.{verb}"


def service_agents_400(about: About) -> ApiError:
    """A new project's service agents are on their way; passes in one to five minutes."""
    return failed_precondition(
        f"Service agents are being provisioned ({_AGENTS}). Service agents are needed to read the Cloud Storage file "
        "provided. So please try again in a few minutes."
    )


def stock_out(about: About) -> ApiError:
    """The region has none of these machines at the moment."""
    return stockout()


def stock_out_recommending(about: About, accelerator: str = "nvidia-l4", other: str = "asia-northeast1") -> ApiError:
    """The same, naming machine and accelerator and recommending another region."""
    machine = about.subject or "g2-standard-24"
    return ApiError(
        "UNAVAILABLE",
        f'Machine type temporarily unavailable. Machine type: "{machine}". Accelerator type: "{accelerator}". '
        f"Recommended regions: {other}.",
    )


def bare_internal(about: About) -> ApiError:
    """The service agent lacks a right that `:deploy` needs; the operation says nothing but this."""
    return ApiError("INTERNAL", "INTERNAL")


def container_exited(about: About) -> ApiError:
    """The container died while it came up."""
    logs = about.subject or "https://console.cloud.google.com/logs/viewer?project=" + about.project
    return failed_precondition(f"Model server exited unexpectedly. Model server logs can be found at {logs}")


def container_exited_machine(about: About) -> ApiError:
    """The same, with advice that is often beside the point."""
    return failed_precondition("Model server exited unexpectedly. Please use recommended machine spec.")


def container_never_ready(about: About) -> ApiError:
    """The container was not ready in time."""
    return failed_precondition(
        "model server never became ready. Please validate that your model file or container configuration are valid."
    )


def weights_not_readable_400(about: About) -> ApiError:
    """The service agent may not read the weights."""
    folder = about.subject or "gs://weights/llama"
    return failed_precondition(
        f"Service account `service-{about.number}@gcp-sa-aiplatform.iam.gserviceaccount.com` does not have "
        f'`[storage.objects.get]` IAM permission(s) to the directory "{folder}". Please either copy the files to the '
        "Google Cloud Storage bucket owned by your project, or grant the required IAM permission(s) to the service "
        "account."
    )


def image_not_readable_400(about: About) -> ApiError:
    """The service agent may not read a container image."""
    where = about.subject or f"projects/{about.project}/locations/{about.region or 'us-central1'}/repositories/images"
    return failed_precondition(
        f"Vertex AI Service Agent service-{about.number}@gcp-sa-aiplatform.iam.gserviceaccount.com does not have "
        f"permission to access Artifact Registry repository {where}."
    )


def not_cancellable_400(about: About) -> ApiError:
    """An operation that cannot be stopped."""
    name = about.subject or f"projects/{about.number}/locations/{about.region or 'us-central1'}/operations/1"
    return failed_precondition(f"Operation {name} is not cancellable.")


def network_not_ready_400(about: About) -> ApiError:
    """A network or subnetwork that was made a moment ago."""
    name = about.subject or f"projects/{about.project}/regions/{about.region}/subnetworks/default"
    return ApiError("INVALID_ARGUMENT", f"The resource '{name}' is not ready", reason="resourceNotReady")


def table_truncated_404(about: About) -> ApiError:
    """Rows are streamed into a table that was replaced a moment ago."""
    return not_found("Table is truncated.")


@dataclass(frozen=True)
class NamedError:
    """One error that a test can ask for by name.

    Attributes:
        make: Makes it.
        source: Where the words were read.
        usual: Where Google says it: at the ``call``, or as the error of its ``operation``. A fault may say otherwise.
        ends_after: Emulated seconds from its start after which the operation ends so; None for after ``at_stage``.
    """

    make: Callable[[About], ApiError]
    source: str
    usual: str = "call"
    ends_after: float | None = None

    @property
    def what(self) -> str:
        """One line about it."""
        return (self.make.__doc__ or "").strip().rstrip(".")


_SEVERAL = "several public files"
NAMED: dict[str, NamedError] = {
    "rate_limit_403": NamedError(rate_limit_403, "magic-modules; terraform-provider-google #9207"),
    "rate_limit_per_minute_403": NamedError(rate_limit_per_minute_403, "magic-modules, error_retry_predicates.go"),
    "concurrent_operations_403": NamedError(concurrent_operations_403, "gcloud, operation_quota_utils.py"),
    "bigquery_rate_limit_403": NamedError(bigquery_rate_limit_403, "magic-modules; BigQuery's error table"),
    "bigquery_job_rate_limit": NamedError(bigquery_job_rate_limit, "BigQuery's error table; rudder-server's test"),
    "rate_limit_429": NamedError(rate_limit_429, "magic-modules, error_retry_predicates.go"),
    "quota_429": NamedError(quota_429, "four public files", "operation"),
    "quota_named_429": NamedError(quota_named_429, "four public files", "operation"),
    "organization_policy_412": NamedError(organization_policy_412, "file 4585634633"),
    "location_policy_412": NamedError(location_policy_412, "files 66433166065, 53500171754, 63375383200"),
    "vertex_organization_policy_400": NamedError(vertex_organization_policy_400, "files 58567089458, 12923988830"),
    "perimeter_403": NamedError(perimeter_403, "python-aiplatform #5132"),
    "permission_403": NamedError(permission_403, _SEVERAL),
    "service_agents_400": NamedError(service_agents_400, "files 30980704582, 60339819545"),
    "stock_out": NamedError(stock_out, "PerfKitBenchmarker, file 19095163709", "operation"),
    "stock_out_recommending": NamedError(stock_out_recommending, "file 55145888718", "operation"),
    "bare_internal": NamedError(bare_internal, "file 69887669157", "operation", ends_after=5.0),
    "container_exited": NamedError(container_exited, "python-aiplatform #4559", "operation"),
    "container_exited_machine": NamedError(container_exited_machine, "file 69887669157", "operation"),
    "container_never_ready": NamedError(container_never_ready, "Google's page on batch predictions", "operation"),
    "weights_not_readable_400": NamedError(weights_not_readable_400, "vertex-ai-samples #3710; file 59009137427"),
    "image_not_readable_400": NamedError(image_not_readable_400, "file 7031771233"),
    "not_cancellable_400": NamedError(not_cancellable_400, "vertex-ai-samples #18"),
    "network_not_ready_400": NamedError(network_not_ready_400, "magic-modules, error_retry_predicates.go"),
    "table_truncated_404": NamedError(table_truncated_404, "file 55145888718"),
}
