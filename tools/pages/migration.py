"""Where each argument of another tool is here: the tables of the page on migration.

The right side names arguments that exist, or the table is not made; a test holds the left side of pulumi-gcp's
resources, whose names Terraform has as well, against pulumi-gcp.
"""

from __future__ import annotations

from typing import Final

import mg_provider
from tools.pages import reference

CWM: Final = "CustomWeightsModel"
ENDPOINT: Final = "DedicatedEndpoint"
RULE: Final = "PscForwardingRule"
JOB: Final = "BatchJob"

_PLACE: Final = {"project": "project", "location": "region", "region": "region"}
_DELETION: Final = "`pulumi.ResourceOptions(protect=…)` or `retain_on_delete=…`"
_NOT: Final = "nothing: "

GARDEN: Final = {
    "publisher_model_name": "publisher_model_name",
    "hugging_face_model_id": "hugging_face_model_id",
    "location": "region",
    "project": "project",
    "deletion_policy": _DELETION,
    "model_config.accept_eula": "accept_eula",
    "model_config.hugging_face_access_token": "hugging_face_access_token",
    "model_config.hugging_face_cache_enabled": "hugging_face_cache_enabled",
    "model_config.model_display_name": "model_display_name",
    "model_config.container_spec": "container_spec",
    "endpoint_config.endpoint_display_name": "endpoint_display_name",
    "endpoint_config.dedicated_endpoint_enabled": "dedicated_endpoint_disabled",
    "endpoint_config.private_service_connect_config": "private_service_connect_config",
    "deploy_config.fast_tryout_enabled": "fast_tryout_enabled",
    "deploy_config.system_labels": "system_labels",
    "deploy_config.dedicated_resources.machine_spec": "machine_spec",
    "deploy_config.dedicated_resources.min_replica_count": "min_replica_count",
    "deploy_config.dedicated_resources.max_replica_count": "max_replica_count",
    "deploy_config.dedicated_resources.required_replica_count": "required_replica_count",
    "deploy_config.dedicated_resources.spot": "spot",
    "deploy_config.dedicated_resources.autoscaling_metric_specs": "autoscaling_metric_specs",
}
AI_ENDPOINT: Final = {
    "name": "endpoint_id",
    "display_name": "endpoint_display_name",
    "description": "description",
    "labels": "labels",
    "traffic_split": "traffic_split",
    "dedicated_endpoint_enabled": "dedicated_endpoint_enabled",
    "private_service_connect_config": "private_service_connect_config",
    "network": "network",
    "encryption_spec": "encryption_spec",
    "predict_request_response_logging_config": "predict_request_response_logging_config",
    **_PLACE,
    "deletion_policy": _DELETION,
}
_ONLY_OTHER_RULES: Final = f"{_NOT}a rule to a service attachment has none"
FORWARDING_RULE: Final = {
    "name": "forwarding_rule_name",
    "target": "endpoint, or service_attachment",
    "ip_address": "address",
    "network": "network",
    "subnetwork": "subnetwork",
    "description": "description",
    "labels": "labels",
    "allow_psc_global_access": "allow_psc_global_access",
    "no_automate_dns_zone": "no_automate_dns_zone",
    "service_directory_registrations": "service_directory_registrations",
    "project": "project",
    "region": "region",
    "recreate_closed_psc": f"{_NOT}a closed rule is always made again behind its address",
    "deletion_policy": _DELETION,
    **dict.fromkeys(
        (
            "all_ports",
            "allow_global_access",
            "backend_service",
            "ip_collection",
            "ip_protocol",
            "ip_version",
            "is_mirroring_collector",
            "load_balancing_scheme",
            "network_tier",
            "port_range",
            "ports",
            "service_label",
            "source_ip_ranges",
        ),
        _ONLY_OTHER_RULES,
    ),
}
GCLOUD: Final = {
    "--model=gs://…": "gcs_uri",
    "--model=PUBLISHER/MODEL@VERSION": "publisher_model_name",
    "--model=AUTHOR/MODEL": "hugging_face_model_id",
    "--machine-type, --accelerator-type, --accelerator-count, --reservation-affinity": "machine_spec",
    "--spot": "spot",
    "--endpoint-display-name": "endpoint_display_name",
    "--use-dedicated-endpoint, --disable-dedicated-endpoint": "dedicated_endpoint_disabled",
    "--enable-fast-tryout": "fast_tryout_enabled",
    "--accept-eula": "accept_eula",
    "--hugging-face-access-token": "hugging_face_access_token",
    "--container-image-uri and the other --container-… options": "container_spec",
    "--region, --project": "region, project",
    "--asynchronous": f"{_NOT}`up` waits, and an interrupted one goes on in the next `up`",
}
SDK: Final = {
    "CustomModel(gcs_uri)": "gcs_uri",
    "OpenModel(model_name)": "publisher_model_name, or hugging_face_model_id",
    "machine_type, accelerator_type, accelerator_count, reservation_affinity_…": "machine_spec",
    "min_replica_count": "min_replica_count",
    "max_replica_count": "max_replica_count",
    "spot": "spot",
    "model_display_name": "model_display_name",
    "endpoint_display_name": "endpoint_display_name",
    "use_dedicated_endpoint, dedicated_endpoint_disabled": "dedicated_endpoint_disabled",
    "enable_private_service_connect, psc_project_allow_list": "private_service_connect_config",
    "accept_eula": "accept_eula",
    "hugging_face_access_token": "hugging_face_access_token",
    "fast_tryout_enabled": "fast_tryout_enabled",
    "system_labels": "system_labels",
    "serving_container_spec, serving_container_…": "container_spec",
    "deploy_request_timeout": "timeouts",
}
SUBMIT: Final = {
    "job_display_name": "display_name",
    "model_name": "model",
    "instances_format, gcs_source, bigquery_source": "input_config",
    "predictions_format, gcs_destination_prefix, bigquery_destination_prefix": "output_config",
    "machine_type, accelerator_type, accelerator_count": "machine_spec",
    "starting_replica_count": "starting_replica_count",
    "max_replica_count": "max_replica_count",
    "batch_size": "manual_batch_tuning_parameters",
    "model_parameters": "model_parameters",
    "service_account": "service_account",
    "labels": "labels",
    "encryption_spec_key_name": "encryption_spec",
    "project, location": "project, region",
    "generate_explanation, explanation_…, model_monitoring_…": f"{_NOT}not for the models that run here",
}

