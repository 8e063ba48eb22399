"""The scenes of a run, opened again when their tiles are to be read, and checked to be the same files.

Knows how a run names and reads its scenes. Refuses to know questions and models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from groundproof.boxes import Tile
from groundproof.dates import on_grid_of
from groundproof.errors import SceneError
from groundproof.reading import TilePixels, TileReader, read_tile
from groundproof.scene import Scene, open_scene
from groundproof.stretch import Stretch, measure_stretch

if TYPE_CHECKING:
    from groundproof.run import RunDirectory

Reading = Iterator[tuple[Tile, "tuple[TilePixels, ...] | Exception"]]


class Views:
    """One scene as the model sees it: its pixels with one stretch; later dates on the same grid, if any."""

    def __init__(self, name: str, dates: tuple[tuple[Scene, Stretch], ...]) -> None:
        self.name = name
        self._dates = dates

    @contextmanager
    def reader(self, tiles: Iterable[Tile]) -> Iterator[Reading]:
        """Tiles in order with the pixels of every date, read ahead; or why one could not be read."""
        scene, stretch = self._dates[0]
        with TileReader(scene, stretch, tiles) as first:
            yield self._all_dates(first)

    def read(self, tile: Tile, image: int = 0) -> TilePixels:
        """One tile of one date, now. Raises ReadError."""
        scene, stretch = self._dates[image]
        return read_tile(scene, stretch, tile)

    def _all_dates(self, first: TileReader) -> Reading:
        for tile, pixels in first:
            if isinstance(pixels, Exception):
                yield tile, pixels
                continue
            try:
                later = tuple(read_tile(scene, stretch, tile) for scene, stretch in self._dates[1:])
            except SceneError as err:
                yield tile, err
                continue
            yield tile, (pixels, *later)


class Sources:
    """Opens the scenes of a run by name."""

    def __init__(self, run: RunDirectory) -> None:
        self._config = run.config
        self._rows = {str(row["scene"]): row for row in run.scenes}

    @contextmanager
    def views(self, name: str) -> Iterator[Views]:
        """Raises SceneError when a file is gone, or is another one than was planned."""
        config = self._config
        with ExitStack() as stack:
            first = stack.enter_context(
                open_scene(
                    self._rows[name]["path"],
                    scene_crs=config.scene_crs,
                    pixel_space=config.pixel_space,
                    bands=config.bands,
                )
            )
            self._check(first, name)
            dates = [first]
            for later in [row for row in self._rows if row != name] if config.compares_dates else []:
                path = self._rows[later]["path"]
                with open_scene(path, scene_crs=config.scene_crs, bands=config.bands) as scene:
                    self._check(scene, later)
                dates.append(stack.enter_context(on_grid_of(first, path, config.bands, config.scene_crs)))
            yield Views(name, tuple((scene, measure_stretch(scene)) for scene in dates))

    def _check(self, scene: Scene, name: str) -> None:
        if scene.content_id != self._rows[name]["content_id"]:
            raise SceneError(
                f"{scene.path} is not the file this run was planned with (it was changed or replaced). "
                "Put the old one back, or start a new run with --fresh."
            )
