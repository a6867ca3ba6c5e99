"""What a case is: a small program, the changes to it, and what goes wrong meanwhile. All of it follows from a seed."""

import random
from copy import deepcopy
from dataclasses import dataclass, field

from tests.support.lives.endpoints import BIGGER, L4
from tests.support.samples.weights import BUCKET

WEIGHTS = [f"gs://{BUCKET}/{folder}" for folder in ("one", "two", "three")]
MODELS = "projects/my-project/locations/us-central1/models"
PRIVATE = {"enable_private_service_connect": True, "project_allowlist": ["my-project"]}
UNPROBED = {"kind": "none"}
ROLLOUTS = [{"steps": [50, 100]}, {"steps": [100]}, {"strategy": "recreate"}, {"strategy": "rolling"}]
_VERTEX = "aiplatform.projects.locations."
# What each kind of resource calls, by what is done with it.
RPCS = {
    "CustomWeightsModel": {
        "create": "deploy recommendSpec operations.get operations.list models.get models.patch endpoints.get",
        "change": "endpoints.get endpoints.patch endpoints.deployModel endpoints.undeployModel models.upload "
        "models.get models.delete models.list endpoints.mutateDeployedModel endpoints.operations.get "
        "endpoints.operations.list",
        "destroy": "endpoints.get endpoints.undeployModel endpoints.delete models.delete operations.list models.list",
    },
    "DedicatedEndpoint": {
        "create": "endpoints.create endpoints.get endpoints.deployModel endpoints.operations.get endpoints.patch",
        "change": "endpoints.get endpoints.deployModel endpoints.undeployModel endpoints.patch "
        "endpoints.mutateDeployedModel endpoints.operations.get endpoints.operations.list",
        "destroy": "endpoints.get endpoints.undeployModel endpoints.delete endpoints.operations.list operations.get",
    },
    "BatchJob": dict.fromkeys(
        ("create", "change", "destroy"),
        "batchPredictionJobs.create batchPredictionJobs.get batchPredictionJobs.list batchPredictionJobs.delete",
    ),
    "PscForwardingRule": {
        "create": "addresses.insert addresses.get forwardingRules.insert forwardingRules.get regionOperations.wait",
        "change": "addresses.setLabels forwardingRules.setLabels forwardingRules.get addresses.get",
        "destroy": "forwardingRules.delete addresses.delete forwardingRules.get addresses.get regionOperations.wait",
    },
}
REFUSALS = [
    {"fault": "drop_request"},
    {"fault": "lose_answer"},
    {"fault": "delay", "seconds": 0.3},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 429, "retry_after": 0},
    {"fault": "status", "status": 403, "code": "PERMISSION_DENIED"},
]


@dataclass
class Trouble:
    """What goes wrong in one run.

    Attributes:
        kind: ``host``, ``program`` and ``engine`` are killed; ``interrupt`` is Ctrl-C; ``fault`` is the cloud's;
            ``timeout`` is a time limit that is too short.
        at: Before which request of the run.
        faults: For the emulator.
        at_once: Whether the next run begins while this one's processes still end.
        slow: Whether what was begun goes on slowly, so that the next run meets it.
    """

    kind: str
    at: int
    faults: list[dict] = field(default_factory=list)
    at_once: bool = False
    slow: bool = False

    def __str__(self):
        what = ",".join(f"{fault['rpc'].removeprefix(_VERTEX)}:{_word(fault)}" for fault in self.faults)
        words = [what or f"{self.kind}@{self.at}", "slow" * self.slow, "at once" * self.at_once]
        return " ".join(filter(None, words))


@dataclass
class Step:
    """One edit of the program, or its destruction, and what goes wrong while it is carried out.

    Attributes:
        change: What it does.
        program: What it leads to.
        troubles: What goes wrong, one run each.
        back: Whether the program then goes back to what it was.
        left: Whether the next step begins without a run that ends well.
    """

    change: str
    program: list[dict]
    troubles: list[Trouble]
    back: bool = False
    left: bool = False

    def __str__(self):
        told = ", then ".join(map(str, self.troubles))
        return (
            self.change
            + (f" [{told}]" if told else "")
            + (" and back" if self.back else "")
            + (", left" if self.left else "")
        )


@dataclass
class Case:
    """Everything that follows from one seed."""

    seed: int
    shape: str
    steps: list[Step]

    def __str__(self):
        return f"{self.shape}: {'; '.join(map(str, self.steps))}"


def _word(fault):
    return fault.get("status") or fault["fault"]


def case(seed):
    """The case of this seed."""
    chance = random.Random(seed)
    shape = chance.choice(sorted(SHAPES))
    program = SHAPES[shape](chance)
    steps = [Step("create", deepcopy(program), _troubles(chance, "create", chance.choice(program)))]
    for _ in range(chance.randint(0, 2)):
        spec = chance.choice(program)
        change = chance.choice(CHANGES[spec["kind"]])
        before = deepcopy(program)
        change(chance, spec)
        if program != before:
            told = f"{change.__name__} {spec['slot']}"
            steps.append(Step(told, deepcopy(program), _troubles(chance, "change", spec), back=chance.random() < 0.15))
            program = before if steps[-1].back else program
    steps.append(Step("destroy", deepcopy(program), _troubles(chance, "destroy", chance.choice(program))))
    steps[-2].left = bool(steps[-2].troubles) and not steps[-2].back and chance.random() < 0.3
    return Case(seed, shape, steps)


