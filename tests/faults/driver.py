"""Plays a case on an engine: each step is disturbed as the case says, must then converge, and all invariants hold."""

import threading
import time
from copy import deepcopy
from dataclasses import dataclass, field

from tests.faults.engines import end_all
from tests.support.lives.endpoints import Hand
from tests.support.lives.invariants import OURS, watch
from tests.support.lives.states import TOKEN, ours, owner_label, place, said
from tests.support.samples.weights import make_bucket, put, put_weights

QUICK = 1_000_000
# A deployment of twenty minutes takes a second.
SLOW = 1000
TRIES = 5
SHORT = {"create": 0.3, "update": 0.3, "delete": 0.3}
ROW = b'{"body": {"messages": [{"role": "user", "content": "Why?"}]}}\n'
MOVES = {"create", "replace", "create-replacement", "delete-replaced", "delete"}
OTHERS = {"mg-owner": "0123456789abcdef0123", "mg-resource": "llama"}


class Failure(Exception):
    """A promise that did not hold; ``kind`` is what the summary counts."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind


@dataclass
class Outcome:
    """What became of a case."""

    case: object
    engine: str
    failure: Failure | None = None
    met: int = 0
    runs: int = 0
    left: list[str] = field(default_factory=list)
    gpus_left: float = 0
    outlived: int = 0
    seconds: float = 0

    def __str__(self):
        end = f"FAILED {self.failure}" if self.failure else "ok"
        return f"seed {self.case.seed} on {self.engine}: {self.case}: {end} ({self.runs} runs, {self.seconds:.1f} s)"


def play(case, engine_type, emulator, folder, virtualenv):
    """The outcome of a case on an emulator that nobody else uses."""
    began = time.monotonic()
    mark = f"{engine_type.name}-{case.seed}-{time.monotonic_ns()}"
    outcome = Outcome(case, engine_type.name)
    emulator.reset()
    try:
        with engine_type.cloud(folder, emulator) as cloud:
            cloud.set_speed(QUICK)
            _furnish(cloud)
            Player(case, engine_type(folder, virtualenv, cloud.url, mark), cloud, outcome).play()
    except Failure as failure:
        outcome.failure = failure
    except AssertionError as broken:
        kind = str(broken)[: len("invariant A")] if str(broken).startswith("invariant") else "assertion"
        outcome.failure = Failure(kind, str(broken))
    finally:
        end_all(mark)
        outcome.seconds = time.monotonic() - began
    return outcome


def _furnish(emulator):
    """Weights, rows, two Models that somebody uploaded, and somebody else's endpoint."""
    make_bucket(emulator)
    for name in ("one", "two", "three"):
        put_weights(emulator, name)
    put(emulator, "in.jsonl", ROW * 20)
    hand = Hand(emulator)
    for name in ("first", "second"):
        hand.upload(name, name)
    hand.make_endpoint(labels=OTHERS)


