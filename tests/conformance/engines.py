"""Two engines behind one interface: the rehearsal engine in this process, and `pulumi` where it is on PATH."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mg_provider.rehearsal.command import rehearse
from tests.support.running.pulumi_environment import STREAMED, alone_in

HERE = Path(__file__).parent
PROJECT, STACK = "toys", "test"
PULUMI = shutil.which("pulumi")

KEPT = [
    "urn",
    "type",
    "custom",
    "parent",
    "inputs",
    "outputs",
    "dependencies",
    "propertyDependencies",
    "protect",
    "external",
    "initErrors",
    "delete",
    "pendingReplacement",
    "additionalSecretOutputs",
    "retainOnDelete",
    "deletedWith",
    "ignoreChanges",
    "replaceOnChanges",
    "customTimeouts",
]
SECRET = "4dabf18193072939515e22adb298388d"


@dataclass
class Outcome:
    """What one operation did, in terms that do not depend on the engine."""

    ok: bool
    steps: list[dict[str, Any]]
    resources: list[dict[str, Any]]
    errors: list[str] = field(default_factory=list)

    def operations(self) -> list[str]:
        """``operation name`` for each step that is not ``same``, in order."""
        return [f"{step['op']} {step['name']}" for step in self.steps if step["op"] not in ("same", "replace")]

    def step(self, operation: str, name: str) -> dict[str, Any]:
        return next(step for step in self.steps if (step["op"], step["name"]) == (operation, name))

    def resource(self, name: str) -> dict[str, Any]:
        return next(entry for entry in self.resources if entry["urn"].endswith(f"::{name}"))

    def names(self) -> list[str]:
        return [entry["urn"].rsplit("::", 1)[-1] for entry in self.resources]

    @property
    def outputs(self) -> dict[str, Any]:
        return self.resource(f"{PROJECT}-{STACK}").get("outputs", {})

    def comparable(self) -> dict[str, Any]:
        steps = {f"{step['op']} {step['name']} {index}": step for index, step in enumerate(sorted_json(self.steps))}
        resources = {f"{entry['urn']} {entry.get('delete', '')}": entry for entry in sorted_json(self.resources)}
        return {"ok": self.ok, "steps": steps, "resources": resources}


def sorted_json(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))


def differences(theirs: Any, ours: Any, where: str = "") -> list[str]:
    """One line for each place where two outcomes differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = []
        for key in sorted(theirs.keys() | ours.keys()):
            found += differences(theirs.get(key), ours.get(key), f"{where}/{key}")
        return found
    return [] if theirs == ours else [f"{where}: pulumi {theirs!r}, rehearsal {ours!r}"]


