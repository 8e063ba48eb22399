"""Small dataset folders for tests of readers: pictures of one colour, and labels written by hand."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from groundproof_training.readers.base import Problems
from groundproof_training.readers.registry import reader


def picture(path: Path, width: int = 100, height: int = 80, colour=(90, 120, 70)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), colour).save(path)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(name: str, root: Path, split: str = "train", **options):
    """All samples of a reader, and what it left out."""
    one, problems = reader(name), Problems()
    return list(one.read(root, split, one.options(**options), problems)), problems


def images(name: str, root: Path, split: str = "train", **options):
    """The labelled images of a reader of boxes by key, and what it left out."""
    one, problems = reader(name), Problems()
    found = {i.key: i for i in one.images(root, split, one.options(**options), problems)}
    return found, problems


WHOLE = dict(val_share=0, test_share=0)
"""Of a source without splits: everything is train."""
