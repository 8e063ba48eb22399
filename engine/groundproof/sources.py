"""The scenes of a run, opened again when their tiles are to be read, and checked to be the same files.

Knows how a run names and reads its scenes. Refuses to know questions and models.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from groundproof.boxes import Tile
from groundproof.datasets import is_remote
from groundproof.dates import on_grid_of
from groundproof.errors import SceneError, UnreachableError
from groundproof.reading import RawTile, TilePixels, finish_tile, read_raw, read_tile
from groundproof.scene import Scene, open_scene
from groundproof.stretch import Stretch, measure_stretch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from groundproof.run import RunDirectory

KEPT_STRETCHES = 8
"""Scenes whose brightness is remembered: one that is opened again after a failed read is measured once."""

Stamp = tuple[int, int] | None
"""Size and time of a local file's last change; None for what is no local file."""


class Views:
    """One scene as the model sees it: its pixels with one stretch; later dates on the same grid, if any."""

    def __init__(
        self, name: str, dates: tuple[tuple[Scene, Stretch], ...], stamps: tuple[tuple[str, Stamp], ...] = ()
    ) -> None:
        self.name = name
        self._dates = dates
        self._stamps = stamps

    def read(self, tile: Tile, image: int = 0) -> TilePixels:
        """One tile of one date, now. Raises ReadError."""
        scene, stretch = self._dates[image]
        return read_tile(scene, stretch, tile)

    def decode(
        self, tile: Tile, spare: Callable[[], NDArray[np.generic] | None] = lambda: None
    ) -> tuple[RawTile, ...]:
        """The first half of reading every date of one tile, with this thread's handles; see `read_raw`.

        Raises ReadError, and SceneError when a file has changed since it was opened.
        """
        raw = tuple(read_raw(scene, tile, spare()) for scene, _ in self._dates)
        for path, stamp in self._stamps:
            if _stamp(path) != stamp:
                raise _changed(path)
        return raw

    def finish(self, raw: tuple[RawTile, ...], tile: Tile) -> tuple[TilePixels, ...]:
        """The second half, in any thread, also when the scene is closed again."""
        return tuple(
            finish_tile(piece, stretch, tile) for piece, (_, stretch) in zip(raw, self._dates, strict=True)
        )


class Sources:
    """Opens the scenes of a run by name, from any thread."""

    def __init__(self, run: RunDirectory) -> None:
        self._config = run.config
        self._rows = {str(row["scene"]): row for row in run.scenes}
        self._stretches: dict[str, tuple[Stretch, ...]] = {}

    @contextmanager
    def views(self, name: str) -> Iterator[Views]:
        """Raises SceneError when a file is gone, or is another one than was planned."""
        config = self._config
        names = [name]
        if config.compares_dates:
            names += [row for row in self._rows if row != name]
        paths = [str(self._rows[one]["path"]) for one in names]
        stamps = tuple((path, _stamp(path)) for path in paths)
        with ExitStack() as stack:
            first = stack.enter_context(
                open_scene(
                    paths[0],
                    scene_crs=config.scene_crs,
                    pixel_space=config.pixel_space,
                    bands=config.bands,
                )
            )
            self._check(first, name)
            dates = [first]
            for later, path in zip(names[1:], paths[1:], strict=True):
                with open_scene(path, scene_crs=config.scene_crs, bands=config.bands) as scene:
                    self._check(scene, later)
                dates.append(stack.enter_context(on_grid_of(first, path, config.bands, config.scene_crs)))
            yield Views(name, tuple(zip(dates, self._stretches_of(name, dates), strict=True)), stamps)

    def _stretches_of(self, name: str, dates: list[Scene]) -> tuple[Stretch, ...]:
        """Measured once: the files were found to be those that were planned."""
        known = self._stretches.get(name)
        if known is None:
            try:
                known = tuple(measure_stretch(scene) for scene in dates)
            except SceneError as err:
                raise (UnreachableError if is_remote(dates[0].path) else SceneError)(str(err)) from err
            self._stretches[name] = known
            for oldest in list(self._stretches)[:-KEPT_STRETCHES]:
                self._stretches.pop(oldest, None)
        return known

    def _check(self, scene: Scene, name: str) -> None:
        if scene.content_id != self._rows[name]["content_id"]:
            raise _changed(scene.path)


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - most paths are no local files, and this is asked at every tile
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


def _changed(path: str) -> SceneError:
    # A server that fails to say what a file is (no ETag this time) makes it look like another one.
    kind = UnreachableError if is_remote(path) else SceneError
    return kind(
        f"{path} is not the file this run was planned with (it was changed or replaced). "
        "Put the old one back, or start a new run with --fresh."
    )
