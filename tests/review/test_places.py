"""Whatever is of another project or region is said to be, wherever an argument names it."""

import pytest

from mg_provider import review
from tests.review.build import ALLOWLIST, L4, batch, endpoint, model, preview, rule, step, texts, update

C, D, B = "CustomWeightsModel", "DedicatedEndpoint", "BatchJob"
KEY = "projects/{}/locations/{}/keyRings/r/cryptoKeys/k"


def account(project):
    return f"runner@{project}.iam.gserviceaccount.com"


def logs(project):
    return {"enabled": True, "bigquery_destination": {"output_uri": f"bq://{project}.logs.answers"}}


def key(project, region="us-central1"):
    return {"kms_key_name": KEY.format(project, region)}


def served(**arguments):
    return endpoint(deployed_models={"stable": {**endpoint()["deployed_models"]["stable"], **arguments}})


@pytest.mark.parametrize(
    ("kind", "make", "field", "value"),
    [
        (C, model, "service_account", account),
        (C, model, "predict_request_response_logging_config", logs),
        (D, endpoint, "predict_request_response_logging_config", logs),
        (D, endpoint, "encryption_spec", key),
        (D, endpoint, "network", lambda project: f"projects/{project}/global/networks/n"),
        (D, served, "service_account", account),
        (B, batch, "service_account", account),
        (B, batch, "encryption_spec", key),
    ],
)
def test_what_is_of_another_project_is_named_with_it(kind, make, field, value):
    for project, told in (("other-project", True), ("my-project", False)):
        new = make(**{field: value(project)})
        made = review.of(preview(step("create", kind, new["resource"], None, new)))
        assert ("(another project: other-project)" in texts(made)) == told
        if kind != B:
            old = endpoint() if make is not served else served()
            changed = update(kind, old if kind == D else model(), new)
            assert ("(another project: other-project)" in texts(changed)) == told


@pytest.mark.parametrize("own", ["my-project", "example.com:my-project"])
def test_a_project_of_a_domain_is_itself(own):
    dotted = ".".join(reversed(own.split(":")))
    new = {**model(service_account=account(dotted), predict_request_response_logging_config=logs(own)), "project": own}
    assert "another project" not in texts(review.of(preview(step("create", C, "llama", None, new))))


def test_a_key_of_another_region_is_named_with_it():
    for region, told in (("europe-west4", True), ("us-central1", False), ("global", False)):
        found = update(D, endpoint(), endpoint(encryption_spec=key("my-project", region)))
        assert ("(another region: europe-west4)" in texts(found)) == told


def there(kind, resource, **arguments):
    return step("same", kind, resource, arguments, arguments)


@pytest.mark.parametrize("location", ["EU", "europe-west4", "us-central1", "US"])
def test_buckets_and_datasets_of_the_preview_are_known_to_be_elsewhere(location):
    output = {"predictions_format": "jsonl", "gcs_destination": {"output_uri_prefix": "gs://answers/out"}}
    found = review.of(
        preview(
            there("gcp:storage/bucket:Bucket", "answers", name="answers", location=location, project="their-project"),
            there("gcp:bigquery/dataset:Dataset", "logs", datasetId="logs", location=location, project="my-project"),
            step("create", B, "nightly", None, batch(output_config=output)),
            step("update", C, "llama", model(), model(predict_request_response_logging_config=logs("my-project"))),
        )
    )
    far = location in ("EU", "europe-west4")
    whose = "another project: their-project" + (f"; another region: {location}" if far else "")
    assert found.runs[0].writes == f"gs://answers/out ({whose})"
    assert (f"(another region: {location})" in found.exposure.changes[0].text) == far


def test_a_bucket_of_review_toml_is_known_to_be_elsewhere():
    new = batch(machine_spec=L4)
    found = review.of(preview(step("create", B, "nightly", None, new)), buckets={"batch": "EU"})
    assert found.runs[0].reads == "gs://batch/in.jsonl (another region: EU)"


def test_a_private_address_that_leads_to_another_project_is_an_exposure_that_names_the_project():
    old = rule()
    attachment = "projects/evil/regions/us-central1/serviceAttachments/x"
    found = update("PscForwardingRule", old, {**old, "endpoint": "", "service_attachment": attachment})
    assert found.headline.startswith("look: way: requests go to another project: evil: ")
    assert found.reasons[0].gate == "exposure"
    new = rule(endpoint="", service_attachment=attachment)
    made = review.of(preview(step("create", "PscForwardingRule", "way", new=new)))
    assert "requests go to another project: evil" in made.headline


def test_a_private_address_that_follows_an_endpoint_of_the_preview_is_not_exposed_by_it():
    served = model(private_service_connect_config=ALLOWLIST)
    before = rule(endpoint="projects/my-project/locations/us-central1/endpoints/old")
    after = rule(endpoint=served["endpoint"])
    steps = (
        step("same", "CustomWeightsModel", "llama", served, served),
        step("update", "PscForwardingRule", "way", before, after),
    )
    assert "exposure" not in [reason.gate for reason in review.of(preview(*steps)).reasons]
    assert review.of(preview(steps[1])).reasons[0].gate == "exposure"


def with_a_third(share, project="my-project"):
    old = endpoint()
    third = {"model": f"projects/{project}/locations/us-central1/models/three", "machine_spec": L4}
    split = {"stable": 90 - share, "canary": 10, "third": share}
    return update(
        "DedicatedEndpoint",
        old,
        {**old, "deployed_models": {**old["deployed_models"], "third": third}, "traffic_split": split},
    )


def test_a_new_name_that_gets_traffic_is_reviewed_as_another_model_of_a_name_that_is_there():
    found = {reason.gate: reason for reason in with_a_third(50, "other").reasons}
    assert found["weights"].text == "new: another model answers 50 % of the requests (another project: other)"
    assert found["weights"].also == ["exposure"]
    assert "UNPROBED" in found["unprobed"].text
    assert "exposure" not in with_a_third(50).model_dump_json(include={"reasons"})
    assert {"weights", "unprobed"}.isdisjoint(reason.gate for reason in with_a_third(0).reasons)
    assert "another project: other" in texts(with_a_third(0, "other"))
