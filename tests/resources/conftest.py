"""A host process for a whole session: its start costs more than most tests."""

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.support.lives import named_models
from tests.support.lives.endpoints import Hand
from tests.support.lives.host import Host
from tests.support.lives.life import Life
from tests.support.samples.weights import make_bucket, put_weights

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
    host = Host(config(emulator_server))
    yield host
    host.close()


@pytest.fixture
def host(emulator, session_host):
    emulator.set_speed(QUICK)
    return session_host


@pytest.fixture
def life(host):
    """A model's."""
    return Life(host, CustomWeightsModelProvider)


@pytest.fixture
def hand(emulator):
    """What somebody does by hand."""
    return Hand(emulator)


@pytest.fixture
def weights(emulator):
    """Where a model's weights are."""
    make_bucket(emulator)
    return put_weights(emulator)


@pytest.fixture
def old(emulator):
    """The weights before a change."""
    make_bucket(emulator)
    return put_weights(emulator, "old")


@pytest.fixture
def new(emulator, old):
    """The weights after it."""
    return put_weights(emulator, "new")


@pytest.fixture
def models(emulator):
    """Three uploaded models."""
    return named_models.upload(emulator, "old", "new", "other")
