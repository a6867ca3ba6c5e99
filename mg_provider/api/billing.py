"""The Cloud Billing Catalog v1, as far as prices of machines need it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mg_provider.api.http.answers import pages, parse
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Call, Transport
from mg_provider.loopback import is_loopback
from mg_provider.wire.billing import ListSkusResponse, Sku

_PAGE: Final = 5000


class BillingClient:
    """Reads public prices. Where Vertex AI is an emulator on this machine, that emulator is asked."""

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport = transport
        vertex = settings.vertex_custom_endpoint
        self._base = vertex if vertex and is_loopback(vertex) else settings.service("cloudbilling")

    def skus(self, service: str) -> Iterator[Sku]:
        """``GET v1/services/{id}/skus``, page by page: every SKU of a service, with its price in dollars now.

        Permission: none; the Cloud Billing API is switched on in the project that the call is counted against.

        Args:
            service: Id of the service, such as 6F81-5844-456A.

        Raises:
            CloudError: Google refused.
            ConnectionFailed: No answer came.
        """
        url = f"{self._base}/v1/services/{service}/skus"

        def fetch(token: str | None) -> ListSkusResponse:
            call = Call("GET", url, query={"currencyCode": "USD", "pageSize": _PAGE, "pageToken": token})
            return parse(ListSkusResponse, self._transport.json(call))

        for page in pages(fetch):
            yield from page.skus
