"""The probes of a rollout, at the endpoint's own address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.resources.endpoint.args import private
from mg_provider.resources.endpoint.calls import place_of
from mg_provider.rollout.probe import Prober

if TYPE_CHECKING:
    from mg_provider.resources.endpoint.args import EndpointArgs
    from mg_provider.resources.endpoint.rollout_args import RolloutStrategy
    from mg_provider.resources.model.lifecycle import Context
    from mg_provider.rollout.rollout import Check


def unreachable(args: EndpointArgs, rollout: RolloutStrategy) -> str:
    """Why nothing can be probed although the user wants it; empty where it can."""
    if rollout.probing is None or rollout.probing.address:
        return ""
    if private(args.private_service_connect_config):
        return "the endpoint is private and rollout.probe.address is not set"
    if getattr(args, "network", ""):
        return "the endpoint is in a peered network and rollout.probe.address is not set"
    return ""


def prober(args: EndpointArgs, rollout: RolloutStrategy, context: Context) -> Check | None:
    """What probes a new deployment; None where the user wants no probes, or a private endpoint has no address here.

    Permission: aiplatform.endpoints.predict.
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

    trust = ServerTrust(fingerprint=request.fingerprint) if request.fingerprint else None

    def check(new: str, percent: int) -> None:
        endpoint = clients.vertex.get_endpoint(args.endpoint)
        address = address_of(endpoint, clients.settings, address=request.address or None, trust=trust)
        client = PredictionClient(clients.transport, address, args.endpoint, timeout=request.timeout)
        Prober(request.wire(), client, context.clock).check(place, new, percent)

    return check
