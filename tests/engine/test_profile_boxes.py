"""Boxes of every frame and family: from scene pixels to text, through the trace, back to pixels and to the map."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely.affinity import affine_transform, rotate
from shapely.geometry import box as rectangle

import groundproof
import groundproof.session as session
from groundproof.boxes import BoxFrame, Grid, ModelBox, PixelBox, PixelBoxes, Tile, Window
from groundproof.georeference import Georeferencer, to_model, to_pixels
from groundproof.models.profiles import PROFILES, Profile, get_profile
from groundproof.models.resolve import ModelSpec
from groundproof.protocol import Task, format_box
from groundproof.trace import parse

from .conftest import BOXES, Squares
from .square_finder import SquareFinder
from .square_finder import squares as squares_in

FAMILIES = tuple(PROFILES)


def _json(boxes: list[ModelBox], label: str) -> str:
    items = ",\n".join(
        f'\t{{"bbox_2d": [{b.x0:g}, {b.y0:g}, {b.x1:g}, {b.y1:g}], "label": "{label}"}}' for b in boxes
    )
    return f"```json\n[\n{items}\n]\n```"


def _five(b: ModelBox) -> str:
    return f"[{b.x0:g}, {b.y0:g}, {b.x1:g}, {b.y1:g}, {b.angle_deg or 0:g}]"


def _four(b: ModelBox) -> str:
    return f"[{b.x0:g}, {b.y0:g}, {b.x1:g}, {b.y1:g}]"


def _angled(b: ModelBox) -> str:
    angle = "" if b.angle_deg is None else f"|<{b.angle_deg:g}>"
    return f"{{<{b.x0:g}><{b.y0:g}><{b.x1:g}><{b.y1:g}>{angle}}}"


NOTATIONS: dict[str, list[Callable[[list[ModelBox], str], str]]] = {
    "tiny": [lambda boxes, _: f"<think></think><answer>[{','.join(_four(b) for b in boxes)}]</answer>"],
    "rsthinker": [
        lambda boxes, n: (
            "<think>I look at it row by row. "
            + " ".join(f"One {n} is at {_four(b)}." for b in boxes)
            + f"</think><answer>[{', '.join(_four(b) for b in boxes)}]</answer>"
        )
    ],
    "glm-4.1v-thinking": [
        lambda boxes, _: (
            f"<think>Hm.</think><answer><|begin_of_box|>[{', '.join(map(_four, boxes))}]<|end_of_box|></answer>"
        ),
        lambda boxes, _: f"<think>Hm.</think><|begin_of_box|>[{','.join(map(_four, boxes))}]<|end_of_box|>",
    ],
    "qwen2.5-vl": [_json],
    "qwen3-vl": [_json],
    "geovlm-r1": [lambda boxes, _: f"<think>Hm.</think>\n<answer>[{', '.join(map(_five, boxes))}]</answer>"],
    "internvl": [lambda boxes, n: f"<ref>{n}</ref><box>[{', '.join(map(_four, boxes))}]</box>"],
    "geochat": [
        lambda boxes, _: "".join(map(_angled, boxes)),
        lambda boxes, _: "<delim>".join(map(_angled, boxes)),
        lambda boxes, n: f"<p>{len(boxes)} {n}s</p> {''.join(map(_angled, boxes))}",
    ],
    "earthdial": [
        lambda boxes, _: "".join(f"[{_five(b)}]" for b in boxes),
        lambda boxes, _: f"[{', '.join(map(_five, boxes))}]",
        lambda boxes, n: (
            f"<ref>{len(boxes)} small {n} </ref> <box>[{''.join(f'[{_five(b)}]' for b in boxes)}]</box>"
        ),
    ],
}
"""How each family writes boxes, by hand from its own samples: (boxes, label) -> text."""

SCALES = st.sampled_from([0.5, 1.0, 1.7, 3.0])


@st.composite
def tiles(draw: st.DrawFn, profile: Profile | None = None) -> tuple[Tile, tuple[int, int]]:
    """A tile and its scene's size, also at the scene's edges and in scenes smaller than it."""
    width, height = draw(st.integers(30, 4000)), draw(st.integers(30, 4000))
    if profile is None:
        unit = draw(st.sampled_from([14, 28, 32]))
        model_w, model_h = draw(st.integers(2, 40)) * unit, draw(st.integers(2, 40)) * unit
    else:
        model_w = model_h = profile.tile_px
    scale = draw(SCALES)
    w, h = max(2, round(model_w * scale)), max(2, round(model_h * scale))
    x0 = draw(st.one_of(st.just(0), st.just(max(width - w, 0)), st.integers(0, max(width - w, 0))))
    y0 = draw(st.one_of(st.just(0), st.just(max(height - h, 0)), st.integers(0, max(height - h, 0))))
    return Tile(0, Window(x0, y0, w, h), model_w, model_h), (width, height)


def _grain(frame: BoxFrame, tile: Tile) -> tuple[float, float]:
    """Half a unit of the frame, in scene pixels: what rounding to whole numbers may move an edge."""
    across = {"per-mille": (1000, 1000), "percent-angle": (100, 100)}.get(
        frame.value, (tile.model_width, tile.model_height)
    )
    return tile.window.width / across[0] / 2, tile.window.height / across[1] / 2


@st.composite
def boxes_in(draw: st.DrawFn, tile: Tile, size: tuple[int, int], *, angle: bool) -> PixelBox:
    """A box of some pixels inside the tile and the scene."""
    w = tile.window
    right, bottom = min(w.x1, size[0]), min(w.y1, size[1])
    xs = sorted((draw(st.floats(w.x0, right)), draw(st.floats(w.x0, right))))
    ys = sorted((draw(st.floats(w.y0, bottom)), draw(st.floats(w.y0, bottom))))
    turn = draw(st.none() | st.integers(0, 90).map(float)) if angle else None
    assume(xs[1] - xs[0] > 1e-3)
    assume(ys[1] - ys[0] > 1e-3)
    return PixelBox(xs[0], ys[0], xs[1], ys[1], turn)


def _rounded(box: ModelBox) -> ModelBox:
    return ModelBox(*(float(round(v)) for v in (box.x0, box.y0, box.x1, box.y1)), box.angle_deg)


def _same_within(got: PixelBox, expected: PixelBox, grain: tuple[float, float]) -> bool:
    return (
        abs(got.x0 - expected.x0) <= grain[0] + 1e-6
        and abs(got.x1 - expected.x1) <= grain[0] + 1e-6
        and abs(got.y0 - expected.y0) <= grain[1] + 1e-6
        and abs(got.y1 - expected.y1) <= grain[1] + 1e-6
        and (got.angle_deg or 0) == (expected.angle_deg or 0)
    )


@pytest.mark.parametrize("frame", list(BoxFrame))
@settings(max_examples=60)
@given(st.data())
def test_a_box_written_in_a_frame_is_read_back_in_its_place(frame: BoxFrame, data: st.DataObject) -> None:
    tile, size = data.draw(tiles())
    pixel = data.draw(boxes_in(tile, size, angle=frame.has_angle))
    exact = to_model(pixel, frame, tile)
    for written, grain in ((exact, (0.0, 0.0)), (_rounded(exact), _grain(frame, tile))):
        if written.x0 == written.x1 or written.y0 == written.y1:
            continue  # below the grain there is no box
        if frame.full_scale and max(written.x1, written.y1) <= 1:
            continue  # numbers up to 1 read as fractions of the image
        text = f"E1 ship {format_box(written, frame)}."
        (found,) = parse(f"<evidence>{text}</evidence>", frame, Task.DETECT, ("ship",)).evidence
        placed = to_pixels(found.box, frame, tile, size)
        assert placed.problem is None
        assert placed.box is not None
        assert _same_within(placed.box, pixel, grain)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=50)
@given(st.data())
def test_boxes_in_a_familys_own_notation_are_read_back_in_their_places(
    name: str, data: st.DataObject
) -> None:
    profile = PROFILES[name]
    tile, size = data.draw(tiles(profile))
    angle = profile.frame.has_angle
    pixels = data.draw(st.lists(boxes_in(tile, size, angle=angle), min_size=1, max_size=4))
    written = [_rounded(to_model(pixel, profile.frame, tile)) for pixel in pixels]
    assume(all(b.x0 < b.x1 and b.y0 < b.y1 for b in written))
    assume(len(set(written)) == len(written))
    write = data.draw(st.sampled_from(NOTATIONS[name]))
    trace = parse(write(written, "ship"), profile.frame, Task.DETECT, ("ship",))
    assert trace.usable
    assert trace.repairs == ()
    found = trace.answer_boxes
    assert [e.label for e in found] == ["ship"] * len(pixels)
    for evidence, pixel in zip(found, pixels, strict=True):
        placed = to_pixels(evidence.box, profile.frame, tile, size)
        assert placed.problem is None
        assert placed.box is not None
        assert _same_within(placed.box, pixel, _grain(profile.frame, tile))


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=40)
@given(st.data(), st.floats(0, 360), st.floats(0.05, 30))
def test_a_familys_box_lies_on_the_map_where_shapely_puts_its_pixels(
    name: str, data: st.DataObject, scene_turn: float, gsd: float
) -> None:
    """Pixel box -> text -> trace -> pixels -> polygon, against shapely's rotation and affine map."""
    profile = PROFILES[name]
    tile, size = data.draw(tiles(profile))
    pixel = data.draw(boxes_in(tile, size, angle=profile.frame.has_angle))
    exact = to_model(pixel, profile.frame, tile)
    assume(not (profile.frame.full_scale and max(exact.x1, exact.y1) <= 1))
    (found,) = parse(format_box(exact, profile.frame), profile.frame, Task.DETECT, ("ship",)).answer_boxes
    placed = to_pixels(found.box, profile.frame, tile, size)
    assert placed.box is not None
    affine = Affine.translation(443000, 4100000) @ Affine.rotation(scene_turn) @ Affine.scale(gsd, -gsd)
    where = Georeferencer(Grid(*size, CRS.from_epsg(32631), affine))
    got = where.polygons(PixelBoxes.of([placed.box]))[0]
    on_screen = rectangle(pixel.x0, pixel.y0, pixel.x1, pixel.y1)
    if pixel.angle_deg is not None:
        # Shapely turns counter-clockwise where y grows upwards: on a screen that is clockwise.
        on_screen = rotate(on_screen, pixel.angle_deg, origin="center")
    oracle = affine_transform(on_screen, [affine.a, affine.b, affine.d, affine.e, affine.c, affine.f])
    assert got.hausdorff_distance(oracle) <= 1e-6 * max(1.0, gsd) + 1e-7 * got.length


