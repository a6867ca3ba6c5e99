"""`mg emulator` and `mg emulator seed`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from mg_provider.command_line.errors import Refusal

# Emulated seconds per second; as mg_provider.emulator.core.clock has it, which is not imported for `mg --help`.
FASTEST = 1_000_000
ADDRESS = "http://127.0.0.1:8085"

emulator = typer.Typer(
    help="Serve an emulated cloud on one loopback port. It has Vertex AI, Compute Engine, Cloud Storage and BigQuery.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


def finite(value: float) -> float:
    """Refuse what is not a number of seconds."""
    if not math.isfinite(value):
        raise Refusal(f"--speed {value} is not a number of seconds", hint="write one such as 60")
    return value


@emulator.callback()
def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8085,
    speed: Annotated[
        float, typer.Option(min=0, max=FASTEST, callback=finite, help="Emulated seconds per second.")
    ] = 60.0,
    seed: Annotated[Path | None, typer.Option(help="YAML file: what is in it from the start.")] = None,
    keep_in: Annotated[Path | None, typer.Option(help="Folder that keeps what is emulated, from run to run.")] = None,
) -> None:
    """Serve until Ctrl-C."""
    if context.invoked_subcommand is None:
        from mg_provider.cloud import serving

        raise typer.Exit(serving.serve(port, speed, seed=seed, keep=keep_in))


@emulator.command()
def seed(
    file: Annotated[Path, typer.Argument(help="YAML file: buckets, tables, quota, faults.")],
    emulator: Annotated[str, typer.Option(help="Address of the emulator.")] = ADDRESS,
) -> None:
    """Put weights, data, quota and faults into a running emulator."""
    from mg_provider.cloud.seeding import apply_seed

    apply_seed(file, emulator, typer.echo)
