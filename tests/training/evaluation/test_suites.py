"""Suites as data: as many entries as the papers have, only published rows, and nothing that cannot be read."""

import re
from collections import Counter
from pathlib import Path

import pytest

from groundproof_training.errors import TrainingError
from groundproof_training.evaluation.cases import Family
from groundproof_training.evaluation.suites import SUITES, load_suite

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference" / "PUBLISHED.md"


def test_rsthinkers_24_entries():
    names = Counter(entry.name.split("_")[0] for entry in load_suite("rsthinker").entry)
    assert names == {"SC": 5, "VG": 4, "IC": 6, "VQA": 2, "OC": 5, "Detect": 2}
    families = {
        "SC": Family.CLASSIFICATION, "VG": Family.GROUNDING, "IC": Family.CAPTIONING, "VQA": Family.VQA,
        "OC": Family.COUNTING, "Detect": Family.DETECTION,
    }  # fmt: skip
    assert all(entry.family is families[entry.name.split("_")[0]] for entry in load_suite("rsthinker").entry)


def test_geovlm_r1s_28_tasks_of_which_one_is_listed_twice():
    entries = load_suite("geovlm-r1").entry
    assert len(entries) + sum(bool(entry.listed_again) for entry in entries) == 28
    (twice,) = [entry for entry in entries if entry.listed_again]
    assert twice.name == "xbd-image-classification-1"
    kinds = Counter(re.sub(r"-(?!caption$|classification|detection).*", "", entry.name) for entry in entries)
    assert sum(n for kind, n in kinds.items() if kind.startswith("xbd")) == 8


def test_all_is_both():
    assert [e.name for e in load_suite("all").entry] == [e.name for n in SUITES for e in load_suite(n).entry]


@pytest.mark.skipif(not REFERENCE.is_file(), reason=f"{REFERENCE} is not here")
def test_published_rows_are_those_of_the_record():
    """Every number stands in PUBLISHED.md, and in the paper's own part of it."""
    text = REFERENCE.read_text(encoding="utf-8")
    parts = dict(zip(SUITES, re.split(r"^## GeoVLM-R1", text, flags=re.MULTILINE), strict=True))
    for name in SUITES:
        numbers = {float(n) for n in re.findall(r"\d+(?:\.\d+)?", parts[name])}
        for entry in load_suite(name).entry:
            for row in entry.published:
                assert row.value in numbers, (entry.name, row)


def test_what_is_known_of_an_entry_is_said():
    for entry in load_suite("all").entry:
        assert entry.verified, entry.name
        assert entry.published_samples, entry.name
        assert len({(row.system, row.metric) for row in entry.published}) == len(entry.published), entry.name


OWN = """
name = "own"
title = "mine"
[[entry]]
name = "a"
title = "A"
family = "classification"
[[entry.source]]
reader = "ucmerced"
folders = ["UCM"]
"""


def test_a_suite_of_ones_own(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    assert load_suite(path).entry[0].source[0].reader == "ucmerced"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "A"', 'title = "A"\ncolour = "red"', "colour"),
        ("ucmerced", "ucmercet", "no reader called"),
        ('folders = ["UCM"]', 'folders = ["UCM"]\noptions = { shards = 3 }', "shards"),
        ('folders = ["UCM"]', 'folders = ["UCM"]\nsplit = "hold"', "split"),
        ('folders = ["UCM"]', "folders = []", "folders"),
        ('family = "classification"', 'family = "guessing"', "family"),
        ('name = "a"', 'name = "../a"', "name"),
        ("[[entry]]", "[[entry", "no TOML"),
    ],
)
def test_a_mistake_is_a_sentence(tmp_path, old, new, said):
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(TrainingError, match=said):
        load_suite(path)


def test_an_unknown_suite_and_two_entries_of_one_name(tmp_path):
    with pytest.raises(TrainingError, match="rsthinker, geovlm-r1, all, local and bench-v1"):
        load_suite("rsthinkr")
    path = tmp_path / "own.toml"
    path.write_text(OWN + OWN[OWN.index("[[entry]]") :])
    with pytest.raises(TrainingError, match="there twice"):
        load_suite(path)
