"""An emulator that ends in the middle of a creation: the run says so, and ends soon with what to do."""

import pytest

from mg_provider.api.clients import Clients
from mg_provider.api.http.settings import Settings
from mg_provider.clock import ManualClock
from mg_provider.emulator import Emulator
from mg_provider.resources.custom_weights_model.deploy_sight import ENDPOINT_IS_THERE
from mg_provider.resources.custom_weights_model.lifecycle import CustomWeightsModelArgs, CustomWeightsModelLifecycle
from mg_provider.resources.model.lifecycle import Context, Incomplete
from tests.resources.conftest import config
from tests.support.samples.weights import make_bucket, put_weights

L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}


def test_a_creation_whose_emulator_ends_says_that_nobody_answers_and_names_what_it_had_made(life):
    said, clock = [], ManualClock()
    with Emulator(speed=0) as emulator:
        make_bucket(emulator)
        args, problems = CustomWeightsModelArgs.decode(
            life.check({"gcs_uri": put_weights(emulator), "machine_spec": L4})
        )
        assert problems == []

        def progress(line):
            said.append(line)
            if ENDPOINT_IS_THERE in line:
                emulator.stop()
                clients.close()
            elif line.startswith("deploying"):
                emulator.advance(5)

        clients = Clients.from_settings(Settings.from_config(config(emulator).get, {}), clock)
        context = Context(clock, clients, progress, cancelled=lambda: False)
        with pytest.raises(Incomplete) as failure:
            CustomWeightsModelLifecycle().create(args, context)
    host = emulator.url.removeprefix("http://")
    assert f"deploying: no answer from {host} for 30s (connection refused); trying again" in said
    assert clock.monotonic() < 180
    assert args.endpoint in failure.value.exists
    assert "--keep-in" in str(failure.value)