@pytest.mark.parametrize("text", ["{<40><30><60><70>|<30>}", "[[40, 30, 60, 70, 30]]"])
def test_thirty_degrees_on_a_two_to_one_image_turn_the_pixels_and_not_the_percents(text: str) -> None:
    tile = Tile(0, Window(100, 50, 400, 200), model_width=896, model_height=448)
    (found,) = parse(text, BoxFrame.PERCENT_ANGLE, Task.DETECT, ("ship",)).answer_boxes
    placed = to_pixels(found.box, BoxFrame.PERCENT_ANGLE, tile, (1000, 1000))
    assert placed.box == PixelBox(260, 110, 340, 190, 30.0)
    where = Georeferencer(Grid(1000, 1000, CRS.from_epsg(32631), Affine.identity()))
    got = where.polygons(PixelBoxes.of([placed.box]))[0]
    assert got.symmetric_difference(rotate(rectangle(260, 110, 340, 190), 30)).area < 1e-6
    assert got.area == pytest.approx(80 * 80)
    on_grid = affine_transform(rotate(rectangle(40, 30, 60, 70), 30), [4, 0, 0, 2, 100, 50])
    assert got.intersection(on_grid).area / got.union(on_grid).area < 0.8, "a sheared box is another box"
    other_way = rotate(rectangle(260, 110, 350, 190), -30)
    assert got.intersection(other_way).area / got.union(other_way).area < 0.9


