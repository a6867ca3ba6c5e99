import pytest

from tests.support.host import Host


def config(emulator):
    names = ("vertexAi", "compute", "storage", "bigQuery")
    return {
        "mg:project": "my-project",
        "mg:region": "us-central1",
        **{f"mg:{name}CustomEndpoint": emulator.url for name in names},
    }


@pytest.fixture
def host(emulator):
    host = Host(config(emulator))
    yield host
    host.close()
