"""A world that is kept in a folder: what was told to a client is there in the next life, however the last one ended."""

from __future__ import annotations

import json
import os
import queue
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from mg_provider.emulator import Emulator
from mg_provider.emulator.core import journal
from mg_provider.emulator.core.clock import real_seconds, seconds_of
from mg_provider.emulator.core.journal import InUse, NotKept
from tests.emulator.client import LOCATION, WEIGHTS, Client

PRIVATE = {
    "endpointUserId": "chat",
    "privateServiceConnectConfig": {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]},
}


class Life:
    """One emulator of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.emulator = Emulator(speed=0, keep=folder)
        self.client = Client(self.emulator)

    def told(self) -> dict[str, object]:
        """All that a client can ask for."""
        asked = [f"{LOCATION}/{kind}" for kind in ("endpoints", "models", "operations")]
        told: dict[str, object] = {path: self.client.ok("GET", path) for path in asked}
        for path in ("compute/v1/projects/my-project/regions/us-central1/forwardingRules", "storage/v1/b/weights/o"):
            answer = self.client.session.get(f"{self.emulator.url}/{path}").json()
            told[path] = json.loads(json.dumps(answer).replace(self.emulator.url, ""))
        ledger = self.emulator.ledger()
        return told | {key: ledger[key] for key in ("resources", "data", "machines")}

    def end(self) -> None:
        self.client.session.close()
        self.emulator.stop()


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[list[Life]]:
    lives: list[Life] = []
    yield lives
    for life in lives:
        life.end()


def killed(life: Life, folder: Path) -> Path:
    """The folder as it would be found if the process were killed now."""
    return Path(shutil.copytree(life.folder, folder))


def test_a_kept_world_answers_the_same_in_its_next_life(lives: list[Life], tmp_path: Path) -> None:
    first = Life(tmp_path / "first")
    lives.append(first)
    first.client.put_weights()
    running = first.client.deploy(endpointConfig=PRIVATE)
    half_way = killed(first, tmp_path / "half-way")
    first.emulator.advance(4000)
    endpoint = first.client.ok("GET", first.client.operation(running)["response"]["endpoint"])
    attachment = endpoint["deployedModels"][0]["privateEndpoints"]["serviceAttachment"]
    address = first.client.private_address(attachment)["IPAddress"]
    first.emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 8})
    big = first.client.session.post(
        f"{first.emulator.url}/upload/storage/v1/b/weights/o?uploadType=media&name=big", data=bytes(range(256)) * 1024
    )
    assert big.status_code == 200
    chat = first.client.chat(endpoint, url=first.emulator.addresses()[address]).json()["choices"][0]["message"]

    second = Life(killed(first, tmp_path / "second"))
    lives.append(second)
    assert second.emulator.otherwise == 0
    assert second.told() == first.told()
    again = second.client.chat(endpoint, url=second.emulator.addresses()[address]).json()
    assert again["choices"][0]["message"] == chat
    content = second.client.session.get(f"{second.emulator.url}/storage/v1/b/weights/o/big?alt=media").content
    assert content == bytes(range(256)) * 1024
    fresh = second.client.ok("POST", f"{LOCATION}/endpoints", {"displayName": "x"})
    assert fresh["name"] not in json.dumps(first.told())

    third = Life(half_way)
    lives.append(third)
    third.emulator.advance(4000)
    assert third.client.ok("GET", third.client.operation(running)["response"]["endpoint"])["name"] == endpoint["name"]


def test_a_long_journal_is_shortened_once_all_that_was_deployed_is_gone(
    lives: list[Life], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Life(tmp_path / "first")
    lives.append(first)
    first.client.put_weights()
    big = bytes(range(256)) * 1024
    for name in ("big", "small"):
        address = f"{first.emulator.url}/upload/storage/v1/b/weights/o?uploadType=media&name={name}"
        assert first.client.session.post(address, data=big if name == "big" else b"1").status_code == 200
    first.emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 8})
    made = first.client.response(first.client.ok("POST", f"{LOCATION}/endpoints", {"displayName": "x"}))
    monkeypatch.setattr("mg_provider.emulator.web.repeating.LONG", 3)
    lives.append(standing := Life(killed(first, tmp_path / "standing")))
    assert (standing.folder / "calls.jsonl").read_text() == (first.folder / "calls.jsonl").read_text()

    first.client.finished(first.client.ok("DELETE", made["name"]))
    first.emulator.stop()
    lives.append(shortened := Life(killed(first, tmp_path / "shortened")))
    lives.append(again := Life(killed(shortened, tmp_path / "again")))
    for life in (shortened, again):
        assert "/endpoints" not in (life.folder / "calls.jsonl").read_text()
        assert life.emulator.otherwise == 0
        assert [entry["name"] for entry in life.emulator.ledger()["data"]] == [
            entry["name"] for entry in standing.emulator.ledger()["data"]
        ]
        assert life.emulator.world.quota == {"my-project/us-central1/NVIDIA_L4": 8}
        assert life.emulator.world.now() >= first.emulator.world.now()
        content = life.client.session.get(f"{life.emulator.url}/storage/v1/b/weights/o/big?alt=media").content
        assert content == big
        fresh = life.client.ok("POST", f"{LOCATION}/endpoints", {"displayName": "x"})
        assert fresh["name"] > made["name"]
        assert first.emulator.world.marks[0] < life.emulator.world.marks[0]


def test_emulated_time_never_goes_back_and_passes_between_lives_as_it_does_here(
    lives: list[Life], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Life(tmp_path / "first")
    lives.append(first)
    first.client.put_weights()
    first.emulator.advance(100_000)
    seen = first.client.session.get(f"{first.emulator.url}/_mg/clock").json()["now"]
    now = real_seconds()
    for passed, folder in ((-1e6, "set-back"), (3600.0, "an-hour-later")):
        monkeypatch.setattr("mg_provider.emulator.core.journal.real_seconds", partial(float, now + passed))
        lives.append(life := Life(killed(first, tmp_path / folder)))
        gone_by = life.emulator.world.now() - seconds_of(seen)
        assert max(0, passed) <= gone_by < max(0, passed) + 60


def test_a_folder_has_one_emulator_at_a_time_and_says_where(lives: list[Life], tmp_path: Path) -> None:
    lives.append(Life(tmp_path / "world"))
    with pytest.raises(InUse, match="is in use by the emulator at http://127") as refused:
        Emulator(keep=tmp_path / "world")
    assert refused.value.url == lives[0].emulator.url


def test_a_call_that_was_written_down_by_half_never_happened(lives: list[Life], tmp_path: Path) -> None:
    first = Life(tmp_path / "first")
    lives.append(first)
    first.client.put_weights()
    folder = killed(first, tmp_path / "second")
    calls = folder / "calls.jsonl"
    calls.write_bytes(calls.read_bytes()[:-20])
    lives.append(second := Life(folder))
    assert [each["name"] for each in second.emulator.ledger()["data"]] == ["gs://weights", f"{WEIGHTS}/config.json"]
    second.client.put_weights()
    lives.append(third := Life(killed(second, tmp_path / "third")))
    assert len(third.emulator.ledger()["data"]) == 3


def test_what_was_answered_is_on_the_disk_soon_after_and_at_the_end(
    lives: list[Life], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: queue.Queue[int] = queue.Queue()

    def fsync(number: int, sync: Callable[[int], None] = os.fsync) -> None:
        sync(number)
        synced.put(os.stat(number).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(journal, "SYNC_SECONDS", 0.01)
    lives.append(soon := Life(tmp_path / "soon"))
    soon.client.put_weights()
    assert synced.get(timeout=20) == (soon.folder / "calls.jsonl").stat().st_ino

    monkeypatch.setattr(journal, "SYNC_SECONDS", 1000.0)
    lives.append(late := Life(tmp_path / "late"))
    late.client.put_weights()
    calls = (late.folder / "calls.jsonl").stat().st_ino
    assert calls not in synced.queue
    late.emulator.stop()
    assert calls in synced.queue


def test_a_reset_is_kept_too(lives: list[Life], tmp_path: Path) -> None:
    first = Life(tmp_path / "first")
    lives.append(first)
    first.client.put_weights()
    first.client.session.post(f"{first.emulator.url}/_mg/reset", json={})
    lives.append(second := Life(killed(first, tmp_path / "second")))
    assert second.emulator.ledger()["data"] == []


@pytest.mark.parametrize("content", ['{"format": 99, "version": "9.9"}', "[]", "nonsense", '{"format": 1}\n{"at": 1}'])
def test_a_folder_that_cannot_be_read_is_told_in_words_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    (tmp_path / "calls.jsonl").write_text(content + "\n")
    with pytest.raises(NotKept) as refused:
        Emulator(keep=tmp_path)
    assert refused.value.remedy == f"delete {tmp_path} to begin with an empty cloud"
    assert (tmp_path / "calls.jsonl").read_text() == content + "\n"


def test_no_token_gets_into_the_folder_and_only_its_owner_reads_it(lives: list[Life], tmp_path: Path) -> None:
    lives.append(life := Life(tmp_path / "world"))
    life.client.session.headers["Authorization"] = "Bearer ya29.secret"
    life.client.put_weights()
    files = [path for path in life.folder.rglob("*") if path.is_file()]
    assert all("ya29" not in path.read_text() for path in files)
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
