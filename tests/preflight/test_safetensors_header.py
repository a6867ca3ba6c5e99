"""The header parser against the safetensors library, which is the oracle, and against garbage."""

import json

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from mg_provider.preflight.tensors.safetensors_header import (
    LENGTH_BYTES,
    MAX_HEADER_BYTES,
    HeaderProblem,
    header_length,
    parse_header,
    tail_accounts_for,
)

DTYPES = (numpy.float64, numpy.float32, numpy.float16, numpy.int64, numpy.int8, numpy.uint16, numpy.bool_)
# The machine's load is no property of the parser.
quickly = settings(deadline=None, max_examples=60)

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda name: name != "__metadata__")
arrays = st.builds(numpy.zeros, st.lists(st.integers(0, 4), max_size=4).map(tuple), st.sampled_from(DTYPES))
models = st.dictionaries(names, arrays, max_size=6)
# The library itself writes a broken header for metadata that is there but empty.
metadata = st.none() | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), st.just("x"), min_size=1)


def parsed(content):
    length = header_length(content, len(content))
    return parse_header(content[LENGTH_BYTES : LENGTH_BYTES + length], len(content))


def framed(text, data=b""):
    return len(text).to_bytes(8, "little") + text + data


def library_accepts(content):
    try:
        deserialize(content)
    except SafetensorError:
        return False
    return True


def we_accept(content):
    try:
        parsed(content)
    except HeaderProblem:
        return False
    return True


@quickly
@given(models, metadata)
def test_a_file_of_the_library_is_read_as_the_library_reads_it(tensors, notes):
    content = save(tensors, notes)
    header = parsed(content)
    expected = {name: (info["dtype"], tuple(info["shape"]), len(info["data"])) for name, info in deserialize(content)}
    ours = {name: (found.dtype, found.shape, found.end - found.begin) for name, found in header.tensors.items()}
    assert ours == expected
    assert header.data_bytes == sum(tensor.nbytes for tensor in tensors.values())


@quickly
@given(models, st.data())
def test_a_file_that_was_cut_off_or_grew_is_refused_as_the_library_refuses_it(tensors, data):
    content = save(tensors)
    spoilt = data.draw(
        st.integers(0, len(content) - 1).map(lambda end: content[:end])
        | st.binary(min_size=1, max_size=8).map(lambda more: content + more)
    )
    assert not library_accepts(spoilt)
    with pytest.raises(HeaderProblem):
        parsed(spoilt)


numbers = st.integers(-1, 20) | st.just(2**64) | st.just(1.5) | st.booleans() | st.none()
entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "BF16", "F8_E4M3", "I64", "F4", "NONE"]) | st.none(),
        "shape": st.lists(numbers, max_size=3) | st.none(),
        "data_offsets": st.lists(numbers, min_size=1, max_size=3) | st.none(),
    }
)
sound = st.integers(0, 4).map(lambda n: {"dtype": "F32", "shape": [n], "data_offsets": [0, 4 * n]})


@quickly
@given(st.dictionaries(names, entries | sound, max_size=3), st.integers(0, 20))
def test_what_the_library_refuses_is_refused(header, length):
    content = framed(json.dumps(header).encode(), b"\0" * length)
    assert we_accept(content) == library_accepts(content)


@quickly
@given(st.binary(max_size=200))
def test_garbage_is_never_more_than_a_problem(content):
    assert we_accept(content) <= library_accepts(content)


@quickly
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_json_of_any_shape_is_never_more_than_a_problem(value):
    assert not we_accept(framed(json.dumps({"tensor": value}).encode()))


@quickly
@given(models, st.data())
def test_a_flipped_byte_in_a_header_never_raises_anything_but_a_problem(tensors, data):
    content = bytearray(save(tensors))
    length = header_length(bytes(content), len(content))
    content[data.draw(st.integers(0, LENGTH_BYTES + length - 1))] = data.draw(st.integers(0, 255))
    assert we_accept(bytes(content)) <= library_accepts(bytes(content))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b" {}", "does not begin with {"),
        (b'{"a":', "not JSON"),
        (b"{" + b'"a":[' * 100_000, "not JSON"),
        (b'{"a":NaN}', "not JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"\\ud800":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', "not JSON"),
        (b'{"__metadata__":{"a":1}}', "not a map of texts"),
        (b'{"a":{"dtype":"F32","shape":' + str([2**63] * 64).encode() + b',"data_offsets":[0,4]}}', "need"),
        (b'{"a":{"dtype":"F32","shape":' + str([1] * 65).encode() + b',"data_offsets":[0,4]}}', "65 dimensions"),
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', "at 4 where 0 was expected"),
        (b'{"a":{"dtype":"FROG","shape":[1],"data_offsets":[0,4]}}', "unknown dtype FROG"),
    ],
)
def test_what_is_wrong_with_a_header_is_said(text, said):
    with pytest.raises(HeaderProblem, match=said):
        parsed(framed(text, b"\0" * 4))


def test_a_header_longer_than_any_real_one_is_not_read():
    size = MAX_HEADER_BYTES + 100
    with pytest.raises(HeaderProblem, match="more than 25000000 are not read"):
        header_length((MAX_HEADER_BYTES + 1).to_bytes(8, "little"), size)


@quickly
@given(models.filter(bool))
def test_the_last_entry_of_a_header_tells_whether_the_file_is_whole(tensors):
    content = save(tensors)
    length = header_length(content, len(content))
    tail = content[LENGTH_BYTES : LENGTH_BYTES + length][-512:]
    assert tail_accounts_for(tail, length, len(content))
    assert not tail_accounts_for(tail, length, len(content) - 1)
    assert not tail_accounts_for(tail.rstrip()[:-1], length, len(content))
