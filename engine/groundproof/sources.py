"""The scenes of a run, opened again when their tiles are to be read, and checked to be the same files.

Knows how a run names and reads its scenes. Refuses to know questions and models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from groundproof.boxes import Tile
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

    @property
    def first(self) -> Scene:
        """The scene whose grid everything lies on."""
        return self._dates[0][0]

    @contextmanager
    def reader(self, tiles: Iterable[Tile]) -> Iterator[Reading]:
        """Tiles in order with the pixels of every date, read ahead; or why one could not be read."""
        scene, stretch = self._dates[0]
        with TileReader(scene, stretch, tiles) as first:
            yield self._all_dates(first)

    def read(self, tile: Tile) -> TilePixels:
        """One tile of the first date, now. Raises ReadError."""
        scene, stretch = self._dates[0]
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
        """Raises SceneError when the file is gone, or is another one than was planned."""
        row = self._rows[name]
        with open_scene(
            row["path"],
            scene_crs=self._config.scene_crs,
            pixel_space=self._config.pixel_space,
            bands=self._config.bands,
        ) as scene:
            if scene.content_id != row["content_id"]:
                raise SceneError(
                    f"{row['path']} is not the file this run was planned with (it was changed or replaced). "
                    "Put the old one back, or start a new run with --fresh."
                )
            yield Views(name, ((scene, measure_stretch(scene)),))
