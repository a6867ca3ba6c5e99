"""Fifteen changes of one program, from both engines: the verdict and the first line, as an approver wants them."""

from pathlib import Path

import pytest

from mg_provider import review
from mg_provider.review.formats.text import text

PREVIEWS = Path(__file__).parent / "previews"
FIRST_LINES = {
    "01-nothing": "safe: nothing changes (7 unchanged)",
    "02-scale-up": "look: llama-europe-west4, llama-us-central1: costs $1,699 → $6,794 a month at the fewest "
    "replicas, $1,699 → $13,589 at the most; GPUs 2 → 8 to 16",
    "03-new-weights": "look: stable: other weights answers: gs://acme-weights/llama/v1 → gs://acme-weights/llama/v2",
    "04-new-region": "look: llama-us-east4 (CustomWeightsModel): new, on 1 x g2-standard-12 (1 NVIDIA_L4), "
    "price unknown",
    "06-allowlist-widened": "look: llama-europe-west4, llama-us-central1: who may connect: lets in partner-project",
    "08-endpoint-deleted": "stop: chat: deleted, and its address is lost: clients that call it get nothing",
    "09-traffic-shift": "look: chat: traffic: canary (llama-us-central1-ID) 10 → 50 %; stable (stable-ID) 90 → 50 %",
    "10-region-change-replaces": "stop: stable: replaced, because region us-central1 → europe-west4: the old one is "
    "deleted, and its address is lost",
    "11-batch-rerun": "look: nightly: runs AGAIN, and is paid: up to 1 x g2-standard-12, $1.15 an hour; "
    "triggers.night 2026-11-28 → 2026-11-29",
    "13-rename-without-alias": "stop: stable: renamed to steady without an alias: the live one is deleted, and another "
    'one made. Add an alias: aliases=[pulumi.Alias(name="stable")]',
    "16-parked": "stop: stable: parked: NOTHING SERVES on it until it is resumed; id, address and Model stay; saves "
    "$840 a month",
    "18-container-env-secret": "stop: stable: the name that requests give as model changes, so that requests with the "
    "old one fail",
    "19-labels-only": "safe: stable: labels.cost-center none → 42",
    "20-canary-machine": "look: chat: canary: other machines: g2-standard-12 (1 NVIDIA_L4) → a2-highgpu-1g (1 "
    "NVIDIA_TESLA_A100), $1.15 → $4.22 an hour each",
    "27-everything-destroyed": "stop: everything is deleted: 7 resources, 6 with an address that is lost; 5 GPUs and "
    "$4,218 a month come back",
}
IDS = {"pulumi": ("cd7bb772", "62f76754"), "rehearse": ("14d2c8eb", "24d36bfe")}


@pytest.mark.parametrize("engine", ["pulumi", "rehearse"])
@pytest.mark.parametrize("change", FIRST_LINES)
def test_the_first_line_says_the_verdict_and_the_one_reason(change, engine):
    found = review.of((PREVIEWS / f"{change}.{engine}.json").read_text(encoding="utf-8"))
    headline = found.headline
    for id in IDS[engine]:
        headline = headline.replace(id, "ID")
    assert headline == FIRST_LINES[change]
    assert found.headline.startswith(found.verdict)


@pytest.mark.parametrize("path", sorted(PREVIEWS.iterdir()), ids=lambda path: path.stem)
def test_the_same_preview_gives_the_same_review(path):
    content = path.read_text(encoding="utf-8")
    assert review.of(content) == review.of(content)
    assert text(review.of(content)).startswith(review.of(content).headline)


def _of(change):
    return review.of((PREVIEWS / f"{change}.pulumi.json").read_text(encoding="utf-8"))


def test_a_scale_up_says_the_gpus_and_dollars_of_both_regions():
    found = _of("02-scale-up")
    assert (found.gpus.before, found.gpus.after, found.gpus.peak) == ((2, 2), (8, 16), 16)
    assert (found.money.percent_min, found.money.percent_max) == (300.0, 700.0)
    assert [line.region for line in found.gpus.lines] == ["europe-west4", "us-central1"]
    assert found.service.effect == "none"


def test_new_weights_say_what_follows_and_what_is_not_probed():
    found = _of("03-new-weights")
    assert [reason.gate for reason in found.reasons] == ["weights", "weights", "unprobed"]
    assert "the other model that stable makes answers 90 % of the requests" in found.reasons[1].text
    assert found.gpus.peak == 5
    assert found.gpus.after == (3, 3)
    assert found.money.peak_minutes == "10 to 60 minutes"


def test_a_new_region_says_that_it_is_private_and_that_its_price_is_unknown():
    found = _of("04-new-region")
    assert found.money.after.min.text == "unknown"
    assert found.money.unknown == ["g2-standard-12 in us-east4"]
    assert found.exposure.public == []
    told = [reason.text for reason in found.exposure.changes]
    assert told == ["new, and private; who may connect: my-project, client-project"]


def test_a_deletion_says_what_clients_lose():
    (reason,) = _of("08-endpoint-deleted").reasons
    assert reason.also == ["downtime", "address-change"]
    assert "DNS name chat-f50e5930.us-central1-855685497092.prediction.vertexai.goog" in reason.details[0]
    assert "serves canary 10 %, stable 90 %; it is not protected" in reason.details[0]


def test_a_region_change_says_what_is_lost_and_what_is_far_away():
    found = _of("10-region-change-replaces")
    lost = found.reasons[0].details[0]
    assert "endpoint id stable-62f76754 → stable-e744a91e" in lost
    assert "DNS name stable-62f76754.us-central1-855685497092.prediction.vertexai.goog → another one" in lost
    told = [reason.text for reason in found.reasons]
    assert "model is in europe-west4, and the deployment in us-central1" in told
    assert found.service.effect == "NOTHING SERVES"


def test_a_batch_run_says_machines_rows_and_where_the_output_goes():
    (run,) = _of("11-batch-rerun").runs
    assert (run.machine, run.machines, run.rows_last_run) == ("g2-standard-12", 1, 5)
    assert (run.reads, run.writes) == ("bq://my-project.batch.questions", "bq://my-project.answers")
    assert run.hour.hour_text == "$1.15"
    assert run.last_run is not None
    assert run.last_run.hour_text == "$0.06"


def test_a_hidden_environment_is_named_and_not_shown():
    found = _of("18-container-env-secret")
    told = next(reason.text for reason in found.reasons if reason.gate == "weights")
    assert "image none → us-docker.pkg.dev/p/r/vllm:1 (no digest: the tag may move)" in told
    assert "env is hidden, and set" in told
    assert any("90 % of the requests fail where they give the old one" in reason.text for reason in found.reasons)
