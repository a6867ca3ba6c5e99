"""Every argument of a resource in the emulated cloud: sent, kept there, and seen by a refresh when changed by hand.

Arguments are made together in as few lives as their rules allow. A resource joins with a :class:`Subject`.
"""

from dataclasses import dataclass, field

from pydantic.alias_generators import to_camel

from mg_provider.resources.model.marks import InPlace, Local, Replaces, RollsOut, Unique
from mg_provider.resources.model.standing import Stands, Unseen
from tests.support.lives.endpoints import Hand
from tests.support.lives.life import Life
from tests.support.samples.samples import ABSENT
from tests.support.samples.weights import call

# What a request calls an argument, where Google's name differs from one call to the other.
_CALLED = {
    "model_id": "modelUserId",
    "endpoint_id": "endpointUserId",
    "publisher_model_name": "publisherModelName",
    "hugging_face_model_id": "huggingFaceModelId",
    "forwarding_rule_name": "name",
    "address": "IPAddress",
}


@dataclass
class Subject:
    """How a resource's arguments are tried.

    Attributes:
        args_type: The model of the arguments.
        samples: Two good values for each.
        provider: Of the resource.
        least: The arguments without which there is none, given the emulator.
        check: What is wrong with arguments, by property.
        live: Values to make instead of the samples, where the emulated cloud needs real ones.
        by_hand: Changes of arguments that stand in no single place: given a :class:`Hand` and the life.
        alone: Arguments that have it made by other calls, so that nothing else is tried beside them.
        wrap: The resource's arguments, given those that are tried.
        unwrap: The drift of those that are tried, given the resource's.
    """

    args_type: type
    samples: dict
    provider: type
    least: object
    check: object
    live: dict = field(default_factory=dict)
    by_hand: dict = field(default_factory=dict)
    alone: tuple = ()
    wrap: object = dict
    unwrap: object = dict

    def marks(self, name):
        return self.args_type.model_fields[name].metadata

    def mark(self, name, kind):
        return next((mark for mark in self.marks(name) if isinstance(mark, kind)), None)

    def kept(self, name):
        """Whether the cloud shows it where it stands."""
        unseen = self.mark(name, Unseen)
        return bool(self.mark(name, Stands)) and (unseen is None or unseen.kept)

    def excused(self, name):
        """Why an argument is not tried: it is for the provider alone, and its mark says so."""
        local = self.mark(name, Local)
        return local.reason if local and not self.mark(name, Stands) and not self.mark(name, Unseen) else ""

    def value(self, name):
        """The sample to make: not the default, which would stand there unasked."""
        sample = self.samples[name]
        default = self.args_type.model_fields[name].default
        return self.live.get(name, sample.other if sample.value in (default, False) else sample.value)

    def other(self, name):
        sample = self.samples[name]
        return sample.other if self.value(name) == sample.value else sample.value

    def lives(self):
        """Sets of arguments that can be made together, and changed by hand one at a time."""
        sets = []
        for name in self.samples:
            if self.excused(name):
                continue
            given = {**self.samples[name].needs, name: self.value(name)}
            alone = name in self.by_hand or name in self.alone
            fitting = None if alone else next((some for some in sets if self._go_together(some, name, given)), None)
            if fitting is None:
                sets.append(({name}, given))
            else:
                fitting[0].add(name)
                fitting[1].update(given)
        return sets

    def _go_together(self, some, name, given):
        names, values = some
        if names & {*self.by_hand, *self.alone} or any(values.get(key, value) != value for key, value in given.items()):
            return False
        merged = {**values, **given}
        changed = [{**merged, each: self.other(each)} for each in (*names, name)]
        return not any(self.check(arguments) for arguments in (merged, *changed))


def problems_of(subject, emulator, host, names, given):
    """What is wrong with each argument of a life: not sent, not kept, not seen. Empty where nothing is."""
    least = subject.least(emulator)
    since = len(emulator.requests())
    life = Life(host, subject.provider, name="llama")
    life.up(subject.wrap({name: value for name, value in {**least, **given}.items() if value is not ABSENT}))
    sent = emulator.requests()[since:]
    told = [f"the refresh after up shows {drift}" for drift in [life.refresh()] if drift]
    for name in sorted(names):
        told += _problems(subject, emulator, life, name, sent)
    told += _not_changed(subject, Hand(emulator), life, names - least.keys(), {**least, **given})
    life.destroy()
    return told


