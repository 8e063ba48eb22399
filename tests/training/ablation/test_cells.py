"""Which cells there are, in which order, and that they differ in nothing but what they are named after."""

import pytest

from groundproof_training.ablation.cells import CELLS, cell, runs
from groundproof_training.ablation.published import ROWS
from groundproof_training.ablation.settings import configuration_of, read_settings
from groundproof_training.errors import TrainingError
from groundproof_training.samples import Form


def test_every_cell_comes_after_the_one_it_begins_with():
    done = set()
    for one, seed in runs((), 3):
        if one.begins is not None:
            assert (one.begins, 0 if one.begins == "base" else seed) in done
        done.add((one.name, seed))
    assert len(done) == 1 + 3 * (len(CELLS) - 1)


def test_a_cell_brings_what_it_begins_with():
    assert [one.name for one, _ in runs(("sft-cot-grpo",), 1)] == ["base", "sft-cot", "sft-cot-grpo"]


def test_an_unknown_cell_is_told_with_those_there_are():
    with pytest.raises(TrainingError, match="sft-cot-grpo-no-kl"):
        cell("grpo")


def test_published_rows_are_all_but_the_two_of_our_own():
    assert {one.published for one in CELLS} == {*ROWS, None}


def test_cells_of_a_stage_differ_only_in_what_they_are_named_after():
    settings = read_settings("tiny")
    made = {one.name: configuration_of(one, 1, settings) for one in CELLS if one.stage != "base"}
    answer, cot = made["sft-answer"], made["sft-cot"]
    assert (answer.data.form, cot.data.form) == (Form.ANSWER, Form.GEO_COT)
    assert answer.model_copy(update={"data": cot.data}) == cot
    plain, no_kl, faithful = (made[f"sft-cot-grpo{end}"] for end in ("", "-no-kl", "-faithful"))
    assert (plain.grpo.beta, no_kl.grpo.beta) == (settings.grpo.beta, 0)
    changed = {"beta": plain.grpo.beta, "allow_no_kl": False}
    assert no_kl.grpo.model_copy(update=changed) == plain.grpo
    assert [one.name for one in faithful.grpo.rewards] == ["rsthinker", "format", "faithfulness"]
    assert faithful.grpo.model_copy(update={"rewards": plain.grpo.rewards}) == plain.grpo
    assert made["sft-answer-grpo"].grpo == plain.grpo


def test_seeds_change_the_seed_alone():
    settings = read_settings("tiny")
    first, second = (configuration_of(cell("sft-cot"), seed, settings) for seed in (0, 1))
    assert first != second
    assert first.model_copy(update={"train": second.train}) == second


def test_wrong_settings_are_told_by_their_place(tmp_path):
    with pytest.raises(TrainingError, match="those that come with the package are tiny"):
        read_settings("huge")
    path = tmp_path / "own.toml"
    path.write_text("configuration = 'tiny'\nseeds = 0\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="seeds: "):
        read_settings(str(path))
    path.write_text("seeds = \n", encoding="utf-8")
    with pytest.raises(TrainingError, match="not a TOML file"):
        read_settings(str(path))
