"""Answers of a batch, wherever it wrote them, matched to the rows that they answer."""

import csv
import io
import json
import os
import re
from contextlib import ExitStack

import pytest

from mg_provider.api.clients import Clients
from mg_provider.api.errors import MgError
from mg_provider.api.http.settings import Settings
from mg_provider.api.storage.lines import blocks_of
from mg_provider.clock import ManualClock
from mg_provider.inference import batch_results
from mg_provider.inference.batch.formats import ResultsFormat
from mg_provider.inference.batch.join import DiskJoin
from mg_provider.inference.batch.results import find_output
from mg_provider.inference.batch.results_command import run
from tests.support.samples.batch import COLUMNS, JOBS, arguments, chat, make_table, put_rows, table_arguments
from tests.support.samples.weights import BUCKET, call, make_bucket, put

ROWS = [chat(f"Question {number}?", custom_id=f"q{number}") for number in range(40)]
ROWS[7] = {"custom_id": "q7"}
CAMEL = {
    "input_config": "inputConfig",
    "output_config": "outputConfig",
    "instances_format": "instancesFormat",
    "predictions_format": "predictionsFormat",
    "gcs_source": "gcsSource",
    "bigquery_source": "bigquerySource",
    "gcs_destination": "gcsDestination",
    "bigquery_destination": "bigqueryDestination",
    "output_uri_prefix": "outputUriPrefix",
    "output_uri": "outputUri",
    "input_uri": "inputUri",
}


def camel(value):
    if isinstance(value, dict):
        return {CAMEL.get(key, key): camel(entry) for key, entry in value.items()}
    return value


def start(emulator, wanted):
    machine = {"machineSpec": {"machineType": "g2-standard-12"}}
    body = {key: camel(wanted[key]) for key in ("model", "input_config", "output_config")}
    request = {"displayName": "test", "dedicatedResources": machine, **{CAMEL.get(k, k): v for k, v in body.items()}}
    return call(f"{emulator.url}{JOBS}", request)["name"]


def finish(emulator, wanted):
    name = start(emulator, wanted)
    emulator.advance(7200)
    return name


@pytest.fixture
def config(emulator, monkeypatch):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    make_bucket(emulator)
    put_rows(emulator, "in/rows.jsonl", ROWS)
    endpoints = {f"mg:{name}CustomEndpoint": emulator.url for name in ("vertexAi", "storage", "bigQuery")}
    return {"mg:project": "my-project", "mg:region": "us-central1", **endpoints}


@pytest.fixture
def command(config):
    """Runs the command; answers exit code, output and complaints."""

    def invoke(job, **options):
        out, complaints = io.BytesIO(), []
        code = run(job, config=config, output=out, complain=complaints.append, **options)
        return code, out.getvalue().decode(), "".join(complaints)

    return invoke


def names(results):
    return [result.custom_id for result in results]


IN_FILES = [arguments("in/rows.jsonl"), f"gs://{BUCKET}/in/*.jsonl"]
IN_TABLES = [
    [table_arguments(output), "bq://my-project.prompts.input"]
    for output in ("bq://my-project", "bq://my-project.prompts", "bq://my-project.prompts.answers")
]
PLACES = pytest.mark.parametrize(("wanted", "source"), [IN_FILES, *IN_TABLES], ids=["files", "new", "dataset", "table"])


@PLACES
def test_every_row_has_its_own_answer_wherever_it_was_written(emulator, config, wanted, source):
    make_table(emulator, ROWS)
    job = finish(emulator, wanted)
    found = list(batch_results(job, join=source, config=config))
    assert names(found) == [row["custom_id"] for row in ROWS]
    assert [result.custom_id for result in found if result.error] == ["q7"]
    assert found[7].error == "the row has no body"
    for row, result in zip(ROWS, found, strict=True):
        if result.error is None:
            assert result.row["body"] == row["body"]
            assert row["body"]["messages"][0]["content"] in result.text


@PLACES
def test_without_a_join_results_come_as_the_job_wrote_them(emulator, config, wanted, source):
    make_table(emulator, ROWS)
    found = list(batch_results(finish(emulator, wanted), config=config))
    assert sorted(names(found)) == sorted(row["custom_id"] for row in ROWS)
    assert names(found) != [row["custom_id"] for row in ROWS]
    assert all(f"Question {result.custom_id[1:]}?" in result.text for result in found if result.error is None)


