"""A model with your own weights on a public endpoint."""

import pulumi

from mg_provider import CustomWeightsModel

config = pulumi.Config()

model = CustomWeightsModel(
    "llama",
    gcs_uri=config.require("weights"),
    machine_spec={"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1},
    max_replica_count=2,
)

pulumi.export("endpoint", model.endpoint)
