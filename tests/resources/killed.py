"""An update that is killed in the middle."""

import signal
import threading

import pytest

from tests.resources.conftest import config
from tests.support.host import Host, HostError
from tests.support.life import Life


class Killed:
    """An update in a process of its own, which is killed when a call was seen.

    Args:
        emulator: What it calls.
        life: What is updated.
        wanted: The arguments.
        seen: The RPC of the call.
        count: How often it was seen.
        pace: Emulated seconds between looks.
    """

    def __init__(self, emulator, life, wanted, seen, count, pace=1):
        self.host = Host(config(emulator))
        doomed = Life(self.host, life.provider_type, name=life.name, after=life)
        inputs, since = doomed.check(wanted), len(emulator.requests())

        def update():
            with pytest.raises(HostError):
                doomed.kind.update(doomed.id, doomed.outputs, inputs)

        worker = threading.Thread(target=update)
        worker.start()
        while [entry["rpc"] for entry in emulator.requests()[since:] if "status" in entry].count(seen) < count:
            emulator.advance(pace)
            worker.join(0.002)
            assert worker.is_alive(), f"{seen} was never called {count} times"
        self.host.process.send_signal(signal.SIGKILL)
        worker.join()
        self.host.close()
