"""A cloud that is a folder, and a dynamic provider for it: tests see what exists, and make calls fail.

Each thing is a JSON file named by its id; ``journal`` has a line for each call. A file ``fail`` holds JSON: for
``operation:name`` how the call fails: ``error`` (nothing happened), ``partial`` (it exists but is not ready), ``hang``,
``wait`` (until there is a file ``go``).
"""

from __future__ import annotations

import json
import os
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import pulumi
from google.protobuf import any_pb2
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.runtime.proto import provider_pb2, status_pb2

IGNORED = ("__provider",)


class Cloud:
    """The folder."""

    def __init__(self) -> None:
        self.folder = Path(os.environ["TOY_CLOUD"])

    def note(self, operation: str, name: str) -> None:
        with (self.folder / "journal").open("a", encoding="utf-8") as journal:
            journal.write(f"{operation} {name}\n")

    def failure(self, operation: str, name: str) -> str:
        path = self.folder / "fail"
        if not path.exists():
            return ""
        return json.loads(path.read_text(encoding="utf-8")).get(f"{operation}:{name}", "")

    def put(self, identifier: str, properties: dict) -> None:
        (self.folder / f"{identifier}.json").write_text(json.dumps(properties), encoding="utf-8")

    def get(self, identifier: str) -> dict | None:
        path = self.folder / f"{identifier}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def await_others(self, arrived: Callable[[], bool]) -> None:
        for _ in range(1000):
            if arrived():
                return
            threading.Event().wait(0.02)
        raise RuntimeError("the others never came")

    def remove(self, identifier: str) -> None:
        (self.folder / f"{identifier}.json").unlink(missing_ok=True)


def plain(properties: dict) -> dict:
    return {key: value for key, value in properties.items() if key not in IGNORED}


def report_partial(identifier: str, outputs: dict, reasons: list[str]) -> None:
    """Tell the engine that something exists although the call fails; there is no public way to say so."""
    frame = sys._getframe()
    while frame is not None:
        context, request = frame.f_locals.get("context"), frame.f_locals.get("request")
        if hasattr(context, "set_trailing_metadata") and request is not None:
            break
        frame = frame.f_back
    failed = provider_pb2.ErrorResourceInitFailed(id=identifier, reasons=reasons)
    failed.properties.update(outputs)
    detail = any_pb2.Any()
    detail.Pack(failed)
    status = status_pb2.Status(code=2, message="not ready", details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))


class ThingProvider(ResourceProvider):
    """`size` changes in place, `zone` replaces, `slot` replaces and has to go first; `token` is a secret."""

    serialize_as_secret_always = False

    def check(self, _olds: dict, news: dict) -> CheckResult:
        failures = []
        for key in ("size", "limit"):
            value = news.get(key)
            if isinstance(value, float) and value < 0:
                failures.append(CheckFailure(key, "must not be negative"))
        inputs = dict(news)
        inputs.setdefault("tier", "basic")
        return CheckResult(inputs, failures)

    def diff(self, _id: str, olds: dict, news: dict) -> DiffResult:
        changed = [
            key
            for key in sorted(set(plain(news)))
            if not isinstance(news.get(key), pulumi.output.Unknown) and olds.get(key) != news.get(key)
        ]
        unknown = [key for key, value in news.items() if isinstance(value, pulumi.output.Unknown)]
        gone = [key for key in olds.get("given", []) if key not in news and key not in IGNORED]
        moved = [key for key in ("zone", "slot") if key in changed or key in unknown]
        if not changed and not gone and not unknown:
            return DiffResult(changes=False)
        known = None if news.get("mode") != "loud" else True
        return DiffResult(changes=known, replaces=moved, delete_before_replace="slot" in moved)

    def outputs(self, identifier: str, props: dict) -> dict:
        given = sorted(plain(props))
        return plain(props) | {
            "address": f"{props.get('label', 'thing')}.toy",
            "key": f"key-{props.get('size', 0)}",
            "given": given,
            "empty": None,
        }

    def create(self, props: dict) -> CreateResult:
        cloud, name = Cloud(), props["label"]
        cloud.note("create", name)
        failure = cloud.failure("create", name)
        if failure == "error":
            raise RuntimeError(f"no room for {name}")
        identifier = f"{name}-{uuid.uuid4().hex[:8]}"
        outputs = self.outputs(identifier, props)
        if failure == "hang":
            threading.Event().wait(60)
        if failure == "wait":
            cloud.await_others(lambda: (cloud.folder / "go").exists())
        cloud.put(identifier, plain(props))
        if "crowd" in props:
            cloud.await_others(lambda: len(list(cloud.folder.glob("*.json"))) >= props["crowd"])
        if failure == "partial":
            report_partial(identifier, {key: value for key, value in outputs.items() if value is not None}, ["cold"])
            raise RuntimeError("not ready")
        return CreateResult(identifier, outputs)

    def update(self, id: str, olds: dict, news: dict) -> UpdateResult:
        cloud, name = Cloud(), news["label"]
        cloud.note("update", name)
        failure = cloud.failure("update", name)
        if failure == "error":
            raise RuntimeError(f"cannot change {name}")
        outputs = self.outputs(id, news)
        if failure == "partial":
            report_partial(id, {key: value for key, value in outputs.items() if value is not None}, ["half"])
            raise RuntimeError("half way")
        cloud.put(id, plain(news))
        return UpdateResult(outputs)

    def read(self, id_: str, props: dict) -> ReadResult:
        cloud = Cloud()
        cloud.note("read", props.get("label", id_))
        if cloud.failure("read", props.get("label", id_)) == "error":
            raise RuntimeError("permission denied")
        there = cloud.get(id_)
        if there is None:
            return ReadResult(None, {})
        return ReadResult(id_, self.outputs(id_, there), inputs=dict(there))

    def delete(self, id: str, props: dict) -> None:
        cloud, name = Cloud(), props.get("label", id)
        cloud.note("delete", name)
        if cloud.failure("delete", name) == "error":
            raise RuntimeError(f"{name} is in use")
        cloud.remove(id)


class Thing(Resource, module="toy", name="Thing"):
    """A thing in the toy cloud."""

    address: pulumi.Output[str]
    key: pulumi.Output[str]
    size: pulumi.Output[float]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **properties: object) -> None:
        declared = {"address": None, "key": None, "given": None, "size": None, "label": name}
        super().__init__(ThingProvider(), name, declared | properties, opts)


class ConfiguredProvider(ThingProvider):
    """Puts a value of its config into its outputs."""

    def configure(self, req) -> None:
        self.owner = req.config.get("toy:owner") or "nobody"

    def outputs(self, identifier: str, props: dict) -> dict:
        return super().outputs(identifier, props) | {"owner": self.owner, "pid": os.getpid()}


class ConfiguredThing(Resource, module="toy", name="ConfiguredThing"):
    """A thing that tells which config its provider has."""

    owner: pulumi.Output[str]
    pid: pulumi.Output[int]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **properties: object) -> None:
        declared = {"owner": None, "pid": None, "address": None, "key": None, "label": name}
        super().__init__(ConfiguredProvider(), name, declared | properties, opts)


class Group(pulumi.ComponentResource):
    """A component that holds things."""

    def __init__(self, name: str, type_: str = "toy:index:Group", opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_, name, None, opts)
