"""Uploaded models."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mg_provider.wire.base import Page, WireModel, output
from mg_provider.wire.vertex.container import ContainerSpec
from mg_provider.wire.vertex.encryption import EncryptionSpec
from mg_provider.wire.vertex.schemata import PredictSchemata


class DeployedModelRef(WireModel):
    """Where a model is deployed."""

    endpoint: str | None = None
    deployed_model_id: str | None = None
    checkpoint_id: str | None = None


class ModelSourceInfo(WireModel):
    """Where a model came from; source_type is MODEL_GARDEN for what deploy uploads."""

    source_type: str | None = None


class ModelGardenSource(WireModel):
    """The Model Garden model that a model came from."""

    public_model_name: str | None = Field(default=None, description="Publisher model's resource name.")
    version_id: str | None = Field(default=None, description="Publisher model's version.")
    skip_hf_model_cache: bool | None = Field(default=None, description="Do not use the cached Hugging Face copy.")


class BaseModelSource(WireModel):
    """What a model was derived from."""

    model_garden_source: ModelGardenSource | None = Field(default=None, description="A Model Garden model.")


class Model(WireModel):
    """A model in the registry."""

    name: str | None = None
    display_name: str | None = Field(default=None, description="Name for people, at most 128 characters.")
    description: str | None = Field(default=None, description="Free text.")
    labels: dict[str, str] | None = Field(default=None, description="Labels to find and to bill by.")
    artifact_uri: str | None = Field(default=None, description="gs:// directory with the weights.")
    container_spec: ContainerSpec | None = Field(default=None, description="The serving container.")
    predict_schemata: PredictSchemata | None = Field(default=None, description="Formats of requests and answers.")
    encryption_spec: EncryptionSpec | None = Field(default=None, description="Customer-managed key.")
    base_model_source: BaseModelSource | None = Field(default=None, description="What the model was derived from.")
    version_aliases: list[str] | None = Field(default=None, description="Names that point at this version.")
    version_description: str | None = Field(default=None, description="Free text about this version.")
    metadata: Any = Field(default=None, description="Further information, in the metadata schema's format.")
    metadata_schema_uri: str | None = Field(default=None, description="gs:// URI of the metadata's schema.")
    etag: str | None = None
    create_time: str | None = output()
    update_time: str | None = output()
    version_id: str | None = output()
    version_create_time: str | None = output()
    version_update_time: str | None = output()
    deployed_models: list[DeployedModelRef] | None = output()
    model_source_info: ModelSourceInfo | None = output()
    supported_deployment_resources_types: list[str] | None = output()
    supported_input_storage_formats: list[str] | None = output()
    supported_output_storage_formats: list[str] | None = output()


class UploadModelResponse(WireModel):
    """What models.upload ends with."""

    model: str | None = None
    model_version_id: str | None = None


class ListModelsResponse(Page):
    """A page of models."""

    models: list[Model] = Field(default_factory=list)
