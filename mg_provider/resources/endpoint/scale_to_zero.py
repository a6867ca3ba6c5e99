"""What Vertex AI asks of a deployment that goes down to no replica: alone, at an address of its own, on one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mg_provider.resources.endpoint.rollout_args import RolloutStrategy

if TYPE_CHECKING:
    from mg_provider.wire.vertex.machine import MachineSpec, ScaleToZeroSpec


class MayScaleToZero(Protocol):
    """The machines of a deployment, as far as they tell whether it scales to zero."""

    @property
    def scale_to_zero_spec(self) -> ScaleToZeroSpec | None:
        """When it goes down to no replica; None for never."""

    def choices(self) -> list[MachineSpec]:
        """The machines in the order in which they are tried."""


ALONE = "Vertex AI only scales an endpoint to zero if one model alone is deployed on it"


def several_hosts_problem(machines: MayScaleToZero) -> str | None:
    """Why a deployment on several hosts could not scale to zero."""
    if machines.scale_to_zero_spec is None:
        return None
    if any((spec.multihost_gpu_node_count or 1) > 1 for spec in machines.choices()):
        return "has several hosts a replica, which Vertex AI does not scale to zero: remove scale_to_zero_spec"
    return None


def shared_domain_problem(machines: MayScaleToZero) -> str | None:
    """Why a deployment at the region's shared domain could not scale to zero."""
    if machines.scale_to_zero_spec is None:
        return None
    return (
        "does not work at the region's shared domain: give the endpoint a DNS name of its own or a private address, or "
        "remove scale_to_zero_spec"
    )


def rollout_beside_zero(rollout: RolloutStrategy | None, machines: MayScaleToZero) -> RolloutStrategy:
    """How a new deployment takes the old one's place: where it scales to zero, by recreate unless the program says."""
    chosen = rollout or RolloutStrategy()
    if machines.scale_to_zero_spec is None or "strategy" in chosen.model_fields_set:
        return chosen
    return chosen.model_copy(update={"strategy": "recreate"})


def strategy_problem(rollout: RolloutStrategy | None, machines: MayScaleToZero) -> str | None:
    """Why a rollout could not take place while the deployment scales to zero."""
    if machines.scale_to_zero_spec is None or rollout is None:
        return None
    if rollout.hold is not None:
        return f"has hold, but {ALONE}: remove hold, or remove scale_to_zero_spec"
    if rollout_beside_zero(rollout, machines).strategy == "recreate":
        return None
    return f"has strategy {rollout.strategy}, but {ALONE}: use recreate, or remove scale_to_zero_spec"
