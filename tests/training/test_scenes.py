"""The procedural world keeps its promises: exact boxes, distances, the frame, the same seed the same scene."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundproof.models.profiles import get_profile
from groundproof_training.scenes import CLASSES, SCENE_TYPES, WorldSpec, generator_hash, make_pair, make_scene
from groundproof_training.scenes import relations as rel
from groundproof_training.scenes.preview import contact_sheet
from groundproof_training.scenes.spec import MIN_VISIBLE, SceneObject
from groundproof_training.scenes.world import plan, render

SEEDS = st.integers(0, 2**40)
SIDES = st.integers(56, 360)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RAW = WorldSpec(sensors=False)
MAGENTA, GREEN = (255, 0, 255), (0, 255, 0)


def painted_extent(
    seed: int, width: int, height: int, index: int, spec: WorldSpec = RAW
) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of the pixels that one object changes: the scene painted with and without it, and compared.

    Two backdrops of strong colours, because an object may share a colour with either.
    """
    made = plan(seed, width, height, spec)
    changed = np.zeros((height, width), bool)
    for rgb in (MAGENTA, GREEN):
        plain = dataclasses.replace(made, backdrop=np.full((height, width, 3), rgb, np.uint8))
        difference = np.abs(render(plain).astype(int) - render(plain, without={index}).astype(int))
        changed |= difference.max(axis=2) > 10
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@FEW
@given(seed=SEEDS, width=SIDES, height=SIDES)
def test_each_box_is_tight_around_the_pixels_that_its_object_changes(
    seed: int, width: int, height: int
) -> None:
    scene = make_scene(seed, width, height, RAW)
    for index, thing in enumerate(scene.objects):
        extent = painted_extent(seed, width, height, index)
        assert np.abs(np.subtract(extent, thing.box)).max() <= 1.01, (thing, extent)


@settings(FEW, max_examples=60)
@given(seed=SEEDS, label=st.sampled_from(CLASSES))
def test_the_boxes_of_every_class_are_tight(seed: int, label: str) -> None:
    spec = WorldSpec(sensors=False, classes=(label,), n_objects=(1, 4), empty=0.0)
    for index, thing in enumerate(plan(seed, 224, 224, spec).objects):
        extent = painted_extent(seed, 224, 224, index, spec)
        assert np.abs(np.subtract(extent, thing.box)).max() <= 1.01, (thing, extent)


@FEW
@given(seed=SEEDS, width=SIDES, height=SIDES)
def test_the_mask_agrees_with_the_boxes(seed: int, width: int, height: int) -> None:
    scene = make_scene(seed, width, height)
    assert scene.mask.shape == (height, width)
    assert scene.mask.dtype == np.uint8
    allowed = np.zeros((len(CLASSES) + 1, height, width), bool)
    allowed[0] = True
    for thing in scene.objects:
        x0, y0, x1, y1 = thing.box
        inside = (slice(int(y0), int(np.ceil(y1))), slice(int(x0), int(np.ceil(x1))))
        index = CLASSES.index(thing.label) + 1
        allowed[index][inside] = True
        assert (scene.mask[inside] == index).any(), thing
    rows, columns = np.indices((height, width))
    assert allowed[scene.mask, rows, columns].all()


