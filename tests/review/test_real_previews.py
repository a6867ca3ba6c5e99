"""Fifteen changes of one program, from both engines: the whole review of each, as an approver wants it."""

import json
import re
from pathlib import Path

import pytest
from inline_snapshot import external_file, register_format_alias

from mg_provider import review
from mg_provider.review.formats.markdown import markdown
from mg_provider.review.formats.text import text

PREVIEWS = Path(__file__).parent / "previews"
REVIEWS = Path(__file__).parent / "reviews"
ENGINES = ("pulumi", "rehearse")
CHANGES = sorted({path.name.partition(".")[0] for path in PREVIEWS.iterdir()})
# Each engine's stack has its own ids and addresses, which say nothing about a change.
OWN = re.compile(r"(?<=-)[0-9a-f]{8}\b|(?<=gkedpm-)[0-9a-f]{30}|\bq[0-9a-f]{14,15}p?(?=-tp)|\b127(\.\d+){3}|\b\d{12}\b")
register_format_alias(".md", ".txt")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_has_the_review_that_an_approver_read(change):
    """Both engines' previews have one review; `pytest -p no:xdist --inline-snapshot=fix` writes it again."""
    for engine in ENGINES:
        found = review.of((PREVIEWS / f"{change}.{engine}.json").read_text(encoding="utf-8"))
        assert OWN.sub("ID", markdown(found)) == external_file(REVIEWS / f"{change}.md")
        assert json.loads(OWN.sub("ID", _judged(found))) == external_file(REVIEWS / f"{change}.json")
        assert found.headline.startswith(f"{found.verdict}: ")


def _judged(found):
    """What a pipeline reads: verdict, reasons, money; without what the table of prices says of itself."""
    parts = {"verdict", "reasons", "money", "gpus", "service", "runs", "exposure"}
    return found.model_dump_json(include=parts, exclude={"money": {"lines", "prices", "not_in"}})


@pytest.mark.parametrize("path", sorted(PREVIEWS.iterdir()), ids=lambda path: path.stem)
def test_the_same_preview_gives_the_same_review(path):
    content = path.read_text(encoding="utf-8")
    assert review.of(content) == review.of(content)
    assert text(review.of(content), 10_000).startswith(review.of(content).headline)


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
