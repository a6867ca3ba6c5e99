"""The two engines as processes that are started, watched and killed, on a program in a folder of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from mg_provider.emulator import Emulator
from tests.stacks.folder import custom_endpoints, told_by
from tests.support.running.pulumi_environment import STREAMED, alone_in

ROOT = Path(__file__).parent.parent.parent
STACK = "test"
PULUMI = shutil.which("pulumi")
MARK = "MG_FAULTS_CASE"
# A job whose answer was lost is looked for for two minutes.
SECONDS = 200
PROGRAM = """
import json
from pathlib import Path

import pulumi

import mg_provider

made = {}


def value(given):
    if isinstance(given, list):
        return [value(entry) for entry in given]
    if not isinstance(given, dict):
        return given
    if set(given) in ({"output"}, {"switch"}):
        slot, _, output = next(iter(given.values())).partition(".")
        found = getattr(made[slot], output)
        return found if "output" in given else found.apply(lambda on: "true" if on else "false")
    return {key: value(entry) for key, entry in given.items()}


for each in json.loads((Path(__file__).parent / "program.json").read_text()):
    options = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name) for name in each["aliases"]])
    kind = getattr(mg_provider, each["kind"])
    made[each["slot"]] = kind(each["name"], opts=options, **value(each["arguments"]))
"""
# What of a command line tells what a process is.
ROLES = {
    "host": ("pulumi.dynamic", "rehearsal/program/host.py"),
    "program": ("pulumi-language-python-exec", "rehearsal/program/run.py"),
}


@dataclass
class Run:
    """How one command ended.

    Attributes:
        code: Its exit code; below 0 for a signal, None if it hung.
        changes: What it counted, without what stayed.
        errors: What it said went wrong.
        planned: What it did or would do with each resource, by the resource's name.
    """

    code: int | None
    changes: dict[str, int]
    errors: str
    planned: dict[str, set[str]] = field(default_factory=dict)

    @property
    def ok(self):
        return self.code == 0


class Engine(ABC):
    """One stack on one engine; every process of it carries a mark in its environment."""

    name = ""
    owner = "acme"
    quiet = ("same", "read", "discard", "refresh")

    def __init__(self, folder, virtualenv, url, mark):
        self.folder, self.mark = folder, mark
        folder.mkdir(parents=True, exist_ok=True)
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": virtualenv}}
        (folder / "Pulumi.yaml").write_text(json.dumps({"name": "faults", "runtime": runtime}), encoding="utf-8")
        (folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
        self.python = Path(virtualenv) / "bin" / "python"
        self.config = {
            **custom_endpoints(url),
            "mg:project": "my-project",
            "mg:region": "us-central1",
            "mg:owner": self.owner,
        }
        uncached = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
        self.environment = {**os.environ, **uncached, MARK: mark}

    def write(self, resources):
        (self.folder / "program.json").write_text(json.dumps(resources), encoding="utf-8")

    def start(self, operation):
        """Begin a command, in a session of its own as in a terminal."""
        self._count = getattr(self, "_count", 0) + 1
        out = self.folder / f"{self._count}-{operation}.out"
        with out.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(
                self.command(operation),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Started(self, process, out)

    @classmethod
    def cloud(cls, folder, emulator):
        """Opens the cloud of a stack in a folder: as a rule an emulator that runs already."""
        return nullcontext(emulator)

    @abstractmethod
    def command(self, operation):
        """The command line."""

    @abstractmethod
    def resources(self):
        """The resources in the state, as documents."""

    def unlock(self):  # noqa: B027 - where a lock ends with its process, there is nothing to do
        """What a user does after the engine was killed, before the next command."""

    def processes(self):
        """Role by process id of what still runs of this stack."""
        return {pid: role for pid, role in _marked(self.mark) if role}


class Started:
    """A command that runs."""

    def __init__(self, engine, process, out):
        self.engine, self.process, self.out = engine, process, out

    def kill(self, role):
        """End the engine, its program or its provider hosts at once; whether there was one."""
        if role == "engine":
            self.process.kill()
            return True
        chosen = [pid for pid, found in _marked(self.engine.mark) if found == role]
        for pid in chosen:
            _send(pid, signal.SIGKILL)
        return bool(chosen)

    def interrupt(self):
        """Ctrl-C, as a terminal sends it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self):
        """Wait for the end."""
        try:
            code = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        text = self.out.read_text(encoding="utf-8")
        return _run(code, text, self.engine.quiet)


