"""What `plugin.py` has QGIS do. Runs inside the desktop (tests/plugin/e2e/driver.py), in QGIS's own Python."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QObject, QProcess, Qt, QTimer
from qgis.utils import plugins

CRS = "EPSG:32631"
TICK_MS = 5
BATCH, BATCHES_A_SECOND = 500, 10
STEP_M = 40.0
"""From one of the many boxes to the next; each is half as wide."""
MOVES = 8
TABLES = ("evidence", "tiles", "answers", "scenes")


class Heartbeat(QObject):
    """A timer of 5 ms on the GUI thread; what it misses is how long the GUI stood still.

    longest: as a person feels it. own: the same without the time in which the thread could have run and had no core,
    because other programs had them; that is the machine's, not QGIS's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest = self.own = 0.0
        self._scheduled = Path(f"/proc/self/task/{threading.main_thread().native_id}/schedstat")
        self._last, self._waited = time.perf_counter(), self._without_core()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(TICK_MS)

    def _beat(self) -> None:
        now, waited = time.perf_counter(), self._without_core()
        stall = now - self._last - TICK_MS / 1000
        self.longest = max(self.longest, stall)
        self.own = max(self.own, stall - (waited - self._waited))
        self._last, self._waited = now, waited

    def _without_core(self) -> float:
        """Seconds, since the thread began."""
        return int(self._scheduled.read_text().split()[1]) / 1e9

    def stop(self) -> None:
        """Count what is going on, and no more."""
        self._beat()
        self._timer.stop()


@contextmanager
def measured(found: dict, name: str) -> Iterator[Heartbeat]:
    """The longest stall inside, as `found[name]`: seconds of QGIS's own, and as felt."""
    beat = Heartbeat()
    yield beat
    beat.stop()
    before = found.get(name, (0.0, 0.0))
    found[name] = (max(beat.own, before[0]), max(beat.longest, before[1]))


def _dock(driver, zip_path: str, engine: str):
    QgsSettings().setValue("groundproof/engine/command", engine)
    driver.install(zip_path, "groundproof_qgis")
    return driver.dock("GroundproofDock")


def asks(driver, zip_path: str, engine: str, raster: str, question: str, asks: int, command_line: list):
    """The dock asks about a layer's own pixels, several times; meanwhile the GUI's heart beats."""
    dock = _dock(driver, zip_path, engine)

    from groundproof_qgis.asking.form import LAYER, AskForm, Where
    from groundproof_qgis.imagery.what import LayerPixels

    desk = plugins["groundproof_qgis"]._desk
    layer = driver.add_raster(raster)
    found: dict = {"first_box": []}
    driver.wait(2)
    with measured(found, "stall_beside"):
        process = QProcess()
        process.start(command_line[0], command_line[1:])
        driver.wait_until(
            lambda: process.state() == QProcess.ProcessState.NotRunning, 300, "the command line"
        )
    driver.click(driver.button(dock, "Start"))
    driver.wait_until(lambda: "ready" in dock.engine_line.sentence.text(), 120, "the engine is ready")
    dock.ask_panel.set_form(AskForm(question, (LayerPixels(layer.id()),), where=Where(LAYER, layer.id())))
    driver.wait(3)
    for _ in range(asks):
        found["first_box"].append(_ask_once(driver, dock, desk, found))
    found["tiles"] = desk.showing.run.answer.tiles
    return found


def _ask_once(driver, dock, desk, found: dict) -> float:
    """Seconds from the click to the end of the first drawing of the canvas that has a box."""
    canvas, drawn = driver.iface.mapCanvas(), []
    before = desk.showing.run

    def look() -> None:
        run = desk.showing.run
        live = run is not None and run is not before and (run.live or run.layers)
        shown = run.layers.evidence if live and run.layers else run.live.layer if live else None
        if shown is not None and shown in canvas.layers() and (shown.featureCount() or 0) > 0:
            drawn.append(time.perf_counter())

    canvas.mapCanvasRefreshed.connect(look)
    with measured(found, "stall"):
        began = time.perf_counter()
        driver.click(dock.ask_panel.ask)
        driver.wait_until(lambda: drawn, 120, "the first box is drawn")
        with measured(found, "stall_growing"):
            driver.wait_until(
                lambda: desk.showing.run.layers is not None and not desk.asking.is_busy,
                300,
                "the answer is shown",
            )
        driver.wait(1)
    canvas.mapCanvasRefreshed.disconnect(look)
    return drawn[0] - began


