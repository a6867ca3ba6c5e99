from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator_data.client import BATCH, PROJECT, Client, batch_request, chat

QUEUED, PROVISIONED, FINISHED = 25, 245, 3600
PROMPT_COLUMNS = [
    {"name": "custom_id", "type": "STRING"},
    {"name": "method", "type": "STRING"},
    {"name": "url", "type": "STRING"},
    {"name": "body", "type": "JSON"},
    {"name": "team", "type": "STRING"},
]


@pytest.fixture
def rows(client: Client) -> list[dict[str, Any]]:
    client.make_bucket("data")
    rows = [chat("What is a forwarding rule?", custom_id="one"), chat("And a replica?", custom_id="two")]
    client.upload_rows("data", "in/a.jsonl", rows)
    return rows


def start(client: Client, **more: Any) -> str:
    job: dict[str, Any] = client.ok("POST", BATCH, batch_request(**more))
    assert job["state"] == "JOB_STATE_QUEUED"
    return "/v1/" + job["name"]


def run(client: Client, **more: Any) -> dict[str, Any]:
    job = start(client, **more)
    client.emulator.advance(seconds=FINISHED)
    return client.ok("GET", job)


def lines(client: Client, uri: str) -> list[dict[str, Any]]:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return [json.loads(line) for line in client.content(bucket, name).decode().splitlines()]


def test_a_job_goes_from_queued_to_succeeded_and_never_back(client: Client, rows: list[dict[str, Any]]) -> None:
    job = start(client)
    states = []
    for seconds in (0, QUEUED, PROVISIONED, FINISHED):
        client.emulator.advance(seconds=seconds)
        states.append(client.ok("GET", job)["state"])
    assert states == ["JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]


def test_a_finished_job_has_answers_in_a_directory_of_its_own(client: Client, rows: list[dict[str, Any]]) -> None:
    job = run(client)
    directory = job["outputInfo"]["gcsOutputDirectory"]
    assert directory.startswith("gs://data/out/prediction-llama-3.1-8b-instruct-2026-")
    assert job["completionStats"] == {"successfulCount": "2", "failedCount": "0", "incompleteCount": "0"}
    assert job["startTime"] < job["endTime"]
    answers = lines(client, f"{directory}/predictions_0001.jsonl")
    assert [answer["custom_id"] for answer in answers] == ["two", "one"]
    answers.reverse()
    said = answers[0]["response"]["choices"][0]["message"]["content"]
    assert "llama-3.1-8b-instruct" in said
    assert "What is a forwarding rule?" in said
    assert answers[0]["body"] == rows[0]["body"]


def test_rows_that_cannot_be_answered_fail_one_by_one(client: Client) -> None:
    client.make_bucket("data")
    image = {"body": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}}
    client.upload_rows("data", "in/a.jsonl", [chat("Good"), {"custom_id": "no"}, {"body": {"input": "hi"}}, image])
    client.upload("data", "in/b.jsonl", b"{broken\n")
    job = run(client)
    assert job["state"] == "JOB_STATE_PARTIALLY_SUCCEEDED"
    assert job["completionStats"] == {"successfulCount": "1", "failedCount": "4", "incompleteCount": "0"}
    texts = [failure["message"] for failure in job["partialFailures"]]
    assert texts[0] == "the row has no body"
    assert "messages is missing" in texts[1]
    assert "text-only" in texts[2]
    assert "not valid JSON" in texts[3]
    errors = lines(client, job["outputInfo"]["gcsOutputDirectory"] + "/errors_0001.jsonl")
    assert {"custom_id": "no", "error": {"code": 3, "message": "the row has no body"}} in errors
    assert len(errors) == 4


def test_a_row_that_no_file_can_hold_fails_by_itself(client: Client) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    wrong = [
        rb'{"custom_id": "half", "body": {"prompt": "nice \ud83d"}}',
        b'{"custom_id": "deep", "body": {"prompt": "x", "note": ' + deep + b"}}",
    ]
    fine = '{"custom_id": "fine", "body": {"prompt": "two\u2028lines"}}'.encode()
    client.make_bucket("data")
    client.upload("data", "in/a.jsonl", b"\n".join([wrong[0], fine, wrong[1]]))
    job = run(client)
    assert (job["state"], job["completionStats"]["failedCount"]) == ("JOB_STATE_PARTIALLY_SUCCEEDED", "2")


