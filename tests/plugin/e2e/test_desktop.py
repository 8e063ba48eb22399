"""The harness itself, with a plugin of thirty lines: what it does, and that it fails when it should."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from osgeo import gdal, osr

from tests.plugin.e2e.desktop import SCREENSHOTS, Desktop, DesktopError

SCENARIOS = Path(__file__).with_name("harness_scenarios.py")
METADATA = """\
[general]
name=trivial
qgisMinimumVersion=3.22
qgisMaximumVersion=4.99
description=A dock with a line and a button.
version=1.0
author=nobody
email=nobody@groundproof.example
about=For the tests of the harness.
tracker=https://groundproof.example
repository=https://groundproof.example
"""
PLUGIN = """
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QDockWidget, QLineEdit, QMessageBox, QPushButton, QTextBrowser, QVBoxLayout, QWidget


class Trivial:
    def __init__(self, iface):
        self.iface = iface

    def initGui(self):
        self.dock = QDockWidget("Trivial", self.iface.mainWindow())
        self.dock.setObjectName("TrivialDock")
        inside = QWidget()
        box = QVBoxLayout(inside)
        self.line, self.button, self.text = QLineEdit(), QPushButton("Go"), QTextBrowser()
        self.text.setOpenLinks(False)
        for name, widget in (("line", self.line), ("go", self.button), ("text", self.text)):
            widget.setObjectName(name)
            box.addWidget(widget)
        self.button.clicked.connect(self.go)
        self.text.anchorClicked.connect(lambda url: self.line.setText(url.toString()))
        self.dock.setWidget(inside)
        self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)

    def unload(self):
        self.iface.removeDockWidget(self.dock)

    def go(self):
        words = self.line.text()
        if words == "fail":
            raise RuntimeError("it failed")
        if QMessageBox.question(self.dock, "Sure?", "Really?") == QMessageBox.StandardButton.Yes:
            self.text.setHtml(f'{words} <a href="groundproof:E1">E1</a>')


def classFactory(iface):
    return Trivial(iface)
"""


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "trivial.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("trivial/metadata.txt", METADATA)
        made.writestr("trivial/__init__.py", PLUGIN)
    return path


def small_raster(path: Path) -> Path:
    made = gdal.GetDriverByName("GTiff").Create(str(path), 40, 30, 3)
    made.SetGeoTransform((500000, 10, 0, 4100000, 0, -10))
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32631)
    made.SetProjection(crs.ExportToWkt())
    made.GetRasterBand(1).Fill(200)
    made.FlushCache()
    return path


def test_a_scenario_installs_types_clicks_follows_a_link_and_reopens_its_project(
    tmp_path: Path, zipped: Path
) -> None:
    desktop = Desktop(tmp_path / "desktop")
    found = desktop.run(
        SCENARIOS,
        "asks_and_is_answered",
        zip_path=str(zipped),
        raster=str(small_raster(tmp_path / "scene.tif")),
        project=str(tmp_path / "p.qgz"),
    )["result"]
    assert found["answer"] == "How many? E1"
    assert found["link"] == "groundproof:E1"
    assert found["off_centre"] == pytest.approx([0, 0], abs=2)
    assert found["layers"] == ["scene"]
    assert (SCREENSHOTS / "harness.png").stat().st_size > 10_000
    assert desktop.run(SCENARIOS, "finds_the_plugin_again")["result"] == "Trivial"


def test_a_scenario_that_raises_fails_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(DesktopError, match="something that never is"):
        Desktop(tmp_path / "desktop").run(SCENARIOS, "raises")


def test_a_python_error_shown_in_qgis_fails_the_run(tmp_path: Path, zipped: Path) -> None:
    desktop = Desktop(tmp_path / "desktop")
    with pytest.raises(DesktopError, match="it failed"):
        desktop.run(SCENARIOS, "shows_a_python_error", zip_path=str(zipped))


def test_a_desktop_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(DesktopError, match="no result"):
        Desktop(tmp_path / "desktop").run(SCENARIOS, "hangs", seconds=12)