class Player:
    """One case on one engine."""

    def __init__(self, case, engine, emulator, outcome):
        self.case, self.engine, self.emulator, self.outcome = case, engine, emulator, outcome
        self.account = watch(emulator)
        self.account.reset()
        self.here = {entry["name"] for entry in emulator.ledger()["resources"]}
        self.holder = self.account.holder(f"the stack on {engine.name}", self._resources)
        self.holder.owners.add(owner_label(f"{engine.owner}/faults/test"))
        self.holder.retained |= {place(name) for name in self.here}
        self.state = []
        self.slots = {}
        # What was converged on last.
        self.program = []

    def _resources(self):
        return list(ours(self.state))

    def play(self):
        for step in self.case.steps:
            self._carry_out(step)
        self._nothing_left()

    def _carry_out(self, step):
        for each in step.program:
            self.slots |= dict.fromkeys([each["name"], *each["aliases"]], each["slot"])
        self.engine.write(step.program)
        operation = "destroy" if step.change == "destroy" else "up"
        before = self._addresses()
        moves = self._moves(operation)
        for trouble in step.troubles:
            self._disturbed(operation, step.program, trouble)
        if step.back:
            self.engine.write(self._before(step))
            moves |= self._moves(operation)
        # Pulumi's destroy forgets what was interrupted: its user runs up first.
        if step.left and self.engine.name != "pulumi":
            return
        self._converge(operation)
        if operation == "up":
            self._clean()
            self._stayed(before, moves)
            self.program = self._before(step) if step.back else step.program

    def _before(self, step):
        """The program before a step; what that renamed goes back by an alias too."""
        before = deepcopy(self.program)
        names = {each["slot"]: each["name"] for each in step.program}
        for each in before:
            if each["name"] != names[each["slot"]]:
                each["aliases"].append(names[each["slot"]])
        return before

    def _disturbed(self, operation, program, trouble):
        """One run in which something goes wrong."""
        if trouble.kind == "timeout":
            short = deepcopy(program)
            for each in short:
                each["arguments"]["timeouts"] = SHORT
            self.engine.write(short)
        for fault in trouble.faults:
            self.emulator.fail(**fault)
        # A time limit is too short only for what takes longer.
        self.emulator.set_speed(SLOW)
        since = self.account.now()
        run, met = self._run(operation, trouble)
        self.outcome.met += met
        self.emulator.set_speed(SLOW if trouble.slow else QUICK)
        killed = met and trouble.kind in ("host", "engine")
        if trouble.kind == "engine" and met:
            self.engine.unlock()
        if trouble.at_once and met:
            second, _ = self._run(operation, None)
            self._gone()
            self._over(second, since, operation, cut=not second.ok)
        else:
            self._gone()
            self._over(run, since, operation, cut=killed)
        if trouble.kind == "timeout":
            self.engine.write(program)

    def _run(self, operation, trouble):
        """A command with its trouble; how it ended, and whether the trouble was met."""
        self.outcome.runs += 1
        seen, met, lock = [0], [], threading.Lock()
        started = self.engine.start(operation)

        def strike(request):
            if not request["user_agent"].startswith(OURS):
                return
            with lock:
                seen[0] += 1
                if seen[0] != trouble.at or met:
                    return
                met.append(True)
            if trouble.kind == "interrupt":
                started.interrupt()
            else:
                started.kill(trouble.kind)

        with self.account.acting(self.holder.owners):
            if trouble and trouble.kind in ("host", "program", "engine", "interrupt"):
                with self.emulator.watched(strike):
                    run = started.ended()
            else:
                run = started.ended()
                met = [fault for fault in self.emulator.faults() if fault["met"]]
        if run.code is None:
            raise Failure("hang", f"`{operation}` did not end: {self._last()}")
        return run, bool(met)

    def _last(self):
        """The last calls that were made, for a run that says nothing."""
        last = self.emulator.requests()[-8:]
        return "; ".join(f"{entry['rpc']} {entry.get('status')}" for entry in last)

    def _gone(self):
        """Wait for the processes of a run that ended; the ones that outlive it are counted, and ended."""
        pause = threading.Event()
        for _ in range(100):
            if not self.engine.processes():
                return
            pause.wait(0.05)
        self.outcome.outlived += len(self.engine.processes())
        raise Failure("outlived", f"after the engine was gone there were still {self.engine.processes()}")

    def _over(self, run, since, operation, *, cut=False):
        """A run is over: what the state says now is held against the cloud."""
        self.state = self.engine.resources()
        settled = operation in ("up", "destroy")
        self.holder.ended(since, run.errors if not run.ok else "", cut=cut, settled=settled)
        self.account.hold()

    def _converge(self, operation):
        """Run the command again, as a user does, until it succeeds."""
        for attempt in range(TRIES):
            if attempt == 1:
                self.emulator.stop_failing()
                self.emulator.set_speed(QUICK)
            since = self.account.now()
            run, _ = self._run(operation, None)
            self._gone()
            self._over(run, since, operation)
            if "nothing was deleted" in run.errors:
                self._converge("up")
            if run.ok:
                self.emulator.set_speed(QUICK)
                self.emulator.stop_failing()
                return
        raise Failure("never converges", f"`{operation}` failed {TRIES} times: {run.errors[-700:]}")

    def _clean(self):
        """Nothing to do, nothing found out."""
        for operation in ("preview", "refresh", "preview"):
            since = self.account.now()
            run, _ = self._run(operation, None)
            self._gone()
            if not run.ok or run.changes:
                raise Failure(f"{operation} not clean", f"{run.changes} {run.errors[-700:]}")
            if operation == "refresh":
                self._over(run, since, operation)

    def _moves(self, operation):
        """The slots whose address a preview says to move."""
        if operation == "destroy":
            return set(self.slots.values())
        run, _ = self._run("preview", None)
        if not run.ok:
            raise Failure("preview fails", run.errors[-700:])
        return {self.slots[name] for name, ops in run.planned.items() if ops & MOVES and name in self.slots}

    def _addresses(self):
        found = {}
        for document, resource in zip(self._mine(), self._resources(), strict=True):
            if not document.get("delete"):
                found[self.slots[document["urn"].rpartition("::")[2]]] = said(*resource).address
        return found

    def _mine(self):
        return [each for each in self.state if each["type"].startswith(TOKEN)]

    def _stayed(self, before, moves):
        after = self._addresses()
        for slot in before.keys() & after.keys() - moves:
            self.account.moved(self.holder, before[slot], after[slot])

    def _nothing_left(self):
        self.emulator.advance(7200)
        ledger = self.emulator.ledger()
        self.outcome.left = [name for name in ledger["leftovers"] if place(name) not in self.holder.retained]
        self.outcome.gpus_left = sum(ledger["gpus_in_use"].values())
        if self.outcome.left or ledger["machines"]:
            raise Failure("leak", f"{self.outcome.left} {ledger['machines']}")
        gone = self.here - set(ledger["leftovers"])
        if gone:
            raise Failure("taken", f"others' {sorted(gone)} are gone")
