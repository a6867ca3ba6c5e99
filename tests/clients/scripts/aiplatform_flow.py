"""google-cloud-aiplatform as its users use it: Model Garden, endpoints of each kind, models and batch jobs."""

import json
import sys
import time

import requests
from checks import PROJECT, REGION, run
from google.api_core import exceptions
from google.cloud import aiplatform, bigquery, storage
from google.oauth2.credentials import Credentials
from vertexai.preview import model_garden

URL = sys.argv[1]
CREDENTIALS = Credentials(token="ya29.static")
aiplatform.init(
    project=PROJECT,
    location=REGION,
    api_endpoint=URL,
    api_transport="rest",
    credentials=CREDENTIALS,
    staging_bucket="gs://weights",
)
bucket = storage.Client(project=PROJECT, credentials=CREDENTIALS, client_options={"api_endpoint": URL}).bucket(
    "weights"
)
WEIGHTS = "gs://weights/llama"
MACHINE = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
LLAMA = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"
QUESTION = {"messages": [{"role": "user", "content": "Why?"}]}
COMPUTE = f"{URL}/compute/v1/projects/{PROJECT}/regions/{REGION}"


def puts_weights_into_a_bucket():
    bucket.create(location=REGION)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    bucket.blob("llama/config.json").upload_from_string(json.dumps(config))
    bucket.blob("llama/model.safetensors").upload_from_string(b"0" * 64)


def is_recommended_machines_for_the_weights():
    assert "g2-standard" in model_garden.CustomModel(gcs_uri=WEIGHTS).list_deploy_options()


def deploys_custom_weights_as_they_are():
    endpoint = model_garden.CustomModel(gcs_uri=WEIGHTS).deploy()
    deployed = endpoint.list_models()
    assert len(deployed) == 1
    assert endpoint.dedicated_endpoint_enabled
    (model,) = aiplatform.Model.list(filter=f'model="{deployed[0].model.rpartition("/")[2]}"')
    assert model.resource_name == deployed[0].model
    tear_down(endpoint)
    model.delete()


def deploys_custom_weights_on_a_machine_and_asks_them():
    endpoint = model_garden.CustomModel(gcs_uri=WEIGHTS).deploy(
        **MACHINE, endpoint_display_name="chat", model_display_name="llama"
    )
    assert endpoint.display_name == "chat"
    assert endpoint.dedicated_endpoint_dns.endswith(".prediction.vertexai.goog")
    assert endpoint.predict(instances=[{"prompt": "Why?"}]).predictions
    asked = endpoint.raw_predict(body=json.dumps({"instances": [{"prompt": "Why?"}]}), headers={})
    assert asked.status_code == 200
    assert asked.json()["predictions"]
    lines = list(endpoint.stream_raw_predict(body=json.dumps({**QUESTION, "stream": True}).encode(), headers={}))
    assert lines
    (model,) = aiplatform.Model.list(filter='display_name="llama"')
    tear_down(endpoint)
    model.delete()


def deploys_custom_weights_privately():
    endpoint = model_garden.CustomModel(gcs_uri=WEIGHTS).deploy(
        **MACHINE, enable_private_service_connect=True, psc_project_allow_list=[PROJECT], model_display_name="private"
    )
    (deployed,) = endpoint.list_models()
    assert "/serviceAttachments/gkedpm-" in deployed.private_endpoints.service_attachment
    (model,) = aiplatform.Model.list(filter='display_name="private"')
    tear_down(endpoint)
    model.delete()


def deploys_an_open_model():
    assert "meta/llama3_1@llama-3.1-8b-instruct" in model_garden.list_deployable_models(model_filter="llama3_1")
    open_model = model_garden.OpenModel("meta/llama3_1@llama-3.1-8b-instruct")
    assert not open_model.check_license_agreement_status()
    assert open_model.accept_model_license_agreement().publisher_model_eula_acked
    assert open_model.check_license_agreement_status()
    assert "g2-standard" in open_model.list_deploy_options(concise=True)
    endpoint = open_model.deploy(**MACHINE, model_display_name="open")
    assert len(endpoint.list_models()) == 1
    (model,) = aiplatform.Model.list(filter='display_name="open"')
    tear_down(endpoint)
    model.delete()


def deploys_a_model_of_hugging_face():
    open_model = model_garden.OpenModel("Qwen/Qwen3-4B")
    assert "g2-standard" in open_model.list_deploy_options(concise=True)
    endpoint = open_model.deploy(model_display_name="hugging")
    assert len(endpoint.list_models()) == 1
    (model,) = aiplatform.Model.list(filter='display_name="hugging"')
    tear_down(endpoint)
    model.delete()


