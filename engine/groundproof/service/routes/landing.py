"""`/` and `/conformance`: where an OGC API begins, and which standards it keeps."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from groundproof.service.addresses import base_url
from groundproof.service.ogc.documents import Conformance, LandingPage, Link
from groundproof.service.ogc.openapi30 import document30
from groundproof.service.routes import features

router = APIRouter(tags=["about"])

_PROCESSES = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"
CONFORMS = (
    f"{_PROCESSES}/core",
    f"{_PROCESSES}/ogc-process-description",
    f"{_PROCESSES}/json",
    f"{_PROCESSES}/oas30",
    f"{_PROCESSES}/job-list",
    f"{_PROCESSES}/dismiss",
)
OPENAPI_30 = "application/vnd.oai.openapi+json;version=3.0"
JSON, HTML = "application/json", "text/html"


@router.get(
    "/",
    summary="Where to begin",
    response_model=LandingPage,
    responses={303: {"description": "A browser is sent to the web page."}},
)
async def landing(
    request: Request,
    f: Annotated[
        Literal["json", "html"] | None, Query(description="json: this document, whatever `Accept` says.")
    ] = None,
) -> Response:
    """Links to everything else. A browser (`Accept: text/html`) is sent to the web page at /app/."""
    if f == "html" or (f is None and _prefers_html(request.headers.get("accept", ""))):
        return RedirectResponse("app/", 303, {"Vary": "Accept"})
    base = base_url(request)
    links = (
        ("self", JSON, "This document", f"{base}/"),
        ("alternate", HTML, "The web page", f"{base}/app/"),
        ("service-desc", OPENAPI_30, "The API as OpenAPI 3.0", f"{base}/openapi-3.0.json"),
        (
            "service-desc",
            "application/openapi+json;version=3.1",
            "The API as OpenAPI 3.1",
            f"{base}/openapi.json",
        ),
        ("service-doc", HTML, "The API for people", f"{base}/docs"),
        ("conformance", JSON, "Standards kept", f"{base}/conformance"),
        ("http://www.opengis.net/def/rel/ogc/1.0/conformance", JSON, "Standards kept", f"{base}/conformance"),
        ("http://www.opengis.net/def/rel/ogc/1.0/processes", JSON, "What can be done", f"{base}/processes"),
        ("http://www.opengis.net/def/rel/ogc/1.0/job-list", JSON, "Jobs", f"{base}/jobs"),
        ("data", JSON, "Results as collections of features", f"{base}/collections"),
    )
    document = {
        "title": "groundproof",
        "description": "Ask satellite and aerial imagery a question; every claim of the answer is a box on the map.",
        "links": [Link(rel=rel, type=kind, title=title, href=href) for rel, kind, title, href in links],
    }
    return JSONResponse(LandingPage.model_validate(document).model_dump(), headers={"Vary": "Accept"})


@router.get("/conformance", summary="Standards kept")
async def conformance() -> Conformance:
    """Conformance classes; each is held to by a test."""
    return Conformance(conformsTo=[*CONFORMS, *features.CONFORMS])


@router.get("/openapi-3.0.json", summary="The API as OpenAPI 3.0", response_class=Response)
async def openapi30(request: Request) -> Response:
    """The same as /openapi.json, which is 3.1, for clients of OGC APIs."""
    return JSONResponse(document30(request.app.openapi()), media_type=OPENAPI_30)


def _prefers_html(accept: str) -> bool:
    """Whether HTML is asked for, and nothing that JSON would do for is asked for as much."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        kind, _, rest = part.strip().partition(";")
        weight = rest.replace(" ", "").partition("q=")[2].partition(";")[0]
        try:
            weights[kind.strip().lower()] = float(weight) if weight else 1.0
        except ValueError:
            weights[kind.strip().lower()] = 0.0
    json = max(weights.get(JSON, 0.0), weights.get("application/*", 0.0))
    return weights.get(HTML, 0.0) > json
