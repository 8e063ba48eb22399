"""Means, intervals and what may be said of a difference."""

import numpy as np
import pytest

from groundproof_training.ablation.cells import CELLS, cell
from groundproof_training.ablation.columns import COLUMNS
from groundproof_training.ablation.conclusions import sentence
from groundproof_training.ablation.results import Value
from groundproof_training.ablation.table import answers_to, contrast, entry, rows_of
from tests.training.ablation.made import result

BY_NAME = {column.name: column for column in COLUMNS}


def rows(*results, seeds=3):
    return {row.cell.name: row for row in rows_of(results, seeds)}


def test_a_mean_over_seeds_has_the_interval_of_the_mean_at_the_same_images():
    rng = np.random.default_rng(0)
    drawn = rng.random((3, 500))
    values = [Value(value=v, n=10, draws=tuple(d.tolist())) for v, d in zip((1, 2, 6), drawn, strict=True)]
    one = entry(values)
    means = sorted(sum(drawn[seed][i] for seed in range(3)) / 3 for i in range(500))
    assert one.value == 3
    assert one.seeds == (1, 2, 6)
    assert one.low == pytest.approx(np.percentile(means, 2.5))
    assert one.high == pytest.approx(np.percentile(means, 97.5))


def test_a_figure_that_one_seed_does_not_have_has_no_mean():
    one = entry([Value(value=1.0, n=3), Value(value=None, n=0, note="nothing was said")])
    assert (one.value, one.low, one.note) == (None, None, "nothing was said")


def test_a_difference_is_paired_by_seed_and_by_image():
    made = rows(
        *(result("sft-answer", k, 0.5) for k in range(3)), *(result("sft-cot", k, 0.53) for k in range(3))
    )
    found = contrast(made["sft-answer"], made["sft-cot"], BY_NAME["detection"])
    assert found.value == pytest.approx(0.03)
    assert found.pairs == 3
    # The images' own spread is 0.02: unpaired, 0.03 would not be shown.
    assert found.shown
    assert found.better
    alone = made["sft-cot"].figures["detection"]
    assert found.high - found.low < (alone.high - alone.low) / 3


def test_lower_is_better_for_errors():
    made = rows(result("sft-answer", 0, 0.5), result("sft-cot", 0, 0.6), seeds=1)
    assert not contrast(made["sft-answer"], made["sft-cot"], BY_NAME["counting"]).better


def test_seeds_that_disagree_show_nothing():
    levels = (0.52, 0.6, 0.49)
    made = rows(
        *(result("sft-answer", k, 0.5) for k in range(3)),
        *(result("sft-cot", k, level) for k, level in enumerate(levels)),
    )
    found = contrast(made["sft-answer"], made["sft-cot"], BY_NAME["detection"])
    assert found.low > 0
    assert not found.shown


def test_only_seeds_that_both_cells_have_are_compared():
    made = rows(result("sft-answer", 0), result("sft-answer", 1), result("sft-cot", 1, 0.6))
    assert contrast(made["sft-answer"], made["sft-cot"], BY_NAME["vqa"]).pairs == 1
    assert contrast(made["sft-answer"], made["sft-cot-grpo"], BY_NAME["vqa"]) is None


def test_what_is_missing_is_said_with_its_reason():
    made = rows(result("sft-cot", 0), result("sft-cot", 1, status="failed"))
    assert made["sft-cot"].missing == ("seed 1: it fell over", "seed 2: not run yet")
    assert made["base"].missing == ("seed 0: not run yet",)
    assert made["sft-cot"].figures["vqa"].value == 0.5


@pytest.mark.parametrize(
    ("level", "said"), [(0.6, "better"), (0.4, "worse"), (0.5001, "No difference shown")]
)
def test_sentences_say_no_more_than_the_intervals(level, said):
    results = [result(one.name, k) for one in CELLS for k in range(3) if one.name != "sft-cot"]
    results += [result("sft-cot", k, level) for k in range(3)]
    asked, found, _ = answers_to(rows_of(results, 3))[0]
    assert asked.other == "sft-cot"
    told = sentence([c for c in found if c.column.better == "higher"])
    assert said in told
    assert "3 seeds" in told
    if said.startswith("No"):
        assert "better" not in told
        assert "worse" not in told


def test_questions_name_cells_and_columns_that_exist():
    for asked, *_ in answers_to(rows_of([], 1)):
        assert cell(asked.one)
        assert cell(asked.other)
        assert set(asked.columns) <= set(BY_NAME)


def test_one_seed_shows_no_difference():
    made = rows_of([result("sft-answer", 0, 0.5), result("sft-cot", 0, 0.9)], 1)
    _, found, _ = answers_to(made)[0]
    assert not any(c.shown for c in found)
    assert sentence(found).startswith("One seed cannot show a difference in detection")


def test_a_seed_without_a_value_is_not_left_out_of_a_comparison():
    collapsed = result("sft-cot-grpo-no-kl", 1)
    figures = collapsed.figures | {"evidence-precision": Value(value=None, n=40, note="nothing was said")}
    results = [result("sft-cot-grpo", k) for k in range(2)]
    results += [result("sft-cot-grpo-no-kl", 0), collapsed.model_copy(update={"figures": figures})]
    _, found, undefined = answers_to(rows_of(results, 2))[3]
    assert "evidence-precision" not in [c.column.name for c in found]
    assert [column.name for column in undefined] == ["evidence-precision"]
    assert "Not defined for every seed: evidence precision@0.5." in sentence(found, undefined)


def test_cells_that_were_not_run_are_missing_and_not_undefined():
    _, found, undefined = answers_to(rows_of([result("sft-cot", 0)], 1))[0]
    assert not undefined
    assert "a cell is missing" in sentence(found, undefined)


def test_a_value_that_no_draw_moves_has_no_interval():
    one = entry([Value(value=1.0, n=50, draws=(1.0,) * 100)] * 3)
    assert (one.value, one.low, one.high) == (1.0, None, None)


def test_draws_that_are_not_defined_for_one_seed_are_left_out_for_all():
    values = [
        Value(value=0.5, n=9, draws=(None, 0.1, 0.2, 0.3)),
        Value(value=0.5, n=9, draws=(9.0, 0.3, 0.4, 0.5)),
    ]
    one = entry(values)
    assert 0.2 <= one.low < one.high <= 0.4
