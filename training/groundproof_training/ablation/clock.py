"""Seconds that the parts of a cell took over all runs of the command. Knows a file and a clock."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Clock:
    """Kept in a JSON file, part -> seconds. A kill loses what its part took until then; a stop or failure does not."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds: dict[str, float] = {}
        if file.is_file():
            # A line cut by a kill: the time is not known, and the cell is none the worse.
            with suppress(ValueError, TypeError, AttributeError):
                known = json.loads(file.read_text(encoding="utf-8"))
                self._seconds = {str(part): float(seconds) for part, seconds in known.items()}

    @contextmanager
    def running(self, part: str) -> Iterator[None]:
        """Adds what the block takes, however it ends."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._seconds[part] = self._seconds.get(part, 0.0) + time.monotonic() - begun
            self._file.write_text(json.dumps(self._seconds) + "\n", encoding="utf-8")

    def seconds(self, part: str) -> float:
        """Of all runs, to a tenth."""
        return round(self._seconds.get(part, 0.0), 1)