def test_the_job_says_which_column_is_the_key(emulator, config):
    machine = {"machineSpec": {"machineType": "g2-standard-12"}}
    wanted = arguments("in/rows.jsonl")
    body = {CAMEL.get(key, key): camel(wanted[key]) for key in ("model", "input_config", "output_config")}
    request = {"displayName": "t", "dedicatedResources": machine, "instanceConfig": {"keyField": "qid"}, **body}
    name = call(f"{emulator.url}{JOBS}", request)["name"]
    emulator.advance(7200)
    with ExitStack() as held:
        clients = Clients.from_settings(Settings.from_config(config.get, {}), ManualClock())
        held.callback(clients.close)
        assert find_output(name, clients).key_field == "qid"


def test_a_job_can_be_named_by_its_id_or_by_its_output(emulator, config):
    job = finish(emulator, arguments("in/rows.jsonl"))
    output = call(f"{emulator.url}/v1/{job}", method="GET")["outputInfo"]["gcsOutputDirectory"]
    whole = list(batch_results(job, config=config))
    assert list(batch_results(job.rpartition("/")[2], config=config)) == whole
    assert list(batch_results(output, config=config)) == whole


def test_rows_without_a_custom_id_are_matched_by_what_they_ask(emulator, config, tmp_path):
    rows = [chat(f"Question {number % 5}?", team=number) for number in range(10)]
    put_rows(emulator, "in/rows.jsonl", rows)
    local = tmp_path / "rows.jsonl"
    # The same requests, spelt in another way.
    local.write_text("\n\n".join(json.dumps(row, indent=None, sort_keys=True) for row in rows) + "\n")
    found = list(batch_results(finish(emulator, arguments("in/rows.jsonl")), join=local, config=config))
    assert [result.row["team"] for result in found] == list(range(10))
    assert all(f"Question {place % 5}?" in result.text for place, result in enumerate(found))


def test_a_row_that_the_output_does_not_know_is_told(emulator, command, tmp_path):
    local = tmp_path / "rows.jsonl"
    local.write_text("\n".join(map(json.dumps, [*ROWS[:2], chat("New?", custom_id="new"), ROWS[0]])))
    code, out, told = command(finish(emulator, arguments("in/rows.jsonl")), join=str(local))
    assert code == 1
    assert [json.loads(line)["custom_id"] for line in out.splitlines()] == ["q0", "q1"]
    assert told.splitlines()[0] == "2 answers, 2 rows failed"
    assert "new: the output says nothing of it" in told
    assert "38 answers without a row in the input" in told
    assert "1 row with a custom_id that an earlier row has: matched by what they ask" in told


def test_an_input_that_nothing_fits_is_a_failure(emulator, command):
    put_rows(emulator, "done/predictions_0001.jsonl", [{**chat("x", custom_id="a"), "response": "b"}])
    put_rows(emulator, "in/a.jsonl", [chat("x", custom_id="x1")])
    code, out, told = command(f"gs://{BUCKET}/done", join=f"gs://{BUCKET}/in/a.jsonl")
    assert (code, out) == (1, "")
    assert "1 answer without a row in the input" in told


def test_a_row_that_is_answered_twice_is_told_and_keeps_its_answer(emulator, command):
    rows = [chat("x", custom_id="a"), chat("y"), chat("y")]
    put_rows(emulator, "done/errors_0001.jsonl", [{**rows[0], "error": "no"}])
    put_rows(emulator, "done/predictions_0001.jsonl", [{**each, "response": "yes"} for each in rows])
    put_rows(emulator, "in/a.jsonl", rows)
    code, out, told = command(f"gs://{BUCKET}/done", join=f"gs://{BUCKET}/in/a.jsonl")
    assert (code, [json.loads(line)["response"] for line in out.splitlines()]) == (0, ["yes"] * 3)
    assert "1 answer to rows that are answered twice or more" in told
    assert "1 row without a custom_id, with the request of an earlier row" in told
    assert "with a custom_id that" not in told


