"""A client for one endpoint, wherever it is reached."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar, overload

from mg_provider.api.clients import Clients
from mg_provider.api.errors import ConnectionFailed, MgError, NotFound, NotReached, PermissionDenied, UserError
from mg_provider.api.http.hosts import refuse_foreign_address
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.tls import ServerTrust
from mg_provider.api.http.transport import RETRY_BUDGET
from mg_provider.api.names import ENDPOINT
from mg_provider.api.prediction import TIMEOUT, Address, PredictionClient, address_of
from mg_provider.clock import SystemClock
from mg_provider.inference.chat import ChatAnswer, ChatStream, Message, answer_of, conversation_of
from mg_provider.inference.diagnosis import EndpointNotAnswering, explained, nothing_deployed
from mg_provider.inference.endpoint_models import EndpointModel, query_id_of, served_models
from mg_provider.wire.vertex.endpoint import Endpoint

if TYPE_CHECKING:
    import openai

    from mg_provider.inference.stack_outputs import StackEndpoint

T = TypeVar("T")
_FORM: Final = f"write {ENDPOINT.form}, or its id with project and region"


class Client:
    """Asks the models on one endpoint. Threads may share it.

    Address and model are looked up when first needed. Tokens are renewed in time; calls that are refused with 429 or
    503 are repeated. Permissions: aiplatform.endpoints.predict; for the look-up aiplatform.endpoints.get and
    aiplatform.models.get, which an ``address`` together with a ``model`` makes needless.

    Every question may raise :class:`EndpointNotAnswering` where the endpoint's state says why, else any
    :class:`~mg_provider.api.errors.CloudError` or :class:`~mg_provider.api.errors.ConnectionFailed`.

    Args:
        endpoint: Id, or resource name projects/{project}/locations/{region}/endpoints/{id}.
        project: Project id, for an id; by default that of the configuration or of GOOGLE_CLOUD_PROJECT.
        region: Region, for an id.
        address: Private address or name, such as ``10.0.0.5``; by default the endpoint's own public name.
        model: What chat requests name as ``model``; looked up by default.
        ca_file: PEM file with the server's own certificate, or its authority's, where no public authority signed it.
        fingerprint: SHA-256 of the server's own certificate, instead of a file.
        timeout: Seconds that an answer, or the next part of a stream, may take.
        retry_budget: Seconds for repeats; 0 for none.
        config: Settings by full config key, such as ``mg:vertexAiCustomEndpoint``.
        clients: API clients to use; by default made from ``config`` and the environment.

    Raises:
        UserError: An argument is wrong.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        project: str | None = None,
        region: str | None = None,
        address: str | None = None,
        model: str | None = None,
        ca_file: str | Path | None = None,
        fingerprint: str | None = None,
        timeout: float = TIMEOUT,
        retry_budget: float = RETRY_BUDGET,
        config: Mapping[str, str] | None = None,
        clients: Clients | None = None,
    ) -> None:
        self._own = clients is None
        self._clients = clients or Clients.from_settings(
            Settings.from_config((config or {}).get, os.environ), SystemClock()
        )
        self.endpoint = _resource_name(endpoint, self._clients.settings, project, region)
        self._trust = ServerTrust(str(ca_file) if ca_file else None, fingerprint) if ca_file or fingerprint else None
        self._address = address
        self._model = model
        self._fallback = ""
        self._known: Endpoint | None = None
        self._prediction: PredictionClient | None = None
        self._query_id: str | None = model
        self._timeout = timeout
        self._retry_budget = retry_budget

    @classmethod
    def from_stack(
        cls,
        stack: str,
        output: str | None = None,
        *,
        program: str | Path = ".",
        state: str | Path | None = None,
        config: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Client:
        """A client for an endpoint among a stack's outputs.

        They are asked of the ``pulumi`` command, or read from a state file: the one named, or without the command the
        one that a rehearsal left. Secret outputs are neither asked for nor shown.

        Args:
            stack: Name of the stack.
            output: Path to the output, such as ``endpoints.chat``: an endpoint's name, or an object with ``endpoint``,
                and perhaps ``dns``, ``ip_address`` and ``model_id``. May be left out where there is but one.
            program: Folder of Pulumi.yaml.
            state: State file.
            config: Settings that win over the stack's, by full config key.
            options: As for :class:`Client`.

        Raises:
            UserError: There is no such stack or output.
        """
        from mg_provider.inference.stack_outputs import read_stack

        found = read_stack(stack, output, Path(program), Path(state) if state else None)
        address = options.pop("address", None) or _exported_address(found)
        client = cls(found.endpoint, address=address, config={**found.config, **(config or {})}, **options)
        client._fallback = found.model_id
        if found.dns or address:
            client._known = Endpoint(name=client.endpoint, dedicated_endpoint_dns=found.dns or None)
        return client

    def __enter__(self) -> Self:
        """Nothing is called before the first question."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections, unless the API clients were given."""
        if self._own:
            self._clients.close()

    @property
    def address(self) -> Address:
        """Where the endpoint is reached."""
        return self.prediction.address

    @property
    def model_id(self) -> str:
        """What chat requests name as ``model``; empty where several models with different ids share the traffic."""
        if self._query_id is None:
            self._query_id = self._look_up()
        return self._query_id

    @property
    def prediction(self) -> PredictionClient:
        """The calls themselves, as JSON in and out."""
        if self._prediction is None:
            endpoint = self._known
            if endpoint is None and self._address and self._model:
                endpoint = Endpoint(name=self.endpoint)
            settings = self._clients.settings
            address = address_of(endpoint or self._endpoint(), settings, address=self._address, trust=self._trust)
            self._prediction = PredictionClient(
                self._clients.transport,
                address,
                self.endpoint,
                timeout=self._timeout,
                retry_budget=self._retry_budget,
            )
        return self._prediction

    @overload
    def chat(
        self,
        messages: str | Sequence[Message],
        *,
        stream: Literal[False] = False,
        system: str | None = None,
        **options: Any,
    ) -> ChatAnswer: ...

    @overload
    def chat(
        self, messages: str | Sequence[Message], *, stream: Literal[True], system: str | None = None, **options: Any
    ) -> ChatStream: ...

    def chat(
        self, messages: str | Sequence[Message], *, stream: bool = False, system: str | None = None, **options: Any
    ) -> ChatAnswer | ChatStream:
        """The answer to a conversation. ``POST {endpoint}/chat/completions``.

        Args:
            messages: A question, or messages, each with ``role`` and ``content``.
            stream: Whether to answer the words piece by piece as they are made; :class:`ChatStream` knows afterwards
                why it ended. One that breaks off is an error.
            system: Instructions that stand before the messages.
            options: Further fields of the request, such as ``max_tokens`` and ``temperature``.
        """
        conversation = conversation_of(messages, system)
        if stream:
            return ChatStream(self._streamed(conversation, options))
        response = self._asking(lambda: self.prediction.chat_completions(self._request(conversation, options)))
        return answer_of(response)

    def stream_chat(
        self, messages: str | Sequence[Message], *, system: str | None = None, **options: Any
    ) -> ChatStream:
        """As :meth:`chat` with ``stream``."""
        return self.chat(messages, stream=True, system=system, **options)

    def predict(self, instances: Sequence[Any], parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """``POST {endpoint}:predict``: an aiplatform PredictResponse, with ``predictions`` in the instances' order.

        Args:
            instances: In the container's terms, such as ``{"prompt": "…", "max_tokens": 100}``.
            parameters: For all instances, in the container's terms.
        """
        body = {"instances": list(instances), **({"parameters": dict(parameters)} if parameters else {})}
        with self._explained():
            return self.prediction.predict(body)

    def raw_predict(self, body: Mapping[str, Any]) -> bytes:
        """``POST {endpoint}:rawPredict``: whatever the container answers to the body, as it is."""
        with self._explained():
            return self.prediction.raw_predict(body)

    def stream_raw_predict(self, body: Mapping[str, Any]) -> Iterator[str]:
        """``POST {endpoint}:streamRawPredict``: the lines of the container's answer as they come."""
        with self._explained():
            yield from self.prediction.stream_raw_predict(body)

    def models(self) -> list[EndpointModel]:
        """What the endpoint serves now, the model with the most traffic first."""
        return served_models(self._endpoint(), self._clients.vertex)

    def openai_client(self, **options: Any) -> openai.OpenAI:
        """The official OpenAI client, configured for this endpoint; for ``model`` give it :attr:`model_id`.

        It renews its tokens by itself, so it may live as long as the program.

        Args:
            options: As for ``openai.OpenAI``, such as ``max_retries``.

        Raises:
            UserError: The ``openai`` package is not installed, or there are no credentials.
        """
        from mg_provider.inference.openai_client import make_openai_client

        return make_openai_client(self.prediction, self._clients.settings, self._timeout, options)

    def _streamed(self, conversation: list[Message], options: Mapping[str, Any]) -> Generator[dict[str, Any]]:
        def begin() -> tuple[dict[str, Any] | None, Iterator[dict[str, Any]]]:
            chunks = self.prediction.stream_chat_completions(self._request(conversation, options))
            return next(chunks, None), chunks

        first, chunks = self._asking(begin)
        if first is not None:
            yield first
        with self._explained():
            yield from chunks

    def _request(self, conversation: list[Message], options: Mapping[str, Any]) -> dict[str, Any]:
        model = "" if "model" in options else self.model_id
        return {
            **({"model": model} if model else {}),
            "messages": [dict(message) for message in conversation],
            **options,
        }

    def _asking(self, ask: Callable[[], T]) -> T:
        """Ask; where another model has meanwhile taken the place of the one that was looked up, ask for that one."""
        with self._explained():
            try:
                return ask()
            except (NotFound, NotReached):
                before = self._query_id
                if self._model is not None or before is None:
                    raise
                self._query_id = None
                if self.model_id == before:
                    raise
                return ask()

    def _look_up(self) -> str:
        try:
            endpoint = self._endpoint()
            if problem := nothing_deployed(endpoint):
                raise problem
            return query_id_of(served_models(endpoint, self._clients.vertex))
        except (PermissionDenied, ConnectionFailed):
            if self._fallback:
                return self._fallback
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UserError:
            raise
        except MgError as error:
            if isinstance(error, EndpointNotAnswering) or self._prediction is None:
                raise
            explanation = explained(error, self.endpoint, self.address, self._query_id or "", self._clients.vertex)
            if explanation is error:
                raise
            raise explanation from error

    def _endpoint(self) -> Endpoint:
        return self._clients.vertex.get_endpoint(self.endpoint)


def _exported_address(found: StackEndpoint) -> str | None:
    """The address that a stack exports; nobody named it, so it must be one that only the user's own networks have."""
    if found.address:
        refuse_foreign_address(found.address)
    return found.address


def _resource_name(endpoint: str, settings: Settings, project: str | None, region: str | None) -> str:
    parts = endpoint.strip("/").split("/")
    if len(parts) == 6 and parts[::2] == ["projects", "locations", "endpoints"]:
        return _checked("/".join(parts))
    project, region = project or settings.project, region or settings.region
    if len(parts) != 1 or not endpoint:
        raise UserError(
            f"{endpoint!r} is not an endpoint",
            property="endpoint",
            hint=_FORM,
        )
    if not project or not region:
        missing = "project" if not project else "region"
        raise UserError(
            f"the {missing} of endpoint {endpoint} is unknown",
            property=missing,
            hint="name project and region, or the whole resource name of the endpoint",
        )
    return _checked(f"projects/{project}/locations/{region}/endpoints/{endpoint}")


def _checked(name: str) -> str:
    if problem := ENDPOINT.problem(name):
        raise UserError(problem, property="endpoint", hint=_FORM)
    return name
