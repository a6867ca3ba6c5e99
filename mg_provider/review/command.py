"""`mg review`: reads previews, reviews them, prints, and answers with an exit code."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mg_provider.command_line.errors import Refusal, unread
from mg_provider.command_line.exits import FAILED, FINE, NEEDS_A_LOOK, PREVIEW_FAILED
from mg_provider.prices import read_prices, standard_prices
from mg_provider.review.formats.markdown import markdown
from mg_provider.review.formats.page import page
from mg_provider.review.formats.text import WIDTH, text
from mg_provider.review.gates import Gates, failed, matters, read_gates
from mg_provider.review.judge import of
from mg_provider.review.model import Review
from mg_provider.review.reading.preview import Preview, read_preview
from mg_provider.review.reading.run_preview import run_preview

FORMATS: Final[dict[str, Callable[[Review], str]]] = {
    "text": lambda review: text(review, shutil.get_terminal_size((WIDTH, 24)).columns),
    "markdown": markdown,
    "html": page,
    "json": lambda review: review.model_dump_json(indent=2) + "\n",
}


def run(
    files: Sequence[str],
    *,
    stacks: Sequence[str] = (),
    engine: str = "pulumi",
    program: Path = Path(),
    output_format: str = "text",
    prices: Path | None = None,
    gates: Path | None = None,
    fail_on: Sequence[str] = (),
    only_if: Sequence[str] = (),
    look_fails: bool = False,
) -> int:
    """Review previews and print the review.

    Args:
        files: Files of `pulumi preview --json`; `-` is standard input.
        stacks: Stacks whose preview is run here.
        engine: With which engine: pulumi, or rehearsal.
        program: The folder of Pulumi.yaml, for ``stacks``.
        output_format: One of ``FORMATS``.
        prices: A file of prices of one's own.
        gates: A file of gates; by default review.toml in the program's folder, if there is one.
        fail_on: Gates, beside those of the file.
        only_if: What must be so for anything to be printed.
        look_fails: Whether a verdict of look or stop has an exit code of its own.

    Returns:
        0 ok, 1 a gate failed, 2 a mistake in the command, 3 the preview has errors, 4 it needs a look.
    """
    try:
        asked = read_gates(gates, program, fail_on=fail_on, only_if=only_if, look_fails=look_fails)
        path = prices or (Path(asked.prices) if asked.prices else None)
        table = read_prices(path) if path else standard_prices()
        previews = [*map(_from_file, files)]
        previews += [read_preview(run_preview(each, engine, program), f"the preview of {each}") for each in stacks]
        if not previews:
            raise Refusal("no preview is given", hint="name a file of `pulumi preview --json`, `-`, or --stack")
        review = of(previews, prices=table, buckets=asked.buckets)
    except Refusal as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    review = review.model_copy(update={"gates": failed(review, asked)})
    if matters(review, asked):
        sys.stdout.write(FORMATS[output_format](review))
    return _code(review, asked)


def _code(review: Review, gates: Gates) -> int:
    if review.errors:
        return PREVIEW_FAILED
    if review.gates:
        return FAILED
    return NEEDS_A_LOOK if gates.look_fails and review.verdict != "safe" else FINE


def _from_file(name: str) -> Preview:
    try:
        given = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Refusal(f"{name} cannot be read: {unread(error)}", hint="give the path of a file, or -") from error
    return read_preview(given.decode("utf-8", errors="replace"), name if name != "-" else "standard input")
