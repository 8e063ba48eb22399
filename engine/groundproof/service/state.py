"""Everything a running service holds, in one place.

Knows which parts there are and in which order they start and stop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack

from fastapi import Request

from groundproof.models.base import VisionLanguageModel
from groundproof.run_files import locked, writing
from groundproof.service.downloads import Downloads
from groundproof.service.engine import Engine
from groundproof.service.jobs.ask_process import AskProcess
from groundproof.service.jobs.estimating import Estimator
from groundproof.service.jobs.processes import processes
from groundproof.service.jobs.store import JobStore
from groundproof.service.jobs.worker import JobRunner, Process
from groundproof.service.metrics import Metrics
from groundproof.service.ogc.features import Features
from groundproof.service.ogc.snapshots import Snapshots
from groundproof.service.pace import PaceStore
from groundproof.service.settings import ServiceSettings
from groundproof.service.uploads.scenes import SceneStore

SWEEP_S = 300.0
"""How often old scenes and jobs are looked for."""


class Service:
    """The parts of a service. model: an opened one in place of `settings.model` (the caller closes it).

    Raises OutputError when the data folder cannot be used, RunError when another service works on it.
    """

    def __init__(self, settings: ServiceSettings, model: VisionLanguageModel | None = None) -> None:
        self.settings = settings
        self._held = ExitStack()
        with writing(settings.data_dir):
            settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(locked(settings.data_dir))
        self.metrics = Metrics(self)
        self.started = time.time()
        self.engine = Engine(model or settings.model, settings.device)
        self.scenes = SceneStore(settings.data_dir / "scenes", settings.limits, settings.keep_scenes_hours)
        self.jobs = JobStore(settings.data_dir / "jobs")
        self.snapshots = Snapshots(self.jobs)
        self.features = Features(self.jobs, self.snapshots)
        self.downloads = Downloads(self.jobs, self.snapshots)
        self.pace = PaceStore(settings.data_dir / "pace.json")
        self.ask = AskProcess(settings, self.engine, self.scenes, self.jobs, self.metrics, self.pace)
        self.estimate = Estimator(self.engine, self.ask, self.scenes, self.pace, settings.limits)
        known: Mapping[str, Process] = {"ask": self.ask, **processes(self.jobs, self.ask.locate)}
        self.runner = JobRunner(self.jobs, known, workers=settings.workers, queue_limit=settings.limits.queue)
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to load the model and go on with unfinished jobs. Raises ModelError for an unknown model."""
        self.engine.start()
        self.runner.start()
        threading.Thread(target=self._sweep, name="sweep", daemon=True).start()

    def stop(self) -> None:
        """Break off what runs (it goes on at the next start) and let go of the model."""
        self._stopped.set()
        self.runner.stop()
        self.engine.close()
        self._held.close()

    def _sweep(self) -> None:
        while not self._stopped.wait(SWEEP_S):
            self.sweep()

    def sweep(self) -> None:
        """Forget scenes and jobs that were kept long enough."""
        self.scenes.expire(self.ask.scenes_in_use())
        self.jobs.expire(self.settings.keep_jobs_days)


def service_of(request: Request) -> Service:
    """The service a request came to."""
    service: Service = request.app.state.service
    return service
