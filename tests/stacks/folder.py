"""The program of ``stacks/`` in a folder of its own, and what both engines' tests do with it."""

import json
import shutil
from abc import ABC, abstractmethod
from pathlib import Path

import yaml

from mg_provider.yaml_file import read_yaml
from tests.support.lives.invariants import watch
from tests.support.lives.states import TOKEN, ours, owner_label, said

ROOT = Path(__file__).parent.parent.parent
APIS = ("vertexAi", "compute", "storage", "bigQuery")


class StackFolder(ABC):
    """A copy of the program with one stack's config; subclasses say which engine ``run`` is.

    Attributes:
        name: The stack's name.
        folder: Where the copy is.
        file: The stack's config file.
        no_change: What the engine counts among the changes although it only looked.
    """

    no_change = ("same",)

    def __init__(self, folder, virtualenv, name):
        self.name, self.folder = name, folder
        copy_program(folder, virtualenv)
        self.file = folder / "stacks" / "config" / f"Pulumi.{name}.yaml"

    def edit(self, change):
        config = read_yaml(self.file)
        change(config["config"])
        write(self.file, config)

    def lives_on(self, emulator):
        """From here on the invariants hold after every command: ``tests.support.lives.invariants``."""
        self.account = watch(emulator)
        self.holder = self.account.holder(f"the stack {self.name}", lambda: list(ours(self.documents)))
        self.documents = []

    def run(self, operation):
        """The exit code, the counts of changes or None if none were told, and the errors told."""
        project = read_yaml(self.folder / "Pulumi.yaml")["name"]
        self.holder.owners.add(owner_label(f"organization/{project}/{self.name}"))
        before, since = self._clients(), self.account.now()
        with self.account.acting(self.holder.owners):
            code, changes, errors = self.command(operation)
        self.documents = self.state()
        if operation != "preview":
            self.holder.ended(since, errors if code else "", settled=operation in ("up", "destroy"))
        self.account.hold()
        if not {"create", "replace", "delete"} & set(changes or {}):
            self.account.moved(self.holder, before, self._clients())
        return code, changes, errors

    def _clients(self):
        """What clients have: each part of each address, by resource."""
        urns = [each["urn"] for each in self.documents if each["type"].startswith(TOKEN)]
        words = [said(*resource) for resource in ours(self.documents)]
        pairs = zip(urns, words, strict=True)
        return {f"{urn} {part}": value for urn, word in pairs for part, value in word.address.items()}

    @abstractmethod
    def command(self, operation):
        """Run a command: its exit code, the counts of changes or None if none were told, and the errors told."""

    @abstractmethod
    def state(self):
        """The resources in the stack's state."""

    def well(self, operation):
        """What changed, beside what was only looked at."""
        code, changes, errors = self.run(operation)
        assert code == 0, errors[-3000:]
        return {kind: count for kind, count in changes.items() if kind not in self.no_change}

    @property
    @abstractmethod
    def outputs(self):
        """The stack's outputs."""

    @property
    def addresses(self):
        """What clients have in their configuration: the id, and the private IP, of whatever can be asked."""
        told = {**self.outputs["models"], **self.outputs["endpoints"]}
        return {key: (one["endpoint_id"], one.get("ip_address")) for key, one in told.items() if "endpoint_id" in one}


def copy_program(folder, virtualenv):
    """The program and the configurations of ``stacks/``, for an interpreter of one's own."""
    shutil.copytree(ROOT / "stacks", folder / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    project = read_yaml(ROOT / "Pulumi.yaml")
    project["runtime"]["options"] = {"virtualenv": virtualenv}
    write(folder / "Pulumi.yaml", project)


def write(path, document):
    path.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper))


def custom_endpoints(url):
    return {f"mg:{api}CustomEndpoint": url for api in APIS}


def told_by(lines):
    """The counts of changes, None if there are none, and the errors that an engine's events tell."""
    events = [json.loads(line) for line in lines]
    changes = next((event["summaryEvent"]["resourceChanges"] for event in events if "summaryEvent" in event), None)
    told = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
    return changes, "\n".join(each["message"] for each in told if each["severity"] == "error")


def change(config):
    """Something that every stack can change in place: labels, or the next night."""
    environment = config["model-garden:environment"]
    for model in environment.get("models", {}).values():
        model["labels"] = {"team": "ranking"}
    for job in environment["batch_jobs"].values() if "models" not in environment else ():
        job["triggers"] = {"date": "2026-11-23"}


def live(stack, emulator, check):
    """Up, nothing to do, nothing found out, a change in place, and nothing left; what clients have stays.

    ``check`` is called once the stack is up and changed.
    """
    assert set(stack.well("up")) == {"create"}
    assert stack.well("preview") == {}
    assert stack.well("refresh") == {}
    assert stack.well("preview") == {}
    addresses = stack.addresses
    stack.edit(change)
    assert set(stack.well("up")) == ({"update"} if addresses else {"replace"})
    assert stack.addresses == addresses
    check()
    assert set(stack.well("destroy")) == {"delete"}
    left = emulator.ledger()
    assert left["empty"], left["leftovers"]
