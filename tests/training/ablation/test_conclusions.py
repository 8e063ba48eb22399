"""Sentences are no stronger than images and seeds allow."""

import numpy as np
import pytest
from scipy import stats

from groundproof_training.ablation.cells import CELLS, cell
from groundproof_training.ablation.columns import COLUMNS
from groundproof_training.ablation.conclusions import answer, collapse, most, ordering, sentence
from groundproof_training.ablation.results import Answers, Trained
from groundproof_training.ablation.table import QUESTIONS, Contrast, answers_to, over_seeds, rows_of
from tests.training.ablation.made import result

BY_NAME = {column.name: column for column in COLUMNS}


def difference(column, seeds, reach=0.01, one="sft-answer", other="sft-cot"):
    value = float(np.mean(seeds))
    made = (value, value - reach, value + reach, tuple(seeds), *over_seeds(seeds))
    return Contrast(BY_NAME[column], cell(one), cell(other), *made)


@pytest.mark.parametrize("seeds", [(0.1, 0.2, 0.15), (-1.0, 2.0), (3.0, 1.0, 4.0, 1.0, 5.0)])
def test_the_interval_over_seeds_is_that_of_a_t_test(seeds):
    expected = stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
    assert over_seeds(seeds) == pytest.approx((expected.low, expected.high))


def test_one_seed_has_no_interval_over_seeds():
    assert over_seeds([0.3]) == (None, None)


def test_seeds_of_one_sign_that_spread_speak_of_these_runs_only():
    found = difference("detection", (0.01, 0.02, 0.12), reach=0.02)
    assert found.shown
    assert not found.lasting
    assert "better in these runs. (3 seeds)" in sentence([found])
    assert "better. (3 seeds)" in sentence([difference("detection", (0.05, 0.05, 0.06))])


def test_chance_alone_is_seldom_called_a_difference():
    """Images that hardly matter, seeds that do, no true difference: three signs agree in a quarter."""
    rng = np.random.default_rng(0)
    made = [difference("vqa", tuple(rng.normal(0, 0.03, 3)), reach=1e-6) for _ in range(4000)]
    assert np.mean([c.shown for c in made]) == pytest.approx(0.25, abs=0.03)
    assert np.mean([c.lasting for c in made]) == pytest.approx(0.05, abs=0.015)


def test_most_is_said_only_where_images_and_seeds_both_show_it():
    mine = difference("detection", (0.20, 0.21, 0.22))
    less = difference("vqa", (0.10, 0.11, 0.12))
    far_from_points = difference("counting", (9.0, 9.0, 9.0))
    assert (
        most([mine, less, far_from_points], "detection") == "Of the shares, detection gains the most points."
    )
    near = difference("grounding", (0.19, 0.20, 0.21))
    assert most([mine, less, near], "detection").endswith("is not shown.")
    # The mean lies far below, but one seed gains more than detection does.
    spread = difference("captions", (0.30, 0.0, 0.0))
    assert most([mine, less, spread], "detection").endswith("is not shown.")
    assert most([mine], "detection") == ""


def test_the_published_order_holds_is_reversed_or_stays_open():
    found = [
        difference("counting", (-0.3, -0.3, -0.31)),  # printed 3.272 -> 2.932
        difference("vqa", (-0.1, -0.1, -0.11)),  # printed 63.57 -> 74.20
        difference("detection", (0.001, -0.001, 0.0)),
        difference("captions", (0.01, 0.02, 0.12), reach=0.02),
        difference("parsed", (0.3, 0.3, 0.31)),  # not printed
    ]
    told = ordering(found)
    assert (
        told
        == "Beside the published order, the same: counting, captions in these runs; reversed: vqa; open: detection."
    )
    assert ordering([difference("vqa", (1, 1), other="sft-cot-grpo-faithful")]) == ""


def rows(held, free, kl=0.01):
    """held, free: (unreadable of 40, repetition) of each seed."""
    made = []
    for name, values in (("sft-cot-grpo", held), ("sft-cot-grpo-no-kl", free)):
        for seed, (unreadable, repetition) in enumerate(values):
            answers = Answers(n=40, mean_chars=100, repetition=repetition, unreadable=unreadable)
            trained = Trained(steps=3, kl=(0.0, kl) if name == "sft-cot-grpo" else None)
            made.append(result(name, seed).model_copy(update={"answers": answers, "trained": trained}))
    return rows_of(made, 3)


QUIET = [(2, 0.1), (2, 0.1), (3, 0.1)]
LOUD = [(30, 0.6), (31, 0.7), (33, 0.6)]


def test_a_collapse_is_both_unreadable_and_repetitive():
    told = collapse(rows(QUIET, LOUD), beta=0.04)
    assert "unreadable, % 5.8 -> 78.3, repetition 0.100 -> 0.633" in told
    assert "both signs of the published collapse are shown" in told
    assert "held little back" not in told
    silent = [(n, 0.1) for n, _ in LOUD]
    assert "More is unreadable, but the published" in collapse(rows(QUIET, silent), beta=0.04)
    readable = [(n, r) for (n, _), (_, r) in zip(QUIET, LOUD, strict=True)]
    assert "not more is unreadable: the published" in collapse(rows(QUIET, readable), beta=0.04)


def test_no_collapse_is_explained_by_a_kl_that_held_little_back_where_it_is_small():
    told = collapse(rows(QUIET, QUIET), beta=0.04)
    assert "No sign of a collapse into repetition is shown." in told
    assert "it ended at 0.0100, a term of 0.0004 in the loss" in told
    assert "held little back" in told
    assert "held little back" not in collapse(rows(QUIET, QUIET, kl=1.0), beta=0.04)


def test_one_collapsed_seed_of_three_is_no_collapse():
    assert "No sign of" in collapse(rows(QUIET, [QUIET[0], QUIET[1], LOUD[2]]), beta=0.04)


def test_nothing_is_said_of_a_collapse_where_a_cell_is_missing():
    assert collapse(rows(QUIET, []), beta=0.04) == ""


def test_only_the_question_on_the_most_is_answered_with_it():
    made = rows_of([result(one.name, k) for one in CELLS for k in range(3)], 3)
    told = {asked.question: answer(asked, found, untold) for asked, found, untold in answers_to(made)}
    assert [" most " in told[asked.question] for asked in QUESTIONS] == [
        bool(asked.most) for asked in QUESTIONS
    ]
    assert all("(3 seeds)" in one for one in told.values())
