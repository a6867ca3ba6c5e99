"""What holds after every step of every life on an emulator, whoever tests what.

A. The machines that run are exactly those that the states say; after a failure, the error names what differs.
B. What carries an owner's label belongs to a resource in some state, or is named in the last step's error, and
   nothing of another owner was changed.
E. What clients have as an address moves only if that step's preview said so.

Each resource that is lived through the real host (``tests.support.lives.life``), and each stack that an engine runs, is
a :class:`Holder` of the emulator's :class:`Account`. Its steps are held to this without its test asking.
"""

import contextlib
import threading

from mg_provider.emulator.services.vertex.state import vertex
from tests.support.lives.states import place, said, slug

ACCOUNTS = {}
OURS = "mg-provider"
LABELLED = (
    "aiplatform.Endpoint",
    "aiplatform.Model",
    "aiplatform.BatchPredictionJob",
    "compute.ForwardingRule",
    "compute.Address",
)


class Holder:
    """Something with a state: one resource, or a stack.

    Attributes:
        name: For messages.
        resources: Returns what the state has: kind, inputs and outputs of each resource.
        error: What the last step said when it failed.
        cut: Whether the last step ended without a word, as in a kill: the engine knows only that it began.
        retained: What was to be kept when a resource was removed.
    """

    def __init__(self, name, resources):
        self.name, self._resources = name, resources
        self.error, self.cut = "", False
        self.owners, self.retained = set(), set()
        self.looked, self.settled = 0, False

    def lives_on(self, resources):
        """Another part of the test goes on with the same state, as another process does."""
        self._resources = resources

    def said(self):
        """The word of each resource in the state."""
        words = [said(*resource) for resource in self._resources()]
        self.owners.update(word.owner for word in words)
        self.retained = self.retained.union(*(word.retained for word in words))
        return words

    @property
    def failed(self):
        return bool(self.error) or self.cut

    def begins(self, resources):
        """A step begins with these inputs, which the engine writes down as pending."""
        for word in (said(*resource) for resource in resources):
            self.owners.add(word.owner)
            self.retained |= word.retained

    def ended(self, since, error="", *, cut=False, settled=False):
        """A step that began at this number of requests is over.

        Args:
            since: The number of requests.
            error: What it said, if it failed.
            cut: Whether it ended without a word.
            settled: Whether it brought everything to what is asked for, so that nothing may be left over.
        """
        # What a run without a word left behind is found by the next one that gets through.
        self.looked, self.error, self.cut = since, error, cut or (self.cut and bool(error))
        self.settled = settled and not error and not cut


