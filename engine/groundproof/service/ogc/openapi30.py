"""OpenAPI 3.1 as OpenAPI 3.0, which is what OGC API documents and their clients speak.

Knows where the two differ in what pydantic and FastAPI write (openapis.org, "Migrating from OpenAPI 3.0 to
3.1.0"). Refuses to know the API itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERSION = "3.0.3"


def document30(document: Mapping[str, Any]) -> dict[str, Any]:
    """A whole OpenAPI document."""
    info = {key: value for key, value in document["info"].items() if key != "summary"}
    if "license" in info:
        info["license"] = {key: value for key, value in info["license"].items() if key != "identifier"}
    rest = {key: _walked(value) for key, value in document.items() if key not in ("openapi", "info")}
    return {"openapi": VERSION, "info": info, **rest}


def schema30(schema: Mapping[str, Any]) -> dict[str, Any]:
    """One JSON schema of pydantic's as OpenAPI 3.0 writes it."""
    found = {key: _part(key, value) for key, value in schema.items()}
    if "$ref" in found and len(found) > 1:
        found = {"allOf": [{"$ref": found.pop("$ref")}], **found}  # beside a $ref, 3.0 ignores everything
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if "examples" in found:
        examples = found.pop("examples")
        found["example"] = examples[0] if isinstance(examples, list) else examples
    if "prefixItems" in found:
        found["items"] = _any(found.pop("prefixItems"))
    if "patternProperties" in found:
        found["additionalProperties"] = _any(list(found.pop("patternProperties").values()))
    for limit in ("Minimum", "Maximum"):
        if f"exclusive{limit}" in found:
            found[limit.lower()], found[f"exclusive{limit}"] = found[f"exclusive{limit}"], True
    if "propertyNames" in found:
        del found["propertyNames"]
    return _without_null(found)


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A pydantic schema whose `$defs` are written out where they are used, so that it stands alone."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})

    def inline(value: Any) -> Any:
        if isinstance(value, list):
            return [inline(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            name = str(value["$ref"]).rpartition("/")[2]
            rest = {key: inline(item) for key, item in value.items() if key != "$ref"}
            return {**inline(definitions[name]), **rest}
        return {key: inline(item) for key, item in value.items() if key != "$defs"}

    found: dict[str, Any] = inline(dict(schema))
    return found


def _part(key: str, value: Any) -> Any:
    if key in ("properties", "patternProperties", "$defs"):
        return {name: schema30(one) for name, one in value.items()}
    if key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        return [schema30(one) for one in value]
    if key in ("items", "additionalProperties", "not") and isinstance(value, dict):
        return schema30(value)
    return value


def _any(options: list[dict[str, Any]]) -> dict[str, Any]:
    return options[0] if all(one == options[0] for one in options) else {"anyOf": options}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """3.0 has no type null: a schema is nullable."""
    for key in ("anyOf", "oneOf"):
        options = schema.get(key)
        if options and any(one.get("type") == "null" for one in options):
            rest = [one for one in options if one.get("type") != "null"]
            del schema[key]
            only = rest[0] if len(rest) == 1 else {key: rest}
            schema |= {"nullable": True, **({"allOf": [only]} if "$ref" in only else only), **schema}
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
    return schema


def _walked(value: Any) -> Any:
    """A part of the document: schemas stand below `schema` and `schemas`."""
    if isinstance(value, list):
        return [_walked(item) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key == "schema" and isinstance(item, dict):
            found[key] = schema30(item)
        elif key == "schemas" and isinstance(item, dict):
            found[key] = {name: schema30(one) for name, one in item.items()}
        elif key in ("example", "examples", "default"):
            found[key] = item
        else:
            found[key] = _walked(item)
    return found
