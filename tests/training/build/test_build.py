"""The build on small datasets made here: what is counted, what is missing, what is dropped, what is proved."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from groundproof_training.build.building import BuildOptions, build
from groundproof_training.build.composition import Composition, load_composition, shipped
from groundproof_training.build.planning import plan, table
from groundproof_training.build.reading import card_of, options_of, read_row, split_of
from groundproof_training.cli import app
from groundproof_training.errors import TrainingError
from groundproof_training.leakage.audit import Audit
from groundproof_training.leakage.running import run_audit
from groundproof_training.readers.base import Problems
from groundproof_training.samples.storage import read_samples

CLASSES = ("aGrass", "bField", "cIndustry", "dRiverLake", "eForest", "fResident", "gParking")


def picture(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    soft = Image.fromarray(rng.integers(60, 180, (5, 5, 3), dtype=np.uint8)).resize(
        (96, 96), Image.Resampling.BICUBIC
    )
    pixels = np.array(soft)
    for _ in range(10):
        x, y = rng.integers(0, 70, 2)
        pixels[y : y + rng.integers(5, 25), x : x + rng.integers(5, 25)] = rng.integers(0, 255, 3)
    return Image.fromarray(pixels)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A scene set of seven classes with five pictures each, in the tree of RSSCN7."""
    for c, name in enumerate(CLASSES):
        folder = tmp_path / "data" / "RSSCN7" / name
        folder.mkdir(parents=True)
        for k in range(5):
            picture(100 * c + k).save(folder / f"{name[0]}{k + 1:03}.jpg", quality=90)
    return tmp_path / "data"


WHOLE = dict(
    name="whole",
    reader="rsscn7",
    folder="RSSCN7",
    splits=["train", "test"],
    official=35,
    published=39,
    note="All.",
)
TEST = dict(name="held-out", reader="rsscn7", folder="RSSCN7", splits=["test"], use="audit")


def composed(*rows: dict, **more) -> Composition:
    return Composition.model_validate({"title": "Made", "val_share": 0.2, "rows": list(rows), **more})


def built(composition: Composition, data: Path, out: Path, **options):
    return build(composition, data, out, BuildOptions(**options), lambda _: None)


def test_a_build_of_the_whole_set_is_cleaned_of_its_test_split_and_says_so(data, tmp_path):
    out = tmp_path / "out"
    lines = built(composed(WHOLE, TEST), data, out)
    test_files = {Path(s.images[0].path).name for s in read_samples(out / "stages" / "held-out.jsonl")}
    assert 3 <= len(test_files) < 35
    written = [s for name in ("train", "val") for s in read_samples(out / f"{name}.jsonl")]
    assert len(written) == 35 - len(test_files)
    assert not {Path(s.images[0].path).name for s in written} & test_files
    assert {s.rationale.by for s in written} == {"template"}
    assert f"{len(test_files)} dropped as leaks; no picture is left in two splits" in lines[0]
    card = (out / "README.md").read_text()
    assert f"| whole | RSSCN7 | sft | 35 | 35 | {len(test_files)} | 39 |" in card
    assert "**No picture of train is in val or test, none of val in test**" in card
    # Independently of the build: the written files and the test split, audited anew.
    shutil.copy(out / "stages" / "held-out.jsonl", data)
    sources = [out / "train.jsonl", out / "val.jsonl", data / "held-out.jsonl"]
    shown = []
    args = (None, tmp_path / "looks.sqlite", 7, 0.95, None, None, None, shown.append, lambda _: None)
    assert run_audit(sources, *args) == 0
    assert "rsscn7/test" in shown[0]
    assert "pairs: none" in shown[0]


def test_all_formats_hold_the_same_samples(data, tmp_path):
    out = tmp_path / "out"
    built(composed(WHOLE), data, out)
    train = list(read_samples(out / "train.jsonl"))
    assert list(read_samples(out / "train.parquet")) == train
    conversations = json.loads((out / "train.json").read_text())
    assert len(conversations) == len(train)
    assert conversations[0]["messages"][-1]["content"].endswith(f"<answer>{train[0].answer}</answer>")
    assert (out / conversations[0]["images"][0]).is_file()


def test_a_recompressed_test_picture_in_a_training_folder_is_dropped(data, tmp_path):
    other = data / "Other"
    shutil.copytree(data / "RSSCN7", other)
    for path in sorted(other.glob("*/*.jpg")):
        Image.open(path).transpose(Image.Transpose.ROTATE_180).save(path, quality=60)
    rows = (
        dict(name="turned", reader="rsscn7", folder="Other", splits=["train"]),
        TEST | {"splits": ["train"]},
    )
    built(composed(*rows), data, tmp_path / "out")
    assert list(read_samples(tmp_path / "out" / "train.jsonl")) == []
    found = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert found["pairs"][0]["kind"] == "looks the same"


