"""One GeoPackage of several jobs' results, as if one job had made it.

Knows the four tables, their numbering and where a result says what made it. Refuses to know what the rows mean. What
is added is there whole or not at all, so the file is a result at any moment.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osgeo import gdal, ogr

from groundproof_qgis.answer.counting import is_counted
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.gpkg_metadata import documents, put
from groundproof_qgis.layers.tables import TABLES, read_tables

OK, FAILED, SKIPPED = "ok", "failed", "skipped"
"""What became of a scene: asked about, unusable, not asked about."""

_ANSWER = re.compile(r"A(\d+)")


@dataclass(frozen=True)
class Left:
    """A scene that was not asked about. status: FAILED or SKIPPED. source: its path, or what its layer says.

    id: the engine's, where a job's result has a row of it; "" where no job was about it.
    """

    name: str
    source: str
    status: str
    reason: str
    id: str = ""


@dataclass
class Result:
    """The file. It comes into being with the first job's result. Raises LayerError when it cannot be written."""

    path: Path
    exists: bool = False
    """Whether it has come into being; another file of that name is no result of this run."""
    _scenes: dict[str, str] = field(default_factory=dict)
    """Names in the file, by the engine's id of what was sent."""
    _names: set[str] = field(default_factory=set)
    _answers: int = 0

    def crs(self) -> str | None:
        """EPSG:code or WKT2 of all its geometries; None in pixel space."""
        return read_tables(self.path, ()).crs

    def add(self, part: Path, sources: Mapping[str, str]) -> dict[str, str]:
        """Take a job's GeoPackage, which is gone afterwards.

        sources: of what was sent, by the engine's ids: the file names them in place of the engine's copies. Gives the
        reasons of those that the engine could not use, by id.
        """
        with _opened(part) as file:
            rows = [_scene(row) for row in file.table("scenes")]
        ids = {name: _id_of(path, sources) for name, path, _, _ in rows}
        unusable = {
            ids[name]: (why or "").replace(path, sources[ids[name]])
            for name, path, status, why in rows
            if status == FAILED and ids[name]
        }
        paths = {path: sources[ids[name]] for name, path, _, _ in rows if ids[name]}
        try:
            if self.exists:
                self._append(part, ids, paths)
            else:
                self._first(part, ids, paths)
        except (RuntimeError, OSError, sqlite3.Error) as err:
            raise self._unwritable(err) from err
        return unusable

    def leave(self, scenes: Iterable[Left]) -> None:
        """Say of scenes why they were not asked about, in a row of their own where they have none."""
        known: dict[str, Left] = {}
        new: list[Left] = []
        for one in scenes:
            if one.id in self._scenes:
                known[self._scenes[one.id]] = one
            else:
                new.append(one)
        try:
            with _changed(self.path) as file:
                table = file.table("scenes")
                for row in [row for row in table if row["scene"] in known]:
                    one = known[row["scene"]]
                    row["status"], row["reason"] = one.status, one.reason
                    _done(table.SetFeature(row))
                for one in new:
                    row = ogr.Feature(table.GetLayerDefn())
                    row["scene"], row["path"] = self._unique(one.name), one.source
                    row["status"], row["reason"] = one.status, one.reason
                    _done(table.CreateFeature(row))
        except (RuntimeError, OSError) as err:
            raise self._unwritable(err) from err

    def counted(self) -> int:
        """How many boxes count."""
        with _opened(self.path) as file:
            rows = file.dataset.ExecuteSQL(
                "SELECT verdict, review, COUNT(*) AS n FROM evidence GROUP BY verdict, review"
            )
            counted = sum(row["n"] for row in rows if is_counted(row["verdict"], row["review"]))
            file.dataset.ReleaseResultSet(rows)
        return int(counted)

    def _first(self, part: Path, ids: Mapping[str, str], paths: Mapping[str, str]) -> None:
        with _opened(part, update=True) as file:
            self._answers = _last_answer(file)
            table = file.table("scenes")
            for row in list(table):
                self._name(ids[row["scene"]], row["scene"])
                row["path"] = paths.get(row["path"], row["path"])
                _done(table.SetFeature(row))
        _rewrite_metadata(part, lambda found: _with_sources(found, paths))
        part.replace(self.path)
        self.exists = True

    def _append(self, part: Path, ids: Mapping[str, str], paths: Mapping[str, str]) -> None:
        names: dict[str, str] = {}
        known = set(self._scenes)
        with _opened(part) as source, _changed(self.path) as target:
            for row in source.table("scenes"):
                name, scene = row["scene"], ids[row["scene"]]
                names[name] = self._scenes[scene] if scene in known else self._name(scene, self._unique(name))
            last = self._answers

            def renumbered(row: ogr.Feature) -> None:
                if row["scene"] in names:
                    row["scene"] = names[row["scene"]]
                match = _ANSWER.fullmatch(row["answer_id"] or "")
                if match:
                    row["answer_id"] = f"A{last + int(match[1])}"

            def renamed(row: ogr.Feature) -> None:
                row["path"] = paths.get(row["path"], row["path"])
                row["scene"] = names[row["scene"]]

            for table in TABLES:
                change = renamed if table == "scenes" else renumbered
                is_new = (lambda row: ids[row["scene"]] not in known) if table == "scenes" else None
                _copy(source.table(table), target.table(table), change, is_new)
            self._answers += _last_answer(source)
        more = _metadata_of(part)
        _rewrite_metadata(self.path, lambda found: _joined(found, _with_sources(more, paths)))
        part.unlink()

    def _name(self, scene: str, name: str) -> str:
        if scene:
            self._scenes[scene] = name
        self._names.add(name)
        return name

    def _unique(self, name: str) -> str:
        unique, number = name, 1
        while unique in self._names:
            number += 1
            unique = f"{name} ({number})"
        self._names.add(unique)
        return unique

    def _unwritable(self, err: Exception) -> LayerError:
        return LayerError(
            tr(
                "The result could not be written to {path}: {reason}. Make room there, or choose another place."
            ).format(path=self.path, reason=str(err).strip().rstrip("."))
        )


