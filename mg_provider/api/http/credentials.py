"""Who the calls are made as.

google-auth is imported when the first call to Google is made: nothing on this machine's own loopback needs it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from mg_provider.api.errors import Unauthenticated, UserError
from mg_provider.api.http.settings import UNIVERSE_DOMAIN, Settings
from mg_provider.api.redaction import excerpt

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""The OAuth scope that every API here accepts."""

LOG_IN = "run `gcloud auth application-default login`, or set GOOGLE_OAUTH_ACCESS_TOKEN to a valid token"
"""What to do where no token is given."""

_ATTEMPTS = 3
# Seconds to wait for a connection to a token server, and for its answer.
_TIMEOUTS = (10.0, 60.0)


def find_credentials(settings: Settings) -> Credentials:
    """The credentials that calls to Google are made with.

    ``GOOGLE_OAUTH_ACCESS_TOKEN``, else Application Default Credentials; exchanged for those of
    ``impersonate_service_account`` where that is set (permission iam.serviceAccounts.getAccessToken).

    Raises:
        UserError: there are none, or they are another cloud's.
    """
    own = _own(settings)
    if own.universe_domain != settings.universe_domain:
        raise UserError(
            f"the credentials are for {own.universe_domain}, and the calls go to {settings.universe_domain}",
            property=f"mg:{UNIVERSE_DOMAIN}",
            hint=f"set it to {own.universe_domain}, or log in to the other cloud",
        )
    return _impersonated(own, settings)


class TokenNotFetched(Exception):
    """The token server did not answer, so the request was not sent."""


class TokenSource:
    """Access tokens for requests, renewed in time. Threads share it.

    Args:
        settings: As whom.

    Raises:
        UserError: there are no credentials.
    """

    def __init__(self, settings: Settings) -> None:
        self._credentials = find_credentials(settings)
        self._fetch = _fetcher()
        self._lock = threading.Lock()

    def headers(self, method: str, url: str) -> dict[str, str]:
        """The headers that authorize a request: token, and the quota project where there is one.

        Raises:
            Unauthenticated: no token is given for these credentials.
            TokenNotFetched: the token server did not answer.
        """
        headers: dict[str, str] = {}
        with self._lock, _explained(method, url):
            self._credentials.before_request(self._fetch, method, url, headers)  # type: ignore[no-untyped-call]
        return headers

    def renew(self, method: str, url: str) -> None:
        """Fetch another token, because a request was refused with this one.

        Raises:
            Unauthenticated: no token is given for these credentials.
            TokenNotFetched: the token server did not answer.
        """
        with self._lock, _explained(method, url):
            self._credentials.refresh(self._fetch)  # type: ignore[no-untyped-call]


def _fetcher() -> Callable[..., Any]:
    """What google-auth calls token servers with. A broken connection to one is tried again."""
    import requests
    from google.auth.transport.requests import Request
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=_ATTEMPTS))
    return partial(Request(session), timeout=_TIMEOUTS)


@contextmanager
def _explained(method: str, url: str) -> Iterator[None]:
    from google.auth.exceptions import GoogleAuthError, TransportError

    try:
        yield
    except GoogleAuthError as error:
        if isinstance(error, TransportError) or error.retryable:
            raise TokenNotFetched(str(error)) from error
        raise Unauthenticated(
            401, "UNAUTHENTICATED", f"no access token: {error}", method=method, url=url, hint=LOG_IN
        ) from error


def _own(settings: Settings) -> Credentials:
    import google.auth
    import google.oauth2.credentials
    from google.auth.exceptions import DefaultCredentialsError

    if settings.access_token:
        return google.oauth2.credentials.Credentials(  # type: ignore[no-untyped-call]
            token=settings.access_token,
            quota_project_id=settings.quota_project,
            universe_domain=settings.universe_domain,
        )
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE], quota_project_id=settings.quota_project)
    except DefaultCredentialsError as error:
        raise UserError(
            f"there are no credentials for Google Cloud ({excerpt(str(error), 200)})",
            hint="run `gcloud auth application-default login`, or set GOOGLE_OAUTH_ACCESS_TOKEN",
        ) from error
    return credentials


def _impersonated(credentials: Credentials, settings: Settings) -> Credentials:
    if not settings.impersonate_service_account:
        return credentials
    from google.auth import impersonated_credentials

    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source_credentials=credentials,
        target_principal=settings.impersonate_service_account,
        target_scopes=[SCOPE],
        quota_project_id=settings.quota_project,
    )
