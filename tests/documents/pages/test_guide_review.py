"""The guide to a review in a pull request: its program, gates, commands and workflows, one after the other."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from tests.documents.markdown import ROOT, code_blocks, read
from tests.pipelines import stand_in
from tests.pipelines.forge import forge
from tests.pipelines.runner import BASH, GitHub
from tests.support.running.forks import put_command
from tests.support.samples.weights import make_bucket, put_weights

GUIDE = read("docs/guide-review.md")
APIS = ("vertexAi", "compute", "storage", "bigQuery", "logging")


@pytest.fixture
def team(tmp_path, emulator, virtualenv):
    """A folder with what the guide says, beside a clone of the project."""
    emulator.set_speed(1_000_000)
    make_bucket(emulator, "my-weights")
    put_weights(emulator, "llama-3.1-8b-tuned", "my-weights")
    (tmp_path / "mg-provider").symlink_to(ROOT)
    folder, commands = tmp_path / "shop", tmp_path / "bin"
    folder.mkdir()
    commands.mkdir()
    put_command(commands / "pulumi", stand_in.__file__)
    project, stack = map(yaml.safe_load, code_blocks(GUIDE, "yaml"))
    project["runtime"]["options"]["virtualenv"] = virtualenv
    stack["config"] |= {f"mg:{api}CustomEndpoint": emulator.url for api in APIS}
    (folder / "Pulumi.yaml").write_text(json.dumps(project))
    (folder / "Pulumi.prod.yaml").write_text(json.dumps(stack))
    (folder / "__main__.py").write_text(code_blocks(GUIDE, "python")[0])
    (folder / ".venv" / "bin").mkdir(parents=True)
    put_command(folder / ".venv" / "bin" / "mg", Path(sys.executable).parent / "mg")
    with forge() as kept:
        yield GitHub(folder, commands, kept, {})


@pytest.mark.timeout(240)
def test_the_guide_leads_to_a_pipeline_that_refuses_what_nobody_would_sign(team):
    assert team.job("deploy", "plan"), team.said
    assert team.job("deploy", "up"), team.said
    (team.folder / "review.toml").write_text(code_blocks(GUIDE, "toml")[0])
    bad_change, workflows, _ = code_blocks(GUIDE, "sh")
    assert team.script(bad_change, {}, BASH) == 1
    shown, owners = code_blocks(GUIDE, "text")
    assert team.said.startswith(shown)
    assert team.script(workflows, {}, BASH) == 0, team.said
    copied = sorted(path.name for path in (team.folder / ".github" / "workflows").iterdir())
    assert copied == [f"{name}.yml" for name in sorted(re.findall(r"^\| `(\w+)` \| (?:a|every|in) ", GUIDE, re.M))]
    assert [line.split()[0] for line in owners.splitlines()] == [".github/", "review.toml"]
    assert team.job("review", "preview"), team.said
    assert team.job("review", "comment"), team.said
    assert not team.job("review", "gate")
    (comment,) = team.forge.comments
    assert "gate budget=5000 failed" in comment["body"]
    assert "<html" in (team.folder / "review.html").read_text()


def test_the_guide_copies_the_pipeline_of_gitlab(team):
    assert team.script(code_blocks(GUIDE, "sh")[2], {}, BASH) == 0, team.said
    assert "stages" in yaml.safe_load((team.folder / ".gitlab-ci.yml").read_text())


def test_the_guide_names_the_variables_that_the_workflows_read():
    workflows = "".join(path.read_text() for path in (ROOT / "stacks/pipelines/github").glob("*.yml"))
    told = re.findall(r"^\| `([A-Z_]+)` \|", GUIDE, re.M)
    assert sorted(told) == sorted(set(re.findall(r"vars\.(\w+)", workflows)))
