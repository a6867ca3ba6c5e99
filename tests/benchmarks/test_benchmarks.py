"""The benchmarks run, say what they measure, and can be compared. How long anything takes is no matter here."""

import json
import re

import pytest

from benchmarks.__main__ import PARTS, main
from benchmarks.earlier import changes
from benchmarks.figure import Figure
from tests.support.running import forks

# Starting five interpreters is all that import_time does, which is what makes it slow.
TRIED = [part for part in PARTS if part != "import_time"]


@pytest.fixture
def quick(monkeypatch):
    """What a part starts comes from a process that has imported it; pulumi takes a minute, `fleet` does the same."""
    monkeypatch.setattr("sys.prefix", str(forks.shared()))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.mark.parametrize("part", TRIED)
def test_each_part_runs_and_says_what_it_measures(part, quick, tmp_path, capfd):
    assert main([part, "--tiny", "--json", str(tmp_path / "figures.json")]) == 0
    [started, *said] = [line.split(" s  ", 1)[1] for line in capfd.readouterr().err.splitlines()]
    assert re.fullmatch(rf"{part} \(1 of 1\): [A-Z].+\.", started)
    steps = [line for line in said if line.endswith(" …")]
    assert steps
    assert said[0] in steps
    figures = json.loads((tmp_path / "figures.json").read_text())["parts"][part]
    found = [line.strip().rpartition(":")[0] for line in said if line not in steps]
    assert found == [figure["name"] for figure in figures]
    assert found or "nothing" in steps[0]


@pytest.mark.parametrize(
    ("then", "now", "unit", "verdict"),
    [
        (2.0, 2.5, "s", "same"),
        (2.0, 2.7, "s", "WORSE"),
        (2.7, 2.0, "s", "better"),
        (100, 109, "MB", "same"),
        (100, 111, "MB", "WORSE"),
        (0.4, 0.5, "times", "WORSE"),
        (31, 32, "calls", "WORSE"),
        (32, 31, "calls", "better"),
        (0, 1, "calls", "WORSE"),
        (0, 0, "errors", "same"),
    ],
)
def test_a_figure_is_worse_where_it_grew_by_more_than_its_noise(then, now, unit, verdict):
    [change] = changes({"part": [Figure("one", then, unit)]}, {"part": [Figure("one", now, unit)]})
    assert change.verdict == verdict
    assert change.ratio == (now / then if then else None)


def test_a_run_is_compared_with_an_earlier_one(tmp_path, capfd):
    file = tmp_path / "figures.json"
    assert main(["state_size", "--json", str(file)]) == 0
    assert main(["state_size", "--against", str(file)]) == 0
    assert "WORSE" not in capfd.readouterr().out
    earlier = json.loads(file.read_text())
    figures = earlier["parts"]["state_size"]
    half, added, removed = figures[:3]
    half["value"] /= 2
    added["name"], missing = "state: something else", added["name"]
    removed["value"] *= 2
    earlier["parts"]["fleet"] = [{"name": "fleet: not measured", "value": 1, "unit": "times", "bound": None}]
    file.write_text(json.dumps(earlier))
    assert main(["state_size", "--against", str(file)]) == 1
    rows = {row[1]: row[2:-1] for row in cells(capfd.readouterr().out) if len(row) == 7}
    assert rows[half["name"]][2:] == ["2.00", "WORSE"]
    assert rows["state: something else"][1:] == ["-", "-", "not measured now"]
    assert rows[missing][::2] == ["-", "-"]
    assert rows[missing][3] == "new"
    assert rows[removed["name"]][2:] == ["0.50", "better"]
    assert rows[figures[3]["name"]][2:] == ["1.00", "same"]
    assert "fleet: not measured" not in rows


def cells(output):
    """The rows of the tables."""
    return [[cell.strip() for cell in line.split("│")] for line in output.splitlines()]


def test_figures_of_another_python_or_machine_or_load_are_compared_with_a_warning(tmp_path, capfd):
    file = tmp_path / "figures.json"
    assert main(["state_size", "--tiny", "--json", str(file)]) == 0
    assert "warning" not in capfd.readouterr().err
    earlier = json.loads(file.read_text())
    there = earlier["machine"]
    processors, load = there["processors"], there["load"][0]
    earlier["machine"] = {"python": "2.7.18", "processors": processors + 1, "load": [load + 50, 0, 0]}
    file.write_text(json.dumps(earlier))
    main(["state_size", "--tiny", "--against", str(file)])
    warned = [line for line in capfd.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert warned[:2] == [
        f"warning: measured under other conditions: Python 2.7.18 then, {there['python']} now",
        f"warning: measured under other conditions: {processors + 1} processors then, {processors} now",
    ]
    assert warned[2].startswith(f"warning: measured under other conditions: a load of {load + 50:g} then, ")


@pytest.mark.parametrize("content", [None, "", "[]", '{"parts": {"state_size": [{"no": 1}]}}'])
def test_a_file_without_figures_is_refused_before_anything_is_measured(content, tmp_path, capsys):
    file = tmp_path / "figures.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SystemExit, match="2"):
        main(["--against", str(file)])
    said = capsys.readouterr().err
    wrong = "cannot be read: No such file or directory" if content is None else "does not hold figures that --json has"
    assert f"{file} {wrong}" in said
    assert "Error" not in said
    assert "api_calls (1" not in said


def test_a_part_that_does_not_exist_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["fleets"])
    assert "fleets is not a part: did you mean fleet?" in capsys.readouterr().err