@pytest.mark.parametrize("form", list(ResultsFormat))
@pytest.mark.parametrize("note", ["[" * 900 + "]" * 900, "1e400"], ids=["deep", "large"])
def test_rows_that_can_hardly_be_read_end_nothing(emulator, command, form, note):
    rows = [f'{{"custom_id": "r", "body": {{"prompt": "{at}"}}, "note": {note}}}' for at in range(2)]
    (put(emulator, "in/a.jsonl", "\n".join([*rows, '{"custom_id": "s"}']).encode()))
    said = "\n".join([*(f'{each[:-1]}, "response": "yes"}}' for each in rows), '{"custom_id": "s", "response": "s"}'])
    put(emulator, "done/predictions_0001.jsonl", said.encode())
    _, out, told = command(f"gs://{BUCKET}/done", join=f"gs://{BUCKET}/in/a.jsonl", form=form)
    assert out.splitlines()[-1].replace('"', "").startswith(("s", "{custom_id:s")), told
    answers, failed = (int(word) for word in re.findall(r"^(\d+) answers?, (\d+) rows? failed", told)[0])
    assert answers + failed == 3


def test_the_case_of_a_table_s_columns_means_nothing(emulator, command):
    upper = [{**each, "name": each["name"].upper()} for each in COLUMNS]
    answer = {"name": "RESPONSE", "type": "JSON"}
    rows = [{"CUSTOM_ID": name, "BODY": json.dumps(chat(name)["body"])} for name in ("a", "b")]
    make_table(emulator, rows, columns=upper)
    answers = [{**each, "RESPONSE": json.dumps({"choices": [{"text": each["CUSTOM_ID"]}]})} for each in rows[::-1]]
    make_table(emulator, answers, dataset="out", table="predictions", columns=[*upper, answer])
    code, out, _ = command("bq://my-project.out.predictions", join="bq://my-project.prompts.input")
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, [each["custom_id"] for each in found]) == (0, ["a", "b"])
    assert [each["response"]["choices"][0]["text"] for each in found] == ["a", "b"]


def test_failed_rows_are_told_and_written_apart(emulator, command, tmp_path):
    apart = tmp_path / "errors.jsonl"
    code, out, told = command(finish(emulator, arguments("in/rows.jsonl")), errors=apart)
    assert (code, len(out.splitlines())) == (0, 39)
    assert told == f"39 answers, 1 row failed, see {apart}\n  q7: the row has no body\n"
    assert json.loads(apart.read_text()) == {"custom_id": "q7", "error": "the row has no body"}
    first = json.loads(out.splitlines()[0])
    assert list(first) == ["custom_id", "body", "response"]


def test_the_file_for_failed_rows_replaces_nothing_before_the_end(emulator, command, tmp_path):
    apart = tmp_path / "errors.jsonl"
    apart.write_text("of last night")
    assert command("llama", errors=apart)[0] == 2
    assert command(f"gs://{BUCKET}/none", errors=apart)[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["errors.jsonl"]
    assert apart.read_text() == "of last night"
    command(finish(emulator, arguments("in/rows.jsonl")), errors=apart)
    assert json.loads(apart.read_text())["custom_id"] == "q7"


def test_the_file_for_failed_rows_is_never_the_input_or_the_output(emulator, config, command, tmp_path):
    put(emulator, "done/predictions_0001.jsonl", b'{"custom_id": "a", "response": "b"}\n')
    (rows := tmp_path / "rows.jsonl").write_text('{"custom_id": "a"}\n')
    (link := tmp_path / "link").symlink_to(rows)
    code, _, told = command(f"gs://{BUCKET}/done", join=[str(rows)], errors=link)
    assert (code, rows.read_text()) == (2, '{"custom_id": "a"}\n')
    assert "is the input that --join names" in told
    with (tmp_path / "out.jsonl").open("wb") as out:
        options = {"config": config, "output": out, "complain": lambda _: None}
        assert run(f"gs://{BUCKET}/done", errors=tmp_path / "out.jsonl", **options) == 2


def test_a_place_that_cannot_take_the_failed_rows_is_named(emulator, command, tmp_path):
    put(emulator, "done/predictions_0001.jsonl", b'{"custom_id": "a", "error": "b"}\n')
    code, _, told = command(f"gs://{BUCKET}/done", errors=tmp_path / "none" / "x")
    assert (code, told) == (2, f"error: there is no folder {tmp_path / 'none'}\ndo: make it, or name another\n")
    assert "is a folder" in command(f"gs://{BUCKET}/done", errors=tmp_path)[2]
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert command(f"gs://{BUCKET}/done", errors=pipe)[0] == 0
    assert json.loads(os.read(reader, 1000)) == {"custom_id": "a", "error": "b"}
    os.close(reader)


def test_a_pipe_may_be_joined(emulator, command, tmp_path):
    put(emulator, "done/predictions_0001.jsonl", b'{"custom_id": "a", "response": "b"}\n')
    reader, writer = os.pipe()
    os.write(writer, b'{"custom_id": "a"}\n')
    os.close(writer)
    code, out, told = command(f"gs://{BUCKET}/done", join=f"/dev/fd/{reader}")
    os.close(reader)
    assert (code, json.loads(out)) == (0, {"custom_id": "a", "response": "b"}), told


def test_csv_has_a_header_and_a_row_an_answer(emulator, command):
    job = finish(emulator, arguments("in/rows.jsonl"))
    _, out, _ = command(job, form=ResultsFormat.csv, join=f"gs://{BUCKET}/in/rows.jsonl")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["custom_id"] for row in rows][:2] == ["q0", "q1"]
    assert rows[0]["answer"].endswith("Question 0?")
    assert (rows[0]["finish_reason"], rows[0]["prompt_tokens"]) == ("stop", "2")


