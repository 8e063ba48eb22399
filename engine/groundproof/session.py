"""One question from its options to its result: plan, run, later passes, assemble.

Knows the order of the stages and the run directory they work on. Refuses to know terminals and HTTP (a
`Listener` is told what happens) and files of results (`deliver.py`).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from groundproof.areas import areas
from groundproof.ask_options import AskOptions, Spread, configuration, held_to_grammar, refuse_change
from groundproof.assemble import assemble
from groundproof.config import RunConfig
from groundproof.deliver import known_crs, provenance
from groundproof.errors import OutputError, RunError, SceneError
from groundproof.follow_up import look_again, overview, overviews_due, with_evidence
from groundproof.listening import Listener, Plan, Silent, Telling, Unobserved
from groundproof.models.base import VisionLanguageModel
from groundproof.models.open import open_model
from groundproof.models.profiles import Profile
from groundproof.models.resolve import ModelSpec, resolve
from groundproof.on_disk import OnDisk
from groundproof.outputs.files import refuse_if_in_use
from groundproof.outputs.writing import check
from groundproof.plan_rows import lay_out
from groundproof.planning import ScenePlan, plan_scenes, resolve_question
from groundproof.run import RunDirectory
from groundproof.runners.failing import FailureLimit
from groundproof.runners.local import run_tiles
from groundproof.scene import open_scene
from groundproof.sources import Sources
from groundproof.tables import Result, Tables
from groundproof.wording import duration

AnyTables = TypeVar("AnyTables", bound=Tables)


class Session:
    """One question from its options to its result. A context manager.

    model: an opened one, shared with other sessions, in place of `options.model`; without it the session
    opens its own and lets go of it in the end. spread: where tiles are answered; None: here.
    """

    def __init__(
        self,
        options: AskOptions,
        listener: Listener | None = None,
        *,
        run: RunDirectory | None = None,
        model: VisionLanguageModel | None = None,
        spread: Spread | None = None,
    ) -> None:
        self._spread = spread or Spread()
        self._options = options
        self._listener: Listener = listener or Silent()
        self._run = run
        self._model = model
        self._spec: ModelSpec | None = None
        if model is None:
            self._spec = resolve(options.model)
            if self._spec.note:
                self._listener.note(self._spec.note)

    @classmethod
    def of_run(
        cls,
        path: Path,
        listener: Listener | None = None,
        *,
        model: VisionLanguageModel | None = None,
        spread: Spread | None = None,
    ) -> Session:
        """A session that goes on with an earlier run. Raises RunError, ModelError."""
        run = RunDirectory.open(path)
        options = AskOptions(
            scenes=run.config.scenes,
            questions=tuple(question.text for question in run.config.questions),
            aoi=run.config.aoi,
            model=run.config.model,
            pixel_space=run.config.pixel_space,
            second_look=run.config.second_look,
            batch=run.config.batch,
        )
        return cls(options, listener, run=run, model=model, spread=spread)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.stop_progress()
        if self._model is not None and self._spec is not None:
            self._model.close()

    @property
    def profile(self) -> Profile:
        """What is known of the model asked for."""
        return self.model.profile if self._spec is None else self._spec.profile

    def estimate(self) -> dict[str, Any]:
        """What the questions would cost, timed on a batch of their own tiles from the middle; nothing is kept."""
        config, found = self._planned()
        with tempfile.TemporaryDirectory(prefix="groundproof-") as scratch:
            run = self._create(Path(scratch) / "estimate.run", config, found)
            plan = self._plan_of(run)
            timed, seconds = 0, None
            for batch in sorted({0, run.manifest.batches // 2} if run.manifest.batches else ()):
                started, before = (
                    time.perf_counter(),
                    run.status().answered,
                )  # the first one also warms the model up
                run_tiles(run, self.model, Sources(run), Unobserved(), [batch], raise_alone=not config.batch)
                timed = run.status().answered - before
                seconds = (time.perf_counter() - started) * plan.tiles / timed
            scenes = Counter(str(scene["status"]) for scene in run.scenes)
            unusable = [f"{s['scene']}: {s['reason']}" for s in run.scenes if s["status"] == "failed"]
        area = "" if plan.area_m2 is None else f", {plan.area_m2 / 1e6:.3g} km2"
        took = "" if seconds is None else f", about {duration(seconds)} (timed on {timed} of them)"
        many = "" if len(run.scenes) == 1 else f"{scenes['ok']:,} of {len(run.scenes):,} scenes, "
        each = (
            ""
            if len(config.questions) == 1
            else f", each question of each of {plan.tiles // len(config.questions):,} tiles counted"
        )
        return {
            "scenes": dict(scenes),
            "unusable": unusable,
            "tiles": plan.tiles,
            "skipped": plan.skipped,
            "area_m2": plan.area_m2,
            "seconds": None if seconds is None else round(seconds, 1),
            "memory_bytes": plan.memory_bytes,
            "sentence": f"{many}{plan.tiles:,} tiles, {plan.skipped:,} without data{each}{area}{took}, "
            f"{plan.memory_bytes / 2**20:.0f} MB of pixels in memory at a time. Nothing was kept.",
        }

    @property
    def model(self) -> VisionLanguageModel:
        """The model, loaded when first needed. Raises ModelError."""
        if self._model is None:
            self._listener.stage("loading the model")
            self._model = (
                self._on_ray() if self._spread.on == "ray" else open_model(self._spec or self._options.model)
            )
        return self._model

    def _on_ray(self) -> VisionLanguageModel:
        from groundproof.runners.ray_model import RayModel

        return RayModel(self._options.model, address=self._spread.address, workers=self._spread.workers)

    def check_outputs(
        self, target: Path, picture: Path | None, summary: Path | None, lists: Sequence[str] = ()
    ) -> None:
        """Raise OutputError now for what would fail after the work. lists: where the scenes were named."""
        check(target)
        for path in (picture, summary):
            if path is not None:
                refuse_if_in_use(path)
        areas_ = [aoi.partition("|")[0] for aoi in (self._options.aoi or "", *self._options.scene_aois)]
        inputs = [*self._options.scenes, *areas_, *lists]
        taken = {os.path.realpath(name) for name in inputs if name}
        for path in (target, picture, summary):
            if path is not None and os.path.realpath(path) in taken:
                raise OutputError(
                    f"{path} is what the question is about and would be lost. Name another file."
                )
        if target.suffix.lower() == ".geojson" and self._options.pixel_space:
            raise OutputError(
                "GeoJSON holds longitudes and latitudes, and pixel space has none. Write a .gpkg instead."
            )

    def run(self, directory: Path, *, fresh: bool = False) -> tuple[RunDirectory, Result]:
        """Answer all tiles, then the later passes, and assemble. Resumes what `directory` holds already;
        a session made `of_run` also tries again what could not be read or asked.

        Raises RunError when it holds another run (unless fresh), and the errors of every stage; what was
        answered is kept in any case.
        """
        with self._answered(directory, fresh=fresh) as (run, sources):
            result = self._later_passes(run, sources, lambda: assemble(run, metadata=provenance(run)))
        return run, result

    @contextmanager
    def run_batch(self, directory: Path, *, fresh: bool = False) -> Iterator[tuple[RunDirectory, Tables]]:
        """As `run`, but the result is put together on disk, beside the run, and is gone after the `with`."""
        with ExitStack() as stack:
            run, sources = stack.enter_context(self._answered(directory, fresh=fresh))
            on_disk = stack.enter_context(OnDisk(run))
            tables = self._later_passes(run, sources, on_disk.make)
            self._listener.stage("writing")
            yield run, tables
            self._listener.stop_progress()

    @contextmanager
    def _answered(self, directory: Path, *, fresh: bool) -> Iterator[tuple[RunDirectory, Sources]]:
        """The run with all its tiles answered, locked."""
        run = self._run or self._open(directory, fresh=fresh)
        if run.config.model_identity != self.model.identity:
            raise RunError(
                f"{run.path} was answered by {run.config.model_identity}; now {run.config.model} is "
                f"{self.model.identity}. Use the same weights, or start a new run with --fresh."
            )
        with run.lock():
            sources = Sources(run)
            self._listener.planned(self._plan_of(run))
            again = run.retryable() if self._run is not None else ()
            self._ask_tiles(run, sources, sorted({*run.pending(), *again}))
            yield run, sources
        self._listener.stop_progress()

    def _ask_tiles(self, run: RunDirectory, sources: Sources, batches: list[int]) -> None:
        observer = FailureLimit(Telling(run, self._listener, self.profile), run, batches)
        observer.look()
        if self._spread.on == "ray":
            from groundproof.runners.ray_data import run_on_ray
            from groundproof.runners.ray_model import RayModel

            if isinstance(self._model, RayModel):
                self._model.release()  # its place is for a worker
            run_on_ray(
                run,
                run.config.model,
                observer,
                batches,
                workers=self._spread.workers,
                address=self._spread.address,
                raise_alone=not run.config.batch,
            )
        else:
            reopen = self._reopened if self._spec is not None else None
            run_tiles(
                run,
                self.model,
                sources,
                observer,
                batches,
                reopen=reopen,
                raise_alone=not run.config.batch,
            )
        observer.look()

    def _reopened(self) -> VisionLanguageModel:
        """A fresh model in place of one that died. Raises ModelError."""
        self._listener.note("The model died; it is opened again.")
        if self._model is not None:
            self._model.close()
        self._model = None
        return self.model

    def _later_passes(self, run: RunDirectory, sources: Sources, make: Callable[[], AnyTables]) -> AnyTables:
        """The second look comes first: it decides which boxes count and how they are numbered."""
        self._listener.stage("putting the answers together")
        result = make()
        if run.config.second_look:
            again = [area for area in areas(run) if not run.has_follow_up("second-look", area.answer_id)]
            for area, evidence in with_evidence(again, result):
                self._listener.stage("second look")
                try:
                    look_again(run, self.model, sources, area, evidence)
                except SceneError as err:
                    if not run.config.batch:
                        raise
                    self._listener.note(f"{area.scene['scene']} is not looked at again: {err}")
            if again:
                result = make()
        due = overviews_due(run)
        for area, evidence in with_evidence(due, result):
            self._listener.stage("looking at the whole area")
            overview(run, self.model, sources, area, evidence)
        return make() if due else result

    def _open(self, directory: Path, *, fresh: bool) -> RunDirectory:
        existing = (directory / "run.toml").exists()
        if directory.exists() and not existing and not RunDirectory.is_unfinished(directory):
            raise RunError(f"{directory} exists and is no run directory. Name another --run-dir.")
        config, found = self._planned()
        if existing and fresh:  # only now: a mistake in the options must not cost the earlier answers
            RunDirectory.discard(directory)
            existing = False
        if existing:
            run = RunDirectory.open(directory)
            run.require_same(config)
            if not config.batch:  # of thousands of scenes one may have changed: its tiles will say so
                self._same_files(run)
            run.adopt(config)
            return run
        return self._create(directory, config, found)

    def _same_files(self, run: RunDirectory) -> None:
        """Raise RunError where a scene is not the file any more that the run was planned with."""
        config = run.config
        for row in run.scenes:
            if row["status"] != "ok":
                continue
            try:
                with open_scene(
                    row["path"],
                    scene_crs=config.scene_crs,
                    pixel_space=config.pixel_space,
                    bands=config.bands,
                ) as scene:
                    content_id = scene.content_id
            except SceneError:
                if len(run.scenes) == 1:
                    raise
                continue  # what was answered of it stays; its other tiles will say why they cannot be read
            if content_id != row["content_id"]:
                raise RunError(
                    f"{row['path']} has changed since {run.path} was started. Start anew with --fresh, "
                    "or name another --run-dir."
                )

    def _create(
        self, directory: Path, config: RunConfig, found: Iterable[ScenePlan | dict[str, Any]]
    ) -> RunDirectory:
        return RunDirectory.create(directory, config, lay_out(config, self.profile, found))

    def _planned(self) -> tuple[RunConfig, Iterator[ScenePlan | dict[str, Any]]]:
        """Plan the first scene with the profile alone, so that a bad one is said before weights are loaded."""
        options, profile = self._options, self.profile
        if options.batch:
            refuse_change(options)
        questions = tuple(
            resolve_question(text, options.task, len(options.scenes)) for text in options.questions
        )
        if options.out_crs is not None:
            known_crs(options.out_crs, pixel_space=options.pixel_space)
        config = configuration(options, profile, questions)
        found = plan_scenes(config, profile)
        first = list(islice(found, 1))
        model = self.model
        return (
            config.model_copy(
                update={
                    "model_identity": model.identity,
                    "batch_size": model.max_in_flight,
                    "constrained": held_to_grammar(options, model),
                }
            ),
            chain(first, found),
        )

    def _plan_of(self, run: RunDirectory) -> Plan:
        """The plan as the run directory holds it, so that resuming needs to open no scene."""
        notes = dict.fromkeys(note for scene in run.scenes for note in scene["notes"])
        return Plan(
            run.config,
            tiles=run.totals.tiles,
            skipped=run.totals.skipped,
            area_m2=run.totals.area_m2,
            memory_bytes=run.totals.memory_bytes,
            answered=(state := run.status()).answered - state.failed,
            notes=(*notes, *_follow_up_notes(run.config)),
        )


def _follow_up_notes(config: RunConfig) -> list[str]:
    if config.follows is None or config.profile.prompt_style == "instructed":
        return []
    return [
        (
            f"{config.profile.name} answers every question by itself: it sees the place the question is about, and "
            "is not told the earlier answer."
        )
    ]
