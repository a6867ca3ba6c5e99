"""Cloud Logging v2, as far as telling why a container did not start needs it."""

from __future__ import annotations

from mg_provider.api.http.answers import parse
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Call, Transport
from mg_provider.loopback import is_loopback
from mg_provider.wire.logging import ListLogEntriesRequest, ListLogEntriesResponse

# Words about a failure are worth a moment, not minutes.
_RETRY_BUDGET = 5.0


class LoggingClient:
    """Reads log entries.

    Where Vertex AI is an emulator on this machine and no other address is set, the same emulator is asked: what runs
    offline never reaches for the network because something failed.
    """

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport = transport
        vertex = settings.vertex_custom_endpoint
        emulated = vertex if vertex and is_loopback(vertex) else None
        self._base = settings.logging_custom_endpoint or emulated or settings.service("logging")

    def last_lines(self, project: str, endpoint_id: str, *, count: int, since: str | None = None) -> list[str]:
        """``POST v2/entries:list``: what the containers of an endpoint wrote last, oldest first.

        Permission: logging.logEntries.list (roles/logging.viewer).

        Args:
            project: Project id.
            endpoint_id: Last part of the endpoint's name; the label of the monitored resource.
            count: Most lines.
            since: RFC 3339 time before which nothing is of interest.

        Raises:
            CloudError: Cloud Logging refused; PermissionDenied without the permission.
            ConnectionFailed: no answer came.
        """
        terms = [
            'resource.type="aiplatform.googleapis.com/Endpoint"',
            f'resource.labels.endpoint_id="{endpoint_id}"',
            *([f'timestamp>="{since}"'] if since else []),
        ]
        request = ListLogEntriesRequest(
            resource_names=[f"projects/{project}"],
            filter=" AND ".join(terms),
            order_by="timestamp desc",
            page_size=count,
        )
        call = Call(
            "POST",
            f"{self._base}/v2/entries:list",
            body=request.to_wire(),
            repeatable=True,
            retry_budget=_RETRY_BUDGET,
        )
        page = parse(ListLogEntriesResponse, self._transport.json(call))
        return [entry.line for entry in reversed(page.entries) if entry.line.strip()]
