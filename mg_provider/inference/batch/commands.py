"""The commands below `mg batch`. Each imports what it needs when it runs, so that `mg --help` is quick."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.variables import EMULATOR
from mg_provider.inference.batch.formats import ResultsFormat

batch = typer.Typer(
    help="Batch prediction: input before it is paid for, then answers.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class CheckEngine(StrEnum):
    """Who looks at the rows of files."""

    local = "local"
    bigquery = "bigquery"


@batch.command()
def check(
    sources: Annotated[
        list[str], typer.Argument(help="Files, gs:// objects or patterns, bq:// tables.", metavar="INPUT...")
    ],
    engine: Annotated[
        CheckEngine, typer.Option(help="Who reads JSON lines: this machine, or BigQuery where they are.")
    ] = CheckEngine.local,
    limit: Annotated[int, typer.Option(min=1, help="How many findings are printed; the others are counted.")] = 100,
    model: Annotated[str | None, typer.Option(help="The job's model: is batch documented for it?")] = None,
    output: Annotated[str | None, typer.Option(help="Where the job will write: can it?")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
    project: Annotated[str | None, typer.Option(help="Project id. Default: GOOGLE_CLOUD_PROJECT.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the job.")] = None,
    config: Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, as in a stack.")] = None,
) -> None:
    """Check every row of a job's input, before the job is paid for."""
    from mg_provider.preflight.batch.check_command import run

    given = settings_of(config, project, region)
    raise typer.Exit(
        run(sources, engine=engine.value, limit=limit, model=model, output=output, as_json=as_json, config=given)
    )


class PrepareFormat(StrEnum):
    """What prompts are in."""

    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"
    query = "query"


@batch.command()
def prepare(
    source: Annotated[
        str,
        typer.Argument(help="CSV, JSON lines, a JSON array or Parquet, a file or gs://…; or a query, @file, bq://…."),
    ],
    output: Annotated[str, typer.Argument(help="File or gs:// object; for a query a bq:// table.")],
    form: Annotated[
        PrepareFormat | None, typer.Option("--from", help="What the source is. Default: by its name.")
    ] = None,
    prompt_column: Annotated[str, typer.Option(help="Column, or key, of the prompt.")] = "prompt",
    id_column: Annotated[
        str | None, typer.Option(help="Column, or key, of custom_id. Default: custom_id, or numbered.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="System message before each prompt.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Longest answer.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="How free the answers are.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    project: Annotated[str | None, typer.Option(help="Project id. Default: GOOGLE_CLOUD_PROJECT.")] = None,
    config: Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, as in a stack.")] = None,
) -> None:
    """Make a job's input of prompts; what it makes, check accepts."""
    from mg_provider.preflight.prepare.command import run
    from mg_provider.preflight.prepare.row import Shape

    shape = Shape(prompt_column, id_column, system, max_tokens, temperature)
    given = settings_of(config, project, None)
    raise typer.Exit(run(source, output, form.value if form else None, shape, overwrite=overwrite, config=given))


@batch.command()
def results(
    job: Annotated[str, typer.Argument(help="Name or id of the job, or its output: a gs:// folder or bq:// table.")],
    form: Annotated[ResultsFormat, typer.Option("--format", help="How answers are written.")] = ResultsFormat.jsonl,
    join: Annotated[
        list[str] | None,
        typer.Option(help="The job's input: a file, gs://… or bq://…; may come again. Answers then come in its order."),
    ] = None,
    errors: Annotated[Path | None, typer.Option(help="File for the rows that failed, as JSON lines.")] = None,
    project: Annotated[str | None, typer.Option(help="Project id. Default: GOOGLE_CLOUD_PROJECT.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of a job that is named by its id.")] = None,
    config: Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, as in a stack.")] = None,
) -> None:
    """Write a job's answers, each with its row. Those that failed go apart."""
    from mg_provider.inference.batch.results_command import run

    code = run(job, form=form, join=join, errors=errors, config=settings_of(config, project, region))
    raise typer.Exit(code)


def settings_of(config: list[str] | None, project: str | None = None, region: str | None = None) -> dict[str, str]:
    """Settings by full config key, from a command's options."""
    from mg_provider.api.http.settings import misspelt_keys

    pairs = [entry.partition("=") for entry in config or []]
    wrong = [key for key, equals, _ in pairs if not equals or ":" not in key]
    if wrong:
        raise Refusal(
            f"--config {wrong[0]!r} is not namespace:key=value", hint="write one such as mg:region=us-central1"
        )
    given = {key: value for key, _, value in pairs}
    for key, right in misspelt_keys(given):
        raise Refusal(f"--config {key} does not exist", hint=f"did you mean {right}?")
    if project:
        given["mg:project"] = project
    if region:
        given["mg:region"] = region
    if emulator := os.environ.get(EMULATOR):
        given.setdefault("mg:emulator", emulator)
    return given
