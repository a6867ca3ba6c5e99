"""What to do about an error of Google's, as far as its text and details tell.

Texts are matched as Google's own clients match them (gcloud 528.0.0: EULA, Hugging Face token) or as they stand in
public issues (quota, stock-out, service agent).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mg_provider.api.reading.agents import ADDRESS, says_being_provisioned
from mg_provider.api.reading.shortage import says_stock_out

QUOTAS = "https://console.cloud.google.com/iam-admin/quotas"


@dataclass(frozen=True)
class Symptoms:
    """What an error shows."""

    status: int
    reason: str
    message: str
    details: Sequence[Mapping[str, Any]]

    @property
    def error_info(self) -> Mapping[str, Any]:
        """The google.rpc.ErrorInfo, which names the reason and what it is about."""
        for detail in self.details:
            if str(detail.get("@type", "")).endswith("google.rpc.ErrorInfo"):
                return detail
        return {}

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The ErrorInfo's metadata: service, permission, resource, consumer."""
        metadata = self.error_info.get("metadata")
        return metadata if isinstance(metadata, Mapping) else {}

    def says(self, pattern: str) -> re.Match[str] | None:
        """Whether the message matches, case ignored."""
        return re.search(pattern, self.message, re.IGNORECASE)


def _service_disabled(symptoms: Symptoms) -> str | None:
    if symptoms.error_info.get("reason") != "SERVICE_DISABLED" and not symptoms.says(
        r"has not been used in project .* before or it is disabled"
    ):
        return None
    service = symptoms.metadata.get("service", "aiplatform.googleapis.com")
    consumer = str(symptoms.metadata.get("consumer", "")).removeprefix("projects/")
    project = f" --project {consumer}" if consumer else ""
    command = f"gcloud services enable {service}{project}"
    return f"enable the API with `{command}`, wait a few minutes, and run the same command again"


def _provisioning(symptoms: Symptoms) -> str | None:
    if not says_being_provisioned(symptoms.message):
        return None
    return "run the same command again in a few minutes: the service agents of a new project are still being set up"


def _image(symptoms: Symptoms) -> str | None:
    agent = ADDRESS.search(symptoms.message)
    if not symptoms.says(r"Artifact Registry|-docker\.pkg\.dev|repositor(y|ies)") or not symptoms.says(r"permission"):
        return None
    if not agent and not symptoms.says(r"service agent"):
        return None
    repository = symptoms.says(r"projects/[^/\s]+/locations/[^/\s]+/repositories/[\w-]+")
    return (
        f"grant {agent[0] if agent else 'the Vertex AI service agent'} the role roles/artifactregistry.reader on "
        f"{repository[0] if repository else 'the repository with the container image'}"
    )


def _service_agent(symptoms: Symptoms) -> str | None:
    agent = ADDRESS.search(symptoms.message)
    if not agent or not symptoms.says(r"storage\.|bucket|gs://"):
        return None
    return f"grant {agent[0]} the role roles/storage.objectViewer on the bucket with the weights"


def _permission(symptoms: Symptoms) -> str | None:
    # Vertex AI writes permission 'x.y.z', Compute writes 'x.y.z' permission.
    named = symptoms.says(r"permission '?([a-z]\w*\.\w+\.\w+)'?|'?([a-z]\w*\.\w+\.\w+)'? permission")
    permission = symptoms.metadata.get("permission") or (named and (named[1] or named[2]))
    if symptoms.error_info.get("reason") != "IAM_PERMISSION_DENIED" and not (symptoms.status == 403 and permission):
        return None
    if not permission:
        return "grant the caller a role that allows this call, such as roles/aiplatform.user"
    found = symptoms.says(r"permission for '([^']+)'")
    resource = symptoms.metadata.get("resource") or (found and found[1])
    place = f" on {resource}" if resource else ""
    return f"grant the caller a role with the permission {permission}{place}"


def _consumer(symptoms: Symptoms) -> str | None:
    if symptoms.error_info.get("reason") not in ("CONSUMER_INVALID", "USER_PROJECT_DENIED"):
        return None
    return (
        "check `mg:project` and `mg:billingProject`: the project does not exist or the caller may not be billed to it"
    )


