"""How a batch job is begun, read and taken down."""

from __future__ import annotations

from mg_provider.api.errors import ConnectionFailed, MgError, NotFound, OperationCancelled
from mg_provider.api.waiting import Waiting
from mg_provider.resources.batch_job.args import BatchJobArgs
from mg_provider.resources.batch_job.holders import JobHolders
from mg_provider.resources.batch_job.input_gate import pass_input
from mg_provider.resources.batch_job.late import asked_now, look_at_once, look_until_sure, seconds_left
from mg_provider.resources.batch_job.machine import found_no_machine, machines_left
from mg_provider.resources.batch_job.outcome import BatchJobState, ended_job, is_settled, observed_job, problem_of
from mg_provider.resources.batch_job.output_table import refuse_same_table, same_table
from mg_provider.resources.batch_job.progress import RowProgress
from mg_provider.resources.batch_job.rules import tell_surprises
from mg_provider.resources.batch_job.runs import BatchRuns
from mg_provider.resources.endpoint.capacity import choices_of, first_available
from mg_provider.resources.model.diff import Changes
from mg_provider.resources.model.lifecycle import UNSETTLED, Context, Incomplete, Lifecycle, Reading, kept
from mg_provider.resources.model.seeds import fresh_id
from mg_provider.resources.model.unknown import UNKNOWN
from mg_provider.rollout.agents import once_agents_are_there
from mg_provider.wire.vertex.batch import BatchPredictionJob
from mg_provider.wire.vertex.machine import MachineSpec

CREATE_SECONDS = 24 * 3600.0
DELETE_SECONDS = 1800.0

_holders = JobHolders()


