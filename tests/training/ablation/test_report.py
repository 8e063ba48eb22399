"""The page, its facts, the picture and the section of a log."""

import json

import pytest
from PIL import Image

from groundproof_training.ablation.cells import CELLS
from groundproof_training.ablation.report import append_log, write
from groundproof_training.ablation.results import FILE, keep, path_of, read
from groundproof_training.ablation.settings import read_settings
from groundproof_training.errors import TrainingError
from tests.training.ablation.made import result

RESULTS = [result(one.name, seed) for one in CELLS[:-1] for seed in range(1 if one.name == "base" else 3)]


def test_a_page_holds_every_cell_what_is_missing_and_the_published_table(tmp_path):
    page, facts, picture = write(tmp_path, RESULTS, read_settings("tiny"), "groundproof-train ablation -o x")
    text = page.read_text(encoding="utf-8")
    for one in CELLS:
        assert one.title in text
    assert "faithfulness: seed 0: not run yet" in text
    assert "groundproof-train ablation -o x" in text
    assert "| + SFT with CoT | 87.7 | 2.932 | 74.03 | 33.31 | 96.67 | 74.2 |" in text
    assert "never the values" in text
    assert "| SFT with CoT | 25.0 | 100 | 0.100 | 2.0 of 40 | 3 |" in text
    assert "| questions | 40 | 40 |" in text
    # 6 + 7 + 2 + 3: the cell with faithfulness is missing.
    assert "18 comparisons, not corrected" in text
    assert "| SFT with CoT | 50.0 to 50.0 | 0.50 to 0.50 |" in text
    assert "With -> without KL: unreadable, % 5.0 -> 5.0" in text
    made = json.loads(facts.read_text(encoding="utf-8"))
    assert [row["cell"] for row in made["cells"]] == [one.name for one in CELLS]
    assert made["cells"][1]["figures"]["vqa"]["seeds"] == [0.5, 0.5, 0.5]
    with Image.open(picture) as opened:
        assert opened.width > 1000
        assert len(opened.convert("RGB").getcolors(1 << 24)) > 50


def test_a_page_can_be_written_of_nothing(tmp_path):
    page, *_ = write(tmp_path, [], read_settings("tiny"), "x")
    assert "not run yet" in page.read_text(encoding="utf-8")


def test_a_log_gets_the_newest_section_first_and_keeps_the_others(tmp_path):
    log = tmp_path / "LOG.md"
    log.write_text("# Log\n\nFirst lines.\n\n## 2026-01-01: old\n\nkept\n", encoding="utf-8")
    append_log(log, RESULTS, read_settings("tiny"), "x")
    text = log.read_text(encoding="utf-8")
    assert text.startswith("# Log\n\nFirst lines.\n\n## 20")
    assert text.index("the ablation at small scale") < text.index("## 2026-01-01: old")
    assert text.endswith("## 2026-01-01: old\n\nkept\n")


def test_a_broken_result_is_told_with_what_to_do(tmp_path):
    keep(path_of(tmp_path, "base", 0), RESULTS[0])
    file = path_of(tmp_path, "base", 0) / FILE
    assert read(file) == RESULTS[0]
    file.write_text(file.read_text(encoding="utf-8")[:100], encoding="utf-8")
    with pytest.raises(TrainingError, match="delete it"):
        read(file)