class Account:
    """All lives on one emulator, from one reset to the next."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.excused = {}
        self.found = []
        self._lock = threading.RLock()
        self._begin()

    def _begin(self):
        self.holders = []
        self._windows = []
        self._labels = {}
        self._read = 0
        self._by_hand = {}

    def reset(self):
        """Another test begins, on an empty emulator."""
        with self._lock:
            self.excused, self.found = {}, []
            self._begin()

    def holder(self, name, resources):
        with self._lock:
            self.holders.append(Holder(name, resources))
            return self.holders[-1]

    @contextlib.contextmanager
    def acting(self, labels):
        """What is sent until the end is sent for one of the owners with these labels, or for those beside it."""
        since = len(self.emulator.world.requests)
        with self._lock:
            # Each window knows the owners of all that were open beside it, and of those that have closed since.
            window = [labels]
            for other in self._windows:
                window.append(other[0])
                other.append(labels)
            self._windows.append(window)
        try:
            yield
        finally:
            self._nothing_of_others(since, window)
            with self._lock:
                self._windows = [each for each in self._windows if each is not window]

    def _nothing_of_others(self, since, window):
        allowed = set().union(*window)
        for entry in self._sent(since):
            target = entry.get("target") or {}
            owner = target.get("labels", {}).get("mg-owner")
            if owner and owner not in allowed and entry["status"] in (None, *range(300)) and _changes(entry):
                self._wrong("B", f"{entry['rpc']} was sent to {target['name']}, which has the owner {owner}")

    def _sent(self, since):
        requests = self.emulator.requests()
        return [{"status": None, **entry} for entry in requests[since:] if entry["user_agent"].startswith(OURS)]

    def hold(self):
        """Hold A and B now, for every holder; while another one is at work, its end will."""
        with self._lock:
            self._note_hands()
            if self._windows:
                return
            words = [(holder, word) for holder in self.holders for word in holder.said()]
            ledger = self.emulator.ledger()
            self._labels = {place(each["name"]): each["labels"] for each in ledger["resources"]}
            self._machines(words, ledger)
            self._owned(words, ledger)
        self._tell()

    def now(self):
        """How many requests there were."""
        return len(self.emulator.world.requests)

    def moved(self, holder, before, after):
        """Hold E: nothing was to be replaced, and what clients have is as it was."""
        for name in before.keys() & after.keys():
            if before[name] and after[name] and before[name] != after[name]:
                told = f"{name} was {before[name]} and is {after[name]}"
                self._wrong("E", f"{holder.name}: {told}, and no preview said so")
        self._tell()

    def _note_hands(self):
        """What people and other tools did: where, and when last."""
        for index, entry in enumerate(self.emulator.requests()[self._read :], self._read):
            changed = entry["method"] != "GET" and not entry["user_agent"].startswith(OURS)
            self._read = index + 1
            if changed and entry.get("target"):
                self._by_hand[place(entry["target"]["name"])] = index

    def _touched(self, holder, name):
        """Whether somebody else changed this since the holder last looked at the cloud."""
        return self._by_hand.get(name.partition("/deployedModels/")[0], -1) >= holder.looked

    def _machines(self, words, ledger):
        running = {place(each["holder"]): each for each in ledger["machines"]}
        wanted = {name: (holder, word, machine) for holder, word in words for name, machine in word.machines.items()}
        for name, machines in running.items():
            if name not in wanted and not self._accounted(name, words):
                self._wrong("A", f"{name} holds {_told(machines)}, and no state says so")
        for name, (holder, word, machine) in wanted.items():
            excused = holder.failed or word.unfinished or self._touched(holder, name)
            if excused or word.kind == "BatchJob" or machine is None:
                continue
            if name not in running and not machine.least:
                continue
            if name not in running:
                self._wrong("A", f"{name} is in the state of {holder.name}, and holds no machines")
            elif difference := _difference(machine, running[name]):
                self._wrong("A", f"{name}: {difference}")

    def _accounted(self, name, words):
        """Whether a deployment or job that no state has is known all the same: under way, named, cut off, by hand."""
        if any(_named(name, holder.error) for holder in self.holders):
            return True
        endpoint = name.partition("/deployedModels/")[0]
        for holder, word in words:
            if word.endpoint == endpoint and (word.unfinished or holder.cut or self._touched(holder, endpoint)):
                return True
            if word.kind == "BatchJob" and self._labels.get(name, {}).get("mg-run") == word.run:
                return True
        # Without a label it is nobody's whose life is tested.
        owner = self._labels.get(endpoint, {}).get("mg-owner")
        return owner is None or self._cut_off(owner)

    def _cut_off(self, owner):
        """Whether it belongs to somebody whose last step ended without a word."""
        return any(holder.cut and owner in holder.owners for holder in self.holders)

    def _owned(self, words, ledger):
        names = {name for _, word in words for name in word.names}
        kept = {name for holder in self.holders for name in holder.retained}
        for entry in ledger["resources"]:
            name = place(entry["name"])
            if entry["kind"] not in LABELLED or "mg-owner" not in entry["labels"] or name in names | kept:
                continue
            owner = entry["labels"]["mg-owner"]
            known = (
                self._cut_off(owner)
                or any(_belongs(entry["labels"], *pair) for pair in words)
                or self._serves_others(entry, words)
            )
            if not known and not any(_named(name, holder.error) for holder in self.holders):
                self._wrong("B", f"{name} has the owner {owner}, and is in no state")

    def _serves_others(self, entry, words):
        """Whether it is an older Model of an endpoint in a state, which another endpoint serves."""
        home = entry["labels"].get("mg-endpoint")
        endpoints = {word.endpoint.rpartition("/")[2] for _, word in words} - {""}
        served = (
            deployed["model"].partition("@")[0]
            for endpoint in vertex(self.emulator.world).endpoints.values()
            if endpoint.key[2] != home
            for deployed in endpoint.deployed
        )
        return home in endpoints and entry["name"] in served

    def _wrong(self, invariant, text):
        if invariant not in self.excused:
            self.found.append(f"invariant {invariant}: {text}")

    def _tell(self):
        found, self.found = self.found, []
        assert not found, "\n".join(found)


def _belongs(labels, holder, word):
    """Whether these labels are those of a resource whose last step left something to do, and which is in a state."""
    resource = labels.get("mg-resource", "")
    return not holder.settled and labels["mg-owner"] in holder.owners and resource.startswith(slug(word.resource))


def _changes(entry):
    return entry["method"] != "GET" and not entry["path"].endswith((":predict", ":rawPredict", "/chat/completions"))


def _named(name, text):
    return any(part in text for part in (name, name.rpartition("/")[2], name.partition("/deployedModels/")[0]))


def _told(machines):
    return f"{machines['replicas']} x {machines['machine_type']} with {machines['accelerator_count']} GPUs"


def _difference(wanted, actual):
    if wanted.machine_type not in (None, actual["machine_type"]):
        return f"runs on {actual['machine_type']}, and the state says {wanted.machine_type}"
    if wanted.accelerator_count not in (None, actual["accelerator_count"]):
        return f"has {actual['accelerator_count']} GPUs, and the state says {wanted.accelerator_count}"
    if not wanted.least <= actual["replicas"] <= wanted.most:
        return f"has {actual['replicas']} replicas, and the state says {wanted.least} to {wanted.most}"
    return ""


def watch(emulator):
    """The account of this emulator."""
    return ACCOUNTS.setdefault(emulator.url, Account(emulator))


def account_at(url):
    """The account of the emulator at this URL, or of none."""
    return ACCOUNTS.get(url)


def excuse(emulator, invariants, reason):
    """Let these (``"AB"``) not hold in this test, whose very point is that they do not."""
    assert reason, "say why"
    watch(emulator).excused |= dict.fromkeys(invariants, reason)
