"""Sends a call of Vertex AI to the host of its region, under the version that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mg_provider.api.http.answers import P, pages, parse
from mg_provider.api.http.hosts import vertex_base
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import RETRY_BUDGET, Call, Transport
from mg_provider.api.names import location_of, path
from mg_provider.wire.vertex.operation import Operation


class VertexCalls:
    """What every group of Vertex AI's methods is built on."""

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport = transport
        self._settings = settings

    def _operation(self, method: str, name: str, **call: Any) -> Operation:
        """Send a call that begins an operation; ``call`` is as for :meth:`_json`."""
        return parse(Operation, self._json(method, name, **call))

    def _pages(
        self, page_type: type[P], place: str, query: Mapping[str, str | int | bool | None], **more: Any
    ) -> Iterator[P]:
        """The pages of a listing; ``more`` is passed on with each call."""
        whole = {**query, "pageSize": 100}
        return pages(
            lambda token: parse(page_type, self._json("GET", place, query={**whole, "pageToken": token}, **more))
        )

    def _json(
        self,
        method: str,
        name: str,
        *,
        query: Mapping[str, str | int | bool | None] | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = False,
        version: str = "v1beta1",
        location: str | None = None,
        retry_budget: float = RETRY_BUDGET,
    ) -> dict[str, Any]:
        settings, place = self._settings, location or location_of(name)
        base = settings.vertex_custom_endpoint or vertex_base(place, settings.universe_domain)
        call = Call(
            method,
            f"{base}/{version}/{path(name)}",
            query=query,
            body=body,
            repeatable=repeatable,
            retry_budget=retry_budget,
        )
        return self._transport.json(call)
