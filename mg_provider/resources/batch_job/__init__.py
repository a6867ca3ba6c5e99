"""``BatchJob``: one run of batch prediction."""

from __future__ import annotations

from mg_provider.resources.batch_job.lifecycle import BatchJobLifecycle
from mg_provider.resources.constructors.batch_job import BatchJobConstructor
from mg_provider.resources.dynamic.host import DynamicProvider


class BatchJobProvider(DynamicProvider):
    """Serves ``BatchJob``. Its path is in the state of every stack and never changes."""

    lifecycle = BatchJobLifecycle


class BatchJob(BatchJobConstructor, module="mg", name="BatchJob"):
    """One batch prediction run."""

    provider_type = BatchJobProvider
