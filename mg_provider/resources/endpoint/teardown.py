"""Taking an endpoint down: what still runs is stopped first, and what stands in the way is named with the remedy."""

from __future__ import annotations

from collections.abc import Iterable

from mg_provider.api.errors import MgError
from mg_provider.resources.endpoint.args import EndpointArgs
from mg_provider.wire.vertex.deployed_model import DeployedModel


def still_deployed(args: EndpointArgs, deployed: Iterable[DeployedModel]) -> MgError:
    """The error of an endpoint that cannot be deleted for what others deployed on it."""
    entries = list(deployed)
    commands = "; ".join(
        f"gcloud ai endpoints undeploy-model {args.endpoint_id} --project={args.project} --region={args.region} "
        f"--deployed-model-id={entry.id}"
        for entry in entries
    )
    can = "remove_unmanaged_deployed_models" in type(args).model_fields
    also = ", or set remove_unmanaged_deployed_models=True and run `pulumi up`" if can else ""
    return MgError(
        f"others deployed on the endpoint ({len(entries)} left), so it is not deleted; what this resource deployed is "
        "undeployed",
        resource=args.resource,
        exists=[args.endpoint, *(f"{args.endpoint}: deployment {entry.id} of {entry.model}" for entry in entries)],
        hint=f"undeploy what nobody needs ({commands}){also}, then run `pulumi destroy` again",
    )


def gone_for_good(args: EndpointArgs) -> MgError:
    """The error of an endpoint whose id cannot be asked for again."""
    return MgError(
        f"{args.endpoint} is gone, and Vertex AI takes no id of more than nine digits for a new endpoint",
        resource=args.resource,
        hint="run `pulumi refresh`, remove adopt where the program has it, and run `pulumi up`: it makes an endpoint "
        "with another address",
    )
