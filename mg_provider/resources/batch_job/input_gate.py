"""Refuses to pay for a batch whose input would fail, or whose output has no place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mg_provider.api.errors import MgError
from mg_provider.resources.model.lifecycle import Context

if TYPE_CHECKING:
    from mg_provider.resources.batch_job.args import BatchJobArgs

# Vertex AI's service agent reads the input, not the caller: the caller's missing permission proves nothing.
_NOT_DECISIVE = frozenset({"permission_denied"})
# The documentation says so to anyone whose job is to have them.
_NO_NEWS = frozenset({"ignored_field"})
_MOST_BYTES = 4_000_000_000
_SHOWN = 5


def pass_input(args: BatchJobArgs, context: Context) -> None:
    """Check the rows and the place of the output. Warnings are shown, errors end the run before it begins.

    Rows may be wrong as far as ``allow_partial`` lets rows fail. Only the forms that Model Garden documents for its
    models are known, JSON lines and tables: what another container or an endpoint takes is not judged.

    Raises:
        MgError: This run would fail, in whole or in part; no machine was asked for.
    """
    # Only a run needs the checks: programs that register resources never load them.
    from mg_provider.preflight.batch.check import check_input
    from mg_provider.preflight.batch.destination import check_output
    from mg_provider.preflight.batch.rendering import describe

    report = check_input(
        _sources(args),
        context.clients,
        region=args.region,
        model=args.model,
        clock=context.clock,
        progress=context.progress,
        most_bytes=_MOST_BYTES,
    )
    if output := _output(args):
        check_output(output, args.region, context.clients, report)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    decisive = [finding for finding in errors if finding.code not in _NOT_DECISIVE]
    if (decisive or report.errors > len(errors)) and report.wrong_share > args.allow_partial:
        lines = "\n".join(f"  {describe(finding)}" for finding in decisive[:_SHOWN])
        more = report.errors - min(len(decisive), _SHOWN)
        rest = f"\n  and {more:,} more" if more > 0 else ""
        raise MgError(
            f"the batch cannot be answered with this input:\n{lines}{rest}",
            hint="fix the input (`mg batch check` checks it without a run), set allow_partial so that rows may fail, "
            "or preflight=False to leave this check out",
        )
    for finding in report.findings:
        if finding.code not in _NO_NEWS:
            context.progress(f"note: {describe(finding)}")


def _sources(args: BatchJobArgs) -> list[str]:
    config = args.input_config
    if not args.model or args.instance_config:
        return []
    if config.gcs_source and config.instances_format == "jsonl":
        return list(config.gcs_source.uris)
    return [config.bigquery_source.input_uri] if config.bigquery_source else []


def _output(args: BatchJobArgs) -> str:
    config = args.output_config
    if config.bigquery_destination:
        return config.bigquery_destination.output_uri
    return config.gcs_destination.output_uri_prefix if config.gcs_destination else ""
