"""OGC API - Features, Part 1 (core, GeoJSON) and Part 2 (CRS by reference), over the service's jobs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from groundproof.outputs import jsontext
from groundproof.service.addresses import base_url
from groundproof.service.ogc.features import GEOJSON, SCHEMA, Page
from groundproof.service.ogc.item_queries import DEFAULT_LIMIT, MAX_LIMIT, only_known
from groundproof.service.ogc.layers import FILTERS
from groundproof.service.state import service_of

router = APIRouter(tags=["features"])

CONFORMS = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
)


def _parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": schema or {"type": "string"},
    }


_CRS = _parameter(
    "crs", "Of the answer's geometries: one of the collection's. Default: CRS84.", type="string", format="uri"
)
_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
_ITEMS = [
    {**_parameter("bbox", "Only what touches this box.", **_NUMBERS), "style": "form", "explode": False},
    _parameter("bbox-crs", "Of the bbox's numbers. Default: CRS84.", type="string", format="uri"),
    _CRS,
    _parameter(
        "datetime", "Only from scenes taken then: a moment, a day, or an interval such as 2026-05-01/.."
    ),
    _parameter(
        "limit",
        "Features on a page.",
        type="integer",
        minimum=1,
        maximum=MAX_LIMIT,
        default=DEFAULT_LIMIT,
    ),
    _parameter(
        "offset", "Features to leave out; links named `next` have it.", type="integer", minimum=0, default=0
    ),
    _parameter("snapshot", "Which state of a running job; links named `next` have it."),
    *(
        _parameter(
            column, f"Only with this value; in {', '.join(t for t in FILTERS if column in FILTERS[t])}."
        )
        for column in dict.fromkeys(column for columns in FILTERS.values() for column in columns)
    ),
]
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "A parameter is unknown or cannot be read."},
    404: {"description": "There is no such collection or feature."},
    409: {"description": "The job has not begun, so there is nothing yet."},
}
_FEATURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "GeoJSON.",
        "content": {GEOJSON: {}},
        "headers": {"Content-Crs": {"description": "CRS of the geometries.", "schema": {"type": "string"}}},
    },
    **_PROBLEMS,
}


@router.get("/collections", summary="List collections", responses={400: _PROBLEMS[400]})
def collections(request: Request) -> JSONResponse:
    """Four for each job: `{job}-evidence`, `-answers`, `-tiles`, `-scenes`. Also while the job runs."""
    only_known(request.query_params.keys(), ())
    return JSONResponse(service_of(request).features.collections(base_url(request)))


@router.get("/collections/{collection_id}", summary="Describe a collection", responses=_PROBLEMS)
def collection(request: Request, collection_id: str) -> JSONResponse:
    """Title, extent, coordinate systems and links."""
    only_known(request.query_params.keys(), ())
    return JSONResponse(service_of(request).features.collection(collection_id, base_url(request)))


@router.get("/collections/{collection_id}/schema", summary="Describe its properties", responses=_PROBLEMS)
def schema(request: Request, collection_id: str) -> JSONResponse:
    """JSON Schema of the features' properties."""
    only_known(request.query_params.keys(), ())
    document = service_of(request).features.schema(collection_id, base_url(request))
    return JSONResponse(document, media_type=SCHEMA)


@router.get(
    "/collections/{collection_id}/items",
    summary="Read features",
    response_class=Response,
    responses=_FEATURES,
    openapi_extra={"parameters": _ITEMS},
)
def items(request: Request, collection_id: str) -> Response:
    """One page of a collection, in the order of its table. Follow the link `next`.

    Arrays in properties are JSON text, as in the GeoPackage. Of a running job: what was answered so far.
    """
    given = request.query_params.multi_items()
    return _geojson(service_of(request).features.items(collection_id, given, base_url(request)))


@router.get(
    "/collections/{collection_id}/items/{feature_id}",
    summary="Read one feature",
    response_class=Response,
    responses=_FEATURES,
    openapi_extra={"parameters": [_CRS]},
)
def item(request: Request, collection_id: str, feature_id: str) -> Response:
    """By its id, such as `A1-E3`. Ids are stable once the job has ended."""
    given = request.query_params.multi_items()
    return _geojson(service_of(request).features.item(collection_id, feature_id, given, base_url(request)))


def _geojson(page: Page) -> Response:
    text = jsontext.dumps(page.document)
    return Response(text, media_type=GEOJSON, headers={"Content-Crs": f"<{page.crs}>"})