def shows_many(driver, zip_path: str, engine: str, boxes: int, result: str):
    """Many boxes as they come, and as a saved result; beside them a plain layer of the same polygons."""
    _dock(driver, zip_path, engine)
    desk = plugins["groundproof_qgis"]._desk
    project, canvas = QgsProject.instance(), driver.iface.mapCanvas()
    project.setCrs(QgsCoordinateReferenceSystem(CRS))
    found: dict = {}
    plain = QgsVectorLayer(f"Polygon?crs={CRS}", "plain", "memory")
    plain.dataProvider().addFeatures(list(_features(boxes)))
    plain.updateExtents()
    driver.add_layer(plain)
    _move(driver, found, "draw_plain", "stall_moving_plain")
    _select(driver, plain, found, "stall_selecting_plain")
    with measured(found, "stall_idle"):
        driver.wait(3)
    whole = canvas.extent()
    project.removeMapLayer(plain.id())
    driver.drawn()

    run = _new_run(driver, desk)
    batches = [
        json.dumps([_event(i) for i in range(at, min(at + BATCH, boxes))]) for at in range(0, boxes, BATCH)
    ]
    with measured(found, "stall_adding"):
        desk.asking._begin(run, _told(batches))
        driver.wait_until(lambda: not desk.asking.is_busy, 300, "all boxes have come")
        driver.wait(2)
    canvas.setExtent(whole)
    canvas.refresh()
    driver.drawn()
    _move(driver, found, "draw", "stall_moving")
    _select(driver, run.live.layer, found, "stall_selecting")
    driver.screenshot("bench-live")
    desk._panel.set_busy(False)

    saved = _new_run(driver, desk)
    shutil.copy(result, saved.path)
    fill(saved.path, boxes)
    saved.note(status="done")
    alone = saved.path.with_name("alone.gpkg")
    shutil.copy(saved.path, alone)
    live = project.layerTreeRoot().findLayer(run.live.layer.id())
    live.setItemVisibilityChecked(False)
    driver.drawn(60)
    with measured(found, "stall_opening_plain"):
        tables = [QgsVectorLayer(f"{alone}|layername={name}", name, "ogr") for name in TABLES]
        project.addMapLayers(tables)
        canvas.setExtent(whole)
        canvas.refresh()
        driver.drawn(60)
    _move(driver, found, "draw_saved_plain", "stall_moving_saved_plain")
    _select(driver, tables[0], found, "stall_selecting_saved_plain")
    project.removeMapLayers([table.id() for table in tables])
    driver.drawn(60)
    with measured(found, "stall_opening"):
        began = time.perf_counter()
        desk._open(saved)
        driver.wait_until(lambda: saved.layers is not None, 120, "the saved result is open")
        found["opened"] = time.perf_counter() - began
        canvas.setExtent(whole)
        canvas.refresh()
        driver.drawn(60)
    _move(driver, found, "draw_saved", "stall_moving_saved")
    _select(driver, saved.layers.evidence, found, "stall_selecting_saved")
    driver.screenshot("bench-saved")
    return found


