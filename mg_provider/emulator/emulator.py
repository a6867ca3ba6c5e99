"""The emulator as an object, for tests and the demo."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mg_provider.emulator.core import admin
from mg_provider.emulator.core.journal import Journal
from mg_provider.emulator.core.listeners import Listeners
from mg_provider.emulator.core.world import World
from mg_provider.emulator.web.dispatch import Application, load_services
from mg_provider.emulator.web.repeating import happening, repeat_all
from mg_provider.emulator.web.request import Request
from mg_provider.emulator.web.server import HttpListener, private_listener

_JSON = {"Content-Type": "application/json"}


class Emulator:
    """Vertex AI, Compute Engine, Cloud Storage and BigQuery on one loopback port, as far as this project uses them.

    Args:
        port: of the main listener on 127.0.0.1; 0 takes a free one.
        speed: emulated seconds per real second; a deployment takes about 20 emulated minutes.
        strict: answer 500 when an answer does not fit Google's discovery document.
        quota: ``"project/region/accelerator"`` to GPUs; what is not there is unlimited.
        keep: a folder that keeps what is emulated, from one life of the emulator to the next; see
            :mod:`mg_provider.emulator.core.journal`.

    Attributes:
        url: base URL for all services.
        world: the state, for tests that look inside.
        otherwise: how many of the calls that were kept are answered in another way now, as by another version.

    Raises:
        OSError: the port cannot be used.
        InUse: another process has that folder open.
        NotKept: what is in the folder cannot be used.
    """

    def __init__(
        self,
        port: int = 0,
        speed: float = 6000.0,
        *,
        strict: bool = True,
        quota: dict[str, int] | None = None,
        keep: Path | None = None,
    ) -> None:
        load_services()
        self._strict = strict
        self.otherwise = 0
        self.world = World(speed, quota or {}, Listeners(self._open_private))
        with self.world.lock, ExitStack() as if_failed:
            journal = Journal(keep) if keep else None
            if journal:
                if_failed.callback(journal.close)
            self._listener = HttpListener("127.0.0.1", port, self._application(None))
            if_failed.callback(self._stop_listening)
            self.url = self._listener.url
            if journal:
                self.world.journal = journal
                self.world.identity = journal.identity(self.world.identity)
                self.otherwise = repeat_all(self.world, journal, self._application)
                journal.tell(self.url)
            if_failed.pop_all()

    def _application(self, address: str | None) -> Application:
        return Application(self.world, address, self._strict)

    def _open_private(self, address: str) -> HttpListener:
        return private_listener(address, self._listener.port, self._application(address))

    def __enter__(self) -> Self:
        """The emulator answers from its construction on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> None:
        """Close all listeners."""
        self._stop_listening()
        with self.world.lock:
            journal, self.world.journal = self.world.journal, None
        if journal:
            journal.close()

    def _stop_listening(self) -> None:
        with self.world.lock:
            self.world.listeners.close_all()
        self._listener.stop()

    def ledger(self) -> dict[str, Any]:
        """What exists and what it has cost: ``GET /_mg/ledger``."""
        return self._administer("GET", "/_mg/ledger")

    def fail(self, **declared: Any) -> None:
        """Declare a fault: ``POST /_mg/faults``; see :class:`mg_provider.emulator.core.faults.Fault`."""
        self._administer("POST", "/_mg/faults", declared)

    def stop_failing(self) -> None:
        """Take all declared faults back: ``DELETE /_mg/faults``."""
        self._administer("DELETE", "/_mg/faults")

    def faults(self) -> list[dict[str, Any]]:
        """Each fault, with ``met`` and ``remaining``: ``GET /_mg/faults``."""
        faults: list[dict[str, Any]] = self._administer("GET", "/_mg/faults")["faults"]
        return faults

    def requests(self) -> list[dict[str, Any]]:
        """What was received: rpc, method, path, query, body, status, response: ``GET /_mg/requests``.

        What changes something also has ``target``: what it was done to, if that existed, with its labels until then.
        """
        with self.world.lock:
            return list(self.world.requests)

    @contextmanager
    def watched(self, watcher: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Call ``watcher`` with each request, before it is answered and by the thread that answers it."""
        self.world.watchers.append(watcher)
        try:
            yield
        finally:
            self.world.watchers.remove(watcher)

    def addresses(self) -> dict[str, str]:
        """Each private address and the URL that answers for it: ``GET /_mg/addresses``."""
        return self._administer("GET", "/_mg/addresses")

    def advance(self, seconds: float) -> None:
        """Skip emulated time: ``POST /_mg/clock``."""
        self._administer("POST", "/_mg/clock", {"advance": seconds})

    def set_speed(self, speed: float) -> None:
        """Go on at another speed; 0 stands still."""
        self._administer("POST", "/_mg/clock", {"speed": speed})

    def behave(self, **changes: Any) -> None:
        """Switch behaviours: ``POST /_mg/behaviour``; see :data:`mg_provider.emulator.core.world.BEHAVIOURS`."""
        self._administer("POST", "/_mg/behaviour", changes)

    def scale(self, endpoint_id: str, deployed_model_id: str, available: int) -> None:
        """Let autoscaling have changed the number of replicas that serve: ``POST /_mg/vertex/replicas``."""
        body = {"endpoint_id": endpoint_id, "deployed_model_id": deployed_model_id, "available": available}
        self._administer("POST", "/_mg/vertex/replicas", body)

    def shortages(self) -> list[dict[str, Any]]:
        """Each moment at which a deployment had too few replicas for its load: ``GET /_mg/vertex/shortages``."""
        shortages: list[dict[str, Any]] = self._administer("GET", "/_mg/vertex/shortages")["shortages"]
        return shortages

    def set_quota(self, limits: dict[str, int | None]) -> None:
        """Set GPU quota by ``project/region/accelerator``: ``POST /_mg/quota``."""
        self._administer("POST", "/_mg/quota", limits)

    def reset(self) -> None:
        """Forget everything: ``POST /_mg/reset``."""
        self._administer("POST", "/_mg/reset")

    def _administer(self, verb: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        media = BytesIO(json.dumps(body or {}).encode())
        with happening(self.world, Request(verb, path, _JSON, media)) as ended:
            self.world.settle()
            answered = admin.answer(self.world, verb, path, body or {})
            ended(200)
        return answered
