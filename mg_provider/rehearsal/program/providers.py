"""The processes that run dynamic providers, one for each provider resource, and the calls to them.

A host is the unmodified ``pulumi.dynamic``, as under the real engine. It writes its port on a line of its own, and what
else it writes is for the user.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from mg_provider.rehearsal.errors import REPORT, WITH_PULUMI, Partial, RehearsalError, StepError
from mg_provider.rehearsal.program.child import start
from mg_provider.rehearsal.program.pickles import refuse_unknown_code
from mg_provider.rehearsal.program.project import Project
from mg_provider.rehearsal.state.differences import Difference
from mg_provider.rehearsal.state.file import ResourceState
from mg_provider.rehearsal.state.properties import Properties, decode_struct, encode_struct, mark_secrets, revealed
from mg_provider.rehearsal.state.urns import name_of, type_of

STOP_SECONDS: Final = 5.0
_HOST: Final = Path(__file__).with_name("host.py")
_DETAILS: Final = "grpc-status-details-bin"
_CHANNEL_OPTIONS: Final = [*_GRPC_CHANNEL_OPTIONS, ("grpc.enable_http_proxy", 0)]
_CORRUPTING: Final = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS)
_CHANGES: Final = {
    provider_pb2.DiffResponse.DIFF_NONE: "none",
    provider_pb2.DiffResponse.DIFF_SOME: "some",
    provider_pb2.DiffResponse.DIFF_UNKNOWN: "unknown",
}


class ProviderHost:
    """One provider process and its calls, with the semantics of a dynamic provider.

    Its answers are marked secret where the question was, because the process gets no marks.

    Args:
        project: whose program the providers belong to.
        engine_address: what the host is given as the engine's address.
        expected: serialized providers that it is likely to be called for.
        say: takes each line that the process writes.
    """

    def __init__(
        self, project: Project, engine_address: str, expected: Sequence[str], say: Callable[[str], None]
    ) -> None:
        self._say = say
        self._process = start(project, _HOST, engine_address, json.dumps(expected), stderr=subprocess.PIPE)
        self.knows_outputs_of_updates = False
        self._ready = threading.Event()
        self._stub: provider_pb2_grpc.ResourceProviderStub | None = None
        self._channel: grpc.Channel | None = None
        self._readers = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def configure(self, arguments: Properties) -> None:
        """Give the host the config that its providers see in ``configure``."""
        plain = encode_struct(revealed(arguments), secrets=False)
        variables = {key: value for key, value in revealed(arguments).items() if isinstance(value, str)}
        request = provider_pb2.ConfigureRequest(
            variables=variables, args=plain, acceptSecrets=True, acceptResources=True
        )
        self._call("Configure", request)

    def check(self, urn: str, old: Properties, new: Properties) -> tuple[Properties, list[tuple[str, str]]]:
        """The checked inputs, and (property, reason) for each failure."""
        request = provider_pb2.CheckRequest(
            urn=urn, name=name_of(urn), type=type_of(urn), olds=_only_read(old), news=_plain(new, urn)
        )
        answer = self._call("Check", request)
        inputs = decode_struct(answer.inputs)
        mark_secrets(inputs, new)
        return inputs, [(failure.property, failure.reason) for failure in answer.failures]

    def diff(self, old: ResourceState, new: Properties, ignore_changes: list[str]) -> Difference:
        """What the provider says about the way from a state to new inputs."""
        request = provider_pb2.DiffRequest(
            id=old.id,
            urn=old.urn,
            name=name_of(old.urn),
            type=type_of(old.urn),
            olds=_only_read(old.outputs),
            old_inputs=_only_read(old.inputs),
            news=_plain(new, old.urn),
            ignoreChanges=ignore_changes,
        )
        answer = self._call("Diff", request)
        changes = _CHANGES[answer.changes]
        return Difference(
            changes,  # type: ignore[arg-type]
            replace_keys=tuple(answer.replaces),
            changed_keys=tuple(answer.diffs),
            delete_before_replace=answer.deleteBeforeReplace,
        )

    def create(self, urn: str, inputs: Properties, timeout: float) -> tuple[str, Properties]:
        """Create a resource: its id and outputs."""
        request = provider_pb2.CreateRequest(
            urn=urn, name=name_of(urn), type=type_of(urn), properties=_plain(inputs, urn), timeout=timeout
        )
        answer = self._call("Create", request, inputs)
        if not answer.id:
            raise StepError(f"the provider returned no id for {name_of(urn)}", hint=REPORT, corrupt=True)
        outputs = decode_struct(answer.properties)
        mark_secrets(outputs, inputs)
        return answer.id, outputs

    def update(self, old: ResourceState, new: ResourceState) -> Properties:
        """Update a resource in place: its new outputs."""
        request = provider_pb2.UpdateRequest(
            id=old.id,
            urn=new.urn,
            name=name_of(new.urn),
            type=type_of(new.urn),
            olds=_only_read(old.outputs),
            old_inputs=_only_read(old.inputs),
            news=_plain(new.inputs, new.urn),
            timeout=new.custom_timeouts.get("update", 0.0),
            ignoreChanges=new.ignore_changes,
        )
        outputs = decode_struct(self._call("Update", request, new.inputs).properties)
        mark_secrets(outputs, new.inputs)
        return outputs

    def read(self, state: ResourceState, properties: Properties) -> tuple[str, Properties, Properties | None]:
        """Read a resource: its id (empty when it is gone), outputs, and inputs if the provider returns them."""
        request = provider_pb2.ReadRequest(
            id=state.id,
            urn=state.urn,
            name=name_of(state.urn),
            type=type_of(state.urn),
            properties=_plain(properties, state.urn),
            inputs=_plain(state.inputs, state.urn),
        )
        answer = self._call("Read", request, state.inputs)
        outputs = decode_struct(answer.properties)
        mark_secrets(outputs, properties)
        inputs = decode_struct(answer.inputs) if answer.HasField("inputs") else None
        if inputs is not None:
            mark_secrets(inputs, state.inputs)
        return answer.id, outputs, inputs

    def delete(self, state: ResourceState, timeout: float) -> None:
        """Delete a resource."""
        request = provider_pb2.DeleteRequest(
            id=state.id,
            urn=state.urn,
            name=name_of(state.urn),
            type=type_of(state.urn),
            properties=_plain(state.outputs, state.urn),
            old_inputs=_plain(state.inputs, state.urn),
            timeout=timeout,
        )
        self._call("Delete", request)

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Dynamic providers have no functions."""
        raise StepError(f"the function {token} is not rehearsed", hint=WITH_PULUMI)

    def stop(self) -> None:
        """End the process."""
        self._end(signal.SIGTERM)
        if self._channel is not None:
            self._channel.close()
        for reader in self._readers:
            reader.join(STOP_SECONDS)

    def kill(self) -> None:
        """End the process at once; running operations are lost, and their resources with them."""
        self._end(signal.SIGKILL)

    def _end(self, sent: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(sent)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _call(self, method: str, request: object, inputs: Properties | None = None) -> Any:
        self._ready.wait()
        if self._stub is None:
            raise StepError("the provider host ended before it could serve", hint="see what it wrote above")
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            raise step_error(error, inputs or {}) from error

    def _read_output(self) -> None:
        stream = self._process.stdout
        if stream is None:
            raise RehearsalError("a provider host has no output", hint=REPORT)
        with stream:
            for line in stream:
                # A provider's module may write while it is loaded, before there is a port.
                if (port := line.strip()).isdigit():
                    self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_CHANNEL_OPTIONS)
                    self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
                    break
                self._say(line.rstrip("\n"))
            self._ready.set()
            for line in stream:
                self._say(line.rstrip("\n"))

    def _read_errors(self) -> None:
        stream = self._process.stderr
        if stream is None:
            return
        with stream:
            for line in stream:
                self._say(line.rstrip("\n"))


