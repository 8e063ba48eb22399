"""Who answers, and whether it is ready: one line that is always there, with the button that helps.

Knows states and sentences. Refuses to know how an engine is started or reached.
"""

from __future__ import annotations

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from groundproof_qgis.engine.local import ABSENT, DEAD, INSTALLING, READY, STARTING, STOPPED
from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.notices import Sentence
from groundproof_qgis.i18n_text import tr

UNREACHABLE = "unreachable"
"""Of a remote engine: it does not answer, or not to us."""

INSTALL, CANCEL, START, STOP, RESTART, CONNECT, RETRY, SETTINGS, HELP = (
    "install",
    "cancel",
    "start",
    "stop",
    "restart",
    "connect",
    "retry",
    "settings",
    "help",
)
ICON_PX = 16

_BUTTONS = {
    ABSENT: (INSTALL, CONNECT),
    INSTALLING: (CANCEL,),
    STOPPED: (START,),
    STARTING: (),
    READY: (),
    DEAD: (RESTART,),
    UNREACHABLE: (RETRY, CONNECT),
}


def _words() -> dict[str, str]:
    return {
        INSTALL: tr("Install..."),
        CANCEL: tr("Stop installing"),
        START: tr("Start"),
        RESTART: tr("Start again"),
        CONNECT: tr("Connect..."),
        RETRY: tr("Try again"),
    }


class EngineLine(QWidget):
    """`pressed` says which button: one of INSTALL, CANCEL, START, STOP, RESTART, CONNECT, RETRY, SETTINGS, HELP."""

    pressed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = STOPPED
        self._shown: tuple[str, ...] | None = None
        self._buttons: dict[str, QPushButton] = {}
        self.mark = QLabel()
        self.mark.setFixedSize(ICON_PX, ICON_PX)
        self.sentence = Sentence()
        self.sentence.setAccessibleName(tr("Engine"))
        self.stop_button = self._tool(STOP, tr("Stop the engine on this computer"))
        self.settings_button = self._tool(SETTINGS, tr("Settings: who answers, and how"))
        self.help_button = self._tool(HELP, tr("Help"))
        first = QHBoxLayout()
        first.setSpacing(6)
        first.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        first.addWidget(self.sentence, 1)
        first.addWidget(self.stop_button, 0, Qt.AlignmentFlag.AlignTop)
        first.addWidget(self.settings_button, 0, Qt.AlignmentFlag.AlignTop)
        first.addWidget(self.help_button, 0, Qt.AlignmentFlag.AlignTop)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(ICON_PX + 6, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 4, 4)
        column.setSpacing(2)
        column.addLayout(first)
        column.addLayout(self._row)
        for key, words in _words().items():
            button = QPushButton(words)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked=False, which=key: self.pressed.emit(which))
            self._row.addWidget(button)
            self._buttons[key] = button
        self._row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._follower = Follower(self, self._dress)
        self.set_state(STOPPED, "")

    @property
    def state(self) -> str:
        """As set."""
        return self._state

    def set_state(self, state: str, sentence: str, local: bool = True) -> None:
        """state: of `engine.local`, or UNREACHABLE. Raises KeyError for another one.

        local: whether the engine is on this computer; one elsewhere is not ours to stop.
        """
        offered = _BUTTONS[state]
        self.stop_button.setVisible(local and state == READY)
        self._state = state
        self.sentence.setText(sentence)
        if offered != self._shown:
            self._shown = offered
            for key, button in self._buttons.items():
                button.setVisible(key in offered)
        self._dress(self._follower.colours)

    def button(self, key: str) -> QPushButton:
        """One of its buttons."""
        return self._buttons[key]

    def _tool(self, key: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda: self.pressed.emit(key))
        return button

    def _dress(self, colours: Colours) -> None:
        name, tint = {
            READY: ("ready", theme.good(colours).bar),
            DEAD: ("warning", theme.warning(colours).bar),
            UNREACHABLE: ("warning", theme.warning(colours).bar),
            STARTING: ("waiting", theme.good(colours).bar),
            INSTALLING: ("waiting", theme.good(colours).bar),
        }.get(self._state, ("engine", theme.quiet(colours).name()))
        self.mark.setPixmap(theme.tinted(name, tint).pixmap(QSize(ICON_PX, ICON_PX)))
        self.stop_button.setIcon(theme.icon("cancel", colours))
        self.settings_button.setIcon(theme.icon("settings", colours))
        self.help_button.setIcon(theme.icon("help", colours))
