"""An argument is one field and one sample: one is added for each thing that it may stand in, and all else follows.

That of a batch job is the example in CONTRIBUTING.md.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = "mg_provider/resources"


@dataclass(frozen=True)
class Added:
    """An argument that is added.

    Attributes:
        file: Where the arguments of its kind are, below the resources.
        before: The line of it that the new field comes before.
        field: The field with its marks.
        sample: Two good values.
        beside: The argument whose sample the new one comes before.
        page: The page that lists it.
        mark: What the page says of a change.
        imports: What the field needs: a line, and what comes before it.
    """

    file: str
    before: str
    field: str
    sample: str
    beside: str
    page: str
    mark: str
    imports: tuple[str, str] = ("", "")


MACHINES = {
    "file": "endpoint/machines.py",
    "before": "    @property\n    def autoscales",
    "beside": "enable_access_logging",
}
MODEL = {"file": "custom_weights_model/args.py", "before": "    model_display_name: ", "beside": "retain_model"}
WIRE = "from mg_provider.wire.vertex.machine import MachineSpec\n"
ADDED = {
    "disable_explanations": Added(
        **MACHINES,
        field="""
    disable_explanations: Annotated[
        bool,
        InPlace(MUTATE),
        Stands("deployment", "disable_explanations", always=True),
        NotInDeploy(needed=True),
    ] = Field(default=False, description="Deploy without feature attributions.")
""",
        sample="Sample(True, False)",
        page="custom-weights-model",
        mark="in place: endpoints.mutateDeployedModel",
    ),
    "checkpoint_id": Added(
        **MACHINES,
        field="""
    checkpoint_id: Annotated[
        str, RollsOut(_NEW_DEPLOYMENT), Stands("deployment", "checkpoint_id"), NotInDeploy(needed=True)
    ] = Field(default="", description="Checkpoint of the model to deploy.")
""",
        sample='Sample("step-100", "step-200")',
        page="custom-weights-model",
        mark="rolls out: a new deployment",
    ),
    "model_description": Added(
        **MODEL,
        field="""
    model_description: Annotated[str, InPlace(PATCH_MODEL), Lines(), Stands("model", "description")] = Field(
        default="", description="Free text on the Model."
    )
""",
        sample='Sample("one", "two")',
        page="custom-weights-model",
        mark="in place: models.patch",
    ),
    "version_description": Added(
        **MODEL,
        field="""
    version_description: Annotated[
        str,
        RollsOut("another Model, deployed beside the old one", another_model=True),
        Lines(),
        Stands("model", "version_description"),
        Unseen(FIXED_MODEL, sent=True, kept=True),
        NotInDeploy(needed=True),
    ] = Field(default="", description="Free text on the Model's version.")
""",
        sample='Sample("three", "four")',
        page="custom-weights-model",
        mark="rolls out: another Model",
    ),
    "gen_ai_advanced_features_config": Added(
        **MODEL,
        field="""
    gen_ai_advanced_features_config: Annotated[
        GenAiAdvancedFeaturesConfig | None,
        Replaces("no source says that it can be changed"),
        Stands("endpoint", "gen_ai_advanced_features_config"),
        NotInDeploy(needed=True),
    ] = Field(default=None, description="Features for generative models of Model Garden.")
""",
        sample='Sample({"rag_config": {"enable_rag": True}}, {"rag_config": {"enable_rag": False}})',
        page="custom-weights-model",
        mark="**replaces**: no source says that it can be changed",
        imports=("from mg_provider.wire.vertex.endpoint import GenAiAdvancedFeaturesConfig\n", WIRE),
    ),
    "ip_version": Added(
        file="psc_forwarding_rule/fields.py",
        before="    look_up: ",
        field="""
    ip_version: Annotated[str, Replaces("the address is fixed"), Stands("rule", "ip_version")] = Field(
        default="", description="IPV4 or IPV6."
    )
""",
        sample='Sample("IPV4", "IPV6")',
        beside="look_up",
        page="psc-forwarding-rule",
        mark="**replaces**: the address is fixed",
    ),
}
OF_A_JOB = "generate_explanation"
# What the new arguments are to be held to, in the copy, beside the tests that are there.
HELD_TO = """
import inspect

