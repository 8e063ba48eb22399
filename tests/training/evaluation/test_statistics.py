"""Intervals against plain loops, scipy's bootstrap and simulated coverage; p against McNemar and every exchange."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from groundproof_training.evaluation import statistics
from groundproof_training.evaluation.figures import Figure, Measure, Summed, mean, ratio
from groundproof_training.evaluation.statistics import compare, estimate
from groundproof_training.evaluation.strict.found_boxes import counted_measures
from groundproof_training.metrics.boxes import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedMedian(Measure):
    """No sum over cases, so nothing of `Summed` can hide a fault."""

    values: Floats

    @property
    def applies(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.values)

    def of(self, weights: Floats) -> Floats:
        made = []
        for row in weights:
            each = np.repeat(self.values[self.applies], row[self.applies].astype(int))
            made.append(np.median(each) if len(each) else np.nan)
        return np.array(made)


def one(measure: Measure, groups: list[str], **options: int) -> Figure:
    return estimate([measure], groups, **options)[0]


def alone(n: int) -> list[str]:
    return [str(k) for k in range(n)]


def by_loop(values: list[float], groups: list[str], draws: int, rng: np.random.Generator) -> list[float]:
    """The textbook's cluster bootstrap of a mean."""
    names = sorted(set(groups))
    members = {name: [v for v, g in zip(values, groups, strict=True) if g == name] for name in names}
    made = []
    for _ in range(draws):
        drawn = [v for name in rng.choice(names, len(names)) for v in members[name]]
        made.append(sum(drawn) / len(drawn))
    return made


def test_the_interval_is_that_of_a_plain_loop_over_whole_groups() -> None:
    rng = np.random.default_rng(1)
    groups = [str(g) for g in rng.integers(0, 40, 200)]
    of_group = {g: rng.normal() for g in set(groups)}
    values = [of_group[g] + 0.1 * rng.normal() for g in groups]  # cases of one image are alike
    found = one(mean("m", np.array(values)), groups, draws=4000)
    low, high = np.percentile(by_loop(values, groups, 4000, rng), [2.5, 97.5])
    assert found.value == pytest.approx(np.mean(values))
    assert found.low == pytest.approx(low, abs=0.03)
    assert found.high == pytest.approx(high, abs=0.03)
    careless = one(mean("m", np.array(values)), alone(200), draws=4000)
    assert found.high - found.low > 1.5 * (careless.high - careless.low)


def test_the_interval_is_scipys() -> None:
    values = np.random.default_rng(2).exponential(size=60)
    found = one(WeightedMedian(name="median", values=values), alone(60), draws=3000)
    theirs = stats.bootstrap(
        (values,), np.median, method="percentile", n_resamples=3000, rng=np.random.default_rng(0)
    )
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.05)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.05)