def test_every_family_has_its_notation_here() -> None:
    assert set(NOTATIONS) == set(FAMILIES)


# -- the whole chain ---------------------------------------------------------------------------------------


class FamilyFinder(SquareFinder):
    """Finds bright squares and says so as a family does, in whole numbers of its frame."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.profile, self.name = get_profile(name), name

    def say(self, *images: np.ndarray) -> str:
        height, width = images[0].shape[:2]
        seen = Tile(0, Window(0, 0, width, height), width, height)
        found = [to_model(PixelBox(*square), self.profile.frame, seen) for square in squares_in(images[0])]
        boxes = [box for box in map(_rounded, found) if box.x0 < box.x1 and box.y0 < box.y1]
        return NOTATIONS[self.name][0](boxes, "airplane") if boxes else "There are none."


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"tiny", "qwen3-vl", "glm-4.1v-thinking"}))
def test_what_a_family_finds_is_counted_and_lies_where_it_is(
    name: str, squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FamilyFinder(name)
    monkeypatch.setattr(session, "resolve", lambda _: ModelSpec(model.profile, Path()))
    monkeypatch.setattr(session, "open_model", lambda _: model)
    answer = groundproof.ask(squares.path, "How many airplanes are there?")
    assert answer.value == len(BOXES)
    assert set(answer.evidence.label) == {"airplane"}
    truth = [rectangle(*box) for box in BOXES]
    for x0, y0, x1, y1 in answer.evidence.box_px:
        got = rectangle(x0, y0, x1, y1)
        assert max(t.intersection(got).area / t.union(got).area for t in truth) > 0.7
