"""In which colours a widget stands: QGIS's themes are style sheets, and its palette does not say.

Knows Qt's palettes and style sheets. Refuses to know what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qgis.PyQt.QtCore import QEvent, QObject
from qgis.PyQt.QtGui import QColor, QPalette
from qgis.PyQt.QtWidgets import QAbstractItemView, QLabel, QWidget

READABLE = 4.5
"""Contrast of text that everybody can read (WCAG 2.1, AA)."""

HALF = 127
"""Lightness, 0..255."""

_WHEN = frozenset(
    {
        QEvent.Type.Show,
        QEvent.Type.StyleChange,
        QEvent.Type.PaletteChange,
        QEvent.Type.ParentChange,
    }
)


@dataclass(frozen=True)
class Colours:
    """Of text and of what it stands on, #rrggbb."""

    text: str
    ground: str

    @property
    def is_dark(self) -> bool:
        """Whether the text is the lighter of the two."""
        return QColor(self.text).lightness() > QColor(self.ground).lightness()

    def mixed(self, share: float) -> QColor:
        """The text with `share` (0..1) of the ground in it."""
        return mixed(QColor(self.text), QColor(self.ground), share)


def mixed(one: QColor, other: QColor, share: float) -> QColor:
    """`one` with `share` (0..1) of `other` in it."""
    parts = zip(one.getRgb()[:3], other.getRgb()[:3])
    return QColor(*(round(a + (b - a) * share) for a, b in parts))


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2.1's ratio, 1..21 (https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: QColor, colours: Colours) -> QColor:
    """The colour, as far towards the text's as it must be to be read on the ground."""
    text, ground = QColor(colours.text), QColor(colours.ground)
    wanted = min(READABLE, contrast(text, ground))
    tries = (mixed(colour, text, tenths / 10) for tenths in range(10))
    return next((one for one in tries if contrast(one, ground) >= wanted), text)


def _luminance(colour: QColor) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


class Follower(QObject):
    """Calls dress(colours) now, and whenever the widget comes to stand in other colours."""

    def __init__(self, widget: QWidget, dress: Callable[[Colours], None]) -> None:
        super().__init__(widget)
        self._widget = widget
        self._dress = dress
        self._dressing = False
        self.colours = self._look()
        widget.installEventFilter(self)
        self._put_on()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Looks after each change of style or place; takes no event away."""
        if event.type() in _WHEN and not self._dressing:
            now = self._look()
            if now != self.colours:
                self.colours = now
                self._put_on()
        return False

    def _put_on(self) -> None:
        self._dressing = True
        try:
            self._dress(self.colours)
        finally:
            self._dressing = False

    def _look(self) -> Colours:
        self._widget.ensurePolished()
        if isinstance(self._widget, QAbstractItemView):
            palette = self._widget.palette()
            text, ground = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base)
            return Colours(text.name(), ground.name())
        around = _without_own_style(self._widget)
        probe = QLabel(around)  # themes colour labels, not the widgets around them
        probe.ensurePolished()
        text = probe.palette().color(QPalette.ColorRole.WindowText)
        probe.setParent(None)
        return Colours(text.name(), _ground(around, text))


def _without_own_style(widget: QWidget) -> QWidget | None:
    """The widget or the nearest one around it that no style sheet of its own colours."""
    at: QWidget | None = widget
    while at is not None and at.styleSheet():
        at = at.parentWidget()
    return at


def _ground(widget: QWidget | None, text: QColor) -> str:
    """Of the nearest widget around that is not transparent; where there is none yet, what suits the text."""
    at = widget
    while at is not None:
        at.ensurePolished()
        colour = at.palette().color(QPalette.ColorRole.Window)
        if colour.alpha():
            return colour.name()
        at = at.parentWidget()
    return "#323232" if text.lightness() > HALF else "#efefef"
