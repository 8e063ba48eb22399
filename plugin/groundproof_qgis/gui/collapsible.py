"""A part of the dock that folds away and says in its heading what is set inside.

Knows a heading and a body. Refuses to know what they hold.
"""

from __future__ import annotations

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget


class _Heading(QToolButton):
    """Gives way when the dock is narrow."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(40, super().minimumSizeHint().height())


class Collapsible(QWidget):
    """`body` is shown while the heading is down."""

    toggled = pyqtSignal(bool)

    def __init__(
        self, title: str, body: QWidget, parent: QWidget | None = None, *, open_at_first: bool = False
    ) -> None:
        super().__init__(parent)
        self._title = title
        self._summary = ""
        self.body = body
        self.heading = _Heading(self)
        self.heading.setCheckable(True)
        self.heading.setAutoRaise(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.heading.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.heading, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(body)
        self.heading.toggled.connect(self._turn)
        self.heading.setChecked(open_at_first)
        self._turn(open_at_first)

    def set_title(self, title: str) -> None:
        """Change the heading's first words."""
        self._title = title
        self._say()

    def set_summary(self, summary: str) -> None:
        """What is set inside, shown while it is folded away."""
        self._summary = summary
        self._say()

    @property
    def is_open(self) -> bool:
        """Whether the body is shown."""
        return self.heading.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show or fold away."""
        self.heading.setChecked(is_open)

    def _turn(self, is_open: bool) -> None:
        self.heading.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.body.setVisible(is_open)
        self._say()
        self.toggled.emit(is_open)

    def _say(self) -> None:
        with_summary = self._summary and not self.is_open
        self.heading.setText(f"{self._title}: {self._summary}" if with_summary else self._title)
        self.heading.setAccessibleName(self.heading.text())