import mg_provider
import pytest
from mg_provider import review
from mg_provider.emulator.services.vertex import deployments
from tests.resources.arguments.test_frozen_ids import OF_THE_LEAST, id_of
from tests.resources.arguments.test_sent_and_observed import SUBJECTS, title
from tests.review.build import batch, model, preview, rule, step
from tests.support.lives.observation import problems_of
from tests.support.samples.samples import ALL

NAMES = {names}
OF_SUBJECTS = [(subject, names) for subject in SUBJECTS if (names := [n for n in NAMES if n in subject.samples])]
BUILT = {{"CustomWeightsModel": model, "PscForwardingRule": rule, "BatchJob": batch}}
OF_RESOURCES = [(kind, name) for kind in ALL if kind.name in BUILT for name in NAMES if name in kind.samples]


def named(value):
    if isinstance(value, list):
        return " ".join(value)
    return value if isinstance(value, str) else getattr(value, "name", None) or title(value)


@pytest.fixture(scope="module", autouse=True)
def what_google_changes_in_place():
    deployments._MUTABLE["v1beta1"].add("disableExplanations")


@pytest.mark.parametrize(("subject", "names"), OF_SUBJECTS, ids=named)
def test_they_are_sent_kept_seen_and_changed(emulator, host, subject, names):
    emulator.behave(fields_of_no_client="kept")
    assert problems_of(subject, emulator, host, {{*names}}, {{name: subject.value(name) for name in names}}) == []


@pytest.mark.parametrize(("kind", "name"), OF_RESOURCES, ids=named)
def test_a_program_may_pass_it_and_what_does_not_set_it_keeps_its_id(kind, name):
    assert name in inspect.signature(getattr(mg_provider, kind.name)).parameters
    default = kind.args_type.model_fields[name].default
    unset = {{}} if default is None else {{name: default}}
    assert id_of(kind) == id_of(kind, **unset) == OF_THE_LEAST[kind.name]


@pytest.mark.parametrize(("kind", "name"), OF_RESOURCES, ids=named)
def test_nonsense_is_refused(kind, name):
    assert kind.check(kind.arguments(name, ["perhaps"]))[1].keys() == {{name}}


@pytest.mark.parametrize(("kind", "name"), OF_RESOURCES, ids=named)
def test_a_review_names_it(kind, name):
    build, sample = BUILT[kind.name], kind.samples[name]
    change = step("update", kind.name, "it", build(**{{name: sample.value}}), build(**{{name: sample.other}}))
    assert name in review.of(preview(change)).headline
"""
GATES = [
    "tests/resources/test_the_new_arguments.py",
    "tests/resources/arguments/test_fields.py",
    "tests/resources/arguments/test_frozen_ids.py",
]
COPIED = ["mg_provider", "tools", "docs", "tests/support", "tests/resources", "tests/review"]
# The generators whose files have something of arguments in them, and of the documents these pages alone.
GENERATE = """
from tools import generate
from tools.pages import documents

generate.GENERATORS = ["tools.code.input_types", "tools.code.constructors", "tools.pages.documents"]
documents.outputs = lambda: {page: documents.render((generate.ROOT / page).read_text()) for page in PAGES}
generate.main()
"""


def example():
    """The change that CONTRIBUTING.md shows."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## Adding an argument\n")[2].partition("\n## ")[0]
    (change,) = re.findall(r"```diff\n(.*?)```", section, flags=re.DOTALL)
    return change


def put_before(path, anchor, text):
    before = path.read_text()
    assert before.count(anchor) == 1, f"{path.name} has {before.count(anchor)} times {anchor!r}"
    path.write_text(before.replace(anchor, text + anchor))


