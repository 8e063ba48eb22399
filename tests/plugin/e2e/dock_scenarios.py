"""What a person does in QGIS with the dock. No pytest here: QGIS's Python has none."""

from __future__ import annotations

import time

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest

from tests.plugin.e2e.dock_hands import answered, demo, desk, prepared


def follows_links_reviews_and_reopens(driver, zip_path: str, engine: str, project: str):
    dock = prepared(driver, zip_path, engine)
    demo(driver, dock)
    layer = answered(driver, dock)
    panel = dock.answer_panel
    found = {"line": panel.head.line.text()}
    # a sentence -> its box
    before = driver.iface.mapCanvas().extent()
    panel.view.mark([panel.model.evidence(2).key])
    keys = [panel.model.evidence(2).key]
    panel.evidence_activated.emit(keys)
    driver.drawn()
    found["zoomed"] = driver.iface.mapCanvas().extent().width() / before.width()
    driver.screenshot("dock-zoomed")
    # a box -> its sentence
    feature = next(layer.getFeatures("\"evidence_id\" = 'E5'"))
    driver.iface.mapCanvas().setExtent(before)
    driver.iface.mapCanvas().refresh()
    driver.drawn()
    driver.click_map(feature.geometry().centroid().asPoint())
    driver.wait(0.3)
    found["clicked"] = panel.view.selected_keys
    # review
    driver.click(panel.review_button)
    found["editing"] = layer.isEditable()
    panel.review_requested.emit(["A1:E7"], "rejected")
    driver.wait(0.3)
    QTest.keyClick(driver.iface.mainWindow(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    driver.wait(0.5)
    found["undone"] = panel.head.review.text()
    panel.review_requested.emit(["A1:E5"], "rejected")
    panel.review_requested.emit(["A1:E1", "A1:E2"], "accepted")
    driver.wait(0.5)
    found["review"] = panel.head.review.text()
    driver.screenshot("dock-review")
    driver.click(panel.review_button)
    driver.wait_until(lambda: not layer.isEditable(), 10, "saved")
    driver.wait_until(lambda: panel.head.line.text() != found["line"], 60, "the answer made anew")
    found["after"] = panel.head.line.text()
    driver.screenshot("dock-reviewed")
    driver.save_project(project)
    driver.new_project()
    found["empty"] = panel.model.total
    driver.open_project(project)
    driver.wait_until(lambda: panel.model.total > 0, 20, "the run is shown again")
    driver.wait(1)
    found["reopened"] = panel.head.line.text()
    found["layers"] = sorted(one.name() for one in QgsProject.instance().mapLayers().values())
    driver.click(panel.history_button)
    driver.wait(0.5)
    driver.screenshot("dock-history", screen=True)
    return found


def leaves_right_after_a_review(driver, zip_path: str, engine: str, project: str):
    """Save the review and close QGIS at once: the engine is still asked what follows from it, and a file is written."""
    dock = prepared(driver, zip_path, engine)
    from groundproof_qgis.tasks.work_task import WorkTask

    demo(driver, dock)
    layer = answered(driver, dock)
    panel = dock.answer_panel
    driver.save_project(project)
    driver.click(panel.review_button)
    panel.review_requested.emit(["A1:E7"], "rejected")
    driver.wait(0.5)
    found = {"line": panel.head.line.text()}
    driver.slow_disk = WorkTask("A slow disk", lambda: time.sleep(3))
    QgsApplication.taskManager().addTask(driver.slow_disk)
    panel.review_button.click()
    found["saved"] = not layer.isEditable()
    found["due"] = desk().showing.run.record.answer_due
    return found


def finds_the_review_again(driver, project: str):
    dock = driver.dock("GroundproofDock")
    driver.open_project(project)
    panel = dock.answer_panel
    driver.wait_until(lambda: panel.model.total > 0, 20, "the run is shown again")
    return panel.head.review.text()


def draws_reports_and_exports(driver, zip_path: str, engine: str, folder: str):
    """A box drawn by hand and one moved; a report, a copy and corrections written."""
    from pathlib import Path

    from qgis.core import QgsFeature, QgsGeometry, QgsRectangle
    from qgis.PyQt.QtWidgets import QFileDialog

    dock = prepared(driver, zip_path, engine)
    demo(driver, dock)
    layer = answered(driver, dock)
    panel, found = dock.answer_panel, {}
    names = []
    QFileDialog.getSaveFileName = staticmethod(lambda *_: (str(Path(folder) / names.pop(0)), ""))
    driver.click(panel.review_button)
    first = next(layer.getFeatures("\"evidence_id\" = 'E1'"))
    moved = QgsGeometry(first.geometry())
    moved.translate(3, 2)
    layer.changeGeometry(first.id(), moved)
    centre = layer.extent().center()
    drawn = QgsFeature(layer.fields())
    drawn.setGeometry(
        QgsGeometry.fromRect(QgsRectangle(centre.x(), centre.y(), centre.x() + 15, centre.y() + 12))
    )
    layer.addFeature(drawn)
    driver.wait(0.5)
    everyone = [one.key for one in panel._answer.evidence]
    panel.review_requested.emit(everyone, "accepted")
    driver.wait(0.5)
    found["review"] = panel.head.review.text()
    line = panel.head.line.text()
    names.append("result.gpkg")
    driver.click(panel.save_button)
    driver.wait_until(lambda: (Path(folder) / "result.gpkg").is_file(), 30, "the copy")
    driver.wait_until(lambda: panel.head.line.text() != line, 60, "the answer made anew")
    found["after"] = panel.head.line.text()
    for form in ("html", "pdf"):
        names.append(f"report.{form}")
        panel.report_requested.emit(form)
        driver.wait_until(lambda form=form: (Path(folder) / f"report.{form}").is_file(), 60, f"the {form}")
        driver.wait(0.5)
    for form in ("geo-cot", "coco", "yolo"):
        names.append(f"{form}.zip")
        panel.corrections_requested.emit(form)
        driver.wait_until(lambda form=form: (Path(folder) / f"{form}.zip").is_file(), 60, f"the {form}")
    driver.wait(0.5)
    found["message"] = dock.messages.sentence
    driver.screenshot("dock-exported")
    # follow-up about one box
    panel.follow_up_requested.emit(["A1:E2"])
    driver.type(dock.ask_panel.question, "What is E2?")
    driver.screenshot("dock-follow-up")
    driver.click(dock.ask_panel.ask)
    driver.wait_until(lambda: "What is E2?" in panel.head.question.text(), 20, "the follow-up is asked")
    driver.wait_until(lambda: panel.review_button.isEnabled(), 120, "the follow-up is answered")
    driver.wait(1)
    found["follow_up"] = panel.head.line.text()
    driver.screenshot("dock-followed-up")
    # the first answer again, from the history, and its report
    first = desk().runs.all()[-1].record.run_id
    desk().runs._chosen("open", [first])
    driver.wait_until(lambda: panel.head.line.text() == found["after"], 30, "the first answer")
    names.append("report-again.html")
    panel.report_requested.emit("html")
    driver.wait_until(lambda: (Path(folder) / "report-again.html").is_file(), 60, "its report")
    driver.wait(0.5)
    found["history"] = [one.name for one in Path(folder).glob("report-again.html")]
    return found
