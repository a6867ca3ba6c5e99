"""A client for one endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mg_provider.api.transport import Call, Transport

Message = Mapping[str, str]


@dataclass(frozen=True)
class EndpointClient:
    """Asks one endpoint.

    Attributes:
        transport: Credentials, connections, repeats.
        base_url: Scheme and host that is connected to: the dedicated DNS name, the private address, or an emulator.
        endpoint: Resource name, projects/{project}/locations/{region}/endpoints/{id}.
        model: The model id that the deployment was given.
        host: Host name told to the server where it differs from the one connected to.
    """

    transport: Transport
    base_url: str
    endpoint: str
    model: str
    host: str | None = None

    def chat(self, messages: Sequence[Message], **options: Any) -> str:
        """The answer to a conversation, whole. ``POST {endpoint}/chat/completions``.

        Args:
            messages: Each with ``role`` and ``content``.
            options: Further fields of the request, such as ``max_tokens``.

        Raises:
            CloudError: The endpoint refused; for example it has no deployed model.
            ConnectionFailed: Nothing answered; a private endpoint answers only inside its network.
        """
        answer = self.transport.json(self._call(messages, options))
        return str(answer["choices"][0]["message"]["content"])

    def stream_chat(self, messages: Sequence[Message], **options: Any) -> Iterator[str]:
        """The answer to a conversation, piece by piece as it is made; otherwise as :meth:`chat`."""
        for line in self.transport.lines(self._call(messages, {**options, "stream": True})):
            content = line.removeprefix("data:").strip()
            if not content or content == "[DONE]":
                continue
            for choice in json.loads(content).get("choices", []):
                piece = choice.get("delta", {}).get("content")
                if piece:
                    yield str(piece)

    def _call(self, messages: Sequence[Message], options: Mapping[str, Any]) -> Call:
        return Call(
            "POST",
            f"{self.base_url}/v1beta1/{self.endpoint}/chat/completions",
            body={"model": self.model, "messages": [dict(message) for message in messages], **options},
            headers={"Host": self.host} if self.host else None,
            # Asking again changes nothing in the cloud.
            repeatable=True,
        )
