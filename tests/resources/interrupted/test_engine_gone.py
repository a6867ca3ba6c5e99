"""A provider process ends with its engine, however that ends, and does not take anything else for its end."""

import os
import shutil
import signal
import sys
import threading

import pytest

from mg_provider.resources.custom_weights_model import CustomWeightsModelProvider
from mg_provider.resources.dynamic import engine_link
from tests.resources.conftest import config
from tests.support.lives.host import OWN_INTERPRETER, Host, HostError
from tests.support.lives.life import Life
from tests.support.running.processes import descendants, running, until
from tests.support.samples.weights import make_bucket, put_weights

pytestmark = pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps command to look for processes with")

# Stands for an engine: it starts the host, reads its port and then what it says.
ENGINE = """
import subprocess, sys, threading
host = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
print(host.stdout.readline().strip(), flush=True)
for line in host.stderr:
    sys.stderr.write(line)
"""
DIRECTLY = (sys.executable, "-c", ENGINE)
# As `pulumi` does it; the shell stays, since something follows.
THROUGH_A_SHELL = (*DIRECTLY, "sh", "-c", '"$@"; exit $?', "sh")
L4 = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
DEPLOY = "locations.deploy"


@pytest.fixture
def create(emulator):
    """Starts a host that is in the middle of a creation; answers the host, and how the creation ends."""
    make_bucket(emulator)
    weights = put_weights(emulator)
    emulator.set_speed(1)
    hosts = []

    def start(launcher=OWN_INTERPRETER, **more):
        # Where the tests themselves were started with Ctrl-C ignored, a process that they start would ignore it too.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        host = Host({**config(emulator), **more}, launcher=launcher)
        signal.signal(signal.SIGINT, before)
        hosts.append(host)
        ended = threading.Event()

        def up():
            with pytest.raises(HostError):
                Life(host, CustomWeightsModelProvider).up({"gcs_uri": weights, "machine_spec": L4})
            ended.set()

        threading.Thread(target=up, daemon=True).start()
        assert until(lambda: called(emulator, DEPLOY), 30)
        return host, ended

    yield start
    for host in hosts:
        host.close()


def called(emulator, rpc):
    return [entry["rpc"] for entry in emulator.requests() if (entry["rpc"] or "").endswith(rpc)]


@pytest.mark.parametrize("threads", ["0", "128"])
@pytest.mark.parametrize("launcher", [DIRECTLY, THROUGH_A_SHELL], ids=["directly", "through a shell"])
def test_a_host_ends_in_the_middle_of_a_creation_when_its_engine_is_killed(emulator, create, launcher, threads):
    host, ended = create(launcher, **{"mg:hostThreads": threads})
    below = set(descendants(host.process.pid))
    assert len(below) == (2 if launcher is THROUGH_A_SHELL else 1)
    host.process.send_signal(signal.SIGKILL)
    assert until(lambda: not running(below), 30), descendants(1)
    assert ended.wait(30)
    asked = len(emulator.requests())
    emulator.advance(7200)
    assert len(emulator.requests()) == asked
    assert len(called(emulator, DEPLOY)) == 1


@pytest.mark.parametrize("threads", ["0", "128"])
def test_a_host_that_is_told_to_end_stops_waiting(create, threads):
    host, ended = create(**{"mg:hostThreads": threads})
    host.process.send_signal(signal.SIGINT)
    assert ended.wait(30)
    assert until(lambda: host.process.poll() is not None, 30)


def test_a_host_lives_as_long_as_anybody_reads_what_it_says(create):
    host, ended = create()
    host.process.stdout.close()
    assert not ended.wait(1.5)
    assert host.process.poll() is None


@pytest.fixture
def pipes():
    """Makes pipes; answers their ends for reading and for writing."""
    ends = []

    def make():
        ends.append(os.pipe())
        return ends[-1]

    yield make
    for end in {each for pair in ends for each in pair}:
        try:
            os.close(end)
        except OSError:
            continue


def test_what_nobody_reads_any_more_is_the_sign_and_all_of_it(pipes):
    gone = threading.Event()
    (first, output), (second, errors) = pipes(), pipes()
    engine_link.watch(gone.set, (output, errors))
    os.close(first)
    assert not gone.wait(0.6)
    os.close(second)
    assert gone.wait(5)


def test_output_that_is_closed_and_opened_again_as_something_else_is_no_sign(pipes):
    gone = threading.Event()
    reading, output = pipes()
    engine_link.watch(gone.set, (output,))
    other, end = pipes()
    os.dup2(end, output)
    os.close(other)
    os.close(end)
    assert not gone.wait(0.6)
    os.close(reading)
    assert gone.wait(5)


def test_a_file_a_terminal_and_what_is_closed_are_no_engine(tmp_path, pipes):
    gone = threading.Event()
    ours, terminal = os.openpty()
    with (tmp_path / "log").open("w") as file:
        engine_link.watch(gone.set, (file.fileno(), terminal, 4095))
        os.close(ours)
        os.close(terminal)
    assert not gone.wait(0.6)


def test_a_process_that_is_no_host_is_never_ended():
    assert not engine_link.is_host()
    engine_link.end_with_the_engine()
    engine_link.log_debug("nobody hears this")
