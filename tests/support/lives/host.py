"""The real dynamic host of Pulumi's SDK in its own process, spoken to as the engine does."""

import contextlib
import os
import select
import subprocess
import sys
import threading

import grpc
from google.protobuf import struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from tests.support.lives.invariants import account_at
from tests.support.lives.states import owner_label
from tests.support.running.forks import Fork


class HostError(Exception):
    """What the host answered instead of a result.

    Attributes:
        kept: What the engine would keep in state.
        cut: Whether the host answered nothing, because it died.
    """

    def __init__(self, text, kept=None, cut=False):
        super().__init__(text)
        self.text = text
        self.kept = kept
        self.cut = cut


def struct(properties):
    """As the engine sends them. Plain values have nothing to wait for, so that the first step is the last."""
    try:
        rpc.serialize_properties(properties, {}).send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("there is something to wait for")


def plain(message):
    properties = rpc.deserialize_properties(message, True)
    return {key: value for key, value in properties.items() if key != "__provider"}


NO_ENGINE = "127.0.0.1:1"
OWN_INTERPRETER = ()


class Host:
    """One host process.

    Args:
        config: The stack's configuration.
        engine: Where it finds the engine.
        launcher: The command that starts it, with an interpreter of its own, and is ``process`` then; OWN_INTERPRETER
            where that is this process. None takes a process that has imported already what it needs.
    """

    def __init__(self, config, engine=NO_ENGINE, launcher=None):
        environment = {**os.environ, "PULUMI_PROJECT": "project"}
        arguments = ["-u", "-m", "pulumi.dynamic" if launcher is None else "tests.support.running.hurried", engine]
        if launcher is None:
            self.process = Fork(arguments, environment)
        else:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            self.process = subprocess.Popen([*launcher, sys.executable, *arguments], env=environment, **pipes)
        port = int(self.process.stdout.readline())
        self._lines, self._reading, self._ended = [], threading.Lock(), False
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        self.stub.Configure(provider_pb2.ConfigureRequest(args=struct(config)))
        self.account = account_at(config.get("mg:vertexAiCustomEndpoint"))

    @property
    def said(self):
        """The lines that it has written until now: all that it wrote before its last answer among them."""
        while not self._ended and select.select([self.process.stderr], [], [], 0)[0]:
            self._reader.join(0.001)
        with self._reading:
            return list(self._lines)

    def _listen(self):
        rest, stream = b"", self.process.stderr.fileno()
        while not self._ended:
            select.select([stream], [], [])
            with self._reading:
                data = os.read(stream, 65536)
                *lines, rest = (rest + data).split(b"\n")
                self._lines += [line.decode(errors="replace") for line in lines]
                self._ended = not data

    def close(self):
        self.channel.close()
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (getattr(self.process, "stdin", None), self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def kill(self):
        self.process.kill()
        self.process.wait()


class Kind:
    """One kind of resource on a host: the engine's calls, with dicts in and out."""

    def __init__(self, host, provider_type):
        self.host = host
        self.provider = serialize_provider(provider_type)
        self.token = f"pulumi-python:dynamic/mg:{provider_type.__name__.removesuffix('Provider')}"
        # A job keeps the labels of the owner that it was made for.
        self.owners = set()

    def _struct(self, properties):
        return struct({**properties, "__provider": self.provider})

    @contextlib.contextmanager
    def _errors(self):
        try:
            yield
        except grpc.RpcError as error:
            cut = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
            raise HostError(error.details(), kept_in_state(error), cut) from error

    def _acting(self, *properties):
        """What is sent meanwhile is sent for the owners that these properties name."""
        self.owners.update(owner_label(each["owner"]) for each in properties if each.get("owner"))
        account = self.host.account
        return account.acting(self.owners) if account else contextlib.nullcontext()

    def check(self, news, olds=None, urn=""):
        request = provider_pb2.CheckRequest(
            urn=urn, olds=self._struct(olds) if olds else struct({}), news=self._struct(news)
        )
        with self._errors():
            answer = self.host.stub.Check(request)
        return plain(answer.inputs), {failure.property: failure.reason for failure in answer.failures}

    def diff(self, id, olds, news):
        request = provider_pb2.DiffRequest(id=id, olds=self._struct(olds), news=self._struct(news))
        with self._errors():
            return self.host.stub.Diff(request)

    def create(self, inputs, timeout=0.0):
        request = provider_pb2.CreateRequest(properties=self._struct(inputs), timeout=timeout)
        with self._acting(inputs), self._errors():
            answer = self.host.stub.Create(request)
        return answer.id, plain(answer.properties)

    def read(self, id, outputs):
        request = provider_pb2.ReadRequest(id=id, properties=self._struct(outputs), inputs=struct({}))
        with self._acting(outputs), self._errors():
            answer = self.host.stub.Read(request)
        return answer.id, plain(answer.properties), plain(answer.inputs)

    def update(self, id, outputs, inputs):
        request = provider_pb2.UpdateRequest(id=id, olds=self._struct(outputs), news=self._struct(inputs))
        with self._acting(outputs, inputs), self._errors():
            return plain(self.host.stub.Update(request).properties)

    def delete(self, id, outputs):
        request = provider_pb2.DeleteRequest(id=id, properties=self._struct(outputs))
        with self._acting(outputs), self._errors():
            self.host.stub.Delete(request)


def kept_in_state(error):
    """The resource that a failed call asked the engine to keep, as (id, properties), or None."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            detail = provider_pb2.ErrorResourceInitFailed()
            status.details[0].Unpack(detail)
            return detail.id, plain(detail.properties)
    return None


def unknown():
    return Unknown()


__all__ = ["Host", "HostError", "Kind", "struct_pb2", "unknown"]
