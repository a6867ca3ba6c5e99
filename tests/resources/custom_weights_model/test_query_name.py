"""What chat requests call a model, where the program chooses it: in the container, and through rollouts."""

from contextlib import suppress
from urllib.error import HTTPError

import pytest

from mg_provider.resources.custom_weights_model.plan import model_seeds
from tests.support.lives.life import CheckFailed
from tests.support.lives.rollouts import ONE, arguments, chat, endpoint_of, kinds, serving
from tests.support.samples.samples import ABSENT, CUSTOM_WEIGHTS_MODEL

CONTAINER = {"image_uri": "us-docker.pkg.dev/my-project/vllm/vllm:1", "env": [{"name": "A", "value": "b"}]}


def answers_to(emulator, life, *names):
    """Which of the names a chat request may give."""
    endpoint, taken = endpoint_of(emulator, life), []
    for name in names:
        with suppress(HTTPError):
            chat(emulator, endpoint, {"messages": [{"role": "user", "content": "Hi"}], "model": name})
            taken.append(name)
    return taken


@pytest.mark.parametrize("container", [None, CONTAINER], ids=["Google's container", "one's own"])
def test_a_model_answers_to_the_name_that_was_chosen_and_to_no_other(emulator, life, weights, container):
    wanted = arguments(weights, query_model_id="chat", **({"container_spec": container} if container else {}))
    made = life.up(wanted)
    assert made["query_model_id"] == "chat"
    assert kinds(emulator) == ONE
    assert serving(emulator, life) == {weights: 100}
    assert answers_to(emulator, life, "chat", made["model_id"]) == ["chat"]
    assert life.refresh() == {}
    assert life.preview(wanted) == ("same", [])
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_parked_model_has_the_name_too_and_keeps_it_when_it_is_resumed(emulator, life, weights):
    life.up(arguments(weights, query_model_id="chat", parked=True))
    assert emulator.ledger()["gpu_seconds_total"] == 0
    life.up(arguments(weights, query_model_id="chat"))
    assert answers_to(emulator, life, "chat") == ["chat"]
    life.destroy()
    assert emulator.ledger()["empty"]


def test_another_name_is_rolled_out_and_the_preview_says_so(emulator, life, weights):
    before = life.up(arguments(weights))
    renamed = arguments(weights, query_model_id="chat")
    assert life.preview(renamed) == ("update", [])
    told = life.check(renamed)["deployment_plan"]
    assert f"ANSWERS TO chat INSTEAD OF {before['model_id']}, which requests name as model" in told
    after = life.up(renamed)
    assert (after["endpoint"], after["model_id"] != before["model_id"]) == (before["endpoint"], True)
    assert answers_to(emulator, life, "chat", before["model_id"]) == ["chat"]
    assert kinds(emulator) == ONE
    life.destroy()
    assert emulator.ledger()["empty"]


def test_a_name_stays_when_the_program_leaves_it_out_and_when_it_says_what_it_is_anyway(emulator, life, weights):
    made = life.up(arguments(weights))
    assert life.preview(arguments(weights, query_model_id=made["model_id"])) == ("same", [])
    named = life.up(arguments(weights, query_model_id="chat"))
    left_out = life.check(arguments(weights))
    assert (left_out["query_model_id"], left_out["model_id"]) == ("chat", named["model_id"])
    assert life.preview(arguments(weights)) == ("same", [])
    life.destroy()


def test_a_stockout_at_the_creation_leaves_what_the_next_run_goes_on_with(emulator, life, weights):
    wanted = arguments(weights, query_model_id="chat")
    emulator.behave(stockouts=["us-central1/g2-standard-12"])
    with pytest.raises(Exception, match="capacity is short at the moment"):
        life.up(wanted)
    assert emulator.ledger()["gpus_in_use"] == {}
    emulator.behave(stockouts=[])
    life.up(wanted)
    assert kinds(emulator) == ONE
    assert answers_to(emulator, life, "chat") == ["chat"]
    life.destroy()
    assert emulator.ledger()["empty"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"query_model_id": "a b"}, "does not fit: use at most 128 letters"),
        ({"query_model_id": "it's"}, "does not fit"),
        (
            {"query_model_id": "a", "container_spec": {"image_uri": "i", "env": [{"name": "MODEL_ID", "value": "b"}]}},
            "is 'a', but container_spec has 'b' in its environment variable MODEL_ID",
        ),
        ({"query_model_id": "a", "accept_eula": True}, "an uploaded Model, which takes no accept_eula: remove one"),
        ({"query_model_id": "a", "machine_spec": None, "preflight": False}, "needs machine_spec beside it"),
        (
            {"query_model_id": "a", "adopt": "projects/my-project/locations/us-central1/endpoints/1234567890123"},
            "cannot be chosen while an endpoint is taken over",
        ),
    ],
)
def test_a_name_that_a_model_cannot_have_is_refused(life, weights, more, told):
    with pytest.raises(CheckFailed) as error:
        life.check(arguments(weights, **more))
    assert list(error.value.failures) == ["query_model_id"]
    assert told in error.value.failures["query_model_id"]


def test_a_gated_model_is_not_uploaded_under_a_name():
    given = {"gcs_uri": ABSENT, "hugging_face_model_id": "google/gemma-3", "hugging_face_access_token": "hf_x"}
    given |= {"container_spec": ABSENT, "query_model_id": "chat"}
    _, problems = CUSTOM_WEIGHTS_MODEL.check(CUSTOM_WEIGHTS_MODEL.arguments(**given))
    assert "would show hugging_face_access_token to its readers" in problems["query_model_id"]


def test_a_model_without_a_chosen_name_is_made_of_what_it_was_before():
    args, _ = CUSTOM_WEIGHTS_MODEL.check(CUSTOM_WEIGHTS_MODEL.arguments())
    assert not any("container_model_id" in part for part in model_seeds(args))
    named, _ = CUSTOM_WEIGHTS_MODEL.check(CUSTOM_WEIGHTS_MODEL.arguments("query_model_id", "chat"))
    assert 'container_model_id="chat"' in model_seeds(named)
