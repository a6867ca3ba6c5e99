"""A provider with a mistake in it, for the real host."""

from mg_provider.resources.dynamic.host import DynamicProvider
from mg_provider.resources.model.args import State
from mg_provider.resources.model.lifecycle import CloudArgs, Lifecycle

TOKEN = "hf_" + "s" * 20


class BrokenLifecycle(Lifecycle):
    """Everything in it fails with an error that nobody thought of, and that contains a secret."""

    args_type = CloudArgs
    state_type = State

    def name(self, args, old):
        return args

    def create(self, args, context):
        raise KeyError(f"no such key, but {TOKEN}")

    read = update = delete = create


class BrokenProvider(DynamicProvider):
    """Serves it."""

    lifecycle = BrokenLifecycle