class BatchJobLifecycle(Lifecycle[BatchJobArgs, BatchJobState]):
    """Starts one job for one set of arguments and stays with it, however it ends.

    A job that ended badly stays in the stack's state and each ``up`` reports it; it is not run again automatically.

    IAM: ``aiplatform.batchPredictionJobs.*`` (create, get, list, cancel, delete); the job itself reads and writes as
    Vertex AI's service agent or the given service account. Where no machine is given: ``aiplatform.models.get`` and
    ``aiplatform.locations.get``. To tell which rows failed: ``storage.objects.list`` and ``storage.objects.get`` on the
    output, or ``bigquery.tables.get`` and ``bigquery.tables.getData``; with ``delete_output`` also
    ``storage.objects.delete`` or ``bigquery.tables.delete``. With ``preflight`` also ``storage.objects.get`` (and
    ``list`` for patterns) on the input and ``storage.buckets.get``; for tables ``bigquery.tables.get``,
    ``bigquery.datasets.get``, ``bigquery.jobs.create`` and ``bigquery.tables.getData``.
    """

    args_type = BatchJobArgs
    state_type = BatchJobState

    def name(self, args: BatchJobArgs, old: BatchJobArgs | None) -> BatchJobArgs:
        """Name the run after everything that makes another run."""
        if not args.display_name:
            args = args.with_values(display_name=kept(old, args, "display_name") or args.resource)
        fresh = fresh_id(args)
        return args.with_values(run=kept(old, args, "run") or fresh or UNKNOWN)

    def settled(self, args: BatchJobArgs, state: BatchJobState) -> bool:
        """Whether ``up`` has nothing to look at: the job has ended, in a way that the program accepts."""
        return is_settled(args, state)

    def delete_first(self, old: BatchJobArgs, new: BatchJobArgs) -> bool:
        """A run that writes to the table of the run before it can begin only when that is gone."""
        return super().delete_first(old, new) or (old.delete_output and same_table(old, new))

    def refuse(self, old: BatchJobArgs, new: BatchJobArgs, state: BatchJobState) -> None:
        """Refuse another run that would write to the table which this one has written, or is writing."""
        refuse_same_table(old, new, state)

    def shown(self, args: BatchJobArgs, state: BatchJobState) -> None:
        """Remember for this command which job the record has: one that it replaces leaves that job alone."""
        _holders.note(args, state.batch_prediction_job, state.claim)

    def create(self, args: BatchJobArgs, context: Context) -> tuple[str, BatchJobState]:
        """Start the job, or stay with the one that an interrupted run of ours started."""
        state = BatchJobState(claim=context.clock.request_id())
        runs = BatchRuns(args, context)
        job = runs.best(state)
        if job is not None:
            self._take_up(args, job, state, context)
        _holders.note(args, (job.name or "") if job else "", state.claim)
        return self._id(args), self._converge(args, state, runs, job, context)

    def _take_up(self, args: BatchJobArgs, job: BatchPredictionJob, state: BatchJobState, context: Context) -> None:
        """Go on with a job that exists: of an interrupted run, or of the record that this one replaces.

        Raises:
            MgError: No record of this stack has it, and nobody said whose stack this is.
        """
        if not _holders.has_other(job.name or "", state.claim):
            context.take_up(f"job {job.name}", job.create_time or "", args)
        if job.ended and not found_no_machine(job):
            context.progress(f"this run is done: {job.name}; another value in `triggers` starts another run")

    def read(
        self, id: str, args: BatchJobArgs, state: BatchJobState, context: Context
    ) -> Reading[BatchJobArgs, BatchJobState] | None:
        """The job as it is."""
        runs = BatchRuns(args, context)
        job = runs.get(state.batch_prediction_job) if state.batch_prediction_job else runs.best(state)
        if job is None:
            return Reading(args, state) if seconds_left(state, context) else None
        return Reading(args, observed_job(job, state, context))

    def update(
        self,
        id: str,
        old: BatchJobArgs,
        state: BatchJobState,
        new: BatchJobArgs,
        changes: Changes,
        context: Context,
    ) -> BatchJobState:
        """See how far the job has come, and go on waiting for it; one that went before it ended is started again."""
        runs = BatchRuns(new, context)
        try:
            job = look_until_sure(runs, state, context)
        except OperationCancelled as error:
            raise Incomplete(error, id, new, state) from error
        if job is None and state.ended:
            # It was paid for, and its answers are where they were.
            context.progress(f"{state.batch_prediction_job} is gone; another value in `triggers` starts another run")
            return self._accepted(new, state, ended_job(state))
        return self._converge(new, state, runs, job, context)

    def delete(self, id: str, args: BatchJobArgs, state: BatchJobState, context: Context) -> None:
        """Cancel a running job, wait until it has stopped, delete it; with ``delete_output`` its output too."""
        limit = context.limit(args.timeouts.delete, DELETE_SECONDS)
        runs = BatchRuns(args, context)
        if state.asked:
            look_until_sure(runs, state, context)
        jobs = runs.all(state)
        for job in jobs:
            if _holders.has_other(job.name or "", state.claim):
                context.progress(f"leaving the job, which a replacement has taken up: {job.name}")
                continue
            try:
                runs.remove(job, limit)
            except NotFound:
                continue
        alone = not _holders.has_other(state.batch_prediction_job, state.claim)
        if not jobs and alone and args.delete_output and state.output_location:
            # Somebody deleted the job's record; what it wrote is known all the same.
            runs.delete_output(state.output_location)

    def _converge(
        self,
        args: BatchJobArgs,
        state: BatchJobState,
        runs: BatchRuns,
        job: BatchPredictionJob | None,
        context: Context,
    ) -> BatchJobState:
        """Start the job unless there is one, stay with it, and tell how it ended."""
        if job is None:
            job = self._start(args, runs, state, context)
        elif not job.ended:
            context.progress(f"waiting for the job that exists already, {job.name}")
        if args.wait and not job.ended:
            job = self._wait(args, job, state, context)
        if found_no_machine(job) and len(choices_of(args.machine_spec)) > 1 and self._left(args, runs, state, context):
            context.progress(f"{job.name} found no machine; trying another choice")
            passed = state.model_copy(update={"passed_over": [*state.passed_over, job.name or ""]})
            return self._converge(args, passed, runs, None, context)
        return self._accepted(args, observed_job(job, state, context), job)

    def _accepted(self, args: BatchJobArgs, state: BatchJobState, job: BatchPredictionJob) -> BatchJobState:
        """The outputs; an error where the job ended in a way that the program does not accept."""
        problem = problem_of(job, args, state)
        if problem is not None:
            raise Incomplete(problem, self._id(args), args, state)
        return state

    def _wait(
        self, args: BatchJobArgs, job: BatchPredictionJob, state: BatchJobState, context: Context
    ) -> BatchPredictionJob:
        rows = RowProgress(context.clock, context.progress)
        limit = context.limit(args.timeouts.create, CREATE_SECONDS)
        try:
            waiting = Waiting(limit, rows.tell, context.cancelled)
            return context.clients.operations.wait_job(job, waiting, rows.describe)
        except MgError as error:
            error.exists = [job.name or ""]
            raise Incomplete(error, self._id(args), args, observed_job(job, state, context)) from error

    def _start(self, args: BatchJobArgs, runs: BatchRuns, state: BatchJobState, context: Context) -> BatchPredictionJob:
        """Call create once. Where the answer is lost, the job is looked for, and kept in state if it may exist."""
        if args.preflight:
            pass_input(args, context)
        machines = self._left(args, runs, state, context)
        tell_surprises(args, context.progress)
        context.progress("starting the job")
        limit = context.limit(args.timeouts.create, CREATE_SECONDS)

        def ask(machine: MachineSpec | None) -> BatchPredictionJob:
            job = args.wire(machine)
            return once_agents_are_there(
                lambda: context.clients.vertex.create_batch_prediction_job(args.parent, job), limit, context
            )

        try:
            return first_available(machines, ask, context)
        except UNSETTLED as error:
            if isinstance(error, ConnectionFailed) and not error.sent:
                raise
            asked = asked_now(state, context)
            job = look_at_once(runs, asked, context)
            if job is None:
                raise Incomplete(error, self._id(args), args, asked) from error
            return job

    def _left(
        self, args: BatchJobArgs, runs: BatchRuns, state: BatchJobState, context: Context
    ) -> list[MachineSpec | None]:
        jobs = runs.all(state) if len(choices_of(args.machine_spec)) > 1 else []
        return machines_left(args, jobs, context)

    def _id(self, args: BatchJobArgs) -> str:
        return f"{args.parent}/runs/{args.run}"
