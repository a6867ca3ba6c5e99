"""A limit of memory, for what must not grow with a number that somebody wrote."""

import contextlib
import resource
from pathlib import Path


@contextlib.contextmanager
def at_most(megabytes):
    """This process gets no more than so many megabytes beside those that it has, where the system says how many it has.

    Raises:
        MemoryError: it asked for more.
    """
    sizes = Path("/proc/self/statm")
    if not sizes.exists():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(sizes.read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + megabytes * 1_000_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
