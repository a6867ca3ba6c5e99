"""How long a fleet of deployments takes, over one alone: for each engine that is here and each layout of hosts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, cast

import yaml

from benchmarks.figure import Figure, Run
from benchmarks.process import served_emulator
from mg_provider.clock import SystemClock
from mg_provider.data import known_regions
from mg_provider.demo.engines import STACK, Engine, PulumiEngine, RehearsalEngine, Say, Workspace
from mg_provider.demo.narrator import NotAsClaimedError
from tests.support.samples.weights import make_bucket, put_weights

EMULATED_SECONDS = 20 * 60
UP_BOUND, PREVIEW_BOUND = 1.15, 1.3
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
        done = subprocess.run([*map(str, command), *options], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise NotAsClaimedError(f"{operation} ended with exit code {done.returncode}:\n{done.stdout}")
        return done.stdout


WIDENED = Layout("one widened host")
STOCK = Layout("stock host", threads=0)
EXPLICIT = Layout("a provider process a region", threads=0, explicit=True)


@dataclass(frozen=True)
class Size:
    """How large a fleet is, and how often its preview is measured."""

    regions: int = 16
    models: int = 4
    deployment_seconds: float = 10.0
    previews: int = 5


TINY = Size(regions=2, models=1, deployment_seconds=0.01, previews=1)


def measure(run: Run) -> Iterator[Figure]:
    """How long 64 deployments in 16 regions take, over one alone, on the engine that comes with mg."""
    yield from _layouts(run, "rehearsal", run.amount(RehearsalCommand, RehearsalEngine))


def measure_pulumi(run: Run) -> Iterator[Figure]:
    """How long 64 deployments in 16 regions take, over one alone, on Pulumi where it is on PATH."""
    if shutil.which("pulumi") is None:
        run.say("nothing: there is no pulumi on PATH")
        return
    yield from _layouts(run, "pulumi", PulumiEngine)


def _layouts(run: Run, name: str, kind: type[Engine]) -> Iterator[Figure]:
    """The fleet in the default layout, for which the bounds hold; if all is asked for, in the slow ones as well."""
    size = run.amount(Size(), TINY)
    for layout in (WIDENED, EXPLICIT, STOCK) if run.everything else (WIDENED,):
        up_bound, preview_bound = (UP_BOUND, PREVIEW_BOUND) if layout is WIDENED else (None, None)
        label = f"{size.regions * size.models} / 1 on {name}, {layout.name}"
        with (
            stack(kind, WIDENED, 1, 1, size.deployment_seconds) as (one, _),
            stack(kind, layout, size.regions, size.models, size.deployment_seconds) as (fleet, _),
        ):
            run.say("up of one model alone")
            alone = seconds(lambda: one.up(ignore))
            run.say(f"up of {size.models} models in each of {size.regions} regions, {layout.name}")
            up = seconds(lambda: fleet.up(ignore)) / alone
            yield Figure(f"fleet: up of {label}", round(up, 2), "times", up_bound)
            preview = _previews(run, size, one, fleet)
            yield Figure(f"fleet: preview of {label}", round(preview, 2), "times", preview_bound)
            if kind is RehearsalCommand and layout is WIDENED:
                # Without the start of the command; `mg demo` runs the engine in this way.
                preview = _previews(run, size, RehearsalEngine(one.workspace), RehearsalEngine(fleet.workspace))
                label = f"{size.regions * size.models} / 1 in a process that has the rehearsal engine loaded"
                yield Figure(f"fleet: preview of {label}", round(preview, 2), "times")


def _previews(run: Run, size: Size, one: Engine, fleet: Engine) -> float:
    """How many times as long the fleet's preview takes as the one's, where nothing is to do.

    They take turns, after a first one of each: a machine is not equally fast all the time.
    """
    ratios = []
    for number in range(size.previews + 1):
        run.say(f"previews of both, turn {number} of {size.previews}")
        ratios.append(seconds(fleet.preview) / seconds(one.preview))
    return median(ratios[1:])


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
    kind: type[Engine], layout: Layout, regions_count: int, models: int, deployment_seconds: float
) -> Iterator[tuple[Engine, str]]:
    """A stack of so many models in each of so many regions, on an emulator of its own, and that emulator's URL."""
    names = sorted(known_regions())[:regions_count]
    with served_emulator(EMULATED_SECONDS / deployment_seconds) as emulator, tempfile.TemporaryDirectory() as folder:
        for region in names:
            make_bucket(emulator, region, region.upper())
            put_weights(emulator, "llama", region)
        program = _program(Path(folder) / "program", emulator.url, layout, names, models)
        yield kind(Workspace(_made(Path(folder) / "work"), program)), emulator.url


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _program(folder: Path, url: str, layout: Layout, names: Sequence[str], models: int) -> Path:
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
        "fleet:regions": json.dumps(names),
        "fleet:models": str(models),
        "fleet:explicit": str(layout.explicit).lower(),
        "fleet:settings": json.dumps(settings),
    }
    (config_folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": dict(config)}), encoding="utf-8")
    return folder
