"""`mg batch check` as users call it."""

import json

from mg_provider.cli import app
from tests.support.running.command_line import CliRunner
from tests.support.samples.batch import chat


def mg(emulator, *words):
    config = [f"-cmg:{name}CustomEndpoint={emulator.url}" for name in ("storage", "bigQuery", "vertexAi")]
    return CliRunner().invoke(app, ["batch", *words, "--project", "my-project", *config])


def test_sound_input_ends_with_0(emulator, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(chat("hello")))
    result = mg(emulator, "check", str(path), "--region", "us-central1")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "can be predicted: 0 errors, 0 warnings")


def test_each_error_is_a_line_that_an_editor_can_jump_to(emulator, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(["{}"] * 5))
    result = mg(emulator, "check", str(path), "--limit", "2")
    assert result.exit_code == 1
    first, second, more, *_, verdict, advice = result.stdout.splitlines()
    assert first == f"{path}:1: error: there is no body [no_body]"
    assert second.startswith(f"{path}:2: ")
    assert more == "and 3 more; in all 5 no_body"
    assert verdict == "cannot be predicted: 5 errors, 0 warnings"
    assert advice == "do: correct what each error names, then run the same command again"


def test_the_same_as_json(emulator, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("{}\n" + json.dumps(chat("hello")))
    result = mg(emulator, "check", str(path), "--json")
    told = json.loads(result.stdout)
    assert (told["ok"], told["rows"], told["errors"], told["counts"]) == (False, 2, 1, {"no_body": 1})
    assert told["findings"][0]["line"] == 1


def test_a_wrong_region_is_a_mistake_in_the_call(emulator, tmp_path):
    result = mg(emulator, "check", str(tmp_path), "--region", "uscentral1")
    assert (result.exit_code, "uscentral1 is not a region" in result.stderr) == (2, True)
