"""Where an endpoint is reached, and the calls of the models on it, as JSON in and out.

Source: aiplatform v1beta1 ``projects.locations.endpoints``: predict, rawPredict, streamRawPredict, chat.completions.
Permission: aiplatform.endpoints.predict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from mg_provider.api.completion_stream import CompletionStream
from mg_provider.api.errors import CloudError, MgError, UserError
from mg_provider.api.http.hosts import (
    PRIVATE_DOMAIN,
    dedicated_base,
    is_private_host,
    refuse_foreign_address,
    vertex_base,
)
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.tls import ServerTrust
from mg_provider.api.http.transport import RETRY_BUDGET, Call, Transport
from mg_provider.api.names import location_of, path
from mg_provider.clock import Clock
from mg_provider.loopback import is_loopback
from mg_provider.wire.vertex.endpoint import Endpoint

TIMEOUT = 600.0
"""Seconds that an answer may take: Vertex AI's own limit for private endpoints, where none is set on the endpoint."""

Method = Literal["chat/completions", "predict", "rawPredict", "streamRawPredict"]

# Refused before the model began, or by a model server that is overloaded; asking again changes nothing in the cloud.
_TRANSIENT = frozenset({429, 502, 503})


@dataclass(frozen=True)
class Address:
    """Where an endpoint answers.

    Attributes:
        base_url: Scheme, host and perhaps port that are connected to.
        host: Host to name to the server, where it is not the one connected to.
        trust: What the server is recognised by, where no public authority vouches for it.
        named: Whether it is an address of the user's own, which gets a token although it is not Google's.
    """

    base_url: str
    host: str | None = None
    trust: ServerTrust | None = None
    named: bool = False


def address_of(
    endpoint: Endpoint, settings: Settings, *, address: str | None = None, trust: ServerTrust | None = None
) -> Address:
    """Where an endpoint is reached: its own DNS name, the region's shared domain, or a private address.

    Args:
        endpoint: As the API returns it.
        settings: A custom endpoint of Vertex AI stands for every public name.
        address: Private address or name, with or without a scheme: ``10.0.0.5``, ``https://llm.example.internal``.
            Without a scheme it is https. Plain http, which Vertex AI serves on port 80, is for private addresses only.
        trust: What the server is recognised by; a private endpoint has a self-signed certificate.

    Raises:
        UserError: The address is not valid, the endpoint's DNS name is not Google's, or the endpoint is private and its
            address is not known.
    """
    dedicated = (endpoint.dedicated_endpoint_dns or "").partition("://")[2] or endpoint.dedicated_endpoint_dns
    if address is None and is_private(endpoint):
        address = _automated(endpoint)
        if address is None:
            raise UserError(
                f"{endpoint.name} is private: it answers at an address in a network that is allowed to connect",
                property="address",
                hint="name the ip_address of its PscForwardingRule, and call it from that network",
            )
    if address is None and endpoint.network:
        raise UserError(
            f"{endpoint.name} is peered with {endpoint.network}: it answers at addresses of its deployed models only",
            property="address",
            hint="use Private Service Connect, or call the predictHttpUri of its deployed models from that network",
        )
    if address is not None:
        base = _base_url(address, settings)
        secured = base.startswith("https:")
        return Address(base, dedicated, _named(trust, endpoint) if secured else None, named=True)
    if settings.vertex_custom_endpoint:
        return Address(settings.vertex_custom_endpoint, dedicated, trust)
    if dedicated:
        return Address(dedicated_base(dedicated), None, trust)
    return Address(vertex_base(location_of(endpoint.name or ""), settings.universe_domain), None, trust)


def is_private(endpoint: Endpoint) -> bool:
    """Whether it answers through Private Service Connect only."""
    config = endpoint.private_service_connect_config
    return bool(config and config.enable_private_service_connect)


def private_name(endpoint: Endpoint) -> str:
    """The name that a private endpoint's certificate is for, and that a DNS zone may hold."""
    parts = (endpoint.name or "").split("/")
    return f"{parts[-1]}-{location_of(endpoint.name or '')}-{parts[1]}{PRIVATE_DOMAIN}"


def _automated(endpoint: Endpoint) -> str | None:
    """The address that Vertex AI itself made in the first network that it was given."""
    config = endpoint.private_service_connect_config
    made = (config.psc_automation_configs if config else None) or []
    address = next((each.ip_address for each in made if each.ip_address), None)
    if address:
        refuse_foreign_address(address)
    return address


def _named(trust: ServerTrust | None, endpoint: Endpoint) -> ServerTrust | None:
    """With the name that a private endpoint's certificate may be for."""
    if trust is None or endpoint.dedicated_endpoint_dns:
        return trust
    return replace(trust, names=(*trust.names, private_name(endpoint)))


