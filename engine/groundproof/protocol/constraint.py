"""The Geo-CoT text as a grammar, for servers that can hold a model to one (vLLM's structured outputs).

Knows the tags, the boxes and the answers that `protocol.grammar` writes. Refuses to know what a constrained
model then says: prose stays free, numbers stay unchecked, and every text is parsed and validated all the same.

The notation is xgrammar's EBNF (https://xgrammar.mlc.ai/docs/how_to/ebnf_guided_generation.html), root rule
`root`. The language is regular: no rule calls itself, so matching needs no stack and no backtracking.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from groundproof.boxes import BoxFrame
from groundproof.protocol.tasks import Task, is_existence

_OPENING = 'root ::= "<think>" '

_SECTIONS = ("plan", "evidence", "synthesis")

_GAP = r"gap ::= [ \n]{0,2}"
"""Between tags: models that were told the protocol, not trained on it, put line breaks there."""

_PROSE = r"[^<[\]{}]* (box [^<[\]{}]*)*"
"""Leaves out every character that can begin a tag or a box, so that neither is ever half there."""


def _until(tag: str, first: str = "") -> str:
    """A rule named like the tag: prose, begun with `first`, and the tag that closes it.

    Prose and tag stand in one rule, and are not made of smaller ones, because of xgrammar: it knows once and for all
    which entries of a vocabulary fit inside a rule, and tries those that may lead out of it anew at every token.
    With 151,000 entries that is 0.01 ms a token as it stands, 2 to 6 ms with the tag outside, and 250 ms written
    as `(plain | box)*` (`scripts/bench vllm -- grammar`).
    """
    return f'{tag} ::= {first}{_PROSE} "</{tag}>"'


def _square(number: str, turned: str = "") -> str:
    """Boxes as `[x0,y0,x1,y1]`, and lists of them."""
    return rf"""
box ::= "[" number comma number comma number comma number{turned} "]"
comma ::= "," " "?
number ::= {number}
boxes ::= "[]" | "[" box (comma box)* "]"
"""


_PIXELS = '"0" | [1-9] [0-9]{0,4}'
_ANGLE = r"""
angle ::= "-"? ("0" | [1-9] [0-9]{0,2})
"""
_BOXES = {
    BoxFrame.PER_MILLE: _square('"0" | [1-9] [0-9]{0,2} | "1000"'),
    BoxFrame.RESIZED_PIXELS: _square(_PIXELS),
    BoxFrame.RESIZED_PIXELS_ANGLE: _square(_PIXELS, " (comma angle)?") + _ANGLE.lstrip(),
    BoxFrame.PERCENT_ANGLE: r"""
box ::= "{<" number "><" number "><" number "><" number ">" ("|<" angle ">")? "}"
number ::= "0" | [1-9] [0-9]? | "100"
boxes ::= "[]" | box+
"""
    + _ANGLE.lstrip(),
}
"""Whole numbers, as the prompts ask for: a decimal point buys nothing below the size of a tile's pixel."""

_ANSWERS = {
    Task.COUNT: 'answer ::= ("0" | [1-9] [0-9]{0,4}) "</answer>"',
    Task.DETECT: 'answer ::= boxes "</answer>"',
    Task.GROUND: 'answer ::= boxes "</answer>"',
}
_YES_NO = 'answer ::= ("yes" | "no" | "Yes" | "No") "</answer>"'
_TEXT = _until("answer", r"[0-9A-Za-z\u00c0-\u167f\u1681-\u1fff\u3040-\ud7ff] ")
"""Begins with a letter or digit of the usual scripts: an answer of blanks or dots is none."""

_CLASS_NAME = re.compile(r"[^\W_][^<>\[\]{}\n\r]*")


def grammar(
    task: Task, question: str, frame: BoxFrame, labels: Sequence[str] = (), *, sections: bool = True
) -> str:
    """What one Geo-CoT answer may look like, as EBNF with the root rule `root`.

    question: tells yes-or-no questions from other ones (`tasks.is_existence`). frame: how boxes are written.
    labels: to classify, the classes to choose from, several divided by commas; unused for other tasks, and
    for classes whose names hold brackets or tags, which no grammar can tell from the protocol's own.
    sections: False for models that think in free prose with boxes, without `<plan>`, `<evidence>` and
    `<synthesis>` (RSThinker); the boxes and the answer are constrained all the same.

    Every canonical text of `protocol.grammar` with whole-numbered boxes inside the frame is accepted, and
    every accepted text is read by `groundproof.trace` as complete and usable.
    """
    if sections:
        thinking = "".join(f'gap "<{name}>" {name} ' for name in _SECTIONS) + 'gap "</think>"'
        prose = [_until(name) for name in _SECTIONS]
    else:
        thinking, prose = "think", [_until("think")]
    root = f'{_OPENING}{thinking} gap "<answer>" answer'
    return "\n".join([root, *prose, _answer(task, question, labels), _GAP, _BOXES[frame].strip(), ""])


def after_opening(ebnf: str) -> str:
    """The grammar of what follows `<think>`, for models whose chat template already opens the thinking.

    A grammar that does not begin with `<think>` comes back as it is.
    """
    return "root ::= " + ebnf.removeprefix(_OPENING) if ebnf.startswith(_OPENING) else ebnf


def _answer(task: Task, question: str, labels: Sequence[str]) -> str:
    if task is Task.CLASSIFY and labels and all(map(_CLASS_NAME.fullmatch, labels)):
        names = " | ".join(json.dumps(label, ensure_ascii=False) for label in dict.fromkeys(labels))
        return f'class ::= {names}\nanswer ::= class (", " class)* "</answer>"'
    if task is Task.VQA and is_existence(question):
        return _YES_NO
    return _ANSWERS.get(task, _TEXT)