def test_max_tokens_cuts_the_answer(client: Client) -> None:
    client.make_bucket("data")
    row = chat("Tell me a long story")
    row["body"]["max_tokens"] = 3
    client.upload_rows("data", "in/a.jsonl", [row])
    directory = run(client)["outputInfo"]["gcsOutputDirectory"]
    choice = lines(client, f"{directory}/predictions_0001.jsonl")[0]["response"]["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"].split()) == 3


@pytest.mark.parametrize(
    ("uri", "text"),
    [("gs://data/none/*.jsonl", "No files found"), ("gs://elsewhere/a.jsonl", "bucket of gs://elsewhere/a.jsonl")],
)
def test_a_job_without_its_input_fails_when_it_runs(
    client: Client, rows: list[dict[str, Any]], uri: str, text: str
) -> None:
    job = run(client, inputConfig={"instancesFormat": "jsonl", "gcsSource": {"uris": [uri]}})
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["code"] == 5
    assert text in job["error"]["message"]
    assert "outputInfo" not in job


def test_a_job_whose_rows_all_fail_has_failed(client: Client) -> None:
    client.make_bucket("data")
    client.upload_rows("data", "in/a.jsonl", [{"custom_id": "x"}])
    job = run(client)
    assert (job["state"], job["completionStats"]["failedCount"]) == ("JOB_STATE_FAILED", "1")


def bigquery_places(client: Client, output: str, location: str = "us-central1") -> dict[str, Any]:
    client.make_table("prompts", "input", PROMPT_COLUMNS, location=location)
    row = {"custom_id": "one", "method": "POST", "url": "/v1", "team": "search", "body": json.dumps(chat("Hi")["body"])}
    client.insert_rows("prompts", "input", [row, {"custom_id": "two", "team": "ads"}])
    return {
        "inputConfig": {
            "instancesFormat": "bigquery",
            "bigquerySource": {"inputUri": f"bq://{PROJECT}.prompts.input"},
        },
        "outputConfig": {"predictionsFormat": "bigquery", "bigqueryDestination": {"outputUri": output}},
    }


def test_a_table_in_gives_a_table_out_without_method_and_url(client: Client) -> None:
    job = run(client, **bigquery_places(client, f"bq://{PROJECT}.prompts.answers"))
    assert job["outputInfo"] == {
        "bigqueryOutputDataset": f"bq://{PROJECT}.prompts",
        "bigqueryOutputTable": "answers",
    }
    answer, failed = client.table_rows("prompts", "answers")
    assert json.loads(failed["response"]) == {"error": {"code": 3, "message": "the row has no body"}}
    assert list(answer) == ["custom_id", "body", "team", "response", "id"]
    assert (answer["custom_id"], answer["team"]) == ("one", "search")
    assert "You asked: Hi" in json.loads(answer["response"])["choices"][0]["message"]["content"]
    assert job["state"] == "JOB_STATE_PARTIALLY_SUCCEEDED"


def test_an_output_table_that_exists_fails_the_job(client: Client) -> None:
    places = bigquery_places(client, f"bq://{PROJECT}.prompts.answers")
    client.make_table("prompts", "answers", [{"name": "x", "type": "STRING"}])
    job = run(client, **places)
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["message"] == f"Already Exists: Table {PROJECT}:prompts.answers"


@pytest.mark.parametrize("output", [f"bq://{PROJECT}", f"bq://{PROJECT}.prompts"])
def test_a_destination_without_a_table_gets_one_with_a_timestamp(client: Client, output: str) -> None:
    job = run(client, **bigquery_places(client, output))
    dataset = job["outputInfo"]["bigqueryOutputDataset"].rpartition(".")[2]
    assert len(client.table_rows(dataset, job["outputInfo"]["bigqueryOutputTable"])) == 1


