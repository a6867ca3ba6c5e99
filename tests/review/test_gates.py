"""What a pipeline refuses, and the exit codes of the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mg_provider.review.command import run
from mg_provider.review.gates import GatesError, read_gates
from mg_provider.review.judging.findings import GATES
from tests.review.build import A100, H200, batch, model, preview, rule, step

C, P, B = "CustomWeightsModel", "PscForwardingRule", "BatchJob"
MG = str(Path(sys.executable).parent / "mg")


def change(**arguments):
    return preview(step("update", C, "llama", model(), model(**arguments)))


@pytest.fixture
def reviewed(tmp_path, monkeypatch, capsys):
    """Runs the command on a preview; answers the exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)

    def call(content, *fail_on, **more):
        Path("preview.json").write_text(content, encoding="utf-8")
        code = run(["preview.json"], fail_on=fail_on, **more)
        return code, capsys.readouterr()

    return call


SCALED = change(max_replica_count=8)
SCALED_DOWN = preview(step("update", C, "llama", model(max_replica_count=8), model()))
TWO_L4 = {"machine_type": "g2-standard-24", "accelerator_type": "NVIDIA_L4", "accelerator_count": 2}
DEARER_WITH_FEWER_GPUS = preview(step("update", C, "llama", model(machine_spec=TWO_L4), model(machine_spec=A100)))
RENAMED = preview(step("delete", C, "llama", model()), step("create", C, "lama", None, model("lama")))
RENAMED_AND_DEARER = preview(
    step("delete", C, "llama", model()), step("create", C, "lama", None, model("lama", max_replica_count=2))
)
UNPRICED = change(machine_spec=H200)
UNPRICED_GOES = preview(step("delete", C, "old", model("old", machine_spec=H200)))
UNPRICED_GOES_FOR_MORE = preview(
    step("delete", C, "old", model("old", machine_spec=H200)),
    step("update", C, "llama", model(), model(max_replica_count=8)),
)


def test_a_rise_that_an_unknown_price_may_make_smaller_is_not_said_to_be_one(reviewed):
    code, told = reviewed(UNPRICED_GOES_FOR_MORE, "increase=20%")
    assert code == 1
    assert "increase=20%: it cannot be checked without a price for a3-ultragpu-8g" in told.out


@pytest.mark.parametrize(
    ("content", "gate", "code"),
    [
        (change(query_model_id="x"), "address-change", 1),
        (change(parked=True), "downtime", 1),
        (change(parked=True), "stop", 1),
        (change(service_account="a@b.iam.gserviceaccount.com"), "exposure", 1),
        (preview(step("delete", C, "llama", model())), "unprotected-delete", 1),
        (preview(step("delete", C, "llama", model())), "address-change", 1),
        (preview(step("replace", P, "way", rule(), rule(network="x"))), "downtime", 1),
        (change(rollout={"probe": {"kind": "none"}}), "unprobed", 1),
        (change(preflight=False), "safety-net", 1),
        (UNPRICED, "unknown-price", 1),
        (preview(step("create", B, "b", None, batch())), "batch-run", 1),
        (SCALED, "budget=5000", 1),
        (SCALED, "budget=6719", 0),
        (UNPRICED, "budget=5000", 1),
        (SCALED, "increase=20%", 1),
        (SCALED, "increase=700%", 0),
        (SCALED, "increase=5000", 1),
        (SCALED, "increase=6000", 0),
        (change(labels={"a": "b"}), "increase=0%", 0),
        (UNPRICED, "increase=20%", 1),
        (preview(step("create", C, "new", None, model("new"))), "increase=20%", 1),
        (SCALED_DOWN, "decrease=80%", 1),
        (SCALED_DOWN, "decrease=90%", 0),
        (SCALED_DOWN, "decrease=5000", 1),
        (SCALED_DOWN, "decrease=6000", 0),
        (SCALED_DOWN, "increase=0%", 0),
        (SCALED, "decrease=0%", 0),
        (change(parked=True), "decrease=99%", 1),
        (UNPRICED, "decrease=20%", 1),
        (UNPRICED_GOES, "increase=0%", 0),
        (UNPRICED_GOES, "increase=0", 0),
        (UNPRICED_GOES, "decrease=99%", 1),
        (UNPRICED_GOES_FOR_MORE, "increase=20%", 1),
        (UNPRICED_GOES_FOR_MORE, "increase=900%", 0),
        (DEARER_WITH_FEWER_GPUS, "decrease=40%", 1),
        (DEARER_WITH_FEWER_GPUS, "decrease=50%", 0),
        (DEARER_WITH_FEWER_GPUS, "decrease=500", 0),
        (SCALED, "cost", 1),
        (SCALED_DOWN, "cost", 0),
        (UNPRICED, "cost", 1),
        (preview(step("delete", C, "llama", model(machine_spec=H200))), "cost", 0),
        (preview(step("delete", C, "llama", model(region="us-west1"))), "cost", 0),
        (RENAMED, "cost", 0),
        (RENAMED_AND_DEARER, "cost", 1),
        (SCALED, "gpus=7", 1),
        (SCALED, "gpus=8", 0),
        (change(labels={"a": "b"}), "address-change,downtime,exposure,unprotected-delete,unprobed,unknown-price", 0),
    ],
)
def test_a_gate_lets_pass_or_fails(reviewed, content, gate, code):
    done, told = reviewed(content, gate)
    assert done == code
    assert told.out.startswith("FAILED ") == bool(code)


