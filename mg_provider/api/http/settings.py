"""What configuration and environment say to the project's API clients, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mg_provider.api.errors import UserError
from mg_provider.api.texts import shown
from mg_provider.loopback import is_loopback
from mg_provider.spelling import nearest

PROJECT = "project"
"""Config key ``mg:project``: project id that resources are made in."""

REGION = "region"
"""Config key ``mg:region``: region that resources are made in."""

OWNER = "owner"
"""Config key ``mg:owner``: whose stack it is, where the backend gives every stack the same organization."""

IMPERSONATE_SERVICE_ACCOUNT = "impersonateServiceAccount"
"""Config key: e-mail address of the service account to act as."""

USER_PROJECT_OVERRIDE = "userProjectOverride"
"""Config key: ``true`` to have calls counted against ``billingProject``, else against ``project``."""

BILLING_PROJECT = "billingProject"
"""Config key: project that calls are counted against when ``userProjectOverride`` is set."""

VERTEX_CUSTOM_ENDPOINT = "vertexAiCustomEndpoint"
"""Config key: base URL of Vertex AI."""

COMPUTE_CUSTOM_ENDPOINT = "computeCustomEndpoint"
"""Config key: base URL of Compute Engine."""

STORAGE_CUSTOM_ENDPOINT = "storageCustomEndpoint"
"""Config key: base URL of Cloud Storage."""

BIG_QUERY_CUSTOM_ENDPOINT = "bigQueryCustomEndpoint"
"""Config key: base URL of BigQuery."""

LOGGING_CUSTOM_ENDPOINT = "loggingCustomEndpoint"
"""Config key: base URL of Cloud Logging."""

UNIVERSE_DOMAIN = "universeDomain"
"""Config key: domain of the cloud's APIs; that of a sovereign or partner cloud of Google's differs."""

EMULATOR = "emulator"
"""Config key ``mg:emulator``: base URL of an emulator on this machine; it stands for every endpoint that is not set."""

ENDPOINTS = (
    VERTEX_CUSTOM_ENDPOINT,
    COMPUTE_CUSTOM_ENDPOINT,
    STORAGE_CUSTOM_ENDPOINT,
    BIG_QUERY_CUSTOM_ENDPOINT,
    LOGGING_CUSTOM_ENDPOINT,
)
"""The config keys of base URLs."""

KEYS = (
    PROJECT,
    REGION,
    OWNER,
    IMPERSONATE_SERVICE_ACCOUNT,
    USER_PROJECT_OVERRIDE,
    BILLING_PROJECT,
    UNIVERSE_DOMAIN,
    EMULATOR,
    *ENDPOINTS,
)
"""Every config key that settings are read from."""

HOST_THREADS = "hostThreads"
"""Config key ``mg:hostThreads``: calls that one provider process serves at once; its host reads it."""

NAMESPACES = ("mg", "gcp")
"""Where a config key is looked up, in this order: our own namespace, then pulumi-gcp's."""

ACCESS_TOKEN_VARIABLE = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105 - a name, not a token
"""Environment variable: an OAuth access token used instead of Application Default Credentials."""

PROJECT_VARIABLE = "GOOGLE_CLOUD_PROJECT"
"""Environment variable: project id, where no config names one."""

UNIVERSE_DOMAIN_VARIABLE = "GOOGLE_CLOUD_UNIVERSE_DOMAIN"
"""Environment variable: domain of the cloud's APIs, where no config names one; Google's own libraries read it too."""

DEFAULT_UNIVERSE = "googleapis.com"
"""The domain of the APIs of Google Cloud itself."""

REHEARSAL_VARIABLE = "MG_REHEARSAL"
"""Environment variable that a rehearsal sets for its program and providers: nothing but this machine is called."""

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
# How much alike a misspelt key and the right one are at least; 1 is the same.
_NEAR = 0.75
# pulumi-gcp's custom endpoints carry the API's own path; ours are the server alone.
_API_PATHS = ("/compute/v1", "/storage/v1", "/bigquery/v2", "/v1beta1", "/v1", "/v2")


