"""The walk through the house in CONTRIBUTING.md leads from each function to one that it calls."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"^\| (?P<step>.+) \| `(?P<name>[\w.]+)` \| `(?P<file>[\w/]+\.py)` \|$", re.MULTILINE)


def steps():
    _, _, rest = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A walk through the house\n")
    return [(found["name"], found["file"]) for found in STEP.finditer(rest.partition("\n## ")[0])]


def functions_in(path):
    """The functions and methods of a file by name."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{part.name}", part) for part in node.body if isinstance(part, ast.FunctionDef))
        elif isinstance(node, ast.FunctionDef):
            yield node.name, node


def function(step):
    name, file = step
    return dict(functions_in(ROOT / file))[name]


def mentioned(node):
    """What a function names."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Name):
            yield part.attr if isinstance(part, ast.Attribute) else part.id


def has(node, kind):
    return any(isinstance(part, kind) for part in ast.walk(node))


def test_the_walk_ends_where_a_rollout_goes_back():
    assert [name for name, _ in steps()][-2:] == ["Rollout.run", "Rollout._go_back"]


@pytest.mark.parametrize(("step", "after"), list(pairwise(steps())), ids=lambda step: step[0])
def test_each_step_of_the_walk_calls_the_next_or_raises_to_one_before(step, after):
    if after in steps()[: steps().index(step)]:
        assert has(function(step), ast.Raise)
        assert has(function(after), ast.ExceptHandler)
    else:
        assert after[0].rpartition(".")[2] in set(mentioned(function(step)))
