"""How requests and answers of a model are described."""

from __future__ import annotations

from pydantic import Field

from mg_provider.wire.base import WireModel


class PredictSchemata(WireModel):
    """Where the formats of instances, parameters and predictions are described."""

    instance_schema_uri: str | None = Field(default=None, description="gs:// URI of the schema of one instance.")
    parameters_schema_uri: str | None = Field(default=None, description="gs:// URI of the schema of parameters.")
    prediction_schema_uri: str | None = Field(default=None, description="gs:// URI of the schema of a prediction.")
