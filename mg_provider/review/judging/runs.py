"""Batch runs that a change starts, and that are paid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mg_provider.prices import Amount
from mg_provider.resources.model.marks import Replaces, marked
from mg_provider.resources.model.meaning import Flow, LastRun
from mg_provider.review.judging.findings import Finding, about
from mg_provider.review.judging.gone import causes
from mg_provider.review.judging.places import Places
from mg_provider.review.machines.costs import Bill, sum_of, times
from mg_provider.review.machines.deployments import CHOSEN_BY_GOOGLE, Turn
from mg_provider.review.model import Run
from mg_provider.review.reading.compare import Subject
from mg_provider.review.reading.values import leaves, show


def starts(subject: Subject) -> bool:
    """Whether a run begins."""
    if not subject.kind.runs or subject.goes or subject.op in ("import", "same"):
        return False
    return subject.is_new or subject.is_replaced or any(change.mark(Replaces) for change in subject.changes)


def run_of(turn: Turn, bill: Bill, places: Places) -> Run:
    """A run that begins, with what it costs an hour."""
    subject, after = turn.subject, turn.after
    least, most, _ = bill.machine(after, subject.region) if after else (Amount(None), Amount(None), None)
    count, is_known = after.replicas(1) if after else (0, True)
    machine = after.label if after else CHOSEN_BY_GOOGLE
    last = _last(subject, "replica hours")
    rows = _last(subject, "rows")
    return Run(
        resource=subject.label,
        region=subject.region,
        why="it is new" if subject.is_new else "; ".join(causes(subject)),
        machine=machine,
        machines=count,
        hour=sum_of(times(most, count, is_known)),
        hour_least=sum_of(times(least, count, is_known)),
        reads=_flow(subject, "reads", places),
        writes=_flow(subject, "writes", places),
        rows_last_run=int(rows) if rows else None,
        last_run=sum_of(most.times(last)) if last else None,
    )


def _last(subject: Subject, what: str) -> float:
    found = [subject.outputs.get(field) for field, mark in marked(subject.kind.state, LastRun) if mark.what == what]
    return float(sum(value for value in found if isinstance(value, int | float)))


def _flow(subject: Subject, direction: str, places: Places) -> str:
    texts = []
    for field, mark in marked(subject.kind.args, Flow):
        if mark.direction == direction:
            texts += [f"{show(leaf)}{places.elsewhere(subject, leaf)}" for leaf in _named(subject.new.get(field))]
    return ", ".join(texts)


def _named(value: Any) -> list[Any]:
    """Of a place in the cloud what has the form of one."""
    found = [leaf for _, leaf in leaves(value)]
    flat = [entry for leaf in found for entry in (leaf if isinstance(leaf, list) else [leaf])]
    return [entry for entry in flat if isinstance(entry, str) and ("://" in entry or "/" in entry)]


def findings(subject: Subject, run: Run) -> Iterator[Finding]:
    """That a run begins, and is paid."""
    again = "runs" if subject.is_new else "runs AGAIN"
    text = f"{again}, and is paid: {run.runs_on}; {run.why}"
    yield about(subject, "batch-run", "look", "runs", text, detail=run.flow)
