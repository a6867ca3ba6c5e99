"""The engine's end of what a provider process sends it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog(engine_pb2_grpc.EngineServicer):
    """Keeps what is logged: severity and text, in ``entries``."""

    def __init__(self):
        self.address = ""
        self.entries = Queue()

    def Log(self, request, context):
        self.entries.put((engine_pb2.LogSeverity.Name(request.severity), request.message))
        return empty_pb2.Empty()


@contextmanager
def engine_log():
    """One that listens on a loopback port."""
    server, log = grpc.server(ThreadPoolExecutor(2)), EngineLog()
    engine_pb2_grpc.add_EngineServicer_to_server(log, server)
    log.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield log
    server.stop(0)
