"""A reviewed result as training data: boxes lie on what a person saw, and nothing unknown is taught."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
import shapely
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO
from typer.testing import CliRunner

import groundproof
from groundproof.boxes import BoxFrame, Grid, PixelBox, Tile, Window
from groundproof.cli import app
from groundproof.errors import OutputError, SceneError, UsageError
from groundproof.georeference import Georeferencer, to_pixels
from groundproof.outputs import write
from groundproof.protocol import Task, render
from groundproof.review_export import ExportFormat, export
from groundproof.review_export.formats import as_written
from groundproof.review_export.pixels import as_seen
from groundproof.review_export.truth import TrueBox, truth
from groundproof.tables import Result
from groundproof.tiling import plan
from groundproof.trace import parse
from tests.engine.conftest import BOXES, Squares
from tests.engine.square_finder import PROFILE, SquareFinder
from tests.engine.square_finder import squares as bright

QUESTION = "How many airplanes are there?"
Box = tuple[float, float, float, float]


def asked(squares: Squares, question: str = QUESTION) -> Result:
    return groundproof.ask(squares.path, question).result


def reviewed(result: Result, decision: str, only: Iterable[str] | None = None) -> Result:
    evidence = result.evidence.copy()
    rows = evidence.evidence_id.isin(list(only)) if only is not None else slice(None)
    evidence["review"] = evidence["review"].astype(object)
    evidence.loc[rows, "review"] = decision
    return replace(result, evidence=evidence)


def near(a: Box, b: Box, px: float = 1.0) -> bool:
    return all(abs(p - q) <= px for p, q in zip(a, b, strict=True))


def same(boxes: list[Box], others: list[Box], px: float = 1.0) -> bool:
    """The same boxes within `px`, in any order."""
    return len(boxes) == len(others) and all(any(near(a, b, px) for b in others) for a in boxes)


def seen_in(png: bytes) -> list[Box]:
    """What a person would box in a picture: its bright areas, slivers left out."""
    found = bright(np.asarray(Image.open(BytesIO(png)).convert("RGB")))
    return [box for box in found if box[2] - box[0] >= 3 and box[3] - box[1] >= 3]


def test_coco_boxes_lie_on_the_bright_squares_of_each_picture(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    folder = tmp_path / "coco"
    made = export(reviewed(asked(squares), "accepted"), folder, ExportFormat.COCO)
    coco = COCO(str(folder / "annotations.json"))
    images = coco.loadImgs(coco.getImgIds())
    assert len(images) == made.examples > 1
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == ["airplane"]
    for image in images:
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        boxes = [(x, y, x + w, y + h) for x, y, w, h in (a["bbox"] for a in annotations)]
        png = (folder / "images" / image["file_name"]).read_bytes()
        assert Image.open(BytesIO(png)).size == (image["width"], image["height"])
        assert same(boxes, seen_in(png))
        for annotation in annotations:
            assert annotation["area"] == pytest.approx(annotation["bbox"][2] * annotation["bbox"][3])
            assert coco.annToMask(annotation).sum() == pytest.approx(annotation["area"], rel=0.15)


def test_yolo_shares_lie_on_the_bright_squares_of_each_picture(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    folder = tmp_path / "yolo"
    export(reviewed(asked(squares), "accepted"), folder, ExportFormat.YOLO)
    data = yaml.safe_load((folder / "data.yaml").read_text())
    assert data["names"] == {0: "airplane"}
    assert (folder / "classes.txt").read_text() == "airplane\n"
    pictures = sorted((folder / data["train"]).iterdir())
    assert pictures
    for path in pictures:
        width, height = Image.open(path).size
        boxes = []
        for line in (folder / "labels" / f"{path.stem}.txt").read_text().splitlines():
            number, x, y, w, h = map(float, line.split())
            assert number == 0
            boxes.append(
                ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
            )
        assert same(boxes, seen_in(path.read_bytes()))


def test_geo_cot_says_what_is_in_each_picture_with_the_published_keys(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    folder = tmp_path / "messages"
    export(reviewed(asked(squares), "accepted"), folder, ExportFormat.GEO_COT)
    lines = (folder / "geo-cot.jsonl").read_text().splitlines()
    assert lines
    for line in lines:
        record = json.loads(line)
        assert set(record) == {"messages", "images"}
        user, assistant = record["messages"]
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        assert user["content"] == "<image>" + render(Task.COUNT, QUESTION, PROFILE, ("airplane",)).text
        png = (folder / record["images"][0]).read_bytes()
        width, height = Image.open(BytesIO(png)).size
        trace = parse(assistant["content"], BoxFrame.PER_MILLE, Task.COUNT, ("airplane",))
        boxes = [
            (e.box.x0 * width / 1e3, e.box.y0 * height / 1e3, e.box.x1 * width / 1e3, e.box.y1 * height / 1e3)
            for e in trace.evidence
        ]
        assert same(boxes, seen_in(png))
        assert trace.answer == str(len(boxes))
        assert trace.plan == "Look for bright squares."  # the model's own


@pytest.mark.parametrize(
    ("question", "answers"),
    [("Are there any airplanes?", {"yes", "no"}), ("Where are the airplanes?", None)],
)
def test_other_questions_about_boxes_get_their_own_answers(
    squares: Squares, finder: SquareFinder, tmp_path: Path, question: str, answers: set[str] | None
) -> None:
    export(asked(squares, question), tmp_path / "m", ExportFormat.GEO_COT, include_unchecked=True)
    said = set()
    for line in (tmp_path / "m" / "geo-cot.jsonl").read_text().splitlines():
        text = json.loads(line)["messages"][-1]["content"]
        trace = parse(text, BoxFrame.PER_MILLE, Task.DETECT, ("airplane",))
        if answers is None:
            assert len(trace.answer_boxes) == len(trace.evidence) or not trace.answer_boxes
            assert json.loads(trace.answer) == [
                [e.box.x0, e.box.y0, e.box.x1, e.box.y1] for e in trace.evidence
            ]
        else:
            assert trace.answer == ("yes" if trace.evidence else "no")
            said.add(trace.answer)
    assert answers is None or said == answers


def test_a_question_that_does_not_follow_from_boxes_is_no_conversation(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    result = asked(squares, "Describe the image.")
    with pytest.raises(UsageError, match="follows from boxes"):
        export(result, tmp_path / "m.zip", ExportFormat.GEO_COT, include_unchecked=True)
    assert not list(tmp_path.glob("*m.zip*"))


def test_a_tile_with_a_box_that_nobody_reviewed_is_left_out_and_said(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    result = asked(squares)
    whole = export(reviewed(result, "accepted"), tmp_path / "all.zip", ExportFormat.COCO)
    part = export(reviewed(result, "accepted", ["E1", "E2"]), tmp_path / "two.zip", ExportFormat.COCO)
    assert 0 < part.examples < whole.examples
    assert part.left_out["tiles with boxes that nobody reviewed"] > 0
    with ZipFile(tmp_path / "two.zip") as archive:
        document = json.loads(archive.read("annotations.json"))
        for image in document["images"]:
            boxes = [a["bbox"] for a in document["annotations"] if a["image_id"] == image["id"]]
            assert len(boxes) == len(seen_in(archive.read(f"images/{image['file_name']}")))


def test_rejected_boxes_teach_that_nothing_is_there(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    made = export(reviewed(asked(squares), "rejected"), tmp_path / "none.zip", ExportFormat.YOLO)
    assert made.examples > 0
    assert made.boxes == 0
    with ZipFile(tmp_path / "none.zip") as archive:
        assert all(not archive.read(name) for name in archive.namelist() if name.startswith("labels/"))
        assert yaml.safe_load(archive.read("data.yaml"))["names"] == {}


def test_a_box_drawn_by_hand_is_taught(squares: Squares, finder: SquareFinder, tmp_path: Path) -> None:
    result = reviewed(asked(squares), "accepted")
    evidence = result.evidence.copy()
    row = evidence.iloc[[0]].copy()
    drawn = (500.0, 200.0, 540.0, 230.0)
    places = Georeferencer(Grid(700, 500, evidence.crs, squares.affine))
    row["evidence_id"], row["review"], row["label"] = None, "added", "crane"
    row["box_px"], row["geometry"] = None, [places.geometry_from_pixels(shapely.box(*drawn))]
    both = pd.concat([evidence, row], ignore_index=True)
    export(replace(result, evidence=both), tmp_path / "d.zip", ExportFormat.COCO)
    with ZipFile(tmp_path / "d.zip") as archive:
        document = json.loads(archive.read("annotations.json"))
        tiles = json.loads(archive.read("provenance.json"))["tiles"]
    crane = next(c["id"] for c in document["categories"] if c["name"] == "crane")
    found = [a for a in document["annotations"] if a["category_id"] == crane]
    assert found
    for annotation in found:
        x0, y0 = tiles[annotation["image_id"] - 1]["window_px"][:2]
        x, y, w, h = annotation["bbox"]
        assert drawn[0] - 0.1 <= x0 + x
        assert x0 + x + w <= drawn[2] + 0.1
        assert drawn[1] - 0.1 <= y0 + y
        assert y0 + y + h <= drawn[3] + 0.1


def test_nothing_reviewed_is_a_sentence_that_says_what_to_do(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="Accept or reject"):
        export(asked(squares), tmp_path / "x.zip", ExportFormat.COCO)
    assert not list(tmp_path.glob("*x.zip*"))


def test_a_scene_that_is_gone_or_another_file_is_named(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    result = reviewed(asked(squares), "accepted")
    content = squares.path.read_bytes()
    squares.path.write_bytes(content + b"\0")
    with pytest.raises(SceneError, match=r"squares\.tif cannot be used: it was changed"):
        export(result, tmp_path / "folder", ExportFormat.COCO)
    squares.path.unlink()
    with pytest.raises(SceneError, match=r"squares\.tif cannot be used"):
        export(result, tmp_path / "folder", ExportFormat.COCO)
    assert [path.name for path in tmp_path.iterdir()] == []


def test_the_same_result_gives_the_same_bytes(squares: Squares, finder: SquareFinder, tmp_path: Path) -> None:
    result = reviewed(asked(squares), "accepted")
    for name in ("a.zip", "b.zip"):
        export(result, tmp_path / name, ExportFormat.GEO_COT)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_folder_that_exists_is_not_touched(squares: Squares, finder: SquareFinder, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(OutputError, match="exists"):
        export(reviewed(asked(squares), "accepted"), tmp_path / "mine", ExportFormat.COCO)
    assert not list((tmp_path / "mine").iterdir())


def test_provenance_says_where_everything_came_from(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    result = reviewed(asked(squares), "accepted")
    export(result, tmp_path / "p", ExportFormat.GEO_COT)
    said = json.loads((tmp_path / "p" / "provenance.json").read_text())
    assert said["run_id"] == result.metadata["run_id"]
    assert said["box_frame"] == "per-mille"
    assert said["tile_px"] == 224
    assert said["scenes"][0]["content_id"] == result.scenes.content_id[0]
    assert said["questions"] == [{"answer_id": "A1", "text": QUESTION}]


def test_the_command_line_writes_and_ends_with_the_path(
    squares: Squares, finder: SquareFinder, tmp_path: Path
) -> None:
    file, out = tmp_path / "r.gpkg", tmp_path / "r-coco.zip"
    write(reviewed(asked(squares), "accepted"), file)
    words = ["review", "export", str(file), "-o", str(out), "--format", "coco"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == str(out)
    assert out.is_file()
    machine = CliRunner().invoke(app, [*words, "--json"])
    assert json.loads(machine.stdout)["labels"] == ["airplane"]
    write(asked(squares), file)
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert "Accept or reject" in refused.stderr


@settings(max_examples=100)
@given(
    size=st.tuples(st.integers(60, 1500), st.integers(60, 1500)),
    side=st.sampled_from([112, 224, 448]),
    scale=st.sampled_from([0.5, 0.8, 1.0, 2.0]),
)
def test_tiles_are_planned_again_as_the_run_planned_them(
    size: tuple[int, int], side: int, scale: float
) -> None:
    run = {"tile_px": side, "profile": {"patch_merge_px": 28}}
    for tile in plan(Grid(*size), None, tile_px=side, overlap_px=28, multiple_px=28, scale=scale).tiles:
        window = tile.window
        clipped = (window.x0, window.y0, min(window.x1, size[0]), min(window.y1, size[1]))
        whole_scene = clipped == (0, 0, *size)
        if whole_scene and scale != 1.0:
            continue  # one tile for all: its scale is in no table
        seen = as_seen(clipped, size, run)
        assert (seen.window, seen.model_width, seen.model_height) == (
            window,
            tile.model_width,
            tile.model_height,
        )


@settings(max_examples=100)
@given(
    corner=st.tuples(st.floats(0, 150), st.floats(0, 150)),
    size=st.tuples(st.floats(3, 70), st.floats(3, 70)),
    frame=st.sampled_from(list(BoxFrame)),
)
def test_a_box_reads_back_within_a_unit_of_its_frame(
    corner: tuple[float, float], size: tuple[float, float], frame: BoxFrame
) -> None:
    tile = Tile(0, Window(1000, 2000, 224, 224), 224, 224)
    x0, y0 = 1000 + corner[0], 2000 + corner[1]
    box = PixelBox(x0, y0, x0 + size[0], y0 + size[1])
    written = as_written(TrueBox("E1", "ship", box, shapely.box(box.x0, box.y0, box.x1, box.y1)), tile, frame)
    assert all(value == int(value) for value in (written.x0, written.y0, written.x1, written.y1))
    back = to_pixels(written, frame, tile, (5000, 5000)).box
    assert back is not None
    unit = 1.0 if frame.full_scale is None else 224 / frame.full_scale
    assert near((back.x0, back.y0, back.x1, back.y1), (box.x0, box.y0, box.x1, box.y1), unit)


def test_a_turned_box_keeps_its_angle_where_the_frame_has_one() -> None:
    tile = Tile(0, Window(0, 0, 200, 200), 200, 200)
    polygon = shapely.Polygon([(50, 40), (70, 60), (60, 70), (40, 50)])
    box = TrueBox("E1", "ship", PixelBox(40, 45, 70, 65, 45.0), polygon)
    assert as_written(box, tile, BoxFrame.PERCENT_ANGLE).angle_deg == 45
    upright = as_written(box, tile, BoxFrame.PER_MILLE)
    assert upright.angle_deg is None
    assert (upright.x0, upright.y0, upright.x1, upright.y1) == (200, 200, 350, 350)


def test_answers_about_several_dates_are_left_out(squares: Squares, finder: SquareFinder) -> None:
    result = asked(squares)
    answers = result.answers.copy()
    answers["task"] = "change"
    found = truth(replace(result, answers=answers), include_unchecked=True)
    assert not found.tiles
    assert found.left_out == {"tiles of answers that compare dates": len(result.tiles)}


def test_every_square_is_taught_somewhere(squares: Squares, finder: SquareFinder) -> None:
    found = truth(asked(squares), include_unchecked=True)
    placed = {box.evidence_id for tile in found.tiles for box in tile.boxes}
    assert len(placed) == len(BOXES)
