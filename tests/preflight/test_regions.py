"""Regions are chosen once, where machine and quota are, and pinned in the config without losing a comment."""

import json

import pytest
import yaml

from mg_provider.cli import app
from mg_provider.preflight.machines.recommend import HAS_QUOTA, NO_QUOTA
from mg_provider.preflight.machines.regions import Wanted, choose_regions, quota_states
from mg_provider.preflight.machines.regions_config import pin
from mg_provider.wire.vertex.machine import MachineSpec
from tests.support.running.command_line import CliRunner

L4 = MachineSpec(machine_type="g2-standard-12", accelerator_type="NVIDIA_L4", accelerator_count=1)
CANDIDATES = ["us-central1", "us-east4", "europe-west4", "asia-southeast1"]
FLOW = """\
# The fleet.
config:
  gcp:project: my-project  # ours
  model-garden:environment:
    regions: {auto: {count: 2, from: [us-central1, us-east4, europe-west4]}}  # chosen by mg regions
    models:
      llama:
        gcs_uri: GCS_URI
        machine_spec: {machine_type: g2-standard-12, accelerator_type: NVIDIA_L4, accelerator_count: 1}
"""
BLOCK = """\
config:
  model-garden:environment:
    # Where.
    regions:
      auto:
        count: 2
        from:
          - us-central1
          - us-east4
      # After.
    models: {}
"""


@pytest.fixture
def mg(weights, emulator, tmp_path):
    file = tmp_path / "Pulumi.fleet.yaml"
    file.write_text(FLOW.replace("GCS_URI", weights.uri))
    endpoints = [part for name in ("vertexAi", "storage") for part in ("-c", f"mg:{name}CustomEndpoint={emulator.url}")]

    def run(*options):
        return CliRunner().invoke(app, ["regions", "--config-file", str(file), *endpoints, *options])

    run.file = file
    return run


def test_regions_without_machine_or_quota_are_passed_over(weights, emulator):
    emulator.behave(stockouts=["us-east4/g2-standard-12"])
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 0})
    states = quota_states(Wanted(weights.uri, (L4,)), "my-project", weights.clients, CANDIDATES)
    assert states == {"us-central1": NO_QUOTA, "europe-west4": HAS_QUOTA, "asia-southeast1": HAS_QUOTA}
    assert choose_regions(2, CANDIDATES, [states]) == ["europe-west4", "asia-southeast1"]
    with pytest.raises(Exception, match="3 regions are asked for, and 2 have machine and quota") as error:
        choose_regions(3, CANDIDATES, [states])
    assert "us-central1 (no quota), us-east4 (no such machine)" in str(error.value)


def test_a_region_with_one_of_the_choices_will_do(mg, emulator):
    emulator.behave(stockouts=["us-east4/g2-standard-12", "us-central1/g2-standard-12"])
    other = "{machine_type: g2-standard-24, accelerator_type: NVIDIA_L4, accelerator_count: 2}"
    text = mg.file.read_text()
    assert mg().exit_code != 0, "two regions are asked for, and one has that machine"
    one = "{machine_type: g2-standard-12, accelerator_type: NVIDIA_L4, accelerator_count: 1}"
    mg.file.write_text(text.replace(one, f"[{one}, {other}]"))
    assert mg().stdout.startswith(f"us-central1: {HAS_QUOTA}\nus-east4: {HAS_QUOTA}\n")


@pytest.mark.parametrize(
    ("spec", "told"),
    [("[g2]", "should be a mapping"), ("{machine: g2}", "machine: "), ("[{accelerator_count: x}]", "whole number")],
)
def test_a_machine_that_is_none_is_told_with_its_path(mg, spec, told):
    text = mg.file.read_text()
    start = text.index("{machine_type")
    mg.file.write_text(text[:start] + spec + "\n")
    done = mg()
    assert done.exit_code == 2
    assert "environment.models.llama.machine_spec: " in done.output
    assert told in done.output


def test_a_region_that_another_answer_told_of_is_not_asked_again(weights, emulator):
    emulator.behave(recommended_regions=CANDIDATES[1:])
    quota_states(Wanted(weights.uri), "my-project", weights.clients, CANDIDATES)
    assert len([each for each in emulator.requests() if each["rpc"].endswith("recommendSpec")]) == 1


def test_every_model_has_to_fit_and_known_quota_goes_first():
    both = [{"us-central1": "", "us-east4": HAS_QUOTA, "europe-west4": HAS_QUOTA}, {"us-central1": "", "us-east4": ""}]
    assert choose_regions(1, [], [both[0]]) == ["europe-west4"]
    assert choose_regions(2, CANDIDATES, both) == ["us-central1", "us-east4"]