def test_intervals_hold_the_true_value_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for trial in range(300):
        right = np.repeat(rng.random(60) < 0.7, 2).astype(float)  # two cases of each image, wholly alike
        found = one(mean("m", right), [str(k // 2) for k in range(120)], draws=400, seed=trial)
        held += found.low <= 0.7 <= found.high
    assert 0.90 <= held / 300 <= 0.98  # 95 % nominal, short at 60 groups, with 1.3 % of error


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    groups = [str(g) for g in rng.integers(0, 30, 50)]
    single, double = [mean("m", rng.random(50))], [mean("m", rng.random(100))]
    whole = estimate(single, groups, draws=97), compare(double, groups, draws=97)
    monkeypatch.setattr(statistics, "CELLS", 777)
    assert (estimate(single, groups, draws=97), compare(double, groups, draws=97)) == whole


def test_a_seed_gives_the_same_and_another_does_not() -> None:
    measure = mean("m", np.random.default_rng(5).random(50))
    assert one(measure, alone(50)) == one(measure, alone(50))
    assert one(measure, alone(50), seed=1).low != one(measure, alone(50)).low


def test_measures_of_one_call_do_not_disturb_each_other() -> None:
    a, b = (mean("m", np.random.default_rng(k).random(50)) for k in (6, 7))
    assert estimate([a, b], alone(50))[1] == one(b, alone(50))
    assert estimate([], alone(50)) == () == estimate([], [])


@pytest.mark.parametrize("options", [{"draws": 0}, {}])
def test_without_groups_enough_or_draws_there_is_no_interval(options: dict[str, int]) -> None:
    groups = alone(50) if options else ["a", "b", "c", "d"] * 10
    measure = mean("m", np.linspace(0, 1, len(groups)))
    found = one(measure, groups, **options)
    assert (found.value, found.low, found.high) == (pytest.approx(0.5), None, None)
    both = compare([mean("m", np.linspace(0, 1, 2 * len(groups)))], groups, **options)[0]
    assert (both.low, both.high, both.p) == (None, None, None)
    assert both.b > both.a


def test_groups_are_counted_where_the_measure_applies() -> None:
    values = np.full(100, np.nan)
    values[:4] = [0, 1, 1, 0]
    found = one(mean("m", values), alone(100))
    assert (found.value, found.low, found.n) == (0.5, None, 4)
    values[4] = 1
    assert one(mean("m", values), alone(100)).low is not None


def test_what_is_not_defined_is_nan_without_an_interval() -> None:
    found = one(mean("m", np.full(20, np.nan)), alone(20))
    assert math.isnan(found.value)
    assert (found.low, found.high, found.n) == (None, None, 0)
    never = Summed(name="x", parts=np.zeros((20, 2)), combine=ratio)
    assert math.isnan(one(never, alone(20)).value)
    assert one(never, alone(20)).low is None
    both = compare([mean("m", np.full(40, np.nan))], alone(20))[0]
    assert math.isnan(both.a)
    assert (both.low, both.p, both.n) == (None, None, 0)
    nothing = one(mean("m", np.zeros(0)), [])
    assert math.isnan(nothing.value)
    assert nothing.low is None


@pytest.mark.parametrize("right", [0, 200])
def test_all_right_and_all_wrong_are_not_certain(right: int) -> None:
    values = np.zeros(400)
    values[: 2 * right] = 1.0
    found = one(mean("x", values), [str(k // 2) for k in range(400)])  # two cases a group
    exact = stats.binomtest(right, 200).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)
    # An error in objects is no share of anything.
    assert one(mean("mae", np.zeros(400), unit="objects"), alone(400)).high == 0


@pytest.mark.parametrize("right", [0, 5])
def test_a_precision_of_few_boxes_is_no_surer_than_they_are(right: int) -> None:
    parts = np.tile([0.0, 0.0, 1.0], (200, 1))  # five predictions in 200 images
    parts[:5, 1], parts[:right, 0] = 1.0, 1.0
    precision, recall, _ = estimate(counted_measures(parts, "0.5", ""), alone(200))
    exact = stats.binomtest(right, 5).proportion_ci(0.95, "exact")
    assert (precision.low, precision.high) == pytest.approx((exact.low, exact.high), abs=1e-12)
    assert precision.n == recall.n == 200
    if not right:
        assert recall.high == pytest.approx(stats.binomtest(0, 200).proportion_ci(0.95, "exact").high)


def test_draws_in_which_nothing_applies_are_left_out() -> None:
    parts = np.zeros((30, 2))
    parts[:2] = 1  # two of thirty have a denominator: 13 % of the draws have none
    found = one(Summed(name="x", parts=parts, combine=ratio), alone(30))
    assert (found.value, found.high) == (1, 1)
    parts[1] = 0
    parts = np.vstack([parts, np.zeros((300, 2))])
    rare = one(Summed(name="x", parts=parts, combine=ratio), alone(330), draws=400)
    assert rare.value == 1  # drawn in 63 % of them
    assert rare.high == 1


def test_other_numbers_of_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="m is over 3 cases, and the groups are of 4"):
        one(mean("m", np.zeros(3)), alone(4))
    with pytest.raises(ValueError, match="m is over 4 cases, and the groups are of 8"):
        compare([mean("m", np.zeros(4))], alone(4))


def test_the_difference_has_the_interval_of_its_pairs() -> None:
    rng = np.random.default_rng(8)
    hard = rng.normal(size=80)
    a, b = hard + 0.1 * rng.normal(size=80), hard + 0.1 * rng.normal(size=80) + 0.05
    found = compare([mean("m", np.concatenate([a, b]))], alone(80), draws=4000)[0]
    theirs = stats.bootstrap(
        (b - a,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(0)
    )
    assert (found.a, found.b, found.n) == (pytest.approx(a.mean()), pytest.approx(b.mean()), 80)
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.004)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.004)


@pytest.mark.parametrize(("only_a", "only_b"), [(4, 14), (10, 12), (1, 9), (0, 3)])
def test_p_of_accuracies_is_mcnemars(only_a: int, only_b: int) -> None:
    a = np.array([1.0] * 40 + [1.0] * only_a + [0.0] * only_b + [0.0] * 20)
    b = np.array([1.0] * 40 + [0.0] * only_a + [1.0] * only_b + [0.0] * 20)
    p = compare([mean("m", np.concatenate([a, b]))], alone(len(a)), draws=6000)[0].p
    assert p == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue, abs=0.02)


def test_p_is_that_of_every_exchange_of_whole_groups() -> None:
    rng = np.random.default_rng(9)
    groups = [str(k // 3) for k in range(24)]
    a, b = rng.random(24), rng.random(24) + 0.12
    seen = abs(b.mean() - a.mean())
    hits = 0
    for swap in itertools.product([False, True], repeat=8):
        turned = np.repeat(swap, 3)
        hits += abs(np.where(turned, a, b).mean() - np.where(turned, b, a).mean()) >= seen - 1e-12
    p = compare([mean("m", np.concatenate([a, b]))], groups, draws=8000)[0].p
    assert p == pytest.approx(hits / 2**8, abs=0.02)


@pytest.mark.parametrize("draws", [50, 200, 1000])
def test_few_groups_show_no_more_than_all_their_exchanges(draws: int) -> None:
    groups = [str(k // 2) for k in range(10)]
    right = mean("m", np.repeat([0.0, 1.0], 10))
    for seed in range(20):
        p = compare([right], groups, draws=draws, seed=seed)[0].p
        assert p is not None
        assert p >= 2 / 2**5


def test_equal_models_do_not_differ() -> None:
    same = np.tile(np.random.default_rng(10).random(50), 2)
    found = compare([mean("m", same)], alone(50))[0]
    assert (found.p, found.low, found.high) == pytest.approx((1, 0, 0), abs=1e-12)


def test_p_under_no_difference_is_even() -> None:
    rng = np.random.default_rng(11)
    found = [compare([mean("m", rng.random(80))], alone(40), draws=199, seed=k)[0].p for k in range(200)]
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert np.mean(np.array(found) <= 0.05) < 0.11


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.one_of(st.none(), st.floats(0, 1))), min_size=1, max_size=25))
def test_the_value_is_the_plain_mean_and_within_what_was_drawn(rows: list[tuple[int, float | None]]) -> None:
    values = np.array([np.nan if v is None else v for _, v in rows])
    found = one(mean("m", values), [str(g) for g, _ in rows], draws=50)
    known = values[~np.isnan(values)]
    if not len(known):
        assert math.isnan(found.value)
        return
    assert found.value == pytest.approx(known.mean())
    if found.low is not None:
        assert known.min() - 1e-9 <= found.low <= found.high <= known.max() + 1e-9
