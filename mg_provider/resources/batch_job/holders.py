"""Which record of the stack's state has which job.

Two records can have one job: `pulumi up --replace`, or a change that is taken back before the old record was deleted,
makes a record that takes up the job of one that is still to be deleted. A job's labels cannot be changed, so the job
cannot say that; the records can. Each has a claim of its own in its outputs, and in every command the engine shows the
record that stays, by a create or a diff, before it deletes one that was replaced. So each process learns it from the
stack's state, and nothing is lost with a process. A destroy shows none, and then all of them go.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mg_provider.resources.batch_job.args import BatchJobArgs

Resource = tuple[str, ...]


class JobHolders:
    """The job and the claim of each resource's record, as the engine last showed it to this process."""

    def __init__(self) -> None:
        self._records: dict[Resource, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def note(self, args: BatchJobArgs, job: str, claim: str) -> None:
        """Take note that this is the resource's record now: it has the job, if any, under the claim."""
        resource = (args.owner, args.resource, args.program_path)
        with self._lock:
            self._records[resource] = (job, claim)

    def has_other(self, job: str, claim: str) -> bool:
        """Whether another record than the one with this claim has the job."""
        with self._lock:
            return any(held == job and by != claim for held, by in self._records.values() if held)
