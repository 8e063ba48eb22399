"""The sentence that says a question follows up an earlier answer, and the cross that ends it.

Knows an `asking.request.FollowUp`. Refuses to know the answer itself.
"""

from __future__ import annotations

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from groundproof_qgis.asking.request import FollowUp
from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower
from groundproof_qgis.gui.notices import Sentence
from groundproof_qgis.i18n_text import tr

NAMED = 4
"""E-numbers that are named; more are counted."""


class FollowUpChip(QFrame):
    """Hidden without a follow-up."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chip")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._follow_up: FollowUp | None = None
        self.label = Sentence()
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.setToolTip(tr("Ask a new question instead"))
        self.close_button.setAccessibleName(tr("Ask a new question instead"))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 2, 2)
        row.addWidget(self.label, 1)
        row.addWidget(self.close_button)
        self._follower = Follower(self, self._dress)
        self.close_button.clicked.connect(lambda: self.set_follow_up(None))
        self.setVisible(False)

    def _dress(self, colours: Colours) -> None:
        tint = theme.good(colours)
        self.setStyleSheet(
            f"#chip {{ background: {tint.ground}; border: 1px solid {tint.bar}; border-radius: 9px; }}"
            f"#chip QLabel {{ color: {tint.text}; background: transparent; }}"
            "#chip QToolButton { background: transparent; border: none; }"
        )
        self.close_button.setIcon(theme.tinted("reject", tint.text))

    @property
    def follow_up(self) -> FollowUp | None:
        """What is followed up."""
        return self._follow_up

    def set_follow_up(self, follow_up: FollowUp | None) -> None:
        """Show it, or hide."""
        self._follow_up = follow_up
        self.setVisible(follow_up is not None)
        if follow_up is not None:
            self.label.setText(_words(follow_up))
        self.changed.emit()


def _words(follow_up: FollowUp) -> str:
    boxes = follow_up.evidence
    if not boxes:
        return tr("About the last answer")
    if len(boxes) > NAMED:
        return tr("About {n} boxes of the last answer").format(n=len(boxes))
    return tr("About {boxes} of the last answer").format(boxes=", ".join(boxes))
