"""All readers by name. Knows which modules there are; refuses to know what is in them.

A module of readers has `READERS`, a tuple; it is imported and named here, and nowhere else.
"""

from __future__ import annotations

import difflib
from types import ModuleType

from groundproof_training.errors import TrainingError
from groundproof_training.readers import (
    airbus,
    bigearthnet,
    captions,
    change_captions,
    coco,
    conversations,
    corrections,
    dota,
    earthdial,
    fmow,
    muds,
    nwpu_vhr10,
    procedural,
    referring,
    rrsisd,
    rsvqa,
    scene_folders,
    visdrone,
    voc,
    voc_sets,
    vrsbench,
    xbd,
    yolo,
)
from groundproof_training.readers.base import Reader

BOX_MODULES: tuple[ModuleType, ...] = (
    airbus,
    coco,
    corrections,
    dota,
    muds,
    nwpu_vhr10,
    procedural,
    visdrone,
    voc,
    voc_sets,
    xbd,
    yolo,
)
"""Modules whose datasets label objects."""

TEXT_MODULES: tuple[ModuleType, ...] = (
    bigearthnet,
    captions,
    change_captions,
    conversations,
    earthdial,
    fmow,
    referring,
    rrsisd,
    rsvqa,
    scene_folders,
    vrsbench,
)
"""Modules whose datasets give captions, questions, expressions or classes of whole images."""


def _by_name(modules: tuple[ModuleType, ...]) -> dict[str, Reader]:
    readers: dict[str, Reader] = {}
    for module in modules:
        for one in module.READERS:
            if one.card.name in readers:
                raise ValueError(f"two readers are called {one.card.name!r}; one is in {module.__name__}")
            readers[one.card.name] = one
    return dict(sorted(readers.items()))


READERS: dict[str, Reader] = _by_name(BOX_MODULES + TEXT_MODULES)


def reader(name: str) -> Reader:
    """The reader of that name. Raises TrainingError naming the closest ones."""
    if name in READERS:
        return READERS[name]
    close = difflib.get_close_matches(name.casefold(), READERS, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(close)}?" if close else "`groundproof-train readers` lists all."
    raise TrainingError(f"there is no reader called {name!r}. {hint}")
