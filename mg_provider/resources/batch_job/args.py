"""What a program says of a batch prediction run."""

from __future__ import annotations

from typing import ClassVar

from mg_provider.resources.batch_job.fields import BatchJobFields
from mg_provider.resources.batch_job.rules import BATCH_RULES, RUN_LABEL
from mg_provider.resources.model.args import Rule
from mg_provider.resources.model.lifecycle import CloudArgs
from mg_provider.wire.vertex.batch import (
    BatchPredictionJob,
)
from mg_provider.wire.vertex.machine import BatchDedicatedResources, MachineSpec

# A change of one of these makes another run.
SEEDS = (
    "model",
    "unmanaged_container_model",
    "endpoint",
    "input_config",
    "output_config",
    "machine_spec",
    "starting_replica_count",
    "max_replica_count",
    "spot",
    "flex_start",
    "instance_config",
    "model_parameters",
    "manual_batch_tuning_parameters",
    "service_account",
    "encryption_spec",
    "disable_container_logging",
    "triggers",
)


class BatchJobArgs(BatchJobFields):
    """What a user says of a batch prediction run."""

    rules: ClassVar[tuple[Rule, ...]] = (
        *CloudArgs.rules,
        *BATCH_RULES,
    )

    @property
    def parent(self) -> str:
        """``projects/{project}/locations/{region}``."""
        return f"projects/{self.project}/locations/{self.region}"

    def own_labels(self) -> dict[str, str]:
        """The labels that say whose the job is and which run."""
        return {**self.ownership, RUN_LABEL: self.run}

    def wire(self, machine: MachineSpec | None) -> BatchPredictionJob:
        """The request of ``batchPredictionJobs.create`` on this machine; None where Google chooses machines."""
        machines = BatchDedicatedResources(
            machine_spec=machine,
            starting_replica_count=self.starting_replica_count,
            max_replica_count=max(self.max_replica_count, self.starting_replica_count or 1),
            spot=self.spot or None,
            flex_start=self.flex_start,
        )
        return BatchPredictionJob(
            display_name=self.display_name,
            model=self.model or None,
            unmanaged_container_model=self.unmanaged_container_model,
            endpoint=self.endpoint or None,
            input_config=self.input_config,
            output_config=self.output_config,
            dedicated_resources=machines if machine else None,
            instance_config=self.instance_config,
            model_parameters=self.model_parameters,
            manual_batch_tuning_parameters=self.manual_batch_tuning_parameters,
            service_account=self.service_account or None,
            encryption_spec=self.encryption_spec,
            disable_container_logging=self.disable_container_logging or None,
            labels={**self.labels, **self.own_labels()},
        )
