"""What Google's own clients sent, sent to the emulator."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.emulator_data.client import PROJECT, Client, chat

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"
TENANT = "projects/qdb392d34e2a11149p-tp/regions/us-central1/serviceAttachments/gkedpm-fbbc4061323c91c14ab4d961a2f8b0"
ONLY_WHEN_DONE = {"startTime", "endTime"}


def replay(client: Client, name: str, **places: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Send each recorded request, its buckets and tables renamed; pairs of the recorded and the emulated answer."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not in ../shared/recordings")
    answers = []
    renamed: dict[str, str] = {"projects/my-project": "projects/my-project"}
    text = path.read_text()
    for recorded_uri, uri in places.items():
        text = text.replace(recorded_uri.replace("_", "://"), uri)
    for request in json.loads(text)["requests"]:
        place = re.sub(r"projects/[^/]+|operation-\d+|\d{19}", lambda found: renamed[found[0]], request["path"])
        response = client.call(request["method"], place, request["body"], params=request["query"])
        assert response.status_code == request["response"]["status"], response.text
        told, recorded = response.json(), request["response"]["body"]
        for pattern in (r"projects/\d+", r"operation-\d+|\d{19}"):
            if found := re.search(pattern, recorded["name"]):
                renamed.setdefault(found[0], re.search(pattern, told["name"])[0])  # type: ignore[index]
        answers.append((recorded, told))
        client.emulator.advance(seconds=1200)
    return answers


def test_gcloud_reserves_an_address(client: Client) -> None:
    (begun, started), (_, waited), (recorded, address) = replay(client, "gcloud-40-addresses-create.json")
    assert set(begun) - ONLY_WHEN_DONE <= set(started)
    assert waited["status"] == "DONE"
    assert set(begun) <= set(waited)
    assert set(recorded) <= set(address)
    assert address["status"] == "RESERVED"


def test_gcloud_connects_a_forwarding_rule(client: Client) -> None:
    client.make_attachment(PROJECT, path=TENANT)
    client.make_address("psc-addr")
    (_, started), (begun, waited), (recorded, rule) = replay(client, "gcloud-44-forwarding-rules-create.json")
    assert started["operationType"] == "createRegionPscForwardingRule"
    assert set(begun) <= set(waited)
    assert set(recorded) <= set(rule)
    assert rule["pscConnectionStatus"] == "ACCEPTED"
    assert rule["target"].endswith(TENANT)


def test_the_python_sdk_runs_a_job_over_files(client: Client) -> None:
    client.make_bucket("data")
    client.upload_rows("data", "in/prompts.jsonl", [chat("One"), chat("Two")])
    recorded, told = replay(client, "sdk-60-batch-submit-gcs.json", gs_b="gs://data")[-1]
    assert set(recorded) <= set(told)
    assert told["state"] == recorded["state"] == "JOB_STATE_SUCCEEDED"
    assert told["completionStats"]["successfulCount"] == recorded["completionStats"]["successfulCount"]
    assert told["dedicatedResources"]["machineSpec"]["acceleratorType"] == "NVIDIA_L4"  # sent as 11


def test_the_python_sdk_runs_a_job_over_tables(client: Client) -> None:
    client.make_table("d", "in", [{"name": "body", "type": "JSON"}])
    client.insert_rows("d", "in", [{"body": json.dumps(chat(text)["body"])} for text in ("One", "Two")])
    recorded, told = replay(client, "sdk-61-batch-create-bq.json", **{"bq_p.d": f"bq://{PROJECT}.d"})[-1]
    assert set(recorded) <= set(told)
    assert told["outputInfo"] == {"bigqueryOutputDataset": f"bq://{PROJECT}.d", "bigqueryOutputTable": "out"}
    assert told["labels"] == {"a": "b"}
    assert len(client.table_rows("d", "out")) == 2
