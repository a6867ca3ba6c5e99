"""The programs on the page about asking models run as they stand."""

import json

import pytest

from tests.documents.markdown import code_blocks, read
from tests.emulator.client import Client as Cloud
from tests.resources.conftest import config

PAGE = "docs/inference.md"


@pytest.fixture
def stack(emulator, tmp_path, monkeypatch):
    """A rehearsed stack with an endpoint that serves, in the working directory."""
    emulator.set_speed(0)
    cloud = Cloud(emulator)
    endpoint = cloud.deployed()
    cloud.session.close()
    outputs = {"endpoints": {"chat": {"endpoint": endpoint["name"], "dns": endpoint["dedicatedEndpointDns"]}}}
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(json.dumps({"config": config(emulator)}))
    state = tmp_path / ".mg" / "rehearsal" / "shop" / "dev.json"
    state.parent.mkdir(parents=True)
    resources = [{"type": "pulumi:pulumi:Stack", "outputs": outputs}]
    state.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize("number", [0, 1])
def test_a_program_on_the_page_runs(stack, capsys, number):
    exec(compile(code_blocks(read(PAGE), "python")[number], PAGE, "exec"), {})
    assert "on deployed model" in capsys.readouterr().out


def test_the_page_tells_every_reason():
    from typing import get_args

    from mg_provider.inference.diagnosis import Reason

    assert {f"| `{reason}` |" for reason in get_args(Reason)} <= {
        line[: line.index("|", 1) + 1] for line in read(PAGE).splitlines() if line.startswith("| `")
    }
