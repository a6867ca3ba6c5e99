"""What a program says of a private address to an endpoint, and what the cloud says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from mg_provider.api.names import SERVICE_ATTACHMENT
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.identity import COMPUTE_NAME, Labels
from mg_provider.resources.model.lifecycle import CloudArgs, CloudState
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
from mg_provider.resources.model.meaning import Exposure, HeldByClients, Inner, InNetwork, Leads, Service
from mg_provider.resources.model.names import AddressName, EndpointName, NetworkName, SubnetworkName
from mg_provider.resources.model.standing import Stands, Unseen, asked_for
from mg_provider.wire.compute import Address, ForwardingRule, ServiceDirectoryRegistration

_PATH = re.compile(r"projects/(?P<project>[^/]+)/(?:global|regions/(?P<region>[^/]+))/[a-zA-Z]+/(?P<name>[^/]+)")
API_VERSION = "v1beta1"
_FROM_IP = "follows from the IP"
PATCH = "forwardingRules.patch"
REMADE = "forwardingRules.delete and insert, behind the same address: seconds without connection"
_GAP = "seconds without connection"
_LOOKED_UP = "endpoints.get; if its service attachment is another one, a new rule behind the same address"


def short(link: str) -> str:
    """A resource's name, ``projects/…``, from its name or its URL."""
    return link.rsplit("/compute/v1/", maxsplit=1)[-1]


def last(link: str) -> str:
    """The last part of a name or URL."""
    return link.rsplit("/", 1)[-1]


def project_of(link: str) -> str:
    """The project in a name or URL; empty where it has none."""
    match = _PATH.fullmatch(short(link))
    return match["project"] if match else ""


def region_of(link: str) -> str:
    """The region in a name or URL; empty where it has none."""
    match = _PATH.fullmatch(short(link))
    return (match["region"] if match else "") or ""


def urls(ip: str, endpoint: str) -> dict[str, str]:
    """The outputs that follow from an IP and the endpoint that it leads to; all empty without an IP."""
    return {
        "ip_address": ip,
        "http_url": f"http://{ip}" if ip else "",
        "https_url": f"https://{ip}" if ip else "",
        "base_url": base_url(ip, endpoint) if ip and endpoint else "",
    }


def base_url(host: str, endpoint: str) -> str:
    """The base URL for OpenAI clients, up to ``/chat/completions``."""
    return f"http://{host}/{API_VERSION}/{endpoint}"


def same_project(one: str, other: str) -> bool:
    """Whether two projects may be the same: of an id and a number nobody can tell."""
    return not one or not other or one.isdigit() != other.isdigit() or one == other


@dataclass(frozen=True)
class Held:
    """An address: what the cloud has, its resource name, and whether it was reserved for the rule."""

    address: Address
    path: str
    own: bool


def _target_problem(args: PscForwardingRuleArgs) -> str | None:
    if args.service_attachment and args.endpoint:
        return "is given beside endpoint: remove one; of an endpoint, the service attachment is looked up"
    if not args.service_attachment and not args.endpoint:
        return (
            "or endpoint is needed: pass endpoint, the `endpoint` output of a model or endpoint with "
            "private_service_connect_config, or a service attachment"
        )
    return None


def _attachment_problem(args: PscForwardingRuleArgs) -> str | None:
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


def _endpoint_problem(args: PscForwardingRuleArgs) -> str | None:
    region = args.endpoint.split("/")[3] if args.endpoint else ""
    if region and args.region and region != args.region:
        return f"is in {region}, but a forwarding rule reaches only endpoints of its own region {args.region}"
    return None


def _subnetwork_problem(args: PscForwardingRuleArgs) -> str | None:
    region, project = region_of(args.subnetwork), project_of(args.subnetwork)
    if region and args.region and region != args.region:
        return f"is in {region}, but the rule is in {args.region}: name a subnetwork of {args.region}"
    if not same_project(project, project_of(args.network)):
        return (
            f"is in project {project}, but network is in {project_of(args.network)}: a subnetwork is in its network's "
            "project, for a Shared VPC the host project"
        )
    return None


def _address_problem(args: PscForwardingRuleArgs) -> str | None:
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


def _allowlist_problem(args: PscForwardingRuleArgs) -> str | None:
    allowed = args.endpoint_allowlist
    if not not_allowed(args.project, allowed):
        return None
    found = f"{args.project} is not on the endpoint's project_allowlist, which has {', '.join(allowed)}"
    return f"{found}: add it there, in private_service_connect_config"


def _public_problem(args: PscForwardingRuleArgs) -> str | None:
    # An attachment that is known is there, whatever becomes of its endpoint.
    attached = isinstance(args.service_attachment, str) and args.service_attachment
    if args.endpoint_is_private is not False or attached:
        return None
    return (
        "is False: the endpoint is public, or turns public with this run, so no rule can lead to it: remove this "
        "rule, or keep the endpoint private, by enable_private_service_connect in its private_service_connect_config"
    )


