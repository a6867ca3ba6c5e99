"""The table of facts is held by tests that are there, and has every fact that is known."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from mg_provider.emulator.core.world import BEHAVIOURS
from mg_provider.emulator.facts import facts
from mg_provider.emulator.google.named_errors import NAMED, About

ROOT = Path(__file__).parents[2]
KNOWN = ROOT.parent / "shared" / "facts" / "service.md"
TABLE = facts()


@cache
def names_in(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def title(fact):
    return fact.fact[:40]


def test_each_fact_stands_once():
    stated = [(fact.section, fact.fact) for fact in TABLE]
    assert len(set(stated)) == len(stated) > 90


@pytest.mark.parametrize("fact", TABLE, ids=title)
def test_what_holds_a_fact_is_there_by_name(fact):
    for test in fact.tests:
        path, _, name = test.partition("::")
        assert name in names_in(path), test
    assert set(fact.behaviours) <= set(BEHAVIOURS)
    assert set(fact.faults) <= set(NAMED)
    assert fact.tests or fact.behaviours or fact.faults or fact.note


@pytest.mark.parametrize("fact", [fact for fact in TABLE if fact.unsettled], ids=title)
def test_what_is_unsettled_is_a_behaviour(fact):
    assert fact.behaviours


def words_of(fact):
    """The pieces of Google's words in a fact, without what stands for something else."""
    for quoted in re.findall(r"`((?:\\`|[^`])+)`", fact.fact):
        for piece in re.split(r"…|\bNAME\b|\bX\b|\bN@|\bID\b|\bNUMBER\b", quoted.replace("\\`", "`")):
            if " " in piece.strip() and len(piece.strip()) > 8:
                yield piece.strip()


@pytest.mark.parametrize("fact", [fact for fact in TABLE if fact.faults], ids=title)
def test_a_named_error_has_the_words_of_its_fact(fact):
    messages = [NAMED[name].make(About()).message for name in fact.faults]
    said = [*messages, *(message.replace("`", "") for message in messages)]
    assert [words for words in words_of(fact) if not any(words in message for message in said)] == []


def test_each_named_error_has_a_fact():
    assert set(NAMED) == {fault for fact in TABLE for fault in fact.faults}


def known_facts():
    """The facts of the shared table, with their section."""
    section = ""
    for line in KNOWN.read_text(encoding="utf-8").splitlines():
        if line.startswith("### "):
            section = line[4:].strip()
        elif line.startswith("| ") and section and not line.startswith("| fact |"):
            yield section, line.strip("| ").split(" | ")[0].strip()
        elif section.startswith("Not found") and line.strip():
            yield from ((section, part) for part in line.strip().rstrip(".").split("; "))


def test_every_fact_that_is_known_has_its_row():
    if not KNOWN.exists():
        pytest.skip(f"{KNOWN} is not there")
    stated = {(fact.section, fact.fact) for fact in TABLE}
    assert [known for known in known_facts() if known not in stated] == []
