"""What each kind of change hides in a preview, and what its review says."""

import pytest

from mg_provider import review
from mg_provider.review.formats.markdown import markdown
from mg_provider.review.formats.page import page
from mg_provider.review.formats.text import text
from tests.review.build import (
    A100,
    ALLOWLIST,
    H200,
    L4,
    UNKNOWN,
    batch,
    endpoint,
    model,
    preview,
    rule,
    step,
    texts,
    update,
)

C, D, P, B = "CustomWeightsModel", "DedicatedEndpoint", "PscForwardingRule", "BatchJob"
NEW_ID = {
    "endpoint_id": "llama-ffff0000",
    "endpoint": "projects/my-project/locations/us-central1/endpoints/llama-ffff0000",
}


def served(name: str = "canary", **arguments):
    """The named deployments with another one."""
    models = endpoint()["deployed_models"]
    return endpoint(deployed_models={**models, name: {**models[name], **arguments}})


def replaced(kind, old, new, **more):
    return review.of(preview(step("replace", kind, old["resource"], old, new, **more)))


def deleted(kind, old, **more):
    return review.of(preview(step("delete", kind, old["resource"], old, **more)))


def gates(found):
    return [reason.gate for reason in found.reasons]


def said(found):
    return " | ".join(reason.text for reason in found.reasons)


# What turns public, or private, or lets others in.


def test_from_private_to_public_stops_and_names_the_rule_that_is_left_over():
    old, new = model(private_service_connect_config=ALLOWLIST), model(**NEW_ID)
    found = review.of(
        preview(
            step("replace", C, "llama", old, new, outputs={"service_attachment": "projects/x/serviceAttachments/a"}),
            step("update", P, "way", rule(), rule(endpoint=NEW_ID["endpoint"])),
        )
    )
    assert found.headline.startswith("stop: llama: becomes PUBLIC")
    assert "replaced, because private_service_connect_config is removed" in said(found)
    assert "leads to an endpoint that is public: it reaches nothing. Remove it" in said(found)
    assert found.exposure.widened
    assert found.exposure.public == ["llama"]


def test_from_public_to_private_loses_the_address_and_widens_nothing():
    found = replaced(C, model(), model(**NEW_ID, private_service_connect_config=ALLOWLIST))
    assert found.reasons[0].gate == "address-change"
    assert not found.exposure.widened
    assert "who may connect: my-project, client-project" in texts(found)


def test_an_allowlist_says_whom_it_lets_in_and_shuts_out():
    changed = {**ALLOWLIST, "project_allowlist": ["my-project", "partner"]}
    found = update(C, model(private_service_connect_config=ALLOWLIST), model(private_service_connect_config=changed))
    assert found.headline == "look: llama: who may connect: lets in partner; shuts out client-project"


def test_the_order_of_an_allowlist_is_nothing():
    changed = {**ALLOWLIST, "project_allowlist": ["client-project", "my-project"]}
    found = update(C, model(private_service_connect_config=ALLOWLIST), model(private_service_connect_config=changed))
    assert found.verdict == "safe"


def test_global_access_is_an_exposure():
    found = update(P, rule(), rule(allow_psc_global_access=True))
    assert gates(found) == ["exposure"]
    assert found.exposure.widened


def test_what_keeps_its_id_is_deleted_before_the_new_one_is_made():
    config = {"private_service_connect_config": ALLOWLIST}
    first = replaced(C, model(**config), model())
    assert "the old one is deleted before the new one is made" in texts(first)
    assert first.gpus.peak == 1
    beside = replaced(C, model(**config), model(**NEW_ID, model_id="llama-9"))
    assert "the old one is deleted once the new one is made" in texts(beside)
    assert beside.gpus.peak == 2


def test_secure_private_service_connect_replaces_the_endpoint():
    config = {**ALLOWLIST, "enable_secure_private_service_connect": True}
    found = replaced(C, model(private_service_connect_config=ALLOWLIST), model(private_service_connect_config=config))
    assert found.verdict == "stop"
    assert "enable_secure_private_service_connect none → on" in said(found)


def test_a_rollout_with_a_bucket_in_each_region_is_one_reason():
    regions = ("europe-west4", "us-central1", "us-east4")
    steps = [
        step("update", C, f"fleet-{region}", *(model(region, region, gcs_uri=f"gs://w-{region}/{v}") for v in "12"))
        for region in regions
    ]
    (one,) = [reason for reason in review.of(preview(*steps)).reasons if reason.gate == "weights"]
    assert one.text == "other weights answer: gs://w-REGION/1 → gs://w-REGION/2"
    assert one.resources == [f"fleet-{region}" for region in regions]
    assert one.details[2] == "fleet-us-east4: other weights answer: gs://w-us-east4/1 → gs://w-us-east4/2"
    (alone,) = [reason for reason in review.of(preview(steps[0])).reasons if reason.gate == "weights"]
    assert alone.text == "other weights answer: gs://w-europe-west4/1 → gs://w-europe-west4/2"


