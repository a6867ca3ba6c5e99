"""What a program says of a private address to an endpoint: each argument with its marks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mg_provider.resources.model.identity import COMPUTE_NAME_FORM, Labels
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.resources.model.marks import (
    Computed,
    Derived,
    InPlace,
    Lines,
    Local,
    ReadBack,
    Replaces,
    Transient,
    Unique,
)
from mg_provider.resources.model.meaning import Exposure, InNetwork, Leads, Service
from mg_provider.resources.model.names import AddressName, EndpointName, NetworkName, SubnetworkName
from mg_provider.resources.model.standing import Stands, Unseen
from mg_provider.wire.compute import ServiceDirectoryRegistration

_FROM_IP = "follows from the IP"
PATCH = "forwardingRules.patch"
REMADE = "forwardingRules.delete and insert, behind the same address: seconds without connection"
_GAP = "seconds without connection"
_LOOKED_UP = "endpoints.get; if its service attachment is another one, a new rule behind the same address"


class PscForwardingRuleFields(CloudArgs):
    """What a user says of a private address to an endpoint."""

    endpoint: Annotated[
        EndpointName,
        InPlace(_LOOKED_UP),
        Leads(),
        Service("where it leads", gap=_GAP),
        ReadBack(),
    ] = Field(
        default="",
        description="Endpoint to reach, projects/{project}/locations/{region}/endpoints/{id}: the `endpoint` output of "
        "a model or endpoint. Its service attachment is looked up. This or service_attachment.",
    )
    service_attachment: Annotated[
        str, InPlace(REMADE), Leads(), Service("where it leads", gap=_GAP), Stands("rule", "target"), ReadBack()
    ] = Field(default="", description="Service attachment to reach, where there is no endpoint to look it up from.")
    triggers: Annotated[
        dict[str, str], InPlace(_LOOKED_UP), Lines(), Unseen("a wish of the program's, kept nowhere")
    ] = Field(
        default={},
        description="Any values; when one changes, the endpoint's service attachment is looked up again. Pass what "
        "parks a model as `parked`, as it may come back with another attachment; while it is 'true', a closed "
        "connection is not drift.",
    )
    network: Annotated[NetworkName, Replaces("the network is fixed"), InNetwork(), Stands("rule", "network")] = Field(
        description="Network of the clients: name, or projects/{project}/global/networks/{name}, for a Shared VPC "
        "with the host project.",
    )
    subnetwork: Annotated[SubnetworkName, Replaces("an address belongs to one subnetwork")] = Field(
        description="Subnetwork that the address is taken from: name, or projects/{p}/regions/{r}/subnetworks/{name}; "
        "a name alone is looked for in the network's project.",
    )
    address: Annotated[
        AddressName,
        # An IP where none was named is the one that it has: `refuse` sees to that.
        Replaces(
            "clients have the address in their configuration",
            unless=lambda old, new: not old and not new[:1].isalpha(),
        ),
        Computed(),
    ] = Field(
        default="",
        description="Internal IPv4 address to take, of any range that a subnetwork can have; or name or "
        "projects/{p}/regions/{r}/addresses/{name} of one that is reserved, which then is used and never deleted. "
        "Default: a free one, which then stays, also if it comes to be named.",
    )
    forwarding_rule_name: Annotated[str, Replaces("names are fixed"), Computed(), Unique(), COMPUTE_NAME_FORM] = Field(
        default="",
        description="Name of rule and address: at most 63 of a-z, 0-9 and -, a letter first. "
        "Default: derived from stack and resource name.",
    )
    description: Annotated[
        str,
        Local("sent when the rule is made, for another reason too; no call changes it, and it is not worth a cut"),
        Lines(),
        Stands("rule", "description"),
        Unseen("Google may not keep it on a rule to a service attachment", sent=True),
    ] = Field(default="", description="Free text on the forwarding rule; a new one is for the next rule that is made.")
    labels: Annotated[Labels, InPlace("forwardingRules.setLabels, addresses.setLabels"), Stands("rule", "labels")] = (
        Field(default={}, description="Labels of rule and address.")
    )
    allow_psc_global_access: Annotated[
        bool,
        InPlace(PATCH),
        Exposure("clients in other regions of the network", widens=lambda _, allowed: bool(allowed)),
        Stands("rule", "allow_psc_global_access", always=True),
    ] = Field(default=False, description="Let clients in other regions of the network connect.")
    no_automate_dns_zone: Annotated[
        bool,
        InPlace(REMADE),
        Service("the DNS zone of the connection", gap=_GAP),
        Stands("rule", "no_automate_dns_zone", always=True),
        Unseen("Google does not promise to show it", sent=True, or_shown=True),
    ] = Field(default=False, description="Make no DNS zone for the connection.")
    service_directory_registrations: Annotated[
        list[ServiceDirectoryRegistration],
        InPlace(REMADE),
        Service("the entry in Service Directory", gap=_GAP),
        Stands("rule", "service_directory_registrations"),
    ] = Field(
        default=[],
        description="Service Directory entry of the rule; at most one. Compute Engine may refuse a namespace of your "
        "own on a rule to a service attachment.",
    )
    look_up: Annotated[bool, Local("used by the preview of a creation"), Transient()] = Field(
        default=False,
        description="Check in the preview of a creation whether subnetwork and address are available. This needs "
        "credentials, and a network that exists before the run.",
    )
    endpoint_allowlist: Annotated[list[str], Local("used by the preview"), Transient()] = Field(
        default=[],
        description="Projects that the endpoint lets in: a preview refuses a rule whose project is not one of them. "
        "Default: the project_allowlist of the model or endpoint in this program that `endpoint` comes from.",
    )
    endpoint_is_private: Annotated[bool | None, Local("used by the preview"), Transient()] = Field(
        default=None,
        description="Whether the endpoint is private: a preview refuses a rule to one that is not, or that turns "
        "public in the same run. Default: as the model or endpoint in this program says that `endpoint` or "
        "`service_attachment` comes from.",
    )
    forwarding_rule: Annotated[str, Derived(), Local("follows from name, project and region")] = Field(
        default="", description="projects/{project}/regions/{region}/forwardingRules/{name}."
    )
    # Outputs that a plan knows as well, if the program names an IP, or a refresh has seen it.
    ip_address: Annotated[str, Derived(), Computed(), Local(_FROM_IP)] = Field(
        default="", description="The private IP address that clients call."
    )
    http_url: Annotated[str, Derived(), Computed(), Local(_FROM_IP)] = Field(
        default="", description="http://{ip_address}."
    )
    https_url: Annotated[str, Derived(), Computed(), Local(_FROM_IP)] = Field(
        default="", description="https://{ip_address}; the certificate is one that the endpoint signed itself."
    )
    base_url: Annotated[str, Derived(), Computed(), Local(_FROM_IP)] = Field(
        default="", description="Base URL for OpenAI clients, up to /chat/completions; empty without `endpoint`."
    )
