"""Run all measurements, or those named on the command line, and print them."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table

from benchmarks import (
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
from benchmarks.figure import Figure

MODULES = (api_calls, import_time, preflight, state_size, results_join, batch_check, batch_kinds, growth, fleet, review)


def main() -> int:
    """Print a table, then the same as JSON; the exit code is the number of figures outside their bound."""
    named = sys.argv[1:]
    modules = [module for module in MODULES if not named or module.__name__.rpartition(".")[2] in named]
    figures: list[Figure] = [figure for module in modules for figure in module.measure()]
    table = Table("figure", "measured", "bound", "within")
    for figure in figures:
        bound = "-" if figure.bound is None else f"{figure.bound:g} {figure.unit}"
        table.add_row(figure.name, f"{figure.value:g} {figure.unit}", bound, "yes" if figure.within else "NO")
    Console().print(table)
    sys.stdout.write(json.dumps([figure.as_dict() for figure in figures]) + "\n")
    return sum(not figure.within for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