def test_a_table_in_another_region_fails_the_job(client: Client) -> None:
    job = run(client, **bigquery_places(client, f"bq://{PROJECT}.prompts.answers", location="europe-west4"))
    assert job["state"] == "JOB_STATE_FAILED"
    assert "europe-west4" in job["error"]["message"]


def test_a_reserved_column_in_the_input_fails_the_job(client: Client) -> None:
    places = bigquery_places(client, f"bq://{PROJECT}.prompts.answers")
    client.make_table("prompts", "bad", [*PROMPT_COLUMNS, {"name": "response", "type": "JSON"}])
    client.insert_rows("prompts", "bad", [{"custom_id": "a"}])
    places["inputConfig"]["bigquerySource"]["inputUri"] = f"bq://{PROJECT}.prompts.bad"
    assert "reserved columns: response" in run(client, **places)["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"model": "publishers/meta/models/llama9@llama-9"}, 404, "Publisher Model"),
        ({"model": "llama"}, 400, "Invalid resource name"),
        ({"displayName": ""}, 400, "displayName is required"),
        ({"dedicatedResources": {}}, 400, "machine_spec"),
        ({"inputConfig": {"instancesFormat": "csv", "gcsSource": {"uris": ["gs://data/a"]}}}, 400, "'csv'"),
        ({"inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["data/a"]}}}, 400, "not a valid URI"),
        ({"inputConfig": {"instancesFormat": "bigquery", "gcsSource": {"uris": ["gs://d/a"]}}}, 400, "bigquerySource"),
        ({"unmanagedContainerModel": {"artifactUri": "gs://x"}}, 400, "exactly one"),
    ],
)
def test_a_wrong_request_is_refused_and_makes_no_job(
    client: Client, change: dict[str, Any], status: int, text: str
) -> None:
    assert text in client.refused(status, "POST", BATCH, batch_request(**change))["message"]
    assert client.ok("GET", BATCH) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": "n" * 129},
        {"labels": {"Team": "a"}},
        {"labels": {"team": "A"}},
        {"labels": {"team": "v" * 65}},
        {"labels": {f"k{i}": "" for i in range(65)}},
    ],
    ids=["name", "key", "value", "long", "many"],
)
def test_labels_and_name_of_a_job_keep_vertex_ais_rules(client: Client, change: dict[str, Any]) -> None:
    assert client.refused(400, "POST", BATCH, batch_request(**change))["status"] == "INVALID_ARGUMENT"


def test_a_model_that_google_runs_needs_no_machines(client: Client, rows: list[dict[str, Any]]) -> None:
    request = batch_request(model="publishers/meta/models/llama-3.3-70b-instruct-maas")
    del request["dedicatedResources"]
    assert client.ok("POST", BATCH, request)["state"] == "JOB_STATE_QUEUED"


def test_at_most_ten_replicas_is_the_default(client: Client, rows: list[dict[str, Any]]) -> None:
    resources = {"machineSpec": batch_request()["dedicatedResources"]["machineSpec"]}
    job = client.ok("POST", BATCH, batch_request(dedicatedResources=resources))
    assert (job["dedicatedResources"]["startingReplicaCount"], job["dedicatedResources"]["maxReplicaCount"]) == (1, 10)


def test_a_cancelled_job_stops_a_little_later(client: Client, rows: list[dict[str, Any]]) -> None:
    job = start(client)
    client.emulator.advance(seconds=QUEUED + PROVISIONED)
    assert client.ok("POST", f"{job}:cancel", {}) == {}
    assert client.ok("GET", job)["state"] == "JOB_STATE_CANCELLING"
    client.emulator.advance(seconds=60)
    cancelled = client.ok("GET", job)
    assert (cancelled["state"], cancelled["error"]["code"]) == ("JOB_STATE_CANCELLED", 1)
    client.emulator.advance(seconds=FINISHED)
    assert client.ok("GET", job)["state"] == "JOB_STATE_CANCELLED"


