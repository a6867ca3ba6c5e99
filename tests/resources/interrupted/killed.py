"""An update that is killed in the middle."""

import signal
import threading

import pytest

from tests.resources.conftest import config
from tests.support.lives.host import Host, HostError
from tests.support.lives.life import Life


def kill_update(emulator, life, wanted, seen, count):
    """Update in a process of its own, and kill it when a call was carried out and before its answer is there.

    Time stands still since that call came.

    Args:
        emulator: What it calls.
        life: What is updated.
        wanted: The arguments.
        seen: The RPC of the call.
        count: Which of them it is, from 1.
    """
    host, speed = Host(config(emulator)), emulator.world.clock.speed
    doomed = Life(host, life.provider_type, name=life.name, after=life)
    inputs, calls, over = doomed.check(wanted), [], threading.Event()

    def watch(record):
        if record["rpc"] == seen and len(calls) < count:
            calls.append(record)
            if len(calls) == count:
                emulator.set_speed(0)
                over.set()

    def update():
        with pytest.raises(HostError):
            doomed.kind.update(doomed.id, doomed.outputs, inputs)
        over.set()

    emulator.fail(rpc=seen, after=count - 1, fault="delay", seconds=10)
    worker = threading.Thread(target=update)
    with emulator.watched(watch):
        worker.start()
        over.wait()
        assert len(calls) == count, f"{seen} was never called {count} times"
        while "status" not in calls[-1]:
            worker.join(0.001)
        host.process.send_signal(signal.SIGKILL)
        worker.join()
    host.close()
    emulator.stop_failing()
    emulator.set_speed(speed)
