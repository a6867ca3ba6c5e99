"""How long 64 deployments in 16 regions take, over one alone: for each engine that is here and each layout of hosts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, cast

import yaml

from benchmarks.figure import Figure
from mg_provider.clock import SystemClock
from mg_provider.data import known_regions
from mg_provider.demo.engines import STACK, Engine, PulumiEngine, RehearsalEngine, Say, Workspace
from tests.support.weights import make_bucket, put_weights

REGIONS, MODELS = 16, 4
DEPLOYMENT_SECONDS = 10.0
EMULATED_SECONDS = 20 * 60
UP_BOUND, PREVIEW_BOUND = 1.15, 1.3
PREVIEWS = 7
APIS = ("vertexAi", "compute", "storage", "bigQuery", "logging")


@dataclass(frozen=True)
class Layout:
    """How the provider's processes are laid out."""

    name: str
    threads: int | None = None
    explicit: bool = False


class RehearsalCommand(RehearsalEngine):
    """``mg rehearse`` as it is typed: a process that starts, as ``pulumi`` is."""

    def up(self, say: Say) -> None:
        """Change the stack to match the program."""
        self._type("up")

    def preview(self) -> dict[str, Any]:
        """What ``up`` would do."""
        return cast("dict[str, Any]", json.loads(self._type("preview", "--json")))

    def _type(self, operation: str, *options: str) -> str:
        mg, folder = Path(sys.executable).with_name("mg"), self.workspace.folder
        command = [mg, "rehearse", operation, folder, "--stack", STACK, "--state", self.state_file]
        return subprocess.run([*map(str, command), *options], stdout=subprocess.PIPE, text=True, check=True).stdout


WIDENED = Layout("one widened host")
STOCK = Layout("stock host", threads=0)
EXPLICIT = Layout("a provider process a region", threads=0, explicit=True)
ENGINES: tuple[tuple[str, type[Engine]], ...] = (("rehearsal", RehearsalCommand), ("pulumi", PulumiEngine))


def measure() -> Iterator[Figure]:
    """The fleet in each layout over one deployment alone; the bounds hold for the layout that is the default."""
    for name, engine in ENGINES:
        if name == "pulumi" and shutil.which("pulumi") is None:
            sys.stderr.write("fleet: there is no pulumi on PATH, so only the rehearsal engine is measured\n")
            continue
        for layout in (WIDENED, EXPLICIT, STOCK):
            up, preview = _compare(engine, layout)
            default = layout is WIDENED
            label = f"{REGIONS * MODELS} / 1 on {name}, {layout.name}"
            yield Figure(f"fleet: up of {label}", round(up, 2), "x", UP_BOUND if default else None)
            yield Figure(f"fleet: preview of {label}", round(preview, 2), "x", PREVIEW_BOUND if default else None)
    # Without the start of the command, which both of the above have; `mg demo` runs the engine in this way.
    _, preview = _compare(RehearsalEngine, WIDENED)
    label = f"{REGIONS * MODELS} / 1 in a process that has the rehearsal engine loaded"
    yield Figure(f"fleet: preview of {label}", round(preview, 2), "x", None)


def _compare(kind: type[Engine], layout: Layout) -> tuple[float, float]:
    """How many times as long as one deployment the fleet takes: for ``up``, and for a preview that has nothing to do.

    The previews take turns, after a first one of each: a machine is not equally fast all the time.
    """
    with (
        stack(kind, WIDENED, regions_count=1, models=1) as (one, _),
        stack(kind, layout, regions_count=REGIONS, models=MODELS) as (fleet, _),
    ):
        alone = seconds(lambda: one.up(ignore))
        up = seconds(lambda: fleet.up(ignore)) / alone
        fleet.preview()
        one.preview()
        return up, median(seconds(fleet.preview) / seconds(one.preview) for _ in range(PREVIEWS))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    clock = SystemClock()
    started = clock.monotonic()
    work()
    return clock.monotonic() - started


def ignore(line: str) -> None:
    """What an engine says while it is measured."""


@contextmanager
def stack(
    kind: type[Engine], layout: Layout, regions_count: int, models: int, deployment_seconds: float = DEPLOYMENT_SECONDS
) -> Iterator[tuple[Engine, str]]:
    """A stack of so many models in each of so many regions, on an emulator of its own, and that emulator's URL."""
    with _emulator(deployment_seconds) as emulator, tempfile.TemporaryDirectory() as folder:
        make_bucket(emulator)
        program = _program(Path(folder) / "program", emulator.url, put_weights(emulator), layout, regions_count, models)
        yield kind(Workspace(_made(Path(folder) / "work"), program)), emulator.url


@dataclass(frozen=True)
class _Served:
    url: str


@contextmanager
def _emulator(deployment_seconds: float) -> Iterator[_Served]:
    """The emulator in a process of its own, as it would be another machine's work."""
    speed = EMULATED_SECONDS / deployment_seconds
    command = [sys.executable, "-c", f"from mg_provider.cloud.serving import serve; serve(0, {speed})"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _Served((process.stdout or sys.stdin).readline().strip())
        finally:
            process.terminate()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _program(folder: Path, url: str, weights: str, layout: Layout, regions_count: int, models: int) -> Path:
    """A project folder as Workspace takes it."""
    config_folder = folder / "stacks" / "config"
    config_folder.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("fleet_program.py"), folder / "stacks" / "__main__.py")
    project = {"name": "fleet", "runtime": {"name": "python"}, "main": "stacks", "stackConfigDir": "stacks/config"}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    settings = {"mg:project": "my-project", **{f"mg:{api}CustomEndpoint": url for api in APIS}}
    if layout.threads is not None:
        settings["mg:hostThreads"] = str(layout.threads)
    config: Mapping[str, Any] = {
        **settings,
        "fleet:regions": json.dumps(sorted(known_regions())[:regions_count]),
        "fleet:models": str(models),
        "fleet:weights": weights,
        "fleet:explicit": str(layout.explicit).lower(),
        "fleet:settings": json.dumps(settings),
    }
    (config_folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": dict(config)}), encoding="utf-8")
    return folder
