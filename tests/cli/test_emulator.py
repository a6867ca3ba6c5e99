"""`mg emulator`, `mg emulator seed`, and the cloud that a rehearsal brings along."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from operator import itemgetter
from pathlib import Path

import pytest

from mg_provider.cli import app
from mg_provider.cloud.own import OwnCloud
from mg_provider.cloud.seed_file import read_seed
from mg_provider.cloud.seeding import apply_seed
from mg_provider.command_line.errors import Refusal
from mg_provider.command_line.exits import FAILED, USAGE
from mg_provider.command_line.running import run_app
from mg_provider.emulator import Emulator
from mg_provider.rehearsal.command import rehearse
from tests.support.running.command_line import CliRunner

SEED = """
project: shop
buckets:
  weights:
    location: us
    objects:
      toy: {toy: 1}
      own/: {folder: own}
      notes.txt: {text: hello}
      rows.jsonl: {file: rows.jsonl}
      made.jsonl: {jsonl: [{a: 1}, {a: 2}]}
  empty:
tables:
  data.questions: {file: rows.jsonl}
  other.data.typed: {rows: [{day: "2026-11-01"}], columns: {day: DATE}}
quota: {us-central1: {NVIDIA_L4: 8}}
subnetworks: [{name: clients, network: vpc, ip_range: 127.40.0.0/28}]
service_attachments:
  - {name: projects/tenant/regions/us-central1/serviceAttachments/sql, projects: [shop]}
