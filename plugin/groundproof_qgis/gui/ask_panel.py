"""The upper part of the dock: what is asked, where, of which pixels, and how large that is.

Knows the fields and the form they make. Refuses to know the engine, layers beyond their names, and answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QSignalBlocker, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from groundproof_qgis.asking.class_words import TASKS_WITH_CLASSES, made_question, with_choice
from groundproof_qgis.asking.form import CANVAS, SELECTION, AskForm
from groundproof_qgis.asking.request import MAX_QUESTION, FollowUp
from groundproof_qgis.gui import theme
from groundproof_qgis.gui.ask_options import AskOptions
from groundproof_qgis.gui.class_edit import ClassEdit
from groundproof_qgis.gui.collapsible import Collapsible
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.follow_up_chip import FollowUpChip
from groundproof_qgis.gui.layer_choices import LayerList
from groundproof_qgis.gui.narrow_combo import NarrowCombo
from groundproof_qgis.gui.notices import Notice, Sentence
from groundproof_qgis.gui.pixels_field import PixelsField
from groundproof_qgis.gui.question_edit import QuestionEdit
from groundproof_qgis.gui.task_words import task_words
from groundproof_qgis.gui.where_field import WhereField
from groundproof_qgis.i18n_text import tr

DEBOUNCE_MS = 250
MAX_IN_MENU = 15
MENU_CHARACTERS = 70


class AskPanel(QWidget):
    """`ask_requested` comes only with a form that can be asked; `changed` 250 ms after the last change."""

    ask_requested = pyqtSignal()
    cancel_requested = pyqtSignal()
    changed = pyqtSignal()
    rectangle_requested = pyqtSignal()
    demo_scene_requested = pyqtSignal()
    engine_start_requested = pyqtSignal()
    engine_connect_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._busy = False
        self._warns = False
        self._layers = LayerList()
        self._made = ""
        self._recent: tuple[str, ...] = ()
        self.question = QuestionEdit()
        self.recent_button = QToolButton()
        self.task = NarrowCombo(tr("Task"))
        self.classes = ClassEdit()
        self.class_hint = Sentence()
        self.chip = FollowUpChip()
        self.where = WhereField()
        self.pixels = PixelsField()
        self.options = AskOptions()
        self.more = Collapsible(tr("Options"), self.options)
        self.size = Sentence()
        self.ask = QPushButton()
        self.no_imagery = Notice(
            tr("There is no imagery yet. Add some, or open the demo scene."),
            [("demo", tr("Open the demo scene"))],
        )
        self.no_engine = Notice(
            tr("Nobody answers yet. Start an engine on this computer, or connect to one elsewhere."),
            [("start", tr("Start on this computer")), ("connect", tr("Connect..."))],
        )
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(DEBOUNCE_MS)
        self._lay_out()
        self._connect()
        self.set_model((), ())
        self.set_busy(False)
        self.no_engine.setVisible(False)
        self.set_layers(self._layers)

    def form(self) -> AskForm:
        """As filled in, whether or not it can be asked (see `problem`)."""
        options = self.options
        return AskForm(
            question=self.question.toPlainText().strip(),
            pixels=self.pixels.choices(options.resolution_m, options.band_choice, options.is_styled),
            task=self.task.key or "auto",
            classes=self.classes.classes if self._takes_classes else (),
            where=self.where.where,
            per_polygon=options.wants_polygons,
            second_look=options.second_look.isChecked(),
            follow_up=self.chip.follow_up,
        )

    @property
    def problem(self) -> str:
        """Why it cannot be asked, as a sentence that says what to do; "" when it can."""
        words = " ".join(self.question.toPlainText().split())
        if not words:
            return tr("Type a question, for example: How many airplanes are there?")
        if len(words) > MAX_QUESTION:
            return tr("The question has {n} characters; up to {most} are allowed. Shorten it.").format(
                n=len(words), most=MAX_QUESTION
            )
        if self._layers.empty:
            return tr("There is no imagery to ask about. Add a layer, or open the demo scene.")
        return self.where.problem or self.pixels.problem or self.options.problem

    def set_form(self, form: AskForm) -> None:
        """Fill in, as far as the project still has the layers: for asking an earlier question again."""
        self.question.set_text(form.question)
        self.task.pick(form.task)
        with QSignalBlocker(self.classes):
            self.classes.setText(", ".join(form.classes))
        self.where.choose(form.where.kind, form.where.layer_id)
        self.options.two_dates.setChecked(form.two_dates)
        self.options.second_look.setChecked(form.second_look)
        self.options.per_polygon.setChecked(form.per_polygon)
        combos = (self.pixels.before, self.pixels.after) if form.two_dates else (self.pixels.one,)
        for choice, combo in zip(form.pixels, combos):
            self.pixels.pick(choice, combo)
        first = form.pixels[0]
        self.options.set_values(
            getattr(first, "resolution_m", None) or getattr(first, "resolution", None),
            getattr(first, "bands", None),
            getattr(first, "styled", False),
        )
        self.chip.set_follow_up(form.follow_up)

    def set_layers(self, layers: LayerList) -> None:
        """What the project has now; see `layer_choices.LayerChoices.now`."""
        self._layers = layers
        self.no_imagery.setVisible(layers.empty)
        self.where.set_layers(layers)
        self.pixels.set_layers(layers)
        self._fields_changed()

    def set_model(self, labels: Sequence[str], tasks: Sequence[str]) -> None:
        """What the engine's model was trained for; no tasks: all are offered."""
        self.classes.set_labels(labels)
        self.task.set_items(
            (name, words, tip)
            for name, (words, tip) in task_words().items()
            if name in ("auto", "change") or not tasks or name in tasks
        )

    def set_engine_present(self, present: bool) -> None:
        """Without an engine the panel says how to get one."""
        self.no_engine.setVisible(not present)

    def set_recent(self, questions: Sequence[str]) -> None:
        """Earlier questions, newest first."""
        self._recent = tuple(questions)
        self.question.set_recent(questions)
        self.recent_button.setEnabled(bool(questions))

    def set_rectangle(self, size: str | None) -> None:
        """A rectangle was drawn; its size in words. None: it is gone."""
        self.where.set_rectangle(size)

    def set_follow_up(self, follow_up: FollowUp | None) -> None:
        """The next question is about an earlier answer, or not."""
        self.chip.set_follow_up(follow_up)
        if follow_up is not None:
            self.question.setFocus()

    def set_size_sentence(self, text: str, warn: bool = False) -> None:
        """What would be sent and how long it takes; warn: it cannot be asked, or is very large."""
        self.size.setText(text)
        self._warns = warn
        self._colour_size(self._follower.colours)

    def set_busy(self, busy: bool) -> None:
        """While a question is asked the button cancels it."""
        self._busy = busy
        self.ask.setText(tr("&Cancel") if busy else tr("&Ask"))
        self._icon_of_ask(self._follower.colours)
        self.ask.setToolTip(
            tr("Stops; what came so far is kept")
            if busy
            else tr("Sends the question and the pixels to the engine")
        )

    @property
    def _takes_classes(self) -> bool:
        return self.task.key in TASKS_WITH_CLASSES

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(6)
        column.addWidget(self.no_engine)
        column.addWidget(self.no_imagery)
        column.addWidget(self.chip)
        top = QHBoxLayout()
        top.setSpacing(2)
        top.addWidget(self.question, 1)
        top.addWidget(self.recent_button, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(top)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self._class_label = QLabel(tr("C&lasses"))
        fields = (
            (QLabel(tr("&Task")), self.task, self.task),
            (self._class_label, self.classes, self.classes),
            (None, self.class_hint, None),
            (QLabel(tr("&Where")), self.where, self.where.bar.button(CANVAS)),
            (QLabel(tr("&Pixels")), self.pixels, self.pixels.one),
        )
        for row, (label, field, buddy) in enumerate(fields):
            self._grid.addWidget(field, row, 1)
            if label is not None:
                label.setBuddy(buddy)
                label.setMinimumHeight(self.task.sizeHint().height())
                self._grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(self._grid)
        column.addWidget(self.more)
        last = QHBoxLayout()
        last.addWidget(self.size, 1)
        last.addWidget(self.ask, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(last)
        self.recent_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.recent_button.setAutoRaise(True)
        self.recent_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.recent_button.setEnabled(False)
        self.recent_button.setToolTip(tr("Earlier questions"))
        self.recent_button.setAccessibleName(tr("Earlier questions"))
        self.recent_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.ask.setMinimumWidth(84)
        self.ask.setAutoDefault(False)
        bold = self.ask.font()
        bold.setBold(True)
        self.ask.setFont(bold)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._follower = Follower(self, self._dress)

    def _dress(self, colours: Colours) -> None:
        self.recent_button.setIcon(theme.icon("recent", colours))
        self.class_hint.setStyleSheet(f"color: {theme.quiet(colours).name()};")
        self.where.draw.setIcon(theme.icon("rectangle", colours))
        self._colour_size(colours)
        self._icon_of_ask(colours)

    def _colour_size(self, colours: Colours) -> None:
        colour = theme.warning_colour(colours) if self._warns else theme.quiet(colours)
        self.size.setStyleSheet(f"color: {colour.name()};")

    def _icon_of_ask(self, colours: Colours) -> None:
        self.ask.setIcon(theme.icon("cancel" if self._busy else "ask", colours))

    def _connect(self) -> None:
        menu = QMenu(self.recent_button)
        menu.aboutToShow.connect(lambda: self._fill(menu))
        self.recent_button.setMenu(menu)
        self.question.asked.connect(self._try)
        self.ask.clicked.connect(self._press)
        self.task.picked.connect(self._write_classes)
        self.classes.textChanged.connect(self._write_classes)
        self.where.rectangle_requested.connect(self.rectangle_requested)
        self.options.two_dates.toggled.connect(self.pixels.set_two_dates)
        self.task.picked.connect(self._two_dates_for_change)
        for signal in (
            self.question.textChanged,
            self.where.changed,
            self.pixels.changed,
            self.options.changed,
        ):
            signal.connect(self._fields_changed)
        self.task.picked.connect(self._fields_changed)
        self.chip.changed.connect(self._fields_changed)
        self._soon.timeout.connect(self.changed)
        self.no_imagery.pressed.connect(lambda _key: self.demo_scene_requested.emit())
        self.no_engine.pressed.connect(
            lambda key: (
                self.engine_start_requested if key == "start" else self.engine_connect_requested
            ).emit()
        )

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        for text in self._recent[:MAX_IN_MENU]:
            shown = text if len(text) <= MENU_CHARACTERS else text[: MENU_CHARACTERS - 3] + "..."
            action = menu.addAction(shown.replace("&", "&&"))
            action.triggered.connect(lambda _checked=False, whole=text: self._take(whole))

    def _take(self, question: str) -> None:
        self.question.set_text(question)
        self.question.setFocus()

    def _two_dates_for_change(self) -> None:
        if self.task.key == "change":
            self.options.two_dates.setChecked(True)
            self.more.set_open(True)

    def _write_classes(self) -> None:
        """The classes become words of the question; a question the user typed stays as it is."""
        takes, task, classes = self._takes_classes, self.task.key, self.classes.classes
        self.classes.setVisible(takes)
        self._class_label.setVisible(takes)
        typed = self.question.toPlainText().strip()
        own = bool(typed) and typed != self._made
        if task == "classify":
            wanted = with_choice(typed if own else "", classes)
        else:
            wanted = made_question(task, classes) if not own else with_choice(typed, ())
        if wanted != typed:
            self.question.set_text(wanted)
        self._made = self._made if own else wanted
        keeps = own and bool(classes) and task in ("count", "detect")
        self.class_hint.setText(
            tr("Your own question is kept. Clear it to ask for these classes.") if keeps else ""
        )
        self.class_hint.setVisible(keeps)

    def _fields_changed(self) -> None:
        raster = self.pixels.raster
        self.options.set_bands(raster.bands if raster is not None else ())
        self.options.set_has_polygons(self.where.where.kind == SELECTION)
        self.more.set_summary(self.options.summary)
        self._soon.start()

    def _press(self) -> None:
        if self._busy:
            self.cancel_requested.emit()
        else:
            self._try()

    def _try(self) -> None:
        if self._busy:
            return
        problem = self.problem
        if problem:
            self.set_size_sentence(problem, warn=True)
            if not self.question.toPlainText().strip():
                self.question.setFocus()
            return
        self.ask_requested.emit()
