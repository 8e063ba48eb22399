"""What became of each batch in one line, so that the state of a run is known without opening its part files.

Knows lines of JSON and how a line is known to speak of the file that is there. Refuses to know tiles. A journal is
an index and no record: a line that is missing, torn or out of date costs the reading of one part file.

Every process that works on a run has a file of its own in RUN/progress, which it only appends to.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundproof.tables import FAILED

PACE_S = 600.0


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch that was kept. by_status: rows by `TileStatus`. seconds: of the model. at: when, Unix time."""

    batch: int
    size: int
    mtime_ns: int
    by_status: Mapping[str, int]
    seconds: float
    at: float

    @property
    def failed(self) -> int:
        """Rows without a usable answer."""
        return sum(self.by_status.get(status, 0) for status in FAILED)


def note(folder: Path, batch: int, part: Path, statuses: Iterable[str], seconds: float) -> None:
    """Append a line about a part file that was just kept. Raises OSError."""
    found = part.stat()
    line = {
        "batch": batch,
        "size": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "by_status": dict(Counter(statuses)),
        "seconds": round(seconds, 6),
        "at": round(time.time(), 3),
    }
    folder.mkdir(exist_ok=True)
    name = f"{socket.gethostname()}-{os.getpid()}.jsonl"
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, json.dumps(line).encode() + b"\n")  # one write: a line is there or is not
    finally:
        os.close(descriptor)


def lines(
    folder: Path, parts: Mapping[int, os.stat_result], read: Callable[[int], BatchLine]
) -> list[BatchLine]:
    """A line for every part file, in the order of the batches.

    parts: what the file system says of each batch's part file. read: makes the line of a batch from its part file,
    where no journal speaks of the file as it is now.
    """
    known: dict[int, BatchLine] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for text in path.read_bytes().splitlines():
            line = _parsed(text)
            found = None if line is None else parts.get(line.batch)
            if line is not None and found is not None and _speaks_of(line, found):
                known[line.batch] = line
    return [known.get(batch) or read(batch) for batch in sorted(parts)]


def pace(kept: Iterable[BatchLine]) -> float | None:
    """Tiles per second over the `PACE_S` before the latest batch; None where fewer than two batches tell."""
    ordered = sorted(kept, key=lambda line: line.at)
    if not ordered:
        return None
    recent = [line for line in ordered if line.at >= ordered[-1].at - PACE_S]
    seconds = recent[-1].at - recent[0].at
    tiles = sum(sum(line.by_status.values()) for line in recent[1:])
    return tiles / seconds if seconds > 0 else None


def _speaks_of(line: BatchLine, found: os.stat_result) -> bool:
    return (line.size, line.mtime_ns) == (found.st_size, found.st_mtime_ns)


def _parsed(text: bytes) -> BatchLine | None:
    """None for a line that a kill or a full disk tore."""
    try:
        row: dict[str, Any] = json.loads(text)
        return BatchLine(**row)
    except (ValueError, TypeError):
        return None
