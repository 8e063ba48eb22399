"""What every operation has in common, written into the OpenAPI document: the token, and problems.

Knows the document's shape. Refuses to know the operations.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from groundproof.service.problems import MEDIA_TYPE

OPEN = frozenset({"/health"})
"""Addresses that need no token."""

_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457: what came, what is allowed, what to do.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Of problem; a URI."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people."},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Of a request that is not valid: each wrong field.",
            "items": {"type": "object"},
        },
    },
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The token the service printed."},
    "basic": {"type": "http", "scheme": "basic", "description": "Any user, the token as password."},
}
_BECAUSE = {
    "4XX": "The request cannot be carried out; `detail` says why.",
    "5XX": "The service cannot answer now; `detail` says why.",
}


def install(app: FastAPI) -> None:
    """Complete the document when it is first asked for."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain())
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change the document


def _complete(document: dict[str, Any]) -> None:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            for status, response in responses.items():
                if status[0] in "45" and MEDIA_TYPE not in response.get("content", {}):
                    response["content"] = content
            for status, description in _BECAUSE.items():
                responses.setdefault(status, {"description": description, "content": content})
            if path in OPEN:
                operation["security"] = []
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = _SCHEMES
    document["security"] = [{name: []} for name in _SCHEMES]