def _registrations_problem(args: PscForwardingRuleArgs) -> str | None:
    if len(args.service_directory_registrations) > 1:
        return "takes at most one entry: remove the others"
    if any(entry.service_directory_region for entry in args.service_directory_registrations):
        return "takes service_directory_region for global rules only: remove it, the entry is in the rule's region"
    return None


class PscForwardingRuleArgs(CloudArgs):
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
    forwarding_rule_name: Annotated[str, Replaces("names are fixed"), Computed(), Unique()] = Field(
        default="",
        pattern=f"^{COMPUTE_NAME.pattern}$",
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

    rules: ClassVar[tuple[Rule, ...]] = (
        *CloudArgs.rules,
        Rule(("service_attachment", "endpoint"), _target_problem),
        Rule(("service_attachment", "region"), _attachment_problem),
        Rule(("endpoint", "region"), _endpoint_problem),
        Rule(("subnetwork", "network", "region"), _subnetwork_problem),
        Rule(("address", "region", "project"), _address_problem),
        Rule(("service_directory_registrations",), _registrations_problem),
        Rule(("project", "endpoint_allowlist"), _allowlist_problem),
        Rule(("endpoint_is_private",), _public_problem),
    )
    always_in_ids = CloudArgs.always_in_ids | {"network", "subnetwork", "address", "owner", "resource"}

    @property
    def parked(self) -> bool:
        """Whether the program says that nothing is deployed on purpose."""
        return self.triggers.get("parked") == "true"

    @property
    def network_project(self) -> str:
        """The project of network and subnetwork: for a Shared VPC the host project, otherwise the rule's own."""
        return project_of(self.network) or project_of(self.subnetwork) or self.project

    @property
    def network_path(self) -> str:
        """``projects/{project}/global/networks/{name}``."""
        return f"projects/{self.network_project}/global/networks/{last(self.network)}"

    @property
    def subnetwork_path(self) -> str:
        """``projects/{project}/regions/{region}/subnetworks/{name}``."""
        project = project_of(self.subnetwork) or self.network_project
        return f"projects/{project}/regions/{self.region}/subnetworks/{last(self.subnetwork)}"

    @property
    def names_address(self) -> bool:
        """Whether the program names an address that somebody reserved, rather than an IP or nothing."""
        return self.address[:1].isalpha()

    def planned(self, seen: str | None) -> PscForwardingRuleArgs:
        """With the outputs that are known before anything is made.

        Args:
            seen: The IP that the resource has and keeps, if it is known.
        """
        named = self.address if self.is_known("address") and not self.names_address else ""
        # Without an IP, nothing is set: what an unset output holds is for the cloud to say.
        found = urls(named or seen or "", self.endpoint) if named or seen else {}
        if not self.is_known("endpoint"):
            found.pop("base_url", None)
        return self.with_values(**found)

    @property
    def address_path(self) -> str:
        """``projects/{project}/regions/{region}/addresses/{name}``: the named one, or the one that is made."""
        name = last(self.address) if self.names_address else self.forwarding_rule_name
        project = project_of(self.address) or self.project
        return f"projects/{project}/regions/{self.region}/addresses/{name}"

    def wire(self, target: str, address_path: str) -> ForwardingRule:
        """The request of ``forwardingRules.insert`` to a service attachment, behind a reserved address.

        Compute Engine takes no labels with it (hashicorp/terraform-provider-google issue 16255): they are set after.
        """
        asked = asked_for(self, "rule") | {"network": self.network_path, "target": target, "labels": None}
        return ForwardingRule(name=self.forwarding_rule_name, ip_address=address_path, **asked)

    def wire_address(self, labels: Mapping[str, str]) -> Address:
        """The request of ``addresses.insert``."""
        return Address(
            name=self.forwarding_rule_name,
            address_type="INTERNAL",
            purpose="GCE_ENDPOINT",
            subnetwork=self.subnetwork_path,
            address=self.address or None,
            labels=dict(labels),
        )


class PscForwardingRuleState(CloudState):
    """What the cloud says of the rule."""

    ip_address: Annotated[str, HeldByClients("private IP")] = Field(
        default="", description="The private IP address that clients call."
    )
    http_url: str = Field(default="", description="http://{ip_address}.")
    https_url: str = Field(
        default="", description="https://{ip_address}; the certificate is one that the endpoint signed itself."
    )
    base_url: str = Field(
        default="", description="Base URL for OpenAI clients, up to /chat/completions; empty without `endpoint`."
    )
    psc_connection_id: str = Field(default="", description="Id of the connection at the producer.")
    psc_connection_status: str = Field(
        default="",
        description="ACCEPTED when the endpoint answers on the address; empty while there is no rule, because nothing "
        "is deployed on the endpoint.",
    )
    connected_service_attachment: str = Field(default="", description="Service attachment that the rule leads to.")
    reserved_address: str = Field(default="", description="projects/{project}/regions/{region}/addresses/{name}.")
    ownership: Annotated[dict[str, str] | None, Inner()] = Field(
        default=None, description="The labels that say who owns rule and address, as far as both have them."
    )
    unlabelled: Annotated[str, Inner()] = Field(
        default="",
        description="Numbers of rule and address that were made or imported and do not have their labels yet; empty "
        "otherwise.",
    )
