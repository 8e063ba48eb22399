"""What pydantic writes, said in OpenAPI 3.0 without another meaning."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, StringConstraints

from groundproof.service.ogc.openapi30 import document30, inlined, schema30


class Inner(BaseModel):
    name: str


class Outer(BaseModel):
    word: Literal["a", "b"] | None = None
    only: Literal["one"] = "one"
    share: float = Field(gt=0, lt=1)
    box: tuple[float, float]
    mixed: tuple[int, str] = (1, "")
    inner: Inner | None = None
    marks: dict[Annotated[str, StringConstraints(pattern="^E")], int] = {}
    either: int | str | None = Field(default=None, description="this or that")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("word", {"nullable": True, "type": "string", "enum": ["a", "b", None]}),
        ("only", {"type": "string", "enum": ["one"]}),
        (
            "share",
            {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "exclusiveMinimum": True,
                "exclusiveMaximum": True,
            },
        ),
        ("box", {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}),
        ("mixed", {"items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}),
        ("marks", {"type": "object", "additionalProperties": {"type": "integer"}}),
        ("inner", {"nullable": True, "allOf": [{"$ref": "#/$defs/Inner"}]}),
        (
            "either",
            {
                "nullable": True,
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "description": "this or that",
            },
        ),
    ],
)
def test_words_that_3_0_does_not_have_are_said_otherwise(field: str, expected: dict[str, Any]) -> None:
    schema = schema30(Outer.model_json_schema()["properties"][field])
    assert {key: schema[key] for key in expected} == expected
    assert not {"const", "prefixItems", "examples"} & set(schema)


def test_an_inlined_schema_stands_alone() -> None:
    schema = inlined(Outer.model_json_schema())
    assert "$defs" not in schema
    assert schema["properties"]["inner"]["anyOf"][0]["properties"]["name"]["type"] == "string"


def test_a_document_says_its_version_and_no_newer_words() -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1", "summary": "s", "license": {"name": "x", "identifier": "x"}},
        "paths": {
            "/": {"get": {"parameters": [{"schema": {"anyOf": [{"type": "string"}, {"type": "null"}]}}]}}
        },
    }
    old = document30(document)
    assert old["openapi"].startswith("3.0")
    assert old["info"] == {"title": "t", "version": "1", "license": {"name": "x"}}
    schema = old["paths"]["/"]["get"]["parameters"][0]["schema"]
    assert schema == {"type": "string", "nullable": True}
