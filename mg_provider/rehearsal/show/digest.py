"""Reports for machines: the digest of `pulumi preview --json`, and the engine events of `pulumi up --json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from mg_provider.clock import Clock
from mg_provider.rehearsal.program.project import Project
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import MASK, masked
from mg_provider.rehearsal.state.steps import Step, Summary

NANOSECONDS: Final = 1_000_000_000


class PreviewDigest:
    """One JSON document when the preview is over, in the shape of ``pkg/display/json.go``.

    Args:
        project: whose config heads the digest.
        write: takes the document.
        show_sames: whether it has what stays as it is.
    """

    def __init__(self, project: Project, write: Callable[[str], None], show_sames: bool = False) -> None:
        self._show_sames = show_sames
        self._write = write
        config = {key: MASK if key in project.secret_keys else value for key, value in project.config.items()}
        self._digest: dict[str, Any] = {"config": config, "steps": [], "diagnostics": []}

    def started(self, step: Step) -> None:
        """Steps count from their start."""
        if step.operation != "refresh" and self._shown(step):
            self._digest["steps"].append(_digest_step(step))

    def ended(self, step: Step) -> None:
        """What a refresh turned out to be is known at its end only."""
        if step.operation == "refresh" and self._shown(step):
            entry = _digest_step(step)
            if step.result == "delete" or (step.result == "update" and step.detailed is not None):
                entry["op"] = step.result
            self._digest["steps"].append(entry)

    def _shown(self, step: Step) -> bool:
        if step.urn.split("::")[2].startswith("pulumi:pulumi:Stack"):
            return True
        if step.operation == "same":
            protects = bool(step.old and step.new and step.old.protect != step.new.protect)
            return protects or (self._show_sames and not step.internal)
        return step.logical

    def failed(self, step: Step, message: str) -> None:
        """Failures come as diagnostics."""

    def diagnostic(self, severity: str, message: str, urn: str) -> None:
        """Collect what is to be shown."""
        if severity != "debug":
            entry = {"urn": urn, "message": message, "severity": severity}
            self._digest["diagnostics"].append({key: value for key, value in entry.items() if value})

    def summary(self, summary: Summary) -> None:
        """Write the document."""
        self._digest["duration"] = int(summary.seconds * NANOSECONDS)
        self._digest["changeSummary"] = summary.changes
        if summary.corrupt:
            self._digest["maybeCorrupt"] = True
        document = {key: value for key, value in self._digest.items() if value or key == "changeSummary"}
        self._write(json.dumps(document, indent=4, ensure_ascii=False))


def _digest_step(step: Step) -> dict[str, Any]:
    entry = {
        "op": step.operation,
        "urn": step.urn,
        "provider": step.state.provider,
        "oldState": step.old.to_json(mask=True) if step.old else None,
        "newState": step.new.to_json(mask=True) if step.new else None,
        "diffReasons": list(step.diffs),
        "replaceReasons": list(step.keys),
    }
    return {key: value for key, value in entry.items() if value} | {"detailedDiff": _detailed(step)}


def _detailed(step: Step) -> dict[str, Any] | None:
    if step.detailed is None:
        return None
    return {path: {"kind": entry.kind, "inputDiff": entry.input_diff} for path, entry in step.detailed.items()}


class EventStream:
    """One JSON object a line while the deployment runs, in the shape of ``sdk/go/common/apitype/events.go``.

    Args:
        clock: the time of each event.
        write: takes each line.
    """

    def __init__(self, clock: Clock, write: Callable[[str], None]) -> None:
        self._clock = clock
        self._write = write
        self._sequence = 0

    def started(self, step: Step) -> None:
        """An operation starts."""
        self._event("resourcePreEvent", {"metadata": _metadata(step, step.operation)})

    def ended(self, step: Step) -> None:
        """An operation went well."""
        self._event("resOutputsEvent", {"metadata": _metadata(step, step.result or step.operation)})

    def failed(self, step: Step, message: str) -> None:
        """An operation failed."""
        self._event("resOpFailedEvent", {"metadata": _metadata(step, step.operation), "status": 0, "steps": 0})

    def diagnostic(self, severity: str, message: str, urn: str) -> None:
        """Something is said."""
        if severity != "debug":
            event = {"urn": urn, "prefix": f"{severity}: ", "message": message, "color": "never", "severity": severity}
            self._event("diagnosticEvent", event)

    def summary(self, summary: Summary) -> None:
        """The deployment is over."""
        event = {
            "maybeCorrupt": summary.corrupt,
            "durationSeconds": int(summary.seconds),
            "resourceChanges": summary.changes,
            "PolicyPacks": {},
            "isPreview": summary.preview,
            "result": "succeeded" if summary.ok else "failed",
        }
        self._event("summaryEvent", event)

    def _event(self, kind: str, payload: dict[str, Any]) -> None:
        event = {"sequence": self._sequence, "timestamp": int(self._clock.now().timestamp()), kind: payload}
        self._sequence += 1
        self._write(json.dumps(event, ensure_ascii=False))


def _metadata(step: Step, operation: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "op": operation,
        "urn": step.urn,
        "type": step.state.type,
        "old": _state(step.old),
        "new": _state(step.new),
        "detailedDiff": _event_detailed(step),
        "provider": step.state.provider,
    }
    extras = {"keys": list(step.keys), "diffs": list(step.diffs), "logical": step.logical}
    return entry | {key: value for key, value in extras.items() if value}


def _event_detailed(step: Step) -> dict[str, Any] | None:
    if step.detailed is None:
        return None
    return {path: {"diffKind": entry.kind, "inputDiff": entry.input_diff} for path, entry in step.detailed.items()}


def _state(state: ResourceState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    entry: dict[str, Any] = {
        "type": state.type,
        "urn": state.urn,
        "id": state.id,
        "parent": state.parent,
        "inputs": masked(state.inputs),
        "outputs": masked(state.outputs),
        "provider": state.provider,
    }
    marks = {
        "custom": state.custom,
        "delete": state.delete,
        "protect": state.protect,
        "external": state.external,
        "retainOnDelete": state.retain_on_delete,
        "initErrors": state.init_errors,
    }
    return entry | {key: value for key, value in marks.items() if value}
