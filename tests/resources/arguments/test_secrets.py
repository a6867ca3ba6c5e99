"""A token given to a resource is in no output, no diff and no text; in a state it is only ever a secret."""

import json

import pytest

from mg_provider.rehearsal.command import rehearse
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.resources.conftest import QUICK, config
from tests.support.google.canary import canary_proxy, only_this_machine  # noqa: F401
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.running.forks import project_file

TOKEN = "hf_averysecrettokenthatnobodymaysee"
SECRET_MARK = ("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270")
PROGRAM = f"""
import pulumi
from mg_provider import CustomWeightsModel

model = CustomWeightsModel(
    "gemma", hugging_face_model_id="google/gemma-3-1b-it", hugging_face_access_token="{TOKEN}", accept_eula=True
)
pulumi.export("endpoint", model.endpoint)
"""


def in_clear(value, path=""):
    """Where the token is outside of a secret."""
    if isinstance(value, dict):
        if value.get(SECRET_MARK[0]) == SECRET_MARK[1]:
            return []
        return [place for key, entry in value.items() for place in in_clear(entry, f"{path}.{key}")]
    if isinstance(value, list):
        return [place for entry in value for place in in_clear(entry, path)]
    return [path] if isinstance(value, str) and TOKEN in value else []


def test_the_state_holds_a_token_only_as_a_secret_and_nothing_prints_it(emulator, tmp_path):
    emulator.set_speed(QUICK)
    (tmp_path / "Pulumi.yaml").write_text(project_file("secrets"))
    (tmp_path / "__main__.py").write_text(PROGRAM)
    state = tmp_path / "state.json"
    told = []
    assert rehearse("up", "dev", tmp_path, state, config=config(emulator), write=told.append) == 0
    content = json.loads(state.read_text())
    assert TOKEN in state.read_text()
    assert in_clear(content) == []
    assert state.stat().st_mode & 0o077 == 0
    assert rehearse("preview", "dev", tmp_path, state, config=config(emulator), as_json=True, write=told.append) == 0
    assert rehearse("destroy", "dev", tmp_path, state, config=config(emulator), write=told.append) == 0
    assert TOKEN not in "".join(told)
    assert emulator.ledger()["empty"]


def test_a_refusal_does_not_repeat_the_token(emulator, host):
    life = Life(host, CustomWeightsModelProvider)
    emulator.fail(
        rpc="aiplatform.projects.locations.deploy",
        fault="status",
        status=400,
        message=f"please provide a valid Hugging Face access token, not {TOKEN}",
    )
    with pytest.raises(HostError) as failure:
        life.up({"hugging_face_model_id": "google/gemma-3-1b-it", "hugging_face_access_token": TOKEN})
    assert "hugging_face_access_token" in failure.value.text or "token" in failure.value.text
    assert TOKEN not in failure.value.text
    assert TOKEN not in "".join(host.said)
