"""A review in a terminal: it fits, and nothing that matters is cut."""

import re

import pytest

from mg_provider import review
from mg_provider.review import command
from mg_provider.review.formats.text import text, where
from mg_provider.review.model import Reason
from tests.review.build import model, preview, step
from tests.review.sample import refused
from tests.review.test_real_previews import PREVIEWS


def words(told):
    return re.sub(r"\s+", "", told)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_line_fits_and_every_word_is_there(width):
    contents = [refused(), *(path.read_text(encoding="utf-8") for path in PREVIEWS.glob("*.pulumi.json"))]
    for content in contents:
        found = review.of(content)
        told, whole = text(found, width), text(found, 100_000)
        assert max(map(len, told.splitlines())) <= width
        assert words(told) == words(whole) or found.verdict == "safe"


def test_a_name_without_a_place_to_break_is_whole():
    long = "n" * 100
    found = review.of(preview(step("update", "CustomWeightsModel", long, model(long), model(long, gcs_uri="gs://w/2"))))
    assert words(text(found)) == words(text(found, 100_000))


def test_the_environment_says_how_wide_a_terminal_is(monkeypatch, tmp_path, capsys):
    (tmp_path / "preview.json").write_text(refused())
    widths = []
    for columns in ("60", "120", ""):
        monkeypatch.setenv("COLUMNS", columns)
        assert command.run([str(tmp_path / "preview.json")], program=tmp_path) == 0
        widths.append(max(map(len, capsys.readouterr().out.splitlines())))
    assert [60 - 12 < widths[0] <= 60, 120 - 12 < widths[1] <= 120, widths[2] <= 80] == [True] * 3


def test_of_the_money_only_what_changes_is_listed():
    same = [step("same", "CustomWeightsModel", f"m{at}", model(f"m{at}"), model(f"m{at}")) for at in range(30)]
    grown = step("update", "CustomWeightsModel", "zeta", model("zeta"), model("zeta", max_replica_count=2))
    found = review.of(preview(*same, grown, same=30))
    told = text(found)
    assert found.money.lines[0].resource == "zeta"
    assert "zeta: 1 → 1 to 2 x g2-standard-12" in told
    assert "and 30 more, which stay as they are" in told
    assert "m7:" not in told


def test_what_does_not_matter_is_one_line_that_fits():
    labels = {f"label-{number}": "x" * 30 for number in range(9)}
    found = review.of(preview(step("update", "CustomWeightsModel", "llama", model(), model(labels=labels)), same=3))
    assert text(found, 60) == "safe: nothing that matters changes: 1 update, 3 same\n"
    assert text(found, 100_000) == f"{found.headline}\n"


def test_the_regions_of_a_reason_are_all_there_or_none_or_counted():
    regions = ["asia-east1", "europe-west4", "us-central1", "us-east4", "us-west1"]
    reason = Reason(
        gate="cost", severity="look", resource="chat, fleet-europe-west4", text="costs more", regions=regions[1:3]
    )
    assert where(reason) == "chat, fleet-europe-west4 [europe-west4, us-central1]"
    assert where(reason.model_copy(update={"regions": regions})) == "chat, fleet-europe-west4 [5 regions]"
    assert where(reason.model_copy(update={"regions": regions[1:2]})) == "chat, fleet-europe-west4"
