"""A program in a process of its own, and what it took."""

from __future__ import annotations

import subprocess
import sys
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
