"""Run all measurements, or those named on the command line; say what is measured, and print a table in the end."""

from __future__ import annotations

import argparse
import inspect
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import earlier
from benchmarks.earlier import Change, Figures
from benchmarks.figure import Figure, Measure, Run
from benchmarks.parts import (
    api_calls,
    batch_check,
    batch_kinds,
    fleet,
    growth,
    import_time,
    preflight,
    results_join,
    review,
    state_size,
)
from mg_provider.spelling import did_you_mean

PARTS: dict[str, Measure] = {
    "api_calls": api_calls.measure,
    "import_time": import_time.measure,
    "preflight": preflight.measure,
    "state_size": state_size.measure,
    "results_join": results_join.measure,
    "batch_check": batch_check.measure,
    "batch_kinds": batch_kinds.measure,
    "growth": growth.measure,
    "fleet": fleet.measure,
    "fleet_pulumi": fleet.measure_pulumi,
    "review": review.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code is 1 if a figure is outside its bound or got worse, and 2 on a wrong option."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        then = earlier.read(given.against) if given.against else None
    except earlier.NotFigures as error:
        parser.error(str(error))
    figures = _measured(given.parts or list(PARTS), everything=given.all, tiny=given.tiny)
    now = earlier.Measured(earlier.this_machine(), figures)
    if given.json:
        earlier.write(given.json, now)
    _show(_bounds(figures))
    worse = 0
    if then is not None:
        for difference in earlier.differences(then.machine, now.machine):
            sys.stderr.write(f"warning: measured under other conditions: {difference}\n")
        changes = list(earlier.changes(then.parts, figures))
        worse = sum(change.verdict == "WORSE" for change in changes)
        _show(_comparison(changes))
    return int(worse > 0 or not all(figure.within for measured in figures.values() for figure in measured))


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:13} {_about(measure)}" for name, measure in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Measure the parts that are named, or all of them:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", type=_part)
    parser.add_argument("--all", action="store_true", help="the slow layouts of the fleet as well")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="compare with the figures that --json wrote to FILE"
    )
    parser.add_argument("--tiny", action="store_true", help="only see that each part works; the figures mean nothing")
    return parser


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"{name} is not a part: {did_you_mean(name, PARTS)}")
    return name


def _about(measure: Measure) -> str:
    return (inspect.getdoc(measure) or "").partition("\n")[0]


def _measured(names: Sequence[str], *, everything: bool, tiny: bool) -> dict[str, list[Figure]]:
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {text}\n")
        sys.stderr.flush()

    figures: dict[str, list[Figure]] = {}
    for number, name in enumerate(names, 1):
        say(f"{name} ({number} of {len(names)}): {_about(PARTS[name])}")
        figures[name] = []
        for measured in PARTS[name](Run(lambda text: say(f"  {text} …"), everything, tiny)):
            figure = replace(measured, bound=None) if tiny else measured
            figures[name].append(figure)
            say(f"  {figure}")
    return figures


def _bounds(figures: Figures) -> Table:
    table = Table("figure", "measured", "bound", "within")
    for figure in (figure for measured in figures.values() for figure in measured):
        bound = "-" if figure.bound is None else f"{figure.bound:g} {figure.unit}"
        table.add_row(figure.name, _value(figure), bound, "yes" if figure.within else "NO")
    return table


def _comparison(changes: Sequence[Change]) -> Table:
    table = Table("figure", "then", "now", "now / then", "")
    for change in changes:
        then, now = (
            "-" if figure is None else f"{figure.value:g} {figure.unit}" for figure in (change.then, change.now)
        )
        table.add_row(change.name, then, now, "-" if change.ratio is None else f"{change.ratio:.2f}", change.verdict)
    return table


def _value(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:g} {figure.unit}"


def _show(table: Table) -> None:
    # A pipe has no width: there, a figure stays on its line.
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    sys.exit(main())