@FEW
@given(seed=SEEDS)
def test_shadows_and_wakes_are_not_part_of_an_object(seed: int) -> None:
    made = plan(seed, 224, 224, RAW)
    full = render(made)
    bare = render(made, without=range(len(made.objects)))
    outside = np.ones(full.shape[:2], bool)
    for thing in made.objects:
        x0, y0, x1, y1 = thing.box
        outside[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = False
    assert np.array_equal(full[outside], bare[outside])


@FEW
@given(seed=SEEDS, width=SIDES, height=SIDES)
def test_objects_lie_in_the_frame_and_are_visible_enough(seed: int, width: int, height: int) -> None:
    for thing in make_scene(seed, width, height).objects:
        x0, y0, x1, y1 = thing.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert MIN_VISIBLE <= thing.visible <= 1
        assert thing.label in CLASSES


@FEW
@given(seed=SEEDS, gap=st.sampled_from([28.0, 14.0, 56.0]))
def test_centres_keep_their_distance(seed: int, gap: float) -> None:
    scene = make_scene(seed, 336, 224, WorldSpec(min_centre_px=gap, n_objects=(6, 12)))
    centres = np.array([((t.box[0] + t.box[2]) / 2, (t.box[1] + t.box[3]) / 2) for t in scene.objects])
    for i in range(len(centres)):
        apart = np.abs(centres[i + 1 :] - centres[i]).max(axis=1)
        assert (apart >= gap).all()


@FEW
@given(seed=SEEDS)
def test_objects_do_not_overlap_each_other(seed: int) -> None:
    made = plan(seed, 224, 224, RAW)
    covered = np.zeros((224, 224))
    for sprite in made.sprites:
        h, w = sprite.alpha.shape
        covered[sprite.y : sprite.y + h, sprite.x : sprite.x + w] += sprite.alpha
    assert covered.max(initial=0.0) <= 1.0 + 1e-6


@FEW
@given(seed=SEEDS)
def test_the_oriented_rectangle_is_clockwise_and_holds_the_whole_object(seed: int) -> None:
    for thing in make_scene(seed, 224, 224).objects:
        corners = np.array(thing.corners)
        following = np.roll(corners, -1, axis=0)
        twice_area = (corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]).sum()
        assert twice_area > 0  # with y downwards, clockwise on screen
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        assert np.all(np.array((x0, y0)) <= np.array(thing.box[:2]) + 0.6)
        assert np.all(np.array((x1, y1)) >= np.array(thing.box[2:]) - 0.6)


@FEW
@given(seed=SEEDS, low=st.floats(10, 40), factor=st.floats(1.0, 3.0))
def test_the_longer_side_is_within_the_sizes_asked_for(seed: int, low: float, factor: float) -> None:
    high = low * factor
    for thing in make_scene(seed, 224, 224, WorldSpec(size_px=(low, high))).objects:
        corners = np.array(thing.corners)
        longer = max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
        assert low - 0.01 <= longer <= high + 0.01


@settings(FEW, max_examples=100)
@given(seed=SEEDS, label=st.sampled_from(CLASSES))
def test_exactly_one_object_of_the_one_class_asked_for(seed: int, label: str) -> None:
    scene = make_scene(seed, 224, 224, WorldSpec(n_objects=(1, 1), classes=(label,), empty=0.0))
    assert [thing.label for thing in scene.objects] == [label]


@FEW
@given(seed=SEEDS, width=SIDES, height=SIDES)
def test_the_count_never_passes_the_most_for_the_area(seed: int, width: int, height: int) -> None:
    scene = make_scene(seed, width, height, WorldSpec(n_objects=(0, 5)))
    assert len(scene.objects) <= max(1, round(5 * width * height / 224**2))
    assert len({thing.label for thing in scene.objects}) <= WorldSpec().max_classes


@FEW
@given(seed=SEEDS, width=SIDES, height=SIDES)
def test_the_same_seed_gives_the_same_scene(seed: int, width: int, height: int) -> None:
    first, second = make_scene(seed, width, height), make_scene(seed, width, height)
    assert np.array_equal(first.image, second.image)
    assert first.objects == second.objects
    assert np.array_equal(first.mask, second.mask)
    assert (first.ground, first.gsd_m, first.scene_type) == (second.ground, second.gsd_m, second.scene_type)
    assert (first.epsg, first.affine) == (second.epsg, second.affine)
    assert first.image.shape == (height, width, 3)
    assert first.image.dtype == np.uint8


