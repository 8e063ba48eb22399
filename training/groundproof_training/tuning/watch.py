"""What a run says while it goes, and how it is asked to stop.

Knows steps, seconds and signals. Refuses to know what is learnt.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback

from groundproof_training.tuning.left_out import LeftOut

Say = Callable[[str], None]

SAID = (
    "loss",
    "mean_token_accuracy",
    "reward",
    "kl",
    "completions/clipped_ratio",
    "grad_norm",
    "learning_rate",
)
"""Of the trainer's log, what a line on the screen holds; `log.jsonl` has everything."""


class StopRequest:
    """Whether somebody asked the run to end. A second Ctrl+C does not wait for the step."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """SIGINT and SIGTERM set the request's flag while the block runs."""
    request = StopRequest()
    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Watch(TrainerCallback):
    """Ends a run that was asked to stop, after a checkpoint; says each log line with the time left."""

    def __init__(self, request: StopRequest, log: Path, left_out: LeftOut, say: Say) -> None:
        self._request, self._log, self._left_out, self._say = request, log, left_out, say
        self._began: tuple[float, int] | None = None
        self._named = 0
        self.stopped = False

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The clock starts at the first step of this run, not of the one before."""
        if self._began is None:
            self._began = time.monotonic(), state.global_step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Every rank stops at the same step, whichever was asked."""
        if any_rank(self._request.asked) and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = self.stopped = True
        if self.stopped or state.global_step >= state.max_steps:
            control.should_log = True  # the last steps are told too

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """One line for people, one for `log.jsonl`."""
        logs = logs or {}
        if not state.is_world_process_zero or "train_runtime" in logs:
            return
        with self._log.open("a", encoding="utf-8") as file:
            file.write(
                json.dumps({"step": state.global_step, **{k: _plain(v) for k, v in logs.items()}}) + "\n"
            )
        parts = [f"{key.rpartition('/')[2]} {logs[key]:.3g}" for key in SAID if key in logs]
        parts += [
            f"{key.split('/')[1]} {value:.3f}"
            for key, value in logs.items()
            if key.startswith("rewards/") and key.endswith("/mean") and not math.isnan(value)
        ]
        self._say(f"step {state.global_step}/{state.max_steps}, {self._left(state)} left: {', '.join(parts)}")
        named = sum(self._left_out.counted().values())
        if named > self._named:
            self._say(f"{named} samples left out until now, named in {self._left_out.path}")
            self._named = named

    def _left(self, state: Any) -> str:
        if self._began is None:
            return "?"
        started, first = self._began
        each = (time.monotonic() - started) / max(1, state.global_step - first)
        return duration(each * (state.max_steps - state.global_step))


def any_rank(asked: bool) -> bool:
    """Whether any process of a distributed run says yes."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return asked
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    flag = torch.tensor([int(asked)], device=device)
    torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
    return bool(flag.item())


def duration(seconds: float) -> str:
    """ "45 s", "12 min", "3.5 h", "2.1 days"."""
    for unit, length in (("days", 86_400), ("h", 3600)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