def test_the_failed_gate_is_the_first_line_and_the_verdict_the_next(reviewed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    _, told = reviewed(SCALED, "budget=5000,gpus=4")
    assert told.out.splitlines()[:3] == [
        "FAILED budget=5000: $6,719 a month at the most replicas is more",
        "FAILED gpus=4: 8 GPUs at the peak are more",
        "look: llama: costs $840 → $840 a month at the fewest replicas, $840 → $6,719 at the most; GPUs 1 → 1 to 8",
    ]


@pytest.mark.parametrize(
    ("options", "code"),
    [({}, 0), ({"look_fails": True}, 4)],
)
def test_a_look_has_an_exit_code_of_its_own_if_asked_for(reviewed, options, code):
    assert reviewed(SCALED, **options)[0] == code
    assert reviewed(change(labels={"a": "b"}), **options)[0] == 0


def test_an_error_of_the_preview_is_exit_code_3(reviewed):
    broken = preview(diagnostics=[{"severity": "error", "message": "boom"}])
    assert reviewed(broken, "downtime")[0] == 3
    code, told = reviewed("error: no stack selected")
    assert (code, told.err) == (
        3,
        "error: preview.json is an error of the preview, not its JSON: error: no stack selected\n"
        "do: fix what it says, then review again\n",
    )


def test_mistakes_in_the_command_are_exit_code_2(reviewed, capsys):
    assert reviewed(SCALED, "budgets")[0] == 2
    assert reviewed(SCALED, "budget")[0] == 2
    assert reviewed(SCALED, "increase=much")[0] == 2
    assert reviewed(SCALED, "decrease=-5")[0] == 2
    assert reviewed(SCALED, "budget=-1")[0] == 2
    assert reviewed(SCALED, only_if=["sometimes"])[0] == 2
    assert run(["nowhere.json"]) == 2
    assert run([]) == 2
    assert "no preview is given" in capsys.readouterr().err


def test_review_toml_says_it_once_and_the_command_line_wins(reviewed):
    Path("review.toml").write_text(
        'fail-on = ["downtime"]\nbudget = 5000\nincrease = 5\ndecrease = 5\nlook-fails = true\n'
    )
    assert reviewed(SCALED)[0] == 1
    assert reviewed(SCALED, "budget=9000,increase=1000%")[0] == 4
    assert reviewed(change(parked=True), "budget=9000")[1].out.startswith("FAILED downtime")


@pytest.mark.parametrize("content", ["fail-on = [", 'budget = "much"', "buget = 5", 'fail-on = ["x"]', "fail-on = 5"])
def test_a_wrong_review_toml_is_a_sentence(tmp_path, content):
    (tmp_path / "review.toml").write_text(content)
    with pytest.raises(GatesError):
        read_gates(None, tmp_path)


def test_nothing_is_written_where_nothing_matters(reviewed):
    assert reviewed(change(labels={"a": "b"}), only_if=["look"])[1].out == ""
    assert reviewed(preview(), only_if=["changes"])[1].out == ""
    assert reviewed(SCALED, only_if=["exposure"])[1].out == ""
    assert reviewed(SCALED, only_if=["cost"])[1].out.startswith("look:")
    assert reviewed(SCALED, "budget=1", only_if=["exposure"])[1].out.startswith("FAILED")


def test_prices_of_ones_own_win_and_fill_what_is_unknown(reviewed, tmp_path):
    row = {
        "part": "machine",
        "name": "a3-ultragpu-8g",
        "region": "*",
        "usd": 10.0,
        "as_of": "2026-11-01",
        "source": "us",
    }
    own = tmp_path / "prices.json"
    own.write_text(json.dumps({"as_of": "2026-11-01", "rows": [row]}))
    _, told = reviewed(UNPRICED, prices=own)
    assert "costs $840 → $7,300 a month" in told.out
    own.write_text("{}")
    assert reviewed(UNPRICED, prices=own)[0] == 2


def test_the_json_begins_with_the_verdict_and_names_its_parts(reviewed):
    _, told = reviewed(change(machine_spec=A100), output_format="json")
    found = json.loads(told.out)
    assert list(found)[:6] == ["verdict", "reasons", "money", "gpus", "exposure", "service"]
    assert found["verdict"] == "look"
    assert list(found["reasons"][0])[:4] == ["gate", "severity", "resource", "text"]
    assert found["money"]["difference"]["max"]["text"] == "$2,244"


def test_several_files_and_standard_input_are_one_review(tmp_path):
    paths = []
    for stack in ("dev", "prod"):
        path = tmp_path / f"{stack}.json"
        path.write_text(preview(step("update", C, "llama", model(), model(max_replica_count=2), stack=stack)))
        paths.append(path)
    done = subprocess.run(
        [MG, "review", str(paths[0]), "-"],
        input=paths[1].read_text(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert "dev/llama, prod/llama" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "avoided"),
    [(["--help"], ("pulumi", "google.auth", "grpc", "requests")), (["preview.json"], ("google.auth", "requests"))],
)
def test_it_loads_no_more_than_it_needs(tmp_path, arguments, avoided):
    (tmp_path / "preview.json").write_text(SCALED)
    script = (
        f"import sys; sys.argv = ['mg', 'review', *{arguments!r}]\n"
        "from mg_provider.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"sys.exit(','.join(name for name in {avoided!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert done.stderr.strip() == ""
    assert "review" in done.stdout or "look:" in done.stdout


@pytest.mark.parametrize(
    ("written", "code", "told"),
    [
        (
            "error: no stack named 'dev' found",
            2,
            "error: stack dev does not exist\ndo: `pulumi stack ls` lists those that do\n",
        ),
        (
            "error: passphrase must be set",
            3,
            "error: the preview of dev failed: passphrase must be set\ndo: correct what it says, then review again\n",
        ),
    ],
)
def test_a_preview_that_cannot_be_run_says_what_the_engine_said(tmp_path, capsys, monkeypatch, written, code, told):
    stand_in = tmp_path / "pulumi"
    stand_in.write_text(f'#!/bin/sh\necho "{written}" >&2\nexit 255\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run([], stacks=["dev"], program=tmp_path) == code
    assert capsys.readouterr().err == told


def test_every_gate_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "review.md").read_text(encoding="utf-8")
    assert [gate for gate in GATES if f"| `{gate}` |" not in page] == []
