"""A value with one of its parts left empty: what a YAML file says with nothing after the colon."""

import copy


def places(value, path=()):
    """Each place inside a value, as a path of keys and indexes."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*path, key)
        yield from places(entry, (*path, key))


def emptied(value, path):
    """A copy in which nothing is at a path."""
    value = copy.deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = None
    return value


def written(path):
    """A path as users read it, behind the name of what it is in."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
