"""The `mg` command. Each command imports what it needs when it runs, so that `mg --help` is quick."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mg_provider.cloud.commands import FASTEST, emulator, finite
from mg_provider.command_line.completion import Shell, script
from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.exits import FAILED
from mg_provider.command_line.running import NAME, run_app
from mg_provider.command_line.variables import VERBOSE, source_of
from mg_provider.importing.commands import import_
from mg_provider.inference.batch.commands import batch, settings_of
from mg_provider.inference.models.commands import models
from mg_provider.inference.query_commands import certificate, query
from mg_provider.version import __version__

if TYPE_CHECKING:
    from mg_provider.rehearsal.command import Operation

app = typer.Typer(
    name="mg",
    help="Open models with their own weights on Vertex AI Model Garden.",
    epilog="Try it without a cloud: mg demo. Topics: mg help",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
rehearsal = typer.Typer(
    help="Run a Pulumi program offline, on an emulated cloud.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(rehearsal, name="rehearse")
app.add_typer(batch, name="batch")
app.add_typer(models, name="models")
app.add_typer(emulator, name="emulator")
app.command()(query)
app.command()(certificate)
app.command("import")(import_)


class EngineName(StrEnum):
    """The engines of the demo."""

    rehearsal = "rehearsal"
    pulumi = "pulumi"


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show a traceback with an error.")] = False,
) -> None:
    if verbose:
        os.environ[VERBOSE] = "1"


@app.command()
def demo(
    engine: Annotated[
        EngineName | None, typer.Option(help="Default: pulumi where the command is on PATH, else rehearsal.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything up until Ctrl-C.")] = False,
    speed: Annotated[
        float, typer.Option(min=1, max=FASTEST, callback=finite, help="Emulated seconds per second.")
    ] = 600.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every line, difference and id.")] = False,
) -> None:
    """See all of it at work, on this machine. From weights in a bucket to answered requests, and back."""
    from rich.console import Console

    try:
        from mg_provider.demo.story import run
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in ("numpy", "safetensors"):
            raise
        typer.echo(f"error: the demo makes a model folder with {library}, which is not installed", err=True)
        typer.echo("do: run pip install 'mg-provider[demo]'", err=True)
        raise typer.Exit(FAILED) from error
    verbose = verbose or bool(os.environ.get(VERBOSE))
    name = engine.value if engine else None
    raise typer.Exit(run(name, keep=keep, speed=speed, console=Console(), verbose=verbose))


class TemplateName(StrEnum):
    """The templates of a project."""

    private = "private"
    public = "public"
    batch = "batch"
    fleet = "fleet"


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where the project goes; its name is the project's.")] = Path(),
    template: Annotated[
        TemplateName, typer.Option("--template", "-t", help="What the project has.")
    ] = TemplateName.private,
    config: Annotated[
        list[str] | None, typer.Option("--config", "-c", help="key=value for a key of the template; may be repeated.")
    ] = None,
) -> None:
    """Write a small Pulumi project of your own. It is ready for `mg rehearse up` and `pulumi up`."""
    from mg_provider.init_command import run

    values = dict(_pair(entry) for entry in config or [])
    run(template.value, directory, config=values)


def _pair(entry: str) -> tuple[str, str]:
    key, equals, value = entry.partition("=")
    if not equals:
        raise Refusal(f"--config {entry!r} is not key=value", hint="write --config key=value")
    return key, value


@app.command()
def preflight(
    gcs_uri: Annotated[str, typer.Argument(help="gs:// folder with weights in Hugging Face format.")],
    region: Annotated[str, typer.Option(help="Region of the deployment.")],
    project: Annotated[str | None, typer.Option(help="Project id. Default: GOOGLE_CLOUD_PROJECT.")] = None,
    machine_type: Annotated[str | None, typer.Option(help="Machine type to run on.")] = None,
    accelerator_type: Annotated[str | None, typer.Option(help="Accelerator type.")] = None,
    accelerator_count: Annotated[int | None, typer.Option(help="Accelerators of a replica.")] = None,
    allow_quantized: Annotated[bool, typer.Option("--allow-quantized", help="Only warn of quantized weights.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
    config: Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, as in a stack.")] = None,
) -> None:
    """Check a folder of weights before any GPU is asked for."""
    from mg_provider.preflight.command import run

    code = run(
        gcs_uri,
        region,
        project,
        machine_type=machine_type,
        accelerator_type=accelerator_type,
        accelerator_count=accelerator_count,
        allow_quantized=allow_quantized,
        as_json=as_json,
        config=settings_of(config),
    )
    raise typer.Exit(code)


@app.command()
def regions(
    file: Annotated[Path | None, typer.Option("--config-file", help="A stack's config file.")] = None,
    stack: Annotated[str | None, typer.Option("--stack", "-s", help="Name of the stack, in this folder.")] = None,
    gcs_uri: Annotated[str | None, typer.Option(help="Weights, instead of those of the stack's models.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="How many, instead of what the stack says.")] = None,
    candidates: Annotated[list[str] | None, typer.Option("--from", help="Where to look; may be repeated.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Pin the choice in the stack's config file.")] = False,
    repin: Annotated[bool, typer.Option("--repin", help="Choose pinned regions again; by default they stay.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
    config: Annotated[
        list[str] | None, typer.Option("--config", "-c", help="key=value, over the stack's file.")
    ] = None,
) -> None:
    """Choose regions with the machine and the quota, and pin them."""
    from mg_provider.preflight.machines.regions_command import run

    code = run(
        file,
        stack,
        gcs_uri=gcs_uri,
        count=count,
        candidates=candidates or (),
        write=write,
        repin=repin,
        as_json=as_json,
        config=settings_of(config),
    )
    raise typer.Exit(code)


@app.command()
def prices(
    refresh: Annotated[bool, typer.Option("--refresh", help="Read Google's catalogue, and write a file.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file that is written.")] = Path("prices.json"),
    file: Annotated[Path | None, typer.Option("--prices", help="Show a file of your own, and what it lacks.")] = None,
    config: Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, as in a stack.")] = None,
) -> None:
    """Show the prices of machines. --refresh reads Google's of today into a file."""
    from mg_provider import prices_command

    settings = settings_of(config)
    code = prices_command.refresh(output, settings) if refresh else prices_command.show(file)
    raise typer.Exit(code)