def test_the_sensor_changes_pixels_but_never_the_truth() -> None:
    for seed in range(20):
        seen, raw = make_scene(seed, 224, 224), make_scene(seed, 224, 224, RAW)
        assert seen.objects == raw.objects
        assert not np.array_equal(seen.image, raw.image)


def test_ships_and_harbours_need_water() -> None:
    kinds = set()
    for seed in range(200):
        made = plan(seed, 112, 112, RAW)
        labels = {thing.label for thing in made.objects}
        kinds.add(made.stage.scene_type)
        if made.stage.scene_type == "open water":
            assert labels <= {"ship"}
        elif made.stage.scene_type not in ("port", "river"):
            assert not labels & {"ship", "harbour"}
    assert kinds <= set(SCENE_TYPES)
    assert len(kinds) >= len(SCENE_TYPES) - 2


def test_most_scenes_hold_a_focus_class_and_every_class_appears() -> None:
    with_focus, seen, filled = 0, set(), 0
    for seed in range(250):
        labels = {thing.label for thing in plan(seed, 168, 168, RAW).objects}
        filled += bool(labels)
        with_focus += bool(labels & set(WorldSpec().focus))
        seen |= labels
    assert seen == set(CLASSES)
    assert 0.5 < with_focus / filled < 0.9


def test_small_close_objects_can_be_many() -> None:
    spec = WorldSpec(n_objects=(60, 60), min_centre_px=6.0, size_px=(8.0, 12.0), empty=0.0, sensors=False)
    assert max(len(plan(seed, 224, 224, spec).objects) for seed in range(6)) > 40


@FEW
@given(seed=SEEDS)
def test_the_georeference_fits_the_pixel_size(seed: int) -> None:
    scene = make_scene(seed, 56, 56)
    a, b, _, d, e, _ = scene.affine
    assert np.hypot(a, d) == pytest.approx(scene.gsd_m)
    assert np.hypot(b, e) == pytest.approx(scene.gsd_m)
    assert a * b + d * e == pytest.approx(0.0, abs=1e-9)
    assert a * e - b * d < 0  # rows run against north
    assert 1 <= scene.epsg % 100 <= 60
    assert scene.epsg // 100 in (326, 327)
    for thing in scene.objects:
        p, q, r, _ = np.array(thing.corners)
        sides = sorted(np.linalg.norm(side) * scene.gsd_m for side in (q - p, r - q))
        assert (thing.width_m, thing.length_m) == pytest.approx(sides)


@FEW
@given(seed=SEEDS)
def test_a_pair_differs_by_its_changes_and_nothing_else(seed: int) -> None:
    pair = make_pair(seed, 168, 168, RAW)
    gone = [c.object for c in pair.changes if c.kind == "disappeared"]
    came = [c.object for c in pair.changes if c.kind == "appeared"]
    assert [o for o in pair.before.objects if o not in gone] == [
        o for o in pair.after.objects if o not in came
    ]
    assert all(o in pair.before.objects and o not in pair.after.objects for o in gone)
    assert all(o in pair.after.objects and o not in pair.before.objects for o in came)
    assert pair.before.affine == pair.after.affine
    again = make_pair(seed, 168, 168, RAW)
    assert again.changes == pair.changes
    assert np.array_equal(again.after.image, pair.after.image)


def test_some_pairs_change_and_some_do_not() -> None:
    changed = [bool(make_pair(seed, 112, 112, WorldSpec(empty=0.0)).changes) for seed in range(60)]
    assert 0.5 < np.mean(changed) < 0.95


def boxed(label: str, x0: float, y0: float, x1: float, y1: float) -> SceneObject:
    """An object of which only the box matters."""
    return SceneObject(label, (x0, y0, x1, y1), ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), 1.0, 1.0, 1.0)


