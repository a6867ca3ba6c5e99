"""Draw the Mermaid charts of the documents for the site, which loads no script that would draw them.

As much of Mermaid as the documents and the comments of `mg review` use: a flowchart from left to right, with boxes,
arrows and one level of frames. What else a chart has is refused, so that nothing of it is lost without a word.
"""

from __future__ import annotations

import html
import re
import textwrap
from dataclasses import dataclass, field
from itertools import count
from typing import Any

_FENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NODE = r'(\w+)(?:\(?\["([^"]*)"\]\)?)?'
_EDGE = re.compile(rf'{_NODE} (-->|==>|-\.->|---)(?:\|"([^"]*)"\|)? {_NODE}')
_FRAME = re.compile(r'subgraph (\w+)\["([^"]*)"\]')
_CLASS = re.compile(r"class (\w+(?:,\w+)*) (\w+)")
_KIND = {"-->": "flow", "==>": "flow strong", "-.->": "flow dashed", "---": "line"}
# In pixels.
_BOX, _ROW, _LINE, _GAP, _LETTER = 142, 84, 15, 44, 6.4
_TITLE, _MARGIN, _HIGH = 26, 12, _ROW - 14


@dataclass
class Box:
    """A node: what it says, and where it stands."""

    text: str
    frame: str = ""
    column: int = 0
    row: int = 0
    style: str = ""


@dataclass
class Edge:
    """A line between two nodes."""

    source: str
    target: str
    kind: str
    label: list[str]


@dataclass
class Chart:
    """A flowchart, read and laid out: a column for each step of the way, a band of rows for each frame."""

    boxes: dict[str, Box] = field(default_factory=dict)
    frames: dict[str, str] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Chart:
        """The chart that a Mermaid text describes.

        Raises:
            ValueError: A line cannot be drawn here.
        """
        chart, frame = cls(), ""
        head, *lines = filter(None, map(str.strip, text.splitlines()))
        if head != "flowchart LR":
            raise ValueError(f"{head}: only a flowchart LR is drawn")
        for line in lines:
            if found := _FRAME.fullmatch(line):
                frame, chart.frames[found[1]] = found[1], _plain(found[2])
            elif line == "end":
                frame = ""
            elif found := _EDGE.fullmatch(line):
                source, said, kind, label, target, also = found.groups()
                chart._box(source, said, frame)
                chart._box(target, also, frame)
                chart.edges.append(Edge(source, target, _KIND[kind], textwrap.wrap(_plain(label or ""), 24)))
            elif found := re.fullmatch(_NODE, line):
                chart._box(found[1], found[2], frame)
            elif found := _CLASS.fullmatch(line):
                for name in found[1].split(","):
                    chart.boxes[name].style = found[2]
            elif not line.startswith("classDef "):
                raise ValueError(f"{line}: is not drawn")
        chart._lay_out()
        return chart

    def begins(self, edge: Edge) -> int:
        """The row where an edge begins."""
        return self.boxes[edge.source].row

    def _box(self, name: str, text: str | None, frame: str) -> None:
        if name not in self.boxes:
            self.boxes[name] = Box(_plain(text or name), frame)

    def _lay_out(self) -> None:
        for _ in self.boxes:
            for edge in self.edges:
                source, target = self.boxes[edge.source], self.boxes[edge.target]
                target.column = max(target.column, source.column + 1)
        top = 0
        for frame in self.frames:
            top = self._place(frame, top)
        for name, box in self.boxes.items():
            if not box.frame:
                rows = [self.boxes[edge.target].row for edge in self.edges if edge.source == name]
                taken = {other.row for other in self.boxes.values() if other is not box and other.column == box.column}
                box.row = next(row for row in count(min(rows, default=top)) if row not in taken)

    def _place(self, frame: str, top: int) -> int:
        """Rows for the boxes of a frame: each follows the one that leads to it; the first row below them."""
        inside = {name: box for name, box in self.boxes.items() if box.frame == frame}
        taken: set[tuple[int, int]] = set()
        for name, box in sorted(inside.items(), key=lambda item: item[1].column):
            before = [inside[edge.source].row for edge in self.edges if edge.target == name and edge.source in inside]
            below = max((row for row, _ in taken), default=top - 1) + 1
            box.row = next(row for row in count(before[0] if before else below) if (row, box.column) not in taken)
            taken.add((box.row, box.column))
        return max(row for row, _ in taken) + 1