class ReviewFormat(StrEnum):
    """The formats of a review."""

    text = "text"
    markdown = "markdown"
    html = "html"
    json = "json"


@app.command()
def review(
    files: Annotated[
        list[str] | None, typer.Argument(help="Files of `pulumi preview --json`; - is standard input.")
    ] = None,
    stack: Annotated[list[str] | None, typer.Option("--stack", "-s", help="Run this stack's preview here.")] = None,
    engine: Annotated[EngineName, typer.Option(help="The engine that runs it.")] = EngineName.pulumi,
    program: Annotated[Path, typer.Option(help="Folder of Pulumi.yaml, and of review.toml.")] = Path(),
    output_format: Annotated[ReviewFormat, typer.Option("--format", "-f", help="What to write.")] = ReviewFormat.text,
    prices: Annotated[Path | None, typer.Option(help="A file of your own prices; they win over the table.")] = None,
    gates: Annotated[Path | None, typer.Option(help="A file of gates. Default: review.toml, if there is one.")] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            help="Gates, with commas: address-change,downtime,exposure,budget=5000,increase=20%,decrease=20%,gpus=64."
        ),
    ] = None,
    only_if: Annotated[
        list[str] | None, typer.Option(help="Write nothing unless: changes, look, stop, or one of the gates.")
    ] = None,
    look_fails: Annotated[bool, typer.Option("--look-fails", help="Exit code 4 unless the verdict is safe.")] = False,
) -> None:
    """Review a preview: cost, capacity, exposure, availability. The verdict is safe, look or stop.

    Exit codes: 0 ok, 1 a gate failed, 2 a mistake in the command, 3 the preview has errors, 4 it needs a look.
    """
    from mg_provider.review.command import run

    code = run(
        files or (),
        stacks=stack or (),
        engine=engine.value,
        program=program,
        output_format=output_format.value,
        prices=prices,
        gates=gates,
        fail_on=fail_on or (),
        only_if=only_if or (),
        look_fails=look_fails,
    )
    raise typer.Exit(code)


