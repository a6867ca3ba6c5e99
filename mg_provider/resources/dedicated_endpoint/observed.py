"""The named deployments of an endpoint as the cloud has them, and what taking an endpoint over changes among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mg_provider.resources.dedicated_endpoint.args import DedicatedEndpointArgs
from mg_provider.resources.endpoint.calls import changes_in_place
from mg_provider.resources.endpoint.machines import observed_deployment
from mg_provider.resources.endpoint.served_model import ServedModel, is_same_model
from mg_provider.resources.model.standing import drifted
from mg_provider.wire.base import without_outputs
from mg_provider.wire.vertex.deployed_model import DeployedModel
from mg_provider.wire.vertex.endpoint import Endpoint
from mg_provider.wire.vertex.machine import DedicatedResources


def observed_deployments(
    wanted: Mapping[str, ServedModel], names: Mapping[str, str], endpoint: Endpoint
) -> dict[str, ServedModel]:
    """What each name is on the endpoint. A missing deployment is missing here, an additional one is there.

    Args:
        wanted: What was asked for, by name.
        names: The name of each deployment that is shown, by id.
        endpoint: The endpoint.
    """
    served = {}
    for deployed in endpoint.deployed_models or []:
        name = names.get(deployed.id or "")
        if name is not None:
            served[name] = _observed(wanted[name], deployed) if name in wanted else _additional(deployed)
    return served


def _observed(wanted: ServedModel, deployed: DeployedModel) -> ServedModel:
    """What was asked for, with what differs. What nobody set and Google chose is not drift."""
    actual = observed_deployment(wanted, deployed)
    if is_same_model(wanted.model, deployed):
        actual["model"] = wanted.model
    return wanted.model_copy(update=drifted(wanted, actual))


def _additional(deployed: DeployedModel) -> ServedModel:
    resources = deployed.dedicated_resources or DedicatedResources()
    return ServedModel.model_construct(
        _fields_set={"model", "machine_spec", "min_replica_count", "max_replica_count"},
        model=deployed.model or "",
        machine_spec=without_outputs(resources.machine_spec),
        min_replica_count=resources.min_replica_count or 0,
        max_replica_count=resources.max_replica_count,
    )


def observed_traffic(
    observed: DedicatedEndpointArgs, wanted: DedicatedEndpointArgs, names: Mapping[str, str], endpoint: Endpoint
) -> DedicatedEndpointArgs:
    """The arguments with the traffic as it is, where it differs. Without models of ours it is not ours to say."""
    if not wanted.running:
        return observed
    actual = named_traffic(names, endpoint)
    asked = wanted.traffic_split or dict.fromkeys(wanted.running, 100)
    if actual == {name: percent for name, percent in asked.items() if percent}:
        return observed
    return observed.with_values(traffic_split=actual)


def named_traffic(names: Mapping[str, str], endpoint: Endpoint) -> dict[str, int]:
    """The traffic that flows, by name; what has no name is shown as unmanaged."""
    shares: dict[str, int] = {}
    for id, percent in (endpoint.traffic_split or {}).items():
        name = names.get(id, f"unmanaged-{id}")
        shares[name] = shares.get(name, 0) + percent
    return {name: percent for name, percent in shares.items() if percent}


def deployment_changes(args: DedicatedEndpointArgs, ids: Mapping[str, str], endpoint: Endpoint) -> Iterator[str]:
    """What taking an endpoint over changes among its deployments and their traffic, a line each."""
    present = {entry.id: entry for entry in endpoint.deployed_models or [] if entry.id}
    for name, id in ids.items():
        if id not in present:
            yield f"{name}: is deployed beside the others"
            continue
        yield f"{name}: takes over {_description(present[id])}"
        for change in changes_in_place(args.deployed_models[name], present[id]):
            yield f"{name}: {change}"
    for id in sorted(set(present) - set(ids.values())):
        stays = "is undeployed" if args.remove_unmanaged_deployed_models else "stays, unmanaged, without traffic"
        yield f"{_description(present[id])} {stays if args.running else 'stays, unmanaged'}"
    if args.running:
        names = {id: name for name, id in ids.items()}
        actual = named_traffic(names, endpoint)
        wanted = {names[id]: percent for id, percent in args.split(ids).items()}
        if actual != wanted:
            yield f"traffic: {_shares(actual)} -> {_shares(wanted)}"


def _description(deployed: DeployedModel) -> str:
    resources = deployed.dedicated_resources or DedicatedResources()
    machine = (resources.machine_spec.machine_type if resources.machine_spec else None) or "machines unknown"
    return f"deployment {deployed.id} ({deployed.display_name or 'no name'}: {deployed.model}, {machine})"


def _shares(traffic: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {percent} %" for name, percent in sorted(traffic.items())) or "none"
