"""A job's result as a STAC 1.1 item, for catalogues.

Knows STAC and its extensions projection 2.0 and processing 1.2. Refuses to know HTTP and files' contents.

Of the machine learning model extension (mlm 1.4, a candidate) only `mlm:name` and `mlm:tasks` are given, and it
is not declared in `stac_extensions`: its schema describes models, and asks for what an item of a model's output
cannot say.

Sources: https://github.com/radiantearth/stac-spec/blob/v1.1.0/item-spec/item-spec.md,
https://github.com/stac-extensions/projection, https://github.com/stac-extensions/processing,
https://github.com/stac-extensions/mlm
"""

from __future__ import annotations

from typing import Any

import shapely

from groundproof.errors import NotReadyError
from groundproof.frames import named_rows
from groundproof.service.downloads import Offer
from groundproof.service.jobs.store import Job
from groundproof.service.ogc.features import GEOJSON
from groundproof.service.ogc.footprints import bbox, footprints, interval
from groundproof.tables import Result

EXTENSIONS = (
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
)

_MLM_TASKS = {
    "detect": "object-detection",
    "ground": "object-detection",
    "count": "object-detection",
    "classify": "scene-classification",
    "caption": "image-captioning",
    "region-caption": "image-captioning",
    "grounded-caption": "image-captioning",
    "change": "change-detection",
}
"""Our tasks in that extension's words; others are "other"."""

_ROLES = {"result.gpkg": ["data"], "result.parquet": ["data"], "result.geojson": ["data"]}


def stac_item(job: Job, result: Result, offers: list[Offer], base: str) -> dict[str, Any]:
    """The item. offers: the job's files. base: the service's address, without a slash at its end.

    Raises NotReadyError in pixel space, which has no place on the ground, and when no scene has a place.
    """
    scenes = result.scenes
    if scenes.crs is None:
        raise NotReadyError(
            f"The job {job.job_id} is in pixel space and has no place on the ground, so there is no STAC item. "
            f"Its files are at /jobs/{job.job_id}/files."
        )
    shapes = footprints(scenes)
    box = bbox(shapes)
    if box is None:
        raise NotReadyError(f"No scene of the job {job.job_id} has a place on the ground: no STAC item.")
    footprint = shapely.orient_polygons(shapely.union_all(shapes))
    address = f"{base}/jobs/{job.job_id}"
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": job.job_id,
        "geometry": dict(shapely.geometry.mapping(footprint)),
        "bbox": list(box),
        "properties": {
            "title": _question(result),
            "description": _description(result),
            **_times(job, result),
            "created": job.created,
            "updated": job.updated,
            **_projection(result),
            **_processing(job, result),
            **_model(result),
        },
        "links": [
            {"rel": "self", "type": GEOJSON, "href": f"{address}/stac"},
            {"rel": "via", "type": "application/json", "href": address, "title": "The job"},
            {
                "rel": "items",
                "type": GEOJSON,
                "href": f"{base}/collections/{job.job_id}-evidence/items",
                "title": "The evidence as features",
            },
        ],
        "assets": {_key(offer.name): _asset(offer, address) for offer in offers},
    }


def _question(result: Result) -> str:
    return "; ".join(dict.fromkeys(str(q) for q in result.answers.question)) or "No scene could be read"


def _description(result: Result) -> str:
    said = [
        f"{row.scene}: {row.answer} ({(row.coverage or {}).get('sentence')})"
        for row in named_rows(result.answers.head(20))
    ]
    more = len(result.answers) - len(said)
    return "\n\n".join([*said, *([f"And {more} more answers."] if more else [])]) or "No answer."


def _times(job: Job, result: Result) -> dict[str, Any]:
    """The scenes' dates. STAC wants one: where no scene says, it is when the question was asked."""
    taken = interval(result.scenes)
    if taken is None:
        return {"datetime": job.created}
    if taken[0] == taken[1]:
        return {"datetime": taken[0]}
    return {"datetime": None, "start_datetime": taken[0], "end_datetime": taken[1]}


def _projection(result: Result) -> dict[str, Any]:
    """Of the result; and the grid of the scene, where there is one scene on that CRS."""
    crs = result.scenes.crs
    authority = crs.to_authority(min_confidence=100)
    found: dict[str, Any] = (
        {"proj:code": ":".join(authority)}
        if authority
        else {"proj:code": None, "proj:wkt2": crs.to_wkt("WKT2_2019")}
    )
    scene = result.scenes.iloc[0]
    if len(result.scenes) == 1 and scene.affine is not None and crs.equals(scene.crs_wkt):
        found["proj:shape"] = [int(scene.height), int(scene.width)]
        found["proj:transform"] = [float(v) for v in scene.affine]
    return found


def _processing(job: Job, result: Result) -> dict[str, Any]:
    metadata = result.metadata
    scenes = ", ".join(str(name) for name in result.scenes.scene.head(20))
    return {
        "processing:lineage": f"The model {metadata.get('model')} was asked about {scenes} in tiles; its boxes were "
        "placed on the ground, merged, numbered and checked against its sentences.",
        "processing:software": {str(k): str(v) for k, v in (metadata.get("versions") or {}).items()},
        "processing:datetime": job.finished or job.updated,
    }


def _model(result: Result) -> dict[str, Any]:
    tasks = dict.fromkeys(_MLM_TASKS.get(str(task), "other") for task in result.answers.task)
    return {"mlm:name": str(result.metadata.get("model")), "mlm:tasks": list(tasks)}


def _key(name: str) -> str:
    """A file's name as an asset's: `result.gpkg` is "gpkg", `result.tiles.parquet` "tiles-parquet"."""
    return name.removeprefix("result.").replace(".", "-")


def _asset(offer: Offer, address: str) -> dict[str, Any]:
    roles = _ROLES.get(offer.name, ["overview"] if offer.media_type == "image/png" else ["metadata"])
    return {
        "href": f"{address}/files/{offer.name}",
        "type": offer.media_type,
        "title": offer.title,
        "roles": roles,
    }
