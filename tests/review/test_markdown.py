"""A comment on a pull request: whatever the change, it fits, and the verdict is first."""

import re

from mg_provider import review
from mg_provider.review.formats.markdown import MOST, markdown, plain
from mg_provider.review.formats.mermaid import topology
from tests.review.build import endpoint, model, preview, step
from tests.review.sample import refused
from tests.review.test_bad_input import EVIL


def many(count, **change):
    names = [f"llama-{number}-{'x' * 60}" for number in range(count)]
    return preview(
        *(
            step(
                "update",
                "CustomWeightsModel",
                name,
                model(name),
                model(name, **{**change, "gcs_uri": f"gs://w/{name}"}),
            )
            for name in names
        )
    )


def test_a_thousand_changes_fit_and_say_what_is_left_out():
    told = markdown(review.of(many(1000, max_replica_count=3)))
    assert len(told) <= MOST
    assert told.startswith("### 🟡 look: ")
    assert "did not fit" in told or "more lines" in told
    assert "| a month" in told


def test_a_small_limit_keeps_verdict_and_summary():
    told = markdown(review.of(many(50)), 3000)
    assert len(told) <= 3000
    assert told.startswith("### 🟡 look: ")


def test_nothing_relevant_is_one_line():
    assert markdown(review.of(preview())) == "### 🟢 safe: nothing changes (1 unchanged)\n"


def test_tables_and_folds_are_whole():
    found = review.of(preview(step("delete", "DedicatedEndpoint", "chat", endpoint())))
    told = markdown(found)
    assert told.count("<details") == told.count("</details>") > 0
    assert told.startswith("### 🔴 stop: chat: deleted")


def test_no_name_is_a_link_or_a_mention():
    told = plain("see https://a.example www.a.example @team a@b.example org/repo#12 #13 <b> [x](y) `z`")
    assert not re.search(r"://|www\.|@\w|#\d|<b>|(?<!\\)[\]`]", re.sub(r"&#\d+;", "·", told))


def test_the_chart_shows_who_reaches_what_and_with_which_share():
    told = topology(review.of(refused()).fleet).splitlines()
    assert '  internet ==>|"from now on"| n2' in told
    assert '  p2x0(["way-us-central1"]) -.->|"private"| n2' in told
    assert '    n1 -->|"10 → 50 #37;"| d1x0["canary, 1 x g2-standard-12"]' in told
    assert "  class n0 gone" in told


def test_a_chart_is_made_only_where_it_says_more_than_a_line():
    one = preview(step("update", "CustomWeightsModel", "llama", model(), model(max_replica_count=2)))
    assert "```mermaid" not in markdown(review.of(one))
    assert "```mermaid" in markdown(review.of(refused()))


def test_no_name_breaks_out_of_a_label_of_the_chart():
    names = [f"{EVIL}{mark}" for mark in ('"]', "`", "%%{init: {}}%%", "\n  click n0 href", "-->", "&quot;", ";")]
    steps = [
        step("update", "DedicatedEndpoint", name, endpoint(name, name), endpoint(name, name, traffic_split={name: 100}))
        for name in names
    ]
    told = topology(review.of(preview(*steps)).fleet)
    label = r'"(?:[^\W\d_]|\d|[ \-_.,:/→]|#\d+;)*"'
    assert set(re.findall(label, told))
    rest = re.sub(label, "", told)
    assert re.fullmatch(r"[a-zA-Z0-9\s\[\]()|<>=.,:-]*", rest), rest
    assert "click" not in rest


def test_the_chart_of_a_thousand_resources_is_short():
    steps = [
        step("update", "DedicatedEndpoint", f"c{at}", endpoint(f"c{at}"), endpoint(f"c{at}", labels={"a": "b"}))
        for at in range(1000)
    ]
    assert len(topology(review.of(preview(*steps)).fleet)) < 20_000
