"""The results of jobs as collections of features (OGC API - Features): one for each table and job.

Knows how collections are named and described. Refuses to know HTTP; `item_queries` reads requests, `layers`
finds rows.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from pyproj import CRS

from groundproof.errors import NotFoundError, UsageError
from groundproof.outputs import read_table
from groundproof.outputs.footprints import bbox, footprints, interval
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.jobs.store import Job, JobStore
from groundproof.service.ogc.crs_names import CRS84_URI, StoredCrs
from groundproof.service.ogc.item_queries import is_stored, items_query, only_known
from groundproof.service.ogc.layers import FILTERS, Layer
from groundproof.service.ogc.snapshots import Snapshots
from groundproof.tables import TABLES

GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"

_TITLES = {
    "evidence": "boxes the answer rests on",
    "answers": "the answer and the area it is about",
    "tiles": "what the model looked at",
    "scenes": "the imagery",
}
_JSON_TYPES = {"str": "string", "json": "string", "time": "string", "int": "integer", "float": "number"}


@dataclass(frozen=True, slots=True)
class Theme:
    """What a job's collections have in common, which does not change while it runs.

    bbox: of the scenes, CRS84 (west, south, east, north); west over east around the antimeridian. interval:
    RFC 3339, when the scenes were taken. crs: None in pixel space.
    """

    question: str
    crs: CRS | None
    bbox: tuple[float, float, float, float] | None
    interval: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Page:
    """A document and the CRS of its geometries."""

    document: dict[str, Any]
    crs: str


class Features:
    """Everything below /collections. base: the service's address, without a slash at its end."""

    def __init__(self, jobs: JobStore, snapshots: Snapshots) -> None:
        self._jobs = jobs
        self._snapshots = snapshots
        self._themes: dict[str, Theme] = {}
        self._lock = threading.Lock()

    def collections(self, base: str) -> dict[str, Any]:
        """All collections, those of the newest job first. Jobs in pixel space have none."""
        jobs = self._jobs.all()
        with self._lock:
            self._themes = {
                job.job_id: self._themes[job.job_id] for job in jobs if job.job_id in self._themes
            }
        found: list[dict[str, Any]] = []
        in_pixels: list[str] = []
        for job in jobs:
            try:
                theme = self._theme(job)
            except UsageError:  # not begun, damaged or just deleted: asked for by its name it says so itself
                continue
            if theme.crs is None:
                in_pixels.append(job.job_id)
            else:
                found += [_collection(job, theme, table, base) for table in TABLES]
        document: dict[str, Any] = {
            "links": [_link("self", f"{base}/collections", "All collections")],
            "crs": [CRS84_URI],
            "collections": found,
        }
        if in_pixels:
            document["description"] = (
                "Jobs in pixel space have no longitude and so no collections. Their files: "
                + ", ".join(f"{base}/jobs/{job_id}/files" for job_id in in_pixels[:100])
            )
        return document

    def collection(self, name: str, base: str) -> dict[str, Any]:
        """One collection's description. Raises NotFoundError, NotReadyError."""
        job, table, theme = self._find(name)
        return _collection(job, theme, table, base)

    def schema(self, name: str, base: str) -> dict[str, Any]:
        """Its features' properties as JSON Schema. Raises NotFoundError, NotReadyError."""
        self._find(name)
        return _schema(name.rpartition("-")[2], f"{base}/collections/{name}/schema")

    def items(self, name: str, given: Sequence[tuple[str, str]], base: str) -> Page:
        """One page of features. given: the request's parameters. Raises ParameterError and as above."""
        job, table, theme = self._find(name)
        stored = _stored(theme)
        query = items_query(given, FILTERS[table], stored)
        snapshot = self._snapshots.get(job.job_id, query.snapshot)
        layer = snapshot.layer(table)
        rows = layer.select(query.selection)
        page = rows[query.offset : query.offset + query.limit]
        address = f"{base}/collections/{name}"
        pairs = [(key, text) for key, text in given if key not in ("offset", "snapshot")]
        links = [
            _link("self", f"{address}/items" + _query(given), "This page", GEOJSON),
            _link("collection", address, "The collection"),
        ]
        following = query.offset + len(page)
        if len(page) and following < len(rows):
            going_on = [*pairs, ("offset", str(following)), ("snapshot", snapshot.version)]
            links.append(_link("next", f"{address}/items{_query(going_on)}", "The next page", GEOJSON))
        document = {
            "type": "FeatureCollection",
            "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "numberMatched": len(rows),
            "numberReturned": len(page),
            "links": links,
            "features": _features(layer, page, stored if query.stored else None),
        }
        return Page(document, stored.uri if stored is not None and query.stored else CRS84_URI)

    def item(self, name: str, feature: str, given: Sequence[tuple[str, str]], base: str) -> Page:
        """One feature. Raises as `items`."""
        job, table, theme = self._find(name)
        only_known((key for key, _ in given), ("crs",))
        stored = _stored(theme)
        wants_stored = is_stored(dict(given).get("crs"), stored)
        layer = self._snapshots.get(job.job_id).layer(table)
        row = layer.position(feature)
        if row is None:
            raise NotFoundError(f"The collection {name} has no feature {feature[:100]!r}.")
        (document,) = _features(layer, [row], stored if wants_stored else None)
        address = f"{base}/collections/{name}"
        document["links"] = [
            _link("self", f"{address}/items/{quote(feature, safe='')}", "This feature", GEOJSON),
            _link("collection", address, "The collection"),
        ]
        return Page(document, stored.uri if stored is not None and wants_stored else CRS84_URI)

    def _find(self, name: str) -> tuple[Job, str, Theme]:
        job_id, _, table = name.rpartition("-")
        if table not in TABLES:
            raise NotFoundError(f"There is no collection {name[:100]!r}. GET /collections lists all.")
        job = self._jobs.get(job_id)
        theme = self._theme(job)
        if theme.crs is None:
            raise NotFoundError(
                f"The job {job_id} is in pixel space: its boxes have no longitude, so it has no collections. "
                f"Its files are at /jobs/{job_id}/files."
            )
        return job, table, theme

    def _theme(self, job: Job) -> Theme:
        with self._lock:
            theme = self._themes.get(job.job_id)
        if theme is None:
            theme = self._read_theme(job)
            with self._lock:
                self._themes[job.job_id] = theme
        return theme

    def _read_theme(self, job: Job) -> Theme:
        file = self._jobs.folder(job.job_id) / RESULT
        if file.exists():  # its two small tables: a list of jobs must not read everything they found
            scenes, answers = read_table(file, "scenes"), read_table(file, "answers")
        else:
            result = self._snapshots.get(job.job_id).result
            scenes, answers = result.scenes, result.answers
        question = str(answers.question.iloc[0]) if len(answers) else "No scene could be read"
        question += f" ({', '.join(scenes.scene[:3])}{', ...' if len(scenes) > 3 else ''})"
        if scenes.crs is None:
            return Theme(question, None, None, None)
        return Theme(question, scenes.crs, bbox(footprints(scenes)), interval(scenes))


