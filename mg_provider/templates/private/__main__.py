"""A model with your own weights at a private address in your network."""

import pulumi

from mg_provider import CustomWeightsModel, PscForwardingRule

config = pulumi.Config()
project = pulumi.Config("mg").require("project")

model = CustomWeightsModel(
    "llama",
    gcs_uri=config.require("weights"),
    machine_spec={"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1},
    max_replica_count=2,
    private_service_connect_config={"enable_private_service_connect": True, "project_allowlist": [project]},
)
address = PscForwardingRule(
    "llama-address",
    endpoint=model.endpoint,
    network=config.require("network"),
    subnetwork=config.require("subnetwork"),
)

pulumi.export("endpoint", model.endpoint)
pulumi.export("private_ip", address.ip_address)