def test_the_quota_for_a_choice_of_machines_says_what_is_used_of_each():
    found = update(C, model(max_replica_count=2), model(max_replica_count=2, machine_spec=[L4, A100], spot=True))
    assert "2 NVIDIA_L4 or NVIDIA_TESLA_A100 in us-central1 (until now 2 NVIDIA_L4)" in texts(found)


def test_of_what_changes_in_one_argument_only_what_replaces_is_the_cause():
    more = {**ALLOWLIST, "project_allowlist": [*ALLOWLIST["project_allowlist"], "other-project"]}
    config = {**more, "enable_secure_private_service_connect": True}
    found = replaced(C, model(private_service_connect_config=ALLOWLIST), model(private_service_connect_config=config))
    (reason,) = [reason for reason in found.reasons if reason.gate == "address-change"]
    assert "enable_secure_private_service_connect none → on" in reason.text
    assert "other-project" not in reason.text
    assert "lets in other-project" in said(found)


def test_prompts_that_go_to_another_project_are_named_with_it():
    config = {"enabled": True, "bigquery_destination": {"output_uri": "bq://audit-project.logs"}}
    found = update(C, model(), model(predict_request_response_logging_config=config))
    assert gates(found) == ["exposure"]
    assert "prompts and answers are logged" in said(found)
    assert "(another project: audit-project)" in said(found)


def test_another_service_account_is_an_exposure():
    found = update(C, model(), model(service_account="a@b.iam.gserviceaccount.com"))
    assert "the service account that the container runs as: none → a@b.iam.gserviceaccount.com" in said(found)


# What goes, or gets another address.


@pytest.mark.parametrize("change", [{"network": "other"}, {"subnetwork": "other"}, {"address": "10.0.0.9"}])
def test_a_replaced_rule_is_an_outage(change):
    found = replaced(P, rule(), rule(**change), outputs={"ip_address": "10.0.0.5"})
    assert found.verdict == "stop"
    assert found.service.effect == "NOTHING SERVES"
    assert "private IP 10.0.0.5 → another one" in found.reasons[0].details[0]


def test_a_rule_to_another_endpoint_is_interrupted_for_seconds():
    found = update(P, rule(), rule(endpoint=NEW_ID["endpoint"]))
    assert (found.verdict, found.service.effect, found.service.minutes) == ("look", "interrupted", "seconds")


def test_a_resource_that_stays_in_the_cloud_goes_on_being_paid():
    found = deleted(C, model(), retainOnDelete=(True, None))
    assert "goes on serving, and being paid" in found.headline
    assert found.money.after.max.text == "$840"


def test_a_rule_to_a_deleted_endpoint_reaches_nothing():
    found = review.of(preview(step("delete", C, "llama", model()), step("same", P, "way", rule(), rule())))
    assert "leads to an endpoint that is deleted: it reaches nothing. Remove it" in said(found)


@pytest.mark.parametrize(("kind", "make"), [(C, model), (D, endpoint), (P, rule)])
def test_another_name_without_an_alias_says_add_an_alias(kind, make):
    found = review.of(
        preview(step("delete", kind, "before", make("before")), step("create", kind, "after", None, make("after")))
    )
    assert found.headline.startswith("stop: before: renamed to after without an alias")
    assert 'aliases=[pulumi.Alias(name="before")]' in found.headline


def test_another_parent_without_an_alias_is_said_with_the_alias_that_helps():
    old, new = step("delete", C, "llama-of-a-team", model()), step("create", C, "llama-of-a-team", None, model())
    old["urn"] = old["urn"].replace("pulumi-python:", "team:Team$pulumi-python:")
    found = review.of(preview(old, new))
    assert found.reasons[0].gate == "rename"
    assert "moved to another parent as llama-of-a-team without an alias" in found.headline
    assert f'aliases=["{old["urn"]}"]' in found.headline


def test_what_the_program_asks_to_delete_first_is_deleted_first():
    asked = step("replace", C, "llama", model(), model(**NEW_ID, model_id="llama-9"))
    asked["oldState"]["pendingReplacement"] = True
    found = review.of(preview(asked))
    assert "the old one is deleted before the new one is made" in texts(found)
    assert found.gpus.peak == 1


def test_of_everything_that_is_deleted_what_stays_in_the_cloud_stays_paid():
    kept, *gone = (step("delete", C, f"m{number}", model(f"m{number}")) for number in range(3))
    kept["oldState"]["retainOnDelete"] = True
    found = review.of(preview(kept, *gone, same=0))
    assert found.headline == (
        "stop: everything is deleted: 3 resources, 2 with an address that is lost, 1 left in the cloud; "
        "2 GPUs and $1,680 a month come back"
    )


