"""The engine as the program sees it: Pulumi's ResourceMonitor and Engine services on one loopback port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc

from mg_provider.rehearsal.engine.deployment import Deployment
from mg_provider.rehearsal.engine.goals import Goal, goal_of
from mg_provider.rehearsal.engine.registration import Registrar
from mg_provider.rehearsal.errors import RehearsalError, StepError, StoppedError
from mg_provider.rehearsal.state.properties import decode_struct, encode_struct

# What the SDK may use. Values that carry their dependencies are not needed: the requests name the dependencies.
_FEATURES: Final = {
    "secrets": resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    "aliasSpecs": resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    "deletedWith": resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
}
_SEVERITIES: Final = {
    engine_pb2.DEBUG: "debug",
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Takes the program's registrations.

    Args:
        deployment: what they belong to.
        registrar: decides about them.
    """

    def __init__(self, deployment: Deployment, registrar: Registrar) -> None:
        self._deployment = deployment
        self._registrar = registrar

    def SupportsFeature(self, request: Any, context: Any) -> resource_pb2.SupportsFeatureResponse:
        """Whether the SDK may use a feature."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURES)

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        """The same for newer SDKs, in one answer."""
        return resource_pb2.DeploymentInfo(supportedFeatures=list(_FEATURES.values()))

    def RegisterResource(self, request: Any, context: Any) -> resource_pb2.RegisterResourceResponse:
        """Bring a resource to what the program wants; the answer comes when that is done."""
        with self._serving(context):
            state = self._registrar.register(goal_of(request))
            # Outputs of a component come later, by RegisterResourceOutputs; old ones would only mislead.
            outputs = state.outputs if state.custom else {}
            return resource_pb2.RegisterResourceResponse(
                urn=state.urn,
                id=state.id,
                object=encode_struct(outputs, secrets=True),
                result=resource_pb2.Result.SUCCESS,
                unknown=state.urn in self._registrar.skipped,
            )
        raise StoppedError

    def RegisterResourceOutputs(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Take the outputs of a component or of the stack."""
        with self._serving(context):
            self._registrar.outputs(request.urn, decode_struct(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(self, request: Any, context: Any) -> resource_pb2.ReadResourceResponse:
        """Read a resource that the program only looks at."""
        with self._serving(context):
            goal = Goal(
                type=request.type,
                name=request.name,
                custom=True,
                properties=decode_struct(request.properties),
                parent=request.parent,
                provider=request.provider,
                version=request.version,
                dependencies=sorted(request.dependencies),
                additional_secret_outputs=list(request.additionalSecretOutputs),
            )
            state = self._registrar.read(goal, request.id)
            return resource_pb2.ReadResourceResponse(
                urn=state.urn, properties=encode_struct(state.outputs, secrets=True)
            )
        raise StoppedError

    def Invoke(self, request: Any, context: Any) -> Any:
        """Call a function of a package that is played."""
        with self._serving(context):
            try:
                reference = request.provider or self._registrar.default_provider(request.tok, request.version)
                host = self._deployment.hosts.provider(reference).host
                answer = host.invoke(request.tok, decode_struct(request.args))
            except StepError as error:
                failure = provider_pb2.CheckFailure(property=request.tok, reason=error.message)
                return resource_pb2.ResourceInvokeResponse(failures=[failure])
            # `return` is a keyword, so the field is not named in the call.
            response = resource_pb2.ResourceInvokeResponse()
            getattr(response, "return").CopyFrom(encode_struct(answer, secrets=True))
            return response
        raise StoppedError

    def Call(self, request: Any, context: Any) -> Any:
        """Methods of components of other languages need plugins, which a rehearsal does not run."""
        self._refuse(context, f"the method {request.tok} is not rehearsed; a rehearsal runs dynamic resources only")

    def RegisterPackage(self, request: Any, context: Any) -> Any:
        """Parameterised packages need plugins, which a rehearsal does not run."""
        self._refuse(context, f"the package {request.name} is not rehearsed; a rehearsal runs dynamic resources only")

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> empty_pb2.Empty:
        """The program may end at once, since no hook of it will be called."""
        return empty_pb2.Empty()

    def _refuse(self, context: Any, message: str) -> NoReturn:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, message)
        raise StoppedError  # Not reached: abort raises.

    @contextmanager
    def _serving(self, context: Any) -> Iterator[None]:
        """Raise the status that ends the program when the deployment stops."""
        try:
            with self._deployment.working():
                yield
        except RehearsalError as error:
            self._deployment.tell_error(str(error))
            self._deployment.stop()
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except StoppedError:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the deployment is stopping")


class Engine(engine_pb2_grpc.EngineServicer):
    """Takes what the program has to say.

    Args:
        deployment: what it belongs to.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._root = ""

    def Log(self, request: Any, context: Any) -> empty_pb2.Empty:
        """Tell the user; what a program complains about after a failure is a consequence of it."""
        severity = _SEVERITIES[request.severity]
        urn = request.urn or self._deployment.project.root_urn
        if severity == "error" and not self._deployment.stopping:
            self._deployment.tell_error(request.message, urn)
        elif severity != "error" and not request.ephemeral:
            self._deployment.tell(severity, request.message, urn)
        return empty_pb2.Empty()

    def SetRootResource(self, request: Any, context: Any) -> engine_pb2.SetRootResourceResponse:
        """Remember the stack."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, request: Any, context: Any) -> engine_pb2.GetRootResourceResponse:
        """Tell the stack."""
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:
        """A program may ask for a version of the CLI; there is none here."""
        return engine_pb2.RequirePulumiVersionResponse()


@contextmanager
def serving(deployment: Deployment, registrar: Registrar) -> Iterator[str]:
    """Serve both services on a free loopback port while the block runs; yields the address."""
    # A registration holds its thread until its operation has ended, so there must be as many as may run at once.
    server = grpc.server(ThreadPoolExecutor(max_workers=deployment.options.parallel * 2), options=_GRPC_CHANNEL_OPTIONS)
    add_monitor: Callable[..., None] = resource_pb2_grpc.add_ResourceMonitorServicer_to_server
    add_engine: Callable[..., None] = engine_pb2_grpc.add_EngineServicer_to_server
    add_monitor(Monitor(deployment, registrar), server)
    add_engine(Engine(deployment), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
