"""What a program says of a batch prediction run."""

from __future__ import annotations

from typing import ClassVar

from mg_provider.resources.batch_job.fields import BatchJobFields
from mg_provider.resources.batch_job.rules import BATCH_RULES, RUN_LABEL
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.resources.model.standing import asked_for
from mg_provider.wire.base import nested
from mg_provider.wire.vertex.batch import BatchPredictionJob
from mg_provider.wire.vertex.machine import MachineSpec


class BatchJobArgs(BatchJobFields):
    """What a user says of a batch prediction run."""

    rules: ClassVar[tuple[Rule, ...]] = (
        *CloudArgs.rules,
        *BATCH_RULES,
    )
    always_in_ids = CloudArgs.always_in_ids | {
        *("display_name", "model", "unmanaged_container_model", "endpoint", "input_config", "output_config"),
        *("machine_spec", "starting_replica_count", "max_replica_count", "spot", "flex_start", "instance_config"),
        *("model_parameters", "manual_batch_tuning_parameters", "service_account", "encryption_spec"),
        *("disable_container_logging", "triggers"),
    }

    @property
    def parent(self) -> str:
        """``projects/{project}/locations/{region}``."""
        return f"projects/{self.project}/locations/{self.region}"

    def own_labels(self) -> dict[str, str]:
        """The labels that say whose the job is and which run."""
        return {**self.ownership, RUN_LABEL: self.run}

    def wire(self, machine: MachineSpec | None) -> BatchPredictionJob:
        """The request of ``batchPredictionJobs.create`` on this machine; None where Google chooses machines."""
        asked = {
            **asked_for(self, "job"),
            "dedicated_resources.machine_spec": machine,
            "dedicated_resources.max_replica_count": max(self.max_replica_count, self.starting_replica_count or 1),
            "labels": {**self.labels, **self.own_labels()},
        }
        if machine is None:
            asked = {path: value for path, value in asked.items() if not path.startswith("dedicated_resources.")}
        return BatchPredictionJob(**nested(asked))
