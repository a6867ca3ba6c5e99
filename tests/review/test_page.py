"""The HTML of a review: one file, small, the same for the same input; and what it says of each resource."""

from html.parser import HTMLParser

import pytest

from benchmarks.parts.review import fleet
from mg_provider import review
from mg_provider.review.formats.page import page
from tests.review.build import endpoint, model, preview, step, update
from tests.review.sample import refused
from tests.review.test_bad_input import EVIL

MOST_BYTES = 2_000_000


class Tree(HTMLParser):
    """Fails where an element is not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.summaries, self.data = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "summary":
            self.summaries.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data.append(data)
        if "summary" in self.open:
            self.summaries[-1] += data


def read(content):
    tree = Tree()
    tree.feed(page(review.of(content)))
    tree.close()
    assert tree.open == []
    assert "</li>" not in "".join(tree.data)
    return tree


def test_the_page_of_a_thousand_resources_is_small():
    assert len(page(review.of(fleet(1000))).encode()) < MOST_BYTES


def test_a_page_is_small_whatever_the_change():
    long = {f"key-{number}": "ü" * 300 for number in range(300)}
    names = [f"llama-{number}-{'x' * 200}" for number in range(400)]
    steps = [
        step("update", "CustomWeightsModel", name, model(name), model(name, labels={**long, "own": name}, parked=True))
        for name in names
    ]
    told = page(review.of(preview(*steps)))
    assert len(told.encode()) < MOST_BYTES
    assert "more, which --format json has" in told


def test_the_same_preview_gives_the_same_page():
    assert page(review.of(refused())) == page(review.of(refused()))


def test_the_same_change_in_five_regions_is_one_line():
    regions = ("us-central1", "us-east4", "us-west1", "europe-west4", "asia-east1")
    steps = [
        step(
            "update", "CustomWeightsModel", f"llama-{at}", model(f"llama-{at}", at), model(f"llama-{at}", at, labels=L)
        )
        for at in regions
        for L in [{"team": "search"}]
    ]
    summaries = [told for told in read(preview(*steps)).summaries if told.startswith("update")]
    assert summaries == [
        "update llama-asia-east1, llama-europe-west4, llama-us-central1, llama-us-east4, llama-us-west1 "
        "CustomWeightsModel"
    ]


def test_a_hidden_value_is_nowhere_and_its_name_is():
    def container(value):
        env = [{"name": "HF_TOKEN", "value": value}]
        return {"image_uri": "vllm", "env": env, "args": [f"--api-key={value}", "--hf-token", value]}

    old, new = (model(container_spec=container(value)) for value in ("hunter2", "hunter3"))
    told = page(update("CustomWeightsModel", old, new))
    assert "hunter" not in told
    assert "HF_TOKEN" in told
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    told = page(update("CustomWeightsModel", old, {**old, "labels": {**secret, "value": "hunter4"}}))
    assert "hunter" not in told
    assert "hidden" in told


def test_what_needs_no_decision_is_listed_as_a_whole():
    tree = read(preview(step("update", "CustomWeightsModel", "llama", model(), model(labels={"team": "search"}))))
    assert ": labels.team none → search" in tree.data


def test_a_failed_gate_is_the_first_line():
    found = review.of(refused())
    failed = found.model_copy(update={"gates": [review.model.GateResult(gate="budget=5000", text="more")]})
    assert '<body><main><header class="stop"><p class="refused">Refused by budget=5000</p><h1>' in page(failed)


def test_a_replacement_in_another_region_goes_in_one_and_comes_in_the_other():
    old = endpoint(region="us-central1")
    new = endpoint(region="europe-west4")
    found = review.of(preview(step("replace", "DedicatedEndpoint", "chat", old, new)))
    assert [(node.region, node.state) for node in found.fleet.nodes] == [
        ("europe-west4", "new"),
        ("us-central1", "gone"),
    ]


def test_private_connections_lead_to_the_endpoint_that_they_are_of():
    found = review.of(refused())
    assert [(link.resource, link.leads_to) for link in found.fleet.links] == [
        ("way-europe-west4", "llama-europe-west4"),
        ("way-us-central1", "llama-us-central1"),
    ]


@pytest.mark.parametrize("place", ["region", "project", "resource", "gcs_uri", "endpoint_id"])
def test_an_evil_value_leaves_the_page_whole(place):
    old = model(**{place: EVIL}) if place != "region" else model(region=EVIL)
    tree = read(preview(step("delete", "CustomWeightsModel", EVIL, old)))
    assert not {"script", "img", "a"} & set(tree.open)
    assert "<script>alert(1)</script>" in "".join(tree.data)
