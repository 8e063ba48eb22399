"""The whole dock at work: every widget, every controller, and who hears whom.

Knows all of them by name. Decides only what follows what.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QObject, QUrl
from qgis.PyQt.QtGui import QDesktopServices

from groundproof_qgis.asking.form import RECTANGLE, SELECTION, AskForm, Where
from groundproof_qgis.asking.form_json import form_from_json
from groundproof_qgis.asking.recent import RecentQuestions
from groundproof_qgis.asking.request import FollowUp
from groundproof_qgis.control.asking import Asking
from groundproof_qgis.control.demo import open_demo
from groundproof_qgis.control.engine_controls import EngineControls
from groundproof_qgis.control.engines import Engines
from groundproof_qgis.control.exports import Exports
from groundproof_qgis.control.installing import Installing
from groundproof_qgis.control.map_moves import MapMoves
from groundproof_qgis.control.places import Places
from groundproof_qgis.control.places_json import place_from_json
from groundproof_qgis.control.results import Results
from groundproof_qgis.control.reviewing import Reviewing
from groundproof_qgis.control.run import Run
from groundproof_qgis.control.runs import Runs
from groundproof_qgis.control.showing import Showing
from groundproof_qgis.control.sizing import Sizing
from groundproof_qgis.control.updating import Updating
from groundproof_qgis.engine.local import LocalEngine
from groundproof_qgis.gui.dock import GroundproofDock
from groundproof_qgis.gui.layer_choices import LayerChoices
from groundproof_qgis.gui.messages import GOOD, INFO, WARNING
from groundproof_qgis.history.record import CANCELLED, DONE, FAILED, INTERRUPTED
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.layers.group import layers_of, show_only
from groundproof_qgis.tasks.at_end import end_tasks

GO_ON, OPEN_FOLDER, SHOW = "go_on", "open_folder", "show"
"""Buttons of messages."""


class Desk(QObject):
    """Made once for a dock; `close` when the plugin is unloaded."""

    def __init__(
        self, dock: GroundproofDock, iface: QgisInterface, project: QgsProject, local: LocalEngine
    ) -> None:
        super().__init__(dock)
        window, canvas = iface.mainWindow(), iface.mapCanvas()
        self._iface = iface
        self._canvas = canvas
        self._project = project
        self._panel, self._answers = dock.ask_panel, dock.answer_panel
        self._messages = dock.messages
        self._recent = RecentQuestions()
        self._interrupted: Run | None = None
        self._written = ""
        self._tried: set[str] = set()
        self.engines = Engines(local, self)
        self.installing = Installing(self.engines, self._messages, window)
        self._controls = EngineControls(dock, iface, self.engines, self.installing)
        self.places = Places(canvas, project, self)
        self.sizing = Sizing(self.places, self.engines, self)
        self.asking = Asking(self.engines, self.places, project, canvas, window)
        self.results = Results(project, self)
        self.showing = Showing(self._answers, canvas)
        self.updating = Updating(project, self.engines, self)
        self.reviewing = Reviewing(self._answers, self.updating)
        self.exports = Exports(self.engines, self.reviewing, self.updating, project, canvas, window)
        self.runs = Runs(project, self.engines, window)
        self._choices = LayerChoices(project, self)
        self._map_moves = MapMoves(canvas, self)
        self._connect_asking()
        self._connect_answers()
        self._connect_project()
        self._panel.set_recent(self._recent.all())
        self._layers_changed()
        self._controls.show()
        self._project_read()

    def close(self) -> None:
        """Stop listening and leave the canvas as it was; a question being asked goes on in the engine."""
        self._project.layersWillBeRemoved.disconnect(self._layers_go)
        self._project.readProject.disconnect(self._project_read)
        self._project.cleared.disconnect(self._project_cleared)
        self._map_moves.close()
        QgsApplication.instance().aboutToQuit.disconnect(self._quit)
        self._quit()
        self.sizing.stop()
        self.engines.close()
        self.reviewing.close()
        self.showing.close()
        self.places.tidy_up()

    def _quit(self) -> None:
        self.asking.leave()
        self.results.close()  # before tasks end: what they give comes into no project any more
        self.runs.close()
        end_tasks()

    def _connect_asking(self) -> None:
        panel = self._panel
        self._controls.ready.connect(self._form_changed)
        self._messages.pressed.connect(self._message_pressed)
        panel.changed.connect(self._form_changed)
        self._map_moves.rested.connect(self._form_changed)
        panel.ask_requested.connect(self._ask)
        panel.cancel_requested.connect(self.asking.cancel)
        panel.rectangle_requested.connect(self.places.draw_rectangle)
        panel.demo_scene_requested.connect(lambda: open_demo(self._project, self._canvas))
        self.places.rectangle_changed.connect(panel.set_rectangle)
        self.sizing.said.connect(panel.set_size_sentence)
        self._choices.changed.connect(self._layers_changed)
        self.asking.begun.connect(self._begun)
        self.asking.grew.connect(self._grew)
        self.asking.ended.connect(self._ended)

    def _connect_answers(self) -> None:
        answers = self._answers
        for source in (self.asking, self.showing, self.reviewing, self.updating, self.exports, self.runs):
            source.problem.connect(self._warn)
        self.results.opened.connect(self._opened)
        self.results.failed.connect(lambda _run, sentence: self._warn(sentence))
        self.reviewing.answer_due.connect(self.results.read_anew)
        self.reviewing.started.connect(self._review_started)
        self.updating.answer_due.connect(self.results.read_anew)
        self.reviewing.changed.connect(self.showing.changed)
        self.reviewing.layers_missing.connect(self._layers_missing)
        self.exports.written.connect(self._say_written)
        self.runs.open_requested.connect(self._open)
        self.runs.go_on_requested.connect(self._go_on)
        self.runs.again_requested.connect(self._again)
        self.runs.removed.connect(self._run_removed)
        self.runs.compared.connect(lambda sentence: self._messages.show_message(sentence, GOOD))
        answers.save_requested.connect(lambda: self._with_run(self.exports.save_copy))
        answers.report_requested.connect(lambda form: self._with_run(self.exports.report, form))
        answers.corrections_requested.connect(lambda form: self._with_run(self.exports.corrections, form))
        answers.history_requested.connect(self.runs.show)
        answers.follow_up_requested.connect(self._follow_up)

    def _connect_project(self) -> None:
        self._project.layersWillBeRemoved.connect(self._layers_go)
        self._project.readProject.connect(self._project_read)
        self._project.cleared.connect(self._project_cleared)
        QgsApplication.instance().aboutToQuit.connect(self._quit)

    # Asking

    def _form_changed(self) -> None:
        form = self._panel.form()
        self.places.show_rectangle(form.where.kind == RECTANGLE)
        if self._choices.now().empty:
            self.sizing.clear()
        elif not self.asking.is_busy:
            self.sizing.work_out(form)

    def _ask(self) -> None:
        if not self.engines.is_present:
            self._controls.say_nobody_answers()
            return
        self._messages.forget()
        form = self._panel.form()
        self.sizing.work_out(form)  # the map may have moved a moment ago
        self.sizing.stop()
        self._recent.add(form.question)
        self._panel.set_recent(self._recent.all())
        self.asking.ask(form, self.sizing.size)

    def _begun(self, run: Run) -> None:
        self._panel.set_busy(True)
        self._panel.set_follow_up(None)
        self.runs.set_running(run)
        show_only(self._project, run.record.run_id)
        self._show(run)

    def _grew(self, run: Run) -> None:
        if run is self.showing.run:
            self.showing.changed()
            self.showing.follow_layer()

    def _ended(self, run: Run) -> None:
        self._panel.set_busy(False)
        self._form_changed()
        self.runs.set_running(None)
        if run is self.showing.run:
            self.showing.finished()
        if run.record.status == INTERRUPTED:
            self._offer_to_go_on(run)
        elif run.record.status in (FAILED, CANCELLED):
            level = WARNING if run.record.status == FAILED else INFO
            self._messages.show_message(run.record.sentence, level)
        if not run.path.is_file():
            return
        if run.is_orphan:
            sentence = tr("The answer to a question of a project that is closed now is kept in {path}.")
            self._messages.show_message(sentence.format(path=run.path), INFO)
        else:
            self.results.open(run)

    def _offer_to_go_on(self, run: Run) -> None:
        self._interrupted = run
        self._messages.show_message(run.record.sentence, WARNING, (GO_ON, tr("Go on")))

    # Answers

    def _show(self, run: Run | None) -> None:
        self.showing.show(run)
        self.reviewing.set_run(run)
        self.runs.remember(run)

    def _opened(self, run: Run) -> None:
        if run is not self.showing.run:
            return
        self.showing.read_anew()
        self.reviewing.set_run(run)
        over = {"status": DONE, "sentence": ""} if run.record.status == INTERRUPTED else {}
        try:
            run.note_answer(**over)
        except OSError as err:
            self._warn(str(err))
        self.runs.refresh()
        if run.record.answer_due and self.engines.is_present and run.record.run_id not in self._tried:
            self._tried.add(run.record.run_id)  # once: an engine that cannot is not asked in a circle
            self.updating.update(run)

    def _open(self, run: Run) -> None:
        shown = self.showing.run
        if self.asking.is_busy and self.asking.run is not None:
            if run.record.run_id == self.asking.run.record.run_id:
                run = self.asking.run
        elif shown is not None and shown.record.run_id == run.record.run_id:
            run = shown
        self._show(run)
        show_only(self._project, run.record.run_id)
        if run.path.is_file():
            self.results.open(run)

    def _go_on(self, run: Run) -> None:
        if self.asking.is_busy:
            self._warn(tr("A question is being asked. Wait for it, or cancel it, then go on with the other."))
            return
        self._messages.forget()
        if run.record.job is None:
            self._warn(tr("This question never reached the engine. Ask it again."))
            self._again(run)
            return
        if run.path.is_file():  # QGIS ended after the result came, and before the record said so
            self._open(run)
            return
        self.asking.go_on(run)

    def _again(self, run: Run) -> None:
        """Fill the form in as it was; the person presses Ask."""
        try:
            form = form_from_json(run.record.form)
        except ValueError:
            self._warn(tr("How this was asked cannot be read any more. Ask it anew."))
            return
        place = place_from_json(run.record.form.get("place") or {})
        if form.where.kind in ("canvas", RECTANGLE) and place is not None:
            # What the map showed then is a rectangle on it now.
            self.places.set_rectangle(place)
            form = AskForm(**{**vars(form), "where": Where(RECTANGLE)})
        self._panel.set_form(form)
        if self._panel.form().pixels != form.pixels:
            self._warn(
                tr("A layer or map theme of that question is not in the project any more. Choose the pixels.")
            )
        elif form.where.kind == SELECTION:
            self._warn(tr("Select the polygons again: only their layer is chosen."))

    def _review_started(self, layer: QgsVectorLayer) -> None:
        self._iface.setActiveLayer(layer)
        words = tr(
            "A accepts, R rejects in the list; QGIS's tools move and draw boxes. Press Review again to save."
        )
        self._messages.show_message(words, INFO, seconds=20)

    def _follow_up(self, keys: Sequence[str]) -> None:
        run = self.showing.run
        if run is None or run.record.job is None:
            self._warn(
                tr("The engine does not know this answer any more, so it cannot be followed up. Ask anew.")
            )
            return
        boxes = run.boxes(keys)
        answer_id = boxes[0].answer_id if boxes else next(iter(run.answer.parts), "A1")
        names = tuple(one.evidence_id for one in boxes if one.answer_id == answer_id and one.evidence_id)
        follow_up = FollowUp(run.record.job, answer_id, names)
        around, crs = self.showing.extent_of(keys)
        if names and crs.isValid() and not around.isNull():
            self.places.set_about(follow_up, around, crs)
        self._panel.set_follow_up(follow_up)

    def _with_run(self, act: object, *values: str) -> None:
        run = self.showing.run
        if run is not None and run.path.is_file():
            act(run, *values)
        elif run is not None and run.answer.parts:
            sentence = tr("{path} is not there any more: somebody moved, renamed or removed it.")
            self._warn(sentence.format(path=run.path))
        else:
            self._warn(tr("There is no result to write: the question gave none."))

    # Messages

    def _warn(self, sentence: str) -> None:
        self._messages.show_message(sentence, WARNING)

    def _say_written(self, sentence: str, path: str) -> None:
        self._written = path
        self._messages.show_message(sentence, GOOD, (OPEN_FOLDER, tr("Open the folder")))

    def _message_pressed(self, which: str) -> None:
        if which == GO_ON and self._interrupted is not None:
            run, self._interrupted = self._interrupted, None
            self._go_on(run)
        elif which == OPEN_FOLDER:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self._written).parent)))
        elif which == SHOW and self.showing.run is not None:
            self._open(self.showing.run)

    # The project

    def _layers_changed(self) -> None:
        self._panel.set_layers(self._choices.now())

    def _layers_go(self, layer_ids: Sequence[str]) -> None:
        """Somebody takes layers out of the project: what showed a run's boxes shows them no more."""
        self.showing.let_go(layer_ids)
        run = self.showing.run
        if run is None or run.layers is None:
            return
        if {layer.id() for layer in run.layers} & set(layer_ids):
            run.layers = run.index = None
            self.showing.follow_layer()
            self.reviewing.set_run(run)

    def _layers_missing(self) -> None:
        run = self.showing.run
        if run is None or not run.path.is_file():
            self._with_run(self._show)  # says why there is nothing to review
            return
        sentence = tr("The boxes of this answer are not on the map.")
        self._messages.show_message(sentence, WARNING, (SHOW, tr("Show them again")))

    def _run_removed(self, run_id: str) -> None:
        if self.showing.run is not None and self.showing.run.record.run_id == run_id:
            self._show(None)

    def _project_read(self) -> None:
        """Show what was shown when the project was saved."""
        for layer in list(layers_of(self._project, kind="live")):  # kept without their boxes
            self._project.removeMapLayer(layer.id())
        self.runs.refresh()
        shown = self.runs.last_shown_id()
        run = self.runs.find(shown) if shown else None
        if run is None:
            return
        asked = self.asking.run
        if self.asking.is_busy and asked is not None and asked.record.run_id == shown:
            asked.is_orphan = False  # its project was only opened again
            self._show(asked)
            return
        self._show(run)
        if run.record.status == INTERRUPTED:
            self._offer_to_go_on(run)
        if run.path.is_file():
            self.results.open(run, layers=False)

    def _project_cleared(self) -> None:
        if self.asking.is_busy and self.asking.run is not None:
            self.asking.run.is_orphan = True
        self._interrupted = None
        self._messages.forget()
        self._panel.set_follow_up(None)
        self.places.set_rectangle(None)
        self.showing.show(None)
        self.reviewing.set_run(None)
        self.runs.refresh()
