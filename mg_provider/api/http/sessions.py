"""HTTP sessions: with a token for Google, without anything for this machine's own loopback.

requests and google-auth are imported when the first call is made, so that importing the provider stays quick and a run
against loopback never looks for credentials.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

from mg_provider.api.errors import Unauthenticated
from mg_provider.api.http.credentials import LOG_IN, find_credentials
from mg_provider.api.http.settings import Settings

if TYPE_CHECKING:
    import requests
    from requests.adapters import HTTPAdapter

    from mg_provider.api.http.tls import ServerTrust

CONNECTIONS = 128
"""Connections kept open to a host: as many as there may be threads."""


class TokenNotFetched(Exception):
    """The token server did not answer, so the request was not sent."""


class HttpSession:
    """A session without credentials, proxies or ~/.netrc. Threads share it.

    Args:
        trust: What the server is recognised by; by default public authorities vouch for it.
    """

    def __init__(self, trust: ServerTrust | None = None) -> None:
        import requests

        session = requests.Session()
        session.trust_env = False
        self._session = _shared_by_threads(session, trust)
        self._trust = trust

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send a request and read the whole answer.

        Raises:
            requests.RequestException: the request got no whole answer.
        """
        if self._trust:
            # Given with each request: otherwise REQUESTS_CA_BUNDLE wins.
            options["verify"] = self._trust.verify
        return self._session.request(method, url, **options)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


class AuthorizedHttpSession(HttpSession):
    """Adds a token to each request and renews it in time.

    Raises:
        UserError: there are no credentials.
    """

    def __init__(self, settings: Settings, trust: ServerTrust | None = None) -> None:
        from google.auth.transport.requests import AuthorizedSession

        session = AuthorizedSession(find_credentials(settings))  # type: ignore[no-untyped-call]
        # Without this, requests replaces the token by a login from ~/.netrc.
        session.auth = _unchanged
        self._session = _shared_by_threads(session, trust)
        self._trust = trust

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send a request with a token.

        Raises:
            Unauthenticated: no token is given for these credentials.
            TokenNotFetched: the token server did not answer.
            requests.RequestException: the request got no whole answer.
        """
        from google.auth.exceptions import RefreshError, TransportError

        try:
            return super().request(method, url, **options)
        except RefreshError as error:
            if error.retryable:
                raise TokenNotFetched(str(error)) from error
            raise Unauthenticated(
                401,
                "UNAUTHENTICATED",
                f"no access token: {error}",
                method=method,
                url=url,
                hint=LOG_IN,
            ) from error
        except TransportError as error:
            raise TokenNotFetched(str(error)) from error


def _shared_by_threads(session: requests.Session, trust: ServerTrust | None) -> requests.Session:
    """Widen the pool, and keep no cookies: they are the one part of a session that threads would race for."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, _adapter(trust))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _adapter(trust: ServerTrust | None) -> HTTPAdapter:
    from requests.adapters import HTTPAdapter

    class Recognising(HTTPAdapter):
        """Hands the server's recognition on to urllib3, on direct connections and through proxies."""

        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **(options | recognition))

        def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
            return super().proxy_manager_for(*arguments, **(options | recognition))

    recognition: dict[str, Any] = {}
    if trust:
        recognition = {"ssl_context": trust.context(), "assert_hostname": False}
        recognition["assert_fingerprint"] = trust.fingerprint
    return Recognising(pool_connections=16, pool_maxsize=CONNECTIONS)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
