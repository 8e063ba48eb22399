"""A job's result as files, made when first asked for and kept beside it.

Knows which files there are and how each is made. Refuses to know HTTP. A name asked for is looked up in a list,
never joined to a path as it came.
"""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from groundproof.areas import areas
from groundproof.deliver import write_picture
from groundproof.errors import NotFoundError, SceneError, TooLargeError
from groundproof.outputs import write, write_summary
from groundproof.run import RunDirectory
from groundproof.run_files import writing
from groundproof.service.jobs.ask_process import RESULT
from groundproof.service.jobs.processes import DIFFERENCE, EXPORT
from groundproof.service.jobs.store import JobStore
from groundproof.service.ogc.process_descriptions import GEOPACKAGE
from groundproof.service.ogc.snapshots import Snapshot, Snapshots
from groundproof.tables import TABLES

MAX_GEOJSON = 10_000
"""From this many boxes on GeoJSON is not offered: a client would wait long and read it slowly."""

PARQUET = "application/vnd.apache.parquet"

_PARQUET = {"result.parquet" if table == "evidence" else f"result.{table}.parquet": table for table in TABLES}
_KEPT_STATES = 2
"""States of a running job whose files are kept: the last, and the one before it that may be being sent."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A file one may ask for."""

    name: str
    title: str
    media_type: str


_OWN = {
    "review-export": Offer(EXPORT, "Reviewed evidence as training data", "application/zip"),
    "diff": Offer(DIFFERENCE, "What changed", "application/json"),
}
"""Files of processes whose result is no evidence."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that lies there. save_as: what a browser calls it. partial: what of the job it holds; None: all."""

    path: Path
    media_type: str
    save_as: str
    partial: str | None


class Downloads:
    """The files of a service's jobs. Safe to use from any thread; each file is made once for each state."""

    def __init__(self, jobs: JobStore, snapshots: Snapshots) -> None:
        self._jobs = jobs
        self._snapshots = snapshots
        self._lock = threading.Lock()
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def offers(self, job_id: str) -> tuple[list[Offer], str | None]:
        """Files of a job, and of what part of it as in `MadeFile`. Raises NotFoundError, NotReadyError."""
        if self._jobs.get(job_id).process in _OWN:
            own = _OWN[self._jobs.get(job_id).process]
            return [own] if (self._jobs.folder(job_id) / own.name).exists() else [], None
        snapshot = self._snapshots.get(job_id)
        return self._offers(snapshot), _partial(snapshot)

    def file(self, job_id: str, name: str) -> MadeFile:
        """One file of `offers`. Raises NotFoundError, NotReadyError, TooLargeError, OutputError."""
        if name == RESULT and (final := self._jobs.folder(job_id) / RESULT).exists():
            # The usual case, and many small ranges of it: not worth holding the result in memory for.
            return MadeFile(final, GEOPACKAGE, _save_as(job_id, name, None), None)
        offers, partial = self.offers(job_id)
        offer = next((offer for offer in offers if offer.name == name), None)
        if offer is None:
            raise self._missing(job_id, name, offers)
        if offer in _OWN.values():
            path = self._jobs.folder(job_id) / offer.name
        else:
            with self._lock:
                making = self._making[job_id]
            with making:
                snapshot = self._snapshots.get(job_id)
                path, partial = self._made(snapshot, offer.name), _partial(snapshot)
        return MadeFile(path, offer.media_type, _save_as(job_id, offer.name, partial), partial)

    def _offers(self, snapshot: Snapshot) -> list[Offer]:
        found = [
            Offer(RESULT, "Everything, styled for QGIS", GEOPACKAGE),
            *(Offer(name, f"GeoParquet: {table}", PARQUET) for name, table in _PARQUET.items()),
        ]
        result = snapshot.result
        if result.scenes.crs is not None and len(result.evidence) < MAX_GEOJSON:
            found.append(
                Offer("result.geojson", "Evidence in longitude and latitude", "application/geo+json")
            )
        found.append(Offer("summary.csv", "One line for each answer", "text/csv"))
        found += [
            Offer(name, "Evidence drawn on the scene", "image/png") for name in self._pictures(snapshot)
        ]
        return found

    def _pictures(self, snapshot: Snapshot) -> dict[str, str]:
        """Names of pictures and the answers they show; none without the run that knows the scenes."""
        if not (self._jobs.run_directory(snapshot.job_id) / "run.toml").exists():
            return {}
        answers = snapshot.result.answers.answer_id
        return {
            "picture.png" if number == 1 else f"picture-{number}.png": str(answer_id)
            for number, answer_id in enumerate(answers, start=1)
        }

    def _missing(self, job_id: str, name: str, offers: list[Offer]) -> NotFoundError | TooLargeError:
        names = ", ".join(offer.name for offer in offers) or "none"
        if name == "result.geojson" and RESULT in names:
            result = self._snapshots.get(job_id).result
            if result.scenes.crs is None:
                return NotFoundError(
                    f"The job {job_id} is in pixel space, and GeoJSON is in longitude and latitude. Take {names}."
                )
            return TooLargeError(
                f"The job {job_id} has {len(result.evidence):,} boxes; GeoJSON is offered below {MAX_GEOJSON:,}. "
                f"Take result.gpkg or result.parquet, or read /collections/{job_id}-evidence/items in pages."
            )
        return NotFoundError(f"The job {job_id} has no file {name[:100]!r}. It has {names}.")

    def _made(self, snapshot: Snapshot, name: str) -> Path:
        folder = self._jobs.folder(snapshot.job_id) / "made" / snapshot.version
        path = folder / name
        if path.exists():
            return path
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        if name == "summary.csv":
            write_summary(snapshot.result, path)
        elif name in _PARQUET:
            write(snapshot.result, folder / "result.parquet")
        elif name in (pictures := self._pictures(snapshot)):
            self._draw(snapshot, pictures[name], path)
        else:
            write(snapshot.result, path)
        _forget_older(folder)
        return path

    def _draw(self, snapshot: Snapshot, answer_id: str, path: Path) -> None:
        run = RunDirectory.open(self._jobs.run_directory(snapshot.job_id))
        area = next(area for area in areas(run) if area.answer_id == answer_id)
        try:
            write_picture(run, snapshot.result, area, path)
        except SceneError as err:
            raise NotFoundError(f"The picture cannot be drawn any more: {err}") from err


def _save_as(job_id: str, name: str, partial: str | None) -> str:
    return f"groundproof-{job_id[:8]}{'' if partial is None else '-partial'}-{name}"


def _partial(snapshot: Snapshot) -> str | None:
    if snapshot.complete:
        return None
    tiles = snapshot.result.tiles
    return f"{int(tiles.status.notna().sum())} of {len(tiles)} tiles"


def _forget_older(folder: Path) -> None:
    states = sorted(folder.parent.iterdir(), key=lambda state: state.stat().st_mtime_ns, reverse=True)
    for state in states[_KEPT_STATES:]:
        with writing(state):
            shutil.rmtree(state)