def uploads_a_model():
    model = upload("weights-1")
    model.update(description="the first", labels={"team": "search"})
    again = aiplatform.Model(model.resource_name)
    assert (again.description, again.labels) == ("the first", {"team": "search"})
    assert [each.name for each in aiplatform.Model.list(filter="labels.team=search")] == [model.name]


def runs_an_endpoint_of_its_own_domain():
    endpoint = aiplatform.Endpoint.create(
        display_name="own", endpoint_id="1234567890", dedicated_endpoint_enabled=True, labels={"a": "b"}
    )
    assert endpoint.name == "1234567890"
    endpoint.deploy(model=first_model(), **MACHINE, deployed_model_display_name="first", traffic_percentage=100)
    (deployed,) = endpoint.list_models()
    assert endpoint.traffic_split == {deployed.id: 100}
    answered = endpoint.predict(instances=[{"prompt": "Why?"}])
    assert answered.predictions
    assert answered.deployed_model_id == deployed.id
    endpoint.update(display_name="renamed", description="ours", labels={"a": "c"})
    assert [each.display_name for each in aiplatform.Endpoint.list(filter="labels.a=c")] == ["renamed"]
    endpoint.deploy(model=first_model(), **MACHINE, deployed_model_display_name="second", traffic_percentage=50)
    second = next(each for each in endpoint.list_models() if each.id != deployed.id)
    assert endpoint.traffic_split == {deployed.id: 50, second.id: 50}
    endpoint.undeploy(deployed.id)
    assert endpoint.traffic_split == {second.id: 100}
    assert "has deployed or being-deployed DeployedModel(s)" in refusal(endpoint.delete)
    endpoint.delete(force=True)


def runs_an_endpoint_of_the_shared_domain():
    endpoint = first_model().deploy(**MACHINE, deployed_model_display_name="shared")
    assert endpoint.predict(instances=[{"prompt": "Why?"}]).predictions
    tear_down(endpoint)


def serves_a_model_of_another_region():
    elsewhere = upload("elsewhere", location="europe-west4")
    endpoint = aiplatform.Endpoint.create(display_name="far")
    endpoint.deploy(model=elsewhere, **MACHINE)
    assert endpoint.list_models()[0].model == elsewhere.resource_name
    tear_down(endpoint)
    elsewhere.delete()


def runs_a_private_endpoint():
    endpoint = aiplatform.PrivateEndpoint.create(
        display_name="inside",
        private_service_connect_config=aiplatform.PrivateEndpoint.PrivateServiceConnectConfig(
            project_allowlist=[PROJECT]
        ),
    )
    endpoint.deploy(model=first_model(), **MACHINE)
    (deployed,) = endpoint.list_models()
    connect(deployed.private_endpoints.service_attachment)
    number = endpoint.resource_name.split("/")[1]
    name = f"{endpoint.name}-{REGION}-{number}.prediction.p.vertexai.goog"
    answered = endpoint.predict(instances=[{"prompt": "Why?"}], endpoint_override=name)
    assert answered.predictions
    raw = endpoint.raw_predict(
        body=json.dumps({"instances": [{"prompt": "Why?"}]}),
        headers={"Content-Type": "application/json"},
        endpoint_override=name,
    )
    assert raw.status_code == 200
    assert [each.name for each in aiplatform.PrivateEndpoint.list(filter='display_name="inside"')] == [endpoint.name]
    disconnect()
    endpoint.undeploy_all()
    endpoint.delete()


def runs_a_batch_job_over_files():
    rows = [json.dumps({"body": QUESTION})] * 2
    bucket.blob("in/prompts.jsonl").upload_from_string("\n".join(rows))
    job = aiplatform.BatchPredictionJob.submit(
        job_display_name="files",
        model_name=LLAMA,
        gcs_source="gs://weights/in/prompts.jsonl",
        instances_format="jsonl",
        gcs_destination_prefix="gs://weights/out",
        predictions_format="jsonl",
        **MACHINE,
        starting_replica_count=1,
    )
    until_it_is(job, "JOB_STATE_SUCCEEDED")
    assert job.completion_stats.successful_count == 2
    assert job.output_info.gcs_output_directory.startswith("gs://weights/out/prediction-")
    assert [each.name for each in aiplatform.BatchPredictionJob.list(filter='display_name="files"')] == [job.name]
    written = [blob for blob in bucket.list_blobs(prefix="out/") if "predictions" in blob.name]
    assert sum(len(blob.download_as_text().splitlines()) for blob in written) == 2
    # The client makes a storage client of its own for this.
    assert [blob.name for blob in job.iter_outputs()] == [blob.name for blob in written]
    job.delete()


