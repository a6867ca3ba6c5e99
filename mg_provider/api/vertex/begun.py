"""What earlier runs left running in a location, read once a process.

Model Garden's deployments are operations of the location, whose list has every operation that anybody began there and
no filter that Google documents. Whether an earlier run began one for a resource is asked before each creation, so a
list for each would grow with their number. What earlier runs began was begun before this process; of what this process
asks for, it keeps the ids.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

from mg_provider.wire.vertex.operation import Operation


class Begun:
    """The operations that ran in each location when this process first asked. Threads share it.

    Args:
        read: Lists the operations of a location.
    """

    def __init__(self, read: Callable[[str], list[Operation]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._locations: defaultdict[str, _Location] = defaultdict(_Location)

    def note(self, location: str, model_id: str) -> None:
        """Take note that this process asks for a deployment of the Model with this id."""
        self._of(location).asked.add(model_id)

    def asked(self, location: str, model_id: str) -> bool:
        """Whether this process has asked for a deployment of the Model with this id, whatever was answered."""
        return model_id in self._of(location).asked

    def before(self, location: str) -> list[Operation]:
        """What ran when this was first called, as it was then. Those who ask at once wait for one list."""
        place = self._of(location)
        with place.lock:
            if place.running is None:
                place.running = [operation for operation in self._read(location) if not operation.done]
            return place.running

    def _of(self, location: str) -> _Location:
        with self._lock:
            return self._locations[location]


class _Location:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: list[Operation] | None = None
        self.asked: set[str] = set()
