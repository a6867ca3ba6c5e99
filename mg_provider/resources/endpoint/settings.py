"""The settings of an endpoint: what differs from the arguments, changing just that, and seeing what drifted.

Labels that the program does not name belong to others, such as Google's own and those of cost tools: they are kept,
and they are not drift. The program decides everything else about the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mg_provider.api.errors import InvalidArgument, MgError
from mg_provider.resources.endpoint.args import PATCH, UPDATE, EndpointArgs
from mg_provider.resources.model.standing import changed_by, drifted, seen
from mg_provider.resources.model.unknown import plain
from mg_provider.rollout.merging import merged
from mg_provider.wire.base import nested, same, value_at, without_outputs
from mg_provider.wire.vertex.endpoint import Endpoint, PrivateServiceConnectConfig

if TYPE_CHECKING:
    from mg_provider.resources.model.lifecycle import Context

UPDATE_SECONDS = 7200.0
_PRIVATE = "private_service_connect_config"
_ALLOWLIST = f"{_PRIVATE}.project_allowlist"

A = TypeVar("A", bound=EndpointArgs)


class Refused(MgError):
    """Vertex AI does not take a change, and nothing was changed."""


def settle_endpoint(args: EndpointArgs, old: EndpointArgs, claim: str, context: Context) -> Endpoint:
    """Give the endpoint the names, labels and settings that are wanted, touching only what differs.

    A change that somebody makes meanwhile is read again and kept, except where it is about the same fields.

    Args:
        args: What is asked for.
        old: What was wanted in the last run; a label that it had and ``args`` has not is removed.
        claim: The create that holds the endpoint.
        context: The world.

    Raises:
        Refused: The allowlist cannot be changed; nothing was changed.
    """
    vertex = context.clients.vertex

    def attempt() -> Endpoint:
        endpoint = vertex.get_endpoint(args.endpoint)
        body, mask = endpoint_patch(args, old, claim, endpoint)
        if not mask:
            return endpoint
        context.guard.endpoint(endpoint)
        context.progress(f"setting {', '.join(mask)}")
        try:
            return vertex.patch_endpoint(args.endpoint, body, mask)
        except InvalidArgument as error:
            raise (_refused(args, error) if _ALLOWLIST in mask else error) from error

    endpoint = merged(attempt, "the settings", args.endpoint, args.resource)
    if wanted := endpoint_update(args, old, endpoint):
        context.guard.endpoint(endpoint)
        context.progress(f"setting {', '.join(wanted)}")
        operation = vertex.update_endpoint(args.endpoint, Endpoint(name=args.endpoint, **nested(wanted)))
        context.wait(operation, context.limit(args.timeouts.update, UPDATE_SECONDS), "updating the endpoint")
    return _kept(args, vertex.get_endpoint(args.endpoint))


def _kept(args: EndpointArgs, endpoint: Endpoint) -> Endpoint:
    """The endpoint, with what was sent to it.

    Raises:
        MgError: A setting that no client of Google's sends was dropped.
    """
    wanted, actual = args.predict_request_response_logging_config, endpoint.predict_request_response_logging_config
    if wanted is None or not wanted.error_sampling_rate or (actual and actual.error_sampling_rate):
        return endpoint
    raise MgError(
        f"Vertex AI did not keep error_sampling_rate of {args.endpoint}: failed requests are logged as all others are",
        resource=args.resource,
        exists=[args.endpoint],
        hint="remove error_sampling_rate from predict_request_response_logging_config, and set sampling_rate to what "
        "is to be logged",
    )


def _refused(args: EndpointArgs, cause: InvalidArgument) -> Refused:
    return Refused(
        f"Vertex AI refuses to change project_allowlist of a running endpoint ({cause.message}); nothing was changed",
        resource=args.resource,
        hint="put project_allowlist back as it was; to have another list, make a second endpoint with it, move its "
        "clients there, then remove this one",
    )


def endpoint_update(args: EndpointArgs, old: EndpointArgs, endpoint: Endpoint) -> dict[str, Any]:
    """What ``endpoints.update`` would change, and nothing else; what the program takes back is emptied."""
    found = {}
    for name, path in changed_by(type(args), "endpoint", UPDATE).items():
        wanted, before = getattr(args, name), getattr(old, name)
        if wanted is None and before is None:
            continue
        wanted = type(before)() if wanted is None else wanted
        if plain(wanted) != plain(without_outputs(value_at(endpoint, path) or type(wanted)())):
            found[path] = wanted
    return found


def endpoint_patch(
    args: EndpointArgs, old: EndpointArgs, claim: str, endpoint: Endpoint
) -> tuple[dict[str, Any], list[str]]:
    """The body and the mask of ``endpoints.patch`` that would change what differs, and nothing else."""
    wanted: dict[str, Any] = {
        path: getattr(args, name) or None for name, path in changed_by(type(args), "endpoint", PATCH).items()
    }
    del wanted[_PRIVATE]
    wanted["labels"] = _labels(args, old, claim, endpoint)
    mask = [path for path, value in wanted.items() if not same(value, value_at(endpoint, path))]
    values = {"etag": endpoint.etag, **nested({path: wanted[path] for path in mask})}
    config, actual = args.private_service_connect_config, endpoint.private_service_connect_config
    if config is not None and actual is not None and not _lets_in_the_same(config, actual):
        mask.append(_ALLOWLIST)
        values["private_service_connect_config"] = PrivateServiceConnectConfig(
            enable_private_service_connect=config.enable_private_service_connect,
            project_allowlist=config.project_allowlist,
        )
    return Endpoint.model_validate(values).to_wire(), mask


def _lets_in_the_same(config: PrivateServiceConnectConfig, actual: PrivateServiceConnectConfig) -> bool:
    return set(config.project_allowlist or []) == set(actual.project_allowlist or [])


def _labels(args: EndpointArgs, old: EndpointArgs, claim: str, endpoint: Endpoint) -> dict[str, str]:
    others = {key: value for key, value in (endpoint.labels or {}).items() if key not in old.labels}
    return {**others, **args.all_labels(claim)}


def observed_endpoint(args: EndpointArgs, endpoint: Endpoint) -> dict[str, object]:
    """The arguments of an endpoint that would give what is there."""
    labels = endpoint.labels or {}
    ours = {key: labels[key] for key in args.labels if key in labels}
    return {**seen(type(args), "endpoint", endpoint), "labels": ours}


def with_drift(args: A, actual: Mapping[str, object]) -> A:
    """The arguments with what the cloud has, where that differs from what was asked for."""
    return args.with_values(**drifted(args, actual))
