"""A state remembers the cloud that its resources are in: a run on another one is refused before it begins."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mg_provider.cloud.own import OwnCloud
from mg_provider.command_line.exits import FINE, USAGE
from mg_provider.emulator import Emulator
from mg_provider.rehearsal.command import Operation, rehearse
from tests.support.running.forks import project_file

Run = Callable[..., tuple[int, str]]
PROGRAM = "from mg_provider import DedicatedEndpoint\nDedicatedEndpoint('chat')\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(project_file("moves"), encoding="utf-8")
    config = "config: {mg:project: my-project, mg:region: us-central1, mg:owner: shop}\n"
    (tmp_path / "Pulumi.dev.yaml").write_text(config, encoding="utf-8")
    (tmp_path / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(operation: Operation, emulator: str | None = None) -> tuple[int, str]:
        code = rehearse(operation, "dev", folder, emulator=emulator, own_cloud=OwnCloud())
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


def state_of(folder: Path) -> Path:
    return folder / ".mg" / "rehearsal" / "moves" / "dev.json"


def refused(answer: tuple[int, str], *words: str) -> None:
    code, told = answer
    assert code == USAGE, told
    for word in words:
        assert word in told


def test_what_is_in_the_stacks_own_cloud_is_left_alone_by_a_run_on_another(
    run: Run, folder: Path, emulator: Emulator
) -> None:
    assert run("up")[0] == FINE
    state, own = state_of(folder), state_of(folder).with_suffix(".cloud")
    before = state.read_text(encoding="utf-8")
    for operation in ("preview", "up", "refresh", "destroy"):
        answer = run(operation, emulator.url)
        refused(answer, "the stack's own emulator", f"the emulator at {emulator.url} (chat)", "without --emulator")
    assert state.read_text(encoding="utf-8") == before
    with Emulator(keep=own) as opened:
        assert run("preview", opened.url)[0] == FINE, "it is the same cloud, by whatever address"
        assert run("destroy", opened.url)[0] == FINE
        assert opened.ledger()["empty"]
    assert run("up", emulator.url)[0] == FINE, "a stack without resources may go anywhere"


def test_what_was_in_an_emulator_that_is_gone_is_forgotten_by_a_refresh_at_its_address_only(
    run: Run, folder: Path, emulator: Emulator
) -> None:
    with Emulator(port=0) as first:
        assert run("up", first.url)[0] == FINE
        refused(run("destroy"), f"in the emulator at {first.url}", "the stack's own emulator", "--emulator")
    refused(run("refresh", emulator.url), f"mg emulator --port {first.url.rpartition(':')[2]}")
    with Emulator(port=int(first.url.rpartition(":")[2])) as second:
        refused(run("up", second.url), "another one has taken its place", f"refresh --emulator {second.url}")
        code, told = run("refresh", second.url)
        assert (code, "chat: gone from the cloud" in told) == (FINE, True), told
        assert run("up", second.url)[0] == FINE
        assert [entry["kind"] for entry in second.ledger()["resources"]] == ["aiplatform.Endpoint"]


def test_an_own_cloud_that_was_removed_is_forgotten_by_a_refresh(run: Run, folder: Path) -> None:
    assert run("up")[0] == FINE
    shutil.rmtree(state_of(folder).with_suffix(".cloud"))
    refused(run("destroy"), "another one has taken its place", "run `mg rehearse refresh`, which forgets")
    assert run("refresh")[0] == FINE
    assert run("up")[0] == FINE


def test_a_state_from_before_clouds_had_identities_goes_on(run: Run, folder: Path) -> None:
    assert run("up")[0] == FINE
    path = state_of(folder)
    document = json.loads(path.read_text(encoding="utf-8"))
    identity = document.pop("cloud")
    path.write_text(json.dumps(document), encoding="utf-8")
    code, told = run("up")
    assert (code, "2 unchanged" in told) == (FINE, True), told
    assert json.loads(path.read_text(encoding="utf-8"))["cloud"] == identity
