"""Ask many scenes: each scene's answer is what it would be alone, and none of them stops the others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from osgeo import gdal, osr
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)

from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.client import EngineClient
from groundproof_qgis.engine.exchange import never
from groundproof_qgis.imagery.scene import SceneSpec
from groundproof_qgis.layers.tables import Tables, read_tables
from groundproof_qgis.processing import many_asking
from groundproof_qgis.processing.many_result import Result
from groundproof_qgis.processing.many_scenes import without_login
from groundproof_qgis.processing.provider import GroundproofProvider
from tests.plugin.engine_waiting import in_worker
from tests.plugin.processing_runs import Feedback, desktop, run
from tests.plugin.results import QUESTION, scene

WHERE = "Where are the airplanes?"


@pytest.fixture(scope="module", autouse=True)
def provider(qgis_app) -> Iterator[GroundproofProvider]:
    with desktop() as provider:
        yield provider


@pytest.fixture(autouse=True)
def project() -> Iterator[QgsProject]:
    project = QgsProject.instance()
    yield project
    project.clear()


@pytest.fixture(autouse=True)
def sent(provider: GroundproofProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Ids of all that "Ask many scenes" sends; whatever happens in a test, it is gone from the engine afterwards."""
    made: list[str] = []

    class Recording(EngineClient):
        def create_scene(self, spec: SceneSpec) -> str:
            made.append(super().create_scene(spec))
            return made[-1]

    monkeypatch.setattr(many_asking, "EngineClient", Recording)
    yield made
    client = EngineClient(provider._host.engine.address)
    kept = in_worker(lambda: client._get("/scenes"))["scenes"]
    assert not {one["id"] for one in kept}.intersection(made)


def piece(path: Path, columns: tuple[int, int], crs: int | None = 32631) -> Path:
    """Columns of the drawn scene as a file of its own, north up, where they would lie in one wide mosaic."""
    source = gdal.Open(str(scene()))
    x0, x1 = columns
    height = source.RasterYSize
    made = gdal.GetDriverByName("GTiff").Create(str(path), x1 - x0, height, 3, gdal.GDT_Byte)
    if crs is not None:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(crs)
        made.SetProjection(reference.ExportToWkt())
        made.SetGeoTransform((443000.0 + 0.5 * x0, 0.5, 0.0, 4100000.0, 0.0, -0.5))
    for band in (1, 2, 3):
        made.GetRasterBand(band).WriteArray(source.GetRasterBand(band).ReadAsArray(x0, 0, x1 - x0, height))
    made.FlushCache()
    return path


PIECES = {"west": (0, 224), "middle": (112, 336), "east": (224, 448)}


