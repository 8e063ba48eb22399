"""What a question would send and cost, said while the form is filled in.

Knows the form's places and the engine's estimate. Refuses to know asking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from groundproof_qgis.asking.form import AskForm
from groundproof_qgis.asking.size_words import duration_words, ground_words, pixel_words, resolution_words
from groundproof_qgis.control.engines import Engines
from groundproof_qgis.control.places import Places
from groundproof_qgis.engine.errors import CANCELLED, EngineError
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.plan import Preview
from groundproof_qgis.tasks.call_task import CallTask

AGAIN_MS = 3_000
TRIES = 5
"""How often an estimate without a time is asked for again."""


@dataclass(frozen=True)
class Size:
    """What one question would send. tiles, seconds: as the engine estimates them, None while it has not.

    at_least: it takes so long even if nothing is found. seconds_most: then, about how long if there is very much.
    """

    previews: tuple[Preview, ...]
    tiles: int | None = None
    seconds: float | None = None
    at_least: bool = False
    seconds_most: float | None = None

    @property
    def pixels(self) -> int:
        """Of all dates."""
        return sum(one.spec.pixels for one in self.previews)

    @property
    def words(self) -> str:
        """ "1.2 x 0.9 km, 12 MP at 0.30 m per px, 64 tiles, about 40 s"."""
        first = self.previews[0]
        parts = [] if first.ground_m is None else [ground_words(*first.ground_m)]
        amount = pixel_words(self.pixels)
        if first.gsd_m is not None:
            amount = tr("{pixels} at {resolution}").format(
                pixels=amount, resolution=resolution_words(first.gsd_m)
            )
        parts.append(amount)
        if self.tiles is not None:
            parts.append(tr("1 tile") if self.tiles == 1 else tr("{n} tiles").format(n=f"{self.tiles:,}"))
        if self.seconds is not None:
            parts.append(self._time_words(self.seconds))
        return ", ".join(parts)

    def _time_words(self, seconds: float) -> str:
        """ "about 40 s"; "40 s to 3 min, the more there is to find" where only empty tiles were timed."""
        least = duration_words(seconds)
        if not self.at_least:
            return tr("about {time}").format(time=least)
        if self.seconds_most is None:
            return tr("at least {time}").format(time=least)
        most = duration_words(self.seconds_most)
        if most == least:
            return tr("about {time}").format(time=least)
        return tr("{least} to {most}, the longer the more is found").format(least=least, most=most)


class Sizing(QObject):
    """`said`: the sentence, and whether it warns. `size` is what was last worked out, None where it cannot be asked."""

    said = pyqtSignal(str, bool)

    def __init__(self, places: Places, engines: Engines, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.size: Size | None = None
        self._places = places
        self._engines = engines
        self._task: CallTask | None = None
        self._asked: dict[str, Any] | None = None
        self._tiles: tuple[dict[str, Any], int | None] = ({}, None)
        self._tries = 0
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(AGAIN_MS)
        self._again.timeout.connect(self._estimate_again)
        engines.replaced.connect(self._forget)

    def work_out(self, form: AskForm) -> None:
        """Say what this form would send; the engine's part of it comes a little later."""
        try:
            previews = self._places.previews(form, self._places.place(form))
        except PixelError as err:
            self._drop()
            self.size = None
            self._asked = None
            self.said.emit(str(err), True)
            return
        body = estimate_body(form, previews)
        before = self.size
        if before is not None and body == self._asked and before.tiles is not None:
            self.size = replace(before, previews=tuple(previews))
        else:
            place = _place_of(body)  # other words need other seconds, not other tiles
            self.size = Size(tuple(previews), self._tiles[1] if self._tiles[0] == place else None)
            self._tries = 0
            self._estimate(body)
        self._say()

    def _forget(self) -> None:
        """The engine is another: its estimate is none any more."""
        self._drop()
        self._asked = None

    def clear(self) -> None:
        """There is nothing to ask about."""
        self._drop()
        self.size = self._asked = None
        self.said.emit("", False)

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._drop()

    def _estimate(self, body: dict[str, Any]) -> None:
        self._drop()
        self._asked = None
        if not self._engines.is_ready:
            return
        task = CallTask(
            tr("What the question would cost"),
            self._engines.source(),
            lambda client: client.estimate(body),
        )
        task.done.connect(lambda found: self._estimated(task, body, found))
        task.failed.connect(lambda err: self._not_estimated(task, err))
        self._task = task
        QgsApplication.taskManager().addTask(task)

    def _estimate_again(self) -> None:
        if self._asked is not None and self._task is None:
            self._estimate(self._asked)

    def _estimated(self, task: CallTask, body: dict[str, Any], found: Mapping[str, Any]) -> None:
        if task is not self._task or self.size is None:
            return
        self._task = None
        self._asked = body
        self._tiles = (_place_of(body), int(found["tiles"]))
        seconds = found.get("seconds")
        self.size = Size(
            self.size.previews,
            int(found["tiles"]),
            seconds,
            bool(found.get("at_least")),
            found.get("seconds_most"),
        )
        self._say()
        if seconds is None and self._tries < TRIES:  # the engine is timing a trial tile meanwhile
            self._tries += 1
            self._again.start()

    def _not_estimated(self, task: CallTask, err: EngineError) -> None:
        if task is not self._task:
            return
        self._task = None
        if err.kind != CANCELLED and self.size is not None:
            self.said.emit(tr("{size}. {problem}").format(size=self.size.words, problem=err), True)

    def _say(self) -> None:
        if self.size is not None:
            notes = dict.fromkeys(note for one in self.size.previews for note in one.notes)
            self.said.emit(" ".join([f"{self.size.words}.", *notes]), False)

    def _drop(self) -> None:
        self._again.stop()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()


def _place_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body.get(name) for name in ("scenes", "aoi", "aoi_crs", "aoi_field")}


def estimate_body(form: AskForm, previews: Sequence[Preview]) -> dict[str, Any]:
    """The body of `POST /estimate`: scenes without pixels."""
    specs = [one.spec for one in previews]
    body: dict[str, Any] = {
        "scenes": [
            {"width": one.width, "height": one.height}
            | ({} if one.crs_wkt is None else {"crs": one.crs_wkt, "affine": list(one.affine or ())})
            for one in specs
        ],
        "task": form.task,
        "second_look": form.second_look,
        "pixel_space": specs[0].crs_wkt is None,
    }
    if form.question:
        body["question"] = form.question
    area = previews[0].area
    if area is not None:
        body |= {"aoi": area.geojson, "aoi_crs": area.crs_wkt}
        if area.field is not None:
            body["aoi_field"] = area.field
    return body
