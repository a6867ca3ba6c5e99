"""Values on the wire are read and written as Pulumi's SDK does it, and what its own property values lack is known."""

import pytest
from google.protobuf import struct_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime import rpc

from mg_provider.data import engine_values
from mg_provider.rehearsal.errors import RehearsalError
from mg_provider.rehearsal.state import properties
from mg_provider.rehearsal.state.properties import UNKNOWN, Secret, decode, encode

PLAIN = [None, True, 1, 1.5, "text", [], {}, ["a", [None]], {"a": {"b": [1, {"c": False}]}}]
SECRETS = [Secret("a"), {"a": Secret({"b": [1]})}, [Secret(None), "b"]]


def marked(signature, **fields):
    value = struct_pb2.Value()
    value.struct_value.update({engine_values.SIGNATURE_KEY: signature, **fields})
    return value


def of_the_sdk(value):
    """One of our values as the SDK has it."""
    if isinstance(value, Secret):
        return of_the_sdk(value.value).with_secret(True)
    if isinstance(value, dict):
        return PropertyValue({key: of_the_sdk(entry) for key, entry in value.items()})
    if isinstance(value, list):
        return PropertyValue([of_the_sdk(entry) for entry in value])
    return PropertyValue(float(value) if type(value) is int else value)


def test_the_marks_are_those_of_the_sdk():
    assert rpc._special_sig_key == engine_values.SIGNATURE_KEY
    assert rpc._special_secret_sig == engine_values.SECRET_SIGNATURE
    assert rpc._special_output_value_sig == properties.OUTPUT_SIGNATURE
    assert rpc._special_resource_sig == properties.RESOURCE_SIGNATURE
    assert set(properties.ASSET_SIGNATURES) == {rpc._special_asset_sig, rpc._special_archive_sig}
    assert engine_values.UNKNOWN_TEXT == rpc.UNKNOWN


@pytest.mark.parametrize("value", [*PLAIN, *SECRETS], ids=repr)
def test_a_value_is_written_and_read_as_the_sdk_does_it(value):
    written = encode(value, secrets=True)
    assert written == of_the_sdk(value).marshal()
    assert PropertyValue.unmarshal(written) == of_the_sdk(value)
    assert decode(written) == value


def test_what_the_sdks_property_values_lack_is_read_here():
    """Where one of these begins to pass in the SDK, its property values can take the place of ours."""
    assert PropertyValue.unmarshal(encode(UNKNOWN, secrets=True)).value == engine_values.UNKNOWN_TEXT
    assert decode(encode(UNKNOWN, secrets=True)) is UNKNOWN
    with pytest.raises(ValueError, match="Unsupported"):
        PropertyValue.computed().marshal()
    for output, meant in (({"value": "a"}, "a"), ({}, UNKNOWN)):
        with pytest.raises((ValueError, UnboundLocalError)):
            PropertyValue.unmarshal(marked(properties.OUTPUT_SIGNATURE, **output))
        assert decode(marked(properties.OUTPUT_SIGNATURE, **output)) == meant
    reference = marked(properties.RESOURCE_SIGNATURE, urn="urn", id="id")
    assert PropertyValue.unmarshal(reference).value.resource_id is None
    assert decode(reference) == "id"
    with pytest.raises(RehearsalError, match="assets"):
        decode(marked(properties.ASSET_SIGNATURES[0], text="a"))