def test_leaving_spot_machines_is_no_loss_of_capacity():
    found = update(C, model(spot=True), model())
    assert "capacity" not in gates(found)
    assert found.service.effect == "none"
    assert "machines are on demand instead of spot" in texts(found)
    assert "capacity" in gates(update(C, model(), model(flex_start={"max_runtime_duration": "3600s"})))


def test_two_different_models_are_no_rename():
    new = model("after", gcs_uri="gs://weights/other")
    found = review.of(preview(step("delete", C, "before", model("before")), step("create", C, "after", None, new)))
    assert "rename" not in gates(found)


def test_another_name_of_a_model_stops_with_what_clients_lose():
    found = update(C, model(), model(query_model_id="other"))
    assert found.reasons[0].gate == "address-change"
    assert found.reasons[0].details == ["llama-1a2b3c4d → other"]


# Service and safety nets.


def test_spot_and_recreate_say_that_nothing_serves_and_that_machines_may_be_taken_away():
    found = update(C, model(), model(spot=True, rollout={"strategy": "recreate"}))
    assert found.headline.startswith("stop: llama: NOTHING SERVES for 10 to 60 minutes")
    assert "Google may take them away at any time" in said(found)
    assert (found.service.effect, found.service.minutes) == ("NOTHING SERVES", "10 to 60 minutes")
    assert found.gpus.peak == 1


def test_recreate_of_one_of_two_names_is_less_capacity():
    changed = served(machine_spec=A100)
    found = update(D, endpoint(), {**changed, "rollout": {"strategy": "recreate"}})
    assert found.service.effect == "less capacity"


def test_safety_nets_that_go_off_are_named():
    found = update(C, model(), model(preflight=False, rollout={"probe": {"kind": "none"}}))
    assert {reason.gate for reason in found.reasons} == {"safety-net", "unprobed"}
    assert "preflight, the check of the weights (preflight)" in said(found)
    assert "probes of a new deployment (rollout)" in said(found)


def test_protect_that_goes_off_shows_although_the_engine_calls_it_the_same():
    found = review.of(preview(step("same", C, "llama", model(), model(), protect=(True, None))))
    assert found.headline == "look: llama: a safety net goes OFF: protect keeps it from being deleted"


def test_a_private_endpoint_without_a_probe_address_is_not_probed():
    config = {"private_service_connect_config": ALLOWLIST}
    found = update(C, model(**config), model(**config, gcs_uri="gs://weights/llama/v2"))
    assert gates(found) == ["weights", "unprobed"]
    probe = {"rollout": {"probe": {"address": "10.0.0.5"}}}
    assert gates(update(C, model(**config), model(**config, **probe, gcs_uri="gs://weights/llama/v2"))) == ["weights"]


def test_parking_says_what_it_saves_and_resuming_what_it_costs():
    found = update(C, model(max_replica_count=2), model(max_replica_count=2, parked=True))
    assert found.headline.endswith("saves $840 to $1,680 a month")
    assert update(D, endpoint(parked=True), endpoint()).headline.startswith("look: chat: resumed")


def test_fewer_replicas_are_less_capacity():
    found = update(C, model(min_replica_count=2, max_replica_count=4), model())
    assert (found.headline, found.service.effect) == (
        "look: llama: less capacity: 2 to 4 → 1 replicas",
        "less capacity",
    )


def test_an_endpoint_without_models_serves_nothing():
    found = update(D, endpoint(), endpoint(deployed_models={}, traffic_split={}))
    assert found.headline == "stop: chat: NOTHING SERVES on it: every model is undeployed"


def test_a_name_that_changes_is_no_other_deployment():
    models = endpoint()["deployed_models"]
    new = endpoint(
        deployed_models={"main": models["stable"], "canary": models["canary"]},
        traffic_split={"main": 90, "canary": 10},
    )
    found = update(D, endpoint(), new)
    assert found.verdict == "safe"
    assert found.gpus.peak == 2


# Money and machines.


def test_an_unknown_price_is_unknown_and_makes_the_sum_a_lower_bound():
    found = update(D, endpoint(), served(machine_spec=H200))
    assert found.money.after.max.text == "≥ $840"
    assert found.money.difference.max.text == "unknown"
    assert found.money.unknown == ["a3-ultragpu-8g in us-central1"]
    assert (found.gpus.after, found.gpus.peak) == ((9, 9), 10)


