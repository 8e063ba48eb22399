"""Shows the answer's HTML: our own links only, nothing loaded from anywhere, as high as its text.

Knows `answer.links`. Refuses to know whose text it is: it trusts none.
"""

from __future__ import annotations

from collections.abc import Iterable

from qgis.PyQt.QtCore import QEvent, QSize, Qt, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QColor, QTextCursor
from qgis.PyQt.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QTextEdit, QWidget

from groundproof_qgis.answer.links import Link, parse_link, sentences
from groundproof_qgis.gui import theme
from groundproof_qgis.gui.colours import Colours, Follower, mixed


class SafeBrowser(QTextBrowser):
    """link_pressed, link_pointed: an `answer.links.Link`; pointed with None when the mouse leaves it.

    max_lines: how high it grows before it scrolls; 0: it fills what it gets.
    """

    link_pressed = pyqtSignal(object)
    link_pointed = pyqtSignal(object)

    def __init__(self, name: str, max_lines: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._max_lines = max_lines
        self._html = ""
        self._text = self._link = ""
        self.setAccessibleName(name)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(2)
        self.viewport().setAutoFillBackground(False)
        self.setSizePolicy(
            QSizePolicy.Policy.Ignored,
            QSizePolicy.Policy.Fixed if max_lines else QSizePolicy.Policy.Expanding,
        )
        self.setMinimumHeight(0 if max_lines else 3 * self.fontMetrics().lineSpacing())
        self._colours = Colours("", "")
        self._follower = Follower(self, self._dress)
        self.anchorClicked.connect(self._pressed)
        self.highlighted[QUrl].connect(self._pointed)

    def loadResource(self, _kind: int, _address: QUrl) -> None:  # noqa: N802 - Qt's name
        """Nothing is ever loaded, whatever the text asks for."""
        return

    def set_html(self, html: str) -> None:
        """Show safe HTML (`answer.html.Html`); the place that is read stays in view. The same again changes nothing."""
        if html == self._html:
            return
        self._html = html
        at = self.verticalScrollBar().value()
        self._fill()
        self.verticalScrollBar().setValue(at)

    def set_colours(self, text: str, link: str) -> None:
        """#rrggbb, where the ground is not the theme's."""
        self._text, self._link = text, link
        self._dress(self._colours)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self._html

    def mark(self, anchors: Iterable[str]) -> None:
        """Highlight the sentences behind these anchors and bring the first into view; none clears."""
        marks = []
        ground = mixed(QColor(self._colours.ground), self.palette().highlight().color(), 0.35)
        for start in self._positions(set(anchors)):
            cursor = QTextCursor(self.document())
            cursor.setPosition(start)
            text = _from(cursor.block().text(), start - cursor.block().position())
            end = next((stop for _start, stop in sentences(text)), len(text))
            cursor.setPosition(start + _units(text[:end].rstrip()), QTextCursor.MoveMode.KeepAnchor)
            mark = QTextEdit.ExtraSelection()
            mark.cursor = cursor
            mark.format.setBackground(ground)
            marks.append(mark)
        self.setExtraSelections(marks)
        if marks:
            self._show(marks[0].cursor)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As high as the text, up to the limit."""
        return QSize(200, self._height() if self._max_lines else 6 * self.fontMetrics().lineSpacing())

    def resizeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Lines wrap anew."""
        super().resizeEvent(event)
        self._fit()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """No link is pointed at any more."""
        super().leaveEvent(event)
        self.link_pointed.emit(None)

    def _dress(self, colours: Colours) -> None:
        self._colours = colours
        text = self._text or colours.text
        self.setStyleSheet(f"QTextBrowser {{ border: none; background: transparent; color: {text}; }}")
        self._fill()

    def _fill(self) -> None:
        colour = self._link or theme.link(self._colours).name()
        self.document().setDefaultStyleSheet(
            f"a {{ color: {colour}; font-weight: 600; }} p {{ margin: 0 0 4px 0; }}"
            " ul { margin: 0; -qt-list-indent: 0; } li { margin: 0 0 3px 0; }"
        )
        self.setHtml(self._html)
        self._fit()

    def _height(self) -> int:
        return min(self._full_height(), self._most())

    def _most(self) -> int:
        return self._max_lines * self.fontMetrics().lineSpacing() + 6

    def _full_height(self) -> int:
        """Of the text if nothing is scrolled; measured on a copy, because a scroll bar changes the lines."""
        copy = self.document().clone()
        copy.setTextWidth(self.width() - 2 * self.frameWidth())
        return int(copy.size().height()) + 2 * self.frameWidth() + 1

    def _fit(self) -> None:
        if not self._max_lines:
            return
        policy = Qt.ScrollBarPolicy
        fits = self._full_height() <= self._most()
        self.setVerticalScrollBarPolicy(policy.ScrollBarAlwaysOff if fits else policy.ScrollBarAsNeeded)
        height = self._height()
        if height != self.height():
            self.setFixedHeight(height)

    def _positions(self, anchors: set[str]) -> list[int]:
        """Where these anchors are, UTF-16 units from the start of the document."""
        found: list[int] = []
        block = self.document().begin()
        while anchors and block.isValid():
            fragments = block.begin()
            while not fragments.atEnd():
                fragment = fragments.fragment()
                names = anchors.intersection(fragment.charFormat().anchorNames())
                if names:
                    found.append(fragment.position())
                    anchors -= names
                fragments += 1
            block = block.next()
        return found

    def _show(self, cursor: QTextCursor) -> None:
        begin = QTextCursor(cursor)
        begin.setPosition(cursor.selectionStart())
        top = self.cursorRect(begin).top()
        if top < 0 or top > self.viewport().height() - self.fontMetrics().lineSpacing():
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + top - 4)

    def _pressed(self, address: QUrl) -> None:
        link = parse_link(address.toString())
        if link is not None:
            self.link_pressed.emit(link)

    def _pointed(self, address: QUrl) -> None:
        link: Link | None = parse_link(address.toString())
        self.link_pointed.emit(link)


def _units(text: str) -> int:
    """How long Qt thinks the text is: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _from(text: str, unit: int) -> str:
    """The text from that UTF-16 unit on."""
    return text.encode("utf-16-le", "surrogatepass")[2 * unit :].decode("utf-16-le", "surrogatepass")