def test_a_cancelled_job_keeps_what_it_had_answered(client: Client) -> None:
    client.make_bucket("data")
    client.upload_rows("data", "in/a.jsonl", [chat(f"Question {number}") for number in range(500)])
    job = start(client)
    client.emulator.advance(seconds=20 + 240 + 180 + 100)
    client.ok("POST", f"{job}:cancel", {})
    client.emulator.advance(seconds=60)
    stats = client.ok("GET", job)["completionStats"]
    assert 0 < int(stats["successfulCount"]) < 500
    assert int(stats["successfulCount"]) + int(stats["incompleteCount"]) == 500


def test_only_a_job_that_has_ended_can_be_deleted(client: Client, rows: list[dict[str, Any]]) -> None:
    job = start(client)
    refusal = client.refused(400, "DELETE", job)
    assert refusal["status"] == "FAILED_PRECONDITION"
    client.emulator.advance(seconds=FINISHED)
    operation = client.ok("DELETE", job)
    assert operation.get("done", False) is False
    client.emulator.advance(seconds=10)
    assert client.refused(404, "GET", job)["status"] == "NOT_FOUND"
    assert client.emulator.ledger()["empty"] is True


def test_gpus_are_counted_while_the_job_runs_and_only_then(client: Client, rows: list[dict[str, Any]]) -> None:
    job = start(client)
    client.emulator.advance(seconds=QUEUED)
    assert client.emulator.ledger()["gpus_in_use"] == {}
    client.emulator.advance(seconds=PROVISIONED)
    assert client.emulator.ledger()["gpus_in_use"] == {"NVIDIA_L4": 1}
    client.emulator.advance(seconds=FINISHED)
    ledger = client.emulator.ledger()
    consumed = client.ok("GET", job)["resourcesConsumed"]["replicaHours"]
    assert ledger["gpus_in_use"] == {}
    assert ledger["gpu_seconds"]["NVIDIA_L4"] == pytest.approx(consumed * 3600, rel=1e-4)
    assert ledger["counts"] == {"aiplatform.BatchPredictionJob": 1}


def test_jobs_are_listed_newest_first_and_filtered(client: Client, rows: list[dict[str, Any]]) -> None:
    first = run(client, displayName="first", labels={"team": "search"})
    start(client, displayName="second")

    def names(text: str) -> list[str]:
        listing = client.ok("GET", BATCH, params={"filter": text})
        return [job["displayName"] for job in listing.get("batchPredictionJobs", [])]

    assert names("") == ["second", "first"]
    assert names('display_name="first"') == ["first"]
    assert names("display_name:sec") == ["second"]
    assert names('state="JOB_STATE_SUCCEEDED" AND labels.team=search') == ["first"]
    assert names("labels.team:*") == ["first"]
    assert names(f'create_time>"{first["endTime"]}"') == ["second"]
    assert "unknown field" in client.refused(400, "GET", BATCH, params={"filter": "colour=red"})["message"]


def test_a_job_made_in_v1_is_read_in_v1beta1_and_by_project_number(client: Client, rows: list[dict[str, Any]]) -> None:
    job = start(client)
    assert f"projects/{PROJECT}/" not in job
    assert client.ok("GET", job.replace("/v1/", "/v1beta1/"))["name"] == job.removeprefix("/v1/")
    spot = batch_request()
    spot["dedicatedResources"]["spot"] = True
    assert 'Unknown name "spot"' in client.refused(400, "POST", BATCH, spot)["message"]
    assert client.ok("POST", BATCH.replace("/v1/", "/v1beta1/"), spot)["dedicatedResources"]["spot"] is True


def test_a_region_without_machines_fails_the_job_with_code_14(client: Client, rows: list[dict[str, Any]]) -> None:
    client.emulator.behave(stockouts=["us-central1/g2-standard-12"])
    job = run(client)
    assert (job["state"], job["error"]["code"]) == ("JOB_STATE_FAILED", 14)
    assert "Machine type temporarily unavailable" in job["error"]["message"]


def test_a_declared_failure_of_the_job_is_met(client: Client, rows: list[dict[str, Any]]) -> None:
    client.emulator.fail(
        rpc="batchPredictionJobs.create", fault="operation_error", code="INTERNAL", message="The container died."
    )
    job = run(client)
    assert job["error"] == {"code": 13, "message": "The container died."}
    assert client.emulator.faults()[0]["remaining"] == 0


