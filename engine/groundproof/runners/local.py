"""One process: tiles are read ahead in the background, the model answers in this thread, each batch is kept.

Knows how reading and asking go together, and what to do when the model dies. Refuses to know other processes: a
runner that has many calls `run_tiles` in each, for batches of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from itertools import groupby

from groundproof.errors import ModelError, RunError
from groundproof.models.base import VisionLanguageModel
from groundproof.run import RunDirectory
from groundproof.runners.ahead import AHEAD_TILES, Ahead
from groundproof.runners.stages import Asking, Observer, Work, works
from groundproof.sources import Sources

REOPENINGS = 3
"""How often a model that died is opened again before a batch is kept by it."""
BACKOFF_S = 0.5
"""Wait before the first of them; twice as long before each further one."""
MOST_AHEAD = 16
"""Tiles read before they are asked for, at most: 38 MB at 896 px."""
POLL_S = 0.1

Reopen = Callable[[], VisionLanguageModel]


def run_tiles(
    run: RunDirectory,
    model: VisionLanguageModel,
    sources: Sources,
    observer: Observer,
    batches: Collection[int],
    *,
    reopen: Reopen | None = None,
    raise_alone: bool = True,
) -> None:
    """Answer batches of the run, in order. Interrupted anywhere, those kept stay.

    batches: ascending; one that was answered before is asked once more, as a whole. reopen: lets go of a model that
    died and gives a new one; it is asked `REOPENINGS` times in a row, with a pause, and the batches that were not
    kept are asked again as a whole. raise_alone: the error of a run's only scene is raised.

    Raises ModelError when the model dies (for good), OutputError when a batch cannot be kept, and, with
    `raise_alone`, SceneError when the only scene is gone or is no longer the file that was planned. Unreadable tiles
    and unusable answers become rows with their status; so do all tiles of a scene that is gone.
    """
    asking = Asking(run, model.profile, observer, raise_alone=raise_alone)
    alive: VisionLanguageModel | None = model
    todo, deaths = batches, 0
    while True:
        kept = len(asking.kept)
        try:
            if alive is None:
                alive = _opened(run, reopen)
            _answer(run, alive, sources, asking, todo)
        except ModelError:
            deaths = 1 if len(asking.kept) > kept else deaths + 1
            if reopen is None or deaths > REOPENINGS:
                raise
            alive = None
            asking.forget()
            todo = [batch for batch in todo if batch not in asking.kept]
            _wait(BACKOFF_S * 2 ** (deaths - 1), observer)
        else:
            return


def _answer(
    run: RunDirectory,
    model: VisionLanguageModel,
    sources: Sources,
    asking: Asking,
    batches: Collection[int],
) -> None:
    """As one stream, or one call of the model for each batch; see `VisionLanguageModel.continuous`."""
    ahead = AHEAD_TILES if model.continuous else min(max(AHEAD_TILES, run.config.batch_size), MOST_AHEAD)
    wanted: Iterator[Work] = works(run.manifest.of_batches(batches))
    with Ahead(sources, wanted, ahead=ahead) as found:
        if model.continuous:
            asking.answer(model, found)
            return
        for _, of_batch in groupby(found, lambda one: one[0].batch):
            asking.answer(model, of_batch)


def _opened(run: RunDirectory, reopen: Reopen | None) -> VisionLanguageModel:
    assert reopen is not None  # noqa: S101 - without it the error was raised
    model = reopen()
    if model.identity != run.config.model_identity:
        raise RunError(
            f"{run.path} was answered by {run.config.model_identity}; the model that was opened in its place is "
            f"{model.identity}. Use the same weights, or start a new run with --fresh."
        )
    return model


def _wait(seconds: float, observer: Observer) -> None:
    """Sleep, but stop when asked to."""
    until = time.monotonic() + seconds
    while True:
        observer.check()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, POLL_S))
