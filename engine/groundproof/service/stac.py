"""A job's result as a STAC item: its addresses around what `outputs.stac` knows.

Knows the service's addresses. Refuses to know STAC's fields.
"""

from __future__ import annotations

from typing import Any

from groundproof.errors import NotReadyError
from groundproof.outputs import stac
from groundproof.service.downloads import Offer
from groundproof.service.jobs.store import Job
from groundproof.service.ogc.features import GEOJSON
from groundproof.tables import Result

_DATA = ("result.gpkg", "result.parquet", "result.geojson")


def stac_item(job: Job, result: Result, offers: list[Offer], base: str) -> dict[str, Any]:
    """The item. offers: the job's files. base: the service's address, without a slash at its end.

    Raises NotReadyError in pixel space, which has no place on the ground, and when no scene has a place.
    """
    address = f"{base}/jobs/{job.job_id}"
    links = (
        {"rel": "self", "type": GEOJSON, "href": f"{address}/stac"},
        {"rel": "via", "type": "application/json", "href": address, "title": "The job"},
        {
            "rel": "items",
            "type": GEOJSON,
            "href": f"{base}/collections/{job.job_id}-evidence/items",
            "title": "The evidence as features",
        },
    )
    assets = {
        _key(offer.name): stac.asset(
            f"{address}/files/{offer.name}", offer.media_type, offer.title, data=offer.name in _DATA
        )
        for offer in offers
    }
    item = stac.stac_item(
        result, job.job_id, stac.Made(job.created, job.updated, job.finished), assets, links
    )
    if item is not None:
        return item
    if result.crs is None:
        raise NotReadyError(
            f"The job {job.job_id} is in pixel space and has no place on the ground, so there is no STAC item. "
            f"Its files are at /jobs/{job.job_id}/files."
        )
    raise NotReadyError(f"No scene of the job {job.job_id} has a place on the ground: no STAC item.")


def _key(name: str) -> str:
    """A file's name as an asset's: `result.gpkg` is "gpkg", `result.tiles.parquet` "tiles-parquet"."""
    return name.removeprefix("result.").replace(".", "-")
