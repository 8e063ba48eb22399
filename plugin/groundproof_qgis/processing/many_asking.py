"""Many scenes from pixels to one GeoPackage: sent one by one, asked together, whatever some of them are.

Knows the order (send, ask, follow, fetch, clean up), what one job may hold and how a job that fails is cut down to the
scene it fails for. Refuses to know parameters and the project.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from groundproof_qgis.asking.request import Area, Question
from groundproof_qgis.engine.address import AddressSource
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.errors import CANCELLED, INVALID, MISSING, EngineError
from groundproof_qgis.engine.errors import FAILED as ENGINE_FAILED
from groundproof_qgis.engine.exchange import Cancelled
from groundproof_qgis.engine.patience import patiently
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import OutsideError, PixelError
from groundproof_qgis.imagery.scene import PixelSource
from groundproof_qgis.processing.many_places import Places
from groundproof_qgis.processing.many_result import FAILED, SKIPPED, Left, Result, looked_at, tasks
from groundproof_qgis.processing.many_scenes import Ready, Scene, without_login
from groundproof_qgis.processing.many_telling import ManyTelling
from groundproof_qgis.tasks.ask import DONE, INTERRUPTED, Ask, Outcome, reach
from groundproof_qgis.tasks.uploads import Uploads

MAX_SCENES = 1000
"""Of one job, as the engine takes them."""
MAX_BYTES = 4 << 30
"""Of pixels that lie in the engine for one job: it keeps 20 GiB for everybody, unless its operator says otherwise."""
MAX_AREA_CHARACTERS = 900_000
"""Of a job's polygons: the engine takes requests of 1 MB."""
HOPELESS = 3
"""Scenes alone that the engine refused one after the other, and none was answered: the rest is not tried."""

OF_THE_SCENE = (INVALID, ENGINE_FAILED, MISSING)
"""Errors of the engine that another scene need not have."""
NO_ROOM = 413
CHANGE = "change"


@dataclass
class Tally:
    """What became of the scenes. failed, skipped: reasons by the scene's number."""

    scenes: Sequence[Scene]
    asked: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)
    stopped: str = ""
    """Why it ended before every scene was asked about; "" when it did not."""

    @property
    def left(self) -> list[int]:
        """Those that nobody came to."""
        known = {*self.asked, *self.failed, *self.skipped}
        return [number for number in range(len(self.scenes)) if number not in known]


@dataclass(frozen=True)
class _Sent:
    """A scene that lies in the engine. number: among all. id: the engine's. size: bytes of its pixels."""

    number: int
    id: str
    ready: Ready
    size: int


class _StoppedError(Exception):
    """It goes no further; the message says why."""