def _not_changed(subject, hand, life, names, arguments):
    """What the program changes, first in place and then by a rollout, and the cloud then has not.

    All that goes together is changed in one ``up``.
    """
    for kind in (InPlace, RollsOut):
        changed = {}
        for name in sorted(names - {*subject.by_hand}):
            other = {name: subject.other(name)}
            # Another Model has another id.
            wanted = subject.mark(name, kind) and (subject.kept(name) or subject.mark(name, Unique))
            if wanted and not subject.check({**arguments, **changed, **other}):
                changed |= other
        arguments = arguments | changed
        if changed:
            life.up(subject.wrap({name: value for name, value in arguments.items() if value is not ABSENT}))
        for name in filter(subject.kept, changed):
            if not matches(actual := _actual(hand, life, subject.mark(name, Stands)), _wire(changed[name])):
                yield f"{name}: changed to {changed[name]!r} by the program, the cloud has {actual!r}"


def _problems(subject, emulator, life, name, sent):
    hand, value = Hand(emulator), subject.value(name)
    stands, unseen, fixed = (subject.mark(name, kind) for kind in (Stands, Unseen, Replaces))
    if name in subject.by_hand:
        if name not in _drift(subject, life, lambda: subject.by_hand[name](hand, life)):
            yield f"{name}: changed by hand, a refresh shows nothing"
        return
    if stands is None and unseen is None and fixed is None:
        yield f"{name}: has no mark that says where it stands in the cloud, or why it cannot be seen there"
        return
    if not (unseen and not unseen.sent) and not any(_stands_in(entry, name, stands, value) for entry in sent):
        yield f"{name}: {value!r} stands in no request"
    if subject.kept(name) and not matches(_actual(hand, life, stands), _wire(value)):
        yield f"{name}: {value!r} is not what the cloud has: {_actual(hand, life, stands)!r}"
    if stands and unseen is None and fixed is None:
        before = _actual(hand, life, stands)
        other = subject.other(name)
        wanted = other if name == "labels" else _wire(other)
        drift = _drift(subject, life, lambda: put(emulator, hand, life, subject, name, wanted))
        if name not in drift:
            yield f"{name}: changed to {subject.other(name)!r} by hand, a refresh shows {drift}"
        put(emulator, hand, life, subject, name, before)


def _drift(subject, life, change):
    """What a refresh shows after a change by hand; the life then knows as little of it as before."""
    known = life.id, life.inputs, life.outputs
    change()
    drift = life.refresh() or {}
    life.id, life.inputs, life.outputs = known
    return subject.unwrap(drift)


def _stands_in(entry, name, stands, value):
    if isinstance(value, str) and f"/{value}/" in f"{entry['path']}/":
        return True
    keys = {to_camel(name), _CALLED.get(name), to_camel(stands.path.rpartition(".")[2]) if stands else None}
    query = entry.get("query") or {}
    return any(query.get(key) == value for key in keys) or _holds(entry["body"], keys, _wire(value))


def _holds(body, keys, wanted):
    if isinstance(body, dict):
        here = any(key in keys and matches(entry, wanted) for key, entry in body.items())
        return here or any(_holds(entry, keys, wanted) for entry in body.values())
    return isinstance(body, list) and any(_holds(entry, keys, wanted) for entry in body)


