"""A program in a process of its own, and what it took; the emulator in one, as it would be another machine's work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_START = """
import sys, time
from pathlib import Path
began = time.process_time()
"""
# On Linux, the peak that getrusage knows begins with the memory of the process that started this one.
_END = """
seconds, status = time.process_time() - began, Path("/proc/self/status")
if status.exists():
    peak = next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
else:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1_048_576 if sys.platform == "darwin" else 1024)
print(seconds, peak)
"""


def measured(program: str, *arguments: str | Path, first: str = "") -> tuple[float, float]:
    """Seconds of one core, and peak memory in MB, of a process that does only this.

    Args:
        program: Its source.
        arguments: What it finds in ``sys.argv``.
        first: What it does before the seconds count, such as imports.
    """
    command = [sys.executable, "-c", first + _START + program + _END, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


_EMULATOR = """
import sys
from mg_provider.emulator import Emulator
with Emulator(speed=float(sys.argv[1])) as emulator:
    print(emulator.url, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class ServedEmulator:
    """An emulator in another process."""

    url: str


@contextmanager
def served_emulator(speed: float = 1.0) -> Iterator[ServedEmulator]:
    """An emulator that ends with this process; ``speed`` is emulated seconds for each second."""
    command = [sys.executable, "-c", _EMULATOR, str(speed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield ServedEmulator((process.stdout or sys.stdin).readline().strip())
        if process.stdin:
            process.stdin.close()