@pytest.fixture
def pieces(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "scenes"
    folder.mkdir()
    return {name: piece(folder / f"{name}.tif", columns) for name, columns in PIECES.items()}


def asked(
    tmp_path: Path, feedback: Feedback | None = None, **parameters: object
) -> tuple[dict, Tables, Feedback]:
    target = str(tmp_path / "out.gpkg")
    outputs, feedback, _ = run(
        "ask_many_scenes", {"QUESTION": QUESTION, "OUTPUT": target, **parameters}, feedback
    )
    assert outputs is not None, feedback.errors
    return outputs, read_tables(Path(outputs["FILE"])), feedback


def refused(tmp_path: Path, **parameters: object) -> str:
    target = str(tmp_path / "out.gpkg")
    outputs, feedback, _ = run("ask_many_scenes", {"QUESTION": QUESTION, "OUTPUT": target, **parameters})
    assert outputs is None
    return " ".join(feedback.errors)


NOT_THE_SAME = {
    "fid",
    "run_id",
    "seconds",
    "path",
    "content_id",
    "tile_id",
    "tile_ids",
    "parents",
    "answer_id",
}
"""Columns that differ from run to run; the numbers of answers are compared by scene."""


def rows(table: Iterable[dict], scene: str | None = None) -> list[tuple[str, float | None]]:
    """A table's rows without what no two runs share, and their scores; of one scene."""
    return sorted(
        (
            json.dumps(
                {key: value for key, value in row.items() if key not in {*NOT_THE_SAME, "score"}},
                sort_keys=True,
            ),
            row.get("score"),
        )
        for row in table
        if scene in (None, row["scene"])
    )


def assert_same(mine: list[tuple[str, float | None]], theirs: list[tuple[str, float | None]]) -> None:
    """Scores differ in their last digits with what else is in a batch of the model's."""
    assert [words for words, _ in mine] == [words for words, _ in theirs]
    assert [score for _, score in mine] == pytest.approx([score for _, score in theirs], abs=1e-4)


@lru_cache(maxsize=1)
def _alone() -> dict[str, Tables]:
    return {}


def alone(tmp_path: Path, path: Path) -> Tables:
    """What "Ask imagery" makes of one file; each is asked once."""
    if path.stem not in _alone():
        target = tmp_path / f"alone-{path.stem}.gpkg"
        outputs, feedback, _ = run(
            "ask_imagery", {"INPUT": str(path), "QUESTION": QUESTION, "OUTPUT": str(target)}
        )
        assert outputs is not None, feedback.errors
        _alone()[path.stem] = read_tables(target)
    return _alone()[path.stem]


def test_one_scene_is_what_ask_imagery_makes_of_it(tmp_path: Path, pieces: dict[str, Path]) -> None:
    outputs, tables, feedback = asked(tmp_path, INPUT=[str(pieces["west"])])
    single = alone(tmp_path, pieces["west"])
    for name in ("evidence", "answers", "tiles", "scenes"):
        assert_same(rows(getattr(tables, name)), rows(getattr(single, name)))
    assert tables.evidence
    assert tables.crs == single.crs
    answer = single.answer()
    assert outputs["ANSWER"] == answer.line
    assert outputs["COVERAGE"] == answer.coverage_sentence
    assert outputs["COUNT"] == sum(one.counted for one in answer.evidence)
    assert tables.scenes[0]["path"] == str(pieces["west"])
    assert outputs["SUMMARY"] == "1 of 1 scenes asked."
    assert "1 of 1 scenes asked." in feedback.said
    assert feedback.warned == list(answer.weaknesses)


def test_bad_files_among_good_ones_are_rows_with_their_reason(
    tmp_path: Path, pieces: dict[str, Path], project: QgsProject
) -> None:
    layer = QgsRasterLayer(str(pieces["middle"]), "middle")
    project.addMapLayer(layer)
    damaged = tmp_path / "damaged.tif"
    damaged.write_bytes(b"II*\0" + bytes(40))
    cut = Path(shutil.copy(pieces["east"], tmp_path / "cut.tif"))
    cut.write_bytes(cut.read_bytes()[:90_000])  # opens well, and cannot be read to its end
    nowhere = piece(tmp_path / "nowhere.tif", PIECES["east"], crs=None)
    words = tmp_path / "words.tif"
    words.write_text("no raster")
    given = [str(damaged), str(pieces["west"]), str(tmp_path / "gone.tif"), layer, str(cut), str(nowhere)]
    copy = Path(shutil.copy(pieces["west"], tmp_path / "copy.tif"))
    given += [str(words), str(pieces["west"]), str(pieces["east"]), str(copy)]
    outputs, tables, feedback = asked(tmp_path, INPUT=given)
    counts = {name: outputs[name] for name in ("N_SCENES", "N_ASKED", "N_FAILED", "N_SKIPPED")}
    assert counts == {"N_SCENES": 10, "N_ASKED": 3, "N_FAILED": 7, "N_SKIPPED": 0}
    for name, path in pieces.items():
        single = alone(tmp_path, path)
        for table in ("evidence", "answers", "tiles"):
            assert_same(rows(getattr(tables, table), name), rows(getattr(single, table)))
    reasons = {row["path"]: row["reason"] for row in tables.scenes if row["status"] == "failed"}
    expected = {
        damaged: "cannot be opened",
        tmp_path / "gone.tif": "is not there",
        cut: "cannot be read",
        nowhere: "no coordinate reference system",
        words: "cannot be opened",
        pieces["west"]: "given twice",
        copy: f"{copy} is the same file as the scene west",
    }
    assert set(reasons) == set(map(str, expected))
    for path, reason in expected.items():
        assert reason in reasons[str(path)]
        assert any(reasons[str(path)] in one for one in feedback.warned)
    assert len({row["scene"] for row in tables.scenes}) == 10
    assert {row["path"] for row in tables.scenes if row["status"] == "ok"} == set(map(str, pieces.values()))
    assert outputs["SUMMARY"].startswith("3 of 10 scenes asked; 7 failed: damaged (")
    assert outputs["COUNT"] == sum(
        one.counted for path in pieces.values() for one in alone(tmp_path, path).answer().evidence
    )
    assert feedback.percent == sorted(feedback.percent)
    assert list(tmp_path.glob(".*")) == []


def test_several_jobs_and_questions_are_one_result(
    tmp_path: Path, pieces: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_asking, "MAX_SCENES", 2)
    (tmp_path / "scenes" / "west.tif.aux.xml").write_text("<PAMDataset/>")  # as QGIS leaves them there
    questions = f"{QUESTION}\n\n  {WHERE}\n"
    outputs, tables, _ = asked(
        tmp_path, FOLDER=str(tmp_path / "scenes"), PATTERN="west.*;m*.tif;e*.tif", QUESTION=questions
    )
    assert [row["status"] for row in tables.scenes] == ["ok"] * 3
    assert sorted((row["scene"], row["question"]) for row in tables.answers) == sorted(
        (name, question) for name in pieces for question in (QUESTION, WHERE)
    )
    ids = [row["answer_id"] for row in tables.answers]
    assert sorted(ids) == [f"A{number}" for number in range(1, 7)]
    of_first = {row["answer_id"]: row["scene"] for row in tables.answers if row["question"] == QUESTION}
    for name, path in pieces.items():
        single = alone(tmp_path, path)
        mine = tuple(row for row in tables.evidence if of_first.get(row["answer_id"]) == name)
        assert_same(rows(mine), rows(single.evidence))
    numbers = [(row["answer_id"], row["evidence_id"]) for row in tables.evidence]
    assert len(set(numbers)) == len(numbers)
    configuration = tables.metadata["configuration"]
    assert configuration["scenes"] == sorted(map(str, pieces.values()))
    assert [one["text"] for one in configuration["questions"]] == [QUESTION, WHERE]
    assert {row["run_id"] for row in tables.answers} == {one["run_id"] for one in tables.metadata["runs"]}
    audited, feedback, _ = run(
        "audit_evidence", {"INPUT": outputs["FILE"], "OUTPUT": str(tmp_path / "audited.gpkg")}
    )
    assert audited is not None, feedback.errors  # the engine takes the file for one result of its own


def polygons(project: QgsProject, rectangles: dict[str, QgsRectangle]) -> QgsVectorLayer:
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631&field=parcel:string", "parcels", "memory")
    for name, rectangle in rectangles.items():
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(rectangle))
        feature.setAttributes([name])
        layer.dataProvider().addFeatures([feature])
    project.addMapLayer(layer)
    return layer


