"""One sentence at a time inside the dock, with a button where one helps. Never modal.

Knows sentences. Refuses to know what happened.
"""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.notices import Notice
from groundproof_qgis.i18n_text import tr

Message = tuple[str, str, Optional[tuple[str, str]]]
"""Sentence, level, and the button as (key, text)."""
MOST_EARLIER = 5

INFO = "info"
WARNING = "warning"
GOOD = "good"


class MessageBar(QWidget):
    """Hidden without a message. `pressed` says which button of the message."""

    pressed = pyqtSignal(str)

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
        self._shown: Message | None = None
        self._earlier: list[Message] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear)
        self.notice.pressed.connect(self._press)
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
        """Say it. A warning that nobody has closed comes back after it.

        button: (key, text). seconds: how long it stays, 0: until closed.
        """
        message = (sentence, level, button)
        self._earlier = [one for one in self._earlier if one[0] != sentence]
        if self._shown is not None and self._shown[1] == WARNING and self._shown[0] != sentence:
            self._earlier = [*self._earlier, self._shown][-MOST_EARLIER:]
        self._show(message)
        if seconds > 0:
            self._timer.start(int(seconds * 1000))

    def _press(self, key: str) -> None:
        self.clear()
        self.pressed.emit(key)

    def _show(self, message: Message) -> None:
        self._shown = message
        sentence, level, button = message
        self.notice.set_level(level)
        self.notice.set_text(sentence)
        self.notice.set_buttons([button] if button is not None else [])
        self.notice.setAccessibleName(sentence)
        self.setVisible(True)
        self._timer.stop()

    def forget(self) -> None:
        """Say nothing, earlier warnings neither."""
        self._earlier.clear()
        self.clear()

    def _dress(self, colours: Colours) -> None:
        self.close_button.setIcon(theme.icon("reject", colours))

    def clear(self) -> None:
        """The message is read: say nothing, or the warning before it."""
        self._timer.stop()
        self._shown = None
        if self._earlier:
            self._show(self._earlier.pop())
        elif not self.isHidden():
            self.setVisible(False)
