"""HTTP sessions: with a token for Google, without anything for this machine's own loopback.

urllib3 is imported when the first call is made, and google-auth and requests with the first one to Google, so that
importing the provider stays quick and a run against loopback never looks for credentials.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from mg_provider.api.http.credentials import TokenSource
from mg_provider.api.http.settings import Settings

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager, Timeout

    from mg_provider.api.http.tls import ServerTrust

CONNECTIONS = 128
"""Connections kept open to a host: as many as there may be threads."""

_HOSTS = 16
_RENEWALS = 2
# The same variables that requests and curl look at.
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class HttpSession:
    """A session without credentials, proxies, cookies or ~/.netrc. It follows no redirect. Threads share it.

    Args:
        trust: What the server is recognised by; by default public authorities vouch for it.
    """

    def __init__(self, trust: ServerTrust | None = None) -> None:
        from urllib3 import PoolManager, Retry

        self._options: dict[str, Any] = {"retries": Retry(False, redirect=False), **self._recognition(trust)}
        self._pools = PoolManager(_HOSTS, maxsize=CONNECTIONS, **self._options)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | BinaryIO | None,
        timeout: Timeout,
        stream: bool,
    ) -> BaseHTTPResponse:
        """Send a request.

        Args:
            method: HTTP method.
            url: Whole URL.
            headers: All headers.
            body: Content; a file is sent as it is read.
            timeout: How long to wait for a connection, and for the next bytes of the answer.
            stream: Whether to leave the content of the answer to be read; otherwise it is read whole.

        Raises:
            urllib3.exceptions.HTTPError: the request got no whole answer.
            ValueError: it cannot be sent, as where a header has a line break.
        """
        return self._pools_to(url).urlopen(
            method, url, redirect=False, headers=headers, body=body, timeout=timeout, preload_content=not stream
        )

    def close(self) -> None:
        """Close all connections."""
        self._pools.clear()

    def _recognition(self, trust: ServerTrust | None) -> dict[str, Any]:
        """How the server is recognised, on direct connections and through proxies."""
        if trust is None:
            return {}
        return {"ssl_context": trust.context(), "assert_hostname": False, "assert_fingerprint": trust.fingerprint}

    def _pools_to(self, url: str) -> PoolManager:
        return self._pools


class AuthorizedHttpSession(HttpSession):
    """Adds a token to each request and renews it in time; goes through the proxies that the environment names.

    Raises:
        UserError: there are no credentials.
    """

    def __init__(self, settings: Settings, trust: ServerTrust | None = None) -> None:
        from requests.adapters import HTTPAdapter

        self._tokens = TokenSource(settings)
        super().__init__(trust)
        self._proxies = HTTPAdapter(_HOSTS, CONNECTIONS)

    def request(self, method: str, url: str, *, headers: Mapping[str, str], **options: Any) -> BaseHTTPResponse:
        """Send a request with a token; with another one if this one is refused.

        Raises:
            Unauthenticated: no token is given for these credentials.
            TokenNotFetched: the token server did not answer.
            urllib3.exceptions.HTTPError: the request got no whole answer.
            ValueError: it cannot be sent, as where a header has a line break.
        """
        for _ in range(_RENEWALS):
            response = self._with_token(method, url, headers, options)
            if response.status != 401:
                return response
            response.drain_conn()
            self._tokens.renew(method, url)
            if hasattr(options["body"], "seek"):
                options["body"].seek(0)
        return self._with_token(method, url, headers, options)

    def close(self) -> None:
        """Close all connections."""
        super().close()
        self._proxies.close()

    def _with_token(
        self, method: str, url: str, headers: Mapping[str, str], options: dict[str, Any]
    ) -> BaseHTTPResponse:
        authorized = {**headers, **self._tokens.headers(method, url)}
        return super().request(method, url, headers=authorized, **options)

    def _recognition(self, trust: ServerTrust | None) -> dict[str, Any]:
        if trust:
            return super()._recognition(trust)
        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        named = next((found for name in _CA_VARIABLES if (found := os.environ.get(name))), DEFAULT_CA_BUNDLE_PATH)
        return {"ca_cert_dir" if os.path.isdir(named) else "ca_certs": named}

    def _pools_to(self, url: str) -> PoolManager:
        from requests.utils import get_environ_proxies, prepend_scheme_if_needed, select_proxy

        proxy = select_proxy(url, get_environ_proxies(url))
        if not proxy:
            return self._pools
        proxy = prepend_scheme_if_needed(proxy, "http")  # type: ignore[no-untyped-call]
        through: PoolManager = self._proxies.proxy_manager_for(proxy, **self._options)
        return through