def test_the_choice_is_told_and_nothing_is_written_unless_asked(mg):
    before = mg.file.read_text()
    told = mg("--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["regions"] == ["us-central1", "us-east4"]
    assert mg.file.read_text() == before


def test_the_choice_is_pinned_with_comments_kept_and_pinned_again(mg, emulator):
    before = mg.file.read_text()
    told = mg("--write")
    assert told.exit_code == 0, told.output
    assert "as of 20261106" in told.output
    pinned = "pinned: [us-central1, us-east4], "
    assert mg.file.read_text() == before.replace("{auto:", "{" + pinned + "auto:")
    emulator.behave(stockouts=["us-central1/g2-standard-12"])
    assert mg("--write", "--repin").exit_code == 0
    assert mg.file.read_text() == before.replace("{auto:", "{pinned: [us-east4, europe-west4], auto:")


def test_a_pinned_region_stays_though_what_runs_there_uses_up_its_quota(mg, emulator):
    mg("--write")
    pinned = mg.file.read_text()
    emulator.set_quota({"my-project/us-central1/NVIDIA_L4": 0, "my-project/us-east4/NVIDIA_L4": 0})
    told = mg("--write")
    assert told.exit_code == 0, told.output
    assert "us-central1: NO_USER_QUOTA, pinned before: stays" in told.output.replace(NO_QUOTA, "NO_USER_QUOTA")
    assert mg.file.read_text() == pinned
    # More regions are found beside those that are there.
    mg.file.write_text(pinned.replace("count: 2", "count: 3"))
    assert mg("--write").exit_code == 0
    assert "pinned: [us-central1, us-east4, europe-west4]" in mg.file.read_text()


def test_regions_that_a_base_file_leaves_open_are_pinned_there(mg):
    shared = yaml.safe_load(mg.file.read_text())["config"]["model-garden:environment"]
    text = "# Shared.\nregions: {auto: {count: 2, from: [us-central1, us-east4]}}\n"
    base = mg.file.parent / "base.yaml"
    base.write_text(text + yaml.safe_dump({"models": shared["models"]}))
    own = "config:\n  gcp:project: my-project\n  model-garden:environment: {extends: base.yaml}  # prod\n"
    mg.file.write_text(own)
    told = mg("--write")
    assert told.exit_code == 0, told.output
    assert f"pinned in {base}" in " ".join(told.output.split())
    assert base.read_text().startswith(text.replace("{auto:", "{pinned: [us-central1, us-east4], auto:"))
    assert mg.file.read_text() == own
    mg.file.write_text(own.replace("base.yaml", "bas.yaml"))
    told = mg("--write")
    assert told.exit_code == 2
    assert "bas.yaml cannot be read: No such file" in told.output


def test_block_style_is_edited_narrowly_too(tmp_path):
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(BLOCK)
    pin(file, ["us-east4", "us-west1"])
    assert file.read_text() == BLOCK.replace("      auto:", "      pinned: [us-east4, us-west1]\n      auto:")
    file.write_text(BLOCK.replace("      auto:", "      pinned:\n        - us-east1  # old\n      # next\n      auto:"))
    pin(file, ["us-west1"])
    text = file.read_text()
    assert yaml.safe_load(text)["config"]["model-garden:environment"]["regions"]["pinned"] == ["us-west1"]
    assert "# next" in text


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--from", "mars"], 2, "mars is not a region"),
        (["--count", "4"], 1, "4 regions are asked for"),
    ],
)
def test_what_cannot_be_chosen_is_told(mg, options, code, words):
    told = mg(*options)
    assert told.exit_code == code
    assert words in told.output


def test_a_file_that_is_no_yaml_is_told(mg):
    mg.file.write_text("config: [1")
    told = mg()
    assert told.exit_code == 2
    assert "is not YAML" in told.output


def test_a_file_without_auto_is_told(mg):
    mg.file.write_text(
        mg.file.read_text().replace("{auto: {count: 2, from: [us-central1, us-east4, europe-west4]}}", "[r]")
    )
    told = mg()
    assert told.exit_code == 2
    assert "does not leave its regions open" in told.output


@pytest.mark.parametrize(
    ("line", "place"), [("from: [us-central1, us-east4, europe-west4]", "from"), ("count: 2", "count")]
)
def test_a_line_that_was_left_empty_is_not_taken_for_any_region(mg, line, place):
    mg.file.write_text(mg.file.read_text().replace(line, f"{place}: "))
    told = mg("--write")
    assert told.exit_code == 2
    assert f"environment.regions.auto.{place}" in told.output
    assert f"leaves regions.auto.{place} empty" in told.output
    assert "pinned" not in mg.file.read_text()


def test_what_is_missing_is_named_as_the_templates_write_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    run = CliRunner().invoke
    told = run(app, ["regions", "--gcs-uri", "gs://a/b", "--count", "1"])
    assert (told.exit_code, told.stderr) == (2, "error: mg:project: is not known\ndo: give -c mg:project=my-project\n")
    told = run(app, ["regions", "-s", "dev"])
    assert told.exit_code == 2
    assert told.stderr.startswith("error: Pulumi.yaml does not exist\ndo: run this in the folder of a Pulumi project")