def test_polygons_cut_every_scene_and_skip_those_outside(
    tmp_path: Path, pieces: dict[str, Path], project: QgsProject
) -> None:
    """The parcels lie in the west and the middle: x from 443000, 0.5 m per px."""
    parcels = {
        "one": QgsRectangle(443010.0, 4099900.0, 443050.0, 4099990.0),
        "two": QgsRectangle(443060.0, 4099900.0, 443100.0, 4099990.0),
    }
    layer = polygons(project, parcels)
    given = [str(path) for path in pieces.values()]
    outputs, tables, feedback = asked(tmp_path, INPUT=given, AOI=layer.id(), AOI_FIELD="parcel")
    assert (outputs["N_ASKED"], outputs["N_FAILED"], outputs["N_SKIPPED"]) == (2, 0, 1)
    skipped = next(row for row in tables.scenes if row["status"] == "skipped")
    assert (skipped["path"], "outside the polygons" in skipped["reason"]) == (str(pieces["east"]), True)
    assert any("outside the polygons" in one for one in feedback.said)
    found = sorted((row["scene"], row["context"]["area"]) for row in tables.answers)
    assert found == [("middle", "two"), ("west", "one"), ("west", "two")]
    for row in tables.answers:
        area = QgsGeometry.fromWkt(gdal_wkt(row["geometry"]))
        lies_in = QgsGeometry.fromRect(parcels[row["context"]["area"]])
        assert area.difference(lies_in.buffer(0.01, 2)).area() == pytest.approx(0, abs=1e-6)
    assert "0 of 1 scenes asked; 1 skipped: east" in refused(
        tmp_path, INPUT=[str(pieces["east"])], AOI=layer.id()
    )


def gdal_wkt(geojson: dict) -> str:
    from osgeo import ogr

    return ogr.CreateGeometryFromJson(json.dumps(geojson)).ExportToWkt()


