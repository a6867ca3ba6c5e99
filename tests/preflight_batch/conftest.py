"""Clients that talk to the emulator, and batch input in its bucket."""

import json

import pytest

from mg_provider.cli import app
from mg_provider.clock import ManualClock
from mg_provider.preflight.batch.check import check_input
from tests.support.google.clients import clients
from tests.support.running.command_line import CliRunner
from tests.support.samples.weights import BUCKET, make_bucket, put

__all__ = ["clients"]


class BatchInput:
    """Objects in the emulated bucket, and their check."""

    def __init__(self, emulator, clients):
        self.emulator, self.clients = emulator, clients
        make_bucket(emulator)

    def put(self, name, *rows):
        put(self.emulator, name, "".join(json.dumps(row) + "\n" for row in rows).encode())

    def put_bytes(self, name, content):
        put(self.emulator, name, content)

    def check(self, *names, **options):
        sources = [name if "//" in name else f"gs://{BUCKET}/{name}" for name in names]
        return check_input(sources, self.clients, clock=ManualClock(), **options)

    def found(self, *names, **options):
        return [(finding.place, finding.code) for finding in self.check(*names, **options).findings]


@pytest.fixture
def mg(emulator):
    """Runs `mg batch prepare`."""
    make_bucket(emulator)

    def run(*words, code=0):
        config = [f"-cmg:{name}CustomEndpoint={emulator.url}" for name in ("storage", "bigQuery", "vertexAi")]
        result = CliRunner().invoke(app, ["batch", "prepare", *map(str, words), "--project", "my-project", *config])
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def batch(emulator, clients):
    return BatchInput(emulator, clients)
