"""`mg preflight`: check a folder of weights, say what is wrong and what machine it needs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError
from mg_provider.api.settings import Settings
from mg_provider.clock import Clock, SystemClock
from mg_provider.data import regions
from mg_provider.preflight.machine import accelerators, machine_problem
from mg_provider.preflight.recommend import recommend
from mg_provider.preflight.report import render, to_json
from mg_provider.preflight.weights import check_weights
from mg_provider.wire.machine import MachineSpec

FINE = 0
ERRORS = 1
USAGE = 2


def run(
    gcs_uri: str,
    region: str,
    project: str | None = None,
    *,
    machine_type: str | None = None,
    accelerator_type: str | None = None,
    accelerator_count: int | None = None,
    allow_quantized: bool = False,
    as_json: bool = False,
    config: Mapping[str, str] | None = None,
    write: Callable[[str], object] = sys.stdout.write,
    complain: Callable[[str], object] = sys.stderr.write,
    clock: Clock | None = None,
) -> int:
    """Check a folder and print the report.

    Args:
        gcs_uri: ``gs://bucket/folder``.
        region: Where the model will be deployed.
        project: Project id; without one, nothing is recommended.
        machine_type: Machine that the model will run on; Model Garden's recommendation when absent.
        accelerator_type: Its accelerator; for a machine type that comes with one, may be left out.
        accelerator_count: How many of them; likewise.
        allow_quantized: Only warn about quantized weights.
        as_json: Print one JSON object instead of text.
        config: Settings by full config key, such as ``mg:storageCustomEndpoint``.
        write: Takes the report.
        complain: Takes what kept it from being made.
        clock: Measures and waits.

    Returns:
        0 if the folder can be deployed, 1 if not or if it could not be checked, 2 if an argument is wrong.
    """
    clock = clock or SystemClock()
    try:
        chosen = _machine(machine_type, accelerator_type, accelerator_count)
        if region not in regions():
            raise UserError(
                f"{region} is not a region of Vertex AI", property="region", hint="write one like us-central1"
            )
        given = {**(config or {}), **({"mg:project": project} if project else {})}
        settings = Settings.from_config(given.get, os.environ)
        clients = Clients.from_settings(settings, clock)
        try:
            report = check_weights(gcs_uri, region, clients, allow_quantized=allow_quantized, clock=clock)
            advice = None
            if report.ok and settings.project:
                parent = f"projects/{settings.project}/locations/{region}"
                advice = recommend(report.gcs_uri, parent, region, clients, chosen)
        finally:
            clients.close()
    except UserError as problem:
        complain(f"{problem}\n")
        return USAGE
    except MgError as problem:
        complain(f"{gcs_uri} could not be checked: {problem}\n")
        return ERRORS
    text = json.dumps(to_json(report, advice), indent=2) if as_json else "\n".join(render(report, advice))
    write(f"{text}\n")
    return FINE if report.ok else ERRORS


def _machine(
    machine_type: str | None, accelerator_type: str | None, accelerator_count: int | None
) -> MachineSpec | None:
    """The machine that the options name, its own accelerators filled in."""
    if machine_type is None and accelerator_type is None and accelerator_count is None:
        return None
    kind, count = accelerators(MachineSpec(machine_type=machine_type))
    spec = MachineSpec(
        machine_type=machine_type,
        accelerator_type=accelerator_type or kind or None,
        accelerator_count=accelerator_count or count or None,
    )
    if problem := machine_problem(spec):
        raise UserError(problem, property="machine")
    return spec
