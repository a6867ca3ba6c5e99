"""The charts of the pages as the site shows them: each is drawn whole, and no part of one lies on another."""

import re
from itertools import combinations

import pytest

from tests.documents.markdown import ROOT, code_blocks
from tools.pages.charts import Chart, drawn, on_page_markdown

CHARTS = [
    pytest.param(block, id=f"{path.name} {number}")
    for path in sorted((ROOT / "docs").glob("*.md"))
    for number, block in enumerate(code_blocks(path.read_text(encoding="utf-8"), "mermaid"), 1)
]


@pytest.mark.parametrize("text", CHARTS)
def test_every_box_frame_and_label_of_a_chart_is_in_its_picture(text):
    chart, picture = Chart.read(text), drawn(text)
    shown = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", picture))
    for said in (*(box.text for box in chart.boxes.values()), *chart.frames.values()):
        assert said.replace("&", "&#38;").replace("_", "&#95;") in shown
    assert [label for edge in chart.edges if (label := " ".join(edge.label)) not in shown] == []
    assert picture.count("<path class=") == len(chart.edges) == len(re.findall(r"--|==|-\.", text))


@pytest.mark.parametrize("text", CHARTS)
def test_no_two_boxes_of_a_chart_stand_in_one_place_and_its_lines_lead_to_the_right(text):
    chart = Chart.read(text)
    places = [(box.row, box.column) for box in chart.boxes.values()]
    assert len(set(places)) == len(places)
    assert all(chart.boxes[edge.source].column < chart.boxes[edge.target].column for edge in chart.edges)
    rows = [{box.row for box in chart.boxes.values() if box.frame == frame} for frame in chart.frames]
    assert all(max(one) < min(other) for one, other in combinations(rows, 2)), "frames lie on each other"


def test_a_page_shows_pictures_in_place_of_charts_and_a_chart_that_cannot_be_drawn_ends_the_build():
    page = 'before\n\n```mermaid\nflowchart LR\n  a["one"] --> b["two"]\n```\n\nafter\n'
    shown = on_page_markdown(page)
    assert "mermaid" not in shown
    assert shown.startswith('before\n\n<figure class="chart"><svg ')
    assert shown.endswith("</figure>\n\nafter\n")
    for wrong in ("sequenceDiagram\n", 'flowchart LR\n  a{"one"}\n', "flowchart LR\n  click a\n"):
        with pytest.raises(ValueError, match="drawn"):
            drawn(wrong)


def test_what_a_chart_says_is_text_to_the_browser():
    assert "&#60;b&#62;" in drawn('flowchart LR\n  a["<b>"]\n')
    assert "10 %" in drawn('flowchart LR\n  a["10 #37;"]\n')
