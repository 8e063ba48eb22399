"""Readers by name: none is forgotten, each says what it is, and a wrong name is helped with."""

from __future__ import annotations

import importlib
import json
import pkgutil

import pytest
from typer.testing import CliRunner

from groundproof_training import readers
from groundproof_training.cli import app
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import Options, Problems, WrongFolderError
from groundproof_training.readers.registry import BOX_MODULES, READERS, TEXT_MODULES, reader

ASKED_FOR = (
    "vrsbench", "dota", "hrrsd", "dior", "dior-r", "dior-rsvg", "rsvg", "rrsis-d", "nwpu-resisc45", "aid",
    "ucmerced", "whu-rs19", "siri-whu", "rsod", "nwpu-vhr10", "visdrone", "nwpu-captions", "rsicd", "rsitmd",
    "ucm-captions", "sydney-captions", "fit-rs", "geochat-instruct", "xbd", "levir-cc", "levir-mci", "dubai-cc",
    "sysu-cc", "muds", "hit-uav", "coco", "yolo", "voc", "airbus-aircraft", "airbus-tanks", "corrections",
    "procedural",
)  # fmt: skip


def test_every_module_with_readers_is_named():
    """Two people write here; what one of them forgets to name nobody can use."""
    named = {module.__name__ for module in (*BOX_MODULES, *TEXT_MODULES)}
    for found in pkgutil.iter_modules(readers.__path__, f"{readers.__name__}."):
        module = importlib.import_module(found.name)
        if isinstance(getattr(module, "READERS", None), tuple):
            assert found.name in named


@pytest.mark.parametrize("name", ASKED_FOR)
def test_a_reader_says_what_it_is_and_refuses_an_empty_folder(name, tmp_path):
    one = reader(name)
    assert one.card.name == name
    for said in (
        one.card.title,
        one.card.licence,
        one.card.source,
        one.card.layout,
        one.card.tasks,
        one.card.splits,
    ):
        assert said
    assert issubclass(one.options, Options)
    one.options()
    if name == "procedural":
        return  # an empty folder is where it renders to
    with pytest.raises(WrongFolderError) as err:
        list(one.read(tmp_path, one.card.splits[0], one.options(), Problems()))
    assert one.card.title in str(err.value)
    assert "Expected" in str(err.value)


def test_a_wrong_name_is_answered_with_the_closest():
    with pytest.raises(TrainingError, match=r"Did you mean .*hrrsd"):
        reader("HRSSD")
    with pytest.raises(TrainingError, match="lists all"):
        reader("zzzzzz")


def test_the_command_lists_and_describes():
    listed = CliRunner().invoke(app, ["readers"])
    assert listed.exit_code == 0
    assert all(name in listed.stdout for name in READERS)
    assert max(map(len, listed.stdout.splitlines())) <= 110
    machine = json.loads(CliRunner().invoke(app, ["readers", "--json"]).stdout)
    assert {one["name"] for one in machine} == set(READERS)
    one = CliRunner().invoke(app, ["readers", "dota"])
    for words in ("patch_px = 800", "labelTxt", "academic use", "188,282"):
        assert words in one.stdout
