"""`groundproof-train samples`: options, what is left out, files and their provenance; zips."""

from __future__ import annotations

import json
import resource
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from groundproof_training.cli import app
from groundproof_training.errors import TrainingError
from groundproof_training.readers.archives import unpacked
from groundproof_training.readers.reading import Wanted, parse_settings, write
from groundproof_training.readers.registry import reader
from groundproof_training.samples.storage import read_samples

from . import folders


@pytest.fixture
def yolo(tmp_path):
    root = tmp_path / "set"
    folders.write(root / "classes.txt", "ship\nstorage tank\n")
    for n in range(6):
        folders.picture(root / "images" / f"{n}.jpg")
        folders.write(root / "labels" / f"{n}.txt", "0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n9 1 1 1 1\n")
    return root


ALL = ("val_share=0", "test_share=0")


def test_samples_their_provenance_and_what_was_left_out(yolo, tmp_path):
    out = tmp_path / "out" / "s.jsonl"
    lines = write(Wanted("yolo", yolo, out, settings=(*ALL, "absent_share=0"), tasks=("count",)))
    samples = list(read_samples(out))
    assert len(samples) == 12
    assert {str(s.task) for s in samples} == {"count"}
    assert lines[0] == "12 samples of a YOLO dataset (12 count)"
    assert any("6 x unknown class" in line for line in lines)
    said = json.loads((tmp_path / "out" / "s.jsonl.provenance.json").read_text())
    assert said["problems"] == {"unknown class": 6}
    assert said["options"]["val_share"] == 0
    assert (said["samples"], said["boxes"], said["images"]) == (12, 12, 6)
    assert said["licence"] == "as its owner says"


def test_the_command_ends_with_the_path_and_prints_the_rest_aside(yolo, tmp_path):
    out = tmp_path / "s.parquet"
    words = ["samples", "yolo", str(yolo), "-o", str(out), "--format", "parquet", "--limit", "5"]
    done = CliRunner().invoke(app, [*words, "--set", "val_share=0", "--set", "test_share=0"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(out)
    assert "5 samples" in done.stderr
    assert len(list(read_samples(out))) == 5


@pytest.mark.parametrize("form", ["llamafactory", "trl"])
def test_formats_of_trainers_with_the_answer_where_there_is_no_rationale(yolo, tmp_path, form):
    out = tmp_path / "s.json"
    write(Wanted("yolo", yolo, out, settings=(*ALL, "absent_share=0"), tasks=("detect",), format=form))
    text = out.read_text()
    rows = json.loads(text) if form == "llamafactory" else [json.loads(line) for line in text.splitlines()]
    assert len(rows) == 12
    assert all((out.parent / row["images"][0]).is_file() for row in rows)
    forced = Wanted("yolo", yolo, out, settings=ALL, tasks=("detect",), format=form, form="geo-cot")
    assert any("x not writable" in line for line in write(forced))


def test_options_are_read_by_their_kind_and_wrong_ones_are_a_sentence():
    dota = reader("dota")
    options = parse_settings(
        dota,
        (
            "patch-px=512",
            "version=1.5",
            "tasks=count,detect",
            "classes=ship, small vehicle",
            "stride_px=null",
        ),
    )
    assert (options.patch_px, options.version, options.stride_px) == (512, "1.5", None)
    assert options.classes == ("ship", "small vehicle")
    assert [str(t) for t in options.tasks] == ["count", "detect"]
    for text, said in (
        ("patch_px", "option=value"),
        ("patchpx=3", "it has need_images"),
        ("patch_px=-3", "greater than 0"),
        ("version=3", "version = '3'"),
        ("tasks=cuont", "tasks"),
    ):
        with pytest.raises(TrainingError, match=said):
            parse_settings(dota, (text,))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"splits": ("tset",)}, "no split 'tset'; it has train, val, test"),
        ({"tasks": ("caption",)}, "gives no caption; it gives count"),
        ({"tasks": ("cuont",)}, "no task 'cuont'"),
        ({"format": "csv"}, "no format 'csv'"),
        ({"format": "trl", "profile": "nobody"}, "nobody"),
        ({"reader": "yollo"}, "Did you mean yolo"),
    ],
)
def test_what_a_person_can_put_right_is_one_sentence(yolo, tmp_path, change, said):
    fields = {"reader": "yolo", "folder": yolo, "out": tmp_path / "x.jsonl"} | change
    with pytest.raises(TrainingError, match=said):
        write(Wanted(**fields))


def test_a_target_that_cannot_be_written_is_a_sentence(yolo, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        write(Wanted("yolo", yolo, tmp_path / "file" / "x.jsonl"))


@pytest.mark.parametrize(("form", "kept"), [("jsonl", True), ("parquet", False), ("trl", False)])
def test_a_disk_that_fills_up_is_a_sentence_and_jsonl_goes_on(yolo, tmp_path, form, kept):
    """A limit on the size of files is to a process what a full disk is."""
    wanted = Wanted("yolo", yolo, tmp_path / "s.out", settings=ALL, format=form)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, usual[1]))
    try:
        with pytest.raises(TrainingError, match="goes on" if kept else "nothing was left"):
            write(wanted)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (tmp_path / "s.out.part").is_file() is kept
    assert not (tmp_path / "s.out").exists()
    lines = write(wanted)
    assert lines[0].startswith("48 samples")
    assert not (tmp_path / "s.out.part").exists()


def test_no_sample_is_an_error_and_an_earlier_file_stays(yolo, tmp_path):
    out = tmp_path / "s.jsonl"
    write(Wanted("yolo", yolo, out, settings=ALL))
    before = out.read_bytes()
    for picture in (yolo / "images").iterdir():
        picture.unlink()
    with pytest.raises(
        TrainingError, match=r"no sample for train.*\n.*\n.*no image(.*\n)+.*need_images=false"
    ):
        write(Wanted("yolo", yolo, out, settings=ALL))
    assert out.read_bytes() == before


def test_a_zip_is_unpacked_once_beside_itself(yolo, tmp_path):
    place = tmp_path / "my set.zip"
    with ZipFile(place, "w") as archive:
        for path in sorted(p for p in yolo.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(yolo))
    folder = unpacked(place)
    assert folder == tmp_path / "my set"
    marked = folder / "classes.txt"
    before = marked.stat().st_mtime_ns
    assert unpacked(place) == folder
    assert marked.stat().st_mtime_ns == before
    lines = write(Wanted("yolo", place, tmp_path / "z.jsonl", settings=ALL))
    assert "images or windows" in lines[1]
    with ZipFile(place, "a") as archive:
        archive.writestr("more.txt", "another export of the same name")
    with pytest.raises(TrainingError, match="exists and is not what is in it"):
        unpacked(place)


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "c:\\out.txt"])
def test_a_zip_that_names_a_place_outside_is_refused(tmp_path, name):
    place = tmp_path / "in" / "bad.zip"
    place.parent.mkdir()
    with ZipFile(place, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(TrainingError, match="outside"):
        unpacked(place)
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "bad.zip"]


def test_a_file_that_is_no_zip(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK no")
    with pytest.raises(TrainingError, match="cannot be unpacked"):
        unpacked(tmp_path / "x.zip")
