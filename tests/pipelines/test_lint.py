"""The pipelines pass their own linters, ask for no more than they need, and let nobody's text into a script."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.pipelines.runner import PIPELINES

TOOLS = Path(sys.executable).parent
WORKFLOWS = sorted((PIPELINES / "github").glob("*.yml"))
GITLAB = PIPELINES / "gitlab" / "gitlab-ci.yml"
each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
# What a job may have beyond reading the code, and the one job that has it.
WRITES = {
    ("review", "comment"): "pull-requests",
    ("drift", "report"): "issues",
    ("nightly", "report"): "issues",
}


def lint(*command):
    done = subprocess.run([TOOLS / command[0], *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_fit_githubs_schema():
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def test_the_pipeline_fits_gitlabs_schema():
    lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", GITLAB)


def test_the_workflows_are_secure_in_the_eyes_of_zizmor():
    lint("zizmor", "--offline", "--no-progress", "--persona=pedantic", "--min-severity=low", *WORKFLOWS)


def scripts():
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            for step in job["steps"]:
                if "run" in step and step.get("shell") != "python":
                    yield pytest.param(step["run"], id=f"github {path.stem} {name} {step['name']}")
    for name, job in yaml.safe_load(GITLAB.read_text()).items():
        if isinstance(job, dict) and ("script" in job or "before_script" in job):
            lines = [*job.get("before_script", ()), *job.get("script", ())]
            yield pytest.param("\n".join(lines), id=f"gitlab {name}")


@pytest.mark.parametrize("script", list(scripts()))
def test_shellcheck_finds_nothing_in_a_script(script, tmp_path):
    (tmp_path / "script").write_text(script)
    lint("shellcheck", "--shell=bash", "--severity=style", tmp_path / "script")


@each_workflow
def test_a_job_may_do_only_what_it_does(workflow):
    document = yaml.safe_load(workflow.read_text())
    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        write = WRITES.get((workflow.stem, name))
        signs_in = any("google-github-actions/auth" in step.get("uses", "") for step in job["steps"])
        reading = {"contents": "read", "id-token": "write"} if signs_in else {}
        assert job["permissions"] == (reading | ({write: "write"} if write else {})), name
        if write:
            assert not any("checkout" in step.get("uses", "") for step in job["steps"]), (
                "nothing of a change runs there"
            )


@each_workflow
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(workflow):
    uses = re.findall(r"uses: (.*)", workflow.read_text())
    assert [text for text in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", text)] == []


def test_one_version_of_each_action_is_used_everywhere():
    uses = {text for path in WORKFLOWS for text in re.findall(r"uses: (\S+)", path.read_text())}
    assert len(uses) == len({text.partition("@")[0] for text in uses})


def test_no_key_or_passphrase_is_stored_anywhere():
    for path in (*WORKFLOWS, GITLAB):
        assert "secrets." not in path.read_text()
        assert not re.search(r"PASSPHRASE|credentials_json|ACCESS_TOKEN", path.read_text())


def test_the_operators_stacks_fit_the_schema_of_their_kind():
    schema = json.loads((Path(__file__).parent / "stack-schema.json").read_text())
    documents = list(yaml.safe_load_all((PIPELINES / "operator" / "stack.yaml").read_text()))
    stacks = [document for document in documents if document["kind"] == "Stack"]
    assert len(stacks) == 2
    for stack in stacks:
        assert stack["apiVersion"] == "pulumi.com/v1"
        jsonschema.validate(stack["spec"], schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**stack["spec"], "destroyOnFinalise": True}, schema)
        assert stack["spec"]["destroyOnFinalize"] is False
    assert [stack["spec"].get("preview", False) for stack in stacks] == [False, True]
