"""The example in CONTRIBUTING.md, performed: one field and one sample, and everything else follows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What the new argument is to be held to, in the copy, beside the tests that are there.
HELD_TO = """
import inspect

from mg_provider import BatchJob, review
from tests.resources.arguments.test_frozen_ids import OF_THE_LEAST, id_of
from tests.resources.arguments.test_sent_and_observed import SUBJECTS
from tests.review.build import batch, preview, step
from tests.support.observation import problems_of
from tests.support.samples import BATCH_JOB

NAME = "generate_explanation"


def test_a_program_may_pass_it():
    assert NAME in inspect.signature(BatchJob).parameters


def test_it_is_sent_and_kept(emulator, host):
    (jobs,) = [subject for subject in SUBJECTS if subject.args_type.__name__ == "BatchJobArgs"]
    names, given = next(life for life in jobs.lives() if NAME in life[0])
    assert problems_of(jobs, emulator, host, names, given) == []


def test_nonsense_is_refused():
    assert BATCH_JOB.check(BATCH_JOB.arguments(NAME, "perhaps"))[1].keys() == {NAME}


def test_a_run_that_does_not_set_it_is_found_by_its_id():
    assert id_of(BATCH_JOB) == id_of(BATCH_JOB, generate_explanation=False) == OF_THE_LEAST["BatchJob"]
    assert id_of(BATCH_JOB, generate_explanation=True) != id_of(BATCH_JOB)


def test_a_review_names_it():
    found = review.of(preview(step("replace", "BatchJob", "nightly", batch(), batch(generate_explanation=True))))
    assert "generate_explanation" in found.headline
"""


def example():
    """The change that CONTRIBUTING.md shows."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## Adding an argument\n")[2].partition("\n## ")[0]
    (change,) = re.findall(r"```diff\n(.*?)```", section, flags=re.DOTALL)
    return change


def run(folder, *command, **more):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository with the example's change, generated again."""
    folder = tmp_path_factory.mktemp("copy")
    for path in run(ROOT, "git", "ls-files", "-z").split("\0")[:-1]:
        if (ROOT / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)
    # What is as old as its bytecode needs not be compiled.
    for cache in (found for top in ("mg_provider", "tests", "tools") for found in (ROOT / top).rglob("__pycache__")):
        shutil.copytree(cache, folder / cache.relative_to(ROOT), dirs_exist_ok=True)
    run(folder, "git", "apply", "-", input=example())
    (folder / "tests/resources/test_the_new_argument.py").write_text(HELD_TO)
    wrote = run(folder, sys.executable, "-m", "tools.generate").splitlines()
    assert {"wrote mg_provider/resources/constructors/batch_job.py", "wrote docs/batch-job.md"} <= {*wrote}
    return folder


def test_the_constructor_and_the_page_have_it(copy):
    constructor = (copy / "mg_provider/resources/constructors/batch_job.py").read_text()
    assert "        generate_explanation: Input[bool | None] = None,\n" in constructor
    assert (
        "            generate_explanation: Add feature attributions to the output. Default: `False`.\n" in constructor
    )
    page = (copy / "docs/batch-job.md").read_text()
    (row,) = re.findall(r"^\| `generate_explanation`.*$", page, flags=re.MULTILINE)
    assert "**replaces**: a job cannot be changed, so another one runs" in row
    assert "Add feature attributions to the output. Default: `False`." in row
    # A stack takes what the resource takes.
    jobs = (copy / "docs/stacks.md").read_text().partition("### `batch_jobs.NAME`")[2].partition("###")[0]
    assert "`generate_explanation`" in jobs


def test_it_is_written_as_the_rest_is(copy):
    changed = ["mg_provider/resources/batch_job/fields.py", "mg_provider/resources/constructors/batch_job.py"]
    run(copy, sys.executable, "-m", "ruff", "check", "--no-cache", *changed)
    run(copy, sys.executable, "-m", "ruff", "format", "--no-cache", "--check", *changed)


def test_it_is_sent_refused_and_reviewed_and_older_ids_stay(copy):
    options = ("-q", "-p", "no:xdist", "-p", "no:cacheprovider")
    run(copy, sys.executable, "-m", "pytest", *options, "tests/resources/test_the_new_argument.py")
