"""Runs of a project: kept whole, found again, never lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qgis.core import QgsProject

from groundproof_qgis.history import folders as where
from groundproof_qgis.history.folders import beside, folder_for_new_runs, folders
from groundproof_qgis.history.record import RunRecord, new_record
from groundproof_qgis.history.store import listed, remove, save


@pytest.fixture
def project(qgis_new_project):
    yield QgsProject.instance()
    QgsProject.instance().clear()


def record(run_id="r", **more):
    return replace(
        new_record("How many ships?", "count", {"where": {"kind": "canvas"}}, "tiny"), run_id=run_id, **more
    )


texts = st.text(st.characters(blacklist_categories=("Cs",)))


@given(texts, st.none() | texts, st.none() | st.integers() | st.booleans() | texts | st.lists(texts))
def test_a_record_reads_back(text, job, value):
    one = RunRecord(
        "r", "2026-11-28T09:00:00Z", text, job=job, value=value, form={"x": [text]}, status="done"
    )
    assert RunRecord.from_json(one.as_json()) == one


def test_records_of_a_later_version_are_read_as_far_as_they_are_known():
    document = {**json.loads(record().as_json()), "format": 9, "mood": "fine"}
    assert RunRecord.from_json(json.dumps(document)).question == "How many ships?"


def test_a_record_never_names_a_file_elsewhere():
    document = {**json.loads(record().as_json()), "gpkg": "../../etc/passwd"}
    with pytest.raises(ValueError, match="beside the record"):
        RunRecord.from_json(json.dumps(document))


def test_runs_are_listed_newest_first_and_saved_again_in_place(tmp_path):
    for n in (2, 1, 3):
        save(tmp_path, record(f"r{n}", asked_at=f"2026-11-0{n}T00:00:00Z", status="done"))
    save(tmp_path, record("r2", asked_at="2026-11-02T00:00:00Z", status="failed"))
    found = listed([tmp_path, tmp_path])
    assert [(one.record.run_id, one.record.status) for one in found] == [
        ("r3", "done"),
        ("r2", "failed"),
        ("r1", "done"),
    ]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r1.json", "r2.json", "r3.json"]


def test_a_run_nobody_watches_any_more_is_interrupted(tmp_path):
    save(tmp_path, record("r1"))
    save(tmp_path, record("r2"))
    states = {one.record.run_id: one.record.status for one in listed([tmp_path], running={"r2"})}
    assert states == {"r1": "interrupted", "r2": "asking"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"{}",
        b'{"run_id": 3}',
        b"\xff\xfe",
        b'{"run_id":"x","asked_at":"","question":"","status":"odd"}',
    ],
)
def test_a_damaged_record_is_listed_and_left_as_it_is(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    (tmp_path / "x.gpkg").write_bytes(b"result")
    (one,) = listed([tmp_path])
    assert (one.record.status, one.record.run_id, one.has_result) == ("damaged", "x", True)
    assert (tmp_path / "x.json").read_bytes() == content


def test_a_geopackage_without_a_record_is_not_lost(tmp_path):
    (tmp_path / "y.gpkg").write_bytes(b"result")
    (tmp_path / ".z.gpkg.new").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    (one,) = listed([tmp_path])
    assert (one.path, one.record.status) == (tmp_path / "y.gpkg", "damaged")


def test_a_write_that_fails_leaves_the_earlier_record(tmp_path, monkeypatch):
    save(tmp_path, record("r1", answer="17 ships"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("groundproof_qgis.history.store.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, record("r1", answer="18 ships"))
    assert listed([tmp_path])[0].record.answer == "17 ships"


def test_removing_a_run_takes_both_files_but_not_one_that_is_open(tmp_path):
    save(tmp_path, record("r1", gpkg="r1.gpkg"))
    (tmp_path / "r1.gpkg").write_bytes(b"x")
    (tmp_path / "r1.gpkg-wal").write_bytes(b"x")
    (one,) = listed([tmp_path])
    with pytest.raises(OSError, match="is open"):
        remove(one)
    (tmp_path / "r1.gpkg-wal").unlink()
    remove(one)
    assert list(tmp_path.iterdir()) == []


def test_a_saved_project_keeps_its_runs_beside_its_file(project, tmp_path):
    assert project.write(str(tmp_path / "harbour.qgz"))
    made = folder_for_new_runs(project, tmp_path / "user")
    assert made.path == tmp_path / "harbour_groundproof"
    assert made.sentence == ""
    assert not (tmp_path / "user").exists()


def test_a_project_saved_only_later_still_finds_its_first_runs(project, tmp_path):
    first = folder_for_new_runs(project, tmp_path / "user")
    assert first.path.parent == tmp_path / "user"
    assert "not saved yet" in first.sentence
    assert folder_for_new_runs(project, tmp_path / "user") == first
    save(first.path, record("r1"))
    assert project.write(str(tmp_path / "p.qgz"))
    save(folder_for_new_runs(project, tmp_path / "user").path, record("r2"))
    assert project.write()
    project.clear()
    assert folders(project) == []
    assert project.read(str(tmp_path / "p.qgz"))
    assert {one.record.run_id for one in listed(folders(project))} == {"r1", "r2"}


def test_two_unsaved_projects_do_not_share_a_history(project, tmp_path):
    first = folder_for_new_runs(project, tmp_path).path
    project.clear()
    assert folder_for_new_runs(project, tmp_path).path != first


def test_a_project_that_was_moved_with_its_folder_finds_its_runs(project, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    project.write(str(old / "p.qgz"))
    save(folder_for_new_runs(project, tmp_path / "user").path, record("r1"))
    project.write()
    project.clear()
    old.rename(tmp_path / "new")
    project.read(str(tmp_path / "new" / "p.qgz"))
    (one,) = listed(folders(project))
    assert one.folder == tmp_path / "new" / "p_groundproof"


def test_a_project_saved_under_another_name_keeps_its_history(project, tmp_path):
    project.write(str(tmp_path / "a.qgz"))
    save(folder_for_new_runs(project, tmp_path / "user").path, record("r1"))
    project.write(str(tmp_path / "b.qgz"))
    assert beside(project) == tmp_path / "b_groundproof"
    assert [one.record.run_id for one in listed(folders(project))] == ["r1"]


def test_a_folder_that_cannot_be_written_is_said_and_another_one_is_used(project, tmp_path):
    project.write(str(tmp_path / "p.qgz"))
    (tmp_path / "p_groundproof").write_text("a file is in the way")
    made = folder_for_new_runs(project, tmp_path / "user")
    assert made.path.parent == tmp_path / "user"
    assert "p_groundproof cannot be written" in made.sentence
    assert str(made.path) in made.sentence
    assert folder_for_new_runs(project, tmp_path / "user").path == made.path
    assert made.path in folders(project)


def test_without_any_writable_folder_it_is_an_error(project, tmp_path):
    (tmp_path / "user").write_text("in the way")
    with pytest.raises(OSError):
        folder_for_new_runs(project, tmp_path / "user")


def test_the_users_folder_is_qgiss_own():
    assert isinstance(where.user_folder(), Path)
    assert where.user_folder().name == "runs"


def test_a_folder_that_the_person_chose_holds_the_runs_of_every_project(tmp_path):
    project = QgsProject()
    kept = folder_for_new_runs(project, tmp_path / "user", tmp_path / "kept").path
    assert kept.parent == tmp_path / "kept"
    assert project.write(str(tmp_path / "harbour.qgz"))
    assert folder_for_new_runs(project, tmp_path / "user", tmp_path / "kept").path == kept
    assert kept in folders(project)
    other = QgsProject()
    assert other.write(str(tmp_path / "airport.qgz"))
    named = folder_for_new_runs(other, tmp_path / "user", tmp_path / "kept").path
    assert named == tmp_path / "kept" / "airport_groundproof"
