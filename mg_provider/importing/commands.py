"""`mg import` as a command. It imports what it needs when it runs, so that `mg --help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mg_provider.command_line.errors import Refusal
from mg_provider.inference.batch.commands import settings_of


def import_(
    resources: Annotated[
        list[str] | None,
        typer.Argument(help="Resource names, URLs, ids or display names; NAME=… names it in the program."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List what is there and not in the stack.")] = False,
    state: Annotated[
        Path | None, typer.Option(help="State file: what `pulumi stack export` prints, a rehearsal's, or -.")
    ] = None,
    kind: Annotated[
        Literal["CustomWeightsModel", "DedicatedEndpoint"] | None,
        typer.Option("--as", help="What an endpoint is to be. Default: what fits."),
    ] = None,
    owned_by: Annotated[
        str, typer.Option(help="organization/project/stack whose labels it may carry, as after a lost state.")
    ] = "",
    file: Annotated[Path, typer.Option("--file", "-f", help="The import file that is written.")] = Path("import.json"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the program text goes. Default: standard output.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    stack: Annotated[
        str, typer.Option("--stack", "-s", help="Stack of this folder: its config says project, region and emulator.")
    ] = "dev",
    project: Annotated[str | None, typer.Option(help="Project id. Default: GOOGLE_CLOUD_PROJECT.")] = None,
    region: Annotated[str | None, typer.Option(help="Region, for what has no resource name.")] = None,
    emulator: Annotated[str | None, typer.Option(help="Address of an emulator, to read from instead.")] = None,
    config: Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, as in a stack.")] = None,
) -> None:
    """Take over what was made elsewhere. Writes the file for `pulumi import --file` and the program text."""
    if everything == bool(resources):
        given = "resources and --all were given" if everything else "nothing to import was named"
        raise Refusal(given, hint="name what to import, or list what is there with --all")
    from mg_provider.importing.command import Options, import_things, list_things
    from mg_provider.importing.stack_state import stack_settings

    over = settings_of(config, project, region) | ({"mg:emulator": emulator} if emulator else {})
    settings = stack_settings(Path(), stack, over)
    if everything:
        raise typer.Exit(list_things(str(state or ""), settings))
    options = Options(kind, owned_by, file, output, overwrite, str(state or ""))
    raise typer.Exit(import_things(resources or [], options, settings))
