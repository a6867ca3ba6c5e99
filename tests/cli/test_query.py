"""`mg query` and `mg certificate`: what they print, and how they end."""

import json
import subprocess

import pytest

from mg_provider.cli import app
from mg_provider.clock import ManualClock
from mg_provider.command_line.running import run_app
from mg_provider.inference.query_command import LONGEST_WAIT, Query, ask
from tests.api.server import Reply, Server
from tests.emulator.client import LOCATION
from tests.emulator.client import Client as Cloud
from tests.resources.conftest import config
from tests.support.google.certificates import Certificate
from tests.support.running.command_line import CliRunner

QUESTION = "Why is the sky blue?"


@pytest.fixture
def options(emulator):
    return [part for key, value in config(emulator).items() for part in ("-c", f"{key}={value}")]


@pytest.fixture
def cloud(emulator):
    emulator.set_speed(0)
    cloud = Cloud(emulator)
    yield cloud
    cloud.session.close()


def mg(*arguments, **more):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **more)


def test_a_question_is_answered_whole_streamed_and_for_programs(cloud, options, emulator):
    name = cloud.deployed()["name"]
    whole = mg("query", "chat", QUESTION, "--system", "Be kind.", "--temperature", "0", *options)
    assert (whole.exit_code, whole.stderr) == (0, "")
    assert QUESTION in whole.stdout
    sent = emulator.requests()[-1]["body"]
    assert (sent["messages"][0]["content"], sent["temperature"], sent["model"]) == ("Be kind.", 0, "llama")
    assert mg("query", name, QUESTION, "--stream", *options).stdout == whole.stdout
    as_json = json.loads(mg("query", name, "-", "--json", "--max-tokens", "1", *options, input=QUESTION).stdout)
    assert as_json["choices"][0]["finish_reason"] == "length"


class Minutes(ManualClock):
    """Each wait is a minute of the emulator."""

    def __init__(self, emulator):
        super().__init__()
        self._emulator = emulator

    def sleep(self, seconds):
        super().sleep(seconds)
        self._emulator.advance(60)


@pytest.mark.parametrize("stream", [False, True])
def test_a_replica_that_wakes_from_zero_is_waited_for_where_the_user_wants_that(cloud, emulator, stream):
    machine = {"machineType": "g2-standard-24", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 2}
    idle = {"machineSpec": machine, "minReplicaCount": 0, "scaleToZeroSpec": {}}
    endpoint = cloud.deployed(deployConfig={"dedicatedResources": idle})
    emulator.scale("chat", endpoint["deployedModels"][0]["id"], 0)
    said, told, clock = [], [], Minutes(emulator)
    query = Query(QUESTION, endpoint=endpoint["name"], stream=stream, wait=True, config=config(emulator))
    assert ask(query, said.append, told.append, clock) == 0
    assert QUESTION in "".join(said)
    assert told[0].startswith("waiting for a replica of projects/")
    assert len(clock.sleeps) == len(told) > 1


def test_without_waiting_a_waking_endpoint_is_told_at_once_and_a_wait_has_an_end(cloud, emulator):
    endpoint = cloud.deployed()
    emulator.scale("chat", endpoint["deployedModels"][0]["id"], 0)
    emulator.fail(rpc="chat.completions", fault="status", status=503, times=1000)
    told, clock = [], ManualClock()
    query = Query(QUESTION, endpoint=endpoint["name"], wait=True, config=config(emulator))
    assert ask(query, told.append, told.append, clock) == 1
    assert LONGEST_WAIT <= sum(clock.sleeps) <= LONGEST_WAIT + 20
    assert "scaled to zero" in told[-1]
    hasty = Query(QUESTION, endpoint=endpoint["name"], client={"retry_budget": 0}, config=config(emulator))
    assert ask(hasty, told.append, told.append, clock) == 1
    assert sum(clock.sleeps) <= LONGEST_WAIT + 20


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_cut_or_has_no_words_says_so(stream, emulator):
    def query(message, finish):
        choice = {"message": message, "finish_reason": finish}
        told, said = [], []
        with Server(Reply(200, {"choices": [choice]})) as server:
            client = {"address": server.url, "model": "m"}
            asked = Query(
                "Hi?", endpoint=f"{LOCATION}/endpoints/e", stream=stream, client=client, config=config(emulator)
            )
            return ask(asked, said.append, told.append), "".join(said).strip(), "".join(told)

    assert query({"content": "Hi"}, "stop") == (0, "Hi", "")
    code, said, told = query({"content": "Look at"}, "length")
    assert (code, said) == (0, "Look at")
    assert "the answer is cut: it reached max_tokens" in told
    code, said, told = query({"content": None, "reasoning_content": "Well"}, "length")
    assert (code, said) == (1, "")
    assert "the answer has no words: the model only reasoned" in told


