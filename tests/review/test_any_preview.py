"""Whatever stands in a preview, it ends in a review that fits, or in a sentence; nothing of it is markup."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mg_provider import review
from mg_provider.review import PreviewError, Review
from mg_provider.review.formats.markdown import markdown
from mg_provider.review.formats.page import page
from mg_provider.review.formats.text import text
from tests.review.build import model, preview, step
from tests.review.sample import refused

MODEL = model(container_spec={"image_uri": "i", "env": [{"name": "A", "value": "b"}]}, labels={"a": "b"})
OTHER = step("update", "gcp:dns/recordSet:RecordSet", "name", {"rrdatas": ["10.0.0.1"]}, {"rrdatas": ["10.0.0.2"]})
MADE = preview(
    step("update", "CustomWeightsModel", "m", model(), MODEL, detailedDiff={"gcs_uri": {}}, replaceReasons=["region"]),
    OTHER,
    diagnostics=[{"severity": "error", "message": "boom"}],
)
SOURCES = [json.loads(refused()), json.loads(MADE)]
MARKUP = [
    "<script>alert(1)</script>",
    "](javascript:alert(1))",
    "`|\n# big",
    "@everyone",
    "\u202e\x1b[31m\x00",
    "%%{init: {}}%%",
    "--> <img src=x onerror=1>",
    "</details></summary>",
    "~~~\n```",
    "http://evil.example",
    "\u2028\r\n",
    "\ud800",
    "a" * 5000,
]
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(MARKUP) | st.text(max_size=8)
junk = plain | st.lists(plain, max_size=2) | st.dictionaries(st.sampled_from(MARKUP), plain, max_size=2)


def paths(value, at=()):
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in inner:
        yield from paths(entry, (*at, key))


def _at(value, path):
    for key in path:
        value = value[key]
    return value


PATHS = [(source, path) for source in SOURCES for path in paths(source) if path]


def put(value, path, new, *, as_key):
    """A copy with something else at a path, or with another key there."""
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copy[key] = put(value[key], rest, new, as_key=as_key)
    elif as_key and isinstance(copy, dict):
        copy[str(new)] = copy.pop(key)
    else:
        copy[key] = new
    return copy


class Seen(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


NUMBERS = [
    10**400,
    -(10**400),
    2**60,
    1e300,
    float("nan"),
    float("inf"),
    -1,
    "7",
    1.5,
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
]
COUNTED = {path[-1]: (source, path) for source, path in PATHS if type(_at(source, path)) is int}


@pytest.mark.parametrize("number", NUMBERS, ids=str)
@pytest.mark.parametrize("key", sorted(COUNTED, key=str))
def test_a_number_that_is_none_is_named_and_never_less_than_before(key, number):
    """It ends in a review, or in a sentence; what nobody can count is no loss of capacity, and no lower price."""
    source, path = COUNTED[key]
    try:
        found = review.of(json.dumps(put(source, path, number, as_key=False)))
    except PreviewError:
        return
    for write in (text, markdown, page, Review.model_dump_json):
        assert write(found)
    if str(key).endswith("replica_count") and "newState" in path:
        assert str(key) in found.model_dump_json()
        assert "less capacity:" not in text(found)
        assert found.service.minutes or found.service.effect != "less capacity"
        assert any("not known before up" in entry for entry in found.gpus.unknown)


@settings(deadline=None, max_examples=60, database=None)
@given(st.sampled_from(PATHS), junk, st.booleans())
def test_nothing_in_a_preview_breaks_a_review_or_out_of_it(place, value, as_key):
    source, path = place
    try:
        found = review.of(json.dumps(put(source, path, value, as_key=as_key)))
    except PreviewError:
        return
    told, comment, shown = text(found), markdown(found), page(found)
    for document in (told, comment, shown, found.model_dump_json()):
        document.encode()
        assert not {"\x1b", "\u202e", "\x00"} & {*document}
    assert max(map(len, told.splitlines())) <= 80
    assert not any(markup in comment for markup in ("<script", "<img", "\n# big", "http://", "@everyone"))
    assert comment.count("<details") == comment.count("</details>")
    seen = Seen()
    seen.feed(shown)
    assert not seen.tags & {"script", "img", "iframe", "a", "form", "object", "embed"}
    assert not {name for name in seen.attributes if name.startswith("on")}
