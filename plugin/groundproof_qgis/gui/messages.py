"""One sentence at a time inside the dock, with a button where one helps. Never modal.

Knows sentences. Refuses to know what happened.
"""

from __future__ import annotations

from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.notices import Notice
from groundproof_qgis.i18n_text import tr

INFO = "info"
WARNING = "warning"
GOOD = "good"


class MessageBar(QWidget):
    """Hidden without a message. `pressed` says which button of the message."""

    pressed = pyqtSignal(str)
    closed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = Notice()
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.close_button.setToolTip(tr("Close this message"))
        self.close_button.setAccessibleName(tr("Close this message"))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 4, 2)
        row.setSpacing(2)
        row.addWidget(self.notice, 1)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear)
        self.notice.pressed.connect(self.pressed)
        self.close_button.clicked.connect(self.clear)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setVisible(False)
        self._follower = Follower(self, self._dress)

    @property
    def sentence(self) -> str:
        """What it says; "" when it is hidden."""
        return "" if self.isHidden() else self.notice.label.text()

    def show_message(
        self, sentence: str, level: str = INFO, button: tuple[str, str] | None = None, seconds: float = 0
    ) -> None:
        """Say it, instead of what was said before. button: (key, text). seconds: how long it stays, 0: until closed."""
        self.notice.set_level(level)
        self.notice.set_text(sentence)
        self.notice.set_buttons([button] if button is not None else [])
        self.notice.setAccessibleName(sentence)
        self.setVisible(True)
        self._timer.stop()
        if seconds > 0:
            self._timer.start(int(seconds * 1000))

    def _dress(self, colours: Colours) -> None:
        self.close_button.setIcon(theme.icon("reject", colours))

    def clear(self) -> None:
        """Say nothing."""
        self._timer.stop()
        if not self.isHidden():
            self.setVisible(False)
            self.closed.emit()