@dataclass(frozen=True)
class Settings:
    """How to reach Google, and as whom.

    Attributes:
        project: Project id.
        region: Region.
        owner: Whose stack it is; None leaves that to the backend's organization.
        impersonate_service_account: E-mail address of the service account to act as.
        user_project_override: Whether calls are counted against ``billing_project`` or else ``project``.
        billing_project: Project that calls are counted against.
        vertex_custom_endpoint: Base URL of Vertex AI, without a path of its API.
        compute_custom_endpoint: Base URL of Compute Engine.
        storage_custom_endpoint: Base URL of Cloud Storage.
        big_query_custom_endpoint: Base URL of BigQuery.
        logging_custom_endpoint: Base URL of Cloud Logging.
        universe_domain: Domain of the cloud's APIs.
        access_token: OAuth access token; never shown.
        rehearsal: Whether nothing but this machine may be called.
    """

    project: str | None = None
    region: str | None = None
    owner: str | None = None
    impersonate_service_account: str | None = None
    user_project_override: bool = False
    billing_project: str | None = None
    vertex_custom_endpoint: str | None = None
    compute_custom_endpoint: str | None = None
    storage_custom_endpoint: str | None = None
    big_query_custom_endpoint: str | None = None
    logging_custom_endpoint: str | None = None
    universe_domain: str = DEFAULT_UNIVERSE
    access_token: str | None = field(default=None, repr=False)
    rehearsal: bool = False

    @classmethod
    def from_config(cls, get: Callable[[str], str | None], environ: Mapping[str, str]) -> Settings:
        """Read configuration and environment.

        Args:
            get: Returns the value of a full config key such as ``mg:project``, or None.
            environ: Environment variables.

        Raises:
            UserError: an owner has a slash in it, a custom endpoint is not a URL or is plain http to another machine,
                the emulator is not on this machine, a universe's domain is not valid, or a switch is neither true
                nor false.
        """

        def value(key: str) -> str | None:
            return next((found for space in NAMESPACES if (found := get(f"{space}:{key}"))), None)

        rehearsal = bool(environ.get(REHEARSAL_VARIABLE))
        given = {key: _endpoint(key, value(key)) for key in ENDPOINTS}
        emulator = _emulator(get(f"mg:{EMULATOR}"))
        if rehearsal and emulator is None:
            # Its emulator serves all services, so the one that is set stands for those that are not.
            emulator = next((url for url in given.values() if url and is_loopback(url)), None)
        endpoints = {key: url or emulator for key, url in given.items()}
        return cls(
            project=value(PROJECT) or environ.get(PROJECT_VARIABLE) or None,
            region=value(REGION),
            owner=_owner(get(f"mg:{OWNER}")),
            impersonate_service_account=value(IMPERSONATE_SERVICE_ACCOUNT),
            user_project_override=_switch(USER_PROJECT_OVERRIDE, value(USER_PROJECT_OVERRIDE)),
            billing_project=value(BILLING_PROJECT),
            vertex_custom_endpoint=endpoints[VERTEX_CUSTOM_ENDPOINT],
            compute_custom_endpoint=endpoints[COMPUTE_CUSTOM_ENDPOINT],
            storage_custom_endpoint=endpoints[STORAGE_CUSTOM_ENDPOINT],
            big_query_custom_endpoint=endpoints[BIG_QUERY_CUSTOM_ENDPOINT],
            logging_custom_endpoint=endpoints[LOGGING_CUSTOM_ENDPOINT],
            universe_domain=_universe(value(UNIVERSE_DOMAIN) or environ.get(UNIVERSE_DOMAIN_VARIABLE)),
            access_token=environ.get(ACCESS_TOKEN_VARIABLE) or None,
            rehearsal=rehearsal,
        )

    def service(self, name: str) -> str:
        """Base URL of a service such as ``compute``, without a custom endpoint."""
        return f"https://{name}.{self.universe_domain}"

    @property
    def quota_project(self) -> str | None:
        """The project that calls are counted against, if it is not left to the credentials."""
        return (self.billing_project or self.project) if self.user_project_override else None


def misspelt_keys(keys: Iterable[str]) -> list[tuple[str, str]]:
    """The full config keys below ``mg:`` that are almost one of ours, each with the right one."""
    known = [f"mg:{key}" for key in (*KEYS, HOST_THREADS)]
    wrong = (key for key in keys if key.startswith("mg:") and key not in known)
    return [(key, near) for key in wrong if (near := nearest(key, known, _NEAR))]


def _endpoint(key: str, value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise UserError(
            "is not a base URL",
            property=f"mg:{key}",
            hint="write scheme, host and perhaps port, such as https://us-central1-aiplatform.googleapis.com",
        )
    if parts.scheme == "http" and not is_loopback(value):
        raise UserError(
            f"{parts.hostname} is another machine, and plain http would show the access token to the network",
            property=f"mg:{key}",
            hint="use https, or an address of this machine",
        )
    base = value.rstrip("/")
    return next((base.removesuffix(path) for path in _API_PATHS if base.endswith(path)), base)


def _emulator(value: str | None) -> str | None:
    if value and not (value.startswith("http://") and is_loopback(value)):
        raise UserError(
            f"{shown(value)} is not the address of an emulator on this machine",
            property=f"mg:{EMULATOR}",
            hint="write what `mg emulator` prints, such as http://127.0.0.1:8085; other servers have keys of their own",
        )
    return _endpoint(EMULATOR, value) if value else None


def _universe(value: str | None) -> str:
    if value and not _DOMAIN.fullmatch(value):
        raise UserError(
            f"{shown(value)} is not the domain of a cloud's APIs",
            property=f"mg:{UNIVERSE_DOMAIN}",
            hint=f"write the domain alone, such as {DEFAULT_UNIVERSE}",
        )
    return value or DEFAULT_UNIVERSE


def _owner(value: str | None) -> str | None:
    if value is not None and (not value.strip() or "/" in value):
        raise UserError(
            f"{value!r} is not a valid owner",
            property=f"mg:{OWNER}",
            hint="write a name without /, such as search-team",
        )
    return value


def _switch(key: str, value: str | None) -> bool:
    if value is None or value.lower() in ("false", "true"):
        return value is not None and value.lower() == "true"
    raise UserError(f"{value!r} is neither true nor false", property=f"mg:{key}", hint="write true or false")
