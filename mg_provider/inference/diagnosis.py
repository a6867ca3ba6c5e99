"""Why an endpoint does not answer, found out from what it is and not from the words of the refusal alone."""

from __future__ import annotations

from typing import Literal

from mg_provider.api.errors import (
    CertificateNotTrusted,
    CloudError,
    ConnectionFailed,
    FailedPrecondition,
    MgError,
    NotFound,
    NotReached,
    PermissionDenied,
    RateLimited,
    Unavailable,
)
from mg_provider.api.prediction import Address, is_private
from mg_provider.api.vertex.client import VertexClient
from mg_provider.rollout.capacity import at_zero
from mg_provider.wire.vertex.endpoint import Endpoint

Reason = Literal[
    "no deployed model", "no traffic", "no replica", "waking", "private", "dedicated DNS only", "no such model"
]

# Refusals that the endpoint's own state may explain.
_EXPLAINABLE = (FailedPrecondition, NotFound, NotReached, PermissionDenied, RateLimited, Unavailable, ConnectionFailed)


class EndpointNotAnswering(MgError):
    """The endpoint is as it is, and so does not answer a question. The refusal itself is the cause.

    Attributes:
        reason: Why, in a few fixed words.
    """

    def __init__(self, reason: Reason, summary: str, *, hint: str) -> None:
        super().__init__(summary, hint=hint)
        self.reason = reason


def explained(error: MgError, name: str, address: Address, model: str, vertex: VertexClient) -> MgError:
    """The refusal in words that help, where the endpoint's state explains it; otherwise the refusal itself.

    Args:
        error: The refusal.
        name: The endpoint.
        address: Where it was asked.
        model: The model that was asked for.
        vertex: Reads the endpoint's state; if it cannot, the refusal stands.
    """
    if not isinstance(error, _EXPLAINABLE) or isinstance(error, CertificateNotTrusted):
        return error
    try:
        endpoint = vertex.get_endpoint(name, retry_budget=0.0)
    except MgError:
        return error
    explanation = _of_address(error, endpoint, address) or _of_models(error, endpoint, model)
    return explanation or error


def nothing_deployed(endpoint: Endpoint) -> EndpointNotAnswering | None:
    """What is said of an endpoint on which nothing can answer; None if something can."""
    name = endpoint.name or ""
    if not endpoint.deployed_models:
        return EndpointNotAnswering(
            "no deployed model",
            f"no deployed model on {name}: it is parked, its deployment has not ended or failed, or it scales to zero "
            "and was undeployed after 30 idle days",
            hint="set parked to false if it is, and run `pulumi up --refresh` on its stack",
        )
    if not any((endpoint.traffic_split or {}).values()):
        return EndpointNotAnswering(
            "no traffic",
            f"no deployed model on {name} receives traffic: its traffic split is empty",
            hint="give a deployed model traffic: set traffic_split, and run `pulumi up`",
        )
    return None


def _of_address(error: MgError, endpoint: Endpoint, address: Address) -> EndpointNotAnswering | None:
    dedicated = endpoint.dedicated_endpoint_dns
    if is_private(endpoint) and isinstance(error, ConnectionFailed | PermissionDenied):
        return EndpointNotAnswering(
            "private",
            f"{endpoint.name} is private and does not answer at {address.base_url} from here ({_message(error)})",
            hint="call it from an allowed network: a machine in the forwarding rule's network, in a project on its "
            "project_allowlist, with the rule's connection ACCEPTED",
        )
    if dedicated and "dedicated" in _message(error).lower() and isinstance(error, CloudError):
        return EndpointNotAnswering(
            "dedicated DNS only",
            f"{endpoint.name} answers at its dedicated DNS name only, not at {address.host or address.base_url}",
            hint=f"call it at {dedicated}: leave the address out",
        )
    return None


def _of_models(error: MgError, endpoint: Endpoint, model: str) -> EndpointNotAnswering | None:
    if isinstance(error, ConnectionFailed):
        return None
    if problem := nothing_deployed(endpoint):
        return problem
    if isinstance(error, NotFound | NotReached) and model and "model" in error.message.lower():
        return EndpointNotAnswering(
            "no such model",
            f"{endpoint.name} serves no model {model!r}",
            hint="leave the model out, or name one that `Client.models()` lists",
        )
    if isinstance(error, RateLimited):
        return _waking(endpoint)
    replicas = [each.status.available_replica_count or 0 for each in endpoint.deployed_models or [] if each.status]
    if isinstance(error, Unavailable) and replicas and not any(replicas):
        return EndpointNotAnswering(
            "no replica",
            f"no replica serves on {endpoint.name}: it is scaled to zero, or none has started yet",
            hint="ask again in a few minutes: a request wakes an endpoint that is scaled to zero",
        )
    return None


def _waking(endpoint: Endpoint) -> EndpointNotAnswering | None:
    """What is said of an endpoint that went down to no replica: the request that was refused wakes it."""
    if not any(at_zero(each) for each in endpoint.deployed_models or []):
        return None
    return EndpointNotAnswering(
        "waking",
        f"{endpoint.name} was scaled to zero and is waking: this request was dropped, and started its first replica",
        hint="ask again in a few minutes; to answer at once always, set min_replica_count to 1 and remove "
        "scale_to_zero_spec",
    )


def _message(error: MgError) -> str:
    return error.message if isinstance(error, CloudError) else error.summary