def test_a_registered_model_can_be_named_and_a_missing_one_cannot(client: Client, rows: list[dict[str, Any]]) -> None:
    models = f"/v1/projects/{PROJECT}/locations/us-central1/models"
    container = {"imageUri": "us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden-dockers/pytorch-vllm-serve:1"}
    body = {"model": {"displayName": "tuned", "containerSpec": container}, "modelId": "tuned"}
    client.ok("POST", f"{models}:upload", body)
    client.emulator.advance(seconds=FINISHED)
    name = f"{models}/tuned".removeprefix("/v1/")
    assert run(client, model=name)["state"] == "JOB_STATE_SUCCEEDED"
    assert client.refused(404, "POST", BATCH, batch_request(model=f"{name}-not"))["status"] == "NOT_FOUND"
    elsewhere = name.replace("us-central1", "europe-west4")
    assert "not in us-central1" in client.refused(400, "POST", BATCH, batch_request(model=elsewhere))["message"]


def states_and_stats(client: Client, job: str, *moments: int) -> list[tuple[str, Any]]:
    seen = []
    for seconds in moments:
        client.emulator.advance(seconds=seconds)
        shown = client.ok("GET", job)
        seen.append((shown["state"].removeprefix("JOB_STATE_"), shown.get("completionStats")))
    return seen


def long_job(client: Client) -> str:
    client.emulator.set_speed(0)
    client.make_bucket("data")
    client.upload_rows("data", "in/a.jsonl", [chat(f"Question {number}") for number in range(100)])
    resources = {"machineSpec": {"machineType": "g2-standard-12"}, "maxReplicaCount": 1}
    return start(client, dedicatedResources=resources)


def test_a_running_job_shows_how_many_rows_are_done(client: Client) -> None:
    seen = states_and_stats(client, long_job(client), QUEUED + PROVISIONED, 180, 100)
    none = {"successfulCount": "0", "failedCount": "0", "incompleteCount": "100"}
    assert seen[0] == ("RUNNING", none)
    assert seen[2][0] == "RUNNING"
    assert 40 <= int(seen[2][1]["successfulCount"]) <= 60


def test_a_running_job_may_not_know_how_many_rows_there_are(client: Client) -> None:
    client.emulator.behave(batch_completion_stats="unknown_total")
    ((state, stats),) = states_and_stats(client, long_job(client), QUEUED + PROVISIONED + 180)
    assert (state, stats["incompleteCount"]) == ("RUNNING", "-1")


def test_a_job_can_pause_be_updated_and_expire(client: Client) -> None:
    client.emulator.behave(batch_detours=["JOB_STATE_PAUSED", "JOB_STATE_UPDATING"], batch_end="expired")
    seen = states_and_stats(client, long_job(client), QUEUED + PROVISIONED, 180, 300, 300, 3600)
    assert [state for state, _ in seen] == ["RUNNING", "PAUSED", "UPDATING", "RUNNING", "EXPIRED"]
    assert seen[-1][1] == {"successfulCount": "50", "failedCount": "0", "incompleteCount": "50"}


def test_a_prompt_is_answered_as_a_question_is(client: Client) -> None:
    client.make_bucket("data")
    calls = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    asked = {"messages": [{"role": "user", "content": "And now?"}, calls]}
    client.upload_rows("data", "in/a.jsonl", [{"body": {"prompt": "Once upon a time"}}, {"body": asked}])
    job = client.ok("POST", BATCH, batch_request())
    client.emulator.advance(seconds=7200)
    done = client.ok("GET", f"/v1/{job['name']}")
    assert done["state"] == "JOB_STATE_SUCCEEDED", done
    [name] = [each for each in client.object_names("data") if "predictions_" in each]
    lines = [json.loads(line) for line in client.content("data", name).splitlines()]
    told = {line["response"]["choices"][0]["message"]["content"] for line in lines}
    assert any("Once upon a time" in text for text in told)
    assert any("And now?" in text for text in told)
