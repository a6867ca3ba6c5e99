from __future__ import annotations

from collections.abc import Iterator

import pytest

from mg_provider.emulator import Emulator
from tests.emulator.client import Client


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    emulator.set_speed(0)
    client = Client(emulator)
    yield client
    client.session.close()
