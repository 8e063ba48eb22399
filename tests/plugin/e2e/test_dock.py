"""The plugin in the real QGIS desktop: installed from its zip, answered by a real engine with the embedded model.

Each test starts QGIS once or twice, with a profile of its own, and looks at many things: a start takes seconds.
Pictures of what was seen are in out/e2e.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.plugin.e2e.desktop import ROOT, Desktop
from tests.plugin.results import ENGINE, PYTHON, need_engine

pytestmark = pytest.mark.slow  # minutes: ./scripts/test --qgis --long

HERE = Path(__file__).parent
RASTER = "DeepForest__OSBS_029.tif"
GERMAN = ROOT / "plugin" / "groundproof_qgis" / "i18n" / "groundproof_de.ts"
SAME = "How many airplanes are there?"


@pytest.fixture(scope="session")
def installed() -> dict[str, str]:
    """What every scenario needs: the plugin's zip, and the engine's command."""
    need_engine()
    words = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "QT_", "QGIS_"))
    }
    made = subprocess.run(
        [PYTHON, ROOT / "scripts" / "plugin_checks" / "build_zip.py"],
        check=True,
        capture_output=True,
        text=True,
        env=words,
    )
    return {"zip_path": made.stdout.splitlines()[-1], "engine": str(ENGINE)}


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    return Desktop(tmp_path / "desktop")


def scenarios(name: str) -> Path:
    return HERE / f"{name}_scenarios.py"


def test_real_imagery_is_asked_about_and_found_again(
    desktop: Desktop, installed: dict[str, str], data_dir: Path, tmp_path: Path, record_property
) -> None:
    raster = Path(shutil.copy(data_dir / "rasters" / RASTER, tmp_path))
    raster.chmod(0o644)
    project = str(tmp_path / "trees.qgz")
    done = desktop.run(
        scenarios("imagery"), "asks_about_real_imagery", raster=str(raster), project=project, **installed
    )
    record_property("longest GUI stall, ms", done["notes"]["longest GUI stall, ms"])
    found = done["result"]
    assert "tiles" in found["estimate"]
    assert "0.1 m per px" in found["estimate"]
    assert found["inside"]
    for one in (found["seen"], found["own"]):
        assert one["line"].endswith(("trees", "tree"))
        assert one["boxes"] > 0
        assert one["message"] == ""
    assert found["seen"]["file"] == "done"
    assert "native 0.10 m" in found["pixels"]
    links = found["links"]
    assert links["selected"] == [f"A1:{name}" for name in links["on the map"]]
    assert links["flashing"]
    assert links["in view"]
    assert links["flew"]
    assert links["row"] == [f"A1:{links['clicked']}"]
    assert found["empty"] == 0
    again = desktop.run(scenarios("imagery"), "finds_everything_again", project=project)["result"]
    assert again["shown"]["line"] == found["own"]["line"]
    assert again["shown"]["boxes"] == found["own"]["boxes"]
    assert again["layers"] == 2
    assert [status for _, status in again["history"]] == ["answered", "answered"]
    assert again["history"][0][0].endswith(found["own"]["line"])
    assert again["imagery"] == [raster.stem]


def test_cancelled_killed_or_taken_away_nothing_is_lost(
    desktop: Desktop, installed: dict[str, str], tmp_path: Path
) -> None:
    found = desktop.run(
        scenarios("trouble"),
        "cancels_kills_and_takes_away",
        project=str(tmp_path / "a.qgz"),
        seconds=240,
        **installed,
    )["result"]
    cancelled = found["cancelled"]
    assert cancelled["status"] == "cancelled"
    assert cancelled["message"].startswith("Cancelled. What came is kept in ")
    assert cancelled["layers"] == 1
    assert cancelled["boxes"] > 0
    killed = found["killed"]
    assert "has ended" in killed["said"]
    assert killed["said"].endswith("Start it again; questions go on.")
    assert killed["status"] == "done"
    assert killed["boxes"] > cancelled["boxes"]
    assert found["layer"]["status"] == "done"
    assert found["layer"]["boxes"] == killed["boxes"]
    away = found["project"]
    assert away["away"]["boxes"] == 0
    assert away["layers"] == 0
    assert "a project that is closed now is kept in" in away["said"]
    assert away["file"]
    assert away["status"] == "done"
    assert away["boxes"] > 0


def test_a_question_that_is_asked_while_qgis_closes_is_gone_on_with(
    desktop: Desktop, installed: dict[str, str], tmp_path: Path
) -> None:
    project = str(tmp_path / "b.qgz")
    left = desktop.run(scenarios("trouble"), "leaves_while_asking", project=project, **installed)["result"]
    assert left["job"]
    assert left["status"] == "asking"
    assert not list(desktop.folder.glob("*.asked")), "QGIS asked back before it closed"
    found = desktop.run(scenarios("trouble"), "goes_on_with_it", project=project, seconds=240)["result"]
    assert found["listed"] == "interrupted"
    assert found["reopened"]["message"]
    assert found["status"] == "done"
    assert found["boxes"] > 0


def test_places_dates_and_runs_of_one_question(
    desktop: Desktop, installed: dict[str, str], tmp_path: Path
) -> None:
    found = desktop.run(
        scenarios("place"), "asks_about_places", folder=str(tmp_path), seconds=240, **installed
    )["result"]
    rectangle = found["rectangle"]
    assert rectangle["boxes"] > 0
    assert rectangle["outside"] == 0
    assert rectangle["off"] < 1.5, "the area is the rectangle that was drawn, to the canvas's pixel"
    again = found["again"]
    assert (again["where"], again["question"]) == ("rectangle", SAME)
    assert again["line"] == rectangle["line"]
    assert again["changes"] == ["the same"]
    assert again["compared"] == rectangle["boxes"]
    parcels = found["parcels"]
    assert parcels["parts"] == ["A1", "A2"]
    assert "west field" in parcels["line"]
    assert "east field" in parcels["line"]
    assert parcels["selected"] == ["A2"]
    change = found["change"]
    assert change["task"] == "change"
    assert change["status"] == "done"
    assert "x" in change["said"]


def test_a_review_is_undone_saved_and_opened_again(
    desktop: Desktop, installed: dict[str, str], tmp_path: Path
) -> None:
    found = desktop.run(
        scenarios("dock"),
        "follows_links_reviews_and_reopens",
        project=str(tmp_path / "r.qgz"),
        seconds=240,
        **installed,
    )["result"]
    n = int(found["line"].split()[0])
    assert found["clicked"] == ["A1:E5"]
    assert found["editing"]
    assert found["review"].startswith(f"{n - 1} counted after your review (2 accepted, 1 rejected)")
    assert found["undone"] == ""
    assert found["after"] == f"{n - 1} airplanes"
    assert found["empty"] == 0
    assert found["reopened"] == found["after"]


def test_qgis_that_is_closed_right_after_a_review_closes_well(
    desktop: Desktop, installed: dict[str, str], tmp_path: Path
) -> None:
    project = str(tmp_path / "l.qgz")
    left = desktop.run(
        scenarios("dock"), "leaves_right_after_a_review", project=project, seconds=240, **installed
    )["result"]
    assert left["saved"]
    assert left["due"]
    n = int(left["line"].split()[0])
    found = desktop.run(scenarios("dock"), "finds_the_review_again", project=project, seconds=240)["result"]
    assert found.startswith(f"{n - 1} counted after your review")


def test_boxes_drawn_and_moved_by_hand_reach_reports_and_training_data(
    desktop: Desktop, installed: dict[str, str], tmp_path: Path
) -> None:
    found = desktop.run(
        scenarios("dock"), "draws_reports_and_exports", folder=str(tmp_path), seconds=240, **installed
    )["result"]
    assert "1 added" in found["review"]
    assert "1 adjusted" in found["review"] or "1 moved" in found["review"]
    assert found["history"] == ["report-again.html"]
    for name in ("result.gpkg", "report.html", "report.pdf", "geo-cot.zip", "coco.zip", "yolo.zip"):
        assert (tmp_path / name).stat().st_size > 1000, name
    assert found["follow_up"]


def test_no_english_is_left_in_german(tmp_path: Path, installed: dict[str, str]) -> None:
    desktop = Desktop(tmp_path / "desktop", language="de")
    seen = desktop.run(scenarios("language"), "reads_every_word", question=SAME, seconds=240, **installed)[
        "result"
    ]
    german = {
        one.findtext("source"): one.findtext("translation")
        for one in ET.parse(GERMAN).iter("message")  # noqa: S314 - our own file
    }
    assert "Dieser Rechner, tiny: bereit." in seen
    assert "Objekte zählen" in seen
    english = {text for text in seen if german.get(text, text) != text}
    assert english == set()


def test_switched_off_while_asking_and_on_again(
    desktop: Desktop, installed: dict[str, str], tmp_path: Path
) -> None:
    found = desktop.run(
        scenarios("language"),
        "is_switched_off_while_asking",
        project=str(tmp_path / "c.qgz"),
        seconds=240,
        **installed,
    )["result"]
    assert found["docks"] == []
    assert not found["provider"]
    assert not found["loaded"]
    assert found["fewer items"]
    assert "goes on" in found["said"]
    assert found["boxes"] > 0
