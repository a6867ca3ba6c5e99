"""`mg query` and `mg certificate`. They import what they need when they run, so that `mg --help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mg_provider.command_line.errors import Refusal
from mg_provider.inference.batch.commands import settings_of


def query(
    asked: Annotated[
        list[str],
        typer.Argument(
            metavar="[ENDPOINT] QUESTION",
            help="Endpoint by id or resource name, unless --stack names it; then what to ask, or - for standard input.",
            show_default=False,
        ),
    ],
    stack: Annotated[str | None, typer.Option("--stack", "-s", help="Stack whose output names the endpoint.")] = None,
    output: Annotated[
        str | None, typer.Option(help="That output, such as endpoints.chat; not needed if there is only one.")
    ] = None,
    program: Annotated[Path, typer.Option(help="Folder of the stack's Pulumi.yaml.")] = Path(),
    state: Annotated[Path | None, typer.Option(help="State file to read the outputs from.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the words as they are made.")] = False,
    system: Annotated[str | None, typer.Option(help="Instructions before the question.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Most tokens of the answer.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="0 for the likeliest words.")] = None,
    model: Annotated[str | None, typer.Option(help="Model id of the request. Default: looked up.")] = None,
    address: Annotated[str | None, typer.Option(help="Private address or name. Default: the endpoint's own.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="PEM file that a self-signed server is known by.")] = None,
    fingerprint: Annotated[str | None, typer.Option(help="SHA-256 of its certificate, instead of a file.")] = None,
    timeout: Annotated[float | None, typer.Option(min=1, help="Seconds that the answer may take.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: the whole answer.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Ask again while a replica wakes from zero.")] = False,
    project: Annotated[str | None, typer.Option(help="Project id. Default: GOOGLE_CLOUD_PROJECT.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of an endpoint that is named by its id.")] = None,
    config: Annotated[list[str] | None, typer.Option("--config", "-c", help="key=value, as in a stack.")] = None,
) -> None:
    """Ask a model on an endpoint, public or private."""
    from mg_provider.inference.query_command import Query, ask

    if len(asked) != (1 if stack else 2):
        expected = "one question, as --stack names the endpoint" if stack else "an endpoint and a question"
        raise Refusal(
            f"`mg query` expects {expected}, and got {' '.join(asked)!r:.80}",
            hint="put quotes around a question of several words",
        )
    if stream and as_json:
        raise Refusal("--json is for whole answers, and --stream for parts of one", hint="leave one of them out")
    connection = {"model": model, "address": address, "ca_file": ca_file, "fingerprint": fingerprint}
    place = {} if stack else {"project": project, "region": region}
    question = Query(
        asked[-1],
        endpoint=None if stack else asked[0],
        stack=stack,
        output=output,
        program=program,
        state=state,
        stream=stream,
        as_json=as_json,
        wait=wait,
        system=system,
        request={"max_tokens": max_tokens, "temperature": temperature},
        client={**connection, **place, "timeout": timeout},
        config=settings_of(config, project, region),
    )
    raise typer.Exit(ask(question))


def certificate(
    host: Annotated[str, typer.Argument(help="Private address, name or URL of an endpoint.")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that speaks TLS.")] = 443,
) -> None:
    """Show the certificate of a server. Pin it with --ca-file or --fingerprint."""
    from mg_provider.inference.query_command import show_certificate

    raise typer.Exit(show_certificate(host, port))
