"""Models on endpoints of the emulated cloud, and the clients that ask them."""

import pytest

from tests.emulator.client import LOCATION
from tests.emulator.client import Client as Cloud
from tests.resources.conftest import config


@pytest.fixture
def settings(emulator):
    return config(emulator)


@pytest.fixture
def cloud(emulator):
    emulator.set_speed(0)
    cloud = Cloud(emulator)
    cloud.empty = lambda name="empty": cloud.response(
        cloud.ok("POST", f"{LOCATION}/endpoints", {"displayName": name}, endpointId=name)
    )
    yield cloud
    cloud.session.close()


@pytest.fixture
def private(cloud):
    """A private endpoint, and the address that it answers at."""
    access = {"enablePrivateServiceConnect": True, "projectAllowlist": ["my-project"]}
    endpoint = cloud.deployed(endpointConfig={"privateServiceConnectConfig": access, "endpointUserId": "chat"})
    attachment = endpoint["deployedModels"][0]["privateEndpoints"]["serviceAttachment"]
    return endpoint, cloud.private_address(attachment)["IPAddress"]
