"""What would contradict itself in the arguments of a private address."""

from __future__ import annotations

from collections.abc import Sequence

from mg_provider.api.names import SERVICE_ATTACHMENT
from mg_provider.resources.model.args import Rule
from mg_provider.resources.psc_forwarding_rule.fields import PscForwardingRuleFields
from mg_provider.resources.psc_forwarding_rule.names import (
    project_of,
    region_of,
    same_project,
)


def _target_problem(args: PscForwardingRuleFields) -> str | None:
    if args.service_attachment and args.endpoint:
        return "is given beside endpoint: remove one; of an endpoint, the service attachment is looked up"
    if not args.service_attachment and not args.endpoint:
        return (
            "or endpoint is needed: pass endpoint, the `endpoint` output of a model or endpoint with "
            "private_service_connect_config, or a service attachment"
        )
    return None


def _attachment_problem(args: PscForwardingRuleFields) -> str | None:
    if not args.service_attachment:
        return None
    match = SERVICE_ATTACHMENT.match(args.service_attachment)
    if not match:
        return SERVICE_ATTACHMENT.problem(args.service_attachment)
    if args.region and match["region"] != args.region:
        return (
            f"is in {match['region']}, but a forwarding rule reaches only attachments of its own region {args.region}"
        )
    return None


def _endpoint_problem(args: PscForwardingRuleFields) -> str | None:
    region = args.endpoint.split("/")[3] if args.endpoint else ""
    if region and args.region and region != args.region:
        return f"is in {region}, but a forwarding rule reaches only endpoints of its own region {args.region}"
    return None


def _subnetwork_problem(args: PscForwardingRuleFields) -> str | None:
    region, project = region_of(args.subnetwork), project_of(args.subnetwork)
    if region and args.region and region != args.region:
        return f"is in {region}, but the rule is in {args.region}: name a subnetwork of {args.region}"
    if not same_project(project, project_of(args.network)):
        return (
            f"is in project {project}, but network is in {project_of(args.network)}: a subnetwork is in its network's "
            "project, for a Shared VPC the host project"
        )
    return None


def _address_problem(args: PscForwardingRuleFields) -> str | None:
    region = region_of(args.address)
    if region and args.region and region != args.region:
        return f"is in {region}, but the rule is in {args.region}: name an address of {args.region}"
    if not same_project(project_of(args.address), args.project):
        return (
            f"is in project {project_of(args.address)}, but the rule is in {args.project}: reserve it in the rule's "
            "project; in a Shared VPC only its subnetwork is the host project's"
        )
    return None


def not_allowed(project: str, allowed: Sequence[str]) -> bool:
    """Whether a project is known not to be on an allowlist, which ids and numbers together do not tell."""
    # A list that was made elsewhere may name projects by number.
    ids = all(entry[:1].isalpha() and "/" not in entry for entry in allowed)
    return bool(allowed and project) and ids and project not in allowed and not project.isdigit()


def _allowlist_problem(args: PscForwardingRuleFields) -> str | None:
    allowed = args.endpoint_allowlist
    if not not_allowed(args.project, allowed):
        return None
    found = f"{args.project} is not on the endpoint's project_allowlist, which has {', '.join(allowed)}"
    return f"{found}: add it there, in private_service_connect_config"


def _public_problem(args: PscForwardingRuleFields) -> str | None:
    # An attachment that is known is there, whatever becomes of its endpoint.
    attached = isinstance(args.service_attachment, str) and args.service_attachment
    if args.endpoint_is_private is not False or attached:
        return None
    return (
        "is False: the endpoint is public, or turns public with this run, so no rule can lead to it: remove this "
        "rule, or keep the endpoint private, by enable_private_service_connect in its private_service_connect_config"
    )


def _registrations_problem(args: PscForwardingRuleFields) -> str | None:
    if len(args.service_directory_registrations) > 1:
        return "takes at most one entry: remove the others"
    if any(entry.service_directory_region for entry in args.service_directory_registrations):
        return "takes service_directory_region for global rules only: remove it, the entry is in the rule's region"
    return None


PSC_RULES = (
    Rule(("service_attachment", "endpoint"), _target_problem),
    Rule(("service_attachment", "region"), _attachment_problem),
    Rule(("endpoint", "region"), _endpoint_problem),
    Rule(("subnetwork", "network", "region"), _subnetwork_problem),
    Rule(("address", "region", "project"), _address_problem),
    Rule(("service_directory_registrations",), _registrations_problem),
    Rule(("project", "endpoint_allowlist"), _allowlist_problem),
    Rule(("endpoint_is_private",), _public_problem),
)
