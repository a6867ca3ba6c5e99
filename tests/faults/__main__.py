"""`make faults`: many cases in a row, and what they found."""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from mg_provider.emulator import Emulator
from tests.faults.cases import case
from tests.faults.driver import play
from tests.faults.engines import ENGINES, PULUMI
from tests.support.running.forks import environment


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def chosen(engine):
    if engine == "both":
        if PULUMI is None:
            say("pulumi is not on PATH, so all cases are rehearsed")
        return ["rehearse", "pulumi"] if PULUMI else ["rehearse"]
    return [engine]


def main():
    options = argparse.ArgumentParser(prog="make faults", description=__doc__)
    options.add_argument("--cases", type=int, default=20)
    options.add_argument("--seed", type=int, default=None, help="of the first case; the others follow")
    options.add_argument("--engine", choices=[*ENGINES, "both"], default="rehearse")
    given = options.parse_args()
    first = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    engines = chosen(given.engine)
    outcomes, began = [], time.monotonic()
    places = tempfile.TemporaryDirectory(prefix="faults")
    with places as folder, environment() as virtualenv, Emulator(port=0) as emulator:
        for index in range(given.cases):
            name = engines[index % len(engines)]
            place = Path(folder) / str(index)
            outcomes.append(play(case(first + index), ENGINES[name], emulator, place, str(virtualenv)))
            say(f"{index + 1}/{given.cases} {outcomes[-1]}")
    return told(outcomes, time.monotonic() - began)


def told(outcomes, seconds):
    """The summary; the exit code."""
    failed = [outcome for outcome in outcomes if outcome.failure]
    left = sum(len(outcome.left) for outcome in outcomes)
    gpus = sum(outcome.gpus_left for outcome in outcomes)
    met = sum(outcome.met for outcome in outcomes)
    runs = sum(outcome.runs for outcome in outcomes)
    say(f"{len(outcomes)} cases, {runs} runs, {met} of their troubles met, {seconds:.0f} s")
    say(f"{len(failed)} failures; left behind: {left} resources, {gpus:g} GPUs")
    for kind, count in Counter(outcome.failure.kind for outcome in failed).most_common():
        seeds = ", ".join(f"{each.case.seed} ({each.engine})" for each in failed if each.failure.kind == kind)
        say(f"  {kind}: {count}: seeds {seeds}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