def runs_a_batch_job_over_a_table():
    client = bigquery.Client(project=PROJECT, credentials=CREDENTIALS, client_options={"api_endpoint": URL})
    dataset = bigquery.Dataset(f"{PROJECT}.prompts")
    dataset.location = REGION
    client.create_dataset(dataset)
    client.create_table(bigquery.Table(f"{PROJECT}.prompts.in", schema=[bigquery.SchemaField("body", "JSON")]))
    assert client.insert_rows_json(f"{PROJECT}.prompts.in", [{"body": json.dumps(QUESTION)}]) == []
    job = aiplatform.BatchPredictionJob.create(
        job_display_name="table",
        model_name=LLAMA,
        bigquery_source=f"bq://{PROJECT}.prompts.in",
        instances_format="bigquery",
        bigquery_destination_prefix=f"bq://{PROJECT}.prompts",
        predictions_format="bigquery",
        **MACHINE,
        starting_replica_count=1,
    )
    assert job.state.name == "JOB_STATE_SUCCEEDED"
    assert job.output_info.bigquery_output_table
    job.delete()
    client.delete_dataset("prompts", delete_contents=True)


def cancels_a_batch_job():
    # The job must not be over before it is cancelled, so time stands still.
    requests.post(f"{URL}/_mg/clock", json={"speed": 0}, timeout=20).raise_for_status()
    job = aiplatform.BatchPredictionJob.submit(
        job_display_name="stopped",
        model_name=LLAMA,
        gcs_source="gs://weights/in/prompts.jsonl",
        gcs_destination_prefix="gs://weights/out",
        **MACHINE,
        starting_replica_count=1,
    )
    job.cancel()
    requests.post(f"{URL}/_mg/clock", json={"speed": 6000}, timeout=20).raise_for_status()
    until_it_is(job, "JOB_STATE_CANCELLED")
    job.delete()


def deletes_what_is_left():
    for model in aiplatform.Model.list():
        model.delete()
    assert aiplatform.Endpoint.list() == []
    assert aiplatform.BatchPredictionJob.list() == []
    bucket.delete(force=True)


def upload(name, **more):
    return aiplatform.Model.upload(
        display_name=name,
        artifact_uri=WEIGHTS,
        serving_container_image_uri="us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden-dockers/vllm:latest",
        serving_container_predict_route="/generate",
        serving_container_health_route="/ping",
        **more,
    )


def first_model():
    return aiplatform.Model.list(filter='display_name="weights-1"')[0]


def tear_down(endpoint):
    endpoint.undeploy_all()
    endpoint.delete()


def refusal(action):
    try:
        action()
    except exceptions.BadRequest as error:
        return str(error)
    raise AssertionError(f"{action} was not refused")


def until_it_is(job, state):
    until = time.monotonic() + 20
    while job.state.name != state:
        assert time.monotonic() < until, job.state
        time.sleep(0.05)


def connect(attachment):
    subnetwork = f"projects/{PROJECT}/regions/{REGION}/subnetworks/default"
    address = {"name": "inside", "addressType": "INTERNAL", "purpose": "GCE_ENDPOINT", "subnetwork": subnetwork}
    compute("POST", "addresses", address)
    link = f"projects/{PROJECT}/regions/{REGION}/addresses/inside"
    rule = {"name": "inside", "IPAddress": link, "network": "global/networks/default", "target": attachment}
    compute("POST", "forwardingRules", rule)


def disconnect():
    compute("DELETE", "forwardingRules/inside")
    compute("DELETE", "addresses/inside")


def compute(verb, path, body=None):
    answer = requests.request(verb, f"{COMPUTE}/{path}", json=body, timeout=20)
    answer.raise_for_status()
    operation = answer.json()
    while operation["status"] != "DONE":
        time.sleep(0.02)
        operation = requests.get(f"{COMPUTE}/operations/{operation['name']}", timeout=20).json()
    assert "error" not in operation, operation


run(
    puts_weights_into_a_bucket,
    is_recommended_machines_for_the_weights,
    deploys_custom_weights_as_they_are,
    deploys_custom_weights_on_a_machine_and_asks_them,
    deploys_custom_weights_privately,
    deploys_an_open_model,
    deploys_a_model_of_hugging_face,
    uploads_a_model,
    runs_an_endpoint_of_its_own_domain,
    runs_an_endpoint_of_the_shared_domain,
    serves_a_model_of_another_region,
    runs_a_private_endpoint,
    runs_a_batch_job_over_files,
    runs_a_batch_job_over_a_table,
    cancels_a_batch_job,
    deletes_what_is_left,
)
