"""How long a run of a stage goes on, what it prints, and when it saves.

Knows time and steps. Refuses to know models. A stage with a loop of its own stops, with a checkpoint, when its minutes
or steps are up or when the process is asked to end (SIGTERM); a second run goes on from there.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping

import numpy as np

LOG_EVERY_S = 30.0


class Clock:
    """The minutes and steps of one run. `step` and `spent_s` are those of the checkpoint it goes on from."""

    def __init__(self, minutes: float, max_steps: int, step: int = 0, spent_s: float = 0.0) -> None:
        self.step = step
        self._budget_s, self._max_steps = minutes * 60, max_steps
        self._first_step, self._begun = step, time.monotonic()
        self._started = self._begun - spent_s

    @property
    def spent_s(self) -> float:
        """Seconds so far, earlier runs included."""
        return time.monotonic() - self._started

    @property
    def progress(self) -> float:
        """0 at the start, 1 when the minutes or the steps are up."""
        return min(1.0, max(self.spent_s / self._budget_s, self.step / self._max_steps))

    @property
    def left_s(self) -> float:
        """Seconds until the minutes are up, or until the steps are at this run's speed, whichever comes first."""
        if self.progress >= 1:
            return 0.0
        left = self._budget_s - self.spent_s
        done = self.step - self._first_step
        if not done:
            return left
        per_step = (time.monotonic() - self._begun) / done
        return min(left, per_step * (self._max_steps - self.step))


class Pace(Clock):
    """The clock of a stage with a loop of its own: when to log, when to save, how fast to learn."""

    def __init__(
        self, minutes: float, max_steps: int, checkpoint_s: float, step: int = 0, spent_s: float = 0.0
    ) -> None:
        super().__init__(minutes, max_steps, step, spent_s)
        self._checkpoint_s = checkpoint_s
        self._saved = self._logged = self._begun
        self._seen = 0
        self._parts: dict[str, list[float]] = {}
        self._asked_to_end = False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._end)

    def _end(self, _number: int, _frame: object) -> None:
        self._asked_to_end = True

    @property
    def going(self) -> bool:
        """Whether another step is due."""
        return not self._asked_to_end and self.progress < 1

    def factor(self, warmup_steps: int, floor: float) -> float:
        """Of the learning rate: linear warm-up, flat, then linear decay to `floor` over the last 60 per cent."""
        return min(1.0, (self.step + 1) / warmup_steps, max(floor, (1 - self.progress) / 0.6))

    def stepped(self, seen: int, parts: Mapping[str, float], factor: float) -> str | None:
        """Count one step over `seen` samples; the line to print, when one is due."""
        self.step += 1
        self._seen += seen
        for key, value in parts.items():
            self._parts.setdefault(key, []).append(value)
        now = time.monotonic()
        if now - self._logged < LOG_EVERY_S and self.going:
            return None
        means = " ".join(f"{key} {np.mean(values):.3f}" for key, values in self._parts.items())
        line = (
            f"step {self.step} {self._seen / (now - self._logged):.1f} samples/s lr x{factor:.2f} "
            f"{self.left_s:.0f} s left: {means}"
        )
        self._logged, self._seen, self._parts = now, 0, {}
        return line

    def save_due(self) -> bool:
        """Whether a checkpoint is due now; says so once per interval, and at the end."""
        now = time.monotonic()
        if now - self._saved < self._checkpoint_s and self.going:
            return False
        self._saved = now
        return True
