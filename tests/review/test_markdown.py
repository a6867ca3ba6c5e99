"""A comment on a pull request: whatever the change, it fits, and the verdict is first."""

from mg_provider import review
from mg_provider.review.formats.markdown import MOST, markdown
from tests.review.build import endpoint, model, preview, step


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
    assert "a month, most replicas" in told


def test_a_small_limit_keeps_verdict_and_summary():
    told = markdown(review.of(many(50)), 3000)
    assert len(told) <= 3000
    assert told.startswith("### 🟡 look: ")


def test_nothing_relevant_is_one_line():
    assert markdown(review.of(preview())) == "### 🟢 safe: nothing changes (1 unchanged)\n"


def test_tables_and_folds_are_whole():
    found = review.of(preview(step("delete", "DedicatedEndpoint", "chat", endpoint())))
    told = markdown(found)
    assert told.count("<details>") == told.count("</details>") > 0
    assert told.startswith("### 🔴 stop: chat: deleted")