def test_an_unknown_price_that_does_not_change_changes_nothing():
    old = model(machine_spec=H200)
    found = update(C, old, {**old, "labels": {"a": "b"}})
    assert found.verdict == "safe"
    assert found.money.difference.max.text == "$0.00"
    assert found.money.after.max.text == "unknown"


def test_choices_of_machines_stay_where_they_run():
    found = update(C, model(), model(machine_spec=[L4, A100]))
    assert "stays on its machine; from the next deployment on it may run on" in found.headline
    assert found.gpus.peak == 1


def test_a_held_rollout_is_paid_twice():
    found = update(C, model(), model(gcs_uri="gs://weights/llama/v2", rollout={"strategy": "shift", "hold": 10}))
    assert found.money.after.max.text == "$1,680"
    assert "both deployments run and are paid until rollout.hold is removed" in said(found)


def test_a_machine_that_google_chooses_is_known_from_the_cloud_or_unknown():
    old = {key: value for key, value in model().items() if key != "machine_spec"}
    found = update(
        C,
        old,
        {**old, "max_replica_count": 2},
    )
    assert found.money.after.max.text == "unknown"
    taken = {"machine_spec_taken": L4}
    found = review.of(preview(step("update", C, "llama", old, {**old, "max_replica_count": 2}, outputs=taken)))
    assert found.money.after.max.text == "$1,680"


# Batch runs.


def test_the_record_of_a_run_is_no_loss():
    assert deleted(B, batch()).verdict == "safe"
    assert "its output with it" in deleted(B, batch(delete_output=True)).headline


def test_a_new_run_says_machines_money_and_where_the_output_goes():
    output = {"predictions_format": "bigquery", "bigquery_destination": {"output_uri": "bq://other.answers"}}
    found = review.of(preview(step("create", B, "nightly", None, batch(output_config=output))))
    assert found.headline == "look: nightly: runs, and is paid: 4 x g2-standard-12, $4.60 an hour; it is new"
    assert found.runs[0].writes == "bq://other.answers (another project: other)"


def test_a_deployment_with_a_choice_of_machines_says_the_cheapest_and_the_dearest():
    found = review.of(preview(step("create", C, "llama", None, model(machine_spec=[L4, A100]))))
    either = "g2-standard-12 or a2-highgpu-1g (1 NVIDIA_L4 or NVIDIA_TESLA_A100)"
    assert f"new, on 1 x {either}, $1.15 to $4.22 an hour each" in said(found)


def test_a_rule_that_stays_with_a_replaced_endpoint_reaches_nothing():
    old = step("replace", C, "llama", model(), model(**NEW_ID))
    found = review.of(preview(old, step("same", P, "way", rule(), rule())))
    assert "leads to an endpoint that is deleted: it reaches nothing. Remove it" in said(found)


def test_a_deployment_with_a_choice_of_machines_costs_from_to_in_every_format():
    found = review.of(preview(step("create", C, "llama", None, model(machine_spec=[L4, A100]))))
    assert found.money.lines[0].each == "$1.15 to $4.22"
    assert "$1.15 to $4.22 an hour each" in text(found)
    assert r"| \$1.15 to \$4.22 |" in markdown(found)
    assert "<td>$1.15 to $4.22</td>" in page(found)


def test_what_a_run_reads_is_not_known_before_but_what_the_last_one_read_is():
    first = review.of(preview(step("create", B, "nightly", None, batch())))
    assert first.runs[0].flow == (
        "reads gs://batch/in.jsonl; writes gs://batch/out; rows and bytes: not known before it runs"
    )
    outputs = {"successful_count": 1_990, "failed_count": 10, "replica_hours": 2.0}
    again = replaced(B, batch(), batch(triggers={"night": "2"}), outputs=outputs)
    assert "not known before it runs; 2,000 rows the last time, which would cost $2.30 now" in again.runs[0].flow
    for told in (" ".join(text(again).split()), markdown(again).replace("\\", ""), page(again)):
        assert "2,000 rows the last time" in told


def test_parking_names_what_goes_on_serving_the_same_model():
    held = endpoint(deployed_models={"stable": {**endpoint()["deployed_models"]["stable"], "model": model()["model"]}})
    park = step("update", C, "llama", model(), model(parked=True))
    beside = review.of(preview(park, step("same", D, "chat", held, held), same=1))
    assert beside.reasons[0].details == ["goes on serving its Model, and being paid: chat: stable (1 x g2-standard-12)"]
    other = step("same", D, "chat", endpoint(), endpoint())
    assert review.of(preview(park, other, same=1)).reasons[0].details == ["nothing else in the stack serves its Model"]
    assert "unchanged resources are not shown" in review.of(preview(park, same=1)).reasons[0].details[0]
    assert beside.service.minutes == "until it is resumed"