def test_a_table_shows_an_answer_a_line(emulator, command):
    job = finish(emulator, arguments("in/rows.jsonl"))
    _, out, _ = command(job, form=ResultsFormat.table, join=f"gs://{BUCKET}/in/rows.jsonl")
    lines = out.splitlines()
    assert lines[0].split() == ["custom_id", "answer"]
    assert lines[2].startswith("q0 ")
    assert lines[2].endswith("Question 0?")
    assert all(len(line) <= 120 for line in lines)


def test_a_job_that_still_runs_has_no_results_yet(emulator, command, config):
    emulator.set_speed(0)
    job = start(emulator, arguments("in/rows.jsonl"))
    code, out, told = command(job)
    assert (code, out) == (1, "")
    assert "has not ended: it is JOB_STATE_QUEUED" in told
    with pytest.raises(MgError, match="has not ended"):
        list(batch_results(job, config=config))


def test_a_job_that_wrote_nothing_says_why(emulator, command):
    code, _, told = command(finish(emulator, arguments("in/missing.jsonl")))
    assert code == 1
    assert "wrote nothing; it ended as JOB_STATE_FAILED: No files found" in told


@pytest.mark.parametrize(
    ("job", "join", "says"),
    [
        ("llama", None, "'llama' is not a job"),
        (f"gs://{BUCKET}", None, "is a whole bucket"),
        (f"gs://{BUCKET}/in", None, "holds no predictions"),
        ("bq://my-project.prompts", None, "is not a table"),
        (f"gs://{BUCKET}/done", "missing.jsonl", "missing.jsonl is not a file"),
        (f"gs://{BUCKET}/done", f"gs://{BUCKET}/none*", "matches no object"),
        (f"gs://{BUCKET}/done", f"gs://{BUCKET}/none", "there is no object"),
        (f"gs://{BUCKET}/done", "bq://my-project", "is not a table"),
    ],
)
def test_a_wrong_name_is_told(emulator, command, job, join, says):
    put(emulator, "done/predictions_0001.jsonl", b'{"custom_id": "a", "response": "b"}\n')
    code, out, told = command(job, join=join)
    assert (code, out) == (2, "")
    assert says in told


UNREADABLE = {
    b'{"custom_id": ': "not a JSON object that can be read",
    b'{"custom_id": "\xff"}': "not UTF-8 from byte 16 on",
    b'{"custom_id": "\\ud83d bird"}': "surrogate",
    b'{"note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}": "nested too deeply",
    b"[1, 2]": "not a JSON object that can be read",
}