Stack = Annotated[str, typer.Option("--stack", "-s", help="Name of the stack.")]
State = Annotated[Path | None, typer.Option(help="State file. Default: below .mg/rehearsal beside Pulumi.yaml.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: a preview's digest, or engine events.")]
Target = Annotated[list[str] | None, typer.Option(help="Only this resource, by name or URN; may be repeated.")]
Config = Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, over the stack's file.")]
ExpectNoChanges = Annotated[bool, typer.Option("--expect-no-changes", help="Exit code 1 if anything changes.")]
StockSdk = Annotated[bool, typer.Option("--stock-sdk", help="Run the program on Pulumi's SDK unchanged. It is slower.")]
ClearPendingCreates = Annotated[
    bool, typer.Option("--clear-pending-creates", help="Forget the creations that earlier runs did not end.")
]
ShowSames = Annotated[bool, typer.Option("--show-sames", help="A preview's digest has what stays as well.")]
Program = Annotated[Path, typer.Argument(help="Folder of Pulumi.yaml.")]
Emulated = Annotated[
    str | None, typer.Option("--emulator", help="Address of an emulator. Default: one of the stack's own.")
]
Seed = Annotated[
    Path | None, typer.Option(help="What the stack's own emulator has. Default: emulator.yaml, if there is one.")
]


_OPERATIONS: dict[Operation, str] = {
    "up": "Change the stack to match the program.",
    "preview": "Show what up would do.",
    "refresh": "Take what is in the cloud into the stack's state.",
    "destroy": "Delete everything that the stack has.",
}


def _add(operation: Operation, text: str) -> None:
    @rehearsal.command(operation, help=text)
    def command(
        context: typer.Context,
        program: Program = Path(),
        stack: Stack = "dev",
        state: State = None,
        as_json: AsJson = False,
        target: Target = None,
        config: Config = None,
        expect_no_changes: ExpectNoChanges = False,
        emulator: Emulated = None,
        seed: Seed = None,
        stock_sdk: StockSdk = False,
        clear_pending_creates: ClearPendingCreates = False,
        show_sames: ShowSames = False,
    ) -> None:
        from mg_provider.cloud.own import OwnCloud
        from mg_provider.rehearsal.command import rehearse

        code = rehearse(
            operation,
            stack,
            program,
            state,
            as_json=as_json,
            targets=tuple(target or ()),
            config=settings_of(config),
            expect_no_changes=expect_no_changes,
            emulator=emulator,
            emulator_from=source_of(context, "emulator"),
            own_cloud=OwnCloud(seed),
            stock_sdk=stock_sdk,
            clear_pending_creates=clear_pending_creates,
            show_sames=show_sames,
        )
        raise typer.Exit(code)


for _operation, _text in _OPERATIONS.items():
    _add(_operation, _text)


@rehearsal.command("import", help="Put what `mg import` wrote into the stack's state. Nothing is called.")
def _rehearse_import(
    program: Program = Path(),
    file: Annotated[Path, typer.Option("--file", "-f", help="The import file.")] = Path("import.json"),
    stack: Stack = "dev",
    state: State = None,
    config: Config = None,
) -> None:
    from mg_provider.rehearsal.import_command import import_file

    raise typer.Exit(import_file(file, stack, program, state, config=settings_of(config)))


@app.command("help")
def help_(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="TOPIC", help="A topic, or a command.")] = None,
) -> None:
    """Short texts on what people look for. Without a topic, their list."""
    from mg_provider.command_line.topics import show

    show(words or (), context.find_root().command, NAME)


@app.command()
def completion(shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> None:
    """Print the script that completes mg in a shell. In bash: eval "$(mg completion bash)"."""
    typer.echo(script(shell, NAME))


def main() -> None:
    """Run the command; what goes wrong is reported in words."""
    sys.exit(run_app(app, sys.argv[1:], _redacted))


def _redacted(text: str) -> str:
    from mg_provider.api.redaction import redact

    return redact(text)
