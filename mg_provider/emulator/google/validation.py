"""Hold requests and responses against Google's discovery documents.

A request is normalised on the way: canonical camelCase names, enum names for numbers, text for 64-bit integers,
output-only fields dropped, masks in camelCase. What the document does not know is refused in Google's words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from mg_provider.emulator.google import enums
from mg_provider.emulator.google.discovery import Document, Method, Schema, document
from mg_provider.emulator.google.errors import ApiError, invalid_argument

Violations = list[tuple[str, str]]

_DURATION = re.compile(r"-?\d+(\.\d{1,9})?s")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_INTEGER = re.compile(r"-?\d+")


class ResponseInvalid(Exception):
    """The emulator answered something that the discovery document does not know: a bug of the emulator."""


@lru_cache(maxsize=8192)
def snake(name: str) -> str:
    """``projectAllowlist`` to ``project_allowlist``."""
    return re.sub(r"([A-Z])", lambda found: "_" + found.group(1).lower(), name)


def request_body(method: Method, body: Any) -> dict[str, Any]:
    """The canonical form of a request body.

    Raises:
        ApiError: 400 with a field violation for everything that the document does not know.
    """
    if method.free_request:
        return body if isinstance(body, dict) else {}
    if method.request is None:
        if body:
            raise _refusal(method, [("", _unknown(next(iter(body)), "", "Cannot find field."))])
        return {}
    if not isinstance(body, dict):
        raise _refusal(method, [("", "Invalid JSON payload received. Root element must be a message.")])
    # Product documents of Google's send the destination of :deploy in the body as well.
    bound = {spelled for name in method.bound for spelled in (name, snake(name)) if isinstance(body.get(spelled), str)}
    body = {name: value for name, value in body.items() if name not in bound}
    walker = _Walker(document(method.document), method.rpc, incoming=True)
    canonical: dict[str, Any] = walker.message(body, {"$ref": method.request}, "")
    walker.raise_violations(method)
    return canonical


def request_query(method: Method, query: dict[str, list[str]]) -> dict[str, Any]:
    """The canonical form of a query string, without the standard parameters; repeated parameters are lists.

    Raises:
        ApiError: 400 for an unknown parameter or value.
    """
    source = document(method.document)
    known = source.parameters(method.rpc)
    spelled = {snake(name): name for name in known} if not method.legacy else {}
    walker = _Walker(source, method.rpc, incoming=True)
    canonical: dict[str, Any] = {}
    for given, values in query.items():
        name = spelled.get(given, given)
        if name not in known:
            if given.removeprefix("$") not in source.standard_parameters and given not in source.standard_parameters:
                reason = f"Cannot bind query parameter. Field '{given}' could not be found in request message."
                walker.violations.append(("", _unknown(given, "", reason)))
            continue
        schema = known[name]
        parsed = [walker.parameter(value, schema, name) for value in values]
        canonical[name] = parsed if schema.get("repeated") else parsed[-1]
        if schema.get("format") == "google-fieldmask":
            canonical[name] = walker.mask(canonical[name], _mask_target(source, method), name)
    walker.raise_violations(method)
    return canonical


def check_response(method: Method, body: Any) -> None:
    """Hold a response against its schema.

    Raises:
        ResponseInvalid: with every field that is unknown or of a wrong type.
    """
    if method.response is None or method.free_response:
        return
    walker = _Walker(document(method.document), method.rpc, incoming=False)
    walker.message(body, {"$ref": method.response}, "")
    if walker.violations:
        raise ResponseInvalid(f"{method.rpc}: " + "; ".join(text for _, text in walker.violations))


def project(version: str, message: str, resource: dict[str, Any]) -> dict[str, Any]:
    """``resource`` without the fields that Vertex ``message`` lacks in ``version``: v1 knows less than v1beta1."""
    source = document(f"aiplatform.{version}")
    prefix = f"GoogleCloudAiplatform{version[0].upper()}{version[1:]}"
    projected: dict[str, Any] = _projected(source, {"$ref": prefix + message}, resource)
    return projected


def mask_paths(mask: str) -> list[str]:
    """The paths of a canonical mask."""
    return [path for path in mask.split(",") if path]


def _projected(source: Document, schema: Schema, value: Any) -> Any:
    schema = source.resolve(schema)
    if isinstance(value, list) and "items" in schema:
        return [_projected(source, schema["items"], item) for item in value]
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {name: _projected(source, known[name], item) for name, item in value.items() if name in known}
    return value


def _mask_target(source: Document, method: Method) -> Schema | None:
    """What a mask in the query selects from: the body if there is one, else the answer or the items it lists."""
    if method.request:
        return source.schemas[method.request]
    answer = source.schemas[method.response] if method.response else None
    if answer and method.rpc.endswith(".list"):
        lists = [field for field in answer["properties"].values() if "$ref" in field.get("items", {})]
        return source.resolve(lists[0]["items"]) if lists else None
    return answer


def _unknown(name: str, path: str, why: str) -> str:
    place = f" at '{path}'" if path else ""
    return f'Invalid JSON payload received. Unknown name "{name}"{place}: {why}'


def _refusal(method: Method, violations: Violations) -> ApiError:
    message = "\n".join(text for _, text in violations)
    return invalid_argument(message, *violations)


class _Walker:
    """Goes through one message beside its schema and gathers what does not fit."""

    def __init__(self, source: Document, rpc: str, *, incoming: bool) -> None:
        self.source = source
        self.rpc = rpc
        self.incoming = incoming
        self.violations: Violations = []

    def raise_violations(self, method: Method) -> None:
        if self.violations:
            raise _refusal(method, self.violations)

    def message(self, value: Any, schema: Schema, path: str) -> Any:
        """A message, a map or a scalar; what comes back is canonical."""
        schema = self.source.resolve(schema)
        kind = schema.get("type", "any")
        if kind == "any":
            return value
        if kind == "array":
            return self._array(value, schema, path)
        if kind == "object":
            return self._object(value, schema, path)
        return self._scalar(value, schema, path)

    def parameter(self, text: str, schema: Schema, path: str) -> Any:
        """A query parameter, which is always text."""
        kind = schema.get("type")
        if kind == "boolean" and text.lower() in {"true", "false"}:
            return text.lower() == "true"
        if "enum" in schema and _INTEGER.fullmatch(text):
            return self._enum(int(text), schema, path)
        if kind == "integer" and _INTEGER.fullmatch(text):
            return int(text)
        return self._scalar(text, schema, path)

    def mask(self, text: str, target: Schema | None, path: str) -> str:
        """A mask, in either spelling, as comma-joined camelCase."""
        return ",".join(self._mask_path(part.strip(), target, path) for part in text.split(",") if part.strip())

    def _mask_path(self, text: str, schema: Schema | None, path: str) -> str:
        names: list[str] = []
        if text == "*" or schema is None:
            return text
        current: Schema | None = schema
        for part in text.split("."):
            properties = (current or {}).get("properties")
            if properties is None:  # below a map, any key
                names.append(part)
                continue
            name = self._known_name(part, properties)
            if name is None:
                where = "google.protobuf.FieldMask"
                self.violations.append(
                    (path, f"Invalid value at '{snake(path)}' (type.googleapis.com/{where}), \"{text}\"")
                )
                return text
            names.append(name)
            current = self.source.resolve(properties[name])
            current = self.source.resolve(current["items"]) if "items" in current else current
        return ".".join(names)

    def _known_name(self, given: str, properties: dict[str, Schema]) -> str | None:
        if given in properties:
            return given
        if self.incoming and self.source.name.startswith("aiplatform"):
            return next((name for name in properties if snake(name) == given), None)
        return None

    def _array(self, value: Any, schema: Schema, path: str) -> Any:
        if not isinstance(value, list):
            if self.incoming:  # Google's parser takes a single value for a repeated field
                return [self.message(value, schema["items"], path)]
            self._wrong(path, "a list", value)
            return value
        return [self.message(item, schema["items"], f"{path}[{index}]") for index, item in enumerate(value)]

    def _object(self, value: Any, schema: Schema, path: str) -> Any:
        if not isinstance(value, dict):
            self._wrong(path, "a message", value)
            return value
        if "properties" not in schema:
            values = schema.get("additionalProperties", {"type": "any"})
            return {key: self.message(item, values, f"{path}.{key}" if path else key) for key, item in value.items()}
        properties = schema["properties"]
        canonical: dict[str, Any] = {}
        for given, item in value.items():
            name = self._known_name(given, properties)
            if name is None:
                self.violations.append((path, _unknown(given, path, "Cannot find field.")))
                continue
            if self.incoming and (item is None or properties[name].get("readOnly")):
                continue
            below = snake(name)
            canonical[name] = self.message(item, properties[name], f"{path}.{below}" if path else below)
        if self.incoming:
            self._inner_mask(canonical, properties)
        return canonical

    def _inner_mask(self, message: dict[str, Any], properties: dict[str, Schema]) -> None:
        """A mask beside the one message that it selects from."""
        masks = [name for name in message if properties[name].get("format") == "google-fieldmask"]
        targets = [schema for schema in properties.values() if "$ref" in schema]
        if masks and len(targets) == 1 and isinstance(message[masks[0]], str):
            message[masks[0]] = self.mask(message[masks[0]], self.source.resolve(targets[0]), masks[0])

    def _scalar(self, value: Any, schema: Schema, path: str) -> Any:
        kind, style = schema["type"], schema.get("format")
        if "enum" in schema:
            return self._enum(value, schema, path)
        if kind == "boolean":
            return value if isinstance(value, bool) else self._wrong(path, "TYPE_BOOL", value)
        if kind == "integer":
            return self._integer(value, path, "TYPE_INT32")
        if kind == "number":
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return value if number else self._wrong(path, "TYPE_DOUBLE", value)
        if style in {"int64", "uint64"}:
            return self._long(value, path)
        if not isinstance(value, str):
            return self._wrong(path, "TYPE_STRING", value)
        pattern = {"google-duration": _DURATION, "google-datetime": _DATETIME}.get(style or "")
        return value if pattern is None or pattern.fullmatch(value) else self._wrong(path, str(style), value)

    def _integer(self, value: Any, path: str, kind: str) -> Any:
        if isinstance(value, bool):
            return self._wrong(path, kind, value)
        if isinstance(value, int):
            return value
        if self.incoming and isinstance(value, float) and value.is_integer():
            return int(value)
        if self.incoming and isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        return self._wrong(path, kind, value)

    def _long(self, value: Any, path: str) -> Any:
        if self.incoming:
            number = self._integer(value, path, "TYPE_INT64")
            return str(number)
        textual = isinstance(value, str) and _INTEGER.fullmatch(value)
        return value if textual else self._wrong(path, "TYPE_INT64 as text", value)

    def _enum(self, value: Any, schema: Schema, path: str) -> Any:
        allowed: list[str] = schema["enum"]
        if self.incoming and isinstance(value, int) and not isinstance(value, bool):
            name = enums.name_of(value, allowed)
            return name if name else self._wrong(path, "enum", value)
        # Compute Engine takes the empty text for none: loadBalancingScheme (magic-modules, pulumi-gcp issue 840).
        none = value == "" and self.incoming and self.source.name.startswith("compute")
        return value if none or value in allowed else self._wrong(path, "enum", value)

    def _wrong(self, path: str, kind: str, value: Any) -> Any:
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        self.violations.append((path, f"Invalid value at '{path}' ({kind}), {shown}"))
        return value
