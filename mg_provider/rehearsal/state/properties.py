"""Property values: Pulumi's protobuf structs and state JSON to Python values and back.

A value is ``None``, a bool, a number, a string, a list, a dict, :class:`Secret` or :data:`UNKNOWN`. The marks are those
of Pulumi's wire format (``sdk/python/lib/pulumi/runtime/rpc.py``). The SDK's own ``PropertyValue`` has no unknowns,
fails on outputs without a value or dependencies, and loses the ids of references.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

from mg_provider.data.engine_values import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN_TEXT, UNKNOWN_TEXTS
from mg_provider.rehearsal.errors import WITH_PULUMI, RehearsalError

Value = Any
Properties = dict[str, Any]

OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET_SIGNATURES: Final = ("c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7")
MASK: Final = "[secret]"


class Unknown:
    """A value that is only known after the resource it comes from has been created or updated."""

    def __repr__(self) -> str:
        return "[unknown]"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that is masked wherever it is shown."""

    value: Value

    def __repr__(self) -> str:
        return MASK


def decode(value: struct_pb2.Value) -> Value:
    """A protobuf value as Python value; assets and archives are refused."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWN_TEXTS else value.string_value
    if kind == "number_value":
        return whole(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [decode(element) for element in value.list_value.values]
    if kind == "struct_value":
        return _decode_object(value.struct_value)
    return None


def decode_struct(struct: struct_pb2.Struct) -> Properties:
    """A protobuf struct as properties; those without a value are left out, as Pulumi does."""
    decoded = {key: decode(value) for key, value in struct.fields.items()}
    return {key: value for key, value in decoded.items() if value is not None}


def _decode_object(struct: struct_pb2.Struct) -> Value:
    signature = struct.fields[SIGNATURE_KEY].string_value if SIGNATURE_KEY in struct.fields else ""
    if not signature:
        return {key: decode(value) for key, value in struct.fields.items()}
    if signature == SECRET_SIGNATURE:
        return Secret(decode(struct.fields["value"]))
    if signature == OUTPUT_SIGNATURE:
        inner = decode(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
        return Secret(inner) if struct.fields["secret"].bool_value else inner
    if signature == RESOURCE_SIGNATURE:
        reference = struct.fields["id" if "id" in struct.fields else "urn"]
        return decode(reference)
    if signature in ASSET_SIGNATURES:
        raise RehearsalError("assets and archives are not rehearsed", hint=WITH_PULUMI)
    raise RehearsalError(f"a property has the unknown signature {signature}", hint=WITH_PULUMI)


def encode(value: Value, *, secrets: bool) -> struct_pb2.Value:
    """A Python value for the wire; without ``secrets`` their plain values are sent, as to a dynamic provider."""
    encoded = struct_pb2.Value()
    _fill(encoded, value, secrets=secrets)
    return encoded


def encode_struct(properties: Mapping[str, Value], *, secrets: bool) -> struct_pb2.Struct:
    """Properties for the wire."""
    struct = struct_pb2.Struct()
    _fill_struct(struct, properties, secrets=secrets)
    return struct


def _fill(into: struct_pb2.Value, value: Value, *, secrets: bool) -> None:
    """Encode in place: a message that is built and then put into another is copied at each level."""
    if isinstance(value, str):
        into.string_value = value
    elif value is None:
        into.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = float(value)
    elif isinstance(value, Secret) and secrets:
        _fill_struct(into.struct_value, {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value.value}, secrets=True)
    elif isinstance(value, Secret):
        _fill(into, value.value, secrets=False)
    elif isinstance(value, Unknown):
        into.string_value = UNKNOWN_TEXT
    elif isinstance(value, list):
        into.list_value.SetInParent()
        for element in value:
            _fill(into.list_value.values.add(), element, secrets=secrets)
    else:
        _fill_struct(into.struct_value, value, secrets=secrets)


def _fill_struct(into: struct_pb2.Struct, properties: Mapping[str, Value], *, secrets: bool) -> None:
    into.SetInParent()
    for key, value in properties.items():
        _fill(into.fields[key], value, secrets=secrets)


def whole(number: float) -> int | float:
    """A number as int where nothing is lost, since the wire knows floats only."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _mapped(value: Value, change: Callable[[Value], Value]) -> Value:
    """A value with a change made to all that is neither a list nor a dictionary."""
    if isinstance(value, list):
        return [_mapped(element, change) for element in value]
    if isinstance(value, dict):
        return {key: _mapped(element, change) for key, element in value.items()}
    return change(value)


def to_state(value: Value) -> Value:
    """A value as it stands in a deployment file: secrets marked, in clear, as `pulumi stack export --show-secrets`."""

    def written(leaf: Value) -> Value:
        if isinstance(leaf, Secret):
            return {SIGNATURE_KEY: SECRET_SIGNATURE, "plaintext": json.dumps(to_state(leaf.value))}
        return UNKNOWN_TEXT if isinstance(leaf, Unknown) else leaf

    return _mapped(value, written)


def from_state(value: Value) -> Value:
    """A value out of a deployment file; an encrypted secret is refused, since its key is not ours."""
    if isinstance(value, list):
        return [from_state(element) for element in value]
    if isinstance(value, float):
        return whole(value)
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
        if "plaintext" not in value:
            raise RehearsalError(
                "the state holds an encrypted secret", hint="export it with `pulumi stack export --show-secrets` first"
            )
        return Secret(from_state(json.loads(value["plaintext"])))
    return {key: from_state(element) for key, element in value.items()}


def masked(value: Value) -> Value:
    """A value to show: secrets as ``[secret]``, unknowns as Pulumi's mark."""

    def shown(leaf: Value) -> Value:
        return MASK if isinstance(leaf, Secret) else UNKNOWN_TEXT if isinstance(leaf, Unknown) else leaf

    return _mapped(value, shown)


def revealed(value: Value) -> Value:
    """A value without the marks of its secrets."""
    return _mapped(value, lambda leaf: revealed(leaf.value) if isinstance(leaf, Secret) else leaf)


def contains(value: Value, kind: type) -> bool:
    """Whether a Secret or an Unknown is anywhere inside."""
    if isinstance(value, kind):
        return True
    if isinstance(value, Secret):
        return contains(value.value, kind)
    if isinstance(value, list):
        return any(contains(element, kind) for element in value)
    if isinstance(value, dict):
        return any(contains(element, kind) for element in value.values())
    return False


def mark_secrets(outputs: Properties, inputs: Mapping[str, Value]) -> None:
    """Mark those outputs secret whose input of the same name is, since a dynamic provider loses the mark."""
    for key, given in inputs.items():
        if key not in outputs:
            continue
        out = outputs[key]
        if isinstance(out, dict) and isinstance(given, dict):
            mark_secrets(out, given)
        elif not isinstance(out, Secret) and contains(given, Secret):
            outputs[key] = Secret(out)


def equal(left: Value, right: Value) -> bool:
    """Deep equality that distinguishes ``True`` from ``1`` and takes a missing property for one without a value."""
    if isinstance(left, dict) and isinstance(right, dict):
        return all(equal(left.get(key), right.get(key)) for key in left.keys() | right.keys())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(one, other) for one, other in zip(left, right, strict=True))
    if isinstance(left, Secret) and isinstance(right, Secret):
        return equal(left.value, right.value)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)
