"""One resource lived through the real host, with this side keeping the state that the engine would keep.

After each step the invariants hold: ``tests.support.lives.invariants``.
"""

import contextlib

from pulumi.runtime.proto import provider_pb2

from tests.support.lives.host import HostError, Kind
from tests.support.lives.states import said

OWNER = "acme/project/stack"


class CheckFailed(Exception):
    """``check`` refused the arguments."""

    def __init__(self, failures):
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in failures.items()))
        self.failures = failures


class Life:
    """A resource named ``name`` in a stack; ``up`` does what the engine's ``up`` would do with it.

    Args:
        host: The provider's process.
        provider_type: The kind of resource.
        name: The resource's name.
        owner: Who owns it.
        parents: The types of the components that it is in.
        after: A life that this one goes on with, as another process does with a stack's state.
    """

    def __init__(self, host, provider_type, name="llama", owner=OWNER, parents=(), after=None):
        self.kind, self.provider_type = Kind(host, provider_type), provider_type
        self.name, self.owner, self.parents = name, owner, parents
        self.id = None
        self.inputs = None
        self.outputs = None
        self.unfinished = False
        self.replaced = []
        self.type = provider_type.__name__.removesuffix("Provider")
        self.account = host.account
        self.holder = (
            after.holder if after else self.account and self.account.holder(f"{self.type} {name}", self._state)
        )
        if after:
            self.id, self.inputs, self.outputs = after.id, after.inputs, after.outputs
            self.unfinished, self.replaced = after.unfinished, list(after.replaced)
        if self.holder:
            self.kind.owners = self.holder.owners

    def _state(self):
        """What a stack would have in its state: kind, inputs and outputs of each."""
        live = [] if self.id is None else [(self.type, self.inputs or {}, self.outputs)]
        return [*live, *((self.type, {}, outputs) for _, outputs in self.replaced)]

    def _address(self):
        return said(self.type, self.inputs or {}, self.outputs).address if self.id is not None else {}

    @contextlib.contextmanager
    def _step(self, *, moves=False, settles=True):
        """One step, and the invariants at its end, however it ends."""
        if self.account is None:
            yield
            return
        before, since = self._address(), self.account.now()
        self.holder.lives_on(self._state)
        error = None
        try:
            yield
        except HostError as failure:
            error = failure
            raise
        finally:
            self.holder.ended(since, error.text if error else "", cut=error is not None and error.cut, settled=settles)
            if not moves:
                self.account.moved(self.holder, before, self._address())
            self.account.hold()

    @property
    def urn(self):
        """As the engine makes it; the parents' types are those of ``parents``."""
        return f"urn:pulumi:stack::project::{'$'.join([*self.parents, self.kind.token])}::{self.name}"

    def check(self, arguments):
        news = {**arguments, "owner": self.owner, "resource": self.name}
        inputs, failures = self.kind.check(news, self.inputs, self.urn)
        if failures:
            raise CheckFailed(failures)
        return inputs

    def preview(self, arguments):
        """What ``up`` would do: ``same``, ``create``, ``update``, or ``replace`` with the properties."""
        return self._planned(self.check(arguments))

    def _planned(self, inputs):
        if self.id is None:
            return "create", []
        diff = self.kind.diff(self.id, self.outputs, inputs)
        if diff.changes == provider_pb2.DiffResponse.DIFF_NONE:
            return ("update" if self.unfinished else "same"), []
        return ("replace" if diff.replaces else "update"), list(diff.replaces)

    def up(self, arguments):
        """Create, update or replace; raises HostError as the engine would fail, keeping what it would keep."""
        inputs = self.check(arguments)
        operation, _ = self._planned(inputs)
        if operation == "same":
            self.inputs = inputs
            return self.outputs
        with self._step(moves=operation in ("create", "replace")):
            if operation == "replace":
                self.replaced.append((self.id, self.outputs))
                self.id = self.inputs = self.outputs = None
                inputs = self.check(arguments)
            return self._up(inputs)

    def _up(self, inputs):
        creates = self.id is None
        if self.holder:
            self.holder.begins([(self.type, inputs, {})])
        try:
            if creates:
                self.id, self.outputs = self.kind.create(inputs)
            else:
                self.outputs = self.kind.update(self.id, self.outputs, inputs)
        except HostError as error:
            if error.kept is not None:
                self.id, self.outputs = error.kept
                self.inputs = inputs if creates else self.inputs
                self.unfinished = True
            raise
        self.inputs, self.unfinished = inputs, False
        for id, outputs in self.replaced:
            self.kind.delete(id, outputs)
        self.replaced = []
        return self.outputs

    def refresh(self):
        """Read the cloud; returns the inputs that changed, or None if the resource is gone.

        An input that only repeats an output as it was is not a change: the engine shows none.
        """
        with self._step(settles=False):
            return self._refresh()

    def _refresh(self):
        id, outputs, inputs = self.kind.read(self.id, self.outputs)
        if not id:
            self.id = self.inputs = self.outputs = None
            return None
        names = {*inputs, *self.inputs}
        repeated = {name for name in inputs if name not in self.inputs and inputs[name] == self.outputs.get(name)}
        drift = {name: inputs.get(name) for name in names - repeated if inputs.get(name) != self.inputs.get(name)}
        self.outputs, self.inputs = outputs, inputs
        return drift

    def destroy(self):
        with self._step(moves=True):
            self._destroy()

    def _destroy(self):
        for id, outputs in [*self.replaced, (self.id, self.outputs)]:
            if id is not None:
                self.kind.delete(id, outputs)
        self.replaced = []
        self.id = self.inputs = self.outputs = None


def up_until_it_works(life, wanted, tries=4):
    """Run ``up`` again after a failure, as a user does."""
    for _ in range(tries - 1):
        try:
            return life.up(wanted)
        except HostError:
            continue
    return life.up(wanted)
