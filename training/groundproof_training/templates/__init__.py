"""Questions in many wordings and their Geo-CoT answers, as text, for every task.

Completions are written with the engine's own grammar (`groundproof.protocol`):

    <think><plan>..</plan><evidence>E1 ship, left [x0,y0,x1,y1]. </evidence>
    <synthesis>..</synthesis></think><answer>..</answer>

Boxes are integers 0..999, per-mille of the tile. Evidence is listed in the raster order of the anchor cells, which
is the order in which the language model meets them. Refuses to know tokens and pixels.
"""

from groundproof_training.templates.changing import make_change_sample
from groundproof_training.templates.draw import DEFAULT_WEIGHTS, MOST, TASKS, make_sample
from groundproof_training.templates.texts import corpus, random_sample
from groundproof_training.templates.tile import (
    Box,
    Sample,
    Tile,
    permille_boxes,
    without_rationale,
    write_prompt,
)
from groundproof_training.templates.wordings import PLACES, QUESTIONS
from groundproof_training.templates.words import UNKNOWN, WORDS

__all__ = [
    "DEFAULT_WEIGHTS",
    "MOST",
    "PLACES",
    "QUESTIONS",
    "TASKS",
    "UNKNOWN",
    "WORDS",
    "Box",
    "Sample",
    "Tile",
    "corpus",
    "make_change_sample",
    "make_sample",
    "permille_boxes",
    "random_sample",
    "without_rationale",
    "write_prompt",
]
