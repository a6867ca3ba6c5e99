"""Messages in the provider's requests that say nothing."""

# Maps, which an empty value clears, and messages that switch something on by being there.
_SAY_SOMETHING = {"labels", "trafficSplit", "userLabels", "scaleToZeroSpec", "flexStart", "automaticResources"}
# An update of an endpoint takes its connection settings away by their being empty.
_SAY_SOMETHING |= {"clientConnectionConfig"}
# Whatever the user wants, as it is.
_USERS_OWN = {"modelParameters", "instances", "parameters"}


def empty_messages(requests):
    """The call and the path of each, in what the provider sent."""
    ours = [each for each in requests if str(each.get("user_agent", "")).startswith("mg-provider")]
    return sorted({f"{each['rpc']}: {path}" for each in ours for path in _empty(each["body"], ())})


def _empty(value, path):
    if isinstance(value, list):
        for entry in value:
            yield from _empty(entry, path)
    elif isinstance(value, dict):
        name = path[-1] if path else ""
        if not value and path and name not in _SAY_SOMETHING:
            yield ".".join(path)
        for key, entry in value.items():
            if key not in _USERS_OWN:
                yield from _empty(entry, (*path, key))
