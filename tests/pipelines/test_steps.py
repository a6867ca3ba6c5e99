"""The shell steps of the pipelines run: a change is reviewed, gated, approved and brought up, and no other one is."""

import pytest

from tests.pipelines.forge import BOT
from tests.support.samples.batch import L4, MODEL, chat, make_table, started, tables
from tests.support.samples.weights import call

GATES = 'fail-on = ["downtime", "address-change", "weights"]\nbudget = 2000\n'
EVENING, MORNING = "0 19 * * 1-5", "0 5 * * 1-5"
pytestmark = pytest.mark.timeout(300)
on_each_engine = pytest.mark.parametrize("pulumi", ["rehearsal", "pulumi"], indirect=True)


def served(emulator):
    """The deployments that serve, each with its replicas."""
    place = f"{emulator.url}/v1/projects/my-project/locations/us-central1/endpoints"
    (endpoint,) = call(place, method="GET").get("endpoints", [])
    return endpoint, endpoint.get("deployedModels", [])


def most(emulator):
    _, (deployed,) = served(emulator)
    return deployed["dedicatedResources"]["maxReplicaCount"]


def changes(emulator):
    """How many calls were more than a look."""
    return sum(request["method"] != "GET" for request in emulator.requests())


def scaled_by_hand(emulator, count):
    """Somebody else changes the fewest replicas."""
    endpoint, (deployed,) = served(emulator)
    body = {"deployedModel": {"id": deployed["id"], "dedicatedResources": {"minReplicaCount": count}}}
    body["updateMask"] = "dedicatedResources.minReplicaCount"
    call(f"{emulator.url}/v1/{endpoint['name']}:mutateDeployedModel", body)


@on_each_engine
def test_a_change_on_github_is_reviewed_gated_and_brought_up_as_approved(github, shop, emulator, forge):
    assert github.job("deploy", "plan"), github.said
    assert github.outputs["plan"] == {"changes": "true"}
    assert "new, on 1 x g2-standard-12" in github.summary
    assert github.job("deploy", "up"), github.said
    assert most(emulator) == 1

    shop.gates(GATES)
    shop.model(max_replica_count=8)
    assert github.job("review", "preview"), github.said
    assert github.job("review", "comment"), github.said
    assert not github.job("review", "gate")
    (comment,) = forge.comments
    assert comment["body"].startswith("<!-- mg review -->\n**❌ gate budget=2000 failed:**")
    assert comment["on"] == 7
    assert github.outputs["preview"] == {"code": "1"}

    shop.model(max_replica_count=2)
    assert github.job("review", "preview"), github.said
    assert github.job("review", "comment"), github.said
    assert github.job("review", "gate")
    (comment,) = forge.comments
    assert "❌" not in comment["body"]
    assert "\\$840 → \\$1,680" in comment["body"]

    assert github.job("deploy", "plan"), github.said
    shop.model(max_replica_count=3)
    assert not github.job("deploy", "up"), "another program went up with the plan"
    assert most(emulator) == 1
    shop.model(max_replica_count=2)
    assert github.job("deploy", "up"), github.said
    assert most(emulator) == 2
    assert github.job("deploy", "plan"), github.said
    assert github.outputs["plan"] == {"changes": ""}, "somebody is asked to approve nothing"


@on_each_engine
def test_drift_on_github_is_one_issue_that_ends_with_it(github, shop, emulator, forge):
    shop.model(max_replica_count=3)
    assert github.job("deploy", "plan"), github.said
    assert github.job("deploy", "up"), github.said
    scaled_by_hand(emulator, 3)
    assert github.job("drift", "look"), github.said
    for _ in range(2):
        assert github.job("drift", "report"), github.said
    (issue,) = forge.issues
    assert issue["title"] == "Drift of prod"
    assert "min\\_replica\\_count" in issue["body"]
    scaled_by_hand(emulator, 1)
    assert github.job("drift", "look"), github.said
    assert github.job("drift", "report"), github.said
    assert issue["state"] == "closed"
    assert [comment["on"] for comment in forge.comments] == [issue["number"]]


@on_each_engine
def test_parking_on_github_parks_and_deploys_again_and_brings_nothing_else_up(github, shop, emulator):
    def parking(schedule):
        park = "true" if schedule == EVENING else "false"
        expression = f"github.event.schedule == '{EVENING}' || inputs.parked == true"
        return github.job("parking", "parking", **{expression: park})

    assert github.job("deploy", "plan"), github.said
    assert github.job("deploy", "up"), github.said
    assert parking(EVENING), github.said
    endpoint, deployed = served(emulator)
    assert deployed == []
    shop.model()
    assert parking(MORNING), github.said
    again, (_,) = served(emulator)
    assert again["name"] == endpoint["name"]
    shop.model(max_replica_count=2)
    before = changes(emulator)
    assert not parking(EVENING)
    assert "more than parking changes, so nothing is brought up: max_replica_count of llama" in github.said
    assert changes(emulator) == before


BATCH = {
    "region": "us-central1",
    "model": MODEL,
    "input_config": {"instances_format": "bigquery", "bigquery_source": {"input_uri": "bq://my-project.prompts.input"}},
    "output_config": {
        "predictions_format": "bigquery",
        "bigquery_destination": {"output_uri": "bq://my-project.prompts"},
    },
    "machine_spec": L4,
    "triggers": {"date": "none"},
}


