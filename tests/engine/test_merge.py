"""Merging against the dense version: every pair compared, joined one at a time, written for reading only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.merge import SeenBoxes, merge

SCENE = (260, 260)
WINDOWS = [(x, y, x + 100, y + 100) for y in (0, 80, 160) for x in (0, 80, 160)]


def seen(
    rows: list[tuple[tuple[float, ...], int, int, int]], windows=WINDOWS, size=SCENE, **more
) -> SeenBoxes:
    """Rows of (box, tile, label, image)."""
    columns = list(zip(*rows, strict=True)) if rows else [[], [], [], []]
    return SeenBoxes(
        np.array(columns[0], dtype=np.float64).reshape(-1, 4),
        *(np.array(columns[k], dtype=np.int64) for k in (2, 3, 1)),
        np.array(windows, dtype=np.float64),
        np.arange(len(windows))[::-1].copy(),
        size,
        **more,
    )


def merge_dense(boxes: SeenBoxes, iou: float = 0.5, over_smaller: float = 0.5) -> list[set[int]]:
    """The rules of the module's first lines, box by box and pair by pair."""
    n = len(boxes.xyxy)
    box = [tuple(map(float, row)) for row in boxes.xyxy]
    window = [tuple(map(float, boxes.windows[t])) for t in boxes.tile]

    def meet(p, q):
        return max(p[0], q[0]), max(p[1], q[1]), min(p[2], q[2]), min(p[3], q[3])

    def area(p):
        return max(p[2] - p[0], 0.0) * max(p[3] - p[1], 0.0)

    def gaps(i):
        """Side -> distance to that inner edge of its tile."""
        b, w = box[i], window[i]
        out = {}
        if w[0] > 0:
            out[0] = b[0] - w[0]
        if w[1] > 0:
            out[1] = b[1] - w[1]
        if w[2] < boxes.scene_size[0]:
            out[2] = w[2] - b[2]
        if w[3] < boxes.scene_size[1]:
            out[3] = w[3] - b[3]
        return out

    def touched(i):
        return [side for side, gap in gaps(i).items() if gap <= boxes.edge_tolerance_px]

    def cut_within(i, j):
        return any(window[j][s % 2] < window[i][s] < window[j][s % 2 + 2] for s in touched(i))

    def preference(i):
        distance = max(min(gaps(i).values(), default=np.inf), 0.0)
        rank = boxes.tile_rank[boxes.tile[i]]
        return -distance, -area(box[i]), rank, *box[i][::-1], boxes.label[i], boxes.image[i], i

    pairs = []
    for i in range(n):
        for j in range(i + 1, n):
            if boxes.tile[i] == boxes.tile[j]:
                continue
            if boxes.label[i] != boxes.label[j] or boxes.image[i] != boxes.image[j]:
                continue
            band = meet(window[i], window[j])
            p, q = box[i], box[j]
            if not area(meet(p, band)) or not area(meet(q, band)):
                continue
            if cut_within(i, j) and cut_within(j, i):
                p, q = meet(p, band), meet(q, band)
            both = area(meet(p, q))
            if touched(i) or touched(j):
                value, least = both / min(area(p), area(q)), over_smaller
            else:
                value, least = both / (area(p) + area(q) - both), iou
            if both and value >= least:
                first, second = sorted((preference(i), preference(j)))
                pairs.append(((-value, first, second), i, j))
    groups = [{i} for i in range(n)]
    for _, i, j in sorted(pairs, key=lambda pair: pair[0]):
        one = next(g for g in groups if i in g)
        other = next(g for g in groups if j in g)
        if one is other or {boxes.tile[k] for k in one} & {boxes.tile[k] for k in other}:
            continue
        groups.remove(other)
        one |= other
    return [{min(g, key=preference), *g} for g in groups]


def groups_of(boxes: SeenBoxes, **more) -> set[frozenset[int]]:
    merged = merge(boxes, **more)
    found: dict[int, set[int]] = {}
    for row, keeper in enumerate(merged.keeper.tolist()):
        found.setdefault(keeper, set()).add(row)
    assert all(keeper in members for keeper, members in found.items())
    return {frozenset(g) for g in found.values()}


@st.composite
def crowds(draw) -> SeenBoxes:
    """A few objects, each drawn by some of the tiles that see it, sloppily and cut at the tile's edge."""
    rows = []
    near = st.integers(-3, 3).map(float)
    for _ in range(draw(st.integers(0, 7))):
        x, y = draw(st.integers(0, 240)), draw(st.integers(0, 240))
        w, h = draw(st.sampled_from([4, 12, 30, 90, 200])), draw(st.sampled_from([4, 12, 30, 90, 200]))
        label, image = draw(st.integers(0, 1)), draw(st.sampled_from([0, 0, 0, 1]))
        for tile, window in enumerate(WINDOWS):
            for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2]))):
                box = (x + draw(near), y + draw(near), x + w + draw(near), y + h + draw(near))
                cut = (
                    max(box[0], window[0]),
                    max(box[1], window[1]),
                    min(box[2], window[2]),
                    min(box[3], window[3]),
                )
                if cut[2] > cut[0] and cut[3] > cut[1]:
                    rows.append((cut, tile, label, image))
    return seen(rows)


