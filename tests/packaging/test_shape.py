"""The shape of the code: how much one folder or file holds."""

import ast
import functools
from collections import Counter, defaultdict
from pathlib import Path

import mg_provider

ROOT = Path(mg_provider.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
GENERATED = {"resources/inputs.py"}
MOST_LINES = 400
MOST_FILES = 15
# Of a function, from its first statement on; its arguments and what is said of them come on top.
MOST_STATEMENT_LINES = 45


# The module of a command has a function `run`, which is the command.
EACH_COMMAND_HAS = {"run"}


@functools.cache
def trees():
    """Each file, parsed."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


@functools.cache
def imports():
    """What each file imports."""
    return {
        path: [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        for path, tree in trees().items()
    }


def test_a_file_fits_one_idea():
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in FILES}
    assert {path: count for path, count in lengths.items() if count > MOST_LINES and path not in GENERATED} == {}


def test_a_function_fits_a_screen():
    long = {}
    for path, tree in trees().items():
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            first = function.body[ast.get_docstring(function) is not None :][:1]
            lines = function.end_lineno - first[0].lineno + 1 if first else 0
            if lines > MOST_STATEMENT_LINES and "constructors" not in path.parts:
                long[f"{path.relative_to(ROOT)}:{function.name}"] = lines
    assert not long


def test_a_folder_is_seen_at_a_glance():
    others = (each for folder in ("tools", "benchmarks", "tests") for each in (ROOT.parent / folder).rglob("*.py"))
    files = [*FILES, *others]
    counts = Counter(path.parent.relative_to(ROOT.parent).as_posix() for path in files)
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def module_of(path):
    return ".".join(("mg_provider", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


def own_names(tree):
    """The public classes and functions of a module, but for those that are registered and not called by their name."""
    defined = (node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef))
    called = (node.name for node in defined if isinstance(node, ast.ClassDef) or not node.decorator_list)
    return {name for name in called if not name.startswith("_")} - EACH_COMMAND_HAS


def test_in_one_file_a_name_means_one_thing():
    names = {module_of(path): own_names(tree) for path, tree in trees().items()}
    confused = []
    for path in FILES:
        here = module_of(path)
        others = {node.module for node in imports()[path] if isinstance(node, ast.ImportFrom)}
        meanings = defaultdict(set)
        for module in {here, *others} & names.keys():
            for name in names[module]:
                meanings[name].add(module)
        confused += [(here, name, *sorted(found)) for name, found in meanings.items() if len(found) > 1]
    assert not confused


def test_nothing_is_imported_under_another_name():
    renamed = [
        f"{path.relative_to(ROOT)}: {name.name} as {name.asname}"
        for path, nodes in imports().items()
        for node in nodes
        for name in node.names
        if name.asname
    ]
    assert not renamed