def test_machines_that_follow_each_other_each_have_their_peak():
    old, new = model(max_replica_count=2), model(machine_spec=A100, rollout={"strategy": "recreate"})
    found = update(C, old, {**new, "model_id": "llama-9"})
    assert {line.accelerator: line.peak for line in found.gpus.lines} == {"NVIDIA_L4": 2, "NVIDIA_TESLA_A100": 1}
    assert found.gpus.peak == 2
    assert "needs quota for 1 NVIDIA_TESLA_A100 in us-central1 (until now 0)" in texts(found)
    assert found.money.peak.hour_text == "$4.22"


def test_the_peak_of_what_has_no_price_is_a_lower_bound():
    found = update(C, model(), model(spot=True, rollout={"strategy": "recreate"}))
    assert found.money.peak.hour_text == "≥ $1.15"


def test_weights_that_nobody_knows_yet_are_said_of_a_new_model_too():
    new = endpoint(deployed_models={"stable": {**endpoint()["deployed_models"]["stable"], "model": UNKNOWN}})
    found = review.of(
        preview(
            step("create", C, "llama", None, model(gcs_uri=UNKNOWN, labels={"a": UNKNOWN})),
            step("create", D, "chat", None, new),
        )
    )
    told = {reason.resource: reason.text for reason in found.reasons if reason.gate == "unknown"}
    assert told == {"llama": "known only after up: gcs_uri", "chat": "known only after up: stable: model"}


def test_a_model_that_is_undeployed_gives_its_machines_back():
    one = {"stable": endpoint()["deployed_models"]["stable"]}
    found = update(D, endpoint(), endpoint(deployed_models=one, traffic_split={"stable": 100}))
    assert "undeployed: gives back 1 x g2-standard-12 (1 NVIDIA_L4)" in [each.text for each in found.service.changes]


def test_the_cause_of_a_replacement_is_what_the_program_says():
    found = replaced(P, rule(), rule(subnetwork="other", forwarding_rule_name="way-ffff0000"))
    assert found.headline.startswith("stop: way: replaced, because subnetwork models-us-central1 → other: the old")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"region": "us-east4"}, "Take Google's with `mg prices --refresh`, or give your own with --prices FILE"),
        ({"spot": True}, "Google publishes none that mg reads: give your own with --prices FILE"),
        ({"machine_spec": {"machine_type": "a4-highgpu-8g"}}, "Google publishes none that mg reads"),
        ({"machine_spec": None}, "Name the machine in machine_spec"),
    ],
)
def test_an_unknown_price_says_how_it_gets_known(arguments, advice):
    found = review.of(preview(step("create", C, "llama", None, model(**arguments))))
    assert advice in next(reason.text for reason in found.reasons if reason.gate == "unknown-price")


def test_a_run_with_a_choice_of_machines_says_the_cheapest_and_the_dearest():
    found = review.of(preview(step("create", B, "nightly", None, batch(machine_spec=[L4, A100]))))
    assert "runs, and is paid: 4 x g2-standard-12 or a2-highgpu-1g, $4.60 to $16.90 an hour" in found.headline
    (run,) = found.runs
    assert (run.machines, run.hour_least.hour_text, run.hour.hour_text) == (4, "$4.60", "$16.90")


@pytest.mark.parametrize(
    "arguments",
    [
        {"spot": True},
        {"machine_spec": {"machine_type": "ct5lp-hightpu-4t", "tpu_topology": "2x2"}},
        {"machine_spec": {"machine_type": "a4-highgpu-8g"}},
        {"machine_spec": {"machine_type": "g4-standard-48"}},
    ],
)
def test_what_no_price_list_has_is_unknown_and_never_nothing(arguments):
    found = review.of(preview(step("create", C, "llama", None, model(**arguments))))
    assert "price unknown" in found.headline or "price unknown" in said(found)
    assert "unknown-price" in gates(found)
    assert found.money.after.max.text == "unknown"


# What is not known, and what is not ours.


def test_what_is_known_only_after_up_is_said_and_never_a_replacement():
    found = update(C, model(), model(gcs_uri=UNKNOWN, labels={"a": UNKNOWN}, private_service_connect_config=UNKNOWN))
    assert "known only after up: gcs_uri, private_service_connect_config; whether it is public is not known" in said(
        found
    )
    assert found.verdict == "look"


def test_a_hidden_value_that_changed_is_named_and_never_shown():
    old = {
        "image_uri": "r/vllm@sha256:1",
        "env": [{"name": "HF_TOKEN", "value": "[secret]"}, {"name": "MODE", "value": "x7"}],
    }
    new = {**old, "env": [old["env"][0], {"name": "MODE", "value": "y8"}]}
    more = {"detailedDiff": {"container_spec.env[0].value": {"kind": "update"}}}
    found = update(C, model(container_spec=old), model(container_spec=new, model_id="llama-9"), **more)
    assert "HF_TOKEN changes (hidden)" in said(found)
    assert "env[MODE] changes" in said(found)
    assert "x7" not in texts(found)
    assert "y8" not in texts(found)


