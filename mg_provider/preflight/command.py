"""`mg preflight`: check a folder of weights, say what is wrong and what machine it needs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError, end_with
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.command_line.exits import FAILED, FINE
from mg_provider.command_line.lines import columns_of, fit
from mg_provider.data import is_region
from mg_provider.preflight.findings import WeightsReport
from mg_provider.preflight.machines.fit import fits
from mg_provider.preflight.machines.machine import accelerators, machine_problem
from mg_provider.preflight.machines.recommend import Advice, recommend
from mg_provider.preflight.report import render, to_json
from mg_provider.preflight.weights.check import check_weights
from mg_provider.wire.vertex.machine import MachineSpec


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
    write: Callable[[str], object] | None = None,
    complain: Callable[[str], object] | None = None,
) -> int:
    """Check a folder and print the report.

    Args:
        gcs_uri: ``gs://bucket/folder``.
        region: Where the model will be deployed.
        project: Project id; by default that of the configuration or of GOOGLE_CLOUD_PROJECT. Without any, no machine
            is recommended.
        machine_type: Machine that the model will run on; Model Garden's recommendation when absent.
        accelerator_type: Its accelerator; for a machine type that comes with one, may be left out.
        accelerator_count: How many of them; likewise.
        allow_quantized: Only warn about quantized weights.
        as_json: Print one JSON object instead of text.
        config: Settings by full config key, such as ``mg:storageCustomEndpoint``.
        write: Takes the report; by default it is printed.
        complain: Takes what kept it from being made; by default it goes to stderr.

    Returns:
        0 if the folder can be deployed, 1 if not or if it could not be checked, 2 if an argument is wrong.
    """
    write, complain = write or sys.stdout.write, complain or sys.stderr.write
    given = {**(config or {}), **({"mg:project": project} if project else {})}
    try:
        chosen = _machine(machine_type, accelerator_type, accelerator_count)
        report, advice = _examine(gcs_uri, region, chosen, given, allow_quantized, complain)
    except MgError as problem:
        return end_with(problem, complain, f"{gcs_uri} could not be checked")
    text = (
        json.dumps(to_json(report, advice, region), indent=2) if as_json else "\n".join(render(report, advice, region))
    )
    columns = None if as_json or write != sys.stdout.write else columns_of(sys.stdout)
    write(fit(f"{text}\n", columns))
    return FINE if report.ok else FAILED


def _examine(
    gcs_uri: str,
    region: str,
    chosen: MachineSpec | None,
    config: Mapping[str, str],
    allow_quantized: bool,
    complain: Callable[[str], object],
) -> tuple[WeightsReport, Advice | None]:
    if not is_region(region):
        raise UserError(f"{region} is not a region of Vertex AI", property="region", hint="write one like us-central1")
    clock = SystemClock()
    settings = Settings.from_config(config.get, os.environ)
    clients = Clients.from_settings(settings, clock)
    try:
        report = check_weights(gcs_uri, region, clients, allow_quantized=allow_quantized, clock=clock)
        if chosen is not None:
            report.add(fits(report, chosen))
        if not report.ok or not settings.project:
            return report, None
        parent = f"projects/{settings.project}/locations/{region}"
        return report, recommend(
            report.gcs_uri,
            parent,
            region,
            clients,
            chosen,
            weights=report,
            say=lambda text: complain(f"{text}\n"),
        )
    finally:
        clients.close()


def _machine(kind: str | None, accelerator_type: str | None, accelerator_count: int | None) -> MachineSpec | None:
    """The machine that the options name, its own accelerators filled in."""
    if kind is None and accelerator_type is None and accelerator_count is None:
        return None
    own_type, own_count = accelerators(MachineSpec(machine_type=kind))
    spec = MachineSpec(
        machine_type=kind,
        accelerator_type=accelerator_type or own_type or None,
        accelerator_count=accelerator_count or own_count or None,
    )
    if problem := machine_problem(spec):
        raise UserError(problem, property="machine", hint="`mg prices` lists machines, and what they cost")
    return spec
