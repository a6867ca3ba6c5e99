"""The probes of a rollout, at the endpoint's own address."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from mg_provider.api.errors import CloudError
from mg_provider.resources.endpoint.args import private
from mg_provider.resources.endpoint.calls import place_of
from mg_provider.rollout.probe import Prober

if TYPE_CHECKING:
    from mg_provider.resources.endpoint.args import EndpointArgs
    from mg_provider.resources.endpoint.rollout_args import RolloutStrategy
    from mg_provider.resources.model.lifecycle import Context
    from mg_provider.rollout.probe import RolloutProbe
    from mg_provider.rollout.rollout import Check


_IMAGES_OF_GOOGLE = "us-docker.pkg.dev/vertex-ai/"


def unreachable(args: EndpointArgs, rollout: RolloutStrategy) -> str:
    """Why nothing can be probed although the user wants it; empty where it can."""
    if rollout.probing is None or rollout.probing.address:
        return ""
    if private(args.private_service_connect_config):
        return "the endpoint is private and rollout.probe.address is not set"
    if getattr(args, "network", ""):
        return "the endpoint is in a peered network and rollout.probe.address is not set"
    return ""


def weights_of_google(args: object) -> str:
    """The folder of the weights that Google's own container is to serve; empty for anything else."""
    return "" if getattr(args, "container_spec", None) else getattr(args, "gcs_uri", "")


def weights_of_model(model: str, context: Context) -> str:
    """The folder of a registered Model's weights, where Google's own container serves them; empty for anything else.

    Permission: aiplatform.models.get.
    """
    try:
        found = context.clients.vertex.get_model(model)
    except CloudError:
        return ""
    image = (found.container_spec.image_uri if found.container_spec else None) or ""
    return (found.artifact_uri or "") if image.startswith(_IMAGES_OF_GOOGLE) else ""


def prober(args: EndpointArgs, rollout: RolloutStrategy, context: Context, weights: Callable[[], str]) -> Check | None:
    """What probes a new deployment; None where the user wants no probes, or a private endpoint has no address here.

    Permissions: aiplatform.endpoints.predict; where the user does not say what is asked, also storage.objects.list and
    storage.objects.get on the weights, without which they are taken for such that can chat.

    Args:
        args: Of the endpoint.
        rollout: How the new deployment comes.
        context: Of the call.
        weights: Returns the folder of the weights that Google's container serves, or nothing.
    """
    request = rollout.probing
    if request is None:
        return None
    if reason := unreachable(args, rollout):
        context.progress(f"note: {reason}, so nothing is probed")
        return None
    place, clients = place_of(args, context), context.clients
    # Programs that only register resources never load these.
    from mg_provider.api.http.tls import ServerTrust
    from mg_provider.api.prediction import PredictionClient, address_of
    from mg_provider.preflight.weights.tokenizer import can_chat

    trust = ServerTrust(fingerprint=request.fingerprint) if request.fingerprint else None

    @cache
    def probe() -> RolloutProbe:
        if request.chosen or not (folder := weights()) or can_chat(clients.storage, folder) is not False:
            return request.wire()
        context.progress(f"note: {folder} has no chat template, so a completion through predict is the probe")
        return request.completion()

    def check(new: str, percent: int) -> None:
        endpoint = clients.vertex.get_endpoint(args.endpoint)
        address = address_of(endpoint, clients.settings, address=request.address or None, trust=trust)
        client = PredictionClient(clients.transport, address, args.endpoint, timeout=request.timeout)
        Prober(probe(), client, context.clock).check(place, new, percent)

    return check
