"""The shape of the code: who knows Pulumi's protocol, and how much one folder or file holds."""

import ast
from collections import Counter
from pathlib import Path

import mg_provider

ROOT = Path(mg_provider.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
GENERATED = {"resources/inputs.py"}
MOST_LINES = 400
MOST_FILES = 15


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_only_the_dynamic_room_and_the_rehearsal_know_pulumis_protocol():
    knowing = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        if any(name.startswith("pulumi.dynamic") for name in imported(path))
    }
    assert knowing
    assert {path for path in knowing if not path.startswith(("resources/dynamic/", "rehearsal/"))} == set()


def test_a_file_fits_one_idea():
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in FILES}
    assert {path: count for path, count in lengths.items() if count > MOST_LINES and path not in GENERATED} == {}


def test_a_folder_is_seen_at_a_glance():
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in FILES)
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}
