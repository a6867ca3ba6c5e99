"""Record `mg demo` as the picture in the README: ``make recording``. The demo's test compares it with what it says."""

from __future__ import annotations

import html
import io
import re
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI

from mg_provider.demo.narrator import WIDTH
from mg_provider.demo.story import run

ROOT = Path(__file__).resolve().parent.parent
PICTURE: Final = "docs/demo.svg"
# A picture in a README must not load anything.
_COLUMN: Final = 12.2
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_TEXT = re.compile(r'<text[^>]* x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)"[^>]*clip-path[^>]*>(?P<text>[^<]*)</text>')


def main() -> int:
    """Run the demo, and write the picture if everything was as claimed."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print("[bold green]$[/] mg demo")
    code = run("rehearsal", keep=False, speed=600.0, console=console)
    if code == 0:
        made = console.export_svg(title="mg demo", theme=DIMMED_MONOKAI, unique_id="demo")
        (ROOT / PICTURE).write_text(_FONT.sub("", made), encoding="utf-8")
        print(f"wrote {PICTURE}")
    return code


def lines(picture: str) -> list[str]:
    """The lines of a recorded session, from its picture."""
    found: dict[float, list[tuple[float, str]]] = {}
    for match in _TEXT.finditer(picture):
        text = html.unescape(match["text"]).replace("\N{NO-BREAK SPACE}", " ")
        found.setdefault(float(match["y"]), []).append((float(match["x"]), text))
    return [_line(found[y]) for y in sorted(found)]


def _line(pieces: list[tuple[float, str]]) -> str:
    line = ""
    for x, text in sorted(pieces):
        line = line.ljust(round(x / _COLUMN)) + text
    return line.rstrip()


if __name__ == "__main__":
    sys.exit(main())