def _perimeter(symptoms: Symptoms) -> str | None:
    if not symptoms.says(r"vpc service controls|organization's policy.*vpcServiceControls|SECURITY_POLICY_VIOLATED"):
        return None
    return "allow the call in the VPC Service Controls perimeter: add the caller to an ingress rule, or run inside it"


def _license(symptoms: Symptoms) -> str | None:
    if not symptoms.says(r"\bEULA\b|End User License Agreement"):
        return None
    return "accept the model's End User License Agreement in Model Garden, or set accept_eula to true"


def _hugging_face(symptoms: Symptoms) -> str | None:
    if not symptoms.says(r"hugging ?face.*token|token.*hugging ?face"):
        return None
    return "set hugging_face_access_token to a read token of an account that has accepted the model's terms"


def _stock_out(symptoms: Symptoms) -> str | None:
    if not says_stock_out(symptoms.message):
        return None
    return (
        "capacity is short at the moment: try another machine type, another region, a reservation, spot, or "
        f"flex_start; Google also answers this where a quota is too small, so look at {QUOTAS}"
    )


def _quota(symptoms: Symptoms) -> str | None:
    if not symptoms.says(r"quota"):
        return None
    if counted := symptoms.says(r"^Quota '(\w+)' exceeded\.  ?Limit"):
        return f"ask for more of the quota {counted[1]} ({QUOTAS}), or remove what is not needed"
    name = symptoms.says(r"custom_?model_?serving\w*")
    which = f" for {name[0]}" if name else ""
    return (
        f"ask for more quota{which} in the region ({QUOTAS}), or use fewer replicas, another region or another "
        "accelerator"
    )


def _internal(symptoms: Symptoms) -> str | None:
    if symptoms.reason != "INTERNAL":
        return None
    return (
        "Google names no cause: run the same command again; if it fails again, look in the audit logs of this project "
        "for what failed"
    )


def _unauthenticated(symptoms: Symptoms) -> str | None:
    if symptoms.status != 401 and symptoms.reason != "UNAUTHENTICATED":
        return None
    return (
        "run `gcloud auth application-default login`, or set GOOGLE_OAUTH_ACCESS_TOKEN to a token that is still valid"
    )


def _stale(symptoms: Symptoms) -> str | None:
    if symptoms.reason != "ABORTED":
        return None
    if symptoms.status == 412 and not says_changed(symptoms.message):
        return "see which condition Google's text names, meet it, then run the same command again"
    return (
        "somebody changed the resource meanwhile: run `pulumi refresh`, look at the difference, and run the same "
        "command again"
    )


def says_changed(message: str) -> bool:
    """Whether a 412 says that something was changed since it was read, and not that something forbids the call."""
    return bool(re.search(r"fingerprint|etag|have changed|been modified|pre-conditions you", message, re.IGNORECASE))


def hint_for_not_reached(message: str, answered_by: str) -> str:
    """What to do about a 404 that does not mean that the resource is gone.

    Args:
        message: What was answered.
        answered_by: The host that answered, unless it was Google.
    """
    again = "then run the same command again: nothing was taken out of the state"
    if answered_by:
        return f"make sure that proxies and the custom endpoint lead to Google, as {answered_by} does not; {again}"
    if re.search(r"\bmethod\b|requested url", message, re.IGNORECASE):
        return f"correct the custom endpoint: what answers there does not know this call; {again}"
    if re.search(r"(?<![\w-])project\b", message, re.IGNORECASE):
        return f"look whether the project in `mg:project` exists and is the right one; {again}"
    return (
        "look whether project, region and custom endpoint are right, and the API is enabled; then run the same command "
        "again. If the resource really is gone, `pulumi state delete` takes it out of the state"
    )


# The first that answers is used, so the narrow ones come first.
_RULES: tuple[Callable[[Symptoms], str | None], ...] = (
    _service_disabled,
    _provisioning,
    _image,
    _service_agent,
    _perimeter,
    _consumer,
    _license,
    _hugging_face,
    _permission,
    _stock_out,
    _quota,
    _unauthenticated,
    _stale,
    _internal,
)


def hint_for(status: int, reason: str, message: str, details: Sequence[Mapping[str, Any]] = ()) -> str | None:
    """One imperative sentence, or None where nothing useful can be said."""
    symptoms = Symptoms(status, reason, message, details)
    return next((hint for rule in _RULES if (hint := rule(symptoms))), None)
