"""The dock as a whole: what one must reach stays in view at every width."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import QPoint

from groundproof_qgis.gui.dock import GroundproofDock

SIZES = (
    "",
    "471 x 478 m, 0.90 MP at 0.5 m per px, 36 tiles",
    "471 x 478 m, 0.90 MP at 0.5 m per px, 36 tiles, 21 s to 2 min, the longer the more is found",
    "471 x 478 m, 0.90 MP",
)


@pytest.fixture
def dock(qtbot):
    made = GroundproofDock()
    qtbot.addWidget(made)
    return made


def test_the_button_to_ask_stays_in_view_whatever_the_sentence_above_says(dock, qtbot):
    clipped = []
    for width in range(300, 520, 7):
        dock.resize(width, 640)
        dock.show()
        for words in (*SIZES, *reversed(SIZES)):
            dock.ask_panel.set_size_sentence(words)
            qtbot.wait(20)
            upper, ask = dock.splitter.widget(0), dock.ask_panel.ask
            bottom = ask.mapTo(upper, QPoint(0, ask.height())).y()
            if bottom > upper.height() or upper.verticalScrollBar().isVisible():
                clipped.append((width, words, bottom, upper.height()))
    assert not clipped


def test_a_low_dock_scrolls_to_the_button(dock, qtbot):
    dock.resize(400, 320)
    dock.ask_panel.set_size_sentence(SIZES[2])
    dock.show()
    dock.splitter.setSizes([100, 300])
    qtbot.waitUntil(lambda: dock.splitter.widget(0).verticalScrollBar().isVisible())
    bar, ask = dock.splitter.widget(0).verticalScrollBar(), dock.ask_panel.ask
    bar.setValue(bar.maximum())
    assert ask.mapTo(dock.splitter.widget(0), QPoint(0, ask.height())).y() <= dock.splitter.widget(0).height()