def normal(value: Any) -> Any:
    """Values without what differs from run to run: ids, secrets' cover, the order of nothing."""
    if isinstance(value, dict):
        if SECRET in value:
            return {"secret": normal(json.loads(value["plaintext"]))}
        return {key: normal(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [normal(entry) for entry in value]
    if isinstance(value, str):
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", value)
        return re.sub(r"-[0-9a-f]{8}\b", "-ID", text)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def normal_resource(document: dict[str, Any]) -> dict[str, Any]:
    kept = {key: normal(document[key]) for key in KEPT if document.get(key)}
    kept["outputs"] = {key: value for key, value in kept.get("outputs", {}).items() if key != "pid"}
    for key in ("dependencies", "additionalSecretOutputs"):
        kept[key] = sorted(kept.get(key, []))
    kept["propertyDependencies"] = {key: sorted(urns) for key, urns in kept.get("propertyDependencies", {}).items()}
    kept["provider"] = document.get("provider", "").rsplit("::", 1)[0]
    kept["has id"] = bool(document.get("id"))
    return kept


def normal_step(metadata: dict[str, Any]) -> dict[str, Any]:
    detailed = metadata.get("detailedDiff")
    return {
        "op": metadata["op"],
        "name": metadata["urn"].rsplit("::", 1)[-1],
        "type": metadata["type"],
        "keys": sorted(metadata.get("keys") or []),
        "diffs": sorted(metadata.get("diffs") or []),
        "detailed": None if detailed is None else {path: entry["diffKind"] for path, entry in detailed.items()},
    }


def steps_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a stream of engine events; a refresh counts as what it turned out to be."""
    steps = []
    for event in events:
        metadata = event.get("resourcePreEvent", {}).get("metadata")
        done = event.get("resOutputsEvent", {}).get("metadata")
        if (
            metadata
            and metadata["op"] != "refresh"
            and "::pulumi:providers:pulumi-python::default" not in metadata["urn"]
        ):
            steps.append(normal_step(metadata))
        if done and done["op"] in ("same", "update", "delete") and event.get("refreshed"):
            steps.append(normal_step(done) | {"op": f"refresh-{done['op']}"})
    return steps


def with_refreshes(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mark the ends of refreshes, which look like other steps."""
    refreshed = set()
    for event in events:
        metadata = event.get("resourcePreEvent", {}).get("metadata", {})
        if metadata.get("op") == "refresh":
            refreshed.add(metadata["urn"])
        done = event.get("resOutputsEvent", {}).get("metadata", {})
        default = "::pulumi:providers:pulumi-python::default" in done.get("urn", "")
        if done.get("urn") in refreshed and not default:
            event["refreshed"] = True
    return events


class World(ABC):
    """A project, a stack and a toy cloud in a folder; one engine runs on it."""

    engine = ""

    def __init__(self, folder: Path, virtualenv: str = sys.prefix) -> None:
        self.folder = folder
        self.cloud = folder / "cloud"
        self.cloud.mkdir(parents=True)
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": virtualenv}}
        (folder / "Pulumi.yaml").write_text(json.dumps({"name": PROJECT, "runtime": runtime}), encoding="utf-8")
        # A program that is written twice in a second, at one size, is the same to Python's bytecode cache.
        uncached = {"PYTHONDONTWRITEBYTECODE": "1"}
        self.environment = {"TOY_CLOUD": str(self.cloud), "PYTHONPATH": str(HERE), **uncached}
        self.outcomes: list[Outcome] = []
        self.program("")

    def program(self, text: str) -> None:
        heading = "import pulumi\nfrom toycloud import *\nopts = pulumi.ResourceOptions\n"
        (self.folder / "__main__.py").write_text(heading + text, encoding="utf-8")

    def config(self, **values: str) -> None:
        document = {"config": {key.replace("__", ":"): value for key, value in values.items()}}
        path = self.folder / f"Pulumi.{STACK}.yaml"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        salt = re.search(r"^encryptionsalt:.*$", before, re.MULTILINE)
        document |= {"encryptionsalt": salt.group().partition(": ")[2]} if salt else {}
        path.write_text(json.dumps(document), encoding="utf-8")

    def fail(self, **calls: str) -> None:
        """Make calls fail from now on: ``create__a="error"``."""
        document = {call.replace("__", ":"): how for call, how in calls.items()}
        (self.cloud / "fail").write_text(json.dumps(document), encoding="utf-8")

    def things(self) -> dict[str, dict[str, Any]]:
        """What exists in the cloud, by label."""
        found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(self.cloud.glob("*.json"))]
        return {entry["label"]: entry for entry in found}

    def count(self) -> int:
        return len(list(self.cloud.glob("*.json")))

    def edit(self, label: str, **changes: Any) -> None:
        """Change a thing behind the engine's back."""
        for path in self.cloud.glob(f"{label}-*.json"):
            document = json.loads(path.read_text(encoding="utf-8")) | changes
            path.write_text(json.dumps(document), encoding="utf-8")

    def vanish(self, label: str) -> None:
        for path in self.cloud.glob(f"{label}-*.json"):
            path.unlink()

    def journal(self) -> list[str]:
        """The calls since the last time this was asked."""
        path = self.cloud / "journal"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def do(self, operation: str, *, targets: tuple[str, ...] = ()) -> Outcome:
        outcome = self.run(operation, targets)
        self.outcomes.append(outcome)
        return outcome

    @abstractmethod
    def run(self, operation: str, targets: tuple[str, ...]) -> Outcome:
        """Run one operation on the engine."""

    def up(self, **options: Any) -> Outcome:
        outcome = self.do("up", **options)
        assert outcome.ok, outcome.errors
        return outcome

    def outcome(self, ok: bool, events: list[dict[str, Any]], state: dict[str, Any], preview: bool) -> Outcome:
        errors = [
            event["diagnosticEvent"]["message"]
            for event in events
            if event.get("diagnosticEvent", {}).get("severity") == "error"
        ]
        resources = [] if preview else [normal_resource(entry) for entry in state["deployment"].get("resources") or []]
        return Outcome(ok, steps_of(with_refreshes(events)), resources, errors)


class RehearsalWorld(World):
    """Runs in this process, except for the program and the providers."""

    engine = "rehearsal"

    def __init__(self, folder: Path, virtualenv: str = sys.prefix, *, stock_sdk: bool = False) -> None:
        super().__init__(folder, virtualenv)
        self.state_file = folder / "state.json"
        self.stock_sdk = stock_sdk

    def run(self, operation: str, targets: tuple[str, ...]) -> Outcome:
        code, lines = self.rehearse(operation, events=True, targets=targets)
        events = [json.loads(line) for line in lines]
        state = json.loads(self.state_file.read_text(encoding="utf-8")) if self.state_file.exists() else {}
        return self.outcome(code == 0, events, state, operation == "preview")

    def digest(self, *, show_sames: bool = False) -> dict[str, Any]:
        return json.loads("".join(self.rehearse("preview", show_sames=show_sames)[1]))

    def rehearse(self, operation: str, **options: Any) -> tuple[int, list[str]]:
        lines: list[str] = []
        before = {key: os.environ.get(key) for key in self.environment}
        os.environ.update(self.environment)
        try:
            arguments = (operation, STACK, self.folder, self.state_file)
            options = {"as_json": True, "write": lines.append, "stock_sdk": self.stock_sdk, **options}
            return rehearse(*arguments, **options), lines  # type: ignore[arg-type]
        finally:
            for key, value in before.items():
                os.environ.pop(key) if value is None else os.environ.update({key: value})


class PulumiWorld(World):
    """Runs the `pulumi` CLI with a backend in the folder."""

    engine = "pulumi"

    def __init__(self, folder: Path, virtualenv: str = sys.prefix) -> None:
        super().__init__(folder, virtualenv)
        self.environment |= alone_in(folder) | STREAMED
        self.call("stack", "init", STACK)

    def call(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        if PULUMI is None:
            raise FileNotFoundError("pulumi")
        return subprocess.run(
            [
                PULUMI,
                *arguments,
                "--non-interactive",
                "--stack" if arguments[0] != "stack" else "--color",
                STACK if arguments[0] != "stack" else "never",
            ],
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=100,
        )

    def run(self, operation: str, targets: tuple[str, ...]) -> Outcome:
        options = [] if operation == "preview" else ["--yes", "--skip-preview"]
        for target in targets:
            options += ["--target", target if target.startswith("urn:") else f"**::{target}"]
        done = self.call(operation, "--json", *options, check=False)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        is_preview = operation == "preview"
        state = {} if is_preview else json.loads(self.call("stack", "export", "--show-secrets").stdout)
        outcome = self.outcome(done.returncode == 0, events, state, is_preview)
        if not outcome.ok and not outcome.errors:
            outcome.errors.append(done.stderr + done.stdout[-2000:])
        return outcome

    def digest(self, *, show_sames: bool = False) -> dict[str, Any]:
        streaming = self.environment.pop("PULUMI_ENABLE_STREAMING_JSON_PREVIEW")
        done = self.call("preview", "--json", *(["--show-sames"] if show_sames else []))
        self.environment["PULUMI_ENABLE_STREAMING_JSON_PREVIEW"] = streaming
        return json.loads(done.stdout)
