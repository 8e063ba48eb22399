"""Scenes as a person sees them beside an answer: a picture of what the model saw, and where its pixels lie.

Knows scenes and runs. Refuses to know HTTP and maps.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from PIL import Image

from groundproof.areas import areas
from groundproof.boxes import Grid, Tile, Window
from groundproof.errors import NotFoundError, SceneError
from groundproof.georeference import Georeferencer
from groundproof.outputs.geojson import CRS84
from groundproof.placement import label
from groundproof.planning import grid_of
from groundproof.projecting import project
from groundproof.reading import read_tile
from groundproof.run import RunDirectory
from groundproof.scene import Scene, open_scene
from groundproof.service.documents import crs_name
from groundproof.service.jobs.asking import AskRequest
from groundproof.sources import Sources
from groundproof.stretch import measure_stretch

MAX_SIDE_PX = 2048
"""Of a picture."""

NODES = 17
"""Of the grid of places, each way. Between nodes 6 km apart a UTM zone's bend is below 0.3 m."""

WEBP_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Subject:
    """One scene to be shown. path: what the engine opens. image: which date, where dates are compared.

    run: the run that asks about it, whose pixels are then shown; None before there is one.
    scene: its name in that run, of the first date where dates are compared.
    """

    path: str
    scene_crs: str | None = None
    bands: tuple[int, ...] | None = None
    pixel_space: bool = False
    run: RunDirectory | None = None
    scene: str = ""
    image: int = 0


def of_run(run: RunDirectory) -> list[Subject]:
    """The readable scenes of a run, in their order."""
    rows = [row for row in run.scenes if row["status"] == "ok"]
    config = run.config
    return [
        Subject(
            str(row["path"]),
            config.scene_crs,
            config.bands,
            config.pixel_space,
            run,
            str(rows[0]["scene"] if config.compares_dates else row["scene"]),
            number if config.compares_dates else 0,
        )
        for number, row in enumerate(rows)
    ]


def of_request(request: AskRequest, paths: Sequence[str]) -> list[Subject]:
    """The scenes of a question whose run has not begun. paths: what the request's references mean."""
    return [Subject(path, request.scene_crs, request.bands, request.pixel_space) for path in paths]


def describe(subject: Subject) -> dict[str, Any]:
    """Name, size, CRS and places of a scene; JSON-able. Raises SceneError.

    areas: rings of [column, row] around the parts that the run asks about, where that is not the whole scene.
    crs: as a request names it, crs_label: as people do; both None in pixel space. places: columns and rows
    (pixel corners) of a grid of nodes, and row by row their [x, y] in the CRS and [lon, lat], None where
    there is no place. Longitudes are continuous and may pass 180.
    """
    run = subject.run
    if run is not None:
        row = next(row for row in run.scenes if row["scene"] == subject.scene)
        grid, name, gsd = grid_of(row), row["scene"], row["gsd_m"]
        date = next(row["datetime"] for row in run.scenes if row["path"] == subject.path)
    else:
        with _opened(subject) as scene:
            grid, name, gsd, date = scene.grid, scene.name, scene.gsd_m, scene.datetime
    return {
        "name": name,
        "image": subject.image,
        "width": grid.width,
        "height": grid.height,
        "gsd_m": gsd,
        "datetime": None if date is None else str(date),
        "crs": crs_name(grid.crs),
        "crs_label": None if grid.crs is None else label(grid.crs),
        "places": _places(grid),
        "areas": [] if run is None else _areas(run, subject.scene),
    }


def picture(subject: Subject, side_px: int) -> bytes:
    """The whole scene as WebP, at most `side_px` on its longer side, bands and brightness as the model sees them.

    Raises SceneError when its pixels cannot be read, or are others than its run was planned with.
    """
    if subject.run is not None:
        with Sources(subject.run).views(subject.scene) as views:
            row = next(row for row in subject.run.scenes if row["scene"] == subject.scene)
            rgb = views.read(_whole(int(row["width"]), int(row["height"]), side_px), subject.image).rgb
    else:
        with _opened(subject) as scene:
            rgb = read_tile(scene, measure_stretch(scene), _whole(scene.width, scene.height, side_px)).rgb
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "WEBP", quality=WEBP_QUALITY, method=2)
    return file.getvalue()


@contextmanager
def _opened(subject: Subject) -> Iterator[Scene]:
    """The scene; in pixel space when it has no place, so that it can be looked at before somebody gives one."""
    try:
        scene = open_scene(
            subject.path,
            scene_crs=subject.scene_crs,
            pixel_space=subject.pixel_space,
            bands=subject.bands,
        )
    except SceneError:
        scene = open_scene(subject.path, pixel_space=True, bands=subject.bands)
    with scene:
        yield scene


def _whole(width: int, height: int, side_px: int) -> Tile:
    scale = min(1.0, min(side_px, MAX_SIDE_PX) / max(width, height))
    return Tile(0, Window(0, 0, width, height), max(1, round(width * scale)), max(1, round(height * scale)))


def _places(grid: Grid) -> dict[str, Any] | None:
    if grid.is_pixel_space or grid.crs is None:
        return None
    columns, rows = np.linspace(0, grid.width, NODES), np.linspace(0, grid.height, NODES)
    col, row = np.meshgrid(columns, rows)
    georeferencer = Georeferencer(grid)
    xy = np.stack(georeferencer.to_map_points(col, row), axis=-1)
    lonlat = project(xy, georeferencer.crs or grid.crs, CRS84, None)
    if np.ptp(lonlat[..., 0]) > 180:
        lonlat[..., 0] = np.where(lonlat[..., 0] < 0, lonlat[..., 0] + 360, lonlat[..., 0])
    return {
        "columns": columns.tolist(),
        "rows": rows.tolist(),
        "xy": _pairs(xy),
        "lonlat": _pairs(lonlat),
    }


def _areas(run: RunDirectory, scene: str) -> list[list[list[float]]]:
    parts = [area.aoi_px for area in areas(run) if area.scene["scene"] == scene and not area.whole_scene]
    return [[list(point) for point in ring.exterior.coords] for ring in shapely.get_parts(parts)]


def _pairs(points: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[float] | None]:
    return [[float(x), float(y)] if np.isfinite([x, y]).all() else None for x, y in points.reshape(-1, 2)]


def nth(subjects: Sequence[Subject], number: int) -> Subject:
    """Raises NotFoundError."""
    if not 0 <= number < len(subjects):
        raise NotFoundError(
            f"There is no scene {number}; scenes are counted from 0 and there are {len(subjects)}."
        )
    return subjects[number]
