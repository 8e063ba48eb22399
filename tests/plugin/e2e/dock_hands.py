"""What every scenario of the dock does: install the plugin, open imagery, ask, wait. No pytest here.

Times are generous: two cores may be shared.
"""

from __future__ import annotations

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QObject, Qt, QTimer
from qgis.utils import plugins

PLUGIN = "groundproof_qgis"
AIRPLANES = "How many airplanes are there?"
READY_S, ANSWER_S = 120, 180


def prepared(driver, zip_path: str, engine: str):
    """The plugin, installed from its zip, answered by an engine that is installed already; its dock."""
    QgsSettings().setValue("groundproof/engine/command", engine)
    driver.install(zip_path, PLUGIN)
    return driver.dock("GroundproofDock")


def desk():
    """What the plugin made of its dock."""
    return plugins[PLUGIN]._desk


def start_engine(driver, dock) -> None:
    """Press Start, where the engine does not run, and wait."""
    if not desk().engines.is_ready:
        driver.click(driver.button(dock, "Start"))
    driver.wait_until(lambda: desk().engines.is_ready, READY_S, "the engine is ready")


def demo(driver, dock) -> None:
    """The demo scene in the project, the engine running."""
    driver.click(driver.button(dock, "Open the demo scene"))
    driver.drawn()
    start_engine(driver, dock)


def ask(driver, dock, question: str = AIRPLANES) -> None:
    """Type and press Ask; the question is on its way."""
    driver.type(dock.ask_panel.question, question)
    driver.click(dock.ask_panel.ask)
    driver.wait_until(lambda: desk().asking.is_busy, 20, "the question is asked")


def is_answered(dock) -> bool:
    """Whether the run that is shown has its result on the map."""
    run = desk().showing.run
    return (
        run is not None and run.layers is not None and not run.answer.is_running and not desk().asking.is_busy
    )


def until_answered(driver, dock):
    """Wait for the result; its evidence layer."""
    driver.wait_until(lambda: is_answered(dock), ANSWER_S, "the answer and its layers")
    driver.drawn()
    return desk().showing.run.layers.evidence


def answered(driver, dock, question: str = AIRPLANES):
    """Ask and wait; the evidence layer."""
    ask(driver, dock, question)
    return until_answered(driver, dock)


def until_boxes(driver, dock, n: int = 1) -> None:
    """Wait until boxes come, of a question that is still being asked."""
    driver.wait_until(lambda: dock.answer_panel.model.total >= n, ANSWER_S, f"{n} boxes")
    assert desk().asking.is_busy, "the answer was there before anybody could interrupt it"


def shown(dock) -> dict:
    """What a person reads in the dock."""
    panel = dock.answer_panel
    return {
        "question": panel.head.question.text(),
        "line": panel.head.line.text(),
        "boxes": panel.model.total,
        "review": panel.head.review.text(),
        "message": dock.messages.sentence,
        "size": dock.ask_panel.size.text(),
    }


def record() -> dict:
    """Of the run that is shown, as its file says."""
    import json

    run = desk().showing.run
    return json.loads((run.folder / f"{run.record.run_id}.json").read_text())


def choose_where(driver, dock, kind: str) -> None:
    """Map, Rectangle, Selection or Layer."""
    driver.click(dock.ask_panel.where.bar.button(kind))


def pick_pixels(driver, combo, name: str) -> None:
    """The entry that begins with these words."""
    texts = [combo.itemText(n) for n in range(combo.count())]
    driver.choose(combo, next(text for text in texts if text.startswith(name)))
    driver.wait(0.5)


def hrefs(document) -> list:
    """The links of a text."""
    found, block = [], document.begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            if pieces.fragment().charFormat().anchorHref():
                found.append(pieces.fragment().charFormat().anchorHref())
            pieces += 1
        block = block.next()
    return found


class Heartbeat(QObject):
    """A timer of 5 ms on the GUI thread; what it misses is how long the GUI stood still."""

    def __init__(self) -> None:
        import time

        super().__init__()
        self.longest_ms = 0.0
        self._now = time.perf_counter
        self._last = self._now()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(5)

    def _beat(self) -> None:
        now = self._now()
        self.longest_ms = max(self.longest_ms, 1000 * (now - self._last) - 5)
        self._last = now

    def stop(self) -> float:
        """The longest gap, ms."""
        self._timer.stop()
        return round(self.longest_ms, 1)