class Rehearsal(Engine):
    """`mg rehearse`, as a process."""

    name = "rehearse"

    def command(self, operation):
        given = [f"{key}={value}" for key, value in self.config.items()]
        return [self.python, "-u", Path(__file__).with_name("rehearsing.py"), operation, STACK, self.folder, *given]

    def resources(self):
        path = self.folder / "state.json"
        return json.loads(path.read_text(encoding="utf-8"))["deployment"]["resources"] if path.exists() else []


class Alone(Rehearsal):
    """`mg rehearse` as a newcomer runs it: the cloud is the stack's own, and nobody has said whose the stack is."""

    name = "alone"
    owner = "organization"

    def __init__(self, folder, virtualenv, url, mark):
        super().__init__(folder, virtualenv, url, mark)
        self.config = {"mg:project": "my-project", "mg:region": "us-central1"}

    @classmethod
    def cloud(cls, folder, emulator):
        """The same emulator for all runs, so that a test can see and disturb what they do."""
        return Emulator(keep=folder / "state.cloud")


class Pulumi(Engine):
    """The `pulumi` CLI, with a backend in the folder."""

    name = "pulumi"

    def __init__(self, folder, virtualenv, url, mark):
        super().__init__(folder, virtualenv, url, mark)
        self.environment |= alone_in(folder) | STREAMED
        self._call("stack", "init", STACK)
        salt = (folder / f"Pulumi.{STACK}.yaml").read_text(encoding="utf-8").strip()
        config = json.dumps({"config": self.config})[1:-1]
        told = [f"{json.dumps(salt.partition(': ')[0])}: {json.dumps(salt.partition(': ')[2])}"] if salt else []
        (folder / f"Pulumi.{STACK}.yaml").write_text(f"{{{', '.join([*told, config])}}}", encoding="utf-8")

    def command(self, operation):
        sure = [] if operation == "preview" else ["--yes", "--skip-preview"]
        return [PULUMI, operation, "--json", "--non-interactive", "--stack", STACK, *sure]

    def _call(self, *arguments):
        command = [PULUMI, *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True, timeout=SECONDS
        ).stdout

    def resources(self):
        return json.loads(self._call("stack", "export", "--stack", STACK))["deployment"].get("resources") or []

    def unlock(self):
        if list((self.folder / "backend").glob("**/locks/**/*.json")):
            self._call("cancel", "--yes", "--stack", STACK)


ENGINES = {engine.name: engine for engine in (Rehearsal, Alone, Pulumi)}


def _run(code, text, quiet):
    lines = [line for line in text.splitlines() if line.startswith("{")]
    events = []
    for line in lines:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue  # A killed engine wrote half of it.
    changes, errors = told_by(json.dumps(event) for event in events)
    planned = {}
    for event in events:
        metadata = event.get("resourcePreEvent", {}).get("metadata")
        if metadata:
            planned.setdefault(metadata["urn"].rpartition("::")[2], set()).add(metadata["op"])
    rest = "\n".join(line for line in text.splitlines() if not line.startswith("{"))
    counted = {kind: count for kind, count in (changes or {}).items() if kind not in quiet}
    return Run(code, counted, f"{errors}\n{rest}".strip(), planned)


def _marked(mark):
    """Each process that has the mark in its environment, with its role, or None for one that has none."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (OSError, ProcessLookupError):
            continue
        if line:
            yield int(entry.name), next((role for role, words in ROLES.items() if any(w in line for w in words)), None)


def end_all(mark):
    """End, by their ids, all processes of a case that still run; how many there were."""
    left = [pid for pid, _ in _marked(mark)]
    for pid in left:
        _send(pid, signal.SIGKILL)
    return len(left)


def _send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


if sys.platform != "linux":
    raise ImportError("which processes belong to a case is read from /proc, which only Linux has")
