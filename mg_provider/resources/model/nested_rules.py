"""What Vertex AI would refuse inside an object, minutes after the call: ranges, forms, and what excludes what."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mg_provider.api.names import KMS_KEY
from mg_provider.api.storage.spellings import BUCKET, uri_hint
from mg_provider.api.texts import cut, shown
from mg_provider.wire.vertex.container import ContainerSpec, EnvVar, Probe
from mg_provider.wire.vertex.encryption import EncryptionSpec
from mg_provider.wire.vertex.endpoint import ClientConnectionConfig, PredictRequestResponseLoggingConfig
from mg_provider.wire.vertex.machine import FlexStart, ScaleToZeroSpec

# No part of a path is . or .., which no object's name can be.
GCS_FOLDER = re.compile(rf"gs://{BUCKET}(?:/(?!\.\.?(?:/|$))[^\s/?#\[\]*]*)*")
BIGQUERY = re.compile(r"bq://[\w:-]+(\.[\w$-]+){0,2}")

_IMAGE = re.compile(r"(?!.*(?://|\.\.))[A-Za-z0-9][A-Za-z0-9._/:@+-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ROUTE = re.compile(r"/[^\s#]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_ROUTES = ("predict_route", "health_route", "invoke_route_prefix")
_SPEC_PROBES = ("startup_probe", "health_probe", "liveness_probe")
# 16 TB, more than any machine has.
_MOST_MEMORY = 16 * 1024 * 1024
_PROBES = ("exec", "http_get", "grpc", "tcp_socket")
_MOST_IDLE, _LEAST_IDLE = 28800, 300
_MOST_RUNTIME, _MOST_DEPLOYMENT, _MOST_INFERENCE = 604800, 7200, 3600


def _seconds_problem(name: str, value: str | None, most: int, least: int = 0) -> str | None:
    if value is None or least <= float(value.removesuffix("s")) <= most:
        return None
    allowed = f"{least}s to {most}s" if least else f"at most {most}s"
    return f"{name} is {cut(value)}: use {allowed}"


def _first(reasons: Iterable[str | None]) -> str | None:
    return next((reason for reason in reasons if reason), None)


def folder_problem(uri: str) -> str | None:
    """Why a URI is not a folder in Cloud Storage, with what to write."""
    if GCS_FOLDER.fullmatch(uri):
        return None
    return f"{shown(uri)} is not a valid folder in Cloud Storage: {uri_hint(uri)}"


def container_problem(spec: ContainerSpec | None) -> str | None:
    """Why a serving container would not start."""
    if spec is None:
        return None
    if not spec.image_uri:
        return "image_uri is missing: name the container image"
    if not _IMAGE.fullmatch(spec.image_uri):
        form = "{region}-docker.pkg.dev/{project}/{repository}/{image}:{tag}"
        return f"{shown(spec.image_uri)} is not the name of a container image: write {form}"
    if (spec.shared_memory_size_mb or 0) > _MOST_MEMORY:
        return f"shared_memory_size_mb is {spec.shared_memory_size_mb}: use at most {_MOST_MEMORY}, which is 16 TB"
    return _first(
        (
            _environment_problem(spec.env or ()),
            *(_port_problem("container_port", port.container_port or 0) for port in spec.ports or ()),
            *(_port_problem("container_port", port.container_port or 0) for port in spec.grpc_ports or ()),
            *(_route_problem(name, getattr(spec, name)) for name in _ROUTES),
            *(_probe_problem(name, getattr(spec, name)) for name in _SPEC_PROBES),
            _seconds_problem("deployment_timeout", spec.deployment_timeout, _MOST_DEPLOYMENT),
        )
    )


def _environment_problem(variables: Iterable[EnvVar]) -> str | None:
    for variable in variables:
        if not _VARIABLE.fullmatch(variable.name):
            return f"env has the name {shown(variable.name)}: use letters, digits and _, a letter or _ first"
    return None


def _port_problem(name: str, port: int | None) -> str | None:
    return None if port is None or 1 <= port <= 65535 else f"{name} is {port}: use 1 to 65535"


def _route_problem(name: str, route: str | None) -> str | None:
    if route is None or _ROUTE.fullmatch(route):
        return None
    return f"{name} is {shown(route)}: write a path such as /predict"


def _probe_problem(name: str, probe: Probe | None) -> str | None:
    if probe is None:
        return None
    given = [kind for kind in _PROBES if getattr(probe, kind) is not None]
    if len(given) != 1:
        return f"{name} needs exactly one of {', '.join(_PROBES[:-1])} and {_PROBES[-1]}"
    asks = getattr(probe, given[0])
    headers = (header.name for header in getattr(asks, "http_headers", None) or ())
    if (wrong := next((header for header in headers if not _HEADER.fullmatch(header)), None)) is not None:
        return f"{name}.{given[0]} has the header {shown(wrong)}: use letters, digits and -"
    return _first(
        (
            _port_problem(f"{name}.{given[0]}.port", getattr(asks, "port", None)),
            _route_problem(f"{name}.{given[0]}.path", getattr(asks, "path", None)),
        )
    )


def logging_problem(config: PredictRequestResponseLoggingConfig | None) -> str | None:
    """Why requests would not be logged."""
    if config is None:
        return None
    rate, failed, table = config.sampling_rate, config.error_sampling_rate, config.bigquery_destination
    if rate is not None and not 0 < rate <= 1:
        return f"sampling_rate is {rate}: use more than 0 and at most 1"
    if failed is not None and not 0 <= failed <= 1:
        return f"error_sampling_rate is {failed}: use 0 to 1"
    if table is not None and not BIGQUERY.fullmatch(table.output_uri):
        return f"{shown(table.output_uri)} is not a valid BigQuery URI: write bq://project.dataset.table"
    return None


def connection_problem(config: ClientConnectionConfig | None) -> str | None:
    """Why a caller could not wait that long."""
    return _seconds_problem("inference_timeout", config.inference_timeout, _MOST_INFERENCE) if config else None


def idle_problem(spec: ScaleToZeroSpec | None) -> str | None:
    """Why a deployment could not go down to no replica so soon or so late."""
    names = ("idle_scaledown_period", "min_scaleup_period")
    return _first(_seconds_problem(name, getattr(spec, name, None), _MOST_IDLE, _LEAST_IDLE) for name in names)


def flex_start_problem(spec: FlexStart | None) -> str | None:
    """Why a deployment could not run that long on queued capacity."""
    return _seconds_problem("max_runtime_duration", spec.max_runtime_duration, _MOST_RUNTIME) if spec else None


def key_problem(spec: EncryptionSpec | None, region: str) -> str | None:
    """Why a key could not be used in a region."""
    if spec is None:
        return None
    match = KMS_KEY.match(spec.kms_key_name)
    if not match:
        return KMS_KEY.problem(spec.kms_key_name)
    if region and match["location"] != region:
        return f"the key is in {match['location']}: use one in {region}, where the resource is"
    return None
