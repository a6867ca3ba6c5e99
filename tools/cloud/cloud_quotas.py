"""The part of Cloud Quotas that gcloud asks before it deploys, in the form of a discovery document.

The ``google-api-python-client`` wheel has no document of this API. Source: its proto, google/api/cloudquotas/v1, read
2026-11.
"""

from __future__ import annotations

from typing import Any

_TEXT, _TRUTH = {"type": "string"}, {"type": "boolean"}
_TEXTS = {"type": "array", "items": _TEXT}
_PLACE = "projects/{projectsId}/locations/{locationsId}"

DOCUMENT: dict[str, Any] = {
    "revision": "",
    "servicePath": "",
    "parameters": {key: {} for key in ("$.xgafv", "alt", "fields", "key", "prettyPrint", "quotaUser")},
    "methods": {
        "get": {
            "id": "cloudquotas.projects.locations.services.quotaInfos.get",
            "httpMethod": "GET",
            "path": "v1/{+name}",
            "flatPath": f"v1/{_PLACE}/services/{{servicesId}}/quotaInfos/{{quotaInfosId}}",
            "response": {"$ref": "QuotaInfo"},
        }
    },
    "schemas": {
        "QuotaInfo": {
            "type": "object",
            "properties": {
                **dict.fromkeys(("name", "quotaId", "metric", "service", "refreshInterval", "metricUnit"), _TEXT),
                **dict.fromkeys(("metricDisplayName", "quotaDisplayName", "serviceRequestQuotaUri"), _TEXT),
                **dict.fromkeys(("isPrecise", "isFixed", "isConcurrent"), _TRUTH),
                "containerType": {
                    "type": "string",
                    "enum": ["CONTAINER_TYPE_UNSPECIFIED", "PROJECT", "FOLDER", "ORGANIZATION"],
                },
                "dimensions": _TEXTS,
                "dimensionsInfos": {"type": "array", "items": {"$ref": "DimensionsInfo"}},
            },
        },
        "DimensionsInfo": {
            "type": "object",
            "properties": {
                "dimensions": {"type": "object", "additionalProperties": _TEXT},
                "details": {"$ref": "QuotaDetails"},
                "applicableLocations": _TEXTS,
            },
        },
        "QuotaDetails": {"type": "object", "properties": {"value": {"type": "string", "format": "int64"}}},
    },
}
