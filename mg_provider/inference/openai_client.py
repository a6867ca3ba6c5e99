"""The official OpenAI client, configured for an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mg_provider.api.errors import UserError
from mg_provider.api.http.credentials import TokenSource
from mg_provider.api.http.hosts import takes_token
from mg_provider.api.http.settings import Settings
from mg_provider.api.prediction import PredictionClient
from mg_provider.loopback import is_loopback

if TYPE_CHECKING:
    import openai

# The package wants a key; each request gets an access token in its place.
_NO_KEY = "none"


def make_openai_client(
    prediction: PredictionClient, settings: Settings, timeout: float, options: Mapping[str, Any]
) -> openai.OpenAI:
    """A client of the ``openai`` package for the endpoint.

    Args:
        prediction: Knows where the endpoint is reached.
        settings: Credentials.
        timeout: Seconds that an answer may take.
        options: Win over what is set here.

    Raises:
        UserError: The package is not installed, or there are no credentials.
    """
    try:
        import openai
    except ModuleNotFoundError as error:
        if error.name != "openai":
            raise
        raise UserError("the openai package is not installed", hint="install mg-provider[openai]") from error
    address = prediction.address
    local = is_loopback(address.base_url)
    anonymous = not takes_token(address.base_url, settings, named=address.named)
    http = openai.DefaultHttpxClient(
        auth=_without_token if anonymous else _Authorization(settings, address.base_url),
        verify=address.trust.context() if address.trust else True,
        trust_env=not local,
        timeout=timeout,
        # A redirect would take the token to another host.
        follow_redirects=False,
    )
    given = {
        "base_url": f"{address.base_url}/v1beta1/{prediction.endpoint}",
        "api_key": _NO_KEY,
        "default_headers": {"Host": address.host} if address.host else None,
        "http_client": http,
        "timeout": timeout,
        **options,
    }
    return openai.OpenAI(**given)


class _Authorization:
    """Puts a token that is still valid on each request, to the endpoint's own host only."""

    def __init__(self, settings: Settings, base_url: str) -> None:
        self._tokens = TokenSource(settings)
        self._place = _place(base_url)

    def __call__(self, request: Any) -> Any:
        if _place(str(request.url)) != self._place:
            return _without_token(request)
        request.headers.update(self._tokens.headers(request.method, str(request.url)))
        return request


def _place(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or 443


def _without_token(request: Any) -> Any:
    request.headers.pop("Authorization", None)
    return request