@pytest.mark.parametrize(("line", "reason"), UNREADABLE.items(), ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("joined", [False, True])
def test_a_line_of_output_that_cannot_be_read_is_told_with_its_place_and_is_no_row(
    emulator, command, joined, line, reason
):
    put(emulator, "done/predictions_0001.jsonl", b'\n{"custom_id": "a", "response": "b"}\n' + line + b"\n")
    put_rows(emulator, "in/a.jsonl", [{"custom_id": "a"}])
    code, out, told = command(f"gs://{BUCKET}/done", join=[f"gs://{BUCKET}/in/a.jsonl"] if joined else None)
    assert (code, json.loads(out)) == (1, {"custom_id": "a", "response": "b"})
    assert "1 answer, 0 rows failed" in told
    assert f"1 line cannot be read:\n  gs://{BUCKET}/done/predictions_0001.jsonl:3: " in told
    assert reason in told


def test_a_line_of_input_that_cannot_be_read_is_told_with_its_place_and_is_no_row_without_an_answer(
    emulator, command, tmp_path
):
    put(emulator, "done/predictions_0001.jsonl", b'{"custom_id": "a", "response": "b"}\n')
    local = tmp_path / "rows.jsonl"
    local.write_text('{"custom_id": "a"}\n\n{"custom_id": "b", \n')
    code, out, told = command(f"gs://{BUCKET}/done", join=[str(local)])
    assert (code, json.loads(out)) == (1, {"custom_id": "a", "response": "b"})
    assert told.startswith(f"1 answer, 0 rows failed\n1 line cannot be read:\n  {local}:3: ")


def test_several_inputs_are_joined_in_their_order_and_exact_names_need_no_listing(emulator, command, config):
    put_rows(emulator, "in/first.jsonl", ROWS[:5])
    put_rows(emulator, "in/second.jsonl", ROWS[10:12])
    job = finish(emulator, arguments("in/first.jsonl", "in/second.jsonl"))
    output = call(f"{emulator.url}/v1/{job}", method="GET")["outputInfo"]["gcsOutputDirectory"]
    before = len(emulator.requests())
    sources = [f"gs://{BUCKET}/in/second.jsonl", f"gs://{BUCKET}/in/first.jsonl"]
    code, out, _ = command(output, join=sources)
    assert code == 0
    assert [json.loads(line)["custom_id"] for line in out.splitlines()] == [
        "q10",
        "q11",
        *(f"q{at}" for at in range(5)),
    ]
    listed = [each for each in emulator.requests()[before:] if each["rpc"] == "storage.objects.list"]
    assert len(listed) == 1  # the output


def test_answers_of_other_models_keep_their_own_form(emulator, config):
    line = {"instance": {"custom_id": "a", "prompt": "Hi"}, "prediction": [0.5]}
    keyed = {"key": "b", "prediction": "yes"}
    put(emulator, "done/prediction.results-00000-of-00001", f"{json.dumps(line)}\n{json.dumps(keyed)}".encode())
    complete = {"custom_id": "c", "response": {"choices": [{"message": None, "text": "no"}]}}
    put(emulator, "done/prediction.results-00001-of-00002", json.dumps(complete).encode())
    first, second, third = batch_results(f"gs://{BUCKET}/done", config=config)
    assert (first.custom_id, first.row, first.response) == ("a", {"custom_id": "a", "prompt": "Hi"}, [0.5])
    assert (second.custom_id, second.text) == ("b", "yes")
    assert (third.custom_id, third.text) == ("c", "no")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_however_they_are_cut(size):
    text = b"one\r\n\ntwo\n  \nthree and more\n\xc3\xa4"
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    read = [line for block in blocks_of("text", pieces) for line in block.lines()]
    assert read == [(1, b"one"), (3, b"two"), (5, b"three and more"), (6, b"\xc3\xa4")]


def test_a_join_leaves_nothing_on_disk_when_it_is_given_up(emulator, config, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    job = finish(emulator, arguments("in/rows.jsonl"))
    results = batch_results(job, join=f"gs://{BUCKET}/in/rows.jsonl", config=config)
    assert next(results).custom_id == "q0"
    assert list(tmp_path.iterdir())
    results.close()
    assert not list(tmp_path.iterdir())


def test_any_permutation_is_matched(tmp_path):
    questions = [b'{"custom_id": %d, "body": {}}' % number for number in range(500)]
    answers = [
        b'{"custom_id": %d, "response": %d}' % (number, number) for number in (7 * at % 500 for at in range(500))
    ]
    found = list(DiskJoin(tmp_path).pairs(questions, answers))
    assert [json.loads(answer)["response"] for _, answer in found] == list(range(500))


def test_an_error_of_the_service_is_told(emulator, command):
    emulator.fail(rpc="batchPredictionJobs.get", fault="status", status=403)
    code, _, told = command("projects/my-project/locations/us-central1/batchPredictionJobs/1")
    assert code == 1
    assert "403" in told
