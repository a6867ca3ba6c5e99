"""The table of how the real services behave: each fact, its source, and what holds it here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

TABLE = Path(__file__).with_name("facts.yaml")
NOT_YET = "not played yet"


@dataclass(frozen=True)
class Fact:
    """One row.

    Attributes:
        section: of the table: a method or a part of a service.
        fact: what the service does.
        source: where that was read.
        strength: A recorded or several independent sources, B one good source, C one report, ? unsettled.
        note: what is not played, and why.
        tests: that hold it, ``path::name``.
        behaviours: of the emulator, by which a test chooses.
        faults: by which a test has it met.
    """

    section: str
    fact: str
    source: str
    strength: str
    note: str
    tests: tuple[str, ...]
    behaviours: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def unsettled(self) -> bool:
        """Whether sources disagree, or say nothing."""
        return "?" in self.strength or "?" in self.source


def facts() -> list[Fact]:
    """All rows, in the order of the table."""
    sections = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return [_fact(section, row) for section, rows in sections.items() for row in rows]


def _fact(section: str, row: dict[str, str]) -> Fact:
    held = [str(entry) for entry in row.get("held_by", [])]
    behaviours = tuple(entry.removeprefix("behaviour ") for entry in held if entry.startswith("behaviour "))
    faults = tuple(entry.removeprefix("fault ") for entry in held if entry.startswith("fault "))
    tests = tuple(entry for entry in held if "::" in entry)
    return Fact(section, row["fact"], row["source"], row["strength"], row.get("note", ""), tests, behaviours, faults)
