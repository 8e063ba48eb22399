"""Sparse overlaps and matching against the dense functions over one matrix for each group, and every assignment."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof_training.errors import TrainingError
from groundproof_training.metrics import assignment, overlaps
from groundproof_training.metrics.boxes import (
    finite,
    iou_matrix,
    match_greedy,
    match_optimal,
    oriented_iou_matrix,
)
from groundproof_training.metrics.detection import Ranking, average_precision, found, mean_iou
from groundproof_training.metrics.overlaps import Overlaps

number = st.one_of(st.integers(0, 12).map(float), st.just(np.nan), st.just(np.inf))
whole = st.integers(0, 12).map(float)
row = st.tuples(st.integers(0, 3), st.one_of(st.tuples(*[whole] * 4), st.tuples(*[number] * 4)))
rows = st.lists(row, max_size=14)


def side(given_rows: list) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.array([box for _, box in given_rows], dtype=float).reshape(-1, 4)
    return boxes, np.array([group for group, _ in given_rows], dtype=np.int64)


def dense(said: np.ndarray, of: np.ndarray, true: np.ndarray, there: np.ndarray) -> np.ndarray:
    matrix = iou_matrix(finite(said), finite(true))
    matrix[of[:, None] != there[None]] = 0.0
    return matrix


def jumbled(count: int, seed: int, span: float = 300.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    low = rng.integers(0, int(span), (count, 2))
    return np.concatenate([low, low + rng.integers(1, 40, (count, 2))], axis=1).astype(float)


@given(rows, rows, st.sampled_from([0.0, 0.25, 0.5]))
def test_sparse_overlaps_are_the_dense_ones_of_each_group(
    said_rows: list, true_rows: list, least: float
) -> None:
    (said, of), (true, there) = side(said_rows), side(true_rows)
    got = overlaps.overlaps(said, of, true, there, least=least)
    expected = dense(said, of, true, there)
    expected[expected < least] = 0.0
    assert np.array_equal(got.dense(), expected)
    assert (got.iou > 0).all()
    keys = got.said * 100 + got.true
    assert (np.diff(keys) > 0).all()
    assert np.array_equal(got.best_of_said(), expected.max(axis=1, initial=0.0))


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_chunks_and_the_tree_change_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk of one pair sends every group through the tree."""
    said, true = jumbled(150, 0), jumbled(130, 1)
    of, there = np.arange(150) % 3, np.arange(130) % 3
    whole_run = overlaps.overlaps(said, of, true, there)
    monkeypatch.setattr(overlaps, "CHUNK", chunk)
    got = overlaps.overlaps(said, of, true, there)
    assert np.array_equal(got.dense(), dense(said, of, true, there))
    for name in ("said", "true", "iou"):
        assert np.array_equal(getattr(got, name), getattr(whole_run, name))


corners = st.tuples(
    st.integers(0, 20), st.integers(0, 20), st.integers(1, 9), st.integers(1, 9), st.integers(0, 89)
)


def quads_of(given_rows: list) -> np.ndarray:
    made = []
    for x, y, w, h, angle in given_rows:
        turn = np.deg2rad(angle)
        spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        made.append(np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) @ spin.T / 2 + [x, y])
    return np.array(made).reshape(-1, 8)


@settings(max_examples=50)
@given(st.lists(corners, max_size=8), st.lists(corners, max_size=8))
def test_turned_pairs_are_compared_as_polygons(said_rows: list, true_rows: list) -> None:
    said, true = quads_of(said_rows), quads_of(true_rows)
    upright = [np.zeros((len(one), 4)) for one in (said, true)]  # not looked at where there are corners
    groups = [np.zeros(len(one)) for one in (said, true)]
    got = overlaps.overlaps(upright[0], groups[0], upright[1], groups[1], said_quads=said, true_quads=true)
    assert got.dense() == pytest.approx(oriented_iou_matrix(said, true), abs=1e-9)


