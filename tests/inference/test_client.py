"""Asking a model at its public name, as a whole and as a stream, and what a refusal looks like."""

import pytest

from mg_provider.api.clients import Clients
from mg_provider.api.errors import FailedPrecondition, NotFound
from mg_provider.api.settings import Settings
from mg_provider.clock import SystemClock
from mg_provider.inference.client import EndpointClient
from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from tests.resources.conftest import QUICK, config
from tests.support.host import Host
from tests.support.life import Life
from tests.support.weights import make_bucket, put_weights

QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]


@pytest.fixture
def served(emulator):
    emulator.set_speed(QUICK)
    make_bucket(emulator)
    host = Host(config(emulator))
    life = Life(host, CustomWeightsModelProvider)
    life.up({"gcs_uri": put_weights(emulator)})
    yield life.outputs
    host.close()


@pytest.fixture
def transport(emulator):
    clients = Clients.from_settings(Settings.from_config(config(emulator).get, {}), SystemClock())
    yield clients.transport
    clients.close()


def client(emulator, transport, served, **changes):
    place = {
        "base_url": emulator.url,
        "endpoint": served["endpoint"],
        "model": served["model_id"],
        "host": served["dedicated_endpoint_dns"],
        **changes,
    }
    return EndpointClient(transport, **place)


def test_a_question_is_answered_whole_and_in_pieces(emulator, transport, served):
    asked = client(emulator, transport, served)
    whole = asked.chat(QUESTION, max_tokens=200)
    assert "Why is the sky blue?" in whole
    pieces = list(asked.stream_chat(QUESTION, max_tokens=200))
    assert len(pieces) > 1
    assert "".join(pieces) == whole


def test_a_wrong_model_and_a_wrong_host_are_refused_in_words(emulator, transport, served):
    with pytest.raises(NotFound):
        client(emulator, transport, served, model="another").chat(QUESTION)
    with pytest.raises(FailedPrecondition, match="dedicated domain name"):
        client(emulator, transport, served, host=None).chat(QUESTION)
    with pytest.raises(FailedPrecondition, match="dedicated domain name"):
        list(client(emulator, transport, served, host=None).stream_chat(QUESTION))
