"""What a shell is told while a question is answered: plans, boxes as they come, progress.

Knows the words and numbers people read. Refuses to know terminals and HTTP: a `Listener` shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from pyproj import CRS

from groundproof.boxes import Grid, PixelBox, PixelBoxes
from groundproof.config import RunConfig
from groundproof.georeference import Georeferencer, to_pixels
from groundproof.models.profiles import Profile
from groundproof.planning import grid_of
from groundproof.run import RunDirectory
from groundproof.runners.stages import Asked
from groundproof.tables import TileStatus
from groundproof.trace import Event, EvidenceEvent, PlanEvent, TraceEvidence


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be done. answered: tiles that the run directory holds already."""

    config: RunConfig
    tiles: int
    skipped: int
    area_m2: float | None
    memory_bytes: int
    answered: int
    notes: tuple[str, ...]

    def sentence(self) -> str:
        """For a person, before anything is asked."""
        asked = dict.fromkeys(
            question.task + (f" ({question.task_reason})" if question.task_reason else "")
            for question in self.config.questions
        )
        area = "" if self.area_m2 is None else f", {self.area_m2 / 1e6:.3g} km2"
        skipped = f" ({self.skipped} more hold no data)" if self.skipped else ""
        kept = f", {self.answered} of them answered before" if self.answered else ""
        n = len(self.config.questions)
        each = f", {self.tiles // n} for each of {n} questions" if n > 1 else ""
        return (
            f"{'; '.join(asked)}; {self.config.profile.name}; {self.tiles} tiles{each}{skipped}{area}{kept}"
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """One box of one tile, before merging. box: in pixels of the scene, whose grid is `grid`.

    size, position: in words; the position is x, y of the box's centre in the scene's CRS.
    """

    asked: Asked
    grid: Grid
    evidence: TraceEvidence
    box: PixelBox
    size: str
    position: str


class Listener(Protocol):
    """Is told what happens between a question and its result; see `terminal.Terminal`."""

    def check(self) -> None:
        """Called at every piece of text the model writes. Raises StoppedError to stop the work."""

    def note(self, sentence: str) -> None:
        """A sentence the user should know; no failure."""

    def planned(self, plan: Plan) -> None:
        """The plan is made; tiles follow."""

    def saw_plan(self, text: str) -> None:
        """A tile's plan is complete."""

    def saw_evidence(self, seen: Seen) -> None:
        """A box of a tile is complete."""

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """A tile has its row."""

    def stage(self, sentence: str) -> None:
        """A later stage begins."""

    def stop_progress(self) -> None:
        """The work is over, or broke off."""


class Silent:
    """A `Listener` that keeps quiet."""

    def check(self) -> None:
        """Goes on."""

    def note(self, sentence: str) -> None:
        """Nothing."""

    def planned(self, plan: Plan) -> None:
        """Nothing."""

    def saw_plan(self, text: str) -> None:
        """Nothing."""

    def saw_evidence(self, seen: Seen) -> None:
        """Nothing."""

    def tile_done(self, status: TileStatus, reason: str | None) -> None:
        """Nothing."""

    def stage(self, sentence: str) -> None:
        """Nothing."""

    def stop_progress(self) -> None:
        """Nothing."""


class Unobserved:
    """An `Observer` that does nothing."""

    def check(self) -> None:
        """Goes on."""

    def event(self, asked: Asked, event: Event) -> None:
        """Nothing."""

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        """Nothing."""


class Telling:
    """Turns a runner's events into words for a listener: sizes and positions on the ground."""

    def __init__(self, run: RunDirectory, listener: Listener, profile: Profile) -> None:
        self._listener = listener
        self._profile = profile
        self._scenes = {
            str(row["scene"]): Georeferencer(grid_of(row)) for row in run.scenes if row["status"] == "ok"
        }

    def check(self) -> None:
        """Passed on."""
        self._listener.check()

    def event(self, asked: Asked, event: Event) -> None:
        """Plans and evidence are worth telling while the model writes."""
        if isinstance(event, PlanEvent):
            self._listener.saw_plan(event.text)
        elif isinstance(event, EvidenceEvent):
            where = self._scenes[asked.scene]
            placed = to_pixels(
                event.evidence.box, self._profile.frame, asked.tile, (where.grid.width, where.grid.height)
            )
            if placed.box is None or placed.problem is not None:
                return
            boxes = PixelBoxes.of([placed.box])
            x0, y0, x1, y1 = boxes.xyxy[0]
            x, y = where.to_map_points(np.array([(x0 + x1) / 2]), np.array([(y0 + y1) / 2]))
            _, width, height = where.sizes(boxes)
            size = (
                f"{x1 - x0:.0f} x {y1 - y0:.0f} px"
                if np.isnan(width[0])
                else f"{width[0]:.1f} x {height[0]:.1f} m"
            )
            self._listener.saw_evidence(
                Seen(
                    asked,
                    where.grid,
                    event.evidence,
                    placed.box,
                    size,
                    position_words(float(x[0]), float(y[0]), where.crs),
                )
            )

    def tile_done(self, asked: Asked, status: TileStatus, reason: str | None) -> None:
        """Passed on."""
        self._listener.tile_done(status, reason)


def position_words(x: float, y: float, crs: CRS | None) -> str:
    """A place as people read it: degrees to about a decimetre, metres to a decimetre, pixels whole."""
    if crs is None:
        return f"column {x:.0f}, row {-y:.0f}"
    return f"{x:.6f}, {y:.6f}" if crs.is_geographic else f"{x:.1f}, {y:.1f}"
