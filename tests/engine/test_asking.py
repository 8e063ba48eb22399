"""From a question to a result: the whole chain around a model that really looks at the pixels."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
from affine import Affine
from rasterio.transform import xy as gdal_xy
from shapely.geometry import Polygon, box

import groundproof
from groundproof.ask_options import AskOptions
from groundproof.boxes import Tile
from groundproof.datasets import without_secrets
from groundproof.deliver import merge_run, write_outputs
from groundproof.errors import ReadError, RunError, SceneError, UsageError
from groundproof.evidence_rows import look_key
from groundproof.outputs import write_summary
from groundproof.reading import TilePixels
from groundproof.run import RunDirectory
from groundproof.session import Session
from groundproof.sources import Views

from .conftest import BOXES, Squares, write_squares
from .square_finder import SquareFinder
from .square_finder import squares as squares_in

QUESTION = "How many airplanes are there?"


def truth_polygons(squares: Squares) -> list[Polygon]:
    """GDAL's own transform of the four corners."""
    polygons = []
    for x0, y0, x1, y1 in squares.boxes:
        corners = [
            gdal_xy(squares.affine, row, col, offset="ul")
            for col, row in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        ]
        polygons.append(Polygon(corners))
    return polygons


def test_every_object_is_counted_once_and_lies_where_gdal_says(
    squares: Squares, finder: SquareFinder
) -> None:
    answer = groundproof.ask(squares.path, QUESTION)
    assert answer.value == len(BOXES)
    truth = truth_polygons(squares)
    for polygon in answer.evidence.geometry:
        best = max(t.intersection(polygon).area / t.union(polygon).area for t in truth)
        assert best > 0.9  # per-mille of a 224 px tile is a fifth of a pixel


def test_objects_over_tile_borders_name_all_their_parents(squares: Squares, finder: SquareFinder) -> None:
    evidence = groundproof.ask(squares.path, QUESTION).evidence
    widest = max(evidence.box_px, key=lambda b: b[2] - b[0])
    row = evidence[[b == widest for b in evidence.box_px]].iloc[0]
    assert len(row.parents) == len(row.tile_ids) > 1
    assert np.allclose(widest, (300, 300, 460, 340), atol=0.5)


def test_the_answer_names_coverage_and_evidence(squares: Squares, finder: SquareFinder) -> None:
    answer = groundproof.ask(squares.path, QUESTION)
    assert "5 airplanes" in answer.text
    assert answer.coverage["failed"] == 0
    assert answer.coverage["looked_at"] == answer.coverage["tiles"] == len(answer.result.tiles)
    assert set(answer.evidence.verdict) == {"unchecked"}
    assert list(answer.evidence.evidence_id) == ["E1", "E2", "E3", "E4", "E5"]
    assert np.allclose(answer.evidence.score.astype(float), np.exp(-0.1))


def test_an_area_of_interest_counts_only_what_lies_inside(squares: Squares, finder: SquareFinder) -> None:
    left, top = 443000.0, 4100000.0
    with rasterio.open(squares.path) as source:
        corners = [source.transform @ point for point in ((0, 0), (250, 0), (250, 200), (0, 200))]
    xs, ys = zip(*corners, strict=True)
    assert min(xs) <= left <= max(xs)
    assert min(ys) <= top <= max(ys)
    answer = groundproof.ask(squares.path, QUESTION, aoi=f"{min(xs)},{min(ys)},{max(xs)},{max(ys)}")
    assert 2 <= answer.value < len(BOXES)


def test_pixel_space_gives_boxes_that_lie_on_the_image(tmp_path: Path, finder: SquareFinder) -> None:
    scene = write_squares(tmp_path / "plain.tif", BOXES, crs=None)
    with pytest.raises(SceneError, match="--pixel-space"):
        groundproof.ask(scene.path, QUESTION)
    evidence = groundproof.ask(scene.path, QUESTION, pixel_space=True).evidence
    assert evidence.crs is None
    assert evidence.area_m2.isna().all()
    bounds = sorted(tuple(round(v) for v in g.bounds) for g in evidence.geometry)
    assert bounds == sorted((x0, -y1, x1, -y0) for x0, y0, x1, y1 in BOXES)


