"""Runs the constructors as a program does, in its own process, and prints what they registered as JSON.

Pulumi's own test monitor takes the engine's place: it only records.
"""

import json
import sys

import pulumi
from pulumi.runtime import mocks

from tests.support.samples.samples import ALL

REGISTERED = {}
READABLE = {}


class Echo(mocks.Mocks):
    """Returns what was asked for."""

    def new_resource(self, args):
        return f"{args.name}-id", args.inputs

    def call(self, args):
        raise AssertionError(f"a constructor called {args.token}")


class Recorder(mocks.MockMonitor):
    """Remembers every registration."""

    def RegisterResource(self, request):
        REGISTERED[request.type] = {
            "inputs": pulumi.runtime.rpc.deserialize_properties(request.object),
            "secret_outputs": list(request.additionalSecretOutputs),
        }
        return super().RegisterResource(request)


def construct(kind):
    """One resource with every argument that needs no other one, and a secret where there may be one."""
    given = {name: sample.value for name, sample in kind.samples.items() if not sample.needs}
    secrets = {name: kind.samples[name].value for name in kind.samples if name.endswith("_token")}
    return kind.resource(f"my-{kind.name.lower()}", **{**kind.least, **given, **secrets})


def construct_least(kind):
    """One resource with what it needs only, and what a program can read of it."""
    made = kind.resource(f"my-least-{kind.name.lower()}", **kind.least)
    names = [*kind.args_type.model_fields, *kind.lifecycle.state_type.model_fields]
    readable = [name for name in names if isinstance(getattr(made, name, None), pulumi.Output)]
    READABLE[made.pulumi_resource_type] = readable
    # A misspelt name is answered with the right ones, unless it is one by which the SDK keeps things of its own.
    for name, answered in (("endpiont", True), ("_endpiont", False)):
        try:
            raise SystemExit(f"{kind.name} has an output of any name: {getattr(made, name)}")
        except AttributeError as error:
            if answered == str(error).endswith(f"has no {name}"):
                raise SystemExit(str(error)) from error


def main():
    mocks.set_mocks(Echo(), "shop", "dev", monitor=Recorder(Echo()), organization="acme")
    pulumi.runtime.test(lambda: [construct_least(kind) and None for kind in ALL] and None)()
    pulumi.runtime.test(lambda: [construct(kind) for kind in ALL] and None)()
    json.dump({"registered": REGISTERED, "readable": READABLE}, sys.stdout)


if __name__ == "__main__":
    main()