def test_of_a_list_that_is_hidden_as_a_whole_the_number_of_the_entry_is_named():
    hidden = {"image_uri": "r/vllm@sha256:1", "env": "[secret]"}
    more = {"detailedDiff": {"container_spec.env[1].value": {"kind": "update"}}}
    found = update(C, model(container_spec=hidden), model(container_spec=hidden, model_id="llama-9"), **more)
    assert "entry 2 of env changes (hidden)" in said(found)


def test_the_variable_of_a_hidden_list_is_named_where_the_plan_names_it():
    hidden = {"image_uri": "r/vllm@sha256:1", "env": "[secret]"}
    plan = "shift: deploys beside; env: HF_TOKEN changes, MODE is new; endpoint and address stay"
    after = model(container_spec=hidden, model_id="llama-9", deployment_plan=plan)
    more = {"detailedDiff": {"container_spec.env[1].value": {"kind": "update"}}}
    found = update(C, model(container_spec=hidden), after, **more)
    assert "HF_TOKEN changes, MODE is new (hidden)" in said(found)
    assert "entry 2" not in said(found)
    added = update(C, model(container_spec={"image_uri": "r/vllm@sha256:1"}), after)
    assert "HF_TOKEN changes, MODE is new (hidden)" in said(added)


@pytest.mark.parametrize(
    ("place", "far"), [("europe-west4", True), ("US-CENTRAL1", False), ("US", False), ("EU", True), ("NAM4", False)]
)
def test_weights_are_far_where_it_is_known_that_their_bucket_is(place, far):
    new = model(gcs_uri="gs://weights/llama/v2")
    made = {"urn": "urn:pulumi:dev::acme::gcp:storage/bucket:Bucket::weights", "op": "same"}
    state = {"type": "gcp:storage/bucket:Bucket", "inputs": {"name": "weights", "location": place}}
    bucket = {**made, "oldState": state, "newState": state}
    for found in (
        review.of(preview(step("update", C, "llama", model(), new)), buckets={"weights": place}),
        review.of(preview(bucket, step("update", C, "llama", model(), new))),
    ):
        assert (f"weights are in {place}, and the deployment in us-central1" in said(found)) == far


def test_a_token_is_never_shown():
    found = update(C, model(hugging_face_access_token="hf_old"), model(hugging_face_access_token="hf_new"))
    assert "hf_" not in texts(found)
    assert "hugging_face_access_token changes" in texts(found)


def test_an_argument_and_a_type_of_a_later_version_are_looked_at():
    assert (
        "an argument that this version of mg does not know: quantum" in update(C, model(), model(quantum="x")).headline
    )
    found = review.of(preview(step("delete", "NewThing", "x", {"a": 1})))
    assert found.verdict == "look"
    assert "does not know" in found.headline


def test_other_providers_are_judged_where_they_decide_who_reaches_a_model():
    found = review.of(
        preview(
            step("delete", "gcp:dns/recordSet:RecordSet", "name", {"name": "x"}),
            step("update", "gcp:projects/iAMMember:IAMMember", "grant", {"member": "a"}, {"member": "allUsers"}),
            step("update", "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter", "p", {"s": ["a"]}, {"s": []}),
            step("create", "gcp:pubsub/topic:Topic", "topic", None, {"name": "t"}),
        )
    )
    told = {reason.resource: (reason.severity, reason.gate) for reason in [*found.reasons, *found.others]}
    assert told == {
        "name": ("stop", "perimeter"),
        "grant": ("stop", "exposure"),
        "p": ("look", "perimeter"),
        "topic": ("note", "other"),
    }


def test_what_another_provider_makes_is_shown_with_who_gets_what():
    grant = {"member": "serviceAccount:x@other.iam.gserviceaccount.com", "role": "roles/aiplatform.user"}
    found = review.of(preview(step("create", "gcp:projects/iAMMember:IAMMember", "grant", None, grant)))
    assert found.reasons[0].details == [f"member {grant['member']}, role {grant['role']}"]
    assert found.reasons[0].also == ["exposure"]
    lost = review.of(preview(step("delete", "gcp:dns/recordSet:RecordSet", "name", {"name": "llm.bank.example."})))
    assert lost.reasons[0].details == ["name llm.bank.example."]