def test_a_turned_box_and_an_upright_one_are_compared_upright() -> None:
    diamond = np.array([[5, 0, 10, 5, 5, 10, 0, 5]], dtype=float)
    nothing = np.full((1, 8), np.nan)
    boxes = np.array([[0, 0, 10, 10]], dtype=float)
    got = overlaps.overlaps(boxes, [0], boxes, [0], said_quads=diamond, true_quads=nothing)
    assert got.iou.tolist() == [1.0]
    both = overlaps.overlaps(
        boxes, [0], boxes, [0], said_quads=diamond, true_quads=quads_of([(5, 5, 10, 10, 0)])
    )
    assert both.iou.tolist() == pytest.approx([0.5])


def test_one_box_without_end_is_a_sentence_and_no_lost_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlaps, "MOST_PAIRS", 5000)
    same = np.tile([0.0, 0, 10, 10], (100, 1))
    with pytest.raises(TrainingError, match="repeated without end"):
        overlaps.overlaps(same, np.zeros(100), same, np.zeros(100))


def test_a_group_for_every_box_is_needed() -> None:
    with pytest.raises(ValueError, match="one group for each"):
        overlaps.overlaps([[0, 0, 1, 1]], [], [[0, 0, 1, 1]], [0])


matrices = st.integers(0, 6).flatmap(
    lambda n: st.integers(0, 6).flatmap(
        lambda m: st.lists(
            st.lists(st.sampled_from([0.0, 0.0, 0.3, 0.5, 0.5, 0.6, 0.9]), min_size=m, max_size=m),
            min_size=n,
            max_size=n,
        ).map(lambda given_rows: np.array(given_rows, dtype=float).reshape(n, m))
    )
)


def sparse(matrix: np.ndarray) -> Overlaps:
    i, j = np.nonzero(matrix)
    return Overlaps(i, j, matrix[i, j], matrix.shape)


@given(matrices, st.sampled_from([0.2, 0.5, 0.6]), st.integers(0, 3))
def test_greedy_is_the_dense_one_with_ties(matrix: np.ndarray, threshold: float, rounds: int) -> None:
    pairs = sparse(matrix).at_least(threshold)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "_ROUNDS", rounds)  # what rounds leave is settled one by one
        chosen = pairs.where(assignment.greedy(pairs))
    got = list(zip(chosen.said.tolist(), chosen.true.tolist(), strict=True))
    assert sorted(got) == sorted(match_greedy(matrix, threshold))


@given(matrices, st.permutations(range(6)), st.sampled_from([0.2, 0.5]), st.integers(0, 3))
def test_in_turn_gives_the_dense_average_precision(
    matrix: np.ndarray, order: list[int], threshold: float, rounds: int
) -> None:
    n, m = matrix.shape
    turn = np.array([i for i in order if i < n], dtype=np.int64)
    pairs = sparse(matrix).at_least(threshold)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "_ROUNDS", rounds)
        chosen = pairs.where(assignment.in_turn(pairs, turn))
    free = np.ones(m, dtype=bool)
    expected = []
    for i in turn.tolist():
        best = max((matrix[i, j], j) for j in range(m) if free[j]) if free.any() else (0.0, -1)
        if best[0] >= threshold:
            free[best[1]] = False
            expected.append((i, best[1]))
    assert sorted(expected) == list(zip(chosen.said.tolist(), chosen.true.tolist(), strict=True))
    if n and m:
        hit = np.isin(turn, chosen.said)
        hits = np.cumsum(hit)
        envelope = np.maximum.accumulate((hits / np.arange(1, n + 1))[::-1])[::-1]
        area = float((np.diff(hits / m, prepend=0.0) * envelope).sum())
        assert average_precision(matrix[turn], threshold, Ranking.LISTED) == pytest.approx(area)


