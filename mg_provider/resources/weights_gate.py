"""Refuses to ask for GPUs for a folder of weights that cannot be served."""

from __future__ import annotations

from mg_provider.api.errors import MgError
from mg_provider.resources.lifecycle import Context
from mg_provider.wire.machine import MachineSpec

# Vertex AI's service agent reads the weights, not the caller: the caller's missing permission proves nothing.
_NOT_DECISIVE = frozenset({"permission_denied"})


def pass_weights(
    gcs_uri: str, parent: str, region: str, machine_spec: MachineSpec | None, allow_quantized: bool, context: Context
) -> None:
    """Check the folder and hear Model Garden's recommendation. Warnings are told, errors end the deployment.

    Raises:
        MgError: A deployment of this folder would fail; nothing was asked for.
    """
    # Only a deployment needs the checks: programs that register resources never load them.
    from mg_provider.preflight.recommend import recommend
    from mg_provider.preflight.weights import check_weights

    context.progress(f"checking {gcs_uri}")
    report = check_weights(gcs_uri, region, context.clients, allow_quantized=allow_quantized, clock=context.clock)
    decisive = [finding for finding in report.errors if finding.code not in _NOT_DECISIVE]
    if decisive:
        raise MgError(
            f"{gcs_uri} cannot be served: " + "; ".join(finding.message for finding in decisive),
            hint="mend the folder; `mg preflight` checks it without deploying",
        )
    advice = recommend(gcs_uri, parent, region, context.clients, machine_spec)
    for finding in (*report.findings, *advice.findings):
        context.progress(f"note: {finding.message}")
