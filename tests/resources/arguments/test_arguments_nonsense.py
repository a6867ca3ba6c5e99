"""Nonsense of every kind in every argument: said at that argument, briefly and in words, or kept exactly as it is."""

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic.alias_generators import to_snake

from mg_provider.resources.dynamic.host import from_engine, to_engine
from mg_provider.resources.model.args import has
from mg_provider.resources.model.marks import Transient
from tests.support.lives.host import struct
from tests.support.samples.samples import EACH_ARGUMENT, label, places, put

LONG = "x" * 2_000_000
HOSTS = ["https://evil.example/", "http://169.254.169.254/", "//evil.example/", "gs://", "bq://", "file:///", "s3://b/"]
TEXTS = [
    *("", " ", "\t", "\n", "a\nb", "\r\n", "\x00", "a\x1b[31mb", "\x7f", "\u202egpj", "\ud800", "\u2028", "\ufeff"),
    *(
        "..",
        "../..",
        ".",
        "/",
        "//",
        "a/b",
        "a?b",
        "a#b",
        "%2F",
        "a b",
        "a=b",
        "a,b",
        "*",
        "${HOME}",
        "{{a}}",
        "'\"",
        "-",
    ),
    *(
        "true",
        "null",
        "None",
        "NaN",
        "1e308",
        "-1",
        "0x10",
        "1_000",
        "²",
        "٣s",
        "é",
        "ß",
        "名前",
        "👩‍🚀",
        "İ",
        "300s",
        "1e9s",
    ),
    *("8.8.8.8", "0.0.0.0", "224.0.0.1", "127.0.0.1", "169.254.1.1", "10.0.0.5", "::1", "fd00::1", "0177.0.0.1"),
    *HOSTS,
    *(host + "projects/p/locations/us-central1/endpoints/1" for host in HOSTS),
    *("projects/../locations/us-central1/endpoints/1", "projects//locations//models/", "x" * 129, "x" * 5000, LONG),
]
NUMBERS = [
    *(
        0,
        -1,
        1,
        2,
        3,
        65535,
        65536,
        -65536,
        2**31 - 1,
        2**31,
        2**53,
        2**53 + 1,
        2**63,
        2**64,
        -(2**63),
        10**18,
        10**400,
    ),
    *(0.0, -0.0, 0.5, 1.0, 2.0, -1.0, 1.5, 100.0, 1000.0, 1e18, 1e300, 1e308, -1e308, 5e-324, 0.1),
    *(math.nan, math.inf, -math.inf),
]
DEEP = "a"
for _ in range(60):
    DEEP = {"a": [DEEP]}
THINGS = [
    *(True, False, [], {}, [[]], [{}], {"a": {}}, [None], {"a": None}, {"": ""}, {"x\n": 1}, {"imageUri": "a"}),
    *([1, "a", None, {}], {"a": math.nan}, [math.inf], [""] * 50, dict.fromkeys(map(str, range(100)), "a")),
    *(b"bytes", {1: "a"}, {"a", "b"}, (1, 2), object, 1j, DEEP, {LONG: 1}, [LONG], {"k" * 200: "v" * 200}),
]
ODD = [*TEXTS, *NUMBERS, *THINGS]
ANY = some.one_of(
    some.sampled_from(ODD),
    some.text(max_size=20),
    some.floats(),
    some.integers(),
    some.recursive(
        some.sampled_from(ODD),
        lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
)
TRACES = re.compile(r"Traceback|Error\b|pydantic|<class|<object|object at 0x|\bNoneType\b|_type=|https://errors")


@some.composite
def spoilt(draw, kind, name):
    """Something odd, or a good value with something odd put in somewhere."""
    sample = kind.samples[name]
    good = draw(some.sampled_from([sample.value, sample.other]))
    path = draw(some.sampled_from([(), (), *places(good)]))
    odd = draw(ANY)
    there = good
    for step in path:
        there = there[step]
    if isinstance(odd, str) and isinstance(there, str) and len(odd) < 100 and draw(some.booleans()):
        # A good text with something odd before, in or after it.
        at = draw(some.integers(0, len(there)))
        odd = there[:at] + odd + there[at:]
    if isinstance(there, dict) and draw(some.booleans()):
        odd = {**there, draw(some.sampled_from(["", "a", "extra", "x" * 5000, "\n", "name"])): odd}
    return put(good, path, odd)


def test_the_kinds_of_nonsense_are_no_accident():
    assert len(ODD) > 120


@pytest.mark.parametrize(("kind", "name"), EACH_ARGUMENT, ids=label)
def test_nonsense_is_said_at_its_argument_or_kept_as_it_is(kind, name):
    for odd in ODD:
        said_or_kept(kind, name, odd)

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(spoilt(kind, name))
    def spoil(value):
        said_or_kept(kind, name, value)

    spoil()


def said_or_kept(kind, name, value):
    args, problems = kind.check(kind.arguments(name, value))
    if problems:
        said(kind, name, problems)
    elif not has(kind.args_type, name, Transient):
        kept(args.encode(), name, value)


def said(kind, name, problems):
    """At the argument, or at one that a rule holds it against."""
    rules = [(*rule.fields, *rule.keys_of) for rule in kind.args_type.rules]
    beside = {field for fields in rules if name in fields for field in fields}
    for place, reason in problems.items():
        assert re.split(r"[.\[]", place)[0] in {name, *beside}, problems
        assert 0 < len(reason) <= 300, (place, reason)
        assert len(place) <= 300, place
        assert reason.isprintable(), reason
        assert place.isprintable(), place
        assert not TRACES.search(reason), reason


def kept(encoded, name, value):
    """What is sent is what was given; the engine can carry it, and Google can read it."""
    # An empty text is no value; and of a share, all and nothing have names.
    if value != "" and not (name == "allow_partial" and isinstance(value, bool)):
        assert equal(encoded.get(name), value, completed=name == "deployed_models"), (encoded.get(name), value)
    struct(to_engine(encoded))
    json.dumps(encoded, allow_nan=False, default=repr).encode()
    assert from_engine(encoded) == encoded


def equal(kept, given, completed=False):
    """The same value: so are 2 and 2.0, but not 1 and True. With ``completed`` there may be more in an object."""
    if isinstance(given, dict):
        told = {key: entry for key, entry in given.items() if entry is not None}
        told = {key if isinstance(kept, dict) and key in kept else to_snake(key): told[key] for key in told}
        same = isinstance(kept, dict) and (kept.keys() >= told.keys() if completed else kept.keys() == told.keys())
        return same and all(equal(kept[key], entry, completed) for key, entry in told.items())
    if isinstance(given, list | tuple):
        return isinstance(kept, list) and len(kept) == len(given) and all(map(equal, kept, given))
    return kept == given and isinstance(kept, bool) == isinstance(given, bool)