def _base_url(address: str, settings: Settings) -> str:
    if "://" not in address:
        address = f"{_emulated(address, settings) or f'https://{address}'}"
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise UserError(f"{address!r} is not an address", property="address", hint="write an IP address or a DNS name")
    if parts.scheme == "http" and not (is_loopback(address) or is_private_host(parts.hostname)):
        raise UserError(
            f"plain http would show the access token to every network on the way to {parts.hostname}",
            property="address",
            hint="use https, with the certificate's PEM file or fingerprint where it is self-signed",
        )
    return f"{parts.scheme}://{parts.netloc}"


def _emulated(address: str, settings: Settings) -> str | None:
    """A private address of the emulator, which answers on the port that the custom endpoint has."""
    custom = urlsplit(settings.vertex_custom_endpoint or "")
    if custom.scheme != "http" or not is_loopback(f"http://{address}") or ":" in address:
        return None
    return f"http://{address}:{custom.port}"


@dataclass(frozen=True)
class Attempt:
    """What one call came to, for a caller that judges the endpoint.

    Attributes:
        status: HTTP status; 0 if nothing answered.
        seconds: From the call to the whole answer.
        answer: The answer, of a call that went well.
        error: What went wrong.
    """

    status: int
    seconds: float
    answer: dict[str, Any] | None = None
    error: MgError | None = None


class PredictionClient:
    """Asks the models on one endpoint. Threads may share it.

    Every method may raise any :class:`~mg_provider.api.errors.CloudError`, and
    :class:`~mg_provider.api.errors.ConnectionFailed`. A call that is refused with 429 or 503 is repeated,
    one that is not answered in time is not.

    Args:
        transport: Credentials, connections, repeats.
        address: Where the endpoint is reached.
        endpoint: Resource name, projects/{project}/locations/{region}/endpoints/{id}.
        timeout: Seconds that an answer, or the next part of a stream, may take.
        retry_budget: Seconds for repeats; 0 for none.
    """

    def __init__(
        self,
        transport: Transport,
        address: Address,
        endpoint: str,
        *,
        timeout: float = TIMEOUT,
        retry_budget: float = RETRY_BUDGET,
    ) -> None:
        self._transport = transport
        self._timeout = timeout
        self._retry_budget = retry_budget
        self.address = address
        self.endpoint = endpoint

    def chat_completions(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """``POST {endpoint}/chat/completions``: an OpenAI ``chat.completion``.

        Args:
            body: OpenAI chat request: ``messages``, and ``model``, ``max_tokens`` and so on.
        """
        return self._transport.json(self._call("chat/completions", body))

    def stream_chat_completions(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """``POST {endpoint}/chat/completions`` with ``stream``: each OpenAI ``chat.completion.chunk`` as it comes."""
        lines = self._transport.lines(self._call("chat/completions", {**body, "stream": True}))
        return CompletionStream(lines).chunks()

    def predict(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """``POST {endpoint}:predict``.

        Args:
            body: ``instances`` and perhaps ``parameters``, in the container's terms.
        """
        return self._transport.json(self._call("predict", body))

    def raw_predict(self, body: Mapping[str, Any]) -> bytes:
        """``POST {endpoint}:rawPredict``: whatever the container answers to the body, as it is."""
        return self._transport.send(self._call("rawPredict", body)).content

    def stream_raw_predict(self, body: Mapping[str, Any]) -> Iterator[str]:
        """``POST {endpoint}:streamRawPredict``: the lines of the container's answer as they come."""
        return self._transport.lines(self._call("streamRawPredict", body))

    def attempt(self, method: Method, body: Mapping[str, Any], clock: Clock) -> Attempt:
        """Call once, without repeats, and answer how it went instead of raising."""
        began = clock.monotonic()
        try:
            answer = self._transport.json(replace(self._call(method, body), repeatable=False, retry_budget=0.0))
        except CloudError as error:
            return Attempt(error.status, clock.monotonic() - began, error=error)
        except MgError as error:
            return Attempt(0, clock.monotonic() - began, error=error)
        return Attempt(200, clock.monotonic() - began, answer)

    def _call(self, method: Method, body: Mapping[str, Any]) -> Call:
        separator = "/" if "/" in method else ":"
        return Call(
            "POST",
            f"{self.address.base_url}/v1beta1/{path(self.endpoint)}{separator}{method}",
            body=body,
            headers={"Host": self.address.host} if self.address.host else None,
            repeatable=True,
            retry_budget=self._retry_budget,
            rate_budget=self._retry_budget,
            read_timeout=self._timeout,
            # The model may still be at work on the first one.
            repeat_timeouts=False,
            transient=_TRANSIENT,
            trust=self.address.trust,
            named=self.address.named,
        )
