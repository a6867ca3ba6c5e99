"""A change is tried again where somebody else was first, and not for ever."""

import pytest

from mg_provider.api.errors import Aborted, MgError, NotFound
from mg_provider.rollout.merging import merged

ENDPOINT = "projects/p/locations/l/endpoints/7"


def change(*raised):
    """A change that fails in these ways, one after the other, and then succeeds."""
    left = iter(raised)

    def attempt():
        if error := next(left, None):
            raise error
        return "done"

    return merged(attempt, "the traffic", ENDPOINT, "chat")


def aborted(number):
    return Aborted(409, "ABORTED", f"stale {number}")


def test_a_stale_change_is_made_again_of_what_is_there_then():
    assert change(*map(aborted, range(4))) == "done"


def test_somebody_who_never_stops_ends_it():
    with pytest.raises(MgError, match="somebody else keeps changing it") as ended:
        change(*map(aborted, range(9)))
    assert "stale 4" in str(ended.value.__cause__)
    assert (ended.value.resource, ended.value.exists) == ("chat", [ENDPOINT])


def test_any_other_error_ends_it_at_once():
    with pytest.raises(NotFound):
        change(aborted(0), NotFound(404, "NOT_FOUND", "gone"))
