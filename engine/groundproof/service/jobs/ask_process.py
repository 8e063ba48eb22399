"""The process "ask": a request and a run directory -> a result, told as events.

Knows how scenes, earlier answers and the session come together. Refuses to know HTTP and queues.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd

from groundproof.config import CitedEvidence, FollowUp
from groundproof.deliver import failures, write_outputs
from groundproof.errors import ForbiddenError, GroundproofError, NotFoundError, NotReadyError
from groundproof.outputs import read
from groundproof.run import RunDirectory
from groundproof.service.access.references import allowed_path, allowed_url
from groundproof.service.engine import Engine
from groundproof.service.jobs import asking
from groundproof.service.jobs.asking import AskRequest, Context, SceneReference
from groundproof.service.jobs.store import JobStatus, JobStore
from groundproof.service.jobs.watching import JobListener
from groundproof.service.jobs.worker import Work
from groundproof.service.metrics import Metrics
from groundproof.service.pace import Measured, PaceStore
from groundproof.service.settings import ServiceSettings
from groundproof.service.uploads.scenes import SceneStore
from groundproof.session import Session

RESULT = "result.gpkg"
"""Name of the GeoPackage in a job's folder."""

AROUND = 1.0
"""How much of its longer side is added around selected evidence for a follow-up question."""

PROGRESS_S = 1.0


