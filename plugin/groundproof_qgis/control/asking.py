"""From the click on Ask to a kept result: consent, pixels, the task, what it tells, its record.

Knows the order and what can go wrong on the way. Refuses to know how answers are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsProject
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QApplication, QDialog, QWidget

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.asking.form import AskForm
from groundproof_qgis.asking.form_json import form_to_json
from groundproof_qgis.asking.request import Question
from groundproof_qgis.asking.size_words import bytes_words
from groundproof_qgis.control.engines import Engines
from groundproof_qgis.control.places import Places
from groundproof_qgis.control.places_json import place_to_json
from groundproof_qgis.control.run import Run
from groundproof_qgis.control.sizing import Size
from groundproof_qgis.engine import settings as engine_settings
from groundproof_qgis.gui import preferences
from groundproof_qgis.gui.consent import huge_dialog, send_dialog
from groundproof_qgis.history.folders import folder_for_new_runs
from groundproof_qgis.history.record import ASKING, INTERRUPTED, new_record
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.freeze import Frozen
from groundproof_qgis.imagery.place import Place
from groundproof_qgis.imagery.what import LayerPixels
from groundproof_qgis.layers.errors import LayerError
from groundproof_qgis.layers.group import remove_layers
from groundproof_qgis.layers.live import LiveLayer
from groundproof_qgis.tasks.ask_task import AnswerTask, AskTask
from groundproof_qgis.tasks.call_task import CallTask
from groundproof_qgis.tasks.garbage import MANY_BOXES, set_aside

HUGE_PX = 150_000_000
"""Where no engine has said how many tiles it is: about 200 tiles of 896 px, half a gigabyte to send."""

STAYS_MS = 3_000
"""QGIS cancels its tasks when it closes, and when somebody presses Cancel in its list of tasks. If it is still there
after this long it was the list."""


class Asking(QObject):
    """One question at a time.

    begun, grew, ended: with the run; before `ended` its record is kept. problem: a sentence, when nothing was asked.
    """

    begun = pyqtSignal(object)
    grew = pyqtSignal(object)
    ended = pyqtSignal(object)
    problem = pyqtSignal(str)

    def __init__(
        self, engines: Engines, places: Places, project: QgsProject, canvas: QgsMapCanvas, window: QWidget
    ) -> None:
        super().__init__()
        self.run: Run | None = None
        self._engines = engines
        self._places = places
        self._project = project
        self._canvas = canvas
        self._window = window
        self._task: AnswerTask | None = None
        self._ending: CallTask | None = None
        self._is_left = False
        self._new_boxes = 0

    @property
    def is_busy(self) -> bool:
        """Whether a question is being asked."""
        return self._task is not None

    def ask(self, form: AskForm, size: Size | None) -> None:
        """Ask; size: as it was last worked out."""
        if self.is_busy:
            return
        try:
            place = self._places.place(form)
            size = size or Size(tuple(self._places.previews(form, place)))
            if not self._agreed(form, size):
                return
            frozen = self._places.frozen(form, place)
        except PixelError as err:
            self.problem.emit(str(err))
            return
        try:
            question = _question(form, frozen)
            folder = folder_for_new_runs(self._project, chosen=_chosen_folder())
        except ValueError as err:
            _close(frozen)
            self.problem.emit(str(err))
            return
        except OSError as err:
            _close(frozen)
            sentence = tr(
                "Results cannot be kept in {folder}: {reason}. Choose another folder in the settings."
            )
            self.problem.emit(sentence.format(folder=err.filename, reason=err.strerror))
            return
        record = new_record(
            form.question, form.task, _form_kept(form, place), self._engines.title, self._engines.at
        )
        run = Run(record, folder.path, Answer(form.question))
        if folder.sentence:
            run.answer.notes.append(folder.sentence)
        if not self._note(run):
            _close(frozen)
            return
        self._engines.start()
        sources = [one.source for one in frozen]
        self._begin(
            run, AskTask(self._engines.source(), question, sources, folder.path, Path(record.gpkg).stem)
        )

    def go_on(self, run: Run) -> None:
        """Watch a run's job again, from its first event: the answer is built anew."""
        if self.is_busy or run.record.job is None:
            return
        if run.record.engine_at not in ("", self._engines.at):
            sentence = tr(
                "This was asked of {engine}, which has it. Choose that engine in the settings, then go on."
            )
            self.problem.emit(sentence.format(engine=run.record.engine))
            return
        run.answer = Answer(run.record.question)
        self._note(run, status=ASKING, sentence="")
        self._engines.start()
        name = Path(run.record.gpkg).stem
        self._begin(
            run,
            AskTask.follow(self._engines.source(), run.record.job, 0, run.folder, name, run.record.question),
        )

    def cancel(self) -> None:
        """End it; what came so far is kept."""
        if self._task is not None:
            self._task.give_up()

    def leave(self) -> None:
        """QGIS ends, or the plugin is switched off: the engine goes on, and the run can be followed later."""
        self._is_left = True
        if self._task is not None:
            self._task.leave()

    def _agreed(self, form: AskForm, size: Size) -> bool:
        """Whether the person wants it: a very large area, imagery that leaves this computer."""
        tiles = size.tiles
        if (
            (tiles is not None and tiles >= preferences.load().confirm_tiles)
            or (tiles is None and size.pixels >= HUGE_PX)
        ) and huge_dialog(size.words, parent=self._window).exec() != QDialog.DialogCode.Accepted:
            return False
        if not self._engines.is_remote:
            return True
        address = engine_settings.load().remote_address()
        if engine_settings.has_consent(address):
            return True
        dialog = send_dialog(
            address.url,
            self._what(form),
            f"{size.words} ({bytes_words(size.pixels)})",
            address.warning or "",
            self._window,
        )
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return False
        engine_settings.give_consent(address)
        return True

    def _what(self, form: AskForm) -> str:
        names = []
        for choice in form.pixels:
            layer = self._project.mapLayer(choice.layer_id) if isinstance(choice, LayerPixels) else None
            names.append(tr("what the map shows") if layer is None else layer.name())
        return ", ".join(names)

    def _begin(self, run: Run, task: AnswerTask) -> None:
        self.run, self._task = run, task
        task.stage.connect(lambda sentence: self._stage(run, sentence))
        task.uploaded.connect(lambda sent, of: self._uploaded(run, sent, of))
        task.progressed.connect(lambda _answered, _tiles, _failed, left: self._time_left(run, left))
        task.job_started.connect(lambda job: self._note(run, job=job))
        task.events.connect(lambda events: self._events(run, events))
        task.ended.connect(lambda status, sentence: self._ended(run, task, status, sentence))
        self.begun.emit(run)
        QgsApplication.taskManager().addTask(task)

    def _stage(self, run: Run, sentence: str) -> None:
        run.answer.stage = sentence
        self.grew.emit(run)

    def _time_left(self, run: Run, seconds: float) -> None:
        run.seconds_left = seconds if seconds >= 0 else None

    def _uploaded(self, run: Run, sent: float, of: float) -> None:
        percent = 100 if of <= 0 else int(100 * sent / of)
        self._stage(run, tr("Sending imagery: {percent} %").format(percent=percent))

    def _events(self, run: Run, events: Sequence[tuple[str, dict[str, Any]]]) -> None:
        keys = []
        for name, data in events:
            run.answer.add(name, data)
            if name == "evidence":
                keys.append(str(data["key"]))
            elif name == "answer" and run.live is not None:
                run.live.end_live(str(data["answer_id"]))
        self._new_boxes += len(keys)
        if self._new_boxes >= MANY_BOXES:
            self._new_boxes = 0
            set_aside()
        boxes = run.boxes(keys)
        if boxes:
            self._show_live(run, boxes)
        self.grew.emit(run)

    def _show_live(self, run: Run, boxes: list) -> None:
        if run.live is None and run.layers is None and not run.is_orphan:
            remove_layers(self._project, run.record.run_id, "live")  # of an earlier try
            try:
                run.live = LiveLayer(
                    self._project,
                    run.record.run_id,
                    run.title,
                    boxes[0].crs,
                    self._canvas.isDrawing,
                    note=run.answer.notes.append,
                )
            except LayerError as err:
                run.answer.notes.append(str(err))
                return
        if run.live is not None:
            run.live.add(boxes)

    def _ended(self, run: Run, task: AnswerTask, status: str, sentence: str) -> None:
        self._task = None
        outcome = task.outcome
        if status == INTERRUPTED and task.isCanceled():
            QTimer.singleShot(STAYS_MS, lambda: self._end_in_engine(run))
        run.answer.end(status, sentence)
        if outcome.partial is not None:
            run.answer.notes.append(tr("The result holds {part}.").format(part=outcome.partial))
        kept = {"job": outcome.job_id, "last_event": outcome.after, "status": status, "sentence": sentence}
        self._kept(lambda: run.note_answer(**kept), run)
        self.ended.emit(run)

    def _end_in_engine(self, run: Run) -> None:
        """Somebody cancelled it in QGIS's list of tasks: the engine shall not go on either; what came is kept."""
        job = run.record.job
        if self._is_left or self.is_busy or job is None or run.record.status != INTERRUPTED:
            return
        if (
            QApplication.activeModalWidget() is not None
        ):  # perhaps QGIS is asking what to save before it closes
            QTimer.singleShot(STAYS_MS, lambda: self._end_in_engine(run))
            return
        self._ending = CallTask(tr("Cancel"), self._engines.address, lambda client: client.cancel(job))
        self._ending.done.connect(lambda _: self.go_on(run))
        self._ending.failed.connect(lambda err: self.problem.emit(str(err)))
        QgsApplication.taskManager().addTask(self._ending)

    def _note(self, run: Run, **changes: Any) -> bool:
        return self._kept(lambda: run.note(**changes), run)

    def _kept(self, write: Callable[[], None], run: Run) -> bool:
        try:
            write()
        except OSError as err:
            sentence = tr("The run's record could not be written to {folder}: {reason}.")
            self.problem.emit(sentence.format(folder=run.folder, reason=err.strerror or err))
            return False
        return True


def _question(form: AskForm, frozen: Sequence[Frozen]) -> Question:
    first = frozen[0]
    return Question(
        form.question,
        "change" if form.two_dates and form.task == "auto" else form.task,
        # Boxes that are asked about say where: the engine looks around them.
        area=None if form.follow_up is not None and form.follow_up.evidence else first.area,
        second_look=form.second_look,
        pixel_space=first.spec.crs_wkt is None,
        follow_up=form.follow_up,
    )


def _form_kept(form: AskForm, place: Place) -> dict[str, Any]:
    return {**form_to_json(form), "place": place_to_json(place)}


def _chosen_folder() -> Path | None:
    folder = preferences.load().results_folder
    return Path(folder) if folder else None


def _close(frozen: Sequence[Frozen]) -> None:
    for one in frozen:
        one.source.close()