faults: [{rpc: endpoints.deployModel, fault: quota_429, times: 1}]
behaviours: {strict_networks: true}
"""


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    (tmp_path / "own" / "deep").mkdir(parents=True)
    (tmp_path / "own" / "config.json").write_text("{}")
    (tmp_path / "own" / "deep" / "model.safetensors").write_bytes(b"0" * 64)
    (tmp_path / "rows.jsonl").write_text('{"question": "Why?"}\n\n{"question": "How?"}\n')
    path = tmp_path / "seed.yaml"
    path.write_text(SEED)
    return path


def listed(emulator: Emulator) -> dict[str, str]:
    return {entry["name"]: entry["created"] for entry in emulator.ledger()["data"]}


def test_a_seed_fills_an_emulator_and_doing_it_twice_is_the_same_as_once(emulator: Emulator, seed: Path) -> None:
    said: list[str] = []
    apply_seed(seed, emulator.url, said.append)
    there = listed(emulator)
    toys = [name for name in there if name.startswith("gs://weights/toy/")]
    assert "gs://weights/toy/config.json" in toys
    assert sorted(set(there) - set(toys)) == [
        "gs://empty",
        "gs://weights",
        "gs://weights/made.jsonl",
        "gs://weights/notes.txt",
        "gs://weights/own/config.json",
        "gs://weights/own/deep/model.safetensors",
        "gs://weights/rows.jsonl",
        "other.data",
        "other.data.typed",
        "shop.data",
        "shop.data.questions",
    ]
    assert "gs://weights/own/: 2 files, 66 bytes" in said
    assert "table data.questions: 2 rows" in said
    assert emulator.world.quota == {"shop/us-central1/NVIDIA_L4": 8}
    assert emulator.world.behaviours["strict_networks"] is True
    assert [(fault["rpc"], fault["fault"]) for fault in emulator.faults()] == [("endpoints.deployModel", "quota_429")]

    again: list[str] = []
    apply_seed(seed, emulator.url, again.append)
    assert again == said
    objects = {name: created for name, created in there.items() if name.startswith("gs://")}
    assert {name: created for name, created in listed(emulator).items() if name.startswith("gs://")} == objects


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bucketts: {}", "bucketts is not known: did you mean buckets?"),
        ("buckets: {a: {object: {}}}", "buckets.a.object is not known: did you mean objects?"),
        ("buckets: {a: {objects: {x: {toi: 1}}}}", "buckets.a.objects.x.toi is not known: did you mean toy?"),
        ("buckets: {a: {objects: {x: {toy: 1, text: y}}}}", "buckets.a.objects.x: has toy and text: write one of toy"),
        ("buckets: {a: {objects: {x: {}}}}", "buckets.a.objects.x: has nothing: write one of toy, folder"),
        ("buckets: {a: {objects: {x: {folder: nosuch}}}}", "buckets.a.objects.x.folder: "),
        ("buckets: {a: {objects: {x: {file: nosuch}}}}", "nosuch does not exist"),
        ("tables: {t: {rows: []}}", "tables.t is 't', which does not fit: write dataset.table or project.dataset"),
        ("tables: {a.b: {}}", "tables.a.b: needs either file or rows"),
        ("tables: {a.b: {rows: [], colums: {}}}", "tables.a.b.colums is not known: did you mean columns?"),
        ("quota: {r: {NVIDIA_L4: many}}", "quota.r.NVIDIA_L4: "),
        ("subnetworks: [{name: x}]", "subnetworks.0.network is missing"),
        (
            "service_attachments: [{name: x, projects: []}]",
            "service_attachments.0.name is 'x', which does not fit: write projects/",
        ),
        ("faults: [{rpc: x}]", "faults.0.fault is missing"),
        ("a: [", "is not YAML"),
        ("[]", "does not hold a mapping"),
    ],
)
def test_a_mistake_in_a_seed_is_told_by_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text)
    with pytest.raises(Refusal) as refused:
        read_seed(path)
    assert told in str(refused.value)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "behaviours: {strict_network: true}",
            "behaviours.strict_network: there is no such behaviour\ndo: did you mean str",
        ),
        ("behaviours: {strict_networks: 7}", "behaviours.strict_networks: strict_networks is true or false, not 7"),
        (
            "faults: [{rpc: endpoints.deploi, fault: quota_429}]",
            "faults.0: no emulated method is called endpoints.deploi (did you",
        ),
        (
            "faults: [{rpc: endpoints.get, fault: quota_42}]",
            "faults.0: a fault needs rpc and fault (did you mean quota_429",
        ),
        ("buckets: {UPPER: {}}", "buckets.UPPER: "),
    ],
)
def test_what_the_emulator_refuses_is_told_by_its_place_too(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text)
    code = run_app(app, ["emulator", "seed", str(path), "--emulator", emulator.url], str)
    complaint = capsys.readouterr().err
    assert (code, f"error: {path}: {told}" in complaint) == (USAGE if "no such" in told else FAILED, True), complaint
    assert complaint.splitlines()[-1].startswith("do: ")


def test_a_seed_for_an_emulator_that_is_not_there_says_how_to_start_one(
    seed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, ["emulator", "seed", str(seed), "--emulator", "http://127.0.0.1:9"], str) == USAGE
    said = capsys.readouterr().err
    assert said == "error: no emulator answers at http://127.0.0.1:9\ndo: start one with `mg emulator`\n"
    assert run_app(app, ["emulator", "seed", str(seed), "--emulator", "https://example.com"], str) == USAGE
    assert "is not the address of an emulator on this machine" in capsys.readouterr().err


def test_a_served_emulator_says_what_to_do_next_keeps_what_it_has_and_ends_quietly(
    seed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", "from mg_provider.cli import main; main()", "emulator", "--port", "0"]
    command += ["--seed", str(seed), "--keep-in", str(tmp_path / "world")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        port = url.rpartition(":")[2]
        for arguments in (["--port", port], ["--port", "0", "--keep-in", str(tmp_path / "world")]):
            assert run_app(app, ["emulator", *arguments], str) == USAGE
        ledger = json.loads(urllib.request.urlopen(f"{url}/_mg/ledger").read())
        process.send_signal(signal.SIGINT)
        said, wrong = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")
    for line in (f"mg rehearse up --emulator {url}", f"pulumi config set mg:emulator {url}", f"{url}/\n"):
        assert line in wrong
    assert "Traceback" not in wrong
    refused = capsys.readouterr().err
    assert f"error: port {port} of 127.0.0.1 is taken, perhaps by another `mg emulator`\ndo: use that one" in refused
    assert f"is in use by the emulator at {url}\ndo: open {url}, or end it" in refused
    with Emulator(keep=tmp_path / "world") as next_life:
        # Which kind comes first depends on what this process has imported first.
        kept, now = (sorted(each["data"], key=itemgetter("kind", "name")) for each in (ledger, next_life.ledger()))
        assert now == kept


def test_one_variable_leads_every_command_to_an_emulator(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MG_EMULATOR", emulator.url)
    done = CliRunner().invoke(app, ["preflight", "gs://nobody/nothing", "--region", "us-central1", "--project", "p"])
    assert done.exit_code == 1
    assert next(request["path"] for request in emulator.requests()).startswith("/storage/v1/b/nobody")


@pytest.fixture
def project(tmp_path: Path, virtualenv: str) -> Path:
    """A stack that has nothing, so that a run of it is quick."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: p\nruntime: {{name: python, options: {{virtualenv: {virtualenv}}}}}")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {mg:project: my-project}")
    (tmp_path / "__main__.py").write_text(
        "import pulumi\npulumi.export('on', pulumi.Config('mg').require('emulator'))\n"
        "pulumi.ProviderResource('pulumi-python', 'other', {'mg:project': 'another-project'})\n"
    )
    return tmp_path


