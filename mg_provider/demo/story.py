"""The story of the demo, step by step; each step states what it shows and fails if it is not so."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

import mg_provider
from mg_provider.api.clients import Clients
from mg_provider.api.http.settings import Settings
from mg_provider.api.http.transport import Call
from mg_provider.clock import SystemClock
from mg_provider.cloud.toy_model import make_folder
from mg_provider.command_line.called import mg_command
from mg_provider.demo import changes
from mg_provider.demo.cost import NIGHT, gpus, hourly
from mg_provider.demo.engines import Engine, Workspace, choose
from mg_provider.demo.narrator import Narrator, NotAsClaimedError
from mg_provider.emulator import Emulator
from mg_provider.inference.batch.results import batch_results
from mg_provider.inference.client import Client
from mg_provider.prices import Amount
from mg_provider.wire.storage import Bucket

BUCKET = "demo-weights"
QUESTIONS = ("Why is the sky blue?", "What is a replica?", "How do I tell the time by the sky?")
MODEL = "CustomWeightsModel"
RULE = "PscForwardingRule"
ENVIRONMENT = "model-garden:environment"
_PROBE = re.compile(r"(probe \d+ of \d+ at \d+ % of the traffic) failed: (status \d+) instead of (\d+)")
ASSISTANT = "assistant-us-central1"
NEW_WEIGHTS = f"gs://{BUCKET}/llama-toy/v2"
# The program of stacks/ and the configuration of the demo, as the package has them.
PROJECT = Path(__file__).resolve().parent / "project"


class Demo:
    """One run of the demo on one emulator and one engine."""

    def __init__(self, emulator: Emulator, engine: Engine, narrator: Narrator, clients: Clients) -> None:
        self._emulator = emulator
        self._engine = engine
        self._narrator = narrator
        self._clients = clients

    def tell(self) -> None:
        """The story until everything serves; the stack is up afterwards.

        Raises:
            NotAsClaimedError: Something did not come as the story says.
        """
        self._weights()
        self._first_up()
        self._ask()
        self._batch()
        self._change()
        self._wrong_weights()
        self._fixed_weights()

    def _weights(self) -> None:
        self._narrator.chapter("A bucket with custom weights")
        storage = self._clients.storage
        # Weights are loaded from a bucket near the machines.
        for bucket, location in ((BUCKET, "US-CENTRAL1"), (f"{BUCKET}-eu", "EU")):
            storage.insert_bucket("my-project", Bucket(name=bucket, location=location))
        for version, seed in (("v1", 1), ("v2", 2)):
            files = make_folder(seed)
            for name, content in files.items():
                storage.upload_object(BUCKET, f"llama-toy/{version}/{name}", content)
                if version == "v1":
                    storage.upload_object(f"{BUCKET}-eu", f"llama-toy/v1/{name}", content)
        size = sum(map(len, files.values()))
        self._narrator.say(f"gs://{BUCKET}/llama-toy/v1 and v2: {len(files)} files each, {size:,} bytes")
        self._narrator.say(f"gs://{BUCKET}-eu/llama-toy/v1: the same as v1, near Europe's machines")
        rows = [{"custom_id": str(i), "body": {"messages": [_user(text)]}} for i, text in enumerate(QUESTIONS)]
        content = "\n".join(map(json.dumps, rows)).encode()
        storage.upload_object(BUCKET, "questions/one.jsonl", content)
        self._narrator.say(f"gs://{BUCKET}/questions/one.jsonl: {len(rows)} questions for the batch run")

    def _first_up(self) -> None:
        self._narrator.chapter("up: private models in two regions, public endpoints, a batch run")
        seconds = 20 * 60 / self._emulator.world.clock.speed
        self._narrator.say(f"a deployment of 20 minutes takes {seconds:g} s here")
        with self._narrator.watching() as progress:
            self._engine.up(progress)
        counts = self._emulator.ledger()["counts"]
        expected = {"Endpoint": 4, "Model": 3, "DeployedModel": 5, "BatchPredictionJob": 1}
        found = {kind: counts.get(f"aiplatform.{kind}", 0) for kind in expected}
        self._narrator.check("4 endpoints, 3 models, 5 deployments and 1 batch run exist", found == expected, counts)
        rules = (counts.get("compute.Address"), counts.get("compute.ForwardingRule"))
        self._narrator.check("2 private addresses lead to service attachments", rules == (2, 2), counts)
        again = changes.steps(self._engine.preview())
        self._narrator.check("a second preview has nothing to do", again == [], [step["urn"] for step in again])

    def _ask(self) -> None:
        self._narrator.chapter("Ask the models, and read what the batch run answered")
        for name, model in sorted(self._outputs("models").items()):
            if name == ASSISTANT:
                continue
            status = model["connection"]
            accepted = status.startswith("ACCEPTED")
            place = f"private address {model['ip_address']}"
            self._narrator.check(f"{name}: connection accepted at {place}", accepted, status)
            self._answered(name, str(self._private(model).chat(QUESTIONS[0])), model["model_id"])
        chat = self._outputs("endpoints")["chat"]
        self._narrator.detail(f"chat at {chat['dns']}, streamed: {QUESTIONS[1]}")
        pieces = list(self._public(chat).stream_chat(QUESTIONS[1]))
        self._narrator.check(f"chat: streams {len(pieces)} pieces from its DNS name", len(pieces) > 1)
        self._answered("chat", "".join(pieces), chat["model_id"])

    def _answered(self, who: str, answer: str, model_id: str, *, brief: bool = True) -> None:
        if brief or self._narrator.verbose:
            self._narrator.quote(who, answer)
        if model_id not in answer:
            raise NotAsClaimedError(f"not as claimed: {who} answers with {model_id} (found: {answer})")

    def _batch(self) -> None:
        job = self._outputs("batch_jobs")["nightly"]
        self._narrator.check("the batch run succeeded", job["state"] == "JOB_STATE_SUCCEEDED", job["state"])
        answered = 0
        for result in batch_results(job["output"], clients=self._clients):
            answered += result.text is not None
            self._narrator.detail(f"row {result.custom_id}: {result.text or result.error}")
        self._narrator.check(
            f"each of the {len(QUESTIONS)} questions has an answer", answered == len(QUESTIONS), answered
        )

    def _change(self) -> None:
        self._narrator.chapter("Change replicas, a label and the traffic: what moves, what does not")
        before = self._addresses()
        config = deepcopy(self._engine.workspace.config)
        llama = config[ENVIRONMENT]["models"]["llama"]
        llama.update(min_replica_count=2, max_replica_count=4, labels={"team": "ads"})
        config[ENVIRONMENT]["endpoints"]["chat"]["traffic_split"] = {"stable": 50, "canary": 50}
        self._engine.workspace.config = config
        digest = self._previewed()
        self._narrator.check("nothing is replaced", changes.replaced(digest) == [], changes.replaced(digest))
        kinds = sorted(changes.kinds(digest))
        self._narrator.check("the rules of the private addresses are not touched", RULE not in kinds, kinds)
        with self._narrator.watching() as progress:
            self._engine.up(progress)
        self._narrator.unchanged("endpoint ids, DNS names and private addresses", before, self._addresses())
        self._narrator.check("the traffic is 50 % and 50 % now", self._traffic() == [50, 50], self._traffic())

    def _previewed(self) -> dict[str, Any]:
        """The digest of a preview, in words."""
        digest = self._engine.preview()
        for line in changes.lines(digest) if self._narrator.verbose else ():
            self._narrator.say(line)
        for line in changes.in_short(digest) if not self._narrator.verbose else ():
            self._narrator.wrapped(line)
        return digest

    def _wrong_weights(self) -> None:
        self._narrator.chapter("New weights that answer with errors: the rollout goes back")
        before = self._outputs("models")[ASSISTANT]
        self._emulator.behave(bad_models={NEW_WEIGHTS: "500"})
        old = self._point_assistant_at(NEW_WEIGHTS)
        self._narrator.say(f"{ASSISTANT}: gcs_uri {changes.short(old)} → {changes.short(NEW_WEIGHTS)}")
        with self._narrator.watching() as progress:
            failure = self._engine.failing_up(progress)
        probe = _PROBE.search(failure)
        self._narrator.say(f"{probe[1]}: {probe[2]}, not {probe[3]}" if probe else "the rollout failed")
        self._narrator.check(
            "up failed, and says that the rollout was taken back", "was taken back" in failure, failure
        )
        failed = hourly(each for each in self._emulator.ledger()["machines"] if ASSISTANT in each["holder"])
        self._narrator.say(f"at Google's list prices the attempt costs {failed.text()} an hour")
        served = self._served()
        self._narrator.check("the old deployment alone serves, with 100 % of the traffic", served == [100], served)
        self._answers(before)

    def _fixed_weights(self) -> None:
        self._narrator.chapter("The same weights, fixed: they take over at the same address")
        before = self._outputs("models")[ASSISTANT]
        self._emulator.behave(bad_models={})
        with self._narrator.watching() as progress:
            self._engine.up(progress)
        after = self._outputs("models")[ASSISTANT]
        called = ("endpoint_id", "dns", "model_id")
        names = [{name: str(model[name]) for name in called} for model in (before, after)]
        self._narrator.unchanged("names that clients use: endpoint id, DNS name, model id", *names)
        self._answers(after)
        models = self._emulator.ledger()["counts"]["aiplatform.Model"]
        another = before["model"] != after["model"] and models == 3
        self._narrator.check("another Model answers, and the old one is deleted", another, (after["model"], models))

    def _answers(self, assistant: dict[str, Any]) -> None:
        """The assistant answers."""
        self._answered(
            "assistant", self._public(assistant).chat([_user(QUESTIONS[1])]).text, assistant["model_id"], brief=False
        )

    def _point_assistant_at(self, weights: str) -> str:
        """Give it other weights in the config; returns the old ones."""
        config = deepcopy(self._engine.workspace.config)
        assistant = config[ENVIRONMENT]["models"]["assistant"]
        old, assistant["gcs_uri"] = str(assistant["gcs_uri"]), weights
        self._engine.workspace.config = config
        return old

    def _served(self) -> list[int]:
        """The shares of the traffic of what is deployed behind the assistant."""
        endpoint = self._clients.vertex.get_endpoint(self._outputs("models")[ASSISTANT]["endpoint"])
        split = endpoint.traffic_split or {}
        return [split.get(entry.id or "", 0) for entry in endpoint.deployed_models or []]

    def destroy(self) -> None:
        """Take everything down and show the ledger.

        Raises:
            NotAsClaimedError: Something was left.
        """
        self._narrator.chapter("Destroy, and look at the ledger")
        machines = self._emulator.ledger()["machines"]
        paid = hourly(machines)
        saved = f"{paid.text(NIGHT)} less if parked for {NIGHT} hours"
        self._narrator.say(f"at Google's list prices: {paid.text()} an hour, {saved}")
        with self._narrator.watching() as progress:
            self._engine.destroy(progress)
        ledger = self._emulator.ledger()
        self._narrator.check("nothing is left that costs money", ledger["empty"], ledger["leftovers"])
        self._proven(ledger["gpu_seconds"], paid.times(1 / gpus(machines)) if machines else Amount(None))

    def _proven(self, gpu_seconds: dict[str, float], gpu_hour: Amount) -> None:
        """What the story has shown, and what it would have cost."""
        self._narrator.heading("Proven")
        self._narrator.say("ids, DNS names and private addresses outlive every change")
        self._narrator.say("weights that answer with errors go back by themselves; good ones take over")
        self._narrator.say("destroy leaves nothing that costs money")
        for accelerator, seconds in gpu_seconds.items():
            hours = seconds / 3600
            cost = gpu_hour.text(hours)
            self._narrator.say(f"at Google: {hours:,.1f} hours of {accelerator} GPUs, about {cost}; here: $0")

    def wait_for_the_user(self) -> None:
        """Say how to look around, and keep the emulator up until Ctrl-C."""
        folder = self._engine.workspace.folder
        self._narrator.chapter("Yours to look around in, until Ctrl-C")
        self._narrator.say("what exists, and what it has cost in GPU time:")
        self._narrator.line(f"curl {self._emulator.url}/_mg/ledger")
        self._narrator.say("ask the public endpoint, and a private address:")
        chat = self._outputs("endpoints")["chat"]
        self._narrator.line(_curl(self._emulator.url, chat, f"-H 'Host: {chat['dns']}' "))
        model = self._outputs("models")["llama-us-central1"]
        self._narrator.line(_curl(self._place(model), model))
        self._narrator.say(f"change {folder}/stacks/config/Pulumi.demo.yaml, and see what it does:")
        for command in self._engine.commands():
            self._narrator.line(command)
        SystemClock().wait_for_interrupt()

    def _outputs(self, part: str) -> dict[str, dict[str, Any]]:
        outputs: dict[str, dict[str, Any]] = self._engine.outputs()[part]
        return outputs

    def _place(self, model: dict[str, Any]) -> str:
        """Where a private address answers on this machine: the emulator knows."""
        places = self._clients.transport.json(Call("GET", f"{self._emulator.url}/_mg/addresses"))
        return str(places[model["ip_address"]])

    def _private(self, model: dict[str, Any]) -> Client:
        """A client at a private address."""
        return Client(model["endpoint"], address=self._place(model), model=model["model_id"], clients=self._clients)

    def _public(self, endpoint: dict[str, Any]) -> Client:
        """A client at a public DNS name, which on this machine is the emulator."""
        return Client(endpoint["endpoint"], clients=self._clients)

    def _addresses(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, model in sorted(self._outputs("models").items()):
            found[f"{name} endpoint"] = model["endpoint_id"]
            found[f"{name} address"] = model["dns"] if name == ASSISTANT else model["ip_address"]
        chat = self._outputs("endpoints")["chat"]
        return {**found, "chat endpoint": chat["endpoint_id"], "chat DNS": chat["dns"]}

    def _traffic(self) -> list[int]:
        endpoint = self._clients.vertex.get_endpoint(self._outputs("endpoints")["chat"]["endpoint"])
        return sorted((endpoint.traffic_split or {}).values())


def run(engine_name: str | None, *, keep: bool, speed: float, console: Console, verbose: bool = False) -> int:
    """Tell the story. Returns 0 if every step was as claimed, else 1."""
    clock = SystemClock()
    narrator = Narrator(console, clock, verbose=verbose)
    folder = Path(tempfile.mkdtemp(prefix="mg-demo-"))
    with Emulator(port=0, speed=speed) as emulator:
        try:
            workspace = Workspace(folder, PROJECT)
            endpoints = {
                f"mg:{name}CustomEndpoint": emulator.url for name in ("vertexAi", "compute", "storage", "bigQuery")
            }
            workspace.config = {**workspace.config, **endpoints}
            engine = choose(engine_name, workspace)
            title = f"[bold]mg demo[/] {mg_provider.__version__}: custom weights on Vertex AI, without a cloud"
            console.print(title, highlight=False)
            narrator.say(f"cloud: an emulator at {emulator.url}; nothing leaves this machine")
            narrator.say(f"engine: {engine.name}")
            settings = Settings.from_config(endpoints.get, {})
            demo = Demo(emulator, engine, narrator, Clients.from_settings(settings, clock))
            demo.tell()
            if keep:
                demo.wait_for_the_user()
            demo.destroy()
        except NotAsClaimedError as error:
            console.print(f"\n[bold red]✗[/] {escape(str(error))}", soft_wrap=True, highlight=False)
            return 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    end = f"Everything was as claimed, in {narrator.seconds:.0f} s. Next: `{mg_command()} init my-model`."
    console.print(end, highlight=False)
    return 0


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _curl(base_url: str, served: dict[str, Any], options: str = "") -> str:
    body = json.dumps({"model": served["model_id"], "messages": [_user("Hello")]})
    url = f"{base_url}/v1beta1/{served['endpoint']}/chat/completions"
    return f"curl {options}-H 'Content-Type: application/json' -d '{body}' {url}"
