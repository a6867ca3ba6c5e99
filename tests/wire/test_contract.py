"""Every wire class is held against Google's discovery documents."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

import mg_provider.wire
from mg_provider.wire.base import Page, WireModel
from tests.wire.discovery import output_only, schema, schemas
from tests.wire.schema_names import AI, LEFT_OUT, NOT_IN_DISCOVERY, REQUESTS, SCHEMAS

CLASS_OF_SCHEMA = {address: model for model, address in SCHEMAS.items()}


def described(model: type[WireModel]) -> dict[str, Any]:
    whole = model.model_json_schema(by_alias=True)
    return whole.get("$defs", {}).get(model.__name__, whole)["properties"]


def wire_name(model: type[WireModel], field: str) -> str:
    return model.model_fields[field].alias or field


def forms(shape: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a JSON schema, without null and without the plain text beside an enum."""
    alternatives = [form for form in shape.get("anyOf", [shape]) if form.get("type") != "null"]
    return [form for form in alternatives if "$ref" not in form or len(alternatives) == 1]


def expected(prop: dict[str, Any], document: str) -> dict[str, Any]:
    """What pydantic should say of a property that discovery describes."""
    if "$ref" in prop:
        return {"$ref": f"#/$defs/{CLASS_OF_SCHEMA[document + '/' + prop['$ref']].__name__}"}
    kind = prop["type"]
    if kind == "string" and prop.get("format") in ("int64", "uint64"):
        return {"type": "integer"}
    if kind == "array":
        return {"type": "array", "items": expected(prop["items"], document)}
    return {} if kind == "any" else {"type": kind}


def fits(shape: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if "$ref" in wanted:
        return shape.get("$ref") == wanted["$ref"]
    if wanted.get("type") == "array":
        item = wanted["items"]
        return shape.get("type") == "array" and (item.get("type") == "object" or fits(shape["items"], item))
    if wanted.get("type") == "object":
        return shape.get("type") == "object" or "$ref" in shape
    return not wanted or shape.get("type") == wanted["type"]


def test_every_wire_class_is_held_against_a_schema() -> None:
    for module in pkgutil.walk_packages(mg_provider.wire.__path__, "mg_provider.wire."):
        importlib.import_module(module.name)
    kinds = {*WireModel.__subclasses__(), *Page.__subclasses__()} - {Page}
    classes = {each for each in kinds if each.__module__.startswith("mg_provider.wire")}

    assert len(classes) > 80
    assert classes == set(SCHEMAS) | NOT_IN_DISCOVERY


@pytest.mark.parametrize("model", SCHEMAS, ids=lambda model: model.__name__)
def test_every_field_exists_at_google_with_a_type_that_fits(model: type[WireModel]) -> None:
    address = SCHEMAS[model]
    document = address.partition("/")[0]
    properties = schema(address)["properties"]

    for name, shape in described(model).items():
        assert name in properties, f"{address} has no {name}"
        wanted = expected(properties[name], document)
        assert any(fits(form, wanted) for form in forms(shape)), f"{name}: {shape} is not {wanted}"


@pytest.mark.parametrize("model", [m for m in SCHEMAS if SCHEMAS[m].startswith(AI)], ids=lambda m: m.__name__)
def test_a_field_is_marked_as_output_exactly_if_google_says_so(model: type[WireModel]) -> None:
    properties = schema(SCHEMAS[model])["properties"]
    ours = {wire_name(model, field) for field in model.output_only()}
    names = {wire_name(model, field) for field in model.model_fields}

    assert ours == {name for name in names if output_only(properties[name].get("description", ""))}


def nested(model: type[WireModel]) -> set[type[WireModel]]:
    """The model and every message that a user may put into it."""
    found, todo = set(), [model]
    while todo:
        each = todo.pop()
        if each in found:
            continue
        found.add(each)
        document = SCHEMAS[each].partition("/")[0]
        for name, prop in schema(SCHEMAS[each])["properties"].items():
            inner = prop.get("items", prop).get("$ref")
            hidden = output_only(prop.get("description", "")) or (each, name) in LEFT_OUT
            if inner and not hidden and f"{document}/{inner}" in CLASS_OF_SCHEMA:
                todo.append(CLASS_OF_SCHEMA[f"{document}/{inner}"])
    return found


@pytest.mark.parametrize("request_model", REQUESTS, ids=lambda model: model.__name__)
def test_everything_a_user_may_send_is_there_or_left_out_for_a_reason(request_model: type[WireModel]) -> None:
    missing = []
    for model in nested(request_model):
        names = {wire_name(model, field) for field in model.model_fields}
        for name, prop in schema(SCHEMAS[model])["properties"].items():
            output = output_only(prop.get("description", "")) or prop.get("readOnly")
            if name not in names and not output and (model, name) not in LEFT_OUT:
                missing.append(f"{model.__name__}.{name}: {prop.get('description', '')[:60]}")

    assert missing == []


def test_what_is_left_out_exists_at_google_and_is_not_there() -> None:
    for (model, name), reason in LEFT_OUT.items():
        assert name in schema(SCHEMAS[model])["properties"], f"{model.__name__}.{name} is no field any more"
        assert name not in {wire_name(model, field) for field in model.model_fields}, f"{name} is there: {reason}"


@pytest.mark.parametrize("request_model", REQUESTS, ids=lambda model: model.__name__)
def test_every_field_that_a_user_may_set_is_described(request_model: type[WireModel]) -> None:
    identifiers = {"name", "etag", "fingerprint", "label_fingerprint"}
    silent = [
        f"{model.__name__}.{name}"
        for model in nested(request_model)
        for name, field in model.model_fields.items()
        if not field.description and name not in model.output_only() | identifiers
    ]

    assert silent == []


def test_a_batch_job_in_v1_knows_all_that_is_sent_to_v1() -> None:
    only_beta = {"endpoint"}
    properties = schemas("aiplatform.v1")["GoogleCloudAiplatformV1BatchPredictionJob"]["properties"]
    job = CLASS_OF_SCHEMA[f"{AI}BatchPredictionJob"]
    names = {wire_name(job, field) for field in job.model_fields}

    assert names - set(properties) == only_beta
