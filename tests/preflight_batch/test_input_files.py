"""Batch input on this machine and in Cloud Storage: what is there, what is not, and what it is."""

import gzip
import json
import subprocess
import sys

import pytest

from mg_provider.api.errors import UserError
from mg_provider.preflight.batch import input_files
from mg_provider.preflight.batch.supported_models import batch_models, model_problem
from tests.support.samples.batch import chat
from tests.support.samples.weights import BUCKET

GOOD, WRONG = chat("hello"), {"body": "hello"}


def test_every_object_of_a_pattern_is_read_and_named(batch):
    batch.put("in/a.jsonl", GOOD, WRONG)
    batch.put("in/b.jsonl", GOOD)
    batch.put("in/c.jsonl", WRONG)
    batch.put("in/deep/d.jsonl", WRONG)
    batch.put("in/other.txt", WRONG)
    assert batch.found("in/*.jsonl") == [
        (f"gs://{BUCKET}/in/a.jsonl:2", "body_not_an_object"),
        (f"gs://{BUCKET}/in/c.jsonl:1", "body_not_an_object"),
    ]
    report = batch.check("in/a.jsonl", "in/deep/*.jsonl")
    assert (report.sources, report.rows) == ([f"gs://{BUCKET}/in/a.jsonl", f"gs://{BUCKET}/in/deep/d.jsonl"], 3)


def test_a_custom_id_may_come_again_in_another_object(batch):
    batch.put("in/a.jsonl", chat("x", custom_id="1"))
    batch.put("in/b.jsonl", chat("x", custom_id="2"), chat("x", custom_id="1"))
    assert batch.found("in/*.jsonl")[-1] == (f"gs://{BUCKET}/in/b.jsonl:2", "duplicate_custom_id")


def test_a_large_object_is_read_in_pieces(batch, monkeypatch):
    monkeypatch.setattr(input_files, "OBJECT_PIECE", 1000)
    monkeypatch.setattr(input_files, "FILE_PIECE", 300)
    batch.put("in/a.jsonl", *[chat(f"question {number}") for number in range(100)], WRONG)
    report = batch.check("in/a.jsonl")
    assert [(finding.line, finding.code) for finding in report.findings] == [(101, "body_not_an_object")]
    reads = [each for each in batch.emulator.requests() if each["rpc"] == "storage.objects.get"]
    assert len(reads) > 5


@pytest.mark.parametrize("name", ["in", "in/", ""])
def test_a_folder_is_named_and_what_to_write_instead(batch, name):
    batch.put("in/a.jsonl", GOOD)
    [finding] = batch.check(name).findings
    assert finding.code == "directory"
    assert "*.jsonl" in finding.message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("in/none.jsonl", "no such object"),
        ("in/*.csv", "matches no object"),
        ("gs://no-such-bucket/a.jsonl", "no bucket gs://no-such-bucket"),
        ("gs://no-such-bucket/*.jsonl", "no bucket gs://no-such-bucket"),
    ],
)
def test_what_is_not_there_is_named(batch, name, text):
    [finding] = batch.check(name).findings
    assert finding.code == "not_found"
    assert text in finding.message


@pytest.mark.parametrize(("name", "rpc"), [("in/a.jsonl", "get"), ("in/*.jsonl", "list")])
def test_a_missing_permission_is_named_and_who_needs_it(batch, name, rpc):
    batch.put("in/a.jsonl", GOOD)
    batch.emulator.fail(rpc=f"storage.objects.{rpc}", fault="status", status=403, times=5)
    [finding] = batch.check(name).findings
    assert finding.code == "permission_denied"
    assert "roles/storage.objectViewer" in finding.message


@pytest.mark.parametrize("engine", ["local", "bigquery"])
def test_objects_that_are_listed_but_may_not_be_read_are_named_one_by_one(batch, engine):
    batch.put("in/a.jsonl", GOOD)
    batch.put("in/b.jsonl", GOOD)
    batch.emulator.fail(rpc="storage.objects.get", fault="status", status=403, times=1)
    report = batch.check("in/*.jsonl", engine=engine)
    [finding] = report.findings
    assert (finding.place, finding.code) == (f"gs://{BUCKET}/in/a.jsonl", "permission_denied")
    assert report.rows == 1


def test_an_empty_object_and_a_compressed_one_are_named(batch):
    batch.put_bytes("in/a.jsonl", b"")
    batch.put_bytes("in/b.jsonl", gzip.compress(json.dumps(GOOD).encode()))
    assert [code for _, code in batch.found("in/*.jsonl")] == ["empty", "gzip"]


def test_an_address_without_a_bucket_is_a_mistake_of_the_user(batch):
    with pytest.raises(UserError, match="not a Cloud Storage URI"):
        batch.check("gs:///x")


def test_files_of_this_machine_are_checked_too(batch, tmp_path):
    good, wrong = tmp_path / "good.jsonl", tmp_path / "wrong.jsonl"
    good.write_text(json.dumps(GOOD))
    wrong.write_text(json.dumps(WRONG))
    found = batch.found(
        *(f"{tmp_path}//{name}" for name in ("good.jsonl", "wrong.jsonl", "none.jsonl")), f"{tmp_path}//"
    )
    assert [code for _, code in found] == ["body_not_an_object", "not_found", "directory"]
    assert found[0][0].endswith("wrong.jsonl:1")


def test_a_line_of_100_mb_is_named_in_little_memory(tmp_path):
    with (tmp_path / "in.jsonl").open("wb") as file:
        file.write(json.dumps(GOOD).encode() + b'\n{"body": {"prompt": "')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}}\n' + json.dumps(WRONG).encode())
    # What this process needs itself would count in the child's ru_maxrss.
    program = (
        "import pathlib, re, resource, sys; from mg_provider.preflight.batch.check_command import run; "
        "code = run([sys.argv[1]]); status = pathlib.Path('/proc/self/status'); "
        "peak = int(re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1]) / 1024 if status.exists() "
        "else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1048576; print(int(peak)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "in.jsonl")], capture_output=True, text=True, check=False
    )
    *told, megabytes = done.stdout.splitlines()
    assert done.returncode == 1, done.stderr
    assert "in.jsonl:2: error: the line has 100,000,024 bytes" in told[0]
    assert "in.jsonl:3: error: body is text" in told[1]
    assert int(megabytes) < 150


def test_a_model_that_batch_does_not_support_is_named(batch):
    batch.put("in/a.jsonl", GOOD)
    [finding] = batch.check("in/a.jsonl", model="publishers/google/models/gemma3@gemma-3-27b-it").findings
    assert (finding.severity, finding.code) == ("warning", "model_not_listed")
    assert "gemma" in finding.message


@pytest.mark.parametrize("model", batch_models())
def test_a_listed_model_is_no_problem(model):
    assert model_problem(model) is None
    assert model_problem(f"projects/p/locations/us-central1/{model}") is None


def test_a_model_without_its_version_is_told_which_there_are():
    severity, code, message = model_problem("publishers/meta/models/llama3-2")
    assert (severity, code) == ("warning", "model_version")
    assert "llama3-2@llama-3.2-1b-instruct" in message


def test_models_of_the_registry_and_those_that_google_runs_are_not_judged():
    assert model_problem("projects/p/locations/us-central1/models/123") is None
    assert model_problem("publishers/meta/models/llama-3.3-70b-instruct-maas") is None