@settings(max_examples=200, deadline=None)
@given(crowds())
def test_groups_and_keepers_are_those_of_the_dense_version(boxes):
    dense = merge_dense(boxes)
    assert groups_of(boxes) == {frozenset(g) for g in dense}


@settings(max_examples=60, deadline=None)
@given(crowds(), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_thresholds_mean_what_they_mean_in_the_dense_version(boxes, iou, over_smaller):
    dense = {frozenset(g) for g in merge_dense(boxes, iou, over_smaller)}
    assert groups_of(boxes, iou=iou, over_smaller=over_smaller) == dense


def by_value(boxes: SeenBoxes) -> list:
    """Groups as sorted lists of what their members are, not of where they stand in the input."""
    merged = merge(boxes)
    out = []
    for k, keeper in enumerate(merged.keepers):
        members = merged.members[merged.starts[k] : merged.starts[k + 1]]
        assert members[0] == keeper
        value = [
            (*boxes.xyxy[m].tolist(), *(int(c[m]) for c in (boxes.tile, boxes.label, boxes.image)))
            for m in members
        ]
        out.append((value, merged.xyxy[k].tolist(), bool(merged.united[k])))
    return sorted(out)


@settings(max_examples=120, deadline=None)
@given(crowds(), st.randoms(use_true_random=False))
def test_any_order_of_the_input_gives_the_same_groups(boxes, random):
    order = list(range(len(boxes.xyxy)))
    random.shuffle(order)
    mixed = SeenBoxes(
        boxes.xyxy[order],
        boxes.label[order],
        boxes.image[order],
        boxes.tile[order],
        boxes.windows,
        boxes.tile_rank,
        boxes.scene_size,
    )
    assert by_value(mixed) == by_value(boxes)


@settings(max_examples=100, deadline=None)
@given(crowds())
def test_two_boxes_of_one_tile_are_never_in_one_group(boxes):
    for group in groups_of(boxes):
        tiles = [int(boxes.tile[row]) for row in group]
        assert len(tiles) == len(set(tiles))


@settings(max_examples=100, deadline=None)
@given(crowds())
def test_every_box_is_a_member_once_and_merged_boxes_hold_their_members_when_united(boxes):
    merged = merge(boxes)
    assert sorted(merged.members.tolist()) == list(range(len(boxes.xyxy)))
    for k, keeper in enumerate(merged.keepers):
        members = boxes.xyxy[merged.members[merged.starts[k] : merged.starts[k + 1]]]
        if merged.united[k]:
            assert merged.xyxy[k].tolist() == [*members[:, :2].min(0), *members[:, 2:].max(0)]
        else:
            assert merged.xyxy[k].tolist() == boxes.xyxy[keeper].tolist()


def test_nothing_gives_nothing():
    merged = merge(seen([]))
    assert len(merged.keeper) == len(merged.keepers) == len(merged.members) == 0
    assert merged.xyxy.shape == (0, 4)
    assert merged.starts.tolist() == [0]


def test_an_object_over_the_cross_of_four_tiles_becomes_one_whole_box():
    rows = [
        ((60, 60, 100, 100), 0, 0, 0),
        ((80, 60, 130, 100), 1, 0, 0),
        ((60, 80, 100, 130), 3, 0, 0),
        ((80, 80, 130, 130), 4, 0, 0),
    ]
    merged = merge(seen(rows))
    assert len(merged.keepers) == 1
    assert merged.xyxy.tolist() == [[60, 60, 130, 130]]
    assert merged.united.all()


def test_a_quay_longer_than_a_tile_becomes_one_box_through_its_neighbours():
    rows = [((5, 40, 100, 60), 0, 0, 0), ((80, 40, 180, 60), 1, 0, 0), ((160, 40, 255, 60), 2, 0, 0)]
    merged = merge(seen(rows))
    assert merged.xyxy.tolist() == [[5, 40, 255, 60]]
    assert len(merged.members) == 3


def test_two_parallel_quays_longer_than_a_tile_stay_two():
    rows = [((5.0, y, 100.0, y + 10), 0, 0, 0) for y in (40.0, 55.0)] + [
        ((80.0, y, 180.0, y + 10), 1, 0, 0) for y in (40.0, 55.0)
    ]
    assert sorted(merge(seen(rows)).xyxy[:, 1].tolist()) == [40, 55]


def test_the_box_farthest_from_its_tiles_inner_edge_is_kept_with_its_own_numbers():
    rows = [((83, 40, 95, 50), 0, 0, 0), ((84, 40, 96, 50), 1, 0, 0)]
    merged = merge(seen(rows))
    # 5 px from the first tile's right edge, 4 px from the second one's left.
    assert merged.keeper.tolist() == [0, 0]
    assert merged.xyxy.tolist() == [[83, 40, 95, 50]]
    assert not merged.united.any()


def test_at_equal_distance_the_larger_box_is_kept_and_then_the_tile_with_the_smaller_rank():
    larger = seen([((84, 40, 96, 50), 0, 0, 0), ((84, 40, 96, 51), 1, 0, 0)])
    assert merge(larger).keeper.tolist() == [1, 1]
    equal = seen([((84, 40, 96, 50), 0, 0, 0), ((84, 40, 96, 50), 1, 0, 0)])
    assert merge(equal).keeper.tolist() == [1, 1], "the ranks of these tiles run backwards"


def test_the_scenes_border_does_not_cut():
    # Both touch the top of the scene, which cuts them alike; IoU 0.4 is not one object.
    rows = [((84, 0, 94, 10), 0, 0, 0), ((84, 0, 88, 10), 1, 0, 0)]
    assert len(merge(seen(rows)).keepers) == 2


def test_a_small_box_in_a_large_one_is_swallowed_only_when_one_of_them_is_cut():
    truck, wrong = (85.0, 40.0, 90.0, 45.0), (82.0, 20.0, 97.0, 60.0)
    assert len(merge(seen([(truck, 0, 0, 0), (wrong, 1, 0, 0)])).keepers) == 2
    cut = (80.0, 20.0, 97.0, 60.0)
    merged = merge(seen([(truck, 0, 0, 0), (cut, 1, 0, 0)]))
    assert merged.xyxy.tolist() == [list(cut)]


def test_other_labels_other_images_and_one_tiles_own_boxes_stay_apart():
    box = (84.0, 40.0, 96.0, 50.0)
    assert len(merge(seen([(box, 0, 0, 0), (box, 1, 1, 0)])).keepers) == 2
    assert len(merge(seen([(box, 0, 0, 0), (box, 1, 0, 1)])).keepers) == 2
    assert len(merge(seen([(box, 0, 0, 0), (box, 0, 0, 0)])).keepers) == 2


def test_two_boxes_of_one_tile_do_not_meet_through_a_third():
    box = (84.0, 40.0, 96.0, 50.0)
    merged = merge(seen([(box, 0, 0, 0), (box, 0, 0, 0), (box, 1, 0, 0)]))
    assert len(merged.keepers) == 2


def test_merging_the_keepers_of_separate_objects_again_changes_nothing():
    rows = [
        ((x + d, y, x + 12.0 + d, y + 10), tile, 0, 0)
        for y in (10.0, 40.0)
        for x, tiles in ((84.0, (0, 1)), (164.0, (1, 2)))
        for tile, d in zip(tiles, (0.0, 1.0), strict=True)
    ]
    first = merge(seen(rows))
    assert len(first.keepers) == 4
    again = seen([rows[k] for k in first.keepers])
    assert merge(again).keeper.tolist() == [0, 1, 2, 3]


def test_boxes_at_the_edge_tolerance_count_as_cut():
    part, whole = (82.0, 40.0, 86.0, 50.0), (70.0, 40.0, 86.0, 50.0)
    rows = [(whole, 0, 0, 0), (part, 1, 0, 0)]
    assert len(merge(seen(rows, edge_tolerance_px=1.0)).keepers) == 2
    assert len(merge(seen(rows, edge_tolerance_px=2.0)).keepers) == 1
    per_tile = np.array([1.0, 2.0] + [1.0] * 7)
    assert len(merge(seen(rows, edge_tolerance_px=per_tile)).keepers) == 1


def test_many_boxes_of_many_tiles_equal_the_dense_version():
    rng = np.random.default_rng(7)
    rows = []
    for _ in range(120):
        x, y, w, h = *rng.uniform(0, 240, 2), *rng.uniform(5, 60, 2)
        for tile, (a, b, c, d) in enumerate(WINDOWS):
            box = np.array([x, y, x + w, y + h]) + rng.normal(0, 1, 4)
            box = np.array([max(box[0], a), max(box[1], b), min(box[2], c), min(box[3], d)])
            if (box[2:] - box[:2] > 1).all():
                rows.append((tuple(box), tile, int(rng.integers(2)), 0))
    boxes = seen(rows)
    assert groups_of(boxes) == {frozenset(g) for g in merge_dense(boxes)}


@pytest.mark.parametrize("bad", [0.0, -1.0, 1.5, float("nan")])
def test_a_threshold_outside_0_to_1_is_refused_with_its_value(bad):
    with pytest.raises(ValueError, match="at most 1"):
        merge(seen([]), iou=bad)


def test_columns_of_different_lengths_tiles_out_of_range_and_infinite_boxes_are_refused():
    with pytest.raises(ValueError, match="tile indices"):
        seen([((0, 0, 1, 1), 99, 0, 0)])
    with pytest.raises(ValueError, match="finite"):
        seen([((0, 0, np.inf, 1), 0, 0, 0)])
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="label, image and tile"):
        SeenBoxes(np.zeros((2, 4)), one, one, one, np.zeros((1, 4)), one, (1, 1))
