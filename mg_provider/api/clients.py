"""Everything that talks to Google, made once a process."""

from __future__ import annotations

from dataclasses import dataclass

from mg_provider.api.bigquery.client import BigQueryClient
from mg_provider.api.billing import BillingClient
from mg_provider.api.compute import ComputeClient
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Transport
from mg_provider.api.logging import LoggingClient
from mg_provider.api.operations import Operations
from mg_provider.api.storage.client import StorageClient
from mg_provider.api.vertex.client import VertexClient
from mg_provider.clock import Clock


@dataclass(frozen=True)
class Clients:
    """The API clients, sharing one transport. Threads may share them."""

    settings: Settings
    transport: Transport
    vertex: VertexClient
    compute: ComputeClient
    storage: StorageClient
    bigquery: BigQueryClient
    logging: LoggingClient
    billing: BillingClient
    operations: Operations

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> Clients:
        """Clients for these settings. Nothing is called, and no credentials are looked for, before the first call."""
        transport = Transport(settings, clock)
        vertex = VertexClient(transport, settings)
        compute = ComputeClient(transport, settings)
        return cls(
            settings=settings,
            transport=transport,
            vertex=vertex,
            compute=compute,
            storage=StorageClient(transport, settings),
            bigquery=BigQueryClient(transport, settings),
            logging=LoggingClient(transport, settings),
            billing=BillingClient(transport, settings),
            operations=Operations(clock, vertex, compute),
        )

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()