def test_an_attachment_that_takes_everybody_lets_in_everybody():
    kind, old = "gcp:compute/serviceAttachment:ServiceAttachment", {"connectionPreference": "ACCEPT_MANUAL"}
    found = review.of(preview(step("update", kind, "way", old, {"connectionPreference": "ACCEPT_AUTOMATIC"})))
    assert (found.verdict, found.reasons[0].gate) == ("stop", "exposure")
    assert "lets in everybody" in found.headline


@pytest.mark.parametrize(
    ("op", "kind", "verdict", "gate"),
    [
        (
            "create",
            "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment",
            "look",
            "unknown-price",
        ),
        ("create", "gcp:compute/instance:Instance", "look", "unknown-price"),
        ("update", "gcp:container/nodePool:NodePool", "look", "unknown-price"),
        ("delete", "gcp:vertex/aiEndpoint:AiEndpoint", "stop", "unprotected-delete"),
        ("replace", "gcp:vertex/aiEndpoint:AiEndpoint", "stop", "downtime"),
        ("delete", "gcp:projects/service:Service", "stop", "downtime"),
        ("create-replacement", "gcp:dns/recordSet:RecordSet", "stop", "downtime"),
        ("create", "gcp:pubsub/topic:Topic", "safe", ""),
    ],
)
def test_what_serves_or_is_paid_elsewhere_is_no_routine(op, kind, verdict, gate):
    sides = {"create": (None, {"name": "x"}), "delete": ({"name": "x"}, None)}.get(op, ({"name": "x"}, {"name": "y"}))
    found = review.of(preview(step(op, kind, "x", *sides)))
    assert found.verdict == verdict
    assert not gate or any(gate in (reason.gate, *reason.also) for reason in found.reasons)


def test_drift_stands_apart_from_what_the_program_changes():
    # An engine shows a refresh as the resource was; what it found is where the plan begins.
    drifted = model(min_replica_count=3, max_replica_count=3)
    for replicas, said in ((1, "this change sets it back to 1"), (2, "the program says 2")):
        wanted = model(min_replica_count=replicas, max_replica_count=replicas)
        refreshed = step("refresh", C, "llama", model(), model())
        found = review.of(preview(refreshed, step("update", C, "llama", drifted, wanted)))
        told = [reason.text for reason in found.drift]
        assert f"somebody changed in the cloud: min_replica_count 1 → 3; {said}" in told
        assert found.headline == f"look: llama: less capacity: 3 → {replicas} replicas"


def test_drift_says_what_answers_no_longer_and_what_the_defaults_set_back():
    there = {"deployed_model_id": "7", "dedicated_endpoint_dns": "llama.example"}
    refreshed = step("refresh", C, "llama", model(), model(), outputs=there)
    found_there = model(description="by hand", min_replica_count=0)
    plan = step("update", C, "llama", found_there, model(), outputs=dict.fromkeys(there, ""))
    told = {reason.text: reason.details for reason in review.of(preview(refreshed, plan)).drift}
    assert told == {
        "NOTHING SERVES on it now: somebody undeployed what answered": [],
        "gone from the cloud: the DNS name that clients use": ["llama.example"],
        "somebody changed in the cloud: description none → by hand; this change sets it back to none": [],
        "somebody changed in the cloud: min_replica_count 1 → 0; this change sets it back to 1": [],
    }
    ids = {"deployed_model_ids": {"stable": "7", "canary": "8"}}
    refreshed = step("refresh", D, "chat", endpoint(), endpoint(), outputs=ids)
    plan = step("update", D, "chat", endpoint(), endpoint(), outputs={"deployed_model_ids": {"stable": "7"}})
    (reason,) = review.of(preview(refreshed, plan)).drift
    assert reason.text == "somebody undeployed canary"


def test_drift_of_another_provider_is_told_too():
    kind, kept, opened = (
        "gcp:compute/firewall:Firewall",
        {"sourceRanges": ["10.0.0.0/8"]},
        {"sourceRanges": ["0.0.0.0/0"]},
    )
    back = preview(step("refresh", kind, "wall", kept, kept), step("update", kind, "wall", opened, kept))
    (reason,) = review.of(back).drift
    assert reason.text == "somebody changed in the cloud: sourceRanges + 0.0.0.0/0; sourceRanges - 10.0.0.0/8"
    gone = preview(step("refresh", kind, "wall", kept, kept), step("create", kind, "wall", None, kept))
    assert [reason.text for reason in review.of(gone).drift] == ["gone from the cloud: somebody deleted it"]
    clean = preview(step("refresh", kind, "wall", kept, kept), step("same", kind, "wall", kept, kept))
    assert review.of(clean).verdict == "safe"


def test_what_somebody_deleted_is_made_again():
    refreshed = step("refresh", C, "llama", model(), model())
    found = review.of(preview(refreshed, step("create", C, "llama", None, model())))
    assert [reason.text for reason in found.drift] == ["gone from the cloud: somebody deleted it"]


