"""The provider's clients, led to the emulator, on a clock that a test moves."""

import pytest

from mg_provider.api.clients import Clients
from mg_provider.api.http.settings import Settings
from mg_provider.clock import ManualClock

REGION = "us-central1"


@pytest.fixture
def clients(emulator):
    names = ("vertex", "compute", "storage", "big_query")
    endpoints = {f"{name}_custom_endpoint": emulator.url for name in names}
    clients = Clients.from_settings(Settings(project="my-project", region=REGION, **endpoints), ManualClock())
    yield clients
    clients.close()