def test_a_stopped_build_goes_on_and_a_changed_row_is_read_again(data, tmp_path):
    out, said = tmp_path / "out", []
    composition = composed(WHOLE, TEST)
    build(composition, data, out, BuildOptions(), said.append)
    assert "reading whole" in said
    first = (out / "train.jsonl").read_bytes()
    said.clear()
    (out / "train.jsonl").unlink()
    build(composition, data, out, BuildOptions(), said.append)
    assert "reading whole" not in said
    assert (out / "train.jsonl").read_bytes() == first
    said.clear()
    build(composed(WHOLE | {"limit": 20}, TEST), data, out, BuildOptions(), said.append)
    assert "reading whole" in said
    assert "reading held-out" not in said


def test_problems_of_reading_are_in_the_card_also_after_a_resume(data, tmp_path):
    (data / "RSSCN7" / "eForest" / "e001.jpg").write_bytes(b"no picture")
    for _ in range(2):
        built(composed(WHOLE), data, tmp_path / "out")
        assert "1 x broken image" in (tmp_path / "out" / "README.md").read_text()


def test_a_missing_folder_is_named_and_can_be_left_out(data, tmp_path):
    gone = dict(name="gone", reader="hrrsd", folder="HRRSD", tasks=["count"], published=24784)
    with pytest.raises(TrainingError, match=r"gone\. --dry-run says where"):
        built(composed(WHOLE, gone), data, tmp_path / "out")
    built(composed(WHOLE, gone), data, tmp_path / "out", skip_missing=True)
    assert "gone (published 24784)" in (tmp_path / "out" / "README.md").read_text()


def test_a_dry_run_counts_differs_and_says_where_to_get_what_is_missing(data):
    gone = dict(name="gone", reader="dior-rsvg", folder="DIOR_RSVG", official=26991, published=34744)
    composition = composed(WHOLE, gone, published_total=100)
    plans = plan(composition, data, Problems())
    assert [(p.here, p.against_published, p.against_official) for p in plans] == [
        (35, -4, 4),
        (None, None, 7753),
    ]
    lines = table(composition, plans)
    assert lines[2].split() == ["whole", "sft", "35", "35", "39", "4"]
    assert lines[3].split() == ["gone", "sft", "-", "26,991", "34,744", "7,753"]
    assert "whole: All." in lines
    assert any("ZhanYang-nwpu/RSVG-pytorch" in line and "train.txt" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reader": "aidd"}, "row whole: there is no reader called 'aidd'"),
        ({"splits": ["train"], "options": {"colour": 1}}, "row whole: the option colour"),
        ({"reader": "vrsbench", "splits": ["val"]}, "has no split 'val'"),
    ],
)
def test_a_wrong_row_is_said_in_a_sentence_before_anything_is_read(data, tmp_path, change, said):
    with pytest.raises(TrainingError, match=said):
        built(composed(WHOLE | change), data, tmp_path / "out")