def test_a_refresh_that_found_nothing_is_no_drift():
    found = review.of(preview(step("refresh", C, "llama", model(), model())))
    assert found.verdict == "safe"


def test_a_refresh_that_is_shown_as_an_update_is_drift():
    drifted = model(min_replica_count=3, max_replica_count=3)
    refreshed = step("update", C, "llama", model(), drifted)
    refreshed["newState"]["outputs"] = {**drifted, "deployed_model_id": "1"}
    found = review.of(preview(refreshed))
    assert {reason.gate for reason in found.reasons} == {"drift"}


# Several at once.


def test_the_same_change_in_five_regions_is_one_line():
    regions = ("us-central1", "us-east4", "europe-west4", "asia-east1", "us-west1")
    steps = [
        step(
            "update",
            C,
            f"llama-{region}",
            model(f"llama-{region}", region),
            model(f"llama-{region}", region, gcs_uri="gs://w/v2"),
        )
        for region in regions
    ]
    found = review.of(preview(*steps))
    (reason,) = [reason for reason in found.reasons if reason.gate == "weights"]
    assert len(reason.resources) == 5
    assert reason.regions == sorted(regions)


def test_several_stacks_are_one_review():
    previews = [preview(step("delete", C, "llama", model(), stack=stack)) for stack in ("dev", "prod")]
    found = review.of(previews)
    assert found.stacks == ["dev", "prod"]
    assert found.reasons[0].resources == ["dev/llama", "prod/llama"]


def test_stacks_of_one_name_in_two_projects_are_told_apart():
    one = preview(step("delete", C, "llama", model()))
    other = preview(step("create", C, "lama", None, model("lama"))).replace("::acme::", "::umbrella::")
    found = review.of([one, other])
    assert found.stacks == ["acme/dev", "umbrella/dev"]
    assert found.reasons[0].resources == ["acme/dev/llama"]
    assert "rename" not in gates(found)


def test_nothing_relevant_is_one_line():
    assert text(update(C, model(), model(labels={"a": "b"}))) == "safe: llama: labels.a none → b\n"
    assert text(review.of(preview())) == "safe: nothing changes (1 unchanged)\n"


def test_what_was_imported_gets_this_stacks_labels_which_is_to_be_looked_at():
    before, after = model(), model(owner="acme/project/stack")
    before.pop("owner", None)
    found = review.of(preview(step("update", C, "llama", before, after)))
    assert found.verdict == "look"
    assert "was imported: gets this stack's labels, and is this stack's to change and delete" in said(found)


@pytest.mark.parametrize("split", [{}, {"stable": 0, "canary": 0}])
def test_traffic_that_goes_to_nobody_leaves_nothing_that_serves(split):
    found = update("DedicatedEndpoint", endpoint(), endpoint(traffic_split=split))
    assert (found.verdict, found.service.effect) == ("stop", "NOTHING SERVES")


@pytest.mark.parametrize("op", ["create", "update", "delete"])
@pytest.mark.parametrize("kind", ["command:local:Command", "command:remote:Command", "pulumi-python:dynamic:Resource"])
def test_a_resource_that_runs_a_program_needs_a_look(op, kind):
    old, new = {"create": "true"} if op != "create" else None, {"create": "curl"} if op != "delete" else None
    found = review.of(preview(step(op, kind, "helper", old, new)))
    assert "it runs a program of its own during up" in found.headline
    assert found.verdict == "look"


@pytest.mark.parametrize("op", ["teleport", ""])
def test_an_operation_that_nobody_knows_is_not_safe(op):
    for kind in ("CustomWeightsModel", "random:index/randomPet:RandomPet"):
        assert "not understood" in review.of(preview(step(op, kind, "llama", model(), model()))).headline


def test_scaling_to_zero_says_that_requests_are_refused():
    old = model(min_replica_count=1)
    assert "refused with 429 while it wakes" in texts(
        update("CustomWeightsModel", old, {**old, "min_replica_count": 0})
    )


def test_a_parked_model_that_is_deleted_served_nothing_and_its_model_may_serve_elsewhere():
    parked = model(parked=True)
    served = {"machine_spec": L4, "min_replica_count": 1, "max_replica_count": 1, "model": parked["model"]}
    other = endpoint(deployed_models={"stable": served}, traffic_split={"stable": 100})
    steps = (
        step("delete", "CustomWeightsModel", "llama", parked),
        step("same", "DedicatedEndpoint", "chat", other, other),
    )
    found = review.of(preview(*steps))
    assert "get nothing" not in texts(found)
    assert "downtime" not in (found.reasons[0].gate, *found.reasons[0].also)
    assert "goes on serving its Model, and being paid: chat: stable" in texts(found)
