"""`mg models`: what it lists, who it says told so, and that what it prints to paste is a program."""

import json

import pytest

from mg_provider.cli import app
from mg_provider.rehearsal.command import rehearse
from tests.resources.conftest import config
from tests.support.running.command_line import CliRunner
from tests.support.running.forks import project_file

LLAMA = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"
BATCH = """
meta/llama3_1@llama-3.1-8b-instruct meta/llama3_1@llama-3.1-70b-instruct meta/llama3_1@llama-3.1-405b-instruct-fp8
meta/llama3-2@llama-3.2-1b-instruct meta/llama3-2@llama-3.2-3b-instruct meta/llama3-2@llama-3.2-90b-vision-instruct
google/gemma@gemma-1.1-2b-it google/gemma@gemma-7b-it google/gemma@gemma-1.1-7b-it google/gemma@gemma-2b-it
google/gemma2@gemma-2-2b-it google/gemma2@gemma-2-9b-it google/gemma2@gemma-2-27b-it
mistral-ai/mistral@mistral-7b-instruct-v0.2 mistral-ai/mistral@mistral-7b-instruct-v0.3
mistral-ai/mistral@mistral-7b-instruct-v0.1 mistral-ai/mistral@mistral-nemo-instruct-2407
deepseek-ai/deepseek-r1@deepseek-r1-distill-llama-8b
"""
OWN_WEIGHTS = """
Llama-2-7B Llama-2-13B Llama-3.1-8B Llama-3.1-70B Llama-3.2-1B Llama-3.2-3B Llama-4-Scout-17B Llama-4-Maverick-17B
CodeLlama-13B Gemma-2-9B Gemma-2-27B Gemma-3-1B Gemma-3-4B Gemma-3-12B Gemma-3-27B Medgemma-4B Medgemma-27B-text
Qwen2-1.5B Qwen2.5-0.5B Qwen2.5-1.5B Qwen2.5-7B Qwen2.5-32B Qwen3-0.6B Qwen3-1.7B Qwen3-8B Qwen3-32B
Qwen3-Coder-480B-A35B-Instruct Qwen3-Next-80B-A3B-Instruct Qwen3-Next-80B-A3B-Thinking Deepseek-R1 Deepseek-V3
DeepSeek-V3.1 Mistral-7B-v0.1 Mixtral-8x7B-v0.1 Mistral-Nemo-Base-2407 Phi-4-reasoning gpt-oss-20B gpt-oss-120B
Gemma-4-26B-A4B-it Gemma-4-31B-it Gemma-4-E2B-it Gemma-4-E4B-it Qwen3-4B Qwen3-VL-8B-Instruct Qwen3.5-9B
"""


def mg(*arguments):
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def online(emulator):
    return ("-c", f"mg:vertexAiCustomEndpoint={emulator.url}")


@pytest.fixture
def offline(emulator):
    """Model Garden refuses, so that what comes with the project is used."""
    emulator.fail(rpc="publishers.models.list", fault="status", status=403, times=999)
    return ("-c", f"mg:vertexAiCustomEndpoint={emulator.url}")


def listed(*options):
    done = mg("models", "--json", *options)
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    return told, {model["name"]: model for model in told["models"]}


def test_model_garden_tells_what_is_deployable_and_on_which_machines(online):
    told, models = listed(*online)
    assert told["asked_model_garden"] is True
    assert "asked just now" in told["origin"]
    llama = models[LLAMA]
    assert (llama["deployable"], llama["batch"], llama["own_weights"]) == (True, True, False)
    verified = {
        "machine_type": "g2-standard-12",
        "accelerator_type": "NVIDIA_L4",
        "accelerator_count": 1,
        "verified": True,
        "usd_hour": 1.1505,
    }
    assert llama["machines"][0] == verified
    assert [machine["verified"] for machine in llama["machines"]] == [True, False]
    assert models["publishers/openai/models/gpt-oss@gpt-oss-20b"]["batch"] is False
    assert not any("maas" in name for name in models)


def test_without_model_garden_both_documents_lists_are_told_whole_with_their_date(offline):
    told, models = listed(*offline)
    assert told["asked_model_garden"] is False
    assert told["lists_as_of"] in told["origin"]
    assert "403" in told["origin"]
    batch = {f"publishers/{name.replace('/', '/models/', 1)}" for name in BATCH.split()}
    assert {name for name, model in models.items() if model["batch"]} == batch
    bases = {name.lower() for name, model in models.items() if model["own_weights"]}
    assert bases == {name.lower() for name in OWN_WEIGHTS.split()}