def _stored(theme: Theme) -> StoredCrs | None:
    return None if theme.crs is None else StoredCrs.of(theme.crs)


def _collection(job: Job, theme: Theme, table: str, base: str) -> dict[str, Any]:
    name = f"{job.job_id}-{table}"
    address = f"{base}/collections/{name}"
    stored = _stored(theme)
    extent: dict[str, Any] = {}
    if theme.bbox is not None:
        extent["spatial"] = {"bbox": [list(theme.bbox)], "crs": CRS84_URI}
    if theme.interval is not None:
        extent["temporal"] = {"interval": [list(theme.interval)]}
    document: dict[str, Any] = {
        "id": name,
        "title": f"{theme.question} ({table})",
        "description": f"{_TITLES[table].capitalize()}. Job of {job.created}, {job.status}"
        + ("." if job.ended else ": what has been answered so far; names of features may still change."),
        "itemType": "feature",
        "crs": list(dict.fromkeys([CRS84_URI, *([stored.uri] if stored is not None else [])])),
        "links": [
            _link("self", address, "This collection"),
            _link("items", f"{address}/items", "Its features", GEOJSON),
            _link("describedby", f"{address}/schema", "Their properties", SCHEMA),
            _link("related", f"{base}/jobs/{job.job_id}", "The job"),
            _link("enclosure", f"{base}/jobs/{job.job_id}/files", "The same as files"),
        ],
    }
    if extent:
        document["extent"] = extent
    if stored is not None:
        document["storageCrs"] = stored.uri
    return document


def _schema(table: str, address: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        column.name: {"title": column.name, "description": column.meaning, "type": _JSON_TYPES[column.kind]}
        | ({"format": "date-time"} if column.kind == "time" else {})
        for column in TABLES[table]
    }
    properties["geometry"] = {"x-ogc-role": "primary-geometry", "format": "geometry-polygon-or-multipolygon"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "type": "object",
        "title": _TITLES[table].capitalize(),
        "properties": properties,
    }


def _features(layer: Layer, rows: Any, stored: StoredCrs | None) -> list[dict[str, Any]]:
    return layer.features(rows, stored=stored is not None, swapped=stored is not None and stored.swapped)


def _query(pairs: Sequence[tuple[str, str]]) -> str:
    text = urlencode(list(pairs))
    return f"?{text}" if text else ""


def _link(rel: str, href: str, title: str, kind: str = "application/json") -> dict[str, str]:
    return {"rel": rel, "type": kind, "title": title, "href": href}