def step_error(error: grpc.RpcError, inputs: Properties) -> StepError:
    """A failed call as an error of the step, with what exists in spite of it."""
    code, text = error.code(), error.details() or "the provider gave no reason"
    for key, value in cast("tuple[tuple[str, bytes], ...]", error.trailing_metadata() or ()):
        if key != _DETAILS:
            continue
        for detail in status_pb2.Status.FromString(value).details:
            failed = provider_pb2.ErrorResourceInitFailed()
            if detail.Is(failed.DESCRIPTOR):
                detail.Unpack(failed)
                outputs = decode_struct(failed.properties)
                mark_secrets(outputs, inputs)
                read_inputs = decode_struct(failed.inputs) if failed.HasField("inputs") else None
                partial = Partial(failed.id, outputs, read_inputs, list(failed.reasons))
                return StepError("\n".join(failed.reasons) or text, partial=partial)
    if code == grpc.StatusCode.UNAVAILABLE:
        return StepError(
            f"the provider process ended during the call ({text})",
            hint="run `mg rehearse refresh`, then this again: what the call made is found by its labels",
            corrupt=True,
            unanswered=True,
        )
    return StepError(text, corrupt=code in _CORRUPTING)


def _only_read(properties: Properties) -> struct_pb2.Struct:
    """Properties beside those whose provider serves the call; theirs is not loaded."""
    return encode_struct(properties, secrets=False)


def _plain(properties: Properties, urn: str) -> struct_pb2.Struct:
    refuse_unknown_code(properties, name_of(urn))
    return encode_struct(properties, secrets=False)
