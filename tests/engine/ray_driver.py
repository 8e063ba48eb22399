"""A process that drives a Ray of its own: `python -m tests.engine.ray_driver RUN LOG PAUSE_S`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from groundproof.run import RunDirectory
from groundproof.runners.ray_data import run_on_ray

from .ray_models import logged
from .ray_runs import Told

if __name__ == "__main__":
    run = RunDirectory.open(Path(sys.argv[1]))
    opener = partial(logged, log=Path(sys.argv[2]), pause_s=float(sys.argv[3]))
    with run.lock():
        run_on_ray(run, "tiny", Told(), run.pending(), workers=2, opener=opener)
