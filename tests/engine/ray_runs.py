"""Runs to be worked on by Ray and by one process, and what must be equal between them."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd

from groundproof.ask_options import AskOptions
from groundproof.models.base import VisionLanguageModel
from groundproof.run import RunDirectory
from groundproof.runners.local import run_tiles
from groundproof.runners.stages import Asked
from groundproof.session import Session
from groundproof.sources import Sources
from groundproof.tables import TileStatus
from groundproof.trace import Event

from .conftest import write_squares
from .square_finder import SquareFinder

QUESTIONS = ("How many airplanes are there?",)


def write_scenes(folder: Path, count: int) -> list[Path]:
    """Scenes of 12 tiles, with squares at random places."""
    chance = random.Random(7)
    folder.mkdir()
    paths = []
    for number in range(count):
        corners = [(chance.randrange(640), chance.randrange(440)) for _ in range(6)]
        boxes = [(x, y, x + 40, y + 40) for x, y in corners]
        paths.append(write_squares(folder / f"scene{number}.tif", boxes).path)
    return paths


def planned(folder: Path, scenes: list[Path], model: VisionLanguageModel | None = None) -> RunDirectory:
    """A run that nothing was asked yet."""
    options = AskOptions(tuple(str(path) for path in scenes), QUESTIONS)
    with Session(options, model=model or SquareFinder()) as session:
        return session._open(folder, fresh=False)


def answered_here(run: RunDirectory, model: VisionLanguageModel | None = None) -> pd.DataFrame:
    """By the local runner."""
    run_tiles(run, model or SquareFinder(), Sources(run), Told(), run.pending())
    return told_of(run)


def told_of(run: RunDirectory) -> pd.DataFrame:
    """All that may not depend on who answered, and when."""
    frame = RunDirectory.open(run.path).answers().drop(columns=["seconds", "attempts"])
    for name in ("piece_lengths", "piece_logprobs", "valid_cells"):
        frame[name] = [None if cells is None else list(cells) for cells in frame[name]]
    return frame


def left_over(run: RunDirectory) -> list[Path]:
    return [path for path in run.path.rglob("*") if path.name.endswith(".tmp")]


class Told:
    """An `Observer` that remembers."""

    def __init__(self) -> None:
        self.tiles: list[tuple[Asked, TileStatus, str | None]] = []

    def check(self) -> None:
        pass

    def event(self, asked: Asked, event: Event) -> None:
        pass

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        self.tiles.append((asked, status, reason))