def test_a_job_that_the_engine_refuses_is_cut_down_to_its_scene(
    tmp_path: Path, pieces: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = many_asking.AskMany._request

    def with_bad_bands(self, question, sent):
        bad = any(one.ready.frozen.spec.name == "middle" for one in sent)
        return {**real(self, question, sent), **({"bands": [9]} if bad else {})}

    monkeypatch.setattr(many_asking.AskMany, "_request", with_bad_bands)
    outputs, tables, _ = asked(tmp_path, INPUT=[str(path) for path in pieces.values()])
    assert (outputs["N_ASKED"], outputs["N_FAILED"]) == (2, 1)
    assert {row["scene"]: row["status"] for row in tables.scenes} == {
        "west": "ok", "middle": "failed", "east": "ok",
    }  # fmt: skip
    for name in ("west", "east"):
        assert_same(rows(tables.evidence, name), rows(alone(tmp_path, pieces[name]).evidence))


def test_too_many_failures_stop_it(tmp_path: Path, pieces: dict[str, Path]) -> None:
    gone = [str(tmp_path / f"gone-{number}.tif") for number in range(2)]
    given = [str(pieces["west"]), *gone, str(pieces["east"])]
    said = refused(tmp_path, INPUT=given, MAX_FAILED=49)
    assert "2 of 4 scenes failed, more than the 49 %" in said
    assert str(tmp_path / "gone-1.tif") in said
    assert not (tmp_path / "out.gpkg").exists()
    outputs, _, _ = asked(tmp_path, INPUT=given, MAX_FAILED=50)
    assert outputs["N_ASKED"] == 2


def test_so_do_failures_that_only_the_engine_finds(tmp_path: Path, pieces: dict[str, Path]) -> None:
    copy = shutil.copy(pieces["west"], tmp_path / "copy.tif")
    said = refused(tmp_path, INPUT=[str(pieces["west"]), str(copy)], MAX_FAILED=49)
    assert "1 of 2 scenes failed, more than the 49 %" in said
    assert "What was answered is kept" in said
    assert sorted(row["status"] for row in read_tables(tmp_path / "out.gpkg").scenes) == ["failed", "ok"]


def test_a_question_that_fails_for_a_scene_is_its_reason(tmp_path: Path, pieces: dict[str, Path]) -> None:
    questions = f"{QUESTION}\nWhat has changed?"
    outputs, tables, _ = asked(tmp_path, INPUT=[str(pieces["west"])], QUESTION=questions)
    assert (outputs["N_ASKED"], outputs["N_FAILED"]) == (0, 1)
    ((status, reason),) = [(row["status"], row["reason"]) for row in tables.scenes]
    assert status == "failed"
    assert "asks for a change between dates" in reason
    assert_same(rows(tables.evidence), rows(alone(tmp_path, pieces["west"]).evidence))


def test_an_engine_that_is_gone_is_not_told_to_forget_scene_after_scene(tmp_path: Path) -> None:
    said: list[str] = []
    telling = SimpleNamespace(stage=said.append)
    address = EngineAddress("http://127.0.0.1:9")
    asking = many_asking.AskMany(address, Result(tmp_path / "out.gpkg"), telling, never, print)
    asking._sent = [SimpleNamespace(id=str(number)) for number in range(5)]
    in_worker(asking._forget)
    assert len(said) == 1
    assert asking._sent == []


def test_what_is_written_down_holds_no_login(tmp_path: Path) -> None:
    assert without_login("/vsicurl/https://me:a@b@host/x.tif?y=z@1") == "/vsicurl/https://host/x.tif?y=z@1"
    said = refused(tmp_path, INPUT=["http://me:secret@127.0.0.1:9/a.tif"])
    assert "0 of 1 scenes asked; 1 failed: a (" in said
    assert "secret" not in said


def cancelled(target: Path, given: list[str], percent: float) -> Feedback:
    """A run that is cancelled when its progress reaches so much; Processing gives no outputs of it."""
    outputs, feedback, _ = run(
        "ask_many_scenes",
        {"INPUT": given, "QUESTION": QUESTION, "OUTPUT": str(target)},
        Feedback(cancel_at=percent),
    )
    assert outputs is None
    return feedback


def test_cancelling_keeps_what_came(
    tmp_path: Path, pieces: dict[str, Path], sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_asking, "MAX_SCENES", 1)
    target = tmp_path / "out.gpkg"
    given = [str(path) for path in pieces.values()]
    feedback = cancelled(target, given, 34)  # the first of three scenes is answered, the second one sent
    assert len(sent) >= 2
    tables = read_tables(target)
    asked = [row for row in tables.scenes if row["status"] == "ok"]
    left = [row for row in tables.scenes if row["status"] == "skipped"]
    assert 1 <= len(asked) < 3
    assert len(asked) + len(left) == 3
    assert all("not asked about" in row["reason"] for row in left)
    assert any(one.startswith(f"Cancelled. {len(asked)} of 3 scenes") for one in feedback.warned)
    assert_same(rows(tables.evidence, "west"), rows(alone(tmp_path, pieces["west"]).evidence))


def test_of_a_job_that_is_cancelled_only_scenes_that_were_looked_at_count_as_asked(
    tmp_path: Path,
) -> None:
    """All are one job of 48 tiles; the model answers 16 at once, and it is cancelled when there are more."""
    target = tmp_path / "out.gpkg"
    given = [str(piece(tmp_path / f"from-{x}.tif", (x, 448))) for x in range(8)]
    feedback = cancelled(target, given, 47)
    tables = read_tables(target)
    looked = {row["scene"] for row in tables.tiles if row["status"] in ("ok", "empty")}
    assert 2 <= len(looked) < 8
    assert {row["scene"] for row in tables.scenes if row["status"] == "ok"} == looked
    left = [row for row in tables.scenes if row["status"] == "skipped"]
    assert len(looked) + len(left) == len(tables.scenes) == 8
    assert all("not asked about" in row["reason"] for row in left)
    assert any(one.startswith(f"Cancelled. {len(looked)} of 8 scenes") for one in feedback.warned)


def test_without_an_answer_an_earlier_file_stays_as_it_was(
    tmp_path: Path, pieces: dict[str, Path], project: QgsProject
) -> None:
    outputs, _, _ = asked(tmp_path, INPUT=[str(pieces["west"])])
    target = Path(outputs["FILE"])
    before = target.read_bytes()
    said = cancelled(target, [str(pieces["east"])], 0).errors
    assert "Cancelled. 0 of 1" in " ".join(said)
    far = polygons(project, {"far": QgsRectangle(0, 0, 10, 10)})
    assert "0 of 1 scenes asked; 1 skipped: east" in refused(
        tmp_path, INPUT=[str(pieces["east"])], AOI=far.id()
    )
    assert target.read_bytes() == before
    cancelled(tmp_path / "none.gpkg", [str(pieces["east"])], 0)
    assert not (tmp_path / "none.gpkg").exists()


def test_the_file_opens_in_its_styles(tmp_path: Path, pieces: dict[str, Path], project: QgsProject) -> None:
    definition = QgsProcessingOutputLayerDefinition(str(tmp_path / "out.gpkg"), project)
    given = {"INPUT": [str(pieces["west"]), str(tmp_path / "gone.tif")], "QUESTION": QUESTION}
    outputs, feedback, context = run("ask_many_scenes", {**given, "OUTPUT": definition})
    assert outputs is not None, feedback.errors
    loads = context.layersToLoadOnCompletion()
    assert list(loads) == [outputs["OUTPUT"]]
    layer = QgsProcessingUtils.mapLayerFromString(outputs["OUTPUT"], context)
    loads[outputs["OUTPUT"]].postProcessor().postProcessLayer(layer, context, feedback)
    assert layer.renderer().type() == "categorizedSymbol"
    scenes = QgsVectorLayer(outputs["SCENES"], "scenes", "ogr")
    assert sorted(one["status"] for one in scenes.getFeatures()) == ["failed", "ok"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "No scenes were given"),
        ({"FOLDER": "F", "PATTERN": "*.jp2"}, "No file in"),
        ({"FOLDER": "F", "PATTERN": "/*.tif"}, "cannot be used"),
        ({"FOLDER": "F/none"}, "does not exist"),
        ({"INPUT": ["S"], "QUESTION": " \n "}, "question is empty"),
        ({"INPUT": ["S"], "BANDS": "red"}, "is no list of bands"),
        ({"INPUT": ["F/gone.tif", "F/lost.tif"]}, "0 of 2 scenes asked; 2 failed: gone ("),
        ({"INPUT": ["S"], "OUTPUT": "F/out.shp"}, "is a GeoPackage"),
        ({"INPUT": ["S"], "OUTPUT": "F/none/out.gpkg"}, "Nothing can be written to the folder"),
        ({"INPUT": ["S"], "ENGINE": "http://127.0.0.1:9"}, "127.0.0.1:9"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(
    tmp_path: Path, parameters: dict, expected: str
) -> None:
    def real(value: object) -> object:
        if isinstance(value, list):
            return [real(one) for one in value]
        if value == "S":
            return str(scene())
        if isinstance(value, str) and value.startswith("F"):
            return str(tmp_path) + value[1:]
        return value

    said = refused(tmp_path, **{name: real(value) for name, value in parameters.items()})
    assert expected.lower() in said.lower()
    assert "Traceback" not in said
    assert not (tmp_path / "out.gpkg").exists()
