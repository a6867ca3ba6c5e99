"""A change that a person would refuse, as the engine writes its preview: the example of the documents."""

from tests.review.build import A100, ALLOWLIST, L4, batch, endpoint, model, preview, rule, step

PRIVATE = {"private_service_connect_config": ALLOWLIST, "max_replica_count": 2}


def refused() -> str:
    """One model turns public on machines that are dearer; an endpoint that serves is deleted; the rest is routine."""
    here, there = (model(f"llama-{region}", region, **PRIVATE) for region in ("us-central1", "europe-west4"))
    opened = {**here, "machine_spec": A100, "max_replica_count": 8, "gcs_uri": "gs://weights/llama/v2"}
    del opened["private_service_connect_config"]
    ways = [
        rule(f"way-{served['region']}", served["region"], endpoint=served["endpoint"], network="apps")
        for served in (here, there)
    ]
    chat, search = endpoint("chat"), endpoint("search", "europe-west4")
    search["deployed_models"] = {"stable": {**search["deployed_models"]["stable"], "machine_spec": L4}}
    search["traffic_split"] = {"stable": 100}
    night = batch()
    return preview(
        step("update", "CustomWeightsModel", "llama-us-central1", here, opened, protect=(True, False)),
        step("same", "CustomWeightsModel", "llama-europe-west4", there, there),
        *(step("same", "PscForwardingRule", way["resource"], way, way) for way in ways),
        step("update", "DedicatedEndpoint", "chat", chat, {**chat, "traffic_split": {"stable": 50, "canary": 50}}),
        step(
            "delete",
            "DedicatedEndpoint",
            "search",
            search,
            outputs={"dns_name": "search-1a2b3c4d.europe-west4-1234567890.prediction.vertexai.goog"},
        ),
        step("replace", "BatchJob", "nightly", night, {**night, "triggers": {"night": "2"}}),
        same=3,
    )
