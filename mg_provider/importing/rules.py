"""Forwarding rules with their addresses: where one leads, and its arguments."""

from __future__ import annotations

import re
from typing import Any, cast

from mg_provider.api.errors import UserError
from mg_provider.importing.arguments import arguments_of, labels_of
from mg_provider.importing.finding import Found
from mg_provider.importing.imported import Draft
from mg_provider.resources.model.identity import OWNER_LABEL
from mg_provider.resources.model.lifecycle import Context
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from mg_provider.resources.psc_forwarding_rule.args import PscForwardingRuleArgs, PscForwardingRuleState
from mg_provider.resources.psc_forwarding_rule.names import last, project_of, same_project, short, urls
from mg_provider.wire.compute import Address, ForwardingRule, is_accepted

# Vertex AI's own attachments are in projects of Google's, one for each customer.
_OF_VERTEX = re.compile(r"projects/[a-z0-9-]+-tp/regions/[a-z0-9-]+/serviceAttachments/gkedpm-[a-z0-9-]+")


def draft_of(found: Found, context: Context) -> Draft:
    """What the rule would be in a program.

    Raises:
        UserError: It leads to something else than an endpoint of Vertex AI, or its IP is not reserved.
    """
    rule = cast(ForwardingRule, found.thing)
    target = short(rule.target or "")
    endpoint = _endpoint_of(target, found, context)
    _refuse_what_leads_elsewhere(rule, target, endpoint, found)
    address = _address_of(rule, found, context)
    own = (address.name or "") == found.id
    made: list[ForwardingRule | Address] = [rule, address] if own else [rule]
    return Draft(
        PscForwardingRuleProvider,
        {
            **({"endpoint": endpoint} if endpoint else {"service_attachment": target}),
            **_arguments(rule, address, own, found),
        },
        {
            "forwarding_rule_name": found.id,
            "forwarding_rule": found.path,
            **urls(rule.ip_address or "", endpoint),
        },
        PscForwardingRuleState(),
        {"unlabelled": " ".join(str(each.id) for each in made if each.id is not None)},
        next((each.labels for each in made if each.labels and OWNER_LABEL in each.labels), {}),
        tuple(_notes(rule, address, own)),
    )


def _refuse_what_leads_elsewhere(rule: ForwardingRule, target: str, endpoint: str, found: Found) -> None:
    if not endpoint and not _OF_VERTEX.fullmatch(target):
        what = target or "no service attachment"
        raise UserError(
            f"{found.path} leads to {what}, and not to the service attachment of an endpoint of Vertex AI",
            hint="import it with pulumi-gcp, as gcp:compute/forwardingRule:ForwardingRule",
        )
    if not is_accepted(rule.psc_connection_status):
        raise UserError(
            f"{found.path} reaches nothing: its connection is {rule.psc_connection_status or 'not there yet'}",
            hint="have the endpoint accept it first, by a deployed model and project_allowlist; delete a rule that is "
            "CLOSED, and let a program make one",
        )


def _arguments(rule: ForwardingRule, address: Address, own: bool, found: Found) -> dict[str, Any]:
    """What a program gives beside where the rule leads."""
    described = arguments_of(PscForwardingRuleArgs, "rule", rule)
    for name in ("labels", "network", "service_attachment", "service_directory_registrations"):
        described.pop(name, None)
    labels = labels_of(rule.labels)
    return {
        "network": _short(rule.network, found),
        "subnetwork": _short(address.subnetwork, found),
        **({} if own else {"address": address.name}),
        **described,
        **({"description": rule.description} if rule.description else {}),
        **({"labels": labels} if labels else {}),
    }


def _endpoint_of(target: str, found: Found, context: Context) -> str:
    """The endpoint in the rule's project and region that has this attachment; empty where none has."""
    for endpoint in context.clients.vertex.list_endpoints(found.place.parent) if target else ():
        for deployed in endpoint.deployed_models or []:
            ways = deployed.private_endpoints
            if ways and ways.service_attachment and short(ways.service_attachment) == target:
                return f"{found.place.parent}/endpoints/{(endpoint.name or '').rpartition('/')[2]}"
    return ""


def _address_of(rule: ForwardingRule, found: Found, context: Context) -> Address:
    place = found.place
    asked = f'address = "{rule.ip_address}"'
    for address in context.clients.compute.addresses.list(place.project, place.region, asked):
        if address.address == rule.ip_address and any(last(user) == found.id for user in address.users or []):
            return address
    raise UserError(
        f"the IP {rule.ip_address or '(none)'} of {found.path} is not reserved in {place.project}",
        hint=f"reserve it first: gcloud compute addresses create {found.id} --project={place.project} "
        f"--region={place.region} --addresses={rule.ip_address or 'IP'} --subnet=SUBNETWORK",
    )


def _short(link: str | None, found: Found) -> str:
    """The name alone of what is in the rule's project, else the resource name."""
    path = short(link or "")
    here = project_of(path) == found.place.project and same_project(project_of(path), found.place.project)
    return last(path) if here else path


def _notes(rule: ForwardingRule, address: Address, own: bool) -> list[str]:
    if not own:
        return [f"its address {address.name} has another name, so it stays yours: it is not deleted with the rule"]
    extra = sorted(set(labels_of(rule.labels)) - set(labels_of(address.labels)))
    return [f"the next `up` puts the rule's labels {', '.join(extra)} on its address as well"] if extra else []
