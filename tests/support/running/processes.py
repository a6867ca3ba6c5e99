"""Processes of other programs: which there are, and whether they have ended."""

import subprocess
import threading
import time


def listed(*columns):
    """A row of these columns of ``ps`` for each process."""
    wanted = [part for column in columns for part in ("-o", f"{column}=")]
    shown = subprocess.run(["ps", "-Aww", *wanted], capture_output=True, text=True, check=True).stdout
    return [line.split(maxsplit=len(columns) - 1) for line in shown.splitlines()]


def descendants(pid):
    """What this process started, and what those started: command by process id."""
    rows = [(int(child), int(parent), command) for child, parent, command in listed("pid", "ppid", "args")]
    found, parents = {}, {pid}
    while parents:
        below = {child: command for child, parent, command in rows if parent in parents}
        found, parents = {**found, **below}, set(below)
    return found


def running(pids):
    """Those of these processes that still run."""
    return {int(pid) for pid, state in listed("pid", "stat") if int(pid) in pids and not state.startswith("Z")}


def until(condition, seconds):
    """Whether this became true in time."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not (met := condition()) and time.monotonic() < end:
        pause.wait(0.05)
    return met
