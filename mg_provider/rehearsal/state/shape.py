"""Whether a state file is a deployment that this engine can work on, before anything is done on it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mg_provider.data.engine_values import SIGNATURE_KEY
from mg_provider.rehearsal.errors import RehearsalError
from mg_provider.rehearsal.state.urns import Urn

VERSION: Final = 3
_DEEPEST: Final = 200


def load_document(path: Path) -> dict[str, Any]:
    """What a state file holds, with everything in its deployment of the kind that it should be.

    Raises:
        RehearsalError: it cannot be read, or is another thing.
    """
    try:
        document = _mapping(
            json.loads(path.read_bytes(), parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once), "it"
        )
        deployment = _mapping(document.get("deployment"), "deployment")
        if document.get("version") != VERSION:
            raise RehearsalError(
                f"{path} has version {document.get('version')!r:.80}, and this engine reads version 3",
                hint="export the stack again with a current `pulumi stack export`",
            )
        _check_deployment(deployment)
    except OSError as error:
        raise RehearsalError(
            f"{path} cannot be read: {error.strerror}", hint="check its name, and who may read it"
        ) from error
    except RecursionError as error:
        raise _unusable(path, "it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, "it is not UTF-8 text") from error
    except ValueError as error:
        raise _unusable(path, str(error)) from error
    return document


def _unusable(path: Path, problem: str) -> RehearsalError:
    return RehearsalError(
        f"{path} is not a Pulumi deployment ({problem:.200})", hint="move it away, or repair it from a backup"
    )


def _check_deployment(deployment: dict[str, Any]) -> None:
    for number, entry in enumerate(_list(deployment.get("resources"), "resources")):
        _check_resource(entry, f"resources[{number}]")
    for number, entry in enumerate(_list(deployment.get("pending_operations"), "pending_operations")):
        place = f"pending_operations[{number}]"
        operation = _mapping(entry, place)
        _text(operation.get("type"), f"{place}.type")
        _check_resource(operation.get("resource"), f"{place}.resource")


def _check_resource(entry: Any, place: str) -> None:
    resource = _mapping(entry, place)
    for key in ("urn", "type"):
        _text(resource.get(key), f"{place}.{key}")
    place = f"{place} ({resource['urn']:.100})"
    _urn(resource["urn"], f"{place}.urn")
    if not isinstance(resource.get("custom"), bool):
        raise ValueError(f"{place}.custom is neither true nor false")  # noqa: TRY004 - one kind for all
    for key, value in resource.items():
        check = _FIELDS.get(key)
        if check and value is not None:
            check(value, f"{place}.{key}")
    provider = resource.get("provider")
    if provider:
        _urn(provider.rpartition("::")[0], f"{place}.provider")


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{place} is not a mapping")  # noqa: TRY004 - one kind for all
    return value


def _list(value: Any, place: str) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise ValueError(f"{place} is not a list")
    return value or []


def _text(value: Any, place: str) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{place} is not a text")  # noqa: TRY004 - one kind for all


def _texts(value: Any, place: str) -> None:
    for element in _list(value, place):
        _text(element, place)


def _urns(value: Any, place: str) -> None:
    for element in _list(value, place):
        _urn(element, place)


def _urn(value: Any, place: str) -> None:
    _text(value, place)
    if not value.startswith("urn:pulumi:") or value.count("::") < 3:
        raise ValueError(f"{place} is {value!r:.80}, which is not a URN")
    Urn.parse(value)


def _urn_or_none(value: Any, place: str) -> None:
    if value != "":
        _urn(value, place)


def _truth(value: Any, place: str) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{place} is neither true nor false")  # noqa: TRY004 - one kind for all


def _lists_of_urns(value: Any, place: str) -> None:
    for key, element in _mapping(value, place).items():
        _urns(element, f"{place}.{key}")


def _seconds(value: Any, place: str) -> None:
    for key, element in _mapping(value, place).items():
        if isinstance(element, bool) or not isinstance(element, int | float) or not 0 <= element < 1e9:
            raise ValueError(f"{place}.{key} is not a number of seconds")


def _properties(value: Any, place: str) -> None:
    _plain(_mapping(value, place), place, 0)


def _plain(value: Any, place: str, depth: int) -> None:
    """Properties: nested as deep as the engine walks, numbers that its wire can carry."""
    if depth > _DEEPEST:
        raise ValueError(f"{place:.200} is nested too deeply")
    if isinstance(value, dict):
        _secret(value, place)
        for key, element in value.items():
            _plain(element, f"{place}.{key}", depth + 1)
    elif isinstance(value, list):
        for element in value:
            _plain(element, place, depth + 1)
    elif isinstance(value, int) and value.bit_length() > 1000:
        raise ValueError(f"{place:.200} is a number that is too long")


def _secret(value: dict[str, Any], place: str) -> None:
    plaintext = value.get("plaintext")
    if SIGNATURE_KEY in value and plaintext is not None:
        _text(plaintext, f"{place}.plaintext")
        _plain(json.loads(plaintext, parse_constant=_refuse, parse_float=_finite), f"{place}.plaintext", 0)


_FIELDS: Final[dict[str, Callable[[Any, str], None]]] = {
    **dict.fromkeys(("inputs", "outputs"), _properties),
    **dict.fromkeys(("id", "provider", "created", "modified"), _text),
    **dict.fromkeys(("parent", "deletedWith"), _urn_or_none),
    **dict.fromkeys(("delete", "protect", "external", "pendingReplacement", "retainOnDelete"), _truth),
    **dict.fromkeys(("dependencies", "aliases"), _urns),
    **dict.fromkeys(("initErrors", "additionalSecretOutputs", "ignoreChanges", "replaceOnChanges"), _texts),
    "propertyDependencies": _lists_of_urns,
    "customTimeouts": _seconds,
}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r:.80} appears twice")
    return made


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.20} is out of range")
    return number


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not a number in JSON")
