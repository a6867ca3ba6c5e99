"""The constructor and the outputs of ``PscForwardingRule``.

Generated from its arguments and outputs by `make generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pulumi import Input, Output, ResourceOptions

from mg_provider.resources.dynamic.resource import DynamicResource
from mg_provider.resources.inputs import (
    ServiceDirectoryRegistrationInput,
    TimeoutsInput,
)


class PscForwardingRuleConstructor(DynamicResource):
    """What a program passes to ``PscForwardingRule`` and reads of it."""

    project: Output[str]
    """Project id. Default: `mg:project`, else `gcp:project`, else GOOGLE_CLOUD_PROJECT."""
    region: Output[str]
    """Region, for example us-central1. Default: `mg:region`, else `gcp:region`."""
    endpoint: Output[str]
    """Endpoint to reach, projects/{project}/locations/{region}/endpoints/{id}: the `endpoint` output of a model or
    endpoint. Its service attachment is looked up. This or service_attachment."""
    service_attachment: Output[str]
    """Service attachment to reach, where there is no endpoint to look it up from."""
    address: Output[str]
    """Internal IPv4 address to take, of any range that a subnetwork can have; or name or
    projects/{p}/regions/{r}/addresses/{name} of one that is reserved, which then is used and never deleted. Default: a
    free one, which then stays, also if it comes to be named."""
    forwarding_rule_name: Output[str]
    """Name of rule and address: at most 63 of a-z, 0-9 and -, a letter first. Default: derived from stack and resource
    name."""
    forwarding_rule: Output[str]
    """projects/{project}/regions/{region}/forwardingRules/{name}."""
    ip_address: Output[str]
    """The private IP address that clients call."""
    http_url: Output[str]
    """http://{ip_address}."""
    https_url: Output[str]
    """https://{ip_address}; the certificate is one that the endpoint signed itself."""
    base_url: Output[str]
    """Base URL for OpenAI clients, up to /chat/completions; empty without `endpoint`."""
    psc_connection_id: Output[str]
    """Id of the connection at the producer."""
    psc_connection_status: Output[str]
    """ACCEPTED when the endpoint answers on the address; empty while there is no rule, because nothing is deployed on
    the endpoint."""
    connected_service_attachment: Output[str]
    """Service attachment that the rule leads to."""
    reserved_address: Output[str]
    """projects/{project}/regions/{region}/addresses/{name}."""

    def __init__(
        self,
        name: str,
        *,
        network: Input[str],
        subnetwork: Input[str],
        endpoint: Input[str | None] = None,
        service_attachment: Input[str | None] = None,
        triggers: Input[Mapping[str, Input[str]] | None] = None,
        address: Input[str | None] = None,
        forwarding_rule_name: Input[str | None] = None,
        description: Input[str | None] = None,
        labels: Input[Mapping[str, Input[str]] | None] = None,
        allow_psc_global_access: Input[bool | None] = None,
        no_automate_dns_zone: Input[bool | None] = None,
        service_directory_registrations: Input[Sequence[Input[ServiceDirectoryRegistrationInput]] | None] = None,
        look_up: Input[bool | None] = None,
        endpoint_allowlist: Input[Sequence[Input[str]] | None] = None,
        endpoint_is_private: Input[bool | None] = None,
        project: Input[str | None] = None,
        region: Input[str | None] = None,
        timeouts: Input[TimeoutsInput | None] = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Register it with the engine.

        Args:
            name: The resource's name in the program.
            network: Network of the clients: name, or projects/{project}/global/networks/{name}, for a Shared VPC with
                the host project. Required.
            subnetwork: Subnetwork that the address is taken from: name, or projects/{p}/regions/{r}/subnetworks/{name};
                a name alone is looked for in the network's project. Required.
            endpoint: Endpoint to reach, projects/{project}/locations/{region}/endpoints/{id}: the `endpoint` output of
                a model or endpoint. Its service attachment is looked up. This or service_attachment.
            service_attachment: Service attachment to reach, where there is no endpoint to look it up from.
            triggers: Any values; when one changes, the endpoint's service attachment is looked up again. Pass what
                parks a model as `parked`, as it may come back with another attachment; while it is 'true', a closed
                connection is not drift.
            address: Internal IPv4 address to take, of any range that a subnetwork can have; or name or
                projects/{p}/regions/{r}/addresses/{name} of one that is reserved, which then is used and never deleted.
                Default: a free one, which then stays, also if it comes to be named.
            forwarding_rule_name: Name of rule and address: at most 63 of a-z, 0-9 and -, a letter first. Default:
                derived from stack and resource name.
            description: Free text on the forwarding rule; a new one is for the next rule that is made.
            labels: Labels of rule and address.
            allow_psc_global_access: Let clients in other regions of the network connect. Default: `False`.
            no_automate_dns_zone: Make no DNS zone for the connection. Default: `False`.
            service_directory_registrations: Service Directory entry of the rule; at most one. Compute Engine may refuse
                a namespace of your own on a rule to a service attachment.
            look_up: Check in the preview of a creation whether subnetwork and address are available. This needs
                credentials, and a network that exists before the run. Default: `False`.
            endpoint_allowlist: Projects that the endpoint lets in: a preview refuses a rule whose project is not one of
                them. Default: the project_allowlist of the model or endpoint in this program that `endpoint` comes
                from.
            endpoint_is_private: Whether the endpoint is private: a preview refuses a rule to one that is not, or that
                turns public in the same run. Default: as the model or endpoint in this program says that `endpoint` or
                `service_attachment` comes from.
            project: Project id. Default: `mg:project`, else `gcp:project`, else GOOGLE_CLOUD_PROJECT.
            region: Region, for example us-central1. Default: `mg:region`, else `gcp:region`.
            timeouts: Seconds to wait: create, update, delete.
            opts: Pulumi's options.
        """
        super().__init__(
            name,
            {
                "network": network,
                "subnetwork": subnetwork,
                "endpoint": endpoint,
                "service_attachment": service_attachment,
                "triggers": triggers,
                "address": address,
                "forwarding_rule_name": forwarding_rule_name,
                "description": description,
                "labels": labels,
                "allow_psc_global_access": allow_psc_global_access,
                "no_automate_dns_zone": no_automate_dns_zone,
                "service_directory_registrations": service_directory_registrations,
                "look_up": look_up,
                "endpoint_allowlist": endpoint_allowlist,
                "endpoint_is_private": endpoint_is_private,
                "project": project,
                "region": region,
                "timeouts": timeouts,
            },
            opts,
        )