class AskMany:
    """Asks once. result: where everything goes. most_failed: share of failed scenes, 0 .. 1, beyond which it stops.

    close: lets go of a source that was made in this thread. Use it in one thread, not the main one.
    """

    def __init__(
        self,
        address: AddressSource,
        result: Result,
        listener: ManyTelling,
        cancelled: Cancelled,
        close: Callable[[PixelSource], None],
        most_failed: float = 1.0,
    ) -> None:
        self._address, self._result, self._listener = address, result, listener
        self._cancelled, self._close, self._most_failed = cancelled, close, most_failed
        self._client = EngineClient(address, cancelled)
        self._sent: list[_Sent] = []
        self._in_file: dict[int, str] = {}
        """The engine's ids of scenes that the result has a row of, by number."""

    def ask(self, questions: Sequence[Question], scenes: Sequence[Scene], places: Places) -> Tally:
        """Everything, or as much as came. Raises LayerError when the result cannot be written."""
        self._questions, self._scenes, self._places = questions, scenes, places
        self._tally = tally = Tally(scenes)
        self._refused = 0
        with tempfile.TemporaryDirectory(prefix=".groundproof-", dir=self._result.path.parent) as folder:
            self._folder = Path(folder)
            try:
                reach(self._client, self._cancelled, self._listener.stage)
                for number in range(len(scenes)):
                    self._send(number)
                    self._listener.scene_sent(number + 1)
                    self._check()
                self._answer()
                self._check()
            except (EngineError, OSError, _StoppedError) as err:
                tally.stopped = tr("Cancelled.") if self._cancelled() else str(err)
            finally:
                self._forget()
        if self._result.exists:
            self._result.leave(self._rows())
        return tally

    def _send(self, number: int) -> None:
        """Send a scene; what was sent before is asked about first where both do not fit into one job."""
        scene = self._scenes[number]
        ready: Ready | None = None
        try:
            ready = scene.freeze()
            size = _bytes(ready)
            if self._sent and not self._fits(ready, size):
                self._answer()
            try:
                sent = self._upload(number, ready, size)
            except EngineError as err:
                if err.status != NO_ROOM or not self._sent:
                    raise
                self._answer()  # and there is room again
                sent = self._upload(number, ready, size)
            self._sent.append(sent)
        except OutsideError as err:
            self._skip(number, str(err))
        except PixelError as err:
            self._fail(number, str(err))
        except EngineError as err:
            if err.kind not in OF_THE_SCENE:
                raise
            self._fail(number, str(err))
        finally:
            if ready is not None and scene.frozen is None:
                self._close(ready.frozen.source)

    def _fits(self, ready: Ready, size: int) -> bool:
        touched = ready.touched.union(*(sent.ready.touched for sent in self._sent))
        return (
            len(self._sent) < MAX_SCENES
            and sum(sent.size for sent in self._sent) + size <= MAX_BYTES
            and self._places.characters(touched) <= MAX_AREA_CHARACTERS
        )

    def _upload(self, number: int, ready: Ready, size: int) -> _Sent:
        source, scene_id, arrived = ready.frozen.source, "", 0

        def sent(pixels: int) -> None:
            nonlocal arrived
            arrived += pixels
            self._listener.sent(arrived, source.spec.pixels)

        try:
            scene_id = self._patiently(lambda: self._client.create_scene(source.spec), again_after_drop=True)
            with Uploads(EngineClient(self._address, self._cancelled), sent, self._listener.stage) as uploads:
                for window in source.windows(self._cancelled):
                    uploads.put(scene_id, window)
            if self._cancelled():
                raise _StoppedError(tr("Cancelled."))
        except BaseException:
            if scene_id:
                self._delete(scene_id)
            raise
        return _Sent(number, scene_id, ready, size)

    def _answer(self) -> None:
        """Ask everything about what was sent, and remove it from the engine."""
        if not self._sent:
            return
        for number, question in enumerate(self._questions):
            self._listener.asks(len(self._sent), number)
            self._ask(question, self._sent)
        self._forget()
        self._listener.asked()

    def _ask(self, question: Question, sent: Sequence[_Sent]) -> None:
        """One job; halves of it where it fails as a whole."""
        outcome = self._job(question, sent)
        by_id = {one.id: one.number for one in sent}
        looked = set() if outcome.path is None else looked_at(outcome.path, by_id)
        if outcome.path is not None and (looked or outcome.status == DONE):
            self._refuse_change(question, outcome.path, sent)
            self._take(outcome.path, by_id, set(by_id) if outcome.status == DONE else looked)
            self._refused = 0
            if outcome.status != DONE:
                raise _StoppedError(outcome.sentence)
            return
        if outcome.status in (INTERRUPTED, CANCELLED) or self._cancelled():
            raise _StoppedError(outcome.sentence)
        if len(sent) == 1:
            self._refused += 1
            self._fail(sent[0].number, outcome.sentence)
            if self._refused >= HOPELESS and not self._tally.asked:
                raise _StoppedError(outcome.sentence)
            return
        self._listener.stage(
            tr("{n} scenes could not be asked about together; they are asked in halves: {why}").format(
                n=len(sent), why=outcome.sentence
            )
        )
        middle = len(sent) // 2
        for half in (sent[:middle], sent[middle:]):
            self._ask(question, half)

    def _refuse_change(self, question: Question, part: Path, sent: Sequence[_Sent]) -> None:
        """Asked about a change, several scenes are dates of one place to the engine, with one answer for all."""
        if len(sent) > 1 and CHANGE in tasks(part):
            raise _StoppedError(
                tr(
                    '"{question}" asks for a change between dates, and here every scene has an answer of its own. Use '
                    '"Ask imagery", which takes an image of a later date.'
                ).format(question=question.text)
            )

    def _job(self, question: Question, sent: Sequence[_Sent]) -> Outcome:
        body = self._request(question, sent)
        key = str(uuid4())
        try:
            job = self._patiently(lambda: self._client.ask(body, key), again_after_drop=False)
        except EngineError as err:
            if err.kind not in OF_THE_SCENE:
                raise
            return Outcome("failed", str(err), error_kind=err.kind)
        self._listener.job_started(job)
        file = self._folder / f"{key}.gpkg"
        outcome = Ask(self._address, file, self._listener, self._cancelled).follow(job, 0)
        if outcome.status == INTERRUPTED:
            self._end(job)
        return outcome

    def _end(self, job: str) -> None:
        """One that was lost on the way: nobody will follow it again, and while it runs it holds its scenes."""
        try:
            self._client.patient().cancel(job)
        except EngineError as err:
            self._listener.stage(str(err))

    def _request(self, question: Question, sent: Sequence[_Sent]) -> Mapping[str, Any]:
        body = dict(question.as_json([one.id for one in sent]))
        area = self._area(sent)
        if area is not None:
            body.update(aoi=area.geojson, aoi_crs=area.crs_wkt)
            if area.field is not None:
                body["aoi_field"] = area.field
        crs = self._result.crs() if self._result.exists else None
        if crs is not None:  # one file has one CRS
            body["out_crs"] = crs
        return body

    def _area(self, sent: Sequence[_Sent]) -> Area | None:
        if all(one.ready.frozen.area is None for one in sent):
            return None
        return self._places.together(frozenset().union(*(one.ready.touched for one in sent)))

    def _take(self, part: Path, by_id: Mapping[str, int], looked: Collection[str]) -> None:
        """by_id: numbers of the job's scenes. looked: those of them that were looked at."""
        unusable = self._result.add(
            part, {scene: self._scenes[number].source for scene, number in by_id.items()}
        )
        self._in_file.update((number, scene) for scene, number in by_id.items())
        for scene, why in unusable.items():
            self._fail(by_id[scene], why)
        self._tally.asked.update(by_id[scene] for scene in looked if scene in by_id)
        self._tally.asked.difference_update(self._tally.failed)

    def _fail(self, number: int, why: str) -> None:
        """One that fails for one of several questions has failed; the first reason stays."""
        if number in self._tally.failed:
            return
        why = self._tally.failed[number] = without_login(why)
        self._tally.asked.discard(number)
        self._listener.lost(self._scenes[number].name, why)

    def _skip(self, number: int, why: str) -> None:
        self._tally.skipped[number] = why
        self._listener.stage(why)

    def _check(self) -> None:
        failed, of = len(self._tally.failed), len(self._scenes)
        if failed and failed > self._most_failed * of:
            raise _StoppedError(
                tr("{n} of {scenes} scenes failed, more than the {share:g} % that may.").format(
                    n=failed, scenes=of, share=100 * self._most_failed
                )
            )

    def _rows(self) -> list[Left]:
        """Of every scene that was not asked about."""
        found = {number: (FAILED, why) for number, why in self._tally.failed.items()}
        found.update({number: (SKIPPED, why) for number, why in self._tally.skipped.items()})
        for number in self._tally.left:
            found[number] = (SKIPPED, tr("It was not asked about: {why}").format(why=self._tally.stopped))
        return [
            Left(
                self._scenes[number].name,
                self._scenes[number].source,
                *found[number],
                self._in_file.get(number, ""),
            )
            for number in sorted(found)
        ]

    def _forget(self) -> None:
        """Remove what was sent from the engine."""
        for one in self._sent:
            if not self._delete(one.id):
                break
        self._sent = []

    def _delete(self, scene_id: str) -> bool:
        """One that cannot be removed now expires in the engine. False: neither can others, and they need not wait."""
        try:
            self._client.patient().delete_scene(scene_id)
        except EngineError as err:
            self._listener.stage(
                tr("What was sent could not be removed from the engine: {why}").format(why=err)
            )
            return err.kind in OF_THE_SCENE
        return True

    def _patiently(self, call: Callable[[], Any], *, again_after_drop: bool) -> Any:
        return patiently(call, self._cancelled, self._listener.stage, again_after_drop=again_after_drop)


def _bytes(ready: Ready) -> int:
    spec = ready.frozen.spec
    return spec.pixels * (spec.bands + 1) * (2 if spec.dtype == "uint16" else 1)
