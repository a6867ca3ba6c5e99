"""What Vertex AI would refuse inside an object, minutes after the call: ranges, forms, and what excludes what."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mg_provider.wire.container import ContainerSpec, Probe
from mg_provider.wire.encryption import EncryptionSpec
from mg_provider.wire.endpoint import ClientConnectionConfig, PredictRequestResponseLoggingConfig
from mg_provider.wire.machine import FlexStart, ScaleToZeroSpec

GCS_FOLDER = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[^\s?#\[\]*]*)?")
BIGQUERY = re.compile(r"bq://[\w:-]+(\.[\w$-]+){0,2}")

_KMS_KEY = re.compile(r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")
_PROBES = ("exec", "http_get", "grpc", "tcp_socket")
_MOST_IDLE, _LEAST_IDLE = 28800, 300
_MOST_RUNTIME, _MOST_DEPLOYMENT, _MOST_INFERENCE = 604800, 7200, 3600


def _seconds_problem(name: str, value: str | None, most: int, least: int = 0) -> str | None:
    if value is None or least <= float(value.removesuffix("s")) <= most:
        return None
    return f"{name} is {value}: use {least}s to {most}s" if least else f"{name} is {value}: use at most {most}s"


def _first(reasons: Iterable[str | None]) -> str | None:
    return next((reason for reason in reasons if reason), None)


def container_problem(spec: ContainerSpec | None) -> str | None:
    """Why a serving container would not start."""
    if spec is None:
        return None
    if not spec.image_uri:
        return "image_uri is missing: name the container image"
    for port in (*(spec.ports or ()), *(spec.grpc_ports or ())):
        if not 1 <= (port.container_port or 0) <= 65535:
            return f"container_port is {port.container_port}: use 1 to 65535"
    probes = ((name, getattr(spec, name)) for name in ("startup_probe", "health_probe", "liveness_probe"))
    return _first(
        (
            *(_probe_problem(name, probe) for name, probe in probes),
            _seconds_problem("deployment_timeout", spec.deployment_timeout, _MOST_DEPLOYMENT),
        )
    )


def _probe_problem(name: str, probe: Probe | None) -> str | None:
    if probe is None or sum(getattr(probe, kind) is not None for kind in _PROBES) == 1:
        return None
    return f"{name} needs exactly one of {', '.join(_PROBES[:-1])} and {_PROBES[-1]}"


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
        return f"{table.output_uri!r} is no BigQuery URI: write bq://project.dataset.table"
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
    match = _KMS_KEY.fullmatch(spec.kms_key_name)
    if not match:
        form = "projects/{p}/locations/{l}/keyRings/{r}/cryptoKeys/{k}"
        return f"{spec.kms_key_name!r} is no Cloud KMS key: write {form}"
    if region and match[1] != region:
        return f"the key is in {match[1]}: use one in {region}, where the resource is"
    return None
