"""A row of buttons of which one is down: a choice that shows all its answers.

Knows buttons. Refuses to know what is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget

CHECKED = (
    "QToolButton:checked { background: palette(highlight); color: palette(highlighted-text);"
    " border: 1px solid palette(highlight); border-radius: 3px; }"
)
"""Dark themes draw a checked button almost like the others."""


class _Button(QToolButton):
    """May be narrower than its text; the tool tip says it whole."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(24, super().minimumSizeHint().height())


class ChoiceBar(QWidget):
    """choices: (key, text, tool tip). Arrow keys go through them."""

    chosen = pyqtSignal(str)

    def __init__(self, choices: Sequence[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, QToolButton] = {}
        for key, text, tip in choices:
            button = _Button(self)
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(text)
            button.setAccessibleDescription(tip)
            button.setCheckable(True)
            button.setStyleSheet(CHECKED)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._group.addButton(button)
            self._buttons[key] = button
            row.addWidget(button, 1)
            button.toggled.connect(lambda down, which=key: self.chosen.emit(which) if down else None)
        next(iter(self._buttons.values())).setChecked(True)

    @property
    def key(self) -> str:
        """Of the button that is down."""
        return next(key for key, button in self._buttons.items() if button.isChecked())

    def choose(self, key: str) -> None:
        """Put this one down. Raises KeyError for a key that is none."""
        self._buttons[key].setChecked(True)

    def button(self, key: str) -> QToolButton:
        """The button itself, for tests and for focus."""
        return self._buttons[key]