class AskProcess:
    """Does jobs of process "ask"."""

    def __init__(
        self,
        settings: ServiceSettings,
        engine: Engine,
        scenes: SceneStore,
        jobs: JobStore,
        metrics: Metrics,
        pace: PaceStore,
    ) -> None:
        self._pace = pace
        self._metrics = metrics
        self._settings = settings
        self._engine = engine
        self._scenes = scenes
        self._jobs = jobs

    def check(self, request: AskRequest) -> None:
        """Raise now for what would fail in the queue: an unknown scene, a forbidden path, a bad context."""
        asking.check(request)
        self.paths(request)
        if request.context is not None:
            self._earlier(request.context)

    def __call__(self, work: Work) -> dict[str, Any]:
        """Answer, or go on answering, one job. Raises GroundproofError."""
        request = AskRequest.model_validate(work.job.inputs)
        job_id, folder = work.job.job_id, self._jobs.folder(work.job.job_id)
        last = 0.0

        def progressed(answered: int, tiles: int, stage: str) -> None:
            nonlocal last
            if time.monotonic() - last >= PROGRESS_S:
                last = time.monotonic()
                if (
                    not tiles
                ):  # before the plan is made; a job that goes on after a restart keeps its progress
                    self._jobs.update(job_id, message=stage)
                    return
                percent = min(99, 100 * answered // tiles)
                self._jobs.update(job_id, progress=percent, message=f"{answered} of {tiles} tiles: {stage}")

        listener = JobListener(
            work.events,
            work.stop,
            progressed,
            self._metrics,
            max_tiles=self._settings.limits.tiles,
            out_crs=request.out_crs,
        )
        if not self._engine.ready:
            listener.stage(self._engine.state)
        model = self._engine.model
        listener.together = 1 if model.continuous else model.max_in_flight
        directory = self._jobs.run_directory(job_id)
        if (directory / "run.toml").exists():
            session = Session.of_run(directory, listener, model=model)
        else:
            options = asking.options(
                request, self.paths(request), folder, self._engine.name, partial(self._follow, folder)
            )
            session = Session(options, listener, model=model)
        with session:
            run, result = session.run(directory)
        answered, seconds = listener.measured
        self._pace.add(model.identity, Measured(answered, seconds, _pixels(run)))
        write_outputs(run, result, folder / RESULT)
        listener.finished(result)
        return {
            "scenes": list(result.scenes.scene),
            "answers": list(result.answers.answer),
            "evidence_total": len(result.evidence),
            "failures": failures(result),
        }

    def paths(self, request: AskRequest) -> tuple[str, ...]:
        """What the engine opens for each scene. Raises as `path` does."""
        return tuple(self.path(scene) for scene in request.scenes)

    def path(self, scene: SceneReference) -> str:
        """What the engine opens for a scene. Raises NotFoundError, NotReadyError, ForbiddenError."""
        if scene.id is not None:
            return str(self._scenes.path(scene.id))
        if scene.path is not None:
            return allowed_path(scene.path, self._settings)
        return allowed_url(str(scene.url), self._settings)

    def locate(self, path: str) -> str:
        """What may be opened for the path in a result's scenes table, which a client may have written.

        A scene that is kept here, or what a question may name. Raises ForbiddenError for everything else.
        """
        if self._scenes.holds(path):
            return path
        try:
            if "://" in path:
                return allowed_url(path, self._settings)
            return allowed_path(path, self._settings)
        except GroundproofError as err:
            raise ForbiddenError(
                f"The imagery of the result is not here: {path[:200]} is no scene that this service keeps (any more), "
                "nor may it be read by path. Send the imagery and ask again here, or export where it was asked."
            ) from err

    def scenes_in_use(self) -> set[str]:
        """Ids of stored scenes that unfinished jobs need."""
        return {
            scene["id"]
            for job in self._jobs.unfinished()
            if job.process == "ask"
            for scene in job.inputs["scenes"]
            if scene.get("id")
        }

    def _follow(self, folder: Path, context: Context) -> tuple[FollowUp, Path | None]:
        """The earlier answer, and a file with the surroundings of the evidence it selects."""
        follow_up, selected = self._earlier(context)
        if selected.empty:
            return follow_up, None
        low, high = selected.bounds[["minx", "miny"]].to_numpy(), selected.bounds[["maxx", "maxy"]].to_numpy()
        around = selected.geometry.buffer(AROUND * (high - low).max(axis=1), cap_style="square")
        file = folder / "around.fgb"
        asking.write_aoi(gpd.GeoDataFrame(geometry=around), file)
        return follow_up, file

    def _earlier(self, context: Context) -> tuple[FollowUp, gpd.GeoDataFrame]:
        job = self._jobs.get(context.job)
        if job.status is not JobStatus.SUCCESSFUL or not (self._jobs.folder(job.job_id) / RESULT).exists():
            raise NotReadyError(
                f"The job {context.job} has no answer that could be followed up: it is a job of {job.process}, "
                f"and {job.status}."
            )
        result = read(self._jobs.folder(context.job) / RESULT)
        answers = result.answers[result.answers.answer_id == context.answer_id]
        if answers.empty:
            known = ", ".join(result.answers.answer_id)
            raise NotFoundError(f"The job {context.job} has no answer {context.answer_id!r}; it has {known}.")
        evidence = result.evidence[result.evidence.answer_id == context.answer_id]
        missing = [name for name in context.evidence if name not in set(evidence.evidence_id)]
        if missing:
            raise NotFoundError(f"The answer {context.answer_id} has no evidence {', '.join(missing)}.")
        selected = evidence[evidence.evidence_id.isin(context.evidence)]
        row = answers.iloc[0]
        cited = tuple(
            CitedEvidence(
                evidence_id=e.evidence_id, label=e.label or "", quote=e.quote or "", box_px=tuple(e.box_px)
            )
            for e in selected.itertuples()
        )
        return (
            FollowUp(
                run_id=row.run_id,
                answer_id=row.answer_id,
                question=row.question,
                answer=row.answer,
                evidence=cited,
            ),
            selected,
        )


def _pixels(run: RunDirectory) -> float:
    """Of one tile as the model sees it, on average; dates of one place are seen together."""
    images = len(run.config.scenes) if run.config.compares_dates else 1
    tiles, pixels = 0, 0
    for rows in run.manifest.frames():
        asked = rows[rows.batch_id >= 0]
        tiles += len(asked)
        pixels += int((asked.model_width.astype("int64") * asked.model_height).sum())
    return images * pixels / tiles if tiles else 0.0
