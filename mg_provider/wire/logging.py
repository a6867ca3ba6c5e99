"""Entries of Cloud Logging, as far as a container's last lines need them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mg_provider.wire.base import Page, WireModel


class ListLogEntriesRequest(WireModel):
    """``entries.list``."""

    resource_names: list[str] | None = Field(default=None, description="Where to look, such as projects/{project}.")
    filter: str | None = Field(default=None, description="In the Logging query language.")
    order_by: str | None = Field(default=None, description='"timestamp asc" or "timestamp desc".')
    page_size: int | None = Field(default=None, description="Most entries in the answer; 50 when absent.")


class LogEntry(WireModel):
    """One entry; a container's line is in ``textPayload``, or in ``jsonPayload.message`` where it wrote JSON."""

    timestamp: str | None = None
    severity: str | None = None
    text_payload: str | None = None
    json_payload: dict[str, Any] | None = None

    @property
    def line(self) -> str:
        """What was written, without time and severity."""
        if self.text_payload:
            return self.text_payload
        message = (self.json_payload or {}).get("message")
        return message if isinstance(message, str) else ""


class ListLogEntriesResponse(Page):
    """A page of entries."""

    entries: list[LogEntry] = Field(default_factory=list)
