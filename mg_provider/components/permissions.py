"""What Google's own agents need: to deploy, to read weights and images, and to make addresses in the network."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pulumi

from mg_provider.api.reading.agents import DEPLOYING_ROLE, agent_of
from mg_provider.components.common import (
    TYPE_PREFIX,
    child_options,
    configured_project,
    google,
    project_number_of,
    refuse,
)
from mg_provider.components.psc_network import PscNetwork
from mg_provider.resources.dynamic.spelling import KnownArguments

SERVICE_CLASS = "gcp-vertexai"
"""What Vertex AI calls itself in service connection policies."""

_AGENT = f"serviceAccount:{agent_of('{}')}"
_REPOSITORY = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/repositories/(?P<name>[^/]+)")


class WeightsBucketAccess(pulumi.ComponentResource, metaclass=KnownArguments):
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
            refuse(f"WeightsBucketAccess {name}: {bucket}", "is not a bucket name", "leave out gs:// and the folder")
        self.member = _member(self, f"WeightsBucketAccess {name}", project, project_number)
        google("storage", "BucketIAMMember")(
            name, bucket=bucket, role=role, member=self.member, opts=child_options(self)
        )
        self.register_outputs({"member": self.member})


class ServiceAgentAccess(pulumi.ComponentResource, metaclass=KnownArguments):
    """Gives the Vertex AI service agent of a project what Model Garden's deploy and its containers need.

    Without the right to make endpoints and upload Models, such a deployment ends within seconds with an internal error
    that names no cause. IAM:
    ``resourcemanager.projects.setIamPolicy`` on the project, ``artifactregistry.repositories.setIamPolicy`` on the
    repositories, and ``resourcemanager.projects.get`` unless the project's number is given.

    Args:
        name: Name of the resource.
        project: Project of the endpoints; default from configuration.
        project_number: Its number; looked up by default, in previews too.
        roles: What the agent may do in the project. Default: deploy.
        repositories: Repositories of Artifact Registry with container images,
            ``projects/{project}/locations/{location}/repositories/{name}``, that it may read.
        opts: Pulumi's options.

    Attributes:
        member: The agent, as IAM writes it.

    Raises:
        RunError: ``project_number`` is not a number, or a repository has no such name.
    """

    member: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: str | None = None,
        project_number: str | None = None,
        roles: Sequence[str] = (DEPLOYING_ROLE,),
        repositories: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TYPE_PREFIX + "ServiceAgentAccess", name, None, opts)
        where = configured_project(project)
        self.member = _member(self, f"ServiceAgentAccess {name}", where, project_number)
        for role in roles:
            google("projects", "IAMMember")(
                f"{name}-{role.rpartition('/')[2]}",
                project=where,
                role=role,
                member=self.member,
                opts=child_options(self),
            )
        for repository in repositories:
            found = _REPOSITORY.fullmatch(repository)
            if found is None:
                form = "write projects/{project}/locations/{location}/repositories/{name}"
                refuse(f"ServiceAgentAccess {name}: {repository}", "is not the name of a repository", form)
            google("artifactregistry", "RepositoryIamMember")(
                f"{name}-{found['name']}",
                project=found["project"],
                location=found["location"],
                repository=found["name"],
                role="roles/artifactregistry.reader",
                member=self.member,
                opts=child_options(self),
            )
        self.register_outputs({"member": self.member})


def _member(parent: pulumi.Resource, what: str, project: str | None, project_number: str | None) -> pulumi.Output[str]:
    """The agent as IAM writes it."""
    if project_number is None:
        return project_number_of(parent, configured_project(project)).apply(_AGENT.format)
    if not project_number.isdigit():
        refuse(f"{what}: {project_number}", "is not a project number", "write digits alone")
    return pulumi.Output.from_input(_AGENT.format(project_number))


class PscAutomationPolicy(pulumi.ComponentResource, metaclass=KnownArguments):
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
