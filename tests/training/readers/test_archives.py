"""Zips in place of folders: what is unpacked where, and what is refused."""

from zipfile import ZipFile

import pytest

from groundproof_training.errors import TrainingError
from groundproof_training.readers import archives
from groundproof_training.readers.archives import unpacked


def zipped(path, members):
    with ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_zip_is_unpacked_beside_itself_once(tmp_path):
    place = zipped(tmp_path / "set.zip", {"images/a.txt": "a", "b.txt": "b"})
    folder = unpacked(place)
    assert folder == tmp_path / "set"
    assert (folder / "images" / "a.txt").read_text() == "a"
    (folder / "b.txt").write_text("mine")
    assert unpacked(place) == folder
    assert (folder / "b.txt").read_text() == "mine"
    assert unpacked(folder) == folder


@pytest.mark.parametrize(
    "name", ["../out.txt", "/out.txt", "a/../../out.txt", "C:/out.txt", "..\\out.txt", "."]
)
def test_a_member_that_lies_elsewhere_is_refused_and_nothing_is_left(tmp_path, name):
    (tmp_path / "in").mkdir()
    place = zipped(tmp_path / "in" / "set.zip", {"good.txt": "x", name: "out"})
    with pytest.raises(TrainingError, match="lies outside"):
        unpacked(place)
    assert [p.name for p in (tmp_path / "in").iterdir()] == ["set.zip"]
    assert not (tmp_path / "out.txt").exists()


def test_a_bomb_a_torn_file_and_a_folder_in_the_way_are_said_in_a_sentence(tmp_path, monkeypatch):
    place = zipped(tmp_path / "set.zip", {"a.txt": "a" * 1000})
    monkeypatch.setattr(archives, "MOST_BYTES", 999)
    with pytest.raises(TrainingError, match="unpacks to more than"):
        unpacked(place)
    monkeypatch.undo()
    torn = tmp_path / "torn.zip"
    torn.write_bytes(place.read_bytes()[:-30])
    with pytest.raises(TrainingError, match="cannot be unpacked"):
        unpacked(torn)
    (tmp_path / "set").mkdir()
    with pytest.raises(TrainingError, match="exists and is not what is in it"):
        unpacked(place)
