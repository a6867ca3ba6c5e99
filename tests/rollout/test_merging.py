"""A change is tried again where somebody else was first, and not for ever."""

import pytest

from mg_provider.api.errors import Aborted, NotFound
from mg_provider.rollout.merging import merged


def outcomes(*raised):
    """An attempt that fails in these ways, one after the other, and then succeeds."""
    left = iter(raised)

    def attempt():
        if error := next(left, None):
            raise error
        return "done"

    return attempt


def aborted(number):
    return Aborted(409, "ABORTED", f"stale {number}")


def test_a_stale_change_is_made_again_of_what_is_there_then():
    assert merged(outcomes(*map(aborted, range(4)))) == "done"


def test_somebody_who_never_stops_ends_it():
    with pytest.raises(Aborted, match="stale 4"):
        merged(outcomes(*map(aborted, range(9))))


def test_any_other_error_ends_it_at_once():
    with pytest.raises(NotFound):
        merged(outcomes(aborted(0), NotFound(404, "NOT_FOUND", "gone")))
