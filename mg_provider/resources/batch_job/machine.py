"""Which machine runs a batch prediction job where the program names none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mg_provider.api.errors import CloudError, UserError
from mg_provider.api.reading.error_reader import error_from_status
from mg_provider.resources.endpoint.capacity import choices_of
from mg_provider.resources.endpoint.failures import lacks_capacity
from mg_provider.resources.model.standing import standing
from mg_provider.wire.base import same
from mg_provider.wire.vertex.batch import BatchPredictionJob, JobState
from mg_provider.wire.vertex.machine import MachineSpec

if TYPE_CHECKING:
    from mg_provider.resources.batch_job.args import BatchJobArgs
    from mg_provider.resources.model.lifecycle import Context
    from mg_provider.wire.vertex.publisher import Deploy

PUBLISHED = re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?(?P<name>publishers/[^/]+/models/[^/]+)")
_VERIFIED = ("VERIFIED_DEPLOYMENT_CONFIG", "VERIFIED_DEPLOYMENT_SUCCEED")


def machines_left(args: BatchJobArgs, jobs: Sequence[BatchPredictionJob], context: Context) -> list[MachineSpec | None]:
    """The machines to try, in order: those of the arguments on which no job of this run found capacity short.

    Without any in the arguments it is the model's own, see :func:`_machine_of_model`.
    """
    choices = choices_of(args.machine_spec)
    if not choices:
        return [_machine_of_model(args, context)]
    short = [_machine(job) for job in jobs if found_no_machine(job)]
    return [choice for choice in choices if not any(same(choice, machine) for machine in short if machine)]


def found_no_machine(job: BatchPredictionJob) -> bool:
    """Whether a job ended before it began, as capacity or quota was short."""
    failed = job.error if job.state == JobState.FAILED else None
    return failed is not None and lacks_capacity(error_from_status(failed))


def _machine(job: BatchPredictionJob) -> MachineSpec | None:
    return job.dedicated_resources.machine_spec if job.dedicated_resources else None


def _machine_of_model(args: BatchJobArgs, context: Context) -> MachineSpec | None:
    """Google's own machine for the model, or None where Google runs the model.

    A publisher model's comes from ``supportedActions.multiDeployVertex`` (a verified configuration first); that of a
    Model in the registry from the Model Garden model that it was made from, or else from ``recommendSpec`` for its
    weights. Permissions: aiplatform.models.get, aiplatform.locations.get.

    Raises:
        UserError: nothing says which machine the model needs.
        CloudError: Google could not be asked.
    """
    if args.endpoint:
        # An endpoint answers on its own machines.
        return None
    spec = _of_model(args, context)
    if spec is not None:
        context.progress(f"the machine is {machine_words(spec)}, Google's own choice for the model")
    elif asked := _asked_of_machines(args):
        raise UserError(
            f"{args.model} runs on Google's own machines, so a machine cannot be chosen",
            property="machine_spec",
            hint=f"remove {' and '.join(asked)}, or set machine_spec",
        )
    return spec


def machine_words(spec: MachineSpec) -> str:
    """Machine type and accelerators for people."""
    count = spec.accelerator_count
    return f"{spec.machine_type} with {count} {spec.accelerator_type}" if count else spec.machine_type or ""


def _asked_of_machines(args: BatchJobArgs) -> list[str]:
    """The arguments that say something of the machines, and so need some."""
    fields = type(args).model_fields
    placed = (name for name, path in standing(type(args), "job").items() if path.startswith("dedicated_resources."))
    return [name for name in placed if getattr(args, name) != fields[name].default]


def _of_model(args: BatchJobArgs, context: Context) -> MachineSpec | None:
    if match := PUBLISHED.fullmatch(args.model):
        return _published(match["name"], context)
    weights = args.unmanaged_container_model.artifact_uri if args.unmanaged_container_model else None
    if args.model:
        model = context.clients.vertex.get_model(args.model)
        source = model.base_model_source.model_garden_source if model.base_model_source else None
        if source and source.public_model_name:
            version = f"@{source.version_id}" if source.version_id and "@" not in source.public_model_name else ""
            if spec := _published(f"{source.public_model_name}{version}", context):
                return spec
        weights = model.artifact_uri
    if weights and (spec := _recommended(args, weights, context)):
        return spec
    raise UserError(
        "nothing says which machine this model needs",
        property="machine_spec",
        resource=args.resource,
        hint="set machine_spec, for example to the one that an endpoint serves the model on",
    )


def _published(name: str, context: Context) -> MachineSpec | None:
    found = context.clients.vertex.get_publisher_model(name, view="PUBLISHER_MODEL_VIEW_FULL")
    actions = found.supported_actions
    choices = actions.multi_deploy_vertex.multi_deploy_vertex if actions and actions.multi_deploy_vertex else []
    # A stable sort: verified configurations first, otherwise in Google's order.
    for choice in sorted(choices, key=lambda each: not _verified(each)):
        if choice.dedicated_resources and choice.dedicated_resources.machine_spec:
            return choice.dedicated_resources.machine_spec
    return None


def _verified(choice: Deploy) -> bool:
    labels = choice.deploy_metadata.labels if choice.deploy_metadata else None
    return (labels or {}).get(_VERIFIED[0]) == _VERIFIED[1]


def _recommended(args: BatchJobArgs, weights: str, context: Context) -> MachineSpec | None:
    from mg_provider.wire.vertex.deploy import RecommendSpecRequest

    try:
        answer = context.clients.vertex.recommend_spec(args.parent, RecommendSpecRequest(gcs_uri=weights))
    except CloudError as problem:
        context.progress(f"Model Garden recommends no machine: {problem.summary}")
        return None
    specs = answer.specs or [each.spec for each in answer.recommendations or [] if each.spec]
    return next((each.machine_spec for each in specs if each.machine_spec), None)