def _shape(i: int) -> QgsGeometry:
    x, y = 440000 + STEP_M * (i % 250), 4100000 - STEP_M * (i // 250)
    return QgsGeometry.fromRect(QgsRectangle(x, y - STEP_M / 2, x + STEP_M / 2, y))


def _event(i: int) -> dict:
    ring = [[point.x(), point.y()] for point in _shape(i).asPolygon()[0]]
    return {
        "key": f"k{i}", "answer_id": "A1", "label": "airplane", "quote": f"airplane number {i}", "score": 0.5,
        "verdict": "unchecked", "counted": True, "final": False, "box_px": [0, 0, 20, 20], "width_m": 20.0,
        "height_m": 20.0, "area_m2": 400.0, "geometry": {"type": "Polygon", "coordinates": [ring]}, "crs": CRS,
    }  # fmt: skip


def _told(batches: list[str]):
    """A task that tells of boxes as an engine does: batches of them, in JSON, ten times a second."""
    from groundproof_qgis.engine.sse import Event
    from groundproof_qgis.tasks.ask import Ask, Outcome
    from groundproof_qgis.tasks.ask_task import AnswerTask

    def tell(ask: Ask) -> Outcome:
        number = 0
        for batch in batches:
            events = [Event(number + i, "evidence", data) for i, data in enumerate(json.loads(batch), 1)]
            number += len(events)
            ask._listener.events(events)
            time.sleep(1 / BATCHES_A_SECOND)
        return Outcome("failed", "")

    return AnswerTask("bench", lambda: None, Path("none"), tell, (), Outcome("failed", ""))


def _new_run(driver, desk):
    from groundproof_qgis.answer.answer import Answer
    from groundproof_qgis.control.run import Run
    from groundproof_qgis.history.record import new_record

    folder = Path.home() / "bench-runs"
    folder.mkdir(exist_ok=True)
    record = new_record("How many airplanes are there?", "count", {}, "bench")
    return Run(record, folder, Answer(record.question))


def fill(path: Path, boxes: int) -> None:
    """The result with so many boxes of the same answer."""
    layer = QgsVectorLayer(f"{path}|layername=evidence", "evidence", "ogr")
    template = next(layer.getFeatures())
    names = [field.name() for field in layer.fields()]
    rows = []
    for i, row in enumerate(_features(boxes)):
        values = dict(zip(names, template.attributes()))
        values.update(fid=None, evidence_id=f"E{i + 1}", quote=f"airplane number {i}")
        values.update(verdict="unchecked", review=None)
        row.setFields(layer.fields())
        row.setAttributes([values[name] for name in names])
        rows.append(row)
    provider = layer.dataProvider()
    provider.truncate()
    worked, _ = provider.addFeatures(rows)
    if not worked:
        raise RuntimeError("; ".join(provider.errors()))


def _features(boxes: int) -> Iterator[QgsFeature]:
    for i in range(boxes):
        feature = QgsFeature()
        feature.setGeometry(_shape(i))
        yield feature


def _move(driver, found: dict, drawing: str, stalling: str) -> None:
    """Move the map by a quarter, several times; the median time until it is drawn, and the longest stall."""
    canvas, times = driver.iface.mapCanvas(), []
    ended: list = []
    canvas.mapCanvasRefreshed.connect(lambda: ended.append(time.perf_counter()))
    with measured(found, stalling):
        for i in range(MOVES):
            ended.clear()
            centre, width = canvas.center(), canvas.extent().width()
            canvas.setCenter(QgsPointXY(centre.x() + (width / 4 if i % 2 == 0 else -width / 4), centre.y()))
            began = time.perf_counter()
            canvas.refresh()
            driver.wait_until(lambda: ended, 60, "the map is drawn again")
            times.append(ended[0] - began)
            driver.wait(0.2)
    found[drawing] = sorted(times)[len(times) // 2]


def _select(driver, layer: QgsVectorLayer, found: dict, stalling: str) -> None:
    """A quarter of the layer, as with the selection tool's rectangle; then nothing."""
    extent = layer.extent()
    quarter = QgsRectangle(extent.xMinimum(), extent.yMinimum(), extent.center().x(), extent.center().y())
    with measured(found, stalling):
        layer.selectByRect(quarter)
        driver.wait(2)
        layer.removeSelection()
        driver.wait(1)
