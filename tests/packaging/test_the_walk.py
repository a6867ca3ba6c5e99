"""The walk through the house in CONTRIBUTING.md leads to names that are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"^\| (?P<step>.+) \| `(?P<name>[\w.]+)` \| `(?P<file>[\w/]+\.py)` \|$", re.MULTILINE)


def steps():
    _, _, rest = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A walk through the house\n")
    return [(found["name"], found["file"]) for found in STEP.finditer(rest.partition("\n## ")[0])]


def names_in(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
            yield from (f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef))
        elif isinstance(node, ast.FunctionDef):
            yield node.name


def test_the_walk_ends_where_a_rollout_goes_back():
    assert [name for name, _ in steps()][-2:] == ["Rollout.run", "Rollout._go_back"]


@pytest.mark.parametrize(("name", "file"), steps())
def test_each_step_of_the_walk_is_where_the_table_says(name, file):
    assert name in set(names_in(ROOT / file))