TABLES: Final[dict[str, tuple[str, str, dict[str, str]]]] = {
    "Garden": ("google_vertex_ai_endpoint_with_model_garden_deployment", CWM, GARDEN),
    "AiEndpoint": ("google_vertex_ai_endpoint", ENDPOINT, AI_ENDPOINT),
    "ForwardingRule": ("google_compute_forwarding_rule", RULE, FORWARDING_RULE),
    "Gcloud": ("gcloud ai model-garden models deploy", CWM, GCLOUD),
    "Sdk": ("vertexai.model_garden, deploy", CWM, SDK),
    "Submit": ("BatchPredictionJob.submit", JOB, SUBMIT),
}


def table(name: str) -> str:
    """A table: what another tool has, and what is here.

    Raises:
        KeyError: An argument on the right does not exist.
    """
    theirs, kind, rows = TABLES[name]
    page = reference.PAGES[kind].rpartition("/")[2]
    lines = [f"| `{source}` | {_here(kind, target)} |" for source, target in rows.items()]
    return "\n".join((f"| {theirs} | [`{kind}`]({page}) |", "|---|---|", *lines))


def _here(kind: str, target: str) -> str:
    if target.startswith((_NOT, "`")):
        return target
    fields = getattr(mg_provider, kind).provider_type.lifecycle.args_type.model_fields
    for name in target.replace("or ", "").split(", "):
        if name not in fields:
            raise KeyError(f"{kind} has no {name}")
    return ", ".join(_quoted(part) for part in target.split(", "))


def _quoted(part: str) -> str:
    before, name = ("or ", part.removeprefix("or ")) if part.startswith("or ") else ("", part)
    return f"{before}`{name}`"
