"""Refuses to ask for GPUs for a folder of weights that cannot be served, and hears which machine would serve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mg_provider.api.errors import MgError
from mg_provider.api.names import location_of
from mg_provider.resources.endpoint.capacity import choice_text
from mg_provider.resources.model.lifecycle import Context
from mg_provider.wire.vertex.machine import MachineSpec

if TYPE_CHECKING:
    from mg_provider.preflight.findings import Finding
    from mg_provider.preflight.machines.recommend import Advice

# Vertex AI's service agent reads the weights, not the caller: the caller's missing permission proves nothing.
_NOT_DECISIVE = frozenset({"permission_denied"})


def pass_weights(
    gcs_uri: str,
    parent: str,
    machines: Sequence[MachineSpec],
    allow_quantized: bool,
    context: Context,
    own_container: bool = False,
) -> MachineSpec | None:
    """Check the folder and hear Model Garden's recommendation. Warnings are shown, errors end the deployment.

    Args:
        gcs_uri: ``gs://bucket/folder``.
        parent: ``projects/{project}/locations/{region}``, where the model will be deployed.
        machines: What the user chose, in order; empty where the choice is Model Garden's.
        allow_quantized: Whether quantized weights may be deployed although they are not listed as supported.
        context: Of the call.
        own_container: Whether a container of the user's own serves the weights.

    Returns:
        The first of the machines; without any, the recommended one, or None where nothing is recommended.

    Raises:
        MgError: A deployment of this folder would fail; nothing was asked for.
    """
    # Only a deployment needs the checks: programs that register resources never load them.
    from mg_provider.preflight.machines.fit import fits
    from mg_provider.preflight.machines.recommend import recommend
    from mg_provider.preflight.weights.check import check_weights

    region, clients = location_of(parent), context.clients
    context.progress(f"checking {gcs_uri}")
    report = check_weights(
        gcs_uri, region, clients, allow_quantized=allow_quantized, own_container=own_container, clock=context.clock
    )
    for machine in machines:
        report.add(fits(report, machine, own_container=own_container))
    _refuse_what_fails(gcs_uri, report.errors)
    first = next(iter(machines), None)
    advice = recommend(gcs_uri, parent, region, clients, first, machines[1:], weights=report, say=context.progress)
    for finding in (*report.findings, *advice.findings):
        context.progress(f"note: {finding.message}")
    if not machines and advice.machine_spec is not None:
        context.progress(f"note: {_recommendation(advice, region)}")
    return advice.machine_spec


def _refuse_what_fails(gcs_uri: str, errors: Sequence[Finding]) -> None:
    decisive = [finding for finding in errors if finding.code not in _NOT_DECISIVE]
    if decisive:
        raise MgError(
            f"{gcs_uri} cannot be served: " + "; ".join(finding.message for finding in decisive),
            hint="fix this first; `mg preflight` checks it without deploying, and preflight=False deploys it unchecked",
        )


def _recommendation(advice: Advice, region: str) -> str:
    from mg_provider.preflight.machines.recommend import HAS_QUOTA

    known = advice.quota_state.get(region) == HAS_QUOTA
    elsewhere = [name for name in advice.regions_that_work if name != region]
    quota = "; quota suffices" if known else ""
    regions = f"; it would work in {', '.join(elsewhere)} as well" if elsewhere else ""
    return f"no machine_spec is given: Model Garden recommends {choice_text(advice.machine_spec)}{quota}{regions}"
