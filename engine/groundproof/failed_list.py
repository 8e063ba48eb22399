"""What of a run failed, as a list: scenes that could not be used, tiles without an answer, each with its reason.

Knows run directories. Refuses to know results: a run that was stopped has none yet.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from groundproof.datasets import without_secrets
from groundproof.frames import named_rows
from groundproof.outputs.files import replacing
from groundproof.outputs.summary import cell
from groundproof.run import RunDirectory
from groundproof.tables import FAILED, TileStatus

HEADER = ("scene", "path", "status", "window_px", "question", "attempts", "reason")
_UNREADABLE = "no answer and no box could be read in what the model wrote"


@dataclass(frozen=True, slots=True)
class Failure:
    """One scene (window None) or one tile of one question. status: failed, skipped, or one of `TileStatus`."""

    scene: str
    path: str
    status: str
    reason: str
    window_px: tuple[int, int, int, int] | None = None
    question: str | None = None
    attempts: int | None = None

    def sentence(self) -> str:
        """For a person."""
        if self.window_px is None:
            return f"{self.scene}: {self.reason}"
        x0, y0, x1, y1 = self.window_px
        return f"{self.scene}, columns {x0} to {x1}, rows {y0} to {y1}: {self.status}: {self.reason}"


def failed(run: RunDirectory) -> Iterator[Failure]:
    """Scenes first, then tiles in order. Reads only the part files in which something failed."""
    paths = {}
    for scene in run.scenes:
        paths[scene["scene"]] = without_secrets(scene["path"])
        if scene["status"] != "ok":
            yield Failure(scene["scene"], paths[scene["scene"]], scene["status"], scene["reason"] or "")
    words = [status.value for status in FAILED]
    batches = [line.batch for line in run.progress() if any(line.by_status.get(word) for word in words)]
    for batch, rows in run.manifest.of_batches(batches):
        said = run.answers([batch]).set_index("seq")
        for row in named_rows(rows):
            if row.seq not in said.index or said.status[row.seq] not in words:
                continue
            status = said.status[row.seq]
            reason = said.error[row.seq]
            if reason is None and status == TileStatus.PARSE_ERROR.value:
                reason = _UNREADABLE
            yield Failure(
                row.scene,
                paths[row.scene],
                status,
                reason or "",
                (row.x0, row.y0, row.x0 + row.width, row.y0 + row.height),
                run.config.questions[row.question].text,
                int(said.attempts[row.seq]),
            )


def write_failed(run: RunDirectory, path: Path) -> int:
    """Write the list as CSV; the number of its rows. Nothing is written of none. Raises OutputError."""
    found = failed(run)
    first = next(found, None)
    if first is None:
        path.unlink(missing_ok=True)
        return 0
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for one in chain([first], found):
            count += 1
            window = None if one.window_px is None else " ".join(map(str, one.window_px))
            row = (one.scene, one.path, one.status, window, one.question, one.attempts, one.reason)
            writer.writerow([cell(value) for value in row])
    return count