def test_a_list_is_narrowed_by_words_and_by_use(online):
    _, found = listed("--search", "llama 8b", *online)
    assert set(found) == {
        LLAMA,
        "publishers/deepseek-ai/models/deepseek-r1@deepseek-r1-distill-llama-8b",
        "Llama-3.1-8B",
    }
    assert all(model["batch"] for model in listed("--batch", *online)[1].values())
    deployable = listed("--deployable", "--search", "gpt-oss", *online)[1]
    assert list(deployable) == [f"publishers/openai/models/gpt-oss@gpt-oss-{size}b" for size in (120, 20)]
    nothing = mg("models", "--search", "no such model", *online)
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "no model fits" in nothing.stderr


def test_the_list_for_people_marks_what_nobody_verified(online):
    done = mg("models", "--search", "llama-3.1-8b-instruct", *online)
    assert (
        done.stdout
        == f"{LLAMA}  deploy, batch  g2-standard-12 (1 NVIDIA_L4) $1.15, g2-standard-24 (2 NVIDIA_L4)? $2.30\n"
    )
    assert "prices: an hour of one machine in us-central1, 2025-08" in done.stderr
    assert "asked just now" in done.stderr


def previewed(folder, program):
    """The inputs of the program's resources by name, from a preview that reaches no network."""
    (folder / "Pulumi.yaml").write_text(project_file("pasted"))
    (folder / "__main__.py").write_text(program)
    nobody = dict.fromkeys(("vertexAi", "compute", "storage", "bigQuery"), "http://127.0.0.1:9")
    given = {"mg:project": "my-project", "mg:region": "us-central1"}
    given |= {f"mg:{api}CustomEndpoint": url for api, url in nobody.items()}
    said = []
    code = rehearse("preview", "dev", folder, folder / "state.json", config=given, write=said.append, as_json=True)
    assert code == 0, "".join(said)
    states = [step["newState"] for step in json.loads("".join(said))["steps"]]
    return {state["urn"].rpartition("::")[2]: state["inputs"] for state in states if "dynamic/mg:" in state["type"]}


def test_what_is_shown_for_each_kind_of_model_is_a_program(online, tmp_path):
    shown = [mg("models", "show", name, *online) for name in ("llama-3.1-8b-instruct", "Gemma-3-4B", "qwen3@qwen3-8b")]
    assert [done.exit_code for done in shown] == [0, 0, 0]
    inputs = previewed(tmp_path, "".join(done.stdout for done in shown))
    llama, batch = inputs["llama-3-1-8b-instruct"], inputs["llama-3-1-8b-instruct-batch"]
    machine = {"machine_type": "g2-standard-12", "accelerator_type": "NVIDIA_L4", "accelerator_count": 1}
    assert llama["machine_spec"] == batch["machine_spec"] == machine
    assert llama["publisher_model_name"] == batch["model"] == LLAMA
    assert inputs["gemma-3-4b"]["gcs_uri"] == "gs://your-bucket/gemma-3-4b"
    assert "qwen3-8b" in inputs
    assert "qwen3-8b-batch" not in inputs


def test_without_model_garden_what_is_shown_leaves_the_machine_to_google(offline, tmp_path):
    shown = mg("models", "show", LLAMA, *offline)
    assert "machine_spec" not in shown.stdout
    assert "Google's own choice" in shown.stderr
    assert set(previewed(tmp_path, shown.stdout)) == {"llama-3-1-8b-instruct", "llama-3-1-8b-instruct-batch"}


def test_only_the_batch_run_is_shown_where_that_is_asked_for(online):
    shown = mg("models", "show", "--batch", "meta/llama3_1@llama-3.1-8b-instruct", *online)
    assert "from mg_provider import BatchJob\n" in shown.stdout
    assert "CustomWeightsModel" not in shown.stdout
    refused = mg("models", "show", "--batch", "gpt-oss-120B", *online)
    assert refused.exit_code == 2
    assert "batch prediction is not documented" in refused.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gpt-oss", "names several models\ndo: name one of: publishers/openai/models/gpt-oss@gpt-oss-120b"),
        ("gpt-oss-20b", "names several models"),
        ("llama-3.1-8b-instrukt", f"no model is called 'llama-3.1-8b-instrukt'\ndo: did you mean {LLAMA}"),
        ("zzz", "look for it with `mg models --search`"),
        ("meta/nothing", "Model Garden has no model 'meta/nothing'"),
        ("meta/llama-3.3-70b-instruct-maas", "has no configuration to deploy it with"),
    ],
)
def test_a_name_that_is_not_one_model_is_told_with_those_that_are_near(online, name, told):
    refused = mg("models", "show", name, *online)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert told in refused.stderr


def test_a_wrong_setting_is_a_usage_error():
    for arguments in ((), ("show", "x")):
        refused = mg("models", *arguments, "-c", "mg:vertexAiCustomEndpoint=http://203.0.113.1")
        assert refused.exit_code == 2
        assert "another machine" in refused.stderr


def test_the_configuration_of_a_stack_is_enough(emulator):
    given = [part for key, value in config(emulator).items() for part in ("-c", f"{key}={value}")]
    assert mg("models", *given).exit_code == 0
