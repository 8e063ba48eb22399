"""What a run asks: every scene, area and question, in the order of their answers.

Knows the rows of scenes.parquet. Refuses to know tiles and answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from groundproof.boxes import Grid
from groundproof.config import Question
from groundproof.planning import grid_of
from groundproof.run import RunDirectory


@dataclass(frozen=True, slots=True)
class Area:
    """One answer's place in the run: which scene, area and question it is about."""

    answer_id: str
    scene: dict[str, Any]
    grid: Grid
    aoi_name: str
    aoi_px: BaseGeometry
    whole_scene: bool
    question: Question
    rows: tuple[int, int]
    """Where the manifest speaks of the area: the first row, and the one behind the last; all questions share them."""


def areas(run: RunDirectory) -> list[Area]:
    """Every (scene, area, question) of the run, in answer order (the order in which the manifest names them)."""
    return list(each_area(run))


def each_area(run: RunDirectory) -> Iterator[Area]:
    """As `areas`, one at a time: a run may have thousands of scenes."""
    number = 1
    for scene in run.scenes:
        if scene["status"] != "ok":
            continue
        grid = grid_of(scene)
        for aoi in scene["aois"]:
            for question in run.config.questions:
                yield Area(
                    f"A{number}",
                    scene,
                    grid,
                    aoi["name"],
                    shapely.from_wkb(aoi["polygon_px"]),
                    aoi["whole"],
                    question,
                    (aoi["first"], aoi["first"] + aoi["rows"]),
                )
                number += 1
