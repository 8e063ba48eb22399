"""Where a raster says it lies: affine or control points, and the CRS, made into a `Grid`.

Knows what counts as a georeference and refuses, in sentences, what does not. Moves no points (that is
`georeference.py`) and reads no pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCRSError
from rasterio.errors import CRSError, RasterioError

from groundproof.boxes import Grid, GroundControlPoint
from groundproof.datasets import short
from groundproof.errors import SceneError, UsageError

if TYPE_CHECKING:
    import rasterio.crs
    from rasterio.io import DatasetReader

MIN_GCPS = 3


@dataclass(frozen=True, slots=True)
class Placement:
    """A grid and what the user should know about how it came to be."""

    grid: Grid
    notes: tuple[str, ...]


def place(dataset: DatasetReader, *, scene_crs: str | None = None, pixel_space: bool = False) -> Placement:
    """The grid of an open raster.

    scene_crs: a CRS as PROJ understands it (EPSG:32631, WKT, a PROJ string); taken in place of the
    file's own. pixel_space: ignore any georeference and place results in pixels.

    Raises:
        UsageError: scene_crs unknown, or both options given.
        SceneError: no georeference, or one that cannot be used.
    """
    name = short(dataset.name)
    width, height = dataset.width, dataset.height
    gcps, gcp_crs = dataset.gcps
    affine: Affine = dataset.transform
    has_affine = affine != Affine.identity()
    if pixel_space:
        if scene_crs is not None:
            raise UsageError("--scene-crs and --pixel-space contradict each other. Give one of them.")
        note = ("The georeference of the file is not used: --pixel-space was asked for.",)
        return Placement(Grid(width, height), note if has_affine or gcps else ())
    given = None if scene_crs is None else parse_crs(scene_crs, "--scene-crs")
    own, notes = _own_crs(dataset, gcp_crs if gcps and not has_affine else None, name, wanted=given is None)
    if not has_affine and not gcps:
        raise SceneError(_no_transform(dataset, name, own, given))
    if given is not None and own is not None and own != given:
        notes.append(f"{name} says {label(own)}; {label(given)} from --scene-crs is used instead.")
    crs = given or own
    if crs is None:
        where = "control points" if gcps and not has_affine else "a place"
        raise SceneError(
            f"{name} has {where} but no coordinate reference system. "
            "Give one with --scene-crs EPSG:32631, or use --pixel-space to get boxes in pixels."
        )
    crs = _horizontal(crs, name, notes)
    if has_affine:
        if abs(affine.determinant) == 0 or not all(np.isfinite(affine[:6])):
            raise SceneError(
                f"{name} has an unusable transform {tuple(affine[:6])}: pixels of no size. "
                "Georeference it again, or use --pixel-space to get boxes in pixels."
            )
        return Placement(Grid(width, height, crs, affine), tuple(notes))
    points = tuple(GroundControlPoint(float(p.col), float(p.row), float(p.x), float(p.y)) for p in gcps)
    _check_gcps(points, name)
    return Placement(Grid(width, height, crs, gcps=points), tuple(notes))


def parse_crs(text: str, option: str) -> CRS:
    """A CRS from what a person typed.

    Raises:
        UsageError: when PROJ does not know it.
    """
    try:
        return CRS.from_user_input(text)
    except ProjCRSError as err:
        raise UsageError(
            f'{option} "{text}" is not a coordinate reference system PROJ knows. '
            "Give an EPSG code such as EPSG:32631, a WKT or a PROJ string."
        ) from err


def label(crs: CRS) -> str:
    """What people call a CRS: its authority code where it has one, else its name."""
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else crs.name


def _own_crs(
    dataset: DatasetReader, of_gcps: rasterio.crs.CRS | None, name: str, *, wanted: bool
) -> tuple[CRS | None, list[str]]:
    """The file's CRS as WKT2. Unreadable: an error when it is needed, else a note."""
    found = of_gcps or dataset.crs
    if not found:
        return None, []
    try:
        return CRS.from_wkt(found.to_wkt(version="WKT2_2019")), []
    except (CRSError, ProjCRSError) as err:
        if wanted:
            raise SceneError(
                f"{name} has a coordinate reference system that cannot be read ({err}). "
                "Give it with --scene-crs EPSG:32631."
            ) from err
        return None, ["The file's own coordinate reference system cannot be read; --scene-crs is used."]


def _horizontal(crs: CRS, name: str, notes: list[str]) -> CRS:
    """The part of a CRS in which x and y are measured."""
    if crs.is_compound:
        notes.append(f"Heights of {label(crs)} are not used.")
        crs = crs.sub_crs_list[0]
    if len(crs.axis_info) == 3 and not crs.is_geocentric:
        crs = crs.to_2d()
    if crs.is_vertical or crs.is_geocentric or len(crs.axis_info) != 2:
        raise SceneError(
            f"{name} has the coordinate reference system {label(crs)}, which is not one of maps. "
            "Give a horizontal one with --scene-crs EPSG:32631."
        )
    if crs.is_engineering:
        notes.append(f"{label(crs)} is a local system: results cannot be put on other maps.")
    return crs


def _no_transform(dataset: DatasetReader, name: str, own: CRS | None, given: CRS | None) -> str:
    if _has_rpc(dataset):
        return (
            f"{name} is located by RPC only, which needs terrain heights. Orthorectify it first "
            "(gdalwarp -rpc IN OUT.tif), or use --pixel-space to get boxes in pixels."
        )
    if given is not None:
        return (
            f"{name} has no transform, so --scene-crs {label(given)} does not say where it lies. Put a world "
            "file beside it or georeference it, or use --pixel-space to get boxes in pixels."
        )
    if own is not None:
        return (
            f"{name} names {label(own)} but has no transform that places its pixels. Put a world file beside "
            "it or georeference it, or use --pixel-space to get boxes in pixels."
        )
    return (
        f"{name} has no georeference: neither a transform nor a coordinate reference system. "
        "Put a world file beside it and give --scene-crs EPSG:32631, "
        "or use --pixel-space to get boxes in pixels."
    )


def _has_rpc(dataset: DatasetReader) -> bool:
    try:
        return bool(dataset.rpcs) or bool(dataset.tags(ns="RPC"))
    except (RasterioError, ValueError, KeyError):  # RPC there, but malformed
        return True


def _check_gcps(points: tuple[GroundControlPoint, ...], name: str) -> None:
    """Refuse control points that cannot place a plane: fewer than three, or all on one line."""
    pixels = np.array([(p.col, p.row) for p in points]).reshape(-1, 2)
    spread = (
        np.linalg.svd(pixels - pixels.mean(axis=0), compute_uv=False) if len(points) >= MIN_GCPS else [0, 0]
    )
    if spread[-1] < 1e-6 * max(float(spread[0]), 1.0):
        raise SceneError(
            f"{name} has {len(points)} ground control points that do not span its plane; at least {MIN_GCPS} "
            "that are not on one line are needed. Add points, or use --pixel-space to get boxes in pixels."
        )
