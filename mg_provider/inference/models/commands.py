"""The commands below `mg models`. Each imports what it needs when it runs, so that `mg --help` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from mg_provider.inference.batch.commands import settings_of

models = typer.Typer(
    help="List the models that run on machines of your own. A ? marks machines that nobody verified.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

Config = Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, as in a stack.")]


@models.callback()
def listed(
    context: typer.Context,
    search: Annotated[str | None, typer.Option(help="Words in the name.")] = None,
    deployable: Annotated[bool, typer.Option("--deployable", help="Only what an endpoint serves unchanged.")] = False,
    batch: Annotated[bool, typer.Option("--batch", help="Only what batch prediction is documented for.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
    config: Config = None,
) -> None:
    """List the models that run on machines of your own. A ? marks machines that nobody verified."""
    if context.invoked_subcommand:
        return
    from mg_provider.inference.models.command import list_models

    given = settings_of(config)
    raise typer.Exit(list_models(search, deployable=deployable, batch=batch, as_json=as_json, config=given))


@models.command()
def show(
    model: Annotated[str, typer.Argument(help="Name as listed, or its last part, such as llama-3.1-8b-instruct.")],
    batch: Annotated[bool, typer.Option("--batch", help="Only the batch prediction run.")] = False,
    config: Config = None,
) -> None:
    """Print the resources that run a model. It is Python to paste into a program."""
    from mg_provider.inference.models.command import show_model

    raise typer.Exit(show_model(model, batch=batch, config=settings_of(config)))