def test_relations_answer_only_when_nobody_could_argue() -> None:
    big, small = boxed("ship", 0, 0, 40, 20), boxed("ship", 60, 50, 80, 60)
    tank = boxed("storage tank", 45, 0, 55, 10)
    everything = (big, small, tank)
    assert rel.largest(everything, "ship") is big
    assert rel.smallest(everything, "ship") is small
    assert rel.leftmost(everything, "ship") is big
    assert rel.rightmost(everything, "ship") is small
    assert rel.topmost(everything, "ship") is big
    assert rel.bottommost(everything, "ship") is small
    assert rel.left_of(big, small)
    assert rel.right_of(small, big)
    assert rel.above(big, small)
    assert rel.below(small, big)
    assert not rel.left_of(small, small)
    assert rel.nearest(tank, everything) is big
    assert rel.next_to(big, tank) is False  # 5 px apart, half the smaller's longer side is 5
    assert rel.next_to(boxed("vehicle", 41, 0, 61, 8), big)
    twin = boxed("ship", 0, 100, 41, 120)
    assert rel.largest((big, twin), "ship") is None
    assert rel.leftmost((big, twin), "ship") is None
    assert rel.largest(everything, "bridge") is None
    assert rel.nearest(tank, [tank]) is None


def test_the_generator_hash_is_short_hex_and_steady() -> None:
    assert len(generator_hash()) == 16
    assert int(generator_hash(), 16) >= 0
    assert generator_hash() == generator_hash()


def test_objects_stand_out_from_their_surroundings_in_most_scenes() -> None:
    """Without a sensor, the painted object differs from what was there before it."""
    contrast = []
    for seed in range(40):
        made = plan(seed, 168, 168, RAW)
        full = render(made).astype(int)
        for index, thing in enumerate(made.objects):
            x0, y0, x1, y1 = (round(v) for v in thing.box)
            gone = render(made, without={index}).astype(int)
            contrast.append(np.abs(full - gone)[y0:y1, x0:x1].max())
    assert np.mean(np.array(contrast) > 40) > 0.95


def test_a_scene_of_one_share_is_empty() -> None:
    assert not make_scene(1, 224, 224, WorldSpec(empty=1.0)).objects


def test_large_scenes_hold_proportionally_more() -> None:
    scene = make_scene(5, 1600, 1200, WorldSpec(n_objects=(4, 12), empty=0.0))
    assert len(scene.objects) > 60


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"n_objects": (3, 1)}, "n_objects"),
        ({"n_objects": (-1, 1)}, "n_objects"),
        ({"size_px": (2.0, 10.0)}, "size_px"),
        ({"size_px": (20.0, 10.0)}, "size_px"),
        ({"classes": ("cat",)}, "classes"),
        ({"classes": ()}, "classes"),
        ({"focus": ("cat",)}, "focus"),
        ({"max_classes": 0}, "max_classes"),
        ({"empty": 1.5}, "empty"),
        ({"clutter": -1.0}, "clutter"),
        ({"min_centre_px": -1.0}, "min_centre_px"),
        ({"min_visible": 0.1}, "min_visible"),
    ],
)
def test_a_wrong_spec_says_what_came_and_what_is_allowed(wrong: dict, word: str) -> None:
    with pytest.raises(ValueError, match=rf"{word} is .*allowed"):
        WorldSpec(**wrong)


@pytest.mark.parametrize(("seed", "width", "height"), [(-1, 224, 224), (0, 40, 224), (0, 224, 55)])
def test_a_wrong_seed_or_size_is_refused(seed: int, width: int, height: int) -> None:
    with pytest.raises(ValueError, match="allowed"):
        make_scene(seed, width, height)


def test_the_contact_sheet_shows_every_scene() -> None:
    sheet = contact_sheet(range(7), 64, 56, WorldSpec())
    assert sheet.dtype == np.uint8
    assert sheet.shape == (2 * 60 + 4, 6 * 68 + 4, 3)


def test_the_engine_knows_the_classes_by_the_same_names():
    assert sorted(get_profile("tiny").labels) == sorted(CLASSES)