def matches(actual, wanted):
    """Whether something has what is asked for, and perhaps more."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(matches(actual.get(key), entry) for key, entry in wanted.items())
    if isinstance(wanted, list):
        return isinstance(actual, list) and all(any(matches(one, entry) for one in actual) for entry in wanted)
    if isinstance(wanted, str) and wanted.startswith("projects/"):
        # Google answers with the project's number.
        return str(actual).rpartition("/v1/")[2].split("/")[2:] == wanted.split("/")[2:]
    return actual == wanted or str(actual) == str(wanted) or (not wanted and not actual)


def _wire(value):
    if isinstance(value, dict):
        return {to_camel(key): _wire(entry) for key, entry in value.items()}
    return [_wire(entry) for entry in value] if isinstance(value, list) else value


def deployed_id(life):
    ids = life.outputs.get("deployed_model_ids")
    return ids["a"] if ids else life.outputs["deployed_model_id"]


def _thing(hand, life, stands):
    """The name of what an argument stands in, and what is there now."""
    if stands.thing == "job":
        job = life.outputs["batch_prediction_job"]
        return job, hand.endpoint(job)
    if stands.thing == "rule":
        rule = life.outputs["forwarding_rule"]
        return rule, call(f"{hand.emulator.url}/compute/v1/{rule}", method="GET")
    endpoint = hand.endpoint(life.id)
    if stands.thing == "endpoint":
        return life.id, endpoint
    entry = next(each for each in endpoint["deployedModels"] if each["id"] == deployed_id(life))
    return (
        (life.outputs["model"], hand.endpoint(life.outputs["model"])) if stands.thing == "model" else (life.id, entry)
    )


def _actual(hand, life, stands):
    value = _thing(hand, life, stands)[1]
    for name in stands.path.split("."):
        value = value.get(to_camel(name)) if isinstance(value, dict) else None
    return value


def put(emulator, hand, life, subject, name, value):
    """Change one thing in the cloud by the call that people have for it; what is fixed on a deployment, by another."""
    stands, mark = subject.mark(name, Stands), subject.mark(name, InPlace)
    if stands.thing == "rule":
        put_on_rule(emulator, hand, life, stands, mark, value)
        return
    path = [to_camel(part) for part in stands.path.split(".")]
    body = value
    for part in reversed(path):
        body = {part: body} if body is not None else {}
    mask = ".".join(path)
    if mark is None:
        _redeploy(emulator, life, path, value)
    elif mark.reason == "endpoints.mutateDeployedModel":
        hand.mutate(life.id, deployed_id(life), mask, **body)
    elif mark.reason == "endpoints.update":
        hand._call(f"{life.id}:update", {"endpoint": {"name": life.id, **body}})
    else:
        target, _ = _thing(hand, life, stands)
        call(f"{emulator.url}/v1beta1/{target}?updateMask={mask}", body, "PATCH")


def put_on_rule(emulator, hand, life, stands, mark, value):
    """Change a forwarding rule: by its own calls, or as somebody leaves it who deletes it and makes it again."""
    name, rule = _thing(hand, life, stands)
    url = f"{emulator.url}/compute/v1/{name}"
    if "setLabels" in mark.reason:
        labels = {key: kept for key, kept in rule["labels"].items() if key.startswith("mg-")} | value
        call(f"{url}/setLabels", {"labels": labels, "labelFingerprint": rule["labelFingerprint"]})
    elif "patch" in mark.reason:
        call(url, {to_camel(stands.path): value, "fingerprint": rule["fingerprint"]}, "PATCH")
    else:
        _remake(emulator, name, to_camel(stands.path), value)
    emulator.advance(60)


def _remake(emulator, name, key, value):
    from mg_provider.emulator.services.compute.calls import compute_state
    from mg_provider.emulator.services.compute.names import parse_reference
    from mg_provider.emulator.services.service_attachments import service_attachments

    with emulator.world.lock:
        (rule,) = [each for each in compute_state(emulator.world).rules.values() if name.endswith(each.reference.name)]
        if key == "target":
            rule.target = parse_reference(value, "serviceAttachments", "my-project", "us-central1")
            rule.generation = service_attachments(emulator.world).generation(rule.target.path)
        else:
            rule.details = {**rule.details, key: value}


def _redeploy(emulator, life, path, value):
    """The same deployment with another value, as somebody leaves it who undeploys it and deploys it again."""
    from mg_provider.emulator.services.vertex.serving import meter
    from mg_provider.emulator.services.vertex.state import vertex

    with emulator.world.lock:
        (endpoint,) = [each for each in vertex(emulator.world).endpoints.values() if life.id.endswith(each.key[2])]
        deployed = inner = endpoint.find_deployed(deployed_id(life))
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
        if value:
            inner[path[-1]] = value
        else:
            inner.pop(path[-1], None)
        replicas = deployed["status"]["availableReplicaCount"]
        meter(emulator.world, endpoint.key, deployed, replicas, emulator.world.now())