def test_a_batch_on_github_runs_each_night_once_and_opens_an_issue_where_it_failed(github, shop, emulator, forge):
    def night(date):
        return github.job("nightly", "run", **{"inputs.night": date})

    make_table(emulator, [chat("Why?", custom_id="a"), {"custom_id": "bad"}])
    shop.batch({"nightly": {**BATCH, "allow_partial": 0.5}})
    for date in ("2026-11-27", "2026-11-28", "2026-11-28"):
        assert night(date), github.said
        assert "- state: JOB_STATE_PARTIALLY_SUCCEEDED" in github.summary
        assert "- failed: 1" in github.summary
    assert started(emulator) == 2
    assert len([name for name in tables(emulator) if name.startswith("predictions_")]) == 2
    shop.batch({"nightly": {**BATCH, "preflight": False}})
    assert not night("2026-11-29")
    assert "more than allow_partial" in github.said
    place = {"github.server_url": "https://github.com", "github.repository": "shop/models", "github.run_id": "1"}
    assert github.job("nightly", "report", **place), github.said
    assert [issue["title"] for issue in forge.issues] == ["The nightly batch of prod failed"]


def test_a_batch_on_gitlab_runs_each_night_once_and_opens_an_issue_where_it_failed(gitlab, shop, emulator, forge):
    make_table(emulator, [chat("Why?", custom_id="a"), {"custom_id": "bad"}])
    shop.batch({"nightly": {**BATCH, "allow_partial": 0.5}})
    for _ in range(2):
        assert gitlab.job("nightly", ASKED="2026-11-27"), gitlab.said
    assert "failed: 1" in gitlab.said
    assert started(emulator) == 1
    shop.batch({"nightly": {**BATCH, "preflight": False}})
    assert not gitlab.job("nightly", ASKED="2026-11-28")
    assert "more than allow_partial" in gitlab.said
    assert gitlab.job("alert", CI_PIPELINE_URL="https://gitlab.com/shop/models/-/pipelines/1"), gitlab.said
    (issue,) = forge.issues
    assert issue["title"] == "The nightly batch of prod failed"


def test_a_preview_that_fails_is_said_in_the_comment_and_fails_the_gate(github, shop, forge):
    (shop.folder / "stacks" / "__main__.py").write_text("raise SystemExit('no such team')\n")
    assert github.job("review", "preview"), github.said
    assert github.job("review", "comment"), github.said
    assert not github.job("review", "gate")
    assert github.outputs["preview"] == {"code": "3"}
    assert "🔴" in forge.comments[0]["body"]


def test_without_a_review_the_gate_is_shut(github):
    assert not github.job("review", "gate", **{"needs.preview.outputs.code": ""})
    assert "nothing was reviewed" in github.said


def test_the_comment_of_somebody_else_is_left_alone(github, shop, forge):
    theirs = forge.comment(7, "<!-- mg review -->\nnot the bot's")
    for number in range(150):
        forge.comment(7, f"talk {number}")
    mine = forge.comment(7, "<!-- mg review -->\nold", BOT)
    (shop.folder / "review.md").write_text("### new\n")
    assert github.job("review", "comment"), github.said
    assert mine["body"] == "<!-- mg review -->\n### new\n"
    assert theirs["body"].endswith("not the bot's")
    assert len(forge.comments) == 152
    (shop.folder / "review.md").write_text("")
    assert github.job("review", "comment"), github.said
    assert mine["body"].endswith("Nothing changes any more.")


def test_where_nothing_changes_no_comment_is_made(github, shop, forge):
    (shop.folder / "review.md").write_text("")
    assert github.job("review", "comment"), github.said
    assert forge.comments == []


def test_a_merge_request_on_gitlab_is_reviewed_and_gated_in_one_comment(gitlab, shop, forge):
    shop.gates("budget = 1000\n")
    for most, red in ((8, True), (1, False)):
        shop.model(max_replica_count=most)
        assert gitlab.job("preview"), gitlab.said
        assert gitlab.job("comment"), gitlab.said
        assert gitlab.job("gate") != red
        (comment,) = forge.comments
        assert comment["body"].startswith("<!-- mg review -->\n")
        assert ("❌ gate budget=1000 failed" in comment["body"]) == red


def test_a_merge_on_gitlab_goes_up_as_planned_and_is_parked_by_its_schedule(gitlab, shop, emulator):
    assert gitlab.job("plan"), gitlab.said
    assert gitlab.job("up"), gitlab.said
    assert most(emulator) == 1
    assert gitlab.job("parking", TASK="park"), gitlab.said
    assert served(emulator)[1] == []


def test_drift_on_gitlab_is_one_issue_that_ends_with_it(gitlab, shop, forge):
    for report, opened in (("", []), ("### drift", [True]), ("### more", [True]), ("", [False])):
        (shop.folder / "drift.md").write_text(report)
        assert gitlab.job("report"), gitlab.said
        assert [issue["state"] == "open" for issue in forge.issues] == opened
    assert forge.issues[0]["description"].endswith("### more")


def test_the_drift_of_a_night_on_gitlab_is_what_somebody_changed(gitlab, shop, emulator):
    shop.model(max_replica_count=3)
    assert gitlab.job("plan"), gitlab.said
    assert gitlab.job("up"), gitlab.said
    scaled_by_hand(emulator, 3)
    assert gitlab.job("drift"), gitlab.said
    assert "min\\_replica\\_count" in (shop.folder / "drift.md").read_text()


def test_a_plan_on_gitlab_that_a_gate_refuses_is_not_there_to_approve(gitlab, shop):
    shop.gates("budget = 10\n")
    assert not gitlab.job("plan")
    assert "gate budget=10 failed" in gitlab.said
