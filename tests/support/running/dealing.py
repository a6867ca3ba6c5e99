"""In which order workers run the tests: each begins with its share of those that take longest.

A worker gets a run of neighbours from the list, and one that has ended takes over from others. So what is long comes
first in each run, and what is quick fills the gaps at the end.
"""

from itertools import groupby

LONG = (
    "test_ends_with_pytest.py",
    "clients",
    "conformance",
    "demo",
    "documents",
    "faults",
    "importing",
    "packaging",
    "pipelines",
    "rehearsal",
    "stacks",
    "templates",
)


def dealt(items, workers):
    """The items in the order for so many workers."""
    long = sorted((item for item in items if _part(item) in LONG), key=lambda item: LONG.index(_part(item)))
    quick = [item for item in items if _part(item) not in LONG]
    shares = [[] for _ in range(workers)]
    for unit in _units(long):
        min(shares, key=len).extend(unit)
    size = -(-len(items) // workers)
    for share in shares:
        room = max(size - len(share), 0)
        share += quick[:room]
        del quick[:room]
    return [item for share in shares for item in share] + quick


def _part(item):
    """The folder or the file in tests/ that it is of."""
    return item.nodeid.partition("::")[0].split("/")[1]


def _units(items):
    """Tests that share something of their module stay together; all others go by themselves."""
    for _, group in groupby(items, lambda item: item.nodeid.partition("::")[0]):
        together = list(group)
        shared = any(
            found.scope == "module"
            for item in together
            for found in (definitions[-1] for definitions in item._fixtureinfo.name2fixturedefs.values())
        )
        yield from [together] if shared else ([item] for item in together)
