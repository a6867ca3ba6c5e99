"""The arguments of a private address as a whole: their rules, what follows from them, what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.lifecycle import CloudArgs, CloudState
from mg_provider.resources.model.meaning import HeldByClients, Inner
from mg_provider.resources.model.standing import asked_for
from mg_provider.resources.psc_forwarding_rule.fields import PscForwardingRuleFields
from mg_provider.resources.psc_forwarding_rule.names import (
    last,
    project_of,
    urls,
)
from mg_provider.resources.psc_forwarding_rule.rules import PSC_RULES
from mg_provider.wire.base import nested
from mg_provider.wire.compute import Address, ForwardingRule


class PscForwardingRuleArgs(PscForwardingRuleFields):
    """What a user says of a private address to an endpoint."""

    rules: ClassVar[tuple[Rule, ...]] = (*CloudArgs.rules, *PSC_RULES)
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
        return ForwardingRule(name=self.forwarding_rule_name, ip_address=address_path, **nested(asked))

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


@dataclass(frozen=True)
class Held:
    """An address: what the cloud has, its resource name, and whether it was reserved for the rule."""

    address: Address
    path: str
    own: bool


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
