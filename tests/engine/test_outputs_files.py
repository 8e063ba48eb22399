"""Writing whole or not at all, and saying why not."""

from __future__ import annotations

import csv
import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from groundproof.errors import OutputError
from groundproof.outputs import files as files_module
from groundproof.outputs import geopackage, read, write, write_summary
from groundproof.outputs.workshop import workshop
from tests.engine import outputs_samples as samples

FORMATS = ["out.gpkg", "out.parquet", "out.geojson"]


@pytest.mark.parametrize("suffix", ["-wal", "-journal", "-shm"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_open_elsewhere_is_refused_by_name(tmp_path, suffix, name):
    path = tmp_path / name
    path.write_text("old")
    (tmp_path / (name + suffix)).touch()
    with pytest.raises(
        OutputError, match=f"{name} is open in another program \\({name}{suffix} is beside it\\)"
    ):
        write(samples.result(), path)
    assert path.read_text() == "old"


def test_a_database_that_somebody_reads_is_refused(tmp_path):
    path = tmp_path / "out.gpkg"
    write(samples.result(), path)
    before = path.read_bytes()
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM evidence").fetchall()
    with pytest.raises(OutputError, match=r"out\.gpkg is locked by another program"):
        write(samples.result(1), path)
    reader.close()
    assert path.read_bytes() == before
    write(samples.result(1), path)
    assert len(read(path).evidence) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, name):
    path = tmp_path / name
    write(samples.result(), path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files_module.os, "fsync", full)
    with pytest.raises(OutputError, match="no space is left on the disk"):
        write(samples.result(1), path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_write_that_dies_in_the_middle_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "out.gpkg"
    write(samples.result(), path)
    before = path.read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(geopackage, "_write_styles", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(samples.result(1), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.gpkg"]


LIMITED = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from tests.engine import outputs_samples as samples
from groundproof.errors import OutputError
from groundproof.outputs import write
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    write(samples.result(3000), sys.argv[2])
except OutputError as err:
    print(err)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits on file sizes")
@pytest.mark.parametrize("limit", [30_000, 200_000, 700_000])
def test_a_disk_that_takes_no_more_is_an_output_error_wherever_it_happens(tmp_path, limit):
    path = tmp_path / "out.gpkg"
    write(samples.result(1), path)
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(Path(__file__).parents[2]), str(path), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "out.gpkg was not written" in done.stdout
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.gpkg"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/out.gpkg", "there is no folder"),
        ("out.shp", r"Allowed are \.gpkg, \.parquet, \.geojson"),
        ("missing/out", "there is no folder"),
        ("folder.gpkg", "is a folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_said_before_anything_is_done(tmp_path, name, words):
    (tmp_path / "folder.gpkg").mkdir()
    with pytest.raises(OutputError, match=words):
        write(samples.result(), tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.gpkg"]


def test_a_folder_without_permission_is_said(tmp_path, monkeypatch):
    # The superuser may write anywhere, so the answer of the system is played.
    monkeypatch.setattr(files_module.os, "access", lambda path, _mode: Path(path) != tmp_path)
    with pytest.raises(OutputError, match="is not writable"):
        write(samples.result(), tmp_path / "out.gpkg")


def test_a_read_only_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "out.gpkg"
    write(samples.result(), path)
    monkeypatch.setattr(files_module.os, "access", lambda p, mode: Path(p) != path)
    with pytest.raises(OutputError, match=r"out\.gpkg is read-only"):
        write(samples.result(1), path)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_a_symbolic_link_stays_one_and_its_target_is_replaced(tmp_path):
    real = tmp_path / "real.gpkg"
    link = tmp_path / "link.gpkg"
    write(samples.result(1), real)
    link.symlink_to(real)
    write(samples.result(2), link)
    assert link.is_symlink()
    assert len(read(real).evidence) == 2


def test_the_summary_escapes_formulas_and_keeps_numbers(tmp_path):
    answers = [
        samples.answer_row(question="=HYPERLINK(1)", value=-5),
        samples.answer_row(question=" @SUM(A1)", value="+1"),
        samples.answer_row(question='say "hi", please', value=True),
        samples.answer_row(value=[1, "a"], coverage=None),
        samples.answer_row(value=2.5, context={"area": "north"}),
    ]
    path = tmp_path / "summary.csv"
    write_summary(samples.result(answers=answers), path)
    with path.open(encoding="utf-8", newline="") as file:
        got = list(csv.DictReader(file))
    assert list(got[0]) == ["scene", "question", "value", "coverage", "failures"]
    assert [g["value"] for g in got] == ["-5", "'+1", "yes", '[1,"a"]', "2.5"]
    assert [g["question"] for g in got[:3]] == ["'=HYPERLINK(1)", "' @SUM(A1)", 'say "hi", please']
    assert got[0]["failures"] == "1 x read_error: the drive is gone"
    assert got[0]["coverage"] == "Looked at 3 of 4 tiles; 1 failed."
    assert got[3]["coverage"] == ""
    assert [got[3]["scene"], got[4]["scene"]] == ["harbour", "harbour: north"]


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from tests.engine import outputs_samples as samples
from groundproof.outputs import geopackage, write
geopackage._write_styles = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write(samples.result(), sys.argv[2])
"""


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path):
    path = tmp_path / "out.gpkg"
    write(samples.result(1), path)
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", KILLED, root, str(path)], check=False)
    assert len(read(path).evidence) == 1
    assert len(list(tmp_path.iterdir())) == 2  # the workshop of the dead
    write(samples.result(2), path)
    assert [p.name for p in tmp_path.iterdir()] == ["out.gpkg"]
    assert len(read(path).evidence) == 2


def test_a_workshop_in_use_is_left_alone(tmp_path):
    with workshop(tmp_path / "out.gpkg") as first:
        (first / "half").write_text("done")
        with workshop(tmp_path / "out.gpkg") as second:
            assert second != first
        assert (first / "half").read_text() == "done"
    assert list(tmp_path.iterdir()) == []
