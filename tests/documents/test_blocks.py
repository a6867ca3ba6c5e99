"""Every block of every page is run or read by what it is for; what cannot be here is skipped, with the reason."""

import ast
import inspect
import json
import re
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

import mg_provider
from mg_provider import components
from mg_provider.prices.prices import read_prices
from mg_provider.review.gates import read_gates
from tests.documents.markdown import ROOT, code_blocks, read
from tests.documents.pages import test_guides
from tests.documents.pages.test_guides import PAGES, understood
from tests.review.sample import refused

# The blocks of a page that a test of their own runs or compares.
OWN = {
    ("README.md", "python"): "test_readme_code.py",
    ("README.md", "yaml"): "test_readme_code.py",
    ("docs/emulator.md", "yaml"): "test_emulator_page.py",
    ("docs/guide-review.md", "text"): "test_guide_review.py",
    ("docs/guide-review.md", "toml"): "test_guide_review.py",
    ("docs/guide-review.md", "yaml"): "test_guide_review.py",
    ("docs/import.md", "python"): "test_import_page.py",
    ("docs/import.md", "text"): "test_import_page.py",
    ("docs/inference.md", "python"): "test_inference_page.py",
    ("docs/stacks.md", "python"): "test_stacks_page.py",
    ("docs/stacks.md", "text"): "test_stacks_page.py",
    ("docs/stacks.md", "yaml"): "test_stacks_page.py",
    ("docs/start.md", "text"): "test_start.py",
}
NO_TEST_RUNS = {
    ("CONTRIBUTING.md", "diff"): "tests/packaging/test_adding_an_argument.py makes the change that it shows",
    ("docs/troubleshooting.md", "text"): "it is the form of an error, which tests/cli/ holds every command to",
}
# Commands of the shell and of the machine: their words have a meaning that this project does not give them.
OF_THE_SHELL = ("mkdir", "cd", "sed", "export", "unset", "python3", ".")
NOT_HERE = {
    "pip": "it would ask a package index; tests/packaging/ installs the wheel without one",
    "git": "it would change the clone that the tests run from",
    "terraform": "it is another product's command",
    "bq": "it is a command of Google's, and asks Google",
}


def every_block():
    for page in (*PAGES, "CONTRIBUTING.md"):
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", read(page), flags=re.MULTILINE | re.DOTALL):
            yield page, language, block


def checked_here(page, language, block):
    """Whether a test below takes the block."""
    return (
        language in ("sh", "bash")
        or (page, language) in {("docs/review.md", kind) for kind in READ}
        or (language == "python" and any(block == fragment for _, fragment in FRAGMENTS))
    )


RUN = "\n".join(program.values[0] for program in test_guides.PROGRAMS)
FRAGMENTS = [
    (page, block)
    for page, language, block in every_block()
    if language == "python" and "import" not in block and block not in RUN
]


def test_every_block_of_every_page_has_a_test():
    for page, language, block in every_block():
        known = (page, language) in OWN or (page, language) in NO_TEST_RUNS or checked_here(page, language, block)
        if language == "python":
            known = known or block in RUN or "RegionalFleet" in block
        if language == "mermaid":
            known = page.startswith("docs/")  # test_charts.py draws those of every page.
        assert known, f"nothing runs this block of {page}:\n{block}"
    for (page, language), name in OWN.items():
        test = (Path(test_guides.__file__).parent / name).read_text(encoding="utf-8")
        assert page in test, f"{name} does not read {page}"
        assert code_blocks(read(page), language), f"{page} has no block of {language}"


@pytest.mark.parametrize(("page", "language"), NO_TEST_RUNS)
def test_a_block_that_is_not_run_here_says_why(page, language):
    assert code_blocks(read(page), language)
    pytest.skip(f"{page}: {NO_TEST_RUNS[page, language]}")


@pytest.mark.parametrize("fragment", [pytest.param(block, id=page) for page, block in FRAGMENTS])
def test_a_part_of_a_program_passes_arguments_that_there_are(fragment):
    for call in (node for node in ast.walk(ast.parse(fragment)) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name):
            made = getattr(mg_provider, call.func.id, None) or getattr(components, call.func.id)
            assert {keyword.arg for keyword in call.keywords} <= {*inspect.signature(made.__init__).parameters}


def run_program(block, _folder):
    exec(compile(block, "docs/review.md", "exec"), {"preview": refused()})


def the_gates(block, folder):
    (folder / "review.toml").write_text(block)
    assert read_gates(folder / "review.toml", folder).budget == 5000


def the_prices(block, folder):
    (folder / "prices.json").write_text(block)
    assert len(read_prices(folder / "prices.json").rows) > len(json.loads(block)["rows"])


READ = {"python": run_program, "toml": the_gates, "json": the_prices}


@pytest.mark.parametrize("language", READ)
def test_what_the_page_of_the_review_shows_is_read_by_what_it_is_for(language, tmp_path, capsys):
    (block,) = code_blocks(read("docs/review.md"), language)
    READ[language](block, tmp_path)
    assert language != "python" or capsys.readouterr().out.startswith("stop ")


def commands():
    """Each command of each block of the shell, with the page that shows it."""
    for page, language, block in every_block():
        if language in ("sh", "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                yield from (pytest.param(words, id=f"{page}: {shlex.join(words)}") for words in split(line))


def split(line):
    """The commands of a line, which && and | divide; where their output goes is left out."""
    words = []
    for word in [*shlex.split(line, comments=True), "&&"]:
        if word in ("&&", "|"):
            yield words[: words.index(">")] if ">" in words else words
            words = []
        else:
            words.append(word)


@pytest.mark.parametrize("words", [words for words in commands() if words.values[0]])
def test_a_command_of_a_block_is_one_that_there_is(words):
    first, *rest = words
    if first.endswith("mg"):
        understood(rest)
    elif first == "eval":
        understood(shlex.split(rest[0].removeprefix("$(mg").removesuffix(")")))
    elif first == "make":
        assert re.search(rf"^{rest[0]}:", read("Makefile"), flags=re.MULTILINE)
    elif first == "cp":
        assert list(ROOT.glob(rest[0].removeprefix("../mg-provider/")))
    elif first == "pulumi":
        known_to_pulumi(rest)
    elif first in NOT_HERE:
        pytest.skip(f"`{shlex.join(words)}` is not run: {NOT_HERE[first]}")
    else:
        assert first in OF_THE_SHELL or re.match(r"[A-Z_]+=", first), words


def known_to_pulumi(words):
    if shutil.which("pulumi") is None:
        pytest.skip("there is no pulumi command on PATH, which would say whether it knows these options")
    path = [words[0]]
    if words[0] in ("stack", "config", "state"):
        path.append(words[1])
    told = pulumis_help(tuple(path))
    for option in (word.partition("=")[0] for word in words if word.startswith("-")):
        assert re.search(rf"(?m)^\s.*{re.escape(option)}\b", told), f"pulumi {shlex.join(path)} has no {option}"


@cache
def pulumis_help(path):
    done = subprocess.run(["pulumi", *path, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_block_of_the_shell_is_what_bash_reads():
    for page, language, block in every_block():
        if language in ("sh", "bash"):
            done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{page}: {done.stderr}"
