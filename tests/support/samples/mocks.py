"""Programs against Pulumi's mocks: what they register, without an engine and without a provider."""

import asyncio
from contextlib import contextmanager

import pulumi
from pulumi.runtime import mocks

PERIMETER = "accessPolicies/1/servicePerimeters/prod"
NUMBERS = {"my-project": "111111", "client-project": "222222", "stranger-project": "333333"}
NETWORK_OF_STACK = {
    "project": "host-project",
    "network": "projects/host-project/global/networks/shared",
    "subnetworks": {"us-central1": "projects/host-project/regions/us-central1/subnetworks/psc"},
    "dns_zone": "models",
    "dns_name": "models.internal.",
}


class Recorder(mocks.Mocks):
    """Answers registrations with their inputs, and look-ups from tables."""

    def __init__(self):
        self.made = []
        self.calls = []

    def new_resource(self, args):
        self.made.append(args)
        outputs = dict(args.inputs)
        if args.typ == "pulumi:pulumi:StackReference":
            outputs = {**outputs, "outputs": {"network": NETWORK_OF_STACK, "other": "text"}}
        if args.typ.endswith(":ServicePerimeter"):
            outputs["status"] = {"resources": ["projects/111111", "projects/222222"]}
        return args.resource_id or f"{args.name}-id", outputs

    def call(self, args):
        self.calls.append(args)
        if args.token.endswith(":getProject"):
            return {"number": NUMBERS[args.args["projectId"]], "projectId": args.args["projectId"]}
        if args.args.get("name") == "missing":
            raise ValueError("projects/my-project/global/networks/missing not found")
        return {**args.args, "id": args.args.get("name")}

    def of(self, kind):
        """The inputs of all resources of a type, by name."""
        return {each.name: each.inputs for each in self.made if each.typ.rsplit(":", 1)[-1] == kind}

    def names(self):
        """``Type name`` of everything that was registered, sorted."""
        kinds = ((each.typ.rsplit(":", 1)[-1], each.name) for each in self.made)
        return sorted(f"{kind} {name}" for kind, name in kinds if kind != "Stack")


class Loops(asyncio.DefaultEventLoopPolicy):
    """Remembers each loop: the mocks make one in each thread of the executor and close none."""

    def __init__(self):
        super().__init__()
        self.made = []

    def new_event_loop(self):
        self.made.append(super().new_event_loop())
        return self.made[-1]


@contextmanager
def loop():
    """An event loop of one's own, as Pulumi's SDK wants to find one."""
    before, policy = asyncio.get_event_loop_policy(), Loops()
    asyncio.set_event_loop_policy(policy)
    own = asyncio.new_event_loop()
    asyncio.set_event_loop(own)
    try:
        yield own
    finally:
        # A program that was refused leaves registrations behind that nobody awaits.
        left = asyncio.all_tasks(own)
        for task in left:
            task.cancel()
        own.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        own.run_until_complete(own.shutdown_default_executor())
        asyncio.set_event_loop_policy(before)
        for made in policy.made:
            made.close()


def run(program, config=None, preview=False):
    """Run a program; the recorder, and what the program returned with its outputs resolved."""
    recorder = Recorder()
    with loop():
        mocks.set_mocks(recorder, project="toys", stack="test", preview=preview)
        pulumi.runtime.set_all_config({"gcp:project": "my-project", **(config or {})})
        found = {}

        @pulumi.runtime.test
        def wrapped():
            def keep(value):
                found["value"] = value

            return pulumi.Output.from_input(program()).apply(keep)

        try:
            wrapped()
        finally:
            pulumi.runtime.set_all_config({})
    return recorder, found.get("value")
