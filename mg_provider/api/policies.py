"""Organisation policies: which constraint an answer of Google's names, what it forbids, and what its owner can allow.

Texts as public reports show them: ``Constraint constraints/X violated for project P`` with 412 (Compute Engine, Cloud
Storage), ``Organization Policy constraint constraints/X violated for projects/N attempting to use …`` with 400 (Vertex
AI), ``'us' violates constraint 'constraints/X'``, and for constraints of one's own ``Constraint: custom.X violated`` or
``Operation denied by custom org policies: ["customConstraints/custom.X": …]``. What each constraint does:
cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints, cloud.google.com/vpc/docs/
private-service-connect-security, and cloud.google.com/vertex-ai/generative-ai/docs/control-model-access, read 2026-11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GOOGLE_ORGANIZATION = "433637338589"
"""Google's own, which the service attachments of endpoints are in: the documentation on the security of Private Service
Connect consumers, read 2026-11."""

_NAME = r"[\"']?(?:(?:custom)?[cC]onstraints/)?(?P<name>[a-z]\w*\.[\w.]*\w)[\"']?"
_VIOLATED = tuple(
    re.compile(pattern.replace("NAME", _NAME), re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"constraint:?\s+NAME\s+(?:is\s+)?violated",
        r"violates\s+(?:the\s+)?(?:organization\s+policy\s+)?constraint:?\s+NAME",
        r"denied by (?:custom )?org(?:anization)? polic(?:y|ies)\b.{0,200}?NAME\"?\s*:",
    )
)


@dataclass(frozen=True)
class _Constraint:
    """What a constraint forbids, and what its owner can allow."""

    forbids: str
    allow: str


_CONSTRAINTS = {
    "compute.restrictPrivateServiceConnectProducer": _Constraint(
        "connecting to service attachments of organizations that it does not list",
        f"allow under:organizations/{GOOGLE_ORGANIZATION}, which is Google's and has the endpoint's service attachment",
    ),
    "compute.disablePrivateServiceConnectCreationForConsumers": _Constraint(
        "making forwarding rules for Private Service Connect of the kinds that it lists",
        "allow SERVICE_PRODUCERS, the kind that leads to an endpoint's service attachment",
    ),
    "compute.restrictLoadBalancerCreationForTypes": _Constraint(
        "making forwarding rules of types that it does not list", "allow the type that Google's text names"
    ),
    "compute.restrictSharedVpcSubnetworks": _Constraint(
        "using subnetworks of a Shared VPC that it does not list", "allow the subnetwork of this resource"
    ),
    "gcp.resourceLocations": _Constraint(
        "making resources in locations that it does not list",
        "allow the region of this resource, or use a region that it allows",
    ),
    "gcp.restrictNonCmekServices": _Constraint(
        "making resources without a customer-managed encryption key",
        "set the encryption key of this resource, or allow the service without one",
    ),
    "gcp.restrictCmekCryptoKeyProjects": _Constraint(
        "using encryption keys of projects that it does not list",
        "use a key of a project that it allows, or allow the key's project",
    ),
    "vertexai.allowedModels": _Constraint(
        "using models of Model Garden that it does not list",
        "allow the model with the action deploy, as publishers/{publisher}/models/{model}:deploy",
    ),
    "vertexai.allowedPartnerModelFeatures": _Constraint(
        "using features of partner models that it does not list", "allow the feature that Google's text names"
    ),
    "iam.allowedPolicyMemberDomains": _Constraint(
        "granting roles to members outside the domains that it lists",
        "allow the organization of the member, which for Google's service agents is Google's",
    ),
}


def violated_constraint(message: str) -> str | None:
    """The constraint that a text says is violated, without the leading ``constraints/``; None where it names none."""
    found = next(filter(None, (pattern.search(message) for pattern in _VIOLATED)), None)
    return found["name"] if found else None


def what_it_forbids(constraint: str) -> str:
    """What a constraint forbids, in words that continue "forbids"; what Google's text says, where it is not known."""
    known = _CONSTRAINTS.get(constraint)
    return known.forbids if known else "this"


def hint_for_constraint(constraint: str) -> str:
    """What to ask for, and of whom."""
    known = _CONSTRAINTS.get(constraint)
    change = known.allow if known else "allow what Google's text names, or keep to what the policy allows"
    return (
        "ask an administrator of organization policies (roles/orgpolicy.policyAdmin) to change "
        f"constraints/{constraint} for this project: {change}; then run the same command again"
    )