def test_an_interrupted_run_goes_on_and_gives_the_same_answer(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    options = AskOptions((str(squares.path),), (QUESTION,))
    whole = groundproof.ask(squares.path, QUESTION).evidence
    finder.answered, finder.die_after = 0, 6
    with Session(options) as session, pytest.raises(KeyboardInterrupt):
        session.run(tmp_path / "broken.run")
    run = RunDirectory.open(tmp_path / "broken.run")
    assert 0 < run.status().batches_done < run.status().batches
    finder.die_after = None
    finder.answered = 0
    with Session.of_run(tmp_path / "broken.run") as session:
        run, result = session.run(tmp_path / "broken.run")
    assert finder.answered == run.status().planned - 4  # one batch of four was kept
    assert list(result.evidence.box_px) == list(whole.box_px)
    assert list(result.evidence.geometry.to_wkb()) == list(whole.geometry.to_wkb())


def test_a_run_directory_refuses_another_question(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run")
    with pytest.raises(RunError, match="another configuration"):
        groundproof.ask(squares.path, "How many ships are there?", run_dir=tmp_path / "a.run")


def test_a_run_directory_refuses_a_scene_that_changed(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run")
    write_squares(squares.path, BOXES[:2])
    with pytest.raises(RunError, match="has changed"):
        groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run")


def test_merging_again_needs_no_model_and_gives_the_same_file_content(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    answer = groundproof.ask(squares.path, QUESTION, out=tmp_path / "a.gpkg")
    run, result = merge_run(tmp_path / "a.run")
    write_outputs(run, result, tmp_path / "b.gpkg")
    a, b = (pyogrio.read_dataframe(tmp_path / name, layer="evidence") for name in ("a.gpkg", "b.gpkg"))
    assert a.equals(b)
    assert len(a) == len(answer.evidence)


def test_an_unreadable_answer_is_a_failed_tile_never_an_empty_one(
    squares: Squares, finder: SquareFinder
) -> None:
    finder.confused_by = 1
    answer = groundproof.ask(squares.path, QUESTION)
    assert answer.coverage["failed"] == 1
    assert "failed" in answer.coverage["sentence"]
    assert list(answer.result.tiles.status).count("parse_error") == 1
    assert any(f["severity"] == "warning" for f in answer.audit)


def test_absent_objects_are_none_found_where_it_was_looked(tmp_path: Path, finder: SquareFinder) -> None:
    scene = write_squares(tmp_path / "bare.tif", [])
    answer = groundproof.ask(scene.path, QUESTION, out=tmp_path / "bare.gpkg")
    assert answer.value == 0
    assert set(answer.result.tiles.status) == {"empty"}
    layers = {name for name, _ in pyogrio.list_layers(tmp_path / "bare.gpkg")}
    assert {"evidence", "answers", "tiles", "scenes"} <= layers


@pytest.mark.parametrize("question", ["", "   ", "x" * 100_000])
def test_questions_that_cannot_be_asked_are_refused(
    squares: Squares, finder: SquareFinder, question: str
) -> None:
    with pytest.raises(UsageError):
        groundproof.ask(squares.path, question)


def test_one_bad_scene_among_several_is_a_row_with_a_reason(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    (tmp_path / "broken.tif").write_text("no raster")
    answer = groundproof.ask([squares.path, tmp_path / "broken.tif"], QUESTION)
    assert list(answer.result.scenes.status) == ["ok", "failed"]
    assert answer.value == len(BOXES)


def test_the_estimate_counts_the_tiles_that_the_run_then_asks(squares: Squares, finder: SquareFinder) -> None:
    with Session(AskOptions((str(squares.path),), (QUESTION,))) as session:
        estimate = session.estimate()
    assert estimate["tiles"] == len(groundproof.ask(squares.path, QUESTION).result.tiles)
    assert estimate["seconds"] is not None


def test_dates_are_laid_over_each_other_and_boxes_say_which_image(
    tmp_path: Path, finder: SquareFinder
) -> None:
    before = write_squares(tmp_path / "before.tif", BOXES[:2])
    shifted = before.affine @ Affine.translation(
        -40, -60
    )  # the later scene begins 40 columns and 60 rows earlier
    moved = [(x0 + 40, y0 + 60, x1 + 40, y1 + 60) for x0, y0, x1, y1 in BOXES[1:3]]
    after = write_squares(tmp_path / "after.tif", moved, affine=shifted)
    answer = groundproof.ask([before.path, after.path], "What has changed?")
    assert list(answer.answers.task) == ["change"]
    found = {(row.image, *(round(v) for v in row.box_px)) for row in answer.evidence.itertuples()}
    assert found == {(0, *box) for box in BOXES[:2]} | {(1, *box) for box in BOXES[1:3]}


def test_dates_without_common_ground_are_refused(
    squares: Squares, tmp_path: Path, finder: SquareFinder
) -> None:
    far = write_squares(tmp_path / "far.tif", BOXES, affine=Affine(0.5, 0, 600000, 0, -0.5, 4100000))
    with pytest.raises(SceneError, match="overlap"):
        groundproof.ask([squares.path, far.path], "What has changed?")


def test_a_change_needs_two_scenes(squares: Squares, finder: SquareFinder) -> None:
    with pytest.raises(UsageError, match="one scene"):
        groundproof.ask(squares.path, "What has changed?")


def test_a_second_look_decides_about_every_box(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    answer = groundproof.ask(squares.path, QUESTION, second_look=True, run_dir=tmp_path / "a.run")
    assert not set(answer.evidence.verdict) - {"unchecked", "supported", "contradicted"}
    assert list((tmp_path / "a.run" / "answers").glob("second-look-*.parquet"))


@pytest.mark.parametrize("name", ["parcels.gpkg", "parcels.parquet", "parcels.geojson"])
def test_one_answer_per_parcel_in_every_format(
    squares: Squares, finder: SquareFinder, tmp_path: Path, name: str
) -> None:
    areas = {"west": box(443000, 4099700, 443200, 4100200), "east": box(443200, 4099700, 443450, 4100200)}
    parcels = gpd.GeoDataFrame({"parcel": list(areas)}, geometry=list(areas.values()), crs="EPSG:32631")
    parcels.to_crs(4326).to_file(tmp_path / "areas.geojson")
    answer = groundproof.ask(
        squares.path, QUESTION, aoi=str(tmp_path / "areas.geojson"), aoi_field="parcel", out=tmp_path / name
    )
    assert [context["area"] for context in answer.answers.context] == ["west", "east"]
    assert sum(answer.answers.value) == len(BOXES)
    for answer_id, area in zip(answer.answers.answer_id, areas.values(), strict=True):
        mine = answer.evidence[answer.evidence.answer_id == answer_id]
        assert mine.geometry.centroid.within(area.buffer(1)).all()
    written = (
        gpd.read_parquet(tmp_path / name) if name.endswith("parquet") else gpd.read_file(tmp_path / name)
    )
    assert len(written) == len(BOXES)
    write_summary(answer.result, tmp_path / "summary.csv")
    assert "squares: west" in (tmp_path / "summary.csv").read_text()


def test_fresh_with_a_mistake_in_the_options_keeps_the_earlier_answers(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run")
    options = AskOptions((str(squares.path),), (QUESTION,), aoi="0,0,1,1")
    with Session(options) as session, pytest.raises(UsageError):
        session.run(tmp_path / "a.run", fresh=True)
    assert RunDirectory.open(tmp_path / "a.run").pending() == []


def test_a_box_listed_twice_does_not_rise_with_the_second_look_at_the_first(
    squares: Squares, finder: SquareFinder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.engine.square_finder.squares", lambda rgb: 2 * squares_in(rgb))
    before = groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run").evidence
    run = RunDirectory.open(tmp_path / "a.run")
    twice = before.verdict == "duplicate"
    assert twice.any()
    looks = [
        {"kind": "second-look", "answer_id": "A1", "key": look_key(row.box_px, row.label, row.image)}
        | {"outcome": "supported", "text": "", "reason": "", "finish": "stop", "seconds": None}
        for row in before[~twice].itertuples()
    ]
    run.write_follow_up("second-look", "A1", looks)
    after = merge_run(tmp_path / "a.run")[1].evidence
    assert list(after.verdict == "duplicate") == list(twice)
    assert (after.verdict[~twice] == "supported").all()


def test_a_new_output_crs_is_taken_without_asking_again(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run")
    asked = finder.answered
    again = groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run", out_crs="EPSG:4326")
    assert finder.answered == asked
    assert again.evidence.crs == "EPSG:4326"
    assert RunDirectory.open(tmp_path / "a.run").config.out_crs == "EPSG:4326"


def test_a_change_is_not_answered_from_an_overview_of_one_date(tmp_path: Path, finder: SquareFinder) -> None:
    dates = [write_squares(tmp_path / f"{name}.tif", BOXES[:2]).path for name in ("before", "after")]
    groundproof.ask(dates, "What has changed?", run_dir=tmp_path / "a.run")
    assert not list((tmp_path / "a.run" / "answers").glob("overview-*"))


def test_an_overview_that_cannot_be_read_does_not_cost_the_answer(
    squares: Squares, finder: SquareFinder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Views, tile: Tile, image: int = 0) -> TilePixels:
        raise ReadError("a block is damaged")

    monkeypatch.setattr(Views, "read", fails)
    answer = groundproof.ask(squares.path, "Describe the image.", task="caption", run_dir=tmp_path / "a.run")
    (row,) = RunDirectory.open(tmp_path / "a.run").follow_ups("overview", "A1")
    assert row["outcome"] == "read_error"
    assert answer.coverage["failed"] == 0


def test_an_area_in_one_of_two_scenes_is_answered_there(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    far = write_squares(tmp_path / "far.tif", BOXES, affine=Affine(0.5, 0, 600000, 0, -0.5, 4100000))
    answer = groundproof.ask([squares.path, far.path], QUESTION, aoi="443000,4099900,443200,4100000")
    assert list(answer.result.scenes.status) == ["ok", "skipped"]


def test_a_file_really_named_like_a_second_scene_stays_a_scene_of_its_own(
    tmp_path: Path, finder: SquareFinder
) -> None:
    (tmp_path / "other").mkdir()
    names = ("a.tif", "other/a.tif", "a (2).tif")
    scenes = [write_squares(tmp_path / name, BOXES[:n]).path for n, name in enumerate(names, start=1)]
    answer = groundproof.ask(scenes, QUESTION)
    assert answer.result.scenes.scene.is_unique
    assert list(answer.answers.value) == [1, 2, 3]


def test_resuming_tries_again_what_could_not_be_read(
    squares: Squares, finder: SquareFinder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import groundproof.sources as sources

    real = sources.read_raw

    def broken_once(scene, tile, *rest):
        if tile.index == 3 and not (tmp_path / "mended").exists():
            raise ReadError("the network drive is gone")
        return real(scene, tile, *rest)

    monkeypatch.setattr(sources, "read_raw", broken_once)
    answer = groundproof.ask(squares.path, QUESTION, run_dir=tmp_path / "a.run")
    assert answer.coverage["failed"] == 1
    assert "network drive" in answer.coverage["sentence"]
    (tmp_path / "mended").touch()
    with Session.of_run(tmp_path / "a.run") as session:
        run, result = session.run(tmp_path / "a.run")
    assert result.answers.coverage.iloc[0]["failed"] == 0
    assert set(run.answers().attempts) == {1, 2}
    assert result.answers.value.iloc[0] == len(BOXES)


def test_a_scene_that_vanished_among_several_is_failed_tiles_not_the_end(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    other = write_squares(tmp_path / "other.tif", BOXES[:4])
    finder.die_after = 6
    options = AskOptions((str(squares.path), str(other.path)), (QUESTION,))
    with Session(options) as session, pytest.raises(KeyboardInterrupt):
        session.run(tmp_path / "a.run")
    other.path.unlink()
    finder.die_after = None
    with Session.of_run(tmp_path / "a.run") as session:
        _, result = session.run(tmp_path / "a.run")
    assert list(result.answers.value) == [len(BOXES), None]
    assert result.answers.coverage.iloc[1]["looked_at"] == 0


def test_results_hold_no_secrets_of_a_url() -> None:
    assert without_secrets("https://me:pw@host.example/a.tif?sig=abc") == "https://host.example/a.tif"
    assert without_secrets("/data/a?b.tif") == "/data/a?b.tif"
