"""Batch input in the emulated bucket, the least arguments of a job, and what the cloud has of jobs."""

import json

from tests.support.samples.weights import BUCKET, call, put

MODEL = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"
L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
JOBS = "/v1/projects/my-project/locations/us-central1/batchPredictionJobs"
DATASETS = "/bigquery/v2/projects/my-project/datasets"
COLUMNS = [
    {"name": "custom_id", "type": "STRING"},
    {"name": "method", "type": "STRING"},
    {"name": "url", "type": "STRING"},
    {"name": "body", "type": "JSON"},
]


def chat(text, **more):
    return {"body": {"messages": [{"role": "user", "content": text}]}, **more}


def put_rows(emulator, name, rows, bucket=BUCKET):
    put(emulator, name, "\n".join(json.dumps(row) for row in rows).encode(), bucket)


def put_questions(emulator, name="in/questions.jsonl", count=2):
    put_rows(emulator, name, [chat(f"Question {number}?", custom_id=f"q{number}") for number in range(count)])


def arguments(*sources, **more):
    uris = [f"gs://{BUCKET}/{source}" for source in sources or ("in/questions.jsonl",)]
    return {
        "model": MODEL,
        "input_config": {"instances_format": "jsonl", "gcs_source": {"uris": uris}},
        "output_config": {
            "predictions_format": "jsonl",
            "gcs_destination": {"output_uri_prefix": f"gs://{BUCKET}/out"},
        },
        "machine_spec": L4,
        **more,
    }


def table_arguments(output, **more):
    return arguments(
        input_config={
            "instances_format": "bigquery",
            "bigquery_source": {"input_uri": "bq://my-project.prompts.input"},
        },
        output_config={"predictions_format": "bigquery", "bigquery_destination": {"output_uri": output}},
        **more,
    )


def make_table(emulator, rows, dataset="prompts", table="input", location="us-central1", columns=COLUMNS):
    place = {"projectId": "my-project", "datasetId": dataset}
    call(f"{emulator.url}{DATASETS}", {"datasetReference": place, "location": location})
    body = {"tableReference": {**place, "tableId": table}, "schema": {"fields": columns}}
    call(f"{emulator.url}{DATASETS}/{dataset}/tables", body)
    sent = [{"json": {**row, "body": json.dumps(row["body"])} if "body" in row else row} for row in rows]
    call(f"{emulator.url}{DATASETS}/{dataset}/tables/{table}/insertAll", {"rows": sent})


def tables(emulator, dataset="prompts"):
    listed = call(f"{emulator.url}{DATASETS}/{dataset}/tables", method="GET").get("tables", [])
    return sorted(entry["tableReference"]["tableId"] for entry in listed)


def jobs(emulator):
    return call(f"{emulator.url}{JOBS}", method="GET").get("batchPredictionJobs", [])


def objects(emulator, bucket=BUCKET):
    listed = call(f"{emulator.url}/storage/v1/b/{bucket}/o", method="GET").get("items", [])
    return sorted(entry["name"] for entry in listed)


def started(emulator):
    """How many jobs were asked for since the emulator began."""
    return sum(entry["rpc"].endswith("batchPredictionJobs.create") for entry in emulator.requests())


def forget(emulator, outputs):
    """Delete the job's record by hand."""
    call(f"{emulator.url}/v1/{outputs['batch_prediction_job']}", method="DELETE")
    emulator.advance(60)
    assert jobs(emulator) == []


def minutes_pass(life):
    """The next command comes when a job that was asked for without an answer would have appeared."""
    if life.outputs and life.outputs.get("asked"):
        life.outputs = {**life.outputs, "asked": "2026-01-01T00:00:00+00:00"}