def drawn(text: str) -> str:
    """The chart of a Mermaid text as SVG, in the colours of the page around it."""
    chart = Chart.read(text)
    lefts = _lefts(chart)
    tops = _tops(chart)
    width, height = lefts[-1] + _MARGIN, max(tops.values()) + _ROW + _MARGIN
    parts = [_frame(chart, name, lefts, tops) for name in chart.frames]
    parts += [_arrow(chart, number, lefts, tops) for number in range(len(chart.edges))]
    parts += [_shape(box, lefts, tops) for box in chart.boxes.values()]
    said = "; ".join(box.text for box in chart.boxes.values())
    return (
        f'<figure class="chart"><svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">'
        f"<title>{_safe(said)}</title>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0L8 4L0 8z"/></marker></defs>{"".join(parts)}</svg></figure>'
    )


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Pictures in place of the charts of a page; mkdocs calls this."""
    return _FENCE.sub(lambda match: drawn(match[1]), markdown)


def _lefts(chart: Chart) -> list[float]:
    """Where each column begins, and where the picture ends: what an arrow says stands left of where it leads."""
    lefts = [2.0 * _MARGIN]
    for column in range(1, max(box.column for box in chart.boxes.values()) + 1):
        labels = [line for edge in chart.edges if chart.boxes[edge.target].column == column for line in edge.label]
        lefts.append(lefts[-1] + _BOX + _GAP + max((len(line) for line in labels), default=0) * _LETTER)
    return [*lefts, lefts[-1] + _BOX + _MARGIN]


def _tops(chart: Chart) -> dict[int, float]:
    """Where each row begins: the first of a frame leaves room for its title."""
    first = {min(box.row for box in chart.boxes.values() if box.frame == frame) for frame in chart.frames}
    tops, top = {}, float(_MARGIN)
    for row in range(max(box.row for box in chart.boxes.values()) + 1):
        top += _TITLE + _MARGIN if row in first else 0
        tops[row] = top
        top += _ROW
    return tops


def _frame(chart: Chart, name: str, lefts: list[float], tops: dict[int, float]) -> str:
    inside = [box for box in chart.boxes.values() if box.frame == name]
    left = lefts[min(box.column for box in inside)] - _MARGIN
    right = lefts[max(box.column for box in inside)] + _BOX + _MARGIN
    top, bottom = tops[min(box.row for box in inside)] - _TITLE, tops[max(box.row for box in inside)] + _ROW
    return (
        f'<rect class="frame" x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top - 4:g}" rx="4"/>'
        f'<text class="title" x="{left + 10:g}" y="{top + 18:g}">{_safe(chart.frames[name])}</text>'
    )


def _shape(box: Box, lefts: list[float], tops: dict[int, float]) -> str:
    left, top = lefts[box.column], tops[box.row]
    lines = textwrap.wrap(box.text, 20)
    first = top + _HIGH / 2 - (len(lines) - 1) * _LINE / 2 + 4
    return f'<rect class="box {box.style}" x="{left:g}" y="{top:g}" width="{_BOX}" height="{_HIGH}" rx="4"/>' + _lines(
        lines, left + _BOX / 2, first, "said"
    )


def _arrow(chart: Chart, number: int, lefts: list[float], tops: dict[int, float]) -> str:
    """Along the row of where it begins, to the row of where it leads in the gap before that, and into it."""
    edge = chart.edges[number]
    source, target = chart.boxes[edge.source], chart.boxes[edge.target]
    y = tops[source.row] + _HIGH / 2
    # What leads to one box enters it side by side, in the order of the rows where it begins.
    others = sorted((other for other in chart.edges if other.target == edge.target), key=chart.begins)
    into = tops[target.row] + _HIGH * (others.index(edge) + 1) / (len(others) + 1)
    x, end = lefts[source.column] + _BOX, lefts[target.column]
    turn = lefts[target.column - 1] + _BOX + 16 + 4 * (number % 3)
    path = f"M{x:g} {y:g}H{end:g}" if y == into else f"M{x:g} {y:g}H{turn:g}V{into:g}H{end:g}"
    tip = "" if edge.kind == "line" else ' marker-end="url(#tip)"'
    said = _lines(edge.label, turn + 7, into - 5 - (len(edge.label) - 1) * _LINE, "label")
    return f'<path class="{edge.kind}" d="{path}"{tip}/>{said}'


def _lines(lines: list[str], x: float, y: float, kind: str) -> str:
    return "".join(
        f'<text class="{kind}" x="{x:g}" y="{y + number * _LINE:g}">{_safe(line)}</text>'
        for number, line in enumerate(lines)
    )


def _plain(text: str) -> str:
    """What Mermaid's text says: its line breaks, and characters by number."""
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text.replace("<br/>", " "))


def _safe(text: str) -> str:
    """Text for SVG within Markdown: no character of it means anything."""
    return re.sub(r"[&<>*_`\[\]\\]", lambda match: f"&#{ord(match[0])};", html.unescape(text))
