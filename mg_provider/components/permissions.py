"""What Google's own agents need: to read the weights, and to make addresses in the network."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from mg_provider.components.common import (
    TYPE_PREFIX,
    child_options,
    configured_project,
    google,
    project_number_of,
    refuse,
)
from mg_provider.components.psc_network import PscNetwork

SERVICE_CLASS = "gcp-vertexai"
"""What Vertex AI calls itself in service connection policies."""

_AGENT = "serviceAccount:service-{}@gcp-sa-aiplatform.iam.gserviceaccount.com"


class WeightsBucketAccess(pulumi.ComponentResource):
    """Lets the Vertex AI service agent of a project read a bucket with weights.

    Needed where the bucket is in another project than the endpoint. IAM: ``storage.buckets.setIamPolicy`` on the
    bucket (roles/storage.admin), and ``resourcemanager.projects.get`` unless the project's number is given.

    Args:
        name: Name of the resource.
        bucket: Name of the bucket, without ``gs://``.
        project: Project of the endpoints; default from configuration.
        project_number: Its number; looked up by default, in previews too.
        role: What the agent may do. Default: read objects.
        opts: Pulumi's options.

    Attributes:
        member: The agent, as IAM writes it.

    Raises:
        RunError: ``bucket`` is a URI, or ``project_number`` no number.
    """

    member: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        bucket: str,
        project: str | None = None,
        project_number: str | None = None,
        role: str = "roles/storage.objectViewer",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TYPE_PREFIX + "WeightsBucketAccess", name, None, opts)
        if "/" in bucket:
            refuse(f"WeightsBucketAccess {name}: {bucket}", "is no bucket name", "leave out gs:// and the folder")
        if project_number is None:
            self.member = project_number_of(self, configured_project(project)).apply(_AGENT.format)
        elif project_number.isdigit():
            self.member = pulumi.Output.from_input(_AGENT.format(project_number))
        else:
            refuse(f"WeightsBucketAccess {name}: {project_number}", "is no project number", "write digits alone")
        google("storage", "BucketIAMMember")(
            name, bucket=bucket, role=role, member=self.member, opts=child_options(self)
        )
        self.register_outputs({"member": self.member})


class PscAutomationPolicy(pulumi.ComponentResource):
    """Lets Vertex AI make addresses in a network by itself: the service connection policy of PSC automation.

    Needed for ``psc_automation_configs`` of a DedicatedEndpoint; one for each network and region. IAM:
    ``networkconnectivity.serviceConnectionPolicies.create`` (roles/networkconnectivity.consumerNetworkAdmin).

    Args:
        name: Name of the resource and, with the region, of each policy.
        network: The network.
        regions: Where.
        limit: How many connections may be made in a region.
        opts: Pulumi's options.

    Raises:
        RunError: there are no regions.
    """

    def __init__(
        self,
        name: str,
        *,
        network: PscNetwork,
        regions: Sequence[str],
        limit: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TYPE_PREFIX + "PscAutomationPolicy", name, None, opts)
        if not regions:
            refuse(f"PscAutomationPolicy {name}", "has no regions", "name at least one")
        for region in regions:
            policy = {"subnetworks": [network.subnetwork(region)]}
            google("networkconnectivity", "ServiceConnectionPolicy")(
                f"{name}-{region}",
                name=f"{name}-{region}",
                location=region,
                service_class=SERVICE_CLASS,
                network=network.network,
                psc_config={**policy, "limit": str(limit)} if limit is not None else policy,
                project=network.project,
                opts=child_options(self, depends_on=[network]),
            )
        self.register_outputs({})