def add(folder, name, added):
    """One field and one sample."""
    fields = folder / RESOURCES / added.file
    blank = "\n" if added.before.startswith("    @") else ""
    put_before(fields, added.before, added.field.removeprefix("\n") + blank)
    line, after = added.imports
    if line:
        put_before(fields, after, line)
    samples = folder / "tests/support/samples/samples.py"
    indent = re.search(rf'^( +)"{added.beside}": ', samples.read_text(), flags=re.MULTILINE)[1]
    put_before(samples, f'{indent}"{added.beside}": ', f'{indent}"{name}": {added.sample},\n')


def run(folder, *command, allowed=(0,), **more):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **more)
    assert done.returncode in allowed, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The part of the repository that is about arguments, with all of them, generated again."""
    folder = tmp_path_factory.mktemp("copy")
    for part in COPIED:
        # What is as old as its bytecode needs not be compiled; another worker may just be writing some.
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("*.pyc.*"))
    for path in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy2(ROOT / path, folder / path)
    run(folder, "git", "apply", "-", input=example())
    for name, added in ADDED.items():
        add(folder, name, added)
    names = [*ADDED, OF_A_JOB]
    (folder / "tests/resources/test_the_new_arguments.py").write_text(HELD_TO.format(names=names))
    pages = [f"docs/{page}.md" for page in (*{added.page for added in ADDED.values()}, "batch-job", "stacks")]
    run(folder, sys.executable, "-c", GENERATE.replace("PAGES", repr(pages)))
    return folder


@pytest.fixture(scope="module")
def gates(copy):
    """How each test of the copy that is about one of them ended."""
    unneeded = ("xdist", "cacheprovider", "inline_snapshot", "hypothesispytest")
    options = ("-q", "--tb=short", "--junitxml=gates.xml", *(f"-pno:{plugin}" for plugin in unneeded))
    chosen = " or ".join(("test_frozen_ids", "test_the_new_arguments", *ADDED, OF_A_JOB))
    run(copy, sys.executable, "-m", "pytest", *options, *GATES, "-k", chosen, allowed=(0, 1))
    return list(ElementTree.parse(copy / "gates.xml").iter("testcase"))


def rows(copy, page, name):
    return re.findall(rf"^\| `{name}`.*$", (copy / f"docs/{page}.md").read_text(), flags=re.MULTILINE)


def test_the_constructor_and_the_page_have_the_example(copy):
    constructor = (copy / f"{RESOURCES}/constructors/batch_job.py").read_text()
    assert "        generate_explanation: Input[bool | None] = None,\n" in constructor
    assert (
        "            generate_explanation: Add feature attributions to the output. Default: `False`.\n" in constructor
    )
    (row,) = rows(copy, "batch-job", OF_A_JOB)
    assert "**replaces**: a job cannot be changed, so another one runs" in row
    assert "Add feature attributions to the output. Default: `False`." in row
    # A stack takes what the resource takes.
    jobs = (copy / "docs/stacks.md").read_text().partition("### `batch_jobs.NAME`")[2].partition("###")[0]
    assert "`generate_explanation`" in jobs


@pytest.mark.parametrize("name", ADDED)
def test_the_page_has_it(copy, name):
    assert any(ADDED[name].mark in row for row in rows(copy, ADDED[name].page, name))
    assert f"`{name}`" in (copy / "docs/stacks.md").read_text()


def test_it_is_written_as_the_rest_is(copy):
    fields = {f"{RESOURCES}/{file}" for file in ("batch_job/fields.py", *(added.file for added in ADDED.values()))}
    changed = [*fields, f"{RESOURCES}/constructors", f"{RESOURCES}/inputs.py"]
    run(copy, sys.executable, "-m", "ruff", "check", "--no-cache", *changed)
    run(copy, sys.executable, "-m", "ruff", "format", "--no-cache", "--check", *changed)


@pytest.mark.parametrize("name", [*ADDED, OF_A_JOB])
def test_it_is_sent_refused_and_reviewed(gates, name):
    about = [case for case in gates if name in case.get("name")]
    assert len(about) > 5
    assert [(case.get("name"), ended.text) for case in about for ended in case] == []


def test_older_ids_stay(gates):
    about = [case for case in gates if "frozen" in case.get("classname")]
    assert len(about) > 5
    assert [(case.get("name"), ended.text) for case in about for ended in case] == []
