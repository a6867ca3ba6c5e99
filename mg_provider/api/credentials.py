"""Who the calls are made as.

google-auth is imported when the first call to Google is made: nothing on this machine's own loopback needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.api.errors import UserError
from mg_provider.api.redaction import excerpt
from mg_provider.api.settings import Settings

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""The OAuth scope that every API here accepts."""


def find_credentials(settings: Settings) -> Credentials:
    """The credentials that calls to Google are made with.

    ``GOOGLE_OAUTH_ACCESS_TOKEN``, else Application Default Credentials; exchanged for those of
    ``impersonate_service_account`` where that is set (permission iam.serviceAccounts.getAccessToken).

    Raises:
        UserError: there are none.
    """
    return _impersonated(_own(settings), settings)


def _own(settings: Settings) -> Credentials:
    import google.auth
    import google.oauth2.credentials
    from google.auth.exceptions import DefaultCredentialsError

    if settings.access_token:
        return google.oauth2.credentials.Credentials(  # type: ignore[no-untyped-call]
            token=settings.access_token, quota_project_id=settings.quota_project
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
