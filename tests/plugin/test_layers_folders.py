"""What is given to somebody else names files, and no folders of the computer it comes from."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, QSize
from qgis.PyQt.QtGui import QImage

from groundproof_qgis.control.reporting import Reporting
from groundproof_qgis.layers.folders import Folders, file_name
from groundproof_qgis.layers.hand_over import hand_over
from groundproof_qgis.layers.tables import read_tables
from tests.plugin.results import result


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/anna/Secret client/port.tif", "port.tif"),
        (r"C:\Users\Anna\port.tif", "port.tif"),
        (r"\\server\share\port.tif", "port.tif"),
        ("file:///home/anna/port.tif", "port.tif"),
        ("/data/areas.gpkg|layername=docks", "areas.gpkg|layername=docks"),
        ("https://example.org/2026/port.tif", "https://example.org/2026/port.tif"),
        ("out/demo/scene.tif", "scene.tif"),
        ("/data/models/tiny/", "tiny"),
        ("scene.tif", "scene.tif"),
    ],
)
def test_the_name_of_a_file_is_its_last_part(path, name):
    assert file_name(path) == name


def test_folders_go_from_every_text_and_nothing_else():
    folders = Folders(
        [
            {"path": "/home/anna/Secret client/port.tif"},
            {"path": "https://example.org/a/b.tif"},
            {"path": None},
        ],
        {"run_directory": "/home/anna/runs/a.run", "model": "tiny"},
    )
    assert folders.value(
        {
            "say": "/home/anna/Secret client/port.tif: columns 0 to 224 cannot be read (/home/anna/runs/a.run)",
            "run": "/home/anna/runs/a.run",
            "list": ["https://example.org/a/b.tif", 3, None, "1/2 of it"],
        }
    ) == {
        "say": "port.tif: columns 0 to 224 cannot be read (a.run)",
        "run": "a.run",
        "list": ["https://example.org/a/b.tif", 3, None, "1/2 of it"],
    }
    assert not Folders([{"path": "port.tif"}], {})


def test_a_copy_to_hand_over_names_files_only_and_the_own_result_stays(tmp_path):
    own = result(tmp_path)
    with closing(sqlite3.connect(own)) as connection:
        [(text,)] = connection.execute("SELECT metadata FROM gpkg_metadata").fetchall()
    metadata = json.loads(text)
    where = metadata["configuration"]["scenes"][0]
    assert "/" in where  # or this test tests nothing
    made = hand_over(own, tmp_path / "copy.gpkg")
    before, after = read_tables(own), read_tables(made)
    assert before.scenes[0]["path"] == where
    assert after.scenes[0]["path"] == file_name(where)
    assert after.metadata["configuration"]["scenes"] == [file_name(where)]
    assert str(tmp_path) not in made.read_bytes().decode("latin-1")
    assert where.rpartition("/")[0] + "/" not in made.read_bytes().decode("latin-1")
    assert after.evidence == before.evidence
    assert after.metadata["run_id"] == before.metadata["run_id"]
    assert after.metadata["configuration"]["questions"] == before.metadata["configuration"]["questions"]
    with closing(sqlite3.connect(made)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_report_names_files_only(tmp_path, qgis_app, qtbot):
    own = result(tmp_path)
    where = read_tables(own).scenes[0]["path"]
    answer = SimpleNamespace(notes=[f"{where} has no date."], status="done", sentence="")
    record = SimpleNamespace(asked_at="", engine="tiny", gpkg="run.gpkg")
    run = SimpleNamespace(record=record, path=own, answer=answer)
    owner = QObject()
    writer = Reporting(QgsProject.instance(), None, owner)
    target = tmp_path / "report.html"
    image = QImage(QSize(8, 8), QImage.Format.Format_RGB32)
    with qtbot.waitSignal(writer.done, timeout=60_000):
        writer._drawn(None, run, "", target, image)
    page = target.read_text(encoding="utf-8")
    assert f"<li>{file_name(where)} has no date.</li>" in page
    assert where not in page
