"""A result as a STAC 1.1 item, for catalogues.

Knows STAC and its extensions projection 2.0 and processing 1.2. Refuses to know HTTP and files' contents.

Of the machine learning model extension (mlm 1.4, a candidate) only `mlm:name` and `mlm:tasks` are given, and it
is not declared in `stac_extensions`: its schema describes models, and asks for what an item of a model's output
cannot say.

Sources: https://github.com/radiantearth/stac-spec/blob/v1.1.0/item-spec/item-spec.md,
https://github.com/stac-extensions/projection, https://github.com/stac-extensions/processing,
https://github.com/stac-extensions/mlm
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd
import shapely

from groundproof.frames import named_rows
from groundproof.outputs import jsontext
from groundproof.outputs.files import replacing
from groundproof.outputs.footprints import bbox, footprints, interval
from groundproof.tables import TABLES, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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

_TOLD = 20
"""So many scenes and answers are named; of the others, how many there are."""

_PARQUET = "application/vnd.apache.parquet"
_MEDIA_TYPES = {
    ".gpkg": "application/geopackage+sqlite3",
    ".parquet": _PARQUET,
    ".geojson": "application/geo+json",
    ".csv": "text/csv",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True)
class Made:
    """When a result came to be, RFC 3339. finished: when the model's last answer was there; None: not yet."""

    created: str
    updated: str
    finished: str | None = None


def stac_item(
    tables: Tables, item_id: str, made: Made, assets: dict[str, Any], links: Iterable[dict[str, Any]] = ()
) -> dict[str, Any] | None:
    """The item; None in pixel space, which has no place on the ground, and when no scene has a place.

    assets: see `asset`. Scenes and answers are read in chunks; of the scenes, the footprints are held in memory.
    """
    if tables.crs is None:
        return None
    shapes = [shape for frame in tables.frames("scenes") for shape in footprints(frame)]
    there = shapely.get_parts([shape for shape in shapes if shape is not None])
    box = bbox(there)
    if box is None:
        return None
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(EXTENSIONS),
        "id": item_id,
        "geometry": dict(shapely.geometry.mapping(shapely.orient_polygons(shapely.union_all(there)))),
        "bbox": list(box),
        "properties": {
            **_answers(tables),
            **_times(tables, made),
            "created": made.created,
            "updated": made.updated,
            **_projection(tables),
            **_processing(tables, made),
        },
        "links": list(links),
        "assets": assets,
    }


def asset(href: str, media_type: str, title: str, *, data: bool) -> dict[str, Any]:
    """A file of the result. data: it holds the evidence, alone or with everything else."""
    roles = ["data"] if data else ["overview"] if media_type == "image/png" else ["metadata"]
    return {"href": href, "type": media_type, "title": title, "roles": roles}


def write_stac(tables: Tables, files: Iterable[Path], path: Path) -> Path | None:
    """Writes the item of a result beside it: harbours.gpkg and the folder harbours/ give harbours.stac.json.

    files: what was made, as `write` returns it, and other files such as the summary: the item's assets, by relative
    address. path: the result's. Returns the item's path; None where there is none, see `stac_item`.

    Raises:
        OutputError: see `files.replacing`.
    """
    target = path.with_name(f"{path.stem}.stac.json")
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    run = tables.metadata.get("run_id")
    item_id = f"{path.stem}-{run}" if run else path.stem
    item = stac_item(tables, item_id, Made(now, now, now), dict(_assets(files, path)))
    if item is None:
        return None
    with replacing(target) as temporary:
        temporary.write_text(jsontext.dumps(item) + "\n", encoding="utf-8", newline="\n")
    return target


def _assets(files: Iterable[Path], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of a folder its tables are assets, not each of their files."""
    listed = list(files)
    folders = [file for file in listed if file.is_dir()]
    for folder in folders:
        for name in TABLES:
            href = _relative(folder / name, path) + "/"
            yield name, asset(href, _PARQUET, f"GeoParquet files: {name}", data=name == "evidence")
    for file in listed:
        if file in folders or any(folder in file.parents for folder in folders):
            continue
        key = file.name.removeprefix(f"{path.stem}.").replace(".", "-")
        media_type = _MEDIA_TYPES.get(file.suffix.lower(), "application/octet-stream")
        # harbours.tiles.parquet holds the tiles, harbours.parquet the evidence.
        other_table = any(file.stem == f"{path.stem}.{name}" for name in TABLES)
        data = file.suffix.lower() in (".gpkg", ".parquet", ".geojson") and not other_table
        yield key, asset(_relative(file, path), media_type, file.name, data=data)


def _relative(file: Path, path: Path) -> str:
    """Address of a file as seen from the item, which lies beside `path`."""
    return quote("./" + Path(os.path.relpath(file, path.parent)).as_posix())


def _answers(tables: Tables) -> dict[str, Any]:
    """Title, description and tasks: one pass over the answers."""
    questions: dict[str, None] = {}
    tasks: dict[str, None] = {}
    said: list[str] = []
    for frame in tables.frames("answers"):
        questions |= dict.fromkeys(frame.question.astype(str))
        tasks |= dict.fromkeys(_MLM_TASKS.get(str(task), "other") for task in frame.task)
        for row in islice(named_rows(frame), _TOLD - len(said)):
            said.append(f"{row.scene}: {row.answer} ({(row.coverage or {}).get('sentence')})")  # noqa: PERF401
    more = tables.count("answers") - len(said)
    return {
        "title": "; ".join(questions) or "No scene could be read",
        "description": "\n\n".join([*said, *([f"And {more} more answers."] if more else [])]) or "No answer.",
        "mlm:name": str(tables.metadata.get("model")),
        "mlm:tasks": list(tasks),
    }


def _times(tables: Tables, made: Made) -> dict[str, Any]:
    """The scenes' dates. STAC wants one: where no scene says, it is when the question was asked."""
    dates = [frame[["datetime"]] for frame in tables.frames("scenes")]
    taken = interval(pd.concat(dates)) if dates else None
    if taken is None:
        return {"datetime": made.created}
    if taken[0] == taken[1]:
        return {"datetime": taken[0]}
    return {"datetime": None, "start_datetime": taken[0], "end_datetime": taken[1]}


def _projection(tables: Tables) -> dict[str, Any]:
    """Of the result; and the grid of the scene, where there is one scene on that CRS."""
    crs = tables.crs
    if crs is None:
        return {}
    authority = crs.to_authority(min_confidence=100)
    found: dict[str, Any] = (
        {"proj:code": ":".join(authority)}
        if authority
        else {"proj:code": None, "proj:wkt2": crs.to_wkt("WKT2_2019")}
    )
    if tables.count("scenes") == 1:
        (frame,) = tables.frames("scenes")
        scene = frame.iloc[0]
        if scene.affine is not None and crs.equals(scene.crs_wkt):
            found["proj:shape"] = [int(scene.height), int(scene.width)]
            found["proj:transform"] = [float(v) for v in scene.affine]
    return found


def _processing(tables: Tables, made: Made) -> dict[str, Any]:
    names = (str(name) for frame in tables.frames("scenes") for name in frame.scene)
    scenes = ", ".join(islice(names, _TOLD))
    more = tables.count("scenes") - _TOLD
    return {
        "processing:lineage": f"The model {tables.metadata.get('model')} was asked about {scenes}"
        f"{f' and {more} more scenes' if more > 0 else ''} in tiles; its boxes were placed on the ground, merged, "
        "numbered and checked against its sentences.",
        "processing:software": {str(k): str(v) for k, v in (tables.metadata.get("versions") or {}).items()},
        "processing:datetime": made.finished or made.updated,
    }
