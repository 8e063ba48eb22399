"""A later date of a place, seen on the first date's grid: the only place where pixels are warped.

Knows two scenes and GDAL's warper. Refuses to know tiles and questions. Everywhere else boxes are moved,
never pixels; to compare dates, the model must see the same ground in both images.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rasterio
import rasterio.shutil
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from shapely.geometry import box

from groundproof.boxes import Grid
from groundproof.errors import SceneError
from groundproof.georeference import Georeferencer
from groundproof.scene import Scene, open_scene


def check_dates(first: Grid, later: Grid, name: str) -> None:
    """Raise SceneError when `later` cannot be shown on the grid of `first`: no affine, or no common ground."""
    if first.affine is None or first.crs is None or later.is_pixel_space:
        raise SceneError(
            f"{name} cannot be compared: dates are laid over each other by their georeference, and the first needs "
            "an affine one. Warp the first scene to a map projection, then ask again."
        )
    footprint = Georeferencer(later, first.crs).footprint()
    shared = None if footprint is None else Georeferencer(first).geometry_to_pixels(footprint)
    if shared is None or shared.intersection(box(0, 0, first.width, first.height)).area <= 0:
        raise SceneError(
            f"{name} does not overlap the first scene, so nothing can be compared. Give dates of one place."
        )


@contextmanager
def on_grid_of(
    first: Scene, path: str, bands: tuple[int, ...] | None, scene_crs: str | None
) -> Iterator[Scene]:
    """The scene at `path`, bilinearly warped onto the grid of `first`; outside its footprint nothing is valid.

    Raises SceneError when it cannot be opened or does not overlap.
    """
    grid = first.grid
    with open_scene(path, scene_crs=scene_crs, bands=bands) as later:
        check_dates(grid, later.grid, later.name)
        source_crs = later.grid.crs
        indexes = later.bands.indexes
    assert grid.crs is not None and source_crs is not None  # noqa: S101, PT018 - check_dates
    with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
        warped = Path(scratch) / f"{later.name}.vrt"
        try:
            with (
                rasterio.open(path) as source,
                WarpedVRT(
                    source,
                    src_crs=source_crs.to_wkt(),
                    crs=grid.crs.to_wkt(),
                    transform=grid.affine,
                    width=grid.width,
                    height=grid.height,
                    resampling=Resampling.bilinear,
                    add_alpha=source.nodata is None and source.colorinterp[-1].name != "alpha",
                ) as vrt,
            ):
                rasterio.shutil.copy(vrt, warped, driver="VRT")
        except RasterioError as err:
            raise SceneError(f"{later.name} cannot be warped onto {first.name}: {err}.") from err
        with open_scene(warped, bands=tuple(indexes)) as scene:
            yield scene