@given(matrices, st.sampled_from([0.0, 0.5]))
def test_optimal_is_as_good_as_the_dense_one(matrix: np.ndarray, threshold: float) -> None:
    for limit in (1 << 20, 0):  # 0: every component by the sparse solver
        pairs = sparse(matrix).at_least(threshold)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(assignment, "_DENSE", limit)
            chosen = pairs.where(assignment.optimal(pairs, most=threshold > 0))
        expected = match_optimal(matrix, threshold)
        assert chosen.iou.sum() == pytest.approx(sum(matrix[i, j] for i, j in expected))
        assert len(chosen) == len(expected) or not threshold
        assert len(set(chosen.said.tolist())) == len(set(chosen.true.tolist())) == len(chosen)


@given(matrices, st.lists(st.booleans(), min_size=6, max_size=6))
def test_optimal_prefers_who_counts_anyway(matrix: np.ndarray, flags: list[bool]) -> None:
    n, m = matrix.shape
    first = np.array(flags[:n], dtype=bool)
    pairs = sparse(matrix).at_least(0.5)
    chosen = pairs.where(assignment.optimal(pairs, first=first))
    best = (0, 0)
    small = min(n, m, 4)
    for size in range(small + 1):
        for picked in itertools.combinations(range(n), size):
            for columns in itertools.permutations(range(m), size):
                if all(matrix[i, j] >= 0.5 for i, j in zip(picked, columns, strict=True)):
                    best = max(best, (size, int(first[list(picked)].sum())))
    if best[0] < 4:
        assert (len(chosen), int(first[chosen.said].sum())) == best
    ignored = np.where(first, 0.0, 0.9).reshape(-1, 1)
    expected = found(matrix, 0.5, ignored, optimal=True)
    assert len(chosen) == expected.hits
    assert len(chosen) + int((first & ~np.isin(np.arange(n), chosen.said)).sum()) == expected.predicted


def test_a_chain_of_boxes_without_end_is_settled() -> None:
    """Every box overlaps the next a little more: no two choose each other until the end of the chain."""
    n = 3000
    iou = np.linspace(0.3, 0.9, 2 * n - 1)
    pairs = Overlaps(np.arange(2 * n - 1) // 2, (np.arange(2 * n - 1) + 1) // 2, iou, (n, n))
    chosen = pairs.where(assignment.greedy(pairs))
    assert len(chosen) == n
    assert (chosen.said == chosen.true).all()
    assert len(assignment.optimal(pairs)) == n
    summed = pairs.iou[assignment.optimal(pairs, most=False)].sum()
    assert summed == pytest.approx(mean_iou(pairs.dense()) * n)


def test_many_boxes_in_one_image_are_as_in_the_dense_matrix() -> None:
    said, true = jumbled(2500, 2, 2000), jumbled(2500, 3, 2000)
    zeros = np.zeros(2500, dtype=np.int64)
    assert len(said) * len(true) > overlaps.CHUNK  # by the tree
    got = overlaps.overlaps(said, zeros, true, zeros)
    assert np.array_equal(got.dense(), iou_matrix(said, true))


def test_a_crowd_in_one_image_takes_no_matrix() -> None:
    """150,000 boxes on each side: a matrix would take 180 GB; rows of it are compared one by one."""
    n = 150_000
    said, true = jumbled(n, 4, 20_000), jumbled(n, 5, 20_000)
    zeros = np.zeros(n, dtype=np.int64)
    tracemalloc.start()
    got = overlaps.overlaps(said, zeros, true, zeros, least=0.3)
    chosen = got.where(assignment.greedy(got))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 600e6
    assert len(np.unique(chosen.said)) == len(np.unique(chosen.true)) == len(chosen) > 1000
    for i in np.random.default_rng(0).choice(n, 40, replace=False).tolist():
        expected = iou_matrix(said[i], true)[0]
        these = slice(*np.searchsorted(got.said, [i, i + 1]))
        assert np.array_equal(got.true[these], np.flatnonzero(expected >= 0.3))
        assert np.array_equal(got.iou[these], expected[got.true[these]])
