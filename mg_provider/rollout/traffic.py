"""The traffic of an endpoint: who gets which share, and taking a deployment away without losing a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mg_provider.api.errors import NotFound
from mg_provider.rollout.merging import merged
from mg_provider.rollout.place import Place
from mg_provider.wire.vertex.endpoint import Endpoint

NEW = "0"
"""The deployment that is being made, in the traffic split of its own call."""


def shares(endpoint: Endpoint | None) -> dict[str, int]:
    """Percent of the traffic by deployment id; those that get none are left out."""
    return {id: percent for id, percent in ((endpoint and endpoint.traffic_split) or {}).items() if percent}


def settle_traffic_at(place: Place, wanted: Mapping[str, int], *, clear: bool = False) -> Endpoint | None:
    """Give each deployment its percent of the requests. Returns the endpoint where that is so already.

    A change that somebody makes meanwhile is read again. With nothing wanted the traffic is left unchanged, or with
    ``clear`` taken from all.
    """
    vertex = place.world.clients.vertex
    asked = {id: percent for id, percent in wanted.items() if percent}

    def attempt() -> Endpoint | None:
        endpoint = vertex.get_endpoint(place.endpoint)
        if shares(endpoint) == asked or not (asked or clear):
            return endpoint
        place.guard.endpoint(endpoint)
        text = ", ".join(f"{percent} % to {id}" for id, percent in sorted(asked.items())) or "none"
        place.world.progress(f"shifting traffic: {text}")
        vertex.patch_endpoint(
            place.endpoint, Endpoint(etag=endpoint.etag, traffic_split=asked or None), ["traffic_split"]
        )
        return None

    return merged(attempt, "the traffic", place.endpoint, place.resource)


def undeploy_at(place: Place, ids: Iterable[str]) -> None:
    """Take deployments off the endpoint. Gone already is fine.

    The traffic of each goes to those that have some, in proportion. It never goes to a deployment that has none: where
    nothing else serves, nothing does.
    """
    for deployed_id in ids:
        endpoint = place.find()
        deployed = [entry.id for entry in endpoint.deployed_models or [] if entry.id] if endpoint else []
        if endpoint is None or deployed_id not in deployed:
            continue
        place.guard.endpoint(endpoint)
        split = shares(endpoint)
        rest = {key: value for key, value in split.items() if key != deployed_id and key in deployed}
        if split.get(deployed_id) and not rest and len(deployed) > 1:
            settle_traffic_at(place, {}, clear=True)
        place.world.progress(f"undeploying {deployed_id}")
        try:
            operation = place.world.clients.vertex.undeploy_model(place.endpoint, deployed_id, spread(rest) or None)
            place.world.wait(operation, place.change_seconds, f"undeploying {deployed_id}")
        except NotFound:
            continue


def spread(traffic: Mapping[str, int], total: int = 100) -> dict[str, int]:
    """Scale percents to add up to ``total``, keeping their proportions as far as whole numbers allow."""
    whole = sum(traffic.values())
    if not whole:
        return {}
    scaled = {key: value * total // whole for key, value in traffic.items()}
    most = max(traffic, key=lambda key: (traffic[key], key))
    scaled[most] += total - sum(scaled.values())
    return scaled


def blend(before: Mapping[str, int], after: Mapping[str, int], new: str, step: int) -> dict[str, int]:
    """The traffic when ``new`` has ``step`` percent of what it is to have.

    Whole numbers that add up to 100. Who has the same before and after keeps just that; ``new`` has at least 1 %, so
    that a request can meet it, unless it is to have nothing.
    """
    mine = max(1, after[new] * step // 100) if after.get(new) else 0
    others = [id for id in {**before, **after} if id != new]
    kept = {id: after[id] for id in others if after.get(id) == before.get(id)}
    moving = {id: before.get(id, 0) * (100 - step) + after.get(id, 0) * step for id in others if id not in kept}
    split = {new: mine, **kept, **spread(moving, 100 - mine - sum(kept.values()))}
    return {id: percent for id, percent in split.items() if percent}
