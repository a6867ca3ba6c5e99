"""One batch run of a model over questions in a bucket."""

import pulumi

from mg_provider import BatchJob

config = pulumi.Config()

job = BatchJob(
    "nightly",
    model="publishers/meta/models/llama3_1@llama-3.1-8b-instruct",
    input_config={"instances_format": "jsonl", "gcs_source": {"uris": [config.require("questions")]}},
    output_config={
        "predictions_format": "jsonl",
        "gcs_destination": {"output_uri_prefix": config.require("answers")},
    },
    machine_spec={"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1},
    allow_partial=0.01,
    # Another value is another run, and is paid for. The same value runs nothing.
    triggers={"night": config.require("night")},
)

pulumi.export("job", job.batch_prediction_job)
pulumi.export("answers", job.output_location)
pulumi.export("answered", job.successful_count)
pulumi.export("failed", job.failed_count)
