"""The container that serves a model."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import Duration, Int64, WireModel


class EnvVar(WireModel):
    """An environment variable of the container."""

    name: str = Field(description="Name, a valid C identifier.")
    value: str = Field(default="", description="Value; $(NAME) stands for a variable defined before.")


class Port(WireModel):
    """A port of the container."""

    container_port: int | None = Field(default=None, description="Port number, 1 to 65535.")


class ExecAction(WireModel):
    """A probe that runs a command in the container."""

    command: list[str] | None = Field(default=None, description="Command and its arguments; exit code 0 is healthy.")


class HttpHeader(WireModel):
    """A header that a probe sends."""

    name: str = Field(description="Name of the header.")
    value: str = Field(default="", description="Value of the header.")


class HttpGetAction(WireModel):
    """A probe that sends an HTTP GET."""

    path: str | None = Field(default=None, description="Path on the container's server.")
    port: int | None = Field(default=None, description="Port number, 1 to 65535.")
    host: str | None = Field(default=None, description="Host to connect to; the container itself when absent.")
    scheme: str | None = Field(default=None, description="HTTP or HTTPS; HTTP when absent.")
    http_headers: list[HttpHeader] | None = Field(default=None, description="Headers sent with the request.")


class GrpcAction(WireModel):
    """A probe that asks a gRPC health service."""

    port: int | None = Field(default=None, description="Port number, 1 to 65535.")
    service: str | None = Field(default=None, description="Service name in the health check request.")


class TcpSocketAction(WireModel):
    """A probe that opens a TCP connection."""

    port: int | None = Field(default=None, description="Port number, 1 to 65535.")
    host: str | None = Field(default=None, description="Host to connect to; the container itself when absent.")


class Probe(WireModel):
    """How the container's state is found out. Exactly one of exec, http_get, grpc and tcp_socket."""

    exec: ExecAction | None = Field(default=None, description="Run a command in the container.")
    http_get: HttpGetAction | None = Field(default=None, description="Send an HTTP GET to the container.")
    grpc: GrpcAction | None = Field(default=None, description="Ask the container's gRPC health service.")
    tcp_socket: TcpSocketAction | None = Field(default=None, description="Open a TCP connection to the container.")
    period_seconds: int | None = Field(default=None, description="Seconds between two probes; 10 when absent.")
    timeout_seconds: int | None = Field(default=None, description="Seconds a probe may take; 1 when absent.")
    initial_delay_seconds: int | None = Field(default=None, description="Seconds before the first probe; 0 if absent.")
    failure_threshold: int | None = Field(default=None, description="Failures in a row that count; 3 when absent.")
    success_threshold: int | None = Field(default=None, description="Successes in a row that count; 1 when absent.")


class ContainerSpec(WireModel):
    """The serving container (Google's ModelContainerSpec)."""

    image_uri: str | None = Field(default=None, description="Container image in Artifact Registry; required.")
    command: list[str] | None = Field(default=None, description="Replaces the image's entry point.")
    args: list[str] | None = Field(default=None, description="Replaces the image's default arguments.")
    env: list[EnvVar] | None = Field(default=None, description="Environment variables of the container.")
    ports: list[Port] | None = Field(
        default=None, description="Ports that serve HTTP; requests go to the first one. 8080 when absent."
    )
    grpc_ports: list[Port] | None = Field(default=None, description="Ports that serve gRPC; the first one is used.")
    predict_route: str | None = Field(default=None, description="Path on the container that answers predictions.")
    health_route: str | None = Field(default=None, description="Path on the container that answers health checks.")
    invoke_route_prefix: str | None = Field(
        default=None, description="Passes any path through to the container; only /* is supported."
    )
    shared_memory_size_mb: Int64 | None = Field(
        default=None, description="Memory reserved as shared memory for the model, in MB."
    )
    deployment_timeout: Duration | None = Field(
        default=None, description="Time that a deployment may take, at most two hours (7200s)."
    )
    startup_probe: Probe | None = Field(default=None, description="Decides when the container has started.")
    health_probe: Probe | None = Field(default=None, description="Decides whether the container takes requests.")
    liveness_probe: Probe | None = Field(default=None, description="Decides whether the container is restarted.")
