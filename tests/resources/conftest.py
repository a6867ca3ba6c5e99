"""A host process for a whole session: its start costs more than most tests."""

import pytest

from tests.support.host import OWN_INTERPRETER, Host

# An emulated hour in a few milliseconds.
QUICK = 1_000_000


def config(emulator):
    names = ("vertexAi", "compute", "storage", "bigQuery")
    return {
        "mg:project": "my-project",
        "mg:region": "us-central1",
        **{f"mg:{name}CustomEndpoint": emulator.url for name in names},
    }


@pytest.fixture(scope="session")
def session_host(emulator_server):
    host = Host(config(emulator_server), launcher=OWN_INTERPRETER)
    yield host
    host.close()


@pytest.fixture
def host(emulator, session_host):
    emulator.set_speed(QUICK)
    return session_host
