"""Reading ahead of the model, from scene to scene: order, pixels, and what is open at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from groundproof.boxes import Tile, Window
from groundproof.errors import ReadError, SceneError
from groundproof.reading import RawTile, TilePixels, read_tile
from groundproof.runners.ahead import AHEAD_TILES, Ahead
from groundproof.runners.stages import works
from groundproof.scene import open_scene
from groundproof.sources import Sources
from groundproof.stretch import measure_stretch

from .conftest import BOXES, write_squares
from .runs import planned
from .square_finder import SquareFinder

TILE = Tile(0, Window(0, 0, 112, 112), 112, 112)
PIXELS = TilePixels(np.zeros((112, 112, 3), np.uint8), 1.0)


@dataclass(frozen=True)
class Place:
    scene: str
    tile: Tile = TILE


class Imagined:
    """Scenes that are not there, and what was done with them. fails: raises for a scene, or for a tile of it."""

    def __init__(self, fails: Callable[[str, str], None] = lambda what, scene: None) -> None:
        self.opened: list[str] = []
        self.open_now = 0
        self.most_open = 0
        self._fails = fails
        self._lock = threading.Lock()

    @contextmanager
    def views(self, name: str) -> Iterator[ImaginedViews]:
        with self._lock:
            self.opened.append(name)
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
        try:
            self._fails("open", name)
            yield ImaginedViews(name, self._fails)
        finally:
            with self._lock:
                self.open_now -= 1


@dataclass
class ImaginedViews:
    name: str
    fails: Callable[[str, str], None]

    def decode(self, tile: Tile, spare: object = None) -> tuple[RawTile, ...]:
        self.fails("read", self.name)
        return ()

    def finish(self, raw: tuple[RawTile, ...], tile: Tile) -> tuple[TilePixels, ...]:
        return (PIXELS,)


def wait_for(what: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not what() and time.monotonic() < until:
        time.sleep(0.005)
    return what()


def test_tiles_come_in_order_over_scene_borders_with_the_pixels_of_single_reads(tmp_path: Path) -> None:
    model = SquareFinder(max_in_flight=3)
    paths = [
        write_squares(tmp_path / f"{name}.tif", BOXES, width=width, height=height).path
        for name, width, height in (("a", 700, 500), ("b", 150, 130), ("c", 224, 224), ("d", 400, 300))
    ]
    run = planned(paths, tmp_path / "a.run", model)
    wanted = list(works(run.manifest.of_batches(range(run.manifest.batches))))
    assert {work.scene for work in wanted} == {"a", "b", "c", "d"}
    with Ahead(Sources(run), wanted) as reader:
        got = list(reader)
    assert [work for work, _ in got] == wanted
    for work, found in got:
        assert isinstance(found.pixels, tuple)
        with open_scene(tmp_path / f"{work.scene}.tif") as scene:
            oracle = read_tile(scene, measure_stretch(scene), work.tile)
        assert np.array_equal(found.pixels[0].rgb, oracle.rgb)
        assert found.tries == 1


def test_the_next_scene_is_opened_and_read_while_nobody_asks_for_it() -> None:
    scenes = Imagined()
    with Ahead(scenes, map(Place, "ab")) as reader:
        next(iter(reader))
        assert wait_for(lambda: scenes.opened == ["a", "b"])


@pytest.mark.parametrize("tiles_each", [1, 3, 40])
def test_of_thousands_of_scenes_two_are_open_and_each_is_opened_once(tiles_each: int) -> None:
    scenes = Imagined()
    names = [f"s{n}" for n in range(4000 // tiles_each)]
    wanted = (Place(name) for name in names for _ in range(tiles_each))
    before = threading.active_count()
    with Ahead(scenes, wanted) as reader:
        got = [place.scene for place, _ in reader]
    assert got == [name for name in names for _ in range(tiles_each)]
    assert sorted(scenes.opened) == sorted(names)
    assert scenes.most_open <= 2
    assert scenes.open_now == 0
    assert threading.active_count() == before


def test_of_two_million_tiles_only_those_ahead_are_pulled() -> None:
    pulled = 0

    def tiles() -> Iterator[Place]:
        nonlocal pulled
        for _ in range(2_000_000):
            pulled += 1
            yield Place("a")

    with Ahead(Imagined(), tiles()) as reader:
        results = iter(reader)
        for _ in range(10):
            next(results)
    assert pulled <= 10 + AHEAD_TILES


def test_a_scene_that_cannot_be_opened_says_so_of_its_tiles_and_of_no_others() -> None:
    def fails(what: str, scene: str) -> None:
        if scene == "b" and what == "open":
            raise SceneError("b is gone")

    scenes = Imagined(fails)
    with Ahead(scenes, map(Place, "aabbbcc")) as reader:
        got = [(place.scene, found) for place, found in reader]
    assert [scene for scene, found in got if isinstance(found.pixels, SceneError)] == ["b"] * 3
    assert all(found.of_scene == (scene == "b") for scene, found in got)
    assert scenes.opened.count("b") == 1


def test_a_tile_that_cannot_be_read_never_stops_the_others() -> None:
    def fails(what: str, scene: str) -> None:
        if scene == "b" and what == "read":
            raise ReadError("a block is broken")

    with Ahead(Imagined(fails), map(Place, "abab")) as reader:
        got = [isinstance(found.pixels, ReadError) and not found.of_scene for _, found in reader]
    assert got == [False, True, False, True]


def test_a_mistake_in_the_background_reaches_who_iterates() -> None:
    def fails(what: str, scene: str) -> None:
        if scene == "b":
            raise ZeroDivisionError

    with Ahead(Imagined(fails), map(Place, "abc")) as reader:
        results = iter(reader)
        next(results)
        with pytest.raises(ZeroDivisionError):
            next(results)
