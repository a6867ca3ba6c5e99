"""The emulator's answers for Vertex AI, held against the protos of Google's own client: no unknown field passes.

The protos come out of the environment of the real clients (``tests/support/running/real_clients.py``) as one descriptor
set. Every test that drives the emulator checks its answers with them, where that environment is there.
"""

from __future__ import annotations

import fcntl
import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, json_format, message_factory

from mg_provider.emulator.google import discovery
from tests.support.running import real_clients

DUMP = real_clients.ROOT / "tests" / "clients" / "dump_protos.py"
_SCHEMA = re.compile(r"GoogleCloudAiplatform(V1beta1|V1)(\w+)")
_WELL_KNOWN = {
    "GoogleLongrunningOperation": "google.longrunning.Operation",
    "GoogleLongrunningListOperationsResponse": "google.longrunning.ListOperationsResponse",
    "GoogleProtobufEmpty": "google.protobuf.Empty",
}
# Those that stand alone: the "4" of "NVIDIA_L4" is part of a name.
_NUMBERS = re.compile(r"\b[0-9a-f]*\d[0-9a-f]*(?:T\d\d)?")
_ERROR_FIELDS = {"code", "message", "status"}

_Form = tuple[str, str, int | None, str]
_RIGHT: set[_Form] = set()


def descriptors(folder: Path = real_clients.FOLDER) -> Path | None:
    """The descriptor set, made from the environment of the real clients; None where that is not there."""
    ready, target = folder / "ready", folder / "protos"
    if not ready.exists():
        return None
    with (folder / "protos.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not target.exists() or target.stat().st_mtime < ready.stat().st_mtime:
            python = folder / "environment" / "bin" / "python"
            subprocess.run([str(python), str(DUMP), str(target)], check=True, timeout=100)
    return target


@functools.cache
def pool(path: Path) -> descriptor_pool.DescriptorPool:
    """All messages of a descriptor set."""
    loaded = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes()).file:
        loaded.Add(file)
    return loaded


def faults_of(request: dict[str, Any], known: descriptor_pool.DescriptorPool) -> str | None:
    """Why the answer in a record of the emulator is not one that Vertex AI's protos know; None if it is."""
    rpc, body = str(request.get("rpc") or ""), request.get("response")
    if not rpc.startswith("aiplatform.") or not isinstance(body, dict):
        return None
    try:
        if request["status"] >= 400:
            _check_error(body["error"], known)
        else:
            match = discovery.find(request["method"], request["path"])
            _check_answer(match.method.response or "" if match else "", body, known)
    except (json_format.ParseError, TypeError, ValueError) as error:
        return f"{request['method']} {request['path']} ({rpc}): {error}"
    return None


def _check_answer(schema: str, body: dict[str, Any], known: descriptor_pool.DescriptorPool) -> None:
    match = _SCHEMA.fullmatch(schema)
    name = f"google.cloud.aiplatform.{match[1].lower()}.{match[2]}" if match else _WELL_KNOWN.get(schema)
    if name is not None:
        message = message_factory.GetMessageClass(known.FindMessageTypeByName(name))()
        json_format.ParseDict(body, message, descriptor_pool=known)


def _check_error(error: dict[str, Any], known: descriptor_pool.DescriptorPool) -> None:
    if set(error) - {"details"} != _ERROR_FIELDS:
        raise ValueError(f"an error of Vertex AI has {sorted(_ERROR_FIELDS)}, not {sorted(error)}")
    for detail in error.get("details", []):
        json_format.ParseDict(detail, any_pb2.Any(), descriptor_pool=known)


def wrong_answers(requests: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the answers in the emulator's records; nothing where the protos are not there."""
    path = descriptors()
    return [] if path is None else wrong_by(requests, pool(path))


def wrong_by(requests: list[dict[str, Any]], known: descriptor_pool.DescriptorPool) -> list[str]:
    """What these messages say is wrong with the answers. Answers of a form that was found right are not read again."""
    # Who waits gets the same answer many times.
    distinct = {_answered(each): each for each in requests if str(each["rpc"]).startswith("aiplatform.")}
    forms = {form: each for answered, each in distinct.items() if (form := _form(answered)) not in _RIGHT}
    faults = {form: faults_of(request, known) for form, request in forms.items()}
    _RIGHT.update(form for form, fault in faults.items() if fault is None)
    return [fault for fault in faults.values() if fault]


def _answered(request: dict[str, Any]) -> _Form:
    version = request["path"].partition("/projects/")[0]
    return version, request["rpc"], request.get("status"), json.dumps(request.get("response"))


def _form(answered: _Form) -> _Form:
    """What the verdict depends on: all of an answer, but for which numbers, moments and hashes it has."""
    return (*answered[:3], _NUMBERS.sub("0", answered[3]))