def test_a_broken_configuration_names_the_key(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('title = "x"\n[[rows]]\nname = "a"\nreader = "aid"\nfolder = "RSSCN7"\npublishd = 3\n')
    with pytest.raises(TrainingError, match=r"rows\.0\.publishd"):
        load_composition(str(file))
    file.write_text("title = ")
    with pytest.raises(TrainingError, match="not a TOML file"):
        load_composition(str(file))
    with pytest.raises(TrainingError, match="geo-cot380k, procedural"):
        load_composition("geo-cot")


def test_samples_of_one_picture_are_never_divided():
    composition = load_composition("procedural")
    files = [f"{k}.png" for k in range(400)]
    from ..rationales.made import sample

    drawn = {}
    for name in files:
        image = sample().images[0].model_copy(update={"path": name})
        splits = {
            split_of(sample(sample_id=str(k), images=(image.model_copy(update={"window": w}),)), composition)
            for k, w in enumerate((None, (0, 0, 10, 10), (5, 5, 50, 50)))
        }
        assert len(splits) == 1
        drawn[name] = splits.pop()
    assert 20 < list(drawn.values()).count("val") < 60  # 10 % of 400


@pytest.mark.parametrize("name", shipped())
def test_what_comes_with_the_package_names_readers_splits_and_options_that_there_are(name):
    composition = load_composition(name)
    for row in composition.rows:
        card = card_of(row)
        options_of(row)
        assert set(row.tasks) <= set(card.tasks)


def test_the_published_rows_are_those_of_the_published_figure():
    composition = load_composition("geo-cot380k")
    published = {row.name: row.published for row in composition.rows if row.published}
    assert published == {
        "vrsbench-vqa": 85813, "vrsbench-caption": 20264, "vrsbench-grounding": 35967, "fit-rs-caption": 65197,
        "nwpu-resisc45": 31500, "aid": 10000, "dior-rsvg": 34744, "dota-count": 25769, "dota-detect": 25769,
        "hrrsd-count": 24784, "hrrsd-detect": 24784,
    }  # fmt: skip
    assert sum(published.values()) == composition.published_total == 384591


def test_the_procedural_build_runs_from_the_command_line(tmp_path):
    small = tmp_path / "small.toml"
    small.write_text(
        'title = "Small"\nval_share = 0.2\n'
        # Its own test scenes are among the rows to train on: a leak that has to be found.
        '[[rows]]\nname = "p"\nreader = "procedural"\nfolder = "p"\nsplits = ["train", "test"]\n'
        "options = { scenes = 8 }\n"
        '[[rows]]\nname = "t"\nreader = "procedural"\nfolder = "p"\nsplits = ["test"]\nuse = "audit"\n'
        "options = { scenes = 8 }\n"
        '[[rows]]\nname = "r"\nreader = "procedural"\nfolder = "r"\nuse = "rl"\noptions = { scenes = 4, seed = 1 }\n'
    )
    arguments = ["build", str(small), "--data", str(tmp_path), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip().splitlines()[-1] == str(tmp_path / "out")
    assert (tmp_path / "out" / "rl.jsonl").is_file()
    written = [s for name in ("train", "val") for s in read_samples(tmp_path / "out" / f"{name}.jsonl")]
    assert all(s.rationale for s in written)
    test = {i.sha256 for s in read_samples(tmp_path / "out" / "stages" / "t.jsonl") for i in s.images}
    before = {i.sha256 for s in read_samples(tmp_path / "out" / "stages" / "p.jsonl") for i in s.images}
    assert len(test & before) >= 8
    assert not test & {i.sha256 for s in written for i in s.images}
    assert "no picture is left in two splits" in result.output
    # A report shows rationales that samples bring along, too.
    assert "<svg" in (tmp_path / "out" / "rationales.html").read_text()


def test_ids_and_paths_are_those_of_the_whole_build(data):
    row = composed(WHOLE).rows[0]
    first = next(iter(read_row(row, data, Problems())))
    assert first.sample_id.startswith("whole/")
    assert (data / first.images[0].path).is_file()
    packed = data / "packed"
    packed.mkdir()
    shutil.make_archive(str(packed / "RSSCN7"), "zip", data / "RSSCN7")
    again = next(iter(read_row(row.model_copy(update={"folder": "packed/RSSCN7"}), data, Problems())))
    assert (data / again.images[0].path).is_file()
    assert again.images[0].sha256 == first.images[0].sha256


def test_the_proof_does_not_believe_what_was_dropped(data, tmp_path, monkeypatch):
    """Were the first audit to drop nothing, the second one would find it in the written files."""
    monkeypatch.setattr(Audit, "to_drop", lambda self: {})
    with pytest.raises(TrainingError, match=r"still has [1-9]\d* pictures in two splits"):
        built(composed(WHOLE, TEST), data, tmp_path / "out")


def test_patches_of_one_original_go_to_one_side(data, tmp_path):
    for path in sorted((data / "RSSCN7").glob("*/*.jpg")):
        path.rename(path.with_name(f"P{int(path.stem[1:]):04}_{path.stem}.jpg"))
    row = WHOLE | {"origin": {"family": "made", "pattern": r"^(P\d{4})"}}
    built(composed(row, val_share=0.5, seed=0), data, tmp_path / "out")
    sides = {
        name: {Path(s.images[0].path).name[:5] for s in read_samples(tmp_path / "out" / f"{name}.jsonl")}
        for name in ("train", "val")
    }
    assert sides["train"]
    assert sides["val"]
    assert not sides["train"] & sides["val"]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| whole | RSSCN7 | sft | 35 | 35 | 0 | 39 |" in card  # nothing had to be dropped


def test_a_build_through_a_link_names_pictures_that_are_there(data, tmp_path):
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    built(composed(WHOLE), data, tmp_path / "link" / "out")
    first = next(iter(read_samples(tmp_path / "link" / "out" / "train.jsonl")))
    assert (tmp_path / "link" / "out" / first.images[0].path).is_file()