def looked_at(part: Path, sent: Mapping[str, Any]) -> set[str]:
    """Of which scenes a job's GeoPackage holds an answer of any tile, by the engine's ids; "" for one without.

    sent: what was sent, by these ids.
    """
    with _opened(part) as file:
        ids = {row["scene"]: _id_of(row["path"] or "", sent) for row in file.table("scenes")}
        return {
            ids.get(row["scene"], "") for row in file.table("tiles") if row["status"] not in (None, SKIPPED)
        }


def tasks(part: Path) -> set[str]:
    """What the engine took the questions for."""
    with _opened(part) as file:
        return {row["task"] for row in file.table("answers")}


class _File:
    """A GeoPackage while it is open; GDAL closes it when nothing holds the dataset any more."""

    def __init__(self, dataset: gdal.Dataset) -> None:
        self.dataset = dataset

    def table(self, name: str) -> ogr.Layer:
        """One of TABLES, from its first row."""
        layer = self.dataset.GetLayerByName(name)
        layer.ResetReading()
        return layer


@contextmanager
def _opened(path: Path, *, update: bool = False) -> Iterator[_File]:
    """Raises LayerError for what is no result."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        try:
            dataset = gdal.OpenEx(str(path), gdal.OF_VECTOR | (gdal.OF_UPDATE if update else 0), ["GPKG"])
        except RuntimeError:  # where somebody switched GDAL's exceptions on
            dataset = None
        if dataset is None or any(dataset.GetLayerByName(name) is None for name in TABLES):
            raise LayerError(
                tr("{path} is not a GeoPackage that can be read. Choose a result of groundproof.").format(
                    path=path
                )
            )
        file = _File(dataset)
        del dataset
        try:
            yield file
            file.dataset.FlushCache()
        finally:
            file.dataset = None
    finally:
        gdal.PopErrorHandler()


@contextmanager
def _changed(path: Path) -> Iterator[_File]:
    """The file, changed when the block ends well, and not at all when it does not."""
    with _opened(path, update=True) as file:
        _done(file.dataset.StartTransaction())
        try:
            yield file
        except BaseException:
            file.dataset.RollbackTransaction()
            raise
        _done(file.dataset.CommitTransaction())


def _scene(row: ogr.Feature) -> tuple[str, str, str, str | None]:
    return row["scene"], row["path"] or "", row["status"], row["reason"]


def _id_of(path: str, sources: Mapping[str, Any]) -> str:
    """The engine keeps what was sent in a folder of its id's name; "" for a path that is none of these."""
    return next((piece for piece in reversed(re.split(r"[/\\]", path)) if piece in sources), "")


def _copy(
    source: ogr.Layer,
    target: ogr.Layer,
    change: Callable[[ogr.Feature], None],
    wanted: Callable[[ogr.Feature], bool] | None,
) -> None:
    theirs, ours = source.GetLayerDefn(), target.GetLayerDefn()
    columns = [ours.GetFieldIndex(theirs.GetFieldDefn(i).GetName()) for i in range(theirs.GetFieldCount())]
    for row in source:
        if wanted is not None and not wanted(row):
            continue
        change(row)
        made = ogr.Feature(ours)
        _done(made.SetFromWithMap(row, True, columns))
        made.SetFID(-1)
        _done(target.CreateFeature(made))


def _last_answer(file: _File) -> int:
    matches = (_ANSWER.fullmatch(row["answer_id"] or "") for row in file.table("answers"))
    return max((int(match[1]) for match in matches if match), default=0)


def _done(code: int) -> None:
    """OGR tells failures by a number, unless somebody in this QGIS has called UseExceptions()."""
    if code:
        raise RuntimeError(gdal.GetLastErrorMsg() or tr("GDAL's error {code}").format(code=code))


def _metadata_of(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as connection:
        return next((found for _, found in _provenance(connection)), {})


def _rewrite_metadata(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change what the file says of how it was made."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for key, found in _provenance(connection):
            put(connection, key, change(found))


def _provenance(connection: sqlite3.Connection) -> list[tuple[int, dict[str, Any]]]:
    return [(key, found) for key, found in documents(connection) if "configuration" in found]


def _with_sources(metadata: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Any]:
    """Naming the scenes themselves in place of the engine's copies."""
    configuration = dict(metadata.get("configuration") or {})
    if "scenes" in configuration:
        configuration["scenes"] = [paths.get(path, path) for path in configuration["scenes"] or ()]
    return {**metadata, "configuration": configuration}


def _joined(first: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """What made several jobs' result: the first one's words, all scenes and questions, and every run's id."""
    one, two = first.get("configuration") or {}, more.get("configuration") or {}
    both = {
        name: [
            *(one.get(name) or ()),
            *(new for new in two.get(name) or () if new not in (one.get(name) or ())),
        ]
        for name in ("scenes", "questions")
    }
    runs = first.get("runs") or [_run(first)]
    return {
        **first,
        "configuration": {**one, **both},
        "transform_accuracy": {
            **(first.get("transform_accuracy") or {}),
            **(more.get("transform_accuracy") or {}),
        },
        "runs": [*runs, _run(more)],
    }


def _run(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: metadata.get(name) for name in ("run_id", "run_directory")}