def run(project: Path, operation: str = "refresh", **options: object) -> tuple[int, str]:
    said: list[str] = []
    code = rehearse(operation, "dev", project, write=said.append, **options)  # type: ignore[arg-type]
    return code, "".join(said)


def test_a_rehearsal_says_on_which_cloud_it_works(
    project: Path, emulator: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    kept = project / ".mg" / "rehearsal" / "p" / "dev.cloud"
    (project / "emulator.yaml").write_text("buckets: {first: }")
    code, said = run(project, own_cloud=OwnCloud())
    assert code == 0, said
    assert said.startswith("cloud: its own emulator, in .mg/rehearsal/p/dev.cloud, with emulator.yaml\n")

    with Emulator(keep=kept) as elsewhere:
        assert list(listed(elsewhere)) == ["gs://first"]
        (project / "emulator.yaml").write_text("buckets: {second: }")
        code, said = run(project, own_cloud=OwnCloud())
        assert f"cloud: the emulator at {elsewhere.url}, which has .mg/rehearsal/p/dev.cloud, with emulator" in said
        assert list(listed(elsewhere)) == ["gs://first", "gs://second"]

    aside = {"gcp:computeCustomEndpoint": "https://compute.googleapis.com"}
    code, said = run(project, "up", own_cloud=OwnCloud(), emulator=emulator.url, config=aside)
    assert (code, said.splitlines()[0]) == (0, f"cloud: {emulator.url} (--emulator)")
    assert emulator.url in said.partition("outputs:")[2]

    code, said = run(project, own_cloud=OwnCloud(), emulator="http://127.0.0.1:9")
    assert code == 2
    assert "no emulator answers at http://127.0.0.1:9 (--emulator)\ndo: start one there" in capsys.readouterr().err
    code, said = run(project, own_cloud=OwnCloud(), emulator="https://example.com")
    assert code == 2
    assert "--emulator is https://example.com, which is not on this machine" in capsys.readouterr().err
    (project / "emulator.yaml").write_text("bucket: {}")
    code, said = run(project, own_cloud=OwnCloud())
    assert (code, said) == (2, "")
    assert "emulator.yaml: bucket is not known: did you mean buckets?" in capsys.readouterr().err
    (kept / "calls.jsonl").write_text("nonsense\n")
    code, said = run(project, own_cloud=OwnCloud())
    assert (code, said) == (2, "")
    assert f"delete {kept} to begin with an empty cloud" in capsys.readouterr().err
