"""A named output table, which takes the answers of one run: a job writes to a table that does not exist yet only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.api.errors import UserError
from mg_provider.resources.batch_job.names import is_one_table
from mg_provider.resources.model.diff import compare

if TYPE_CHECKING:
    from mg_provider.resources.batch_job.args import BatchJobArgs
    from mg_provider.resources.batch_job.outcome import BatchJobState


def same_table(old: BatchJobArgs, new: BatchJobArgs) -> bool:
    """Whether both runs write to one table that their arguments name."""
    return bool(_table(new)) and _table(old) == _table(new)


def refuse_same_table(old: BatchJobArgs, new: BatchJobArgs, state: BatchJobState) -> None:
    """Refuse another run into a table that has the answers of this one, or is to have them. Pure.

    A run that deletes its output gives its table free, and so does one that ended without an answer.

    Raises:
        UserError: The new run would fail when its answers are written, after they were paid for.
    """
    if old.delete_output or not same_table(old, new):
        return
    written = bool(state.output_location)
    writing = bool(state.batch_prediction_job) and not state.ended
    if (written or writing) and compare(old, new).replaces:
        what = "has the answers" if written else "is the output"
        raise UserError(
            f"same output table: {_table(new)} {what} of the run that this change replaces, "
            "and a job writes to a new table only",
            property="output_config",
            resource=new.resource,
            hint="name another table, or only its dataset (bq://project.dataset), in which each run makes tables of "
            "its own; a run that was made with delete_output=True is deleted with its table before the next one starts",
        )


def _table(args: BatchJobArgs) -> str:
    if not args.is_known("output_config"):
        return ""
    destination = args.output_config.bigquery_destination
    return destination.output_uri if destination and is_one_table(destination.output_uri) else ""
