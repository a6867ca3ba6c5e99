"""`mg regions`: choose the regions of a stack once, and pin them in its config."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError, UserError
from mg_provider.api.http.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.command_line.exits import FAILED, FINE, USAGE
from mg_provider.data import is_region, known_regions, table
from mg_provider.preflight.machines.regions import Wanted, choose_regions, quota_states
from mg_provider.preflight.machines.regions_config import AutoRegions, config_file, pin, read_auto


def run(
    file: Path | None,
    stack: str | None,
    *,
    gcs_uri: str | None = None,
    count: int | None = None,
    candidates: Sequence[str] = (),
    write: bool = False,
    repin: bool = False,
    as_json: bool = False,
    config: Mapping[str, str] | None = None,
    tell: Callable[[str], object] | None = None,
    complain: Callable[[str], object] | None = None,
) -> int:
    """Ask Model Garden which regions work, and tell or pin them.

    Args:
        file: Config file of a stack; by default that of ``stack`` in the project of this folder.
        stack: Name of the stack; without file and stack, ``gcs_uri`` and ``count`` give weights and replicas.
        gcs_uri: Folder with weights, instead of those of the stack's models.
        count: How many regions, instead of what the stack says.
        candidates: Where to look, instead of where the stack says.
        write: Pin the choice in the file.
        repin: Give up the regions that are pinned, unless they are the best again. By default they stay.
        as_json: Tell one JSON object.
        config: Settings by full config key, over those of the file.
        tell: Takes the answer; by default it is printed.
        complain: Takes what went wrong; by default it goes to stderr.

    Returns:
        0 if regions were found, 1 if not, 2 if an argument is wrong.
    """
    tell, complain = tell or sys.stdout.write, complain or sys.stderr.write
    try:
        path = file or (config_file(stack, Path()) if stack else None)
        if path is None and (write or not gcs_uri or not count):
            raise UserError(
                "does not say which weights", property="--stack", hint="give --stack, or --gcs-uri and --count"
            )
        asked = read_auto(path) if path else AutoRegions(count or 1)
        path = path.parent / asked.file if path and asked.file else path
        kept = [] if repin else asked.pinned
        chosen, states = _choose(asked, kept, gcs_uri, count, candidates, config or {})
        if write and path:
            pin(path, chosen)
    except UserError as problem:
        complain(f"error: {problem}\n")
        return FAILED if problem.property == "count" else USAGE
    except MgError as problem:
        complain(f"error: Model Garden could not be asked: {problem}\n")
        return FAILED
    tell(
        json.dumps({"regions": chosen, "quota": states}, indent=2) + "\n"
        if as_json
        else _outcome(chosen, kept, states, path, write)
    )
    return FINE


def _choose(
    asked: AutoRegions,
    kept: Sequence[str],
    gcs_uri: str | None,
    count: int | None,
    candidates: Sequence[str],
    config: Mapping[str, str],
) -> tuple[list[str], list[dict[str, str]]]:
    wanted = [Wanted(gcs_uri)] if gcs_uri else asked.wanted
    if not wanted:
        raise UserError("names no model with gcs_uri", property="environment.models", hint="give --gcs-uri")
    places = candidates or asked.candidates
    if unknown := [region for region in places if not is_region(region)]:
        raise UserError(
            f"{unknown[0]} is not a region of Vertex AI", property="from", hint="write one like us-central1"
        )
    settings = Settings.from_config({**asked.config, **config}.get, os.environ)
    if not settings.project:
        raise UserError("is not known", property="mg:project", hint="give -c mg:project=my-project")
    clients = Clients.from_settings(settings, SystemClock())
    try:
        states = [quota_states(one, settings.project, clients, places) for one in wanted]
    finally:
        clients.close()
    return choose_regions(count or asked.count, places, states, kept), states


def _outcome(
    chosen: list[str], kept: Sequence[str], states: list[dict[str, str]], path: Path | None, written: bool
) -> str:
    lines = []
    for region in chosen:
        quota = " ".join(sorted({each.get(region) or "quota not known" for each in states}))
        lines.append(f"{region}: {quota}" + (", pinned before: stays" if region in kept else ""))
    known = table("regions")
    lines.append(f"of {len(known_regions())} regions, as of {known['as_of']} ({known['source']})")
    if path is not None:
        lines.append(f"pinned in {path}" if written else f"nothing written; --write pins them in {path}")
    return "\n".join(lines) + "\n"