def _troubles(chance, done, spec):
    return [_trouble(chance, done, spec) for _ in range(chance.choices((0, 1, 2), (1, 6, 2))[0])]


def _trouble(chance, done, spec):
    kinds = {"host": 4, "engine": 5, "program": 1, "interrupt": 2, "fault": 7, "timeout": 2 * (done != "destroy")}
    kind = chance.choices(list(kinds), list(kinds.values()))[0]
    trouble = Trouble(kind, chance.choice((chance.randint(1, 5), chance.randint(1, 12), chance.randint(1, 25))))
    if kind == "fault":
        trouble.faults = [_fault(chance, done, spec) for _ in range(chance.choice((1, 1, 2)))]
    trouble.slow = chance.random() < 0.6
    trouble.at_once = kind == "engine" and chance.random() < 0.5
    return trouble


def _fault(chance, done, spec):
    name = chance.choice(RPCS[spec["kind"]][done].split())
    rpc = f"compute.{name}" if spec["kind"] == "PscForwardingRule" else f"{_VERTEX}{name}"
    if name in ("deploy", "endpoints.deployModel", "models.upload") and chance.random() < 0.3:
        return {"rpc": rpc, "fault": "operation_error", "code": "INTERNAL", "message": "it broke"}
    return dict(chance.choice(REFUSALS), rpc=rpc, times=chance.choice((1, 1, 2, 3)), after=chance.choice((0, 0, 1, 2)))


def _spec(kind, slot, **arguments):
    return {"kind": kind, "slot": slot, "name": slot, "aliases": [], "arguments": arguments}


def _model(chance, **more):
    rollout = {**chance.choice(ROLLOUTS), "probe": UNPROBED}
    return _spec("CustomWeightsModel", "llama", gcs_uri=WEIGHTS[0], machine_spec=L4, rollout=rollout, **more)


def _private(chance):
    return [_model(chance, private_service_connect_config=PRIVATE)]


def _with_rule(chance):
    model = _model(chance, private_service_connect_config=PRIVATE)
    place = {"network": "default", "subnetwork": "default"}
    served = {"deployed": {"output": "llama.deployed_model_id"}, "parked": {"switch": "llama.parked"}}
    endpoint = {"output": "llama.endpoint"}
    return [model, _spec("PscForwardingRule", "rule", endpoint=endpoint, triggers=served, **place)]


def _named(chance):
    models = {name: {"model": f"{MODELS}/{name}", "machine_spec": L4} for name in ("first", "second")}
    return [_spec("DedicatedEndpoint", "chat", deployed_models=models, traffic_split={"first": 50, "second": 50})]


def _batch(chance):
    folder = {"predictions_format": "jsonl", "gcs_destination": {"output_uri_prefix": f"gs://{BUCKET}/out"}}
    rows = {"instances_format": "jsonl", "gcs_source": {"uris": [f"gs://{BUCKET}/in.jsonl"]}}
    model = "publishers/meta/models/llama3_1@llama-3.1-8b-instruct"
    places = {"input_config": rows, "output_config": folder, "triggers": {"date": "1"}}
    return [_spec("BatchJob", "nightly", model=model, machine_spec=L4, **places)]


SHAPES = {
    "public": lambda chance: [_model(chance)],
    "private": _private,
    "parked": lambda chance: [_model(chance, parked=True)],
    "kept": lambda chance: [_model(chance, retain_model=True)],
    "rule": _with_rule,
    "named": _named,
    "batch": _batch,
    "pair": lambda chance: [_model(chance), *_named(chance)],
}


def scale(chance, spec):
    counts = {"min_replica_count": chance.choice((1, 2)), "max_replica_count": chance.choice((2, 3))}
    _served(spec).update(counts)


def weights(chance, spec):
    spec["arguments"]["gcs_uri"] = chance.choice([uri for uri in WEIGHTS if uri != spec["arguments"]["gcs_uri"]])


def machine(chance, spec):
    served = _served(spec)
    served["machine_spec"] = BIGGER if served["machine_spec"] == L4 else L4


def park(chance, spec):
    spec["arguments"]["parked"] = not spec["arguments"].get("parked", False)


def label(chance, spec):
    spec["arguments"]["labels"] = {"team": chance.choice(("ads", "search"))}


def rename(chance, spec):
    spec["aliases"].append(spec["name"])
    spec["name"] += "-2"


def expose(chance, spec):
    if "private_service_connect_config" not in spec["arguments"]:
        disabled = spec["arguments"].get("dedicated_endpoint_disabled", False)
        spec["arguments"]["dedicated_endpoint_disabled"] = not disabled


def shift(chance, spec):
    share = chance.choice((0, 10, 90, 100))
    if len(spec["arguments"]["deployed_models"]) == 2:
        spec["arguments"]["traffic_split"] = {"first": share, "second": 100 - share}


def drop(chance, spec):
    models = spec["arguments"]["deployed_models"]
    if len(models) == 2:
        del models["second"]
        spec["arguments"]["traffic_split"] = {"first": 100}


def again(chance, spec):
    spec["arguments"]["triggers"] = {"date": str(int(spec["arguments"]["triggers"]["date"]) + 1)}


CHANGES = {
    "CustomWeightsModel": [scale, weights, weights, machine, park, label, rename, expose],
    "DedicatedEndpoint": [scale, machine, shift, drop, label, rename],
    "BatchJob": [again, again, rename],
    "PscForwardingRule": [label, rename],
}


def _served(spec):
    arguments = spec["arguments"]
    return arguments["deployed_models"]["first"] if "deployed_models" in arguments else arguments