def test_the_command_itself_answers(cloud, options, quick_mg):
    cloud.deployed()
    command = [quick_mg, "query", "chat", QUESTION, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert QUESTION in done.stdout


def test_an_endpoint_is_found_among_the_outputs_of_a_stack(cloud, options, tmp_path):
    stack = {"type": "pulumi:pulumi:Stack", "outputs": {"chat": {"endpoint": cloud.deployed()["name"]}}}
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"version": 3, "deployment": {"resources": [stack]}}))
    place = ("--stack", "dev", "--state", state, "--program", tmp_path)
    assert QUESTION in mg("query", *place, "--output", "chat", QUESTION, *options).stdout
    assert QUESTION in mg("query", *place, QUESTION, *options).stdout
    refused = mg("query", *place, "--output", "other", QUESTION, *options)
    assert refused.exit_code == 2
    assert "name one of: chat" in refused.stderr


def test_what_does_not_answer_is_told_in_words(cloud, options):
    cloud.response(cloud.ok("POST", f"{LOCATION}/endpoints", {"displayName": "e"}, endpointId="empty"))
    refused = mg("query", "empty", QUESTION, *options)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: no deployed model on projects/")
    assert "do: " in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chat"], "an endpoint and a question"),
        (["chat", "Why", "is"], "put quotes around a question"),
        (["--stack", "dev", "chat", "Why"], "one question"),
        (["chat", "Why", "--json", "--stream"], "--stream"),
        (["chat", " ", "--project", "p", "--region", "r"], "question: is empty"),
        (["chat", "Why", "-c", "nonsense"], "namespace:key=value"),
        (["chat", "Why", "--project", "p"], "region"),
        (["chat", "Why", "--project", "p", "--region", "r", "--fingerprint", "x"], "64 hexadecimal digits"),
    ],
)
def test_a_wrong_argument_is_a_usage_error(arguments, told, capsys):
    code, complaint = run_app(app, ["query", *arguments], str), capsys.readouterr().err
    assert (code, told in " ".join(complaint.split())) == (2, True), complaint


def test_a_certificate_is_shown_and_can_be_pinned(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.token")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    certificate = Certificate(tmp_path, "elsewhere")
    reply = Reply(200, {"choices": [{"message": {"content": "Because."}}]})
    with Server(reply, ssl_context=certificate.server) as server:
        host, port = server.url.removeprefix("https://").split(":")
        shown = mg("certificate", host, "--port", port)
        assert shown.exit_code == 0
        assert certificate.fingerprint in shown.stderr
        for place in (f"{host}:{port}", server.url, f"{server.url}/v1beta1/projects"):
            assert mg("certificate", place).stdout == shown.stdout
        pinned = tmp_path / "pinned.pem"
        pinned.write_text(shown.stdout)
        asked = ("query", f"{LOCATION}/endpoints/chat", QUESTION, "--address", f"{host}:{port}", "--model", "m")
        assert mg(*asked, "--ca-file", pinned).stdout == "Because.\n"
        refused = mg(*asked)
        assert refused.exit_code == 1
        assert "`mg certificate` shows" in refused.stderr


def test_a_certificate_of_no_address_is_told():
    refused = mg("certificate", "10.0.0.5:https")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "write 10.0.0.5:443" in refused.stderr


def test_where_nothing_answers_no_certificate_is_shown():
    refused = mg("certificate", "127.0.0.1", "--port", "9")
    assert (refused.exit_code, refused.stdout) == (1, "")
