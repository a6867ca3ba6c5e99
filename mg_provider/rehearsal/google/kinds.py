"""The resource types of pulumi-gcp that a rehearsal plays, as rows of a table.

Ids, and which properties make a replacement, are those of the provider's documentation (pulumi-gcp 10.2, "Import" and
"Argument Reference" of each page, read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LINK: Final = "https://www.googleapis.com/compute/v1/"


@dataclass(frozen=True)
class Kind:
    """One resource type.

    Args:
        id: the id, as a template over the inputs.
        required: inputs that must be given.
        mutable: the inputs that are changed in place; a change of any other replaces.
        defaults: inputs that the provider fills.
        computed: outputs where no input says otherwise, as templates over the inputs and ``id``.
        named: whether ``name`` is made from the resource's name where the program gives none.
        collection: the REST collection of Compute Engine below ``/compute/v1/``, for what really exists in an emulator.
        body: which inputs go into the REST body as they are.
    """

    id: str
    required: tuple[str, ...] = ()
    mutable: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    computed: Mapping[str, Any] = field(default_factory=dict)
    named: bool = True
    collection: str = ""
    body: tuple[str, ...] = ()

    @property
    def placed(self) -> tuple[str, ...]:
        """Which of project and region the id needs; the provider's config fills them."""
        return tuple(key for key in ("project", "region") if "{" + key + "}" in self.id)


_LINKED = {"selfLink": LINK + "{id}"}

KINDS: Final[dict[str, Kind]] = {
    "gcp:compute/network:Network": Kind(
        "projects/{project}/global/networks/{name}",
        mutable=("routingMode", "networkFirewallPolicyEnforcementOrder"),
        defaults={"autoCreateSubnetworks": True, "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL"},
        computed={**_LINKED, "routingMode": "REGIONAL"},
        collection="projects/{project}/global/networks",
        body=("name", "description", "autoCreateSubnetworks", "mtu"),
    ),
    "gcp:compute/subnetwork:Subnetwork": Kind(
        "projects/{project}/regions/{region}/subnetworks/{name}",
        required=("network", "ipCidrRange"),
        mutable=("privateIpGoogleAccess", "logConfig"),
        computed={**_LINKED, "purpose": "PRIVATE", "stackType": "IPV4_ONLY"},
        collection="projects/{project}/regions/{region}/subnetworks",
        body=("name", "description", "network", "ipCidrRange", "privateIpGoogleAccess", "purpose"),
    ),
    "gcp:compute/address:Address": Kind(
        "projects/{project}/regions/{region}/addresses/{name}",
        mutable=("labels",),
        defaults={"addressType": "EXTERNAL"},
        computed=_LINKED,
        collection="projects/{project}/regions/{region}/addresses",
        body=("name", "description", "address", "addressType", "purpose", "subnetwork", "labels"),
    ),
    "gcp:dns/managedZone:ManagedZone": Kind(
        "projects/{project}/managedZones/{name}",
        required=("dnsName",),
        mutable=("description", "labels", "privateVisibilityConfig", "forceDestroy"),
        defaults={"visibility": "public", "description": "Managed by Pulumi"},
    ),
    "gcp:dns/recordSet:RecordSet": Kind(
        "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
        required=("name", "managedZone", "type"),
        mutable=("rrdatas", "ttl"),
        named=False,
    ),
    "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter": Kind(
        "{name}", required=("name", "parent", "title"), mutable=("title", "description", "status", "spec"), named=False
    ),
    "gcp:accesscontextmanager/servicePerimeterResource:ServicePerimeterResource": Kind(
        "{perimeterName}/{resource}", required=("perimeterName", "resource"), named=False
    ),
    "gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy": Kind(
        "projects/{project}/locations/{location}/serviceConnectionPolicies/{name}",
        required=("location", "serviceClass", "network"),
        mutable=("pscConfig", "labels", "description"),
        computed={"infrastructure": "PSC"},
    ),
    "gcp:projects/iAMMember:IAMMember": Kind(
        "{project}/{role}/{member}", required=("role", "member"), named=False, computed={"etag": "BwWWja0YfJA="}
    ),
    "gcp:projects/service:Service": Kind(
        "{project}/{service}", required=("service",), mutable=("disableOnDestroy",), named=False
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": Kind(
        "projects/{project}/locations/{location}/repositories/{repository}/{role}/{member}",
        required=("repository", "role", "member"),
        named=False,
        computed={"etag": "BwWWja0YfJA="},
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": Kind(
        "b/{bucket}/{role}/{member}",
        required=("bucket", "role", "member"),
        named=False,
        computed={"etag": "BwWWja0YfJA="},
    ),
}
