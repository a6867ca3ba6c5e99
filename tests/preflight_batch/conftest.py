"""Clients that talk to the emulator, and batch input in its bucket."""

import json

import pytest

from mg_provider.clock import ManualClock
from mg_provider.preflight.batch.check import check_input
from tests.support.clients import clients
from tests.support.weights import BUCKET, make_bucket, put

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
def batch(emulator, clients):
    return BatchInput(emulator, clients)
